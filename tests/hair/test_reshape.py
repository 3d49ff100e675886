from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plain_groom import wavy_lock

from headform.hair.collider import distance
from headform.hair.dense import groom_of
from headform.hair.groom import Groom
from headform.hair.grow import CROWN, Wearer, wearer_of
from headform.hair.reshape import reshaped, restyled
from headform.hair.style import Style
from headform.head import load_default


@pytest.fixture(scope="module")
def wearer() -> Wearer:
    return wearer_of(load_default())


def grown(wearer: Wearer, length: float, count: int = 300) -> Groom:
    """Straight hair without stray ends, free of head and shoulders."""
    style = Style("plain", length=(length,) * 4, frizz=0.0, flyaway=0.0, locks=(20, 0.0, 1.0))
    return groom_of(style, wearer, count=count)


def at_shares(groom: Groom, shares: np.ndarray) -> np.ndarray:
    """(S, n, 3) the points at shares of each strand's length, by NumPy alone."""
    out = np.empty((len(groom), len(shares), 3))
    for row, strand in enumerate(groom.points.astype(np.float64)):
        reach = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(strand, axis=0), axis=1))])
        for axis in range(3):
            out[row, :, axis] = np.interp(shares * reach[-1], reach, strand[:, axis])
    return out


def test_a_style_is_cut_as_many_times_as_far_from_the_crown() -> None:
    crown = float(CROWN[1])
    style = Style(
        "x", length=(0.1, 0.2, 0.2, 0.2), cut=(crown - 0.2, crown - 0.1), level=crown + 0.04, curl=(0.01, 1, 0)
    )
    longer = restyled(style, 1.5, 2.0)
    assert longer.length == pytest.approx((0.15, 0.3, 0.3, 0.3)) and longer.curl == pytest.approx((0.02, 1, 0))
    assert longer.cut == pytest.approx((crown - 0.3, crown - 0.15)) and longer.level == pytest.approx(crown + 0.06)
    assert longer.fringe_cut is None and restyled(style) == style


def test_cut_hair_ends_at_its_share_and_is_what_it_was_before(wearer: Wearer) -> None:
    hair = grown(wearer, 0.12)
    cut = reshaped(hair, wearer, 0.4)
    assert cut.lengths() == pytest.approx(0.4 * hair.lengths(), rel=0.01)
    shares = np.linspace(0, 1, cut.points.shape[1])
    np.testing.assert_allclose(cut.points, at_shares(hair, 0.4 * shares), atol=1e-3)
    assert cut.roots is hair.roots and cut.guides is None
    ramp = np.linspace(0, 1, hair.points.shape[1])[None, :, None] * np.ones(3)
    striped = replace(hair, colours=np.broadcast_to(ramp, hair.points.shape).astype(np.float32))
    tips = np.asarray(reshaped(striped, wearer, 0.4).colours)[:, -1]
    assert tips == pytest.approx(0.4, abs=0.03)  # what is left keeps its colour
    longer = np.asarray(reshaped(striped, wearer, 2.0).colours)
    assert longer[:, -1] == pytest.approx(1.0) and longer[:, longer.shape[1] // 2 + 1 :].min() > 0.95


def test_longer_hair_keeps_what_it_has_and_hangs_on_from_the_tips(wearer: Wearer) -> None:
    hair = grown(wearer, 0.08)
    longer = reshaped(hair, wearer, 2.5)
    assert longer.lengths() == pytest.approx(2.5 * hair.lengths(), rel=0.05)
    np.testing.assert_allclose(
        at_shares(longer, np.linspace(0, 0.39, 10)), at_shares(hair, np.linspace(0, 0.975, 10)), atol=2e-3
    )
    lower = hair.points[:, -1, 1] - longer.points[:, -1, 1]
    assert np.percentile(lower, 1) > 0 and np.median(lower) > 0.7 * 1.5 * np.median(hair.lengths())


@pytest.mark.parametrize("times", [1.7, 3.0])
def test_longer_hair_lies_on_the_shoulders_and_not_in_them(wearer: Wearer, times: float) -> None:
    longer = reshaped(grown(wearer, 0.15), wearer, times)
    assert distance(wearer.collider.bare, longer.points[:, 1:].reshape(-1, 3)).min() > -1e-3
    steps = np.linalg.norm(np.diff(longer.points, axis=1), axis=2)
    assert steps.max() < 3 * np.median(steps)


@pytest.mark.parametrize("curl", [0.25, 2.0, 3.0])
def test_curl_is_the_width_of_the_waves(wearer: Wearer, curl: float) -> None:
    hair = wavy_lock(4, 0.006)
    waved = reshaped(hair, wearer, curl=curl)
    middle = slice(15, 85)

    def width(groom: Groom) -> float:
        x = groom.points[:, middle, 0] - groom.points[:, middle, 0].mean(1, keepdims=True)
        return float(np.sqrt((x**2).mean()))

    assert width(waved) == pytest.approx(curl * width(hair), abs=0.15 * width(hair))
    np.testing.assert_allclose(waved.points[:, 0], hair.points[:, 0], atol=1e-6)
    np.testing.assert_allclose(waved.points[:, -1, 1], hair.points[:, -1, 1], atol=0.01)  # the way stays


def test_straight_hair_stays_straight(wearer: Wearer) -> None:
    hair = wavy_lock(0, 0.0)
    np.testing.assert_allclose(reshaped(hair, wearer, curl=3).points, hair.points, atol=2e-4)


def test_waves_go_on_where_hair_grows_on(wearer: Wearer) -> None:
    longer = reshaped(wavy_lock(4, 0.006, length=0.12), wearer, 2.0)
    half = longer.points.shape[1] // 2
    before, after = longer.points[:, :half, 0], longer.points[:, half:-5, 0]
    assert after.std(1).mean() == pytest.approx(before.std(1).mean(), rel=0.35)


def test_nothing_asked_is_nothing_done(wearer: Wearer) -> None:
    hair = grown(wearer, 0.05, 40)
    assert reshaped(hair, wearer) is hair
    nothing = hair.chosen(np.zeros(len(hair), bool))
    assert reshaped(nothing, wearer, 2, 2) is nothing


def test_a_strand_of_no_length_stays_a_point(wearer: Wearer) -> None:
    hair = grown(wearer, 0.05, 40)
    points = hair.points.copy()
    points[2] = points[2, 0]
    for length, curl in ((0.5, 1.0), (2.0, 1.0), (1.0, 2.0)):
        changed = reshaped(replace(hair, points=points), wearer, length, curl)
        assert np.isfinite(changed.points).all() and changed.lengths()[2] < 0.005

"""Guides: as long as a style says, cut where it says, tied where it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from headform.hair.collider import BACK_AT, CHEST_AT, CHEST_TOP, distance
from headform.hair.groom import GRID, KNOTS
from headform.hair.grow import guides_of, lengths_of, places_of, tie_at, wearer_of
from headform.hair.scalp import grid_places
from headform.hair.style import Style, Tie
from headform.head import load_default

DOWN = ((1.0, 0.1, -0.1), (1.0, 0.0, -0.3), (0.1, -1.0, -0.3), (0.0, -1.0, -0.3))
LONG = Style("long", length=(0.4, 0.44, 0.4, 0.34), comb=DOWN, part=0.0)
BOB = replace(LONG, name="bob", length=(0.24, 0.26, 0.22, 0.18), cut=(-0.075, -0.06))


@pytest.fixture(scope="module")
def wearer():
    return wearer_of(load_default())


def roots(wearer) -> np.ndarray:
    return wearer.scalp.roots(grid_places()).points(wearer.vertices).reshape(GRID, GRID, 1, 3)


def test_guides_have_the_lengths_of_their_regions_and_even_steps(wearer) -> None:
    style = Style("even", length=(0.1, 0.2, 0.3, 0.4))
    guides = guides_of(style, wearer, 1)
    assert guides.shape == (GRID, GRID, KNOTS, 4)
    assert guides.dtype == np.float32
    step = np.linalg.norm(np.diff(guides[..., :3], axis=2), axis=3)
    assert np.allclose(step, step.mean(2, keepdims=True), rtol=0.02)
    assert np.array_equal(guides[..., 0, :3], np.zeros((GRID, GRID, 3)))
    at = places_of(wearer.scalp, grid_places())
    several = np.mean([_lengths(guides_of(style, wearer, seed)) for seed in range(10)], axis=0)
    for region, wanted in enumerate(style.length):
        only = (at.share[:, region] > 0.999) & (at.reach < 0.9)
        assert several[only].mean() == pytest.approx(wanted, rel=0.05)  # a head's lengths vary by a tenth, smoothly


def _lengths(guides: np.ndarray) -> np.ndarray:
    return np.linalg.norm(np.diff(guides[..., :3], axis=2), axis=3).sum(2).ravel()


def test_the_same_seed_gives_the_same_guides_and_another_others(wearer) -> None:
    assert np.array_equal(guides_of(LONG, wearer, 4), guides_of(LONG, wearer, 4))
    assert not np.array_equal(guides_of(LONG, wearer, 4), guides_of(LONG, wearer, 5))


def test_where_nothing_grows_is_nan(wearer) -> None:
    assert np.isnan(guides_of(Style("bald", length=(0, 0, 0, 0)), wearer)).all()
    wreath = guides_of(Style("wreath", length=(0.05,) * 4, crown=0.05), wearer)
    bare = np.isnan(wreath).all((2, 3))
    assert 0.03 < bare.mean() < 0.5
    assert bare[GRID // 2 - 4, GRID // 2]


def test_a_bob_ends_on_its_line(wearer) -> None:
    """Tips lie on the line from the cut's height at the back to that at the front, or above it."""
    points = guides_of(BOB, wearer, 0)[..., :3] + roots(wearer)
    tips = points[:, :, -1].reshape(-1, 3)
    front = np.clip((tips[:, 2] + 0.09) / 0.18, 0, 1)
    line = -0.06 + front * (-0.075 + 0.06)
    assert (tips[:, 1] - line).min() > -0.004  # a step of the longest guide before its end
    assert (np.abs(tips[:, 1] - line) < 0.004).mean() > 0.5


def test_a_flat_top_is_flat(wearer) -> None:
    style = Style(
        "block", length=(0.08, 0.08, 0.01, 0.01), comb=((0, 1, 0), (0, 1, 0), (0, -1, 0), (0, -1, 0)), level=0.18,
        lift=0.97, stiff=0.3, weight=0.0, cling=0.0, whorl=0.0,
    )  # fmt: skip
    tips = (guides_of(style, wearer)[..., :3] + roots(wearer))[:, :, -1]
    assert tips[..., 1].max() < 0.1801
    assert (np.abs(tips[..., 1] - 0.18) < 1e-4).sum() > 200


@pytest.mark.parametrize("kind", ["tail", "bun", "braid"])
def test_all_hair_gets_to_its_tie(wearer, kind) -> None:
    tie = Tie(at=(0, 0.085, -0.115), kind=kind, radius=0.018)
    points = guides_of(Style("tied", length=(0.25,) * 4, ties=(tie,), volume=0.006), wearer)[..., :3] + roots(wearer)
    near = np.linalg.norm(points - tie_at(tie, wearer), axis=3).min(2)
    assert (near < 1.2 * tie.radius).mean() > 0.99


def test_a_tail_is_as_long_as_the_style_says_wherever_its_hair_grows(wearer) -> None:
    tie = Tie(at=(0, 0.085, -0.115))
    points = guides_of(Style("tail", length=(0.25,) * 4, ties=(tie,), volume=0.006), wearer)[..., :3] + roots(wearer)
    step = np.linalg.norm(np.diff(points, axis=2), axis=3)
    bound = np.linalg.norm(points - tie_at(tie, wearer), axis=3).argmin(2)
    beyond = np.where(np.arange(KNOTS - 1) >= bound[..., None], step, 0).sum(2)
    assert np.median(beyond) == pytest.approx(0.25, rel=0.1)
    assert np.percentile(np.abs(beyond - 0.25), 95) < 0.06


def test_a_tie_lies_on_the_head(wearer) -> None:
    for at in ((0, 0.2, 0), (0, 0.05, -0.2), (0.15, 0.03, -0.05)):
        place = tie_at(Tie(at=at, radius=0.02), wearer)
        assert 0.012 < distance(wearer.collider.bare, place[None])[0] < 0.024


def test_each_side_goes_to_its_own_tie(wearer) -> None:
    left, right = Tie(at=(0.08, 0.03, -0.04), takes="left"), Tie(at=(-0.08, 0.03, -0.04), takes="right")
    tips = guides_of(Style("two", length=(0.2,) * 4, ties=(left, right), part=0.0), wearer)[:, :, -1, :3]
    tips = tips + roots(wearer)[:, :, 0]
    home = roots(wearer)[:, :, 0, 0]
    assert (np.sign(tips[..., 0]) == np.sign(home))[np.abs(home) > 0.004].mean() > 0.99


def test_a_parting_on_the_left_is_the_mirror_of_one_on_the_right(wearer) -> None:
    """Without disorder: tips of the one, mirrored, are near those of the other."""
    calm = replace(LONG, wander=0.0, whorl=0.0, part=0.03)
    left = (guides_of(calm, wearer)[..., :3] + roots(wearer))[:, :, -1]
    right = (guides_of(replace(calm, part=-0.03), wearer)[..., :3] + roots(wearer))[:, ::-1, -1] * [-1, 1, 1]
    apart = np.linalg.norm(left - right, axis=2)
    assert np.median(apart) < 0.05  # lengths and layers vary with the seed and have no mirror
    assert (np.sign(left[..., 0]) == np.sign(right[..., 0])).mean() > 0.97


def test_long_hair_lies_before_or_behind_the_shoulders_and_not_beside_them(wearer) -> None:
    points = (guides_of(LONG, wearer)[..., :3] + roots(wearer)).reshape(-1, KNOTS, 3)
    low = points[:, -1, 1] < CHEST_TOP - 0.04
    assert low.mean() > 0.5
    tips = points[low, -1]
    assert np.abs(tips[:, 0]).max() < 0.16
    before = tips[:, 2] > 0
    assert 0.2 < before.mean() < 0.8
    assert np.median(tips[before, 2]) == pytest.approx(CHEST_AT, abs=0.025)
    assert np.median(tips[~before, 2]) == pytest.approx(BACK_AT, abs=0.025)


@pytest.mark.parametrize(("drape", "share"), [(0.0, 0.0), (1.0, 0.95)])
def test_drape_says_how_much_falls_before_the_shoulders(wearer, drape: float, share: float) -> None:
    points = (guides_of(replace(LONG, drape=drape), wearer)[..., :3] + roots(wearer)).reshape(-1, KNOTS, 3)
    tips = points[points[:, -1, 1] < CHEST_TOP - 0.04, -1]
    assert (tips[:, 2] > 0).mean() == pytest.approx(share, abs=0.05)  # some of the nape's cannot get past the neck


def test_a_fade_is_nothing_below_and_whole_above(wearer) -> None:
    at = places_of(wearer.scalp, grid_places())
    full, faded = (lengths_of(Style("x", length=(0.03,) * 4, fade=fade), at) for fade in (0.0, 0.5))
    assert faded[at.home[:, 1] < -0.01].max(initial=0) < 0.001
    assert np.allclose(faded[at.home[:, 1] > 0.08], full[at.home[:, 1] > 0.08])
    assert (faded <= full + 1e-12).all()


def test_a_larger_head_has_longer_hair(wearer) -> None:
    model = load_default()
    large = wearer_of(model, np.asarray(model.rest() * 1.1, np.float32))
    assert large.size == pytest.approx(1.1, rel=1e-3)
    style = Style("plain", length=(0.05,) * 4, comb=DOWN)

    def length(of) -> float:
        return float(np.linalg.norm(np.diff(guides_of(style, of)[..., :3], axis=2), axis=3).sum(2).mean())

    assert length(large) == pytest.approx(1.1 * length(wearer), rel=0.01)

"""Values carried on over the skin mesh."""

from __future__ import annotations

import numpy as np

from headform.skin.atlas import skin_mesh
from headform.skin.even import carry_on, mirror_points, neighbours


def places() -> np.ndarray:
    return skin_mesh().points


def test_what_is_everywhere_the_same_stays_the_same() -> None:
    values = np.tile(np.array([[0.3, -2.0, 5.0]], np.float32), (len(places()), 1))
    weights = (places()[:, 2] > 0.05).astype(np.float32)
    np.testing.assert_allclose(carry_on(values, weights), values, rtol=1e-3)


def test_what_is_known_is_followed_and_what_is_far_is_the_mean() -> None:
    known = places()[:, 2] > 0.06
    values = np.where(places()[:, 1:2] > 0.03, 1.0, -1.0).astype(np.float32)
    values[~known] = 1e6  # not to be looked at
    found = carry_on(values, 100 * known.astype(np.float32))
    inner = known & (np.abs(places()[:, 1] - 0.03) > 0.02)
    np.testing.assert_allclose(found[inner], values[inner], atol=0.1)
    mean = values[known].mean()
    far = places()[:, 2] < -0.08
    assert far.any() and np.abs(found[far] - mean).max() < 0.5
    assert found.min() >= -1.05 and found.max() <= 1.05  # a membrane makes no new extremes


def test_between_two_sides_it_is_smooth() -> None:
    """No step on any edge of the mesh where nothing is known, at the texture's seam neither."""
    values = np.sign(places()[:, :1]).astype(np.float32)
    weights = 100 * (np.abs(places()[:, 0]) > 0.04).astype(np.float32)
    found = carry_on(values, weights)[:, 0]
    starts, others = neighbours()
    steps = np.abs(np.repeat(found, np.diff(starts)) - found[others])
    assert steps.max() < 0.5 and np.median(steps) < 0.1


def test_columns_do_not_mix() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(len(places()), 3)).astype(np.float32)
    weights = rng.random(len(values)).astype(np.float32)
    alone = carry_on(values[:, 1:2].copy(), weights)
    np.testing.assert_allclose(carry_on(values, weights)[:, 1:2], alone, atol=5e-3)


def test_toward_leads_where_nothing_is_known() -> None:
    toward = places()[:, 1:2].astype(np.float32)
    weights = (places()[:, 2] > 0.06).astype(np.float32)
    np.testing.assert_allclose(carry_on(toward + 3, weights, toward), toward + 3, atol=1e-4)


def test_nothing_known_gives_zero() -> None:
    values, none = np.ones((len(places()), 2), np.float32), np.zeros(len(places()), np.float32)
    assert not carry_on(values, none).any()
    assert not carry_on(values, none, np.full_like(values, 0.5)).any()


def test_neighbours_know_each_other() -> None:
    starts, others = neighbours()
    assert starts[0] == 0 and starts[-1] == len(others) and np.diff(starts).min() >= 1
    one = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    assert {*zip(one.tolist(), others.tolist(), strict=True)} == {*zip(others.tolist(), one.tolist(), strict=True)}
    assert (one != others).all()


def test_mirror_points_lie_on_the_other_side() -> None:
    points, mirrored = places(), mirror_points()
    off = np.linalg.norm(points[mirrored] * [-1, 1, 1] - points, axis=1)
    assert np.percentile(off, 99) < 1e-4 and off.max() < 2e-3
    back = mirrored[mirrored]
    assert np.linalg.norm(points[back] - points, axis=1).max() < 2e-3

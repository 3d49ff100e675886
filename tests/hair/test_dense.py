"""Strands between guides: where they grow, how they lie, what they keep to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from headform.hair.collider import distance
from headform.hair.dense import SKIN_GAP, between, dense, groom_of, knots_for, roots_for
from headform.hair.groom import GRID, KNOTS
from headform.hair.grow import guides_of, tie_at, wearer_of
from headform.hair.locks import locks_of, nearest
from headform.hair.scalp import grid_places
from headform.hair.style import Style, Tie
from headform.head import load_default

DOWN = ((1.0, 0.1, -0.1), (1.0, 0.0, -0.3), (0.1, -1.0, -0.3), (0.0, -1.0, -0.3))
LONG = Style("long", length=(0.35, 0.38, 0.36, 0.32), comb=DOWN, part=0.0, volume=0.014)
TIDY = {"ragged": 0.0, "frizz": 0.0, "flyaway": 0.0}


@pytest.fixture(scope="module")
def wearer():
    return wearer_of(load_default())


def straight(length: float = 0.1) -> np.ndarray:
    guides = np.zeros((GRID, GRID, KNOTS, 4), np.float32)
    guides[..., 1] = np.linspace(0, length, KNOTS)
    return guides


def test_as_many_strands_as_are_asked_for_grow_on_the_scalp(wearer) -> None:
    groom = groom_of(LONG, wearer, 0, 5000)
    assert 4000 < len(groom) < 5500  # fewer at the hairline
    assert np.allclose(groom.points[:, 0], groom.roots.points(wearer.vertices), atol=1e-6)
    assert groom.about["name"] == "long"


def test_strands_of_a_seed_are_the_same_to_the_bit(wearer) -> None:
    one, two, other = (groom_of(LONG, wearer, seed, 1500) for seed in (2, 2, 3))
    assert np.array_equal(one.points, two.points)
    assert np.array_equal(one.colours, two.colours)
    assert not np.array_equal(one.points[:1000], other.points[:1000])


def test_roots_are_even_on_the_scalp_itself(wearer) -> None:
    """Strands counted within a centimetre of places all over: the crown has about as many as the side."""
    places = roots_for(straight(), 20_000, np.random.default_rng(0))
    points = wearer.scalp.roots(places).points(wearer.vertices)
    middle = wearer.scalp.roots(np.random.default_rng(1).uniform(0.2, 0.8, (300, 2))).points(wearer.vertices)
    count = cKDTree(points).query_ball_point(middle, 0.01, return_length=True)
    assert count.min() > 0.45 * np.median(count)
    assert count.max() < 2.0 * np.median(count)


def test_roots_grow_only_where_guides_do_and_thin_out_at_the_border() -> None:
    guides = straight()
    guides[:, : GRID // 2] = np.nan
    places = roots_for(guides, 20_000, np.random.default_rng(0))
    assert (places[:, 0] > 0.5 - 1 / GRID).all()
    step = 1 / GRID
    share = [((places[:, 0] > 0.5 + a * step) & (places[:, 0] < 0.5 + (a + 1) * step)).sum() for a in (0, 4)]
    assert 0 < share[0] < 0.8 * share[1]


def test_a_shaved_part_lets_skin_through_and_a_shaved_head_does_not() -> None:
    short = roots_for(straight(0.003), 10_000, np.random.default_rng(0))
    guides = straight(0.05)
    guides[: GRID // 2] = straight(0.001)[: GRID // 2]
    faded = roots_for(guides, 10_000, np.random.default_rng(0))
    usual = (short[:, 1] < 0.4).sum()
    assert (faded[:, 1] < 0.4).sum() < 0.4 * usual


def test_a_path_at_a_guide_is_that_guide(wearer) -> None:
    guides = guides_of(LONG, wearer)
    paths = between(guides, grid_places())
    assert np.abs(paths.reshape(guides.shape) - guides)[1:-1, 1:-1].max() < 1e-4


def test_guides_that_part_are_not_blended() -> None:
    """The mean of hair to the left and hair to the right would stand in the middle."""
    guides = straight()
    way = np.linspace(0, 0.2, KNOTS)
    guides[..., 1] = 0
    guides[:, : GRID // 2, :, 0], guides[:, GRID // 2 :, :, 0] = -way, way
    places = np.column_stack([np.linspace(0.45, 0.55, 41), np.full(41, 0.5)])
    assert np.allclose(np.abs(between(guides, places)[:, -1, 0]), 0.2, atol=1e-5)


def test_hair_follows_the_guides_of_its_own_side_of_a_parting() -> None:
    """A parting between two columns that does not run through the middle of the gap, and one of a place whose own side
    has its nearest guide a cell further off."""
    guides = straight()
    column = np.arange(GRID)
    guides[..., 0] = np.where(column < 16, -0.01, 0.01)[None, :, None] * np.linspace(0, 1, KNOTS)
    sides = np.broadcast_to(np.where(column < 16, -1, 1).astype(np.int8), (GRID, GRID))
    places = np.array([[16.4, 16.0], [15.6, 16.0], [14.5, 16.0], [17.4, 16.0]]) / GRID
    ours = np.array([-1, 1, 1, -1], np.int8)
    tips = between(guides, places, (sides, ours))[:, -1, 0]
    assert np.allclose(tips, 0.01 * ours)


def test_no_point_but_roots_is_nearer_to_the_skin_than_it_may(wearer) -> None:
    groom = groom_of(LONG, wearer, 0, 2000)
    far = distance(wearer.collider.bare, groom.points[:, 1:].reshape(-1, 3))
    assert np.percentile(far, 0.2) > SKIN_GAP / 2


def test_curls_have_their_width_and_wavelength(wearer) -> None:
    """On guides that go straight up, of the roots on top of the head."""
    style = replace(LONG, curl=(0.008, 0.04, 0.0), coil=1.0, locks=(200, 0.0, 1.0), **TIDY)
    points = np.asarray(dense(straight(0.3), style, wearer, 0, 1500).points, np.float64)
    points = points[points[:, 0, 1] > 0.13]
    beyond = points[:, points.shape[1] // 2 :]
    off = (beyond - points[:, :1])[:, :, [0, 2]]
    assert np.linalg.norm(off, axis=2).mean() == pytest.approx(0.008, rel=0.1)
    angle = np.unwrap(np.arctan2(off[:, :, 1], off[:, :, 0]), axis=1)
    turns = np.abs(angle[:, -1] - angle[:, 0]) / (2 * np.pi)
    assert np.median(beyond[:, -1, 1] - beyond[:, 0, 1]) / np.median(turns) == pytest.approx(0.04, rel=0.1)


def test_locks_draw_strands_together(wearer) -> None:
    guides = guides_of(LONG, wearer)
    loose, bound = (
        dense(guides, replace(LONG, locks=(150, hold, 1.0), **TIDY), wearer, 0, 3000).points for hold in (0.0, 0.95)
    )

    def nearness(points: np.ndarray) -> float:
        return float(np.median(cKDTree(points[:, -1]).query(points[:, -1], 6)[0][:, 5]))

    assert nearness(bound) < 0.75 * nearness(loose)


@pytest.mark.parametrize("pattern", ["rope", "braid"])
def test_a_rope_is_as_thick_as_the_style_says(wearer, pattern) -> None:
    style = replace(LONG, pattern=pattern, thick=0.005, locks=(60, 1.0, 0.0), **TIDY)
    random = np.random.default_rng(1)
    groom = dense(guides_of(style, wearer), style, wearer, 0, 3000)
    places = roots_for(groom.guides, 3000, random)
    lock, middle = locks_of(style, places, random)
    assert len(np.unique(lock)) == len(middle) == 60
    half = groom.points[:, groom.points.shape[1] // 2]
    beside = cKDTree(half).query(half, 8)[0][:, 7]
    assert np.median(beside) < 0.005  # seven others within the rope's radius


def test_a_plait_is_narrow_beyond_its_tie(wearer) -> None:
    tie = Tie(at=(0, 0.0, -0.1), kind="braid", tail=(0, -0.8, -0.5), radius=0.016)
    style = Style("plait", length=(0.25,) * 4, ties=(tie,), thick=0.01, volume=0.006, **TIDY)
    points = groom_of(style, wearer, 0, 2000).points.reshape(-1, 3)
    below = points[(points[:, 1] < tie_at(tie, wearer)[1] - 0.08) & (points[:, 1] > -0.18)]
    assert len(below) > 1000
    assert np.percentile(np.abs(below[:, 0]), 99) < 2 * 0.01 + 0.004


def test_cornrows_follow_lines_from_front_to_back() -> None:
    random = np.random.default_rng(0)
    places = random.random((4000, 2))
    lock, middle = locks_of(Style("rows", rows=9), places, random)
    line = (np.floor(places[:, 0] * 9) + 0.5) / 9
    assert np.abs(places[middle, 0] - line[middle]).max() < 0.1 / 9
    assert (np.abs(places[lock, 0] - line) < 0.1 / 9).mean() > 0.99
    assert np.abs(places[lock, 1] - places[:, 1]).max() < 0.1


def test_the_nearest_is_the_nearest() -> None:
    random = np.random.default_rng(0)
    points, others = random.random((500, 2)), random.random((77, 2))
    far, _ = cKDTree(others).query(points)
    assert np.allclose(np.linalg.norm(points - others[nearest(points, others)], axis=1), far)


def test_knots_are_enough_for_curls_and_few_for_short_hair() -> None:
    long, short = np.full(10, 0.3, np.float32), np.full(10, 0.01, np.float32)
    assert knots_for(Style("short"), short) == 8
    assert knots_for(Style("curly", curl=(0.008, 0.03, 0)), long) == pytest.approx(9 * 0.3 / 0.03, abs=1)
    assert knots_for(Style("coily", curl=(0.004, 0.008, 0)), long) == 100


def test_nothing_grows_on_the_bald(wearer) -> None:
    assert len(groom_of(Style("bald", length=(0, 0, 0, 0)), wearer)) == 0

"""Guides of one style under a photo of another: they come nearer to it, and stay hair."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from seen_hair import SIZE, Seen, look_at, overlap, person, wearer

from headform.hair.collider import distance
from headform.hair.dense import groom_of
from headform.hair.groom import GRID, KNOTS
from headform.hair.grow import guides_of
from headform.hair.library import style
from headform.hair.orientation import drawn_tangents, unlike
from headform.hair.plane import signed_distance
from headform.hair.scalp import grid_places
from headform.hair.settle import GAP, STRETCH, bare, settled

Floats = np.ndarray
PAIRS = (("chin_bob", "afro_small"), ("pixie", "chin_bob"), ("side_part", "pompadour"))  # wider, longer, higher


@cache
def worn(name: str) -> Seen:
    return look_at(groom_of(style(name), wearer(person()), 0, 6000), person())


@cache
def guides(name: str) -> Floats:
    return guides_of(style(name), wearer(person()))


@cache
def after(name: str, seen: str) -> Floats:
    return settled(guides(name), worn(seen).sight, wearer(person()))


def root() -> Floats:
    return wearer(person()).scalp.roots(grid_places()).points(wearer(person()).vertices)


def strands(grid: Floats) -> Floats:
    """(N, 100, 3) the guides that grow, on the head."""
    whole = grid[..., :3].reshape(-1, KNOTS, 3) + root()[:, None]
    return whole[np.isfinite(whole[:, 0, 0])]


def lengths(grid: Floats) -> Floats:
    return np.linalg.norm(np.diff(grid[..., :3], axis=2), axis=3).sum(2)


def covered(grid: Floats, seen: Seen) -> Floats:
    """(S, S) within three pixels, which is how far guides are apart, of a guide that the photo's camera sees."""
    drawn = drawn_tangents(strands(grid), seen.sight.camera, seen.sight.head)[0].any(-1)
    return signed_distance(drawn) < 3


@pytest.mark.parametrize(("name", "seen"), PAIRS)
def test_guides_come_to_lie_where_the_photo_shows_hair(name: str, seen: str) -> None:
    hair = worn(seen).hair
    before, now = (overlap(covered(grid, worn(seen)), hair) for grid in (guides(name), after(name, seen)))
    assert now > before + 0.08


@pytest.mark.parametrize(("name", "seen"), PAIRS)
def test_they_stay_hair_of_their_roots_and_no_longer_than_they_may_stretch(name: str, seen: str) -> None:
    now, before = after(name, seen), guides(name)
    grows = np.isfinite(now[..., 0, 0])
    assert now.shape == (GRID, GRID, KNOTS, 4) and now.dtype == np.float32
    assert 900 < grows.sum() <= np.isfinite(before[..., 0, 0]).sum()
    assert not now[grows][:, 0, :3].any()
    # coarse guides are held to STRETCH; the finer knots between them, and the skin, lengthen them a little
    assert (lengths(now)[grows] / lengths(before)[grows]).max() < STRETCH * 1.03
    step = np.linalg.norm(np.diff(now[grows][..., :3], axis=1), axis=2)
    assert (step < 1.2 * step.mean(1, keepdims=True) + 1e-5).all()
    np.testing.assert_array_equal(now[grows][..., 3], before[grows][..., 3])


@pytest.mark.parametrize(("name", "seen"), [*PAIRS, ("lob", "long_wavy")])
def test_nothing_is_inside_the_head_or_its_shoulders(name: str, seen: str) -> None:
    points = strands(after(name, seen))[:, 1:]
    far = distance(wearer(person()).collider.whole, points.reshape(-1, 3))
    assert np.percentile(far, 1) > GAP / 3
    assert far.min() > -0.001  # the way between two knots


def test_where_nothing_grows_nothing_grows() -> None:
    bald_crown = guides("lob").copy()
    bald_crown[10:20, 10:20] = np.nan
    now = settled(bald_crown, worn("lob").sight, wearer(person()))
    assert np.isnan(now[10:20, 10:20]).all()
    assert np.isfinite(now).all((2, 3)).sum() > 800
    nothing = np.full_like(bald_crown, np.nan)
    assert np.isnan(settled(nothing, worn("lob").sight, wearer(person()))).all()


def test_guides_under_their_own_photo_stay_about_where_they_are() -> None:
    now, before = strands(after("lob", "lob")), strands(guides("lob"))
    own = np.linalg.norm(now - before, axis=2).mean()
    other = np.linalg.norm(strands(after("chin_bob", "afro_small")) - strands(guides("chin_bob")), axis=2).mean()
    assert own < 0.004 < 0.01 < other


def test_guides_turn_to_the_flow() -> None:
    seen = worn("side_part")
    across = np.zeros((SIZE, SIZE, 2), np.float32)
    across[seen.hair] = np.float32([np.cos(0.4), np.sin(0.4)])
    sight = replace(seen.sight, flow=across)

    def error(grid: Floats) -> float:
        way = drawn_tangents(strands(grid), sight.camera, sight.head)[0]
        at = way.any(-1) & (sight.outline < -6)
        return float(np.degrees(unlike(np.arctan2(way[..., 1], way[..., 0])[at], np.float32(0.4))).mean())

    assert error(settled(guides("side_part"), sight, wearer(person()))) < error(guides("side_part")) - 10


def test_roots_in_bare_skin_lose_their_hair() -> None:
    seen, points = worn("lob"), root().astype(np.float64)
    assert bare(points, seen.sight).mean() < 0.02
    pixels, depth = seen.sight.camera.project(points)
    column, row = np.rint(pixels).astype(int).T
    on_head = np.isfinite(seen.sight.head[row, column])
    shown = on_head & (depth < seen.sight.head[row, column] + 0.002)
    gone = seen.sight.outline * 0 + 40  # no hair anywhere near
    nothing = replace(seen.sight, outline=gone, hair=np.zeros_like(seen.hair))
    found = bare(points, nothing)
    assert found[shown].all() and shown.sum() > 100
    behind = depth > seen.sight.head[row, column] + 0.02
    assert not found[behind].any() and behind.sum() > 100
    unknown = replace(nothing, known=np.zeros_like(seen.hair))
    assert not bare(points, unknown).any()
    beyond = points + np.array([5.0, 0, 0])  # metres aside, out of the picture
    assert not bare(beyond, nothing).any()
    now = settled(guides("lob"), nothing, wearer(person()))
    assert np.isnan(now[..., 0, 0].ravel()[found]).all()


def test_a_photo_that_knows_nothing_moves_nothing() -> None:
    seen = worn("lob")
    blind = replace(
        seen.sight, known=np.zeros_like(seen.hair), flow=np.zeros_like(seen.sight.flow), hair=np.zeros_like(seen.hair)
    )
    now, before = strands(settled(guides("lob"), blind, wearer(person()))), strands(guides("lob"))
    assert np.linalg.norm(now - before, axis=2).mean() < 0.003  # smoothed, and kept off the skin

"""Strands after a photo: they end at its outline, run as it runs, fill what it fills, and stay out of the head."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from seen_hair import SIZE, Seen, calmed, look_at, overlap, person, wearer

from headform.hair.collider import distance
from headform.hair.dense import groom_of
from headform.hair.groom import Groom, none, width_of
from headform.hair.library import style
from headform.hair.orientation import drawn_tangents, unlike
from headform.hair.settle import BEHIND
from headform.hair.trace import (
    END,
    FARTHEST,
    MOST_NEW,
    ROUNDS,
    SKIN_GAP,
    YOUNG,
    _shortened,
    followed,
    joined,
    projected,
)

PAIRS = (("lob", "short_wavy"), ("side_part", "pompadour"), ("bowl", "side_part"))  # longer, lower, before the face


@cache
def groom(name: str, count: int = 6000) -> Groom:
    return groom_of(style(name), wearer(person()), 0, count)


@cache
def worn(name: str) -> Seen:
    return look_at(groom(name), person())


@cache
def after(name: str, seen: str) -> Groom:
    return followed(groom(name), worn(seen).sight, wearer(person()).collider.bare)


@cache
def drawn(name: str, seen: str) -> Seen:
    return look_at(after(name, seen), person())


def shown(strands: Groom, seen: Seen) -> tuple[np.ndarray, np.ndarray]:
    """(S, P) pixels to the outline under each point, and whether the camera sees it."""
    place = projected(strands.points, seen.sight.camera)
    column, row = np.rint(place[..., :2]).astype(int).clip(0, SIZE - 1).transpose(2, 0, 1)
    return seen.sight.outline[row, column], place[..., 2] <= seen.sight.head[row, column] + BEHIND


def degrees_off(strands: Seen, groom: Groom, seen: Seen) -> float:
    """Mean angle between strands and the photo's hair where both are."""
    tangents = drawn_tangents(groom.points, seen.sight.camera, seen.sight.head)[0]
    both = strands.hair & seen.hair
    angle, sure, _ = calmed(tangents, both & tangents.any(-1))
    at = both & (sure > 0.5) & (seen.evidence.confidence > 0.5)
    return float(np.degrees(unlike(angle, seen.evidence.angle)[at]).mean())


@pytest.mark.parametrize(("name", "seen"), PAIRS)
def test_the_silhouette_becomes_the_photos(name: str, seen: str) -> None:
    assert overlap(drawn(name, seen).hair, worn(seen).hair) > max(0.8, overlap(worn(name).hair, worn(seen).hair) + 0.2)


@pytest.mark.parametrize(("name", "seen"), PAIRS)
def test_strands_end_at_the_outline(name: str, seen: str) -> None:
    now = after(name, seen)
    over, visible = shown(now, worn(seen))
    away = np.linalg.norm(now.points - now.points[:, :1], axis=2)
    outside = visible & (away > YOUNG) & (over > END + 0.75)  # half a pixel's diagonal: points are rounded to pixels
    assert outside.mean() < 0.01
    before, was_visible = shown(groom(name), worn(seen))
    if name != "side_part":  # which is too small everywhere
        assert (was_visible & (before > END + 0.75)).mean() > 20 * outside.mean()


@pytest.mark.parametrize(("name", "seen"), PAIRS[1:])
def test_strands_follow_the_flow(name: str, seen: str) -> None:
    before = degrees_off(worn(name), groom(name), worn(seen))
    now = degrees_off(drawn(name, seen), after(name, seen), worn(seen))
    assert now < 0.6 * before


@pytest.mark.parametrize(("name", "seen"), PAIRS[:2])
def test_holes_are_filled(name: str, seen: str) -> None:
    hair, was = worn(seen).hair, worn(name).hair
    holes = hair & ~was
    assert holes.sum() > 500
    assert drawn(name, seen).hair[holes].mean() > 0.85


def test_new_strands_are_as_many_as_they_may_and_come_from_near() -> None:
    bald_left = groom("lob").chosen(groom("lob").points[:, 0, 0] < 0)
    now = followed(bald_left, worn("lob").sight, wearer(person()).collider.bare)
    assert len(bald_left) < len(now) <= len(bald_left) * (1 + MOST_NEW) ** ROUNDS * 1.02
    far_hair = np.zeros_like(worn("lob").hair)
    far_hair[200:230, 225:250] = True  # farther from the head than hair is led
    far = replace(worn("lob").sight, hair=far_hair)
    alone = followed(bald_left, far, wearer(person()).collider.bare)
    place = projected(alone.points, far.camera)
    assert place[..., 0].max() < 225 - 2 * FARTHEST / 3
    assert len(alone) <= len(bald_left)


@pytest.mark.parametrize(("name", "seen"), PAIRS)
def test_strands_stay_bound_to_their_roots(name: str, seen: str) -> None:
    now = after(name, seen)
    assert now.roots is not None and len(now.roots) == len(now) == len(now.point_colours())
    roots = now.roots.points(wearer(person()).vertices)
    np.testing.assert_allclose(now.points[:, 0], roots, atol=1e-5)
    assert now.guides is groom(name).guides and now.about == groom(name).about
    assert now.width == width_of(len(now))


@pytest.mark.parametrize(("name", "seen"), [*PAIRS, ("pixie", "chin_bob")])
def test_nothing_is_in_the_head(name: str, seen: str) -> None:
    now = after(name, seen)
    far = distance(wearer(person()).collider.bare, now.points[:, 1:].reshape(-1, 3))
    assert far.min() > SKIN_GAP / 2


def test_the_same_seed_gives_the_same_hair() -> None:
    args = groom("side_part"), worn("pompadour").sight, wearer(person()).collider.bare
    again, other = followed(*args), followed(*args, seed=1)
    np.testing.assert_array_equal(again.points, after("side_part", "pompadour").points)
    assert not np.array_equal(other.points[-50:], again.points[-50:])
    assert len(other) == pytest.approx(len(again), rel=0.1)
    np.testing.assert_array_equal(
        groom("side_part").points, groom_of(style("side_part"), wearer(person()), 0, 6000).points
    )


def test_hair_on_bare_skin_goes_and_a_bald_head_stays_bald() -> None:
    field = wearer(person()).collider.bare
    assert len(followed(none(), worn("lob").sight, field)) == 0
    seen = worn("lob").sight
    bald = replace(seen, hair=np.zeros_like(seen.hair), outline=np.full_like(seen.outline, 60))
    left = followed(groom("lob"), bald, field)
    place = projected(left.points, bald.camera)[:, 0]
    column, row = np.rint(place[:, :2]).astype(int).T
    skull = bald.head[row, column]
    assert len(left) < 0.95 * len(groom("lob"))
    assert (place[:, 2] > skull + BEHIND)[np.isfinite(skull)].all()  # what is left grows behind the head


def test_a_photo_that_knows_nothing_lets_hair_be() -> None:
    seen = worn("lob").sight
    blind = replace(seen, known=np.zeros_like(seen.hair), flow=np.zeros_like(seen.flow), hair=np.zeros_like(seen.hair))
    now = followed(groom("lob"), blind, wearer(person()).collider.bare)
    assert len(now) == len(groom("lob"))
    away = np.linalg.norm(now.points - groom("lob").points, axis=2)
    assert np.median(away) < 1e-4 and np.percentile(away, 99) < 0.003


def test_projection_is_the_cameras() -> None:
    camera, points = worn("lob").sight.camera, groom("lob").points[:200]
    pixels, depth = camera.project(points.reshape(-1, 3))
    place = projected(points, camera)
    np.testing.assert_allclose(place[..., :2].reshape(-1, 2), pixels, atol=1e-3)
    np.testing.assert_allclose(place[..., 2].ravel(), depth, atol=1e-6)
    flat = replace(camera, orthographic=True, matrix=camera.matrix * [[0.6], [0.6], [1]])
    np.testing.assert_allclose(
        projected(points, flat)[..., :2].reshape(-1, 2), flat.project(points.reshape(-1, 3))[0], atol=1e-3
    )
    behind = replace(camera, translation=camera.translation - [0, 0, 3])
    assert np.isnan(projected(points, behind)[..., :2]).all()


def test_shortened_strands_end_where_they_ended_with_even_knots() -> None:
    points = np.zeros((3, 11, 3), np.float32)
    points[..., 1] = -np.arange(11) * 0.01
    now = _shortened(points, np.float32([10, 5, 2.5]))
    np.testing.assert_allclose(now[0], points[0], atol=1e-7)
    np.testing.assert_allclose(now[:, -1, 1], [-0.1, -0.05, -0.025], atol=1e-7)
    np.testing.assert_allclose(np.diff(now[..., 1]).std(1), 0, atol=1e-7)


@pytest.mark.parametrize("colours", ["one", "strands", "points"])
def test_joined_hair_has_the_strands_and_colours_of_both(colours: str) -> None:
    one, other = groom("lob").chosen(slice(0, 40)), groom("lob").chosen(slice(40, 100))
    rng = np.random.default_rng(0)
    given = {
        "one": lambda g: rng.random(3),
        "strands": lambda g: rng.random((len(g), 3)),
        "points": lambda g: rng.random(g.points.shape),
    }
    one, other = (replace(g, colours=given[colours](g).astype(np.float32)) for g in (one, other))
    both = joined(one, other)
    assert len(both) == 100 and both.about == one.about
    np.testing.assert_array_equal(both.points, groom("lob").points[:100])
    np.testing.assert_array_equal(both.point_colours()[:40], one.point_colours())
    if colours != "one":
        np.testing.assert_array_equal(both.point_colours()[40:], other.point_colours())
    assert both.roots is not None and len(both.roots) == 100
    assert joined(one, replace(other, roots=None)).roots is None

"""Colours of hair from pictures whose light and colours are known, because we drew them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from seen_hair import SIZE, head, look_at, person, wearer

from headform.hair.dense import groom_of
from headform.hair.groom import USUAL, Groom, none
from headform.hair.library import style
from headform.hair.settle import BEHIND
from headform.hair.tint import DARKEST, LIGHTEST, average, tinted
from headform.hair.trace import projected
from headform.render import Light, studio_light
from headform.render.colour import to_linear, to_srgb

CHESTNUT, FAIR, BLUE = (0.36, 0.22, 0.15), (0.72, 0.58, 0.38), (0.15, 0.2, 0.6)


@cache
def bob(colour: tuple[float, float, float] = CHESTNUT) -> Groom:
    return replace(groom_of(style("chin_bob"), wearer(person()), 0, 8000), colours=np.float32(colour))


def posed(groom: Groom) -> Groom:
    return groom.moved(person().neutral(head()), person().posed(head()))


def back(groom: Groom, seen_as: Groom, light: Light | None = None, blank: Groom | None = None) -> Groom:
    """A groom in the colours of the picture of another, as light has it; it begins in `blank`'s colours, or green."""
    seen = look_at(seen_as, person())
    start = replace(groom, colours=np.float32((0, 1, 0))) if blank is None else blank
    return tinted(
        start, posed(start), seen.photo.pixels, seen.evidence.soft, seen.sight.head, person().camera,
        light or person().light,
    )  # fmt: skip


def foremost(groom: Groom, inside: float = 4.0) -> np.ndarray:
    """(S, P) the points that the camera sees in front, well within the hair."""
    seen = look_at(groom, person())
    place = projected(posed(groom).points, person().camera)
    column, row = np.rint(place[..., :2]).astype(int).clip(0, SIZE - 1).transpose(2, 0, 1)
    near = np.full((SIZE, SIZE), np.inf)
    np.minimum.at(near, (row, column), place[..., 2])
    visible = place[..., 2] <= np.minimum(near[row, column] + 0.001, seen.sight.head[row, column] + BEHIND)
    return visible & (seen.sight.outline[row, column] < -inside)


@pytest.mark.parametrize("colour", [CHESTNUT, FAIR, BLUE])
def test_hair_gets_its_colour_back(colour: tuple[float, float, float]) -> None:
    found = to_linear(np.float32(average(back(bob(colour), bob(colour)))))
    wanted = to_linear(np.float32(colour))
    # Each pixel mixes strands of different depth, whose light differs, and is rounded to 1/255; the colour is the
    # median of thousands. What remains is how much more light the foremost strands get than what shines between them:
    # a quarter, which is half a stop less than an eye needs to call it another colour.
    np.testing.assert_allclose(found, wanted, rtol=0.25, atol=0.004)
    np.testing.assert_allclose(found / found.sum(), wanted / wanted.sum(), atol=0.04)  # the hue is surer


def test_light_is_taken_out() -> None:
    dim, warm = studio_light(0.5), Light(person().light.coefficients * [1.2, 1.0, 0.7])
    plain = to_linear(np.float32(average(back(bob(), bob()))))
    brighter = to_linear(np.float32(average(back(bob(), bob(), dim))))
    assert (brighter > 1.5 * plain).all()  # half the light on the same picture: it must be lighter hair
    other = to_linear(np.float32(average(back(bob(), bob(), warm))))
    ratio = other / plain
    assert ratio[0] < ratio[1] < ratio[2]  # under reddish light, bluer


def test_two_colours_stay_apart() -> None:
    groom = bob()
    left = groom.points[:, 0, 0] > 0
    two = replace(groom, colours=np.where(left[:, None], np.float32(FAIR), np.float32(CHESTNUT)).astype(np.float32))
    found = back(groom, two).point_colours().mean(2)
    seen = foremost(two)
    one, other = np.median(found[seen & left[:, None]]), np.median(found[seen & ~left[:, None]])
    # pixels mix strands, above all where both kinds are, so that each takes from the other; but less than half
    assert one - other > 0.5 * (np.mean(FAIR) - np.mean(CHESTNUT))


def test_dark_roots_stay_at_the_roots() -> None:
    groom = bob()
    tone = np.linspace(0.25, 1, groom.points.shape[1], dtype=np.float32)[None, :, None]
    graded = replace(groom, colours=np.broadcast_to(np.float32(FAIR) * tone, groom.points.shape).astype(np.float32))
    found = back(groom, graded).point_colours().mean((0, 2))
    first, last = found[2 : len(found) // 4].mean(), found[-len(found) // 4 :].mean()
    assert last > 1.5 * first


def test_strands_that_were_not_seen_take_the_usual_colour() -> None:
    groom = bob()
    behind = groom.points[:, :, 2].max(1) < -0.03  # at the back of the head
    assert behind.sum() > 500
    found = back(groom, groom).point_colours()
    assert np.isfinite(found).all()
    seen, unseen = np.median(found[~behind], (0, 1)), np.median(found[behind], (0, 1))
    np.testing.assert_allclose(unseen, seen, rtol=0.2)
    assert found[behind].std(0).mean() > 0.002  # but not all the same


def test_where_nothing_is_seen_hair_keeps_its_colour() -> None:
    seen = look_at(bob(), person())
    nothing = np.zeros_like(seen.evidence.soft)
    args = seen.photo.pixels, nothing, seen.sight.head, person().camera, person().light
    kept = tinted(bob(), posed(bob()), *args)
    assert kept is bob()
    assert len(tinted(none(), none(), *args)) == 0
    walled = np.full_like(seen.sight.head, 0.2)  # something stands before all of it
    hidden = tinted(bob(), posed(bob()), seen.photo.pixels, seen.evidence.soft, walled, *args[3:])
    assert hidden is bob()


def test_a_colour_near_the_edge_is_not_the_hairs_own() -> None:
    groom, seen = bob(), look_at(bob(), person())

    def found(red: np.ndarray, blur: float) -> np.ndarray:
        picture = np.where(red[..., None], np.uint8([255, 0, 0]), seen.photo.pixels)
        args = seen.evidence.soft, seen.sight.head, person().camera, person().light, blur
        return tinted(groom, posed(groom), picture, *args).point_colours()

    nowhere = np.zeros((SIZE, SIZE), bool)
    np.testing.assert_array_equal(found(~seen.hair, 1.0), found(nowhere, 1.0))
    bled = seen.sight.outline > -3.2  # into the hair, where a photo is enlarged three times
    assert not np.array_equal(found(bled, 1.0), found(nowhere, 1.0))
    np.testing.assert_array_equal(found(bled, 3.0), found(nowhere, 3.0))


@pytest.mark.parametrize("pixel", [0, 255])
def test_colours_are_those_that_hair_can_have(pixel: int) -> None:
    seen = look_at(bob(), person())
    flat = np.full_like(seen.photo.pixels, pixel)
    found = tinted(
        bob(), posed(bob()), flat, seen.evidence.soft, seen.sight.head, person().camera, person().light
    ).point_colours()
    lowest, highest = to_srgb(np.float32([DARKEST, LIGHTEST]))
    assert found.min() >= lowest - 1e-5 and found.max() <= highest + 1e-5


def test_tinting_is_repeatable_and_changes_nothing_else() -> None:
    one, other = back(bob(), bob()), back(bob(), bob())
    np.testing.assert_array_equal(one.colours, other.colours)
    assert one.points is bob().points or np.array_equal(one.points, bob().points)
    assert one.roots is bob().roots and one.width == bob().width


def test_the_average_of_hair() -> None:
    assert average(none()) == USUAL
    np.testing.assert_allclose(average(bob(FAIR)), FAIR, atol=1e-6)
    few = replace(bob().chosen(slice(0, 3)), colours=np.float32([(0.1, 0.2, 0.3), (0.2, 0.3, 0.4), (1, 1, 1)]))
    np.testing.assert_allclose(average(few), (0.2, 0.3, 0.4), atol=1e-6)

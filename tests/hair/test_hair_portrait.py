"""From a photo to hair, on pictures of our own people in hair of the library: it comes back, and the bald stay bald."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from seen_hair import SIZE, Seen, avatar_of, head, look_at, overlap, person, sighting_of, wearer

from headform.avatar.views import dressed
from headform.fit import fit_photo
from headform.hair.collider import distance
from headform.hair.dense import groom_of
from headform.hair.grow import guides_of
from headform.hair.library import style
from headform.hair.match import rarity
from headform.hair.portrait import ANYBODY, CROPPED, GUESSED, Hair, chosen, grown, hair_of, look
from headform.hair.sight import sight_of
from headform.photo import Photo, see
from headform.render import Scene, render

LARGE = 384  # pixels: smaller faces are not found surely
ENOUGH = 0.75  # of intersection over union


@cache
def worn(name: str) -> Seen:
    fit = person()
    return look_at(groom_of(style(name), wearer(fit), 0, 12000), fit)


@cache
def found(name: str) -> Hair:
    seen = worn(name)
    return hair_of(seen.photo, seen.sighting, person(), head(), person().light)


@cache
def bald() -> Seen:
    return look_at(None, person())


@pytest.mark.parametrize("name", ["chin_bob", "bowl", "afro"])
def test_hair_comes_back(name: str) -> None:
    seen, hair = worn(name), found(name)
    assert hair.warnings == ()
    drawn = look_at(hair.groom, person())
    assert overlap(drawn.hair, seen.hair) > ENOUGH
    both = drawn.hair & seen.hair
    was, now = (picture.photo.pixels[both].astype(float).mean(0) for picture in (seen, drawn))
    np.testing.assert_allclose(now, was, atol=20)  # of 255: seen side by side, hair of one colour


@pytest.mark.parametrize("name", ["chin_bob", "afro"])
def test_it_is_hair_of_this_head(name: str) -> None:
    groom = found(name).groom
    assert 5000 < len(groom) < 60000 and groom.roots is not None and groom.guides is not None
    of = wearer(person())
    np.testing.assert_allclose(groom.points[:, 0], groom.roots.points(of.vertices), atol=1e-5)
    assert np.percentile(distance(of.collider.bare, groom.points[:, 1:].reshape(-1, 3)), 0.5) > 0
    assert groom.about["source"] == "photo" and groom.about["kind"] == "hair" and groom.about["seed"] == 0
    assert style(groom.about["like"]).name == groom.about["like"]
    assert ((groom.colours >= 0) & (groom.colours <= 1)).all()


def test_the_networks_and_the_fit_find_it_too() -> None:
    fit = person(size=LARGE)
    seen = look_at(groom_of(style("bowl"), wearer(fit), 0, 12000), fit)
    (sighting,) = see(seen.photo, 1)
    own = fit_photo(seen.photo, sighting, head())
    hair = hair_of(seen.photo, sighting, own, head(), own.light)
    placed = hair.groom.moved(own.neutral(head()), own.posed(head()))
    surfaces = dressed(avatar_of(own), own.posed(head()))
    drawn = render(Scene(surfaces, (placed.strands(),), own.light), own.camera).strands >= 0.5
    assert overlap(drawn, seen.hair) > ENOUGH


def test_a_bald_person_stays_bald() -> None:
    seen = bald()
    hair = hair_of(seen.photo, seen.sighting, person(), head(), person().light)
    assert len(hair.groom) == 0 and hair.warnings == ()
    assert hair.groom.about == {"name": "bald", "source": "photo", "seed": 0}
    assert hair.groom.roots is not None and len(hair.groom.roots) == 0
    assert look_at(hair.groom, person()).picture.strands.max() == 0


def test_cropped_hair_is_cropped() -> None:
    fit = person()
    seen = look_at(groom_of(style("buzz"), wearer(fit), 0), fit)
    hair = hair_of(seen.photo, seen.sighting, fit, head(), fit.light)
    assert hair.groom.about["kind"] == "shaved" and hair.groom.about["like"] == CROPPED
    assert np.percentile(hair.groom.lengths(), 95) < 0.02


@pytest.mark.parametrize("hair_below", [True, False])
def test_under_a_hat_hair_is_a_guess(hair_below: bool) -> None:
    seen = worn("chin_bob")
    hat = np.zeros((SIZE, SIZE), bool)
    hat[: int(seen.sighting.landmarks.points[9, 1])] = True  # down to the brows
    hat &= seen.hair | (seen.evidence.skin > 0.5)
    soft = np.where(hat, 0, seen.evidence.soft).astype(np.float32) if hair_below else np.zeros(hat.shape, np.float32)
    sighting = sighting_of(soft, seen.evidence.skin * ~hat, np.zeros_like(soft), person())
    sighting = replace(sighting, masks=replace(sighting.masks, clothes=hat.astype(np.float32)))
    hair = hair_of(seen.photo, sighting, person(), head(), person().light)
    assert hair.warnings == (GUESSED["covered"],)
    assert len(hair.groom) > 5000  # what the hat hides grows
    like = style(hair.groom.about["like"])
    assert rarity(like) == 0
    if not hair_below:
        assert like.name == ANYBODY


def test_out_of_the_picture_hair_is_a_guess() -> None:
    low = person()
    up = low.camera.matrix.copy()
    up[1, 2] -= 85  # the brows are at the upper edge
    low = replace(low, camera=replace(low.camera, matrix=up))
    shifted = look_at(groom_of(style("chin_bob"), wearer(person()), 0, 12000), low)
    hair = hair_of(shifted.photo, shifted.sighting, low, head(), low.light)
    assert hair.warnings == (GUESSED["unseen"],)
    assert len(hair.groom) > 5000
    assert overlap(look_at(hair.groom, low).hair, shifted.hair) > 0.6


def test_the_seed_decides_the_strands() -> None:
    seen, fit = worn("bowl"), person()
    evidence = look(seen.photo, seen.sighting, fit, head())
    sight = sight_of(evidence, seen.sighting, fit, head())
    one, again, other = (grown(evidence, sight, wearer(fit), head(), seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.points, again.points)
    assert one.points.shape != other.points.shape or not np.array_equal(one.points, other.points)
    assert one.about["seed"] == 3 and other.about["seed"] == 4


def test_without_hair_in_sight_anybodys_is_chosen() -> None:
    seen, of = bald(), wearer(person())
    for kind, name in (("unseen", ANYBODY), ("covered", ANYBODY), ("shaved", CROPPED)):
        picked, guides = chosen(replace(seen.evidence, kind=kind), seen.sight, of, head())
        assert picked.name == name
        np.testing.assert_array_equal(guides, guides_of(style(name), of))


@pytest.mark.parametrize("picture", ["black", "noise"])
def test_pictures_that_say_nothing_do_no_harm(picture: str) -> None:
    seen, fit = worn("bowl"), person()
    pixels = {
        "black": np.zeros((SIZE, SIZE, 3), np.uint8),
        "noise": np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8),
    }[picture]
    hair = hair_of(Photo.of(pixels, picture), seen.sighting, fit, head(), fit.light)
    assert len(hair.groom) > 5000
    assert np.isfinite(hair.groom.points).all() and np.isfinite(np.asarray(hair.groom.colours)).all()
    assert overlap(look_at(hair.groom, fit).hair, seen.hair) > 0.6  # the mask is as it was


def test_a_mask_that_is_a_few_specks_gives_no_wild_hair() -> None:
    seen, fit = bald(), person()
    specks = np.zeros((SIZE, SIZE), np.float32)
    specks[30:33, 120:123] = specks[60:62, 20:23] = 1
    sighting = sighting_of(specks, seen.evidence.skin, np.zeros_like(specks), fit)
    hair = hair_of(seen.photo, sighting, fit, head(), fit.light)
    assert len(hair.groom) == 0 or look_at(hair.groom, fit).hair.sum() < 100

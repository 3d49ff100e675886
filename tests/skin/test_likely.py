"""The likely skin goes by the tone and the hair that a photo shows."""

from __future__ import annotations

import numpy as np
import pytest
from known_person import SIDE, Person, known_person

from headform.skin.albedo import lab_from_linear, linear_from_srgb
from headform.skin.atlas import SKIN, atlas, skin_mesh
from headform.skin.likely import Guess, fold_zone, guess, plain_skin
from headform.skin.seen import COARSE, look_at_skin


def likely(linear: tuple[float, float, float], person: Person | None = None) -> Guess:
    """For a photo in which all skin that is seen has one colour."""
    who = person or known_person()
    shown = np.tile(np.log(np.array(linear, np.float32)), (COARSE, COARSE, 1))
    return guess(who.photo, who.sighting, look_at_skin(who.sighting, who.fit, who.model), shown)


def lightness(made: Guess) -> float:
    return float(np.median(lab_from_linear(np.exp(made.bare))[plain_skin() > 0.9][:, 0]))


@pytest.mark.parametrize("linear", [(0.6, 0.42, 0.33), (0.35, 0.2, 0.13), (0.12, 0.065, 0.04)])
def test_the_tone_is_that_of_the_skin_that_is_seen(linear: tuple[float, float, float]) -> None:
    assert lightness(likely(linear)) == pytest.approx(float(lab_from_linear(np.array(linear))[0]), abs=5)


def test_no_tone_is_beyond_those_of_people() -> None:
    assert 15 < lightness(likely((1e-4, 1e-4, 1e-4))) < lightness(likely((3.0, 3.0, 3.0))) < 90


def test_drawn_and_bare_differ_at_brows_and_lips_alone() -> None:
    made = likely((0.5, 0.31, 0.22))
    off = np.abs(made.drawn - made.bare).max(-1)
    assert np.median(off[plain_skin() > 0.95]) < 0.1 < off.max()
    assert np.isfinite(made.drawn).all() and np.isfinite(made.bare).all() and made.drawn.max() <= 0
    assert made.skin.albedo.shape == (COARSE, COARSE, 3)
    assert made.evened.shape == (len(skin_mesh().points), 3)
    front = skin_mesh().points[:, 2] > 0.08
    assert np.abs(made.evened[front]).max() < 1e-6


def test_brows_have_the_colour_of_the_hair() -> None:
    """A cap of fair, and one of black hair."""
    bare = known_person()
    cap = np.zeros((SIDE, SIDE), bool)
    cap[: SIDE // 5] = True
    found = []
    for colour in ((215, 190, 140), (20, 15, 12)):
        made = likely((0.5, 0.31, 0.22), bare.painted_over(cap, colour, "hair"))
        change = np.abs(made.drawn - made.bare).max(-1)
        at = atlas(COARSE)
        brow = (change.reshape(-1)[at.texel] > 0.15) & (at.inside == SKIN) & (at.position[:, 1] > 0.05)
        brow &= at.position[:, 2] > 0.08
        found.append(float(linear_from_srgb(made.skin.albedo).reshape(-1, 3)[at.texel[brow]].mean()))
    assert found[0] > 1.15 * found[1]


def test_the_same_tone_is_painted_once() -> None:
    assert likely((0.5, 0.31, 0.22)).skin is likely((0.501, 0.311, 0.2201)).skin


@pytest.mark.parametrize("zone", [plain_skin, fold_zone])
def test_zones_are_shares_alike_on_both_sides(zone: object) -> None:
    assert callable(zone)
    sheet = zone()
    assert sheet.shape == (COARSE, COARSE) and sheet.min() >= 0 and sheet.max() <= 1.001
    assert 0.02 < sheet.mean() < 0.98
    assert np.abs(sheet - sheet[:, ::-1]).mean() < 0.02

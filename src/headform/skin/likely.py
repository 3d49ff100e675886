"""A skin as it probably is, painted in a person's tone: for all that their photo does not show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from headform.photo import Photo, Sighting
from headform.render.colour import LINEAR
from headform.skin.albedo import Tone, column, lab_from_linear, srgb_from_linear, table_rows, tone_lab
from headform.skin.atlas import SKIN, atlas, skin_mesh
from headform.skin.filters import blurred, lowest
from headform.skin.paint import Skin, paint_traits
from headform.skin.regions import regions, smoothstep, table
from headform.skin.seen import COARSE, Seen
from headform.skin.sheets import around, mean_at_points
from headform.skin.traits import attributes, draw_traits

Floats = NDArray[np.float32]

AGE = 30.0
OFF_LIPS, OFF_EYES, BROW_ABOVE_EYE, BROW_BAND = 3.0, 4.0, 14.0, 14.0  # millimetres: beyond them skin is plain
FOLD_REACH, EYE_REACH = 34.0, 24.0  # millimetres from lips and lids
BEARD_REACH = 45.0  # millimetres from the lips
FACE, BACK, EVENED = 0.06, 0.03, 0.6  # metres of z: in front is the face; share by which the rest is evened out
FEW = 500  # texels of plain skin say little about its tone
FEW_HAIRS = 400  # pixels, about hair
USUAL_SKIN, USUAL_HAIR = (0.5, 0.31, 0.22), (0.035, 0.025, 0.018)  # linear
TONES, HAIRS = 20, 12  # steps of melanin, and of each channel of hair, in which skins are painted
SCALP_SHADOW = 0.35
OVER = 12.0  # texels over which plain skin is carried under brows and lips
DARKEST = 1e-3


@dataclass(frozen=True, eq=False)
class Guess:
    """A painted skin, and on the coarse sheet (COARSE, COARSE, 3) the log of its reflectance: `drawn`, and `bare` as if
    without brows and lips. evened (S, 3): what makes neck, scalp and back more like the face."""

    skin: Skin
    drawn: Floats
    bare: Floats
    evened: Floats


def guess(photo: Photo, sighting: Sighting, seen: Seen, shown: Floats) -> Guess:
    """What is likely for someone whose photo shows log reflectance (COARSE, COARSE, 3) where it is trusted."""
    trusted = shown[(seen.trust > 0.5) & (plain_skin() > 0.5)]
    middle = np.exp(np.median(trusted, 0)) if len(trusted) > FEW else np.array(USUAL_SKIN)
    hair = srgb_from_linear(_hair(photo, sighting, seen)).clip(0, 1) * HAIRS
    red, green, blue = np.rint(hair).astype(int).tolist()
    return _painted(round(TONES * _melanin(middle)), (red, green, blue))


@lru_cache(maxsize=8)
def _painted(tone: int, hair: tuple[int, int, int]) -> Guess:
    """One of few skins, so that one that was painted can serve again: what differs from it is carried on anyway."""
    melanin = tone / TONES
    lightness, redness, yellowness = tone_lab(melanin).tolist()
    who = attributes(AGE, 0.5, (1, 1, 1))
    red, green, blue = (round(255 / HAIRS * each) for each in hair)
    traits = replace(
        draw_traits(0, who), tone=Tone(melanin, (lightness, redness, yellowness)), hair=(red, green, blue), grey=0.0,
        moles=0, freckles=0.0, age_spots=0.0, veins=0.0, beard=0.0,
    )  # fmt: skip
    skin = paint_traits(0, who, traits, COARSE, SCALP_SHADOW)
    drawn = np.log(np.maximum(np.asarray(LINEAR[skin.albedo], np.float32), DARKEST))
    return Guess(skin, drawn, around(drawn, plain_skin(), OVER), _evened(drawn))


@lru_cache(maxsize=1)
def plain_skin() -> Floats:
    """(COARSE, COARSE) 1 on plain skin: off lips, lids and brows, outside of mouth and sockets."""
    at, where = atlas(COARSE), regions(COARSE)
    brows = float(np.array(table()["outlines"]["eye"])[:, 1].max()) + BROW_ABOVE_EYE
    brow = (np.abs(at.position[:, 1] * 1000 - brows) < BROW_BAND) & (at.position[:, 2] > FACE)
    plain = (where.lips > OFF_LIPS) & (where.eye > OFF_EYES) & ~brow & (at.inside == SKIN)
    return blurred(lowest(at.image(plain.astype(np.float32)), 1), 1.0)


@lru_cache(maxsize=1)
def beard_place() -> Floats:
    """(COARSE, COARSE) 1 around the mouth and on the chin, where what is dark is rather a beard than a strand."""
    at, where = atlas(COARSE), regions(COARSE)
    place = smoothstep(BEARD_REACH, 0.7 * BEARD_REACH, where.lips) * smoothstep(0.032, 0.024, np.abs(at.position[:, 0]))
    return at.image(place)


@lru_cache(maxsize=1)
def fold_zone() -> Floats:
    """(COARSE, COARSE) 1 around mouth and eyes where smiles fold the skin, off lips and nostrils."""
    at, where = atlas(COARSE), regions(COARSE)
    mouth = smoothstep(FOLD_REACH, 0.6 * FOLD_REACH, where.lips) * smoothstep(2.0, 6.0, where.lips)
    eyes = smoothstep(EYE_REACH, 0.6 * EYE_REACH, where.eye) * smoothstep(3.0, 8.0, where.eye)
    off_middle = smoothstep(0.012, 0.02, np.abs(at.position[:, 0]))
    zone = np.maximum(mouth, eyes) * off_middle * plain_skin().reshape(-1)[at.texel]
    return blurred(at.image(zone.astype(np.float32)), 2.0)


def _melanin(colour: NDArray[np.float64]) -> float:
    """0 very light – 1 very dark: where on the curve of tones a linear colour (3,) lies, by its lightness."""
    rows = table_rows("tones")
    lightness = column(rows, "lightness")
    knots = np.argsort(lightness)
    return float(np.interp(lab_from_linear(colour)[0], lightness[knots], column(rows, "melanin")[knots]))


def _hair(photo: Photo, sighting: Sighting, seen: Seen) -> NDArray[np.float64]:
    """(3,) linear reflectance of the hair in the photo, as if it were lit like the face."""
    sure = sighting.masks.hair > 0.8
    if sure.sum() < FEW_HAIRS:
        return np.array(USUAL_HAIR)
    light = np.median(seen.shade[skin_mesh().points[:, 2] > FACE], 0)
    return np.clip(np.median(LINEAR[photo.pixels[sure]], 0) / light, 0.004, 0.6)


def _evened(drawn: Floats) -> Floats:
    """(S, 3) what brings the painted skin's neck, scalp and back nearer to its face: those of the source skins are
    darker than most people's."""
    level, _ = mean_at_points(drawn, np.ones((COARSE, COARSE), np.float32))
    depth = skin_mesh().points[:, 2]
    lower = level - level[depth > FACE].mean(0)
    return np.asarray(-EVENED * smoothstep(FACE, BACK, depth)[:, None] * lower, np.float32)

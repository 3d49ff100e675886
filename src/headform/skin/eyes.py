"""The picture on the eyeball: iris, pupil and sclera on a sheet that looks down the line of sight.

Convention: the pupil is in the middle of the sheet, +Y of the head is up and the nose at the left: the right
eye is the mirror image of the left, texture included. Distance from the middle grows with the angle from the
line of sight.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.skin.iris_fibres import (
    PUPIL_SHARE,
    Colour,
    Floats,
    IrisColour,
    around,
    coloured,
    fibres,
    looked_up,
    on_dial,
    step,
)
from headform.skin.noise import clouds

IRIS_SHEET = 0.20  # distance of the limbus from the middle of the sheet, of its width
LIMBUS_ANGLE = np.arcsin(5.85 / 14.5)  # of the iris's rim from the line of sight, seen from the eye's centre
SIDE_ANGLE = np.pi / 2  # beyond this angle the eyeball is never seen …
SHEET_AT_SIDE = 0.44  # … and gets only the rim of the sheet, from here to 0.5
LIDS = (0.285, -0.315)  # height of the open lids' middle on the eyeball, of its radius
LIMBUS = (1.09, 0.94)  # radii between which the sclera grows over the iris
GAMMA = 2.2  # near enough to sRGB's curve for factors near one

SCLERA = (225, 214, 203)
FLUSH = np.array([196, 128, 112], np.float32)  # towards the corners
VEIN = np.array([176, 78, 70], np.float32)


ANCESTRIES = ("african", "asian", "caucasian")
# Shares are rough estimates: brown nearly everywhere, light colours mostly in Europe; columns sum to one.
IRIS_COLOURS = {
    "dark brown": IrisColour((64, 38, 22), (40, 24, 15), (98, 60, 34), (13, 9, 7), 0.55, (0.80, 0.72, 0.12)),
    "brown": IrisColour((112, 68, 34), (80, 48, 26), (152, 98, 54), (28, 18, 12), 0.75, (0.17, 0.25, 0.27)),
    "amber": IrisColour((156, 98, 42), (128, 84, 38), (190, 134, 66), (60, 38, 20), 0.8, (0.01, 0.01, 0.02)),
    "hazel": IrisColour((142, 92, 46), (100, 96, 60), (164, 140, 84), (42, 40, 31), 0.9, (0.01, 0.01, 0.15)),
    "green": IrisColour((146, 118, 66), (94, 112, 82), (152, 160, 118), (40, 50, 44), 1.0, (0.003, 0.003, 0.10)),
    "grey": IrisColour((136, 130, 116), (112, 122, 128), (170, 178, 182), (48, 54, 61), 1.0, (0.002, 0.002, 0.05)),
    "blue-grey": IrisColour((134, 132, 120), (98, 118, 138), (160, 176, 190), (40, 50, 66), 1.0, (0.003, 0.003, 0.10)),
    "blue": IrisColour((136, 138, 128), (84, 120, 156), (154, 182, 206), (31, 45, 69), 1.0, (0.002, 0.002, 0.19)),
}


def draw_iris_colour(ancestry: tuple[float, float, float], seed: int = 0) -> str:
    """Name of an iris colour as common as it is among people of this ancestry, weights over `ANCESTRIES`."""
    weights = np.asarray(ancestry, float)
    if weights.shape != (3,) or weights.min() < 0 or weights.sum() <= 0:
        raise BadInput(f"the ancestry is {ancestry}; give three weights, for {', '.join(ANCESTRIES)}")
    share = np.array([colour.share for colour in IRIS_COLOURS.values()]) @ weights
    return str(np.random.default_rng(seed).choice(list(IRIS_COLOURS), p=share / share.sum()))


def paint_eye(
    iris_colour: str | IrisColour,
    size: int = 512,
    seed: int = 0,
    sclera: Colour = SCLERA,
    pupil: float = PUPIL_SHARE,
    pattern: Floats | None = None,
) -> NDArray[np.uint8]:
    """(size, size, 3) sRGB sheet of an eye. The iris by its name in `IRIS_COLOURS` or by its colours.

    pupil is its radius, of the iris's; pattern (rings, turns, 3) factors of the iris's linear colour around the
    middle, as far as REACH iris radii, as a photo tells them.
    """
    dial = coloured(iris_of(iris_colour), fibres(seed))
    sheet = _sheet(size, seed)
    painted = looked_up(dial, on_dial(sheet.radius, pupil), sheet.turn)
    if pattern is not None:
        painted *= looked_up(pattern ** np.float32(1 / GAMMA), sheet.radius, sheet.turn)
    whole = np.empty((size * size, 3), np.uint8)
    _lay(sheet.white, sheet.blood, np.array(sclera, np.float32), whole)
    under = whole[sheet.inside].astype(np.float32)
    whole[sheet.inside] = np.clip(under + (painted * sheet.shade - under) * sheet.cover + 0.5, 0, 255)
    return whole.reshape(size, size, 3)


def iris_of(colour: str | IrisColour) -> IrisColour:
    """The colours of a named iris; BadInput where no iris has this name."""
    if isinstance(colour, IrisColour):
        return colour
    if colour not in IRIS_COLOURS:
        raise BadInput(f"no iris is called {colour!r}; there are {', '.join(IRIS_COLOURS)}")
    return IRIS_COLOURS[colour]


@dataclass(frozen=True, eq=False)
class _Sheet:
    """All of a sheet that is the same for every colour: N pixels are in reach of the iris.

    white   (H · W, 3) factors of the sclera's colour; blood: what vessels and the edge of the iris add
    inside  (N,) where in the sheet the iris can be; radius, turn (N,), cover and shade of the lids (N, 1) there
    """

    white: Floats
    blood: Floats
    inside: NDArray[np.intp]
    radius: Floats
    turn: Floats
    cover: Floats
    shade: Floats


@lru_cache(maxsize=4)
def _sheet(size: int, seed: int) -> _Sheet:
    row, column = np.mgrid[:size, :size].astype(np.float32)
    x, y = (column + 0.5) / size - 0.5, 0.5 - (row + 0.5) / size
    away, turn = np.hypot(x, y), np.arctan2(y, x)
    white, blood = _sclera(away, turn, seed)
    shade = _lid_shade(away, turn)[..., None]
    inside = np.flatnonzero(away < LIMBUS[0] * 1.08 * IRIS_SHEET)
    radius, around_it = away.ravel()[inside] / np.float32(IRIS_SHEET), turn.ravel()[inside]
    wobble = 0.012 * clouds(around(around_it, 2.0, radius * 0), 1.0, seed + 11, 2)
    cover = step(*LIMBUS, radius + wobble)[:, None]
    flat = ((white * shade).reshape(-1, 3), (blood * shade).reshape(-1, 3))
    return _Sheet(*flat, inside, radius, around_it, cover, shade.reshape(-1, 1)[inside])


@njit(cache=True, nogil=True)
def _lay(white: Floats, blood: Floats, sclera: Floats, out: NDArray[np.uint8]) -> None:
    for n in range(len(white)):
        for c in range(3):
            value = white[n, c] * sclera[c] + blood[n, c] + np.float32(0.5)
            out[n, c] = min(max(value, np.float32(0)), np.float32(255))


# ── sclera ───────────────────────────────────────────────────────────────────────────────────────


def _sclera(away: Floats, turn: Floats, seed: int) -> tuple[Floats, Floats]:
    """Factors and additions (H, W, 3) that make of one colour a white with veins, pinker towards the corners and
    greyer where it never sees light."""
    angle = _angle(away)
    shape = away.shape
    level = np.abs(np.cos(turn))
    nose = np.clip(-np.cos(turn), 0, 1)
    mottle = clouds(around(turn, 2.2, angle * 2.5), 1.0, seed + 21, 3).reshape(shape)
    white = np.repeat((1 + 0.035 * mottle)[..., None], 3, -1)
    near_iris = step(0.62, 0.46, angle)  # its edge shines through, bluish
    blood = np.array([-7, -2, 6], np.float32) * near_iris[..., None]
    flush = np.clip(step(0.55, 1.25, angle) * (0.20 + 0.30 * level**2 + 0.28 * nose**3 + 0.25 * mottle), 0, 0.75)
    veins = _veins(shape[0], seed) * step(0.47, 0.80, angle)
    for colour, share in ((FLUSH, flush[..., None]), (VEIN, veins[..., None])):
        white *= 1 - share
        blood += (colour - blood) * share
    unlit = 1 - 0.45 * step(0.75, 1.45, angle)[..., None]
    return np.asarray(white * unlit, np.float32), np.asarray(blood * unlit, np.float32)


def _veins(size: int, seed: int, count: int = 46, steps: int = 260) -> Floats:
    """(size, size) strength of thin wandering vessels from both corners, fading towards the iris."""
    rng = np.random.default_rng(seed + 31)
    start = np.where(np.arange(count) % 2 == 0, 0.0, np.pi) + rng.normal(0, 0.42, count)
    wander = np.cumsum(np.cumsum(rng.normal(0, 1, (count, steps)), 1) * 0.96, 1) * 0.00006
    waves = np.linspace(0, 1, steps) * rng.uniform(6, 15, (count, 1)) + rng.uniform(0, 6, (count, 1))
    bends = 0.035 * np.sin(waves) + 0.012 * np.sin(2.7 * waves + 1)
    reach = rng.uniform(0.22, 0.36, (count, 1))
    away = SHEET_AT_SIDE + (reach - SHEET_AT_SIDE) * np.linspace(0, 1, steps)
    turn = start[:, None] + (wander + bends) * (0.3 / away)
    strength = rng.uniform(0.12, 0.42, (count, 1)) * np.linspace(1, 0.1, steps)
    width = np.maximum(size / 512 * rng.uniform(0.45, 0.95, (count, 1)) * np.linspace(1, 0.5, steps), 0.4)
    x, y = size * (0.5 + away * np.cos(turn)), size * (0.5 - away * np.sin(turn))
    drawn = np.zeros((size, size), np.float32)
    for shift_x in range(-2, 3):
        for shift_y in range(-2, 3):
            i, j = np.floor(y).astype(int) + shift_y, np.floor(x).astype(int) + shift_x
            far = (i + 0.5 - y) ** 2 + (j + 0.5 - x) ** 2
            ink = (strength * np.exp(-far / (2 * width**2))).astype(np.float32)
            np.maximum.at(drawn, (i % size, j % size), ink)
    return drawn


def _lid_shade(away: Floats, turn: Floats) -> Floats:
    """(H, W) soft shade of the open lids, deeper below the upper one and in the corners."""
    angle = _angle(away)
    x, y = np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn)
    above = 1 - 0.22 * step(LIDS[0] - 0.22, LIDS[0] + 0.10, y + 0.10 * x**2)
    below = 1 - 0.10 * step(LIDS[1] + 0.10, LIDS[1] - 0.05, y - 0.12 * x**2)
    return np.asarray(above * below, np.float32)


def _angle(away: Floats) -> Floats:
    """Angle from the line of sight, in radians, at distances from the middle of the sheet."""
    knots = [0, IRIS_SHEET, SHEET_AT_SIDE, 0.5]
    return np.asarray(np.interp(away, knots, [0, LIMBUS_ANGLE, SIDE_ANGLE, np.pi]), np.float32)

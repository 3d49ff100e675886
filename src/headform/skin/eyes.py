"""The picture on the eyeball: iris, pupil and sclera on a sheet that looks down the line of sight.

Convention: the pupil is in the middle of the sheet, +Y of the head is up and the nose at the left: the right
eye is the mirror image of the left, texture included. Distance from the middle grows with the angle from the
line of sight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.skin.noise import cells, clouds

Floats = NDArray[np.float32]
Colour = tuple[int, int, int]

IRIS_SHEET = 0.20  # distance of the limbus from the middle of the sheet, of its width
PUPIL_SHARE = 0.31  # radius of the pupil's hole, of the iris's
LIMBUS_ANGLE = np.arcsin(5.85 / 14.5)  # of the iris's rim from the line of sight, seen from the eye's centre
SIDE_ANGLE = np.pi / 2  # beyond this angle the eyeball is never seen …
SHEET_AT_SIDE = 0.44  # … and gets only the rim of the sheet, from here to 0.5
LIDS = (0.285, -0.315)  # height of the open lids' middle on the eyeball, of its radius

SCLERA = (225, 214, 203)
FLUSH = np.array([196, 128, 112], np.float32)  # towards the corners
VEIN = np.array([176, 78, 70], np.float32)
PUPIL = np.array([7, 6, 6], np.float32)


@dataclass(frozen=True)
class IrisColour:
    """sRGB around the pupil, in the outer zone, of the light fibres and of the limbal ring; how much fibres
    show; and how common the colour is, per ancestry in the order of `ANCESTRIES`.
    """

    inner: Colour
    outer: Colour
    fibre: Colour
    rim: Colour
    contrast: float
    share: tuple[float, float, float]


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
    iris_colour: str | IrisColour, size: int = 512, seed: int = 0, sclera: Colour = SCLERA
) -> NDArray[np.uint8]:
    """(size, size, 3) sRGB sheet of an eye. The iris by its name in `IRIS_COLOURS` or by its colours."""
    if isinstance(iris_colour, str):
        if iris_colour not in IRIS_COLOURS:
            raise BadInput(f"no iris is called {iris_colour!r}; there are {', '.join(IRIS_COLOURS)}")
        iris_colour = IRIS_COLOURS[iris_colour]
    row, column = np.mgrid[:size, :size].astype(np.float32)
    x, y = (column + 0.5) / size - 0.5, 0.5 - (row + 0.5) / size
    away = np.hypot(x, y)
    turn = np.arctan2(y, x)
    white = _paint_sclera(away, turn, seed, sclera)
    inside = away < 1.2 * IRIS_SHEET
    coloured = np.zeros_like(white)
    coloured[inside] = _paint_iris(iris_colour, away[inside] / IRIS_SHEET, turn[inside], seed)
    wobble = 0.012 * clouds(_circle(turn, 2.0, away * 0), 1.0, seed + 11, 2).reshape(away.shape)
    cover = _step(1.06, 0.95, away / IRIS_SHEET + wobble)[..., None]
    whole = white * (1 - cover) + coloured * cover
    whole *= _lid_shade(away, turn)[..., None]
    return np.clip(whole + 0.5, 0, 255).astype(np.uint8)


# ── iris ─────────────────────────────────────────────────────────────────────────────────────────


def _paint_iris(colour: IrisColour, radius: Floats, turn: Floats, seed: int) -> Floats:
    """(N, 3) colours at N points: radius 1 at the limbus, turn in radians."""
    rng = np.random.default_rng(seed)
    inner, outer, fibre, rim = (np.array(c, np.float32) for c in (colour.inner, colour.outer, colour.fibre, colour.rim))
    drift = clouds(_circle(turn, 1.6, radius * 1.5), 1.0, seed, 3)  # slow variation around the iris
    collarette = 0.50 + 0.035 * clouds(_circle(turn, 3.5, radius * 0), 1.0, seed + 1, 3) + 0.02 * drift
    bent = turn + 0.10 * clouds(_circle(turn, 5.0, radius * 4), 1.0, seed + 2, 2) * radius

    ciliary = _step(-0.06, 0.13, radius - collarette)
    zone = np.clip(ciliary + 0.35 * drift, 0, 1)[:, None]
    painted = inner * (1 - zone) + outer * zone
    strands = _ridges(clouds(_circle(bent, 11.0, radius * 1.6), 1.0, seed + 3, 2))
    fine = _ridges(clouds(_circle(bent, 26.0, radius * 2.4), 1.0, seed + 4, 2))
    short = clouds(_circle(turn, 20.0, radius * 9), 1.0, seed + 5, 2)
    light = (0.62 * strands + 0.38 * fine) * (0.55 + 0.45 * ciliary) + 0.22 * short
    light *= _step(0.30, 0.42, radius) * _step(1.02, 0.80, radius)
    amount = colour.contrast * light[:, None]
    painted = painted + (fibre - painted) * np.clip(0.85 * amount, 0, 0.9)
    painted *= 1 - 0.42 * np.clip(0.42 - light, 0, 1)[:, None] * colour.contrast

    ridge = np.exp(-(((radius - collarette) / 0.028) ** 2)) * (0.6 + 0.9 * strands)
    painted += (fibre - painted) * np.clip(0.42 * ridge * colour.contrast, 0, 1)[:, None]
    painted *= 1 - 0.5 * colour.contrast * _crypts(radius, bent, collarette, seed)[:, None]
    for place in rng.uniform(0.66, 0.86, 3):  # furrows where the iris folds as the pupil opens
        wave = clouds(_circle(turn, 2.5, radius * 0), 1.0, seed + int(1000 * place), 2)
        where = radius - place - 0.018 * wave
        painted *= 1 - (0.13 * np.exp(-((where / 0.012) ** 2)) * _step(-0.3, 0.5, drift))[:, None]

    # light from above is thrown to the far side by the cornea
    painted *= (1 - 0.16 * np.sin(turn) * np.clip(radius, 0, 1))[:, None]
    ring = _step(0.80, 0.985, radius + 0.05 * drift) ** 1.3
    painted += (rim - painted) * (0.88 * ring)[:, None]
    ruff = np.exp(-(((radius - PUPIL_SHARE - 0.015) / 0.024) ** 2)) * (0.75 + 0.5 * short)
    painted += (0.45 * rim + 4 - painted) * np.clip(ruff, 0, 0.9)[:, None]
    hole = _step(PUPIL_SHARE + 0.018, PUPIL_SHARE - 0.018, radius)[:, None]
    return np.asarray(painted * (1 - hole) + PUPIL * hole, np.float32)


def _crypts(radius: Floats, turn: Floats, collarette: Floats, seed: int) -> Floats:
    """(N,) depth, 0 to 1, of the lozenge-shaped pits just outside and inside the collarette."""
    near, _, lot = cells(_circle(turn, 4.2, radius * 5.5), 1.0, seed + 7)
    pit = _step(0.40, 0.12, near) * (lot < 0.5)
    around = np.exp(-(((radius - collarette - 0.10) / 0.11) ** 2))
    return np.asarray(pit * around, np.float32)


def _ridges(noise: Floats) -> Floats:
    """Thin bright crests, 0 to 1, out of noise of standard deviation 0.3."""
    return np.asarray(np.clip(1 - 2.6 * np.abs(noise), 0, 1) ** 1.5, np.float32)


def _circle(turn: Floats, density: float, along: Floats) -> Floats:
    """(N, 3) points on a cylinder: noise over them closes on itself, with about 6·density bumps around."""
    points = np.stack([density * np.cos(turn), density * np.sin(turn), along], -1)
    return np.asarray(points.reshape(-1, 3), np.float32)


# ── sclera ───────────────────────────────────────────────────────────────────────────────────────


def _paint_sclera(away: Floats, turn: Floats, seed: int, sclera: Colour) -> Floats:
    """(H, W, 3): warm white, pinker and veined towards the corners, greyer where it never sees light."""
    angle = _angle(away)
    shape = away.shape
    level = np.abs(np.cos(turn))
    nose = np.clip(-np.cos(turn), 0, 1)
    mottle = clouds(_circle(turn, 2.2, angle * 2.5), 1.0, seed + 21, 3).reshape(shape)
    painted = np.array(sclera, np.float32) * (1 + 0.035 * mottle)[..., None]
    near_iris = _step(0.62, 0.46, angle)  # its edge shines through, bluish
    painted += np.array([-7, -2, 6], np.float32) * near_iris[..., None]
    flush = _step(0.55, 1.25, angle) * (0.20 + 0.30 * level**2 + 0.28 * nose**3 + 0.25 * mottle)
    painted += (FLUSH - painted) * np.clip(flush, 0, 0.75)[..., None]
    veins = _veins(shape[0], seed)
    painted += (VEIN - painted) * (veins * _step(0.47, 0.80, angle))[..., None]
    return np.asarray(painted * (1 - 0.45 * _step(0.75, 1.45, angle))[..., None], np.float32)


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
    above = 1 - 0.30 * _step(LIDS[0] - 0.22, LIDS[0] + 0.10, y + 0.10 * x**2)
    below = 1 - 0.12 * _step(LIDS[1] + 0.10, LIDS[1] - 0.05, y - 0.12 * x**2)
    return np.asarray(above * below, np.float32)


def _angle(away: Floats) -> Floats:
    """Angle from the line of sight, in radians, at distances from the middle of the sheet."""
    knots = [0, IRIS_SHEET, SHEET_AT_SIDE, 0.5]
    return np.asarray(np.interp(away, knots, [0, LIMBUS_ANGLE, SIDE_ANGLE, np.pi]), np.float32)


def _step(start: float, end: float, value: NDArray[np.floating]) -> Floats:
    """0 at `start`, 1 at `end`, smooth between; `start` may be the larger."""
    t = np.clip((value - start) / (end - start), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)

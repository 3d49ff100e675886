"""The picture of the mouth: teeth, gums and tongue on one sheet."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from headform.skin.noise import cells, clouds

Floats = NDArray[np.float32]
Box = tuple[float, float, float, float]
Colour = tuple[int, int, int]

# (left, bottom, right, top) of each region on the sheet, origin bottom-left
GUMS_UPPER: Box = (0.005, 0.805, 0.995, 0.995)
GUMS_LOWER: Box = (0.005, 0.625, 0.995, 0.795)
TEETH_UPPER: Box = (0.0, 0.445, 1.0, 0.615)  # fourteen boxes, right second molar to left
TEETH_LOWER: Box = (0.0, 0.275, 1.0, 0.445)
TONGUE_TOP: Box = (0.005, 0.005, 0.495, 0.265)  # root at the left, tip at the right
TONGUE_BELOW: Box = (0.505, 0.005, 0.995, 0.265)
TEETH_PER_ARCH = 14
TOOTH_MARGIN = 0.06  # of a tooth's box, left free on each side
CROWN_TOP = 0.84  # of a tooth's box: below it the sides, neck at the bottom; above it the chewing surface
GUM_SHOWS = 0.16  # of a tooth's box: about here the side comes out of the gum
MARGINS = {"upper": (0.24, 0.42), "lower": (0.32, 0.60)}  # of a gum's strip: lip's and tongue's edge

TEETH_TONE: Colour = (222, 207, 187)
NECK = np.array([0.92, 0.86, 0.75], np.float32)  # of the tone, at the neck …
TRANSLUCENT = np.array([0.90, 0.93, 0.98], np.float32)  # … and at the edges of the front teeth
CANINE = np.array([0.98, 0.965, 0.925], np.float32)
FISSURE = np.array([0.62, 0.52, 0.40], np.float32)
GUM = np.array([190, 116, 111], np.float32)
MUCOSA = np.array([164, 72, 70], np.float32)  # the looser, redder skin beyond the gum
TONGUE = np.array([180, 110, 105], np.float32)
COATING = np.array([196, 142, 132], np.float32)
VEIN = np.array([120, 70, 92], np.float32)


def paint_mouth(
    size: int = 512, seed: int = 0, teeth_tone: Colour = TEETH_TONE, flesh: tuple[float, float, float] = (1, 1, 1)
) -> NDArray[np.uint8]:
    """(size, size, 3) sRGB sheet of teeth of this tone, gums and tongue; `flesh` are factors of the latter's sRGB."""
    crowns, soft = _sheet(size, seed)
    sheet = soft * np.array(flesh, np.float32)
    rows = _rows_of_teeth(size)
    sheet[rows] = crowns * np.array(teeth_tone, np.float32)
    return np.asarray(np.clip(sheet + 0.5, 0, 255), np.uint8)


@lru_cache(maxsize=4)
def _sheet(size: int, seed: int) -> tuple[Floats, Floats]:
    """What is the same for every tone: the factors (rows, size, 3) of the crowns' rows, and the sheet of gums and
    tongue (size, size, 3)."""
    sheet = np.empty((size, size, 3), np.float32)
    sheet[:] = GUM
    _fill(sheet, GUMS_UPPER, partial(_paint_gum, margins=MARGINS["upper"], seed=seed), spread=0.006)
    _fill(sheet, GUMS_LOWER, partial(_paint_gum, margins=MARGINS["lower"], seed=seed + 1), spread=0.006)
    _fill(sheet, TONGUE_TOP, partial(_paint_tongue, seed=seed + 2), spread=0.006)
    _fill(sheet, TONGUE_BELOW, partial(_paint_underside, seed=seed + 3), spread=0.006)
    soft = sheet.copy()
    for arch, (left, bottom, right, top) in enumerate((TEETH_UPPER, TEETH_LOWER)):
        wide = (right - left) / TEETH_PER_ARCH
        for order in range(TEETH_PER_ARCH):
            box = (left + order * wide, bottom, left + (order + 1) * wide, top)
            place = abs(order - (TEETH_PER_ARCH - 1) / 2) + 0.5  # 1 central incisor … 7 second molar
            number = seed + 100 * arch + order
            _fill(sheet, box, partial(_paint_tooth, place=int(place), seed=number))
    return sheet[_rows_of_teeth(size)], soft


def _rows_of_teeth(size: int) -> slice:
    return slice(round((1 - TEETH_UPPER[3]) * size), round((1 - TEETH_LOWER[1]) * size))


def _fill(sheet: Floats, box: Box, paint: Callable[..., Floats], spread: float = 0.0) -> None:
    """Paints the pixels of a box, and a rim of `spread` around it, from their (N,) u and v within it."""
    size = len(sheet)
    left, bottom, right, top = box
    columns = slice(max(0, round((left - spread) * size)), min(size, round((right + spread) * size)))
    rows = slice(max(0, round((1 - top - spread) * size)), min(size, round((1 - bottom + spread) * size)))
    x = (np.arange(size, dtype=np.float32)[columns] + 0.5) / size
    y = 1 - (np.arange(size, dtype=np.float32)[rows] + 0.5) / size
    u, v = np.meshgrid((x - left) / (right - left), (y - bottom) / (top - bottom))
    sheet[rows, columns] = paint(u.ravel(), v.ravel()).reshape(*u.shape, 3)


def _paint_tooth(u: Floats, v: Floats, place: int, seed: int) -> Floats:
    """(N, 3) factors of the tone of one crown, unrolled: lip's side at u = 0.5, neck at v = 0; `place` 1 to 7 from the
    middle."""
    u = (u - TOOTH_MARGIN) / (1 - 2 * TOOTH_MARGIN)
    front = place <= 3
    height = np.clip(v / CROWN_TOP, 0, 1)
    at = np.stack([4 * u, 7 * v, np.full_like(u, 3.7 * (seed % 97))], 1).astype(np.float32)
    mottle = clouds(at, 1.0, seed, 3)
    streaks = clouds((at * [6, 0.35, 1]).astype(np.float32), 1.0, seed + 1, 2)
    growth = clouds((at * [0.35, 8, 1]).astype(np.float32), 1.0, seed + 2, 2)  # perikymata, across the crown
    shade = CANINE if place == 3 else np.full(3, 1 - 0.012 * max(place - 3, 0), np.float32)
    painted = shade * (1 + 0.022 * mottle + 0.012 * streaks + 0.010 * growth)[:, None]
    neck = _step(0.60, 0.05, height + 0.10 * mottle)
    painted *= 1 + (NECK - 1) * (0.95 * neck)[:, None]
    middle = np.exp(-(((u - 0.5) / 0.13) ** 2))  # dentine shines through where the crown is thick
    painted *= 1 + (np.array([0.0, -0.015, -0.05], np.float32) * (middle * (1 - neck))[:, None])
    if front:
        lobes = 0.05 * np.cos(2 * np.pi * 3 * (u - 0.5) / 0.42)  # the dentine ends in three lobes
        edge = _step(0.80, 0.99, height + 0.04 * streaks + lobes)
        sides = _step(0.15, 0.25, np.abs(u - 0.5)) * _step(0.30, 0.7, height)
        painted *= 1 + (TRANSLUCENT * 0.93 - 1) * (0.85 * np.maximum(edge, 0.5 * sides))[:, None]
    else:
        pit = _step(0.66, 1.0, height) * (0.35 + 0.4 * mottle)
        cap = (v > CROWN_TOP) * np.exp(-(((v - (1 + CROWN_TOP) / 2) / 0.03 + 0.8 * mottle) ** 2))
        painted *= 1 + (FISSURE - 1) * np.clip(np.maximum(0.5 * pit, 0.55 * cap), 0, 1)[:, None]
    contact = np.exp(-(((np.abs(u - 0.5) - 0.25) / 0.05) ** 2)) * _step(1.0, 0.75, height)
    gum_line = np.exp(-(((height - GUM_SHOWS / CROWN_TOP) / 0.06) ** 2))
    painted *= (1 - 0.26 * contact)[:, None] * (1 - 0.14 * gum_line)[:, None]
    return np.asarray(painted, np.float32)


def _paint_gum(u: Floats, v: Floats, margins: tuple[float, float], seed: int) -> Floats:
    """(N, 3) the gum's strip: u along the arch, v from the lip over the ridge to the tongue or palate."""
    at = np.stack([120 * u, 30 * v, np.zeros_like(u)], 1).astype(np.float32)  # about millimetres
    mottle = clouds(at, 9.0, seed, 3)
    vessels = np.clip(1 - 7 * np.abs(clouds((at * [1, 0.45, 1]).astype(np.float32), 3.5, seed + 1, 3)), 0, 1)
    near, _, _ = cells(at, 0.9, seed + 2)
    stipple = _step(0.32, 0.08, near)
    off = np.where(v < margins[0], margins[0] - v, np.maximum(v - margins[1], 0)) * 30
    loose = _step(3.5, 6.5, off + 1.5 * mottle) * (v < margins[0])
    painted = GUM * (1 + 0.05 * mottle)[:, None]
    painted *= 1 - np.outer(0.05 * stipple * _step(0.4, 1.2, off), [1.0, 1.15, 1.1]).astype(np.float32)
    edge = np.exp(-((off / 0.8) ** 2))
    painted *= 1 - np.outer(edge, [0.04, 0.13, 0.11]).astype(np.float32)
    painted += (MUCOSA - painted) * loose[:, None]
    painted += (MUCOSA * 0.85 - painted) * (0.28 * vessels * (0.25 + 0.75 * loose))[:, None]
    hidden = _step(margins[0] - 0.005, margins[0] + 0.03, v) * _step(margins[1] + 0.005, margins[1] - 0.03, v)
    return np.asarray(painted * (1 - 0.45 * hidden)[:, None], np.float32)


def _paint_tongue(u: Floats, v: Floats, seed: int) -> Floats:
    """(N, 3) upper side: root at u = 0, tip at u = 1; the groove at v = 0.5."""
    at = np.stack([70 * u, 42 * v, np.zeros_like(u)], 1).astype(np.float32)  # about millimetres
    mottle = clouds(at, 8.0, seed, 3)
    near, _, lot = cells(at, 0.75, seed + 1)
    threads = _step(0.45, 0.12, near)  # filiform papillae: pale, everywhere
    big, _, chosen = cells(at, 1.5, seed + 2)
    knobs = _step(0.26, 0.10, big) * (chosen < 0.3) * _step(0.35, 0.8, u)  # fungiform ones: red, near the tip
    across = np.abs(v - 0.5 + 0.012 * mottle)
    coat = _step(0.42, 0.10, across) * _step(1.0, 0.55, u) * (0.75 + 0.6 * mottle)
    painted = TONGUE * (1 + 0.07 * mottle)[:, None]
    painted += (COATING - painted) * np.clip(0.55 * coat + 0.22 * threads * (0.5 + 0.5 * lot), 0, 1)[:, None]
    painted *= 1 - np.outer(0.15 * knobs, [0.5, 1.0, 1.0]).astype(np.float32)
    groove = np.exp(-((across / 0.024) ** 2)) * _step(0.02, 0.2, u) * _step(0.97, 0.75, u)
    valley = np.exp(-((across / 0.07) ** 2)) * _step(0.98, 0.7, u)
    painted *= (1 - 0.17 * groove - 0.10 * valley)[:, None]
    return np.asarray(painted * (0.62 + 0.38 * _step(0.0, 0.45, u))[:, None], np.float32)


def _paint_underside(u: Floats, v: Floats, seed: int) -> Floats:
    """(N, 3) lower side: smooth, redder, with the two veins and the band in the middle."""
    at = np.stack([70 * u, 42 * v, np.zeros_like(u)], 1).astype(np.float32)
    mottle = clouds(at, 6.0, seed, 3)
    painted = (0.55 * TONGUE + 0.45 * MUCOSA) * (1 + 0.07 * mottle)[:, None]
    across = np.abs(v - 0.5) + 0.02 * mottle
    veins = np.exp(-(((across - 0.14) / 0.025) ** 2)) * _step(0.35, 0.6, u) * _step(0.98, 0.8, u)
    band = np.exp(-((across / 0.02) ** 2))
    painted += (VEIN - painted) * (0.45 * veins)[:, None]
    painted += (COATING - painted) * (0.3 * band)[:, None]
    painted *= (0.6 + 0.4 * _step(0.2, 0.8, u))[:, None]
    rim = np.maximum(_step(0.78, 0.96, u), _step(0.36, 0.5, np.abs(v - 0.5)) * _step(0.2, 0.5, u))
    return np.asarray(painted + (TONGUE * (1 + 0.07 * mottle)[:, None] - painted) * rim[:, None], np.float32)


def _step(start: float, end: float, value: Floats) -> Floats:
    """0 at `start`, 1 at `end`, smooth between; `start` may be the larger."""
    t = np.clip((value - start) / (end - start), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)

"""The picture on the strips of lashes: hairs with a soft edge on nothing."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

UPPER_BAND = (0.40, 1.0)  # v of root and tip of the upper lid's lashes on the sheet …
LOWER_BAND = (0.0, 0.38)  # … and of the lower lid's
ROOT = 0.08  # of a band, from its root: the part of the strip that lies under the lid
COLOUR = (38, 27, 22)
STEPS = 224  # points drawn along a hair
LASH_LINE = 1.5  # of ROOT: so far from the root the hairs stand so close that they make one dark line


@lru_cache(maxsize=4)
def paint_lashes(
    size: tuple[int, int] = (256, 1024), seed: int = 0, colour: tuple[int, int, int] = COLOUR
) -> NDArray[np.uint8]:
    """(H, W, 4) sRGB and alpha; u along the lid from the nose outwards, v root to tip in each lid's band."""
    rng = np.random.default_rng(seed)
    alpha = np.zeros(size, np.float32)
    _draw_row(alpha, rng, UPPER_BAND, clumps=74, length=(0.52, 0.90), sweep=0.032, thick=1.15)
    _draw_row(alpha, rng, LOWER_BAND, clumps=38, length=(0.36, 0.66), sweep=0.022, thick=1.0)
    _draw_line(alpha, rng, UPPER_BAND, 0.75)
    _draw_line(alpha, rng, LOWER_BAND, 0.22)
    tint = np.array(colour, np.float32) * (1 + 0.12 * rng.standard_normal((1, size[1], 1)))
    painted = np.concatenate([np.broadcast_to(tint, (*size, 3)), 255 * alpha[..., None]], 2)
    sheet = np.clip(painted + 0.5, 0, 255).astype(np.uint8)
    sheet.setflags(write=False)  # the next caller gets the same one
    return sheet


def _draw_row(
    alpha: NDArray[np.float32],
    rng: np.random.Generator,
    band: tuple[float, float],
    clumps: int,
    length: tuple[float, float],
    sweep: float,
    thick: float,
) -> None:
    """Adds one lid's hairs: two to four from nearly the same root, tips drawn together, longer outwards."""
    middles = (np.arange(clumps) + rng.uniform(0.15, 0.85, clumps)) / clumps
    owner = np.repeat(np.arange(clumps), rng.integers(2, 5, clumps))
    count = len(owner)
    root = 0.01 + 0.98 * middles[owner] + rng.normal(0, 0.0065, count)
    outward = np.clip(root, 0, 1)
    grown = length[0] + (length[1] - length[0]) * np.sin(np.pi * np.clip(0.12 + 0.62 * outward, 0, 1)) ** 1.2
    tall = grown * rng.uniform(0.72, 1.08, count) * np.clip(outward / 0.08 + 0.35, 0, 1)
    lean = sweep * (0.35 + rng.normal(0, 0.45, clumps))[owner] + rng.normal(0, 0.25 * sweep, count)
    lean += (middles[owner] - root) * 0.6
    bow = rng.normal(0.25, 0.35, count) * sweep  # sideways, greatest half way up
    t = np.linspace(0, 1, STEPS)
    u = root[:, None] + lean[:, None] * t**1.4 + bow[:, None] * 4 * t * (1 - t) * 0.5
    rise = ROOT * rng.uniform(0.75, 1.1, count)[:, None] + (1 - ROOT) * tall[:, None] * t
    width = thick * rng.uniform(0.85, 1.25, (count, 1)) * (1 - t) ** 0.75
    _stamp(alpha, u, band[0] + (band[1] - band[0]) * rise, width)


def _draw_line(
    alpha: NDArray[np.float32], rng: np.random.Generator, band: tuple[float, float], strength: float
) -> None:
    """Adds the dark line of one lid's roots, uneven and fading out towards the nose."""
    height, wide = alpha.shape
    rise = (1 - (np.arange(height) + 0.5) / height - band[0]) / (band[1] - band[0]) / ROOT
    along = (np.arange(wide) + 0.5) / wide
    uneven = np.convolve(rng.normal(0, 1, wide + 64), np.hanning(24), "same")[32:-32]
    amount = strength * np.clip(along / 0.3 + 0.2, 0, 1) * (1 + 0.12 * uneven / uneven.std())
    middle, half = (1 + LASH_LINE) / 2, (LASH_LINE - 0.55) / 2
    across = np.clip(1 - np.abs(rise - middle) / half, 0, 1) ** 0.7
    line = np.clip(across[:, None] * amount, 0, 0.9).astype(np.float32)
    np.copyto(alpha, 1 - (1 - alpha) * (1 - line))


def _stamp(
    alpha: NDArray[np.float32], u: NDArray[np.float64], v: NDArray[np.float64], width: NDArray[np.float64]
) -> None:
    """Draws hairs through points (hairs, STEPS) as soft dots; width in 1/1024 of the sheet's width."""
    height, wide = alpha.shape
    x, y = u * wide, (1 - v) * height
    sigma = np.maximum(width * wide / 1024, 0.42)
    cover = np.minimum(width * wide / 1024 / 0.42, 1.0)
    for shift_x in range(-3, 4):
        for shift_y in range(-3, 4):
            i, j = np.floor(y).astype(int) + shift_y, np.floor(x).astype(int) + shift_x
            far = (i + 0.5 - y) ** 2 + (j + 0.5 - x) ** 2
            inside = (i >= 0) & (i < height) & (j >= 0) & (j < wide)
            ink = (cover * np.exp(-far / (2 * sigma**2))).astype(np.float32)
            np.maximum.at(alpha, (i[inside], j[inside]), ink[inside])

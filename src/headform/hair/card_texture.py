"""The picture on hair cards: strips of strands as they lie in this groom, from dense to wispy, with their relief."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.hair.card_lines import KNOTS, Bundles, resampled
from headform.hair.groom import Groom
from headform.skin.filters import blurred

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

STRIPS = 8
LONG, BROAD = 1024, 64  # pixels of a strip along and across
DENSITIES = np.array([44, 40, 36, 32, 28, 22, 16, 10])  # strands on each strip, from the dense to the wispy
POOL = 2  # bundles whose strands share a strip: more of them, and no lock or curl is left to see
FINE = 160  # points of a strand as it is painted: coils turn every few millimetres
RIM = 0.05  # of a strip's breadth stays clear on either side, so that strips do not run into each other far away
DISTURBED = 0.16  # of the breadth: how far a strand that is painted twice moves aside
THICK, TIP_THICK = 1.15, 0.45  # pixels: half of a strand's breadth at root and tip
FRAYED = 0.5  # of the length: how much the shortest strand ends before the longest
LOCKS = 5  # side by side on a strip, each of another tone
DARK, BRIGHT = 0.5, 1.0  # sRGB of strands, which the hair's own colour multiplies
RISE = 0.4  # how much lighter the outer side of a curl is, and how much darker the inner
ROUND = 0.75  # how far the sides of a strand turn away, of a full quarter
SHADES = 15  # of grey and of alpha: more are not seen on hair, and files would be twice as large
EDGE = 0.5  # pixels over which a strand's edge fades
BLEED = 3.0  # pixels that colours run out under what is clear: else cards would have dark seams


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Cards before they are meshes: M lines of KNOTS points.

    places, along, across, out  (M, KNOTS, 3) metres; unit vectors along the hair, across the card, away from the skull
    width                       (M,) metres
    """

    places: Floats
    along: Floats
    across: Floats
    out: Floats
    width: Floats


@dataclass(frozen=True, slots=True, eq=False)
class CardPicture:
    """Strips of strands, one above the other from v = 0 up, the densest lowest; roots at u = 0. Row 0 is at v = 1.

    colour  (H, W, 4) sRGB and straight alpha; grey, the hair's own colour multiplies it
    normal  (H, W, 3) tangent space, OpenGL: red along the strand, green across
    """

    colour: Bytes
    normal: Bytes


def paint_strips(groom: Groom, bundles: Bundles, frames: Frames, seed: int = 0) -> CardPicture:
    """The strips of a groom whose strands were gathered in bundles; clear everywhere without any."""
    shape = (STRIPS * BROAD, LONG)
    value, alpha, lean = np.full(shape, 0.8, np.float32), np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    if len(bundles.strands):
        rng = np.random.default_rng(seed)
        for strip in range(STRIPS):
            rows = slice(strip * BROAD, (strip + 1) * BROAD)
            curves = _curves(groom, bundles, frames, strip, rng)
            reach = 1 - FRAYED * rng.random(len(curves)) ** 1.4
            tones = _tones(curves, rng)
            _draw(curves, reach, tones, value[rows], alpha[rows], lean[rows])
    return _finished(value, alpha, lean)


def _curves(groom: Groom, bundles: Bundles, frames: Frames, strip: int, rng: np.random.Generator) -> Floats:
    """(N, FINE, 3) of the strands on a strip: pixels along and across it, and how far up they lie, −1 … 1."""
    members = np.bincount(bundles.bundle, minlength=len(frames.places))
    ranked = np.argsort(-members, kind="stable")
    level = np.array_split(ranked, STRIPS)[strip] if len(ranked) >= STRIPS else ranked
    pool = rng.choice(level, min(POOL, len(level)), replace=False)
    inside = np.flatnonzero(np.isin(bundles.bundle, pool))
    count = int(DENSITIES[strip])
    often = np.concatenate([rng.permutation(inside) for _ in range(-(-count // len(inside)))])[:count]
    lines = resampled(groom.points[bundles.strands[often]], FINE)
    curves = _flattened(lines, bundles.bundle[often], bundles.lengths, frames)
    again = np.arange(count) >= len(inside)
    curves[..., 1] += (DISTURBED * rng.normal(size=count) * (0.3 + 0.7 * again))[:, None]
    return _inside(curves)


def _tones(curves: Floats, rng: np.random.Generator) -> Floats:
    """(N,) sRGB: strands beside each other are alike, so that from afar, too, a strip is no even grey."""
    lock = np.clip(curves[:, FINE // 2, 1] / BROAD * LOCKS, 0, LOCKS - 1).astype(int)
    share = 0.5 * rng.permutation(LOCKS)[lock] / (LOCKS - 1) + 0.5 * rng.random(len(curves))
    return np.asarray(DARK + (BRIGHT - DARK) * share, np.float32)


def _flattened(lines: Floats, bundle: NDArray[np.int32], lengths: Floats, frames: Frames) -> Floats:
    """(N, FINE, 3) where strands (N, FINE, 3) lie on their cards: share of the length, and −0.5 … 0.5 across and up."""
    at = np.linspace(0, KNOTS - 1, FINE)
    low = np.minimum(at.astype(int), KNOTS - 2)
    part = (at - low)[:, None].astype(np.float32)

    def between(values: Floats) -> Floats:
        mine = values[bundle]
        return np.asarray(mine[:, low] + part * (mine[:, low + 1] - mine[:, low]), np.float32)

    away = lines - between(frames.places)
    across = (away * between(frames.across)).sum(2) / frames.width[bundle][:, None]
    up = (away * between(frames.out)).sum(2) / frames.width[bundle][:, None]
    along = (away * between(frames.along)).sum(2) / np.maximum(lengths[bundle], 1e-4)[:, None]
    share = np.clip(np.linspace(0, 1, FINE) + along, 0, 1)
    return np.stack([share, across, up], 2).astype(np.float32)


def _inside(curves: Floats) -> Floats:
    """The same in pixels of a strip; what would leave it at the sides is held back, softly."""
    half = 0.5 - RIM
    across = 0.5 + half * np.tanh(curves[..., 1] / half)
    return np.stack([curves[..., 0] * LONG, across * BROAD, np.clip(2 * curves[..., 2], -1, 1)], 2).astype(np.float32)


@njit(cache=True, error_model="numpy", nogil=True)
def _draw(curves: Any, reach: Any, tones: Any, value: Any, alpha: Any, lean: Any) -> None:
    """Strands over each other in their order: tone, how much of a pixel they cover, which way their sides lean."""
    broad, long = value.shape
    for n in range(len(curves)):
        last = int(reach[n] * (curves.shape[1] - 1))
        for k in range(last):
            x0, y0, x1, y1 = curves[n, k, 0], curves[n, k, 1], curves[n, k + 1, 0], curves[n, k + 1, 1]
            share = k / last
            thick = THICK + (TIP_THICK - THICK) * share**2
            tone = tones[n] * (1 + RISE * curves[n, k, 2])
            steps = int(max(abs(x1 - x0), 2 * abs(y1 - y0))) + 1
            for step in range(steps):
                x, y = x0 + (x1 - x0) * step / steps, y0 + (y1 - y0) * step / steps
                column = min(max(int(x), 0), long - 1)
                for row in range(max(int(y - thick - EDGE), 0), min(int(y + thick + EDGE) + 1, broad)):
                    off = row + 0.5 - y
                    cover = min(max((thick + EDGE - abs(off)) / (2 * EDGE), 0.0), 1.0)
                    if cover <= 0:
                        continue
                    value[row, column] += cover * (tone - value[row, column])
                    side = min(max(off / thick, -1.0), 1.0)
                    lean[row, column] += cover * (side - lean[row, column])
                    alpha[row, column] = max(alpha[row, column], cover)


def _finished(value: Floats, alpha: Floats, lean: Floats) -> CardPicture:
    """Pictures with row 0 at v = 1, and colours that go on where nothing is."""
    near = blurred(np.stack([value * alpha, lean * alpha, alpha], 2), BLEED)
    fill = near[..., :2] / np.maximum(near[..., 2:], 1e-4)
    empty = near[..., 2] < 1e-3
    fill[empty] = (0.5 * (DARK + BRIGHT), 0.0)
    tone, turned = alpha * value + (1 - alpha) * fill[..., 0], alpha * lean + (1 - alpha) * fill[..., 1]
    grey = np.repeat(tone[..., None], 3, 2)
    colour = np.concatenate([grey, alpha[..., None]], 2)
    tilt = ROUND * turned
    normal = np.stack([np.zeros_like(tilt), tilt, np.sqrt(1 - tilt**2)], 2)
    return CardPicture(
        (np.rint(np.clip(colour[::-1], 0, 1) * SHADES) * (255 // SHADES)).astype(np.uint8),
        np.rint(normal[::-1] * 127 + 128).astype(np.uint8),
    )

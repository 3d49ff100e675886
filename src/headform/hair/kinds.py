"""Classes of hairstyles: how long, how curly, and whether hair is gathered, braided or shaved in parts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headform.hair.groom import Groom
from headform.hair.style import Style

SHORT, MEDIUM = 0.08, 0.25  # metres: hair longer than the first is medium, than the second long
WINDOW = 0.06  # metres of a strand over which its waves are judged: most of a wave, little of the head's roundness
# hair along its way, over the way as the crow flies: a helix of 9 mm on 85 mm has 1.2, of 7.5 on 30 has 1.9, of 4.5
# on 8.5 has 3.5
STRAIGHT, WAVY, CURLY = 1.05, 1.35, 2.2
TEXTURES = ("straight", "wavy", "curly", "coily")
MOST_JUDGED = 500  # strands of a groom: more do not change the median
BALD, GATHERED, BRAIDED, LOCS, FADED = "bald", "gathered", "braided", "locs", "faded"


def kind_of_style(style: Style) -> str:
    """The class that the style says it is of; else one from its numbers: `bald`, `locs` (and twists), `braided`,
    `gathered` (tails, buns), `faded` (fades, mohawks, one side shaved), or size and texture: `medium wavy`."""
    if style.bald:
        return BALD
    if style.kind:
        return style.kind
    if style.pattern == "rope":
        return LOCS
    if style.pattern == "braid" or style.rows or any(tie.kind == "braid" for tie in style.ties):
        return BRAIDED
    if style.ties:
        return GATHERED
    if style.fade > 0 or style.strip is not None or style.side:
        return FADED
    amplitude, wavelength, _ = style.curl
    steep = 2 * np.pi * amplitude / max(wavelength, 1e-4)
    helix, plane = float(np.hypot(1, steep)), 1 + steep**2 / 4  # of a flat wave: its first two terms
    winding = plane + (helix - plane) * style.coil if plane < helix else helix
    return f"{_size(float(np.mean(style.length[1:])))} {_texture(winding)}"  # a fringe does not make hair short


def kind_of_groom(groom: Groom) -> str:
    """Size and texture of strands, `medium wavy` and the like, those of the median strand; `bald` of none."""
    if not len(groom):
        return BALD
    points = np.asarray(groom.points[:: max(len(groom) // MOST_JUDGED, 1)], np.float64)
    step = np.linalg.norm(np.diff(points, axis=1), axis=2)
    way = np.concatenate([np.zeros((len(points), 1)), np.cumsum(step, 1)], 1)
    winding = [_winding(strand, reach) for strand, reach in zip(points, way, strict=True)]
    return f"{_size(float(np.median(way[:, -1])))} {_texture(float(np.median(winding)))}"


def _winding(strand: NDArray[np.float64], reach: NDArray[np.float64]) -> float:
    """Length of a strand (P, 3) over that of the line through a point every WINDOW metres; `reach` (P,) is its length
    so far at each point."""
    marks = np.linspace(0, reach[-1], max(round(reach[-1] / WINDOW), 1) + 1)
    places = np.stack([np.interp(marks, reach, strand[:, axis]) for axis in range(3)], 1)
    crow = float(np.linalg.norm(np.diff(places, axis=0), axis=1).sum())
    return float(reach[-1]) / max(crow, 1e-6) if reach[-1] > 0 else 1.0


def _size(metres: float) -> str:
    return "short" if metres < SHORT else "medium" if metres < MEDIUM else "long"


def _texture(winding: float) -> str:
    return TEXTURES[int(np.searchsorted((STRAIGHT, WAVY, CURLY), winding))]

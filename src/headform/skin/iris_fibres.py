"""What an iris is painted from: its fibres, folds and pits, on a dial around the pupil, waiting for colours.

Convention: a dial has RINGS rows from the middle outwards and TURNS columns counterclockwise from +x; radius 1 is
the limbus, and the pupil's edge lies at PUPIL_SHARE, however wide the pupil is on the sheet.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.skin.noise import cells, clouds

Floats = NDArray[np.float32]
Colour = tuple[int, int, int]

RINGS, TURNS = 112, 640
REACH = 1.2  # radius of the outermost ring
PUPIL_SHARE = 0.31  # radius of the pupil's hole, of the iris's
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


@dataclass(frozen=True, eq=False)
class Fibres:
    """Dials (RINGS, TURNS) of one iris.

    outer   0 in the zone around the pupil, 1 beyond the collarette
    light   crests of fibres about 0 … 1
    ridge   the collarette's crest; pits: crypts beside it; folds: factors of the contraction furrows
    glow    factors: light from above is thrown to the far side by the cornea
    rim     0 … 1 the limbal ring; ruff: the dark seam of the pupil; hole: the pupil
    """

    outer: Floats
    light: Floats
    ridge: Floats
    pits: Floats
    folds: Floats
    glow: Floats
    rim: Floats
    ruff: Floats
    hole: Floats


@lru_cache(maxsize=4)
def fibres(seed: int) -> Fibres:
    """The fibres of one iris; other seeds give others."""
    rng = np.random.default_rng(seed)
    radius, turn = (a.ravel() for a in np.meshgrid(ring_radii(), turn_angles(), indexing="ij"))
    drift = clouds(around(turn, 1.6, radius * 1.5), 1.0, seed, 3)  # slow variation around the iris
    collarette = 0.50 + 0.035 * clouds(around(turn, 3.5, radius * 0), 1.0, seed + 1, 3) + 0.02 * drift
    bent = turn + 0.10 * clouds(around(turn, 5.0, radius * 4), 1.0, seed + 2, 2) * radius
    ciliary = step(-0.06, 0.13, radius - collarette)
    strands = _ridges(clouds(around(bent, 11.0, radius * 1.6), 1.0, seed + 3, 2))
    fine = _ridges(clouds(around(bent, 26.0, radius * 2.4), 1.0, seed + 4, 2))
    short = clouds(around(turn, 20.0, radius * 9), 1.0, seed + 5, 2)
    light = (0.62 * strands + 0.38 * fine) * (0.55 + 0.45 * ciliary) + 0.22 * short
    light *= step(0.30, 0.42, radius) * step(1.02, 0.80, radius)
    folds = np.ones_like(radius)
    for place in rng.uniform(0.66, 0.86, 3):  # furrows where the iris folds as the pupil opens
        wave = clouds(around(turn, 2.5, radius * 0), 1.0, seed + int(1000 * place), 2)
        where = radius - place - 0.018 * wave
        folds *= 1 - 0.13 * np.exp(-((where / 0.012) ** 2)) * step(-0.3, 0.5, drift)
    dials = (
        np.clip(ciliary + 0.35 * drift, 0, 1),
        light,
        np.exp(-(((radius - collarette) / 0.028) ** 2)) * (0.6 + 0.9 * strands),
        _crypts(radius, bent, collarette, seed),
        folds,
        1 - 0.16 * np.sin(turn) * np.clip(radius, 0, 1),
        step(0.80, 1.0, radius + 0.05 * drift) ** 1.3,
        np.clip(np.exp(-(((radius - PUPIL_SHARE - 0.015) / 0.024) ** 2)) * (0.75 + 0.5 * short), 0, 0.9),
        step(PUPIL_SHARE + 0.018, PUPIL_SHARE - 0.018, radius),
    )
    return Fibres(*(np.asarray(dial, np.float32).reshape(RINGS, TURNS) for dial in dials))


@lru_cache(maxsize=4)
def coloured(colour: IrisColour, grown: Fibres) -> Floats:
    """(RINGS, TURNS, 3) sRGB 0–255 of these fibres in these colours; not to be written to."""
    inner, outer, fibre, rim = (np.array(c, np.float32) for c in (colour.inner, colour.outer, colour.fibre, colour.rim))
    painted = inner + (outer - inner) * grown.outer[..., None]
    _toward(painted, fibre, np.clip(0.85 * colour.contrast * grown.light, 0, 0.9))
    shade = 1 - 0.42 * np.clip(0.42 - grown.light, 0, 1) * colour.contrast
    painted *= shade[..., None]
    _toward(painted, fibre, np.clip(0.42 * colour.contrast * grown.ridge, 0, 1))
    painted *= ((1 - 0.5 * colour.contrast * grown.pits) * grown.folds * grown.glow)[..., None]
    _toward(painted, rim, 0.88 * grown.rim)
    _toward(painted, 0.45 * rim + 4, grown.ruff)
    _toward(painted, PUPIL, grown.hole)
    return painted


def ring_radii() -> Floats:
    """(RINGS,) radius of each ring of a dial."""
    return np.asarray((np.arange(RINGS) + 0.5) * (REACH / RINGS), np.float32)


def turn_angles() -> Floats:
    """(TURNS,) angle of each column of a dial."""
    return np.asarray(np.arange(TURNS) * (2 * np.pi / TURNS), np.float32)


def on_dial(radius: Floats, pupil: float) -> Floats:
    """Radii on a dial of radii on an eye whose pupil's edge is at `pupil`: the tissue folds up evenly."""
    return np.asarray(np.interp(radius, [0, pupil, 1, 2], [0, PUPIL_SHARE, 1, 2]), np.float32)


def looked_up(dial: Floats, radius: Floats, turn: Floats) -> Floats:
    """(N, C) values of a dial (rings, turns, C) that reaches to REACH, at N points."""
    return _between(dial, radius, turn, np.empty((len(radius), dial.shape[2]), np.float32))


@njit(cache=True, nogil=True)
def _between(dial: Floats, radius: Floats, turn: Floats, out: Floats) -> Floats:
    rings, turns = dial.shape[0], dial.shape[1]
    for n in range(len(radius)):
        row = min(
            max(radius[n] * np.float32(rings / REACH) - np.float32(0.5), np.float32(0)), np.float32(rings - 1.001)
        )
        column = turn[n] * np.float32(turns / (2 * np.pi))
        if column < 0:
            column += np.float32(turns)
        i, j = int(row), int(column)
        a, b = row - np.float32(i), column - np.float32(j)
        j, k = j % turns, (j + 1) % turns
        for c in range(dial.shape[2]):
            near = dial[i, j, c] * (1 - b) + dial[i, k, c] * b
            far = dial[i + 1, j, c] * (1 - b) + dial[i + 1, k, c] * b
            out[n, c] = near * (1 - a) + far * a
    return out


def around(turn: Floats, density: float, along: Floats) -> Floats:
    """(N, 3) points on a cylinder: noise over them closes on itself, with about 6·density bumps around."""
    points = np.stack([density * np.cos(turn), density * np.sin(turn), along], -1)
    return np.asarray(points.reshape(-1, 3), np.float32)


def step(start: float, end: float, value: NDArray[np.floating]) -> Floats:
    """0 at `start`, 1 at `end`, smooth between; `start` may be the larger."""
    t = np.clip((value - start) / (end - start), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _toward(painted: Floats, colour: Floats, share: Floats) -> None:
    """Mixes a share (…) of a colour (3,) into painted (…, 3), in place."""
    painted += (colour - painted) * share[..., None]


def _crypts(radius: Floats, turn: Floats, collarette: Floats, seed: int) -> Floats:
    """(N,) depth, 0 to 1, of the lozenge-shaped pits just outside and inside the collarette."""
    near, _, lot = cells(around(turn, 4.2, radius * 5.5), 1.0, seed + 7)
    pit = step(0.40, 0.12, near) * (lot < 0.5)
    return np.asarray(pit * np.exp(-(((radius - collarette - 0.10) / 0.11) ** 2)), np.float32)


def _ridges(noise: Floats) -> Floats:
    """Thin bright crests, 0 to 1, out of noise of standard deviation 0.3."""
    return np.asarray(np.clip(1 - 2.6 * np.abs(noise), 0, 1) ** 1.5, np.float32)

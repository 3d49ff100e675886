"""Makes drawn evidence as poor as what is found in photos: holes, ragged borders, hands, hats, wrong angles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.hair.network import SIDE, network_input
from headform.learn.hair_views import ANGLES, HALF, Bytes

Floats = NDArray[np.float32]

ROUGH, FINE = 6, 24  # squares along the side of the noise that bends angles, and of what frays borders
RAGGED = 0.35  # of a soft border's full range: how far it moves to and fro
GROWN = 0.3  # the same for the whole border, outwards or inwards
SOFT = (1, 5)  # pixels: half width of the border's softness
BENT, SPECKLED = 18.0, 15.0  # degrees: standard deviations of smooth and of each pixel's errors, at most
HOLES = 0.45  # share of the hair whose angle is unknown, at most
CUT, HIDDEN, CAPPED, STRIPPED = 0.12, 0.3, 0.06, 0.15  # shares of pictures cut by their border, with a hand, hat, gap


def clean(hair: NDArray[np.bool_], angle: Bytes) -> Floats:
    """(3, 256, 256) a stored view as it is."""
    doubled = angle.repeat(2, 0).repeat(2, 1) * (np.pi / ANGLES)
    return network_input(hair, doubled, np.ones(hair.shape, np.float32))


def spoiled(hair: NDArray[np.bool_], angle: Bytes, rng: np.random.Generator) -> Floats:
    """(3, 256, 256) a stored view with the faults of photos; all of them depend on `rng` alone."""
    mask = _frayed(hair, rng)
    _hide(mask, rng)
    bend = rng.uniform(0, np.radians(BENT))
    speckle = rng.uniform(0, np.radians(SPECKLED))
    turn = bend * _smooth_noise(rng, ROUGH, HALF) + speckle * rng.standard_normal((HALF, HALF), np.float32)
    lost = rng.uniform(-0.2, HOLES)
    unsure = _smooth_noise(rng, int(rng.integers(ROUGH, FINE)), HALF)
    sure = np.clip((unsure - np.quantile(unsure, max(lost, 0.0)) + 0.02) * 4, 0, 1) if lost > 0 else 1 + 0 * unsure
    sure = sure * rng.uniform(0.4, 1.0)
    return np.asarray(_assembled(mask, angle, turn.astype(np.float32), sure.astype(np.float32)), np.float32)


def _frayed(hair: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """The mask with a border that wanders, as segmentation networks and hair itself draw it."""
    soft = _softened(hair, int(rng.integers(SOFT[0], SOFT[1] + 1)))
    level = 0.5 + rng.uniform(-GROWN, GROWN) + rng.uniform(0, RAGGED) * _smooth_noise(rng, FINE, SIDE) * 0.5
    return np.asarray(soft > np.clip(level, 0.05, 0.95))


def _hide(mask: NDArray[np.bool_], rng: np.random.Generator) -> None:
    """Takes away what hands, hats, the picture's border and gaps take."""
    y, x = np.mgrid[:SIDE, :SIDE]
    if rng.random() < CUT:  # the picture ends
        side, at = int(rng.integers(4)), int(rng.uniform(0.02, 0.3) * SIDE)
        np.rot90(mask, side)[:at] = False
    if rng.random() < CAPPED:  # a hat, above a line across the forehead
        line = rng.uniform(0.2, 0.42) * SIDE + rng.normal(0, 0.1) * (x - SIDE / 2)
        mask[y < line] = False
    if rng.random() < STRIPPED:  # a band or a lock in another light
        across = rng.uniform(0, np.pi)
        way = np.cos(across) * (x - SIDE * rng.uniform(0.2, 0.8)) + np.sin(across) * (y - SIDE * rng.uniform(0.2, 0.8))
        mask[np.abs(way) < rng.uniform(2, 9)] = False
    if rng.random() < HIDDEN:  # a hand, a telephone, another head
        for _ in range(int(rng.integers(1, 3))):
            turn, middle = rng.uniform(0, np.pi), rng.uniform(0.05, 0.95, 2) * SIDE
            half = rng.uniform(0.03, 0.17, 2) * SIDE
            u = (np.cos(turn) * (x - middle[0]) + np.sin(turn) * (y - middle[1])) / half[0]
            v = (-np.sin(turn) * (x - middle[0]) + np.cos(turn) * (y - middle[1])) / half[1]
            mask[(u * u + v * v < 1) if rng.random() < 0.6 else (np.maximum(abs(u), abs(v)) < 1)] = False


def _smooth_noise(rng: np.random.Generator, squares: int, side: int) -> Floats:
    """(side, side) values of about unit variance that change over side / squares pixels."""
    return np.asarray(_spread(rng.standard_normal((squares + 1, squares + 1), np.float32), side), np.float32)


@njit(cache=True, error_model="numpy", nogil=True)
def _spread(knots: Any, side: int) -> Any:
    out = np.empty((side, side), np.float32)
    step = (len(knots) - 1) / side
    for row in range(side):
        i = int(row * step)
        a = np.float32(row * step - i)
        for column in range(side):
            j = int(column * step)
            b = np.float32(column * step - j)
            above = knots[i, j] * (1 - b) + knots[i, j + 1] * b
            below = knots[i + 1, j] * (1 - b) + knots[i + 1, j + 1] * b
            # Between four independent values the variance falls to a quarter; this makes up for about that.
            out[row, column] = (above * (1 - a) + below * a) * np.float32(1.5)
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def _softened(hair: Any, reach: int) -> Any:
    """(H, W) share of hair in the square of `reach` pixels around each, by running sums along rows, then columns."""
    high, wide = hair.shape
    rows = np.empty((high, wide), np.float32)
    out = np.empty((high, wide), np.float32)
    size = np.float32(2 * reach + 1)
    for y in range(high):
        total = np.float32(0)
        for x in range(-reach, wide):
            if x + reach < wide:
                total += hair[y, x + reach]
            if x - reach - 1 >= 0:
                total -= hair[y, x - reach - 1]
            if x >= 0:
                rows[y, x] = total / size
    column = np.zeros(wide, np.float32)
    for y in range(-reach, high):
        for x in range(wide):
            if y + reach < high:
                column[x] += rows[y + reach, x]
            if y - reach - 1 >= 0:
                column[x] -= rows[y - reach - 1, x]
            if y >= 0:
                out[y, x] = column[x] / size
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def _assembled(mask: Any, angle: Any, turn: Any, sure: Any) -> Any:
    high, wide = mask.shape
    out = np.zeros((3, high, wide), np.float32)
    for row in range(0, high, 2):
        for column in range(0, wide, 2):
            i, j = row // 2, column // 2
            double = 2 * (angle[i, j] * (np.pi / ANGLES) + turn[i, j])
            cosine, sine = np.cos(double) * sure[i, j], np.sin(double) * sure[i, j]
            for y in range(row, row + 2):
                for x in range(column, column + 2):
                    if mask[y, x]:
                        out[0, y, x] = 1
                        out[1, y, x] = cosine
                        out[2, y, x] = sine
    return out

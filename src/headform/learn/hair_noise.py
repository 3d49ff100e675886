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
BENT, SPECKLED = 18.0, (5.0, 30.0)  # degrees: standard deviations of smooth and of each pixel's errors
LOOK = (1, 3)  # stored pixels: half width of the square, twice, that orientation is averaged over in photos
SURE = (0.8, 1.6)  # confidence of orientation that agrees all around
HOLES = (-0.6, 0.4)  # share of the hair whose angle is unknown; none below 0
BELOW, ABOVE, BESIDE = (0.4, 0.35), (0.15, 0.2), (0.2, 0.2)  # how often the picture's border cuts, and how much at most
HIDDEN, CAPPED, STRIPPED = 0.3, 0.06, 0.15  # shares of pictures with a hand or the like, a hat, a gap
EMPTY = 1e-3  # share of hair around a pixel below which its angle is unknown


def clean(hair: NDArray[np.bool_], angle: Bytes) -> Floats:
    """(3, 256, 256) a stored view as it is."""
    doubled = angle.repeat(2, 0).repeat(2, 1) * (np.pi / ANGLES)
    return network_input(hair, doubled, np.ones(hair.shape, np.float32))


def spoiled(hair: NDArray[np.bool_], angle: Bytes, rng: np.random.Generator) -> Floats:
    """(3, 256, 256) a stored view with the faults of photos; all of them depend on `rng` alone."""
    mask = _frayed(hair, rng)
    _cut(mask, rng)
    _hide(mask, rng)
    turn = np.radians(rng.uniform(0, BENT)) * _smooth_noise(rng, ROUGH, HALF)
    turn += np.radians(rng.uniform(*SPECKLED)) * rng.standard_normal((HALF, HALF), np.float32)
    seen = _looked_at(hair, angle, turn.astype(np.float32), int(rng.integers(LOOK[0], LOOK[1] + 1)))
    seen *= _trust(rng)
    seen /= np.maximum(np.hypot(seen[0], seen[1]), 1)  # nobody is surer than sure
    whole = seen.repeat(2, 1).repeat(2, 2) * mask
    return np.concatenate([mask[None].astype(np.float32), whole])


def _looked_at(hair: NDArray[np.bool_], angle: Bytes, turn: Floats, reach: int) -> Floats:
    """(2, 128, 128) mean cosine and sine of twice the angle around each pixel, as a structure tensor finds them: where
    strands disagree, as in curls, the mean is short and with it the confidence."""
    near = hair.reshape(HALF, 2, HALF, 2).any((1, 3)).astype(np.float32)
    double = 2 * (angle * np.float32(np.pi / ANGLES) + turn)
    cosine, sine, share = near * np.cos(double), near * np.sin(double), near
    for _ in range(2):
        cosine, sine, share = (_softened(one, reach) for one in (cosine, sine, share))
    return np.where(share > EMPTY, np.stack([cosine, sine]) / np.maximum(share, EMPTY), 0).astype(np.float32)


def _trust(rng: np.random.Generator) -> Floats:
    """(128, 128) how far orientation can be found, whatever it is: less in the dark and in blurred places."""
    level, lost = rng.uniform(*SURE), rng.uniform(*HOLES)
    noise = _smooth_noise(rng, int(rng.integers(ROUGH, FINE)), HALF)
    if lost <= 0:
        return np.asarray(level * np.clip(1 + 0.1 * noise, 0, 1.2), np.float32)
    return np.asarray(level * np.clip((noise - np.quantile(noise, lost)) * 2 + 0.1, 0, 1), np.float32)


def _frayed(hair: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """The mask with a border that wanders, as segmentation networks and hair itself draw it."""
    soft = _softened(hair, int(rng.integers(SOFT[0], SOFT[1] + 1)))
    level = 0.5 + rng.uniform(-GROWN, GROWN) + rng.uniform(0, RAGGED) * _smooth_noise(rng, FINE, SIDE) * 0.5
    return np.asarray(soft > np.clip(level, 0.05, 0.95))


def _cut(mask: NDArray[np.bool_], rng: np.random.Generator) -> None:
    """Takes away what lies beyond the photo's borders."""
    for (often, most), turns in ((ABOVE, 0), (BELOW, 2), (BESIDE, 1), (BESIDE, 3)):
        if rng.random() < often:
            np.rot90(mask, turns)[: int(rng.uniform(0, most) * SIDE)] = False


def _hide(mask: NDArray[np.bool_], rng: np.random.Generator) -> None:
    """Takes away what hands, hats and gaps take."""
    y, x = np.mgrid[:SIDE, :SIDE]
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
def _softened(values: Any, reach: int) -> Any:
    """(H, W) mean of values (H, W) in the square of `reach` pixels around each, by running sums."""
    high, wide = values.shape
    rows = np.empty((high, wide), np.float32)
    out = np.empty((high, wide), np.float32)
    size = np.float32(2 * reach + 1)
    for y in range(high):
        total = np.float32(0)
        for x in range(-reach, wide):
            if x + reach < wide:
                total += values[y, x + reach]
            if x - reach - 1 >= 0:
                total -= values[y, x - reach - 1]
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

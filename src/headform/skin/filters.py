"""Blurs and neighbourhoods of sheets (H, W) of float32; at their borders the last texel goes on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]

TAILS = 2.5  # standard deviations of a bell that count


def blurred(sheet: NDArray[Any], deviation: float, along: float | None = None) -> Floats:
    """A sheet, (H, W) or (H, W, C), blurred by a Gaussian bell of so many texels down and, if they differ, along."""
    given = np.ascontiguousarray(sheet, np.float32)
    flat = given.reshape(len(given), -1)
    step = flat.shape[1] // given.shape[1]
    across = _bell(deviation if along is None else along)
    blur: Floats = _along(_down(flat, _bell(deviation)), across, step).reshape(given.shape)
    return blur


def _bell(deviation: float) -> Floats:
    """Half of a bell, from its middle; the whole sums to one."""
    reach = max(1, int(TAILS * deviation + 0.5))
    bell = np.exp(-0.5 * (np.arange(reach + 1) / deviation) ** 2)
    return np.asarray(bell / (bell[0] + 2 * bell[1:].sum()), np.float32)


def lowest(sheet: NDArray[Any], reach: int) -> Floats:
    """(H, W) the lowest value within `reach` texels across and down."""
    low: Floats = _lowest(_lowest(np.ascontiguousarray(sheet, np.float32), reach).T.copy(), reach).T.copy()
    return low


def highest(sheet: NDArray[Any], reach: int) -> Floats:
    """(H, W) the highest value within `reach` texels across and down."""
    return np.negative(lowest(-np.asarray(sheet, np.float32), reach))


@njit(cache=True, nogil=True, fastmath=True)
def _down(sheet: Any, bell: Any) -> Any:
    high, wide = sheet.shape
    out = np.empty_like(sheet)
    for y in range(high):
        for x in range(wide):
            out[y, x] = bell[0] * sheet[y, x]
        for k in range(1, len(bell)):
            above, below = max(y - k, 0), min(y + k, high - 1)
            for x in range(wide):
                out[y, x] += bell[k] * (sheet[above, x] + sheet[below, x])
    return out


@njit(cache=True, nogil=True, fastmath=True)
def _along(sheet: Any, bell: Any, step: int) -> Any:
    high, wide = sheet.shape
    reach = (len(bell) - 1) * step
    out = np.empty_like(sheet)
    row = np.empty(wide + 2 * reach, sheet.dtype)
    for y in range(high):
        row[reach : reach + wide] = sheet[y]
        for x in range(reach):
            row[x] = sheet[y, x % step]
            row[reach + wide + x] = sheet[y, wide - step + x % step]
        for x in range(wide):
            out[y, x] = bell[0] * row[reach + x]
        for k in range(1, len(bell)):
            for x in range(wide):
                out[y, x] += bell[k] * (row[reach + x - k * step] + row[reach + x + k * step])
    return out


@njit(cache=True, nogil=True)
def _lowest(sheet: Any, reach: int) -> Any:
    """The lowest value within `reach` rows."""
    high, wide = sheet.shape
    out = sheet.copy()
    for y in range(high):
        for k in range(max(y - reach, 0), min(y + reach, high - 1) + 1):
            for x in range(wide):
                out[y, x] = min(out[y, x], sheet[k, x])
    return out

"""Distances in the plane of a picture: to the nearest pixel of a region, and to its outline."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


def nearest_in(region: NDArray[np.bool_]) -> Ints:
    """(H, W, 2) row and column of the nearest pixel of a region (H, W); −1 where the region is empty."""
    out = np.full((*region.shape, 2), -1, np.int32)
    _sweep(np.ascontiguousarray(region), out)
    return out


def signed_distance(region: NDArray[np.bool_]) -> Floats:
    """(H, W) pixels to the outline of a region, negative inside; as far as the picture is wide where there is none."""
    return np.asarray(_far(region) - _far(~region) + np.where(region, 0.5, -0.5), np.float32)


def _far(region: NDArray[np.bool_]) -> Floats:
    """(H, W) pixels to the nearest pixel of a region."""
    near = nearest_in(region)
    row, column = np.indices(region.shape)
    far = np.hypot(near[..., 0] - row, near[..., 1] - column)
    return np.where(near[..., 0] < 0, np.float32(max(region.shape)), far).astype(np.float32)


@njit(cache=True, error_model="numpy", nogil=True)
def _sweep(region: Any, out: Any) -> None:
    """Danielsson 1980: the nearest pixel is carried on from neighbour to neighbour, in four sweeps."""
    high, wide = region.shape
    for row in range(high):
        for column in range(wide):
            if region[row, column]:
                out[row, column, 0], out[row, column, 1] = row, column
    for sweep in range(4):
        down, right = 1 - 2 * (sweep & 1), 1 - 2 * (sweep >> 1)
        for i in range(high):
            row = i if down > 0 else high - 1 - i
            for j in range(wide):
                column = j if right > 0 else wide - 1 - j
                for a, b in ((row - down, column), (row, column - right), (row - down, column - right)):
                    if not (0 <= a < high and 0 <= b < wide) or out[a, b, 0] < 0:
                        continue
                    new = (out[a, b, 0] - row) ** 2 + (out[a, b, 1] - column) ** 2
                    old = (out[row, column, 0] - row) ** 2 + (out[row, column, 1] - column) ** 2
                    if out[row, column, 0] < 0 or new < old:
                        out[row, column, 0], out[row, column, 1] = out[a, b, 0], out[a, b, 1]

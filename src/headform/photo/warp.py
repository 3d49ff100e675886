"""Cuts a chip out of a picture through an affine map."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from headform.errors import BadInput
from headform.photo.affine import apply, invert

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

MARGIN = 2  # source pixels beyond the chip's corners that bilinear interpolation may touch


def check_picture(picture: object) -> Bytes:
    """The same array, if it is RGB uint8 (H, W, 3) and not empty. Raises BadInput."""
    if not isinstance(picture, np.ndarray):
        raise BadInput(f"a picture must be an array, not {type(picture).__name__}")
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        raise BadInput(f"a picture must be RGB uint8 of shape (height, width, 3), not {picture.dtype} {picture.shape}")
    return picture


def warp(
    picture: Bytes | Floats,
    to_chip: ArrayLike,
    size: tuple[int, int],
    outside: float | None = None,
) -> Floats:
    """The chip (height, width, C) that the map (2, 3) from picture pixels to chip pixels shows; values as given.

    picture  (H, W, C), uint8 or float32
    size     (width, height) of the chip
    outside  the value beyond the picture; None repeats its border

    Bilinear. Where the chip is smaller than what it shows, the picture is first averaged over blocks of as many
    pixels, so that fine patterns fade instead of aliasing. Pixel centres are at integers.
    """
    width, height = size
    to_picture = invert(to_chip)
    left, top, right, bottom = _needed(to_picture, size, picture.shape)
    part = np.ascontiguousarray(picture[top:bottom, left:right])
    to_part = to_picture - [[0, 0, left], [0, 0, top]]
    block = max(1, round(float(np.sqrt(abs(np.linalg.det(to_part[:, :2]))))))
    if block > 1:
        part = _average(part, block)
        to_part = (to_part - [[0, 0, (block - 1) / 2]] * 2) / block
    chip = np.empty((height, width, picture.shape[2]), np.float32)
    _sample(part, to_part, outside is None, np.float32(outside or 0), chip)
    return chip


def _needed(to_picture: NDArray[np.float64], size: tuple[int, int], shape: tuple[int, ...]) -> list[int]:
    """left, top, right, bottom of the part of the picture that the chip shows; at least one pixel of it."""
    width, height = size
    corners = apply(to_picture, [(0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1)])
    reach = MARGIN * (1 + np.abs(to_picture[:, :2]).sum(1))
    low = np.floor(corners.min(0) - reach)
    high = np.ceil(corners.max(0) + reach) + 1
    limit = np.array([shape[1], shape[0]])
    low = np.clip(low, 0, limit - 1)
    high = np.clip(high, low + 1, limit)
    return [int(edge) for edge in (*low, *high)]


@njit(cache=True, nogil=True)
def _average(picture, block):  # type: ignore[no-untyped-def]
    """Means over block × block pixels; the last row and column of blocks may be smaller."""
    high, wide, channels = picture.shape
    rows, columns = (high + block - 1) // block, (wide + block - 1) // block
    out = np.zeros((rows, columns, channels), np.float32)
    for row in range(rows):
        y_end = min((row + 1) * block, high)
        for y in range(row * block, y_end):
            for column in range(columns):
                for x in range(column * block, min((column + 1) * block, wide)):
                    for c in range(channels):
                        out[row, column, c] += np.float32(picture[y, x, c])
        for column in range(columns):
            count = (y_end - row * block) * (min((column + 1) * block, wide) - column * block)
            for c in range(channels):
                out[row, column, c] /= np.float32(count)
    return out


@njit(cache=True, nogil=True)
def _sample(picture, to_picture, repeat, outside, chip):  # type: ignore[no-untyped-def]
    """Fills the chip by bilinear interpolation, at `to_picture` of every chip pixel."""
    high, wide, channels = picture.shape
    one = np.float32(1)
    for row in range(chip.shape[0]):
        for column in range(chip.shape[1]):
            x = to_picture[0, 0] * column + to_picture[0, 1] * row + to_picture[0, 2]
            y = to_picture[1, 0] * column + to_picture[1, 1] * row + to_picture[1, 2]
            if repeat:
                x = min(max(x, 0.0), wide - 1.0)
                y = min(max(y, 0.0), high - 1.0)
            elif x <= -1.0 or y <= -1.0 or x >= wide or y >= high:
                for c in range(channels):
                    chip[row, column, c] = outside
                continue
            x0, y0 = int(np.floor(x)), int(np.floor(y))
            fx, fy = np.float32(x - x0), np.float32(y - y0)
            x1, y1 = x0 + 1, y0 + 1
            if repeat:  # a neighbour that is not there has no weight
                x1, y1 = min(x1, wide - 1), min(y1, high - 1)
            if x0 >= 0 and y0 >= 0 and x1 < wide and y1 < high:
                for c in range(channels):
                    above = picture[y0, x0, c] * (one - fx) + picture[y0, x1, c] * fx
                    below = picture[y1, x0, c] * (one - fx) + picture[y1, x1, c] * fx
                    chip[row, column, c] = above * (one - fy) + below * fy
                continue
            for c in range(channels):
                total = np.float32(0)
                for dy in range(2):
                    for dx in range(2):
                        weight = (fy if dy else one - fy) * (fx if dx else one - fx)
                        yy, xx = y0 + dy, x0 + dx
                        inside = 0 <= yy < high and 0 <= xx < wide
                        total += weight * (np.float32(picture[yy, xx, c]) if inside else outside)
                chip[row, column, c] = total

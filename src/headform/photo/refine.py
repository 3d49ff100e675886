"""Masks whose edges follow the photo's: a guided filter (He, Sun & Tang 2010) around the head.

As in its fast form (He & Sun 2015) the lines are fitted on the network's own grid and drawn on the photo's.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.photo.affine import Doubles, invert
from headform.photo.blazeface import FaceBox
from headform.photo.masks import CHIP, CLASSES, Masks, read_classes
from headform.photo.warp import Bytes, check_picture, warp

Floats = NDArray[np.float32]

RADIUS = 1  # of the network's 256 pixels along the head crop
SMOOTH = 1e-4  # variance of the guide, 0 … 1, below which it is even
# Times the odds of hair, of which the network is too shy: against masks drawn by hand, intersection over union at 0.5
# becomes 0.85 instead of 0.78 (20 photos of CelebAMask-HQ) and, in the head crop, 0.86 for 0.85 (9 of Figaro-1k).
HAIR_WEIGHT = 3.0


def find_fine_masks(picture: Bytes, face: FaceBox) -> Masks:
    """As `find_masks`, with edges where the photo has them, and hair given its due. They sum to 1.

    `picture` is RGB uint8 (H, W, 3). Raises BadInput, MissingModel.
    """
    return draw_masks(picture, *read_classes(check_picture(picture), face))


def draw_masks(picture: Bytes, classes: Floats, to_chip: Doubles) -> Masks:
    """The masks at the picture's size from what `read_classes` saw."""
    high, wide = picture.shape[:2]
    guide = warp(picture, to_chip, (CHIP, CHIP)).mean(-1) / np.float32(255)
    lines = fit_lines(guide, classes, RADIUS, SMOOTH)
    planes = np.zeros((len(CLASSES), high, wide), np.float32)
    planes[CLASSES.index("background")] = 1
    left, top, right, bottom = _window(to_chip, wide, high)
    if right > left and bottom > top:
        first = to_chip[:, :2] @ (left, top) + to_chip[:, 2]
        weights = np.ones(len(CLASSES), np.float32)
        weights[CLASSES.index("hair")] = HAIR_WEIGHT
        window = planes[:, top:bottom, left:right]
        _draw(lines, weights, picture[top:bottom, left:right], first, to_chip[0, 0], window)
    return Masks(**dict(zip(CLASSES, planes, strict=True)))


def guided(guide: Floats, planes: Floats, radius: int, smooth: float) -> Floats:
    """(H, W, C) planes filtered by a grey guide (H, W), 0 … 1: locally a linear function of it, equation (8)."""
    lines = fit_lines(guide, planes, radius, smooth)
    count = planes.shape[2]
    return np.asarray(lines[..., :count] * guide[..., None] + lines[..., count:], np.float32)


def fit_lines(guide: Floats, planes: Floats, radius: int, smooth: float) -> Floats:
    """Slopes and offsets (H, W, 2 C) of the lines plane ≈ slope · guide + offset around each pixel.

    Equations (5) and (6), then averaged over all windows that hold the pixel. Where planes sum to 1, slopes sum to 0
    and offsets to 1.
    """
    count = planes.shape[2]
    grey = guide[..., None]
    mean = box_mean(np.concatenate([grey, grey * grey, planes, planes * grey], 2), radius)
    m, square, p, both = mean[..., :1], mean[..., 1:2], mean[..., 2 : 2 + count], mean[..., 2 + count :]
    slope = (both - m * p) / (square - m * m + np.float32(smooth))
    return box_mean(np.concatenate([slope, p - slope * m], 2), radius)


def box_mean(values: Floats, radius: int) -> Floats:
    """(H, W, C) means over the square of 2 radius + 1 around each pixel, as far as it lies inside."""
    down = _mean_down(np.ascontiguousarray(values, np.float32), radius)
    across = _mean_down(np.ascontiguousarray(down.swapaxes(0, 1)), radius)
    return np.ascontiguousarray(across.swapaxes(0, 1))


@njit(cache=True, nogil=True)
def _mean_down(values, radius):  # type: ignore[no-untyped-def]
    """Means along the first axis, from running sums that are exact enough in double precision."""
    high, wide, count = values.shape
    flat = values.reshape(high, wide * count)
    total = np.zeros(wide * count)
    means = np.empty(flat.shape, np.float32)
    for y in range(min(radius, high)):
        total += flat[y]
    for y in range(high):
        if y + radius < high:
            for x in range(len(total)):
                total[x] += flat[y + radius, x]
        if y > radius:
            for x in range(len(total)):
                total[x] -= flat[y - radius - 1, x]
        share = 1 / (min(y + radius, high - 1) - max(y - radius, 0) + 1)
        for x in range(len(total)):
            means[y, x] = total[x] * share
    return means.reshape(values.shape)


def _window(to_chip: Doubles, wide: int, high: int) -> tuple[int, int, int, int]:
    """left, top, right, bottom of the pixels whose centres the head crop holds."""
    back = invert(to_chip)
    low = np.ceil(back @ (0, 0, 1)).astype(int)
    past = np.floor(back @ (CHIP - 1, CHIP - 1, 1)).astype(int) + 1
    left, top = low.clip(0, (wide, high))
    right, bottom = past.clip(0, (wide, high))
    return int(left), int(top), int(right), int(bottom)


@njit(cache=True, nogil=True)
def _draw(lines, weights, picture, first, step, planes):  # type: ignore[no-untyped-def]
    """Fills planes (C, H, W): lines (256, 256, 2 C) of the photo's grey, clipped, weighted, brought to sum 1.

    `first` is the place of the first pixel in the grid of lines, `step` that of a pixel to the next.
    """
    count, high, wide = planes.shape
    rows, columns = lines.shape[:2]
    row = np.empty((columns, 2 * count), np.float32)
    value = np.empty(count, np.float32)
    one, none = np.float32(1), np.float32(0)
    for y in range(high):
        at = min(max(first[1] + step * y, 0.0), rows - 1.0)
        above = min(int(at), rows - 2)
        share = np.float32(at - above)
        for column in range(columns):
            for c in range(2 * count):
                row[column, c] = lines[above, column, c] * (one - share) + lines[above + 1, column, c] * share
        for x in range(wide):
            at = min(max(first[0] + step * x, 0.0), columns - 1.0)
            before = min(int(at), columns - 2)
            share = np.float32(at - before)
            grey = (
                np.float32(picture[y, x, 0]) + np.float32(picture[y, x, 1]) + np.float32(picture[y, x, 2])
            ) / np.float32(765)
            total = none
            for c in range(count):
                slope = row[before, c] * (one - share) + row[before + 1, c] * share
                offset = row[before, count + c] * (one - share) + row[before + 1, count + c] * share
                value[c] = weights[c] * min(max(slope * grey + offset, none), one)
                total += value[c]
            for c in range(count):  # slopes sum to 0 and offsets to 1, so that some value is above 0
                planes[c, y, x] = value[c] / total

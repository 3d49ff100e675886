"""Masks whose edges follow the photo's: a guided filter (He, Sun & Tang 2010) around the head."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.photo.affine import invert, square_to_chip
from headform.photo.blazeface import FaceBox
from headform.photo.masks import CLASSES, ROOM, Masks
from headform.photo.warp import Bytes, warp

Floats = NDArray[np.float32]

WORK = 448  # pixels along the head crop in which the edges are found
RADIUS = 3  # of these pixels
HAIR_WEIGHT = 2.2  # the network is too shy of hair: against hand-drawn masks IoU 0.79 becomes 0.83
SMOOTH = 1e-4  # variance of the guide, 0–1, below which it is even


def refined(picture: Bytes, masks: Masks, face: FaceBox) -> Masks:
    """The same masks with edges where the picture has them; they still sum to 1."""
    left, top, right, bottom = face.box
    side = ROOM * max(right - left, bottom - top)
    work = int(min(WORK, max(64, side)))
    to_chip = square_to_chip(((left + right) / 2, (top + bottom) / 2), side, 0, work)
    guide = warp(picture, to_chip, (work, work)) / np.float32(255)
    planes = np.stack([getattr(masks, name) for name in CLASSES[1:]], -1)
    planes[..., CLASSES.index("hair") - 1] *= HAIR_WEIGHT
    planes /= np.maximum(planes.sum(-1, keepdims=True) + masks.background[..., None], 1e-6)
    chip = warp(np.ascontiguousarray(planes), to_chip, (work, work), outside=0)
    change = np.clip(guided(guide.mean(-1), chip, RADIUS, SMOOTH), 0, 1) - chip
    back = invert(to_chip)
    high, wide = picture.shape[:2]
    x0, y0 = np.clip(np.floor(back @ (0, 0, 1)), 0, (wide, high)).astype(int)
    x1, y1 = np.clip(np.ceil(back @ (work, work, 1)) + 1, (x0, y0), (wide, high)).astype(int)
    to_window = back - [[0, 0, x0], [0, 0, y0]]
    if x1 <= x0 or y1 <= y0:
        return masks
    finer = planes.copy()
    finer[y0:y1, x0:x1] += warp(change, to_window, (int(x1 - x0), int(y1 - y0)), outside=0)
    finer = np.clip(finer, 0, 1)
    finer /= np.maximum(finer.sum(-1, keepdims=True), 1)
    named = {name: np.ascontiguousarray(finer[..., k]) for k, name in enumerate(CLASSES[1:])}
    return Masks(**named, background=np.asarray(1 - finer.sum(-1), np.float32))


def guided(guide: Floats, planes: Floats, radius: int, smooth: float) -> Floats:
    """(H, W, C) planes filtered by a grey guide (H, W): locally a linear function of it, equations (5) to (8)."""
    count = planes.shape[2]
    stacked = np.concatenate([guide[..., None], (guide * guide)[..., None], planes, planes * guide[..., None]], 2)
    mean = box_mean(stacked, radius)
    m, square, p, both = mean[..., :1], mean[..., 1:2], mean[..., 2 : 2 + count], mean[..., 2 + count :]
    slope = (both - m * p) / (square - m * m + np.float32(smooth))
    lines = box_mean(np.concatenate([slope, p - slope * m], 2), radius)
    return np.asarray(lines[..., :count] * guide[..., None] + lines[..., count:], np.float32)


def box_mean(values: Floats, radius: int) -> Floats:
    """(H, W, C) means over the square of 2 radius + 1 around each pixel, as far as it lies inside."""
    return np.asarray(_box_rows(_box_columns(np.ascontiguousarray(values, np.float32), radius), radius))


@njit(cache=True, nogil=True)
def _box_rows(values, radius):  # type: ignore[no-untyped-def]
    high, wide, count = values.shape
    out = np.empty_like(values)
    total = np.empty((wide, count))
    for x in range(wide):
        for c in range(count):
            total[x, c] = 0.0
    rows = 0
    for y in range(min(radius, high)):
        rows += 1
        for x in range(wide):
            for c in range(count):
                total[x, c] += values[y, x, c]
    for y in range(high):
        if y + radius < high:
            rows += 1
            for x in range(wide):
                for c in range(count):
                    total[x, c] += values[y + radius, x, c]
        if y - radius - 1 >= 0:
            rows -= 1
            for x in range(wide):
                for c in range(count):
                    total[x, c] -= values[y - radius - 1, x, c]
        for x in range(wide):
            for c in range(count):
                out[y, x, c] = total[x, c] / rows
    return out


@njit(cache=True, nogil=True)
def _box_columns(values, radius):  # type: ignore[no-untyped-def]
    high, wide, count = values.shape
    out = np.empty_like(values)
    total = np.empty(count)
    for y in range(high):
        columns = min(radius, wide)
        for c in range(count):
            total[c] = 0.0
            for x in range(columns):
                total[c] += values[y, x, c]
        for x in range(wide):
            if x + radius < wide:
                columns += 1
                for c in range(count):
                    total[c] += values[y, x + radius, c]
            if x - radius - 1 >= 0:
                columns -= 1
                for c in range(count):
                    total[c] -= values[y, x - radius - 1, c]
            for c in range(count):
                out[y, x, c] = total[c] / columns
    return out

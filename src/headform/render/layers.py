"""Cards and clear surfaces: everything that does not hide what is behind, sorted for each pixel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.render.clipping import Prepared, corners_on_grid
from headform.render.raster import half_planes, weights_at

Array = NDArray[Any]
Fragments = tuple[Array, Array, Array]

FRAGMENTS_AT_ONCE = 4_000_000  # bounds memory: a picture full of hair cards is worked off in bands of rows
ENOUGH = 1 / 256  # what is seen through less than this is not drawn
CLEAR = 1 / 1024  # an alpha below this is none
TOUCHING = 1e-5  # relative depth: what is painted on a surface counts as in front of it


class Layers(NamedTuple):
    """Premultiplied linear RGBA of what is in front of the opaque surfaces, for each pixel front to back.

    start: (N + 1,) a pixel's layers are rows start[p] to start[p + 1]; depth: (F,) metres; rgba: (F, 4)
    """

    start: NDArray[np.int64]
    depth: NDArray[np.float32]
    rgba: NDArray[np.float32]


def no_layers(pixels: int) -> Layers:
    """Layers of a picture that has none."""
    return Layers(np.zeros(pixels + 1, np.int64), np.zeros(0, np.float32), np.zeros((0, 4), np.float32))


def gather_layers(
    mesh: Prepared,
    faces: NDArray[np.int32],
    culled: NDArray[np.uint8],
    opaque: NDArray[np.float32],
    alphas: Callable[[Fragments], NDArray[np.float32]],
    colours: Callable[[Fragments], NDArray[np.float32]],
) -> Layers:
    """Layers of the transparent triangles in front of the opaque depth (H, W).

    alphas and colours get fragments: pixel (F,), row of `faces` (F,), barycentric (F, 3). They give alpha
    (F,), to find out what is hidden, and premultiplied linear RGBA (F, 4) of those that are not.
    """
    height, width = opaque.shape
    counts = np.zeros(height * width, np.int64)
    parts: list[Layers] = []
    per_row = np.zeros(height, np.int64)
    _count_rows(mesh, faces, culled, per_row, width)
    for top, bottom in _bands(per_row):
        room = int(per_row[top:bottom].sum())
        pixel, triangle = np.empty(room, np.int32), np.empty(room, np.int32)
        nearness = np.empty(room, np.float32)
        found = _collect(mesh, faces, culled, opaque, top, bottom, pixel, triangle, nearness)
        if not found:
            continue
        start = np.zeros((bottom - top) * width + 1, np.int64)
        order = _sorted(pixel[:found], nearness[:found], top * width, start)
        pixel, triangle = pixel[order], triangle[order]
        place, depth = _located(mesh.homogeneous, faces, pixel, triangle, width)
        kept = _unhidden(start, alphas((pixel, triangle, place)), counts[top * width : bottom * width])
        rgba = colours((pixel[kept], triangle[kept], np.ascontiguousarray(place[kept])))
        parts.append(Layers(start, depth[kept], rgba))
    if not parts:
        return no_layers(height * width)
    start = np.concatenate([[0], np.cumsum(counts)])
    return Layers(start, np.concatenate([p.depth for p in parts]), np.concatenate([p.rgba for p in parts]))


def _bands(per_row: NDArray[np.int64]) -> list[tuple[int, int]]:
    bands, top, load = [], 0, 0
    for row, count in enumerate(per_row):
        if load + count > FRAGMENTS_AT_ONCE and row > top:
            bands.append((top, row))
            top, load = row, 0
        load += int(count)
    bands.append((top, len(per_row)))
    return bands


@njit(cache=True, error_model="numpy", nogil=True)
def _count_rows(mesh: Any, triangles: Any, culled: Any, per_row: Any, width: int) -> None:
    """An upper bound of the fragments in each row: what the triangles cover, hidden or not."""
    place, value = np.empty((16, 2), np.int64), np.empty(16)
    for t in range(len(triangles)):
        count = corners_on_grid(mesh, triangles[t, 0], triangles[t, 1], triangles[t, 2], place, value)
        for k in range(1, count - 1):
            edges = half_planes(place[0], place[k], place[k + 1], width, len(per_row))
            area, (left, right, top, bottom), one, two, three = edges
            if area == 0 or (area > 0 and culled[t]):
                continue
            for y in range(top, bottom + 1):
                start, stop = _span(one, two, three, y, left, right)
                per_row[y] += max(stop - start, 0)


@njit(cache=True, error_model="numpy", nogil=True)
def _span(one: Any, two: Any, three: Any, y: int, left: int, right: int) -> Any:
    """First pixel, and the one after the last, of row y inside three edges."""
    start, stop = left, right + 1
    for a, b, c in (one, two, three):
        rest = b * y + c
        if a > 0:
            start = max(start, -(rest // a))
        elif a < 0:
            stop = min(stop, rest // -a + 1)
        elif rest < 0:
            stop = start
    return start, stop


@njit(cache=True, error_model="numpy", nogil=True)
def _collect(
    mesh: Any,
    triangles: Any,
    culled: Any,
    opaque: Any,
    first_row: int,
    end_row: int,
    pixel: Any,
    triangle: Any,
    nearness: Any,
) -> int:
    height, width = opaque.shape
    place, value = np.empty((16, 2), np.int64), np.empty(16)
    found = 0
    for t in range(len(triangles)):
        count = corners_on_grid(mesh, triangles[t, 0], triangles[t, 1], triangles[t, 2], place, value)
        for k in range(1, count - 1):
            edges = half_planes(place[0], place[k], place[k + 1], width, height)
            area, (left, right, top, bottom), one, two, three = edges
            if area == 0 or (area > 0 and culled[t]):
                continue
            scale = 1.0 / abs(area)
            q0, q1, q2 = value[0] * scale, value[k] * scale, value[k + 1] * scale
            for y in range(max(top, first_row), min(bottom + 1, end_row)):
                start, stop = _span(one, two, three, y, left, right)
                for x in range(start, stop):
                    q = q0 * (one[0] * x + one[1] * y + one[2])
                    q += q1 * (two[0] * x + two[1] * y + two[2])
                    q += q2 * (three[0] * x + three[1] * y + three[2])
                    limit = -opaque[y, x] if mesh.orthographic else 1.0 / opaque[y, x]
                    if q >= limit - TOUCHING * abs(limit):
                        pixel[found], triangle[found], nearness[found] = y * width + x, t, q
                        found += 1
    return found


@njit(cache=True, error_model="numpy", nogil=True)
def _sorted(pixel: Any, nearness: Any, first: int, start: Any) -> Any:
    """The order that groups fragments by pixel and puts the near ones first; equal ones stay as they were."""
    for p in pixel:
        start[p - first + 1] += 1
    for p in range(1, len(start)):
        start[p] += start[p - 1]
    free = start[:-1].copy()
    order = np.empty(len(pixel), np.int64)
    for n in range(len(pixel)):
        p = pixel[n] - first
        at = free[p]
        free[p] += 1
        while at > start[p] and nearness[order[at - 1]] < nearness[n]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = n
    return order


@njit(cache=True, error_model="numpy", nogil=True)
def _located(homogeneous: Any, triangles: Any, pixel: Any, triangle: Any, width: int) -> Any:
    place, depth = np.empty((len(pixel), 3), np.float32), np.empty(len(pixel), np.float32)
    for n in range(len(pixel)):
        x, y, t = pixel[n] % width, pixel[n] // width, triangle[n]
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        place[n, 0], place[n, 1], place[n, 2], depth[n] = weights_at(homogeneous, i, j, k, x, y)
    return place, depth


@njit(cache=True, error_model="numpy", nogil=True)
def _unhidden(start: Any, alpha: Any, counts: Any) -> Any:
    """Rows that can be seen, in order; counts what each pixel keeps. Negative alpha hides nothing."""
    kept = np.empty(len(alpha), np.int64)
    found = 0
    for p in range(len(start) - 1):
        through = 1.0
        for n in range(start[p], start[p + 1]):
            if alpha[n] < 0 or alpha[n] > CLEAR:
                kept[found] = n
                found += 1
                counts[p] += 1
                through *= 1 - max(alpha[n], 0.0)
                if through < ENOUGH:
                    break
    return kept[:found]


@njit(cache=True, error_model="numpy", nogil=True)
def add_rest(layers: Any, used: Any, front: Any, opaque: Any) -> None:
    """Finish each pixel: what is left of its layers, then the opaque colour (N, 4), go behind `front`.

    front: (N, 4 or more). used: (N,) how many layers are already in it. The result is in `opaque`.
    """
    for p in range(len(front)):
        for n in range(layers.start[p] + used[p], layers.start[p + 1]):
            through = 1 - front[p, 3]
            for channel in range(4):
                front[p, channel] += through * layers.rgba[n, channel]
        through = 1 - front[p, 3]
        for channel in range(4):
            opaque[p, channel] = front[p, channel] + through * opaque[p, channel]

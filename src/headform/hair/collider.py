"""What hair cannot enter: the head, and shoulders that no bust has, as distances on a grid."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.hair.scalp import Scalp

Floats = NDArray[np.float32]

CELL = 0.005  # metres
LOW, SHAPE = np.array([-0.23, -0.47, -0.21]), (93, 140, 83)  # the grid's first cell, and how many
SAMPLE = 0.0045  # metres between the points by which the surface is known

EAR_SIDE, EAR_LOW, EAR_HIGH, EAR_BACK, EAR_FRONT = 0.066, -0.034, 0.064, -0.045, 0.026  # metres, of the mean head
EAR_REACH = 6  # cells around an ear in which it counts
FLATTEN = 300  # rounds of averaging neighbours: an ear is about ten of them wide

# shoulders, metres: photos end at the neck, hair does not
CHEST, CHEST_DEEP, CHEST_ROUND = (0.175, -0.41, -0.02), 0.82, 0.062
CHEST_TOP, SLOPE, SLOPE_FROM = -0.160, 0.22, 0.055
NECK_AT, NECK_TOP, NECK_WIDE = -0.02, -0.115, 0.05
RIM_BELOW = -0.07  # metres of y, of the mean head: the neck's rim is lower, mouth and eyes higher
CHEST_AT, BACK_AT = (CHEST[2] + sign * (CHEST_ROUND / CHEST_DEEP + 0.004) for sign in (1, -1))  # z where hair lies


class Field(NamedTuple):
    """Signed distances in metres, negative inside, at cells (X, Y, Z) from `origin`; beyond it the nearest holds."""

    origin: NDArray[np.float64]
    cell: float
    distance: Floats


class Collider(NamedTuple):
    """bare: skull, neck and shoulders without ears, for hair that grows behind them; whole: with ears, and the gap
    behind them closed, for hair that falls over them."""

    bare: Field
    whole: Field


def collider_of(scalp: Scalp, vertices: Floats) -> Collider:
    """The collider of a head with these vertices (V, 3) at rest."""
    flat = _without_ears(scalp, vertices)
    points, normals = _samples(flat, scalp.triangles)
    bare = _field(points, normals, _under_neck(vertices[_rim(scalp)]))
    ears = ear_vertices(scalp)
    if not ears.any():
        return Collider(bare, bare)
    points, normals = _samples(vertices, scalp.triangles[ears[scalp.triangles].all(1)])
    return Collider(bare, _with_ears(bare, points, normals))


def ear_vertices(scalp: Scalp) -> NDArray[np.bool_]:
    """(V,) what stands off the side of the mean skull."""
    x, y, z = np.abs(scalp.home[:, 0]), scalp.home[:, 1], scalp.home[:, 2]
    return (x > EAR_SIDE) & (y > EAR_LOW) & (y < EAR_HIGH) & (z > EAR_BACK) & (z < EAR_FRONT)


def distance(field: Field, points: Floats) -> Floats:
    """(N,) metres from points (N, 3) to the surface, negative inside."""
    out = np.empty(len(points), np.float32)
    _distances(np.ascontiguousarray(points, np.float32), field, out)
    return out


def push_out(field: Field, strands: Floats, gap: float) -> Floats:
    """(S, P, 3) strands of which no point but the root is nearer than `gap` metres to the surface."""
    out = np.array(strands, np.float32)
    _push(out, field, gap)
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def look_up(field: Any, x: float, y: float, z: float) -> Any:
    """(distance, and its gradient's x, y, z, of length about 1) at a point."""
    origin, cell, grid = field
    a = min(max((x - origin[0]) / cell, 0.0), grid.shape[0] - 1.001)
    b = min(max((y - origin[1]) / cell, 0.0), grid.shape[1] - 1.001)
    c = min(max((z - origin[2]) / cell, 0.0), grid.shape[2] - 1.001)
    i, j, k = int(a), int(b), int(c)
    f, g, h = a - i, b - j, c - k
    v000, v001, v010, v011 = grid[i, j, k], grid[i, j, k + 1], grid[i, j + 1, k], grid[i, j + 1, k + 1]
    v100, v101 = grid[i + 1, j, k], grid[i + 1, j, k + 1]
    v110, v111 = grid[i + 1, j + 1, k], grid[i + 1, j + 1, k + 1]
    low0, low1 = v000 + h * (v001 - v000), v010 + h * (v011 - v010)
    high0, high1 = v100 + h * (v101 - v100), v110 + h * (v111 - v110)
    low, high = low0 + g * (low1 - low0), high0 + g * (high1 - high0)
    value = low + f * (high - low)
    dy = (1 - f) * (low1 - low0) + f * (high1 - high0)
    dz = (1 - f) * ((1 - g) * (v001 - v000) + g * (v011 - v010)) + f * ((1 - g) * (v101 - v100) + g * (v111 - v110))
    return value, (high - low) / cell, dy / cell, dz / cell


@njit(cache=True, error_model="numpy", nogil=True)
def _distances(points: Any, field: Any, out: Any) -> None:
    for n in range(len(points)):
        out[n] = look_up(field, points[n, 0], points[n, 1], points[n, 2])[0]


@njit(cache=True, error_model="numpy", nogil=True)
def _push(strands: Any, field: Any, gap: float) -> None:
    for s in range(strands.shape[0]):
        for k in range(1, strands.shape[1]):
            for _ in range(3):  # the gradient turns on the way out
                d, gx, gy, gz = look_up(field, strands[s, k, 0], strands[s, k, 1], strands[s, k, 2])
                if d >= gap:
                    break
                way = (gap - d) / max(np.sqrt(gx * gx + gy * gy + gz * gz), 0.3)
                length = np.sqrt(gx * gx + gy * gy + gz * gz) + 1e-9
                strands[s, k, 0] += way * gx / length
                strands[s, k, 1] += way * gy / length
                strands[s, k, 2] += way * gz / length


# ── how the grid comes about ─────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=2)
def _rim(scalp: Scalp) -> NDArray[np.int64]:
    """The vertices along which the neck is open: those of edges with one triangle, low on the head."""
    edges = np.sort(scalp.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    single, times = np.unique(edges, axis=0, return_counts=True)
    border = np.unique(single[times == 1])
    return np.asarray(border[scalp.home[border, 1] < RIM_BELOW])


def _under_neck(rim: Floats) -> NDArray[np.bool_]:
    """SHAPE: cells below the plane through the neck's rim (N, 3), where the mesh says nothing of inside and outside."""
    if len(rim) < 3:
        return np.zeros(SHAPE, bool)
    x, y, z = (LOW[a] + CELL * np.arange(SHAPE[a]) for a in range(3))
    (a, b, c), *_ = np.linalg.lstsq(np.column_stack([rim[:, 0], rim[:, 2], np.ones(len(rim))]), rim[:, 1], rcond=None)
    return np.asarray(y[None, :, None] < a * x[:, None, None] + b * z[None, None, :] + c)


def _field(points: Floats, normals: Floats, below: NDArray[np.bool_]) -> Field:
    half = tuple(-(-cells // 2) + 1 for cells in SHAPE)
    coarse, best = np.full(half, -1, np.int32), np.full(half, np.inf, np.float32)
    _spread(points, LOW, 2 * CELL, 1, coarse, best)
    _sweep(points, LOW, 2 * CELL, coarse, best)
    nearest, best = np.full(SHAPE, -1, np.int32), np.full(SHAPE, np.inf, np.float32)
    _spread(points, LOW, CELL, 2, nearest, best)
    _refine(points, LOW, CELL, coarse, nearest, best)
    grid = np.empty(SHAPE, np.float32)
    _signed(points, normals, nearest, LOW, CELL, grid)
    grid[below] = np.abs(grid[below])
    np.minimum(grid, _shoulders(), out=grid)
    return Field(LOW, CELL, _smoothed(grid))


def _with_ears(bare: Field, points: Floats, normals: Floats) -> Field:
    """The same with ears, seen from the side: what lies between them and the skull is inside."""
    outward = normals[:, 0] * np.sign(points[:, 0]) > 0.1
    points, normals = points[outward], normals[outward]
    near, best = np.full(SHAPE, -1, np.int32), np.full(SHAPE, np.inf, np.float32)
    _spread(points, LOW, CELL, EAR_REACH, near, best)
    ear = np.full(SHAPE, EAR_REACH * CELL, np.float32)
    _signed(points, normals, near, LOW, CELL, ear)
    joined = np.where(_beside(points), np.minimum(bare.distance, np.maximum(ear, -CELL)), bare.distance)
    return Field(LOW, CELL, _smoothed(_smoothed(joined)))


def _beside(points: Floats) -> NDArray[np.bool_]:
    """SHAPE: cells that, seen from the side, lie on an ear or close around it."""
    seen = np.zeros((2, *SHAPE[1:]), bool)
    cell = np.rint((points - LOW) / CELL).astype(int)
    side = (points[:, 0] > 0).astype(int)
    for dy in (-1, 0, 1):
        for dz in (-1, 0, 1):
            seen[side, cell[:, 1] + dy, cell[:, 2] + dz] = True
    left = LOW[0] + CELL * np.arange(SHAPE[0]) > 0
    return np.asarray(np.where(left[:, None, None], seen[1], seen[0]))


def _smoothed(grid: Floats) -> Floats:
    for axis in range(3):
        rolled = np.moveaxis(grid, axis, 0)
        soft = rolled * np.float32(0.5)
        soft[1:-1] += np.float32(0.25) * (rolled[:-2] + rolled[2:])
        soft[0] += np.float32(0.5) * rolled[0]
        soft[-1] += np.float32(0.5) * rolled[-1]
        grid = np.moveaxis(soft, 0, axis)
    return np.ascontiguousarray(grid)


@lru_cache(maxsize=1)
def _shoulders() -> Floats:
    """SHAPE: distance to a rounded chest whose top slopes down to the sides, and to the root of a neck."""
    x, y, z = (LOW[a] + CELL * np.arange(SHAPE[a]) for a in range(3))
    side = np.abs(x)[:, None, None]
    deep = (z - CHEST[2])[None, None, :] * CHEST_DEEP
    top = CHEST_TOP - SLOPE * np.maximum(side - SLOPE_FROM, 0)
    over = y[None, :, None] - (top - CHEST_ROUND)
    out = np.sqrt(np.maximum(side - CHEST[0], 0) ** 2 + np.maximum(over, 0) ** 2 + deep**2)
    neck = np.hypot(np.hypot(side, (z - NECK_AT)[None, None, :]), np.maximum(y - NECK_TOP, 0)[None, :, None])
    return np.asarray(np.minimum(out - CHEST_ROUND, neck - NECK_WIDE), np.float32)


def _samples(vertices: Floats, triangles: NDArray[np.int32]) -> tuple[Floats, Floats]:
    """Points and unit normals all over a mesh: vertices, and the middles of edges that are long."""
    across = np.cross(
        vertices[triangles[:, 1]] - vertices[triangles[:, 0]], vertices[triangles[:, 2]] - vertices[triangles[:, 0]]
    )
    normals = np.zeros_like(vertices)
    for corner in range(3):
        for axis in range(3):
            normals[:, axis] += np.bincount(triangles[:, corner], across[:, axis], len(vertices))
    used = np.unique(triangles)
    points, tilts = [vertices[used]], [normals[used]]
    size = np.sqrt(np.linalg.norm(across, axis=1))
    for steps, least in ((2, SAMPLE), (4, 2.5 * SAMPLE)):
        large = triangles[size > least]
        for i in range(steps + 1):
            for j in range(steps + 1 - i):
                if max(i, j, steps - i - j) == steps:
                    continue
                share = np.array([i, j, steps - i - j], np.float32) / steps
                points.append(np.einsum("tcx,c->tx", vertices[large], share))
                tilts.append(np.einsum("tcx,c->tx", normals[large], share))
    tilt = np.concatenate(tilts)
    tilt /= np.maximum(np.linalg.norm(tilt, axis=1, keepdims=True), 1e-12)
    return np.concatenate(points).astype(np.float32), tilt.astype(np.float32)


@njit(cache=True, error_model="numpy", nogil=True)
def _spread(points: Any, origin: Any, cell: float, reach: int, nearest: Any, best: Any) -> None:
    """Into each cell within `reach` of a point the index of the point nearest to it, and its distance squared."""
    nx, ny, nz = nearest.shape
    for n in range(len(points)):
        i0 = int((points[n, 0] - origin[0]) / cell)
        j0, k0 = int((points[n, 1] - origin[1]) / cell), int((points[n, 2] - origin[2]) / cell)
        for i in range(max(i0 - reach + 1, 0), min(i0 + reach + 1, nx)):
            for j in range(max(j0 - reach + 1, 0), min(j0 + reach + 1, ny)):
                for k in range(max(k0 - reach + 1, 0), min(k0 + reach + 1, nz)):
                    _offer(points, origin, cell, nearest, best, i, j, k, n)


@njit(cache=True, error_model="numpy", nogil=True)
def _sweep(points: Any, origin: Any, cell: float, nearest: Any, best: Any) -> None:
    """Carry the nearest points on to all cells, in eight sweeps: Danielsson 1980."""
    nx, ny, nz = nearest.shape
    for sweep in range(8):
        a, b, c = 1 - 2 * (sweep & 1), 1 - 2 * (sweep >> 1 & 1), 1 - 2 * (sweep >> 2 & 1)
        for ii in range(nx):
            i = ii if a > 0 else nx - 1 - ii
            for jj in range(ny):
                j = jj if b > 0 else ny - 1 - jj
                for kk in range(nz):
                    k = kk if c > 0 else nz - 1 - kk
                    if 0 <= i - a < nx:
                        _offer(points, origin, cell, nearest, best, i, j, k, nearest[i - a, j, k])
                    if 0 <= j - b < ny:
                        _offer(points, origin, cell, nearest, best, i, j, k, nearest[i, j - b, k])
                    if 0 <= k - c < nz:
                        _offer(points, origin, cell, nearest, best, i, j, k, nearest[i, j, k - c])


@njit(cache=True, error_model="numpy", nogil=True)
def _refine(points: Any, origin: Any, cell: float, coarse: Any, nearest: Any, best: Any) -> None:
    """Into each cell the nearest of the points that the eight coarse cells around it know."""
    nx, ny, nz = nearest.shape
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                for corner in range(8):
                    a = min((i + (corner & 1)) // 2, coarse.shape[0] - 1)
                    b = min((j + (corner >> 1 & 1)) // 2, coarse.shape[1] - 1)
                    c = min((k + (corner >> 2 & 1)) // 2, coarse.shape[2] - 1)
                    _offer(points, origin, cell, nearest, best, i, j, k, coarse[a, b, c])


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _offer(
    points: Any, origin: Any, cell: float, nearest: Any, best: Any, i: int, j: int, k: int, n: int
) -> None:  # fmt: skip
    if n < 0 or n == nearest[i, j, k]:
        return
    x, y, z = origin[0] + cell * i, origin[1] + cell * j, origin[2] + cell * k
    far = (points[n, 0] - x) ** 2 + (points[n, 1] - y) ** 2 + (points[n, 2] - z) ** 2
    if far < best[i, j, k]:
        best[i, j, k] = far
        nearest[i, j, k] = n


@njit(cache=True, error_model="numpy", nogil=True)
def _signed(points: Any, normals: Any, nearest: Any, origin: Any, cell: float, out: Any) -> None:
    """The distance to a disc about the nearest point, which lies between those around it."""
    for i in range(nearest.shape[0]):
        for j in range(nearest.shape[1]):
            for k in range(nearest.shape[2]):
                n = nearest[i, j, k]
                if n < 0:
                    continue
                dx, dy = origin[0] + cell * i - points[n, 0], origin[1] + cell * j - points[n, 1]
                dz = origin[2] + cell * k - points[n, 2]
                along = dx * normals[n, 0] + dy * normals[n, 1] + dz * normals[n, 2]
                beside = np.sqrt(max(dx * dx + dy * dy + dz * dz - along * along, 0.0))
                beside = max(beside - 0.5 * SAMPLE, 0.0)
                far = np.sqrt(along * along + beside * beside)
                out[i, j, k] = far if along > 0 else -far


def _without_ears(scalp: Scalp, vertices: Floats) -> Floats:
    """(V, 3) vertices, those of the ears laid flat between their neighbours."""
    ears = ear_vertices(scalp)
    starts, others, which = _around_ears(scalp)
    out = np.array(vertices, np.float32)
    if ears.any():
        _level(out, starts, others, which)
    return out


@lru_cache(maxsize=2)
def _around_ears(scalp: Scalp) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """starts (E + 1,) and others (N,): the neighbours of each of the ears' vertices `which` (E,)."""
    edges = scalp.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    both = np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)
    which = np.flatnonzero(ear_vertices(scalp))
    mine = both[np.isin(both[:, 0], which)]
    starts = np.searchsorted(mine[:, 0], np.append(which, len(scalp.home)))
    return starts.astype(np.int32), np.ascontiguousarray(mine[:, 1], np.int32), which.astype(np.int32)


@njit(cache=True, error_model="numpy", nogil=True)
def _level(vertices: Any, starts: Any, others: Any, which: Any) -> None:
    for _ in range(FLATTEN):
        for e in range(len(which)):
            count = starts[e + 1] - starts[e]
            for axis in range(3):
                total = 0.0
                for at in range(starts[e], starts[e + 1]):
                    total += vertices[others[at], axis]
                if count:
                    vertices[which[e], axis] = total / count

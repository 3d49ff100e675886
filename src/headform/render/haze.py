"""Shadow in hair: a coarse grid of how much hair there is, swept once towards each light."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.render.strands import Strands

Floats = NDArray[np.float32]

CELL = 0.004  # metres
REACH = 0.15  # metres
LARGEST = 160  # cells on a side; larger hair gets larger cells
SKY = np.array([(0, 1, 0), (0.8, 0.35, 0.5), (-0.8, 0.35, 0.5), (0.0, 0.25, -1.0), (0, -0.2, 1.0)], float)


class Haze(NamedTuple):
    """How much light comes through the hair. origin: (3,) centre of the first cell; cell: metres;
    through: (X, Y, Z, L + 1) 0–1 for each lamp and, last, the mean over the sky."""

    origin: NDArray[np.float64]
    cell: float
    through: Floats


def haze_of(
    strands: tuple[Strands, ...], directions: NDArray[np.float64], around: Sequence[Floats] = ()
) -> Haze | None:
    """The haze of all strands that cast shadow, for lamps in directions (L, 3); None where there are none.

    around: points (N, 3) on which the shadow falls; the grid reaches them as far as REACH beyond the hair.
    """
    casting = [s for s in strands if s.shadow > 0 and s.points.size]
    if not casting:
        return None
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for each in casting:
        _widen(each.points, low, high)
    limits = low - REACH, high + REACH
    for points in around:
        _widen(points[None], low, high)
    low, high = np.maximum(low, limits[0]), np.minimum(high, limits[1])
    cell = max(CELL, float((high - low).max()) / (LARGEST - 4))
    origin = low - 2 * cell
    shape = np.ceil((high - low) / cell).astype(int) + 5
    density = np.zeros(tuple(shape), np.float32)
    for each in casting:
        _deposit(each.points, each.shadow / cell**2, origin, cell, density)
    density = _blurred(density)
    through = np.zeros((*density.shape, len(directions) + 1), np.float32)
    for n, direction in enumerate(directions):
        through[..., n] = np.exp(-_swept(density, direction))
    for direction in SKY:
        through[..., -1] += np.exp(-_swept(density, direction / np.linalg.norm(direction))) / len(SKY)
    return Haze(origin, cell, through)


def light_through(haze: Haze, points: Floats) -> Floats:
    """(N, L + 1) how much of each lamp, and of the sky, reaches points (N, 3); 1 outside the grid."""
    out = np.empty((len(points), haze.through.shape[3]), np.float32)
    _look_up(points, haze.origin, haze.cell, haze.through, out)
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def _widen(points: Any, low: Any, high: Any) -> None:
    """Make the box from low (3,) to high (3,) hold the points; NumPy takes ten times as long."""
    for s in range(points.shape[0]):
        for k in range(points.shape[1]):
            for axis in range(3):
                low[axis] = min(low[axis], points[s, k, axis])
                high[axis] = max(high[axis], points[s, k, axis])


@njit(cache=True, error_model="numpy", nogil=True)
def _deposit(points: Any, weight: float, origin: Any, cell: float, density: Any) -> None:
    """Add each segment to the cell it begins in: a cell's optical depth is length · width / cell²."""
    for s in range(points.shape[0]):
        for k in range(points.shape[1] - 1):
            x, y, z = points[s, k, 0], points[s, k, 1], points[s, k, 2]
            dx, dy, dz = points[s, k + 1, 0] - x, points[s, k + 1, 1] - y, points[s, k + 1, 2] - z
            i, j = int((x - origin[0]) / cell + 0.5), int((y - origin[1]) / cell + 0.5)
            density[i, j, int((z - origin[2]) / cell + 0.5)] += weight * np.sqrt(dx * dx + dy * dy + dz * dz)


def _blurred(density: Floats) -> Floats:
    """Each cell with a quarter of its neighbours on either side, along each axis."""
    for axis in range(3):
        rolled = np.moveaxis(density, axis, 0)
        soft = rolled * np.float32(0.5)
        soft[1:] += rolled[:-1] * np.float32(0.25)
        soft[:-1] += rolled[1:] * np.float32(0.25)
        density = np.moveaxis(soft, 0, axis)
    return density


def _swept(density: Floats, direction: NDArray[np.float64]) -> Floats:
    """(X, Y, Z) optical depth from each cell, without itself, out to the light."""
    axis = int(np.argmax(np.abs(direction)))
    other = [(axis + 1) % 3, (axis + 2) % 3]
    turned = np.ascontiguousarray(density.transpose(axis, *other))
    if direction[axis] < 0:
        turned = np.ascontiguousarray(turned[::-1])
    out = np.zeros_like(turned)
    lean = direction[other] / abs(direction[axis])
    _sweep(turned, float(lean[0]), float(lean[1]), float(1 / abs(direction[axis])), out)
    if direction[axis] < 0:
        out = out[::-1]
    return out.transpose(np.argsort([axis, *other]))


@njit(cache=True, error_model="numpy", nogil=True)
def _sweep(density: Any, dj: float, dk: float, length: float, out: Any) -> None:
    """From the slice nearest the light inwards, each taking up what the one before let through."""
    ni, nj, nk = density.shape
    fj, fk = int(np.floor(dj)), int(np.floor(dk))
    wj, wk = np.float32(dj - fj), np.float32(dk - fk)
    total = np.zeros((nj + 2, nk + 2), np.float32)
    for i in range(ni - 2, -1, -1):
        for j in range(nj):
            for k in range(nk):
                total[j + 1, k + 1] = out[i + 1, j, k] + np.float32(length) * density[i + 1, j, k]
        for j in range(nj):
            j0, j1 = min(max(j + fj + 1, 0), nj + 1), min(max(j + fj + 2, 0), nj + 1)
            for k in range(nk):
                k0, k1 = min(max(k + fk + 1, 0), nk + 1), min(max(k + fk + 2, 0), nk + 1)
                near = total[j0, k0] + wk * (total[j0, k1] - total[j0, k0])
                far = total[j1, k0] + wk * (total[j1, k1] - total[j1, k0])
                out[i, j, k] = near + wj * (far - near)


@njit(cache=True, error_model="numpy", nogil=True)
def _look_up(points: Any, origin: Any, cell: float, through: Any, out: Any) -> None:
    ni, nj, nk, lights = through.shape
    for n in range(len(points)):
        x, y = (points[n, 0] - origin[0]) / cell, (points[n, 1] - origin[1]) / cell
        z = (points[n, 2] - origin[2]) / cell
        if not (x >= 0 and y >= 0 and z >= 0 and x < ni - 1 and y < nj - 1 and z < nk - 1):
            out[n] = 1.0
            continue
        i, j, k = int(x), int(y), int(z)
        fx, fy, fz = np.float32(x - i), np.float32(y - j), np.float32(z - k)
        for light in range(lights):
            c00 = through[i, j, k, light] + fz * (through[i, j, k + 1, light] - through[i, j, k, light])
            c01 = through[i, j + 1, k, light]
            c01 += fz * (through[i, j + 1, k + 1, light] - c01)
            c10 = through[i + 1, j, k, light]
            c10 += fz * (through[i + 1, j, k + 1, light] - c10)
            c11 = through[i + 1, j + 1, k, light]
            c11 += fz * (through[i + 1, j + 1, k + 1, light] - c11)
            near, far = c00 + fy * (c01 - c00), c10 + fy * (c11 - c10)
            out[n, light] = near + fx * (far - near)

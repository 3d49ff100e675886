"""From triangles in the world to corners on the picture's grid: projection, near plane and guard band."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from headform.render.camera import Camera
from headform.render.surface import check_mesh

ON_GRID = 1024  # steps in a pixel: edges are compared in whole numbers, so that none is left to rounding
GUARD = float(1 << 18)  # pixels; beyond this a triangle is cut, so that products of grid steps fit 64 bits
NEAR = 1e-3  # metres in front of a perspective camera


class Prepared(NamedTuple):
    """A mesh in front of a camera.

    homogeneous  (V, 4) X, Y, w, depth, with pixel = (X, Y) / w; w is 1 for an orthographic camera
    grid         (V, 2) pixels in steps of 1/ON_GRID; 0 where the vertex must be clipped first
    nearness     (V,) grows towards the camera and is linear in the picture: 1/w, or −depth
    easy         (V,) 1 where the vertex needs no clipping
    orthographic whether the camera is
    """

    homogeneous: NDArray[np.float64]
    grid: NDArray[np.int64]
    nearness: NDArray[np.float64]
    easy: NDArray[np.uint8]
    orthographic: bool


def prepared(vertices: ArrayLike, triangles: ArrayLike, camera: Camera) -> tuple[Prepared, NDArray[np.int32]]:
    """A checked mesh, ready to be drawn. BadInput where vertices are not finite or indices do not exist."""
    points = np.asarray(vertices, np.float64)
    faces = np.ascontiguousarray(triangles, np.int32)
    check_mesh(points, faces)
    local = camera.to_camera(points)
    homogeneous = np.empty((len(points), 4))
    if camera.orthographic:
        homogeneous[:, :2] = local[:, :2] @ camera.matrix[:2, :2].T + camera.matrix[:2, 2]
        homogeneous[:, 2] = 1.0
    else:
        homogeneous[:, :3] = local @ camera.matrix.T
    homogeneous[:, 3] = local[:, 2]
    grid, nearness, easy = _snap(homogeneous, camera.orthographic)
    return Prepared(homogeneous, grid, nearness, easy, camera.orthographic), faces


@njit(cache=True, error_model="numpy", nogil=True)
def _snap(homogeneous: Any, orthographic: bool) -> Any:
    count = len(homogeneous)
    grid, nearness = np.zeros((count, 2), np.int64), np.zeros(count)
    easy = np.zeros(count, np.uint8)
    for i in range(count):
        w = homogeneous[i, 2]
        if w < NEAR:
            continue
        x, y = homogeneous[i, 0] / w, homogeneous[i, 1] / w
        if abs(x) < GUARD and abs(y) < GUARD:
            grid[i, 0], grid[i, 1] = int(np.rint(x * ON_GRID)), int(np.rint(y * ON_GRID))
            nearness[i] = -homogeneous[i, 3] if orthographic else 1.0 / w
            easy[i] = 1
    return grid, nearness, easy


@njit(cache=True, error_model="numpy", nogil=True)
def corners_on_grid(mesh: Any, i: int, j: int, k: int, place: Any, value: Any) -> int:
    """Write what is in front of the camera of triangle (i, j, k) into place (16, 2) and value (16,).

    Returns how many there are: 3, or 0 to 8 where it was clipped (a fan about the first).
    """
    if mesh.easy[i] and mesh.easy[j] and mesh.easy[k]:
        place[0, 0], place[0, 1], value[0] = mesh.grid[i, 0], mesh.grid[i, 1], mesh.nearness[i]
        place[1, 0], place[1, 1], value[1] = mesh.grid[j, 0], mesh.grid[j, 1], mesh.nearness[j]
        place[2, 0], place[2, 1], value[2] = mesh.grid[k, 0], mesh.grid[k, 1], mesh.nearness[k]
        return 3
    polygon = np.empty((16, 4))
    polygon[0], polygon[1], polygon[2] = mesh.homogeneous[i], mesh.homogeneous[j], mesh.homogeneous[k]
    return _clipped(polygon, mesh.orthographic, place, value)


@njit(cache=True, error_model="numpy", nogil=True)
def _clipped(polygon: Any, orthographic: bool, place: Any, value: Any) -> int:
    """Sutherland–Hodgman against the near plane and the four sides of the guard band."""
    cut = np.empty((16, 4))
    count = 3
    for plane in range(5):
        kept = 0
        for n in range(count):
            here, there = polygon[n], polygon[(n + 1) % count]
            inside, beyond = _distance(here, plane), _distance(there, plane)
            if inside >= 0:
                cut[kept] = here
                kept += 1
            if (inside >= 0) != (beyond >= 0):
                cut[kept] = here + (there - here) * (inside / (inside - beyond))
                kept += 1
        polygon, cut = cut, polygon
        count = kept
    for n in range(count):
        w = polygon[n, 2]
        place[n, 0] = int(np.rint(polygon[n, 0] / w * ON_GRID))
        place[n, 1] = int(np.rint(polygon[n, 1] / w * ON_GRID))
        value[n] = -polygon[n, 3] if orthographic else 1.0 / w
    return count


@njit(cache=True, error_model="numpy", nogil=True)
def _distance(point: Any, plane: int) -> float:
    if plane == 0:
        return float(point[2] - NEAR)
    if plane == 1:
        return float(GUARD * point[2] + point[0])
    if plane == 2:
        return float(GUARD * point[2] - point[0])
    if plane == 3:
        return float(GUARD * point[2] + point[1])
    return float(GUARD * point[2] - point[1])

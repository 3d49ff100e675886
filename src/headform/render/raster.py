"""Which triangle is seen in each pixel: a z-buffer with exact edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from headform.render.camera import Camera
from headform.render.clipping import ON_GRID, Prepared, corners_on_grid, prepared

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """What each pixel (H, W) sees.

    triangle     (H, W) int32, row of the triangles; -1 where there is none
    barycentric  (H, W, 3) float32 weights of the corners on the surface (perspective-correct); 0 if none
    depth        (H, W) float32 metres along the view axis; +inf if none
    """

    triangle: Ints
    barycentric: Floats
    depth: Floats

    @property
    def covered(self) -> NDArray[np.bool_]:
        """(H, W) where something is seen."""
        return self.triangle >= 0

    def interpolate(self, values: ArrayLike, triangles: ArrayLike) -> Floats:
        """(H, W, C) values (V, C) of the vertices as each pixel sees them; 0 where there is nothing."""
        given = np.asarray(values, np.float32)
        seen = self.covered
        out = np.zeros((*self.triangle.shape, given.shape[1]), np.float32)
        corners = given[np.asarray(triangles)[self.triangle[seen]]]
        out[seen] = np.einsum("nij,ni->nj", corners, self.barycentric[seen])
        return out


def rasterise(
    vertices: ArrayLike,
    triangles: ArrayLike,
    camera: Camera,
    *,
    cull: bool | NDArray[np.bool_] = False,
) -> Raster:
    """Draw triangles (T, 3) of vertices (V, 3).

    Convention: a front face turns counter-clockwise as the camera sees it; `cull`, for all or (T,) for each,
    leaves out the back faces. A pixel belongs to the triangle that holds its centre; on a shared edge, to
    exactly one (top-left rule on a grid of 1/1024 pixel). Of two at the same depth the first row wins. What
    is nearer than 1 mm to a perspective camera, or behind it, is cut off. Triangles without area draw
    nothing. BadInput: vertices that are not finite, or indices that do not exist.
    """
    mesh, faces = prepared(vertices, triangles, camera)
    culled = np.ascontiguousarray(np.broadcast_to(np.asarray(cull, np.uint8), len(faces)))
    return rasterise_prepared(mesh, faces, culled, camera.height, camera.width)


def rasterise_prepared(mesh: Prepared, faces: Ints, culled: NDArray[np.uint8], height: int, width: int) -> Raster:
    """`rasterise` for a mesh that is projected already; culled: (T,) 1 where back faces are left out."""
    triangle = np.full((height, width), -1, np.int32)
    nearness = np.full((height, width), -np.inf, np.float32)
    _fill(mesh, faces, culled, nearness, triangle)
    barycentric = np.zeros((height, width, 3), np.float32)
    depth = np.full((height, width), np.inf, np.float32)
    _locate(mesh.homogeneous, faces, triangle, barycentric, depth)
    return Raster(triangle, barycentric, depth)


def visible(points: ArrayLike, raster: Raster, camera: Camera, tolerance: float = 0.002) -> NDArray[np.bool_]:
    """(N,) whether each point (N, 3) lies in the picture and less than `tolerance` metres behind what is
    seen there.

    Compared with the farthest of the four pixels around it that see anything, so that a slope does not hide
    itself.
    """
    pixels, depth = camera.project(np.asarray(points).reshape(-1, 3))
    return np.asarray(_in_front(pixels, depth, raster.depth, tolerance))


@njit(cache=True, error_model="numpy", nogil=True)
def _in_front(pixels: Any, depth: Any, seen: Any, tolerance: float) -> Any:
    height, width = seen.shape
    out = np.zeros(len(depth), np.bool_)
    for i in range(len(depth)):
        x, y = pixels[i, 0], pixels[i, 1]
        if not (x > -0.5 and y > -0.5 and x < width - 0.5 and y < height - 0.5):
            continue
        limit = -np.inf
        for yy in range(int(np.floor(y)), int(np.floor(y)) + 2):
            for xx in range(int(np.floor(x)), int(np.floor(x)) + 2):
                here = seen[min(max(yy, 0), height - 1), min(max(xx, 0), width - 1)]
                if here < np.inf:
                    limit = max(limit, here)
        out[i] = limit == -np.inf or depth[i] <= limit + tolerance
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def _fill(mesh: Any, triangles: Any, culled: Any, nearness: Any, triangle: Any) -> None:
    height, width = triangle.shape
    place = np.empty((16, 2), np.int64)
    value = np.empty(16)
    for t in range(len(triangles)):
        count = corners_on_grid(mesh, triangles[t, 0], triangles[t, 1], triangles[t, 2], place, value)
        for k in range(1, count - 1):
            q0, q1, q2 = value[0], value[k], value[k + 1]
            edges = half_planes(place[0], place[k], place[k + 1], width, height)
            area, (left, right, top, bottom), (a0, b0, c0), (a1, b1, c1), (a2, b2, c2) = edges
            if area == 0 or (area > 0 and culled[t]):
                continue
            scale = 1.0 / abs(area)
            for y in range(top, bottom + 1):
                e0 = c0 + a0 * left + b0 * y
                e1 = c1 + a1 * left + b1 * y
                e2 = c2 + a2 * left + b2 * y
                for x in range(left, right + 1):
                    if (e0 | e1 | e2) >= 0:
                        q = np.float32((e0 * q0 + e1 * q1 + e2 * q2) * scale)
                        if q > nearness[y, x]:
                            nearness[y, x] = q
                            triangle[y, x] = t
                    e0 += a0
                    e1 += a1
                    e2 += a2


@njit(cache=True, error_model="numpy", nogil=True)
def half_planes(p0: Any, p1: Any, p2: Any, width: int, height: int) -> Any:
    """Twice the signed area, the box of pixels (left, right, top, bottom) and three edges (a, b, c) of a
    triangle.

    A pixel (x, y) is inside where a·x + b·y + c ≥ 0 for all three. Edge i is opposite to corner i and grows
    to |area| there; an edge that is neither top nor left gives its own points away. The area is negative for
    a front face.
    """
    x0, y0, x1, y1, x2, y2 = p0[0], p0[1], p1[0], p1[1], p2[0], p2[1]
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    left = max(-(-min(x0, x1, x2) // ON_GRID), 0)
    right = min(max(x0, x1, x2) // ON_GRID, width - 1)
    top = max(-(-min(y0, y1, y2) // ON_GRID), 0)
    bottom = min(max(y0, y1, y2) // ON_GRID, height - 1)
    turn = -1 if area < 0 else 1
    box = (left, right, top, bottom)
    return area, box, _edge(x1, y1, x2, y2, turn), _edge(x2, y2, x0, y0, turn), _edge(x0, y0, x1, y1, turn)


@njit(cache=True, error_model="numpy", nogil=True)
def _edge(x0: int, y0: int, x1: int, y1: int, turn: int) -> Any:
    a, b = (y0 - y1) * turn, (x1 - x0) * turn
    own = 0 if a > 0 or (a == 0 and b > 0) else -1
    return a * ON_GRID, b * ON_GRID, own - a * x0 - b * y0


@njit(cache=True, error_model="numpy", nogil=True)
def weights_at(homogeneous: Any, i: int, j: int, k: int, x: float, y: float) -> Any:
    """Barycentrics on the surface of the point seen at a pixel, and its depth.

    With corners (X, Y, w), the weights solve Σ bᵢ (Xᵢ − x wᵢ, Yᵢ − y wᵢ) = 0 and Σ bᵢ = 1: a cross product,
    which needs no clipping. Those of a pixel that only the grid has put inside are drawn back to the edge.
    """
    xi, yi = homogeneous[i, 0] - x * homogeneous[i, 2], homogeneous[i, 1] - y * homogeneous[i, 2]
    xj, yj = homogeneous[j, 0] - x * homogeneous[j, 2], homogeneous[j, 1] - y * homogeneous[j, 2]
    xk, yk = homogeneous[k, 0] - x * homogeneous[k, 2], homogeneous[k, 1] - y * homogeneous[k, 2]
    bi, bj, bk = xj * yk - xk * yj, xk * yi - xi * yk, xi * yj - xj * yi
    if bi + bj + bk < 0:
        bi, bj, bk = -bi, -bj, -bk
    bi, bj, bk = max(bi, 0.0), max(bj, 0.0), max(bk, 0.0)
    total = bi + bj + bk
    if total > 0:
        bi, bj, bk = bi / total, bj / total, bk / total
    else:
        bi, bj, bk = 1 / 3, 1 / 3, 1 / 3
    return bi, bj, bk, bi * homogeneous[i, 3] + bj * homogeneous[j, 3] + bk * homogeneous[k, 3]


@njit(cache=True, error_model="numpy", nogil=True)
def _locate(homogeneous: Any, triangles: Any, triangle: Any, barycentric: Any, depth: Any) -> None:
    height, width = triangle.shape
    for y in range(height):
        for x in range(width):
            t = triangle[y, x]
            if t >= 0:
                i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
                a, b, c, z = weights_at(homogeneous, i, j, k, x, y)
                barycentric[y, x, 0] = a
                barycentric[y, x, 1] = b
                barycentric[y, x, 2] = c
                depth[y, x] = z

"""A mesh with a material, and what can be reckoned from it: normals, tangents."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from headform.errors import BadInput
from headform.render.material import Material

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


class Drawn(Enum):
    """How a surface goes into the picture."""

    OPAQUE = "opaque"  # hides what is behind
    CARDS = "cards"  # alpha of texture and opacity, sorted per pixel
    GLOSS = "gloss"  # clear, like the cornea: only its highlight is added to what is behind


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A mesh with a material.

    vertices      (V, 3) metres
    triangles     (T, 3) rows of `vertices`; counter-clockwise from outside
    uv            (U, 2) texture coordinates, origin bottom-left
    triangles_uv  (T, 3) rows of `uv`; left out, they are `triangles`
    normals       (V, 3) unit; left out, they are computed and, on two-sided surfaces, turned to the viewer
    occlusion     (V,) 0–1, how much of the surroundings each vertex sees; dims the matte part and, squared,
                  the highlights
    colours       (V, 3) sRGB 0–1; multiply the material's colour
    """

    vertices: Floats
    triangles: Ints
    material: Material = field(default_factory=Material)
    uv: Floats | None = None
    triangles_uv: Ints | None = None
    normals: Floats | None = None
    occlusion: Floats | None = None
    colours: Floats | None = None
    drawn: Drawn = Drawn.OPAQUE

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices", np.ascontiguousarray(self.vertices, np.float32))
        object.__setattr__(self, "triangles", np.ascontiguousarray(self.triangles, np.int32))
        check_mesh(self.vertices, self.triangles)
        count = len(self.vertices)
        for name, shape in (("normals", (count, 3)), ("occlusion", (count,)), ("colours", (count, 3))):
            self._take(name, shape)
        if self.uv is None:
            if self.material.texture is not None or self.material.relief is not None:
                raise BadInput("a surface with a texture needs uv coordinates")
            return
        self._take("uv", (len(self.uv), 2))
        rows = self.triangles if self.triangles_uv is None else self.triangles_uv
        object.__setattr__(self, "triangles_uv", np.ascontiguousarray(rows, np.int32))
        _check_rows(rows, len(self.triangles), len(self.uv))

    def _take(self, name: str, shape: tuple[int, ...]) -> None:
        value = getattr(self, name)
        if value is None:
            return
        given = np.ascontiguousarray(value, np.float32)
        if given.shape != shape or not np.isfinite(given).all():
            raise BadInput(f"a surface's {name} must be {shape} finite numbers; they are {given.shape}")
        object.__setattr__(self, name, given)


def check_mesh(vertices: NDArray[Any], triangles: NDArray[Any]) -> None:
    """BadInput unless vertices (V, 3) are finite and triangles (T, 3) are rows of them."""
    if vertices.ndim != 2 or vertices.shape[1] != 3 or triangles.ndim != 2 or triangles.shape[1] != 3:
        raise BadInput(f"a mesh needs vertices (V, 3) and triangles (T, 3), not {vertices.shape} and {triangles.shape}")
    if not np.isfinite(vertices).all():
        broken = int((~np.isfinite(vertices)).any(1).sum())
        raise BadInput(f"{broken} of {len(vertices)} vertices are NaN or infinite and cannot be drawn")
    if triangles.size and (triangles.min() < 0 or triangles.max() >= len(vertices)):
        raise BadInput(f"triangles name vertices {triangles.min()} to {triangles.max()}, but there are {len(vertices)}")


def _check_rows(rows: ArrayLike, triangles: int, count: int) -> None:
    given = np.asarray(rows)
    if given.shape != (triangles, 3):
        raise BadInput(f"triangles_uv must be ({triangles}, 3), one row for each triangle, not {given.shape}")
    if given.size and (given.min() < 0 or given.max() >= count):
        raise BadInput(f"triangles_uv name rows {given.min()} to {given.max()}, but there are {count} of uv")


def vertex_normals(vertices: Floats, triangles: Ints) -> Floats:
    """(V, 3) unit normals: the mean of the faces around each vertex, weighted by area and angle as on a
    sphere.

    Triangles without area are passed over; a vertex of no face gets (0, 0, 1).
    """
    normals = np.zeros(vertices.shape, np.float32)
    _gather_normals(vertices, triangles, normals)
    return normals


@njit(cache=True, error_model="numpy", nogil=True)
def _gather_normals(vertices: Any, triangles: Any, normals: Any) -> None:
    """Max 1999: the cross product of two edges over the product of their squared lengths."""
    total, ahead, back = np.zeros((len(vertices), 3)), np.empty(3), np.empty(3)
    for t in range(len(triangles)):
        for corner in range(3):
            here, after = triangles[t, corner], triangles[t, (corner + 1) % 3]
            before = triangles[t, (corner + 2) % 3]
            long = short = 0.0
            for axis in range(3):
                ahead[axis] = float(vertices[after, axis]) - vertices[here, axis]
                back[axis] = float(vertices[before, axis]) - vertices[here, axis]
                long += ahead[axis] * ahead[axis]
                short += back[axis] * back[axis]
            if long * short > 1e-30:
                for axis in range(3):
                    b, c = (axis + 1) % 3, (axis + 2) % 3
                    total[here, axis] += (ahead[b] * back[c] - ahead[c] * back[b]) / (long * short)
    for i in range(len(vertices)):
        length = np.sqrt(total[i, 0] ** 2 + total[i, 1] ** 2 + total[i, 2] ** 2)
        for axis in range(3):
            normals[i, axis] = total[i, axis] / length if length > 0 else (1.0 if axis == 2 else 0.0)


def tangents(surface: Surface, normals: Floats) -> Floats:
    """(U, 4) unit tangents towards larger u, and the side (±1) of the bitangents towards larger v."""
    if surface.uv is None or surface.triangles_uv is None:
        raise BadInput("a surface without uv has no tangents")
    out = np.zeros((len(surface.uv), 4), np.float32)
    _gather_tangents(surface.vertices, surface.triangles, surface.uv, surface.triangles_uv, normals, out)
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def _gather_tangents(vertices: Any, triangles: Any, uv: Any, triangles_uv: Any, normals: Any, out: Any) -> None:
    across, owner = np.zeros((len(uv), 3)), np.full(len(uv), -1)
    along = np.zeros((len(uv), 3))
    for t in range(len(triangles)):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        a, b, c = triangles_uv[t, 0], triangles_uv[t, 1], triangles_uv[t, 2]
        u1, v1 = float(uv[b, 0] - uv[a, 0]), float(uv[b, 1] - uv[a, 1])
        u2, v2 = float(uv[c, 0] - uv[a, 0]), float(uv[c, 1] - uv[a, 1])
        side = 1.0 if u1 * v2 - u2 * v1 >= 0 else -1.0
        for axis in range(3):
            e1, e2 = vertices[j, axis] - vertices[i, axis], vertices[k, axis] - vertices[i, axis]
            for corner in range(3):
                row = triangles_uv[t, corner]
                along[row, axis] += side * (e1 * v2 - e2 * v1)
                across[row, axis] += side * (e2 * u1 - e1 * u2)
                owner[row] = triangles[t, corner]
    for row in range(len(uv)):
        if owner[row] < 0:
            continue
        nx, ny, nz = normals[owner[row], 0], normals[owner[row], 1], normals[owner[row], 2]
        x, y, z = along[row, 0], along[row, 1], along[row, 2]
        lean = x * nx + y * ny + z * nz
        x, y, z = x - lean * nx, y - lean * ny, z - lean * nz
        length = np.sqrt(x * x + y * y + z * z)
        if length > 0:
            x, y, z = x / length, y / length, z / length
        bx, by, bz = ny * z - nz * y, nz * x - nx * z, nx * y - ny * x
        facing = bx * across[row, 0] + by * across[row, 1] + bz * across[row, 2]
        out[row, 0], out[row, 1], out[row, 2] = x, y, z
        out[row, 3] = 1.0 if facing >= 0 else -1.0

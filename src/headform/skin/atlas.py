"""The head's texture atlas as a list of texels: where on the head each one lies, how finely it samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import as_file, files
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

LEAST_SIZE, MOST_SIZE = 64, 8192
SKIN, SOCKET, MOUTH = 0, 1, 2  # what a quad of the skin mesh belongs to


@dataclass(frozen=True, eq=False)
class SkinMesh:
    """The skin of the reference head, every quad cut in four (positions stay on the old quads).

    The reference is MakeHuman's average body, on which the places in the tables of this folder were measured;
    it keeps them right whatever identity space, and so whatever mean, the head file has.

    points  (S, 3) metres; the corners of the base mesh come first, then edge middles, then quad middles
    quads   (Q, 4) indices into `points`
    uv      (Q, 4, 2) texture coordinates of each corner, origin bottom-left
    inside  (Q,) SKIN, SOCKET (behind the lids) or MOUTH (behind the lips)
    """

    points: Floats
    quads: Ints
    uv: Floats
    inside: NDArray[np.uint8]

    @cached_property
    def triangles(self) -> Ints:
        """(2Q, 3) each quad as two triangles, in order."""
        return np.ascontiguousarray(self.quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3))

    @cached_property
    def triangles_uv(self) -> Floats:
        """(2Q, 3, 2)"""
        return np.ascontiguousarray(self.uv[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3, 2))


def subdivide(points: NDArray[Any], quads: NDArray[Any]) -> tuple[Floats, Ints]:
    """Each quad cut in four: points (P + edges + Q, 3), quads (4Q, 4); the order depends on `quads` alone."""
    count = len(quads)
    edges = np.sort(np.stack([quads, np.roll(quads, -1, 1)], -1).reshape(-1, 2), 1)
    unique, which = np.unique(edges, axis=0, return_inverse=True)
    middle = len(points) + which.reshape(count, 4)
    centre = len(points) + len(unique) + np.arange(count)
    finer = np.concatenate([points, points[unique].mean(1), points[quads].mean(1)]).astype(np.float32)
    pieces = [np.stack([quads[:, k], middle[:, k], centre, middle[:, k - 1]], 1) for k in range(4)]
    return finer, np.stack(pieces, 1).reshape(-1, 4).astype(np.int32)


def subdivide_corners(values: NDArray[Any]) -> Floats:
    """Values at quad corners (Q, 4, D), such as texture coordinates, at those of `subdivide` (4Q, 4, D)."""
    middle = (values + np.roll(values, -1, 1)) / 2
    centre = values.mean(1)
    pieces = [np.stack([values[:, k], middle[:, k], centre, middle[:, k - 1]], 1) for k in range(4)]
    return np.stack(pieces, 1).reshape(-1, 4, values.shape[-1]).astype(np.float32)


@lru_cache
def skin_mesh() -> SkinMesh:
    """The skin mesh of the default head: places from our reference, layout from the head's own file."""
    with as_file(files("headform.skin") / "data" / "reference.npz") as path, np.load(path) as reference:
        points, quads, inside = reference["points"], reference["quads"].astype(np.int32), reference["inside"]
    with as_file(files("headform.head") / "data" / "head.npz") as path, np.load(path) as head:
        rows = _rows_of(quads, head["quads"])
        corners = head["uv"][head["quads_uv"][rows]]
    return build_mesh(points, quads, corners, inside)


def build_mesh(points: Floats, quads: Ints, corners: Floats, inside: NDArray[np.uint8]) -> SkinMesh:
    """From a coarse mesh: points (P, 3), quads (Q, 4), uv of their corners (Q, 4, 2), inside (Q,)."""
    finer, pieces = subdivide(points, quads)
    return SkinMesh(finer, pieces, subdivide_corners(corners), np.repeat(inside, 4).astype(np.uint8))


def _rows_of(wanted: Ints, quads: Ints) -> Ints:
    """(Q,) where each wanted quad, starting with the same corner, stands among `quads`."""
    place = {tuple(quad): row for row, quad in enumerate(quads.tolist())}
    rows = [place.get(tuple(quad), -1) for quad in wanted.tolist()]
    if min(rows) < 0:
        raise BadInput("head.npz has other skin faces than the skin's reference: run assets/skin/build.py again")
    return np.array(rows, np.int32)


@dataclass(frozen=True, eq=False)
class Atlas:
    """N texels covered by the skin, of an image of `size`² pixels whose row 0 is v = 1.

    texel    (N,) flat pixel index
    corners  (N, 3) indices into the skin mesh's points, and shares (N, 3) of each: barycentric
    position (N, 3) metres, on the reference head
    scale    (N, 2) metres per pixel along u and v
    inside   (N,) SKIN, SOCKET or MOUTH
    nearest  (size²,) for every pixel, the row of the nearest covered texel: fills the gutters
    """

    size: int
    texel: Ints
    corners: Ints
    shares: Floats
    position: Floats
    scale: Floats
    inside: NDArray[np.uint8]
    nearest: Ints

    def spread(self, values: NDArray[Any]) -> Floats:
        """(N, ...) values at the texels from (S, ...) values at the points of the mesh."""
        flat = np.ascontiguousarray(values.reshape(len(values), -1), np.float32)
        return _spread(self.corners, self.shares, flat).reshape(-1, *values.shape[1:])

    def image(self, values: NDArray[Any]) -> NDArray[Any]:
        """(size, size, ...) image of (N, ...) values; gutters and background take the nearest value."""
        filled: NDArray[Any] = values[self.nearest].reshape(self.size, self.size, *values.shape[1:])
        return filled


@lru_cache(2)
def atlas(size: int) -> Atlas:
    """The atlas of the default head at this size; the last two sizes are kept."""
    return lay_out(skin_mesh(), size)


def lay_out(mesh: SkinMesh, size: int) -> Atlas:
    if not LEAST_SIZE <= size <= MOST_SIZE:
        raise BadInput(f"a skin of {size} pixels was asked for; give {LEAST_SIZE} to {MOST_SIZE}")
    pixel = mesh.triangles_uv.astype(np.float64) * size - 0.5
    pixel[..., 1] = size - 1 - pixel[..., 1]
    triangle, shares = rasterise(pixel, size, size)
    texel = np.flatnonzero(triangle.ravel() >= 0).astype(np.int32)
    chosen, shares = triangle.ravel()[texel], shares.reshape(-1, 3)[texel]
    corners = mesh.triangles[chosen]
    row = np.full(size * size, -1, np.int32)
    row[texel] = np.arange(len(texel))
    scale = _point_scale(mesh) / np.float32(size)
    return Atlas(
        size=size,
        texel=texel,
        corners=corners,
        shares=shares,
        position=_spread(corners, shares, mesh.points),
        scale=_spread(corners, shares, scale),
        inside=np.repeat(mesh.inside, 2)[chosen],
        nearest=_nearest(row.reshape(size, size)).ravel(),
    )


def _point_scale(mesh: SkinMesh) -> Floats:
    """(S, 2) metres per unit of u and of v, averaged over the triangles around each point."""
    p, t = mesh.points[mesh.triangles].astype(np.float64), mesh.triangles_uv.astype(np.float64)
    edge, du = p[:, 1:] - p[:, :1], t[:, 1:] - t[:, :1]
    area = du[:, 0, 0] * du[:, 1, 1] - du[:, 0, 1] * du[:, 1, 0]
    safe = np.where(np.abs(area) < 1e-12, 1e-12, area)[:, None]
    along_u = (edge[:, 0] * du[:, 1, 1:] - edge[:, 1] * du[:, 0, 1:]) / safe
    along_v = (edge[:, 1] * du[:, 0, :1] - edge[:, 0] * du[:, 1, :1]) / safe
    length = np.stack([np.linalg.norm(along_u, axis=1), np.linalg.norm(along_v, axis=1)], 1)
    weight = np.abs(area) + 1e-12
    total = np.zeros((len(mesh.points), 3))
    for k in range(3):
        np.add.at(total, mesh.triangles[:, k], np.column_stack([length * weight[:, None], weight]))
    return (total[:, :2] / np.maximum(total[:, 2:], 1e-12)).astype(np.float32)


@numba.njit(cache=True)
def rasterise(corners: NDArray[np.float64], width: int, height: int) -> tuple[Ints, Floats]:
    """Triangles (T, 3, 2), in pixels, to the triangle (height, width) at each pixel centre, −1 for none, and
    its barycentric shares (height, width, 3). Later triangles cover earlier ones.
    """
    which = np.full((height, width), -1, np.int32)
    shares = np.zeros((height, width, 3), np.float32)
    slack = 1e-7
    for t in range(len(corners)):
        ax, ay, bx, by = corners[t, 0, 0], corners[t, 0, 1], corners[t, 1, 0], corners[t, 1, 1]
        cx, cy = corners[t, 2, 0], corners[t, 2, 1]
        area = (by - cy) * (ax - cx) + (cx - bx) * (ay - cy)
        if abs(area) < 1e-12:
            continue
        for y in range(max(0, int(np.ceil(min(ay, by, cy)))), min(height - 1, int(max(ay, by, cy))) + 1):
            for x in range(max(0, int(np.ceil(min(ax, bx, cx)))), min(width - 1, int(max(ax, bx, cx))) + 1):
                a = ((by - cy) * (x - cx) + (cx - bx) * (y - cy)) / area
                b = ((cy - ay) * (x - cx) + (ax - cx) * (y - cy)) / area
                c = 1 - a - b
                if a >= -slack and b >= -slack and c >= -slack:
                    which[y, x] = t
                    shares[y, x, 0], shares[y, x, 1], shares[y, x, 2] = a, b, c
    return which, shares


@numba.njit(cache=True)
def _spread(corners: Ints, shares: Floats, values: Floats) -> Floats:
    spread = np.zeros((len(corners), values.shape[1]), np.float32)
    for n in range(len(corners)):
        for k in range(3):
            for d in range(values.shape[1]):
                spread[n, d] += shares[n, k] * values[corners[n, k], d]
    return spread


@numba.njit(cache=True)
def _nearest(row: Ints) -> Ints:
    """Rows with −1 replaced by the nearest other one: two sweeps that pass on the closest source seen."""
    height, width = row.shape
    found, from_y, from_x = row.copy(), np.empty(row.shape, np.int32), np.empty(row.shape, np.int32)
    for y in range(height):
        for x in range(width):
            from_y[y, x], from_x[y, x] = (y, x) if row[y, x] >= 0 else (1 << 14, 1 << 14)
    for sweep in range(4):
        down, right = sweep % 2 == 0, sweep in (0, 3)
        for j in range(height):
            y = j if down else height - 1 - j
            for i in range(width):
                x = i if right else width - 1 - i
                best = (from_y[y, x] - y) ** 2 + (from_x[y, x] - x) ** 2
                for dy, dx in ((-1, -1), (-1, 0), (-1, 1), (0, -1)):
                    ny, nx = y + (dy if down else -dy), x + (dx if right else -dx)
                    if 0 <= ny < height and 0 <= nx < width:
                        far = (from_y[ny, nx] - y) ** 2 + (from_x[ny, nx] - x) ** 2
                        if far < best:
                            best = far
                            from_y[y, x], from_x[y, x] = from_y[ny, nx], from_x[ny, nx]
                            found[y, x] = found[ny, nx]
    return found

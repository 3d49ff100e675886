"""The nearest points on a triangle mesh: exact, by a tree of boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from headform.errors import BadInput
from headform.render.surface import check_mesh

Doubles = NDArray[np.float64]
Ints = NDArray[np.int32]

LEAF = 4  # triangles at most in a leaf
DEEPEST = 64  # of the stack: the tree halves, so 2^32 triangles would fit
FLAT = 1e-24  # sin² of a triangle's angle below which it is a line: normals would be noise


@dataclass(frozen=True, slots=True, eq=False)
class Closest:
    """Where a mesh is nearest to N points; lengths in the mesh's unit.

    points    (N, 3) on the mesh
    triangle  (N,) rows of the triangles they lie on
    distance  (N,) from the points asked for
    """

    points: Doubles
    triangle: Ints
    distance: Doubles


@dataclass(frozen=True, slots=True, eq=False)
class MeshTree:
    """A mesh, sorted so that the nearest point on it is found quickly. Make it with `of`, ask it with `closest`.

    corners  (T, 3, 3) of the triangles, in the order of the leaves
    row      (T,) which triangle each of them was
    boxes    (M, 2, 3) lowest and highest corner of each node's box
    spans    (M, 3) first triangle, number of triangles, and the first of two children, or -1 for a leaf
    """

    corners: Doubles
    row: Ints
    boxes: Doubles
    spans: Ints

    @classmethod
    def of(cls, vertices: ArrayLike, triangles: ArrayLike) -> MeshTree:
        """From vertices (V, 3) and triangles (T, 3). BadInput: no triangles, or what is no mesh."""
        places, faces = np.asarray(vertices, np.float64), np.asarray(triangles, np.int32)
        check_mesh(places, faces)
        if not len(faces):
            raise BadInput("a mesh without triangles has no surface; give its faces too")
        corners = places[faces]
        row, boxes, spans = _build(corners)
        return cls(np.ascontiguousarray(corners[row]), row, boxes, spans)

    def closest(self, points: ArrayLike) -> Closest:
        """The nearest point of the surface for each of (N, 3) points."""
        asked = np.ascontiguousarray(points, np.float64)
        if asked.ndim != 2 or asked.shape[1] != 3 or not np.isfinite(asked).all():
            raise BadInput(f"points must be (N, 3) finite numbers, not {asked.shape}")
        found, place = np.empty_like(asked), np.empty(len(asked), np.int32)
        _search(asked, self.corners, self.boxes, self.spans, found, place)
        return Closest(found, self.row[place], np.linalg.norm(found - asked, axis=1))

    def normals(self, triangle: ArrayLike) -> Doubles:
        """(N, 3) unit normals of triangles by their rows; zero for those without area."""
        place = np.empty(len(self.row), np.int64)
        place[self.row] = np.arange(len(self.row))
        corners = self.corners[place[np.asarray(triangle)]]
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        return np.asarray(normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-300))


def closest_points(points: ArrayLike, vertices: ArrayLike, triangles: ArrayLike) -> Closest:
    """The nearest points on a mesh, for a mesh that is asked once."""
    return MeshTree.of(vertices, triangles).closest(points)


@njit(cache=True, error_model="numpy", nogil=True)
def _build(corners: Any) -> Any:
    """Halves the triangles along the longest side of their centres' box until LEAF are left."""
    count = len(corners)
    centres = np.empty((count, 3))
    for t in range(count):
        for axis in range(3):
            centres[t, axis] = (corners[t, 0, axis] + corners[t, 1, axis] + corners[t, 2, axis]) / 3
    row = np.arange(count).astype(np.int32)
    boxes = np.empty((2 * count, 2, 3))
    spans = np.empty((2 * count, 3), np.int32)
    spans[0, 0], spans[0, 1], spans[0, 2] = 0, count, -1
    made, node = 1, 0
    while node < made:
        first, many = spans[node, 0], spans[node, 1]
        low, high = np.full(3, np.inf), np.full(3, -np.inf)
        middle_low, middle_high = np.full(3, np.inf), np.full(3, -np.inf)
        for i in range(first, first + many):
            for axis in range(3):
                middle_low[axis] = min(middle_low[axis], centres[row[i], axis])
                middle_high[axis] = max(middle_high[axis], centres[row[i], axis])
                for corner in range(3):
                    low[axis] = min(low[axis], corners[row[i], corner, axis])
                    high[axis] = max(high[axis], corners[row[i], corner, axis])
        boxes[node, 0], boxes[node, 1] = low, high
        if many > LEAF:
            axis = int(np.argmax(middle_high - middle_low))
            part = row[first : first + many].copy()
            row[first : first + many] = part[np.argsort(centres[part, axis])]
            half = many // 2
            spans[node, 2] = made
            spans[made, 0], spans[made, 1], spans[made, 2] = first, half, -1
            spans[made + 1, 0], spans[made + 1, 1], spans[made + 1, 2] = first + half, many - half, -1
            made += 2
        node += 1
    return row, boxes[:made].copy(), spans[:made].copy()


@njit(cache=True, error_model="numpy", nogil=True)
def _search(asked: Any, corners: Any, boxes: Any, spans: Any, found: Any, place: Any) -> None:
    stack, gaps = np.empty(DEEPEST, np.int64), np.empty(DEEPEST)
    here = np.empty(3)
    for i in range(len(asked)):
        best = np.inf
        stack[0], gaps[0], depth = 0, 0.0, 1
        while depth > 0:
            depth -= 1
            if gaps[depth] >= best:
                continue
            node = stack[depth]
            child = spans[node, 2]
            if child < 0:
                for t in range(spans[node, 0], spans[node, 0] + spans[node, 1]):
                    distance = _on_triangle(asked[i], corners[t, 0], corners[t, 1], corners[t, 2], here)
                    if distance < best:
                        best = distance
                        place[i] = t
                        found[i, 0], found[i, 1], found[i, 2] = here[0], here[1], here[2]
                continue
            one, two = _gap(asked[i], boxes[child]), _gap(asked[i], boxes[child + 1])
            near, far = (child, child + 1) if one <= two else (child + 1, child)
            stack[depth], gaps[depth] = far, max(one, two)
            stack[depth + 1], gaps[depth + 1] = near, min(one, two)
            depth += 2


@njit(cache=True, error_model="numpy", nogil=True)
def _gap(point: Any, box: Any) -> float:
    """Squared distance of a point to a box."""
    total = 0.0
    for axis in range(3):
        outside = max(box[0, axis] - point[axis], point[axis] - box[1, axis], 0.0)
        total += outside * outside
    return total


@njit(cache=True, error_model="numpy", nogil=True)
def _on_triangle(p: Any, a: Any, b: Any, c: Any, out: Any) -> Any:
    """Writes the point of the triangle nearest to p and returns its squared distance.

    Ericson, Real-Time Collision Detection, 5.1.5: the regions of corners, edges and inside by their barycentrics.
    """
    ab0, ab1, ab2 = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    ac0, ac1, ac2 = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    along, across = ab0 * ab0 + ab1 * ab1 + ab2 * ab2, ac0 * ac0 + ac1 * ac1 + ac2 * ac2
    both = ab0 * ac0 + ab1 * ac1 + ab2 * ac2
    if along * across - both * both <= FLAT * along * across:
        return _on_line(p, a, b, c, out)
    d1 = ab0 * (p[0] - a[0]) + ab1 * (p[1] - a[1]) + ab2 * (p[2] - a[2])
    d2 = ac0 * (p[0] - a[0]) + ac1 * (p[1] - a[1]) + ac2 * (p[2] - a[2])
    d3, d4 = d1 - along, d2 - both
    d5, d6 = d1 - both, d2 - across
    vc, vb, va = d1 * d4 - d3 * d2, d5 * d2 - d1 * d6, d3 * d6 - d5 * d4
    if d1 <= 0 and d2 <= 0:
        v, w = 0.0, 0.0
    elif d3 >= 0 and d4 <= d3:
        v, w = 1.0, 0.0
    elif vc <= 0 and d1 >= 0 and d3 <= 0:
        v, w = d1 / (d1 - d3), 0.0
    elif d6 >= 0 and d5 <= d6:
        v, w = 0.0, 1.0
    elif vb <= 0 and d2 >= 0 and d6 <= 0:
        v, w = 0.0, d2 / (d2 - d6)
    elif va <= 0 and d4 - d3 >= 0 and d5 - d6 >= 0:
        w = (d4 - d3) / ((d4 - d3) + (d5 - d6))
        v = 1.0 - w
    else:
        v, w = vb / (va + vb + vc), vc / (va + vb + vc)
    out[0] = a[0] + v * ab0 + w * ac0
    out[1] = a[1] + v * ab1 + w * ac1
    out[2] = a[2] + v * ab2 + w * ac2
    return (out[0] - p[0]) ** 2 + (out[1] - p[1]) ** 2 + (out[2] - p[2]) ** 2


@njit(cache=True, error_model="numpy", nogil=True)
def _on_line(p: Any, a: Any, b: Any, c: Any, out: Any) -> float:
    """`_on_triangle` for a triangle without area: the nearest point of its three edges."""
    best = np.inf
    for edge in range(3):
        start, end = (a, b) if edge == 0 else ((b, c) if edge == 1 else (c, a))
        length = share = 0.0
        for axis in range(3):
            length += (end[axis] - start[axis]) ** 2
            share += (end[axis] - start[axis]) * (p[axis] - start[axis])
        share = min(max(share / length, 0.0), 1.0) if length > 0 else 0.0
        total = 0.0
        for axis in range(3):
            total += (start[axis] + share * (end[axis] - start[axis]) - p[axis]) ** 2
        if total < best:
            best = total
            for axis in range(3):
                out[axis] = start[axis] + share * (end[axis] - start[axis])
    return best

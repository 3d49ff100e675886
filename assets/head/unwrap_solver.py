"""Flattening a disc of quads without folds: Tutte's embedding, then Newton on the symmetric Dirichlet energy.

Convention: texture coordinates have u to the right and v up; a triangle is positive when counter-clockwise.
Every quad enters with the triangles of its four corners, so it is convex exactly when all are positive.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array, eye_array
from scipy.sparse.linalg import splu

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_CURVATURE = 1e-6  # eigenvalues of the energy's Hessian below this are raised to it
ARMIJO = 1e-4  # the share of the promised descent that a step must bring
SMALLEST_STEP = 1e-9


def corner_triangles(quads: Ints) -> Ints:
    """(4Q, 3): for each quad, the triangle at each of its corners."""
    return np.stack([quads[:, [k - 1, k, (k + 1) % 4]] for k in range(4)], 1).reshape(-1, 3)


@dataclass(frozen=True, eq=False)
class Domain:
    """The triangles (T, 3) of a flat piece, and what their shape should be.

    gradient (T, 3, 2): the map's Jacobian is the sum over corners of uv ⊗ gradient
    area     (T,) weight of each triangle in the energy
    """

    triangles: Ints
    gradient: Array
    area: Array

    @staticmethod
    def of(vertices: Array, triangles: Ints, scale: Array, weight: Array) -> Domain:
        """Rest shapes are the triangles of `vertices` (V, 3) in their own planes, times `scale` (T,).

        The energy of a triangle counts `weight` (T,) times its scaled area.
        """
        a, b, c = (vertices[triangles[:, k]] for k in range(3))
        x = np.linalg.norm(b - a, axis=1)
        along = (b - a) / x[:, None]
        cx = ((c - a) * along).sum(1)
        cy = np.linalg.norm(np.cross(along, c - a), axis=1)
        x, cx, cy = x * scale, cx * scale, cy * scale
        by_b = np.stack([1 / x, -cx / (x * cy)], 1)
        by_c = np.stack([np.zeros_like(x), 1 / cy], 1)
        return Domain(triangles, np.stack([-by_b - by_c, by_b, by_c], 1), weight * x * cy / 2)

    def jacobians(self, uv: Array) -> Array:
        """(T, 2, 2) d uv / d rest."""
        return np.einsum("tki,tkj->tij", uv[self.triangles], self.gradient)

    def energies(self, uv: Array) -> Array:
        """(T,) σ1² + σ2² + σ1⁻² + σ2⁻² of each triangle, 4 at rest; infinite where it is not positive."""
        J = self.jacobians(uv)
        turn = J[:, 0, 0] * J[:, 1, 1] - J[:, 0, 1] * J[:, 1, 0]
        folded = turn <= 0
        return np.where(folded, np.inf, (J**2).sum((1, 2)) * (1 + 1 / np.where(folded, 1, turn) ** 2))

    def energy(self, uv: Array) -> float:
        """Sum of the energies by weight."""
        return float((self.area * self.energies(uv)).sum())

    def derivatives(self, uv: Array) -> tuple[Array, csc_array]:
        """Gradient (2V,) of the energy, u and v of each vertex in turn, and its Hessian made positive.

        Per triangle after Smith, de Goes & Kim 2019, "Analytic Eigensystems for Isotropic
        Distortion Energies".
        """
        U, sigma, Vt = signed_svd(self.jacobians(uv))
        slope = 2 * sigma - 2 * sigma**-3
        bend = 2 + 6 * sigma**-4
        twist = slope.sum(1) / sigma.sum(1)
        gap = sigma[:, 0] - sigma[:, 1]
        even = gap < 1e-9
        flip = np.where(even, bend[:, 0], (slope[:, 0] - slope[:, 1]) / np.where(even, 1, gap))
        modes = np.array([[[1, 0], [0, 0]], [[0, 0], [0, 1]], [[0, -1], [1, 0]], [[0, 1], [1, 0]]], float)
        modes[2:] /= np.sqrt(2)
        turned = np.einsum("tij,mjk,tkl->tmil", U, modes, Vt)
        stiffness = np.maximum(np.column_stack([bend, twist, flip]), LEAST_CURVATURE) * self.area[:, None]
        by_corner = np.einsum("tmij,tkj->tmki", turned, self.gradient).reshape(len(U), 4, 6)
        blocks = np.einsum("tm,tma,tmb->tab", stiffness, by_corner, by_corner)
        force = np.einsum("tm,tma->ta", slope * self.area[:, None], by_corner[:, :2])
        rows = (2 * self.triangles[:, :, None] + np.arange(2)).reshape(-1, 6)
        total = 2 * len(uv)
        gradient = np.bincount(rows.ravel(), force.ravel(), total)
        where = (np.repeat(rows, 6, 1).ravel(), np.tile(rows, 6).ravel())
        return gradient, csc_array(coo_array((blocks.ravel(), where), shape=(total, total)))


def signed_svd(J: Array) -> tuple[Array, Array, Array]:
    """U (T, 2, 2), σ (T, 2), Vᵀ (T, 2, 2) of positive Jacobians, both turns without a reflection."""
    e, f = (J[:, 0, 0] + J[:, 1, 1]) / 2, (J[:, 0, 0] - J[:, 1, 1]) / 2
    g, h = (J[:, 1, 0] + J[:, 0, 1]) / 2, (J[:, 1, 0] - J[:, 0, 1]) / 2
    q, r = np.hypot(e, h), np.hypot(f, g)
    one, two = np.arctan2(g, f), np.arctan2(h, e)
    return _turn((two + one) / 2), np.stack([q + r, q - r], 1), _turn((two - one) / 2)


def _turn(angle: Array) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([c, -s, s, c], 1).reshape(-1, 2, 2)


class Placement:
    """How free numbers place the vertices: anywhere, on the line u = middle, or sliding along a curve."""

    def __init__(
        self, count: int, on_middle: Ints, middle: float, on_curve: Ints, curve: Array, along: Array, pinned: Ints
    ) -> None:
        """on_middle, on_curve, pinned: vertex rows; pinned ones do not move. `curve` (K, 2) is a fine
        polyline, `along` (len(on_curve),) the places on it, in rows.
        """
        self.count, self.on_middle, self.middle, self.on_curve = count, on_middle, middle, on_curve
        self.curve = curve
        free = np.ones((count, 2), bool)
        free[on_middle, 0] = False
        free[on_curve] = False
        free[pinned] = False
        self.free = np.flatnonzero(free.ravel())
        self.slides = np.flatnonzero(~np.isin(on_curve, pinned))
        self.along = along.copy()

    def tangents(self, along: Array) -> Array:
        low = np.clip(along.astype(int), 0, len(self.curve) - 2)
        return self.curve[low + 1] - self.curve[low]

    def on(self, along: Array) -> Array:
        low = np.clip(along.astype(int), 0, len(self.curve) - 2)
        return self.curve[low] + (along - low)[:, None] * (self.curve[low + 1] - self.curve[low])

    def basis(self) -> csc_array:
        """(2V, F): how the coordinates follow the free numbers."""
        tangent = self.tangents(self.along)[self.slides]
        sliding = self.on_curve[self.slides]
        rows = np.concatenate([self.free, 2 * sliding, 2 * sliding + 1])
        columns = np.concatenate([np.arange(len(self.free)), *[len(self.free) + np.arange(len(sliding))] * 2])
        values = np.concatenate([np.ones(len(self.free)), tangent[:, 0], tangent[:, 1]])
        shape = (2 * self.count, len(self.free) + len(sliding))
        return csc_array(coo_array((values, (rows, columns)), shape=shape))

    def moved(self, uv: Array, step: Array) -> tuple[Array, Array]:
        """Where `step` (F,) leads: uv (V, 2) and the positions on the curve."""
        flat = uv.ravel().copy()
        flat[self.free] += step[: len(self.free)]
        along = self.along.copy()
        along[self.slides] += step[len(self.free) :]
        uv = flat.reshape(-1, 2)
        uv[self.on_curve] = self.on(along)
        return uv, along


def tutte(quads: Ints, uv: Array, fixed: NDArray[np.bool_], weight: Callable[[Ints], Array]) -> Array:
    """Coordinates (V, 2) where `fixed` (V, 2) ones are those of `uv` and the rest are averages of neighbours.

    With a convex outline and a 3-connected mesh every quad comes out convex. `weight`: of edges (E, 2).
    """
    edges = np.unique(np.sort(np.stack([quads, np.roll(quads, -1, 1)], -1).reshape(-1, 2), 1), axis=0)
    w = weight(edges)
    a, b = edges.T
    count = len(uv)
    rows, columns = np.concatenate([a, b, a, b]), np.concatenate([b, a, a, b])
    laplacian = csc_array(coo_array((np.concatenate([-w, -w, w, w]), (rows, columns)), shape=(count, count)))
    out = uv.copy()
    for axis in range(2):
        free, held = np.flatnonzero(~fixed[:, axis]), np.flatnonzero(fixed[:, axis])
        pull = -laplacian[free][:, held] @ uv[held, axis]
        out[free, axis] = splu(csc_array(laplacian[free][:, free])).solve(pull)
    return out


def minimise(domain: Domain, uv: Array, placement: Placement, steps: int, enough: float = 1e-6) -> Array:
    """Newton's method from a fold-free `uv` to lower energy; never leaves the fold-free maps."""
    energy = domain.energy(uv)
    if not np.isfinite(energy):
        raise ValueError("the map to start from has folded triangles")
    for _ in range(steps):
        gradient, hessian = domain.derivatives(uv)
        basis = placement.basis()
        slope = basis.T @ gradient
        system = basis.T @ hessian @ basis
        ridge = 1e-10 * system.diagonal().mean()
        step = -splu(csc_array(system + ridge * eye_array(system.shape[0]))).solve(slope)
        promised = float(slope @ step)
        share = 1.0
        while share > SMALLEST_STEP:
            tried, along = placement.moved(uv, share * step)
            lower = domain.energy(tried)
            if lower <= energy + ARMIJO * share * promised:
                break
            share *= 0.6
        else:
            return uv
        gained = (energy - lower) / energy
        uv, energy, placement.along = tried, lower, along
        if gained < enough:
            return uv
    return uv


def outline(quads: Ints) -> Ints:
    """The vertices around a disc of quads, counter-clockwise."""
    edges = np.stack([quads, np.roll(quads, -1, 1)], -1).reshape(-1, 2)
    inner = {(b, a) for a, b in edges.tolist()}
    follows = {a: b for a, b in edges.tolist() if (a, b) not in inner}
    loop = [min(follows)]
    while follows[loop[-1]] != loop[0]:
        loop.append(follows[loop[-1]])
    if len(loop) != len(follows):
        raise ValueError("the quads are not a disc: they have more than one outline")
    return np.array(loop)


def quad_areas(points: Array, quads: Ints) -> Array:
    """(Q,) areas in space, from the diagonals."""
    a, b, c, d = (points[quads[:, k]] for k in range(4))
    area: Array = np.linalg.norm(np.cross(c - a, d - b), axis=1) / 2
    return area


def signed_areas(uv: Array, quads: Ints) -> Array:
    """(Q,) areas in the plane, positive when counter-clockwise."""
    across, other = uv[quads[:, 2]] - uv[quads[:, 0]], uv[quads[:, 3]] - uv[quads[:, 1]]
    area: Array = (across[:, 0] * other[:, 1] - across[:, 1] * other[:, 0]) / 2
    return area


def coverage(uv: Array, quads_uv: Ints, size: int) -> NDArray[np.uint8]:
    """(size, size) how many triangles lie strictly over each texel's centre; row 0 is v = 0."""
    corners = uv[quads_uv[:, [0, 1, 2, 0, 2, 3]]].reshape(-1, 3, 2) * size - 0.5
    return _coverage(corners, size)


@numba.njit(cache=True)
def _coverage(triangles, size):  # type: ignore[no-untyped-def]
    count = np.zeros((size, size), np.uint8)
    for t in range(len(triangles)):
        (ax, ay), (bx, by), (cx, cy) = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        turn = 1.0 if (bx - ax) * (cy - ay) > (by - ay) * (cx - ax) else -1.0
        left, right = max(0, math.ceil(min(ax, bx, cx))), min(size - 1, math.floor(max(ax, bx, cx)))
        low, high = max(0, math.ceil(min(ay, by, cy))), min(size - 1, math.floor(max(ay, by, cy)))
        for y in range(low, high + 1):
            for x in range(left, right + 1):
                ab = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
                bc = (cx - bx) * (y - by) - (cy - by) * (x - bx)
                ca = (ax - cx) * (y - cy) - (ay - cy) * (x - cx)
                if turn * ab > 0 and turn * bc > 0 and turn * ca > 0:
                    count[y, x] += 1
    return count

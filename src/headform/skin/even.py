"""Values that vary smoothly over the skin: what is known at some points, carried on to the others."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.skin.atlas import skin_mesh

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

STIFF = 2.0  # how strongly neighbours are held together, against a point that is fully known
REACH = 1e-3  # how strongly every point is held at the mean: over about thirty points' distance
AS_HIGH = np.float32(1e-4)  # metres
ROUNDS, CLOSE = 300, 1e-3  # of conjugate gradients, and the share of the first error at which they end


def carry_on(values: Floats, weights: Floats, toward: Floats | None = None) -> Floats:
    """(S, D) values at every point of the skin mesh that follow `values` where `weights` (S,) trust them.

    A membrane over the mesh, so that nothing shows at the borders of the texture; far from what is known it returns
    to the mean of that, or to `toward` (S, D) as far above it as the known values are in the mean. No weight anywhere
    gives zero.
    """
    total = float(weights.sum())
    if total <= 0:
        return np.zeros_like(values)
    if toward is not None:
        return np.asarray(toward + carry_on(values - toward, weights), np.float32)
    mean = (values * weights[:, None]).sum(0) / total
    starts, others = neighbours()
    x = np.zeros_like(values)
    _solve(starts, others, np.asarray(weights, np.float32), (values - mean).astype(np.float32), x)
    return np.asarray(x + mean, np.float32)


@lru_cache(1)
def neighbours() -> tuple[Ints, Ints]:
    """starts (S + 1,) and others (E,): the points that share an edge with each point of the skin mesh."""
    mesh = skin_mesh()
    one = np.concatenate([mesh.quads[:, [k, (k + 1) % 4]] for k in range(4)])
    both = np.unique(np.concatenate([one, one[:, ::-1]]), axis=0)
    starts = np.searchsorted(both[:, 0], np.arange(len(mesh.points) + 1))
    return starts.astype(np.int32), np.ascontiguousarray(both[:, 1], np.int32)


@lru_cache(1)
def mirror_points() -> Ints:
    """(S,) for each point of the skin mesh the one on the other side of the face."""
    points = skin_mesh().points
    order = np.argsort(points[:, 1], kind="stable")
    return _mirrored(np.ascontiguousarray(points[order]), order.astype(np.int32))


@njit(cache=True, nogil=True)
def _mirrored(points: Floats, order: Ints) -> Ints:
    """For each place (S,) in `order` by height the nearest to its mirror image, among those as high."""
    out = np.arange(len(points)).astype(np.int32)
    for n in range(len(points)):
        best = np.float32(np.inf)
        low = np.searchsorted(points[:, 1], points[n, 1] - AS_HIGH)
        for m in range(low, len(points)):
            if points[m, 1] > points[n, 1] + AS_HIGH:
                break
            away = (points[m, 0] + points[n, 0]) ** 2 + (points[m, 1] - points[n, 1]) ** 2
            away += (points[m, 2] - points[n, 2]) ** 2
            if away < best:
                best = away
                out[order[n]] = order[m]
    return out


@njit(cache=True, nogil=True)
def _apply(starts: Ints, others: Ints, weights: Floats, x: Floats, out: Floats) -> None:
    for n in range(len(weights)):
        for d in range(x.shape[1]):
            degree = starts[n + 1] - starts[n]
            sum_ = np.float32(0)
            for k in range(starts[n], starts[n + 1]):
                sum_ += x[others[k], d]
            out[n, d] = (weights[n] + REACH + STIFF * degree) * x[n, d] - STIFF * sum_


@njit(cache=True, nogil=True)
def _solve(starts: Ints, others: Ints, weights: Floats, values: Floats, x: Floats) -> None:
    """Conjugate gradients, each column on its own, scaled by the diagonal."""
    count, columns = values.shape
    scale = np.empty(count, np.float32)
    for n in range(count):
        scale[n] = 1 / (weights[n] + REACH + STIFF * (starts[n + 1] - starts[n]))
    left = values * weights.reshape(-1, 1)
    along = left * scale.reshape(-1, 1)
    pushed = np.empty_like(x)
    energy = np.zeros(columns)
    for d in range(columns):
        energy[d] = (left[:, d] * left[:, d] * scale).sum()
    first = energy.max()
    for _ in range(ROUNDS):
        if energy.max() <= CLOSE * CLOSE * first:
            break
        _apply(starts, others, weights, along, pushed)
        for d in range(columns):
            curve = (along[:, d] * pushed[:, d]).sum()
            if curve <= 0:
                continue
            step = np.float32(energy[d] / curve)
            fresh = 0.0
            for n in range(count):
                x[n, d] += step * along[n, d]
                left[n, d] -= step * pushed[n, d]
                fresh += left[n, d] * left[n, d] * scale[n]
            ratio = np.float32(fresh / energy[d])
            for n in range(count):
                along[n, d] = left[n, d] * scale[n] + ratio * along[n, d]
            energy[d] = fresh

"""Hair of another head onto this one: the avatar thesis's equations (1) to (4), and roots on the scalp.

Convention: metres, +Y up, face towards +Z; the thesis has Z up. As printed, (2) points from the head to the hair and
(4) scales about the origin, wherever that is: the hair would move away from the head, and the scale would move it
again. Here (2) points to the head, and (4) scales about the anchor, which therefore stays on the head's. The hair has
to face the front already.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from headform.errors import BadInput
from headform.hair.groom import Groom
from headform.head.embedding import Embedding

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Push = Callable[[Floats], Floats]

SHARE = 0.05  # of the vertices, from the top, and of each strand, from its root: the thesis's
SKULL = 0.09  # metres from the top down over which a width is measured: the widest lies there, ears lie lower
HEADS = (0.75, 1.33)  # scales between the heads of people, children included
ROUNDS = 20  # of moving the roots to the scalp as a whole; each takes away most of what is left
ENOUGH = 1e-5  # metres a round moves: then it is done
ASKED = 600  # roots are enough to move the whole by
NEAR = 0.03  # metres: farther from the head, most roots belong to hair that is not aligned
NOWHERE = (0.0, 0.0, 0.0)


def align(
    groom: Groom,
    vertices: ArrayLike,
    triangles: ArrayLike,
    scalp: ArrayLike | None = None,
    push_out: Push | None = None,
) -> Groom:
    """Hair from elsewhere on a head: by its anchor and width, then moved as a whole until the roots fit best, then
    each strand with its root to the surface, which it is bound to.

    vertices   (V, 3) of the head at rest, metres
    triangles  (T, 3) on which hair may grow: the skin, or only the scalp
    scalp      (N, 3) points all over this head's scalp, if known. They calibrate: the mean of roots lies farther back
               than that of the highest vertices, and the two constants C of the thesis follow from how far
    push_out   takes strands (S, P, 3) and brings what is inside the head out of it, roots excepted

    Raises BadInput where the hair is no hair for this head.
    """
    if not len(groom):
        return replace(groom, roots=_nowhere())
    head, strands = np.asarray(vertices, np.float64), np.asarray(groom.points, np.float64)
    anchor, wide, constant = anchor_of_head(head), width(head), np.zeros(3)
    if scalp is not None:
        known = np.asarray(scalp, np.float64)
        constant, wide = anchor_of_hair(known[:, None]) - anchor, width(known)
    ratio = scale(width(strands[:, 0]), wide)
    if not HEADS[0] <= ratio <= HEADS[1]:
        ratio = 1.0  # a mohawk or a fringe: its roots are not as wide as a head, and say nothing of its size
    shift = translation(anchor_of_hair(strands), anchor, constant)
    strands = settled(aligned(strands, shift, ratio, anchor + constant), head, triangles)
    bound = bind(replace(groom, points=strands.astype(np.float32)), triangles, head)
    return bound if push_out is None else replace(bound, points=push_out(bound.points))


# ── the thesis ───────────────────────────────────────────────────────────────────────────────────


def anchor_of_head(vertices: ArrayLike) -> Doubles:
    """(1) of a head (V, 3): the mean x and z of the highest 5 % of its vertices, and the highest y."""
    places = np.asarray(vertices, np.float64)
    count = max(round(SHARE * len(places)), 1)
    return _anchor(places[np.argsort(places[:, 1], kind="stable")[-count:]])


def anchor_of_hair(strands: ArrayLike) -> Doubles:
    """(1) of hair (S, P, 3): the mean x and z of the first 5 % of each strand's points, and the highest y of them."""
    places = np.asarray(strands, np.float64)
    count = max(round(SHARE * places.shape[1]), 1)
    return _anchor(places[:, :count].reshape(-1, 3))


def translation(hair: ArrayLike, head: ArrayLike, constant: ArrayLike = NOWHERE) -> Doubles:
    """(2) what brings the hair's anchor onto the head's: T = A_head − A_hair + C; the thesis prints A_hair − A_head."""
    return np.asarray(np.asarray(head, np.float64) - np.asarray(hair, np.float64) + np.asarray(constant, np.float64))


def width(points: ArrayLike) -> float:
    """W of (3), metres: the extent along x of points (N, 3) no deeper than SKULL under the highest of them.

    The thesis takes whole bounding boxes. Long hair is wider than any head, and a head has ears: so hair is measured
    by its roots, and both above the ears.
    """
    places = np.asarray(points, np.float64)
    upper = places[places[:, 1] >= places[:, 1].max() - SKULL]
    return float(np.ptp(upper[:, 0]))


def scale(hair: float, head: float, constant: float = 0.0) -> float:
    """(3) how many times wider the hair's own head was: S = W_hair / W_head + C. Raises BadInput for a flat head."""
    if not head > 0:
        raise BadInput("a head without width takes no hair; give all of its vertices")
    return hair / head + constant


def aligned(strands: ArrayLike, shift: ArrayLike, ratio: float, anchor: ArrayLike) -> Doubles:
    """(4) p_new = A + (p_old + T − A) / S about the anchor A that the hair was brought to; the thesis prints
    (p_old + T) / S, which moves the anchor too unless it is the origin."""
    fixed = np.asarray(anchor, np.float64)
    return np.asarray(fixed + (np.asarray(strands, np.float64) + np.asarray(shift, np.float64) - fixed) / ratio)


def _anchor(sampled: Doubles) -> Doubles:
    return np.array([sampled[:, 0].mean(), sampled[:, 1].max(), sampled[:, 2].mean()])


# ── onto the surface ─────────────────────────────────────────────────────────────────────────────


def settled(strands: Doubles, vertices: ArrayLike, triangles: ArrayLike) -> Doubles:
    """Strands (S, P, 3) moved as a whole to where their roots are nearest to the surface, starting where they are."""
    surface = _Surface(vertices, triangles)
    roots = strands[:: max(len(strands) // ASKED, 1), 0]
    moved = np.zeros(3)
    for _ in range(ROUNDS):
        found = surface.nearest(roots + moved)
        step = (surface.points(found) - roots - moved).mean(0)
        moved += step
        if np.linalg.norm(step) < ENOUGH:
            break
    return strands + moved


def bind(groom: Groom, triangles: ArrayLike, vertices: ArrayLike) -> Groom:
    """The groom bound to the triangles (T, 3) of a head (V, 3) at rest: each strand moved with its root to the nearest
    point of the surface. Raises BadInput where most roots are too far from it to be of this head."""
    if not len(groom):
        return replace(groom, roots=_nowhere())
    surface = _Surface(vertices, triangles)
    roots = np.asarray(groom.points[:, 0], np.float64)
    found = surface.nearest(roots)
    way = surface.points(found) - roots
    middle = float(np.median(np.linalg.norm(way, axis=1)))
    if middle > NEAR:
        raise BadInput(
            f"the hair {groom.name!r} lies {100 * middle:.0f} cm from the head; align it with the head first"
        )
    points = np.asarray(groom.points + way[:, None], np.float32)
    points[:, 0] = found.points(np.asarray(vertices, np.float32))
    return replace(groom, points=points, roots=found)


def _nowhere() -> Embedding:
    return Embedding(np.zeros((0, 3), np.int32), np.zeros((0, 3), np.float32))


class _Surface:
    """Triangles, each in a ball around its middle: those whose ball is too far are passed over."""

    def __init__(self, vertices: ArrayLike, triangles: ArrayLike) -> None:
        self.vertices, self.triangles = np.asarray(vertices, np.float64), np.asarray(triangles, np.int32)
        if self.triangles.ndim != 2 or self.triangles.shape[1] != 3 or not len(self.triangles):
            raise BadInput("a head without triangles has no surface for roots; give its faces too")
        self.corners = np.ascontiguousarray(self.vertices[self.triangles])
        self.middle = self.corners.mean(1)
        self.radius = np.linalg.norm(self.corners - self.middle[:, None], axis=2).max(1)

    def nearest(self, points: Doubles) -> Embedding:
        """The nearest point of the surface to each of (N, 3)."""
        triangle, shares = np.empty(len(points), np.int32), np.empty((len(points), 3))
        _search(np.ascontiguousarray(points, np.float64), self.corners, self.middle, self.radius, triangle, shares)
        return Embedding(self.triangles[triangle], shares.astype(np.float32))

    def points(self, found: Embedding) -> Doubles:
        return np.asarray(np.einsum("nij,ni->nj", self.vertices[found.corners], found.barycentric.astype(np.float64)))


@njit(cache=True, error_model="numpy", nogil=True)
def _search(points: Any, corners: Any, middle: Any, radius: Any, triangle: Any, shares: Any) -> None:
    here, last = np.empty(3), 0
    for n in range(len(points)):
        best = np.sqrt(_on_triangle(points[n], corners[last], here))  # the neighbour's is a good first guess
        triangle[n] = last
        shares[n] = here
        for t in range(len(corners)):
            a, b, c = points[n, 0] - middle[t, 0], points[n, 1] - middle[t, 1], points[n, 2] - middle[t, 2]
            reach = best + radius[t]
            if a * a + b * b + c * c >= reach * reach:
                continue
            distance = np.sqrt(_on_triangle(points[n], corners[t], here))
            if distance < best:
                best = distance
                triangle[n] = t
                shares[n] = here
        last = triangle[n]


@njit(cache=True, error_model="numpy", nogil=True)
def _on_triangle(point: Any, corners: Any, shares: Any) -> float:
    """Writes the barycentrics of the triangle's point nearest to `point` and returns its squared distance: the foot of
    the perpendicular if it lies inside, else the nearest point of the three edges."""
    aa = bb = ab = pa = pb = 0.0
    for axis in range(3):
        a, b = corners[1, axis] - corners[0, axis], corners[2, axis] - corners[0, axis]
        p = point[axis] - corners[0, axis]
        aa, bb, ab, pa, pb = aa + a * a, bb + b * b, ab + a * b, pa + p * a, pb + p * b
    area = aa * bb - ab * ab
    if area > 0:
        v, w = (bb * pa - ab * pb) / area, (aa * pb - ab * pa) / area
        if v >= 0 and w >= 0 and v + w <= 1:
            shares[0], shares[1], shares[2] = 1 - v - w, v, w
            return _squared(point, corners, shares)
    best, kept_edge, kept_share = np.inf, 0, 0.0
    for edge in range(3):
        start, end = edge, (edge + 1) % 3
        length = along = 0.0
        for axis in range(3):
            length += (corners[end, axis] - corners[start, axis]) ** 2
            along += (corners[end, axis] - corners[start, axis]) * (point[axis] - corners[start, axis])
        share = min(max(along / length, 0.0), 1.0) if length > 0 else 0.0
        shares[:] = 0.0
        shares[start], shares[end] = 1 - share, share
        distance = _squared(point, corners, shares)
        if distance < best:
            best, kept_edge, kept_share = distance, edge, share
    shares[:] = 0.0
    shares[kept_edge], shares[(kept_edge + 1) % 3] = 1 - kept_share, kept_share
    return best


@njit(cache=True, error_model="numpy", nogil=True)
def _squared(point: Any, corners: Any, shares: Any) -> float:
    total = 0.0
    for axis in range(3):
        place = shares[0] * corners[0, axis] + shares[1] * corners[1, axis] + shares[2] * corners[2, axis]
        total += (place - point[axis]) ** 2
    return total

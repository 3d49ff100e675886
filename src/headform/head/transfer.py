"""Expression units carried from one head to another whose vertices have nothing in common with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headform.head.model import HeadModel

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

CHUNK = 512  # rows of the distance matrix at a time: a few megabytes
NORMAL_REACH = 0.012  # metres that a normal turned by 90° counts for: keeps the lips and the lids apart
SIMILARITY_ROUNDS = 8
BENDING = (120, 60, 30, 15)  # smoothing passes of the warp, from stiff to soft
NEAR, FAR = 0.006, 0.02  # metres to the source surface: carried whole up to NEAR, not at all beyond FAR
SMOOTHING = 3  # passes over the carried displacements


@dataclass(frozen=True, eq=False)
class Surface:
    """A surface: vertices (N, 3) in metres, all in use, and faces (Q, 4); a triangle repeats its last."""

    vertices: Floats
    quads: Ints

    @classmethod
    def of_part(cls, vertices: Floats, quads: Ints) -> tuple[Surface, Ints]:
        """The surface of some faces of a larger mesh, and (N,) the rows of that mesh it consists of."""
        rows, inverse = np.unique(quads, return_inverse=True)
        return cls(vertices[rows], inverse.reshape(quads.shape).astype(np.int32)), rows.astype(np.int32)


def carry_units(source: HeadModel, target: Surface, eyes: Floats, has_jaw: bool = True) -> Floats:
    """(E, N, 3) the displacements of `source`'s expression units on the vertices of `target`.

    source: a head with a part "skin" and eye joints. eyes: (2, 3) centres of the target's left and right
    eyeball; both heads have +Y up and look along +Z. The source is moved onto the target by a similarity,
    bent onto it smoothly, and each vertex of the target takes the displacement of the source vertex that
    is nearest in place and direction, scaled by the ratio of sizes, fading with distance. Where the
    target's own jaw does the work (`has_jaw`), units that turn the jaw carry no displacement: `drive`
    opens it.
    """
    skin, rows = Surface.of_part(source.template, source.quads[source.part == source.part_index("skin")])
    scale, moved = align(skin, target, source.joints[3:5], eyes)
    bent = bend(Surface(moved, skin.quads), target)
    nearest = _nearest(_features(target), _features(bent))
    gap = np.linalg.norm(target.vertices - bent.vertices[nearest], axis=1)
    share = np.clip((FAR - gap) / (FAR - NEAR), 0, 1)
    units = source.expression[:, rows[nearest]] * (scale * share[:, None]).astype(np.float32)
    smooth = Smoother(target.quads, len(target.vertices))
    for unit in units:
        unit[:] = smooth(unit, SMOOTHING)
    if has_jaw:
        units[np.abs(source.drive[:, 2]).max(1) > 0] = 0
    return np.asarray(units, np.float32)


def align(skin: Surface, target: Surface, eyes: Floats, target_eyes: Floats) -> tuple[float, Floats]:
    """The size ratio, and (N, 3) the vertices of `skin` moved onto `target` by a similarity.

    It starts from the eye joints and goes on with the face in front of them, nearest point by nearest point.
    """
    scale = float(np.linalg.norm(target_eyes[0] - target_eyes[1]) / np.linalg.norm(eyes[0] - eyes[1]))
    moved = (skin.vertices - eyes.mean(0)) * scale + target_eyes.mean(0)
    face = skin.vertices[:, 2] > eyes[:, 2].mean()
    ratio = scale
    features = _features(target)
    for _ in range(SIMILARITY_ROUNDS):
        nearest = _nearest(_features(Surface(moved.astype(np.float32), skin.quads))[face], features)
        gap = np.linalg.norm(moved[face] - target.vertices[nearest], axis=1)
        good = gap <= np.quantile(gap, 0.8)
        step, rotation, shift = similarity(moved[face][good], target.vertices[nearest][good])
        moved = step * moved @ rotation.T + shift
        ratio *= step
    return ratio, moved.astype(np.float32)


def similarity(points: NDArray[np.floating], goals: NDArray[np.floating]) -> tuple[float, Doubles, Doubles]:
    """Scale s, rotation R and shift t with s R p + t ≈ g in the least squares (Umeyama 1991, eq. 40–42)."""
    p, g = points.astype(np.float64), goals.astype(np.float64)
    p_mean, g_mean = p.mean(0), g.mean(0)
    u, spread, vt = np.linalg.svd((g - g_mean).T @ (p - p_mean))
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = float((spread * sign).sum() / ((p - p_mean) ** 2).sum())
    return scale, rotation, g_mean - scale * rotation @ p_mean


def bend(skin: Surface, target: Surface) -> Surface:
    """`skin` pulled onto `target` by smooth displacements, stiff at first and then softer."""
    smooth = Smoother(skin.quads, len(skin.vertices))
    features, moved = _features(target), skin.vertices
    for passes in BENDING:
        nearest = _nearest(_features(Surface(moved, skin.quads)), features)
        pull = target.vertices[nearest] - moved
        gap = np.linalg.norm(pull, axis=1, keepdims=True)
        pull *= np.clip((FAR - gap) / (FAR - NEAR), 0, 1)
        moved = np.asarray(moved + smooth(pull.astype(np.float32), passes), np.float32)
    return Surface(moved, skin.quads)


class Smoother:
    """Averages values over the neighbours of each vertex, again and again."""

    def __init__(self, quads: Ints, count: int) -> None:
        edges = np.concatenate([quads[:, [k, (k + 1) % 4]] for k in range(4)]).astype(np.int64)
        edges = np.unique(np.sort(edges[edges[:, 0] != edges[:, 1]], axis=1), axis=0)
        both = np.concatenate([edges, edges[:, ::-1]])
        both = both[np.argsort(both[:, 0], kind="stable")]
        self._to = both[:, 1]
        self._degree = np.bincount(both[:, 0], minlength=count)
        self._starts = np.cumsum(self._degree) - self._degree

    def __call__(self, values: Floats, passes: int) -> Floats:
        """(N, D) values after `passes` steps half-way to the mean of their neighbours."""
        has = (self._degree > 0)[:, None]
        for _ in range(passes):
            # a row of zeros at the end: where the last vertices have no neighbours, their sums start there
            taken = np.concatenate([values[self._to], np.zeros_like(values[:1])])
            sums = np.add.reduceat(taken, self._starts, axis=0)
            values = np.where(has, 0.5 * values + 0.5 * sums / np.maximum(self._degree, 1)[:, None], values)
        return np.asarray(values, np.float32)


def vertex_normals(vertices: Floats, quads: Ints) -> Doubles:
    """(N, 3) unit normals, weighted by face area."""
    corner = vertices[quads].astype(np.float64)
    face = np.cross(corner[:, 2] - corner[:, 0], corner[:, 3] - corner[:, 1])
    triangle = quads[:, 2] == quads[:, 3]
    face[triangle] = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])[triangle]
    normals = np.zeros((len(vertices), 3))
    for k in range(4):
        used = ~triangle if k == 3 else np.ones(len(quads), bool)
        np.add.at(normals, quads[used, k], face[used])
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.asarray(normals / np.maximum(length, 1e-20))


def _features(surface: Surface) -> Floats:
    """(N, 6) place and scaled direction: their distance is what `_nearest` compares."""
    normals = vertex_normals(surface.vertices, surface.quads)
    return np.hstack([surface.vertices, normals * (NORMAL_REACH / np.sqrt(2))]).astype(np.float32)


def _nearest(points: Floats, among: Floats) -> Longs:
    """(P,) the row of `among` nearest to each of `points`."""
    centre = among.mean(0)  # keeps the squares small, so that float32 suffices
    among = among - centre
    squares = (among**2).sum(1)
    found = np.empty(len(points), np.int64)
    for start in range(0, len(points), CHUNK):
        some = points[start : start + CHUNK] - centre
        found[start : start + CHUNK] = np.argmin(squares - 2 * some @ among.T, axis=1)
    return found

"""Close-up level: Catmull–Clark subdivision, worked out once per mesh and then only a weighted sum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Doubles = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Subdivision:
    """A finer mesh whose vertices are weighted sums of a coarse one's (compressed rows).

    starts (N1 + 1,), sources and shares: vertex i = Σ shares[k] · coarse[sources[k]], k in its row.
    quads (4Q, 4); quads_uv (4Q, 4) rows of uv (U1, 2); face (4Q,) the coarse face each came from.
    """

    starts: Ints
    sources: Ints
    shares: Floats
    quads: Ints
    quads_uv: Ints
    uv: Floats
    face: Ints

    def refine(self, vertices: Floats) -> Floats:
        """(N1, D) values on the fine mesh, from (N, D) on the coarse one: places, weights, colours …"""
        values = np.ascontiguousarray(vertices, np.float32)
        out = np.empty((len(self.starts) - 1, values.shape[1]), np.float32)
        _weighted_sums(self.starts, self.sources, self.shares, values, out)
        return out


def subdivide(quads: Ints, quads_uv: Ints, uv: Floats, vertex_count: int) -> Subdivision:
    """One Catmull–Clark step. Triangles are quads that repeat their last vertex; borders stay smooth curves.

    New vertices: the old ones first, then one for each edge, then one for each face. Texture coordinates are
    divided linearly, so that a texture stays where it was.
    """
    corners, real = quads.astype(np.int64), np.ones(quads.shape, bool)
    real[:, 3] = quads[:, 3] != quads[:, 2]
    edges, edge_of = _edges(corners, real)
    triples = _Triples(vertex_count, len(edges))
    triples.add_faces(corners, real)
    border = np.bincount(edge_of[real], minlength=len(edges)) != 2
    triples.add_edges(edges, edge_of, border, corners, real)
    triples.add_vertices(edges, edge_of, border, corners, real)
    corners_uv = quads_uv.astype(np.int64)
    edges_uv, edge_of_uv = _edges(corners_uv, real)
    middle = (uv[quads_uv] * real[..., None]).sum(1) / real.sum(1, keepdims=True)
    return Subdivision(
        *triples.pack(),
        quads=_children(corners, real, edge_of, vertex_count, len(edges)),
        quads_uv=_children(corners_uv, real, edge_of_uv, len(uv), len(edges_uv)),
        uv=np.concatenate([uv, uv[edges_uv].mean(1), middle]).astype(np.float32),
        face=np.repeat(np.arange(len(quads), dtype=np.int32), real.sum(1)),
    )


class _Triples:
    """Collects (new vertex, old vertex, share): new vertices are the old ones, then edges, then faces."""

    def __init__(self, vertices: int, edges: int) -> None:
        self.vertices, self.edges = vertices, edges
        self.parts: list[tuple[Longs, Longs, Doubles]] = []

    def add(self, new: Longs, old: Longs, share: Doubles | float) -> None:
        self.parts.append((new, old, np.broadcast_to(share, new.shape)))

    def add_faces(self, corners: Longs, real: Flags) -> None:
        """The middle of each face."""
        face, corner = np.nonzero(real)
        self.add(self.vertices + self.edges + face, corners[face, corner], 1 / real.sum(1)[face])

    def add_edges(self, edges: Longs, edge_of: Longs, border: Flags, corners: Longs, real: Flags) -> None:
        """Inner edges: mean of both ends and both face middles; border edges: mean of the ends."""
        new = self.vertices + np.arange(len(edges))
        for end in range(2):
            self.add(new, edges[:, end], np.where(border, 0.5, 0.25))
        face, corner = np.nonzero(real & ~border[edge_of])
        self._add_middles(self.vertices + edge_of[face, corner], face, np.full(len(face), 0.25), corners, real)

    def add_vertices(self, edges: Longs, edge_of: Longs, border: Flags, corners: Longs, real: Flags) -> None:
        """Inner: (mean of face middles + 2 · mean of edge middles + (n − 3) · itself) / n; border: 1/8, 3/4, 1/8."""
        valence = np.maximum(np.bincount(edges.ravel(), minlength=self.vertices), 1)
        on_border = np.zeros(self.vertices, bool)
        on_border[edges[border]] = True
        every = np.arange(self.vertices)
        self.add(every, every, np.where(on_border, 0.75, (valence - 3) / valence))
        for one, other in ((0, 1), (1, 0)):
            rim = edges[border]
            self.add(rim[:, one], rim[:, other], 0.125)
            inner = edges[~on_border[edges[:, one]]]
            for end in (one, other):
                self.add(inner[:, one], inner[:, end], 1 / valence[inner[:, one]] ** 2)
        face, corner = np.nonzero(real & ~on_border[corners])
        vertex = corners[face, corner]
        self._add_middles(vertex, face, 1 / valence[vertex] ** 2, corners, real)

    def _add_middles(self, new: Longs, face: Longs, share: Doubles, corners: Longs, real: Flags) -> None:
        each = share / real.sum(1)[face]
        for corner in range(4):
            there = real[face, corner]
            self.add(new[there], corners[face, corner][there], each[there])

    def pack(self) -> tuple[Ints, Ints, Floats]:
        new, old, share = (np.concatenate(column) for column in zip(*self.parts, strict=True))
        key, inverse = np.unique(new * self.vertices + old, return_inverse=True)
        total = np.bincount(inverse, share)
        rows = key // self.vertices
        starts = np.searchsorted(rows, np.arange(rows.max() + 2))
        return starts.astype(np.int32), (key % self.vertices).astype(np.int32), total.astype(np.float32)


def _edges(corners: Longs, real: Flags) -> tuple[Longs, Longs]:
    """Edges (M, 2), and for each real corner (Q, 4) the edge that leaves it."""
    ends = np.roll(corners, -1, 1)
    ends[~real[:, 3], 2] = corners[~real[:, 3], 0]  # a triangle closes after its third corner
    pairs = np.sort(np.stack([corners, ends], -1), -1)
    edges, inverse = np.unique(pairs[real], axis=0, return_inverse=True)
    edge_of = np.zeros(corners.shape, np.int64)
    edge_of[real] = inverse.ravel()
    return edges, edge_of


def _children(corners: Longs, real: Flags, edge_of: Longs, vertices: int, edges: int) -> Ints:
    """A small quad at every real corner: itself, the edge after it, the middle, the edge before it."""
    before = np.roll(edge_of, 1, 1)
    before[~real[:, 3], 0] = edge_of[~real[:, 3], 2]
    middle = np.broadcast_to(vertices + edges + np.arange(len(corners))[:, None], corners.shape)
    quads = np.stack([corners, vertices + edge_of, middle, vertices + before], -1)
    return quads[real].astype(np.int32)


@njit(cache=True, nogil=True)
def _weighted_sums(starts: Ints, sources: Ints, shares: Floats, values: Floats, out: Floats) -> None:
    for row in range(len(starts) - 1):
        for column in range(values.shape[1]):
            out[row, column] = 0
        for k in range(starts[row], starts[row + 1]):
            for column in range(values.shape[1]):
                out[row, column] += shares[k] * values[sources[k], column]

"""Which of MakeHuman's vertices and faces make our head, in what order, and who mirrors whom."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from makehuman import VERTICES, Array, MakeHuman
from numpy.typing import NDArray

Ints = NDArray[np.int64]

NECK_SHARE = 0.02  # the crop starts from all body faces with this much neck or head weight …
COLLAR_RINGS = 3  # … and loses this many rings of 42 quads, which ends it above the shoulders
ISLANDS = ("socket_right", "neck", "socket_left", "mouth", "head")
FOUND = (4, 3, 1, 0, 2)  # the old layout's pieces, by their first uv row, as indices into ISLANDS
LASH_GROUPS = tuple(f"helper-{side}-eyelashes-{k}" for side in "lr" for k in (1, 2))


@dataclass(frozen=True)
class Topology:
    """skin (S,) and tongue, lashes: base-mesh vertex rows; quads index into the skin rows.

    island (Q,): index into ISLANDS; mirror (S,): the skin vertex across the middle.
    """

    skin: Ints
    quads: Ints
    quads_old_uv: Ints
    island: Ints
    mirror: Ints
    tongue: Ints
    lashes: Ints


def crop(mh: MakeHuman) -> Topology:
    base, neck = mh.base, mh.subtree_weight("neck01")
    faces = [
        i
        for i, (face, group) in enumerate(zip(base.faces, base.groups, strict=True))
        if group == "body" and all(neck[v] > NECK_SHARE for v in face)
    ]
    for _ in range(COLLAR_RINGS):
        rim = _boundary([base.faces[i] for i in faces])
        faces = [i for i in faces if not rim & set(base.faces[i])]
    skin = np.unique([base.faces[i] for i in faces])
    row = np.full(VERTICES, -1)
    row[skin] = np.arange(len(skin))
    old_uv = np.array([base.faces_uv[i] for i in faces])
    return Topology(
        skin=skin,
        quads=row[np.array([base.faces[i] for i in faces])],
        quads_old_uv=old_uv,
        island=_islands(old_uv),
        mirror=_mirror(base.vertices[skin]),
        tongue=base.group_vertices("helper-tongue"),
        lashes=np.unique(np.concatenate([base.group_vertices(g) for g in LASH_GROUPS])),
    )


def _boundary(faces: list[list[int]]) -> set[int]:
    edges = Counter(tuple(sorted(edge)) for f in faces for edge in zip(f, f[1:] + f[:1], strict=True))
    return {vertex for edge, count in edges.items() if count == 1 for vertex in edge}


def _islands(quads_uv: Ints) -> Ints:
    """(Q,) index into ISLANDS: which connected piece of the old layout each quad lies in."""
    label = np.arange(quads_uv.max() + 1)
    while True:
        lowest = label[quads_uv].min(1)
        before = label.copy()
        for corner in range(4):
            np.minimum.at(label, quads_uv[:, corner], lowest)
        label = label[label]
        if (label == before).all():
            break
    return np.array(FOUND)[np.unique(label[quads_uv[:, 0]], return_inverse=True)[1]]


def _mirror(vertices: Array) -> Ints:
    keys = {tuple(np.round(v * 1e6).astype(int)): i for i, v in enumerate(vertices)}
    across = np.round(vertices * [-1e6, 1e6, 1e6]).astype(int)
    return np.array([keys[tuple(v)] for v in across])

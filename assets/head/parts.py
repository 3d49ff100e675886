"""All parts of the head put together: vertices, faces, texture coordinates and what each vertex follows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from atlas import Atlas
from controls import FRAMES, Controls
from eyes import eye_pair, lash_uv
from gums import gums, tongue_uv
from makehuman import Array, MakeHuman
from part_mesh import PartMesh
from teeth import crowns, fit_arches
from topology import LASH_GROUPS

# Which frame each added part follows.
FOLLOWS = {
    "eye_left": "eye_left",
    "eye_right": "eye_right",
    "cornea_left": "eye_left",
    "cornea_right": "eye_right",
    "teeth_upper": "upper_arch",
    "gums_upper": "upper_arch",
    "teeth_lower": "lower_arch",
    "gums_lower": "lower_arch",
}
FRAME_JOINTS = (3, 4, 1, 2)


@dataclass(frozen=True)
class Assembly:
    """vertices (V, 3) on the base head; the rest as in HeadModel."""

    vertices: Array
    weights: Array
    parts: tuple[str, ...]
    meshes: tuple[PartMesh, ...]
    starts: tuple[int, ...]
    follow_controls: np.ndarray
    follow_weights: Array

    def arrays(self) -> dict[str, np.ndarray]:
        uv_starts = np.cumsum([0] + [len(m.uv) for m in self.meshes])
        quads = [m.quads + s for m, s in zip(self.meshes, self.starts, strict=True)]
        quads_uv = [m.quads_uv + s for m, s in zip(self.meshes, uv_starts, strict=False)]
        return {
            "weights": self.weights.astype(np.float16),
            "quads": np.concatenate(quads).astype(np.int16),
            "quads_uv": np.concatenate(quads_uv).astype(np.int16),
            "uv": np.concatenate([m.uv for m in self.meshes]).astype(np.float32),
            "part": np.repeat(np.arange(len(self.parts)), [len(m.quads) for m in self.meshes]).astype(np.uint8),
            "parts": np.array(self.parts),
            "follow_controls": self.follow_controls.astype(np.int16),
            "follow_weights": self.follow_weights.astype(np.float32),
        }

    def eyeball(self, side: str) -> tuple[Array, np.ndarray, Array, float]:
        """All vertices, the eyeball's triangles, its centre and radius."""
        index = self.parts.index(f"eye_{side}")
        quads = self.meshes[index].quads + self.starts[index]
        triangles = np.concatenate([quads[:, :3], quads[:, [0, 2, 3]]])
        triangles = triangles[triangles[:, 1] != triangles[:, 2]]
        rows = np.unique(quads)
        low, high = self.vertices[rows].min(0), self.vertices[rows].max(0)
        return self.vertices, triangles, (low + high) / 2, float((high - low)[0] / 2)


def assemble(mh: MakeHuman, controls: Controls, base: Array, atlas: Atlas, weights: Array) -> Assembly:
    """base (C, 3): the head on which all parts are defined; weights (C, 5) of the controls."""
    direct = len(controls.direct)
    meshes = {"skin": PartMesh(base[: len(controls.topology.skin)], controls.topology.quads, atlas.uv, atlas.quads_uv)}
    starts = {"skin": 0, "tongue": len(controls.topology.skin)}
    starts["lashes"] = starts["tongue"] + len(controls.topology.tongue)
    meshes["tongue"] = _tongue(mh, base[starts["tongue"] : starts["lashes"]])
    meshes["lashes"] = _lashes(mh, base[starts["lashes"] : direct])
    added = {**_eyes(controls, base), **_mouth(mh)}
    frames, shares, start = [], [], direct
    for name, mesh in added.items():
        meshes[name], starts[name] = mesh, start
        start += len(mesh.vertices)
        rows = controls.frame_rows(FOLLOWS[name])
        frames.append(np.broadcast_to(np.arange(rows.start, rows.stop), (len(mesh.vertices), 4)))
        shares.append(_frame_shares(base[rows], mesh.vertices))
    joints = [
        np.eye(5)[FRAME_JOINTS[FRAMES.index(FOLLOWS[n])]][None].repeat(len(m.vertices), 0) for n, m in added.items()
    ]
    return Assembly(
        vertices=np.concatenate([base[:direct], *(m.vertices for m in added.values())]),
        weights=np.concatenate([weights[:direct], *joints]),
        parts=tuple(meshes),
        meshes=tuple(meshes.values()),
        starts=tuple(starts[n] for n in meshes),
        follow_controls=np.concatenate(frames),
        follow_weights=np.concatenate(shares),
    )


def _frame_shares(frame: Array, points: Array) -> Array:
    """(n, 4) affine weights of points in a frame's four points."""
    corners = np.concatenate([frame.T, np.ones((1, 4))])
    return np.linalg.solve(corners, np.concatenate([points.T, np.ones((1, len(points)))])).T


def _eyes(controls: Controls, base: Array) -> dict[str, PartMesh]:
    left, right = (base[controls.frame_rows(f"eye_{side}").start] for side in ("left", "right"))
    return eye_pair(left, right)


def _mouth(mh: MakeHuman) -> dict[str, PartMesh]:
    body = mh.base.vertices + mh.macro()
    body = body - body[mh.base.group_vertices("joint-head")].mean(0)
    strips = [body[mh.base.group_vertices(f"helper-{way}-teeth")] for way in ("upper", "lower")]
    upper, lower = fit_arches(*strips)
    return {
        "teeth_upper": crowns(upper),
        "teeth_lower": crowns(lower),
        "gums_upper": gums(upper),
        "gums_lower": gums(lower),
    }


def _tongue(mh: MakeHuman, vertices: Array) -> PartMesh:
    quads = _group_quads(mh, ("helper-tongue",))
    return PartMesh(vertices, quads, *tongue_uv(vertices, quads))


def _lashes(mh: MakeHuman, vertices: Array) -> PartMesh:
    quads = _group_quads(mh, LASH_GROUPS)
    return PartMesh(vertices, quads, *lash_uv(vertices, quads))


def _group_quads(mh: MakeHuman, groups: tuple[str, ...]) -> np.ndarray:
    """Faces of base-mesh groups, numbered by their sorted vertices."""
    faces = [f for f, g in zip(mh.base.faces, mh.base.groups, strict=True) if g in groups]
    quads = np.array([f if len(f) == 4 else [*f, f[-1]] for f in faces])
    return np.unique(quads, return_inverse=True)[1].reshape(quads.shape)

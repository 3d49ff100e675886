"""A head as files want it: its parts in groups, with normals, weights and what each expression unit moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headform.avatar.avatar import Avatar
from headform.avatar.looks import LOOKS, SKIN
from headform.fit import Floats
from headform.head.model import JOINTS, HeadModel
from headform.render.occlusion import ambient_occlusion
from headform.render.surface import Surface, tangents, vertex_normals
from headform.skin.lids import lid_shade
from headform.skin.wardrobe import CLEAR, fine_mesh

Ints = NDArray[np.int32]

MOST_JOINTS = 4  # of a vertex, in most programs
LEAST_WEIGHT = 1e-6
LEAST_TANGENT = 1e-3
RIM = 0.35  # of a cornea's radius
AJAR = (0.2, 0.0, 0.0)  # radians
DIRECTIONS = 32  # of light; caves need no more
OPEN = 0.8  # of the surroundings: who sees as much is in no cave
WHITE = 0.72  # of the light reaches the white of eyes past brow and nose
DARKEST = 0.3  # in a cave: flesh is lit by flesh


@dataclass(frozen=True, eq=False)
class Group:
    """Triangles of the parts that share a look, their vertices split where texture coordinates part.

    rows (N,) vertices of the model; uv_rows (N,) rows of its uv; triangles (T, 3) rows of `rows`
    """

    name: str
    rows: Ints
    uv_rows: Ints
    triangles: Ints


def look_names(model: HeadModel, dressed: bool) -> list[str]:
    """The looks of this head's parts, skin first: a part that no look names is skin. Lashes are cards, black patches
    without their picture, and left out on a head that is not dressed."""
    used = {look_of(part) for part in model.parts}
    return [name for name in LOOKS if name in used and (dressed or name != "lashes")]


def look_of(part: str) -> str:
    return next((name for name, look in LOOKS.items() if part in look.parts), SKIN)


def parts_of(model: HeadModel, look: str) -> list[int]:
    """Which of the head's parts have this look."""
    return [index for index, part in enumerate(model.parts) if look_of(part) == look]


def groups_of(model: HeadModel, dressed: bool) -> list[Group]:
    """The groups of a head, in the order of `look_names`."""
    return [_group(model, name) for name in look_names(model, dressed)]


def _group(model: HeadModel, look: str) -> Group:
    chosen = np.isin(model.triangle_part, parts_of(model, look))
    vertex = model.triangles[chosen].reshape(-1).astype(np.int64)
    corner = model.triangles_uv[chosen].reshape(-1).astype(np.int64)
    pairs, local = np.unique(vertex * len(model.uv) + corner, return_inverse=True)
    rows, uv_rows = np.divmod(pairs, len(model.uv))
    return Group(look, rows.astype(np.int32), uv_rows.astype(np.int32), local.reshape(-1, 3).astype(np.int32))


def smooth_normals(model: HeadModel, vertices: Floats) -> Floats:
    """(V, 3) unit normals of the close-up surface at the vertices (V, 3) of the head."""
    fine = fine_mesh(model)
    triangles = np.concatenate(list(fine.triangles.values()))
    return vertex_normals(fine.subdivision.refine(vertices), triangles)[: len(vertices)]


def smooth_tangents(model: HeadModel, vertices: Floats, normals: Floats, group: Group) -> Floats:
    """(N, 4) unit tangents of a group towards larger u, at right angles to its normals, and the side (±1) of +v."""
    skin = Surface(vertices, model.triangles, uv=model.uv, triangles_uv=model.triangles_uv)
    along, up = tangents(skin, normals)[group.uv_rows], normals[group.rows]
    lost = np.linalg.norm(along[:, :3], axis=1) < LEAST_TANGENT  # where no picture is laid out, any will do
    along[lost, :3] = np.cross(up[lost], np.eye(3)[np.abs(up[lost]).argmin(1)])
    along[:, :3] /= np.linalg.norm(along[:, :3], axis=1, keepdims=True)
    return along


def morphs(avatar: Avatar, rest: Floats) -> Floats:
    """(E, V, 3) metres: what each full unit moves from the neutral head, its turns of jaw and eyes included."""
    model = avatar.model
    personal = avatar.fit.personal(model).person(avatar.fit.beta)
    moved = np.zeros((model.expression_size, model.vertex_count, 3), np.float32)
    for index, name in enumerate(model.expression_names):
        moved[index] = personal.posed({name: 1.0}) - rest
    return moved


def turns(model: HeadModel, rest: Floats, moved: Floats) -> Floats:
    """(E, V, 3) how the normals of the head change with displacements (E, V, 3)."""
    still = vertex_normals(rest, model.triangles)
    changed = [vertex_normals(rest + each, model.triangles) - still for each in moved]
    return np.array(changed, np.float32).reshape(moved.shape)


def shade(avatar: Avatar) -> Floats:
    """(V,) 0–1: what is left of the light in nostrils, ears and mouth and under the lids, where programs that do not
    trace it let it shine everywhere. The mouth is a little open for it, or else its teeth would be black."""
    model = avatar.model
    theta = np.zeros((len(JOINTS), 3), np.float32)
    theta[JOINTS.index("jaw")] = AJAR
    opened = avatar.fit.personal(model).posed(avatar.fit.beta, None, theta)
    clear = [index for index, part in enumerate(model.parts) if part in CLEAR]
    solid = model.triangles[~np.isin(model.triangle_part, clear)]
    seen = ambient_occlusion(opened, model.triangles, DIRECTIONS, solid)
    out = np.asarray(DARKEST + (1 - DARKEST) * np.minimum(seen / OPEN, 1), np.float32)
    rest = avatar.neutral()
    for side in ("left", "right"):
        if f"eye_{side}" in model.parts:
            rows = model.part_vertices(f"eye_{side}")
            out[rows] = np.maximum(WHITE * lid_shade(model, rest, side, rest[rows]), DARKEST)
    return out


def cornea_fade(model: HeadModel, rest: Floats) -> Floats:
    """(V,) one, but falling to zero at the rims of the corneas, which lie on the white and must not show there."""
    out = np.ones(len(rest), np.float32)
    for part in ("cornea_left", "cornea_right"):
        if part in model.parts:
            rows = model.part_vertices(part)
            apex = rest[rows[rest[rows, 2].argmax()]]
            away = np.linalg.norm(rest[rows] - apex, axis=1)
            out[rows] = np.clip((1 - away / away.max()) / RIM, 0, 1)
    return out


def joint_places(avatar: Avatar) -> NDArray[np.float64]:
    """(5, 3) metres: where the joints of the neutral head are."""
    fit = avatar.fit
    return fit.personal(avatar.model).joints_of(fit.beta).astype(np.float64)


def four_weights(weights: Floats) -> tuple[NDArray[np.uint8], Floats]:
    """(V, 4) joints and weights: the four largest of (V, 5), summing to one; unused places are joint 0."""
    order = np.argsort(-weights, axis=1, kind="stable")[:, :MOST_JOINTS]
    chosen = np.take_along_axis(weights, order, 1).astype(np.float64).clip(0)
    chosen[chosen < LEAST_WEIGHT] = 0
    chosen /= chosen.sum(1, keepdims=True)
    return np.where(chosen > 0, order, 0).astype(np.uint8), chosen.astype("<f4")

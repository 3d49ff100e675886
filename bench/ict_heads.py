"""Heads of ICT-FaceKit worn by our mesh, and pictures of them: what the fit is judged on.

Our vertices are laid on each head (β first, then freely but smoothly), so that our skins, eyes and mouth can be
drawn on a head that our model does not span; the error is then measured against ICT's own surface. Needs scipy.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix, diags
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

from headform.head import HeadModel
from headform.learn.renders import FACE, Stage, plain_render
from headform.render import Camera
from headform.render.surface import vertex_normals

Array = np.ndarray[Any, Any]

OUTER = 11248  # ICT's outer skin; sockets of mouth and eyes follow
ROUNDS, RIDGE = 22, 1e-9
STIFFNESS = (30.0, 10.0, 4.0, 1.5)
LANDMARKS = Path(__file__).parents[1] / "assets/head/landmarks_68_ict.txt"
YAWS = (0.0, 30.0, -30.0)


@dataclass(frozen=True, eq=False)
class Scan:
    """One head: surface in metres in our frame, its 68 points, and our mesh laid over it (V, 3), at rest."""

    name: str
    vertices: Array
    triangles: Array
    marks: Array
    worn: Array


def scans(model: HeadModel, path: Path, count: int, seed: int) -> list[Scan]:
    with np.load(path) as data:
        neutral, modes = data["neutral"][:OUTER], data["identity"][:, :OUTER].astype(np.float32)
        quads = data["quads"][(data["quads"] < OUTER).all(1) & (data["quads"] >= 0).all(1)]
    triangles = np.ascontiguousarray(quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)).astype(np.int32)
    rng = np.random.default_rng(seed)
    marks = np.loadtxt(LANDMARKS, dtype=int)
    out = []
    for number in range(count):
        head = (neutral + np.tensordot(rng.normal(size=len(modes)), modes, 1)) * 0.01
        worn, placed = wear(model, head, triangles, head[marks])
        out.append(Scan(f"ict_{seed}_{number:02}", placed, triangles, placed[marks], worn))
    return out


def wear(model: HeadModel, scan: Array, triangles: Array, marks: Array) -> tuple[Array, Array]:
    """Our vertices (V, 3) on the scan, and the scan moved into our frame."""
    ours = model.embeddings["ibug_68"]
    skin = model.part_vertices("skin")
    faces = model.triangles[(model.triangle_part == model.parts.index("skin"))]
    beta = np.zeros(model.identity_size)
    turn, move = _rigid(marks[17:], ours.points(model.rest())[17:])
    modes = np.stack([model.rest(row) for row in np.eye(model.identity_size, dtype=np.float32)]) - model.rest()
    for _ in range(ROUNDS):
        placed = scan @ turn.T + move
        shape = model.rest(beta)
        point, normal, good = _match(shape[skin], vertex_normals(shape, faces)[skin], placed, triangles)
        rows = np.einsum("knj,nj->nk", modes[:, skin], normal) * good[:, None]
        gap = ((point - model.rest()[skin]) * normal).sum(1) * good
        left = rows.T @ rows + RIDGE * good.sum() * np.eye(len(beta))
        tied = np.concatenate([ours.points(mode)[17:].ravel()[None] for mode in modes]).T
        wanted = (marks[17:] @ turn.T + move - ours.points(model.rest())[17:]).ravel()
        beta = np.linalg.solve(left + 2 * tied.T @ tied, rows.T @ gap + 2 * tied.T @ wanted)
        mine = ours.points(model.rest(beta))[17:]
        turn, move = _rigid(marks[17:], mine)
    placed = scan @ turn.T + move
    rest = model.rest(beta)
    moved = _freely(rest, skin, faces, placed, triangles)
    return _carried(model, rest, skin, moved), placed


def _match(points: Array, normals: Array, scan: Array, triangles: Array) -> tuple[Array, Array, Array]:
    theirs = vertex_normals(scan.astype(np.float32), triangles)
    distance, row = cKDTree(scan).query(points)
    agree = (theirs[row] * normals).sum(1) > 0.6
    good = agree * (distance < 0.012) / (1 + (distance / max(0.004, 2.5 * np.median(distance))) ** 4)
    along = ((scan[row] - points) * theirs[row]).sum(1)
    return points + along[:, None] * theirs[row], theirs[row], good


def _freely(rest: Array, skin: Array, faces: Array, scan: Array, triangles: Array) -> Array:
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    near = coo_matrix((np.ones(len(edges)), edges.T), shape=(len(skin), len(skin))).tocsr()
    near = near + near.T
    near.data[:] = 1
    laplace = diags(np.ones(len(skin))) - diags(1 / np.asarray(near.sum(1)).ravel()) @ near
    moved = np.zeros((len(skin), 3))
    for stiffness in STIFFNESS:
        here = rest[skin] + moved
        point, _, good = _match(here, vertex_normals(here.astype(np.float32), faces), scan, triangles)
        system = diags(good + 1e-4) + stiffness * laplace.T @ laplace
        moved = splu(system.tocsc()).solve(good[:, None] * (moved + point - here))
    return moved


def _carried(model: HeadModel, rest: Array, skin: Array, moved: Array) -> Array:
    out = rest.astype(np.float64).copy()
    out[skin] += moved
    others = np.setdiff1d(np.arange(len(rest)), skin)
    distance, row = cKDTree(rest[skin]).query(rest[others], k=12)
    share = 1 / (distance + 0.002) ** 2
    out[others] += (moved[row] * (share / share.sum(1, keepdims=True))[..., None]).sum(1)
    return out.astype(np.float32)


def _rigid(source: Array, aim: Array) -> tuple[Array, Array]:
    u, _, vt = np.linalg.svd((source - source.mean(0)).T @ (aim - aim.mean(0)))
    turn = (u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt).T
    return turn, aim.mean(0) - turn @ source.mean(0)


def pictures(stage: Stage, scan: Scan, seed: int, size: int = 480) -> list[Array]:
    """The head at rest from the front and from both sides, each with its own skin, light and lens."""
    rng = np.random.default_rng(seed)
    out = []
    for degrees in YAWS:
        distance, across = float(np.exp(rng.uniform(np.log(0.5), np.log(2.0)))), rng.uniform(0.30, 0.40)
        camera = Camera.portrait(
            np.radians(degrees),
            rng.normal(0, 0.06),
            size,
            field_of_view=2 * np.arctan(across / 2 / distance),
            target=FACE,
            distance=distance,
        )
        out.append(plain_render(stage, rng, scan.worn, camera))
    return out

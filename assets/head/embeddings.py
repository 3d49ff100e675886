"""Points that stay on the same spot of every head: MediaPipe's 478, iBUG's 68, NoW's 7 and the hair roots."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from controls import Controls
from eyes import IRIS_SHARE
from makehuman import Array
from parts import Assembly
from scalp import Scalp, first_exit

HERE = Path(__file__).parent
NOW_IN_IBUG = (36, 39, 42, 45, 33, 48, 54)  # eye corners from the person's right, below the nose, mouth corners
# MediaPipe's five points of an iris: the middle, then towards the image's right, up, left and down.
IRIS_WAYS = np.array([[0, 0], [1, 0], [0, 1], [-1, 0], [0, -1]])


def build_embeddings(controls: Controls, assembly: Assembly, mean: Array, scalp: Scalp) -> dict[str, np.ndarray]:
    """Arrays `<name>_corners` (N, 3) and `<name>_barycentric` (N, 3)."""
    dense, dense_weights = _table(controls, "landmarks_478.csv")
    for side in ("right", "left"):
        corners, weights = _iris(assembly, side)
        dense, dense_weights = np.concatenate([dense, corners]), np.concatenate([dense_weights, weights])
    sparse, sparse_weights = _table(controls, "landmarks_68.csv")
    found = {
        "mediapipe_478": (dense, dense_weights),
        "ibug_68": (sparse, sparse_weights),
        "now_7": (sparse[list(NOW_IN_IBUG)], sparse_weights[list(NOW_IN_IBUG)]),
        "scalp": (scalp.corners, scalp.barycentric),
    }
    arrays = {}
    for name, (corners, weights) in found.items():
        arrays[f"{name}_corners"] = corners.astype(np.int16)
        arrays[f"{name}_barycentric"] = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
    return arrays


def _table(controls: Controls, name: str) -> tuple[np.ndarray, Array]:
    table = np.loadtxt(HERE / name, delimiter=",", skiprows=1)
    row = np.full(len(controls.mh.base.vertices), -1)
    row[controls.direct] = np.arange(len(controls.direct))
    corners = row[table[:, :3].astype(int)]
    if (corners < 0).any():
        raise SystemExit(f"{name} names vertices that are not part of the head")
    return corners, table[:, 3:]


def _iris(assembly: Assembly, side: str) -> tuple[np.ndarray, Array]:
    vertices, triangles, centre, radius = assembly.eyeball(side)
    sine = IRIS_SHARE
    rays = np.concatenate([IRIS_WAYS * sine, np.sqrt(1 - (IRIS_WAYS**2).sum(1, keepdims=True) * sine**2)], 1)
    return first_exit(rays, vertices, triangles, centre, radius / 2)

"""Texture coordinates for heads that bring none: a globe for the skin, a disc for an eyeball."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

EYE_DISC = 0.5  # the eyeball's equator lies this far from the middle of its texture


def unwrap_globe(vertices: Floats, faces: Ints) -> tuple[Floats, Ints]:
    """Spherical coordinates about the head's middle: uv (U, 2) in 0–1, and rows of it for each corner (Q, n).

    The face is in the middle of the picture, the seam at the back of the head; a corner of a face that would
    lie across the seam stays at the edge instead, in a row of its own.
    """
    centre = (vertices.min(0) + vertices.max(0)) / 2
    away = (vertices - centre).astype(np.float64)
    u = 0.5 + np.arctan2(away[:, 0], away[:, 2]) / (2 * np.pi)
    v = 0.5 + np.arctan2(away[:, 1], np.hypot(away[:, 0], away[:, 2])) / np.pi
    uv, rows = np.stack([u, v], 1), faces.astype(np.int64).copy()
    crossing = np.ptp(u[faces], axis=1) > 0.5
    left = u[faces].mean(1) < 0.5
    for edge, side in ((0.0, left), (1.0, ~left)):
        across = (crossing & side)[:, None] & (np.abs(u[faces] - edge) > 0.5)
        strays, inverse = np.unique(faces[across], return_inverse=True)
        rows[across] = len(uv) + inverse
        uv = np.concatenate([uv, np.stack([np.full(len(strays), edge), v[strays]], 1)])
    return uv.astype(np.float32), rows.astype(np.int32)


def unwrap_eyeball(vertices: Floats) -> Floats:
    """(N, 2) the eyeball seen from the front, bent open: the pupil in the middle, the back at the rim."""
    away = (vertices - vertices.mean(0)).astype(np.float64)
    away /= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-12)
    distance = np.arccos(np.clip(away[:, 2], -1, 1)) / np.pi * EYE_DISC
    around = np.arctan2(away[:, 1], away[:, 0])
    disc = 0.5 + distance[:, None] * np.stack([np.cos(around), np.sin(around)], 1)
    return np.asarray(disc, np.float32)

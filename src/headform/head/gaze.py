"""Eyes that look at a place."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.head.model import JOINTS, HeadModel

REACH = np.radians(26.0)  # farther to the side people turn the head instead


def aim_eyes(model: HeadModel, beta: ArrayLike, target: ArrayLike) -> NDArray[np.float32]:
    """(5, 3) a pose θ in which both eyes of a resting head look at a place (3,), in metres, as far as eyes turn."""
    theta = np.zeros((5, 3), np.float32)
    joints = model.joints_of(beta)
    for name in ("eye_left", "eye_right"):
        row = JOINTS.index(name)
        way = np.asarray(target, np.float64) - joints[row]
        way /= np.linalg.norm(way)
        axis = np.cross((0.0, 0.0, 1.0), way)
        sine = float(np.linalg.norm(axis))
        if sine > 1e-9:
            angle = min(float(np.arctan2(sine, way[2])), REACH)
            theta[row] = axis / sine * angle
    return theta

"""The jaw of the 68 points stays from the front and slides back on the side that turns to the camera."""

from __future__ import annotations

import numpy as np

from headform.head import load_default
from headform.measure.contour import JAW, points_68
from headform.render import Camera

MODEL = load_default()
REST = MODEL.rest()


def shift(yaw: float, pitch: float = 0.0) -> np.ndarray:
    """(68,) pixels between the moving and the fixed points."""
    camera = Camera.portrait(yaw, pitch, 512)
    fixed, _ = camera.project(MODEL.embeddings["ibug_68"].points(REST))
    return np.linalg.norm(points_68(MODEL, REST, camera) - fixed, axis=1)


def test_from_the_front_nothing_moves() -> None:
    assert shift(0.0).max() < 1e-6


def test_only_the_near_side_slides() -> None:
    left, right = shift(1.0), shift(-1.0)  # the camera goes to the person's left, then right
    assert left[: JAW // 2].max() < 1e-6 and left[JAW // 2 + 1 : JAW].mean() > 10
    assert right[JAW // 2 + 1 : JAW].max() < 1e-6 and right[: JAW // 2].mean() > 10
    assert left[JAW:].max() < 1e-6


def test_seen_from_below_the_chin_goes_under() -> None:
    below = shift(0.0, -0.6)
    assert below[JAW // 2] > 1
    assert shift(0.0, 0.6)[:JAW].max() < 1e-6

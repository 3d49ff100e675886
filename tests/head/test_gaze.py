"""Eyes that look where they are told."""

from __future__ import annotations

import numpy as np

from headform.head.default import load_default
from headform.head.gaze import REACH, aim_eyes
from headform.head.model import JOINTS


def test_both_eyes_point_at_the_target():
    head = load_default()
    target = np.array([0.1, 0.05, 0.6])
    theta = aim_eyes(head, None, target)
    posed = head.posed(None, None, theta)
    for side in ("left", "right"):
        rows = head.part_vertices(f"cornea_{side}")
        centre = head.joints[JOINTS.index(f"eye_{side}")]
        front = posed[rows[np.argmax(head.rest()[rows, 2])]]
        wanted = target - centre
        cosine = (front - centre) @ wanted / np.linalg.norm(front - centre) / np.linalg.norm(wanted)
        assert cosine > np.cos(np.radians(1))


def test_eyes_turn_no_farther_than_eyes_do():
    theta = aim_eyes(load_default(), None, (5, 0, 0.1))
    assert np.allclose(np.linalg.norm(theta[3:], axis=1), REACH, atol=1e-5)

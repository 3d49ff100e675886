"""Joints and skinning weights, in FLAME's order, from MakeHuman's rig."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from controls import FRAMES, Controls
from makehuman import VERTICES, Array, MakeHuman

JOINTS = ("global", "neck", "jaw", "eye_left", "eye_right")
# One neck joint stands for MakeHuman's chain neck01–head: each bone follows it by this share.
NECK_SHARES = {"neck01": 0.15, "neck02": 0.45, "neck03": 0.8}
NECK_PLACE = 0.5  # of the way from the base of the neck to the head joint
JAW_PIVOT_DM = (0.0, 6.86, 0.67)  # about which jawOpen turns the lower teeth, in the base mesh
NEAR_JOINT = 0.03  # metres: skin this close moves a joint with identity


@dataclass(frozen=True)
class Skeleton:
    """joints (5, 3) on the rest head; regressor (5, C): how joints move with the controls;
    weights (C, 5)."""

    joints: Array
    regressor: Array
    weights: Array

    def moved(self, displacement: Array) -> Array:
        """(..., 5, 3) how joints move for a displacement of the controls (..., C, 3)."""
        return np.asarray(np.tensordot(displacement, self.regressor, ((-2,), (1,))).swapaxes(-1, -2))


def build_skeleton(mh: MakeHuman, controls: Controls, neutral: Array) -> Skeleton:
    """neutral (C, 3): MakeHuman's base head, origin at the head joint."""
    origin = mh.base.vertices[mh.base.group_vertices("joint-head")].mean(0)
    neck_base = mh.base.vertices[mh.base.group_vertices("joint-neck")].mean(0) - origin
    joints = np.zeros((5, 3))
    joints[0] = neck_base
    joints[1] = (1 - NECK_PLACE) * neck_base
    joints[2] = np.array(JAW_PIVOT_DM) * 0.1 - origin
    joints[3] = neutral[controls.frame_rows("eye_left").start]
    joints[4] = neutral[controls.frame_rows("eye_right").start]
    return Skeleton(joints, _regressor(controls, neutral, joints), _weights(mh, controls))


def _regressor(controls: Controls, neutral: Array, joints: Array) -> Array:
    regressor = np.zeros((5, controls.count))
    skin = neutral[: len(controls.topology.skin)]
    for row in (0, 1):  # a slice through the neck at the joint's height
        around = np.flatnonzero(np.abs(skin[:, 1] - joints[row, 1]) < NEAR_JOINT / 3)
        regressor[row, around] = 1 / len(around)
    hinge = np.abs(skin[:, 0]) > 0.04  # the jaw turns about both sides of the skull
    close = np.linalg.norm((skin - joints[2])[:, 1:], axis=1) < NEAR_JOINT
    around = np.flatnonzero(hinge & close)
    regressor[2, around] = 1 / len(around)
    regressor[3, controls.frame_rows("eye_left").start] = 1
    regressor[4, controls.frame_rows("eye_right").start] = 1
    return regressor


def _weights(mh: MakeHuman, controls: Controls) -> Array:
    body = np.zeros((VERTICES, 5))
    for bone, pairs in mh.bone_weights.items():
        share = _share(list(mh.ancestors(bone)))
        for vertex, amount in pairs:
            body[vertex] += amount * share
    weights = np.zeros((controls.count, 5))
    weights[: len(controls.direct)] = body[controls.direct]
    skin = len(controls.topology.skin)
    weights[skin : skin + len(controls.topology.tongue)] = np.eye(5)[2]
    for name, joint in zip(FRAMES, (3, 4, 1, 2), strict=True):
        weights[controls.frame_rows(name)] = np.eye(5)[joint]
    lost = weights.sum(1) < 0.5
    weights[lost] = np.eye(5)[1]
    return np.asarray(weights / weights.sum(1, keepdims=True))


def _share(ancestors: list[str]) -> Array:
    """(5,) how a bone's weight is shared among our joints; eyelids stay with the head, not the eye."""
    if "jaw" in ancestors:
        return np.eye(5)[2]
    if "head" in ancestors:
        return np.eye(5)[1]
    neck = max((NECK_SHARES.get(bone, 0.0) for bone in ancestors[:1]), default=0.0)
    return np.array([1 - neck, neck, 0, 0, 0])


def turn_about(axis_angle: Array) -> Array:
    """(3, 3) rotation matrix (Rodrigues)."""
    angle = float(np.linalg.norm(axis_angle))
    x, y, z = axis_angle / max(angle, 1e-12)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)

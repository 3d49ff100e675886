"""ψ: the 52 ARKit units as shapes, with jaw and eyes turned by their joints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from controls import FRAMES
from eyes import RADIUS as EYE_RADIUS
from lips import Lips
from makehuman import Array, MakeHuman
from skeleton import JOINTS, Skeleton, turn_about

JAW_OPEN_DEGREES = 24.4  # how far the unit turns the lower teeth
CORNEA_REACH = 36.0  # degrees from the line of sight where the cornea has run out …
CORNEA_BULGE, LID_CLEARANCE = 0.0012, 0.0005  # … metres that it stands out, and that a closed lid keeps off the eye
LID_TRAVEL = 0.0008  # metres: what a blink moves farther is lid
LOOK_DEGREES = {"Down": (11.4, 0.0), "Up": (-9.8, 0.0), "In": (0.0, -15.2), "Out": (0.0, 15.2)}  # left eye: x, y


@dataclass(frozen=True)
class Units:
    """names (E,); shapes (E, C, 3) in metres; drive (E, 5, 3) axis-angle in radians per full unit."""

    names: tuple[str, ...]
    shapes: Array
    drive: Array


def build_units(mh: MakeHuman, lips: Lips, skeleton: Skeleton) -> Units:
    """The units as measured on the head `lips.base`."""
    controls, rest = lips.controls, lips.base
    names = tuple(mh.unit_names)
    shapes = np.stack([controls.read(mh.unit(name)) for name in names])
    drive = np.zeros((len(names), len(JOINTS), 3))
    for side in ("left", "right"):
        shapes[:, controls.frame_rows(f"eye_{side}")] = 0
        for way, (pitch, yaw) in LOOK_DEGREES.items():
            row = names.index(f"eyeLook{way}{side.capitalize()}")
            yaw_here = yaw if side == "left" else -yaw
            drive[row, JOINTS.index(f"eye_{side}")] = np.radians([pitch, yaw_here, 0])
        blink = names.index(f"eyeBlink{side.capitalize()}")
        lift = _off_the_cornea(rest + shapes[blink], shapes[blink], controls.frame_rows(f"eye_{side}").start)
        shapes[blink] += controls.carry_lashes(lift)
    jaw_open, jaw = names.index("jawOpen"), JOINTS.index("jaw")
    drive[jaw_open, jaw, 0] = np.radians(JAW_OPEN_DEGREES)
    closing, turn = names.index("mouthClose"), drive[jaw_open, jaw]
    closed = lips.seal(rest + shapes[jaw_open] + shapes[closing]) - rest
    shapes[jaw_open] = _before_jaw(shapes[jaw_open], skeleton, rest, turn)
    shapes[closing] = _before_jaw(closed, skeleton, rest, turn) - shapes[jaw_open]  # closes an open jaw's lips
    shapes[:, controls.frame_rows("upper_arch")] = 0
    return Units(names, controls.tuck(shapes), drive)


def _off_the_cornea(closed: Array, moved: Array, centre_row: int) -> Array:
    """(C, 3) what lifts the closed lid off the eye and the bulge of its cornea, along the line from its centre."""
    arms = closed - closed[centre_row]
    away = np.linalg.norm(arms, axis=1)
    off_axis = np.degrees(np.arccos(np.clip(arms[:, 2] / np.maximum(away, 1e-9), -1, 1)))
    bulge = np.clip((CORNEA_REACH - off_axis) / CORNEA_REACH, 0, 1)
    needed = EYE_RADIUS + LID_CLEARANCE + CORNEA_BULGE * bulge * (2 - bulge)
    lid = (np.linalg.norm(moved, axis=1) > LID_TRAVEL) & (off_axis < 90)
    lift = np.where(lid, np.maximum(needed - away, 0), 0)
    return np.asarray(arms / np.maximum(away, 1e-9)[:, None] * lift[:, None])


def _before_jaw(wanted: Array, skeleton: Skeleton, rest: Array, turn: Array) -> Array:
    """The displacement which, after the jaw has turned, leaves each vertex where the unit wants it.

    Skinning maps x to w·J(x) + (1 − w)·x, so the corrective undoes that map at the wanted place.
    """
    share = skeleton.weights[:, JOINTS.index("jaw"), None]
    pivot = skeleton.joints[JOINTS.index("jaw")]
    matrix = turn_about(turn)
    blend = share[..., None] * matrix + (1 - share[..., None]) * np.eye(3)
    shift = share * (pivot - matrix @ pivot)
    corrective = np.linalg.solve(blend, (rest + wanted - shift)[..., None])[..., 0] - rest
    arch = slice(len(rest) - 4 * len(FRAMES), len(rest))  # the teeth are stiff: the joint alone moves them
    corrective[arch] = 0
    return corrective

"""478 points of a face, whether there is one, and 52 scores of its expression."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.photo.affine import Doubles, apply, invert, square_to_chip
from headform.photo.blazeface import FaceBox
from headform.photo.litert import tflite_network
from headform.photo.warp import Bytes, check_picture, warp

Floats = NDArray[np.float32]

TABLE = Path(__file__).with_name("landmarks.json")
POINTS = 478
CHIP = 256  # pixels of the landmark network's input
ROOM = 1.5  # side of the crop over the longer side of the box: what the network was trained with
# The network counts from the corner of its input, not from the centre of the first pixel: on mirrored chips
# x and mirrored x add up to the full width (measured: 256 - 0.1 in the median of 21 photos).
CORNER = 0.5
RIGHT_EYE, LEFT_EYE = 0, 1  # of a FaceBox's keypoints


@dataclass(frozen=True, slots=True)
class FaceLandmarks:
    """What the landmark networks say about one face.

    points    (478, 3) x, y in pixels, centres at integers; z in pixels of the same scale, smaller is nearer to
              the camera, about 0 at the middle of the head
    presence  0 … 1: how surely there is a face in the crop at all
    scores    the 51 ARKit units, all but tongueOut, by name, 0 … 1; cheekPuff hardly ever leaves 0
    neutral   0 … 1: the network's own score for a face at rest
    """

    points: Doubles
    presence: float
    scores: dict[str, float]
    neutral: float


def find_landmarks(picture: Bytes, face: FaceBox) -> FaceLandmarks:
    """Points of a face from its box, and again from a crop around the points found first.

    `picture` is RGB uint8 (H, W, 3). Raises BadInput, MissingModel.
    """
    check_picture(picture)
    first, _ = read_points(picture, crop_of_box(face))
    points, presence = read_points(picture, crop_of_points(first))
    scores = read_expression(points)
    neutral = scores.pop("_neutral")
    return FaceLandmarks(points, presence, scores, neutral)


def crop_of_box(face: FaceBox) -> Doubles:
    """The map (2, 3) to the network's chip: a square around the box, turned so that the eyes are level."""
    left, top, right, bottom = face.box
    angle = _angle(face.keypoints[RIGHT_EYE], face.keypoints[LEFT_EYE])
    side = ROOM * max(right - left, bottom - top)
    return square_to_chip(((left + right) / 2, (top + bottom) / 2), side, angle, CHIP)


def crop_of_points(points: ArrayLike) -> Doubles:
    """The map (2, 3) to the network's chip from points (478, 2 or more) found before."""
    flat = np.asarray(points, np.float64)[:, :2]
    table = landmark_table()
    angle = _angle(flat[table["right_eye_outer"]], flat[table["left_eye_outer"]])
    upright = square_to_chip((0, 0), 1, angle, 1)[:, :2]
    turned = flat @ upright.T
    low, high = turned.min(0), turned.max(0)
    return square_to_chip(upright.T @ (low + high) / 2, ROOM * (high - low).max(), angle, CHIP)


def read_points(picture: Bytes, to_chip: Doubles) -> tuple[Doubles, float]:
    """Points (478, 3) in pixels of the picture, and presence, from one run of the network on a crop."""
    chip = warp(picture, to_chip, (CHIP, CHIP))
    outputs = tflite_network("landmarks")(chip[None] / np.float32(255))
    raw = outputs[0].reshape(POINTS, 3).astype(np.float64)
    to_picture = invert(to_chip)
    pixel = float(np.hypot(*to_picture[:, 0]))
    points = np.column_stack([apply(to_picture, raw[:, :2] - CORNER), raw[:, 2] * pixel])
    return points, float(1 / (1 + np.exp(-outputs[1].item())))


def read_expression(points: ArrayLike) -> dict[str, float]:
    """52 scores by name (51 ARKit units and `_neutral`) from points (478, 2 or more) in pixels."""
    table = landmark_table()
    chosen = np.asarray(points, np.float32)[table["expression_points"], :2]
    scores = tflite_network("expression")(chosen[None])[0].ravel()
    return dict(zip(table["expression_names"], map(float, scores), strict=True))


@cache
def landmark_table() -> dict[str, Any]:
    """The numbers and names of `landmarks.json`."""
    table: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return table


def outline(name: str) -> list[int]:
    """The landmarks around a part of the face, by its name in `landmarks.json`. Eyes begin at their outer corner and go
    over the upper lid first."""
    found: list[int] = landmark_table()["outlines"][name]
    return found


def _angle(right: Doubles, left: Doubles) -> float:
    """Of the line between the eyes, in the picture; 0 for an upright head."""
    across, down = left - right
    return float(np.arctan2(down, across))

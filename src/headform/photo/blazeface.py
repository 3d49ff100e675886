"""BlazeFace: candidates for faces in a square of a picture, by its near and its far network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from headform.photo.affine import Doubles, apply, invert
from headform.photo.litert import tflite_network
from headform.photo.warp import Bytes, warp

SAME_FACE = 0.3  # overlap (IoU) above which two boxes are one face


@dataclass(frozen=True, slots=True)
class FaceBox:
    """One face of a picture; pixels, centres at integers.

    box        (4,) left, top, right, bottom, from the forehead to the chin; may reach beyond the picture
    score      0 … 1: how sure the detector is
    keypoints  (6, 2): right eye, left eye, nose tip, mouth, right ear, left ear; right and left are the person's
    detector   'near' or 'far': the network that found it
    """

    box: Doubles
    score: float
    keypoints: Doubles
    detector: str


@dataclass(frozen=True, slots=True)
class Detector:
    """What sets one network of the family apart; strides are (pixels between anchors, anchors at each place)."""

    name: str
    size: int  # pixels of its square input
    strides: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Square:
    """A square of the picture to look at, in pixels; it may reach beyond the picture, which is black there."""

    left: float
    top: float
    side: float


NEAR = Detector("near", 128, ((8, 2), (16, 6)))
FAR = Detector("far", 192, ((4, 1),))


def look(picture: Bytes, square: Square, detector: Detector, least_score: float) -> list[FaceBox]:
    """Faces that one network sees in one square, surest first; overlapping answers are averaged."""
    scale = detector.size / square.side
    to_chip = np.array([[scale, 0, -square.left * scale], [0, scale, -square.top * scale]])
    chip = warp(picture, to_chip, (detector.size, detector.size), outside=0)
    outputs = tflite_network(f"{detector.name}_detector")(chip[None] / np.float32(127.5) - 1)
    by_width = {values.shape[-1]: values[0].astype(np.float64) for values in outputs}
    scores = 1 / (1 + np.exp(-by_width[1][:, 0].clip(-100, 100)))
    kept = scores >= least_score
    points = _decode(by_width[16][kept], anchors(detector)[kept], invert(to_chip))
    return _average_overlapping(scores[kept], points, detector.name)


@cache
def anchors(detector: Detector) -> Doubles:
    """Places (N, 2) in the network's input, in pixels, that its answers are relative to."""
    places = []
    for stride, count in detector.strides:
        along = (np.arange(detector.size // stride) + 0.5) * stride
        grid = np.stack(np.meshgrid(along, along), -1).reshape(-1, 2)
        places.append(np.repeat(grid, count, axis=0))
    return np.concatenate(places)


def overlap(one: Doubles, others: Doubles) -> Doubles:
    """Intersection over union (N,) of a box (4,) with boxes (N, 4)."""
    shared = _intersection(one, others)
    result: Doubles = shared / np.maximum(_area(others) + _area(one) - shared, 1e-9)
    return result


def overlap_of_smaller(one: Doubles, others: Doubles) -> Doubles:
    """Intersection over the area of the smaller box (N,), of a box (4,) with boxes (N, 4): 1 if one holds the other."""
    result: Doubles = _intersection(one, others) / np.maximum(np.minimum(_area(others), _area(one)), 1e-9)
    return result


def _intersection(one: Doubles, others: Doubles) -> Doubles:
    sides = np.minimum(one[2:], others[:, 2:]) - np.maximum(one[:2], others[:, :2])
    shared: Doubles = sides.clip(0).prod(1)
    return shared


def _area(boxes: Doubles) -> Doubles:
    areas: Doubles = (boxes[..., 2:] - boxes[..., :2]).prod(-1)
    return areas


def _decode(answers: Doubles, centres: Doubles, to_picture: Doubles) -> Doubles:
    """Points (N, 8, 2) in the picture, two corners and six keypoints, from answers (N, 16) around anchors (N, 2).

    An answer is the box's centre, its size, and the keypoints, all in pixels of the network's input.
    """
    pairs = answers.reshape(-1, 8, 2)
    middle, half = pairs[:, 0] + centres, pairs[:, 1] / 2
    corners = np.stack([middle - half, middle + half], 1)
    return apply(to_picture, np.concatenate([corners, pairs[:, 2:] + centres[:, None]], 1))


def _average_overlapping(scores: Doubles, points: Doubles, name: str) -> list[FaceBox]:
    """Non-maximum suppression that averages instead of dropping, weighted by score."""
    faces = []
    left = np.argsort(-scores)
    while len(left):
        boxes = points[left, :2].reshape(-1, 4)
        same = overlap(boxes[0], boxes) > SAME_FACE
        same[0] = True  # a degenerate box overlaps not even itself
        group = left[same]
        mean = np.average(points[group], axis=0, weights=scores[group])
        faces.append(FaceBox(mean[:2].ravel(), float(scores[group[0]]), mean[2:], name))
        left = left[~same]
    return faces

"""Soft masks of hair, skin and clothes around one face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headform.photo.affine import Doubles, apply, invert, square_to_chip
from headform.photo.blazeface import FaceBox
from headform.photo.litert import tflite_network
from headform.photo.warp import Bytes, check_picture, warp

Floats = NDArray[np.float32]

CHIP = 256  # pixels of the network's input
ROOM = 2.6  # side of the head crop over the longer side of the face box: all of a usual hairstyle
CLASSES = ("background", "hair", "body_skin", "face_skin", "clothes", "other")  # in the network's order


@dataclass(frozen=True, slots=True)
class Masks:
    """Probabilities (H, W), 0 … 1, that sum to 1 at every pixel of the picture.

    The network is never surer than about 0.9. Beyond the head crop, a square of 2.6 times the face box around
    its centre, nothing was looked at and all is background. Glasses and microphones are `other`.
    """

    hair: Floats
    face_skin: Floats
    body_skin: Floats
    clothes: Floats
    other: Floats
    background: Floats


def find_masks(picture: Bytes, face: FaceBox) -> Masks:
    """Masks at the picture's size for the person of one face. Raises BadInput, MissingModel.

    `picture` is RGB uint8 (H, W, 3). The edges are those of a 256² grid over the head crop: refine them where
    single strands matter.
    """
    high, wide = check_picture(picture).shape[:2]
    chip, to_chip = read_classes(picture, face)
    left, top, right, bottom = _window(invert(to_chip), wide, high)
    to_window = invert(to_chip) - [[0, 0, left], [0, 0, top]]
    planes = {name: np.zeros((high, wide), np.float32) for name in CLASSES}
    seen = warp(chip[:, :, 1:], to_window, (right - left, bottom - top), outside=0)
    for index, name in enumerate(CLASSES[1:]):
        planes[name][top:bottom, left:right] = seen[:, :, index]
    planes["background"][:] = 1
    planes["background"][top:bottom, left:right] -= seen.sum(-1).clip(0, 1)
    return Masks(**planes)


def read_classes(picture: Bytes, face: FaceBox) -> tuple[Floats, Doubles]:
    """Probabilities (256, 256, 6) in the order of CLASSES over the head crop, and the map (2, 3) to that crop."""
    left, top, right, bottom = face.box
    side = ROOM * max(right - left, bottom - top)
    to_chip = square_to_chip(((left + right) / 2, (top + bottom) / 2), side, 0, CHIP)
    chip = warp(picture, to_chip, (CHIP, CHIP))
    logits = tflite_network("segments")(chip[None] / np.float32(255))[0][0]
    odds = np.exp(logits - logits.max(-1, keepdims=True))
    return odds / odds.sum(-1, keepdims=True), to_chip


def _window(to_picture: Doubles, wide: int, high: int) -> tuple[int, int, int, int]:
    """left, top, right, bottom of the part of the picture under the head crop."""
    corners = apply(to_picture, [(-1, -1), (CHIP, CHIP)])
    low, past = np.floor(corners[0]).astype(int), np.ceil(corners[1]).astype(int) + 1
    left, top = low.clip(0, (wide, high))
    right, bottom = past.clip((left, top), (wide, high))
    return int(left), int(top), int(right), int(bottom)

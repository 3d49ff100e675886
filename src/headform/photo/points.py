"""Headform's own points of a face: what the network of the landmarks cannot tell, with how sure it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from headform.photo.affine import Doubles, square_to_chip
from headform.photo.landmarks import landmark_table

CHIP = 160  # pixels of the network's input
STORED = 208  # pixels of a chip for training: room to shift and turn it
SEEN = 192  # of these, what the network sees when nothing is shaken, reduced to CHIP
ROOM = 1.6  # side of the chip over the longer side of the landmarks' box: ears and chin are in it


def crop(points: ArrayLike, size: int = CHIP, room: float = ROOM) -> Doubles:
    """The map (2, 3) from a picture to an upright chip around landmarks (478, 2 or more)."""
    flat = np.asarray(points, np.float64)[:, :2]
    table = landmark_table()
    across, down = flat[table["left_eye_outer"]] - flat[table["right_eye_outer"]]
    angle = float(np.arctan2(down, across))
    upright = square_to_chip((0, 0), 1, angle, 1)[:, :2]
    turned = flat @ upright.T
    low, high = turned.min(0), turned.max(0)
    return square_to_chip(upright.T @ (low + high) / 2, room * (high - low).max(), angle, size)


def stored_crop(points: ArrayLike) -> Doubles:
    """The same, as large as chips for training are kept."""
    return crop(points, STORED, ROOM * STORED / SEEN)

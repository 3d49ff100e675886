"""Plane affine maps (2, 3): `pixel' = A[:, :2] @ pixel + A[:, 2]`.

Convention: a pixel is (x, y), x to the right and y down, pixel centres at integers, (0, 0) the centre of the
top-left one. Example: the map [[2, 0, 1], [0, 2, 0]] takes pixel (3, 4) to (7, 8).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Doubles = NDArray[np.float64]


def apply(affine: ArrayLike, points: ArrayLike) -> Doubles:
    """Pixels (N, 2) through the map (2, 3)."""
    a = np.asarray(affine, np.float64)
    return np.asarray(points, np.float64) @ a[:, :2].T + a[:, 2]


def invert(affine: ArrayLike) -> Doubles:
    """The map (2, 3) back."""
    a = np.asarray(affine, np.float64)
    back = np.linalg.inv(a[:, :2])
    return np.column_stack([back, -back @ a[:, 2]])


def square_to_chip(centre: ArrayLike, side: float, angle: float, size: int) -> Doubles:
    """The map that takes a turned square of the picture to an upright chip of `size` × `size` pixels.

    `centre` (2,) goes to (size/2, size/2), `side` pixels become `size`, and the direction (cos angle,
    sin angle) becomes the chip's x axis; angle in radians, positive from x towards y.
    """
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, sin], [-sin, cos]]) * (size / side)
    return np.column_stack([turn, size / 2 - turn @ np.asarray(centre, np.float64)])


def best_similarity(source: ArrayLike, target: ArrayLike) -> Doubles:
    """The rotation, scale and shift (2, 3) that bring points (N, 2) closest to others in least squares.

    With points as complex numbers it is linear: target ≈ a · source + b, without reflection.
    """
    p = np.asarray(source, np.float64) @ [1, 1j]
    q = np.asarray(target, np.float64) @ [1, 1j]
    spread = p - p.mean()
    a = np.vdot(spread, q - q.mean()) / np.vdot(spread, spread)
    b = q.mean() - a * p.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])

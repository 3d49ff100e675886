"""Meshes that the tests of the renderer share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from headform.render import Camera, Surface

Mesh = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]


def ball_mesh(radius: float, rows: int = 24, columns: int = 48) -> Mesh:
    """A closed ball about the origin: vertices, triangles and uv, seam and poles doubled."""
    down, round_ = np.meshgrid(np.linspace(0, np.pi, rows + 1), np.linspace(0, 2 * np.pi, columns + 1), indexing="ij")
    round_[:, -1] = 0  # the seam must be the same point in every bit
    vertices = radius * np.stack([np.sin(down) * np.sin(round_), np.cos(down), np.sin(down) * np.cos(round_)], -1)
    vertices[0], vertices[-1] = (0, radius, 0), (0, -radius, 0)
    across = np.linspace(0, 1, columns + 1)[None].repeat(rows + 1, 0)
    uv = np.stack([across, 1 - down / np.pi], -1)
    first = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).ravel()
    below = first + columns + 1
    triangles = np.concatenate([np.c_[first, below, below + 1], np.c_[first, below + 1, first + 1]])
    return vertices.reshape(-1, 3), triangles, uv.reshape(-1, 2)


@pytest.fixture(scope="session")
def ball() -> Mesh:
    """A ball of 10 cm."""
    return ball_mesh(0.1)


@pytest.fixture
def flat_camera() -> Camera:
    """Orthographic from the front, 100 pixels to the metre: pixel (x, y) sees ((x − 31.5), (31.5 − y)) cm."""
    return Camera.parallel(size=64, extent=0.64, target=(0, 0, 0), distance=1.0)


def square(z: float, half: float = 1.0, **options: Any) -> Surface:
    """A square that faces the camera, at height z over the origin, with uv from 0 to 1."""
    corners = np.array([(-half, -half, z), (half, -half, z), (half, half, z), (-half, half, z)])
    uv = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], float)
    return Surface(corners, np.array([(0, 1, 2), (0, 2, 3)]), uv=uv, **options)


@pytest.fixture(name="square")
def square_maker() -> Any:
    return square

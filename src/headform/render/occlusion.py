"""How much of its surroundings each vertex sees: mouths and sockets are dark inside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headform.render.camera import Camera
from headform.render.raster import rasterise, visible
from headform.render.surface import vertex_normals

RESOLUTION = 160
TOLERANCE = 0.004  # metres: the grain of the depth pictures
LIFT = 0.0015  # metres that a vertex is raised off its own surface before it looks around


def ambient_occlusion(
    vertices: NDArray[np.float32],
    triangles: NDArray[np.int32],
    directions: int = 60,
    blockers: NDArray[np.int32] | None = None,
) -> NDArray[np.float32]:
    """(V,) 0–1: the share of the light from all around, weighted by the cosine, that reaches each vertex.

    blockers: the triangles (B, 3) that stop light, if not all do.
    """
    normals = vertex_normals(vertices, triangles)
    stops = triangles if blockers is None else blockers
    raised = vertices + LIFT * normals
    middle = (vertices.max(0) + vertices.min(0)) / 2
    extent = float(np.linalg.norm(np.ptp(vertices, axis=0)))
    seen = np.zeros(len(vertices))
    total = np.zeros(len(vertices))
    for direction in sphere_directions(directions):
        cosine = np.maximum(normals @ direction, 0)
        yaw, pitch = np.arctan2(direction[0], direction[2]), np.arcsin(np.clip(direction[1], -1, 1))
        camera = Camera.parallel(float(yaw), float(pitch), RESOLUTION, extent=extent, target=middle)
        raster = rasterise(vertices, stops, camera)
        seen += cosine * visible(raised, raster, camera, TOLERANCE)
        total += cosine
    return np.asarray(seen / np.maximum(total, 1e-6), np.float32)


def sphere_directions(count: int) -> NDArray[np.float64]:
    """(count, 3) unit vectors spread evenly over the sphere (Fibonacci spiral)."""
    step = np.arange(count) + 0.5
    height = 1 - 2 * step / count
    turn = step * np.pi * (3 - np.sqrt(5))
    ring = np.sqrt(1 - height**2)
    return np.stack([ring * np.cos(turn), height, ring * np.sin(turn)], 1)

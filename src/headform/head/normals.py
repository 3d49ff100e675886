"""Vertex normals that show no facets."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


def vertex_normals(
    vertices: NDArray[np.float32], triangles: NDArray[np.int32]
) -> NDArray[np.float32]:
    """(V, 3) unit normals, each the mean of the faces around it weighted as on a sphere (Max 1999).

    Vertices of no face get (0, 0, 1).
    """
    normals = np.zeros(vertices.shape, np.float32)
    _gather(np.ascontiguousarray(vertices, np.float32), triangles, normals)
    normals[~normals.any(axis=1)] = (0, 0, 1)
    return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True), np.float32)


@njit(cache=True, nogil=True)
def _gather(
    vertices: NDArray[np.float32], triangles: NDArray[np.int32], normals: NDArray[np.float32]
) -> None:
    for face in range(len(triangles)):
        for corner in range(3):
            here = triangles[face, corner]
            ahead = triangles[face, (corner + 1) % 3]
            back = triangles[face, (corner + 2) % 3]
            ax = vertices[ahead, 0] - vertices[here, 0]
            ay = vertices[ahead, 1] - vertices[here, 1]
            az = vertices[ahead, 2] - vertices[here, 2]
            bx = vertices[back, 0] - vertices[here, 0]
            by = vertices[back, 1] - vertices[here, 1]
            bz = vertices[back, 2] - vertices[here, 2]
            scale = (ax * ax + ay * ay + az * az) * (bx * bx + by * by + bz * bz)
            if scale > 0:
                normals[here, 0] += (ay * bz - az * by) / scale
                normals[here, 1] += (az * bx - ax * bz) / scale
                normals[here, 2] += (ax * by - ay * bx) / scale

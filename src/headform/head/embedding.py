"""Points on the surface that stay on the same spot of every head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Embedding:
    """N points on a mesh, each on a triangle of vertices.

    corners: (N, 3) vertex indices; barycentric: (N, 3), each row sums to one.
    """

    corners: NDArray[np.int32]
    barycentric: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.corners)

    def points(self, vertices: NDArray[np.float32]) -> NDArray[np.float32]:
        """(..., N, 3) positions on a mesh with vertices (..., V, 3)."""
        picked = np.take(vertices, self.corners, axis=-2)
        return np.asarray(np.einsum("...nij,ni->...nj", picked, self.barycentric), np.float32)

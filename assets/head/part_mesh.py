"""What every builder of an eyeball, a dental arch or a gum hands back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PartMesh:
    """vertices (V, 3) in metres; quads (Q, 4), counter-clockwise seen from outside, a triangle repeats its
    last vertex; uv (U, 2), origin bottom-left; quads_uv (Q, 4) rows of `uv` for the corners of `quads`.
    """

    vertices: Array
    quads: Ints
    uv: Array
    quads_uv: Ints

    def mirrored(self) -> PartMesh:
        """The same part across the middle of the head (x → −x), on the same texture coordinates."""
        turned = self.reversed()
        return PartMesh(turned.vertices * [-1, 1, 1], turned.quads, turned.uv, turned.quads_uv)

    def reversed(self) -> PartMesh:
        """The same surface, seen from the other side."""
        triangle = (self.quads[:, 2] == self.quads[:, 3])[:, None]
        order = np.where(triangle, [1, 0, 2, 2], [1, 0, 3, 2])  # leaves a repeated last vertex last
        return PartMesh(
            self.vertices,
            np.take_along_axis(self.quads, order, 1),
            self.uv,
            np.take_along_axis(self.quads_uv, order, 1),
        )

    @staticmethod
    def joined(parts: list[PartMesh]) -> PartMesh:
        """One mesh of several; nothing is welded."""
        first = np.cumsum([0] + [len(p.vertices) for p in parts])
        first_uv = np.cumsum([0] + [len(p.uv) for p in parts])
        return PartMesh(
            np.concatenate([p.vertices for p in parts]),
            np.concatenate([p.quads + k for p, k in zip(parts, first, strict=False)]),
            np.concatenate([p.uv for p in parts]),
            np.concatenate([p.quads_uv + k for p, k in zip(parts, first_uv, strict=False)]),
        )

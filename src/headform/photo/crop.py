"""The square around a head in a photo: where photo and avatar are compared and hair is looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.photo.masks import ROOM
from headform.photo.warp import warp
from headform.render import Camera

SIZE = 512


@dataclass(frozen=True, slots=True)
class Crop:
    """A square of a photo, `side` pixels of it from its left top corner, shown with `size` pixels."""

    left: float
    top: float
    side: float
    size: int = SIZE

    @property
    def scale(self) -> float:
        """Pixels of the crop for one of the photo."""
        return self.size / self.side

    @property
    def matrix(self) -> NDArray[np.float64]:
        """(2, 3) from pixels of the photo to those of the crop; centres are at integers in both."""
        shift = (self.scale - 1) / 2
        return np.array(
            [[self.scale, 0, shift - self.left * self.scale], [0, self.scale, shift - self.top * self.scale]]
        )

    def place(self, pixels: ArrayLike) -> NDArray[np.float64]:
        """(..., 2) where pixels of the photo lie in the crop."""
        return np.asarray(np.asarray(pixels, np.float64) @ self.matrix[:, :2].T + self.matrix[:, 2])

    def cut(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(size, size, 3) that part of the photo (H, W, 3); black where there is no photo."""
        return np.asarray(np.rint(self._cut(picture).clip(0, 255)), np.uint8)

    def cut_mask(self, mask: NDArray[np.float32]) -> NDArray[np.float32]:
        """(size, size) that part of a mask (H, W); 0 where there is no photo."""
        return np.asarray(self._cut(mask[..., None])[..., 0], np.float32)

    def camera(self, camera: Camera) -> Camera:
        """The camera of the whole photo, for the crop."""
        return replace(
            camera, matrix=np.vstack([self.matrix, [0, 0, 1]]) @ camera.matrix, width=self.size, height=self.size
        )

    def _cut(self, picture: NDArray[Any]) -> NDArray[np.float32]:
        return warp(picture, self.matrix, (self.size, self.size), outside=0)


def head_crop(box: ArrayLike, size: int = SIZE) -> Crop:
    """The crop around the head of a face's box (left, top, right, bottom), the same that the masks were drawn on."""
    left, top, right, bottom = np.asarray(box, np.float64).tolist()
    side = ROOM * max(right - left, bottom - top)
    return Crop((left + right - side) / 2, (top + bottom - side) / 2, side, size)

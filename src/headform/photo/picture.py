"""A checked photo: bounded before it is decoded, upright, RGB, without its private data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo, ready to be looked at.

    pixels   (H, W, 3) uint8 sRGB, upright (EXIF orientation applied), alpha laid over white
    name     for messages and folders: the file's name without its ending
    focal    focal length in pixels from EXIF, or None
    """

    pixels: Bytes
    name: str = "photo"
    focal: float | None = None

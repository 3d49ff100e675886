"""From shaded samples to the picture: samples to pixels in linear light, background, sRGB."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from headform.errors import BadInput
from headform.render.colour import LINEAR, SRGB, STEPS, to_linear


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A rendered scene, all at the camera's resolution (H, W).

    rgba      (H, W, 4) uint8, sRGB, straight alpha
    depth     (H, W) float32 metres along the view axis to the nearest opaque surface; +inf if none
    surface   (H, W) int32 index into the scene's surfaces; −1 if none is opaque there
    triangle  (H, W) int32 row of that surface's triangles; −1 if none
    strands   (H, W) float32 0–1, how much of each pixel is hair that was drawn as strands
    """

    rgba: NDArray[np.uint8]
    depth: NDArray[np.float32]
    surface: NDArray[np.int32]
    triangle: NDArray[np.int32]
    strands: NDArray[np.float32]

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """(H, W, 3) the colours without alpha."""
        return self.rgba[..., :3]

    def save(self, path: str | Path) -> None:
        """Write an image file; without transparency, alpha is left out."""
        image = self.rgba if (self.rgba[..., 3] < 255).any() else np.ascontiguousarray(self.rgb)
        Image.fromarray(image).save(path)


def background_image(background: ArrayLike | None, height: int, width: int) -> NDArray[np.float32]:
    """(H, W, 3), (1, 1, 3) or, for none, (0, 0, 3): linear light behind the scene.

    From sRGB: three numbers 0–1, or an image (H, W, 3) uint8 as large as the picture.
    """
    if background is None:
        return np.zeros((0, 0, 3), np.float32)
    given = np.asarray(background)
    if given.shape == (3,):
        return to_linear(given).reshape(1, 1, 3)
    if given.shape != (height, width, 3) or given.dtype != np.uint8:
        raise BadInput(
            f"the background must be three numbers 0–1 or a uint8 image ({height}, {width}, 3), "
            f"not {given.dtype} {given.shape}"
        )
    return np.asarray(LINEAR[given], np.float32)


@njit(cache=True, error_model="numpy", nogil=True)
def resolve(samples: Any, background: Any, factor: int, out: Any) -> None:
    """Mean of factor² premultiplied linear samples (H·f, W·f, 4) over the background, as sRGB bytes."""
    height, width = out.shape[:2]
    share = 1.0 / (factor * factor)
    down, across = min(background.shape[0], 2) - 1, min(background.shape[1], 2) - 1  # 0 for a single colour
    for y in range(height):
        for x in range(width):
            r = g = b = a = 0.0
            for yy in range(y * factor, (y + 1) * factor):
                for xx in range(x * factor, (x + 1) * factor):
                    r += min(samples[yy, xx, 0], 1.0)
                    g += min(samples[yy, xx, 1], 1.0)
                    b += min(samples[yy, xx, 2], 1.0)
                    a += samples[yy, xx, 3]
            r, g, b, a = r * share, g * share, b * share, min(a * share, 1.0)
            if background.shape[0]:
                through, v, u = 1 - a, y * down, x * across
                r += through * background[v, u, 0]
                g += through * background[v, u, 1]
                b += through * background[v, u, 2]
                a = 1.0
            elif a > 0:
                r, g, b = r / a, g / a, b / a
            out[y, x, 0] = SRGB[int(min(max(r, 0.0), 1.0) * STEPS + 0.5)]
            out[y, x, 1] = SRGB[int(min(max(g, 0.0), 1.0) * STEPS + 0.5)]
            out[y, x, 2] = SRGB[int(min(max(b, 0.0), 1.0) * STEPS + 0.5)]
            out[y, x, 3] = np.uint8(a * 255 + 0.5)


@njit(cache=True, error_model="numpy", nogil=True)
def nearest_samples(depth: Any, triangle: Any, factor: int, depth_out: Any, triangle_out: Any) -> None:
    """Of each factor × factor samples the depth and triangle of the nearest."""
    height, width = depth_out.shape
    for y in range(height):
        for x in range(width):
            best, which = np.float32(np.inf), -1
            for yy in range(y * factor, (y + 1) * factor):
                for xx in range(x * factor, (x + 1) * factor):
                    if depth[yy, xx] < best:
                        best, which = depth[yy, xx], triangle[yy, xx]
            depth_out[y, x], triangle_out[y, x] = best, which


@njit(cache=True, error_model="numpy", nogil=True)
def name_triangles(number: Any, first: Any, index: Any, surface: Any, triangle: Any) -> None:
    """Split a triangle's number in the whole picture into a surface and a row of its triangles.

    first: (S + 1,) where each surface begins; index: (S + 1,) its place in the scene, −1 for the last.
    """
    height, width = number.shape
    for y in range(height):
        which = 0
        for x in range(width):
            n = number[y, x]
            if n < 0:
                surface[y, x] = triangle[y, x] = -1
                continue
            while n < first[which]:
                which -= 1
            while n >= first[which + 1]:
                which += 1
            surface[y, x], triangle[y, x] = index[which], n - first[which]

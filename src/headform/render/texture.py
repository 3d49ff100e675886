"""Images on surfaces: a chain of halved copies, so that a texture seen from afar does not flicker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from headform.errors import BadInput
from headform.render.colour import LINEAR

LARGEST = 16384  # pixels on a side
SAME_LEVEL = 0.05  # this near to a level of the chain, the next one is not looked up
ONE = 32767  # texels are 16 bits with sign: sRGB's darkest step is still ten of theirs

COLOUR_CODE = np.rint(LINEAR * ONE).astype(np.int16)
VECTOR_CODE = np.rint(np.clip((np.arange(256) - 128) / 127, -1, 1) * ONE).astype(np.int16)  # 128 is exactly 0
ALPHA_CODE = np.rint(np.arange(256) / 255 * ONE).astype(np.int16)


class Texels(NamedTuple):
    """All levels of a texture, as the kernels read them; N = 0 stands for no texture.

    values (N, 4) int16, in 1/ONE: linear RGB, or a vector, and straight alpha; level after level, row 0 = top
    first, width, height (levels,)
    """

    values: NDArray[np.int16]
    first: NDArray[np.int64]
    width: NDArray[np.int64]
    height: NDArray[np.int64]


_NOTHING = np.zeros(0, np.int64)
NO_TEXTURE = Texels(np.zeros((0, 4), np.int16), _NOTHING, _NOTHING, _NOTHING)


@dataclass(frozen=True, slots=True, eq=False)
class Texture:
    """An image ready to be put on a surface; make it once, with `colour` or `normals`, and keep it.

    Convention: row 0 of the image is the top and has v = 1; (u, v) = (0, 0) is the lower left corner of the
    lower left pixel. Outside 0–1 the pixels at the border go on.
    """

    texels: Texels

    @classmethod
    def colour(cls, image: ArrayLike) -> Texture:
        """sRGB colours: (H, W, 3) or (H, W, 4) uint8, or float 0–1; the fourth channel is straight alpha."""
        return cls(_chain(_as_bytes(image), COLOUR_CODE))

    @classmethod
    def normals(cls, image: ArrayLike) -> Texture:
        """A tangent-space normal map (H, W, 3), uint8 or float 0–1. OpenGL: green points to larger v."""
        return cls(_chain(_as_bytes(image), VECTOR_CODE))


def _as_bytes(image: ArrayLike) -> NDArray[np.uint8]:
    given = np.asarray(image)
    in_range = 0 < min(given.shape, default=0) <= max(given.shape, default=0) <= LARGEST
    if given.ndim != 3 or given.shape[2] not in (3, 4) or not in_range:
        raise BadInput(f"a texture must be (H, W, 3) or (H, W, 4) of at most {LARGEST}², not {given.shape}")
    if given.dtype == np.uint8:
        return np.asarray(given, np.uint8)
    if not np.issubdtype(given.dtype, np.floating):
        raise BadInput(f"a texture must be uint8 or float 0–1, not {given.dtype}")
    if not np.isfinite(given).all():
        raise BadInput("a texture holds NaN or infinity")
    return np.asarray(np.rint(np.clip(given, 0, 1) * 255), np.uint8)


def _chain(image: NDArray[np.uint8], code: NDArray[np.int16]) -> Texels:
    full = np.full((*image.shape[:2], 4), ONE, np.int16)
    full[..., :3] = code[image[..., :3]]
    if image.shape[2] == 4:
        full[..., 3] = ALPHA_CODE[image[..., 3]]
    levels = [full]
    while max(levels[-1].shape[:2]) > 1:
        levels.append(_halved(levels[-1]))
    sizes = np.array([level.shape[:2] for level in levels], np.int64)
    first = np.cumsum(sizes.prod(1)) - sizes.prod(1)
    values = np.concatenate([level.reshape(-1, 4) for level in levels])
    return Texels(values, first, sizes[:, 1].copy(), sizes[:, 0].copy())


@njit(cache=True, error_model="numpy", nogil=True)
def _halved(image: Any) -> Any:
    """The mean of each 2×2, weighted by alpha; an odd last row or column counts twice."""
    height, width = image.shape[:2]
    out = np.empty(((height + 1) // 2, (width + 1) // 2, 4), np.int16)
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            left, right = 2 * x, min(2 * x + 1, width - 1)
            top, bottom = 2 * y, min(2 * y + 1, height - 1)
            w0, w1 = float(image[top, left, 3]), float(image[top, right, 3])
            w2, w3 = float(image[bottom, left, 3]), float(image[bottom, right, 3])
            total = w0 + w1 + w2 + w3
            out[y, x, 3] = int(np.rint(total / 4))
            if total == 0:
                w0 = w1 = w2 = w3 = 1.0
                total = 4.0
            for channel in range(3):
                mean = w0 * image[top, left, channel] + w1 * image[top, right, channel]
                mean += w2 * image[bottom, left, channel] + w3 * image[bottom, right, channel]
                out[y, x, channel] = int(np.rint(mean / total))
    return out


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def sample(values: Any, first: Any, widths: Any, heights: Any, u: float, v: float, level: float) -> Any:
    """Red, green, blue and alpha at (u, v), blended between texels and between the two levels.

    The arrays are those of `Texels`, one by one: out of a tuple, each would be counted at every lookup.
    """
    low = max(0, min(int(level), len(first) - 1))
    fraction = np.float32(level - low)
    r, g, b, a = _bilinear(values, first[low], widths[low], heights[low], u, v)
    if fraction > SAME_LEVEL and low + 1 < len(first):
        low += 1
        r2, g2, b2, a2 = _bilinear(values, first[low], widths[low], heights[low], u, v)
        r, g = r + fraction * (r2 - r), g + fraction * (g2 - g)
        b, a = b + fraction * (b2 - b), a + fraction * (a2 - a)
    return r, g, b, a


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _bilinear(values: Any, first: int, width: int, height: int, u: float, v: float) -> Any:
    x = min(max(u * width - 0.5, 0.0), width - 1.0)
    y = min(max((1 - v) * height - 0.5, 0.0), height - 1.0)
    x0, y0 = int(x), int(y)
    fx, fy = x - x0, (y - y0) / ONE
    p00, p01 = first + y0 * width + x0, first + min(y0 + 1, height - 1) * width + x0
    step = 1 if x0 + 1 < width else 0
    p10, p11 = p00 + step, p01 + step
    w01, w11 = np.float32((1 - fx) * fy), np.float32(fx * fy)
    w00, w10 = np.float32((1 - fx) / ONE - w01), np.float32(fx / ONE - w11)
    red = w00 * values[p00, 0] + w10 * values[p10, 0] + w01 * values[p01, 0] + w11 * values[p11, 0]
    green = w00 * values[p00, 1] + w10 * values[p10, 1] + w01 * values[p01, 1] + w11 * values[p11, 1]
    blue = w00 * values[p00, 2] + w10 * values[p10, 2] + w01 * values[p01, 2] + w11 * values[p11, 2]
    alpha = w00 * values[p00, 3] + w10 * values[p10, 3] + w01 * values[p01, 3] + w11 * values[p11, 3]
    return red, green, blue, alpha

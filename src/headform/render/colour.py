"""sRGB as it is stored, linear light as it is reckoned with, and tables between the two."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float32]


def to_linear(srgb: ArrayLike) -> Floats:
    """Linear light from sRGB, both 0–1."""
    s = np.asarray(srgb, np.float64)
    return np.where(s <= 0.04045, s / 12.92, ((np.maximum(s, 0) + 0.055) / 1.055) ** 2.4).astype(np.float32)


def to_srgb(linear: ArrayLike) -> Floats:
    """sRGB from linear light, both 0–1; values outside are clipped."""
    x = np.clip(np.asarray(linear, np.float64), 0, 1)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055).astype(np.float32)


STEPS = 16383  # fine enough that the darkest step of sRGB spans five entries
LINEAR = to_linear(np.arange(256) / 255)  # (256,) float32, linear light of each sRGB byte
# (16384,) byte of each linear step
SRGB = np.rint(255 * to_srgb(np.arange(STEPS + 1) / STEPS)).astype(np.uint8)

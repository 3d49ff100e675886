"""What the identity network's descriptor of a face says about the shape of the head.

A descriptor that tells people apart depends on how they are built. Measured on renders, in which skin and build are
drawn independently, it is nearly linear in β:

    descriptor = pose_terms · mean + gain β + noise,   noise ~ N(0, precision⁻¹)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.fit.errors import pose_terms

Doubles = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Resemblance:
    """mean (6, 128) by the terms of the pose, gain (128, K), precision (128, 128)."""

    mean: Doubles
    gain: Doubles
    precision: Doubles

    def normal_equations(
        self, descriptor: ArrayLike, yaw: float, pitch: float, beta: ArrayLike
    ) -> tuple[Doubles, Doubles]:
        """(K, K) and (K,): curvature and slope at β of half the squared standardised gap to a descriptor (128,)."""
        gap = pose_terms(yaw, pitch) @ self.mean + self.gain @ np.asarray(beta) - np.asarray(descriptor, np.float64)
        light = self.gain.T @ self.precision
        return light @ self.gain, light @ gap


@cache
def shipped_resemblance() -> Resemblance:
    """The numbers that ship with the package."""
    with as_file(files("headform.fit") / "data" / "resemblance.npz") as path, np.load(path) as kept:
        return Resemblance(*(kept[key].astype(np.float64) for key in ("mean", "gain", "precision")))

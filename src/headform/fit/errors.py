"""How the points that a network finds differ from the truth: measured on renders, used by the fit.

A found point is the true point plus an error with three parts, in an upright frame and in units of the face's size:

    error = bias(pose) + R · gain · β + noise,   noise ~ N(0, U diag(s²) Uᵀ + diag(d²))

The bias is a polynomial of yaw and pitch. The gain, in the head's own frame and turned with it by R, says how much
of a person's peculiarities the network does not see: it pulls every face towards the one it knows best.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

import numpy as np
from numpy.typing import ArrayLike, NDArray

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]

YAW_LIMIT, PITCH_LIMIT = 1.2, 0.5  # radians: beyond these the polynomial was not measured


@dataclass(frozen=True, eq=False)
class PointErrors:
    """What to expect of n points.

    bias   (6, n, 3) coefficients of `pose_terms`
    gain   (n, 3, G) by the first G identity coefficients, in the head's frame
    modes  (3n, r), spread (r,) variances along them, rest (3n,) variance of what remains
    """

    bias: Doubles
    gain: Doubles
    modes: Doubles
    spread: Doubles
    rest: Doubles

    def expected(self, turn: Doubles, beta: ArrayLike) -> tuple[Doubles, Doubles]:
        """(n, 3) the mean error of a face turned by (3, 3) in the upright frame, and its derivative (n, 3, K) to β."""
        values = np.asarray(beta, np.float64)
        slope = np.zeros((*self.gain.shape[:2], len(values)))
        count = min(len(values), self.gain.shape[2])
        slope[..., :count] = np.einsum("ab,nbk->nak", turn, self.gain[..., :count])
        mean = np.tensordot(pose_terms(*yaw_pitch(turn)), self.bias, 1) + slope @ values
        return mean, slope

    def independent(self, across: float, deep: float) -> PointErrors:
        """The same bias and gain, but every point errs by itself: standard deviations in the picture and in depth."""
        count = len(self.gain)
        rest = np.tile([across**2, across**2, deep**2], count)
        return PointErrors(self.bias, self.gain, np.zeros((3 * count, 1)), np.full(1, 1e-12), rest)

    def whitened(self, rows: Doubles) -> Doubles:
        """Σ⁻¹ rows for rows (3n, m), by Woodbury's identity."""
        light = self.modes / self.rest[:, None]
        core = np.linalg.inv(np.diag(1 / self.spread) + self.modes.T @ light)
        return np.asarray(rows / self.rest[:, None] - light @ (core @ (light.T @ rows)))


def upright(turn: ArrayLike) -> tuple[Doubles, float]:
    """A rotation (3, 3) from head to OpenCV camera axes without its roll, and the roll in radians.

    Roll is the angle in the picture by which the head's up axis leaves the vertical, positive clockwise as seen.
    """
    matrix = np.asarray(turn, np.float64)
    roll = float(np.arctan2(matrix[0, 1], -matrix[1, 1]))
    return roll_back(roll) @ matrix, roll


def roll_back(roll: float) -> Doubles:
    """(3, 3) the turn of the picture that takes a roll away."""
    cos, sin = np.cos(roll), np.sin(roll)
    return np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1.0]])


def yaw_pitch(turn: Doubles) -> tuple[float, float]:
    """Yaw and pitch, in radians, of an upright turn (3, 3) from head to OpenCV camera axes.

    Convention: yaw > 0 faces the right border of the picture; pitch > 0 looks up.
    """
    ahead = turn[:, 2]
    return float(np.arcsin(np.clip(ahead[0], -1, 1))), float(np.arctan2(-ahead[1], -ahead[2]))


def pose_terms(yaw: float, pitch: float) -> Doubles:
    """(6,) the polynomial's terms."""
    y, p = np.clip(yaw, -YAW_LIMIT, YAW_LIMIT), np.clip(pitch, -PITCH_LIMIT, PITCH_LIMIT)
    return np.array([1, y, p, y * y, p * p, y * p])


@cache
def shipped_errors(name: str) -> PointErrors:
    """The measured errors of `landmarks` (the 478 points)."""
    with as_file(files("headform.fit") / "data" / f"{name}_errors.npz") as path, np.load(path) as kept:
        return PointErrors(**{key: kept[key].astype(np.float64) for key in kept})

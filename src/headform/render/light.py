"""Light on a head: spherical harmonics for the soft part, a few directions for the highlights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.errors import BadInput

Doubles = NDArray[np.float64]

# Ramamoorthi & Hanrahan 2001, eq. 8: the cosine lobe in each band, divided by π
COSINE = np.repeat([1.0, 2 / 3, 1 / 4], [1, 3, 5])
# the real spherical harmonics' constants, ibid. eq. 3
BASIS = np.sqrt(np.array([1, 3, 3, 3, 15, 15, 1.25, 15, 3.75]) / (4 * np.pi))
NINE_DIRECTIONS = np.array(
    [(1, 0, 0), (0, 1, 0), (0, 0, 1), (-1, 0, 0), (0, -1, 0), (1, 1, 0), (0, 1, 1), (1, 0, 1), (-1, 1, 1)]
)


def harmonics(directions: ArrayLike) -> Doubles:
    """(..., 9) real spherical harmonics of unit directions (..., 3).

    Convention: world axes; the order is 1, y, z, x, xy, yz, 3z² − 1, xz, x² − y².
    """
    x, y, z = np.moveaxis(np.asarray(directions, np.float64), -1, 0)
    one = np.ones_like(x)
    return np.asarray(np.stack([one, y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], -1) * BASIS)


@dataclass(frozen=True, slots=True, eq=False)
class Lamp:
    """A light from far away, for highlights and shadows.

    direction  (3,) unit vector towards the lamp
    intensity  (3,) linear RGB: the radiance of a white matte surface that faces it
    """

    direction: Doubles
    intensity: Doubles

    def __post_init__(self) -> None:
        direction = np.asarray(self.direction, np.float64)
        length = float(np.linalg.norm(direction))
        if direction.shape != (3,) or not 0 < length < np.inf:
            raise BadInput(f"a lamp needs a direction of three finite numbers, not {self.direction}")
        object.__setattr__(self, "direction", direction / length)
        object.__setattr__(self, "intensity", _colour(self.intensity))


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """All light that falls on a scene.

    coefficients  (9, 3) radiance in spherical harmonics, linear RGB, in the order of `harmonics`; it lights
                  what is matte, and the lamps are already in it
    lamps         what makes highlights, and what is taken out of the coefficients where it is hidden

    Convention: under radiance 1 from everywhere, a white matte surface shows 1.
    """

    coefficients: Doubles
    lamps: tuple[Lamp, ...] = ()

    def __post_init__(self) -> None:
        given = np.asarray(self.coefficients, np.float64)
        if given.shape != (9, 3) or not np.isfinite(given).all():
            raise BadInput(f"light needs (9, 3) finite coefficients, not {given.shape}")
        object.__setattr__(self, "coefficients", given)

    @classmethod
    def of(cls, lamps: Sequence[Lamp] = (), ambient: ArrayLike = 0.0) -> Light:
        """The light of lamps and of radiance `ambient` from everywhere, a number or linear RGB."""
        coefficients = np.zeros((9, 3))
        coefficients[0] = _colour(ambient) / BASIS[0]
        for lamp in lamps:
            coefficients += np.pi * harmonics(lamp.direction)[:, None] * lamp.intensity
        return cls(coefficients, tuple(lamps))

    def shaded(self, normals: ArrayLike) -> NDArray[np.float32]:
        """(..., 3) linear radiance of a white matte surface with unit normals (..., 3): irradiance / π.

        Within 0.094 of a lamp's intensity of the truth: the error of three bands.
        """
        return (harmonics(normals) @ (COSINE[:, None] * self.coefficients)).astype(np.float32)

    def rotated(self, rotation: ArrayLike) -> Light:
        """The light turned by a rotation (3, 3): what came from d comes from `rotation @ d`."""
        turn = np.asarray(rotation, np.float64)
        directions = NINE_DIRECTIONS / np.linalg.norm(NINE_DIRECTIONS, axis=1, keepdims=True)
        turned = np.linalg.solve(harmonics(directions), harmonics(directions @ turn) @ self.coefficients)
        lamps = tuple(Lamp(turn @ lamp.direction, lamp.intensity) for lamp in self.lamps)
        return Light(np.asarray(turned, np.float64), lamps)

    def scaled(self, factor: ArrayLike) -> Light:
        """The light, brighter by a factor or, per channel, by (3,) factors."""
        by = _colour(factor)
        lamps = tuple(Lamp(lamp.direction, lamp.intensity * by) for lamp in self.lamps)
        return Light(self.coefficients * by, lamps)


def studio_light(brightness: float = 1.0) -> Light:
    """Three-point portrait light: a warm key from the person's upper left, a cool fill, a rim from behind."""
    lamps = (
        Lamp(np.array([0.55, 0.55, 0.75]), np.array([0.92, 0.87, 0.80])),
        Lamp(np.array([-0.80, 0.15, 0.60]), np.array([0.22, 0.25, 0.29])),
        Lamp(np.array([-0.45, 0.50, -0.85]), np.array([0.26, 0.275, 0.30])),
    )
    return Light.of(lamps, np.array([0.20, 0.205, 0.215])).scaled(brightness)


def _colour(value: ArrayLike) -> Doubles:
    given = np.asarray(value, np.float64)
    if given.shape not in ((), (3,)) or not np.isfinite(given).all():
        raise BadInput(f"a light's colour must be one or three finite numbers, not {given}")
    return np.broadcast_to(given, 3).copy()

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.render import Lamp, Light, studio_light
from headform.render.light import harmonics


@pytest.fixture(scope="module")
def directions() -> NDArray[Any]:
    normal = np.random.default_rng(0).normal(size=(20_000, 3))
    return np.asarray(normal / np.linalg.norm(normal, axis=1, keepdims=True))


def test_the_harmonics_are_orthonormal() -> None:
    """Gauss–Legendre in z, even steps around: exact for the fourth-degree products of these polynomials."""
    z, weight = np.polynomial.legendre.leggauss(8)
    angle = np.arange(16) * 2 * np.pi / 16
    side = np.sqrt(1 - z**2)[:, None]
    points = np.stack([side * np.cos(angle), side * np.sin(angle), z[:, None].repeat(16, 1)], -1)
    values = harmonics(points)
    product = np.einsum("ijk,ijl,i->kl", values, values, weight) * 2 * np.pi / 16
    np.testing.assert_allclose(product, np.eye(9), atol=1e-12)


def test_constant_light_gives_constant_radiance(directions: NDArray[Any]) -> None:
    np.testing.assert_allclose(Light.of(ambient=0.7).shaded(directions), 0.7, rtol=1e-6)


def test_a_lamp_lights_like_the_cosine_as_far_as_three_bands_can(directions: NDArray[Any]) -> None:
    lamp = Lamp(np.array([0.3, 0.8, 0.5]), np.array([1.0, 2.0, 0.5]))
    cosine = directions @ lamp.direction
    error = Light.of([lamp]).shaded(directions) / lamp.intensity - np.maximum(cosine, 0)[:, None]
    # the Legendre series of max(0, c) cut after the second degree is 3/32 off at c = 0, its worst
    assert np.abs(error).max() <= 3 / 32 + 1e-6
    np.testing.assert_allclose(
        error[:, 0], 3 / 32 + cosine / 2 + 15 / 32 * cosine**2 - np.maximum(cosine, 0), atol=1e-6
    )


def test_turned_light_lights_turned_surfaces_the_same(directions: NDArray[Any]) -> None:
    rng = np.random.default_rng(3)
    light = Light(rng.normal(size=(9, 3)), studio_light().lamps)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    turned = light.rotated(turn)
    np.testing.assert_allclose(turned.shaded(directions @ turn.T), light.shaded(directions), atol=1e-5)
    np.testing.assert_allclose(turned.lamps[0].direction, turn @ light.lamps[0].direction)


def test_studio_light_comes_from_the_persons_upper_left() -> None:
    faces = np.array([[0.6, 0, 0.8], [-0.6, 0, 0.8], [0, 1, 0], [0, -1, 0]])
    left, right, up, down = studio_light().shaded(faces).mean(1)
    assert left > 1.3 * right and up > 2 * down and down > 0
    np.testing.assert_allclose(studio_light(2.0).coefficients, 2 * studio_light().coefficients)


def test_broken_light_is_refused() -> None:
    with pytest.raises(BadInput):
        Light(np.zeros((4, 3)))
    with pytest.raises(BadInput):
        Lamp(np.zeros(3), np.ones(3))
    with pytest.raises(BadInput):
        Light.of(ambient=float("nan"))

"""What a descriptor says about β: against differences, and against descriptors made from a known β."""

from __future__ import annotations

import numpy as np
import pytest

from headform.fit.errors import pose_terms
from headform.fit.resemblance import Resemblance, shipped_resemblance
from headform.head import load_default

YAW, PITCH = 0.4, -0.2


@pytest.fixture(scope="module")
def linear() -> Resemblance:
    rng = np.random.default_rng(4)
    root = rng.normal(size=(128, 128)) / 8
    return Resemblance(rng.normal(size=(6, 128)), rng.normal(size=(128, 9)), root @ root.T + np.eye(128))


def cost(model: Resemblance, descriptor: np.ndarray, beta: np.ndarray) -> float:
    gap = descriptor - pose_terms(YAW, PITCH) @ model.mean - model.gain @ beta
    return float(gap @ model.precision @ gap) / 2


def test_curvature_and_slope_are_those_of_half_the_squared_gap(linear: Resemblance) -> None:
    rng = np.random.default_rng(5)
    descriptor, beta = rng.normal(size=128), rng.normal(size=9)
    curve, slope = linear.normal_equations(descriptor, YAW, PITCH, beta)
    for _ in range(4):
        way = rng.normal(size=9)
        ends = [cost(linear, descriptor, beta + sign * way) for sign in (-1, 0, 1)]
        assert slope @ way == pytest.approx((ends[2] - ends[0]) / 2, rel=1e-8, abs=1e-8)  # a quadratic: exact
        assert way @ curve @ way == pytest.approx(ends[2] - 2 * ends[1] + ends[0], rel=1e-8)


def test_one_newton_step_finds_who_it_is(linear: Resemblance) -> None:
    true = np.random.default_rng(6).normal(size=9)
    descriptor = pose_terms(YAW, PITCH) @ linear.mean + linear.gain @ true
    start = np.full(9, 0.3)
    curve, slope = linear.normal_equations(descriptor, YAW, PITCH, start)
    np.testing.assert_allclose(start - np.linalg.solve(curve, slope), true, atol=1e-9)


def test_shipped_numbers_are_a_probability_over_the_default_heads_identity() -> None:
    shipped = shipped_resemblance()
    assert shipped.mean.shape == (6, 128)
    assert shipped.gain.shape == (128, load_default().identity_size)
    np.testing.assert_allclose(shipped.precision, shipped.precision.T, rtol=1e-3, atol=1e-2)
    assert np.linalg.eigvalsh((shipped.precision + shipped.precision.T) / 2).min() > 0


def test_the_shipped_mean_descriptor_says_the_mean_head() -> None:
    shipped = shipped_resemblance()
    _, slope = shipped.normal_equations(
        pose_terms(YAW, PITCH) @ shipped.mean, YAW, PITCH, np.zeros(shipped.gain.shape[1])
    )
    np.testing.assert_allclose(slope, 0, atol=1e-6)

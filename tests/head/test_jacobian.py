"""Analytic derivatives against central differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from headform.head.default import load_default
from headform.head.jacobian import TrackedPoints, left_jacobian
from headform.head.skinning import cross_matrix, rotation_matrices

STEP = 5e-3


@pytest.fixture(scope="module", params=["default", "with correctives"])
def tracked(request):
    head = load_default()
    if request.param == "with correctives":
        noise = np.random.default_rng(5).normal(0, 2e-3, (36, *head.template.shape)).astype(np.float32)
        head = replace(head, correctives=noise)
    return TrackedPoints(head, head.embeddings["mediapipe_478"])


def numbers(model):
    rng = np.random.default_rng(3)
    beta = rng.normal(0, 1, model.identity_size).astype(np.float32)
    psi = rng.uniform(0, 0.6, model.expression_size).astype(np.float32)
    return beta, psi, rng.normal(0, 0.2, (5, 3)).astype(np.float32)


def test_points_are_those_of_the_mesh(tracked):
    beta, psi, theta = numbers(tracked.model)
    mesh = tracked.model.posed(beta, psi, theta)
    expected = tracked.model.embeddings["mediapipe_478"].points(mesh)
    assert np.allclose(tracked.jacobian(beta, psi, theta).points, expected, atol=3e-6)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_derivatives_match_differences(tracked, which):
    values = list(numbers(tracked.model))
    exact = tracked.jacobian(*values)
    exact_part = (exact.beta, exact.psi, exact.theta.reshape(478, 3, 15))[which]
    flat = values[which].reshape(-1)
    for index in range(0, len(flat), max(1, len(flat) // 15)):
        ends = []
        for sign in (1, -1):
            moved = flat.copy()
            moved[index] += sign * STEP
            changed = [*values]
            changed[which] = moved.reshape(values[which].shape)
            ends.append(tracked.jacobian(*changed).points)
        difference = (ends[0] - ends[1]) / (2 * STEP)
        assert np.abs(difference - exact_part[..., index]).max() < 2e-4


def test_vertices_can_be_tracked_by_number():
    head = load_default()
    rows = np.array([0, 100, head.vertex_count - 1])
    assert np.allclose(TrackedPoints(head, rows).jacobian().points, head.rest()[rows], atol=1e-6)


def test_left_jacobian_against_its_definition():
    axis = np.array([0.3, -0.7, 0.5])
    change = np.array([1e-4, -2e-4, 3e-4])
    turned = rotation_matrices(axis + change).astype(float) @ rotation_matrices(axis).astype(float).T
    assert np.allclose(turned - np.eye(3), cross_matrix(left_jacobian(axis) @ change), atol=1e-6)

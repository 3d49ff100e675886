from __future__ import annotations

import numpy as np
import pytest

from headform.head.default import load_default
from headform.head.skinning import rotation_matrices
from headform.head.transfer import Smoother, Surface, align, carry_units, similarity, vertex_normals


@pytest.fixture(scope="module")
def skin() -> tuple[Surface, np.ndarray]:
    model = load_default()
    return Surface.of_part(model.template, model.quads[model.part == model.part_index("skin")])


def test_similarity_is_found_exactly() -> None:
    draw = np.random.default_rng(0)
    points = draw.normal(size=(20, 3))
    rotation = rotation_matrices([0.3, -0.8, 0.2]).astype(float)
    found = similarity(points, 1.7 * points @ rotation.T + [1, 2, 3])
    assert found[0] == pytest.approx(1.7)
    np.testing.assert_allclose(found[1], rotation, atol=1e-6)
    np.testing.assert_allclose(found[2], [1, 2, 3], atol=1e-6)


def test_similarity_of_a_mirror_image_is_still_a_rotation() -> None:
    points = np.random.default_rng(0).normal(size=(20, 3))
    _, rotation, _ = similarity(points, points * [-1, 1, 1])
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_normals_of_a_square_and_a_triangle() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [5, 0, 0], [5, 1, 0], [5, 0, 1]], np.float32)
    normals = vertex_normals(vertices, np.array([[0, 1, 2, 3], [4, 5, 6, 6]], np.int32))
    np.testing.assert_allclose(normals, [[0, 0, 1]] * 4 + [[1, 0, 0]] * 3, atol=1e-7)


def test_smoothing_keeps_what_is_even_and_lone_vertices() -> None:
    smooth = Smoother(np.array([[0, 1, 2, 2]], np.int32), 4)
    np.testing.assert_allclose(smooth(np.full((4, 1), 3, np.float32), 5), 3)
    once = smooth(np.array([[3], [0], [0], [7]], np.float32), 1)
    np.testing.assert_allclose(once[:, 0], [1.5, 0.75, 0.75, 7])  # half itself, half the mean of its neighbours


def test_a_larger_turned_head_is_found(skin: tuple[Surface, np.ndarray]) -> None:
    model, (surface, _) = load_default(), skin
    rotation = rotation_matrices([0.1, 0, 0]).astype(np.float32)

    def placed(points: np.ndarray) -> np.ndarray:
        return np.asarray(1.2 * points @ rotation.T + np.float32([0.1, 0.2, -0.3]), np.float32)

    eyes = placed(model.joints[3:5])
    ratio, moved = align(surface, Surface(placed(surface.vertices), surface.quads), model.joints[3:5], eyes)
    assert ratio == pytest.approx(1.2, rel=0.01)
    assert np.linalg.norm(moved - placed(surface.vertices), axis=1).max() < 0.004


def test_displacements_grow_with_the_head(skin: tuple[Surface, np.ndarray]) -> None:
    model, (surface, rows) = load_default(), skin
    large = Surface(surface.vertices * np.float32(1.3), surface.quads)
    units = carry_units(model, large, model.joints[3:5] * np.float32(1.3), has_jaw=False)
    smile = model.expression_index("mouthSmileLeft")
    original = model.expression[smile][rows]
    assert np.linalg.norm(units[smile]) == pytest.approx(1.3 * np.linalg.norm(original), rel=0.05)


def test_what_is_far_from_the_source_stays(skin: tuple[Surface, np.ndarray]) -> None:
    """A head with a hat: a plate 10 cm above it takes no displacement at all."""
    model, (surface, _) = load_default(), skin
    top = surface.vertices.max(0)[1] + 0.1
    plate = np.array([[-0.1, top, -0.1], [0.1, top, -0.1], [0.1, top, 0.1], [-0.1, top, 0.1]], np.float32)
    count = len(surface.vertices)
    whole = Surface(
        np.concatenate([surface.vertices, plate]),
        np.concatenate([surface.quads, [[count, count + 1, count + 2, count + 3]]]).astype(np.int32),
    )
    units = carry_units(model, whole, model.joints[3:5])
    assert not units[:, count:].any()
    assert units[model.expression_index("browInnerUp"), :count].any()


def test_a_target_with_a_jaw_of_its_own_gets_no_shape_for_it(skin: tuple[Surface, np.ndarray]) -> None:
    model, (surface, _) = load_default(), skin
    jaw = model.expression_index("jawOpen")
    assert not carry_units(model, surface, model.joints[3:5], has_jaw=True)[jaw].any()
    assert carry_units(model, surface, model.joints[3:5], has_jaw=False)[jaw].any()

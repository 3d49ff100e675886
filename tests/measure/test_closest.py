"""The nearest point on a mesh, against every triangle tried."""

from __future__ import annotations

import time

import numpy as np
import pytest

from headform.errors import BadInput
from headform.measure.closest import MeshTree, closest_points


def brute_force(point, corners):
    """Least distance to any triangle, by a fine search of barycentrics refined by projection: an independent way."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    normal = np.cross(b - a, c - a)
    unit = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    height = ((point - a) * unit).sum(1)
    foot = point - height[:, None] * unit
    sides = [(np.cross(q - p, foot - p) * unit).sum(1) for p, q in ((a, b), (b, c), (c, a))]
    best = np.where(np.all(np.array(sides) >= 0, 0), np.abs(height), np.inf)
    for p, q in ((a, b), (b, c), (c, a)):
        share = (((point - p) * (q - p)).sum(1) / ((q - p) ** 2).sum(1)).clip(0, 1)
        best = np.minimum(best, np.linalg.norm(p + share[:, None] * (q - p) - point, axis=1))
    return best


def test_the_tree_finds_what_trying_every_triangle_finds() -> None:
    rng = np.random.default_rng(4)
    vertices = rng.normal(size=(60, 3))
    triangles = np.array([rng.choice(60, 3, replace=False) for _ in range(200)])
    points = rng.normal(size=(300, 3)) * 1.5
    found = closest_points(points, vertices, triangles)
    for i, point in enumerate(points):
        every = brute_force(point, vertices[triangles])
        assert found.distance[i] == pytest.approx(every.min(), abs=1e-12)
        assert every[found.triangle[i]] == pytest.approx(every.min(), abs=1e-12)
        assert np.linalg.norm(found.points[i] - point) == pytest.approx(found.distance[i])


def test_each_region_of_one_triangle() -> None:
    corners = [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    asked = [[0.2, 0.2, 3], [-1, -1, 0], [2, 0, 0], [0, 2, 0], [0.5, -1, 0], [-1, 0.5, 0], [1, 1, 0]]
    wanted = [[0.2, 0.2, 0], [0, 0, 0], [1, 0, 0], [0, 1, 0], [0.5, 0, 0], [0, 0.5, 0], [0.5, 0.5, 0]]
    assert np.allclose(closest_points(asked, corners, [[0, 1, 2]]).points, wanted)


@pytest.mark.parametrize("last", [(1, 0, 0), (0, 0, 0), (3, 0, 0)])
def test_a_triangle_without_area_is_its_edges(last) -> None:
    found = closest_points([[0.5, 2, 0]], [[0, 0, 0], [1, 0, 0], last], [[0, 1, 2]])
    assert np.allclose(found.points, [[0.5, 0, 0]])
    assert found.distance[0] == 2


def test_twenty_thousand_points_take_less_than_a_second() -> None:
    side = np.linspace(0, 1, 101)
    x, y = np.meshgrid(side, side)
    vertices = np.column_stack([x.ravel(), y.ravel(), np.sin(6 * x.ravel()) * 0.1])
    at = (np.arange(100)[:, None] * 101 + np.arange(100)).ravel()
    triangles = np.concatenate([np.column_stack([at, at + 1, at + 102]), np.column_stack([at, at + 102, at + 101])])
    points = np.random.default_rng(0).uniform(-0.1, 1.1, (20_000, 3))
    tree = MeshTree.of(vertices, triangles)
    tree.closest(points[:1])
    begin = time.process_time()
    MeshTree.of(vertices, triangles).closest(points)
    assert time.process_time() - begin < 1.0


@pytest.mark.parametrize(
    ("vertices", "triangles", "words"),
    [
        ([[0, 0, 0]], np.zeros((0, 3)), "without triangles"),
        ([[0, 0, np.nan]], [[0, 0, 0]], "NaN"),
        ([[0, 0, 0]], [[0, 0, 1]], "there are 1"),
    ],
)
def test_what_is_no_mesh_is_refused(vertices, triangles, words) -> None:
    with pytest.raises(BadInput, match=words):
        MeshTree.of(vertices, triangles)


def test_points_must_be_finite_rows_of_three() -> None:
    tree = MeshTree.of([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])
    for points in ([[0, 0]], [[0, 0, np.inf]]):
        with pytest.raises(BadInput, match="finite"):
            tree.closest(points)

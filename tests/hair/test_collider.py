"""Signed distances of head and shoulders."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import ConvexHull, cKDTree

from headform.hair.collider import BACK_AT, CELL, CHEST_AT, Collider, collider_of, distance, ear_vertices, push_out
from headform.hair.grow import wearer_of
from headform.hair.scalp import Scalp, scalp_of
from headform.head import load_default
from headform.render.surface import vertex_normals

CENTRE, RADIUS = np.array([0.0, 0.07, 0.0]), 0.09


@pytest.fixture(scope="module")
def ball() -> Collider:
    """A ball of 9 cm where the head is."""
    count = 2500
    turn = np.arange(count) * np.pi * (3 - np.sqrt(5))
    y = 1 - 2 * (np.arange(count) + 0.5) / count
    flat = np.sqrt(1 - y**2)
    points = np.column_stack([flat * np.cos(turn), y, flat * np.sin(turn)])
    triangles = ConvexHull(points).simplices
    across = np.cross(
        points[triangles[:, 1]] - points[triangles[:, 0]], points[triangles[:, 2]] - points[triangles[:, 0]]
    )
    inward = (across * points[triangles].mean(1)).sum(1) < 0
    triangles[inward] = triangles[inward, ::-1]
    vertices = (CENTRE + RADIUS * points).astype(np.float32)
    nothing = np.zeros((1, 1, 3))
    far = np.zeros_like(vertices)  # a mean head whose ears are nowhere
    scalp = Scalp(nothing.astype(np.int32), nothing.astype(np.float32), far, triangles.astype(np.int32))
    return collider_of(scalp, vertices)


def test_distances_to_a_ball_are_those_to_a_ball(ball: Collider) -> None:
    random = np.random.default_rng(0)
    way = random.normal(size=(2000, 3))
    way[:, 1] = np.abs(way[:, 1])  # above, where there are no shoulders
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    far = random.uniform(-0.02, 0.05, 2000)
    found = distance(ball.bare, CENTRE + (RADIUS + far)[:, None] * way)
    assert np.abs(found - far).max() < CELL / 2


def test_points_are_pushed_out_of_a_ball_and_roots_stay(ball: Collider) -> None:
    strands = np.zeros((1, 5, 3), np.float32) + CENTRE.astype(np.float32)
    strands[0, :, 1] += RADIUS + np.array([-0.004, -0.003, -0.002, 0.0, 0.02], np.float32)
    out = push_out(ball.bare, strands, 0.001)
    assert np.array_equal(out[0, 0], strands[0, 0])
    assert np.array_equal(out[0, 4], strands[0, 4])
    assert (out[0, 1:, 1] > CENTRE[1] + RADIUS - CELL / 4).all()


def test_distances_to_the_true_head_are_those_to_its_skin() -> None:
    model = load_default()
    wearer, scalp = wearer_of(model), scalp_of(model)
    vertices, triangles = wearer.vertices, scalp.triangles
    random = np.random.default_rng(1)
    chosen = triangles[random.integers(len(triangles), size=200_000)]
    weight = random.dirichlet(np.ones(3), len(chosen))
    skin = np.einsum("tcx,tc->tx", vertices[chosen], weight)
    normals = vertex_normals(vertices, triangles)
    on_scalp = (vertices[:, 1] > 0.07) & ~ear_vertices(scalp) & np.isin(np.arange(len(vertices)), triangles)
    at = vertices[on_scalp] + normals[on_scalp] * random.uniform(0.0, 0.03, (int(on_scalp.sum()), 1))
    truth, _ = cKDTree(skin).query(at)
    found = distance(wearer.collider.bare, at)
    assert np.abs(found - truth).mean() < 0.001
    assert np.percentile(np.abs(found - truth), 99) < CELL / 2


def test_inside_is_negative_and_the_ear_is_only_in_the_whole() -> None:
    wearer = wearer_of(load_default())
    inside = np.array([[0, 0.05, 0], [0, 0.1, 0.04], [0.03, 0.06, -0.03], [0, -0.1, -0.02]], np.float32)
    assert (distance(wearer.collider.bare, inside) < -0.01).all()
    ear = wearer.vertices[np.abs(wearer.vertices[:, 0]).argmax()]
    outer = ear - np.sign(ear[0]) * np.array([0.002, 0, 0], np.float32)
    assert distance(wearer.collider.whole, outer[None])[0] < 0.004
    assert distance(wearer.collider.bare, outer[None])[0] > 0.006


def test_below_the_neck_are_shoulders_and_not_what_an_open_mesh_says() -> None:
    """The neck's rim flares; a point behind and below it lies outside, though behind its last triangles' planes."""
    field = wearer_of(load_default()).collider.bare
    behind, before = np.array([[0, -0.3, BACK_AT - 0.03]]), np.array([[0, -0.3, CHEST_AT + 0.03]])
    assert distance(field, behind)[0] > 0.015
    assert distance(field, before)[0] > 0.015
    assert distance(field, np.array([[0.1, -0.3, -0.02], [-0.1, -0.3, -0.02]])).max() < -0.03
    assert np.all(np.abs(distance(field, np.array([[0, -0.3, BACK_AT], [0, -0.3, CHEST_AT]]))) < CELL)

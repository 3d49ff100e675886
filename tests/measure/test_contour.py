"""The jaw of the 68 points from all sides, and the lines on the skin along which it slides."""

from __future__ import annotations

import numpy as np
import pytest

from headform.head import HeadModel, load_default
from headform.measure.contour import BACK, JAW, STEPS, UNDER, jaw_lines, points_68
from headform.render import Camera

CHIN = JAW // 2
RIGHT, LEFT = slice(0, CHIN), slice(CHIN + 1, JAW)  # the person's


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_default()


def fixed(head: HeadModel, vertices: np.ndarray, camera: Camera) -> np.ndarray:
    return camera.project(head.embeddings["ibug_68"].points(vertices))[0]


def slid(head: HeadModel, yaw: float, pitch: float = 0.0) -> np.ndarray:
    """(68,) how many pixels the points of the mean head moved, of 1.6 mm each."""
    camera, rest = Camera.portrait(yaw, pitch, 256), head.rest()
    return np.linalg.norm(points_68(head, rest, camera) - fixed(head, rest, camera), axis=1)


@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (8, 0), (-8, 0), (0, 8)])
def test_from_the_front_the_jaw_is_where_its_points_are(head: HeadModel, yaw: int, pitch: int) -> None:
    """A track begins where its plane cuts the nearest edge of the mesh: within half a quad of the point."""
    assert slid(head, np.radians(yaw), np.radians(pitch)).max() < 2


@pytest.mark.parametrize(("yaw", "near", "far"), [(60, LEFT, RIGHT), (-60, RIGHT, LEFT)])
def test_only_the_side_that_turns_to_the_camera_slides(head: HeadModel, yaw: int, near: slice, far: slice) -> None:
    moved = slid(head, np.radians(yaw))
    assert moved[near].min() > 2
    assert moved[near].mean() > 6
    assert moved[far].max() < 2
    assert moved[CHIN] < 2


def test_the_near_side_moves_away_from_the_face(head: HeadModel) -> None:
    """Seen from the person's left, the nose points to the left of the picture and the ear is to the right."""
    camera, rest = Camera.portrait(np.radians(60), 0, 256), head.rest()
    way = points_68(head, rest, camera) - fixed(head, rest, camera)
    upper = way[CHIN + 4 : JAW]
    assert (upper[:, 0] > 1).all()


def test_the_two_sides_are_alike(head: HeadModel) -> None:
    left, right = slid(head, np.radians(50)), slid(head, np.radians(-50))
    np.testing.assert_allclose(left[:JAW], right[:JAW][::-1], atol=3)


def test_more_turn_slides_more(head: HeadModel) -> None:
    steps = [slid(head, np.radians(angle))[LEFT].sum() for angle in (0, 30, 50)]
    assert steps[0] < steps[1] < steps[2]


def test_a_head_that_turns_is_a_camera_that_goes_round(head: HeadModel) -> None:
    """The view counts, not the axes of the world: θ turned by 50° looks like a camera at −50°."""
    theta = np.zeros((5, 3), np.float32)
    theta[0, 1] = np.radians(-50)  # to its right: the camera sees its left side
    posed, camera = head.posed(None, None, theta), Camera.portrait(0, 0, 256)
    moved = np.linalg.norm(points_68(head, posed, camera) - fixed(head, posed, camera), axis=1)
    assert moved[LEFT].mean() > 5
    assert moved[RIGHT].max() < 2


def test_seen_from_below_all_of_the_jaw_moves_and_from_above_none(head: HeadModel) -> None:
    below, above = slid(head, 0, np.radians(-55)), slid(head, 0, np.radians(55))
    assert below[CHIN] > 2
    assert below[RIGHT].mean() > 2
    assert below[LEFT].mean() > 2
    assert above[:JAW].max() < 2


@pytest.mark.parametrize(("yaw", "pitch"), [(60, 0), (-60, 0), (0, -55)])
def test_the_face_within_the_jaw_never_slides(head: HeadModel, yaw: int, pitch: int) -> None:
    assert slid(head, np.radians(yaw), np.radians(pitch))[JAW:].max() < 1e-6


def test_tracks_lie_on_the_skin_and_run_backwards(head: HeadModel) -> None:
    lines, rest = jaw_lines(head), head.rest()
    assert len(lines) == JAW * STEPS
    assert np.isin(lines.corners, head.part_vertices("skin")).all()
    np.testing.assert_allclose(lines.barycentric.sum(1), 1, atol=1e-6)
    assert (lines.barycentric >= 0).all()
    places = lines.points(rest).reshape(JAW, STEPS, 3)
    marks = head.embeddings["ibug_68"].points(rest)[:JAW]
    begin = np.linalg.norm(places[:, 0] - marks, axis=1)
    assert begin.max() < 0.004
    assert (places[:, -1, 2] < places[:, 0, 2]).all()
    length = np.linalg.norm(np.diff(places, axis=1), axis=2).sum(1)
    assert length.max() < BACK + 0.006  # and an edge's length
    assert length[CHIN] < UNDER + 0.006
    assert length[CHIN] < length[[0, JAW - 1]].min()

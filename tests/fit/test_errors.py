"""What is expected of found points: conventions on rotations built by hand, algebra against dense matrices."""

from __future__ import annotations

import numpy as np
import pytest

from headform.fit.errors import (
    PITCH_LIMIT,
    YAW_LIMIT,
    PointErrors,
    pose_terms,
    roll_back,
    shipped_errors,
    upright,
    yaw_pitch,
)
from headform.head import load_default
from headform.photo.sighting import head_pose
from headform.render import Camera

FACING = np.diag([1.0, -1.0, -1.0])  # a head that looks into the camera: its up is the picture's -y


def about(axis: int, angle: float) -> np.ndarray:
    """A right-handed turn about one axis."""
    a, b = [(1, 2), (2, 0), (0, 1)][axis]
    turn = np.eye(3)
    turn[[a, b], [a, b]] = np.cos(angle)
    turn[b, a], turn[a, b] = np.sin(angle), -np.sin(angle)
    return turn


def looking(yaw: float, pitch: float) -> np.ndarray:
    """A head turned to its left by yaw, then, about the picture's horizontal, up by pitch: no roll."""
    return FACING @ about(0, -pitch) @ about(1, yaw)


def clockwise(roll: float) -> np.ndarray:
    """Turns the picture clockwise as seen: what points up, (0, -1), comes to point right, (1, 0)."""
    return np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])


def errors_of(points: int, modes: int, rank: int, seed: int = 1) -> PointErrors:
    rng = np.random.default_rng(seed)
    return PointErrors(
        rng.normal(size=(6, points, 3)),
        rng.normal(size=(points, 3, modes)),
        np.linalg.qr(rng.normal(size=(3 * points, rank)))[0],
        rng.uniform(0.5, 3, rank),
        rng.uniform(0.1, 1, 3 * points),
    )


def test_a_head_that_faces_the_right_border_has_positive_yaw() -> None:
    nose = looking(0.5, 0)[:, 2]
    assert nose[0] > 0
    assert nose[2] < 0  # towards the camera
    assert yaw_pitch(looking(0.5, 0)) == pytest.approx((0.5, 0))


def test_a_head_that_looks_up_has_positive_pitch() -> None:
    assert looking(0, 0.3)[1, 2] < 0  # the nose points to the top of the picture
    assert yaw_pitch(looking(0, 0.3)) == pytest.approx((0, 0.3))


@pytest.mark.parametrize("yaw", [-1.1, -0.2, 0.7])
@pytest.mark.parametrize("pitch", [-0.5, 0.0, 0.4])
def test_yaw_and_pitch_come_back_together(yaw: float, pitch: float) -> None:
    assert yaw_pitch(looking(yaw, pitch)) == pytest.approx((yaw, pitch))


@pytest.mark.parametrize("roll", [-2.0, -0.3, 0.0, 0.6, 3.0])
def test_upright_takes_the_roll_away_and_nothing_else(roll: float) -> None:
    level, found = upright(clockwise(roll) @ looking(0.4, -0.2))
    assert found == pytest.approx(roll)
    np.testing.assert_allclose(level, looking(0.4, -0.2), atol=1e-12)


def test_roll_back_undoes_a_clockwise_turn_of_the_picture() -> None:
    np.testing.assert_allclose(roll_back(0.7) @ clockwise(0.7), np.eye(3), atol=1e-12)


@pytest.mark.parametrize(("yaw", "pitch"), [(0.6, 0.0), (0.0, 0.4), (-0.8, -0.2)])
def test_a_camera_to_the_persons_left_sees_a_head_turned_to_its_right(yaw: float, pitch: float) -> None:
    turn, roll = upright(Camera.portrait(yaw, pitch).rotation)
    assert roll == pytest.approx(0, abs=1e-12)
    found = yaw_pitch(turn)
    assert np.sign(found[0]) == -np.sign(yaw)
    assert np.sign(np.round(found[1], 9)) == -np.sign(pitch)
    if not yaw * pitch:
        assert found == pytest.approx((-yaw, -pitch))


def test_the_convention_is_that_of_a_sighting() -> None:
    head = load_default()
    mean = head.embeddings["mediapipe_478"].points(head.rest())
    assert head_pose(mean @ looking(0.5, -0.3).T) == pytest.approx((0.5, -0.3, 0), abs=1e-5)
    leaning = clockwise(0.2) @ FACING
    assert head_pose(mean @ leaning.T) == pytest.approx((0, 0, upright(leaning)[1]), abs=1e-5)


def test_pose_terms_follow_their_definition() -> None:
    assert pose_terms(0.5, -0.2).tolist() == pytest.approx([1, 0.5, -0.2, 0.25, 0.04, -0.1])


def test_pose_terms_stand_still_where_nothing_was_measured() -> None:
    assert pose_terms(9, -9).tolist() == pose_terms(YAW_LIMIT, -PITCH_LIMIT).tolist()


def test_a_face_like_all_has_the_bias_of_its_pose() -> None:
    errors = errors_of(4, 3, 2)
    mean, _ = errors.expected(looking(0.5, -0.2), np.zeros(3))
    by_hand = sum(t * b for t, b in zip([1, 0.5, -0.2, 0.25, 0.04, -0.1], errors.bias, strict=True))
    np.testing.assert_allclose(mean, by_hand, atol=1e-12)


@pytest.mark.parametrize("modes", [2, 5, 8])
def test_expected_derivative_is_that_of_the_mean(modes: int) -> None:
    errors, turn = errors_of(4, 5, 2), looking(0.7, 0.1)
    beta = np.random.default_rng(2).normal(size=modes)
    _, slope = errors.expected(turn, beta)
    assert slope.shape == (4, 3, modes)
    for k in range(modes):
        step = np.eye(modes)[k]
        ends = [errors.expected(turn, beta + sign * step)[0] for sign in (1, -1)]
        np.testing.assert_allclose((ends[0] - ends[1]) / 2, slope[:, :, k], atol=1e-12)  # linear: any step will do


def test_the_gain_turns_with_the_head() -> None:
    errors = errors_of(4, 3, 2)
    errors = PointErrors(np.zeros_like(errors.bias), errors.gain, errors.modes, errors.spread, errors.rest)
    own, _ = errors.expected(np.eye(3), [1.0, -2, 0.5])
    turn = looking(-0.4, 0.3)
    np.testing.assert_allclose(errors.expected(turn, [1.0, -2, 0.5])[0], own @ turn.T, atol=1e-12)


def test_whitened_is_the_dense_inverse() -> None:
    errors = errors_of(7, 3, 5)
    dense = errors.modes @ np.diag(errors.spread) @ errors.modes.T + np.diag(errors.rest)
    rows = np.random.default_rng(3).normal(size=(21, 4))
    np.testing.assert_allclose(errors.whitened(rows), np.linalg.solve(dense, rows), atol=1e-10)


def test_independent_points_are_weighed_across_and_in_depth() -> None:
    errors = errors_of(3, 3, 2)
    alone = errors.independent(0.1, 0.5)
    expected = np.diag(np.tile([1 / 0.01, 1 / 0.01, 1 / 0.25], 3))
    np.testing.assert_allclose(alone.whitened(np.eye(9)), expected, atol=1e-9)
    turn = looking(0.1, 0.2)
    np.testing.assert_array_equal(alone.expected(turn, np.ones(3))[0], errors.expected(turn, np.ones(3))[0])


def test_shipped_errors_describe_all_points_of_the_default_head() -> None:
    errors, head = shipped_errors("landmarks"), load_default()
    assert errors.bias.shape == (6, 478, 3)
    assert errors.gain.shape == (478, 3, head.identity_size)
    assert errors.modes.shape == (1434, len(errors.spread))
    assert (errors.spread > 0).all()
    assert (errors.rest > 0).all()
    np.testing.assert_allclose((errors.modes**2).sum(0), 1, atol=5e-3)  # stored in half precision


def test_shipped_gain_pulls_faces_towards_the_mean() -> None:
    """The network sees less of a person than there is: in a frontal picture errors go against the peculiarities."""
    errors, head = shipped_errors("landmarks"), load_default()
    mark = head.embeddings["mediapipe_478"]
    mean = mark.points(head.rest())
    for seed in range(5):
        beta = np.random.default_rng(seed).normal(size=head.identity_size)
        own = mark.points(head.rest(beta)) - mean
        own -= own.mean(0)
        pulled = np.einsum("nak,k->na", errors.gain, beta)
        cosine = (own * pulled)[:, :2].sum() / np.linalg.norm(own[:, :2]) / np.linalg.norm(pulled[:, :2])
        assert cosine < -0.2

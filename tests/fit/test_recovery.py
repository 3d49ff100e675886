"""The solver finds the head behind exact points; its derivatives are derivatives; its parts keep their conventions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from headform.fit.errors import PointErrors, roll_back, upright, yaw_pitch
from headform.fit.fitter import axis_angle, described, likely_size, mean_fit, relative_size, seen_from
from headform.fit.resemblance import Resemblance, shipped_resemblance
from headform.fit.solve import (
    FLIP,
    Evidence,
    State,
    Target,
    _linearised,
    bounded_solution,
    face_size,
    first_guess,
    similarity,
    solve,
    target_of,
)
from headform.fit.units import UnitPrior
from headform.head import load_default
from headform.head.skinning import rotation_matrices

MODEL = load_default()
COUNT = 478


def exact(across: float = 1e-4) -> PointErrors:
    none = np.zeros((6, COUNT, 3)), np.zeros((COUNT, 3, 0)), np.zeros((3 * COUNT, 1)), np.full(1, 1e-15)
    return PointErrors(*none, np.full(3 * COUNT, across**2))


def true_state(seed: int, yaw: float = 0.3) -> State:
    rng = np.random.default_rng(seed)
    beta = np.zeros(MODEL.identity_size)
    beta[:12] = rng.normal(size=12)
    psi = np.zeros(MODEL.expression_size)
    psi[MODEL.expression_index("jawOpen")] = 0.4
    psi[MODEL.expression_index("mouthSmileLeft")] = 0.5
    turn = FLIP @ rotation_matrices(np.array([0.1, yaw, -0.15])).astype(float)
    gaze = np.array([0.05, 0.2, 0.05, 0.2])
    return State(beta, psi, gaze, turn, np.array([0.02, 0.01, 1.1]), 900.0, np.array([319.5, 239.5]))


def seen(state: State, target: Target) -> np.ndarray:
    return state.project(target.tracked.points(state.beta, state.psi, state.theta()))


def test_exact_points_give_the_head_back() -> None:
    target, truth = target_of(MODEL), true_state(3)
    points = seen(truth, target)
    units = UnitPrior.of(MODEL, {"jawOpen": 0.5, "mouthSmileLeft": 0.6})
    start = first_guess(target, points, units.mean.copy(), truth.focal, 1.0, truth.centre)
    found = solve(target, Evidence(points, np.ones(COUNT), exact()), units, start)
    ours, theirs = (target.tracked.points(s.beta)[:468] for s in (found, truth))
    factor, turn, move = similarity(ours, theirs)
    apart = np.linalg.norm(factor * ours @ turn.T + move - theirs, axis=1) * 1e3
    away = np.linalg.norm(target.mean[:468] - theirs, axis=1) * 1e3
    assert np.median(apart) < 0.6 < np.median(away)
    assert found.psi[MODEL.expression_index("jawOpen")] == pytest.approx(0.4, abs=0.08)
    flat = seen(found, target)[:, :2] - points[:, :2]
    assert np.sqrt((flat**2).sum(1).mean()) < 1.0


def test_hidden_outliers_do_not_carry_the_head_away() -> None:
    target, truth = target_of(MODEL), true_state(5, yaw=0.0)
    points = seen(truth, target)
    spoilt = points.copy()
    spoilt[:40, 0] += 0.2 * face_size(points)
    units = UnitPrior.of(MODEL, {"jawOpen": 0.5, "mouthSmileLeft": 0.6})
    start = first_guess(target, spoilt, units.mean.copy(), truth.focal, 1.0, truth.centre)
    found = solve(target, Evidence(spoilt, np.ones(COUNT), exact(0.005)), units, start)
    apart = np.linalg.norm((seen(found, target) - points)[40:468, :2], axis=1)
    assert np.median(apart) < 0.02 * face_size(points)


def test_the_rows_are_the_derivatives_of_the_residual() -> None:
    target, state = target_of(MODEL), true_state(1)
    rng = np.random.default_rng(0)
    errors = PointErrors(
        np.zeros((6, COUNT, 3)),
        rng.normal(0, 0.002, (COUNT, 3, 8)),
        np.zeros((1434, 1)),
        np.full(1, 1e-15),
        np.ones(1434),
    )
    evidence = Evidence(seen(state, target), np.ones(COUNT), errors)
    _, rows, _ = _linearised(target, evidence, state)
    modes, step = len(state.beta), 1e-5

    def moved(unknown: int, by: float) -> State:
        if unknown < modes:
            return replace(state, beta=state.beta + by * np.eye(modes)[unknown])
        if unknown < modes + 3:
            small = rotation_matrices(by * np.eye(3)[unknown - modes])
            return replace(state, turn=small.astype(float) @ state.turn)
        if unknown < modes + 6:
            return replace(state, move=state.move + by * np.eye(3)[unknown - modes - 3])
        if unknown < modes + 10:
            return replace(state, gaze=state.gaze + by * np.eye(4)[unknown - modes - 6])
        return replace(state, psi=state.psi + by * np.eye(len(state.psi))[unknown - modes - 10])

    for unknown in (0, 7, modes + 3, modes + 4, modes + 7, modes + 10 + MODEL.expression_index("jawOpen")):
        big = step * (100 if unknown >= modes else 1000)
        ahead, back = (_linearised(target, evidence, moved(unknown, s * big))[0] for s in (1, -1))
        slope = ((ahead - back) / (2 * big)).reshape(-1, 3)
        given = rows[:, unknown].reshape(-1, 3)
        if modes + 3 <= unknown < modes + 6:  # depth has no zero
            slope, given = slope[:, :2], given[:, :2]
        assert np.abs(slope - given).max() < 0.02 * np.abs(given).max() + 2e-4, unknown


def test_whitening_is_the_inverse_of_the_covariance() -> None:
    rng = np.random.default_rng(2)
    modes, spread, rest = rng.normal(size=(12, 3)), rng.uniform(0.5, 2, 3), rng.uniform(0.5, 2, 12)
    errors = PointErrors(np.zeros((6, 4, 3)), np.zeros((4, 3, 0)), modes, spread, rest)
    rows = rng.normal(size=(12, 5))
    covariance = modes @ np.diag(spread) @ modes.T + np.diag(rest)
    np.testing.assert_allclose(errors.whitened(rows), np.linalg.solve(covariance, rows), atol=1e-9)


@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(0.4, 0.0, 0.0), (-0.7, 0.2, 0.3), (0.1, -0.3, -0.5)])
def test_turns_come_apart_as_they_were_put_together(yaw: float, pitch: float, roll: float) -> None:
    """yaw > 0 faces the right border, pitch > 0 looks up; roll is taken away first."""
    about_y = rotation_matrices(np.array([0, yaw, 0])).astype(float)
    about_x = rotation_matrices(np.array([-pitch, 0, 0])).astype(float)
    straight = FLIP @ about_y @ about_x
    level, _ = upright(straight)
    turned = roll_back(-roll) @ level
    again, found = upright(turned)
    assert found == pytest.approx(roll, abs=1e-6)
    np.testing.assert_allclose(again, level, atol=1e-6)
    ahead = straight[:, 2]
    assert np.sign(ahead[0]) == np.sign(yaw)
    if roll == 0:
        assert yaw_pitch(level)[0] == pytest.approx(yaw, abs=1e-6)
    assert np.sign(-ahead[1]) == np.sign(pitch) or pitch == 0


def test_bounds_hold_and_the_rest_is_the_best() -> None:
    from scipy.optimize import lsq_linear

    rng = np.random.default_rng(4)
    rows, aim = rng.normal(size=(30, 6)), rng.normal(size=30)
    low, high = np.full(6, -0.1), np.full(6, 0.1)
    step = bounded_solution(rows.T @ rows, -rows.T @ aim, np.ones(6, bool), low, high)
    best = lsq_linear(rows, aim, (low, high)).x
    assert (step >= low).all() and (step <= high).all()
    cost = [float(((rows @ x - aim) ** 2).sum()) for x in (step, best)]
    assert cost[0] <= cost[1] * 1.02


@pytest.mark.parametrize("angle", [0.0, 1e-7, 0.5, 3.0, np.pi - 1e-6, np.pi])
def test_axis_angles_come_back(angle: float) -> None:
    axis = np.array([0.6, -0.64, 0.48])
    turn = rotation_matrices(axis * angle).astype(float)
    np.testing.assert_allclose(rotation_matrices(axis_angle(turn)), turn, atol=2e-3)


def test_camera_and_pose_show_what_the_solver_saw() -> None:
    state = true_state(2)
    camera, theta = seen_from(state, MODEL, 640, 480)
    posed = MODEL.posed(state.beta, state.psi, theta)
    pixels, _ = camera.project(MODEL.embeddings["mediapipe_478"].points(posed))
    np.testing.assert_allclose(pixels, seen(state, target_of(MODEL))[:, :2], atol=0.05)
    np.testing.assert_array_equal(camera.rotation, FLIP)


def test_a_descriptor_made_by_the_model_gives_its_modes_back() -> None:
    rng = np.random.default_rng(6)
    gain = rng.normal(size=(128, 20))
    model = Resemblance(rng.normal(size=(6, 128)), gain, np.eye(128) * 1e4)
    beta = rng.normal(size=20)
    descriptor = np.array([1, 0.2, 0.1, 0.04, 0.01, 0.02]) @ model.mean + gain @ beta
    curve, slope = model.normal_equations(descriptor, 0.2, 0.1, np.zeros(20))
    np.testing.assert_allclose(np.linalg.solve(curve, -slope), beta, atol=1e-8)
    assert shipped_resemblance().gain.shape == (128, MODEL.identity_size)


def test_size_is_relative_to_the_mean_head() -> None:
    target = target_of(MODEL)
    assert relative_size(target, np.zeros(MODEL.identity_size)) == pytest.approx(1)
    grown = replace(target, mean=target.mean * 2)
    assert relative_size(grown, np.zeros(MODEL.identity_size)) == pytest.approx(0.5)


def test_the_average_descriptor_has_the_average_size() -> None:
    resemblance = shipped_resemblance()
    average = resemblance.mean[0].astype(np.float32)
    assert likely_size(target_of(MODEL), resemblance, average, FLIP) == pytest.approx(1, abs=1e-6)


def test_scale_changes_the_head_and_not_the_picture(photo, sighting) -> None:  # type: ignore[no-untyped-def]
    state = replace(true_state(4), psi=np.zeros(MODEL.expression_size))
    small, large = (described(photo, sighting, MODEL, state, size) for size in (0.9, 1.1))
    a, b = small.posed(MODEL), large.posed(MODEL)
    assert np.ptp(b[:, 1]) / np.ptp(a[:, 1]) == pytest.approx(1.1 / 0.9, rel=1e-3)
    np.testing.assert_allclose(small.camera.project(a)[0], large.camera.project(b)[0], atol=0.05)
    moved = replace(small, offsets=small.offsets + np.float32(0.001))
    np.testing.assert_allclose(moved.neutral(MODEL) - small.neutral(MODEL), 0.001 * small.scale, atol=1e-5)


def test_the_average_backend_is_the_mean_head(photo, sighting) -> None:  # type: ignore[no-untyped-def]
    fit = mean_fit(photo, sighting, MODEL)
    assert not fit.beta.any() and not fit.psi.any()
    np.testing.assert_allclose(fit.neutral(MODEL), MODEL.rest(), atol=1e-6)

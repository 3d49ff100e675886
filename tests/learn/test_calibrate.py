"""Calibration finds the errors that were put in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headform.fit.errors import PITCH_LIMIT, PointErrors, pose_terms, upright, yaw_pitch
from headform.fit.resemblance import Resemblance
from headform.fit.solve import FLIP, State, face_size, target_of
from headform.head import load_default
from headform.head.skinning import rotation_matrices
from headform.learn.calibrate import (
    LEAST_REST,
    RIDGE,
    Errors,
    _errors_of,
    fitted,
    fitted_resemblance,
    report,
    resemblance_report,
    save,
    true_state,
)

FACES, POINTS, MODES = 3000, 6, 4


@pytest.fixture(scope="module")
def turns() -> np.ndarray:
    """(FACES, 3, 3) heads without roll, turned and tilted as far as the polynomial goes."""
    rng = np.random.default_rng(1)
    yaw, pitch = rng.uniform(-1, 1, FACES), rng.uniform(-PITCH_LIMIT, PITCH_LIMIT, FACES)
    about_x = rotation_matrices(np.stack([-pitch, 0 * pitch, 0 * pitch], 1))
    about_y = rotation_matrices(np.stack([0 * yaw, yaw, 0 * yaw], 1))
    return FLIP @ about_x.astype(np.float64) @ about_y.astype(np.float64)


@pytest.fixture(scope="module")
def true() -> PointErrors:
    rng = np.random.default_rng(2)
    modes = np.linalg.qr(rng.normal(size=(3 * POINTS, 2)))[0]
    return PointErrors(
        0.02 * rng.normal(size=(6, POINTS, 3)),
        0.01 * rng.normal(size=(POINTS, 3, MODES)),
        modes,
        np.array([0.012, 0.006]) ** 2,
        np.full(3 * POINTS, 0.004**2),
    )


@pytest.fixture(scope="module")
def errors(turns: np.ndarray, true: PointErrors) -> Errors:
    """Faces whose points err just as `true` says."""
    rng = np.random.default_rng(3)
    beta = rng.normal(size=(FACES, MODES))
    mean = np.stack([true.expected(turn, b)[0] for turn, b in zip(turns, beta, strict=True)])
    noise = (rng.normal(size=(FACES, 2)) * np.sqrt(true.spread)) @ true.modes.T
    noise += rng.normal(size=noise.shape) * np.sqrt(true.rest)
    return Errors(mean + noise.reshape(FACES, POINTS, 3), np.ones((FACES, POINTS)), turns, beta)


@pytest.fixture(scope="module")
def found(errors: Errors) -> PointErrors:
    return fitted(errors)


def test_gain_is_found_less_what_the_ridge_takes(found: PointErrors, true: PointErrors) -> None:
    """Ridge regression on N faces of unit variance keeps N / (N + ridge); 4 standard errors of 0.007 / √N."""
    np.testing.assert_allclose(found.gain, true.gain * FACES / (FACES + RIDGE), atol=8e-4)


def test_bias_is_found_at_every_pose(found: PointErrors, true: PointErrors) -> None:
    for yaw, pitch in ((0, 0), (0.8, 0), (-0.8, 0.3), (0.3, -0.4)):
        terms = pose_terms(yaw, pitch)
        np.testing.assert_allclose(np.tensordot(terms, found.bias, 1), np.tensordot(terms, true.bias, 1), atol=2e-3)


def test_covariance_is_that_of_the_noise(found: PointErrors, true: PointErrors) -> None:
    ours, theirs = (e.modes @ np.diag(e.spread) @ e.modes.T + np.diag(e.rest) for e in (found, true))
    ours -= LEAST_REST * np.eye(len(ours))  # all modes are kept of so few points: the rest is its least value
    np.testing.assert_allclose(ours, theirs, atol=0.15 * theirs.max())
    np.testing.assert_allclose(np.trace(ours), np.trace(theirs), rtol=0.05)
    assert (found.rest >= LEAST_REST).all()


def test_points_that_are_not_believed_do_not_teach(errors: Errors, found: PointErrors) -> None:
    weight = errors.weight.copy()
    weight[::3, 2] = 0
    spoilt = errors.error.copy()
    spoilt[::3, 2] += 5
    again = fitted(Errors(spoilt, weight, errors.turn, errors.beta))
    np.testing.assert_allclose(again.gain[2], found.gain[2], atol=1e-3)
    np.testing.assert_allclose(again.bias[:, 2], found.bias[:, 2], atol=5e-3)


def test_parts_pick_the_same_faces_of_all(errors: Errors) -> None:
    rows = np.array([5, 2])
    part = errors.part(rows)
    np.testing.assert_array_equal(part.error[0], errors.error[5])
    np.testing.assert_array_equal(part.turn[1], errors.turn[2])
    assert len(part.beta) == len(part.weight) == 2


def test_saved_errors_are_read_as_they_were(found: PointErrors, tmp_path: Path) -> None:
    save(found, tmp_path / "errors.npz")
    with np.load(tmp_path / "errors.npz") as kept:
        again = PointErrors(**{key: kept[key].astype(np.float64) for key in kept})
    for name in ("bias", "gain", "modes", "spread", "rest"):
        np.testing.assert_allclose(getattr(again, name), getattr(found, name), rtol=2e-3, atol=1e-4)


def test_the_report_says_what_each_part_leaves(errors: Errors, true: PointErrors) -> None:
    lines = report(errors, true).splitlines()
    across = [float(line.split("across")[1].split("%")[0]) for line in lines]
    noise = np.diag(true.modes @ np.diag(true.spread) @ true.modes.T + np.diag(true.rest)).reshape(POINTS, 3)
    assert across[2] == pytest.approx(100 * np.sqrt(noise[:, :2].sum(1).mean()), rel=0.05)
    assert across[0] > across[1] > across[2]


def test_the_error_of_a_render_is_upright_and_in_sizes_of_the_face() -> None:
    """All points of a leaning head found too far up along its own axis, and the depth somewhere else."""
    head = load_default()
    target = target_of(head)
    roll = rotation_matrices([0, 0, 0.4]).astype(np.float64)
    face = {
        "beta": np.random.default_rng(4).normal(size=head.identity_size).astype(np.float32),
        "psi": head.psi({"jawOpen": 0.3}),
        "theta": np.zeros((5, 3), np.float32),
        "rotation": roll @ FLIP,
        "translation": np.array([0.0, 0.01, 0.9]),
        "matrix": np.array([[800.0, 0, 160], [0, 800, 160], [0, 0, 1]]),
    }
    state = true_state(face)
    assert isinstance(state, State)
    truth = state.project(target.tracked.points(face["beta"], face["psi"], face["theta"]))
    size = face_size(truth)
    up = (roll @ FLIP)[:2, 1]
    face["points"] = truth + 0.02 * size * np.array([*up, 0]) + (0, 0, 33)
    error, weight, turn, beta = _errors_of(target, face, "points")
    np.testing.assert_allclose(error, np.tile((0, -0.02, 0), (478, 1)), atol=1e-6)
    assert weight.shape == (478,)
    assert yaw_pitch(turn) == pytest.approx((0, 0), abs=1e-6)
    assert upright(turn)[1] == pytest.approx(0, abs=1e-6)
    np.testing.assert_array_equal(beta, face["beta"])


@pytest.fixture(scope="module")
def descriptors(errors: Errors, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Resemblance]:
    """Shards of descriptors that are linear in pose and β, with noise of 0.02."""
    rng = np.random.default_rng(5)
    true = Resemblance(0.1 * rng.normal(size=(6, 128)), 0.1 * rng.normal(size=(128, MODES)), np.eye(128) / 0.02**2)
    terms = np.stack([pose_terms(*yaw_pitch(turn)) for turn in errors.turn])
    seen = terms @ true.mean + errors.beta @ true.gain.T + rng.normal(0, 0.02, (FACES, 128))
    folder = tmp_path_factory.mktemp("shards")
    for number, part in enumerate(np.split(seen, [1000])):
        np.savez(folder / f"faces_1_{number:03}.npz", identity=part)
    return folder, true


def test_descriptors_made_from_beta_are_explained_by_it(errors: Errors, descriptors: tuple[Path, Resemblance]) -> None:
    folder, true = descriptors
    rows = np.flatnonzero(np.arange(FACES) % 10)
    model, everything = fitted_resemblance(folder, errors, rows)
    assert everything.shape == (FACES, 128)
    np.testing.assert_allclose(model.gain, true.gain * len(rows) / (len(rows) + RIDGE), atol=4e-3)
    np.testing.assert_allclose(model.mean, true.mean, atol=0.02)
    # residual variance: the noise, what the ridge leaves of β, and the least that is always added
    left = 0.02**2 + 1e-5 + (true.gain**2).sum(1).mean() * (RIDGE / (len(rows) + RIDGE)) ** 2
    assert np.trace(np.linalg.inv(model.precision)) / 128 == pytest.approx(left, rel=0.05)
    words = resemblance_report(model, everything, errors, np.arange(0, 300, 10))
    told = float(words.split("variance of β ")[1].split(",")[0])
    assert told < 0.05  # 128 measurements of 4 numbers, 5 times as large as their noise

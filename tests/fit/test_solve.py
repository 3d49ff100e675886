"""The solver against heads whose geometry is known, its derivatives against differences, its parts against oracles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from headform.fit.errors import PointErrors, roll_back, upright
from headform.fit.resemblance import Resemblance
from headform.fit.solve import (
    FLIP,
    GAZE_SPREAD,
    SQUINT_SPREAD,
    Evidence,
    State,
    Target,
    _gaze_precision,
    _linearised,
    bounded_solution,
    face_size,
    first_guess,
    similarity,
    solve,
    target_of,
)
from headform.fit.units import UnitPrior
from headform.head import HeadModel, load_default
from headform.head.skinning import rotation_matrices
from headform.render import Camera

POINTS = 478
SHOWN = {"jawOpen": 0.4, "mouthSmileLeft": 0.6, "mouthSmileRight": 0.5, "browInnerUp": 0.3}
DISTANCE, FOCAL = 0.7, 1100.0  # 1 mm of the face is 1.6 pixels


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_default()


@pytest.fixture(scope="module")
def target(head: HeadModel) -> Target:
    return target_of(head)


def turned(x: float, y: float, z: float) -> np.ndarray:
    return FLIP @ rotation_matrices([x, y, z]).astype(np.float64)


def someone(head: HeadModel, seed: int = 1) -> State:
    """A person who smiles with an open mouth, looks aside and leans the head."""
    rng = np.random.default_rng(seed)
    return State(
        rng.normal(0, 0.7, head.identity_size),
        head.psi(SHOWN).astype(np.float64),
        np.array([0.1, -0.15, 0.1, -0.13]),
        turned(0.1, 0.35, -0.2),
        np.array([0.01, -0.02, DISTANCE]),
        FOCAL,
        np.array([255.5, 191.5]),
    )


def seen(target: Target, state: State) -> np.ndarray:
    return state.project(target.tracked.points(state.beta, state.psi, state.theta()))


def errors_of(target: Target, bias: float = 0, gain: float = 0, across: float = 1e-4, seed: int = 2) -> PointErrors:
    rng = np.random.default_rng(seed)
    size = target.model.identity_size
    return PointErrors(
        bias * rng.normal(size=(6, POINTS, 3)),
        gain * rng.normal(size=(POINTS, 3, size)),
        np.zeros((3 * POINTS, 1)),
        np.full(1, 1e-12),
        np.full(3 * POINTS, across**2),
    )


def millimetres_apart(target: Target, first: State, second: State) -> np.ndarray:
    """(n,) between the posed points of two heads, laid over each other by a similarity."""
    ours, theirs = (target.tracked.points(s.beta, s.psi, s.theta()) for s in (first, second))
    scale, turn, move = similarity(ours, theirs)
    return np.linalg.norm(scale * ours @ turn.T + move - theirs, axis=1) * 1e3


def started(target: Target, points: np.ndarray, units: UnitPrior, truth: State) -> State:
    return first_guess(target, points, units.mean.copy(), truth.focal, 1.0, truth.centre)


# ── the whole ────────────────────────────────────────────────────────────────────────────────────


def test_exact_points_give_the_geometry_back(target: Target, head: HeadModel) -> None:
    truth = someone(head)
    points, units = seen(target, truth), UnitPrior.of(head, {})
    start = started(target, points, units, truth)
    assert millimetres_apart(target, start, truth).max() > 5  # there is something to find
    found = solve(target, Evidence(points, np.ones(POINTS), errors_of(target)), units, start)
    assert millimetres_apart(target, found, truth).max() < 0.3
    assert np.linalg.norm((seen(target, found) - points)[:, :2], axis=1).max() < 0.2
    angle = np.degrees(np.arccos(min((np.trace(found.turn @ truth.turn.T) - 1) / 2, 1.0)))
    assert angle < 1
    np.testing.assert_allclose(found.gaze, truth.gaze, atol=0.03)


def test_a_known_person_gives_the_expression_back(target: Target, head: HeadModel) -> None:
    truth = someone(head, 3)
    points, units = seen(target, truth), UnitPrior.of(head, {})
    start = replace(started(target, points, units, truth), beta=truth.beta)
    found = solve(target, Evidence(points, np.ones(POINTS), errors_of(target)), units, start, identity=False)
    np.testing.assert_array_equal(found.beta, truth.beta)
    wanted = [head.expression_index(name) for name in SHOWN]
    np.testing.assert_allclose(found.psi[wanted], truth.psi[wanted], atol=0.05)
    assert found.psi[head.expression_index("tongueOut")] == 0
    assert ((found.psi >= 0) & (found.psi <= 1)).all()
    np.testing.assert_allclose(found.move, truth.move, atol=0.002)


def test_what_the_network_always_gets_wrong_is_taken_out(target: Target, head: HeadModel) -> None:
    truth = someone(head, 4)
    errors, points = errors_of(target, bias=0.01, gain=0.001), seen(target, truth)
    level, roll = upright(truth.turn)
    off = errors.expected(level, truth.beta)[0] @ roll_back(roll)  # back from the upright frame: rows times R
    spoilt = points.copy()
    for _ in range(20):  # the unit of the errors is the size of the face that is found
        spoilt = points + off * face_size(spoilt)
    units = UnitPrior.of(head, {})
    start = started(target, spoilt, units, truth)
    informed = solve(target, Evidence(spoilt, np.ones(POINTS), errors), units, start)
    naive = solve(target, Evidence(spoilt, np.ones(POINTS), errors_of(target)), units, start)
    assert millimetres_apart(target, informed, truth).max() < 0.3
    assert millimetres_apart(target, naive, truth).max() > 2


def test_points_gone_astray_are_left_alone(target: Target, head: HeadModel) -> None:
    truth = someone(head, 5)
    points, units = seen(target, truth), UnitPrior.of(head, {})
    spoilt = points.copy()
    spoilt[60:75, :2] += 0.15 * face_size(points)
    start = started(target, spoilt, units, truth)
    evidence = Evidence(spoilt, np.ones(POINTS), errors_of(target, across=2e-3))
    found = solve(target, evidence, units, start)
    rest = np.delete(np.arange(POINTS), np.arange(60, 75))
    off = np.linalg.norm((seen(target, found) - points)[rest, :2], axis=1) / face_size(points)
    assert np.median(off) < 0.003  # a fiftieth of how far the others went


def test_points_that_are_not_believed_do_not_count(target: Target, head: HeadModel) -> None:
    truth = someone(head, 6)
    points, units = seen(target, truth), UnitPrior.of(head, {})
    weight = np.ones(POINTS)
    weight[100:150] = 0
    spoilt = points.copy()
    spoilt[100:150] += 0.02 * face_size(points)
    start, errors = started(target, points, units, truth), errors_of(target, across=1e-3)
    found, again = (solve(target, Evidence(p, weight, errors), units, start) for p in (points, spoilt))
    size = [face_size(p) for p in (points, spoilt)]
    if size[0] == size[1]:  # the unit of the errors knows no weights
        np.testing.assert_allclose(again.beta, found.beta, atol=1e-6)
    assert millimetres_apart(target, found, again).max() < 0.1


def test_without_believable_points_the_descriptor_and_the_prior_decide(target: Target, head: HeadModel) -> None:
    """Points with enormous errors leave ridge regression on the descriptor, which has a closed form."""
    rng = np.random.default_rng(7)
    mean = np.zeros((6, 128))
    mean[0] = rng.normal(size=128)
    model = Resemblance(mean, rng.normal(size=(128, head.identity_size)), np.eye(128) * 3.0)
    descriptor, doubt = rng.normal(size=128).astype(np.float32), 2.0
    truth = someone(head)
    points, units = seen(target, truth), UnitPrior.of(head, {})
    evidence = Evidence(
        points, np.ones(POINTS), errors_of(target), 1e9, descriptor=descriptor, resemblance=model, doubt=doubt
    )
    found = solve(target, evidence, units, started(target, points, units, truth))
    light = model.gain.T @ model.precision / doubt
    expected = np.linalg.solve(light @ model.gain + np.eye(head.identity_size), light @ (descriptor - mean[0]))
    np.testing.assert_allclose(found.beta, expected, atol=0.02)


def test_without_believable_points_nobody_smiles_or_squints(target: Target, head: HeadModel) -> None:
    truth = someone(head)
    points, units = seen(target, truth), UnitPrior.of(head, {"jawOpen": 0.9})
    evidence = Evidence(points, np.ones(POINTS), errors_of(target), 1e9)
    found = solve(target, evidence, units, started(target, points, units, truth))
    # a normal prior with a Laplace pull: its mode lies PULL / precision below the mean
    mode = np.clip(units.mean - units.pull / units.precision, 0, 1)
    np.testing.assert_allclose(found.psi[units.free], mode[units.free], atol=0.01)
    np.testing.assert_allclose(found.gaze, 0, atol=0.01)


# ── derivatives ──────────────────────────────────────────────────────────────────────────────────


def moved(state: State, unknown: str, index: int, by: float) -> State:
    if unknown == "turn":
        return replace(state, turn=rotation_matrices(by * np.eye(3)[index]).astype(np.float64) @ state.turn)
    values = getattr(state, unknown).copy()
    values[index] += by
    return replace(state, **{unknown: values})


FIRST: dict[str, Callable[[HeadModel], int]] = {
    "beta": lambda head: 0,
    "turn": lambda head: head.identity_size,
    "move": lambda head: head.identity_size + 3,
    "gaze": lambda head: head.identity_size + 6,
    "psi": lambda head: head.identity_size + 10,
}
STEP = {"beta": 0.02, "turn": 2e-3, "move": 1e-3, "gaze": 2e-3, "psi": 2e-3}


@pytest.mark.parametrize("unknown", FIRST)
def test_rows_are_the_derivatives_of_the_residual(target: Target, head: HeadModel, unknown: str) -> None:
    """At the truth, where the turn of the frame and of the weights has nothing to act on."""
    state = someone(head, 8)
    errors = errors_of(target, gain=0.001 if unknown == "beta" else 0)
    points = seen(target, state)
    evidence = Evidence(points, np.ones(POINTS), errors)
    _, rows, _ = _linearised(target, evidence, state)
    first, size = FIRST[unknown](head), len(getattr(state, unknown))
    step = STEP[unknown]
    for index in range(0, size, max(1, size // 12)):
        ends = [_linearised(target, evidence, moved(state, unknown, index, s * step))[0] for s in (1, -1)]
        difference = ((ends[0] - ends[1]) / (2 * step)).reshape(POINTS, 3)
        exact = rows[:, first + index].reshape(POINTS, 3)
        if unknown == "move":  # depth as the distance changes is left out
            difference, exact = difference[:, :2], exact[:, :2]
        assert np.abs(difference - exact).max() < 2e-3 * max(np.abs(exact).max(), 0.02), index


def test_the_residual_vanishes_at_the_truth_in_every_unit(target: Target, head: HeadModel) -> None:
    state = someone(head, 9)
    points = seen(target, state)
    for factor in (1.0, 3.0):  # a photo of three times as many pixels is the same evidence
        larger = replace(state, focal=state.focal * factor, centre=state.centre * factor)
        shifted = points * factor + (0, 0, 40.0)  # the zero of depth is arbitrary
        residual, _, _ = _linearised(target, Evidence(shifted, np.ones(POINTS), errors_of(target)), larger)
        np.testing.assert_allclose(residual, 0, atol=1e-6)


def test_the_residual_is_measured_upright_in_sizes_of_the_face(target: Target, head: HeadModel) -> None:
    state = someone(head, 10)
    points = seen(target, state)
    _, roll = upright(state.turn)
    up = np.array([np.sin(roll), -np.cos(roll)])  # of the leaning head, in the picture
    lower = points.copy()
    lower[:, :2] -= 0.03 * face_size(points) * up
    residual, _, _ = _linearised(target, Evidence(lower, np.ones(POINTS), errors_of(target)), state)
    np.testing.assert_allclose(residual.reshape(POINTS, 3), np.tile((0, -0.03, 0), (POINTS, 1)), atol=1e-6)


# ── parts ────────────────────────────────────────────────────────────────────────────────────────


def test_project_is_a_camera(head: HeadModel) -> None:
    state = someone(head)
    matrix = np.array([[state.focal, 0, state.centre[0]], [0, state.focal, state.centre[1]], [0, 0, 1]])
    camera = Camera(matrix, state.turn, state.move, 512, 384)
    points = np.random.default_rng(1).normal(0, 0.1, (20, 3))
    found = state.project(points)
    flat, depth = camera.project(points)
    np.testing.assert_allclose(found[:, :2], flat, atol=1e-9)
    np.testing.assert_allclose(found[:, 2], (depth - DISTANCE) * FOCAL / DISTANCE, atol=1e-9)


def test_eyes_turn_left_eye_first(head: HeadModel) -> None:
    theta = replace(someone(head), gaze=np.array([1.0, 2, 3, 4])).theta()
    np.testing.assert_array_equal(theta, [(0, 0, 0)] * 3 + [(1, 2, 0), (3, 4, 0)])


def test_eyes_are_held_together_more_than_ahead() -> None:
    precision = _gaze_precision()
    for axis in (np.array([1.0, 0, 1, 0]), np.array([0, 1.0, 0, 1])):  # both eyes by 1: their mean is 1
        assert axis @ precision @ axis == pytest.approx(1 / GAZE_SPREAD**2)
    for axis in (np.array([1.0, 0, -1, 0]), np.array([0, 1.0, 0, -1])):  # half their difference is 1
        assert axis @ precision @ axis == pytest.approx(1 / SQUINT_SPREAD**2)


def test_points_that_face_the_camera_count_and_hidden_ones_hardly(target: Target, head: HeadModel) -> None:
    ahead = replace(someone(head), turn=FLIP)
    nose, cheeks = 4, (234, 454)  # MediaPipe's tip of the nose, right and left edge of the face
    weight = target.facing(ahead)
    assert weight[nose] == 1
    behind = target.facing(replace(ahead, turn=turned(0, np.pi, 0)))
    assert np.median(behind) == pytest.approx(0.03)
    left = target.facing(replace(ahead, turn=turned(0, 1.0, 0)))  # faces the right border: shows its right cheek
    assert left[cheeks[0]] > 0.8
    assert left[cheeks[1]] == pytest.approx(0.03)


def test_first_guess_finds_a_far_mean_head(target: Target, head: HeadModel) -> None:
    """From 40 m perspective is nearly a similarity."""
    far = replace(
        someone(head),
        beta=np.zeros(head.identity_size),
        turn=turned(0.2, -0.5, 0.3),
        move=np.array([0.3, -0.2, 40.0]),
        focal=60000.0,
    )
    points = far.project(target.mean)
    found = first_guess(target, points, far.psi, far.focal, 1.0, far.centre)
    np.testing.assert_allclose(found.turn, far.turn, atol=0.01)
    np.testing.assert_allclose(found.move, far.move, rtol=0.01)
    assert not found.beta.any()
    near = first_guess(target, points, far.psi, None, 1.5, far.centre)
    assert near.move[2] == pytest.approx(1.5)
    np.testing.assert_allclose(near.turn, found.turn, atol=1e-12)
    assert near.focal == pytest.approx(1.5 * 60000 / 40, rel=0.01)


def test_similarity_recovers_a_similarity() -> None:
    rng = np.random.default_rng(11)
    source, turn = rng.normal(size=(9, 3)), rotation_matrices([0.4, -1.2, 0.8]).astype(np.float64)
    scale, found, move = similarity(source, 2.5 * source @ turn.T + (1, -2, 3))
    assert scale == pytest.approx(2.5)
    np.testing.assert_allclose(found, turn, atol=1e-6)
    np.testing.assert_allclose(move, (1, -2, 3), atol=1e-6)


def test_similarity_never_mirrors() -> None:
    source = np.random.default_rng(12).normal(size=(9, 3))
    _, turn, _ = similarity(source, source * (-1, 1, 1))
    assert np.linalg.det(turn) == pytest.approx(1)


@pytest.mark.parametrize("angle", [0.0, 0.5, -2.0, np.pi])
def test_face_size_is_that_of_the_box_with_level_eyes(angle: float) -> None:
    points = np.zeros((POINTS, 3))
    points[33], points[263] = (-10, 5, 0), (10, 5, 0)
    points[0], points[1], points[2] = (-30, 0, 0), (30, 1, 0), (0, 60, 0)  # 60 across, 60 down
    points[3] = (0, -20, 0)  # 80 down
    points[468:] = 1000  # iris points do not count
    turn = rotation_matrices([0, 0, angle]).astype(np.float64)
    assert face_size(3 * points @ turn.T + (7, 8, 9)) == pytest.approx(3 * np.sqrt(60 * 80))


def problem(seed: int, size: int = 8, tight: float = 0.3) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rows, aim and bounds of a least squares problem of which some bounds hold."""
    rng = np.random.default_rng(seed)
    rows, aim = rng.normal(size=(20, size)), rng.normal(size=20) * 2
    return rows, aim, -rng.uniform(0, tight, size), rng.uniform(0, tight, size)


def test_without_bounds_it_is_the_normal_equations() -> None:
    rows, aim, _, _ = problem(1)
    none = np.full(8, np.inf)
    step = bounded_solution(rows.T @ rows, -rows.T @ aim, np.ones(8, bool), -none, none)
    np.testing.assert_allclose(step, np.linalg.lstsq(rows, aim)[0], atol=1e-5)


def test_unknowns_that_are_not_free_stay() -> None:
    rows, aim, _, _ = problem(2)
    free = np.arange(8) % 3 != 0
    none = np.full(8, np.inf)
    step = bounded_solution(rows.T @ rows, -rows.T @ aim, free, -none, none)
    assert not step[~free].any()
    np.testing.assert_allclose(step[free], np.linalg.lstsq(rows[:, free], aim)[0], atol=1e-5)


def test_unknowns_that_do_not_meet_are_cut_at_their_bounds() -> None:
    slope = np.array([-4.0, 2.0, -0.1])
    step = bounded_solution(np.diag([2.0, 1, 1]), slope, np.ones(3, bool), np.full(3, -0.5), np.full(3, 0.5))
    np.testing.assert_allclose(step, (0.5, -0.5, 0.1), atol=1e-5)


def test_where_one_bound_holds_it_is_the_exact_solution() -> None:
    """The step to the one violated bound is the projection onto it: nothing can be released again."""
    tried = 0
    for seed in range(200):
        rows, aim, low, high = problem(seed, tight=2.0)
        best = lsq_linear(rows, aim, (low, high), method="bvls", tol=1e-12)
        plain = np.linalg.lstsq(rows, aim)[0]
        if np.count_nonzero(best.active_mask) != 1 or ((plain < low) | (plain > high)).sum() != 1:
            continue
        step = bounded_solution(rows.T @ rows, -rows.T @ aim, np.ones(8, bool), low, high)
        np.testing.assert_allclose(step, best.x, atol=1e-4)
        tried += 1
    assert tried > 10


@pytest.mark.parametrize("seed", range(8))
def test_bounds_hold_and_unknowns_between_them_are_at_rest(seed: int) -> None:
    rows, aim, low, high = problem(seed)
    step = bounded_solution(rows.T @ rows, -rows.T @ aim, np.ones(8, bool), low, high)
    assert ((step >= low) & (step <= high)).all()
    between = (step > low + 1e-6) & (step < high - 1e-6)
    pull = rows.T @ (rows @ step - aim)
    np.testing.assert_allclose(pull[between], 0, atol=1e-3)
    assert ((rows @ step - aim) ** 2).sum() < (aim**2).sum()


@pytest.mark.parametrize("seed", [8, 13, 17, 18])
def test_where_many_bounds_hold_it_is_the_exact_solution(seed: int) -> None:
    rows, aim, low, high = problem(seed)
    step = bounded_solution(rows.T @ rows, -rows.T @ aim, np.ones(8, bool), low, high)
    best = lsq_linear(rows, aim, (low, high), method="bvls", tol=1e-12)
    np.testing.assert_allclose(step, best.x, atol=1e-3)

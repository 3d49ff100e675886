"""From a sighting to a head: conventions of camera, pose and size, and whole fits of our own renders."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from headform.fit import HeadFit, fit_photo
from headform.fit.errors import upright, yaw_pitch
from headform.fit.fitter import (
    LIP_CORNERS,
    LOWER_LIP,
    PLAUSIBLE,
    RESTING,
    UPPER_LIP,
    USUAL_DISTANCE,
    axis_angle,
    likely_size,
    mean_fit,
    placed_mean,
    relative_size,
    rest_and_expression,
    sealed,
    seen_from,
)
from headform.fit.light import even_light
from headform.fit.resemblance import shipped_resemblance
from headform.fit.solve import FLIP, State, face_size, similarity, target_of
from headform.head import HeadModel, load_default
from headform.head.skinning import rotation_matrices
from headform.learn.renders import FACE, Stage, plain_render
from headform.photo import Photo, Sighting, see
from headform.render import Camera

WIDE, HIGH = 400, 440
TURN = 0.4  # radians: the camera stands to the person's left, so that the face looks to the left of the picture
SMILE = {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9, "jawOpen": 0.35}


@dataclass(frozen=True, eq=False)
class Shot:
    """A render, what is seen in it, and what is true about it."""

    photo: Photo
    sighting: Sighting
    camera: Camera
    vertices: np.ndarray
    beta: np.ndarray


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_default()


@pytest.fixture(scope="module")
def shot(head: HeadModel) -> Shot:
    """Somebody far from the mean who smiles."""
    beta = np.zeros(head.identity_size, np.float32)
    beta[:25] = np.random.default_rng(21).normal(0, 1.2, 25)
    vertices = head.posed(beta, SMILE)
    camera = Camera.portrait(TURN, 0.05, (WIDE, HIGH), field_of_view=0.28, target=FACE)
    pixels = plain_render(Stage.of(head, 1, 8), np.random.default_rng(5), vertices, camera)
    photo = Photo.of(np.ascontiguousarray(pixels), "smile")
    return Shot(photo, see(photo, 1)[0], camera, vertices, beta)


@pytest.fixture(scope="module")
def fit(shot: Shot, head: HeadModel) -> HeadFit:
    return fit_photo(shot.photo, shot.sighting, head)


@pytest.fixture(scope="module")
def state(head: HeadModel) -> State:
    rng = np.random.default_rng(22)
    turn = FLIP @ rotation_matrices([0.2, -0.6, 0.3]).astype(np.float64)
    psi = rng.uniform(0, 0.5, head.expression_size)
    gaze, move = rng.normal(0, 0.2, 4), np.array([0.05, 0.03, 0.8])
    return State(rng.normal(size=head.identity_size), psi, gaze, turn, move, 900.0, np.array([199.5, 219.5]))


def landmarks_of(head: HeadModel, vertices: np.ndarray) -> np.ndarray:
    return head.embeddings["mediapipe_478"].points(vertices).astype(np.float64)


# ── conventions ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("angle", [0.0, 1e-8, 1e-5, 0.3, 2.0, np.pi - 1e-3, np.pi - 1e-7, np.pi])
@pytest.mark.parametrize("axis", [(1, 0, 0), (0, -1, 0), (0.48, -0.6, 0.64), (-0.6, 0.0, -0.8)])
def test_axis_angle_undoes_a_rotation(angle: float, axis: tuple[float, float, float]) -> None:
    rotation = Rotation.from_rotvec(np.asarray(axis) * angle)
    found = axis_angle(rotation.as_matrix())
    assert (Rotation.from_rotvec(found) * rotation.inv()).magnitude() < 2e-6
    assert np.linalg.norm(found) <= np.pi + 1e-9


def test_axis_angle_forgives_rounding() -> None:
    """The solver multiplies small turns in single precision: a head that looks ahead is off by some 1e-7."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        off = np.eye(3) + rng.normal(0, 1e-7, (3, 3))
        assert np.linalg.norm(axis_angle(off)) < 2e-3


def test_axis_angle_forgives_rounding_of_half_a_turn() -> None:
    rotation = rotation_matrices(np.array([0.6, -0.64, 0.48]) * np.pi).astype(np.float64)
    found = Rotation.from_rotvec(axis_angle(rotation))
    assert (found * Rotation.from_matrix(rotation).inv()).magnitude() < 2e-3


def test_camera_and_pose_show_what_the_solver_saw(head: HeadModel, state: State) -> None:
    camera, theta = seen_from(state, head, WIDE, HIGH)
    tracked = target_of(head).tracked.points(state.beta, state.psi, state.theta())
    pixels, depth = camera.project(landmarks_of(head, head.posed(state.beta, state.psi, theta)))
    # weights in half precision do not quite add up to 1: turned about another place, lips move by 0.01 mm
    np.testing.assert_allclose(pixels, state.project(tracked)[:, :2], atol=0.04)
    np.testing.assert_allclose(depth, (tracked @ state.turn.T + state.move)[:, 2], atol=5e-5)
    assert (camera.width, camera.height) == (WIDE, HIGH)
    np.testing.assert_array_equal(camera.rotation, FLIP)


def test_only_head_and_eyes_turn(head: HeadModel, state: State) -> None:
    _, theta = seen_from(state, head, WIDE, HIGH)
    np.testing.assert_allclose(rotation_matrices(theta[0]), FLIP @ state.turn, atol=1e-6)
    assert not theta[1:3].any()
    np.testing.assert_array_equal(theta[3:, :2], state.gaze.reshape(2, 2))


def made(head: HeadModel, state: State, scale: float = 1.0, offsets: np.ndarray | None = None) -> HeadFit:
    camera, theta = seen_from(state, head, WIDE, HIGH)
    return HeadFit(
        head.beta(state.beta),
        head.psi(state.psi),
        head.theta(theta),
        replace(camera, translation=camera.translation * scale),
        even_light(),
        np.zeros_like(head.template) if offsets is None else offsets,
        0.0,
        scale,
    )


@pytest.mark.parametrize("scale", [0.8, 1.15])
def test_a_larger_head_farther_away_is_the_same_picture(head: HeadModel, state: State, scale: float) -> None:
    plain, scaled = made(head, state), made(head, state, scale)
    np.testing.assert_allclose(scaled.posed(head), scale * plain.posed(head), atol=1e-6)
    np.testing.assert_allclose(scaled.neutral(head), scale * head.rest(state.beta), atol=1e-6)
    first, second = (f.camera.project(landmarks_of(head, f.posed(head)))[0] for f in (plain, scaled))
    np.testing.assert_allclose(second, first, atol=2e-3)


def test_correctives_are_scaled_too(head: HeadModel, state: State) -> None:
    noise = np.random.default_rng(5).normal(0, 2e-3, (36, *head.template.shape)).astype(np.float32)
    bent = replace(head, correctives=noise)
    fit = replace(made(head, state, 1.2), theta=np.full((5, 3), 0.2, np.float32))
    np.testing.assert_allclose(
        fit.posed(bent), 1.2 * bent.posed(state.beta, state.psi, np.full((5, 3), 0.2)), atol=1e-6
    )


def test_offsets_are_worn_under_expression_and_size(head: HeadModel, state: State) -> None:
    way = np.array([0.001, -0.002, 0.003], np.float32)
    moved = made(head, state, 1.1, np.tile(way, (len(head.template), 1)))
    plain = made(head, state, 1.1)
    np.testing.assert_allclose(
        moved.neutral(head) - plain.neutral(head), np.tile(1.1 * way, (head.vertex_count, 1)), atol=5e-6
    )


def test_without_size_and_offsets_the_model_is_worn_as_it_is(head: HeadModel, state: State) -> None:
    assert made(head, state).personal(head) is head


# ── size ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_mean_head_has_relative_size_one(head: HeadModel) -> None:
    assert relative_size(target_of(head), np.zeros(head.identity_size)) == pytest.approx(1, abs=1e-6)


def test_relative_size_is_that_of_a_similarity(head: HeadModel) -> None:
    """A head with one mode that only scales."""
    growing = replace(
        head,
        identity=0.1 * head.template[None],
        joint_identity=0.1 * head.joints[None],
    )
    assert relative_size(target_of(growing), np.array([2.0])) == pytest.approx(1.2, abs=1e-5)


def test_a_face_like_all_has_the_mean_size(head: HeadModel) -> None:
    shipped = shipped_resemblance()
    assert likely_size(target_of(head), shipped, shipped.mean[0].astype(np.float32), FLIP) == pytest.approx(1, abs=1e-5)


def test_size_does_not_come_from_the_points(head: HeadModel, shot: Shot, fit: HeadFit) -> None:
    turn = FLIP @ rotation_matrices(fit.theta[0]).astype(np.float64)
    size = likely_size(target_of(head), shipped_resemblance(), shot.sighting.embedding, turn)
    assert 0.85 < size < 1.15
    assert fit.scale * relative_size(target_of(head), fit.beta) == pytest.approx(size, rel=1e-4)


def test_size_does_not_depend_on_how_the_photo_is_held(head: HeadModel, shot: Shot) -> None:
    turn = FLIP @ rotation_matrices([0, 0.6, 0]).astype(np.float64)
    lean = rotation_matrices([0, 0, 0.7]).astype(np.float64)
    who = shot.sighting.embedding
    sizes = [likely_size(target_of(head), shipped_resemblance(), who, view) for view in (turn, lean @ turn)]
    assert sizes[0] == pytest.approx(sizes[1], abs=1e-4)


# ── whole fits ───────────────────────────────────────────────────────────────────────────────────


def test_a_fit_is_finite_and_possible(fit: HeadFit, head: HeadModel) -> None:
    for item in fields(fit):
        value = getattr(fit, item.name)
        if isinstance(value, np.ndarray):
            assert np.isfinite(value).all(), item.name
    assert np.isfinite(fit.light.coefficients).all()
    assert fit.beta.shape == (head.identity_size,)
    assert np.abs(fit.beta).max() < 5
    assert ((fit.psi >= 0) & (fit.psi <= 1)).all()
    assert not fit.theta[1:3].any()
    assert np.abs(fit.theta[3:]).max() < 0.6
    assert np.abs(fit.offsets).max() < 0.04  # a resting face, ears and a neck


def test_what_a_resting_face_does_is_no_expression(head: HeadModel) -> None:
    psi = np.zeros(head.expression_size)
    names = list(head.expression_names)
    psi[[names.index("eyeSquintLeft"), names.index("browDownRight"), names.index("jawOpen")]] = (0.5, 0.1, 0.3)
    offsets, left = rest_and_expression(head, psi)
    assert left[names.index("eyeSquintLeft")] == pytest.approx(0.5 - RESTING["eyeSquintLeft"])
    assert left[names.index("browDownRight")] == 0
    assert left[names.index("jawOpen")] == pytest.approx(0.3)
    theta, before = np.zeros((5, 3), np.float32), head.posed(None, head.psi(psi))
    after = replace(head, template=head.template + offsets).posed(None, head.psi(left), theta)
    np.testing.assert_allclose(after, before, atol=2e-5)


def test_lips_that_are_seen_to_meet_meet(head: HeadModel, shot: Shot) -> None:
    names, points = list(head.expression_names), shot.sighting.landmarks.points.astype(np.float64).copy()
    psi = np.zeros(head.expression_size)
    psi[names.index("jawOpen")], psi[names.index("mouthClose")] = 0.2, 0.05
    points[LOWER_LIP, :2] = points[UPPER_LIP, :2] + 0.1 * (points[LIP_CORNERS[0], :2] - points[LIP_CORNERS[1], :2])
    assert sealed(head, psi, points)[names.index("mouthClose")] == 0.05
    points[LOWER_LIP] = points[UPPER_LIP]
    assert sealed(head, psi, points)[names.index("mouthClose")] == 0.2
    assert psi[names.index("mouthClose")] == 0.05


def test_the_head_lies_on_the_points_and_on_the_true_head(fit: HeadFit, shot: Shot, head: HeadModel) -> None:
    assert fit.error < 0.03
    ours, _ = fit.camera.project(landmarks_of(head, fit.posed(head)))
    seen = shot.sighting.landmarks.points
    size = face_size(seen)
    root = np.sqrt(((ours - seen[:, :2]) ** 2).sum(1).mean()) / size
    assert root == pytest.approx(fit.error, abs=1e-4)
    true, _ = shot.camera.project(landmarks_of(head, shot.vertices))
    assert np.median(np.linalg.norm(ours - true, axis=1)) < 0.03 * size


def test_the_head_is_turned_as_it_was(fit: HeadFit) -> None:
    turn = fit.camera.rotation @ rotation_matrices(fit.theta[0]).astype(np.float64)
    level, roll = upright(turn)
    yaw, pitch = yaw_pitch(level)
    assert yaw == pytest.approx(-TURN, abs=0.1)
    assert pitch == pytest.approx(-0.05, abs=0.12)
    assert roll == pytest.approx(0, abs=0.05)


def test_the_smile_is_found(fit: HeadFit, head: HeadModel) -> None:
    smile = [fit.psi[head.expression_index(name)] for name in ("mouthSmileLeft", "mouthSmileRight")]
    frown = [fit.psi[head.expression_index(name)] for name in ("mouthFrownLeft", "mouthFrownRight")]
    assert min(smile) > 0.35
    assert max(frown) < min(smile) / 2
    assert fit.psi[head.expression_index("jawOpen")] > 0.1
    assert fit.psi[head.expression_index("tongueOut")] == 0


def test_the_person_is_nearer_than_the_mean(fit: HeadFit, shot: Shot, head: HeadModel) -> None:
    true = landmarks_of(head, head.rest(shot.beta))[:468]
    apart = []
    for candidate in (fit.neutral(head), head.rest()):
        ours = landmarks_of(head, candidate)[:468]
        scale, turn, move = similarity(ours, true)
        apart.append(np.linalg.norm(scale * ours @ turn.T + move - true, axis=1).mean())
    assert apart[0] < 0.85 * apart[1]


def test_the_mean_fit_is_the_mean_head_where_the_face_is(fit: HeadFit, shot: Shot, head: HeadModel) -> None:
    mean = mean_fit(shot.photo, shot.sighting, head)
    assert not mean.beta.any()
    assert not mean.psi.any()
    assert mean.scale == pytest.approx(1, abs=1e-6)
    assert mean.error > fit.error
    ours, _ = mean.camera.project(landmarks_of(head, mean.posed(head)))
    off = ours.mean(0) - shot.sighting.landmarks.points[:, :2].mean(0)
    assert np.linalg.norm(off) < 0.05 * face_size(shot.sighting.landmarks.points)


def test_where_exif_says_nothing_the_face_is_at_the_usual_distance(shot: Shot, head: HeadModel) -> None:
    start, units = placed_mean(shot.photo, shot.sighting, head)
    assert start.move[2] == pytest.approx(USUAL_DISTANCE)
    np.testing.assert_allclose(start.centre, ((WIDE - 1) / 2, (HIGH - 1) / 2))
    np.testing.assert_array_equal(start.psi, units.mean)


def test_a_plausible_focal_length_tells_the_distance(shot: Shot, head: HeadModel) -> None:
    true = float(shot.camera.matrix[0, 0])
    photo = replace(shot.photo, focal=true)
    start, _ = placed_mean(photo, shot.sighting, head)
    assert start.focal == true
    assert start.move[2] == pytest.approx(shot.camera.to_camera(FACE)[2], rel=0.12)
    fit = fit_photo(photo, shot.sighting, head)
    assert fit.camera.matrix[0, 0] == fit.camera.matrix[1, 1] == true
    assert fit.error < 0.03
    assert fit.camera.to_camera(fit.posed(head).mean(0))[2] == pytest.approx(1.2, rel=0.15)


@pytest.mark.parametrize("times", [1 / 30, 30])
def test_an_absurd_focal_length_is_of_a_cropped_photo(shot: Shot, head: HeadModel, times: float) -> None:
    absurd = times * float(shot.camera.matrix[0, 0])
    assert not PLAUSIBLE[0] < times * 1.2 < PLAUSIBLE[1]
    start, _ = placed_mean(replace(shot.photo, focal=absurd), shot.sighting, head)
    without, _ = placed_mean(shot.photo, shot.sighting, head)
    assert start.focal == without.focal != absurd


def test_the_same_photo_gives_the_same_head(fit: HeadFit, shot: Shot, head: HeadModel) -> None:
    again = fit_photo(shot.photo, shot.sighting, head)
    np.testing.assert_array_equal(again.beta, fit.beta)
    np.testing.assert_array_equal(again.camera.translation, fit.camera.translation)
    np.testing.assert_array_equal(again.light.coefficients, fit.light.coefficients)

"""What is found in renders, and the shards that keep it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headform.fit.solve import target_of
from headform.head import HeadModel, load_default
from headform.learn import faces as module
from headform.learn.calibrate import measured_errors
from headform.learn.faces import faces, found, write_shards
from headform.learn.renders import Stage, plain_render
from headform.photo.landmarks import landmark_table
from headform.render import Camera

CAMERA = Camera.portrait(0.2, 0, 256, field_of_view=0.3)
KEPT = ("points", "scores", "identity", "beta", "psi", "theta", "matrix", "rotation", "translation")


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_default()


@pytest.fixture(scope="module")
def stage(head: HeadModel) -> Stage:
    return Stage.of(head, 1, 5)


@pytest.fixture(scope="module")
def picture(stage: Stage, head: HeadModel) -> np.ndarray:
    return plain_render(stage, np.random.default_rng(6), head.rest(), CAMERA)


@pytest.fixture(scope="module")
def truth(head: HeadModel) -> np.ndarray:
    return CAMERA.project(head.embeddings["mediapipe_478"].points(head.rest()))[0]


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three faces, two to a shard, with one skin."""
    folder = tmp_path_factory.mktemp("faces")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SKINS", 1)
        patch.setattr(module, "SHARD", 2)
        write_shards(folder, 3, 21)
    return folder


def test_a_face_is_found_where_it_is(picture: np.ndarray, truth: np.ndarray) -> None:
    seen = found(picture, truth, np.random.default_rng(1))
    assert seen is not None
    size = np.sqrt(np.ptp(truth, axis=0).prod())
    assert np.median(np.linalg.norm(seen.points[:, :2] - truth, axis=1)) < 0.05 * size


def test_an_empty_picture_has_no_face(truth: np.ndarray) -> None:
    assert found(np.full((256, 256, 3), 128, np.uint8), truth, np.random.default_rng(1)) is None


def test_a_face_elsewhere_is_not_the_one(picture: np.ndarray, truth: np.ndarray) -> None:
    size = np.sqrt(np.ptp(truth, axis=0).prod())
    assert found(picture, truth + 0.5 * size, np.random.default_rng(1)) is None


def test_faces_come_with_their_truth(stage: Stage, head: HeadModel) -> None:
    seen = next(faces(stage, 31))
    assert seen.landmarks.points.shape == (478, 3)
    assert seen.identity.shape == (128,)
    assert np.isfinite(seen.identity).all()
    true = seen.truth.camera.project(head.embeddings["mediapipe_478"].points(seen.truth.vertices))[0]
    size = np.sqrt(np.ptp(true, axis=0).prod())
    assert np.median(np.linalg.norm(seen.landmarks.points[:, :2] - true, axis=1)) < 0.15 * size


def test_shards_hold_all_faces(shards: Path, head: HeadModel) -> None:
    paths = sorted(shards.iterdir())
    assert [path.name for path in paths] == ["faces_21_000.npz", "faces_21_001.npz"]
    for path, count in zip(paths, (2, 1), strict=True):
        with np.load(path) as shard:
            assert set(shard.files) == set(KEPT)
            assert all(len(shard[key]) == count for key in KEPT)
            assert shard["beta"].shape == (count, head.identity_size)
            assert shard["scores"].shape == (count, 51)


def test_shards_of_a_seed_are_the_faces_of_the_seed(shards: Path, head: HeadModel) -> None:
    first = next(faces(Stage.of(head, 1, 21), 21))
    with np.load(shards / "faces_21_000.npz") as shard:
        np.testing.assert_array_equal(shard["beta"][0], first.truth.beta)
        np.testing.assert_allclose(shard["points"][0], first.landmarks.points, atol=1e-3)


def test_errors_are_measured_against_the_truth_in_the_shard(shards: Path, head: HeadModel) -> None:
    errors = measured_errors(shards, target_of(head))
    assert errors.error.shape == (3, 478, 3)
    assert errors.weight.shape == (3, 478)
    across = np.linalg.norm(errors.error[..., :2], axis=-1)
    assert np.median(across) < 0.05  # a landmark network, not chance
    assert np.median(across) > 1e-4
    np.testing.assert_allclose((errors.weight * errors.error[..., 2]).sum(1), 0, atol=1e-6)
    np.testing.assert_allclose(errors.turn[:, 0, 1], 0, atol=1e-9)  # upright: the head's up axis has no x


def test_the_keypoints_of_a_box_are_landmarks() -> None:
    assert len(landmark_table()["keypoints"]) == 6

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from headform.head import load_default
from headform.photo import FaceLandmarks, find_faces_quickly, find_landmarks
from headform.photo.affine import apply, invert
from headform.photo.landmarks import CHIP, CORNER, POINTS, crop_of_box, crop_of_points, landmark_table, read_points
from headform.photo.litert import tflite_network

Picture = NDArray[np.uint8]
Read = Callable[[Path], Picture]
PAIRS = ((33, 263), (133, 362), (61, 291), (234, 454), (4, 4), (152, 152))  # right and left of the same place


@pytest.fixture(scope="module")
def portrait(eval_folder: Path, read: Read) -> Picture:
    return read(eval_folder / "identity/face_recognition/obama_obama.jpg")


@pytest.fixture(scope="module")
def seen(portrait: Picture) -> FaceLandmarks:
    return find_landmarks(portrait, find_faces_quickly(portrait)[0])


def between_eyes(points: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(points[33, :2] - points[263, :2]))


def test_noise_has_no_presence() -> None:
    picture = np.random.default_rng(5).integers(0, 256, (256, 256, 3), np.uint8)
    points, presence = read_points(picture, np.eye(2, 3))
    assert points.shape == (POINTS, 3)
    assert presence < 0.01


def test_the_table_names_52_scores_and_points_that_exist() -> None:
    table = landmark_table()
    names = table["expression_names"]
    assert len(set(names)) == 52 and "tongueOut" not in names and names[0] == "_neutral"
    assert len(set(table["expression_points"])) == 146
    assert min(table["expression_points"]) >= 0 and max(table["expression_points"]) < POINTS


def test_crop_of_points_follows_shift_scale_and_turn() -> None:
    """The chip shows the same face, however it lies in the picture."""
    points = np.random.default_rng(7).normal(size=(POINTS, 2))
    points[33], points[263] = (-0.5, 0), (0.5, 0.1)
    moved = apply([[0.6 * 40, -0.8 * 40, 300], [0.8 * 40, 0.6 * 40, 200]], points)
    first = apply(crop_of_points(points), points)
    np.testing.assert_allclose(apply(crop_of_points(moved), moved), first, atol=1e-9)
    span = first.max(0) - first.min(0)
    assert span.max() == pytest.approx(CHIP / 1.5)
    assert first[33, 1] == pytest.approx(first[263, 1])


def test_a_face_has_presence_and_51_scores(seen: FaceLandmarks) -> None:
    assert seen.presence > 0.99
    assert len(seen.scores) == 51 and "_neutral" not in seen.scores
    assert all(0 <= score <= 1 for score in [*seen.scores.values(), seen.neutral])


def test_a_broad_smile_is_scored_as_one(seen: FaceLandmarks) -> None:
    assert seen.scores["mouthSmileLeft"] > 0.5 and seen.scores["mouthSmileRight"] > 0.5
    assert seen.scores["mouthPucker"] < 0.1 and seen.scores["eyeBlinkLeft"] < 0.5


def test_right_is_the_persons_right(seen: FaceLandmarks) -> None:
    assert seen.points[33, 0] < seen.points[263, 0]  # a face towards the camera has its right eye on the left


def test_a_mirrored_picture_gives_mirrored_points(portrait: Picture, seen: FaceLandmarks) -> None:
    """Without bias: the mean over pairs of points and over both pictures is the middle of the picture."""
    mirrored = portrait[:, ::-1]
    other = find_landmarks(mirrored, find_faces_quickly(mirrored)[0]).points
    middle = (portrait.shape[1] - 1) / 2
    right, left = np.transpose([*PAIRS, *[pair[::-1] for pair in PAIRS]])
    offset = (seen.points[right, 0] + other[left, 0]) / 2 - middle
    assert abs(offset.mean()) < 0.01 * between_eyes(seen.points)


def test_agrees_with_a_crop_made_by_opencv(portrait: Picture) -> None:
    cv2 = pytest.importorskip("cv2", reason="OpenCV, the oracle of this test, is not installed")
    to_chip = crop_of_box(find_faces_quickly(portrait)[0])
    points, _ = read_points(portrait, to_chip)
    chip = cv2.warpAffine(portrait, to_chip, (CHIP, CHIP), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    raw = tflite_network("landmarks")(chip[None] / np.float32(255))[0].reshape(POINTS, 3)
    expected = apply(invert(to_chip), raw[:, :2] - CORNER)
    error = np.linalg.norm(points[:, :2] - expected, axis=1).mean()
    assert error < 0.003 * between_eyes(points)


def test_the_names_are_those_of_the_head() -> None:
    names = set(landmark_table()["expression_names"]) - {"_neutral"}
    assert names == set(load_default().expression_names) - {"tongueOut"}

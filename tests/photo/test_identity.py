from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from headform.photo import distance, find_faces, find_landmarks, identity_of
from headform.photo.affine import apply
from headform.photo.identity import PLACES, face_to_chip
from headform.photo.landmarks import POINTS, landmark_table
from headform.photo.onnx import OnnxNetwork, onnx_network
from headform.photo.shipped import read_model

Read = Callable[[Path], NDArray[np.uint8]]
PEOPLE = ("lacamoire", "biden", "kit_har", "johnsnow", "obama", "rose_leslie", "miranda")
ALIAS = {"johnsnow": "kit_har"}  # the part and its actor


def person(path: Path) -> str:
    name = next(name for name in PEOPLE if name in path.name.replace("alex-", "alex_"))
    return ALIAS.get(name, name)


def test_distance_is_euclidean() -> None:
    assert distance([0, 3, 0], [4, 0, 0]) == 5


def test_eye_corners_and_nose_go_to_their_places() -> None:
    points = np.zeros((POINTS, 3))
    points[landmark_table()["identity_points"], :2] = apply([[0, -2, 500], [2, 0, 90]], PLACES)
    corners = points[landmark_table()["identity_points"], :2]
    np.testing.assert_allclose(apply(face_to_chip(points), corners), PLACES, atol=1e-9)


def test_same_people_are_near_and_others_far(eval_folder: Path, read: Read) -> None:
    descriptors = []
    for path in sorted((eval_folder / "identity/face_recognition").iterdir()):
        picture = read(path)
        descriptors.append((person(path), identity_of(picture, find_landmarks(picture, find_faces(picture)[0]).points)))
    assert len(descriptors) == 17
    same = [distance(a, b) for (p, a), (q, b) in combinations(descriptors, 2) if p == q]
    other = [distance(a, b) for (p, a), (q, b) in combinations(descriptors, 2) if p != q]
    assert max(same) <= 0.54
    assert min(other) >= 0.68


def test_descriptors_are_those_of_the_float32_network(shared_weights: Path) -> None:
    """Oracle: the same published weights, exported from torch. The 8-bit file loses nothing."""
    full = OnnxNetwork((shared_weights / "face_embedding_128.onnx").read_bytes())
    draw = np.random.default_rng(0)
    for _ in range(3):
        coarse = draw.uniform(0, 255, (1, 3, 10, 10)).astype(np.float32)
        chip = np.repeat(np.repeat(coarse, 15, 2), 15, 3)
        np.testing.assert_allclose(onnx_network("identity")(chip)[0], full(chip)[0], atol=1e-5)


def test_faces_can_be_described_together() -> None:
    chips = np.random.default_rng(1).uniform(0, 255, (3, 3, 150, 150)).astype(np.float32)
    (together,) = onnx_network("identity")(chips)
    assert together.shape == (3, 128)
    for chip, expected in zip(chips, together, strict=True):
        np.testing.assert_allclose(onnx_network("identity")(chip[None])[0][0], expected, atol=1e-5)


def test_float16_weights_hardly_move_likeness(shared_weights: Path) -> None:
    full = OnnxNetwork((shared_weights / "stlpips_alex.onnx").read_bytes())
    a, b = np.random.default_rng(0).uniform(-1, 1, (2, 1, 3, 96, 128)).astype(np.float32)
    near = onnx_network("likeness")(a, b)[0].item()
    assert near == pytest.approx(full(a, b)[0].item(), rel=1e-3)
    assert onnx_network("likeness")(a, a)[0].item() == pytest.approx(0, abs=1e-6)


def test_age_gives_probabilities() -> None:
    chips = np.random.default_rng(0).normal(0, 0.2, (2, 3, 64, 64)).astype(np.float32)
    ages = OnnxNetwork(read_model("age"))(chips)[0]
    assert ages.shape == (2, 81)
    np.testing.assert_allclose(ages.sum(1), 1, atol=1e-4)

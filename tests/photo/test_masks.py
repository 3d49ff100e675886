from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from headform.photo import FaceBox, find_faces, find_masks

Read = Callable[[Path], NDArray[np.uint8]]


def test_masks_sum_to_one_and_end_at_the_head_crop() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (200, 320, 3), np.uint8)
    face = FaceBox(np.array([40.0, 50, 80, 90]), 1, np.zeros((6, 2)), "near")
    masks = find_masks(picture, face)
    planes = np.stack(astuple(masks))
    assert planes.shape == (6, 200, 320) and planes.dtype == np.float32
    assert planes.min() >= 0
    np.testing.assert_allclose(planes.sum(0), 1, atol=1e-5)
    looked_at = (masks.background < 1).any(0)
    assert not looked_at[: 60 - 54].any() and not looked_at[60 + 54 :].any()  # centre, half a crop of 2.6 × 40
    assert looked_at[60 - 50 : 60 + 50].all()


def test_face_hair_and_wall_of_a_portrait(eval_folder: Path, read: Read) -> None:
    picture = read(eval_folder / "identity/face_recognition/obama_obama.jpg")
    face = find_faces(picture)[0]
    masks = find_masks(picture, face)
    left, top, right, bottom = face.box.round().astype(int)
    nose = tuple(face.keypoints[2].round().astype(int)[::-1])
    assert masks.face_skin[nose] > 0.8
    above = slice(top - (bottom - top) // 3, top)
    assert masks.hair[above, left:right].max() > 0.8
    below = slice(min(bottom + (bottom - top) // 2, picture.shape[0] - 2), None)
    assert masks.clothes[below, left:right].max() > 0.8


@pytest.mark.parametrize("box", [(-30.0, -20, 30, 40), (290.0, 170, 350, 230), (0.0, 0, 320, 200), (900.0, 0, 950, 50)])
def test_masks_of_a_face_at_or_beyond_the_border(box: tuple[float, ...]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (200, 320, 3), np.uint8)
    planes = np.stack(astuple(find_masks(picture, FaceBox(np.array(box), 1, np.zeros((6, 2)), "near"))))
    assert planes.shape == (6, 200, 320)
    np.testing.assert_allclose(planes.sum(0), 1, atol=1e-5)

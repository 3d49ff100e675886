from __future__ import annotations

import numpy as np
import pytest

from headform.photo.blazeface import FAR, NEAR, anchors, overlap, overlap_of_smaller


def test_near_anchors_are_two_per_8_pixels_then_six_per_16() -> None:
    places = anchors(NEAR)
    assert places.shape == (16 * 16 * 2 + 8 * 8 * 6, 2)
    assert places[:4].tolist() == [[4, 4], [4, 4], [12, 4], [12, 4]]
    assert places[512:519].tolist() == [[8, 8]] * 6 + [[24, 8]]


def test_far_anchors_are_one_per_4_pixels() -> None:
    places = anchors(FAR)
    assert places.shape == (48 * 48, 2)
    assert places[[0, 1, 48]].tolist() == [[2, 2], [6, 2], [2, 6]]


@pytest.mark.parametrize(
    ("other", "expected"),
    [((0, 0, 4, 4), 1), ((2, 0, 6, 4), 8 / 24), ((1, 1, 3, 3), 4 / 16), ((4, 0, 8, 4), 0), ((9, 9, 8, 8), 0)],
)
def test_overlap_of_boxes(other: tuple[float, ...], expected: float) -> None:
    one = np.array([0.0, 0, 4, 4])
    assert overlap(one, np.array([other], np.float64)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ((0, 0, 4, 4), 1),
        ((1, 1, 3, 3), 1),
        ((-9, -9, 9, 9), 1),
        ((2, 0, 6, 4), 8 / 16),
        ((3, 3, 5, 5), 1 / 4),
        ((4, 0, 8, 4), 0),
    ],
)
def test_overlap_of_the_smaller_box(other: tuple[float, ...], expected: float) -> None:
    one = np.array([0.0, 0, 4, 4])
    assert overlap_of_smaller(one, np.array([other], np.float64)) == pytest.approx(expected)

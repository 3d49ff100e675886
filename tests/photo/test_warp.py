from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.photo.affine import apply, invert, square_to_chip
from headform.photo.warp import check_picture, warp


def ramp(high: int = 40, wide: int = 60) -> NDArray[np.float32]:
    """Two channels that are linear in x and y, which bilinear interpolation reproduces exactly."""
    y, x = np.mgrid[:high, :wide].astype(np.float32)
    return np.stack([3 * x + 2 * y + 5, x - y], -1)


def test_a_linear_picture_is_sampled_exactly() -> None:
    to_chip = square_to_chip((30, 20), side=16, angle=0.4, size=20)
    chip = warp(ramp(), to_chip, (20, 20))
    y, x = np.mgrid[:20, :20]
    at = apply(invert(to_chip), np.stack([x, y], -1).reshape(-1, 2)).reshape(20, 20, 2)
    expected = np.stack([3 * at[..., 0] + 2 * at[..., 1] + 5, at[..., 0] - at[..., 1]], -1)
    np.testing.assert_allclose(chip, expected, atol=1e-3)


def test_identity_map_copies() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    assert np.array_equal(warp(picture, [[1, 0, 0], [0, 1, 0]], (7, 9)), picture)


def test_shrinking_by_four_averages_four_by_four_pixels() -> None:
    """Chip pixel i is centred between the picture's pixels 4 i + 1 and 4 i + 2."""
    picture = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
    chip = warp(picture, [[0.25, 0, -0.375], [0, 0.25, -0.375]], (12, 8))
    means = picture.reshape(8, 4, 12, 4, 3).mean((1, 3))
    np.testing.assert_allclose(chip, means, atol=1e-3)


def test_fine_stripes_fade_instead_of_aliasing() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 200
    chip = warp(stripes, [[0.25, 0, 0], [0, 0.25, 0]], (16, 16))
    np.testing.assert_allclose(chip, 100, atol=1e-3)


@pytest.mark.parametrize(("outside", "expected"), [(None, 80.0), (0.0, 0.0), (9.0, 9.0)])
def test_beyond_the_picture(outside: float | None, expected: float) -> None:
    picture = np.full((10, 10, 3), 80, np.uint8)
    chip = warp(picture, [[1, 0, 20], [0, 1, 20]], (30, 30), outside)
    np.testing.assert_allclose(chip[:19, :19], expected)
    np.testing.assert_allclose(chip[20:, 20:], 80)


def test_read_only_pictures_are_taken() -> None:
    picture = np.full((8, 8, 3), 7, np.uint8)
    picture.flags.writeable = False
    np.testing.assert_allclose(warp(picture, [[0.5, 0, 0], [0, 0.5, 0]], (4, 4)), 7)


@pytest.mark.parametrize(
    "wrong",
    [
        "face.jpg",
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(wrong: object) -> None:
    with pytest.raises(BadInput, match="a picture must be"):
        check_picture(wrong)

"""Blurs and neighbourhoods against plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from headform.skin.filters import blurred, highest, lowest


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


def by_hand(sheet: np.ndarray, deviation: float, axis: int) -> np.ndarray:
    """A bell cut at 2.5 deviations, its sum one, over borders that go on."""
    reach = max(1, round(2.5 * deviation))
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    bell /= bell.sum()
    wide = np.pad(sheet, [(reach, reach) if n == axis else (0, 0) for n in range(sheet.ndim)], "edge")
    out = np.zeros(sheet.shape)
    for k, share in enumerate(bell):
        out += share * np.take(wide, range(k, k + sheet.shape[axis]), axis)
    return out


@pytest.mark.parametrize("deviation", [0.7, 1.5, 4.0])
@pytest.mark.parametrize("shape", [(9, 13), (16, 7, 3)])
def test_blurs_are_bells(deviation: float, shape: tuple[int, ...]) -> None:
    sheet = noise(*shape)
    expected = by_hand(by_hand(sheet, deviation, 0), deviation, 1)
    np.testing.assert_allclose(blurred(sheet, deviation), expected, atol=1e-5)


def test_down_and_along_can_differ() -> None:
    sheet = noise(12, 10, 2)
    np.testing.assert_allclose(blurred(sheet, 2.0, 0.8), by_hand(by_hand(sheet, 2.0, 0), 0.8, 1), atol=1e-5)


def test_channels_do_not_mix() -> None:
    sheet = np.zeros((11, 11, 4), np.float32)
    sheet[5, 5, 2] = 1
    blur = blurred(sheet, 1.2)
    assert not blur[..., [0, 1, 3]].any() and blur[..., 2].sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(blur[..., 2], blur[..., 2].T, atol=1e-7)


def test_a_blur_wider_than_the_sheet_keeps_what_is_even() -> None:
    np.testing.assert_allclose(blurred(np.full((3, 4), 0.3, np.float32), 30.0), 0.3, rtol=1e-4)
    assert blurred(np.ones((1, 1)), 2.0)[0, 0] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("reach", [0, 1, 3, 40])
def test_lowest_and_highest_look_at_a_square(reach: int) -> None:
    sheet = noise(10, 14)
    for find, expect in ((lowest, np.min), (highest, np.max)):
        found = find(sheet, reach)
        for y in range(10):
            for x in range(14):
                near = sheet[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1]
                assert found[y, x] == expect(near)


def test_what_is_given_stays_as_it_was() -> None:
    sheet = noise(8, 8)
    kept = sheet.copy()
    blurred(sheet, 2.0), lowest(sheet, 2), highest(sheet, 2)
    np.testing.assert_array_equal(sheet, kept)
    assert blurred(sheet[::2, ::2], 1.0).shape == (4, 4)  # a view that is not in one piece

"""From sheets to the points of the skin mesh and back."""

from __future__ import annotations

import numpy as np
import pytest

from headform.skin.atlas import atlas, skin_mesh
from headform.skin.sheets import around, as_sheet, mean_at_points, zoomed

SIZE = 512


def test_places_come_back_from_a_sheet() -> None:
    """Positions of the points, drawn as a sheet and gathered again, are the points to a few millimetres."""
    points = skin_mesh().points
    sheet = as_sheet(points, SIZE)
    assert sheet.shape == (SIZE, SIZE, 3) and np.isfinite(sheet).all()
    mean, weight = mean_at_points(sheet, np.ones((SIZE, SIZE), np.float32))
    sure = weight > 0.5
    assert sure.mean() > 0.7
    off = np.linalg.norm(mean - points, axis=1)[sure]
    assert np.median(off) < 0.003 and np.percentile(off, 99) < 0.02


def test_weights_choose_what_is_gathered() -> None:
    sheet = np.zeros((SIZE, SIZE, 3), np.float32)
    sheet[:, : SIZE // 2] = 1
    weight = np.zeros((SIZE, SIZE), np.float32)
    weight[:, : SIZE // 2] = 1
    mean, sure = mean_at_points(sheet, weight)
    np.testing.assert_allclose(mean[sure > 1e-3], 1, rtol=1e-5)
    assert not mean[sure == 0].any() and sure.min() == 0 and sure.max() == 1


def test_no_weight_gathers_nothing() -> None:
    mean, sure = mean_at_points(np.ones((SIZE, SIZE, 3), np.float32), np.zeros((SIZE, SIZE), np.float32))
    assert not mean.any() and not sure.any()


@pytest.mark.parametrize("deviation", [2.0, 12.0])
def test_around_is_the_mean_of_what_counts(deviation: float) -> None:
    rng = np.random.default_rng(0)
    weight = (rng.random((SIZE, SIZE)) > 0.5).astype(np.float32)
    sheet = np.where(weight[..., None] > 0, np.float32(0.7), np.float32(99)) * np.ones(3, np.float32)
    np.testing.assert_allclose(around(sheet, weight, deviation), 0.7, rtol=1e-3)


@pytest.mark.parametrize("deviation", [2.0, 12.0])
def test_far_from_all_that_counts_it_is_zero(deviation: float) -> None:
    weight = np.zeros((SIZE, SIZE), np.float32)
    weight[:8, :8] = 1
    found = around(np.ones((SIZE, SIZE, 3), np.float32), weight, deviation)
    assert np.isfinite(found).all() and not found[SIZE // 2 :].any()
    assert found.max() < 1 + 1e-3


def test_zoomed_keeps_what_is_even_and_its_own_size() -> None:
    sheet = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    np.testing.assert_array_equal(zoomed(sheet, 64), sheet)
    for size in (16, 128):
        even = zoomed(np.full((64, 64), 0.25, np.float32), size)
        assert even.shape == (size, size)
        np.testing.assert_allclose(even, 0.25, rtol=1e-6)
    ramp = np.tile(np.arange(64, dtype=np.float32), (64, 1))
    np.testing.assert_allclose(zoomed(ramp, 128)[:, 8:-8], np.tile(np.arange(128) / 2 - 0.25, (128, 1))[:, 8:-8])


def test_gutters_are_filled() -> None:
    at = atlas(SIZE)
    sheet = as_sheet(np.ones((len(skin_mesh().points), 1), np.float32), SIZE)
    assert len(at.texel) < SIZE * SIZE
    np.testing.assert_allclose(sheet, 1, rtol=1e-5)

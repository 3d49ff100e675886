"""Noise in space: continuous, repeatable, evenly spread."""

import numpy as np

from headform.skin.noise import cells, clouds


def points(count: int, extent: float = 50.0) -> np.ndarray:
    return np.random.default_rng(0).uniform(-extent, extent, (count, 3)).astype(np.float32)


def test_clouds_are_centred_and_repeatable() -> None:
    made = clouds(points(50000), 4.0, 3, octaves=3)
    assert abs(made.mean()) < 0.02
    assert 0.25 < made.std() < 0.35
    assert np.array_equal(made, clouds(points(50000), 4.0, 3, octaves=3))
    assert not np.array_equal(made, clouds(points(50000), 4.0, 4, octaves=3))


def test_clouds_are_continuous_across_cells_and_zero() -> None:
    line = np.zeros((4001, 3), np.float32)
    line[:, 0] = np.linspace(-10, 10, 4001)
    steps = np.abs(np.diff(clouds(line, 2.0, 1)))
    assert steps.max() < 0.02  # 0.005 units of a period of 2; a jump would be about 0.3


def test_cells_are_repeatable_and_their_lots_even() -> None:
    near, second, lot = cells(points(50000), 3.0, 9)
    assert (near <= second).all() and near.min() >= 0
    assert np.abs(np.histogram(lot, 4, (0, 1))[0] / len(lot) - 0.25).max() < 0.02
    assert np.array_equal(lot, cells(points(50000), 3.0, 9)[2])

"""Distances in the plane against a search of all pixels, and against shapes whose outline is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from headform.hair.plane import nearest_in, signed_distance

# Danielsson 1980: carried from neighbour to neighbour the nearest pixel is missed here and there, and the one found
# instead is less than 0.29 pixels farther
MISSED = 0.29


@pytest.mark.parametrize("share", [0.002, 0.03, 0.5])
@pytest.mark.parametrize("shape", [(41, 67), (70, 38)])
def test_the_nearest_pixel_is_in_the_region_and_nearest(shape: tuple[int, int], share: float) -> None:
    region = np.random.default_rng(1).random(shape) < share
    region[5, 7] = True
    found = nearest_in(region)
    assert found.shape == (*shape, 2)
    assert region[found[..., 0], found[..., 1]].all()
    here = np.argwhere(np.ones(shape, bool))
    least = cKDTree(np.argwhere(region)).query(here)[0].reshape(shape)
    far = np.hypot(*(np.moveaxis(found, -1, 0) - np.indices(shape)))
    assert (far >= least - 1e-9).all()
    assert (far - least).max() < MISSED
    assert (far - least < 1e-9).mean() > 0.99
    assert (far[region] == 0).all()


def test_in_an_empty_region_nothing_is_nearest() -> None:
    assert (nearest_in(np.zeros((6, 9), bool)) == -1).all()


def test_the_outline_of_a_half_plane_lies_between_its_pixels() -> None:
    column = np.arange(50)
    region = np.broadcast_to(column >= 20, (30, 50))
    np.testing.assert_allclose(signed_distance(region), np.broadcast_to(19.5 - column, (30, 50)), atol=1e-5)
    np.testing.assert_allclose(signed_distance(~region), -signed_distance(region), atol=1e-5)


def test_distance_to_a_disc() -> None:
    row, column = np.indices((90, 90))
    far = np.hypot(row - 44.3, column - 45.1)
    found = signed_distance(far < 25)
    # pixels of a drawn disc lie up to half a diagonal beside the circle
    np.testing.assert_allclose(found, far - 25, atol=0.5 * np.sqrt(2) + MISSED)
    assert ((found < 0) == (far < 25)).all()


def test_without_an_outline_everything_is_a_picture_away() -> None:
    empty = np.zeros((20, 30), bool)
    np.testing.assert_allclose(signed_distance(empty), 30, atol=0.5)
    np.testing.assert_allclose(signed_distance(~empty), -30, atol=0.5)


def test_regions_that_are_views_are_read_as_they_are() -> None:
    region = np.random.default_rng(2).random((40, 60)) < 0.05
    np.testing.assert_array_equal(signed_distance(region[::2, ::3]), signed_distance(region[::2, ::3].copy()))

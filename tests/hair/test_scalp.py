"""The square laid over the scalp."""

from __future__ import annotations

import numpy as np
import pytest

from headform.hair.groom import GRID
from headform.hair.scalp import centre, grid_places, polar, reach_of, scalp_of, spread_of
from headform.head import load_default


@pytest.mark.parametrize(
    ("place", "azimuth"), [((0.5, 1.0), 0.0), ((1.0, 0.5), np.pi / 2), ((0.0, 0.5), -np.pi / 2), ((0.5, 0.0), np.pi)]
)
def test_the_middles_of_the_sides_are_forehead_ears_and_nape(place: tuple[float, float], azimuth: float) -> None:
    reach, found = reach_of(np.array([place]))
    assert reach[0] == pytest.approx(1)
    assert abs(found[0]) == pytest.approx(abs(azimuth), abs=1e-12)
    assert np.sign(found[0]) == np.sign(azimuth) or abs(azimuth) in (0.0, np.pi)


def test_the_chart_agrees_with_the_embedding_that_ships_with_the_head() -> None:
    """assets/head cuts rays with the mesh, the chart draws the mesh from the same centre: the same points."""
    model = load_default()
    chart = scalp_of(model).roots(grid_places()).points(model.rest())
    shipped = model.embeddings["scalp"].points(model.rest())
    apart = np.linalg.norm(chart - shipped, axis=1)
    assert np.median(apart) < 0.001  # the chart's cells are 0.7 mm
    assert np.percentile(apart, 99) < 0.005
    assert apart.max() < 0.01  # behind the ears, where the mesh folds


def test_roots_lie_where_their_places_say() -> None:
    model = load_default()
    places = grid_places()
    found, azimuth, _ = polar(scalp_of(model).roots(places).points(model.rest()))
    reach, wanted = reach_of(places)
    inner = (reach > 0.15) & (reach < 0.95)
    assert np.percentile(np.abs(found - reach)[inner], 99) < 0.02
    turn = np.angle(np.exp(1j * (azimuth - wanted)))[inner]
    assert np.percentile(np.abs(turn), 99) < np.radians(4)


def test_roots_are_the_same_on_both_sides_of_a_head_that_is() -> None:
    model = load_default()
    points = scalp_of(model).roots(grid_places()).points(model.rest()).reshape(GRID, GRID, 3)
    other = points[:, ::-1] * [-1, 1, 1]
    assert np.median(np.linalg.norm(points - other, axis=2)) < 0.0015


def test_the_room_under_a_piece_of_the_square_is_that_of_a_sphere() -> None:
    """Against areas of small quadrilaterals on the unit sphere, built from `polar`'s own angles."""
    places = np.random.default_rng(1).uniform(0.1, 0.9, (60, 2))
    places = places[np.abs(np.abs(places[:, 0] - 0.5) - np.abs(places[:, 1] - 0.5)) > 0.02]  # not across a crease
    step = 1e-4

    def on_sphere(at: np.ndarray) -> np.ndarray:
        reach, azimuth = reach_of(at)
        far = np.array([_limit(a) for a in azimuth]) * reach
        return np.column_stack([np.sin(far) * np.sin(azimuth), np.cos(far), np.sin(far) * np.cos(azimuth)])

    here, right, ahead = (on_sphere(places + shift) for shift in ([0, 0], [step, 0], [0, step]))
    area = np.linalg.norm(np.cross(right - here, ahead - here), axis=1) / step**2
    disc = np.pi  # of area, on a square of area 1
    assert np.allclose(area / disc, spread_of(places), rtol=0.02)


def _limit(azimuth: float) -> float:
    """The polar angle of the hairline, radians, found by bisection with `polar` alone."""
    low, high = 0.5, 2.5
    lean = np.radians(25)
    for _ in range(40):
        middle = (low + high) / 2
        up, ahead, side = np.cos(middle), np.sin(middle) * np.cos(azimuth), np.sin(middle) * np.sin(azimuth)
        arm = np.array([side, up * np.cos(lean) + ahead * np.sin(lean), ahead * np.cos(lean) - up * np.sin(lean)])
        reach, _, _ = polar((centre() + 0.1 * arm)[None])
        low, high = (middle, high) if reach[0] < 1 else (low, middle)
    return middle

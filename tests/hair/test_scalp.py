"""The square laid over the scalp."""

from __future__ import annotations

import numpy as np
import pytest

from headform.hair.groom import GRID
from headform.hair.scalp import centre, disc_to_square, grid_places, polar, reach_of, scalp_of, spread_of
from headform.head import load_default


def test_places_go_to_the_disc_and_back() -> None:
    places = np.random.default_rng(0).random((500, 2))
    reach, azimuth = reach_of(places)
    assert np.allclose((disc_to_square(reach, azimuth) + 1) / 2, places, atol=1e-12)
    assert reach.max() <= 1


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
    reach, azimuth = reach_of(grid_places())
    even = smooth_place(azimuth)
    assert np.median(apart) < 0.001  # the chart's cells are half a millimetre
    assert np.percentile(apart[even & (reach < 0.95)], 99) < 0.003
    assert apart.max() < 0.013  # a triangle of the mesh


def smooth_place(azimuth: np.ndarray) -> np.ndarray:
    """Away from the square's creases and the jump of the hairline at the ears: triangles across them are drawn with
    straight sides where the chart has a kink."""
    degrees = np.degrees(np.abs(azimuth))
    return (np.abs(degrees - 45) > 8) & (np.abs(degrees - 135) > 8) & ((degrees < 60) | (degrees > 100))


def test_roots_lie_where_their_places_say() -> None:
    model = load_default()
    places = grid_places()
    found, azimuth, _ = polar(scalp_of(model).roots(places).points(model.rest()))
    reach, wanted = reach_of(places)
    inner = smooth_place(wanted) & (reach > 0.15) & (reach < 0.95)
    assert inner.mean() > 0.3
    assert np.abs(found - reach)[inner].max() < 0.03
    turn = np.angle(np.exp(1j * (azimuth - wanted)))[inner]
    assert np.abs(turn).max() < np.radians(4)


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

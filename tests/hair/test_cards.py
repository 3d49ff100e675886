from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plain_groom import CENTRE, COLOUR, plain_groom, wavy_lock
from scipy.spatial import cKDTree

from headform.hair import card_lines
from headform.hair.card_lines import bundles_of, outwards, resampled, typical_length
from headform.hair.card_texture import RIM, STRIPS
from headform.hair.cards import DARKEST, LIFT, MOST_TRIANGLES, WIDE, WIDEST, Cards, cards_of
from headform.hair.groom import Groom, none
from headform.render import Camera, Light, Material, Scene, Surface, render
from headform.render.colour import to_linear

CUTOFF = 0.4  # of alpha, as programs are told


@pytest.fixture(scope="module")
def groom() -> Groom:
    return plain_groom()


@pytest.fixture(scope="module")
def cards(groom: Groom) -> Cards:
    return cards_of(groom)


def test_no_hair_and_stubble_make_no_cards() -> None:
    stubble = plain_groom(500, length=0.003)
    for groom in (none(), stubble):
        made = cards_of(groom)
        assert len(made) == len(made.triangles) == 0
        assert made.vertices.shape == (0, 3) and made.uv.shape == (0, 2) and not made.picture.colour[..., 3].any()


@pytest.mark.parametrize("length", [0.006, 0.03, 0.12, 0.4])
def test_hair_of_any_length_stays_within_the_budget(length: float) -> None:
    made = cards_of(plain_groom(9000, length))
    assert 8000 < len(made.triangles) <= MOST_TRIANGLES
    assert np.array_equal(np.unique(made.triangles), np.arange(len(made)))


def test_the_same_groom_gives_the_same_cards(groom: Groom, cards: Cards) -> None:
    again = cards_of(groom)
    for name in ("vertices", "normals", "tangents", "uv", "triangles", "colours"):
        np.testing.assert_array_equal(getattr(again, name), getattr(cards, name))
    np.testing.assert_array_equal(again.picture.colour, cards.picture.colour)
    assert not np.array_equal(cards_of(groom, seed=1).vertices, cards.vertices)


def test_cards_lie_on_strands_and_strands_under_cards(groom: Groom, cards: Cards) -> None:
    """A vertex is at most half a card's width and the lift from its line, which is in the middle of its bundle."""
    strands = resampled(groom.points, 40).reshape(-1, 3)
    away, _ = cKDTree(strands).query(cards.vertices)
    assert away.max() < WIDEST / 2 + LIFT + 0.004
    assert np.median(away) < WIDE / 2 + LIFT
    uncovered, _ = cKDTree(cards.vertices).query(groom.points[:, 12])
    assert uncovered.max() < 0.015 and np.quantile(uncovered, 0.99) < 0.008


def test_every_triangle_is_there_from_both_sides(cards: Cards) -> None:
    def rotated(rows: np.ndarray) -> set[tuple[int, ...]]:
        return {tuple(np.roll(row, -int(row.argmin())).tolist()) for row in rows}

    there = rotated(cards.triangles)
    assert len(there) == len(cards.triangles)
    assert rotated(cards.triangles[:, ::-1]) == there
    assert rotated(cards.front()).isdisjoint(rotated(cards.front()[:, ::-1]))
    assert 2 * len(cards.front()) == len(cards.triangles)


def test_normals_and_tangents_are_a_frame_along_the_hair(cards: Cards) -> None:
    normals, tangents = cards.normals, cards.tangents[:, :3]
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(tangents, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose((normals * tangents).sum(1), 0, atol=1e-5)
    assert (np.abs(cards.tangents[:, 3]) == 1).all()
    assert ((normals * outwards(cards.vertices)).sum(1) > 0.6).all()
    corners, uv = cards.vertices[cards.triangles], cards.uv[cards.triangles]
    edge, change = corners[:, 1:] - corners[:, :1], uv[:, 1:] - uv[:, :1]
    area = change[:, 0, 0] * change[:, 1, 1] - change[:, 0, 1] * change[:, 1, 0]
    along_u = (edge[:, 0] * change[:, 1, 1:] - edge[:, 1] * change[:, 0, 1:]) / area[:, None]
    along_v = (edge[:, 1] * change[:, 0, :1] - edge[:, 0] * change[:, 1, :1]) / area[:, None]
    first = cards.triangles[:, 0]
    sides = cards.tangents[first, 3:] * np.cross(normals[first], tangents[first])
    assert ((along_u * tangents[first]).sum(1) > 0).mean() > 0.99
    assert ((along_v * sides).sum(1) > 0).mean() > 0.99


def test_deep_hair_is_darker_and_comes_first() -> None:
    """Two caps of hair, one 3 cm above the other: the sky reaches the inner one only through the outer."""
    inner, outer = plain_groom(5000, seed=1), plain_groom(5000, seed=2, lift=0.03)
    both = Groom(np.concatenate([inner.points, outer.points]), COLOUR)
    made = cards_of(both)
    height = np.linalg.norm(made.vertices - CENTRE, axis=1)
    upper = made.vertices[:, 1] > 0.1
    low, high = upper & (height < 0.095), upper & (height > 0.11)
    assert low.sum() > 500 and high.sum() > 500
    assert made.colours[low].mean() < 0.85 * made.colours[high].mean()
    linear = to_linear(made.colours)
    assert linear[low].min() > 0.7 * DARKEST * to_linear(np.array(COLOUR)).min()  # but no hair is black
    half = len(made.triangles) // 2
    first, last = (np.unique(rows) for rows in (made.triangles[:half], made.triangles[half:]))
    assert height[first][upper[first]].mean() < height[last][upper[last]].mean()


def test_cards_have_the_hue_of_their_strands_from_root_to_tip() -> None:
    groom = plain_groom(3000, length=0.1)
    ends = np.linspace((0.5, 0.1, 0.1), (0.1, 0.1, 0.5), groom.points.shape[1])
    made = cards_of(replace(groom, colours=np.broadcast_to(ends, groom.points.shape).astype(np.float32)))
    red, blue = made.colours[:, 0], made.colours[:, 2]
    assert (red > blue)[made.uv[:, 0] < 0.3].all() and (red < blue)[made.uv[:, 0] > 0.7].all()


def test_strips_go_from_dense_to_wispy_and_do_not_touch(cards: Cards) -> None:
    alpha = cards.picture.colour[::-1, :, 3].reshape(STRIPS, -1, cards.picture.colour.shape[1]) / 255
    cover = alpha.mean((1, 2))
    assert cover[0] > 2 * cover[-1] and (np.diff(cover) < 0.05).all()
    rim = int(RIM * alpha.shape[1]) - 2
    assert not alpha[:, :rim].any() and not alpha[:, -rim:].any()
    long = alpha.shape[2]
    assert alpha[:, :, : long // 3].mean() > 1.5 * alpha[:, :, -long // 6 :].mean()  # tips are frayed


def test_from_afar_hair_does_not_vanish(cards: Cards) -> None:
    """Graphics cards halve pictures by taking means: at an eighth of the size as much must pass the cut-off."""
    alpha = cards.picture.colour[..., 3] / 255
    small = alpha.reshape(alpha.shape[0] // 8, 8, alpha.shape[1] // 8, 8).mean((1, 3))
    roots, small_roots = alpha[:, :512] > CUTOFF, small[:, :64] > CUTOFF
    assert small_roots.mean() > 0.8 * roots.mean()


def test_what_is_clear_has_the_colour_of_the_hair_beside_it(cards: Cards) -> None:
    colour = cards.picture.colour
    assert colour[colour[..., 3] == 0][:, :3].min() > 60  # black there would be black seams
    bent = cards.picture.normal.astype(float) / 127 - 128 / 127
    np.testing.assert_allclose(np.linalg.norm(bent, axis=2), 1, atol=0.02)


@pytest.mark.parametrize("waves", [4, 8])
def test_curls_that_a_ribbon_cannot_follow_are_in_the_picture(waves: int) -> None:
    """A lock with so many waves crosses the middle of its card twice in each."""
    made = cards_of(wavy_lock(waves, 0.004))
    strip = made.picture.colour[::-1][:64, :, 3].astype(float)
    inside = slice(100, 700)  # neither the root, nor where tips fray
    middle = (strip * np.arange(64)[:, None]).sum(0)[inside] / strip.sum(0)[inside]
    swing = middle - np.convolve(middle, np.ones(151) / 151, "same")
    swing = np.convolve(swing, np.ones(15) / 15, "same")[80:-80]
    crossings = int((np.diff(np.sign(swing)) != 0).sum())
    expected = 2 * waves * len(swing) / 1024
    assert abs(crossings - expected) <= 2.5, (crossings, expected)


def test_cards_cover_the_crown(groom: Groom, cards: Cards) -> None:
    """A green skull under the cards, seen from behind and above: little of it is left, and that is painted on heads."""
    roots = groom.points[:, 0]
    skull = roots - 0.002 * outwards(roots)
    tree = cKDTree(skull)
    _, near = tree.query(skull, k=7)
    fans = np.concatenate([np.stack([near[:, 0], near[:, i], near[:, i + 1]], 1) for i in range(1, 6)])
    green = Surface(skull, fans.astype(np.int32), Material((0, 1, 0), unlit=True))
    camera = Camera.portrait(np.radians(180), 0.7, 160, target=np.array([0, 0.1, -0.02]), distance=0.8)
    bare = render(Scene((green,), light=Light(np.zeros((9, 3))), background=(0, 0, 0)), camera).rgb
    worn = render(Scene((green, cards.surface()), light=Light(np.zeros((9, 3))), background=(0, 0, 0)), camera).rgb
    before, after = (int((picture[..., 1] > 128).sum()) for picture in (bare, worn))
    assert before > 4000 and after < 0.2 * before


def test_centre_lines_are_spread_out_as_far_as_they_can_be() -> None:
    """On a line of 0 … 10 the farthest from 0 is 10, the farthest from both is 5."""
    places = np.zeros((9, 11), np.float32)
    places[0] = np.arange(11)
    np.testing.assert_array_equal(card_lines._spread_out(places, 3), [0, 0, 0, 2, 2, 2, 2, 2, 1, 1, 1])


def test_strands_that_lie_on_each_other_make_no_empty_bundles() -> None:
    line = np.linspace((0, 0.15, 0), (0, 0.2, 0), 10, dtype=np.float32)
    made = bundles_of(Groom(np.repeat(line[None], 50, 0)), 20)
    assert len(made.centres) == card_lines.SLABS and np.bincount(made.bundle).min() > 0
    for centre in made.centres:
        np.testing.assert_allclose(centre[[0, -1]], line[[0, -1]], atol=1e-6)


def test_a_line_through_the_middle_of_a_curl_is_as_long_as_the_lock() -> None:
    assert typical_length(wavy_lock(10, 0.003)) == pytest.approx(0.2, rel=0.1)
    assert typical_length(none()) == 0


def test_resampling_goes_evenly_along_a_strand() -> None:
    corner = np.array([[[0, 0, 0], [3, 0, 0], [3, 1, 0], [3, 1, 0]]], np.float32)
    np.testing.assert_allclose(resampled(corner, 5)[0], [[0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0], [3, 1, 0]])


def test_outwards_is_up_at_the_crown_and_level_beside_the_neck() -> None:
    ways = outwards(np.array([[0, 0.2, -0.005], [0.2, -0.05, -0.02]], np.float32))
    np.testing.assert_allclose(ways[0], (0, 1, 0), atol=1e-3)
    assert ways[1, 0] > 0.98

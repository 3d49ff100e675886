from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from plain_groom import plain_groom
from scipy.spatial import cKDTree

from headform.hair.groom import Groom, none
from headform.hair.scalp_paint import (
    COVERED,
    DEEPEST,
    LONG,
    ROUGH,
    SHADE,
    STUBBLE,
    STUBBLE_SHADE,
    scalp_cover,
    scalp_paint,
    with_painted_scalp,
)
from headform.head.embedding import Embedding
from headform.render.colour import to_linear
from headform.skin.atlas import SKIN, atlas, skin_mesh
from headform.skin.textures import Textures

SIZE = 256


@lru_cache(maxsize=1)
def textures() -> Textures:
    return Textures.of(3, 45.0, 0.3, (0.6, 0.2, 0.2), SIZE)


@pytest.fixture(scope="module")
def groom() -> Groom:
    return plain_groom(12_000)


def away_from_roots(groom: Groom, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Metres from each texel of skin to the nearest root on the reference head, and which texels these are."""
    at = atlas(size)
    skin = at.inside == SKIN
    assert groom.roots is not None
    distance, _ = cKDTree(groom.roots.points(skin_mesh().points)).query(at.position[skin])
    return distance, at.texel[skin]


def test_it_is_dark_among_roots_and_bare_away_from_them(groom: Groom) -> None:
    distance, texel = away_from_roots(groom, SIZE)
    cover = scalp_cover(groom, SIZE).reshape(-1)[texel]
    assert np.median(cover[distance < 0.001]) > 0.9 * DEEPEST and cover.max() <= DEEPEST + 1e-6
    assert not cover[distance > 0.02].any()
    between = cover[(distance > 0.003) & (distance < 0.006)]
    assert between.std() > 0.1  # a ragged edge


def test_the_paint_is_the_hair_in_its_own_shade_and_leaves_the_face_alone(groom: Groom) -> None:
    painted = scalp_paint(textures(), groom)
    cover = scalp_cover(groom, SIZE)
    full = cover > 0.95 * DEEPEST
    wanted = SHADE * to_linear(groom.point_colours()[0, 0])
    skin = to_linear(textures().albedo[full] / 255).mean(0)
    np.testing.assert_allclose(
        to_linear(painted[full] / 255).mean(0), DEEPEST * wanted + (1 - DEEPEST) * skin, rtol=0.25, atol=0.004
    )
    np.testing.assert_array_equal(painted[cover == 0], textures().albedo[cover == 0])
    assert (cover == 0).mean() > 0.5


@pytest.mark.parametrize("length", [0.0005, 0.003, 0.006, 0.012])
def test_short_hair_covers_what_beer_and_lambert_say(length: float) -> None:
    """Where roots are as dense as they mostly are, hair takes exp(−depth) of the skin's colour, by its length."""
    short = plain_groom(12_000, length=length)
    distance, texel = away_from_roots(short, SIZE)
    cover = scalp_cover(short, SIZE).reshape(-1)[texel][distance < 0.001]
    wanted = DEEPEST * (1 - np.exp(-COVERED * (length + STUBBLE)))
    assert np.median(cover) == pytest.approx(wanted, rel=0.06)


def test_hair_that_is_long_anyway_covers_no_more() -> None:
    one, other = (scalp_cover(plain_groom(12_000, length=length), SIZE) for length in (LONG, 3 * LONG))
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_fade_grows_dark_with_its_hair(groom: Groom) -> None:
    """Hair of half a millimetre at the lower edge that grows to a centimetre 5 cm higher, in one head of hair."""
    assert groom.roots is not None
    height = groom.points[:, 0, 1]
    grown = np.clip((height - np.quantile(height, 0.02)) / 0.05, 0.05, 1)[:, None, None]
    root = groom.points[:, :1]
    fade = replace(groom, points=root + (groom.points - root) * (grown * 0.01 / groom.lengths()[:, None, None]))
    at = atlas(SIZE)
    cover = scalp_cover(fade, SIZE).reshape(-1)[at.texel]
    distance, texel = away_from_roots(fade, SIZE)
    among = np.isin(at.texel, texel[distance < 0.0015])
    up = at.position[:, 1] - np.quantile(height, 0.02)
    bands = [np.median(cover[among & (up > low) & (up < low + 0.01)]) for low in (0.0, 0.01, 0.02, 0.03, 0.04)]
    lengths = 0.01 / 0.05 * np.arange(0.005, 0.05, 0.01)  # in the middle of each band
    assert bands == sorted(bands)
    # a centimetre holds hair of 2 mm more than at its lower end, and 2 mm around a root share its paint
    np.testing.assert_allclose(bands, DEEPEST * (1 - np.exp(-COVERED * (lengths + STUBBLE))), atol=0.1)


def test_thin_paint_is_the_colour_of_the_hairs_and_deep_paint_their_shade() -> None:
    """Only between stubble does the hair's own colour show: among long hair it is dark."""
    skin = to_linear(textures().albedo / 255)
    for length, left in ((0.001, STUBBLE_SHADE), (0.06, SHADE)):
        groom = plain_groom(12_000, length=length)
        cover = scalp_cover(groom, SIZE)
        full = cover > 0.9 * np.quantile(cover[cover > 0], 0.9)
        share = cover[full][:, None]
        paint = (to_linear(scalp_paint(textures(), groom)[full] / 255) - (1 - share) * skin[full]) / share
        seen = float(np.median(paint / to_linear(groom.point_colours()[0, 0])))
        expected = STUBBLE_SHADE + (SHADE - STUBBLE_SHADE) * float(np.median(share)) / DEEPEST
        assert seen == pytest.approx(expected, rel=0.12)
        assert abs(seen - left) < 0.2


def test_a_painted_scalp_does_not_gleam(groom: Groom) -> None:
    painted, cover = with_painted_scalp(textures(), groom), scalp_cover(groom, SIZE)
    assert (painted.roughness >= textures().roughness).all()
    assert painted.roughness[cover > 0.95 * DEEPEST].min() > 0.9 * 255 * ROUGH
    np.testing.assert_array_equal(painted.roughness[cover == 0], textures().roughness[cover == 0])


def test_heads_without_hair_or_with_foreign_roots_stay_bare(groom: Groom) -> None:
    assert groom.roots is not None
    elsewhere = Embedding(groom.roots.corners + 1_000_000, groom.roots.barycentric)
    for other in (none(), replace(groom, roots=None), replace(groom, roots=elsewhere)):
        assert scalp_paint(textures(), other) is textures().albedo


def test_fewer_and_thicker_strands_paint_the_same_scalp(groom: Groom) -> None:
    few, many = scalp_cover(groom.thinned(5000), SIZE), scalp_cover(groom, SIZE)
    assert abs(few[many > 0.9].mean() - many[many > 0.9].mean()) < 0.12


def test_a_large_sheet_is_painted_as_a_small_one_is(groom: Groom) -> None:
    albedo, roughness = (each.repeat(8, 0).repeat(8, 1) for each in (textures().albedo, textures().roughness))
    large = replace(textures(), albedo=albedo, roughness=roughness)
    painted = scalp_paint(large, groom)
    small = painted.reshape(SIZE, 8, SIZE, 8, 3).mean((1, 3))
    assert np.abs(small - scalp_paint(textures(), groom)).mean() < 3

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from plain_groom import plain_groom
from scipy.spatial import cKDTree

from headform.hair.groom import Groom, none
from headform.hair.scalp_paint import DEEPEST, LONG, ROUGH, SHADE, STUBBLE, scalp_cover, scalp_paint, with_painted_scalp
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


def test_skin_is_seen_between_stubble(groom: Groom) -> None:
    """Half as long as LONG: half way from STUBBLE to DEEPEST."""
    short = plain_groom(12_000, length=LONG / 2)
    assert scalp_cover(short, SIZE).max() == pytest.approx((STUBBLE + DEEPEST) / 2, abs=0.03)
    assert scalp_cover(groom, SIZE).max() > 0.9


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

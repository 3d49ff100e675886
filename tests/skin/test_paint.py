"""Painted skins: reproducible, seamless, with the maps that renderers expect."""

from dataclasses import replace

import numpy as np
import pytest

from headform.errors import BadInput
from headform.skin.albedo import linear_from_srgb
from headform.skin.atlas import SKIN, atlas, skin_mesh
from headform.skin.paint import Skin, paint, paint_traits
from headform.skin.regions import regions
from headform.skin.traits import attributes, draw_traits

SIZE = 256
AFRICAN, ASIAN, CAUCASIAN = (1, 0, 0), (0, 1, 0), (0, 0, 1)


@pytest.fixture(scope="module")
def skin() -> Skin:
    return paint(5, 35, 1, (0.2, 0.3, 0.5), SIZE)


def test_maps_have_their_shapes(skin: Skin) -> None:
    assert skin.albedo.shape == skin.normal.shape == (SIZE, SIZE, 3)
    assert skin.roughness.shape == (SIZE, SIZE)
    assert skin.albedo.dtype == skin.normal.dtype == skin.roughness.dtype == np.uint8


def test_same_seed_same_bytes(skin: Skin) -> None:
    again = paint(5, 35, 1, (0.2, 0.3, 0.5), SIZE)
    for name in ("albedo", "normal", "roughness"):
        assert np.array_equal(getattr(skin, name), getattr(again, name))
    assert skin.traits == again.traits


def test_another_seed_is_another_skin(skin: Skin) -> None:
    other = paint(6, 35, 1, (0.2, 0.3, 0.5), SIZE)
    assert skin.traits != other.traits
    assert (skin.normal != other.normal).any(-1).mean() > 0.3
    same_person = paint_traits(99, skin.attributes, skin.traits, SIZE)  # pores move, the tone stays
    face = regions(SIZE).blobs["cheek"] > 0.3
    texel = atlas(SIZE).texel[face]
    tones = [s.albedo.reshape(-1, 3)[texel].mean(0) for s in (skin, same_person)]
    assert np.abs(tones[0] - tones[1]).max() < 8


def test_normals_are_unit_and_point_out(skin: Skin) -> None:
    normal = skin.normal.astype(float) / 127.5 - 1
    assert np.abs(np.linalg.norm(normal, axis=-1) - 1).max() < 2 / 255 * np.sqrt(3)
    mean = normal.reshape(-1, 3).mean(0)
    assert abs(mean[0]) < 0.02 and abs(mean[1]) < 0.02 and mean[2] > 0.85


def test_green_of_a_normal_map_is_up() -> None:
    from headform.skin.relief import normal_map

    at = atlas(SIZE)
    pixel = 1000 * float(np.median(at.scale))  # millimetres
    rows = at.texel // SIZE
    up = normal_map(at, -0.3 * pixel * rows.astype(np.float32))  # height grows towards row 0, which is +v
    up = up.reshape(-1, 3)[at.texel]
    assert np.median(up[..., 1]) < 115  # the surface leans away from +v
    assert abs(np.median(up[..., 0]) - 127.5) < 1


def test_darker_with_african_than_with_caucasian_ancestry() -> None:
    def lightness(ancestry: tuple[int, int, int]) -> float:
        rows = atlas(64).texel[regions(64).blobs["cheek"] > 0.2]
        skins = [paint(seed, 30, seed % 2, ancestry, 64) for seed in range(8)]
        return float(np.mean([linear_from_srgb(s.albedo.reshape(-1, 3)[rows]).mean() for s in skins]))

    african, asian, caucasian = (lightness(a) for a in (AFRICAN, ASIAN, CAUCASIAN))
    assert african < 0.5 * asian
    assert asian < caucasian


def test_both_sides_of_a_texture_seam_agree() -> None:
    """Points that the atlas shows twice, far apart, have the same colour in both places."""
    size = 1024
    painted = paint(8, 50, 1, CAUCASIAN, size, scalp_shadow=0.5)
    mesh = skin_mesh()
    outside = mesh.inside == SKIN
    corner, uv = mesh.quads[outside].ravel(), mesh.uv[outside].reshape(-1, 2)
    order = np.argsort(corner, kind="stable")
    corner, uv = corner[order], uv[order]
    twins = (corner[1:] == corner[:-1]) & (np.abs(uv[1:] - uv[:-1]).max(1) > 0.01)
    assert twins.sum() > 20
    colours = []
    for place in (uv[:-1][twins], uv[1:][twins]):
        x = np.clip(np.rint(place[:, 0] * size - 0.5), 0, size - 1).astype(int)
        y = np.clip(np.rint((1 - place[:, 1]) * size - 0.5), 0, size - 1).astype(int)
        colours.append(painted.albedo[y, x].astype(float))
    difference = np.abs(colours[0] - colours[1]).max(1)
    assert np.median(difference) < 8  # the texel under one point is not the texel under its twin: pores differ
    assert abs((colours[0] - colours[1]).mean()) < 2.5  # but no side is lighter than the other


def test_gutters_are_filled(skin: Skin) -> None:
    at = atlas(SIZE)
    empty = np.ones(SIZE * SIZE, bool)
    empty[at.texel] = False
    assert empty.any()
    assert skin.albedo.reshape(-1, 3)[empty].min() > 0
    assert np.array_equal(skin.albedo.reshape(-1, 3)[at.texel][at.nearest[empty]], skin.albedo.reshape(-1, 3)[empty])


def test_wrinkles_come_with_age() -> None:
    def steepness(age: float) -> float:
        who = attributes(age, 1, CAUCASIAN)
        traits = replace(draw_traits(1, who), pores=0.5)
        forehead = atlas(SIZE).texel[regions(SIZE).blobs["forehead"] > 0.5]
        normal = paint_traits(1, who, traits, SIZE).normal.reshape(-1, 3)[forehead]
        return float(np.abs(normal[:, :2].astype(float) - 127.5).mean())

    assert steepness(75) > 1.3 * steepness(25)


def test_hair_colour_paints_the_brows() -> None:
    black, blond = (paint(3, 30, 1, CAUCASIAN, SIZE, hair_colour=c) for c in ((15, 12, 10), (200, 170, 120)))
    changed = np.abs(black.albedo.astype(int) - blond.albedo).max(-1) > 40
    assert 20 < changed.sum() < 0.05 * SIZE * SIZE


@pytest.mark.parametrize(
    "wrong",
    [
        {"age": -1},
        {"age": 400},
        {"sex": 2},
        {"ancestry": (0, 0, 0)},
        {"ancestry": (1, 0)},
        {"size": 3},
        {"hair_colour": (1, 2)},
    ],
)
def test_nonsense_is_refused(wrong: dict[str, object]) -> None:
    given: dict[str, object] = {"seed": 1, "age": 30, "sex": 0.5, "ancestry": CAUCASIAN, "size": 64} | wrong
    with pytest.raises(BadInput):
        paint(**given)  # type: ignore[arg-type]

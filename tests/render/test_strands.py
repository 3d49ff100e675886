from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headform.errors import BadInput
from headform.render import Camera, Drawn, Lamp, Light, Material, Scene, Strands, Surface, render, studio_light
from headform.render.colour import to_srgb
from headform.render.haze import Haze, haze_of, light_through
from headform.render.strand_shade import FLOOR, PASSED_ON, shade_strands

BLACK = (0.0, 0.0, 0.0)


def line(start: tuple[float, float, float], end: tuple[float, float, float], count: int = 20) -> Any:
    return np.linspace(start, end, count)[None]


@pytest.mark.parametrize("width", [0.002, 0.006, 0.013, 0.024])
@pytest.mark.parametrize("offset", [0.0, 0.0031])
def test_an_upright_strand_covers_its_width(flat_camera: Camera, width: float, offset: float) -> None:
    """One pixel is 1 cm: each row's cover adds up to the width in pixels, wherever the strand runs."""
    hair = Strands(line((offset, -0.5, 0), (offset, 0.5, 0)), BLACK, width=width, tip=1.0, shadow=0)
    picture = render(Scene(strands=(hair,), background=(1, 1, 1)), flat_camera, 1)
    np.testing.assert_allclose(picture.strands.sum(1), width * 100, rtol=0.02)


@pytest.mark.parametrize("angle", [0.2, 0.6, 1.0, 1.4])
def test_a_slanted_strand_covers_length_times_width(flat_camera: Camera, angle: float) -> None:
    end = 0.25 * np.array([np.cos(angle), np.sin(angle), 0])
    hair = Strands(line(tuple(-end), tuple(end), 30), BLACK, width=0.004, tip=1.0, shadow=0)
    cover = render(Scene(strands=(hair,)), flat_camera, 1).strands.sum()
    np.testing.assert_allclose(cover, 50 * 0.4, rtol=0.04)


def test_the_tip_is_thinner(flat_camera: Camera) -> None:
    hair = Strands(line((0, -0.32, 0), (0, 0.32, 0)), BLACK, width=0.008, tip=0.25, shadow=0)
    rows = render(Scene(strands=(hair,)), flat_camera, 1).strands.sum(1)
    np.testing.assert_allclose(rows[[1, 32, 62]], [0.21, 0.5, 0.79], atol=0.02)


def test_a_surface_hides_what_is_behind_it(square: Any, flat_camera: Camera) -> None:
    wall = square(0, 0.1, material=Material((1, 1, 1), unlit=True))
    behind = Strands(line((0, -0.3, -0.05), (0, 0.3, -0.05)), BLACK, width=0.02, tip=1, shadow=0)
    before = Strands(line((0, -0.3, 0.05), (0, 0.3, 0.05)), BLACK, width=0.02, tip=1, shadow=0)
    cover = render(Scene((wall,), (behind,)), flat_camera, 1).strands
    assert not cover[23:41].any() and (cover[4:20].sum(1) > 1.9).all()
    assert (render(Scene((wall,), (before,)), flat_camera, 1).strands[4:60].sum(1) > 1.9).all()


def test_the_nearer_strand_is_on_top_in_any_order(flat_camera: Camera) -> None:
    light = Light.of(ambient=1.0)
    red = Strands(line((0, -0.3, 0.05), (0, 0.3, 0.05)), (1, 0, 0), width=0.08, tip=1, shine=0, shadow=0)
    green = Strands(line((0, -0.3, 0.0), (0, 0.3, 0.0)), (0, 1, 0), width=0.08, tip=1, shine=0, shadow=0)
    for groups in ((red, green), (green, red)):
        assert render(Scene((), groups, light=light), flat_camera, 1).rgba[32, 32].tolist() == [
            255,
            0,
            0,
            255,
        ]


def test_a_card_between_two_strands_is_between_them(square: Any, flat_camera: Camera) -> None:
    light = Light.of(ambient=1.0)
    card = square(0, material=Material((0, 1, 0), unlit=True, opacity=0.5), drawn=Drawn.CARDS)
    for z, expected in ((0.05, [1.0, 0.0]), (-0.05, [0.5, 0.5])):
        hair = Strands(line((0, -0.3, z), (0, 0.3, z)), (1, 0, 0), width=0.08, tip=1, shine=0, shadow=0)
        rgb = render(Scene((card,), (hair,), light=light), flat_camera, 1).rgb[32, 32]
        np.testing.assert_allclose(rgb[:2], 255 * to_srgb(expected), atol=1)


def test_a_hair_is_brightest_across_the_light(flat_camera: Camera) -> None:
    light = Light.of([Lamp(np.array([1.0, 0, 0.2]), np.ones(3))])
    upright = Strands(line((0, -0.2, 0), (0, 0.2, 0)), (0.5, 0.5, 0.5), width=0.02, tip=1, shadow=0)
    level = Strands(line((-0.2, 0, 0), (0.2, 0, 0)), (0.5, 0.5, 0.5), width=0.02, tip=1, shadow=0)
    across, along = (render(Scene((), (h,), light=light), flat_camera, 1).rgb[32, 32, 0] for h in (upright, level))
    assert across > along + 60


def test_highlights_come_with_shine(flat_camera: Camera) -> None:
    light = Light.of([Lamp(np.array([0, 0.2, 1.0]), np.ones(3))])
    dull, bright = (
        render(
            Scene((), (Strands(line((0, -0.2, 0), (0, 0.2, 0)), (0.2, 0.1, 0.05), 0.02, 1, s, 0),), light=light),
            flat_camera,
            1,
        )
        .rgb[10:54, 32]
        .max(0)
        for s in (0.0, 1.0)
    )
    assert (bright > dull + 10).all()


def tangle(count: int = 300) -> Any:
    """Strands that go all ways, and some straight towards the eye and away from it."""
    rng = np.random.default_rng(3)
    ways = rng.normal(size=(count, 3))
    ways[:20] = (0, 0, 1) * np.sign(rng.normal(size=(20, 1))) + 0.05 * rng.normal(size=(20, 3))
    return (ways / np.linalg.norm(ways, axis=1, keepdims=True))[:, None] * np.linspace(-0.05, 0.05, 6)[None, :, None]


def dim(level: float) -> Haze:
    """A haze that lets the same share of all light through everywhere."""
    return Haze(np.full(3, -1.0), 1.0, np.full((4, 4, 4, 4), level, np.float32))


def test_light_from_hair_is_a_gloss_and_a_part_in_proportion_to_its_colour(flat_camera: Camera) -> None:
    def sent(linear: float) -> Any:
        hair = Strands(tangle(), (float(to_srgb(linear)),) * 3)
        return shade_strands(hair, studio_light(), flat_camera, dim(0.4))

    gloss, white = sent(0.0), sent(1.0)
    assert (gloss >= 0).all() and gloss.max() > 0.01 and (white > gloss).all()
    np.testing.assert_allclose(sent(0.2), gloss + 0.2 * (white - gloss), atol=2e-5)


def test_hair_that_points_at_the_eye_does_not_glitter(flat_camera: Camera) -> None:
    """No hair sends more than a hair whose highlights both have their full strength."""
    lamp = Light.of([Lamp(np.array([0.0, 0.4, 1.0]), np.ones(3))])
    assert shade_strands(Strands(tangle(), (1.0, 1.0, 1.0)), lamp, flat_camera, None).max() < 2


def test_black_hair_shows_no_light_from_straight_behind(flat_camera: Camera) -> None:
    upright = line((0, -0.2, 0), (0, 0.2, 0))
    before, behind = (
        shade_strands(Strands(upright, BLACK), Light.of([Lamp(np.array([0.0, 0.0, z]), np.ones(3))]), flat_camera, None)
        for z in (1, -1)
    )
    assert before.min() > 0.02
    np.testing.assert_allclose(behind, 0, atol=1e-6)


def test_dull_hair_in_the_shade_keeps_some_of_the_light(flat_camera: Camera) -> None:
    """A tenth of each light arrives: of the sky's FLOOR more is passed on, of a lamp's so much of √0.1."""
    hair = Strands(line((0, -0.2, 0), (0, 0.2, 0)), (1.0, 1.0, 1.0), shine=0)
    lamp, sky = Light.of([Lamp(np.array([0.3, 0.2, 1.0]), np.ones(3))] * 3), Light.of(ambient=1.0)
    for light, kept in ((lamp, 0.1 + PASSED_ON * (0.1**0.5 - 0.1)), (sky, FLOOR + (1 - FLOOR) * 0.1)):
        haze = dim(0.1)._replace(through=np.full((4, 4, 4, len(light.lamps) + 1), 0.1, np.float32))
        shaded, lit = (shade_strands(hair, light, flat_camera, each) for each in (haze, None))
        np.testing.assert_allclose(shaded, kept * lit, rtol=1e-4)


def test_a_slab_of_hair_lets_through_what_beer_and_lambert_say() -> None:
    """Hairs along x, one for each 1 mm² of a slab 3 cm thick: optical depth = 0.03 m · width / 1 mm²."""
    y, z = np.meshgrid(np.arange(-0.05, 0.05, 0.001), np.arange(0, 0.03, 0.001))
    x = np.linspace(-0.05, 0.05, 101)
    points = np.stack(np.broadcast_arrays(x, y.reshape(-1, 1), z.reshape(-1, 1)), -1)
    haze = haze_of((Strands(points, BLACK, shadow=5e-5),), np.array([(0.0, 0, 1), (0, 0, -1)]))
    assert haze is not None
    below, above, outside = light_through(haze, np.array([(0, 0, -0.006), (0, 0, 0.036), (1, 1, 1)], np.float32))
    np.testing.assert_allclose(below[:2], [np.exp(-1.5), 1], rtol=0.04)
    np.testing.assert_allclose(above[:2], [1, np.exp(-1.5)], rtol=0.04)
    assert (outside == 1).all()


def test_slanted_light_takes_the_longer_way() -> None:
    y, z = np.meshgrid(np.arange(-0.08, 0.08, 0.001), np.arange(0, 0.02, 0.001))
    points = np.stack(np.broadcast_arrays(np.linspace(-0.08, 0.08, 161), y.reshape(-1, 1), z.reshape(-1, 1)), -1)
    slant = np.array([[0.5, 0.3, 0.8]]) / np.linalg.norm([0.5, 0.3, 0.8])
    haze = haze_of((Strands(points, BLACK, shadow=5e-5),), slant)
    assert haze is not None
    through = light_through(haze, np.array([(-0.01, 0, -0.006)], np.float32))[0, 0]
    np.testing.assert_allclose(through, np.exp(-1.0 / slant[0, 2]), rtol=0.05)


def test_hair_darkens_the_skin_below(square: Any, flat_camera: Camera) -> None:
    light = Light.of([Lamp(np.array([0.0, 1, 0.5]), np.ones(3))])
    x = np.linspace(-0.3, 0.3, 200)
    roof = np.stack([np.stack([x, np.full(200, 0.34) + 1e-4 * n, 0.02 + 1e-3 * n + 0 * x], -1) for n in range(60)])
    grid = np.linspace(-0.32, 0.32, 33)
    gx, gy = np.meshgrid(grid, grid)
    vertices = np.stack([gx, gy, 0 * gx], -1).reshape(-1, 3)
    at = (np.arange(32)[:, None] * 33 + np.arange(32)).ravel()
    faces = np.concatenate([np.c_[at, at + 1, at + 34], np.c_[at, at + 34, at + 33]])
    skin = Surface(vertices, faces, Material(specular=0))
    hair = Strands(roof, BLACK, width=1e-4, shadow=5e-3)
    lit, dim = (render(Scene((skin,), (hair,), light=light, shadows=s), flat_camera, 1).rgb for s in (False, True))
    assert dim[6, 32, 0] < lit[6, 32, 0] - 15  # close under the roof
    np.testing.assert_array_equal(dim[60], lit[60])


def test_the_same_hair_gives_the_same_bytes(flat_camera: Camera) -> None:
    rng = np.random.default_rng(0)
    points = np.cumsum(rng.normal(0, 0.01, (400, 30, 3)), 1)
    scene = Scene((), (Strands(points, rng.random((400, 3)), width=0.002),))
    assert render(scene, flat_camera, 2).rgba.tobytes() == render(scene, flat_camera, 2).rgba.tobytes()


def test_points_behind_the_camera_and_standing_strands_draw_nothing() -> None:
    camera = Camera.portrait(0, 0, 32, distance=0.5)
    behind = Strands(line((0, 0.03, 0.6), (0.01, 0.03, 0.9)), BLACK)
    still = Strands(np.full((3, 4, 3), 0.02), BLACK)
    assert not render(Scene((), (behind, still)), camera, 1).rgba.any()


@pytest.mark.parametrize(
    ("points", "options"),
    [
        (np.zeros((3, 3)), {}),
        (np.zeros((2, 1, 3)), {}),
        (np.full((2, 4, 3), np.inf), {}),
        (np.zeros((2, 4, 3)), {"colours": np.zeros((3, 3))}),
        (np.zeros((2, 4, 3)), {"width": 0}),
    ],
)
def test_broken_strands_are_refused(points: Any, options: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        Strands(points, **options)

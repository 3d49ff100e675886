from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from headform.errors import BadInput
from headform.render import Camera, Lamp, Light, Material, Scene, Surface, Texture, render
from headform.render.colour import to_linear, to_srgb

WHITE = (1.0, 1.0, 1.0)
MATTE = Material(WHITE, specular=0)
PLAIN = Light.of(ambient=1.0)


def byte(linear: float) -> int:
    return round(255 * float(to_srgb(linear)))


def test_a_matte_surface_shows_colour_times_light(square: Any, flat_camera: Camera) -> None:
    surface = square(0, material=Material((0.5, 0.25, 1.0), specular=0), occlusion=np.full(4, 0.5))
    rgba = render(Scene((surface,), light=Light.of(ambient=(0.8, 0.8, 0.4))), flat_camera, 1).rgba
    expected = [byte(to_linear(c) * a * 0.5) for c, a in ((0.5, 0.8), (0.25, 0.8), (1.0, 0.4))]
    assert (np.abs(rgba[..., :3].astype(int) - expected) <= 1).all() and (rgba[..., 3] == 255).all()


def test_a_texture_stands_upright(square: Any, flat_camera: Camera) -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    image[:4, :4], image[:4, 4:], image[4:, :4] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    material = Material(WHITE, Texture.colour(image), unlit=True)
    rgb = render(Scene((square(0, 0.3, material=material),), background=WHITE), flat_camera, 1).rgb
    assert rgb[20, 20].tolist() == [255, 0, 0]  # the image's top left is the square's, seen from the front
    assert rgb[20, 44].tolist() == [0, 255, 0]
    assert rgb[44, 20].tolist() == [0, 0, 255]
    assert rgb[44, 44].tolist() == [0, 0, 0]
    assert rgb[0, 0].tolist() == [255, 255, 255]


def test_a_fine_texture_seen_from_afar_is_even(square: Any, flat_camera: Camera) -> None:
    board = np.repeat((np.indices((512, 512)).sum(0) % 2 * 255)[..., None], 3, 2).astype(np.uint8)
    material = Material(WHITE, Texture.colour(board), unlit=True)
    rgb = render(Scene((square(0, 0.3, material=material),)), flat_camera, 1).rgb[5:-5, 5:-5]
    assert np.abs(rgb.astype(int) - byte(0.5)).max() <= 1


def test_vertex_colours_are_blended_in_linear_light(square: Any, flat_camera: Camera) -> None:
    colours = np.array([(0, 0, 0), (1, 1, 1), (1, 1, 1), (0, 0, 0)], float)
    surface = square(0, 0.32, material=Material(WHITE, unlit=True), colours=colours)
    row = render(Scene((surface,)), flat_camera, 1).rgb[30, :, 0]
    expected = [byte((x + 0.5) / 64) for x in range(64)]
    assert np.abs(row.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("subsurface", [0.0, 0.7])
def test_a_flat_relief_changes_nothing(ball: Any, subsurface: float) -> None:
    vertices, triangles, uv = ball
    flat = Texture.normals(np.full((8, 8, 3), (128, 128, 255), np.uint8))
    camera = Camera.portrait(0.4, 0.2, 96, target=(0, 0, 0), distance=0.6)
    plain = Material(subsurface=subsurface)
    with_map = replace(plain, relief=flat)
    one, two = (render(Scene((Surface(vertices, triangles, m, uv),)), camera, 1).rgba for m in (plain, with_map))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("tilt", "lamp"),
    [((1, 0), (1, 0, 0.2)), ((-1, 0), (-1, 0, 0.2)), ((0, 1), (0, 1, 0.2)), ((0, -1), (0, -1, 0.2))],
)
@pytest.mark.parametrize("mirrored", [False, True])
def test_relief_leans_towards_its_lamp(
    square: Any, flat_camera: Camera, tilt: tuple[int, int], lamp: tuple[float, float, float], mirrored: bool
) -> None:
    """Red leans to larger u, green (OpenGL) to larger v; on the front both are the world's x and y."""
    image = np.full((2, 2, 3), (128 + 90 * tilt[0], 128 + 90 * tilt[1], 218), np.uint8)
    surface = square(0, material=replace(MATTE, relief=Texture.normals(image)))
    if mirrored:
        assert surface.uv is not None
        lamp = (-lamp[0], lamp[1], lamp[2])
        surface = replace(surface, uv=surface.uv * (-1, 1) + (1, 0))
    towards, away = (
        render(Scene((surface,), light=Light.of([Lamp(np.array(way), np.ones(3))])), flat_camera, 1).rgb.mean()
        for way in (lamp, (-lamp[0], -lamp[1], lamp[2]))
    )
    flat = render(
        Scene((square(0, material=MATTE),), light=Light.of([Lamp(np.array(lamp), np.ones(3))])),
        flat_camera,
        1,
    )
    assert towards > flat.rgb.mean() + 30 > away + 60


def test_a_highlight_sits_where_the_lamp_is_mirrored(ball: Any) -> None:
    vertices, triangles, uv = ball
    camera = Camera.parallel(size=201, extent=0.25, target=(0, 0, 0))
    lamp = Lamp(np.array([0.6, 0.48, 0.64]), np.ones(3))
    surface = Surface(vertices, triangles, Material((0, 0, 0), roughness=0.25), uv)
    rgb = render(Scene((surface,), light=Light.of([lamp])), camera, 1).rgb[..., 0].astype(float)
    row, column = (np.indices(rgb.shape) * rgb).sum((1, 2)) / rgb.sum()
    middle = lamp.direction + np.array([0, 0, 1])  # half way between the lamp and the eye
    middle *= 0.1 / np.linalg.norm(middle)
    np.testing.assert_allclose((column, row), camera.project(middle)[0], atol=3)


def test_a_highlight_at_the_mirror_angle_has_its_closed_form(square: Any, flat_camera: Camera) -> None:
    """GGX at n = l = v = h: D = 1 / (π α²), Smith's term is 1/4, Fresnel's F₀; times π · intensity."""
    material = Material((0, 0, 0), roughness=0.8, specular=1.0)
    lamp = Lamp(np.array([0, 0, 1]), np.full(3, 2.0))
    rgb = render(Scene((square(0, material=material),), light=Light.of([lamp])), flat_camera, 1).rgb
    assert np.abs(rgb.astype(int) - byte(2 * 0.08 / (4 * 0.64**2))).max() <= 1


def test_occlusion_dims_highlights_by_its_square(square: Any, flat_camera: Camera) -> None:
    material = Material((0, 0, 0), roughness=0.8, specular=1.0)
    surface = square(0, material=material, occlusion=np.full(4, 0.5))
    lamp = Lamp(np.array([0, 0, 1]), np.full(3, 8.0))
    rgb = render(Scene((surface,), light=Light.of([lamp])), flat_camera, 1).rgb
    assert np.abs(rgb.astype(int) - byte(0.25 * 8 * 0.08 / (4 * 0.64**2))).max() <= 1


def test_light_bleeds_into_the_shade_red_the_farthest(ball: Any) -> None:
    vertices, triangles, uv = ball
    camera = Camera.parallel(size=101, extent=0.22, target=(0, 0, 0))
    light = Light.of([Lamp(np.array([1.0, 0, 0]), np.ones(3))])
    rgb = [
        render(Scene((Surface(vertices, triangles, replace(MATTE, subsurface=s), uv),), light=light), camera, 1).rgb
        for s in (0.0, 1.0)
    ]
    shade = [picture[50, 40].astype(int) for picture in rgb]  # a little beyond the terminator, at x = 50
    assert shade[1][0] > shade[1][1] > shade[1][2] >= shade[0][2]
    assert shade[1][0] > shade[0][0] + 10


def test_the_back_of_a_two_sided_surface_is_lit_as_if_it_were_the_front(square: Any, flat_camera: Camera) -> None:
    light = Light.of([Lamp(np.array([0.2, 0.3, 1.0]), np.ones(3))])
    front = square(0, material=MATTE)
    back = replace(front, triangles=front.triangles[:, ::-1], triangles_uv=None)
    gone = replace(back, material=replace(MATTE, two_sided=False))
    one, two, three = (render(Scene((s,), light=light), flat_camera, 1).rgba for s in (front, back, gone))
    np.testing.assert_array_equal(one, two)
    assert not three.any()


@pytest.mark.parametrize(
    "change",
    [
        {"vertices": np.full((4, 3), np.nan)},
        {"triangles": np.array([(0, 1, 9)])},
        {"triangles_uv": np.array([(0, 1, 2)])},
        {"normals": np.zeros((3, 3))},
        {"uv": None, "material": Material(texture=Texture.colour(np.zeros((1, 1, 3))))},
    ],
)
def test_broken_surfaces_are_refused(square: Any, change: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        replace(square(0), **change)


def test_materials_have_bounds() -> None:
    with pytest.raises(BadInput, match="roughness"):
        Material(roughness=2)

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headform.render import Camera, Drawn, Lamp, Light, Material, Scene, Surface, Texture, layers, render
from headform.render.colour import to_linear, to_srgb


def card(square: Any, z: float, colour: tuple[float, float, float], opacity: float = 0.5) -> Surface:
    made: Surface = square(z, material=Material(colour, unlit=True, opacity=opacity), drawn=Drawn.CARDS)
    return made


def bytes_of(*linear: float) -> list[int]:
    return [round(255 * float(to_srgb(x))) for x in linear]


def test_two_cards_of_half_opacity_make_what_the_hand_reckons(square: Any, flat_camera: Camera) -> None:
    red, green = card(square, 0.2, (1, 0, 0)), card(square, 0.1, (0, 1, 0))
    for order in ((red, green), (green, red)):
        over_white = render(Scene(order, background=(1, 1, 1)), flat_camera, 1).rgba
        assert over_white[32, 32].tolist() == [*bytes_of(0.5 + 0.25, 0.25 + 0.25, 0.25), 255]
        alone = render(Scene(order), flat_camera, 2).rgba
        assert alone[32, 32].tolist() == [*bytes_of(2 / 3, 1 / 3, 0), round(0.75 * 255)]


def test_crossing_cards_are_sorted_in_each_pixel(flat_camera: Camera) -> None:
    corners = np.array([(-1, -1, -0.3), (1, -1, 0.3), (1, 1, 0.3), (-1, 1, -0.3)])
    faces = np.array([(0, 1, 2), (0, 2, 3)])
    red = Surface(corners, faces, Material((1, 0, 0), unlit=True, opacity=0.5), drawn=Drawn.CARDS)
    green = Surface(corners * (1, 1, -1), faces, Material((0, 1, 0), unlit=True, opacity=0.5), drawn=Drawn.CARDS)
    rgba = render(Scene((red, green), background=(0, 0, 0)), flat_camera, 1).rgba
    assert rgba[32, 5, :3].tolist() == bytes_of(0.25, 0.5, 0)  # green is nearer on the left
    assert rgba[32, 58, :3].tolist() == bytes_of(0.5, 0.25, 0)


def test_opaque_surfaces_hide_cards_behind_and_carry_those_that_touch(square: Any, flat_camera: Camera) -> None:
    wall = square(0, material=Material((0, 0, 1), unlit=True))
    hidden, touching = card(square, -0.1, (1, 0, 0)), card(square, 0.0, (0, 1, 0))
    rgba = render(Scene((wall, hidden, touching)), flat_camera, 1).rgba
    assert rgba[32, 32].tolist() == [*bytes_of(0, 0.5, 0.5), 255]


def test_the_alpha_of_a_texture_cuts_cards_out(square: Any, flat_camera: Camera) -> None:
    image = np.zeros((4, 4, 4), np.uint8)
    image[:2] = (255, 255, 255, 255)
    material = Material((1, 1, 1), Texture.colour(image), unlit=True)
    surface = square(0, 0.32, material=material, drawn=Drawn.CARDS)
    alpha = render(Scene((surface,)), flat_camera, 1).rgba[..., 3]
    assert (alpha[:24] == 255).all() and not alpha[40:].any()


def test_gloss_adds_its_highlight_and_nothing_else(square: Any, flat_camera: Camera) -> None:
    wall = square(0, material=Material((0.5, 0.2, 0.1), unlit=True))
    clear = square(0.1, material=Material(roughness=0.8, specular=1.0), drawn=Drawn.GLOSS)
    dark = render(Scene((wall, clear), light=Light.of(ambient=1.0)), flat_camera, 1).rgba
    np.testing.assert_array_equal(dark, render(Scene((wall,)), flat_camera, 1).rgba)
    lamp = Lamp(np.array([0, 0, 1]), np.ones(3))
    lit = render(Scene((wall, clear), light=Light.of([lamp])), flat_camera, 1).rgba
    shine = 0.08 / (4 * 0.64**2)
    expected = bytes_of(*(float(c) + shine for c in to_linear([0.5, 0.2, 0.1])))
    assert np.abs(lit[32, 32, :3].astype(int) - expected).max() <= 1
    over_nothing = render(Scene((clear,), light=Light.of([lamp])), flat_camera, 1).rgba
    assert not over_nothing[..., 3].any()


def test_bands_of_rows_make_the_same_picture(square: Any, flat_camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    corners = rng.uniform(-0.4, 0.4, (300, 3))
    faces = np.arange(300).reshape(-1, 3)
    material = Material((1, 1, 1), opacity=0.4)
    scene = Scene((Surface(corners, faces, material, colours=rng.random((300, 3)), drawn=Drawn.CARDS),))
    whole = render(scene, flat_camera, 2).rgba
    monkeypatch.setattr(layers, "FRAGMENTS_AT_ONCE", 500)
    np.testing.assert_array_equal(render(scene, flat_camera, 2).rgba, whole)


def test_many_layers_match_the_plain_formula(flat_camera: Camera) -> None:
    """The oracle: the over operator, farthest first, on forty squares at random depths."""
    rng = np.random.default_rng(1)
    depth, colour = rng.uniform(-0.3, 0.3, 40), rng.random((40, 3))
    corners = np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], float)
    vertices = np.concatenate([corners + np.array([0, 0, z]) for z in depth])
    faces = np.concatenate([np.array([(0, 1, 2), (0, 2, 3)]) + 4 * n for n in range(40)])
    material = Material((1, 1, 1), unlit=True, opacity=0.1)
    cards = Surface(vertices, faces, material, colours=colour.repeat(4, 0), drawn=Drawn.CARDS)
    rgba = render(Scene((cards,), background=(0, 0, 0)), flat_camera, 1).rgba
    result = np.zeros(3)
    for n in np.argsort(depth):
        result = 0.9 * result + 0.1 * to_linear(colour[n])
    assert np.abs(rgba[32, 32, :3].astype(int) - bytes_of(*result)).max() <= 1

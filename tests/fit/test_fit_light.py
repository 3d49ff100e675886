"""Light that was put on a head of known skin is found in the picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from headform.fit.light import LEAST_POINTS, estimate_light, even_light, likely_skin, skin_mesh
from headform.head import HeadModel, load_default
from headform.render import Camera, Light, Material, Scene, Surface, render
from headform.render.occlusion import sphere_directions
from headform.skin.albedo import albedo_model, srgb_from_linear

MATTE = Material((1, 1, 1), specular=0.0, roughness=1.0)
CAMERA = Camera.portrait(0, 0, 320, field_of_view=0.26)
EVERYWHERE = np.ones((320, 320), np.float32)
AXES = [3, 1, 2]  # of the harmonics' second band: x, y, z


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_default()


def soft(direction: tuple[float, float, float], colour: tuple[float, float, float] = (1, 1, 1)) -> Light:
    """Light of two bands: brightest from a direction, none from behind."""
    way = np.asarray(direction) / np.linalg.norm(direction)
    band = np.r_[1.6, 1.2 * way[[1, 2, 0]], np.zeros(5)]
    return Light(band[:, None] * np.asarray(colour))


def picture_of(head: HeadModel, light: Light, tone: np.ndarray | None = None, camera: Camera = CAMERA) -> np.ndarray:
    """The mean head in the albedo model's own skin; `tone` are the skin's coefficients."""
    mesh = skin_mesh(head)
    places = mesh.refine(head.rest())
    skin = albedo_model().log_colours(np.zeros(1) if tone is None else tone)
    triangles = mesh.quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)
    surface = Surface(places, triangles, MATTE, colours=np.clip(srgb_from_linear(np.exp(skin)), 0, 1))
    return np.ascontiguousarray(render(Scene((surface,), light=light, background=(0, 0, 0)), camera).rgb)


def found_in(head: HeadModel, pixels: np.ndarray, camera: Camera = CAMERA) -> np.ndarray:
    return estimate_light(pixels, EVERYWHERE, camera, head, head.rest()).coefficients


def degrees_apart(first: np.ndarray, second: np.ndarray) -> float:
    cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


WAYS = [(0.7, 0.4, 0.6), (-0.8, 0.2, 0.5), (0.0, 0.9, 0.4), (0.1, -0.6, 0.8)]


@pytest.mark.parametrize("way", WAYS)
def test_the_light_comes_from_that_side_of_the_picture(head: HeadModel, way: tuple[float, float, float]) -> None:
    found = found_in(head, picture_of(head, soft(way))).mean(1)
    assert degrees_apart(found[AXES][:2], np.asarray(way)[:2]) < 10
    assert found[AXES][2] > 0


@pytest.mark.parametrize("way", [WAYS[0], WAYS[1], WAYS[3]])
def test_the_light_comes_from_where_it_was_set_up(head: HeadModel, way: tuple[float, float, float]) -> None:
    found = found_in(head, picture_of(head, soft(way))).mean(1)
    assert degrees_apart(found[AXES], np.asarray(way)) < 18


def test_the_light_is_in_world_axes_whatever_the_camera(head: HeadModel) -> None:
    """From the side that the camera stands on and from the other: axes of the camera would be off by 40°."""
    for yaw in (0.7, -0.7):
        way = np.array([0.8, 0.3, 0.5])
        camera = Camera.portrait(yaw, 0.1, 320, field_of_view=0.26)
        found = found_in(head, picture_of(head, soft((0.8, 0.3, 0.5)), camera=camera), camera).mean(1)
        assert degrees_apart(found[AXES], way) < 25


def test_the_found_light_shades_the_face_as_the_true_one(head: HeadModel) -> None:
    true = soft((0.5, 0.4, 0.75))
    found = Light(found_in(head, picture_of(head, true)))
    ways = np.random.default_rng(1).normal(size=(400, 3)) + np.array([0, 0, 1.5])
    ways = ways[ways[:, 2] > 0.4 * np.linalg.norm(ways, axis=1)]  # where a frontal face has normals
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    ratio = np.log(found.shaded(ways) / true.shaded(ways))
    assert np.abs(ratio - ratio.mean()).mean() < 0.1
    assert np.abs(ratio.mean(0)).max() < 0.5  # light and skin share what is bright


def test_of_a_brighter_photo_light_and_skin_take_their_shares(head: HeadModel) -> None:
    dim = soft((0.3, 0.3, 0.9)).scaled(0.5)
    once, twice = (found_in(head, picture_of(head, dim.scaled(by)))[0].mean() for by in (1, 2))
    assert 1.1 < twice / once < 2.0


def test_no_surface_is_left_without_light(head: HeadModel) -> None:
    found = Light(found_in(head, picture_of(head, soft((0.9, 0.3, 0.1)))))
    fallen = found.shaded(sphere_directions(60))
    assert (fallen > 0.1 * fallen.mean(0)).all()


def test_a_grey_photo_has_a_skin_of_skin_colour() -> None:
    red, green, blue = likely_skin((0.4, 0.2, 0.1), (0.3, 0.3, 0.3))
    assert red > 1.2 * green > 1.2 * blue


def test_the_same_light_on_darker_skin_is_a_darker_skin() -> None:
    light, dark = (likely_skin((0.4, 0.2, 0.1), shown) for shown in ((0.65, 0.4, 0.3), (0.16, 0.08, 0.05)))
    assert light[1] > 2.5 * dark[1]


def test_where_nothing_is_shown_the_skin_stays() -> None:
    np.testing.assert_array_equal(likely_skin((0.4, 0.2, 0.1), (0.0, 0.1, 0.1)), (0.4, 0.2, 0.1))


def test_warm_light_is_found_warm(head: HeadModel) -> None:
    mean = found_in(head, picture_of(head, soft((0.3, 0.3, 0.9), (1.0, 0.8, 0.55))))[0]
    plain = found_in(head, picture_of(head, soft((0.3, 0.3, 0.9), (0.8, 0.8, 0.8))))[0]
    expected = np.array([1.0, 0.8, 0.55]) / 0.8
    np.testing.assert_allclose(mean / mean[1] / (plain / plain[1]), expected, rtol=0.25)


def test_a_dark_skin_is_not_a_dark_room(head: HeadModel) -> None:
    """The prior of skins takes part of a dark face's darkness; the light's direction stays."""
    way = (0.7, 0.3, 0.6)
    tone = albedo_model().blend(40, 0.5, (1, 0, 0))
    found = found_in(head, picture_of(head, soft(way), tone)).mean(1)
    assert degrees_apart(found[AXES], np.asarray(way)) < 30


def test_without_skin_the_light_is_even(head: HeadModel) -> None:
    pixels = picture_of(head, soft((0.7, 0.3, 0.6)))
    light = estimate_light(pixels, np.zeros_like(EVERYWHERE), CAMERA, head, head.rest())
    np.testing.assert_array_equal(light.coefficients, even_light().coefficients)
    assert not light.coefficients[1:].any()


def test_a_patch_of_skin_is_too_little(head: HeadModel) -> None:
    """A patch with fewer points than LEAST_POINTS says nothing, a larger one does."""
    pixels = picture_of(head, soft((0.7, 0.3, 0.6)))
    even = []
    for side in (2, 60):
        patch = np.zeros_like(EVERYWHERE)
        patch[160 - side : 160 + side, 160 - side : 160 + side] = 1
        light = estimate_light(pixels, patch, CAMERA, head, head.rest())
        even.append(np.array_equal(light.coefficients, even_light().coefficients))
    assert even == [True, False]
    assert LEAST_POINTS > 16  # pixels of the small patch


def test_clipped_colours_say_nothing(head: HeadModel) -> None:
    for value in (0, 255):
        light = estimate_light(np.full((320, 320, 3), value, np.uint8), EVERYWHERE, CAMERA, head, head.rest())
        np.testing.assert_array_equal(light.coefficients, even_light().coefficients)


def test_a_head_outside_the_picture_gets_even_light(head: HeadModel) -> None:
    aside = replace(CAMERA, translation=CAMERA.translation + np.array([2.0, 0, 0]))
    light = estimate_light(np.full((320, 320, 3), 128, np.uint8), EVERYWHERE, aside, head, head.rest())
    np.testing.assert_array_equal(light.coefficients, even_light().coefficients)


def test_a_skin_that_the_albedo_model_does_not_know_gets_even_light(head: HeadModel) -> None:
    pixels = picture_of(head, soft((0.7, 0.3, 0.6)))
    kept = np.ones(len(head.quads), bool)
    kept[np.flatnonzero(head.part == head.part_index("skin"))[-500:]] = False
    other = replace(head, quads=head.quads[kept], quads_uv=head.quads_uv[kept], part=head.part[kept])
    light = estimate_light(pixels, EVERYWHERE, CAMERA, other, other.rest())
    np.testing.assert_array_equal(light.coefficients, even_light().coefficients)

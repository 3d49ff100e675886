"""A whole fit, on one of our own renders."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from headform.fit import fit_photo
from headform.fit.fitter import PLAUSIBLE, placed_mean
from headform.fit.light import estimate_light, even_light
from headform.fit.solve import similarity
from headform.head import load_default
from headform.learn.renders import Stage
from headform.render import Camera, Light, Material, Scene, Surface, render
from headform.skin.albedo import albedo_model, srgb_from_linear

MODEL = load_default()


def test_a_render_becomes_a_head_that_lies_on_it(photo, sighting, truth) -> None:  # type: ignore[no-untyped-def]
    fit = fit_photo(photo, sighting, MODEL)
    assert fit.error < 0.035
    points = MODEL.embeddings["mediapipe_478"]
    pixels, _ = fit.camera.project(points.points(fit.posed(MODEL)))
    seen = sighting.landmarks.points
    assert np.median(np.linalg.norm(pixels - seen[:, :2], axis=1)) < 0.03 * np.ptp(seen[:468, 1])
    ours, mean, theirs = (points.points(v)[:468] for v in (fit.neutral(MODEL), MODEL.rest(), MODEL.rest(truth)))
    apart = []
    for candidate in (ours, mean):
        factor, turn, move = similarity(candidate.astype(float), theirs.astype(float))
        apart.append(np.linalg.norm(factor * candidate @ turn.T + move - theirs, axis=1).mean())
    assert apart[0] < apart[1]


def test_the_same_photo_gives_the_same_head(photo, sighting) -> None:  # type: ignore[no-untyped-def]
    first, second = (fit_photo(photo, sighting, MODEL) for _ in range(2))
    np.testing.assert_array_equal(first.beta, second.beta)
    np.testing.assert_array_equal(first.psi, second.psi)


@pytest.mark.parametrize(("focal", "used"), [(1200.0, True), (60000.0, False)])
def test_a_focal_length_counts_where_it_is_plausible(photo, sighting, focal, used) -> None:  # type: ignore[no-untyped-def]
    state, _ = placed_mean(replace(photo, focal=focal), sighting, MODEL)
    assert (state.focal == focal) is used
    assert PLAUSIBLE[0] < state.move[2] < PLAUSIBLE[1]


def test_the_light_comes_from_where_it_was_put() -> None:
    """A head in the albedo model's mean skin under one soft light from the side."""
    vertices = MODEL.rest()
    way = np.array([0.8, 0.3, 0.52])
    coefficients = np.zeros((9, 3))
    coefficients[0] = 1.6
    coefficients[[3, 1, 2]] = 0.9 * way[:, None]
    camera = Camera.portrait(0.0, 0.0, 320, field_of_view=0.3)
    skin = MODEL.part_vertices("skin")
    colours = srgb_from_linear(np.exp(albedo_model().mean[: len(skin)]))
    triangles = MODEL.triangles[MODEL.triangle_part == MODEL.part_index("skin")]
    matte = Material((1, 1, 1), specular=0.0, roughness=1.0)
    scene = Scene((Surface(vertices[skin], triangles, matte, colours=colours),), light=Light(coefficients))
    picture = render(scene, camera)
    everywhere = np.ones(picture.rgb.shape[:2], np.float32)
    found = estimate_light(picture.rgb, everywhere, camera, MODEL, vertices).coefficients.mean(1)[[3, 1, 2]]
    aside = np.degrees(np.arctan2(found[1], found[0]) - np.arctan2(way[1], way[0]))
    assert abs(aside) < 8
    assert found[2] > 0  # how far in front is hard to tell from light everywhere: all that is seen faces forward


def test_where_no_skin_is_seen_the_light_is_even(photo) -> None:  # type: ignore[no-untyped-def]
    camera = Camera.portrait(0.0, 0.0, 480)
    nothing = np.zeros(photo.pixels.shape[:2], np.float32)
    light = estimate_light(photo.pixels, nothing, camera, MODEL, MODEL.rest())
    np.testing.assert_array_equal(light.coefficients, even_light().coefficients)


def test_stages_of_other_seeds_are_other_people() -> None:
    skins = [Stage.of(MODEL, 1, seed).skins[0].materials["skin"].texture for seed in (1, 1, 2)]
    values = [skin.texels.values for skin in skins if skin is not None]
    assert np.array_equal(values[0], values[1]) and not np.array_equal(values[0], values[2])

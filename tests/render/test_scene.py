from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headform.errors import BadInput
from headform.render import Camera, Light, Material, Scene, Strands, Surface, contact_sheet, render

WHITE = Material((1, 1, 1), unlit=True)


def test_an_empty_scene_is_clear_or_its_background(flat_camera: Camera) -> None:
    picture = render(Scene(), flat_camera)
    assert picture.rgba.shape == (64, 64, 4) and not picture.rgba.any()
    assert np.isinf(picture.depth).all() and (picture.surface == -1).all() and (picture.triangle == -1).all()
    assert (render(Scene(background=(1, 0.5, 0)), flat_camera).rgba == (255, 128, 0, 255)).all()
    photo = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    np.testing.assert_array_equal(render(Scene(background=photo), flat_camera).rgb, photo)
    empty = Surface(np.zeros((0, 3)), np.zeros((0, 3), int))
    hairless = Strands(np.zeros((0, 5, 3)), np.zeros((0, 3)))
    assert not render(Scene((empty,), (hairless,)), flat_camera).rgba.any()


def test_edges_have_the_alpha_of_what_they_cover(flat_camera: Camera) -> None:
    """A square of 20.5 × 20.5 pixels from the middle: half of its last column is covered."""
    corners = np.array([(-0.1, -0.1, 0), (0.105, -0.1, 0), (0.105, 0.1, 0), (-0.1, 0.1, 0)])
    surface = Surface(corners, np.array([(0, 1, 2), (0, 2, 3)]), WHITE)
    rgba = render(Scene((surface,)), flat_camera, 4).rgba
    # the picture's middle lies between pixels 31 and 32, and 10.5 pixels on we are half way through pixel 42
    assert rgba[32, 41, 3] == 255 and rgba[32, 42, 3] == 128 and rgba[32, 43, 3] == 0
    assert (rgba[rgba[..., 3] > 0][:, :3] == 255).all()  # straight: the colour is not darkened by alpha
    half = render(Scene((surface,), background=(0, 0, 0)), flat_camera, 4).rgba[32, 42]
    assert half.tolist() == [188, 188, 188, 255]  # half the light, as sRGB


def test_a_picture_names_its_surfaces_and_triangles(square: Any, flat_camera: Camera) -> None:
    scene = Scene((square(-0.1, 0.3, material=WHITE), square(0.1, 0.1, material=WHITE)))
    picture = render(scene, flat_camera, 2)
    assert picture.surface[32, 32] == 1 and picture.surface[32, 5] == 0 and picture.surface[0, 0] == -1
    assert picture.triangle[40, 33] == 0 and picture.triangle[24, 30] == 1
    np.testing.assert_allclose(picture.depth[[32, 32], [32, 5]], [0.9, 1.1], rtol=1e-5)


def test_supersampling_keeps_everything_in_place(ball: Any) -> None:
    camera = Camera.portrait(0.3, 0.1, 64, target=(0, 0, 0), distance=0.6, field_of_view=0.5)
    scene = Scene((Surface(ball[0], ball[1]),))
    means = []
    for factor in (1, 2, 3, 4):
        alpha = render(scene, camera, factor).rgba[..., 3].astype(float)
        means.append((np.indices(alpha.shape) * alpha).sum((1, 2)) / alpha.sum())
    np.testing.assert_allclose(means, np.broadcast_to(means[-1], (4, 2)), atol=0.05)


def test_only_whole_supersamples_are_taken(flat_camera: Camera) -> None:
    for factor in (0, 9, 1.5):
        with pytest.raises(BadInput):
            render(Scene(), flat_camera, factor)  # type: ignore[arg-type]


def test_a_background_of_the_wrong_size_is_refused(flat_camera: Camera) -> None:
    with pytest.raises(BadInput, match="background"):
        render(Scene(background=np.zeros((3, 3, 3), np.uint8)), flat_camera)


def test_a_scene_renders_the_same_twice(ball: Any) -> None:
    camera = Camera.portrait(0.3, 0.1, 96, target=(0, 0, 0), distance=0.6)
    scene = Scene((Surface(ball[0], ball[1], Material(subsurface=0.5)),), light=Light.of(ambient=0.4))
    assert render(scene, camera).rgba.tobytes() == render(scene, camera).rgba.tobytes()


def test_pictures_are_saved_with_their_alpha(ball: Any, tmp_path: Path) -> None:
    camera = Camera.portrait(0, 0, 48, target=(0, 0, 0), distance=0.6)
    for background, mode in ((None, "RGBA"), ((1, 1, 1), "RGB")):
        picture = render(Scene((Surface(ball[0], ball[1]),), background=background), camera)
        picture.save(tmp_path / "head.png")
        with Image.open(tmp_path / "head.png") as image:
            assert image.mode == mode
            np.testing.assert_array_equal(np.asarray(image), picture.rgba[..., : len(mode)])


def test_a_sheet_lays_pictures_out_in_rows(flat_camera: Camera) -> None:
    clear = render(Scene(), flat_camera)
    red = np.full((64, 64, 3), (255, 0, 0), np.uint8)
    sheet = contact_sheet([red, clear, red], columns=2, margin=4, captions=("one", "two"), paper=(0, 0, 255))
    assert sheet.shape == (2 * (64 + 4 + 16) + 4, 2 * 68 + 4, 3)
    assert sheet[4, 4].tolist() == [255, 0, 0] and sheet[4, 72].tolist() == [0, 0, 255]
    assert sheet[4 + 84, 4].tolist() == [255, 0, 0] and sheet[4 + 84, 72].tolist() == [0, 0, 255]
    caption = sheet[68:84, 4:72]
    assert (caption[..., 0] > 128).any() and not caption[..., 0].all()
    with pytest.raises(BadInput):
        contact_sheet([])

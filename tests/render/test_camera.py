from __future__ import annotations

import numpy as np
import pytest

from headform.errors import BadInput
from headform.render import Camera


def test_the_example_of_the_convention_holds() -> None:
    camera = Camera(
        np.array([[500, 0, 255.5], [0, 500, 255.5], [0, 0, 1]]),
        np.diag([1.0, -1, -1]),
        np.array([0, 0, 1.0]),
        512,
        512,
    )
    pixels, depth = camera.project([[0.01, 0, 0], [0, 0.02, 0.5]])
    np.testing.assert_allclose(pixels, [[260.5, 255.5], [255.5, 235.5]])
    np.testing.assert_allclose(depth, [1, 0.5])


def test_a_portrait_from_the_left_shows_the_left_ear() -> None:
    camera = Camera.portrait(np.pi / 2, 0, 101, target=(0, 0, 0), distance=2.0, field_of_view=np.pi / 2)
    np.testing.assert_allclose(camera.position, [2, 0, 0], atol=1e-12)
    pixels, depth = camera.project([[0, 0, 1], [0, 1, 0], [0.5, 0, 0]])
    # seen from the person's left, the nose (+Z) points to the left of the picture; focal length 50.5 px
    np.testing.assert_allclose(pixels, [[50 - 25.25, 50], [50, 50 - 25.25], [50, 50]], atol=1e-9)
    np.testing.assert_allclose(depth, [2, 2, 1.5])


def test_pitch_lifts_the_camera() -> None:
    assert Camera.portrait(0, 0.3).position[1] > Camera.portrait(0, 0).position[1] + 0.2


def test_an_orthographic_camera_ignores_distance() -> None:
    camera = Camera.parallel(size=(40, 20), extent=0.2, target=(0, 0, 0), distance=3)
    pixels, depth = camera.project([[0.01, 0.02, 0], [0.01, 0.02, 0.5]])
    np.testing.assert_allclose(pixels, [[20.5, 7.5], [20.5, 7.5]])
    np.testing.assert_allclose(depth, [3, 2.5])


def test_what_is_behind_has_no_pixel() -> None:
    pixels, _ = Camera.portrait(distance=1.0).project([[0, 0, 2.0]])
    assert np.isnan(pixels).all()


@pytest.mark.parametrize("camera", [Camera.portrait(0.4, -0.2, (30, 20)), Camera.parallel(0.4, -0.2, (30, 20))])
def test_rays_come_back_to_their_pixels(camera: Camera) -> None:
    origins, directions = camera.rays()
    pixels, depth = camera.project(origins + 1.3 * directions)
    np.testing.assert_allclose(pixels[..., 0], np.arange(30)[None].repeat(20, 0), atol=1e-8)
    np.testing.assert_allclose(pixels[..., 1], np.arange(20)[:, None].repeat(30, 1), atol=1e-8)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=-1), 1)
    assert (depth > 0).all()


def test_a_finer_camera_sees_the_mean_of_its_pixels_in_the_coarse_one() -> None:
    camera = Camera.portrait(0.2, 0.1, 64)
    point = [[0.03, 0.05, 0.07]]
    coarse, fine = camera.project(point)[0], camera.scaled(3).project(point)[0]
    np.testing.assert_allclose(fine, 3 * coarse + 1)  # samples 0, 1, 2 lie in pixel 0, whose centre is sample 1
    assert camera.scaled(3).width == 192


@pytest.mark.parametrize(
    "change",
    [{"width": 0}, {"height": 20000}, {"rotation": np.full((3, 3), np.nan)}, {"translation": np.zeros(2)}],
)
def test_impossible_cameras_are_refused(change: dict[str, object]) -> None:
    good = {"matrix": np.eye(3), "rotation": np.eye(3), "translation": np.zeros(3), "width": 4, "height": 4}
    with pytest.raises(BadInput):
        Camera(**{**good, **change})  # type: ignore[arg-type]


def test_looking_along_up_is_refused() -> None:
    with pytest.raises(BadInput, match="up direction"):
        Camera.look_at((0, 1, 0), (0, 0, 0))

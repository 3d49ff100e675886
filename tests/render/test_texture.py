from __future__ import annotations

import numpy as np
import pytest

from headform.errors import BadInput
from headform.render import Texture
from headform.render.colour import LINEAR, SRGB, STEPS, to_linear, to_srgb
from headform.render.texture import ONE, sample


def test_every_byte_survives_linear_light() -> None:
    back = SRGB[np.rint(LINEAR.astype(float) * STEPS).astype(int)]
    np.testing.assert_array_equal(back, np.arange(256))
    np.testing.assert_allclose(to_linear(0.5), 0.2140411, rtol=1e-6)  # IEC 61966-2-1
    np.testing.assert_allclose(to_srgb(0.2140411), 0.5, rtol=1e-6)


def test_texel_centres_give_texels_and_v_points_up() -> None:
    image = np.zeros((2, 4, 3), np.uint8)
    image[0, 0] = (255, 0, 0)
    image[1, 3] = (0, 255, 0)
    texels = Texture.colour(image).texels
    np.testing.assert_allclose(sample(*texels, 0.125, 0.75, 0.0), (1, 0, 0, 1), atol=1e-6)
    np.testing.assert_allclose(sample(*texels, 0.875, 0.25, 0.0), (0, 1, 0, 1), atol=1e-6)
    np.testing.assert_allclose(sample(*texels, -3.0, 9.0, 0.0), (1, 0, 0, 1), atol=1e-6)  # the border goes on
    np.testing.assert_allclose(sample(*texels, 0.25, 0.75, 0.0), (0.5, 0, 0, 1), atol=1e-4)  # between two


def test_the_chain_averages_in_linear_light() -> None:
    board = np.indices((16, 16)).sum(0) % 2 * 255
    texels = Texture.colour(np.repeat(board[..., None], 3, 2).astype(np.uint8)).texels
    assert texels.width.tolist() == [16, 8, 4, 2, 1]
    for level in (1.0, 2.0, 4.0, 99.0):
        np.testing.assert_allclose(sample(*texels, 0.3, 0.6, level)[:3], 0.5, atol=1e-4)


def test_transparent_texels_do_not_bleed_their_colour() -> None:
    image = np.zeros((2, 2, 4), np.uint8)
    image[0, 0] = (255, 255, 255, 255)
    red, _, _, alpha = sample(*Texture.colour(image).texels, 0.5, 0.5, 1.0)
    np.testing.assert_allclose((red, alpha), (1, 0.25), atol=1e-4)


def test_odd_sizes_shrink_to_one_pixel() -> None:
    texels = Texture.colour(np.full((5, 3, 3), 200, np.uint8)).texels
    assert texels.height.tolist() == [5, 3, 2, 1] and texels.width.tolist() == [3, 2, 1, 1]
    np.testing.assert_allclose(texels.values[:, 0], LINEAR[200] * ONE, atol=0.5)


def test_the_middle_of_a_normal_map_is_flat() -> None:
    for flat in (np.full((2, 2, 3), (128, 128, 255), np.uint8), np.full((2, 2, 3), (0.5, 0.5, 1.0))):
        assert sample(*Texture.normals(flat).texels, 0.5, 0.5, 0.0)[:2] == (0, 0)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4)),
        np.zeros((4, 4, 2)),
        np.zeros((0, 4, 3)),
        np.zeros((4, 4, 3), int),
        np.full((1, 1, 3), np.nan),
    ],
)
def test_what_is_no_image_is_refused(image: np.ndarray) -> None:
    with pytest.raises(BadInput):
        Texture.colour(image)

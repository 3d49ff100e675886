"""Photos of even colours in flat textures: what comes out can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from headform.skin.albedo import linear_from_srgb
from headform.skin.bake import DARK, STEP, UNIT, brightness, joined, photo_in_texture

SIZE = 64
SQUARE = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
EDGES = np.array([[-0.5, -0.5], [SIZE - 0.5, -0.5], [SIZE - 0.5, SIZE - 0.5], [-0.5, SIZE - 0.5]])
CORNERS = EDGES[SQUARE]


def baked(
    picture: np.ndarray, shade: float = 1.0, trust: np.ndarray | None = None, pixel: np.ndarray = EDGES
) -> np.ndarray:
    log_shade = np.full((4, 3), np.log(shade), np.float32)
    sure = np.ones((16, 16), np.float32) if trust is None else trust
    return photo_in_texture(CORNERS, SQUARE, pixel, log_shade, sure, picture, SIZE)


def grey(value: int, size: int = SIZE) -> np.ndarray:
    return np.full((size, size, 3), value, np.uint8)


@pytest.mark.parametrize(("value", "shade"), [(200, 1.0), (120, 0.5), (30, 1.7), (255, 0.2)])
def test_colours_are_divided_by_their_shade(value: int, shade: float) -> None:
    """In logarithms: log reflectance is log colour less log shade, to a few of 3500 steps a unit."""
    expected = np.log(linear_from_srgb(np.array(value))) - np.log(shade)
    found = baked(grey(value), shade) * STEP
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_the_darkest_and_the_brightest_fit_into_shorts() -> None:
    for value, shade in ((0, 0.01), (0, 4.0), (255, 0.001), (255, 4.0)):
        expected = np.log(max(float(linear_from_srgb(np.array(value))), DARK)) - np.log(shade)
        assert abs(expected) * UNIT < 2**15
        np.testing.assert_allclose(baked(grey(value), shade) * STEP, expected, atol=0.01)


def test_pixels_land_where_they_belong() -> None:
    """Same grid, same picture; half of it stretched over the whole; and turned upside down."""
    picture = np.random.default_rng(0).integers(60, 200, (SIZE, SIZE, 3)).astype(np.uint8)
    log = np.log(linear_from_srgb(picture))
    np.testing.assert_allclose(baked(picture) * STEP, log, atol=0.02)
    upside_down = EDGES * [1, -1] + [0, SIZE - 1]
    np.testing.assert_allclose(baked(picture, pixel=upside_down) * STEP, log[::-1], atol=0.02)
    ramp = np.repeat(np.arange(SIZE, dtype=np.uint8)[None, :, None] + 100, SIZE, 0).repeat(3, 2)
    half = baked(ramp, pixel=EDGES / 2)
    expected = np.log(linear_from_srgb(100 + (np.arange(SIZE) - 0.0) / 2))
    np.testing.assert_allclose(half[20, 4:-4, 0] * STEP, expected[4:-4], atol=0.01)


def test_beyond_the_photo_its_border_goes_on() -> None:
    far = EDGES + np.array([1000, -500])
    picture = grey(100)
    picture[0, -1] = 180
    np.testing.assert_allclose(baked(picture, pixel=far) * STEP, np.log(linear_from_srgb(np.array(180))), atol=0.01)


def test_what_is_not_trusted_is_not_looked_up() -> None:
    trust = np.zeros((16, 16), np.float32)
    trust[:, :8] = 1
    found = baked(grey(120), trust=trust)
    assert found[:, : SIZE // 2 - 4].all() and not found[:, SIZE // 2 + 4 :].any()


def constant(value: float, size: int = 16) -> np.ndarray:
    return np.full((size, size, 3), value, np.float32)


def colour_of(log: float) -> float:
    linear = np.exp(log)
    return float(255 * (12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055))


def test_where_nothing_is_seen_the_base_shows() -> None:
    nothing, none = np.zeros((SIZE, SIZE, 3), np.int16), np.zeros((16, 16), np.float32)
    for log in (-5.0, -1.2, -0.1, 0.5):
        out = joined(nothing, none, constant(0), constant(log), constant(0))
        np.testing.assert_allclose(out, colour_of(min(log, 0)), atol=0.6)


def test_where_it_is_seen_the_photo_shows_without_its_shine() -> None:
    found = np.full((SIZE, SIZE, 3), round(-0.8 * UNIT), np.int16)
    out = joined(found, np.ones((16, 16), np.float32), constant(0.3), constant(-4), constant(0))
    np.testing.assert_allclose(out, colour_of(-1.1), atol=0.6)


def test_half_trust_is_half_way_in_logarithms() -> None:
    """Both sides are trusted alike, and plain skin is the same: the other side says the same, with half the weight."""
    found = np.full((SIZE, SIZE, 3), round(-1.0 * UNIT), np.int16)
    out = joined(found, np.full((16, 16), 0.5, np.float32), constant(0), constant(-3), constant(0))
    other = -3 + 0.5**2 * (-1 + 3)
    np.testing.assert_allclose(out, colour_of(other + 0.5 * (-1 - other)), atol=0.6)


def test_the_other_side_is_laid_on_the_plain_skin_of_this_one() -> None:
    """A mole on the right, by 0.7 darker than the plain skin there, is by 0.7 darker than that of the left."""
    plain = constant(-0.5)
    plain[:, 8:] = -1.0  # the right half is darker
    trust = np.zeros((16, 16), np.float32)
    trust[:, 8:] = 1
    found = np.zeros((SIZE, SIZE, 3), np.int16)
    found[:, SIZE // 2 :] = round(-1.0 * UNIT)
    found[30:34, 50:54] = round(-1.7 * UNIT)
    out = joined(found, trust, constant(0), constant(-3), plain)
    assert out[10, 60, 0] == pytest.approx(colour_of(-1.0), abs=1)
    assert out[10, 3, 0] == pytest.approx(colour_of(-0.5), abs=1)
    assert out[32, 52, 0] == pytest.approx(colour_of(-1.7), abs=1)
    assert out[32, SIZE - 1 - 52, 0] == pytest.approx(colour_of(-1.2), abs=1)


def test_brightness_is_the_mean_luminance() -> None:
    found = np.random.default_rng(0).integers(-9000, 0, (SIZE, SIZE, 3)).astype(np.int16)
    expected = (found * STEP @ np.array([0.3, 0.6, 0.1])).reshape(16, 4, 16, 4).mean((1, 3))
    np.testing.assert_allclose(brightness(found, 16), expected, atol=1e-4)

import numpy as np
import pytest

from headform.errors import BadInput
from headform.skin.eyes import ANCESTRIES, IRIS_COLOURS, IRIS_SHEET, PUPIL_SHARE, draw_iris_colour, paint_eye

SIZE = 256


def ring(picture, low, high):
    """Pixels whose distance from the middle is between two shares of the iris radius."""
    row, column = np.mgrid[:SIZE, :SIZE]
    away = np.hypot(column + 0.5 - SIZE / 2, row + 0.5 - SIZE / 2) / SIZE / IRIS_SHEET
    return picture[(away >= low) & (away < high)].astype(float)


@pytest.mark.parametrize("name", IRIS_COLOURS)
def test_anatomy(name):
    picture = paint_eye(name, SIZE, seed=3)
    assert picture.shape == (SIZE, SIZE, 3) and picture.dtype == np.uint8
    pupil, zone = ring(picture, 0, 0.8 * PUPIL_SHARE), ring(picture, 0.6, 0.75)
    limbal, white = ring(picture, 0.90, 0.95), ring(picture, 1.1, 1.2)
    assert pupil.mean() < 12
    assert pupil.mean() < limbal.mean() < zone.mean() < white.mean()
    assert (zone.std(0) / zone.mean(0)).min() > 0.08  # fibres, not a flat disc


def test_sclera_is_warm_and_not_white():
    white = ring(paint_eye("brown", SIZE), 1.12, 1.4)
    red, _, blue = np.percentile(white, 95, axis=0)
    assert red < 240 and blue < red


def test_colours_look_like_their_names():
    hue = {name: ring(paint_eye(name, SIZE), 0.62, 0.8).mean(0) for name in IRIS_COLOURS}
    assert hue["blue"][2] > hue["blue"][0] + 25
    assert hue["green"][1] == hue["green"].max()
    assert hue["brown"][0] > hue["brown"][2] + 25
    assert hue["dark brown"].mean() < hue["brown"].mean() < hue["amber"].mean()


def test_seed_makes_another_eye_and_the_same_again():
    assert np.array_equal(paint_eye("hazel", SIZE, 1), paint_eye("hazel", SIZE, 1))
    assert not np.array_equal(paint_eye("hazel", SIZE, 1), paint_eye("hazel", SIZE, 2))


def test_no_seam_where_the_angle_wraps():
    picture = paint_eye("blue", SIZE, seed=5).astype(float)
    left = picture[:, : SIZE // 2 - 60]  # the angle jumps from −π to π between the two middle rows
    jump = np.abs(np.diff(left, axis=0)).mean((1, 2))
    assert jump[SIZE // 2 - 1] < 2 * np.median(jump[SIZE // 2 - 20 : SIZE // 2 + 20]) + 1


def test_shares_sum_to_one():
    assert np.allclose(np.sum([c.share for c in IRIS_COLOURS.values()], axis=0), np.ones(len(ANCESTRIES)))


def test_drawn_colours_are_as_common_as_the_table_says():
    drawn = [draw_iris_colour((0, 0, 1), seed) for seed in range(600)]
    share = IRIS_COLOURS["brown"].share[2]
    assert abs(drawn.count("brown") / 600 - share) < 4 * np.sqrt(share * (1 - share) / 600)


def test_unknown_colour_and_ancestry():
    with pytest.raises(BadInput, match="hazel"):
        paint_eye("purple")
    with pytest.raises(BadInput, match="three weights"):
        draw_iris_colour((0, 0, 0))

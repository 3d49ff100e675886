import numpy as np

from headform.skin.lashes import LOWER_BAND, ROOT, UPPER_BAND, paint_lashes

SIZE = (256, 1024)


def band(sheet, limits, low, high):
    """Alpha, 0 to 1, between two shares of a band's height."""
    start, end = (limits[0] + (limits[1] - limits[0]) * share for share in (low, high))
    return sheet[round((1 - end) * SIZE[0]) : round((1 - start) * SIZE[0]), :, 3] / 255


def test_nothing_grows_under_the_lid_or_into_the_next_band():
    sheet = paint_lashes(SIZE, seed=1)
    assert sheet.shape == (*SIZE, 4) and sheet.dtype == np.uint8
    for limits in (UPPER_BAND, LOWER_BAND):
        assert band(sheet, limits, 0, 0.4 * ROOT).max() < 0.03
        assert band(sheet, limits, 0.98, 1).mean() < 0.01


def test_hairs_taper_and_thin_out():
    sheet = paint_lashes(SIZE, seed=1)
    for limits in (UPPER_BAND, LOWER_BAND):
        cover = [band(sheet, limits, low, low + 0.1).mean() for low in (0.12, 0.3, 0.5, 0.7)]
        assert cover[0] > 0.1
        assert (np.diff(cover) < 0).all()


def test_longer_outwards_than_at_the_nose():
    tall = (band(paint_lashes(SIZE, seed=4), UPPER_BAND, 0, 1) > 0.3).any(1)
    sheet = band(paint_lashes(SIZE, seed=4), UPPER_BAND, 0, 1) > 0.3
    assert tall.any()
    top = [np.flatnonzero(sheet[:, a : a + 100].any(1))[0] for a in (20, 700)]
    assert top[1] < top[0] - 20  # rows count from the tips


def test_edge_is_soft_and_the_colour_dark_everywhere():
    sheet = paint_lashes(SIZE, seed=0)
    alpha = sheet[..., 3]
    assert ((alpha > 20) & (alpha < 235)).sum() > 0.3 * (alpha >= 235).sum()
    assert sheet[..., :3].max() < 90


def test_same_seed_same_lashes():
    assert np.array_equal(paint_lashes(SIZE, 7), paint_lashes(SIZE, 7))
    assert not np.array_equal(paint_lashes(SIZE, 7), paint_lashes(SIZE, 8))

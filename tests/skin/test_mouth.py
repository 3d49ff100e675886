import numpy as np
import pytest

from headform.skin.mouth import (
    CROWN_TOP,
    GUMS_LOWER,
    GUMS_UPPER,
    TEETH_LOWER,
    TEETH_PER_ARCH,
    TEETH_UPPER,
    TONGUE_BELOW,
    TONGUE_TOP,
    paint_mouth,
)

SIZE = 512
BOXES = (GUMS_UPPER, GUMS_LOWER, TEETH_UPPER, TEETH_LOWER, TONGUE_TOP, TONGUE_BELOW)


@pytest.fixture(scope="module")
def sheet():
    return paint_mouth(SIZE, seed=2)


def cut(sheet, box):
    left, bottom, right, top = box
    rows = slice(round((1 - top) * SIZE), round((1 - bottom) * SIZE))
    return sheet[rows, round(left * SIZE) : round(right * SIZE)]


def part(sheet, arch, order, low, high):
    """Lip side of a crown between two shares of its height."""
    left, bottom, right, top = arch
    wide, tall = (right - left) / TEETH_PER_ARCH, (top - bottom) * CROWN_TOP
    x = left + (order + 0.5) * wide
    box = (x - 0.12 * wide, bottom + low * tall, x + 0.12 * wide, bottom + high * tall)
    return cut(sheet, box).astype(float)


def test_boxes_do_not_overlap():
    for i, a in enumerate(BOXES):
        for b in BOXES[:i]:
            assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3]


def test_teeth_are_ivory_and_yellower_at_the_neck(sheet):
    for arch in (TEETH_UPPER, TEETH_LOWER):
        for order in range(TEETH_PER_ARCH):
            body, neck = (part(sheet, arch, order, *s).mean((0, 1)) for s in ((0.5, 0.7), (0.22, 0.34)))
            assert body[0] > body[1] > body[2] > 130
            assert body.max() < 240
            assert neck.mean() < body.mean()
            assert neck[0] / neck[2] > body[0] / body[2]


def test_front_teeth_end_translucent(sheet):
    for order in (6, 7):
        body, edge = (part(sheet, TEETH_UPPER, order, *s).mean((0, 1)) for s in ((0.5, 0.65), (0.95, 1.0)))
        assert edge[2] / edge[0] > body[2] / body[0] + 0.02


def test_gums_and_tongue_are_pink_and_not_flat(sheet):
    for box in (GUMS_UPPER, GUMS_LOWER, TONGUE_TOP, TONGUE_BELOW):
        inside = cut(sheet, box).astype(float)
        red, green, blue = inside.mean((0, 1))
        assert red > 1.3 * green and red > 1.3 * blue
        assert inside.std((0, 1)).min() > 3


def test_tongue_has_a_groove(sheet):
    inside = cut(sheet, TONGUE_TOP).astype(float).mean(2)
    tall, wide = inside.shape
    band = inside[:, wide // 3 : wide // 2].mean(1)
    assert band[tall // 2 - 1 : tall // 2 + 2].mean() < band[tall // 3 - 5 : tall // 3 + 5].mean() - 8


def test_tone_and_seed():
    assert np.array_equal(paint_mouth(128, 1), paint_mouth(128, 1))
    tones = (230, 222, 205), (200, 180, 140)
    light, dark = (cut(paint_mouth(SIZE, 0, t), TEETH_UPPER).mean() for t in tones)
    assert light > dark + 20

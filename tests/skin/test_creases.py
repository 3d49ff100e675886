"""Dark lines on even skin become grooves, where the photo is sharp and trusted."""

from __future__ import annotations

import numpy as np
import pytest

from headform.skin.atlas import SKIN, atlas
from headform.skin.bake import UNIT
from headform.skin.creases import HIGHEST, LOWEST, SIZE, normals_of, plain_relief
from headform.skin.regions import regions
from headform.skin.seen import COARSE

SURE = np.ones((COARSE, COARSE), np.float32)
NOTHING = np.zeros((SIZE, SIZE, 3), np.int16)


def vectors(normal: np.ndarray) -> np.ndarray:
    return (normal.astype(float) - 128) / 127


def forehead() -> tuple[int, int]:
    """Row and column of a place on the forehead in the texture of SIZE, on plain skin and off the middle."""
    at = atlas(COARSE)
    off = np.linalg.norm(at.position - [0.02, 0.1, 0.11], axis=1)
    off[at.inside != SKIN] = 9
    texel = at.texel[off.argmin()]
    return int(texel // COARSE) * 2, int(texel % COARSE) * 2


def with_line(depth: float) -> np.ndarray:
    """Even skin, and across the forehead a dark line, of so many log units, five texels high."""
    row, column = forehead()
    found = np.full((SIZE, SIZE, 3), round(-1.0 * UNIT), np.int16)
    found[row - 2 : row + 3, column - 60 : column + 60] -= round(depth * UNIT)
    return found


def test_the_forehead_is_plain_skin() -> None:
    row, column = forehead()
    at = atlas(COARSE)
    index = np.flatnonzero(at.texel == row // 2 * COARSE + column // 2)[0]
    assert regions(COARSE).lips[index] > 10 and regions(COARSE).eye[index] > 10


@pytest.mark.parametrize("size", [1024, 2048])
def test_normals_have_length_one_in_every_size(size: int) -> None:
    block = size // SIZE
    found = np.repeat(np.repeat(with_line(0.3), block, 0), block, 1)
    normal = normals_of(found, SURE, 1.0, size)
    assert normal.shape == (size, size, 3) and normal.dtype == np.uint8
    assert np.percentile(np.abs(np.linalg.norm(vectors(normal), axis=-1) - 1), 99.9) < 0.03


def test_a_dark_line_is_a_groove() -> None:
    """OpenGL: green is +v, up. Above a groove's middle the surface faces down into it, below it faces up."""
    row, column = forehead()
    up = vectors(normals_of(with_line(0.15), SURE, 1.0, SIZE))[..., 1]
    even = vectors(normals_of(with_line(0.0), SURE, 1.0, SIZE))[..., 1]
    across = slice(column - 20, column + 20)
    tilt = (up - even)[:, across].mean(1)
    assert tilt[row - 3] < -0.03 and tilt[row + 3] > 0.03
    assert abs(tilt[row]) < 0.5 * abs(tilt[row - 3])
    np.testing.assert_allclose(tilt[row - 3], -tilt[row + 3], atol=0.05)


@pytest.mark.parametrize(("trust", "sharpness"), [(0.0, 1.0), (1.0, 0.0)])
def test_what_is_not_seen_sharply_carves_nothing(trust: float, sharpness: float) -> None:
    plain = normals_of(NOTHING, np.zeros_like(SURE), 1.0, SIZE)
    np.testing.assert_array_equal(normals_of(with_line(0.3), trust * SURE, sharpness, SIZE), plain)


def test_even_skin_is_smoother_than_skin_not_seen() -> None:
    """Where the photo shows that there is no relief, most of the painted one goes."""
    row, column = forehead()
    here = (slice(row - 40, row + 40), slice(column - 40, column + 40))
    seen = vectors(normals_of(with_line(0.0), SURE, 1.0, SIZE))[here]
    unseen = vectors(normals_of(NOTHING, np.zeros_like(SURE), 1.0, SIZE))[here]
    assert seen[..., :2].std() < 0.5 * unseen[..., :2].std()


def test_blackness_is_colour_not_depth() -> None:
    """Beyond a little, darker is not deeper: a mole does not become a pit."""
    row, column = forehead()
    steep = [np.abs(vectors(normals_of(with_line(d), SURE, 1.0, SIZE))[row - 3, column, 1]) for d in (0.4, 1.5, 3.0)]
    assert steep[2] < 2.5 * steep[0] and steep[2] < 0.9


def test_the_relief_that_all_skin_has_is_shallow() -> None:
    relief = plain_relief()
    assert relief.shape == (SIZE, SIZE) and relief.min() >= LOWEST and relief.max() <= HIGHEST
    assert 0.001 < relief.std() < 0.2

"""The atlas as texels, its gutters and its scale."""

import numpy as np

from headform.skin.atlas import SkinMesh, lay_out, subdivide, subdivide_corners


def square() -> SkinMesh:
    """A flat square of 0.2 × 0.1 metres that covers the middle of the atlas."""
    points = np.array([[0, 0, 0], [0.2, 0, 0], [0.2, 0.1, 0], [0, 0.1, 0]], np.float32)
    quads = np.array([[0, 1, 2, 3]])
    uv = np.array([[[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]]], np.float32)
    finer, pieces = subdivide(points, quads)
    return SkinMesh(finer, pieces, subdivide_corners(uv), np.zeros(4, np.uint8))


def test_subdivision_cuts_in_four() -> None:
    mesh = square()
    assert len(mesh.points) == 4 + 4 + 1 and len(mesh.quads) == 4
    assert np.allclose(mesh.points[-1], [0.1, 0.05, 0])
    assert np.allclose(np.sort(mesh.points[mesh.quads].mean(1)[:, 0]), [0.05, 0.05, 0.15, 0.15])


def test_texels_know_their_place_and_scale() -> None:
    at = lay_out(square(), 64)
    assert len(at.texel) == 32 * 32
    row, column = at.texel // 64, at.texel % 64
    assert np.allclose(at.position[:, 0], ((column + 0.5) / 64 - 0.25) / 0.5 * 0.2, atol=1e-6)
    assert np.allclose(at.position[:, 1], (0.75 - (row + 0.5) / 64) / 0.5 * 0.1, atol=1e-6)  # row 0 is v = 1
    assert np.allclose(at.scale, [0.2 / 32, 0.1 / 32])


def test_gutters_take_the_nearest_texel() -> None:
    at = lay_out(square(), 64)
    columns = at.image((at.texel % 64).astype(np.float32))
    assert np.array_equal(columns[30], np.clip(np.arange(64), 16, 47))
    assert columns[0, 0] == 16 and columns[63, 63] == 47


def test_spread_interpolates() -> None:
    mesh = square()
    at = lay_out(mesh, 64)
    assert np.allclose(at.spread(mesh.points), at.position, atol=1e-7)

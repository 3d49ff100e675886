from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headform.errors import BadInput
from headform.render import Camera, rasterise, visible


def test_barycentrics_and_depth_are_those_of_the_ray(flat_camera: Camera) -> None:
    """The oracle: intersect each pixel's ray with the plane of the triangle."""
    camera = Camera.portrait(0.3, 0.2, 96, target=(0, 0, 0), distance=0.6, field_of_view=0.8)
    corners = np.array([(-0.2, -0.15, 0.2), (0.2, -0.1, -0.25), (0.0, 0.2, 0.1)])
    for view in (camera, flat_camera):
        raster = rasterise(corners, [(0, 1, 2)], view)
        seen = raster.covered
        assert seen.sum() > 300
        origins, directions = view.rays()
        matrix = np.stack(
            [
                np.broadcast_to(corners[1] - corners[0], origins.shape),
                np.broadcast_to(corners[2] - corners[0], origins.shape),
                -directions,
            ],
            -1,
        )
        second, third, distance = np.moveaxis(np.linalg.solve(matrix, (origins - corners[0])[..., None])[..., 0], -1, 0)
        expected = np.stack([1 - second - third, second, third], -1)
        np.testing.assert_array_equal(seen, (expected > 0).all(-1))
        np.testing.assert_allclose(raster.barycentric[seen], expected[seen], atol=1e-5)
        depth = view.project(origins + distance[..., None] * directions)[1]
        np.testing.assert_allclose(raster.depth[seen], depth[seen], rtol=1e-5)
        assert np.isinf(raster.depth[~seen]).all() and not raster.barycentric[~seen].any()


@pytest.mark.parametrize("seed", range(6))
def test_a_closed_ball_has_no_cracks(ball: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vertices, triangles, _ = ball
    eye = rng.normal(size=3)
    camera = Camera.look_at(
        0.5 * eye / np.linalg.norm(eye),
        rng.normal(0, 0.005, 3),
        up=rng.normal(size=3),
        width=160,
        height=160,
        field_of_view=0.5,
    )
    origins, directions = camera.rays()
    # rays that pass well inside the ball: its facets are at most r (1 − cos(π/48)²) inside the sphere
    nearest = np.linalg.norm(np.cross(origins, directions), axis=-1)
    inside = nearest < 0.1 * np.cos(np.pi / 48) ** 2 - 0.001
    assert inside.sum() > 5000
    raster = rasterise(vertices, triangles, camera)
    assert raster.covered[inside].all()
    assert not raster.covered[nearest > 0.1].any()
    front = rasterise(vertices, triangles, camera, cull=True)
    np.testing.assert_array_equal(front.triangle, raster.triangle)  # outside is counter-clockwise


def test_an_edge_through_pixel_centres_belongs_to_one_side(flat_camera: Camera) -> None:
    """Two halves of a square whose diagonal and sides go through pixel centres: each is drawn once."""
    steps = 2.0**-7  # exact in binary, like the camera below
    camera = Camera(
        np.array([[128.0, 0, 8], [0, 128.0, 8], [0, 0, 1]]), np.diag([1.0, -1, -1]), np.zeros(3), 17, 17, True
    )
    corners = np.array([(-4, -4, -1), (4, -4, -1), (4, 4, -1), (-4, 4, -1)]) * (steps, steps, 1)
    one, two = (rasterise(corners, [half], camera).covered for half in ((0, 1, 2), (0, 2, 3)))
    assert not (one & two).any()
    assert (one | two).sum() == 64  # 8 × 8: the top and left sides are in, the bottom and right ones out
    assert (one | two)[4, 4] and not (one | two)[12, 12]


def test_the_nearer_triangle_wins_in_any_order(flat_camera: Camera) -> None:
    corners = np.array([(-1, -1, 0), (1, -1, 0), (0, 1, 0), (-1, -1, 0.1), (1, -1, 0.1), (0, 1, 0.1)], float)
    assert (rasterise(corners, [(0, 1, 2), (3, 4, 5)], flat_camera).triangle[32] == 1).any()
    swapped = rasterise(corners, [(3, 4, 5), (0, 1, 2)], flat_camera).triangle
    assert set(np.unique(swapped)) == {-1, 0} or set(np.unique(swapped)) == {0}
    same = rasterise(corners, [(0, 1, 2), (0, 1, 2)], flat_camera).triangle
    assert same.max() == 0  # at the same depth the first row wins


def test_triangles_through_the_camera_are_cut_at_the_near_plane() -> None:
    camera = Camera.look_at((0, 0.1, 0), (0, 0.1, -1), width=65, height=65, field_of_view=np.pi / 2)
    ground = np.array([(-50, 0, 50), (50, 0, 50), (0, 0, -200)], float)
    raster = rasterise(ground, [(0, 1, 2)], camera)
    assert raster.covered[40:].all() and not raster.covered[:32].any()
    # a row y below the horizon sees the ground at 0.1 m · focal / (y − 32)
    np.testing.assert_allclose(raster.depth[[40, 60], 32], 0.1 * 32.5 / np.array([8, 28]), rtol=1e-4)
    behind = rasterise(ground + np.array([0, 0, 300]), [(0, 1, 2)], camera)
    assert not behind.covered.any()


def test_triangles_far_outside_the_picture_are_still_right(flat_camera: Camera) -> None:
    corners = np.array([(-1e6, -1e6, 0), (1e6, -1e6, 0), (0, 1e6, 0)])
    raster = rasterise(corners, [(0, 1, 2)], flat_camera)
    assert raster.covered.all()
    np.testing.assert_allclose(raster.depth, 1.0)


def test_the_same_input_gives_the_same_bytes(ball: Any) -> None:
    camera = Camera.portrait(0.5, 0.1, 128, target=(0, 0, 0), distance=0.5)
    one, two = (rasterise(ball[0], ball[1], camera) for _ in range(2))
    for name in ("triangle", "barycentric", "depth"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes()


def test_interpolated_positions_lie_on_the_rays(ball: Any) -> None:
    camera = Camera.portrait(0.5, 0.1, 64, target=(0, 0, 0), distance=0.6, field_of_view=0.5)
    raster = rasterise(ball[0], ball[1], camera)
    pixels, _ = camera.project(raster.interpolate(ball[0], ball[1]))
    row, column = np.nonzero(raster.covered)
    np.testing.assert_allclose(pixels[row, column], np.stack([column, row], -1), atol=0.02)


def test_half_of_a_ball_is_visible(ball: Any) -> None:
    camera = Camera.portrait(0, 0, 256, target=(0, 0, 0), distance=5, field_of_view=0.05)
    raster = rasterise(ball[0], ball[1], camera)
    # where z = 0.02 the ball falls off by 5 mm in a pixel of 1 mm
    seen = visible(ball[0], raster, camera, tolerance=0.005)
    assert seen[ball[0][:, 2] > 0.02].all()
    assert not seen[ball[0][:, 2] < -0.02].any()
    assert not visible([[0, 3.0, 0], [0, 0, 9.0]], raster, camera).any()  # out of the picture, behind the camera


def test_triangles_without_area_draw_nothing(flat_camera: Camera) -> None:
    corners = np.array([(0, 0, 0), (0.2, 0.2, 0), (0.1, 0.1, 0)], float)
    assert not rasterise(corners, [(0, 1, 2), (0, 0, 1), (2, 2, 2)], flat_camera).covered.any()
    assert not rasterise(np.zeros((0, 3)), np.zeros((0, 3), int), flat_camera).covered.any()


@pytest.mark.parametrize(
    ("vertices", "triangles", "message"),
    [
        (np.full((3, 3), np.nan), [(0, 1, 2)], "NaN"),
        (np.zeros((3, 3)), [(0, 1, 3)], "there are 3"),
        (np.zeros((3, 3)), [(0, 1, -1)], "there are 3"),
        (np.zeros((3, 2)), [(0, 1, 2)], r"\(V, 3\)"),
    ],
)
def test_broken_meshes_are_refused(vertices: Any, triangles: Any, message: str, flat_camera: Camera) -> None:
    with pytest.raises(BadInput, match=message):
        rasterise(vertices, triangles, flat_camera)

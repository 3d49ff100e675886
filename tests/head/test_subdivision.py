"""Catmull–Clark against values known by hand."""

from __future__ import annotations

import numpy as np

from headform.head.default import load_default
from headform.head.subdivision import subdivide

CUBE = np.array([[0, 3, 2, 1], [4, 5, 6, 7], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]], np.int32)
CORNERS = np.array([[x, y, z] for z in (-1, 1) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))], np.float32)


def test_a_cube():
    fine = subdivide(CUBE, CUBE, CORNERS[:, :2].copy(), 8)
    points = fine.refine(CORNERS)
    assert points.shape == (8 + 12 + 6, 3)
    assert np.allclose(np.abs(points[:8]), 5 / 9)  # a corner of valence three
    assert np.allclose(np.sort(np.abs(points[8:20]), axis=1), [0, 0.75, 0.75])
    assert np.allclose(np.sort(np.abs(points[20:]), axis=1), [0, 0, 1])
    assert fine.quads.shape == (24, 4)


def test_a_triangle_becomes_three_quads_and_its_border_stays():
    triangle = np.array([[0, 1, 2, 2]], np.int32)
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    fine = subdivide(triangle, triangle, corners[:, :2].copy(), 3)
    points = fine.refine(corners)
    assert fine.quads.shape == (3, 4)
    assert np.allclose(points[0], [0.125, 0.125, 0])  # 3/4 itself, 1/8 each neighbour on the border
    assert np.allclose(points[-1], [1 / 3, 1 / 3, 0])
    assert {tuple(p) for p in np.round(points[3:6], 3)} == {(0.5, 0, 0), (0.5, 0.5, 0), (0, 0.5, 0)}


def test_the_head_keeps_texture_and_orientation():
    head = load_default()
    fine = subdivide(head.quads, head.quads_uv, head.uv, head.vertex_count)
    points = fine.refine(head.rest())
    assert len(fine.quads) == sum(len(set(q)) for q in head.quads.tolist())
    corners = head.uv[head.quads_uv][fine.face]
    middle = fine.uv[fine.quads_uv].mean(1)  # of a small quad: inside the large one it came from
    assert ((middle >= corners.min(1) - 1e-6) & (middle <= corners.max(1) + 1e-6)).all()
    before = np.cross(*(head.rest()[head.quads[:, k + 2]] - head.rest()[head.quads[:, k]] for k in (0, 1)))
    after = np.cross(*(points[fine.quads[:, k + 2]] - points[fine.quads[:, k]] for k in (0, 1)))
    agree = (before[fine.face] * after).sum(1) > 0
    assert agree.mean() > 0.97

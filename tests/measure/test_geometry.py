"""The NoW protocol on shapes whose errors are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scan_folders import person

from headform.errors import BadInput
from headform.head import load_default
from headform.measure.closest import MeshTree
from headform.measure.geometry import (
    Placing,
    Scan,
    align,
    distances,
    face_sphere,
    sample_face,
    score_geometry,
    vertices_in_face,
)

# outer and inner corner of the right eye, of the left, base of the nose, corners of the mouth: directions
FACE = np.array([[-5, 4, 6], [-2, 4, 7], [2, 4, 7], [5, 4, 6], [0, -1, 9], [-2.5, -4, 7], [2.5, -4, 7]])
UNIT = FACE / np.linalg.norm(FACE, axis=1, keepdims=True)


def sphere(radius: float, rings: int = 120) -> tuple[np.ndarray, np.ndarray]:
    polar = np.linspace(0, np.pi, rings + 1)
    turn = np.linspace(0, 2 * np.pi, 2 * rings, endpoint=False)
    a, b = np.meshgrid(polar, turn, indexing="ij")
    vertices = radius * np.stack([np.sin(a) * np.cos(b), np.cos(a), np.sin(a) * np.sin(b)], -1).reshape(-1, 3)
    ring, step = np.meshgrid(np.arange(rings), np.arange(2 * rings), indexing="ij")
    along = (step + 1) % (2 * rings)
    i, j, k, m = (r * 2 * rings + s for r, s in ((ring, step), (ring, along), (ring + 1, along), (ring + 1, step)))
    return vertices, np.concatenate([np.stack(t, -1).reshape(-1, 3) for t in ((i, j, k), (i, k, m))])


def sphere_scan(radius: float, count: int = 2000) -> Scan:
    spread = np.random.default_rng(1).normal(size=(count, 3))
    spread = np.concatenate([spread, -spread])  # even on all sides, so that no shift pays
    points = radius * spread / np.linalg.norm(spread, axis=1, keepdims=True)
    return Scan("sphere", points, np.zeros((0, 3), np.int32), UNIT * radius, points)


def turned(scan: Scan, rotation: np.ndarray, shift: np.ndarray) -> Scan:
    moved = {name: getattr(scan, name) @ rotation.T + shift for name in ("vertices", "seven", "points")}
    return replace(scan, **moved)


def some_rotation() -> np.ndarray:
    q, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    return q * np.sign(np.linalg.det(q))


def test_a_sphere_one_millimetre_too_small_is_one_millimetre_off_and_with_scale_none() -> None:
    vertices, triangles = sphere(0.080)
    sagitta = 80 * (1 - np.cos(np.pi / 120))  # what flat facets lack
    scan = sphere_scan(81)
    rigid = score_geometry(vertices, triangles, UNIT * 0.080, scan, scale=False)
    assert rigid.mean == pytest.approx(1, abs=2 * sagitta)
    assert rigid.median == pytest.approx(1, abs=2 * sagitta)
    assert rigid.factor == 1
    free = score_geometry(vertices, triangles, UNIT * 0.080, scan, scale=True)
    assert free.mean < 2 * sagitta
    assert free.factor == pytest.approx(81 / 80, rel=1e-3)


def test_where_a_scan_stands_does_not_matter() -> None:
    vertices, triangles, seven = person()
    other, faces, marks = person(7)
    scan = Scan("other", other, faces, marks, sample_face(other, faces, marks, 2000))
    moved = turned(scan, some_rotation(), np.array([400.0, -90.0, 1000.0]))
    for scale in (False, True):
        here = score_geometry(vertices / 1000, triangles, seven / 1000, scan, scale=scale)
        there = score_geometry(vertices / 1000, triangles, seven / 1000, moved, scale=scale)
        assert here.mean > 0.5
        assert np.allclose(here.errors, there.errors, atol=1e-3)


def test_no_motion_nearby_is_better() -> None:
    vertices, triangles, seven = person()
    other, faces, marks = person(7)
    scan = Scan("other", other, faces, marks, sample_face(other, faces, marks, 3000))
    tree = MeshTree.of(vertices, triangles)

    def error(placing: Placing) -> float:
        gap = distances(tree, scan.points, placing)
        return float(np.sqrt((gap[gap <= np.quantile(gap, 0.95)] ** 2).mean()))

    best = score_geometry(vertices / 1000, triangles, seven / 1000, scan, scale=True).placing
    at_best, middle = error(best), scan.points.mean(0)
    for axis in np.eye(3):
        for sign in (-1, 1):
            assert error(replace(best, translation=best.translation + 0.3 * sign * axis)) > at_best
            cross = np.cross(np.eye(3), -0.01 * sign * axis)
            turn = np.linalg.qr(np.eye(3) + cross)[0]
            turn *= np.sign(np.diag(turn))
            about = middle + turn @ (best.translation - middle)
            assert error(Placing(best.factor, turn @ best.rotation, about)) > at_best
    for grown in (0.995, 1.005):
        about = middle + grown * (best.translation - middle)
        assert error(Placing(best.factor * grown, best.rotation, about)) > at_best


def test_a_head_lies_on_itself_after_any_motion() -> None:
    model = load_default()
    head = model.rest()
    skin = model.triangles[model.triangle_part == model.part_index("skin")]
    seven = model.embeddings["now_7"].points(head)
    vertices, marks = (np.asarray(p, np.float64) @ some_rotation().T * 1000 + (10, 20, 30) for p in (head, seven))
    scan = Scan("self", vertices, skin, marks, sample_face(vertices, skin, marks, 1500))
    score = score_geometry(head, skin, seven, scan, scale=False)
    assert score.errors.max() < 1e-3  # float32 vertices
    assert np.allclose(score.placing.rotation, some_rotation(), atol=1e-4)
    bigger = replace(scan, vertices=vertices * 1.1, seven=marks * 1.1, points=scan.points * 1.1)
    assert score_geometry(head, skin, seven, bigger, scale=True).errors.max() < 1e-3


def test_wrong_landmarks_are_mended_by_the_surface() -> None:
    model = load_default()
    head = model.rest()
    skin = model.triangles[model.triangle_part == model.part_index("skin")]
    seven = model.embeddings["now_7"].points(head)
    vertices = head.astype(np.float64) * 1000
    marks = seven.astype(np.float64) * 1000
    scan = Scan("self", vertices, skin, marks + np.array([3, 0, 0]), sample_face(vertices, skin, marks, 1500))
    assert score_geometry(head, skin, seven, scan, scale=False).median < 0.1


def test_points_come_from_what_is_seen_of_the_face() -> None:
    outer, triangles = sphere(90, 60)
    inner = outer * 0.8
    both = np.concatenate([outer, inner])
    points = sample_face(both, np.concatenate([triangles, triangles + len(outer)]).astype(np.int32), UNIT * 90)
    assert len(points) == 5000
    assert np.linalg.norm(points, axis=1).min() > 89  # nothing of the hidden sphere
    centre, radius = face_sphere(UNIT * 90)
    assert np.linalg.norm(points - centre, axis=1).max() < radius + 5
    assert np.array_equal(points, sample_face(both, np.r_[triangles, triangles + len(outer)], UNIT * 90))


def test_the_sphere_of_the_face_is_that_of_now() -> None:
    seven = np.array([[-45, 40, 0], [-15, 40, 0], [15, 40, 0], [45, 40, 0], [0, 0, 0], [-25, -30, 0], [25, -30, 0]])
    centre, radius = face_sphere(seven)
    assert np.allclose(centre, (0, 12, 0))  # 0.3 of the way up to the bridge
    assert radius == pytest.approx(0.7 * (90 + 40))
    chosen = vertices_in_face(np.array([[0.0, 12 + 90.9, 0], [0, 12 + 91.1, 0]]), seven)
    assert len(chosen) == 1


def test_a_mirrored_face_is_not_mirrored_back() -> None:
    placing = align(UNIT, UNIT * (-1, 1, 1), scale=True)
    assert np.linalg.det(placing.rotation) == pytest.approx(1)


@pytest.mark.parametrize("seven", [np.zeros((6, 3)), np.zeros((7, 3)), np.full((7, 3), np.nan)])
def test_landmarks_that_are_none_are_refused(seven) -> None:
    vertices, triangles = sphere(0.08, 8)
    with pytest.raises(BadInput, match="landmarks of the head"):
        score_geometry(vertices, triangles, seven, sphere_scan(80), scale=True)


def test_a_scan_without_face_is_refused() -> None:
    vertices, triangles = sphere(0.08, 8)
    empty = replace(sphere_scan(80), points=np.zeros((0, 3)))
    with pytest.raises(BadInput, match="no points"):
        score_geometry(vertices, triangles, UNIT * 0.08, empty, scale=True)

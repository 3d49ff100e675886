import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "assets/head"))

from eyes import FILM, IRIS_SHARE, cornea, eye_pair, eyeball, lash_uv
from part_mesh import PartMesh

from headform.skin.eyes import IRIS_SHEET
from headform.skin.lashes import LOWER_BAND, UPPER_BAND

CENTRE = np.array([0.03, 0.04, 0.075])
RADIUS = 0.013


def triangles(quads):
    both = np.concatenate([quads[:, :3], quads[:, [0, 2, 3]]])
    return both[both[:, 1] != both[:, 2]]


def volume(mesh: PartMesh, origin) -> float:
    corners = (mesh.vertices - origin)[triangles(mesh.quads)]
    return float(np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6)


@pytest.fixture(scope="module")
def pair():
    return eye_pair(CENTRE, CENTRE * [-1, 1, 1], RADIUS)


@pytest.mark.parametrize("side", ["left", "right"])
def test_eyeball_is_closed_and_wound_outwards(pair, side):
    mesh = pair[f"eye_{side}"]
    corners = triangles(mesh.quads)
    edges = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    assert len(np.unique(edges, axis=0)) == len(edges)
    assert {tuple(e) for e in edges} == {tuple(e[::-1]) for e in edges}
    ball = 4 / 3 * np.pi * RADIUS**3
    assert 0.93 * ball < volume(mesh, mesh.vertices.mean(0)) < ball  # dented in front


def test_sclera_lies_on_the_sphere_and_the_iris_inside_it():
    mesh = eyeball(CENTRE, RADIUS)
    arm = mesh.vertices - CENTRE
    length, off_axis = np.linalg.norm(arm, axis=1), np.hypot(arm[:, 0], arm[:, 1])
    front = arm[:, 2] > 0
    on_iris = front & (off_axis < 0.99 * IRIS_SHARE * RADIUS)
    assert (length[on_iris] < RADIUS - 1e-4).all()
    assert np.allclose(length[~on_iris & (off_axis > IRIS_SHARE * RADIUS * 0.999)], RADIUS, atol=1e-9)


def test_iris_takes_more_than_a_third_of_the_sheet_and_uv_stay_on_it():
    mesh = eyeball(CENTRE, RADIUS)
    assert 2 * IRIS_SHEET >= 0.35
    assert mesh.uv.min() >= 0 and mesh.uv.max() <= 1
    off_axis = np.linalg.norm((mesh.vertices - CENTRE)[:, :2], axis=1)
    front = mesh.vertices[:, 2] > CENTRE[2]
    limbus = front & np.isclose(off_axis, IRIS_SHARE * RADIUS, rtol=1e-6)
    away = np.linalg.norm(mesh.uv[: len(limbus)][limbus] - 0.5, axis=1)
    assert np.allclose(away, IRIS_SHEET, atol=1e-6)


def test_cornea_clears_eyeball_and_bulges_a_millimetre():
    clear, ball = cornea(CENTRE, RADIUS), eyeball(CENTRE, RADIUS)
    height = np.linalg.norm(clear.vertices - CENTRE, axis=1) - RADIUS
    assert height.min() == pytest.approx(FILM[1] * RADIUS, rel=1e-6)
    assert 0.0008 < height.max() < 0.0016  # anatomy: the apex stands about 1.2 mm before the sclera's sphere
    arm, shell = ball.vertices - CENTRE, clear.vertices - CENTRE
    turned = np.hypot(shell[:, 0], shell[:, 1])
    order = np.argsort(turned)
    front = (arm[:, 2] > 0) & (np.hypot(arm[:, 0], arm[:, 1]) <= turned.max())
    above = np.interp(np.hypot(arm[front, 0], arm[front, 1]), turned[order], shell[order, 2])
    assert (above > arm[front, 2]).all()


def test_eyes_mirror_each_other(pair):
    for part in ("eye", "cornea"):
        left, right = pair[f"{part}_left"], pair[f"{part}_right"]
        assert np.allclose(left.vertices * [-1, 1, 1], right.vertices)
        assert np.array_equal(left.uv, right.uv)


def test_lash_uv_runs_from_nose_outwards_and_from_root_to_tip():
    columns, rows = 7, 5
    along, up = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows), indexing="ij")
    strip = np.stack([0.015 + 0.03 * along, 0.04 + 0.004 * up, 0.08 + 0.006 * up], 2).reshape(-1, 3)
    index = np.arange(columns * rows).reshape(columns, rows)
    quads = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], 2).reshape(-1, 4)
    lower = strip * [1, -1, 1] + [0, 0.07, 0]
    everything = np.concatenate([s * side for s in (strip, lower) for side in ([1, 1, 1], [-1, 1, 1])])
    shuffled = np.random.default_rng(0).permutation(len(everything))
    place = np.argsort(shuffled)
    all_quads = place[np.concatenate([quads + k * len(strip) for k in range(4)])]
    uv, _ = lash_uv(everything[shuffled], all_quads)
    uv = uv[place].reshape(2, 2, columns, rows, 2)
    assert np.allclose(uv[..., 0], np.linspace(0, 1, columns)[:, None], atol=1e-6)
    for row, band in enumerate((UPPER_BAND, LOWER_BAND)):
        assert np.allclose(uv[row, ..., 0, 1], band[0]) and np.allclose(uv[row, ..., -1, 1], band[1])
        assert (np.diff(uv[row, ..., 1], axis=-1) > 0).all()

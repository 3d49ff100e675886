import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "assets/head"))

from gums import gums, tongue_uv
from teeth import FORWARD, LOWER, OVERBITE, OVERJET, UPPER, crowns, fit_arches, seats

from headform.skin.mouth import GUMS_LOWER, GUMS_UPPER, TEETH_LOWER, TEETH_UPPER, TONGUE_BELOW, TONGUE_TOP

PER_TOOTH = 60


def strip(top, shrink=1.0):
    """A made-up strip of teeth along z = top − 0.013 x² − 0.00002 x⁴ (mm), (N, 3) in metres."""
    x = np.linspace(-33, 33, 23) * shrink
    line = np.stack([x, np.full_like(x, -20), top - 0.013 * x**2 - 2e-5 * x**4], 1)
    return np.concatenate([line, line - [0, 8, 0.5]]) * 0.001


@pytest.fixture(scope="module")
def arches():
    return fit_arches(strip(93), strip(91, 0.98))


def tooth(mesh, number):
    return mesh.vertices[number * PER_TOOTH : (number + 1) * PER_TOOTH]


def test_arches_follow_the_strips(arches):
    upper, _ = arches
    assert upper.top == pytest.approx(93 + FORWARD, abs=0.1)
    assert upper.a == pytest.approx(0.013, rel=0.05)


def test_twentyeight_crowns_and_few_vertices(arches):
    made = [crowns(a) for a in arches] + [gums(a) for a in arches]
    assert [len(m.vertices) for m in made[:2]] == [14 * PER_TOOTH] * 2
    assert sum(len(m.vertices) for m in made) <= 3600


@pytest.mark.parametrize(("which", "table"), [(0, UPPER), (1, LOWER)])
def test_every_crown_has_the_size_in_the_table(arches, which, table):
    mesh = crowns(arches[which])
    for number, seat in enumerate(seats(arches[which])):
        assert seat.tooth is table[number % 7]
        arm = tooth(mesh, number) * 1000 - seat.origin
        assert np.ptp(arm @ seat.distal) == pytest.approx(seat.tooth.width, rel=0.05)
        assert arm[:, 1].min() * seat.root == pytest.approx(0, abs=0.1) or seat.root < 0
        tall = (arm[:, 1] * seat.root).max()
        assert seat.tooth.height < tall < 1.2 * seat.tooth.height  # the rest is under the gum


def test_neighbours_touch(arches):
    for arch in arches:
        for half in (seats(arch)[:7], seats(arch)[7:]):
            for near, far in pairwise(half):
                gap = np.linalg.norm(near.origin - far.origin) - (near.tooth.width + far.tooth.width) / 2
                assert -0.6 < gap < 1.6  # the origins lie on the outer line, which is the longer way round


def test_bite(arches):
    upper, lower = crowns(arches[0]), crowns(arches[1])
    above, below = tooth(upper, 0) * 1000, tooth(lower, 0) * 1000
    assert below[:, 1].max() - above[:, 1].min() == pytest.approx(OVERBITE, abs=0.4)
    assert arches[0].top - arches[1].top == pytest.approx(OVERJET)


def test_crowns_are_wound_outwards(arches):
    for arch in arches:
        mesh = crowns(arch)
        for number in range(14):
            rows = slice(number * 54, (number + 1) * 54)
            corners = (mesh.vertices - tooth(mesh, number).mean(0))[mesh.quads[rows]]
            across = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
            assert np.mean(np.einsum("ij,ij->i", across, corners.mean(1)) > 0) > 0.9


def test_gum_covers_necks_and_faces_the_lips(arches):
    for arch in arches:
        mesh = gums(arch)
        corners = mesh.vertices[mesh.quads]
        across = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
        lip_side = corners.mean(1)[:, 2] * 1000 > arch.top - 2
        assert lip_side.sum() > 10
        assert np.mean(across[lip_side, 2] > 0) > 0.7
        neck = crowns(arch).vertices[:, 1].max() if arch.up > 0 else crowns(arch).vertices[:, 1].min()
        assert (mesh.vertices[:, 1].max() > neck) if arch.up > 0 else (mesh.vertices[:, 1].min() < neck)


def test_islands_stay_in_their_boxes(arches):
    teeth = zip((crowns(a) for a in arches), (TEETH_UPPER, TEETH_LOWER), strict=True)
    soft = zip((gums(a) for a in arches), (GUMS_UPPER, GUMS_LOWER), strict=True)
    for mesh, (left, bottom, right, top) in [*teeth, *soft]:
        assert mesh.quads_uv.max() < len(mesh.uv)
        assert (mesh.uv >= np.array([left, bottom]) - 1e-9).all()
        assert (mesh.uv <= np.array([right, top]) + 1e-9).all()


def test_tongue_has_an_upper_and_a_lower_picture():
    vertices = np.array([[-1, 0, 0], [1, 0, 0], [1, 0, 2], [-1, 0, 2], [0, -1, 1]], float)
    quads = np.array([[0, 3, 2, 1], [0, 1, 4, 4], [2, 3, 4, 4]])  # top faces up, the others down
    uv, rows = tongue_uv(vertices, quads)
    inside = [(uv[rows[0]] >= TONGUE_TOP[:2]).all() and (uv[rows[0]] <= TONGUE_TOP[2:]).all()]
    inside += [(uv[r] >= TONGUE_BELOW[:2]).all() and (uv[r] <= TONGUE_BELOW[2:]).all() for r in rows[1:]]
    assert all(inside)


def test_same_every_time(arches):
    again = fit_arches(strip(93), strip(91, 0.98))
    assert np.array_equal(gums(arches[0]).vertices, gums(again[0]).vertices)

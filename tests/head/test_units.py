"""Teeth, tongue and eyes stay behind the skin, lids close and lips meet, seen by the renderer."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from headform.head.default import load_default
from headform.head.model import HeadModel
from headform.render import Camera, rasterise
from headform.show import draw_person

SIZE = 256
MILLIMETRES = 0.2 * 1000 / SIZE  # of a pixel
HIDDEN = ("teeth_upper", "teeth_lower", "gums_upper", "gums_lower", "tongue", "eye_left", "eye_right")
ALLOWED_MM2 = 2.0  # of teeth or eye in front of the face's own skin: less than a grain of rice


class Onlooker:
    """Counts what shows in front of the outer skin that ought to be behind it."""

    def __init__(self, head: HeadModel) -> None:
        self.head = head
        part = head.triangle_part
        self.skin = head.triangles[part == head.part_index("skin")]
        self.inner = head.triangles[np.isin(part, [head.part_index(p) for p in HIDDEN])]
        self.outer = self._outer_skin()
        self.camera = Camera.parallel(0.0, 0.0, SIZE, extent=0.2, target=(0, 0, 0.05))

    def _outer_skin(self):
        """(T,) which skin triangles are the face itself: the largest piece of the layout, less its rims."""
        rows = self.head.triangles_uv[self.head.triangle_part == self.head.part_index("skin")]
        label = np.arange(rows.max() + 1)
        for _ in range(400):
            before = label.copy()
            lowest = label[rows].min(1)
            for corner in range(3):
                np.minimum.at(label, rows[:, corner], lowest)
            if (label == before).all():
                break
        piece = label[rows[:, 0]]
        outer = piece == np.bincount(piece).argmax()
        self.lining = ~outer
        for _ in range(3):  # the inner faces of lips and lids
            rim = np.intersect1d(self.skin[outer], self.skin[~outer])
            outer &= ~np.isin(self.skin, rim).any(1)
        return outer

    def poking_mm2(self, psi) -> float:
        vertices = self.head.posed(None, psi)
        skin = rasterise(vertices, self.skin, self.camera)
        inner = rasterise(vertices, self.inner, self.camera)
        on_face = (skin.triangle >= 0) & self.outer[np.maximum(skin.triangle, 0)]
        return float((on_face & (inner.depth < skin.depth - 2e-4)).sum()) * MILLIMETRES**2

    def showing_mm2(self, psi, *parts: str) -> float:
        vertices = self.head.posed(None, psi)
        seen = rasterise(vertices, self.head.triangles, self.camera).triangle
        wanted = [self.head.part_index(p) for p in parts]
        found = (seen >= 0) & np.isin(self.head.triangle_part[np.maximum(seen, 0)], wanted)
        return float(found.sum()) * MILLIMETRES**2


@pytest.fixture(scope="module")
def onlooker() -> Onlooker:
    return Onlooker(load_default())


@pytest.mark.parametrize("name", load_default().expression_names)
def test_nothing_pokes_through_the_skin(onlooker, name):
    if name == "tongueOut":
        pytest.skip("the tongue is meant to come out")
    psi = {name: 1.0} | ({"jawOpen": 1.0} if name == "mouthClose" else {})
    assert onlooker.poking_mm2(psi) <= ALLOWED_MM2


def test_the_onlooker_sees_teeth_that_do_poke_through():
    head = load_default()
    onlooker = Onlooker(head)
    rows = head.part_vertices("teeth_upper")
    follow = head.follow
    frame = np.unique(follow.controls[rows - head.direct_count])
    head.expression[0][frame] += (0, 0, 0.02)  # a unit that would push the teeth out through the lips
    try:
        assert onlooker.poking_mm2({head.expression_names[0]: 1.0}) > 50
    finally:
        head.expression[0][frame] -= (0, 0, 0.02)


def test_no_pair_of_units_pokes_through(onlooker):
    names = [n for n in onlooker.head.expression_names if n not in ("tongueOut", "mouthClose")]
    worst = max((onlooker.poking_mm2({a: 1.0, b: 1.0}), a, b) for a, b in combinations(names, 2))
    assert worst[0] <= ALLOWED_MM2, worst


def test_lips_meet_at_rest_and_when_mouth_close_shuts_an_open_jaw(onlooker):
    teeth = HIDDEN[:5]
    assert onlooker.showing_mm2(None, *teeth) == 0
    assert onlooker.showing_mm2({"jawOpen": 1.0}, *teeth) > 100
    assert onlooker.showing_mm2({"jawOpen": 1.0, "mouthClose": 1.0}, *teeth) <= ALLOWED_MM2


@pytest.mark.parametrize("side", ["Left", "Right"])
def test_lids_close_over_the_eyeball(onlooker, side):
    eye, corneas = f"eye_{side.lower()}", ("cornea_left", "cornea_right")
    open_eye = onlooker.showing_mm2(None, eye, corneas[side == "Right"])
    assert open_eye > 80
    closed = onlooker.showing_mm2({f"eyeBlink{side}": 1.0}, eye, corneas[side == "Right"])
    assert closed <= 0.02 * open_eye


@pytest.mark.parametrize("seed", range(30))
def test_insides_of_mouth_and_sockets_stay_inside_on_everyone(onlooker, seed):
    head = onlooker.head
    vertices = head.posed(draw_person(head, seed).beta)
    whole = rasterise(vertices, onlooker.skin, onlooker.camera)
    face = rasterise(vertices, onlooker.skin[onlooker.outer], onlooker.camera, cull=True)
    lining = (whole.triangle >= 0) & onlooker.lining[np.maximum(whole.triangle, 0)]
    poking = lining & (face.triangle >= 0)  # the face would be seen there, were it not for the lining
    assert float(poking.sum()) * MILLIMETRES**2 <= ALLOWED_MM2


def test_units_of_left_and_right_mirror_each_other():
    head = load_default()
    mirror = head.extras["mirror"]
    for name in head.expression_names:
        if name.endswith("Left") and name.replace("Left", "Right") in head.expression_names:
            left = head.expression[head.expression_index(name)][: len(mirror)]
            right = head.expression[head.expression_index(name.replace("Left", "Right"))][: len(mirror)]
            assert np.abs(left[mirror] * [-1, 1, 1] - right).max() < 1.5e-3, name

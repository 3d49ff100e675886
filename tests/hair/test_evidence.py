"""Hair in photos: pieces, senses and kinds on drawn masks whose answer is known, and on real photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from headform.fit import fit_photo
from headform.hair.evidence import (
    CROPPED,
    HairEvidence,
    first_senses,
    gather,
    kind_of,
    on_scalp,
    own_pieces,
    rising,
    scalp_seen,
    thickness,
)
from headform.hair.scalp import polar
from headform.head import load_default
from headform.photo import Masks, Photo, see
from headform.render import Camera

EVAL = Path(__file__).parents[2].parent / "shared" / "eval"
SIZE = 256
ROW, COLUMN = np.mgrid[:SIZE, :SIZE].astype(np.float64)
MIDDLE, HEIGHT = np.array([128.0, 128.0]), 80.0


def face() -> NDArray[np.float64]:
    """(478, 2) landmarks of an upright face: 80 pixels from chin to forehead, the temples about its middle."""
    points = np.tile(MIDDLE, (478, 1))
    points[[10, 152, 127, 356]] += np.array([(0, -HEIGHT / 2), (0, HEIGHT / 2), (-35, 0), (35, 0)])
    return points


def disc(radius: float, x: float = 128, y: float = 128) -> NDArray[np.bool_]:
    return np.asarray(np.hypot(COLUMN - x, ROW - y) < radius)


def cap(radius: float, apart: float = 3) -> NDArray[np.float64]:
    """(N, 2) points over the upper half of a disc, a round skull."""
    across, down = np.meshgrid(np.arange(128 - radius, 129 + radius, apart), np.arange(128 - radius, 110, apart))
    points = np.column_stack([across.ravel(), down.ravel()])
    rim = MIDDLE + radius * np.column_stack([(-np.cos(t), -np.sin(t)) for t in np.linspace(0.2, 2.9, 60)]).T
    return np.concatenate([points[np.hypot(*(points - MIDDLE).T) < radius], rim])


def test_specks_and_neighbours_are_not_this_persons_hair() -> None:
    mine, lock, speck, neighbour = disc(30, 128, 90), disc(8, 90, 160), disc(2, 140, 140), disc(30, 230, 120)
    kept = own_pieces(mine | lock | speck | neighbour, face())
    np.testing.assert_array_equal(kept, mine | lock)
    assert not own_pieces(neighbour, face()).any()
    assert not own_pieces(np.zeros((SIZE, SIZE), bool), face()).any()


def test_a_corner_does_not_join_pieces() -> None:
    region = np.zeros((SIZE, SIZE), bool)
    region[100:120, 100:120] = True
    region[120:122, 120:122] = True  # 1 % of the other, which it meets at a corner
    assert not own_pieces(region, face())[120:122].any()


def test_hair_falls_from_the_crown() -> None:
    x, y = COLUMN - 128, ROW - 52  # rays from the crown of this face
    angle = (np.arctan2(y, x) % np.pi).astype(np.float32)
    sign = first_senses(angle, np.ones_like(angle), np.ones(angle.shape, bool), face())
    outward = sign * (np.cos(angle) * x + np.sin(angle) * y)
    assert (outward[30:80, 60:200] > 0).mean() > 0.95
    level = np.full_like(angle, np.pi / 2)
    assert (first_senses(level, np.ones_like(angle), disc(100), face())[140:] == 1).all()  # below, it hangs down


def test_where_the_guess_says_nothing_neighbours_do() -> None:
    # waves that swing by ±70° about straight down: for a part of each, the guess is nearly across
    swing = np.radians(70) * np.sin(2 * np.pi * ROW / 40)
    angle = ((np.pi / 2 + swing) % np.pi).astype(np.float32)
    sign = first_senses(angle, np.ones_like(angle), np.ones(angle.shape, bool), face())
    assert ((sign * np.sin(angle))[120:] > 0).mean() > 0.95


def test_a_bare_hairline_has_roots_and_a_fringe_has_tips() -> None:
    upright = np.full((SIZE, SIZE), np.pi / 2, np.float32)
    sure, scalp = np.ones_like(upright), cap(55)
    combed_back = disc(60) & (ROW < 106)
    fringe = disc(60) & (ROW < 132)
    ways = []
    for hair in combed_back, fringe:
        skin = (disc(50) & ~hair).astype(np.float32)
        push = rising(upright, sure * hair, hair, skin, scalp[scalp[:, 1] < 100], face())
        assert (np.hypot(push[..., 0], push[..., 1]) <= 1.001).all()
        edge = int(np.flatnonzero(hair[:, 128]).max())
        ways.append(first_senses(upright, sure * hair, hair, face(), push)[edge - 4 : edge - 1, 120:136])
    assert (ways[0] == -1).all() and (ways[1] == 1).all()
    skin = (disc(50) & ~combed_back).astype(np.float32)
    aside = rising(0 * upright, sure * combed_back, combed_back, skin, scalp[scalp[:, 1] < 100], face())
    assert not aside[90:110, 120:136].any()  # hair along the hairline says nothing


@pytest.mark.parametrize(("over", "cropped"), [(2, True), (9, False)])
def test_hair_that_follows_the_skull_is_cropped(over: float, cropped: bool) -> None:
    hair = disc(40 + over) & ~disc(38) & (ROW < 118)  # below a quarter of the face's area
    thick = thickness(hair, np.ones_like(hair), cap(40), face())
    assert thick == pytest.approx(over / HEIGHT, abs=1.5 / HEIGHT)
    assert (thick < CROPPED) == cropped


def test_thickness_is_not_judged_beyond_the_photo_or_of_long_hair() -> None:
    hair = disc(42) & ~disc(34) & (ROW < 118)
    cut = ROW > 110
    assert thickness(hair & cut, cut, cap(40), face()) is None
    assert thickness(disc(100), np.ones_like(hair), cap(40), face()) is None


@pytest.mark.parametrize(
    ("plane", "kind"), [("hair", "hair"), ("face_skin", "bald"), ("clothes", "covered"), ("other", "covered")]
)
def test_what_is_on_the_scalp(plane: str, kind: str) -> None:
    names = ("hair", "face_skin", "body_skin", "clothes", "other")
    planes = {name: np.zeros((SIZE, SIZE), np.float32) for name in names}
    planes[plane][:] = 0.9
    masks = Masks(**planes, background=1 - sum(planes.values()))
    assert kind_of(on_scalp(masks, cap(40)), None) == kind
    most = cap(40) - (0, 110)  # a few of its points are still within the photo
    assert kind_of(on_scalp(masks, most), None) == "unseen"
    assert kind_of(on_scalp(masks, most - (0, 100)), None) == "unseen"


def test_the_seen_scalp_of_a_head() -> None:
    head = load_default()
    rest = head.rest()
    triangles = head.triangles[head.triangle_part == head.part_index("skin")]
    scalp = polar(rest)[0] < 0.85
    front, back = (Camera.portrait(yaw, size=SIZE) for yaw in (0.0, np.pi))
    before, behind = (scalp_seen(rest, triangles, scalp, camera) for camera in (front, back))
    assert 0.1 < len(before) / scalp.sum() < len(behind) / scalp.sum() < 0.8  # most of the scalp is at the back
    side = Camera.portrait(np.pi / 2, size=SIZE)
    face_of_it = side.project(rest[rest[:, 2].argmax()])[0]
    assert (scalp_seen(rest, triangles, scalp, side)[:, 0] > face_of_it[0]).all()  # it looks to the left


KINDS = {
    "photos/deca/examples_alfw2.png": "bald",
    "photos/deca/teaser_2.png": "bald",
    "hair/celebamask_test/28415.jpg": "covered",
    "photos/deep3d/000037.jpg": "covered",
    "hair/celebamask_test/28405.jpg": "shaved",
    "photos/deca/exp_8.jpg": "unseen",
    "photos/mica/justin.jpg": "hair",
    "hair/celebamask_test/28450.jpg": "hair",  # with a white flower on it
    "identity/face_recognition/biden.jpg": "hair",  # thin
}


def evidence_of(name: str) -> HairEvidence:
    path = EVAL / name
    if not path.is_file():
        pytest.skip("the evaluation photos are not on this machine")
    photo, head = Photo.open(path), load_default()
    (sighting,) = see(photo, 1)
    fit = fit_photo(photo, sighting, head)
    triangles = head.triangles[head.triangle_part == head.part_index("skin")]
    scalp = scalp_seen(fit.posed(head), triangles, polar(head.rest())[0] < 0.85, fit.camera)
    return gather(photo, sighting, scalp=scalp)


@pytest.mark.parametrize("name", KINDS)
def test_kinds_of_real_people(name: str) -> None:
    assert evidence_of(name).kind == KINDS[name]


def test_long_straight_hair_of_a_real_person() -> None:
    found = evidence_of("photos/mica/lawrence.jpg")
    assert found.angle.shape == found.sign.shape == (256, 256)
    assert not found.hair[~found.inside].any() and not found.confidence[found.soft == 0].any()
    hanging = found.hair & (ROW > 150) & (found.confidence > 0.4)
    assert hanging.sum() > 1000
    way = found.direction[hanging]
    assert (way[:, 1] > 0.5).mean() > 0.9  # down, to the tips
    up = np.zeros((256, 256, 2), np.float32)
    up[..., 1] = -1
    assert (found.signed_by(up)[hanging][:, 1] < 0).mean() > 0.95
    np.testing.assert_array_equal(found.signed_by(0 * up), found.direction)

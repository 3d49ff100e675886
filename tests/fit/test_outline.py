"""Ears, neck and jaw from masks that are drawn from a head whose outline is known."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from headform.fit import HeadFit
from headform.fit.bends import EAR, JAW, NECK, Bends, bends_of
from headform.fit.outline import bend_to_outline
from headform.head import HeadModel, load_default
from headform.photo import Photo, Sighting
from headform.photo.masks import Masks
from headform.render import Camera, Light, rasterise

Floats = NDArray[np.float32]
FACE = (33, 263, 1, 61, 291, 0, 17, 10, 107, 336, 168, 5)  # landmarks of eyes, nose, mouth, brows
SIDE = 480
FLARE, TWIST = 0, 1


@cache
def model() -> HeadModel:
    return load_default()


@cache
def bends() -> Bends:
    return bends_of(model())


def halves(kind: int) -> NDArray[np.int64]:
    """Rows of the bends that move vertices of one part most."""
    reach = np.linalg.norm(bends().moves, axis=2)
    most = np.stack([reach[:, bends().part == part].max(1) for part in (EAR, NECK, JAW)])
    return np.flatnonzero(most.argmax(0) == kind - 1)


def turned(yaw: float) -> HeadFit:
    """The mean head before a camera, turned to its left by so many radians."""
    theta = np.zeros((5, 3), np.float32)
    theta[0, 1] = yaw
    camera = Camera.portrait(size=SIDE)
    light = Light(np.ones((9, 3)))
    return HeadFit(model().beta(), model().psi(), theta, camera, light, np.zeros_like(model().template), 0.0)


def bent(fit: HeadFit, amounts: dict[int, float]) -> HeadFit:
    row = np.zeros(len(bends().moves))
    row[list(amounts)] = list(amounts.values())
    return replace(fit, offsets=bends().offsets(row, len(fit.offsets)))


def sighted(sighting: Sighting, truth: HeadFit, *, curtain: float | None = None) -> Sighting:
    """What masks would show of a head: skin where it is, hair on the scalp, background elsewhere.

    With `curtain`, hair hangs over all that is less than so many pixels inside of the ears.
    """
    skin = model().triangles[model().triangle_part == model().part_index("skin")]
    posed = truth.posed(model())
    raster = rasterise(posed, skin, truth.camera)
    covered = raster.covered.astype(np.float32)
    scalp = np.zeros(model().vertex_count, bool)
    scalp[: len(model().extras["scalp_mask"])] = model().extras["scalp_mask"] > 0
    pixel, _ = truth.camera.project(posed[: model().direct_count])
    face = pixel[model().rest()[: model().direct_count, 2] > 0.06]
    low, high = face.min(0), face.max(0)
    hair = covered * scalp[skin[raster.triangle, 0]]
    if curtain is not None:
        ears = pixel[np.isin(bends().part, [EAR])]
        along = np.arange(SIDE)
        hair[:, (along < ears[:, 0].min() + curtain) | (along > ears[:, 0].max() - curtain)] = 1
    none = np.zeros_like(covered)
    masks = Masks(hair, covered * (1 - hair), none, none, none, (1 - covered) * (1 - hair))
    return replace(sighting, masks=masks, face=replace(sighting.face, box=np.concatenate([low, high])))


def outlines_apart(one: HeadFit, other: HeadFit) -> float:
    """Pixels that one of two heads covers alone."""
    skin = model().triangles[model().triangle_part == model().part_index("skin")]
    a, b = (rasterise(fit.posed(model()), skin, fit.camera).covered for fit in (one, other))
    return float((a != b).sum())


@pytest.mark.parametrize("yaw", [0.0, 0.4, -0.7])
def test_ears_that_stand_out_and_a_narrow_neck_are_found(sighting: Sighting, yaw: float) -> None:
    start = turned(yaw)
    ear, neck = halves(EAR), halves(NECK)
    truth = bent(start, {ear[FLARE]: 1.4, ear[4]: 1.0, neck[0]: -1.0, neck[3]: -1.0, neck[6]: -1.0})
    found = bend_to_outline(sighted(sighting, truth), start, model())
    assert outlines_apart(found, truth) < 0.35 * outlines_apart(start, truth)


def test_what_is_right_stays(sighting: Sighting) -> None:
    start = turned(0.2)
    found = bend_to_outline(sighted(sighting, start), start, model())
    assert np.linalg.norm(found.offsets, axis=1).max() < 0.002


def test_ears_under_hair_stay(sighting: Sighting) -> None:
    start = turned(0.0)
    truth = bent(start, {halves(EAR)[FLARE]: 1.5})
    found = bend_to_outline(sighted(sighting, truth, curtain=25), start, model())
    moved = np.linalg.norm(found.offsets[: len(bends().part)], axis=1)[bends().part == EAR]
    assert moved.max() < 0.001


def test_the_side_that_is_not_seen_follows(sighting: Sighting) -> None:
    start = turned(0.9)
    truth = bent(start, {halves(EAR)[4]: 1.5, halves(EAR)[8]: -1.5})
    found = bend_to_outline(sighted(sighting, truth), start, model())
    right = model().rest()[: len(bends().part), 0] < 0
    moved = np.linalg.norm(found.offsets[: len(bends().part)], axis=1)
    sides = [moved[(bends().part == EAR) & side].max() for side in (right, ~right)]
    assert min(sides) > 0.4 * max(sides) > 0.001


def test_nothing_is_made_of_nothing(sighting: Sighting) -> None:
    start = turned(0.0)
    seen = sighted(sighting, start)
    none = np.zeros_like(seen.masks.hair)
    empty = replace(seen, masks=Masks(none, none, none, none, none, none + 1))
    assert np.abs(bend_to_outline(empty, start, model()).offsets).max() == 0


def test_another_head_is_left_alone(sighting: Sighting) -> None:
    start = turned(0.0)
    assert bend_to_outline(sighting, start, replace(model(), name="another")) is start


def test_the_face_does_not_move() -> None:
    landmarks = model().embeddings["mediapipe_478"].corners[list(FACE)].ravel()
    skin = model().part_vertices("skin")
    parts = np.setdiff1d(np.arange(bends().moves.shape[1]), skin)
    assert not bends().moves[:, landmarks].any()
    assert not bends().moves[:, parts].any()
    lids = np.unique(model().embeddings["ibug_68"].corners[17:])
    assert not bends().moves[:, lids].any()


def test_bends_are_alike_or_opposite_on_both_sides() -> None:
    mirror = model().extras["mirror"]
    moves = bends().moves[:, : len(mirror)]
    other = moves[:, mirror] * np.array([-1, 1, 1], np.float32)
    for row in range(len(moves)):
        alike, opposite = np.abs(moves[row] - other[row]).max(), np.abs(moves[row] + other[row]).max()
        assert min(alike, opposite) < 0.25 * np.abs(moves[row]).max()


def test_no_face_of_the_skin_turns_over() -> None:
    """Neither the collar nor the back of the ears folds where each bend is as far as it may go."""
    skin = model().triangles[model().triangle_part == model().part_index("skin")]
    rest = model().rest()
    for row in range(len(bends().moves)):
        for way in (-1, 1):
            amounts = np.zeros(len(bends().moves))
            amounts[row] = way * bends().most[row]
            moved = rest.copy()
            moved[: len(bends().part)] += bends().offsets(amounts, len(bends().part))
            before, after = (
                np.cross(v[skin[:, 1]] - v[skin[:, 0]], v[skin[:, 2]] - v[skin[:, 0]]) for v in (rest, moved)
            )
            assert ((before * after).sum(1) < 0).mean() < 0.002


def test_a_real_look_changes_ears_neck_and_jaw_alone(photo: Photo, sighting: Sighting) -> None:
    from headform.fit import fit_photo
    from headform.fit.fitter import mean_fit

    start = mean_fit(photo, sighting, model())
    found = bend_to_outline(sighting, start, model())
    moved = np.abs(found.offsets - start.offsets).any(1)
    assert moved.any() and not moved[model().direct_count :].any()
    assert np.array_equal(found.beta, start.beta) and np.array_equal(found.theta, start.theta)
    first, second = (fit_photo(photo, sighting, model()).offsets for _ in range(2))
    assert np.array_equal(first, second)

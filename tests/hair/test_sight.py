"""A photo as hair sees it: a head at rest lies where the turned one does, and what may hide hair says nothing of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from seen_hair import SIZE, Seen, head, look_at, person, wearer

from headform.hair.dense import groom_of
from headform.hair.library import style
from headform.hair.scalp import grid_places
from headform.hair.sight import CHIN, posing, rest_camera, sight_of
from headform.photo.crop import Crop

AWAY = Crop(30.5, -12.0, 190.0, 224)


@pytest.fixture(scope="module")
def bob() -> Seen:
    fit = person()
    return look_at(groom_of(style("chin_bob"), wearer(fit), 0, 5000), fit)


def again(seen: Seen, **changed: object) -> object:
    return sight_of(replace(seen.evidence, **changed), seen.sighting, person(), head())


@pytest.mark.parametrize("yaw", [-1.2, 0.0, 0.5])
def test_hair_at_rest_lies_where_the_turned_head_has_it(yaw: float) -> None:
    fit = person(yaw=yaw)
    groom = groom_of(style("lob"), wearer(fit), 0, 300)
    turned = groom.moved(fit.neutral(head()), fit.posed(head()))
    at_rest = rest_camera(fit, head(), AWAY).project(groom.points.reshape(-1, 3))
    posed = AWAY.camera(fit.camera).project(turned.points.reshape(-1, 3))
    np.testing.assert_allclose(at_rest[0], posed[0], atol=0.02)
    np.testing.assert_allclose(at_rest[1], posed[1], atol=2e-5)


def test_hair_goes_with_the_scalp_when_neck_and_jaw_move() -> None:
    fit = person()
    theta = fit.theta.copy()
    theta[1, 0], theta[2, 0] = 0.3, 0.2
    fit = replace(fit, theta=theta)
    turn, shift = posing(fit, head())
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)
    roots = wearer(fit).scalp.roots(grid_places())
    rest, posed = roots.points(fit.neutral(head())), roots.points(fit.posed(head()))
    away = np.linalg.norm(rest @ turn.T + shift - posed, axis=1)
    assert np.median(away) < 0.002 < 0.02 < np.median(np.linalg.norm(rest - posed, axis=1))


def test_the_head_is_as_far_as_its_vertices(bob: Seen) -> None:
    fit = person()
    posed = fit.posed(head())[head().part_vertices("skin")]
    pixels, depth = fit.camera.project(posed)
    tip = posed[:, 2].argmax()  # of the nose
    column, row = np.rint(pixels[tip]).astype(int)
    assert bob.sight.head[row, column] == pytest.approx(depth[tip], abs=0.002)
    assert np.isinf(bob.sight.head[2, 2])


def test_everything_of_a_clear_photo_is_known_and_beyond_it_nothing(bob: Seen) -> None:
    assert bob.sight.known.all()
    inside = np.ones((SIZE, SIZE), bool)
    inside[:, 200:] = False
    np.testing.assert_array_equal(again(bob, inside=inside).known, inside)


def test_behind_things_nothing_is_known_but_hair_before_them_is() -> None:
    fit = person()
    thing = np.zeros((SIZE, SIZE), bool)
    thing[:, 150:190] = True
    seen = look_at(groom_of(style("chin_bob"), wearer(fit), 0, 5000), fit, thing)
    np.testing.assert_array_equal(seen.sight.known, ~thing)
    over = replace(seen.evidence, hair=seen.evidence.hair | thing)
    assert sight_of(over, seen.sighting, fit, head()).known.all()


def test_hands_hide_hair_above_the_chin_alone(bob: Seen) -> None:
    hand = np.zeros((SIZE, SIZE), np.float32)
    hand[:, 20:40] = 1
    masks = replace(bob.sighting.masks, body_skin=hand)
    known = sight_of(bob.evidence, replace(bob.sighting, masks=masks), person(), head()).known
    chin = int(bob.sighting.landmarks.points[CHIN, 1])
    assert 100 < chin < 250
    assert not known[:chin, 20:40].any() and known[chin:].all() and known[:, 40:].all()


@pytest.mark.parametrize(("kind", "hides"), [("hair", False), ("covered", True)])
def test_clothes_hide_hair_where_they_cover_it(bob: Seen, kind: str, hides: bool) -> None:
    hat = np.zeros((SIZE, SIZE), np.float32)
    hat[:60] = 1
    hat[:60][bob.hair[:60]] = 0
    sighting = replace(bob.sighting, masks=replace(bob.sighting.masks, clothes=hat))
    known = sight_of(replace(bob.evidence, kind=kind), sighting, person(), head()).known
    assert (not known[hat > 0].any()) == hides
    assert known[hat == 0].all()


def test_the_slope_leads_out_of_the_hair(bob: Seen) -> None:
    sight = bob.sight
    assert ((sight.outline < 0) == sight.hair).all()
    far_off = (sight.outline > 15) & (sight.outline < 40)
    size = np.hypot(sight.slope[..., 0], sight.slope[..., 1])
    assert np.median(size[far_off]) == pytest.approx(1, abs=0.02)  # a distance rises by a pixel for a pixel
    row, column = np.argwhere(far_off).T
    back = np.stack([column, row], 1) - (sight.outline[..., None] * sight.slope)[far_off]
    x, y = np.rint(back).astype(int).T.clip(0, SIZE - 1)
    assert np.median(np.abs(sight.outline[y, x])) < 2  # following it back one comes to the outline


def test_the_flow_is_the_hairs_way_as_long_as_it_is_sure(bob: Seen) -> None:
    angle = np.full((SIZE, SIZE), 0.3, np.float32)
    sure, sign = bob.hair.astype(np.float32), -np.ones((SIZE, SIZE), np.float32)
    level = again(bob, angle=angle, confidence=sure, sign=sign)
    inner = level.outline < -8  # more than three deviations of the blur
    np.testing.assert_allclose(
        level.flow[inner], np.broadcast_to([-np.cos(0.3), -np.sin(0.3)], (inner.sum(), 2)), atol=0.01
    )
    assert not level.flow[~bob.hair].any()
    unsure = again(bob, angle=angle, confidence=0.25 * sure, sign=sign)
    np.testing.assert_allclose(unsure.flow, 0.25 * level.flow, atol=1e-4)


def test_the_face_is_bare(bob: Seen) -> None:
    assert (bob.sight.skin == (bob.evidence.skin > 0.5)).all()
    assert bob.sight.skin.sum() > 2000 and not (bob.sight.skin & bob.hair).any()

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from avatar_stand_in import known_avatar

from headform.avatar.avatar import Avatar
from headform.avatar.overlay import DOT, LONGEST, SHORTEST, clay, overlay, visible_edges, window_of
from headform.photo import Photo
from headform.render import Camera


def test_landmarks_are_dots_where_the_window_says(avatar: Avatar, photo: Photo) -> None:
    picture = overlay(photo, avatar).astype(int)
    window = window_of(avatar.fit.camera.project(avatar.posed())[0], photo)
    assert picture.shape == (window.size[1], window.size[0], 3)
    column, row = window.place(avatar.landmarks.astype(float)).round().astype(int).T
    reddish = picture[row, column, 0] - picture[row, column, 2]
    assert (reddish > 0.7 * (DOT[0] - DOT[2])).mean() > 0.9
    corner = picture[2, 2]
    assert abs(corner - corner[0]).max() <= 1


@pytest.mark.parametrize("size", [(64, 80), (320, 400), (3000, 4000)])
def test_its_size_is_right_for_looking_whatever_the_photos(size: tuple[int, int]) -> None:
    wide, high = size
    avatar = known_avatar(width=wide, height=high)
    picture = overlay(Photo.of(np.full((high, wide, 3), 90, np.uint8)), avatar)
    assert SHORTEST <= max(picture.shape[:2]) <= LONGEST
    assert (picture[..., 2].astype(int) - picture[..., 0] > 100).sum() > 500  # contours


def test_the_windows_camera_sees_what_the_photos_sees(avatar: Avatar, photo: Photo) -> None:
    flat = avatar.fit.camera.project(avatar.posed())[0]
    window = window_of(flat, photo)
    np.testing.assert_allclose(
        window.camera(avatar.fit.camera).project(avatar.posed())[0], window.place(flat), atol=1e-6
    )


def test_a_head_outside_the_photo_shows_all_of_it(avatar: Avatar, photo: Photo) -> None:
    away = replace(avatar.fit.camera, translation=np.array([9.0, 0.0, 1.0]))
    lost = replace(avatar, fit=replace(avatar.fit, camera=away))
    window = window_of(away.project(lost.posed())[0], photo)
    assert (window.left, window.top, window.right, window.bottom) == (0, 0, 320, 400)
    assert overlay(photo, lost).shape == (window.size[1], window.size[0], 3)


def test_only_the_near_side_is_outlined(avatar: Avatar) -> None:
    vertices = avatar.neutral()
    front = Camera.portrait(0.0, 0.0, 600)
    mesh, contours = visible_edges(avatar.model, vertices, front)
    assert len(mesh) > 2000 and 100 < len(contours) < len(mesh)
    assert vertices[mesh].mean(1)[:, 2].min() > -0.08  # the back of the head reaches to −0.12


def test_clay_shows_three_grey_views(avatar: Avatar) -> None:
    picture = clay(avatar.model, avatar.neutral(), 96).astype(int)
    assert picture.shape == (96, 288, 3)
    assert np.ptp(picture, axis=2).max() < 60
    seen = [(picture[:, at : at + 96].mean(2) < 240).mean() for at in (0, 96, 192)]
    assert min(seen) > 0.1
    assert np.array_equal(picture, clay(avatar.model, avatar.neutral(), 96))

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from headform.avatar.avatar import Avatar
from headform.avatar.framing import portrait, portrait_camera
from headform.errors import BadInput
from headform.render import Light


@pytest.mark.parametrize("scale", [0.7, 1.0, 1.3])
@pytest.mark.parametrize("yaw", [-90, 0, 40, 180])
def test_the_whole_head_is_in_the_picture_however_large_it_is(avatar: Avatar, scale: float, yaw: float) -> None:
    person = replace(avatar, fit=replace(avatar.fit, scale=scale))
    placed, _ = portrait_camera(person, yaw, 10, 100).project(person.neutral())
    assert placed.min() > 0 and placed.max() < 99
    assert np.ptp(placed[:, 1]) > 65


def test_yaw_shows_the_left_cheek_and_pitch_the_crown(avatar: Avatar) -> None:
    model, rest = avatar.model, avatar.neutral()
    left, right = (rest[model.part_vertices(part)].mean(0) for part in ("eye_left", "eye_right"))
    front, from_left, from_above = (portrait_camera(avatar, *angles) for angles in ((0, 0), (50, 0), (0, 40)))
    assert front.project(left)[0][0] > front.project(right)[0][0]
    assert from_left.project(left)[1] < from_left.project(right)[1] - 0.03
    crown = rest[rest[:, 1].argmax()]
    assert front.project(crown)[1] - from_above.project(crown)[1] > 0.05


def test_a_portrait_is_clear_outside_the_head_unless_a_background_is_given(avatar: Avatar) -> None:
    clear = portrait(avatar, size=48)
    assert clear.shape == (48, 48, 4) and clear.dtype == np.uint8
    assert clear[0, 0, 3] == 0 and clear[24, 24, 3] == 255
    filled = portrait(avatar, size=48, background=(1.0, 0.0, 0.0))
    assert tuple(filled[0, 0]) == (255, 0, 0, 255)
    dark = portrait(avatar, size=48, light=Light.of((), 0.05))
    assert dark[24, 24, :3].mean() < 0.6 * clear[24, 24, :3].mean()


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"size": 8}, "a picture of 8 pixels"),
        ({"size": 5000}, "a picture of 5000 pixels"),
        ({"pitch": 89}, "a pitch of 89°"),
        ({"pitch": float("nan")}, "a pitch of nan°"),
        ({"yaw": float("inf")}, "a yaw of inf"),
    ],
)
def test_views_that_cannot_be_are_refused(avatar: Avatar, asked: dict[str, float], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        avatar.render(**asked)  # type: ignore[arg-type]

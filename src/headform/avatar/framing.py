"""A portrait of an avatar: the camera goes round the head, the picture is as large as the head needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.avatar.avatar import Avatar
from headform.avatar.views import draw
from headform.errors import BadInput
from headform.fit import Floats
from headform.head import HeadModel
from headform.render import Camera, Light
from headform.render.camera import PORTRAIT_DISTANCE, PORTRAIT_TARGET

Bytes = NDArray[np.uint8]

LEAST_SIZE, MOST_SIZE = 16, 4096  # pixels
STEEPEST = 85.0  # degrees that the camera can go up or down: straight above, no side of the picture is up


def portrait(
    avatar: Avatar,
    yaw: float = 0.0,
    pitch: float = 0.0,
    size: int = 512,
    vertices: Floats | None = None,
    light: Light | None = None,
    background: ArrayLike | None = None,
) -> Bytes:
    """(size, size, 4) sRGB with straight alpha: the head with the expression it shows, or with `vertices` (V, 3)."""
    camera = portrait_camera(avatar, yaw, pitch, size)
    return draw(avatar, camera, avatar.vertices() if vertices is None else vertices, light, background)


def portrait_camera(avatar: Avatar, yaw: float = 0.0, pitch: float = 0.0, size: int = 512) -> Camera:
    """A camera before the face with the whole head in its picture, however large the head is.

    Convention: degrees. yaw > 0 takes the camera to the person's left, pitch > 0 up. Raises BadInput for a size or an
    angle that cannot be.
    """
    check_view(yaw, pitch, size)
    larger = _height(avatar.model, avatar.neutral()) / _height(avatar.model, avatar.model.rest())
    target = np.array(PORTRAIT_TARGET) * larger
    return Camera.portrait(np.radians(yaw), np.radians(pitch), size, target=target, distance=PORTRAIT_DISTANCE * larger)


def check_view(yaw: float, pitch: float, size: int) -> None:
    """Raises BadInput for angles in degrees or a size in pixels that no portrait can have."""
    if not np.isfinite(yaw):
        raise BadInput(f"a yaw of {yaw} cannot be; give degrees")
    if not abs(pitch) <= STEEPEST:
        raise BadInput(f"a pitch of {pitch:g}° cannot be; give {-STEEPEST:g} to {STEEPEST:g}")
    if not LEAST_SIZE <= size <= MOST_SIZE:
        raise BadInput(f"a picture of {size} pixels cannot be drawn; give {LEAST_SIZE} to {MOST_SIZE}")


def _height(model: HeadModel, vertices: Floats) -> float:
    """Metres from the crown to the lower edge of the skin."""
    skin = [row for row, part in enumerate(model.parts) if part == "skin"]
    shown = np.unique(model.quads[np.isin(model.part, skin)]) if skin else slice(None)
    return float(np.ptp(vertices[shown, 1]))

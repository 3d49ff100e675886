"""Where the picture is taken from: an OpenCV camera, with perspective or without."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.errors import BadInput

Doubles = NDArray[np.float64]

PORTRAIT_DISTANCE = 1.2  # metres; nearer than this, noses look large
PORTRAIT_TARGET = (0.0, 0.03, 0.0)  # the middle of a head with neck, seen from the head joint
PORTRAIT_FIELD = 0.34  # radians; 0.41 m are in view at the portrait distance


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """A pinhole or orthographic camera.

    Convention: world metres, +Y up, right-handed. `x_cam = rotation @ X + translation`; the camera looks
    along its +Z, its y points down. Pixel centres are at integers, the origin is the centre of the top-left
    pixel. Perspective: `pixel = (matrix @ x_cam / z)[:2]`. Orthographic: `pixel = matrix[:2, :2] @ x_cam[:2]
    + matrix[:2, 2]`, so that the matrix holds pixels per metre. Example: a camera 1 m in front of the head
    with focal length 500 px and centre (255.5, 255.5) sees the point 1 cm to the person's left 5 px right of
    the centre.

    matrix       (3, 3) intrinsics K, last row (0, 0, 1)
    rotation     (3, 3) world to camera
    translation  (3,) metres
    width, height  pixels
    """

    matrix: Doubles
    rotation: Doubles
    translation: Doubles
    width: int
    height: int
    orthographic: bool = False

    def __post_init__(self) -> None:
        for name, shape in (("matrix", (3, 3)), ("rotation", (3, 3)), ("translation", (3,))):
            value = np.array(getattr(self, name), np.float64)
            if value.shape != shape or not np.isfinite(value).all():
                raise BadInput(f"the camera's {name} must be {shape} finite numbers, not {value.shape}")
            object.__setattr__(self, name, value)
        if not (0 < self.width <= 16384 and 0 < self.height <= 16384):
            raise BadInput(f"a picture of {self.width}×{self.height} pixels cannot be drawn; use 1 to 16384")
        if not np.array_equal(self.matrix[2], (0, 0, 1)):
            raise BadInput("the last row of the camera's matrix must be (0, 0, 1)")

    @classmethod
    def look_at(
        cls,
        eye: ArrayLike,
        target: ArrayLike,
        *,
        up: ArrayLike = (0.0, 1.0, 0.0),
        width: int = 512,
        height: int = 512,
        field_of_view: float = PORTRAIT_FIELD,
    ) -> Camera:
        """A perspective camera at `eye` with `target` in the middle.

        Convention: field_of_view is the full vertical angle in radians; `up` shows upwards in the picture.
        """
        if not 0 < field_of_view < np.pi:
            raise BadInput(f"the field of view is {field_of_view:.3g}; give radians between 0 and π")
        rotation = _facing(np.asarray(eye, np.float64), np.asarray(target, np.float64), up)
        focal = height / 2 / np.tan(field_of_view / 2)
        return cls(_intrinsics(focal, width, height), rotation, -rotation @ np.asarray(eye, float), width, height)

    @classmethod
    def portrait(
        cls,
        yaw: float = 0.0,
        pitch: float = 0.0,
        size: int | tuple[int, int] = 512,
        *,
        field_of_view: float = PORTRAIT_FIELD,
        target: ArrayLike = PORTRAIT_TARGET,
        distance: float = PORTRAIT_DISTANCE,
    ) -> Camera:
        """A perspective camera in front of the face.

        Convention: radians. yaw > 0 moves the camera to the person's left (+X), so that their left cheek
        shows; pitch > 0 moves it up. yaw = π/2 looks at the left ear. `size` is the side in pixels or (width,
        height).
        """
        width, height = (size, size) if isinstance(size, int) else size
        eye = np.asarray(target, np.float64) + distance * _from_front(yaw, pitch)
        return cls.look_at(eye, target, width=width, height=height, field_of_view=field_of_view)

    @classmethod
    def parallel(
        cls,
        yaw: float = 0.0,
        pitch: float = 0.0,
        size: int | tuple[int, int] = 512,
        *,
        extent: float = 0.4,
        target: ArrayLike = PORTRAIT_TARGET,
        distance: float = PORTRAIT_DISTANCE,
    ) -> Camera:
        """The orthographic sister of `portrait`: `extent` metres fill the picture's height."""
        width, height = (size, size) if isinstance(size, int) else size
        eye = np.asarray(target, np.float64) + distance * _from_front(yaw, pitch)
        rotation = _facing(eye, np.asarray(target, np.float64), (0.0, 1.0, 0.0))
        matrix = _intrinsics(height / extent, width, height)
        return cls(matrix, rotation, -rotation @ eye, width, height, orthographic=True)

    @property
    def position(self) -> Doubles:
        """(3,) the camera's place in the world. An orthographic camera has none; this is its origin."""
        return -self.rotation.T @ self.translation

    def to_camera(self, points: ArrayLike) -> Doubles:
        """(..., 3) world points in camera coordinates."""
        return np.asarray(points, np.float64) @ self.rotation.T + self.translation

    def project(self, points: ArrayLike) -> tuple[Doubles, Doubles]:
        """Pixels (..., 2) and depths (...) in metres along the view axis of world points (..., 3).

        A point on or behind the plane of a perspective camera has no pixel: it becomes NaN.
        """
        local = self.to_camera(points)
        depth = local[..., 2]
        if self.orthographic:
            return local[..., :2] @ self.matrix[:2, :2].T + self.matrix[:2, 2], depth
        safe = np.where(depth > 0, depth, np.nan)
        return (local / safe[..., None]) @ self.matrix[:2].T, depth

    def rays(self, pixels: ArrayLike | None = None) -> tuple[Doubles, Doubles]:
        """Origins and unit directions (..., 3), in the world, of the rays through pixels (..., 2).

        Without pixels: through the centre of each, (height, width, 3).
        """
        if pixels is None:
            row, column = np.mgrid[: self.height, : self.width]
            pixels = np.stack([column, row], -1)
        at = np.asarray(pixels, np.float64)
        flat = np.linalg.inv(self.matrix)
        plane = np.concatenate([at, np.ones((*at.shape[:-1], 1))], -1) @ flat.T
        if self.orthographic:
            local = plane * (1.0, 1.0, 0.0)
            origins = (local - self.translation) @ self.rotation
            return origins, np.broadcast_to(self.rotation[2], origins.shape).copy()
        directions = plane @ self.rotation
        directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
        return np.broadcast_to(self.position, directions.shape).copy(), directions

    def scaled(self, factor: float) -> Camera:
        """The same view with `factor` times as many pixels each way."""
        shift = (factor - 1) / 2
        scale = np.array([[factor, 0, shift], [0, factor, shift], [0, 0, 1]])
        width, height = round(self.width * factor), round(self.height * factor)
        return replace(self, matrix=scale @ self.matrix, width=width, height=height)


def _intrinsics(focal: float, width: int, height: int) -> Doubles:
    return np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])


def _from_front(yaw: float, pitch: float) -> Doubles:
    return np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])


def _facing(eye: Doubles, target: Doubles, up: ArrayLike) -> Doubles:
    """(3, 3) world to camera: rows are right, down and forward."""
    forward = target - eye
    right = np.cross(forward, np.asarray(up, np.float64))
    if not np.linalg.norm(right) > 1e-9 * max(1.0, float(np.linalg.norm(forward))):
        raise BadInput("the camera looks along its own up direction, or at where it stands")
    rows = np.stack([right, np.cross(forward, right), forward])
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))

"""Photos of a scan, taken by our own camera, and the landmarks that are found on them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.errors import BadInput
from headform.measure.geometry import MM, Doubles, Placing, head_frame
from headform.measure.scanfile import Bytes, ScanMesh, read_texture
from headform.photo import find_faces, find_landmarks
from headform.render import Camera, Material, Scene, Surface, Texture, rasterise, render, studio_light

NOW_IN_478 = (33, 133, 362, 263, 2, 61, 291)  # MediaPipe's landmarks at the seven places
VIEWS = (0.0, 30.0, -30.0)  # degrees: yaw > 0 shows the person's left cheek
SIZE, FIELD, DISTANCE = 640, 0.36, 1.0  # pixels, radians and metres: a portrait with the whole head
CENTRE = (0.0, -0.01, 0.0)  # metres from the middle of the seven landmarks
BACKDROP = (0.56, 0.58, 0.60)
CLAY = Material((0.72, 0.60, 0.53), roughness=0.6, specular=0.3)  # of skin's tint: the detector asks for skin
FIRST_SIZE, FIRST_DISTANCE = 512, 3.0  # pixels; distance in sizes of the scan: nearly parallel


def photograph(mesh: ScanMesh, seven: ArrayLike, yaw: float = 0.0, size: int = SIZE) -> tuple[Bytes, Camera]:
    """(size, size, 3) a portrait of a scan in studio light from `yaw` degrees, and the camera in the scan's metres.

    `mesh` and `seven` (7, 3) are in millimetres. Colours are the texture's, else clay.
    """
    frame = head_frame(seven)
    straight = Placing(1.0, frame.rotation, np.zeros(3))
    middle = straight.apply(np.asarray(seven, np.float64)).mean(0) / MM
    view = Camera.portrait(np.radians(yaw), 0.0, size, field_of_view=FIELD, target=middle + CENTRE, distance=DISTANCE)
    camera = _camera_of(view, straight)
    pixels, _ = _shoot(mesh, straight, view)
    return pixels, camera


def find_seven(mesh: ScanMesh, name: str) -> Doubles:
    """(7, 3) landmarks of a scan in millimetres, found on portraits of it and carried back to its surface.

    Whichever way it faces along the axes: turned by quarters until a face is found, then portrayed from in front
    once more. Raises BadInput if no face is found or the scan is a cloud of points.
    """
    if not len(mesh.triangles):
        raise BadInput(f"the scan {name} is a cloud of points without landmarks; lay landmarks7.txt beside it")
    low, high = mesh.vertices.min(0), mesh.vertices.max(0)
    middle, extent = (low + high) / 2 / MM, float((high - low).max()) / MM
    for turn in quarter_turns():
        straight = Placing(1.0, turn, np.zeros(3))
        view = Camera.portrait(
            0.0,
            0.0,
            FIRST_SIZE,
            field_of_view=2 * float(np.arctan(0.55 / FIRST_DISTANCE)),
            target=turn @ middle,
            distance=FIRST_DISTANCE * extent,
        )
        rough = _seven_in_view(mesh, straight, view)
        if rough is not None:
            break
    else:
        raise BadInput(f"no face was found on the scan {name}; lay its seven landmarks beside it as landmarks7.txt")
    frame = head_frame(rough)
    straight = Placing(1.0, frame.rotation, np.zeros(3))
    target = straight.apply(rough).mean(0) / MM + CENTRE
    view = Camera.portrait(0.0, 0.0, 768, field_of_view=FIELD, target=target, distance=DISTANCE)
    fine = _seven_in_view(mesh, straight, view)
    return rough if fine is None else fine


def quarter_turns() -> Iterator[Doubles]:
    """The 24 rotations (3, 3) of a cube, the identity first, then those that keep +Y up."""
    found = []
    for order, signs in product(
        ((0, 1, 2), (1, 2, 0), (2, 0, 1), (0, 2, 1), (2, 1, 0), (1, 0, 2)), product((1, -1), repeat=3)
    ):
        turn = np.eye(3)[list(order)] * np.array(signs)[:, None]
        if np.linalg.det(turn) > 0:
            found.append(turn)
    yield from sorted(found, key=lambda turn: -3 * turn[1, 1] - turn[2, 2])


def surface_points(pixels: ArrayLike, camera: Camera, depth: NDArray[np.float32]) -> Doubles:
    """(N, 3) world points behind pixels (N, 2), from a depth buffer; NaN where nothing is seen within two pixels."""
    asked = np.asarray(pixels, np.float64)
    origin, direction = camera.rays(asked)
    along = direction @ camera.rotation[2]
    deep = np.array([_depth_at(depth, x, y) for x, y in asked])
    start = np.zeros(len(asked)) if not camera.orthographic else camera.to_camera(origin)[:, 2]
    return np.asarray(origin + direction * ((deep - start) / along)[:, None])


def _depth_at(depth: NDArray[np.float32], x: float, y: float) -> float:
    """Between the four pixels around, if all see something; else the nearest that does."""
    high, wide = depth.shape
    column, row = int(np.floor(x)), int(np.floor(y))
    if 0 <= column < wide - 1 and 0 <= row < high - 1:
        around = depth[row : row + 2, column : column + 2].astype(np.float64)
        if np.isfinite(around).all():
            right, down = x - column, y - row
            return float(np.array([1 - down, down]) @ around @ np.array([1 - right, right]))
    left, top = max(round(x) - 2, 0), max(round(y) - 2, 0)
    window = depth[top : round(y) + 3, left : round(x) + 3]
    rows, columns = np.nonzero(np.isfinite(window))
    if not len(rows):
        return float("nan")
    nearest = np.argmin((columns + left - x) ** 2 + (rows + top - y) ** 2)
    return float(window[rows[nearest], columns[nearest]])


def _seven_in_view(mesh: ScanMesh, straight: Placing, view: Camera) -> Doubles | None:
    """(7, 3) in the scan's millimetres, or None where no face is found."""
    pixels, placed = _shoot(mesh, straight, view)
    faces = find_faces(pixels)
    if not faces:
        return None
    marks = find_landmarks(pixels, faces[0]).points[list(NOW_IN_478), :2]
    depth = rasterise(placed, mesh.triangles, view).depth
    found = surface_points(marks, view, depth)
    return straight.undo(found * MM) if np.isfinite(found).all() else None


def _shoot(mesh: ScanMesh, straight: Placing, view: Camera) -> tuple[Bytes, Doubles]:
    """The picture, and the turned vertices in metres."""
    placed = straight.apply(mesh.vertices) / MM
    small = placed.astype(np.float32)
    if mesh.texture is not None and len(mesh.uv):
        paint = Material((1.0, 1.0, 1.0), texture=_texture(mesh.texture), roughness=0.6, specular=0.3)
        surface = Surface(small, mesh.triangles, paint, mesh.uv.astype(np.float32), mesh.triangles_uv)
    else:
        surface = Surface(small, mesh.triangles, CLAY)
    return np.ascontiguousarray(render(Scene((surface,), light=studio_light(), background=BACKDROP), view).rgb), placed


def _camera_of(view: Camera, straight: Placing) -> Camera:
    """The camera that sees the scan, not turned, as `view` sees it turned."""
    return Camera(
        view.matrix, view.rotation @ straight.rotation, view.translation, view.width, view.height, view.orthographic
    )


@lru_cache(maxsize=2)
def _texture(path: Path) -> Texture:
    return Texture.colour(read_texture(path))

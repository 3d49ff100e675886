"""How like the person an avatar is from where no photo was given.

It is made from the photo in front and drawn from a second camera, in the light that was found in the first photo, and
compared as `portrait` says, in the head crop of the second photo. Where the second camera stands is known:

- of a scan with its texture, which our own camera photographs. The avatar, as posed in front, is laid on the scan as
  `geometry` does it, size free;
- of photos taken at the same moment, NAME_view0, NAME_view1, …, of which NAME_view1 is in front. The camera is solved
  from the landmarks of the second photo, with the front camera's focal length: the avatar itself does not change.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from headform.avatar.avatar import Avatar
from headform.avatar.views import draw, input_view
from headform.errors import BadInput, HeadformError
from headform.fit.solve import similarity
from headform.head import HeadModel
from headform.head.skinning import cross_matrix, rotation_matrices
from headform.measure.closest import MeshTree
from headform.measure.geometry import MM, Placing, Scan, align, refine
from headform.measure.heads import face_triangles, seven_of
from headform.measure.layouts import ScanSource, find_plain, load_scan
from headform.measure.portrait import AvatarMaker, Likeness, Pair, Row, avatar_maker, pair_of
from headform.measure.portrait_report import described, likeness_report, side_by_side
from headform.measure.report import Report
from headform.measure.scanview import photograph
from headform.photo import Photo, see
from headform.photo.crop import head_crop
from headform.photo.picture import ENDINGS
from headform.render import Camera

Progress = Callable[[str, float], None]

SIDES = (45.0, -45.0)  # degrees: yaw > 0 shows the person's left cheek
SIZE = 1024  # pixels of a scan's photos
VIEW = re.compile(r"(?P<name>.+)_view(?P<number>\d+)")
FRONT = 1  # number of the view that is given
ROUNDS = 12
FREEDOM = 4.0  # of Student's t: how soon a landmark counts as an outlier
SECOND = (
    "The avatar is made from the photo in front alone, drawn from a second camera in the light found in the first "
    "photo, and compared with the second photo. Of a scan the second camera is known: the avatar lies on the scan as "
    "the geometry protocol lays it, its size free. Of photos taken at the same moment the second camera is solved from "
    "that photo's landmarks on the unchanged avatar, with the front camera's focal length. "
)


@dataclass(frozen=True, eq=False)
class Subject:
    """One person: the photo in front, and what an avatar made of it is compared with.

    sides  the second photos by name, each with what finds its camera for the avatar as posed in front
    """

    name: str
    front: Photo
    sides: tuple[tuple[str, Photo, Callable[[Avatar], Camera]], ...]


def measure_second_views(
    folder: str | Path,
    backend: str | AvatarMaker | None = None,
    progress: Progress | None = None,
    *,
    hair: bool = True,
    model: HeadModel | None = None,
) -> Report:
    """Every scan, or set of photos, in a folder; `backend` is a name or makes an avatar from a photo.

    A person or view that cannot be measured is listed and left out of the means. Raises BadInput if the folder holds
    none or none can be measured.
    """
    place = Path(folder)
    found = find_subjects(place)
    make = backend if callable(backend) else avatar_maker(backend or "headform", model)
    tell = progress or _silence
    given: list[Row] = []
    rows: list[Row] = []
    for number, (name, take) in enumerate(found):
        tell(f"{name}: measuring", number / len(found))
        try:
            front, *sides = measure_subject(take(), make, hair=hair)
        except HeadformError as error:
            rows.append(Row(name, None, error=str(error)))
            continue
        given.append(front)
        rows += sides
    tell("done", 1.0)
    if not any(row.likeness for row in rows):
        raise BadInput(f"{place}: no second view could be measured; the first: {rows[0].name}: {rows[0].error}")
    title = f"Second views{'' if hair else ', without hair'}: {place.resolve().name}"
    return likeness_report("second view", title, SECOND + described(hair), rows, given)


def measure_subject(subject: Subject, make: AvatarMaker, *, hair: bool = True) -> list[Row]:
    """The given view, for comparison, then the second ones. Raises BadInput where the front gives no avatar."""
    (sighting,) = see(subject.front, 1)
    begin = time.perf_counter()
    avatar = make(subject.front)
    seconds = time.perf_counter() - begin
    crop = head_crop(sighting.face.box)
    pair = pair_of(subject.front, sighting, crop, input_view(avatar, crop), hair=hair)
    rows = [_row(f"{subject.name}, given", pair, seconds)]
    for name, photo, camera_of in subject.sides:
        try:
            rows.append(_row(name, compare_from(avatar, photo, camera_of(avatar), hair=hair), seconds))
        except HeadformError as error:
            rows.append(Row(name, None, error=str(error)))
    return rows


def compare_from(avatar: Avatar, photo: Photo, camera: Camera, *, hair: bool = True) -> Pair:
    """A photo and the avatar, posed and lit as in the photo it was made from, drawn with the camera of this one."""
    (sighting,) = see(photo, 1)
    crop = head_crop(sighting.face.box)
    drawn = draw(avatar, crop.camera(camera), avatar.posed(), avatar.fit.light)
    return pair_of(photo, sighting, crop, drawn, hair=hair)


def find_subjects(folder: Path) -> list[tuple[str, Callable[[], Subject]]]:
    """Name of each person in a folder, and what reads their photos. Raises BadInput where there is none."""
    if not folder.is_dir():
        raise BadInput(f"{folder} is no folder; give one with scans or with photos from several sides")
    sets = {name: views for name, views in _view_files(folder).items() if FRONT in views and len(views) > 1}
    found: list[tuple[str, Callable[[], Subject]]] = [
        *((case.subject, partial(scanned, case.source)) for case in find_plain(folder)),
        *((name, partial(photographed, name, views)) for name, views in sets.items()),
    ]
    if not found:
        raise BadInput(
            f"{folder} holds no second views; looked for NAME/mesh_mm.obj, or for photos NAME_view0.jpg, "
            f"NAME_view{FRONT}.jpg, … of which view{FRONT} is in front"
        )
    return found


# ── scans ────────────────────────────────────────────────────────────────────────────────────────


def scanned(source: ScanSource) -> Subject:
    """A scan, photographed from in front and from the sides. Raises BadInput for one without a texture."""
    mesh, scan = load_scan(source)
    if mesh.texture is None or not len(mesh.uv):
        raise BadInput(f"the scan {scan.name} has no texture: there is no skin to compare; lay color.jpg beside it")
    front, _ = photograph(mesh, scan.seven, 0.0, SIZE)
    sides = []
    for yaw in SIDES:
        pixels, camera = photograph(mesh, scan.seven, yaw, SIZE)
        name = f"{scan.name}, {yaw:+.0f}°"
        sides.append((name, Photo.of(pixels, name), partial(camera_on, scan, camera)))
    return Subject(scan.name, Photo.of(front, f"{scan.name} in front"), tuple(sides))


def camera_on(scan: Scan, camera: Camera, avatar: Avatar) -> Camera:
    """The camera that sees the avatar, as posed, as `camera` sees the scan, in metres, when one lies on the other."""
    return camera_before(camera, lay_on(scan, avatar))


def lay_on(scan: Scan, avatar: Avatar) -> Placing:
    """From the avatar, as posed, to the scan, both in millimetres: by seven landmarks, then where both are nearest."""
    posed = avatar.posed()
    tree = MeshTree.of(posed.astype(np.float64) * MM, face_triangles(avatar.model))
    first = align(seven_of(avatar.model, posed) * MM, scan.seven, scale=True)
    return refine(tree, scan.points, first, scale=True)


def camera_before(camera: Camera, placing: Placing) -> Camera:
    """The camera that sees things as `camera` sees them placed; `placing` counts in millimetres.

    What it sees is nearer by the placing's factor, which no picture shows: x = R (f Q X + p) + t, all divided by f.
    """
    move = camera.rotation @ placing.translation / MM + camera.translation
    return replace(camera, rotation=camera.rotation @ placing.rotation, translation=move / placing.factor)


# ── photos ───────────────────────────────────────────────────────────────────────────────────────


def photographed(name: str, views: dict[int, Path]) -> Subject:
    """A person in several photos of the same moment."""
    sides = []
    for number, path in sorted(views.items()):
        if number != FRONT:
            photo = Photo.open(path)
            sides.append((path.stem, photo, partial(camera_of, photo)))
    return Subject(name, Photo.open(views[FRONT]), tuple(sides))


def camera_of(photo: Photo, avatar: Avatar) -> Camera:
    """The camera of another photo of the same moment, from its landmarks on the avatar as posed in its own photo."""
    if "mediapipe_478" not in avatar.model.embeddings:
        raise BadInput(f"the head {avatar.model.name!r} does not know where the 478 points of a face lie; use another")
    (sighting,) = see(photo, 1)
    points = avatar.model.embeddings["mediapipe_478"].points(avatar.posed())
    high, wide = photo.pixels.shape[:2]
    front = avatar.fit.camera
    focal = float(front.matrix[0, 0]) * np.hypot(wide, high) / np.hypot(front.width, front.height)
    return solve_camera(points, sighting.landmarks.points, focal, wide, high)


def solve_camera(points: ArrayLike, seen: ArrayLike, focal: float, wide: int, high: int) -> Camera:
    """The camera of that focal length, in pixels, that sees points (n, 3), metres, where they were seen.

    `seen` (n, 3) are pixels, and depths in pixels of any zero, which only begin the search: Gauss–Newton on the
    distances in the picture, where what lies far off counts less.
    """
    world, pixels = np.asarray(points, np.float64), np.asarray(seen, np.float64)
    centre = np.array([(wide - 1) / 2, (high - 1) / 2])
    scale, turn, shift = similarity(world, pixels)
    middle = turn @ world.mean(0)
    move = np.append((shift[:2] - centre) / scale, focal / scale - middle[2])
    for _ in range(ROUNDS):
        turned = world @ turn.T
        placed = turned + move
        size = focal / placed[:, 2]
        residual = placed[:, :2] * size[:, None] + centre - pixels[:, :2]
        view = np.zeros((len(world), 2, 3))
        view[:, 0, 0] = view[:, 1, 1] = size
        view[:, :, 2] = -placed[:, :2] * (size / placed[:, 2])[:, None]
        rows = np.concatenate([view @ -cross_matrix(turned), view], 2)
        far = (residual**2).sum(1)
        weight = (FREEDOM + 2) / (FREEDOM + 2 * far / max(float(np.median(far)), 1e-12))
        normal = np.einsum("n,nik,nil->kl", weight, rows, rows)
        step = -np.linalg.solve(normal, np.einsum("n,nik,ni->k", weight, rows, residual))
        turn = rotation_matrices(step[:3]).astype(np.float64) @ turn
        move = move + step[3:]
    matrix = np.array([[focal, 0, centre[0]], [0, focal, centre[1]], [0, 0, 1]])
    return Camera(matrix, turn, move, wide, high)


def _view_files(folder: Path) -> dict[str, dict[int, Path]]:
    """The photos of each name by the number of their view."""
    found: dict[str, dict[int, Path]] = {}
    for path in _photos(folder):
        match = VIEW.fullmatch(path.stem)
        if match:
            found.setdefault(match["name"], {})[int(match["number"])] = path
    return found


def _photos(folder: Path) -> Iterator[Path]:
    yield from sorted(p for p in folder.iterdir() if p.suffix.lower() in ENDINGS and not p.name.startswith("."))


def _row(name: str, pair: Pair, seconds: float) -> Row:
    return Row(name, Likeness.of(pair), seconds, side_by_side(pair))


def _silence(_: str, __: float) -> None:
    """Nobody is watching."""

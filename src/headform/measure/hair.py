"""How like the photo's hair an avatar's is: where it is, and which way it runs.

The protocol, for the largest face of each photo NAME.jpg with a mask NAME_mask.png drawn by hand (white is hair):

- Compared are the pixels of the head crop of 512² that lie within the photo. The avatar's hair is drawn by the photo's
  own camera; a pixel is hair where strands cover half of it in front of the head.
- IoU: what both hold over what either holds. 'missed': share of the mask without strands; 'extra': strands outside
  the mask over the mask. 'seen': the IoU of the mask that was found in the photo, which is all the avatar had.
- Orientation: mean angle between the photo's grain, within the hand-drawn mask and where it is clear, and the drawn
  strands' directions, averaged over as many pixels; 45° is chance.
- Inside: share of the strands' points more than a millimetre inside the head at rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headform.avatar.avatar import Avatar
from headform.avatar.views import dressed, with_glints
from headform.errors import BadInput, HeadformError
from headform.hair.evidence import GREY
from headform.hair.groom import Groom
from headform.hair.orientation import REFERENCE, WINDOW, drawn_tangents, grain, unlike
from headform.head import HeadModel
from headform.measure.closest import MeshTree
from headform.measure.portrait import SURE, AvatarMaker, avatar_maker, before_black, find_portraits
from headform.measure.report import Cell, Figure, Report, Table
from headform.measure.similarity import Bytes, Region
from headform.photo import Photo, see
from headform.photo.crop import Crop, head_crop
from headform.photo.sighting import Sighting
from headform.render import Picture, Scene, render
from headform.skin.filters import blurred

Progress = Callable[[str, float], None]
Floats = NDArray[np.float32]

MASK = "_mask.png"
CLEAR = 0.3  # confidence from which the photo's grain counts
LEAST_CLEAR = 50  # pixels of the crop: with fewer there is no mean angle
WITHIN = 0.001  # metres: roots sit in the skin
MOST_ASKED = 100_000  # points of strands: a share is then known to 0.2 %
MOST_PICTURES = 200  # photos with pictures: more make the page heavy
NO_FACE = "no face"
HIT, MISSED, EXTRA = (60, 220, 90), (235, 60, 60), (70, 120, 255)
LEAD = (
    "The avatar's hair drawn by the photo's own camera against masks drawn by hand, in the head crop of 512² pixels "
    "and within the photo. IoU: intersection over union; missed: share of the mask without strands; extra: strands "
    "outside the mask over the mask; seen: the IoU of the mask that was found in the photo. Degrees: mean angle "
    "between the grain of the photo, where it is clear, and the strands; 45 is chance. Photos without a face are in "
    "no mean. In the pictures, what is hair in both is green, what only the mask holds red, only the avatar blue."
)
NUMBERS = {"IoU": "iou", "missed": "missed", "extra": "extra", "seen": "seen", "degrees": "degrees", "inside": "inside"}


@dataclass(frozen=True, slots=True)
class HairLikeness:
    """The numbers of one photo. iou and seen are better the larger, the others the smaller.

    degrees  None where there is no clear grain in what both hold
    inside   None where it was not asked for, or there is no strand
    """

    iou: float
    missed: float
    extra: float
    seen: float
    degrees: float | None
    inside: float | None = None


@dataclass(frozen=True, eq=False)
class HairRow:
    """One photo by name: its likeness, None where `error` says why; the picture of it, or None."""

    name: str
    likeness: HairLikeness | None
    seconds: float | None = None
    shown: Bytes | None = None
    error: str = ""


@dataclass(frozen=True, eq=False)
class DrawnHair:
    """An avatar in the head crop, by the photo's camera: the picture, and tangents (S, S, 2) of the strands in front,
    unit vectors, 0 where there is none."""

    picture: Picture
    tangents: Floats

    @property
    def hair(self) -> Region:
        return np.asarray(self.picture.strands >= SURE)


def measure_hair(
    folder: str | Path,
    backend: str | AvatarMaker | None = None,
    progress: Progress | None = None,
    *,
    strands: bool = False,
    model: HeadModel | None = None,
) -> Report:
    """Every photo with a mask in a folder and the folders in it; `backend` is a name or makes an avatar from a photo.

    With `strands`, the points of strands that are inside the head are counted too. Raises BadInput if the folder
    holds no photo with a mask or none of them can be measured.
    """
    place = Path(folder)
    paths = find_masked(place)
    make = backend if callable(backend) else avatar_maker(backend or "headform", model)
    rows: list[HairRow] = []
    for number, path in enumerate(paths):
        name = path.relative_to(place).as_posix()
        if progress:
            progress(f"{name}: measuring", number / len(paths))
        rows.append(_measured(name, path, make, strands, shown=number < MOST_PICTURES))
    if progress:
        progress("done", 1.0)
    if not any(row.likeness for row in rows):
        raise BadInput(f"{place}: none of {len(rows)} photos could be measured; the first: {rows[0].error}")
    return hair_report(f"Hair: {place.resolve().name}", rows)


def find_masked(folder: Path) -> list[Path]:
    """The photos in a folder and the folders in it that have a mask beside them. Raises BadInput if none has."""
    found = [path for path in find_portraits(folder) if mask_path(path).is_file()]
    if not found:
        raise BadInput(f"{folder} holds no photo with a mask; beside NAME.jpg it needs NAME{MASK}, white where hair is")
    return found


def mask_path(photo: Path) -> Path:
    return photo.with_name(photo.stem + MASK)


def read_mask(path: Path, photo: Photo) -> Floats:
    """(H, W) 0 or 1 at the photo's size, whatever the mask's is. Raises BadInput for what is no picture."""
    high, wide = photo.pixels.shape[:2]
    try:
        with Image.open(path) as image:
            scaled = image.convert("L").resize((wide, high), Image.Resampling.BILINEAR)
    except OSError as error:
        raise BadInput(f"{path.name} is no picture that can be read ({error}); give a mask as PNG") from error
    return (np.asarray(scaled) >= 128).astype(np.float32)


def compare_hair(
    photo: Photo, sighting: Sighting, mask: Floats, avatar: Avatar, *, strands: bool = False
) -> tuple[HairLikeness, Bytes]:
    """The numbers of a photo with its mask (H, W) and an avatar of its face, and the picture of both."""
    crop = head_crop(sighting.face.box)
    groom = hair_of(avatar)
    drawn = draw_hair(avatar, groom, crop)
    cut = crop.cut(photo.pixels)
    within = crop.cut_mask(np.ones_like(mask)) >= SURE
    wanted = (crop.cut_mask(mask) >= SURE) & within
    if not wanted.any():
        raise BadInput(f"the mask of {photo.name} holds no hair about the face; leave the photo out")
    covered = drawn.hair & within
    seen = (crop.cut_mask(sighting.masks.hair) >= SURE) & within
    likeness = HairLikeness(
        overlap(wanted, covered),
        float((wanted & ~covered).sum() / wanted.sum()),
        float((covered & ~wanted).sum() / wanted.sum()),
        overlap(wanted, seen),
        degrees_between(cut, wanted, drawn),
        share_inside(groom, avatar) if strands and groom is not None else None,
    )
    return likeness, picture_of(cut, wanted, covered, before_black(drawn.picture.rgba), within)


def hair_of(avatar: Avatar) -> Groom | None:
    """The avatar's strands at rest, or None for a head without hair."""
    return avatar.hair if avatar.hair is not None and len(avatar.hair) else None


def draw_hair(avatar: Avatar, groom: Groom | None, crop: Crop) -> DrawnHair:
    """The avatar with a groom, given at rest, as the photo's own camera saw it, in a crop."""
    posed = avatar.posed()
    placed = None if groom is None else groom.moved(avatar.neutral(), posed)
    camera = crop.camera(avatar.fit.camera)
    strands = () if placed is None else (placed.strands(),)
    scene = Scene(dressed(avatar, posed), strands, with_glints(avatar.fit.light))
    picture = render(scene, camera)
    if placed is None:
        return DrawnHair(picture, np.zeros((crop.size, crop.size, 2), np.float32))
    return DrawnHair(picture, drawn_tangents(placed.points, camera, picture.depth)[0])


def overlap(one: Region, other: Region) -> float:
    """Intersection over union; 0 where both are empty."""
    return float((one & other).sum() / max((one | other).sum(), 1))


def degrees_between(cut: Bytes, wanted: Region, drawn: DrawnHair) -> float | None:
    """Mean angle between the grain of the photo (S, S, 3) within the mask (S, S) and the strands, 0–90."""
    grey = np.asarray(cut.astype(np.float32) @ GREY, np.float32)
    angle, confidence = grain(grey, wanted.astype(np.float32))
    x, y = drawn.tangents[..., 0], drawn.tangents[..., 1]
    doubled = np.stack([x * x - y * y, 2 * x * y], -1)
    calm = blurred(doubled, WINDOW * len(cut) / REFERENCE)  # the photo's grain is a mean over as much
    strands = 0.5 * np.arctan2(calm[..., 1], calm[..., 0])
    both = wanted & drawn.hair & (confidence >= CLEAR) & drawn.tangents.any(-1)
    if both.sum() < LEAST_CLEAR:
        return None
    return float(np.degrees(unlike(angle, strands)[both]).mean())


def share_inside(groom: Groom, avatar: Avatar, deep: float = WITHIN) -> float:
    """Share of the points of a groom, roots left out, that lie more than `deep` metres inside the head's skin. The skin
    is open below the neck: what is nearest to its rim hangs under the head, and is in nothing."""
    model, vertices = avatar.model, avatar.neutral().astype(np.float64)
    skin = model.triangles[model.triangle_part == model.part_index("skin")]
    points = groom.points[:, 1:].reshape(-1, 3)
    points = points[:: 1 + len(points) // MOST_ASKED].astype(np.float64)
    near = MeshTree.of(vertices, skin).closest(points)
    a, b, c = (vertices[skin[near.triangle, k]] for k in range(3))
    outward = np.cross(b - a, c - a)
    behind = np.einsum("ij,ij->i", points - near.points, outward) < 0
    under = on_rim(skin)[near.triangle]
    return float((behind & ~under & (near.distance > deep)).mean())


def on_rim(triangles: NDArray[np.int32]) -> Region:
    """(T,) triangles that touch the border of an open mesh."""
    edges = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    return np.asarray(np.isin(triangles, unique[count == 1]).any(1))


def picture_of(cut: Bytes, wanted: Region, covered: Region, drawn: Bytes, within: Region) -> Bytes:
    """(h, 3 w, 3) photo, masks over it, and avatar, as far as the photo goes and at half size."""
    over = cut.copy()
    for region, colour in ((wanted & covered, HIT), (wanted & ~covered, MISSED), (covered & ~wanted, EXTRA)):
        over[region] = over[region] // 2 + np.array(colour, np.uint8) // 2
    rows, columns = np.flatnonzero(within.any(1)), np.flatnonzero(within.any(0))
    shown = slice(rows[0], rows[-1] + 1, 2), slice(columns[0], columns[-1] + 1, 2)
    return np.ascontiguousarray(np.concatenate([part[shown] for part in (cut, over, drawn)], 1))


def _measured(name: str, path: Path, make: AvatarMaker, strands: bool, shown: bool) -> HairRow:
    try:
        photo = Photo.open(path)
        mask = read_mask(mask_path(path), photo)
        try:
            (sighting,) = see(photo, 1)
        except BadInput:
            return HairRow(name, None, error=NO_FACE)
        begin = time.perf_counter()
        avatar = make(photo)
        seconds = time.perf_counter() - begin
        likeness, picture = compare_hair(photo, sighting, mask, avatar, strands=strands)
    except HeadformError as error:
        return HairRow(name, None, error=str(error))
    return HairRow(name, likeness, seconds, picture if shown else None)


def hair_report(title: str, rows: Sequence[HairRow]) -> Report:
    """The tables: medians and means; each photo, the worst first; those that could not be measured."""
    measured = sorted((row for row in rows if row.likeness), key=lambda row: row.likeness.iou if row.likeness else 0)
    columns = tuple(name for name in NUMBERS if any(_number(row, name) is not None for row in measured))
    summary = [
        (name, *(_over([_number(row, column) for row in measured], middle) for column in columns))
        for name, middle in (("median", np.median), ("mean", np.mean))
    ]
    each = [(row.name, *(_number(row, column) for column in columns), row.seconds) for row in measured]
    failed = [(row.name, row.error) for row in rows if row.error]
    tables = [
        Table(f"All {len(measured)}", ("of", *columns), tuple(summary), 1, 3),
        Table("Each, the worst first", ("photo", *columns, "seconds"), tuple(each), digits=3),
    ]
    if failed:
        tables.append(Table("Photos that were not measured", ("photo", "reason"), tuple(failed)))
    figures = [Figure(row.shown, caption(row), "Photo, masks and avatar") for row in measured if row.shown is not None]
    numbers = {
        "kind": "hair",
        "measured": len(measured),
        "no_face": sum(reason == NO_FACE for _, reason in failed),
        "failed": [{"photo": name, "reason": reason} for name, reason in failed],
        "summary": [dict(zip(("of", *map(str.lower, columns)), row, strict=True)) for row in summary],
        "photos": [dict(zip(("photo", *map(str.lower, columns), "seconds"), row, strict=True)) for row in each],
    }
    return Report(title, LEAD, tuple(tables), tuple(figures), numbers)


def caption(row: HairRow) -> str:
    """The row's name and what matters of its numbers."""
    assert row.likeness is not None
    of = row.likeness
    angle = "" if of.degrees is None else f", {of.degrees:.0f}°"
    return f"{row.name}: IoU {of.iou:.2f}{angle}, missed {of.missed:.2f}, extra {of.extra:.2f}"


def _number(row: HairRow, column: str) -> float | None:
    value: float | None = getattr(row.likeness, NUMBERS[column])
    return value


def _over(values: Sequence[Cell], middle: Callable[[list[float]], np.floating]) -> float | None:
    known = [float(value) for value in values if value is not None]
    return float(middle(known)) if known else None

"""Faces found against faces drawn: recall and precision at an overlap of one half."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.errors import BadInput
from headform.photo.affine import Doubles
from headform.photo.blazeface import FaceBox, overlap
from headform.photo.picture import ENDINGS, Photo

BOXES = "gt_boxes.json"
NEGATIVES = "negatives"
LEAST_OVERLAP = 0.5  # intersection over union: the usual threshold

Detector = Callable[[NDArray[np.uint8]], Sequence[FaceBox]]


@dataclass(frozen=True, eq=False)
class Framed:
    """A photo and the boxes (n, 4) of all its faces: left, top, right, bottom in pixels; none on a negative."""

    photo: Path
    boxes: Doubles
    name: str


@dataclass(frozen=True, eq=False)
class DetectionScore:
    """What a detector said about one photo.

    found  (m, 4) its boxes, surest first; match (m,) the row of the drawn box each of them is, or -1
    """

    framed: Framed
    found: Doubles
    match: NDArray[np.int64]

    @property
    def hits(self) -> int:
        return int((self.match >= 0).sum())

    @property
    def missed(self) -> int:
        return len(self.framed.boxes) - self.hits

    @property
    def false(self) -> int:
        return len(self.match) - self.hits


@dataclass(frozen=True)
class DetectionTotal:
    """Sums over photos. recall: share of the faces that were found; precision: share of the finds that are faces.

    A share of nothing is 1.
    """

    photos: int
    faces: int
    hits: int
    false: int

    @classmethod
    def of(cls, scores: Sequence[DetectionScore]) -> DetectionTotal:
        faces = sum(len(s.framed.boxes) for s in scores)
        return cls(len(scores), faces, sum(s.hits for s in scores), sum(s.false for s in scores))

    @property
    def recall(self) -> float:
        return self.hits / self.faces if self.faces else 1.0

    @property
    def precision(self) -> float:
        return self.hits / (self.hits + self.false) if self.hits + self.false else 1.0


def read_framed(folder: Path) -> list[Framed]:
    """The photos of a folder's `gt_boxes.json`, or of those one folder down, and those in `negatives`, without faces.

    `gt_boxes.json` is `{"photo.jpg": {"boxes_xyxy": [[left, top, right, bottom], …]}, …}`, with paths from its own
    folder. Raises BadInput if there is neither, or if photos that it names are missing.
    """
    if not folder.is_dir():
        raise BadInput(f"{folder} is no folder; give one with {BOXES} or a folder {NEGATIVES}")
    lists = [p for up in ("", "*/") for p in sorted(folder.glob(up + BOXES))]
    framed = [one for path in lists for one in _read_boxes(path)]
    place = folder if folder.resolve().name == NEGATIVES else folder / NEGATIVES
    if place.is_dir():
        photos = sorted(p for p in place.rglob("*") if p.suffix.lower() in ENDINGS)
        framed += [Framed(p, np.zeros((0, 4)), f"{NEGATIVES}/{p.relative_to(place)}") for p in photos]
    if not framed:
        raise BadInput(f"{folder} holds nothing to detect faces in; looked for {BOXES} and photos in {NEGATIVES}/")
    return framed


def score_detection(framed: Framed, detect: Detector) -> DetectionScore:
    """One photo, looked at by the detector. Raises BadInput where it cannot be read.

    Boxes count as far as they lie in the picture: drawn ones end at its border, found ones of cut faces do not.
    """
    pixels = Photo.open(framed.photo).pixels
    faces = sorted(detect(pixels), key=lambda face: -face.score)
    found = inside_of(np.array([face.box for face in faces], np.float64).reshape(-1, 4), pixels)
    return DetectionScore(framed, found, match_boxes(found, inside_of(framed.boxes, pixels)))


def inside_of(boxes: Doubles, pixels: NDArray[np.uint8]) -> Doubles:
    """(n, 4) the parts of boxes that lie in the picture (H, W, 3)."""
    high, wide = pixels.shape[:2]
    return np.clip(boxes, 0, (wide - 1, high - 1, wide - 1, high - 1))


def match_boxes(found: ArrayLike, drawn: ArrayLike, least: float = LEAST_OVERLAP) -> NDArray[np.int64]:
    """(m,) for each found box (m, 4), in order, the free drawn box (n, 4) it overlaps most, or -1 below `least`."""
    given, truth = np.asarray(found, np.float64).reshape(-1, 4), np.asarray(drawn, np.float64).reshape(-1, 4)
    match = np.full(len(given), -1, np.int64)
    free = np.ones(len(truth), bool)
    for row, box in enumerate(given):
        shared = np.where(free, overlap(box, truth), -1.0)
        if len(shared) and shared.max() >= least:
            match[row] = int(shared.argmax())
            free[match[row]] = False
    return match


def _read_boxes(path: Path) -> list[Framed]:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        rows = [(name, np.array(row["boxes_xyxy"], np.float64).reshape(-1, 4)) for name, row in sorted(table.items())]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        row = '{"photo.jpg": {"boxes_xyxy": [[left, top, right, bottom]]}}'
        raise BadInput(f"{path} is no list of boxes ({error!r}); write it as {row}") from error
    missing = [name for name, _ in rows if not (path.parent / name).is_file()]
    if missing:
        raise BadInput(f"{path} names {len(missing)} photos that are not there, first {missing[0]}")
    return [Framed(path.parent / name, boxes, name) for name, boxes in rows]

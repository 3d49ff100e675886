"""68 points against drawn ones: the normalised mean error of 300-W and AFLW2000-3D."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.photo import FaceBox, Photo, find_faces
from headform.photo.blazeface import overlap

Doubles = NDArray[np.float64]

GROUPS = {
    "jaw": slice(0, 17),
    "brow": slice(17, 27),
    "nose": slice(27, 36),
    "eye": slice(36, 48),
    "mouth": slice(48, 68),
}
YAW_BINS = ((0, 30), (30, 60), (60, 91))
LEAST_OVERLAP = 0.3  # of a found face's box with the true points' box
# rows of the 68 that stand for a detector's six keypoints: eyes, nose, mouth, ears
KEYPOINTS = ((36, 39), (42, 45), (30,), (48, 54), (0,), (16,))


@dataclass(frozen=True, eq=False)
class Drawn:
    """A photo with its 68 true points (68, 2) in pixels, and the head's yaw in degrees, NaN if unknown."""

    photo: Path
    points: Doubles
    yaw: float


@dataclass(frozen=True, eq=False)
class LandmarkScore:
    """One photo: distances (68,) as shares of the face's size; found: whether the detector saw the face."""

    drawn: Drawn
    errors: Doubles
    predicted: Doubles
    found: bool

    @property
    def mean(self) -> float:
        return float(self.errors.mean())


Predictor = Callable[[Photo, FaceBox], Doubles]


def read_drawn(folder: Path) -> list[Drawn]:
    """The photos with true points in a folder: `gt.json` as of AFLW2000-3D, `gt.csv`, or `.pts` beside each photo.

    `.pts` files count pixels from 1. Raises BadInput where there is none of these.
    """
    if (folder / "gt.json").is_file():
        rows = json.loads((folder / "gt.json").read_text())
        return [
            Drawn(folder / name, np.array(row["pts68_3d"], float)[:, :2], float(row.get("yaw_deg", np.nan)))
            for name, row in sorted(rows.items())
            if (folder / name).is_file()
        ]
    if (folder / "gt.csv").is_file():
        with (folder / "gt.csv").open() as stream:
            table = list(csv.reader(stream))[1:]
        return [Drawn(folder / r[0], np.array(r[1:137], float).reshape(68, 2), np.nan) for r in table]
    drawn = []
    for path in sorted(folder.rglob("*.pts")):
        lines = path.read_text().split("{")[-1].split("}")[0].split()
        photo = next((path.with_suffix(e) for e in (".jpg", ".png", ".jpeg") if path.with_suffix(e).is_file()), None)
        if photo is not None and len(lines) == 136:
            drawn.append(Drawn(photo, np.array(lines, float).reshape(68, 2) - 1, np.nan))
    if not drawn:
        raise BadInput(f"{folder} holds no true points: gt.json, gt.csv or .pts files beside photos were looked for")
    return drawn


def score_landmarks(drawn: Drawn, predict: Predictor) -> LandmarkScore:
    """Predicted against true points, normalised by the root of the true points' box."""
    photo = Photo.open(drawn.photo)
    truth = drawn.points
    low, high = truth.min(0), truth.max(0)
    box = np.concatenate([low, high])
    faces = find_faces(photo.pixels)
    shared = [float(overlap(box, face.box[None])[0]) for face in faces]
    found = bool(shared) and max(shared) > LEAST_OVERLAP
    face = faces[int(np.argmax(shared))] if found else FaceBox(box, 1.0, _keypoints(truth), "truth")
    predicted = np.asarray(predict(photo, face), float)
    errors = np.linalg.norm(predicted - truth, axis=1) / np.sqrt((high - low).prod())
    return LandmarkScore(drawn, errors, predicted, found)


def _keypoints(points: Doubles) -> Doubles:
    return np.stack([points[list(rows)].mean(0) for rows in KEYPOINTS])

"""One face in one photo, with everything that is seen of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.errors import BadInput
from headform.head import load_default
from headform.photo.blazeface import FaceBox
from headform.photo.faces import Head, find_heads, skin_share
from headform.photo.identity import identity_of
from headform.photo.landmarks import FaceLandmarks, find_landmarks
from headform.photo.masks import Masks, read_classes
from headform.photo.picture import Photo
from headform.photo.refine import draw_masks

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]

CANONICAL = 468  # landmarks of the skin; the iris points follow them
BRIDGE, CHIN = 168, 152  # landmarks
WIDE_STEP = 4  # pixels
BLURRED, SHARP = 0.008, 0.1  # ratio of fine to wide steps: 17 photos blurred over two pixels, and the sharp ones
ROUNDING = 1.0  # energy of fine steps that rounding to whole numbers leaves: 2 directions × (1 + 4 + 1) / 12
SMALL = 64  # pixels: the root of the face's box
UNSHARP = 0.3
TURNED, TILTED = 1.0, 0.6  # radians
HIDDEN = 0.25
NO_SKIN = 0.2  # share of face skin: drawn faces have 0.02, people in daylight 0.46 and more


@dataclass(frozen=True, eq=False)
class Sighting:
    """What is seen of one face.

    face        box, keypoints and score
    landmarks   478 points, expression scores
    masks       hair, skin, clothes: soft, over the whole photo, edges refined
    embedding   (128,) who it is: `identity.distance` compares two
    sharpness   0 … 1: how much of the finest detail that the face's pixels could carry is there
    yaw, pitch, roll  radians. yaw > 0: the face looks to the person's left; pitch > 0: up; roll > 0: the head leans
                to the person's left shoulder
    warnings    sentences: what will suffer and why
    """

    face: FaceBox
    landmarks: FaceLandmarks
    masks: Masks
    embedding: Floats
    sharpness: float
    yaw: float
    pitch: float
    roll: float
    warnings: tuple[str, ...] = ()


def see(photo: Photo, which: int | None = None) -> list[Sighting]:
    """Everything seen of every face of a photo, largest first, or of the `which`-th alone (1 is the largest).

    Raises BadInput where there is no face, or not so many.
    """
    return [look_at(photo, head) for head in heads_of(photo, which)]


def heads_of(photo: Photo, which: int | None = None) -> list[Head]:
    """The faces that `see` would look at. What is seen of one, its masks above all, can be as large as the photo
    six times over in floats: whoever needs one after the other calls `look_at` for each.

    Raises BadInput where there is no face, or not so many.
    """
    heads = find_heads(photo.pixels)
    if not heads:
        raise BadInput(
            f"no face was found in {photo.name}; give a photo in which a face is seen from the front or side"
        )
    if which is not None and not 1 <= which <= len(heads):
        count = "is one face" if len(heads) == 1 else f"are {len(heads)} faces"
        raise BadInput(f"there is no face number {which} in {photo.name}; there {count}")
    return heads if which is None else heads[which - 1 : which]


def look_closely(photo: Photo, face: FaceBox) -> Sighting:
    """What is seen of one face that was found."""
    return look_at(photo, Head(face, *read_classes(photo.pixels, face)))


def look_at(photo: Photo, head: Head) -> Sighting:
    """What is seen of one of the heads of a photo."""
    face = head.face
    landmarks = find_landmarks(photo.pixels, face)
    masks = draw_masks(photo.pixels, head.classes, head.to_chip)
    yaw, pitch, roll = head_pose(landmarks.points)
    sharpness = sharpness_of(photo.pixels, landmarks.points)
    warnings = tuple(_doubts(photo, landmarks, masks, yaw, pitch, sharpness))
    if skin_share(photo.pixels, head) < NO_SKIN:
        warnings += ("hardly any skin is recognised: in the dark, or of a drawing or a mask, the head is a guess",)
    who = identity_of(photo.pixels, landmarks.points)
    return Sighting(face, landmarks, masks, who, sharpness, yaw, pitch, roll, warnings)


def head_pose(points: ArrayLike) -> tuple[float, float, float]:
    """Yaw, pitch and roll in radians from landmarks (478, 3): the turn of the canonical face that fits them best.

    Convention: yaw > 0 looks to the person's left, pitch > 0 up, roll > 0 leans to the person's left shoulder.
    """
    found = np.asarray(points, np.float64)[:CANONICAL]
    canonical = canonical_points()
    u, _, vt = np.linalg.svd((found - found.mean(0)).T @ (canonical - canonical.mean(0)))
    turn = u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt
    ahead, up = turn[:, 2], turn[:, 1]
    yaw = np.arcsin(np.clip(ahead[0], -1, 1))
    pitch = np.arctan2(-ahead[1], -ahead[2])
    roll = np.arctan2(up[0], -up[1])
    return float(yaw), float(pitch), float(roll)


@cache
def canonical_points() -> Doubles:
    """(468, 3) the landmarks of an average face: x to the person's left, y up, z out of the face; centimetres."""
    head = load_default()
    return head.embeddings["mediapipe_478"].points(head.rest())[:CANONICAL].astype(np.float64) * 100


def sharpness_of(pixels: NDArray[np.uint8], points: ArrayLike) -> float:
    """0 … 1: how much of the finest detail that the face's pixels could carry is there.

    The energy of the step from pixel to pixel against that of steps four times as wide: in a sharp portrait fine
    steps hold a tenth of the energy of wide ones, in a blurred one they vanish first.
    """
    flat = np.asarray(points, np.float64)[:CANONICAL, :2]
    high, wide = pixels.shape[:2]
    left, top = np.clip(np.floor(flat.min(0)), 0, (wide - 2, high - 2)).astype(int)
    right, bottom = np.clip(np.ceil(flat.max(0)), (left + 2, top + 2), (wide, high)).astype(int)
    grey = pixels[top:bottom, left:right].astype(np.float32).mean(-1)
    if min(grey.shape) <= 2 * WIDE_STEP:
        return 0.0
    fine = _step_energy(grey, 1) - ROUNDING
    coarse = _step_energy(grey, WIDE_STEP)
    ratio = fine / max(coarse, 1e-6)
    return float(np.clip(np.log(max(ratio, 1e-6) / BLURRED) / np.log(SHARP / BLURRED), 0, 1))


def _step_energy(grey: Floats, step: int) -> float:
    """Mean square of the second differences over `step` pixels: smooth shading does not count."""
    across = grey[:, 2 * step :] - 2 * grey[:, step:-step] + grey[:, : -2 * step]
    down = grey[2 * step :] - 2 * grey[step:-step] + grey[: -2 * step]
    return float((across**2).mean() + (down**2).mean())


def _doubts(
    photo: Photo, landmarks: FaceLandmarks, masks: Masks, yaw: float, pitch: float, sharpness: float
) -> list[str]:
    """Sentences about what will suffer."""
    flat = landmarks.points[:CANONICAL, :2]
    low, high = flat.min(0), flat.max(0)
    size = float(np.sqrt((high - low).prod()))
    out = []
    if size < SMALL:
        out.append(f"the face has only {size:.0f} pixels across: its shape is a guess and its skin will be blurred")
    if sharpness < UNSHARP:
        out.append("the face is out of focus or enlarged: eyes, brows and skin will lack detail")
    if abs(yaw) > TURNED:
        side = "left" if yaw > 0 else "right"  # the one that looks away from the camera
        out.append(f"the head is turned by {np.degrees(abs(yaw)):.0f}°: its {side} side is a guess")
    if abs(pitch) > TILTED:
        out.append(f"the head is tilted by {np.degrees(abs(pitch)):.0f}°: its proportions are less sure")
    size_of_photo = np.array([photo.pixels.shape[1], photo.pixels.shape[0]])
    if (low < 0).any() or (high > size_of_photo - 1).any():
        out.append("the face is cut by the border of the photo: what lies beyond is a guess")
    hidden = _hidden_share(landmarks.points, masks)
    if hidden > HIDDEN:
        out.append(f"{100 * hidden:.0f} % of the face is covered by hair or things: what is under them is a guess")
    return out


def _hidden_share(points: Doubles, masks: Masks) -> float:
    """Share of the landmarks below the forehead, within the photo, at which no skin is seen."""
    flat = points[:CANONICAL, :2].round().astype(int)
    middle = points[BRIDGE, :2]
    down = points[CHIN, :2] - middle
    below = (points[:CANONICAL, :2] - middle) @ down > -0.1 * (down @ down)
    high, wide = masks.hair.shape
    inside = below & (flat >= 0).all(1) & (flat[:, 0] < wide) & (flat[:, 1] < high)
    if not inside.any():
        return 1.0
    column, row = flat[inside].T
    return float((masks.hair[row, column] + masks.other[row, column] + masks.clothes[row, column] > 0.5).mean())

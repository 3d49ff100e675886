"""Finds the faces of a picture: two detectors, a second look at tiles, and a second opinion on what they say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from headform.photo.affine import Doubles, apply
from headform.photo.blazeface import FAR, NEAR, SAME_FACE, FaceBox, Square, look, overlap, overlap_of_smaller
from headform.photo.landmarks import crop_of_box, crop_of_points, landmark_table, read_points
from headform.photo.masks import CHIP, CLASSES, read_classes
from headform.photo.warp import Bytes, check_picture

LEAST_SCORE = 0.5
LEAST_HINT = 0.4  # score of a candidate that the other networks then judge
LEAST_PRESENCE = 0.5
SURE_SCORE = 0.7  # whole faces have 0.78 and more, also in the dark; badges and patches of wall up to 0.59
SURE_PRESENCE = 0.9  # whole faces of group photos have 0.98 and more, lamps and cats less than 0.85
LEAST_SKIN = 0.5  # share of face skin: dogs and cats reach 0.45, people 0.52 and more
PART = 0.4  # of the smaller box: eyes, mouths and ears share this much with their face, two people's faces nothing
SAME_MISTAKE = 0.6  # a box that overlaps a refused one by so much is not asked about again
LARGE = 0.3  # a sure face that takes so much of the longer side of the picture is its subject
TILE = 0.5  # side of a tile over the longer side of the picture
CUT = 0.05  # a box that reaches so much of its side beyond the picture is a face cut by the border


def find_faces(picture: Bytes) -> list[FaceBox]:
    """All human faces of a picture, RGB uint8 (H, W, 3), largest first. Raises BadInput, MissingModel.

    Both detectors look at the whole picture and, unless that shows one face that is sure and fills much of it, at
    overlapping tiles: behind such a face, small ones may be missed. A candidate is a face if the landmark
    network agrees; where it, or one of the detectors, is not sure, there must be human skin too. Box and keypoints
    are then those of the landmarks. A face cut by the border, which landmarks cannot judge, needs the skin alone.
    What lies for the most part within a surer face is an eye or a mouth of it. Known faults: the bare face of an
    ape or monkey passes, and sometimes the ear of a head seen from behind.
    """
    candidates = _candidates(picture, whole(check_picture(picture)))
    faces = _accepted(picture, candidates)
    if any(_is_subject(picture, face) for face in faces):
        return sort_by_size(faces)
    candidates += [face for tile in tiles(picture) for face in _candidates(picture, tile)]
    return sort_by_size(_accepted(picture, candidates))


def find_faces_quickly(picture: Bytes) -> list[FaceBox]:
    """Faces at one look at the whole picture, without second opinions; boxes are the detectors' own, largest first.

    For video: a fraction of the time of `find_faces`, but it misses small and cut faces and takes a dog for
    a person. Raises BadInput, MissingModel.
    """
    square = whole(check_picture(picture))
    candidates = [face for detector in (NEAR, FAR) for face in look(picture, square, detector, LEAST_SCORE)]
    kept: list[FaceBox] = []
    for face in sorted(candidates, key=lambda face: -face.score):
        if not _is_part(face, kept):
            kept.append(face)
    return sort_by_size(kept)


def whole(picture: Bytes) -> Square:
    """The smallest square around all of the picture."""
    high, wide = picture.shape[:2]
    side = max(high, wide)
    return Square((wide - side) / 2, (high - side) / 2, side)


def tiles(picture: Bytes) -> Iterator[Square]:
    """Squares of half the picture's longer side, a half apart from centre to centre, also around its border."""
    high, wide = picture.shape[:2]
    side = TILE * max(high, wide)
    for y in _centres(high, side):
        for x in _centres(wide, side):
            yield Square(x - side / 2, y - side / 2, side)


def sort_by_size(faces: list[FaceBox]) -> list[FaceBox]:
    return sorted(faces, key=lambda face: -float((face.box[2:] - face.box[:2]).prod()))


def _candidates(picture: Bytes, square: Square) -> list[FaceBox]:
    return [face for detector in (NEAR, FAR) for face in look(picture, square, detector, LEAST_HINT)]


def _accepted(picture: Bytes, candidates: list[FaceBox]) -> list[FaceBox]:
    """Those of the candidates that are faces, surest first, each once."""
    accepted: list[FaceBox] = []
    refused: list[FaceBox] = []
    for candidate in sorted(candidates, key=lambda face: -face.score):
        if _is_part(candidate, accepted) or _any_overlap(candidate, refused, SAME_MISTAKE):
            continue
        face = _judge(picture, candidate, candidates)
        if face is None:
            refused.append(candidate)
        elif not _is_part(face, accepted):
            accepted.append(face)
    return accepted


def _is_subject(picture: Bytes, face: FaceBox) -> bool:
    """Whether the picture is of this face: sure and large."""
    side = float((face.box[2:] - face.box[:2]).max())
    return face.score >= SURE_SCORE and side >= LARGE * max(picture.shape[:2])


def _centres(length: int, side: float) -> Doubles:
    steps = max(1, round(2 * length / side))
    return np.linspace(0, length, steps + 1)


def _judge(picture: Bytes, candidate: FaceBox, candidates: list[FaceBox]) -> FaceBox | None:
    """The candidate with the landmarks' box and keypoints, or None if it is no face."""
    points, *_ = read_points(picture, crop_of_box(candidate))
    points, presence, _ = read_points(picture, crop_of_points(points))
    if presence < LEAST_PRESENCE:
        cut = _is_cut(picture, candidate) and skin_share(picture, candidate) >= LEAST_SKIN
        return candidate if cut else None
    flat = points[:, :2]
    box = np.concatenate([flat.min(0), flat.max(0)])
    face = replace(candidate, box=box, keypoints=flat[landmark_table()["keypoints"]])
    seen_by = {other.detector for other in candidates if _any_overlap(face, [other], SAME_FACE)}
    sure = candidate.score >= SURE_SCORE and presence >= SURE_PRESENCE and len(seen_by) == 2
    return face if sure or skin_share(picture, face) >= LEAST_SKIN else None  # in the dark skin is not seen


def skin_share(picture: Bytes, face: FaceBox) -> float:
    """Mean probability of face skin in the ellipse within the box, as far as it lies in the picture."""
    classes, to_chip = read_classes(picture, face)
    (left, top), (right, bottom) = apply(to_chip, face.box.reshape(2, 2))
    (first, above), (last, below) = apply(to_chip, [(0, 0), (picture.shape[1] - 1, picture.shape[0] - 1)])
    y, x = np.mgrid[:CHIP, :CHIP]
    across = (2 * x - left - right) / (right - left)
    down = (2 * y - top - bottom) / (bottom - top)
    inside = (across**2 + down**2 < 1) & (x >= first) & (x <= last) & (y >= above) & (y <= below)
    return float(classes[inside, CLASSES.index("face_skin")].mean()) if inside.any() else 0.0


def _is_cut(picture: Bytes, face: FaceBox) -> bool:
    reach = CUT * (face.box[2:] - face.box[:2])
    size = np.array([picture.shape[1], picture.shape[0]])
    return bool((face.box[:2] < -reach).any() or (face.box[2:] > size + reach).any())


def _is_part(face: FaceBox, surer: list[FaceBox]) -> bool:
    """Whether it is one of the faces once more, or a part of one."""
    boxes = np.array([other.box for other in surer]).reshape(-1, 4)
    return bool((overlap_of_smaller(face.box, boxes) > PART).any())


def _any_overlap(face: FaceBox, others: list[FaceBox], least: float) -> bool:
    boxes = np.array([other.box for other in others]).reshape(-1, 4)
    return bool((overlap(face.box, boxes) > least).any())

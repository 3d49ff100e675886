"""Finds the faces of a picture: two detectors, a second look at tiles, and a second opinion on what they say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headform.photo.affine import Doubles, apply
from headform.photo.blazeface import FAR, NEAR, SAME_FACE, FaceBox, Square, look, overlap, overlap_of_smaller
from headform.photo.landmarks import crop_of_box, crop_of_points, landmark_table, read_points
from headform.photo.masks import CHIP, CLASSES, read_classes
from headform.photo.warp import Bytes, check_picture

Floats = NDArray[np.float32]

LEAST_SCORE = 0.5
LEAST_HINT = 0.4  # score of a candidate that the other networks then judge
LEAST_PRESENCE = 0.5
SURE_SCORE = 0.7  # whole faces have 0.78 and more, also in the dark; badges and patches of wall up to 0.59
SURE_PRESENCE = 0.9  # whole faces of group photos have 0.98 and more, lamps and cats less than 0.85
LEAST_SKIN = 0.5  # share of face skin: dogs and cats reach 0.45, people 0.52 and more
# Share of `other` in what surrounds the lower face: the fur of a capuchin has 0.39 and more, 214 looks at people, with
# beards, hats, microphones and collars, 0.10 and less, for there the network sees hair, neck and clothes.
MOST_FUR = 0.25
RING = 1.1, 1.7  # what surrounds it, in half axes of its ellipse
PART = 0.4  # of the smaller box: eyes, mouths and ears share this much with their face, two people's faces nothing
SAME_MISTAKE = 0.6  # a box that overlaps a refused one by so much is not asked about again
LARGE = 0.3  # a sure face that takes so much of the longer side of the picture is its subject
TILE = 0.5  # side of a tile over the longer side of the picture
CUT = 0.05  # a box that reaches so much of its side beyond the picture is a face cut by the border


@dataclass(frozen=True, eq=False)
class Head:
    """A face with what was seen around it.

    classes  (256, 256, 6) probabilities in the order of `masks.CLASSES` over the head crop
    to_chip  (2, 3) the map from the picture to that crop
    """

    face: FaceBox
    classes: Floats
    to_chip: Doubles


def find_faces(picture: Bytes) -> list[FaceBox]:
    """All human faces of a picture, RGB uint8 (H, W, 3), largest first. Raises BadInput, MissingModel.

    Both detectors look at the whole picture and, unless that shows a face that is sure and fills much of it, at
    overlapping tiles: behind such a face, small ones may be missed. A candidate is a face if the landmark
    network agrees; where it, or one of the detectors, is not sure, there must be human skin too; and fur must not
    surround it. Box and keypoints are then those of the landmarks. A face cut by the border, which landmarks cannot
    judge, needs the skin alone. What lies for the most part within a surer face is an eye or a mouth of it. Known
    faults: an ape without fur around its face would pass, and sometimes the ear of a head seen from behind.
    """
    return [head.face for head in find_heads(picture)]


def find_heads(picture: Bytes) -> list[Head]:
    """As `find_faces`, with what the network of the masks saw while it was asked."""
    candidates = _candidates(picture, whole(check_picture(picture)))
    heads = _accepted(picture, candidates)
    if not any(_is_subject(picture, head.face) for head in heads):
        candidates += [face for tile in tiles(picture) for face in _candidates(picture, tile)]
        heads = _accepted(picture, candidates)
    return sorted(heads, key=lambda head: -_area(head.face))


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
    return sorted(faces, key=lambda face: -_area(face))


def _area(face: FaceBox) -> float:
    return float((face.box[2:] - face.box[:2]).prod())


def _candidates(picture: Bytes, square: Square) -> list[FaceBox]:
    return [face for detector in (NEAR, FAR) for face in look(picture, square, detector, LEAST_HINT)]


def _accepted(picture: Bytes, candidates: list[FaceBox]) -> list[Head]:
    """Those of the candidates that are faces, surest first, each once."""
    accepted: list[Head] = []
    refused: list[FaceBox] = []
    for candidate in sorted(candidates, key=lambda face: -face.score):
        faces = [head.face for head in accepted]
        if _is_part(candidate, faces) or _any_overlap(candidate, refused, SAME_MISTAKE):
            continue
        head = _judge(picture, candidate, candidates)
        if head is None:
            refused.append(candidate)
        elif not _is_part(head.face, faces):
            accepted.append(head)
    return accepted


def _is_subject(picture: Bytes, face: FaceBox) -> bool:
    """Whether the picture is of this face: sure and large."""
    side = float((face.box[2:] - face.box[:2]).max())
    return face.score >= SURE_SCORE and side >= LARGE * max(picture.shape[:2])


def _centres(length: int, side: float) -> Doubles:
    steps = max(1, round(2 * length / side))
    return np.linspace(0, length, steps + 1)


def _judge(picture: Bytes, candidate: FaceBox, candidates: list[FaceBox]) -> Head | None:
    """The candidate with the landmarks' box and keypoints, or None if it is no human face."""
    points, _ = read_points(picture, crop_of_box(candidate))
    points, presence = read_points(picture, crop_of_points(points))
    face, sure = candidate, False
    if presence >= LEAST_PRESENCE:
        flat = points[:, :2]
        box = np.concatenate([flat.min(0), flat.max(0)])
        face = replace(candidate, box=box, keypoints=flat[landmark_table()["keypoints"]])
        seen_by = {other.detector for other in candidates if _any_overlap(face, [other], SAME_FACE)}
        sure = candidate.score >= SURE_SCORE and presence >= SURE_PRESENCE and len(seen_by) == 2
    elif not _is_cut(picture, candidate):
        return None
    head = Head(face, *read_classes(picture, face))
    bare = skin_share(picture, head) >= LEAST_SKIN  # in the dark, and on statues and renders, skin is not seen
    furry = bare and fur_share(head) > MOST_FUR
    return head if (bare or sure) and not furry else None


def skin_share(picture: Bytes, head: Head) -> float:
    """Mean probability of face skin in the ellipse within the box, as far as it lies in the picture."""
    x, y, out, _ = _ellipse(head)
    (first, above), (last, below) = apply(head.to_chip, [(0, 0), (picture.shape[1] - 1, picture.shape[0] - 1)])
    inside = (out < 1) & (x >= first) & (x <= last) & (y >= above) & (y <= below)
    return float(head.classes[inside, CLASSES.index("face_skin")].mean()) if inside.any() else 0.0


def fur_share(head: Head) -> float:
    """Share of `other` in what is not background, in the ring around the face from its middle down.

    People have hair, neck and clothes there; the network, which knows people only, calls an animal's fur `other`.
    """
    _, _, out, down = _ellipse(head)
    ring = (out > RING[0]) & (out < RING[1]) & (down > 0)
    means = head.classes[ring].mean(0)
    return float(means[CLASSES.index("other")] / max(1 - means[CLASSES.index("background")], 1e-6))


def _ellipse(head: Head) -> tuple[Doubles, Doubles, Doubles, Doubles]:
    """Per pixel of the head crop (256, 256): x, y; from the centre of the box in half axes, and how far down."""
    (left, top), (right, bottom) = apply(head.to_chip, head.face.box.reshape(2, 2))
    y, x = np.mgrid[:CHIP, :CHIP].astype(np.float64)
    across = (2 * x - left - right) / (right - left)
    down = (2 * y - top - bottom) / (bottom - top)
    return x, y, np.hypot(across, down), down


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

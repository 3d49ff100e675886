"""What is measured: from a photo to a head, from a photo and a face to 68 points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.head import Embedding, HeadModel
from headform.measure.landmarks import Predictor
from headform.photo import FaceBox, Photo, Sighting, find_landmarks, find_masks, identity_of
from headform.photo.sighting import head_pose, sharpness_of

Doubles = NDArray[np.float64]
Ints = NDArray[np.int32]

NOW_IN_IBUG = [36, 39, 42, 45, 33, 48, 54]


@dataclass(frozen=True, eq=False)
class MeasuredHead:
    """A person's neutral head: vertices (V, 3) and the landmarks seven (7, 3) in metres, triangles (T, 3).

    marks (n, 2) are the pixels of the photo where the head's landmarks were laid, for the report's pictures.
    """

    vertices: Doubles
    triangles: Ints
    seven: Doubles
    marks: Doubles | None = None


HeadMaker = Callable[[Photo], MeasuredHead]


def head_maker(backend: str = "headform", model: HeadModel | None = None) -> HeadMaker:
    """The largest face's head, by a backend of `headform.avatar`. Raises BadInput if there is none of that name."""
    from headform.avatar import backends

    maker = backends.backend(backend, model)

    def make(photo: Photo) -> MeasuredHead:
        avatar = maker.reconstruct(photo, 1)[0]
        head = avatar.model
        vertices, posed = avatar.neutral(), avatar.posed()
        marks, _ = avatar.fit.camera.project(_marks(head).points(posed))
        return MeasuredHead(vertices.astype(np.float64), face_triangles(head), seven_of(head, vertices), marks)

    return make


def mean_head(model: HeadModel) -> MeasuredHead:
    """The head before anything is known of the person: what every fit must beat."""
    vertices = model.rest()
    return MeasuredHead(vertices.astype(np.float64), face_triangles(model), seven_of(model, vertices))


def face_triangles(model: HeadModel) -> Ints:
    """(T, 3) skin and eyeballs, without lashes and the inside of the mouth; all there is on heads without parts."""
    shown = [row for row, part in enumerate(model.parts) if part == "skin" or part.startswith("eye")]
    chosen = np.isin(model.triangle_part, shown)
    return model.triangles[chosen] if chosen.any() else model.triangles


def seven_of(model: HeadModel, vertices: NDArray[Any]) -> Doubles:
    """(7, 3) NoW's landmarks on a head, in the order of the embedding `now_7`."""
    if "now_7" in model.embeddings:
        return model.embeddings["now_7"].points(vertices).astype(np.float64)
    return _marks(model).points(vertices)[NOW_IN_IBUG].astype(np.float64)


def point_maker(backend: str = "headform", model: HeadModel | None = None, *, outline: bool = False) -> Predictor:
    """The 68 points of the fitted head in the photo.

    `outline`: the jaw is drawn where the head ends in the picture, as in 300-W; else where it is on the skin, as in
    AFLW2000-3D. Raises BadInput if there is no such backend or it fits no given face.
    """
    from headform.avatar import backends
    from headform.measure.contour import points_68

    maker: Any = backends.backend(backend, model)
    if not hasattr(maker, "fit"):
        raise BadInput(f"the backend {backend!r} cannot be told which face to fit; measure landmarks with headform")

    def predict(photo: Photo, face: FaceBox) -> Doubles:
        found, head = maker.fit(photo, look_at(photo, face)), maker.model
        posed = found.posed(head)
        if outline:
            return points_68(head, posed, found.camera)
        pixels, _ = found.camera.project(_marks(head).points(posed))
        return np.asarray(pixels, np.float64)

    return predict


def look_at(photo: Photo, face: FaceBox) -> Sighting:
    """What `see` says of a face, for one whose box is given: the detector may not have found it."""
    landmarks = find_landmarks(photo.pixels, face)
    masks = find_masks(photo.pixels, face)
    who = identity_of(photo.pixels, landmarks.points)
    sharpness = sharpness_of(photo.pixels, landmarks.points)
    return Sighting(face, landmarks, masks, who, sharpness, *head_pose(landmarks.points))


def _marks(model: HeadModel) -> Embedding:
    if "ibug_68" not in model.embeddings:
        raise BadInput(f"the head {model.name!r} does not know where the 68 points lie on it; use another head")
    return model.embeddings["ibug_68"]

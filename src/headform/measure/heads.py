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
from headform.photo import FaceBox, Photo
from headform.photo.sighting import look_closely

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

    maker = backends.backend(backend, model, texture=None)

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


def point_maker(backend: str = "headform", model: HeadModel | None = None) -> Predictor:
    """The 68 points of the fitted head in the photo, with a jaw that moves with the view.

    Raises BadInput if there is no such backend or it fits no given face.
    """
    from headform.avatar import backends
    from headform.measure.contour import points_68

    maker: Any = backends.backend(backend, model, texture=None)
    if not hasattr(maker, "fit"):
        raise BadInput(f"the backend {backend!r} cannot be told which face to fit; measure landmarks with headform")

    def predict(photo: Photo, face: FaceBox) -> Doubles:
        found, head = maker.fit(photo, look_closely(photo, face)), maker.model
        return points_68(head, found.posed(head), found.camera)

    return predict


def _marks(model: HeadModel) -> Embedding:
    if "ibug_68" not in model.embeddings:
        raise BadInput(f"the head {model.name!r} does not know where the 68 points lie on it; use another head")
    return model.embeddings["ibug_68"]

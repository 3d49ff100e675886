"""A picture and what is seen in it: faces, landmarks, expression scores, masks, who it is.

Importing this costs nothing; the runtimes and their networks are loaded by the first call that needs them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headform.photo.blazeface import FaceBox
    from headform.photo.faces import find_faces, find_faces_quickly
    from headform.photo.identity import distance, identity_of
    from headform.photo.landmarks import FaceLandmarks, find_landmarks
    from headform.photo.masks import Masks, find_masks
    from headform.photo.picture import Photo
    from headform.photo.shipped import ModelStatus, check_models
    from headform.photo.sighting import Sighting, see

__all__ = [
    "FaceBox",
    "FaceLandmarks",
    "Masks",
    "ModelStatus",
    "Photo",
    "Sighting",
    "check_models",
    "distance",
    "find_faces",
    "find_faces_quickly",
    "find_landmarks",
    "find_masks",
    "identity_of",
    "see",
]

_HOMES = {
    "FaceBox": "blazeface",
    "FaceLandmarks": "landmarks",
    "Masks": "masks",
    "ModelStatus": "shipped",
    "Photo": "picture",
    "Sighting": "sighting",
    "check_models": "shipped",
    "distance": "identity",
    "find_faces": "faces",
    "find_faces_quickly": "faces",
    "find_landmarks": "landmarks",
    "find_masks": "masks",
    "identity_of": "identity",
    "see": "sighting",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

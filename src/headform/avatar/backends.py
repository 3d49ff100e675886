"""The reconstructors: a photo in, an avatar for each face out. One line in a table adds another."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Protocol

import numpy as np

from headform.avatar.avatar import Avatar, Provenance, fingerprint
from headform.errors import BadInput
from headform.fit import HeadFit, fit_photo
from headform.fit.fitter import mean_fit
from headform.head import HeadModel, current_model
from headform.photo import Photo, Sighting
from headform.photo.faces import Head
from headform.photo.litert import tflite_network
from headform.photo.shipped import read_manifest
from headform.photo.sighting import heads_of, look_at

Progress = Callable[[str, float], None]

DEFAULT = "headform"
NETWORKS = ("near_detector", "far_detector", "landmarks", "expression", "segments", "identity")  # asked about a photo
BACKENDS = {  # name: where its class is
    "headform": "headform.avatar.backends:Headform",
    "average": "headform.avatar.backends:Average",
}


class Reconstructor(Protocol):
    """Makes avatars of the faces of a photo, largest first, or of the `which`-th alone.

    `progress` is told what is done and how much of it all, 0 … 1. Raises BadInput where there is no such face.
    """

    name: str

    def reconstruct(self, photo: Photo, which: int | None = None, progress: Progress | None = None) -> list[Avatar]: ...


class Headform:
    """The default: points with measured errors, silhouette and light, fitted by Gauss–Newton."""

    name = "headform"

    def __init__(self, model: HeadModel | None = None) -> None:
        self.model = model or current_model()
        if "mediapipe_478" not in self.model.embeddings:
            raise BadInput(
                f"the head {self.model.name!r} does not know where the 478 points of a face lie on it; "
                "use another: headform model use headform"
            )
        self.models = models_of(self.model)
        tflite_network("near_detector")  # a broken installation is told, and the runtime greets, before any photo

    def fit(self, photo: Photo, sighting: Sighting) -> HeadFit:
        return fit_photo(photo, sighting, self.model)

    def reconstruct(self, photo: Photo, which: int | None = None, progress: Progress | None = None) -> list[Avatar]:
        tell = progress or _silence
        tell("looking", 0.0)
        heads = heads_of(photo, which)
        out: list[Avatar] = []
        for number, head in enumerate(heads, which or 1):
            tell("fitting", 0.3 + 0.7 * len(out) / len(heads))
            made = Provenance(photo.name, number, self.name, self.models)
            out.append(self._avatar(photo, head, made))
        tell("done", 1.0)
        return out

    def _avatar(self, photo: Photo, head: Head, made: Provenance) -> Avatar:
        sighting = look_at(photo, head)
        points = np.asarray(sighting.landmarks.points[:, :2], np.float32)
        found = self.fit(photo, sighting)
        return Avatar(self.model, found, made, points, sighting.warnings, np.asarray(sighting.face.box, np.float64))


class Average(Headform):
    """The mean head, turned and placed as in the photo: what every other backend must beat."""

    name = "average"

    def fit(self, photo: Photo, sighting: Sighting) -> HeadFit:
        return mean_fit(photo, sighting, self.model)


def backend(name: str = DEFAULT, model: HeadModel | None = None) -> Reconstructor:
    """A reconstructor by its name, for the head in use or for `model`. Raises BadInput that lists the names."""
    check_backend(name)
    module, _, kind = BACKENDS[name].partition(":")
    made: Reconstructor = getattr(import_module(module), kind)(model)
    return made


def check_backend(name: str) -> None:
    """Raises BadInput, with the nearest names, if there is no backend of this name."""
    if name in BACKENDS:
        return
    near = get_close_matches(name.lower(), BACKENDS, 3, 0.4)
    hint = f"did you mean {' or '.join(near)}? there" if near else "there"
    raise BadInput(f"no backend is called {name!r}; {hint} are {', '.join(BACKENDS)}")


def reconstruct(
    photo: Photo | str | Path,
    *,
    method: str = DEFAULT,
    which: int | None = None,
    model: HeadModel | None = None,
    progress: Progress | None = None,
) -> list[Avatar]:
    """The heads of all faces of a photo or of the file it is in, largest first, or of the `which`-th alone.

    `method` names the backend, `model` a head other than the one in use; `progress` is told what is done. Raises
    BadInput where the photo cannot be read or shows no such face.
    """
    made = backend(method, model)
    opened = photo if isinstance(photo, Photo) else Photo.open(photo)
    return made.reconstruct(opened, which, progress)


def models_of(model: HeadModel) -> dict[str, str]:
    """Version and sha256 of a head and of the networks that look at photos, by name."""
    used = {f"head {model.name}": f"sha256 {fingerprint(model)}"}
    shipped = {row["name"]: f"{row['version']}, sha256 {row['sha256']}" for row in read_manifest()}
    return used | {name: about for name, about in shipped.items() if name in NETWORKS}


def _silence(stage: str, share: float) -> None:
    """Nobody is watching."""

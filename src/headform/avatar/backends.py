"""The reconstructors: a photo in, an avatar for each face out. One line in a table adds another."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from typing import Protocol

import numpy as np

from headform.avatar.avatar import Avatar, Provenance
from headform.errors import BadInput
from headform.fit import HeadFit, fit_photo
from headform.fit.fitter import mean_fit
from headform.head import HeadModel, current_model
from headform.photo import Photo, Sighting, see
from headform.photo.shipped import read_manifest

Progress = Callable[[str, float], None]

DEFAULT = "headform"
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

    def fit(self, photo: Photo, sighting: Sighting) -> HeadFit:
        return fit_photo(photo, sighting, self.model)

    def reconstruct(self, photo: Photo, which: int | None = None, progress: Progress | None = None) -> list[Avatar]:
        tell = progress or _silence
        tell("looking", 0.0)
        sightings = see(photo, which)
        out = []
        for number, sighting in enumerate(sightings, which or 1):
            tell("fitting", 0.5 + 0.5 * len(out) / len(sightings))
            made = Provenance(photo.name, number, self.name, _model_versions())
            points = np.asarray(sighting.landmarks.points[:, :2], np.float32)
            out.append(Avatar(self.model, self.fit(photo, sighting), made, points, sighting.warnings))
        tell("done", 1.0)
        return out


class Average(Headform):
    """The mean head, turned and placed as in the photo: what every other backend must beat."""

    name = "average"

    def fit(self, photo: Photo, sighting: Sighting) -> HeadFit:
        return mean_fit(photo, sighting, self.model)


def backend(name: str = DEFAULT) -> Reconstructor:
    """A reconstructor by its name. Raises BadInput that lists the names."""
    if name not in BACKENDS:
        near = get_close_matches(name, BACKENDS, 1, 0.4)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(BACKENDS)}"
        raise BadInput(f"no backend is called {name!r}; {hint}")
    module, _, kind = BACKENDS[name].partition(":")
    made: Reconstructor = getattr(import_module(module), kind)()
    return made


def _model_versions() -> dict[str, str]:
    return {row["name"]: row["version"] for row in read_manifest()}


def _silence(stage: str, share: float) -> None:
    """Nobody is watching."""

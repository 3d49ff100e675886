"""The reconstructors: a photo in, an avatar for each face out. One line in a table adds another."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Protocol

import numpy as np

from headform.avatar.avatar import Avatar, Provenance, fingerprint
from headform.avatar.try_on import NONE, PHOTO, Hairdo, has_scalp, no_scalp, tried_on, wished
from headform.avatar.views import with_glints
from headform.errors import BadInput
from headform.fit import HeadFit, fit_photo
from headform.fit.fitter import mean_fit
from headform.hair.groom import Groom
from headform.hair.match import library_shapes
from headform.hair.network import MODELS as HAIR_MODELS
from headform.hair.portrait import hair_of
from headform.head import HeadModel, current_model
from headform.photo import Photo, Sighting
from headform.photo.faces import Head
from headform.photo.litert import tflite_network
from headform.photo.shipped import read_manifest
from headform.photo.sighting import heads_of, look_at
from headform.skin.portrait import prepare, textures_of

Progress = Callable[[str, float], None]

DEFAULT = "headform"
TEXTURE = 2048  # pixels along the side of the skin's pictures
TEXTURES = (1024, 2048, 4096)
FOUND = 0.1  # of the work on a photo: its faces are found
NETWORKS = (
    "near_detector",
    "far_detector",
    "landmarks",
    "expression",
    "segments",
    "identity",
    "hair",
)  # asked about a photo
BACKENDS = {  # name: where its class is
    "headform": "headform.avatar.backends:Headform",
    "average": "headform.avatar.backends:Average",
}


class Reconstructor(Protocol):
    """Makes avatars of the faces of a photo, largest first, or of the `which`-th alone.

    Made for a head (None: the one in use), a side of the skin's pictures in pixels (None: no skin) and what hair the
    heads shall have (None: nobody looks for any). `progress` is told what is begun and how much of it all is done,
    0 … 1. Raises BadInput where there is no such face.
    """

    name: str

    def reconstruct(self, photo: Photo, which: int | None = None, progress: Progress | None = None) -> list[Avatar]: ...


class Headform:
    """The default: points with measured errors, silhouette and light, fitted by Gauss–Newton."""

    name = "headform"

    def __init__(
        self, model: HeadModel | None = None, texture: int | None = TEXTURE, hairdo: Hairdo | None = None
    ) -> None:
        self.model, self.texture, self.hairdo = model or current_model(), texture, hairdo
        if "mediapipe_478" not in self.model.embeddings:
            raise BadInput(
                f"the head {self.model.name!r} does not know where the 478 points of a face lie on it; "
                "use another: headform model use headform"
            )
        self.models = models_of(self.model)
        tflite_network("near_detector")  # a broken installation is told, and the runtime greets, before any photo
        self._skin_ready = _begun(prepare, self.model, self.texture is not None)  # while a first photo is looked at
        self._hair_ready = _begun(library_shapes, self.model, hairdo is not None and hairdo.needs_photo)

    def fit(self, photo: Photo, sighting: Sighting) -> HeadFit:
        return fit_photo(photo, sighting, self.model)

    def reconstruct(self, photo: Photo, which: int | None = None, progress: Progress | None = None) -> list[Avatar]:
        tell = progress or _silence
        tell("looking", 0.0)
        heads = heads_of(photo, which)
        out: list[Avatar] = []
        for number, head in enumerate(heads, which or 1):
            made = Provenance(photo.name, number, self.name, self.models)
            begin, share = FOUND + (1 - FOUND) * len(out) / len(heads), (1 - FOUND) / len(heads)
            out.append(self._avatar(photo, head, made, _part(tell, begin, share)))
        tell("done", 1.0)
        return out

    def _avatar(self, photo: Photo, head: Head, made: Provenance, tell: Progress) -> Avatar:
        """One face; `tell` counts this face's share of the work alone."""
        tell("looking", 0.0)
        sighting = look_at(photo, head)
        points = np.asarray(sighting.landmarks.points[:, :2], np.float32)
        tell("fitting", 0.1)
        found = self.fit(photo, sighting)
        textures = None
        if self.texture is not None:
            tell("skin", 0.5)
            self._skin_ready.join()
            textures = textures_of(photo, sighting, found, self.model, self.texture)
        box = np.asarray(sighting.face.box, np.float64)
        avatar = Avatar(self.model, found, made, points, sighting.warnings, box, textures)
        if self.hairdo is None:
            return avatar
        tell("hair", 0.75)
        if self.hairdo.what != NONE and not has_scalp(self.model):
            return replace(avatar, warnings=(*avatar.warnings, no_scalp(self.model)))
        if self.hairdo.needs_photo:
            self._hair_ready.join()
            hair = hair_of(photo, sighting, found, self.model, with_glints(found.light), made.seed)
            warnings = hair.warnings if self.hairdo.from_photo else ()
            avatar = replace(avatar, hair=hair.groom, warnings=avatar.warnings + warnings)
        return tried_on(avatar, self.hairdo, made.seed)


class Average(Headform):
    """The mean head, turned and placed as in the photo: what every other backend must beat."""

    name = "average"

    def fit(self, photo: Photo, sighting: Sighting) -> HeadFit:
        return mean_fit(photo, sighting, self.model)


def backend(
    name: str = DEFAULT, model: HeadModel | None = None, texture: int | None = TEXTURE, hairdo: Hairdo | None = None
) -> Reconstructor:
    """A reconstructor by its name, for the head in use or for `model`, with skins of `texture`² pixels or without.

    `hairdo` is the hair of the heads it makes; without it the photo's where they have skins too, else none, which is
    quicker. Raises BadInput that lists the names, or the sizes.
    """
    check_backend(name)
    check_texture(texture)
    if hairdo is None and texture is not None:
        hairdo = Hairdo(PHOTO)
    module, _, kind = BACKENDS[name].partition(":")
    made: Reconstructor = getattr(import_module(module), kind)(model, texture, hairdo)
    return made


def check_backend(name: str) -> None:
    """Raises BadInput, with the nearest names, if there is no backend of this name."""
    if name in BACKENDS:
        return
    near = get_close_matches(name.lower(), BACKENDS, 3, 0.4)
    hint = f"did you mean {' or '.join(near)}? there" if near else "there"
    raise BadInput(f"no backend is called {name!r}; {hint} are {', '.join(BACKENDS)}")


def check_texture(size: int | None) -> None:
    """Raises BadInput unless the skin's pictures can have sides of so many pixels; None is no skin."""
    if size is not None and size not in TEXTURES:
        *some, last = TEXTURES
        raise BadInput(f"a texture of {size} pixels cannot be made; give {', '.join(map(str, some))} or {last}")


def reconstruct(
    photo: Photo | str | Path,
    *,
    face: int = 1,
    method: str = DEFAULT,
    texture: int | None = TEXTURE,
    hair: str | Groom | None = None,
    hair_colour: str | None = None,
    hair_length: float = 1.0,
    hair_curl: float = 1.0,
    model: HeadModel | None = None,
    progress: Progress | None = None,
) -> Avatar:
    """The head of one face of a photo, or of the file it is in: the largest, or the `face`-th by size.

    `method` names the backend, `texture` is the side of the skin's pictures in pixels (None: shape alone, which is
    quicker), `model` a head other than the one in use; `progress` is told what is begun and how much is done.

    `hair` is the 'photo's, 'none', the name of a hairstyle or strands; without it the photo's, and for shape alone
    nobody looks for any. `hair_colour`, `hair_length` and `hair_curl` are as in `Avatar.with_hair`: a style without a
    colour takes that of the hair in the photo.

    Raises BadInput where the photo cannot be read or shows no such face, and, before it is opened, for hair that there
    is not.
    """
    if face < 1:
        raise BadInput(f"face {face} is no face; 1 is the largest")
    hairdo = wished(hair, hair_colour, hair_length, hair_curl)
    (avatar,) = backend(method, model, texture, hairdo).reconstruct(_opened(photo), face, progress)
    return avatar


def reconstruct_all(
    photo: Photo | str | Path,
    *,
    method: str = DEFAULT,
    texture: int | None = TEXTURE,
    hair: str | Groom | None = None,
    hair_colour: str | None = None,
    hair_length: float = 1.0,
    hair_curl: float = 1.0,
    model: HeadModel | None = None,
    progress: Progress | None = None,
) -> list[Avatar]:
    """The heads of all faces of a photo, largest first; otherwise as `reconstruct`."""
    hairdo = wished(hair, hair_colour, hair_length, hair_curl)
    return backend(method, model, texture, hairdo).reconstruct(_opened(photo), None, progress)


def models_of(model: HeadModel) -> dict[str, str]:
    """Version and sha256 of a head and of the networks that look at photos, by name."""
    used = {f"head {model.name}": f"sha256 {fingerprint(model)}"}
    rows = [*read_manifest(), *read_manifest(HAIR_MODELS)]
    shipped = {row["name"]: f"{row['version']}, sha256 {row['sha256']}" for row in rows}
    return used | {name: about for name, about in shipped.items() if name in NETWORKS}


def _opened(photo: Photo | str | Path) -> Photo:
    return photo if isinstance(photo, Photo) else Photo.open(photo)


def _begun(prepare: Callable[[HeadModel], object], model: HeadModel, needed: bool) -> Thread:
    """A thread that does what the first photo would wait for, or nothing."""

    def work() -> None:
        with suppress(Exception):  # what cannot be done here fails again, and is told, where it is needed
            if needed:
                prepare(model)

    begun = Thread(target=work, daemon=True)
    begun.start()
    return begun


def _part(tell: Progress, begin: float, share: float) -> Progress:
    """What is told about one part of the work, as a share of the whole."""
    return lambda stage, done: tell(stage, begin + share * done)


def _silence(stage: str, share: float) -> None:
    """Nobody is watching."""

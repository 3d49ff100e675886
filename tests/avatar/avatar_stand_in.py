"""A backend without networks: a known head for any photo, so that files and commands can be tested alone."""

from __future__ import annotations

import numpy as np

from headform.avatar.avatar import Avatar, Provenance
from headform.avatar.backends import Progress
from headform.avatar.try_on import Hairdo
from headform.errors import BadInput
from headform.fit import HeadFit
from headform.head import HeadModel, load_default
from headform.photo import Photo
from headform.render import Camera, studio_light

FLIP = np.diag([1.0, -1.0, -1.0])
DARK = 10  # a photo darker than this shows no face
FAILING = 200  # a photo of this grey makes the backend fail


def known_fit(model: HeadModel, width: int = 320, height: int = 400, seed: int = 5) -> HeadFit:
    """A plausible head, a metre before the camera, turned a little, mouth open, with offsets of up to 2 mm."""
    rng = np.random.default_rng(seed)
    theta = np.zeros((5, 3), np.float32)
    theta[0] = (0.05, 0.25, -0.04)
    theta[3:] = (0.02, 0.1, 0.0)
    focal = 2.2 * height
    matrix = np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])
    camera = Camera(matrix, FLIP, np.array([0.0, 0.02, 1.0]), width, height)
    offsets = np.zeros_like(model.template)
    offsets[: len(offsets) // 2] = 0.002 * np.sin(60 * model.template[: len(offsets) // 2])
    beta = np.clip(rng.normal(0, 0.5, model.identity_size), -2, 2)
    psi = model.psi({"jawOpen": 0.4, "mouthSmileLeft": 0.6})
    return HeadFit(model.beta(beta), psi, theta, camera, studio_light(0.8), offsets, 0.021)


def known_avatar(photo: str = "anna", face: int = 1, width: int = 320, height: int = 400) -> Avatar:
    model = load_default()
    fit = known_fit(model, width, height, seed=4 + face)
    points = model.embeddings["mediapipe_478"].points(fit.posed(model))
    landmarks = fit.camera.project(points)[0].astype(np.float32)
    made = Provenance(photo, face, "stand_in", {"head headform": "none"}, seed=3)
    return Avatar(model, fit, made, landmarks, ("it is made up",), np.array([60.0, 80.0, 260.0, 330.0]))


class StandIn:
    """A photo has as many faces as its first pixel's red says; none if it is dark."""

    name = "stand_in"

    def __init__(
        self, model: HeadModel | None = None, texture: int | None = 1024, hairdo: Hairdo | None = None
    ) -> None:
        self.model, self.texture, self.hairdo = model or load_default(), texture, hairdo

    def reconstruct(self, photo: Photo, which: int | None = None, progress: Progress | None = None) -> list[Avatar]:
        if progress:
            progress("looking", 0.0)
        grey = int(photo.pixels[..., 1].mean())
        if grey < DARK:
            raise BadInput(f"no face was found in {photo.name}")
        if grey == FAILING:
            raise RuntimeError("the sky fell")
        high, wide = photo.pixels.shape[:2]
        faces = range(1, max(1, int(photo.pixels[0, 0, 0])) + 1) if which is None else [which]
        return [known_avatar(photo.name, face, wide, high) for face in faces]

"""A head of ours, rendered as a photo, with all that a sighting and a fit of it would say if they made no error."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from headform.fit import HeadFit
from headform.head import HeadModel, load_default
from headform.photo import Photo, Sighting
from headform.photo.blazeface import FaceBox
from headform.photo.landmarks import FaceLandmarks
from headform.photo.masks import Masks
from headform.render import Camera, Lamp, Light, Scene, rasterise, render
from headform.skin.textures import Textures
from headform.skin.wardrobe import Wardrobe, fine_mesh, surfaces

SIDE, SKIN_SIZE = 800, 1024  # pixels of the photo and of the painted skin
SURE = 0.9  # the network is never surer
BACKGROUND = (0.2, 0.45, 0.3)
CHIN = 152  # landmark


@dataclass(frozen=True, eq=False)
class Person:
    """A photo, and what is true about it."""

    photo: Photo
    sighting: Sighting
    fit: HeadFit
    model: HeadModel
    textures: Textures

    def painted_over(self, here: NDArray[np.bool_], colour: tuple[int, int, int], name: str) -> Person:
        """The same photo with something before the head, which the masks call by this name."""
        pixels = self.photo.pixels.copy()
        pixels[here] = colour
        masks = {each: np.where(here, 0, getattr(self.sighting.masks, each)) for each in Masks.__slots__}
        masks[name] = np.where(here, SURE, masks[name])
        whole = Masks(**{each: plane.astype(np.float32) for each, plane in masks.items()})
        return replace(self, photo=Photo(pixels, "known"), sighting=replace(self.sighting, masks=whole))


def soft_light(slant: float = 0.0) -> Light:
    """From all around, more from the front and above, and from one side: the colour of the two differs."""
    sun = Light.of([Lamp(np.array([slant, 0.4, 1.0]), np.array([0.5, 0.45, 0.4]))], np.array([0.45, 0.5, 0.55]))
    return Light(sun.coefficients)


@lru_cache(maxsize=2)
def some_skin(seed: int = 3) -> Textures:
    return Textures.of(seed, 40.0, 0.3, (0.2, 0.2, 0.6), SKIN_SIZE)


@lru_cache(maxsize=4)
def known_person(yaw: float = 0.0, slant: float = 0.3, symmetric: bool = False) -> Person:
    """Seen from `yaw` degrees to their left; `symmetric` with the same skin on both sides."""
    model = load_default()
    rng = np.random.default_rng(8)
    beta = np.zeros(model.identity_size) if symmetric else np.clip(rng.normal(0, 0.5, model.identity_size), -1, 1)
    turn = np.radians(yaw)
    eye = 1.1 * np.array([np.sin(turn), 0, np.cos(turn)]) + (0, 0.02, 0)
    camera = Camera.look_at(eye, (0, 0.02, 0), width=SIDE, height=SIDE, field_of_view=0.36)
    fit = HeadFit(
        model.beta(beta), model.psi(), np.zeros((5, 3), np.float32), camera, soft_light(slant),
        np.zeros_like(model.template), 0.01,
    )  # fmt: skip
    skin = some_skin()
    if symmetric:
        skin = replace(skin, albedo=alike(skin.albedo), normal=np.full_like(skin.normal, (128, 128, 255)))
    scene = Scene(surfaces(model, fit.posed(model), Wardrobe.wearing(skin)), light=fit.light, background=BACKGROUND)
    photo = Photo(render(scene, camera, 2).rgb, "known")
    return Person(photo, _sighting(fit, model, np.radians(-yaw)), fit, model, skin)


def alike(sheet: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The left half of a sheet on both sides."""
    half = sheet[:, : sheet.shape[1] // 2]
    return np.ascontiguousarray(np.concatenate([half, half[:, ::-1]], 1))


def _sighting(fit: HeadFit, model: HeadModel, yaw: float) -> Sighting:
    vertices = fit.posed(model)
    points = fit.camera.project(model.embeddings["mediapipe_478"].points(vertices))[0]
    mesh = fine_mesh(model)
    fine = mesh.subdivision.refine(vertices)
    seen = rasterise(fine, mesh.blockers, fit.camera).depth < 1e3
    below = np.arange(SIDE)[:, None] > points[CHIN, 1] + 4
    zero = np.zeros((SIDE, SIDE), np.float32)
    masks = Masks(
        hair=zero,
        face_skin=np.where(seen & ~below, SURE, 0).astype(np.float32),
        body_skin=np.where(seen & below, SURE, 0).astype(np.float32),
        clothes=zero,
        other=zero,
        background=np.where(seen, 1 - SURE, 1).astype(np.float32),
    )
    low, high = points.min(0), points.max(0)
    marks = FaceLandmarks(np.column_stack([points, np.zeros(len(points))]), 1.0, {}, 1.0)
    box = FaceBox(np.concatenate([low, high]), 1.0, np.zeros((6, 2)), "near")
    return Sighting(box, marks, masks, np.zeros(128, np.float32), 1.0, yaw, 0.0, 0.0)

"""Portraits for the tests: our own head in a random skin, before a wall, by a camera that is known."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from headform.avatar.avatar import Avatar, Provenance
from headform.avatar.views import draw
from headform.fit import HeadFit
from headform.head import load_default
from headform.photo import Photo
from headform.render import Camera, studio_light
from headform.skin.textures import Textures

FLIP = np.diag([1.0, -1.0, -1.0])
WALL = (0.35, 0.45, 0.55)
WIDE, HIGH, FOCAL = 400, 480, 1000.0


@cache
def someone(seed: int = 5) -> Avatar:
    """An avatar as a perfect reconstruction of its own portrait would give it."""
    model = load_default()
    rng = np.random.default_rng(seed)
    beta = model.beta(np.clip(rng.normal(0, 0.7, model.identity_size), -2, 2))
    theta = np.zeros((5, 3), np.float32)
    theta[0, 1] = 0.15
    matrix = np.array([[FOCAL, 0, (WIDE - 1) / 2], [0, FOCAL, (HIGH - 1) / 2], [0, 0, 1]])
    camera = Camera(matrix, FLIP, np.array([0.0, 0.02, 1.0]), WIDE, HIGH)
    fit = HeadFit(beta, model.psi({}), theta, camera, studio_light(), np.zeros_like(model.template), 0.0)
    points = camera.project(model.embeddings["mediapipe_478"].points(fit.posed(model)))[0].astype(np.float32)
    made = Provenance("someone", 1, "drawn", {})
    return Avatar(model, fit, made, points, textures=Textures.of(seed, 40.0, 0.2, (0.2, 0.7, 0.1), 256))


def moved(avatar: Avatar, right: float = 0.0, nearer: float = 0.0) -> Avatar:
    """The same, seen by a camera that is some metres off."""
    camera = avatar.fit.camera
    shifted = replace(camera, translation=camera.translation + np.array([right, 0, -nearer]))
    return replace(avatar, fit=replace(avatar.fit, camera=shifted))


@cache
def portrait_of(avatar: Avatar, camera: Camera | None = None) -> Photo:
    """The avatar's own photo, or one of the same moment by another camera."""
    drawn = draw(avatar, camera or avatar.fit.camera, avatar.posed(), avatar.fit.light, WALL)
    return Photo.of(np.ascontiguousarray(drawn[..., :3]), "someone")


def from_the_side(avatar: Avatar, degrees: float) -> Camera:
    """The avatar's camera after it went round the head to the person's left, with the same lens."""
    turn = np.radians(degrees)
    cos, sin = np.cos(turn), np.sin(turn)
    back = np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])  # the world turns the other way
    camera = avatar.fit.camera
    return replace(camera, rotation=camera.rotation @ back)

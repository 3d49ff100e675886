"""Hair that a photo shows, made by us: a person of ours wears a groom, and every pixel of it is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from headform.avatar.avatar import Avatar, Provenance
from headform.avatar.views import dressed
from headform.fit import HeadFit
from headform.hair.evidence import HairEvidence
from headform.hair.groom import Groom
from headform.hair.grow import Wearer, wearer_of
from headform.hair.orientation import REFERENCE, WINDOW, drawn_tangents, towards
from headform.hair.sight import Sight, sight_of
from headform.head import HeadModel, load_default
from headform.photo import Masks, Photo, Sighting
from headform.photo.blazeface import FaceBox
from headform.photo.crop import head_crop
from headform.photo.landmarks import FaceLandmarks
from headform.photo.masks import ROOM
from headform.render import Camera, Picture, Scene, rasterise, render, studio_light
from headform.skin.filters import blurred
from headform.skin.textures import Textures

Floats = NDArray[np.float32]
Region = NDArray[np.bool_]

SIZE = 256
FLIP = np.diag([1.0, -1.0, -1.0])
WALL = (0.35, 0.45, 0.55)
LOW_FACE, FRONT = -0.12, 0.03  # metres of y and z of the head at rest: below, or behind, is the neck
NOT_SEEN = np.zeros((1, 2, 3), np.float32)


@dataclass(frozen=True, eq=False)
class Seen:
    """A photo that is a crop of SIZE², what we know of its pixels, and what hair/sight makes of them."""

    picture: Picture
    photo: Photo
    sighting: Sighting
    evidence: HairEvidence
    sight: Sight

    @property
    def hair(self) -> Region:
        return self.evidence.hair


@cache
def head() -> HeadModel:
    return load_default()


@cache
def person(seed: int = 5, yaw: float = 0.15, size: int = SIZE, zoom: float = 1.0) -> HeadFit:
    """Somebody, turned by `yaw` radians before a camera a metre away, as a perfect fit would give them."""
    model, rng = head(), np.random.default_rng(seed)
    beta = model.beta(np.clip(rng.normal(0, 0.7, model.identity_size), -2, 2))
    theta = np.zeros((5, 3), np.float32)
    theta[0, 1] = yaw
    focal = zoom * 2.6 * size  # a head crop shows about 0.39 m
    middle = (size - 1) / 2
    camera = Camera(
        np.array([[focal, 0, middle], [0, focal, middle], [0, 0, 1]]), FLIP, np.array([0, 0.02, 1.0]), size, size
    )
    return HeadFit(beta, model.psi({}), theta, camera, studio_light(), np.zeros_like(model.template), 0.0)


@cache
def wearer(fit: HeadFit) -> Wearer:
    return wearer_of(head(), fit.neutral(head()))


@cache
def avatar_of(fit: HeadFit, seed: int = 5) -> Avatar:
    made = Provenance("someone", 1, "drawn", {})
    return Avatar(
        head(), fit, made, np.zeros((0, 2), np.float32), textures=Textures.of(seed, 40.0, 0.2, (0.2, 0.7, 0.1), 256)
    )


def look_at(groom: Groom | None, fit: HeadFit, other: Region | None = None) -> Seen:
    """The photo of a person who wears a groom, given on the head at rest; `other` (S, S) is what stands before it."""
    model, posed, size = head(), fit.posed(head()), fit.camera.width
    placed = None if groom is None or not len(groom) else groom.moved(fit.neutral(model), posed)
    strands = () if placed is None else (placed.strands(),)
    picture = render(Scene(dressed(avatar_of(fit), posed), strands, fit.light, WALL), fit.camera)
    soft = picture.strands.astype(np.float32)
    hidden = np.zeros(soft.shape, bool) if other is None else other
    soft = np.where(hidden, 0, soft).astype(np.float32)
    tangents, _ = drawn_tangents(NOT_SEEN if placed is None else placed.points, fit.camera, picture.depth)
    sighting = sighting_of(soft, face_of(fit) * (1 - soft) * ~hidden, hidden.astype(np.float32), fit)
    photo = Photo.of(np.ascontiguousarray(picture.rgb), "drawn")
    crop = head_crop(sighting.face.box, size)
    assert np.allclose((crop.left, crop.top, crop.scale), (0, 0, 1))
    hair = soft >= 0.5
    angle, sure, sign = calmed(tangents, hair)
    evidence = HairEvidence(
        crop, photo.pixels, soft, hair, sighting.masks.face_skin, np.ones(soft.shape, bool),
        angle, sure, sign, "hair" if hair.any() else "bald",
    )  # fmt: skip
    return Seen(picture, photo, sighting, evidence, sight_of(evidence, sighting, fit, model))


def calmed(tangents: Floats, hair: Region) -> tuple[Floats, Floats, Floats]:
    """(S, S) angle, confidence and sign, as a photo's grain would give them: means over some pixels, where hair is."""
    x, y = tangents[..., 0], tangents[..., 1]
    spread = WINDOW * len(hair) / REFERENCE
    doubled = blurred(np.stack([x * x - y * y, 2 * x * y, (x * x + y * y)], -1) * hair[..., None], spread)
    angle = np.asarray(0.5 * np.arctan2(doubled[..., 1], doubled[..., 0]) % np.pi, np.float32)
    sure = np.hypot(doubled[..., 0], doubled[..., 1]) / np.maximum(doubled[..., 2], 1e-3) * hair
    return (
        angle,
        np.asarray(sure.clip(0, 1), np.float32),
        np.where(towards(angle, tangents) < 0, -1, 1).astype(np.float32),
    )


def face_of(fit: HeadFit) -> Floats:
    """(S, S) 1 where the camera sees the bare head, in front down to the chin: so does the network mark bald people."""
    model, size = head(), fit.camera.width
    skin = model.triangles[model.triangle_part == model.part_index("skin")]
    drawn = rasterise(fit.posed(model), skin, fit.camera)
    middle = model.rest()[skin].mean(1)
    face = (middle[:, 1] > LOW_FACE) & ((middle[:, 2] > FRONT) | (middle[:, 1] > 0))
    return np.where(drawn.covered, face[drawn.triangle], False).reshape(size, size).astype(np.float32)


def sighting_of(hair: Floats, skin: Floats, other: Floats, fit: HeadFit) -> Sighting:
    """What networks would say of a photo with these masks, if they were never wrong. Its head crop is the photo."""
    model, size = head(), fit.camera.width
    points = model.embeddings["mediapipe_478"].points(fit.posed(model))
    pixels, _ = fit.camera.project(points)
    side = size / ROOM
    box = np.array([size - side, size - side, size + side, size + side]) / 2
    nothing = np.zeros_like(hair)
    masks = Masks(hair, skin, nothing, nothing, other, 1 - (hair + skin + other).clip(0, 1))
    landmarks = FaceLandmarks(np.column_stack([pixels, np.zeros(len(pixels))]), 1.0, {}, 1.0)
    face = FaceBox(box, 1.0, pixels[:6], "near")
    return Sighting(face, landmarks, masks, np.zeros(128, np.float32), 1.0, 0.0, 0.0, 0.0)


def overlap(one: Region, other: Region) -> float:
    """Intersection over union."""
    return float((one & other).sum() / max((one | other).sum(), 1))

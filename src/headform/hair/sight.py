"""How a head at rest is seen by a photo's own camera, and what the photo says of hair there, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headform.fit import HeadFit
from headform.hair.evidence import HairEvidence
from headform.hair.groom import rigid
from headform.hair.plane import signed_distance
from headform.hair.scalp import grid_places, scalp_of
from headform.head import HeadModel
from headform.photo import Sighting
from headform.photo.crop import Crop
from headform.render import Camera, rasterise
from headform.skin.filters import blurred

Floats = NDArray[np.float32]
Region = NDArray[np.bool_]

CHIN = 152  # landmark
THING = 0.5  # probability from which something stands before the hair, or on it
SMOOTH = 1.2  # pixels by which the outline's distance is smoothed, so that it has a slope everywhere
FLOW = 2.5  # pixels over which directions agree with each other


@dataclass(frozen=True, eq=False)
class Sight:
    """A photo's head crop of size S as hair sees it.

    camera     from the head at rest to the crop
    head       (S, S) metres to the head; inf where there is none
    hair       (S, S) where hair is seen
    known      (S, S) where it is known whether there is hair: within the photo, nothing before it
    outline    (S, S) pixels to the outline of the hair, negative inside
    slope      (S, S, 2) its gradient, x and y
    flow       (S, S, 2) the way of the hair, root to tip, as long as it is sure
    skin       (S, S) where the bare face is
    """

    camera: Camera
    head: Floats
    hair: Region
    known: Region
    outline: Floats
    slope: Floats
    flow: Floats
    skin: Region


def sight_of(evidence: HairEvidence, sighting: Sighting, fit: HeadFit, model: HeadModel) -> Sight:
    """What one photo shows of the hair of the head that was fitted to it."""
    camera, posed = rest_camera(fit, model, evidence.crop), fit.posed(model)
    depth = rasterise(posed, scalp_of(model).triangles, evidence.crop.camera(fit.camera)).depth
    known = evidence.inside & ~(_before_hair(evidence, sighting) & ~evidence.hair)
    outline = signed_distance(evidence.hair)
    smooth = blurred(outline, SMOOTH)
    slope = np.stack([np.gradient(smooth, axis=1), np.gradient(smooth, axis=0)], -1)
    flow = blurred(evidence.direction * evidence.confidence[..., None], FLOW)
    weight = blurred(evidence.hair.astype(np.float32), FLOW)[..., None] + np.float32(1e-3)
    flow = np.where(evidence.hair[..., None], flow / weight, 0)
    return Sight(
        camera, depth, evidence.hair, known, outline, np.ascontiguousarray(slope, np.float32),
        np.ascontiguousarray(flow, np.float32), evidence.skin > THING,
    )  # fmt: skip


def _before_hair(evidence: HairEvidence, sighting: Sighting) -> Region:
    """(S, S) what may hide hair: things, and hands, which are skin of the body above the chin."""
    cut, masks = evidence.crop.cut_mask, sighting.masks
    before = cut(masks.other) > THING
    if evidence.kind == "covered":
        before |= cut(masks.clothes) > THING
    chin = evidence.crop.place(sighting.landmarks.points[CHIN, :2])[1]
    hands = cut(masks.body_skin) > THING
    hands[int(np.clip(chin, 0, len(hands))) :] = False
    return np.asarray(before | hands)


def rest_camera(fit: HeadFit, model: HeadModel, crop: Crop) -> Camera:
    """The crop's camera for a head that has not been turned: hair is made at rest and turns with the scalp."""
    turn, shift = posing(fit, model)
    camera = crop.camera(fit.camera)
    return replace(camera, rotation=camera.rotation @ turn, translation=camera.rotation @ shift + camera.translation)


def posing(fit: HeadFit, model: HeadModel) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rotation (3, 3) and translation (3,) that bring the scalp at rest to where the photo shows it."""
    roots = scalp_of(model).roots(grid_places())
    return rigid(roots.points(fit.neutral(model)), roots.points(fit.posed(model)))

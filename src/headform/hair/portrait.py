"""The hair of one face in a photo, as strands on the head that was fitted to it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headform.fit import HeadFit
from headform.hair.dense import dense, outside
from headform.hair.evidence import HairEvidence, gather, scalp_seen
from headform.hair.groom import Groom, none
from headform.hair.grow import Wearer, guides_of, wearer_of
from headform.hair.library import style as style_named
from headform.hair.match import library_shapes, likenesses, ranked, thinned
from headform.hair.network import decode
from headform.hair.scalp import polar, scalp_of
from headform.hair.settle import settled
from headform.hair.sight import Sight, sight_of
from headform.hair.style import Style
from headform.hair.tint import tinted
from headform.hair.trace import followed
from headform.head import HeadModel
from headform.photo import Photo, Sighting
from headform.photo.crop import head_crop
from headform.render import Light, rasterise

Floats = NDArray[np.float32]

SIZE, FINE = 256, 512  # pixels of the crop in which hair is looked at, and coloured
CROPPED = "buzz"  # the style of hair of a few millimetres
ANYBODY = "ivy_league"  # the style of hair that no photo shows
ON_SCALP = 0.85  # of the way from crown to hairline: so far any scalp has hair, if it is not bald
LITTLE = 1500  # pixels of 256²: less hair beside a hat or at the photo's border tells no style and no colour
SEED = 0

GUESSED = {
    "covered": "the hair is covered: what a hat or hood hides is a guess",
    "unseen": "the top of the head is not in the photo: most of the hair is a guess",
}


@dataclass(frozen=True, eq=False)
class Hair:
    """What was found: the groom, and sentences about what is less sure."""

    groom: Groom
    warnings: tuple[str, ...] = ()


def hair_of(photo: Photo, sighting: Sighting, fit: HeadFit, model: HeadModel, light: Light, seed: int = SEED) -> Hair:
    """The hair of a face: its style, strand by strand after the photo, in its colours under `light`."""
    evidence = look(photo, sighting, fit, model)
    if evidence.kind == "bald":
        return Hair(replace(none(), about={"name": "bald", "source": "photo", "seed": seed}))
    wearer = wearer_of(model, fit.neutral(model))
    sight = sight_of(evidence, sighting, fit, model)
    groom = grown(evidence, sight, wearer, model, seed)
    if evidence.kind != "covered" or evidence.hair.sum() >= LITTLE:
        groom = coloured(groom, photo, sighting, fit, model, light)
    warnings = (GUESSED[evidence.kind],) if evidence.kind in GUESSED else ()
    return Hair(groom, warnings)


def look(photo: Photo, sighting: Sighting, fit: HeadFit, model: HeadModel) -> HairEvidence:
    """The evidence in the photo, judged with the fitted head's scalp."""
    surface = scalp_of(model)
    scalp = polar(surface.home)[0] < ON_SCALP
    return gather(photo, sighting, SIZE, scalp_seen(fit.posed(model), surface.triangles, scalp, fit.camera))


def grown(evidence: HairEvidence, sight: Sight, wearer: Wearer, model: HeadModel, seed: int = SEED) -> Groom:
    """Strands after the evidence, on a head at rest, in the style's colour."""
    style, guides = chosen(evidence, sight, wearer, model)
    groom = dense(settled(guides, sight, wearer), style, wearer, seed)
    groom = followed(groom, sight, wearer.collider.bare, seed)
    about = {"name": "photo", "like": style.name, "kind": evidence.kind, "source": "photo", "seed": seed}
    return replace(groom, points=outside(groom.points, wearer), about=about)


def chosen(evidence: HairEvidence, sight: Sight, wearer: Wearer, model: HeadModel) -> tuple[Style, Floats]:
    """The style of the library that is most like the photo, and guides: its own, or the network's where they are more
    like it."""
    if evidence.kind == "shaved" or (evidence.kind != "hair" and evidence.hair.sum() < LITTLE):
        style = style_named(CROPPED if evidence.kind == "shaved" else ANYBODY)
        return style, guides_of(style, wearer)
    shapes = library_shapes(model)
    order, found = ranked(shapes, sight, evidence, wearer)
    best = next(each for each in order if evidence.kind == "hair" or not shapes.rare[each])
    style = shapes.styles[best]
    if evidence.kind == "hair" and not style.ties:
        guess = guessed(evidence, wearer)
        (alike,) = likenesses(thinned(guess)[None], sight, wearer)
        if alike.score > found[best].score:
            return style, guess
    return style, guides_of(style, wearer)


def guessed(evidence: HairEvidence, wearer: Wearer) -> Floats:
    """The network's guides, in this head's size."""
    guides, _ = decode(evidence.hair, evidence.angle, evidence.confidence)
    guides[..., :3] *= np.float32(wearer.size)
    return guides


def coloured(
    groom: Groom, photo: Photo, sighting: Sighting, fit: HeadFit, model: HeadModel, light: Light
) -> Groom:  # fmt: skip
    """The groom in the photo's colours."""
    crop = head_crop(sighting.face.box, FINE)
    camera, posed = crop.camera(fit.camera), fit.posed(model)
    head = rasterise(posed, scalp_of(model).triangles, camera).depth
    soft = crop.cut_mask(sighting.masks.hair)
    turned = groom.moved(fit.neutral(model), posed)
    return tinted(groom, turned, crop.cut(photo.pixels), soft, head, camera, light, crop.scale)

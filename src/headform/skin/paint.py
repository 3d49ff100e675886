"""Whole skins: albedo, normal map and roughness for a person of some age, sex and ancestry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.skin.albedo import srgb_from_linear
from headform.skin.atlas import atlas
from headform.skin.brows import draw_brows
from headform.skin.pigment import BLOOD, MELANIN, reflectance
from headform.skin.regions import regions
from headform.skin.relief import height, normal_map, roughness
from headform.skin.traits import Attributes, Traits, attributes, draw_traits

Bytes = NDArray[np.uint8]

FOLD_BLOOD, FOLD_MELANIN = 0.05, 0.07  # extra absorbance at the bottom of a wrinkle


@dataclass(frozen=True, eq=False)
class Skin:
    """Textures in the head's atlas, row 0 at v = 1, gutters and background filled.

    albedo (size, size, 3) sRGB uint8; normal (size, size, 3) uint8, tangent space, OpenGL: green is +v;
    roughness (size, size) uint8, perceptual roughness × 255.
    """

    albedo: Bytes
    normal: Bytes
    roughness: Bytes
    attributes: Attributes
    traits: Traits
    seed: int


def paint(
    seed: int,
    age: float,
    sex: float,
    ancestry: ArrayLike,
    size: int = 1024,
    hair_colour: ArrayLike | None = None,
    scalp_shadow: float = 0.0,
) -> Skin:
    """The skin of a random person.

    age in years; sex 0 female – 1 male; ancestry: weights of african, asian, caucasian; size: edge in pixels;
    hair_colour: sRGB 0–255 of brows and stubble, None for a natural one; scalp_shadow: 0 bare – 1 shaved.
    The same arguments give the same bytes. Raises BadInput for values no person has.
    """
    who = attributes(age, sex, ancestry)
    return paint_traits(seed, who, draw_traits(seed, who, hair_colour), size, scalp_shadow)


def paint_traits(seed: int, who: Attributes, traits: Traits, size: int = 1024, scalp_shadow: float = 0.0) -> Skin:
    """The skin of a person whose traits are known; `seed` places pores, patches and hairs."""
    at, where = atlas(size), regions(size)
    raised, creased = height(at, where, who, traits, seed)
    colour = reflectance(at, where, who, traits, seed, scalp_shadow)
    colour *= np.exp(-creased[:, None] * (FOLD_BLOOD * BLOOD + FOLD_MELANIN * MELANIN))
    cover, hairs = draw_brows(size, who, traits, seed)
    over = np.flatnonzero(cover.ravel()[at.texel] > 0)
    share = cover.ravel()[at.texel[over]][:, None]
    colour[over] += (hairs.reshape(-1, 3)[at.texel[over]] - colour[over]) * share
    rough = roughness(at, where, who, traits, creased, seed)
    return Skin(
        albedo=at.image(_bytes(srgb_from_linear(colour))),
        normal=normal_map(at, raised),
        roughness=at.image(_bytes(rough)),
        attributes=who,
        traits=traits,
        seed=seed,
    )


def _bytes(values: NDArray[np.float32]) -> Bytes:
    return np.asarray(np.clip(values * 255 + 0.5, 0, 255), np.uint8)

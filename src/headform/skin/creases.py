"""The fine shape of one person's skin: wrinkles and pores that the photo shows, pores that skin has everywhere."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headform.skin.atlas import SKIN, atlas
from headform.skin.bake import Shorts, brightness
from headform.skin.filters import blurred
from headform.skin.regions import regions, smoothstep
from headform.skin.relief import normals_from
from headform.skin.seen import COARSE
from headform.skin.sheets import zoomed

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

SIZE = 1024  # pixels of the sheet on which shape is worked out: a quarter of a millimetre of the face
LOWEST, HIGHEST = -0.45, 0.2  # millimetres that the painted relief's file can hold
# darkness becomes depth: widths of the band in texels, millimetres for a log unit
PORES = (0.7, 3.0, 0.16)
LINES = (3.0, 12.0, 0.95)
STEEP = 0.22  # log units beyond which darkness is no depth any more but colour
COVERED = 0.7  # share of the painted relief that gives way where the photo shows its own


def normals_of(found: Shorts, trust: Floats, sharpness: float, size: int) -> Bytes:
    """(size, size, 3) the normal map of a skin whose log reflectance (N, N, 3) in STEPs the photo shows, where trust
    (M, M) is 1.

    A photo without sharpness, 0 … 1, adds no shape. Brows, lips, nostrils and lids are left smooth.
    """
    weight = zoomed(trust, SIZE) * _plain()
    dark = brightness(found, SIZE)
    raised = plain_relief()
    if weight.any():
        carved = np.zeros_like(dark)
        for narrow, wide, depth in (PORES, LINES):
            band = _mean_around(dark, weight, narrow) - _mean_around(dark, weight, wide)
            carved += np.float32(depth) * STEEP * np.tanh(band / STEEP)
        share = weight * np.float32(sharpness)
        raised = raised * (1 - COVERED * share) + carved * share
    small = normals_from(raised, _texel_sizes())
    if size == SIZE:
        return small
    how = Image.Resampling.BICUBIC if size > SIZE else Image.Resampling.BOX
    return np.asarray(Image.fromarray(small).resize((size, size), how))


def shape_everywhere() -> None:
    """Makes ready what every normal map needs."""
    plain_relief(), _texel_sizes(), _plain()


@lru_cache(maxsize=1)
def plain_relief() -> Floats:
    """(SIZE, SIZE) millimetres: pores and the fine net between them, without lines; the same for everybody."""
    with (files("headform.skin") / "data" / "relief.png").open("rb") as stream:
        share = np.asarray(Image.open(stream), np.float32) / 255
    return np.asarray(LOWEST + (HIGHEST - LOWEST) * share, np.float32)


@lru_cache(maxsize=1)
def _texel_sizes() -> Floats:
    """(SIZE, SIZE, 2) metres that each texel is long along u and v."""
    at = atlas(COARSE)
    scale = at.image(at.scale) * np.float32(COARSE / SIZE)
    return np.stack([zoomed(scale[..., axis], SIZE) for axis in range(2)], -1)


@lru_cache(maxsize=1)
def _plain() -> Floats:
    """(SIZE, SIZE) 1 where darkness may be depth."""
    at, where = atlas(COARSE), regions(COARSE)
    calm = smoothstep(0.5, 3.0, where.lips) * smoothstep(2.0, 6.0, where.eye) * (at.inside == SKIN)
    calm *= 1 - np.minimum(where.blobs["nostril"], 1)
    return zoomed(at.image(calm.astype(np.float32)), SIZE)


def _mean_around(values: Floats, weight: Floats, reach: float) -> Floats:
    """The weighted mean around each texel, over `reach` texels."""
    if reach > 4:  # broad bands need no fine grid
        total = blurred(_halved(weight), reach / 2)
        mean = blurred(_halved(values * weight), reach / 2) / np.maximum(total, 1e-4)
        return zoomed(np.asarray(mean, np.float32), len(values))
    return np.asarray(blurred(values * weight, reach) / np.maximum(blurred(weight, reach), 1e-4), np.float32)


def _halved(values: Floats) -> Floats:
    return np.asarray(values.reshape(len(values) // 2, 2, -1, 2).mean((1, 3)), np.float32)

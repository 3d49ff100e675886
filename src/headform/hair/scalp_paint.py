"""The scalp under hair: skin in the shade of its hair, so that nothing pale shimmers through it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headform.hair.groom import Groom
from headform.head import HeadModel
from headform.render.colour import to_linear, to_srgb
from headform.skin.atlas import SKIN, atlas
from headform.skin.filters import blurred
from headform.skin.sheets import zoomed
from headform.skin.textures import Textures

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

LARGEST = 1024  # pixels of the sheet on which roots are counted: half a millimetre on the scalp
AROUND = 0.0022  # metres around a root that its hair shades
FOLLICLE = 0.0005  # metres: what shows of a root by itself, where hair is thin
DENSE = 1.6  # optical depth of the shade where hair is as dense as it mostly is
FULL = 3000  # strands: fewer are no head of hair, and shade less
DEEPEST = 0.9  # of the skin's colour gives way
SHADE = 0.30  # of the hair's linear colour: what is left of it between the roots
WIDEST_TRIANGLE = 0.1  # of the sheet: a triangle wider than this would lie across a seam


def scalp_paint(textures: Textures, groom: Groom, model: HeadModel) -> Bytes:
    """(N, N, 3) sRGB: the skin's albedo, dark under the hair, with a soft and ragged edge at the hairline.

    A groom without roots on this head, or without hair, leaves the albedo as it is.
    """
    cover = scalp_cover(groom, model, min(len(textures.albedo), LARGEST))
    if not cover.any():
        return textures.albedo
    if len(cover) != len(textures.albedo):
        cover = np.clip(zoomed(cover, len(textures.albedo)), 0, 1)
    rows, columns = np.nonzero(cover > 1 / 512)  # elsewhere nothing changes, not even by rounding
    share = cover[rows, columns, None]
    hair = SHADE * to_linear(groom.point_colours()[:, 0].mean(0))
    painted = textures.albedo.copy()
    mixed = (1 - share) * to_linear(painted[rows, columns] / 255) + share * hair
    painted[rows, columns] = np.rint(255 * to_srgb(mixed)).astype(np.uint8)
    return painted


def scalp_cover(groom: Groom, model: HeadModel, size: int) -> Floats:
    """(size, size) 0–1: how much of the skin's colour gives way to that of the hair; row 0 is at v = 1."""
    places = root_coordinates(groom, model)
    if not len(places):
        return np.zeros((size, size), np.float32)
    at = atlas(size)
    skin = np.zeros(size * size, np.float32)
    skin[at.texel[at.inside == SKIN]] = 1
    column = np.clip((places[:, 0] * size).astype(int), 0, size - 1)
    row = np.clip(((1 - places[:, 1]) * size).astype(int), 0, size - 1)
    roots = np.bincount(row * size + column, minlength=size * size).astype(np.float32)
    texel = _metres_per_texel(np.unique(row * size + column), size)
    broad = _around(roots, skin, size, AROUND / texel)
    fine = _around(roots, skin, size, max(FOLLICLE / texel, 0.5))
    usual = max(float(np.median(broad[row, column])), 1e-6)
    depth = DENSE * min(len(groom) / FULL, 1.0) / usual
    cover = 1 - np.exp(-depth * (0.8 * broad + 0.2 * np.minimum(fine, 3 * broad)))
    filled = at.image(cover.reshape(-1)[at.texel])
    return np.asarray(DEEPEST * filled, np.float32)


def root_coordinates(groom: Groom, model: HeadModel) -> Floats:
    """(N, 2) texture coordinates of the roots that are bound to triangles of this head."""
    if groom.roots is None or not len(groom) or groom.roots.corners.max() >= model.vertex_count:
        return np.zeros((0, 2), np.float32)
    order, row = _matched(groom.roots.corners, model)
    corners_uv = np.take_along_axis(model.triangles_uv[row], order, 1)
    uv = np.einsum("nkd,nk->nd", model.uv[corners_uv], groom.roots.barycentric)
    wide = np.ptp(model.uv[corners_uv], axis=1).max(1)
    known = (np.sort(model.triangles[row], 1) == np.sort(groom.roots.corners, 1)).all(1)
    return np.asarray(uv[known & (wide < WIDEST_TRIANGLE)], np.float32)


def _matched(corners: NDArray[np.int32], model: HeadModel) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For rows of corners (N, 3) the triangle with the same corners, and where each of them stands in it."""

    def key(rows: NDArray[np.int32]) -> NDArray[np.int64]:
        first, second, third = np.sort(rows.astype(np.int64), 1).T
        return np.asarray((first * model.vertex_count + second) * model.vertex_count + third, np.int64)

    known = key(model.triangles)
    sorter = np.argsort(known, kind="stable")
    row = sorter[np.minimum(np.searchsorted(known, key(corners), sorter=sorter), len(sorter) - 1)]
    back = np.argsort(np.argsort(corners, 1), 1)
    return np.take_along_axis(np.argsort(model.triangles[row], 1), back, 1), row


def _metres_per_texel(texels: NDArray[np.int64], size: int) -> float:
    """The median over these texels."""
    at = atlas(size)
    scale = at.scale[np.isin(at.texel, texels)]
    return float(np.median(scale)) if len(scale) else float(np.median(at.scale))


def _around(roots: Floats, skin: Floats, size: int, deviation: float) -> Floats:
    """(size, size) the density of roots around each texel; seams of the sheet do not thin it."""
    near = blurred(np.stack([roots, skin], 1).reshape(size, size, 2), deviation)
    return np.asarray(near[..., 0] / np.maximum(near[..., 1], 0.2), np.float32)

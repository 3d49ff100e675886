"""The scalp under hair: skin in the shade of its hair, so that nothing pale shimmers through it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.hair.groom import Groom
from headform.render.colour import LINEAR, SRGB, to_linear
from headform.skin.atlas import SKIN, atlas, skin_mesh
from headform.skin.sheets import zoomed
from headform.skin.textures import Textures

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

LARGEST = 1024  # pixels of the sheet on which the shade is laid out: half a millimetre on the scalp
CELL = 0.0018  # metres: roots are counted in cubes, because the sheet stretches the scalp tenfold from front to back
BLURS = 3  # of a cell with its neighbours; together they shade a root's surroundings, 2 mm
MARGIN = 4  # cells around all roots
COVERED = 220.0  # optical depth per metre of hair: two million on a square metre, each 0.07 mm wide, met at a slant
STUBBLE = 0.0006  # metres: hair of no length covers as much, because its roots shimmer through the skin
LONG = 0.02  # metres: longer hair makes the skin no darker
FULL = 3000  # strands: fewer are no head of hair, and shade less
DEEPEST = 0.96  # of the skin's colour gives way, at most
SHADE = 0.30  # of the hair's linear colour: what is left of it where the skin is covered …
STUBBLE_SHADE = 0.85  # … and where it hardly is: there the paint is the hairs themselves
ROUGH = 0.95  # perceptual roughness of skin among roots: it does not gleam between the hairs
FAINT = 1 / 512  # of the colour: less is not seen


def scalp_paint(textures: Textures, groom: Groom) -> Bytes:
    """(N, N, 3) sRGB: the skin's albedo, dark under the hair, with a soft and ragged edge at the hairline.

    The shorter the hair at a place, the more of the skin is seen there.
    A groom without roots on the default head, or without hair, leaves the albedo as it is.
    """
    return with_painted_scalp(textures, groom).albedo


def with_painted_scalp(textures: Textures, groom: Groom) -> Textures:
    """The same with the albedo of `scalp_paint`, and without gleam where that is dark."""
    cover = scalp_cover(groom, min(len(textures.albedo), LARGEST))
    if not cover.any():
        return textures
    if len(cover) != len(textures.albedo):
        cover = np.clip(zoomed(cover, len(textures.albedo)), 0, 1)
    root_colour = to_linear(groom.point_colours()[:, 0]).mean(0)
    albedo, roughness = textures.albedo.copy(), textures.roughness.copy()
    _paint(np.ascontiguousarray(cover, np.float32), root_colour, LINEAR, SRGB, albedo, roughness)
    return replace(textures, albedo=albedo, roughness=roughness)


def scalp_cover(groom: Groom, size: int) -> Floats:
    """(size, size) 0–1: how much of the skin's colour gives way to that of the hair; row 0 is at v = 1."""
    nothing = np.zeros((size, size), np.float32)
    mesh = skin_mesh()
    if groom.roots is None or not len(groom) or groom.roots.corners.max() >= len(mesh.points):
        return nothing
    roots = groom.roots.points(mesh.points)  # on the reference head, where the atlas knows its places
    origin = roots.min(0) - MARGIN * CELL
    shape = np.ceil((roots.max(0) - origin) / CELL).astype(int) + 2 * MARGIN
    usual = float(np.median(_looked_up(roots, origin, _gathered(roots, np.ones(len(roots)), origin, shape))))
    depths = COVERED * np.clip(groom.lengths() + STUBBLE, 0, LONG) * min(len(groom) / FULL, 1.0) / max(usual, 1e-6)
    depth = _gathered(roots, depths, origin, shape)
    at = atlas(size)
    cover = np.zeros(len(at.texel), np.float32)
    skin = at.inside == SKIN
    cover[skin] = DEEPEST * (1 - np.exp(-_looked_up(at.position[skin], origin, depth)))
    return np.asarray(at.image(cover), np.float32)


def _gathered(roots: Floats, weights: NDArray[Any], origin: Floats, shape: NDArray[np.int_]) -> Floats:
    """The sum of the roots' weights in and around each cell of a grid."""
    grid = np.zeros(tuple(shape), np.float32)
    _count(roots, weights, origin, CELL, grid)
    return _blurred(grid)


def _blurred(grid: Floats) -> Floats:
    for axis in (0, 1, 2) * BLURS:
        along = np.moveaxis(grid, axis, 0)
        soft = 0.5 * along
        soft[1:] += 0.25 * along[:-1]
        soft[:-1] += 0.25 * along[1:]
        grid = np.moveaxis(soft, 0, axis)
    return np.ascontiguousarray(grid)


def _looked_up(points: Floats, origin: Floats, grid: Floats) -> Floats:
    """(N,) the grid's values at points (N, 3); nothing outside."""
    out = np.zeros(len(points), np.float32)
    _sample(points, origin, CELL, grid, out)
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def _paint(cover: Any, hair: Any, linear: Any, srgb: Any, albedo: Any, roughness: Any) -> None:
    """Give the albedo the shade of the hair as far as it is covered, and take its gleam."""
    for row in range(cover.shape[0]):
        for column in range(cover.shape[1]):
            share = cover[row, column]
            if not share > FAINT:  # elsewhere nothing changes, not even by rounding
                continue
            shade = STUBBLE_SHADE + (SHADE - STUBBLE_SHADE) * share / DEEPEST
            for channel in range(3):
                light = (1 - share) * linear[albedo[row, column, channel]] + share * shade * hair[channel]
                albedo[row, column, channel] = srgb[int(light * (len(srgb) - 1) + 0.5)]
            rough = int(roughness[row, column] + share * (255 * ROUGH - roughness[row, column]) + 0.5)
            roughness[row, column] = max(rough, roughness[row, column])


@njit(cache=True, error_model="numpy", nogil=True)
def _count(points: Any, weights: Any, origin: Any, cell: float, grid: Any) -> None:
    """Each point counts, by its weight, in the eight cells around it, by how near it is."""
    for n in range(len(points)):
        x, y, z = (points[n] - origin) / cell
        i, j, k = int(x), int(y), int(z)
        for corner in range(8):
            a, b, c = corner & 1, (corner >> 1) & 1, corner >> 2
            share = (1 - abs(x - i - a)) * (1 - abs(y - j - b)) * (1 - abs(z - k - c))
            grid[i + a, j + b, k + c] += weights[n] * share


@njit(cache=True, error_model="numpy", nogil=True)
def _sample(points: Any, origin: Any, cell: float, grid: Any, out: Any) -> None:
    ni, nj, nk = grid.shape
    for n in range(len(points)):
        x, y, z = (
            (points[n, 0] - origin[0]) / cell,
            (points[n, 1] - origin[1]) / cell,
            (points[n, 2] - origin[2]) / cell,
        )
        if not (x >= 0 and y >= 0 and z >= 0 and x < ni - 1 and y < nj - 1 and z < nk - 1):
            continue
        i, j, k = int(x), int(y), int(z)
        for corner in range(8):
            a, b, c = corner & 1, (corner >> 1) & 1, corner >> 2
            share = (1 - abs(x - i - a)) * (1 - abs(y - j - b)) * (1 - abs(z - k - c))
            out[n] += share * grid[i + a, j + b, k + c]

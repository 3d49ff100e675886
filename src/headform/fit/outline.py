"""The outline of a fitted head brought to where the photo's skin ends: ears, neck and jaw.

Landmarks say where eyes, nose and mouth are; nothing in them tells how far ears stand out or how wide a neck is. That
is read off the masks: from every visible point of the head's outline the end of the skin is looked for along the
outward normal, and the most probable bends (see `bends`) that carry the outline there go into the template.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.fit.bends import EAR, JAW, NECK, Bends, bends_of
from headform.fit.headfit import Floats, HeadFit
from headform.head import HeadModel
from headform.head.default import NAME
from headform.head.skinning import rotation_matrices
from headform.photo.crop import Crop, head_crop
from headform.photo.sighting import Sighting
from headform.render import rasterise
from headform.render.surface import vertex_normals

Doubles = NDArray[np.float64]

WINDOW, ROOM = 288, 1.12  # pixels along the window in which the outline is looked for; its side over the head's
ROUNDS, REWEIGHTED = 3, 4
BEHIND = 0.006  # metres: what lies deeper beside a pixel makes it outline
HALF = 0.5  # pixels from the centre of the last that is covered to the edge
OUTSIDE = 2.5  # pixels along the normal to where that must be so
EDGE_ON = 0.8  # sine of the angle from the view to the normal at an outline; at the collar the skin just ends
SAME_EAR = 6  # pixels along the normal within which an ear's inner folds meet the ear again
REACH = {EAR: (12.0, 12.0), NECK: (22.0, 8.0), JAW: (4.0, 4.0)}  # millimetres inwards, outwards
STEP, SPAN = 0.5, 3.0  # millimetres: between samples, and over which skin and what follows are compared
CLEAR = (0.25, 0.6)  # how much more skin there is inside than outside, from doubtful to clear
FARTHER = 0.015  # of that, how much a millimetre of distance counts against
HAIR = 0.6  # how far an end of skin at hair is believed; none if the head reaches beyond it: hair hides skin
AT_MOST = 0.35  # how far the end of the person is believed where clothes hide the end of the skin
NOISE, ALIKE = 1.5, 8.0  # millimetres: of an end of skin; along the outline over which errors are the same
LEAST = 3.0  # sum of weights: less is no outline


@dataclass(frozen=True, eq=False)
class Scene:
    """Where the window lies, and in it (WINDOW, WINDOW) skin, background, hair, and 1 where the photo was looked at."""

    window: Crop
    skin: Floats
    background: Floats
    hair: Floats
    known: Floats


@dataclass(frozen=True, eq=False)
class Ends:
    """N points of the outline.

    slopes  (N, B) millimetres that they move outwards for one standard deviation of a bend
    away    (N,) millimetres outwards to the end of the skin
    weight  (N,) 0 … 1
    """

    slopes: Doubles
    away: Doubles
    weight: Doubles


def bend_to_outline(sighting: Sighting, fit: HeadFit, model: HeadModel) -> HeadFit:
    """The fit with ears, neck and jaw bent to the photo's outline, as far as it is clear; the default head only."""
    if model.name != NAME:
        return fit
    bends = bends_of(model)
    scene = _scene(sighting, fit, model)
    amounts = np.zeros(len(bends.moves))
    bent = fit
    for _ in range(ROUNDS):
        ends = find_ends(scene, bent, model, bends)
        if ends.weight.sum() < LEAST:
            break
        amounts = np.clip(solve_bends(ends, amounts), -bends.most, bends.most)
        bent = replace(fit, offsets=fit.offsets + bends.offsets(amounts, len(fit.offsets)))
    return bent


def solve_bends(ends: Ends, amounts: Doubles) -> Doubles:
    """(B,) the most probable bends, in standard deviations, from ends seen of a head bent by `amounts`.

    Errors have long tails (Cauchy's), bends a normal prior.
    """
    target = ends.away + ends.slopes @ amounts
    out = amounts
    for _ in range(REWEIGHTED):
        miss = (target - ends.slopes @ out) / NOISE
        sure = ends.weight / (1 + (miss / 2) ** 2) / NOISE**2
        curve = (ends.slopes * sure[:, None]).T @ ends.slopes + np.eye(len(out))
        out = np.asarray(np.linalg.solve(curve, ends.slopes.T @ (sure * target)), np.float64)
    return out


def find_ends(scene: Scene, fit: HeadFit, model: HeadModel, bends: Bends) -> Ends:
    """Where the skin ends along the normals of the visible outline of a head."""
    posed = fit.posed(model)
    skin = model.triangles[model.triangle_part == model.part_index("skin")]
    camera = scene.window.camera(fit.camera)
    raster = rasterise(posed, skin, camera)
    depth = np.minimum(raster.depth, np.float32(1e3))
    rows, columns = np.nonzero(_falls_off(depth, BEHIND))
    corners = skin[raster.triangle[rows, columns]]
    share = raster.barycentric[rows, columns].astype(np.float64)
    part = bends.part[corners[np.arange(len(corners)), share.argmax(1)]]
    normals = np.einsum("nk,nkc->nc", share, vertex_normals(posed, skin)[corners].astype(np.float64))
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    outward = (normals @ camera.rotation.T)[:, :2]
    across = np.linalg.norm(outward, axis=1)
    outward /= np.maximum(across, 1e-9)[:, None]
    pixel = np.column_stack([columns, rows]).astype(np.float64)
    mm = camera.matrix[0, 0] / depth[rows, columns] / 1000  # pixels for one
    beyond = _looked_up(depth, pixel + OUTSIDE * outward, 1e3)
    keep = (part > 0) & (across > EDGE_ON) & (beyond > depth[rows, columns] + BEHIND)
    front = np.where(raster.triangle >= 0, _bare(model)[skin[raster.triangle, 0]], 0).astype(np.float32)
    keep &= _looked_up(front, pixel + OUTSIDE * outward, 0) == 0  # before bare skin of its own nothing can be told
    for step in range(3, SAME_EAR + 1):
        keep &= (part != EAR) | (_looked_up(front, pixel + step * outward, 0) != EAR)
    rows, columns, corners, share, part = (of[keep] for of in (rows, columns, corners, share, part))
    outward, pixel, mm = outward[keep], pixel[keep], mm[keep]
    away, weight = _ends_of_skin(scene, pixel, outward, mm, part)
    away -= HALF / mm
    used = weight > 0
    moved = np.einsum("nk,bnkc->nbc", share[used], bends.moves[:, corners[used]], optimize=True)
    turn = camera.rotation @ rotation_matrices(fit.theta[0]).astype(np.float64)
    flat = (moved @ turn.T)[..., :2]  # what goes along the view axis hardly shows
    slopes = np.einsum("nbc,nc->nb", flat, outward[used]) * (1000 * fit.scale)
    return Ends(slopes, away[used], weight[used] / (ALIKE * mm[used]))


@lru_cache(maxsize=2)
def _bare(model: HeadModel) -> NDArray[np.int8]:
    """(D,) 0 on the scalp, EAR on the ears, −1 on all other skin."""
    out = np.full(model.direct_count, -1, np.int8)
    scalp = np.asarray(model.extras["scalp_mask"])
    out[: len(scalp)][scalp > 0] = 0
    out[bends_of(model).part == EAR] = EAR
    return out


def _scene(sighting: Sighting, fit: HeadFit, model: HeadModel) -> Scene:
    """The photo's classes around the projected head."""
    skin = model.part_vertices("skin")
    pixel, _ = fit.camera.project(fit.posed(model)[skin])
    low, high = np.nanmin(pixel, 0), np.nanmax(pixel, 0)
    side = float((high - low).max() * ROOM)
    left, top = ((low + high - side) / 2).tolist()
    window = Crop(left, top, side, WINDOW)
    masks = sighting.masks
    looked = head_crop(sighting.face.box)
    tall, wide = masks.hair.shape
    first = window.place(np.maximum((looked.left, looked.top), 0.0))
    last = window.place(np.minimum((looked.left + looked.side, looked.top + looked.side), (wide, tall)) - 1.0)
    down, along = np.mgrid[:WINDOW, :WINDOW]
    known = (along > first[0]) & (along < last[0]) & (down > first[1]) & (down < last[1])
    face, body, background, hair = (
        window.cut_mask(mask) for mask in (masks.face_skin, masks.body_skin, masks.background, masks.hair)
    )
    return Scene(window, face + body, background, hair, known.astype(np.float32))


def _ends_of_skin(
    scene: Scene, pixel: Doubles, outward: Doubles, mm: Doubles, part: NDArray[np.int8]
) -> tuple[Doubles, Doubles]:
    """(N,) millimetres outwards to the end of the skin, and how clear it is, 0 … 1."""
    inwards, outwards = (np.select([part == kind for kind in REACH], way) for way in zip(*REACH.values(), strict=True))
    longest, span = max(max(both) for both in REACH.values()), round(SPAN / STEP)
    at = np.arange(-longest - SPAN, longest + SPAN + STEP / 2, STEP)
    where = pixel[:, None] + at[None, :, None] * (mm[:, None, None] * outward[:, None])
    planes = (scene.skin, scene.background, scene.hair, scene.known)
    skin, background, hair, known = (_looked_up(plane, where, 0) for plane in planes)
    inside, outside = _means(skin, span)
    middle = at[span:-span]
    allowed = (middle >= -inwards[:, None]) & (middle <= outwards[:, None]) & (_means(known, span)[1] > 0.99)
    step = np.where(allowed, inside - outside, -1)
    clear, away, best = _best(step, middle)
    row = np.arange(len(pixel))
    beyond = {name: _means(plane, span)[1][row, best] for name, plane in (("bare", background), ("hair", hair))}
    # between the head's outline and the end there must be skin, or nothing
    zero = len(at) // 2
    between = _mean_between(skin, zero, best + span)
    void = _mean_between(background, zero, best + span)
    doubt = np.where(away >= 0, between, void)
    believed = beyond["bare"] + HAIR * beyond["hair"] * (away > 0)
    weight = _ramp(clear, *CLEAR) * np.clip(believed, 0, 1) * _ramp(doubt, 0.3, 0.6)
    # a neck that reaches over background is beyond the person, whatever hides the skin
    person, none = _means(1 - background, span)
    over, over_at, _ = _best(np.where(allowed & (middle <= 0), person - none, -1), middle)
    most = AT_MOST * _ramp(over, *CLEAR) * (part == NECK)
    swap = most > weight
    return np.where(swap, over_at, away), np.where(swap, most, weight)


def _best(step: Doubles, middle: Doubles) -> tuple[Doubles, Doubles, NDArray[np.int64]]:
    """(N,) the largest step, where it is, and its column; of like ones the nearer."""
    best = (step - FARTHER * np.abs(middle)).argmax(1)
    return step[np.arange(len(step)), best], middle[best], best


def _means(values: Doubles, span: int) -> tuple[Doubles, Doubles]:
    """(N, T − 2 span) the means of the `span` values before and behind each."""
    total = np.concatenate([np.zeros((len(values), 1)), values.cumsum(1)], 1)
    count = values.shape[1] - 2 * span
    start = total[:, :count]
    before = (total[:, span : span + count] - start) / span
    behind = (total[:, 2 * span + 1 : 2 * span + 1 + count] - total[:, span + 1 : span + 1 + count]) / span
    return before, behind


def _mean_between(values: Doubles, first: int, last: NDArray[np.int64]) -> Doubles:
    """(N,) the mean of values (N, T) between a column and one of each row's own; 1 if they are the same."""
    total = np.concatenate([np.zeros((len(values), 1)), values.cumsum(1)], 1)
    row = np.arange(len(values))
    low, high = np.minimum(first, last), np.maximum(first, last)
    count = high - low
    return np.where(count > 0, (total[row, high] - total[row, low]) / np.maximum(count, 1), 1.0)


def _ramp(values: Doubles, low: float, high: float) -> Doubles:
    return np.asarray(np.clip((values - low) / (high - low), 0, 1))


@njit(cache=True, nogil=True)
def _falls_off(depth, behind):  # type: ignore[no-untyped-def]
    """(H, W) pixels beside which nothing follows, or what is deeper; none at the border."""
    high, wide = depth.shape
    out = np.zeros((high, wide), np.bool_)
    for y in range(1, high - 1):
        for x in range(1, wide - 1):
            limit = depth[y, x] + behind
            if depth[y, x] < 1e3:
                out[y, x] = (
                    depth[y - 1, x] > limit
                    or depth[y + 1, x] > limit
                    or depth[y, x - 1] > limit
                    or depth[y, x + 1] > limit
                )
    return out


def _looked_up(plane: Floats, where: Doubles, outside: float) -> Doubles:
    """(...) values of a plane (H, W) at (..., 2) x, y: the nearest pixel's."""
    high, wide = plane.shape
    x, y = np.rint(where[..., 0]).astype(np.int64), np.rint(where[..., 1]).astype(np.int64)
    inside = (x >= 0) & (x < wide) & (y >= 0) & (y < high)
    found = plane[np.clip(y, 0, high - 1), np.clip(x, 0, wide - 1)]
    return np.where(inside, found, outside).astype(np.float64)

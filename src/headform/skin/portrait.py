"""The skin of one person: what their photo shows, and a likely whole around it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numba import njit
from numpy.typing import NDArray
from PIL import Image

from headform.fit import HeadFit
from headform.head import HeadModel
from headform.photo import Photo, Sighting
from headform.skin.albedo import Tone, column, lab_from_linear, table_rows
from headform.skin.atlas import SKIN, Atlas, atlas, skin_mesh
from headform.skin.bake import joined, photo_in_texture
from headform.skin.creases import normals_of
from headform.skin.even import carry_on, mirror_points
from headform.skin.eyes import paint_eye
from headform.skin.filters import blurred
from headform.skin.lashes import paint_lashes
from headform.skin.mouth import paint_mouth
from headform.skin.paint import Skin, paint_traits
from headform.skin.regions import regions, smoothstep
from headform.skin.seen import COARSE, Seen, look_at_skin
from headform.skin.textures import SMALL_SHEET, Textures
from headform.skin.traits import attributes, draw_traits

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

SIZE = 2048
FINEST = 0.8  # texels of the face for a pixel of the photo: more pixels are averaged first
MIRRORED = 0.1  # how far plain skin of the other side counts, where this one is not seen
OFF_LIPS, OFF_EYES, OFF_BROWS = 3.0, 4.0, 0.05  # millimetres, and cover: where skin is plain
FACE, BACK, EVENED = 0.06, 0.03, 0.6  # metres of z: in front is the face; share by which the rest is evened out
LOOSE = 0.03  # of what points are trusted, to find the level above which they shine: over about two centimetres
SHINY = 0.15  # log units above that level at which a point counts half
GRAIN = 2.0  # texels of the coarse sheet: what is finer is no spot
BRIGHTER, DARKER = 0.16, 0.08  # log units by which spots may differ from what is likely …
GIVES_WAY, ANY = 0.2, 9.0  # … and what is added to them at most; on the face spots may be as dark as they like
LUMINANCE = np.array([0.3, 0.6, 0.1], np.float32)
USUAL_AGE = 35.0


def textures_of(photo: Photo, sighting: Sighting, fit: HeadFit, model: HeadModel, size: int = SIZE) -> Textures | None:
    """All that a fitted head wears, as its photo shows it; None for a head with another atlas than the default's."""
    if model.name != "headform":
        return None
    skin = skin_of(photo, sighting, fit, model, size)
    eye = paint_eye("brown", SMALL_SHEET)
    mouth, lashes = paint_mouth(SMALL_SHEET), paint_lashes()
    return Textures(skin.albedo, skin.normal, skin.roughness, eye, eye, mouth, lashes)


def skin_of(photo: Photo, sighting: Sighting, fit: HeadFit, model: HeadModel, size: int = SIZE) -> Skin:
    """The skin of a fitted head as its photo shows it, with what is not seen carried on."""
    seen = look_at_skin(sighting, fit, model)
    picture, pixel = _head_of(photo.pixels, seen.pixel, size)
    log_shade = np.log(seen.shade)
    mesh = skin_mesh()
    coarse = photo_in_texture(_corners(COARSE), mesh.triangles, pixel, log_shade, seen.trust, picture, COARSE)
    at = atlas(COARSE)
    base = _likely(at, coarse, seen)
    drawn = np.log(np.maximum(_linear(base.albedo), 1e-3)).astype(np.float32)
    smooth = at.image(at.spread(_carried(*_plain_difference(at, coarse - drawn, seen.trust), _evened(at, drawn))))
    found = photo_in_texture(_corners(size), mesh.triangles, pixel, log_shade, seen.trust, picture, size)
    bare = at.image(at.spread(carry_on(*_mean_at_points(at, drawn, _plain(at)))))  # as if without brows and lips
    excess = _excess(coarse, seen, bare + smooth)
    albedo = joined(found, seen.trust, excess, drawn + smooth, smooth)
    normal = normals_of(found, seen.trust, sighting.sharpness, size)
    rough = np.asarray(Image.fromarray(base.roughness).resize((size, size), Image.Resampling.BILINEAR))
    return replace(base, albedo=albedo, normal=normal, roughness=rough)


def _evened(at: Atlas, drawn: Floats) -> Floats:
    """(S, 3) what makes neck, scalp and back of the painted skin more like its face: those of the source skins are
    darker than most people's."""
    level, _ = _mean_at_points(at, drawn, np.ones(len(at.texel), np.float32))
    depth = skin_mesh().points[:, 2]
    face = depth > FACE
    return (-EVENED * smoothstep(FACE, BACK, depth)[:, None] * (level - level[face].mean(0))).astype(np.float32)


def _carried(values: Floats, weights: Floats, toward: Floats) -> Floats:
    """(S, 3) the difference between this person's plain skin and the painted one, everywhere.

    Spots that shine above their surroundings do not count; what the other side shows counts a little where this side
    is not seen.
    """
    level = carry_on(values, weights * LOOSE)
    above = (values - level) @ LUMINANCE
    weights = weights / (1 + (np.maximum(above, 0) / SHINY) ** 2)
    mirrored = mirror_points()
    both = weights + MIRRORED * weights[mirrored]
    sums = values * weights[:, None]
    mixed = (sums + MIRRORED * sums[mirrored]) / np.maximum(both, 1e-6)[:, None]
    return carry_on(mixed, both, toward)


def _excess(found: Floats, seen: Seen, likely: Floats) -> Floats:
    """(COARSE, COARSE, 3) shine, and on the neck shadows: what broad spots are brighter or darker than skin can be.

    Shine is white: where brightness gives way, so does the deviation of the colour.
    """
    weight = seen.trust[..., None] + 1e-4
    broad = blurred((found - likely) * weight, GRAIN) / blurred(weight, GRAIN)
    more = broad @ LUMINANCE
    free = np.where(more > 0, BRIGHTER, DARKER + (1 - seen.body) * ANY)
    amount = np.abs(more)
    kept = np.where(amount > free, free + GIVES_WAY * np.tanh((amount - free) / GIVES_WAY), amount)
    share = (kept / np.maximum(amount, 1e-6))[..., None]
    return np.asarray(broad * (1 - share), np.float32)


def _head_of(picture: Bytes, pixel: NDArray[np.float64], size: int) -> tuple[Bytes, NDArray[np.float64]]:
    """The part of the photo that shows the head, averaged where it is finer than the texture, and the points in it."""
    high, wide = picture.shape[:2]
    low = np.clip(np.floor(np.nanmin(pixel, 0)) - 4, 0, (wide - 8, high - 8)).astype(int)
    past = np.clip(np.ceil(np.nanmax(pixel, 0)) + 5, low + 8, (wide, high)).astype(int)
    part = picture[low[1] : past[1], low[0] : past[0]]
    block = max(1, int(FINEST * _finest(pixel) / size))
    if block > 1:
        cut = part[: len(part) // block * block, : part.shape[1] // block * block]
        mean = cut.reshape(len(cut) // block, block, -1, block, 3).mean((1, 3))
        part = np.rint(mean).astype(np.uint8)
    return np.ascontiguousarray(part), (pixel - low - (block - 1) / 2) / block


def _finest(pixel: NDArray[np.float64]) -> float:
    """Pixels of the photo across a sheet of the face's resolution."""
    mesh = skin_mesh()
    front = mesh.points[:, 2] > 0.08
    place = np.zeros((len(mesh.points), 2))
    place[mesh.triangles.reshape(-1)] = mesh.triangles_uv.reshape(-1, 2)
    return float(np.ptp(pixel[front], 0).max() / np.ptp(place[front], 0).max())


def _corners(size: int) -> NDArray[np.float64]:
    """(T, 3, 2) the triangles of the skin in pixels of a sheet, row 0 on top."""
    pixel = skin_mesh().triangles_uv.astype(np.float64) * size - 0.5
    pixel[..., 1] = size - 1 - pixel[..., 1]
    return pixel


def _linear(srgb: Bytes) -> Floats:
    from headform.render.colour import LINEAR

    return np.asarray(LINEAR[srgb], np.float32)


def _likely(at: Atlas, coarse: Floats, seen: Seen) -> Skin:
    """A painted skin in the person's tone."""
    log = coarse.reshape(-1, 3)[at.texel]
    trust = seen.trust.reshape(-1)[at.texel] * _plain(at)
    who = attributes(USUAL_AGE, 0.5, (1, 1, 1))
    traits = draw_traits(0, who)
    order = trust > 0.5
    middle = np.exp(np.median(log[order], 0)) if order.sum() > 500 else np.array([0.5, 0.33, 0.25])
    lab = lab_from_linear(middle)
    rows = table_rows("tones")
    lightness = column(rows, "lightness")
    knots = np.argsort(lightness)
    melanin = float(np.interp(lab[0], lightness[knots], column(rows, "melanin")[knots]))
    tone = Tone(melanin, (float(lab[0]), float(lab[1]), float(lab[2])))
    traits = replace(
        traits, tone=tone, moles=0, freckles=0.0, age_spots=0.0, veins=0.0, beard=0.0, hair=(58, 42, 32), grey=0.0
    )
    return paint_traits(0, who, traits, COARSE, 0.35)


def _plain(at: Atlas) -> Floats:
    """(N,) 1 on plain skin: off lips, lids and brows."""
    where = regions(COARSE)
    brow = (np.abs(at.position[:, 1] * 1000 - _brow_height()) < 14) & (at.position[:, 2] > 0.06)
    return ((where.lips > OFF_LIPS) & (where.eye > OFF_EYES) & ~brow & (at.inside == SKIN)).astype(np.float32)


def _brow_height() -> float:
    from headform.skin.regions import table

    return float(np.array(table()["outlines"]["eye"])[:, 1].max()) + 14


def _plain_difference(at: Atlas, difference: Floats, trust: Floats) -> tuple[Floats, Floats]:
    """(S, 3) mean difference of plain skin around each point of the mesh, and (S,) how much it was seen."""
    return _mean_at_points(at, difference, trust.reshape(-1)[at.texel] ** 2 * _plain(at))


def _mean_at_points(at: Atlas, sheet: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """(S, 3) weighted mean of a sheet (size, size, 3) around each point of the mesh, and (S,) its weight, up to 1."""
    total = np.zeros((len(skin_mesh().points), 4), np.float32)
    _gather(at.corners, at.shares, weight, sheet.reshape(-1, 3)[at.texel], total)
    return total[:, :3] / np.maximum(total[:, 3:], 1e-6), np.minimum(total[:, 3] / 2, 1)


@njit(cache=True, nogil=True)
def _gather(corners: NDArray[np.int32], shares: Floats, weight: Floats, values: Floats, total: Floats) -> None:
    for n in range(len(corners)):
        if weight[n] > 0:
            for k in range(3):
                share = shares[n, k] * weight[n]
                total[corners[n, k], 3] += share
                for d in range(3):
                    total[corners[n, k], d] += share * values[n, d]

"""The skin of one person: what their photo shows, and a likely whole around it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headform.fit import HeadFit
from headform.fit.bends import bends_of
from headform.head import HeadModel
from headform.head.default import NAME
from headform.photo import Photo, Sighting
from headform.skin.atlas import skin_mesh
from headform.skin.bake import STEP, Shorts, joined, photo_in_texture
from headform.skin.creases import normals_of, shape_everywhere
from headform.skin.even import carry_on, mirror_points, neighbours
from headform.skin.filters import blurred
from headform.skin.iris import eyes_of
from headform.skin.lashes import paint_lashes
from headform.skin.likely import Guess, beard_place, fold_zone, guess, plain_skin
from headform.skin.mouth_seen import mouth_of
from headform.skin.paint import Skin
from headform.skin.regions import smoothstep
from headform.skin.seen import COARSE, Seen, look_at_skin
from headform.skin.sheets import around, as_sheet, mean_at_points
from headform.skin.textures import SMALL_SHEET, Textures
from headform.skin.wardrobe import openness

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bytes = NDArray[np.uint8]

SIZE = 2048
FINEST = 0.8  # texels of the face for a pixel of the photo: more pixels are averaged first
MIRRORED = 0.1  # how far plain skin of the other side counts, where this one is not seen
# texels of the coarse sheet, half a millimetre of the face: what is finer is no spot; over what skin is even
GRAIN, NEAR, WIDE = 2.0, 14.0, 40.0
SHINY = 0.12  # log units above the level of its surroundings at which skin counts half
BRIGHTER, DARKER = 0.16, 0.08  # log units by which spots may differ from what is likely …
GIVES_WAY, ANY = 0.2, 9.0  # … and what is added to them at most; on the face spots may be as dark as they like
SMILES, SMILING, MOST_FOLDED = ("mouthSmileLeft", "mouthSmileRight"), (0.2, 0.7), 0.75
STRANGE_BODY = (0.08, 0.3)  # log units from the level, up or down, at which what is no face is a hand or a shadow
STRANGE = (0.3, 0.65)  # log units below the level of plain skin at which what borders on hair or cloth is no skin
BORDER = (0.05, 0.25)  # share of what is around that is not seen
LUMINANCE = np.array([0.3, 0.6, 0.1], np.float32)


def textures_of(photo: Photo, sighting: Sighting, fit: HeadFit, model: HeadModel, size: int = SIZE) -> Textures | None:
    """All that a fitted head wears, as its photo shows it; None for a head with another atlas than the default's."""
    if model.name != NAME:
        return None
    with ThreadPoolExecutor(2) as meanwhile:
        eyes = meanwhile.submit(eyes_of, photo.pixels, sighting, model, fit.posed(model), fit.light, SMALL_SHEET)
        mouth = meanwhile.submit(mouth_of, photo.pixels, sighting, fit.light, SMALL_SHEET)
        skin = skin_of(photo, sighting, fit, model, size)
        left, right = eyes.result()
    return Textures(skin.albedo, skin.normal, skin.roughness, left, right, mouth.result(), paint_lashes())


def prepare(model: HeadModel) -> None:
    """Does what is the same for every person, so that it need not be done when the first one comes."""
    if model.name != NAME:
        return
    for ready in (plain_skin, fold_zone, mirror_points, neighbours, shape_everywhere, paint_lashes):
        ready()
    openness(model, model.rest())
    bends_of(model)


def skin_of(photo: Photo, sighting: Sighting, fit: HeadFit, model: HeadModel, size: int = SIZE) -> Skin:
    """The skin of a fitted head as its photo shows it, with what is not seen carried on."""
    seen = look_at_skin(sighting, fit, model)
    view = View.of(photo.pixels, seen, size)
    shown = view.in_texture(seen.trust, COARSE) * STEP
    likely = guess(photo, sighting, seen, shown)
    seen = replace(seen, trust=_without_strange(shown, seen, likely))
    level, weight = _level(shown, seen, likely)
    smooth = as_sheet(_carried(shown - likely.drawn, weight, likely.evened), COARSE)
    found = view.in_texture(seen.trust, size)
    calm = np.maximum(seen.body, _folded(fit, model))
    excess = _excess(shown, seen.trust, calm, likely.bare + level)
    albedo = joined(found, seen.trust, excess, likely.drawn + smooth, smooth)
    normal = normals_of(found, seen.trust * (1 - calm), sighting.sharpness, size)
    rough = np.asarray(Image.fromarray(likely.skin.roughness).resize((size, size), Image.Resampling.BILINEAR))
    return replace(likely.skin, albedo=albedo, normal=normal, roughness=rough)


@dataclass(frozen=True, eq=False)
class View:
    """The part of a photo (H, W, 3) that shows the head, where in it the points (S, 2) of the skin mesh lie, and the
    log of their shade (S, 3)."""

    picture: Bytes
    pixel: Doubles
    log_shade: Floats

    @classmethod
    def of(cls, picture: Bytes, seen: Seen, size: int) -> View:
        """For a texture of `size`² texels: where the photo is finer, it is averaged first."""
        high, wide = picture.shape[:2]
        low = np.clip(np.floor(np.nanmin(seen.pixel, 0)) - 4, 0, (wide - 8, high - 8)).astype(int)
        past = np.clip(np.ceil(np.nanmax(seen.pixel, 0)) + 5, low + 8, (wide, high)).astype(int)
        part = picture[low[1] : past[1], low[0] : past[0]]
        block = max(1, int(FINEST * _pixels_across(seen.pixel) / size))
        if block > 1:
            cut = part[: len(part) // block * block, : part.shape[1] // block * block]
            mean = cut.reshape(len(cut) // block, block, -1, block, 3).mean((1, 3), dtype=np.float32)
            part = np.rint(mean).astype(np.uint8)
        pixel = (seen.pixel - low - (block - 1) / 2) / block
        return cls(np.ascontiguousarray(part), pixel, np.log(seen.shade))

    def in_texture(self, trust: Floats, size: int) -> Shorts:
        """(size, size, 3) log reflectance in STEPs where trust (M, M) is not 0."""
        mesh = skin_mesh()
        corners = mesh.triangles_uv.astype(np.float64) * size - 0.5
        corners[..., 1] = size - 1 - corners[..., 1]
        return photo_in_texture(corners, mesh.triangles, self.pixel, self.log_shade, trust, self.picture, size)


def _pixels_across(pixel: Doubles) -> float:
    """Pixels of the photo across a sheet in which the face is as large as in the photo."""
    mesh = skin_mesh()
    front = mesh.points[:, 2] > 0.08
    place = np.zeros((len(mesh.points), 2))
    place[mesh.triangles.reshape(-1)] = mesh.triangles_uv.reshape(-1, 2)
    return float(np.ptp(pixel[front], 0).max() / np.ptp(place[front], 0).max())


def _without_strange(shown: Floats, seen: Seen, likely: Guess) -> Floats:
    """(COARSE, COARSE) trust, less where plain skin is suddenly dark beside what is not seen: strands of hair, collars,
    fingers and the shadows between them. Beards around mouth and chin are none."""
    sure = seen.trust * plain_skin()
    difference = shown - likely.bare
    below = (around(difference, sure, WIDE) - around(difference, seen.trust, GRAIN)) @ LUMINANCE
    beside = smoothstep(*BORDER, blurred(1 - seen.trust, NEAR)) * (1 - beard_place())
    strange = smoothstep(*STRANGE, below.astype(np.float32)) * beside * plain_skin()
    strange = np.maximum(strange, smoothstep(*STRANGE_BODY, np.abs(below).astype(np.float32)) * seen.body)
    return blurred(seen.trust * (1 - strange), 1.0)


def _level(shown: Floats, seen: Seen, likely: Guess) -> tuple[Floats, Floats]:
    """(COARSE, COARSE, 3) by how much plain skin around each texel differs from the painted one, shine apart; and how
    much each texel (COARSE, COARSE) says about that."""
    difference, sure = shown - likely.bare, seen.trust**2 * plain_skin()
    above = (difference - around(difference, sure, WIDE)) @ LUMINANCE
    dull = np.asarray(sure / (1 + (np.maximum(above, 0) / SHINY) ** 2), np.float32)
    return around(difference, dull + 1e-3 * sure, NEAR), dull


def _carried(difference: Floats, weight: Floats, toward: Floats) -> Floats:
    """(S, 3) the difference between this person's plain skin and the painted one, everywhere; what the other side shows
    counts a little where this side is not seen."""
    values, weights = mean_at_points(difference, weight)
    mirrored = mirror_points()
    both = weights + MIRRORED * weights[mirrored]
    sums = values * weights[:, None]
    mixed = (sums + MIRRORED * sums[mirrored]) / np.maximum(both, 1e-6)[:, None]
    return carry_on(np.asarray(mixed, np.float32), np.asarray(both, np.float32), toward)


def _folded(fit: HeadFit, model: HeadModel) -> Floats:
    """(COARSE, COARSE) 0 … 1 where a smile in the photo folds the skin: the folds must not stay when it ends."""
    names = list(model.expression_names)
    smile = float(np.mean([fit.psi[names.index(name)] for name in SMILES if name in names] or [0]))
    return np.asarray(MOST_FOLDED * smoothstep(*SMILING, np.full(1, smile, np.float32)) * fold_zone(), np.float32)


def _excess(shown: Floats, trust: Floats, calm: Floats, likely: Floats) -> Floats:
    """(COARSE, COARSE, 3) shine, and where calm (COARSE, COARSE) is 1 shadows: what broad spots are brighter or darker
    than skin can be.

    Shine is white: where brightness gives way, so does the deviation of the colour.
    """
    broad = around(shown - likely, trust, GRAIN)
    more = broad @ LUMINANCE
    free = np.where(more > 0, BRIGHTER, DARKER + (1 - calm) * ANY)
    amount = np.abs(more)
    kept = np.where(amount > free, free + GIVES_WAY * np.tanh((amount - free) / GIVES_WAY), amount)
    share = (kept / np.maximum(amount, 1e-6))[..., None]
    return np.asarray(broad * (1 - share), np.float32)

"""What a photo shows of the skin: where each texel is seen, and how far that is to be believed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from headform.fit import HeadFit
from headform.head import HeadModel
from headform.photo import Sighting
from headform.photo.crop import Crop
from headform.photo.landmarks import outline
from headform.render import Light, rasterise
from headform.render.shade import lit_by
from headform.render.surface import vertex_normals
from headform.skin.atlas import atlas, skin_mesh
from headform.skin.filters import blurred, highest, lowest
from headform.skin.regions import regions, smoothstep
from headform.skin.wardrobe import fine_mesh, openness

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Flags = NDArray[np.bool_]

COARSE = 512  # pixels of the sheet on which trust is worked out
WINDOW = 640  # pixels of the window on the photo in which it is looked for
ROOM = 1.12  # side of the window over the head in it
SUBSURFACE = 0.5  # as the wardrobe's skin
BEHIND = 0.004  # metres: what lies deeper behind what is seen is hidden
MARGIN = 0.011  # of the head's height: no colour is taken nearer to an edge of what is before or beside it
GRAZING, FACING = 0.12, 0.42  # cosines between which a surface comes to be believed
LEAST_SKIN, SURE_SKIN = 0.35, 0.65  # probabilities between which skin comes to be believed
DARKEST = 0.45  # of the usual light: in deeper shade colours are not divided further

# landmarks
CHIN, BROWS_MIDDLE, BROW_ROOM, FRINGE = 152, 9, 0.07, 0.5  # hair over half of what is just above a brow covers it
LOWER_LIP, BEARD_ROOM = 17, 0.85  # hair within the outline of the lower face, drawn in, is a beard …
MOUTH_ROOM, LEAST_BEARD = 0.45, 0.12  # … if so much of what is around the mouth, or of the chin, is hair


@dataclass(frozen=True, eq=False)
class Seen:
    """What the photo shows of the S points of the skin mesh and of the coarse sheet.

    pixel   (S, 2) where each point lies in the photo
    shade   (S, 3) what light makes of white there, as the renderer draws it
    trust   (COARSE, COARSE) 0 … 1: how far the photo is believed at a texel
    body    (COARSE, COARSE) 0 … 1: whether it shows the skin of neck and body there, or hands, not of the face
    """

    pixel: Doubles
    shade: Floats
    trust: Floats
    body: Floats


def look_at_skin(sighting: Sighting, fit: HeadFit, model: HeadModel) -> Seen:
    """Where the skin of a fitted head is seen in its photo, and in which light."""
    mesh = fine_mesh(model)
    fine = mesh.subdivision.refine(fit.posed(model))
    rows = _skin_rows(model)
    places = fine[rows]
    normals = vertex_normals(fine, np.concatenate(list(mesh.triangles.values())))[rows]
    open_to_light = openness(model, fit.posed(model))[rows]
    pixel, depth = fit.camera.project(places)
    window = _window(pixel)
    camera = window.camera(fit.camera)
    raster = rasterise(fine, mesh.blockers, camera)
    allowed = _allowed(sighting, window)
    reach = max(1, round(MARGIN * WINDOW / ROOM))
    nearest = lowest(np.minimum(raster.depth, 1e3), reach)
    allowed *= highest(raster.depth > 1e3, reach) == 0
    way = camera.position - places
    cosine = (normals * way).sum(1) / np.linalg.norm(way, axis=1)
    at = atlas(COARSE)
    where = at.spread(np.column_stack([window.place(pixel), depth, cosine]).astype(np.float32))
    before = _looked_up(np.minimum(raster.depth, 1e3).astype(np.float32), where)
    front = _looked_up(nearest.astype(np.float32), where)
    trust = _looked_up(allowed, where) * smoothstep(GRAZING, FACING, where[:, 3])
    trust *= (where[:, 2] < before + BEHIND) * smoothstep(3 * BEHIND, BEHIND, where[:, 2] - front)
    trust *= (at.inside == 0) * smoothstep(-0.3, 0.6, regions(COARSE).eye)
    sheet = at.image(trust.astype(np.float32))
    sheet = blurred(lowest(sheet, 1), 1.5)
    body = _looked_up(window.cut_mask(sighting.masks.body_skin), where)
    body = blurred(at.image(body), 3)
    return Seen(pixel, shade_of(fit.light, normals, open_to_light), sheet, body)


def shade_of(light: Light, normals: Floats, open_to_light: Floats) -> Floats:
    """(S, 3) what soft light makes of white skin with these normals; not darker than albedo can bear."""
    soft = lit_by(light, SUBSURFACE).soft
    x, y, z = normals.astype(np.float64).T
    basis = np.stack([np.ones_like(x), y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], 1)
    shade = np.maximum(basis @ soft, 1e-3) * open_to_light[:, None]
    floor = DARKEST * np.median(shade[skin_mesh().points[:, 2] > 0.06], 0)
    return np.asarray((shade**3 + floor**3) ** (1 / 3), np.float32)


@lru_cache(maxsize=2)
def _skin_rows(model: HeadModel) -> NDArray[np.int64]:
    """(S,) rows of the close-up mesh that are the points of the skin mesh."""
    rows = np.zeros(len(skin_mesh().points), np.int64)
    rows[skin_mesh().triangles.reshape(-1)] = fine_mesh(model).triangles["skin"].reshape(-1)
    return rows


def _window(pixel: Doubles) -> Crop:
    """The square of the photo around the projected head, at working size."""
    low, high = np.nanmin(pixel, 0), np.nanmax(pixel, 0)
    side = float((high - low).max() * ROOM)
    left, top = ((low + high - side) / 2).tolist()
    return Crop(left, top, side, WINDOW)


def _allowed(sighting: Sighting, window: Crop) -> Floats:
    """(WINDOW, WINDOW) 0 … 1 where the photo shows skin, a little inside of its edges."""
    masks = sighting.masks
    skin = window.cut_mask(masks.face_skin) + window.cut_mask(masks.body_skin)
    points = window.place(sighting.landmarks.points[:, :2].astype(np.float64))
    beard = _beard(points, window.cut_mask(masks.hair))
    skin += beard * window.cut_mask(masks.hair)
    skin = np.maximum(skin, _polygon(points, "outer_lips") * (1 - window.cut_mask(masks.other)))
    reach = max(1, round(MARGIN * WINDOW / ROOM))
    hair = window.cut_mask(masks.hair) * (1 - beard)
    for brow in ("right_brow", "left_brow"):  # fringes cover them from above
        shape = points[outline(brow)]
        above = _filled(shape - BROW_ROOM * (points[CHIN] - points[BROWS_MIDDLE]))
        if (hair * above).sum() < FRINGE * above.sum():
            wide = highest(_filled(shape), reach)
            hair *= 1 - wide
            skin = np.maximum(skin, wide * (1 - window.cut_mask(masks.other)))
    skin -= highest(hair, reach)
    inside = smoothstep(LEAST_SKIN, SURE_SKIN, lowest(skin, reach))
    hole = np.zeros_like(inside)
    for opening in ("right_eye", "left_eye", "inner_lips"):
        hole = np.maximum(hole, _polygon(points, opening))
    return np.asarray(blurred(inside, reach / 2) * (1 - hole), np.float32)


def _beard(points: Doubles, hair: Floats) -> Floats:
    """(WINDOW, WINDOW) 1 where hair is a beard: on the lower face, if it grows around the mouth or on the chin too."""
    drawn_in = points - points[LOWER_LIP]
    lower_face = _polygon(points[LOWER_LIP] + BEARD_ROOM * drawn_in, "lower_face")
    around_mouth, chin = _polygon(points[LOWER_LIP] + MOUTH_ROOM * drawn_in, "lower_face"), _polygon(points, "chin")
    grows = any((hair * patch).sum() > LEAST_BEARD * patch.sum() for patch in (around_mouth, chin))
    return lower_face if grows else np.zeros_like(lower_face)


def _polygon(points: Doubles, name: str) -> Floats:
    """(WINDOW, WINDOW) 1 inside an outline of landmarks."""
    return _filled(points[outline(name)])


def _filled(border: Doubles) -> Floats:
    """(WINDOW, WINDOW) 1 inside a border (n, 2)."""
    picture = Image.new("L", (WINDOW, WINDOW))
    ImageDraw.Draw(picture).polygon([(float(x), float(y)) for x, y in border], fill=255)
    return np.asarray(np.asarray(picture, np.float32) / np.float32(255), np.float32)


@njit(cache=True, nogil=True)
def _looked_up(picture: Floats, where: Floats) -> Floats:
    """(N,) values of a picture at (x, y), nearest pixel; 0 outside."""
    high, wide = picture.shape
    out = np.zeros(len(where), np.float32)
    for n in range(len(where)):
        x, y = where[n, 0], where[n, 1]
        if -0.5 < x < wide - 0.5 and -0.5 < y < high - 0.5:
            out[n] = picture[int(y + 0.5), int(x + 0.5)]
    return out

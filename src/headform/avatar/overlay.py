"""Pictures to judge a fit by: the mesh over the photo, and the bare head in clay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from headform.avatar.avatar import Avatar
from headform.fit import Floats
from headform.head import HeadModel
from headform.photo import Photo
from headform.render import Camera, Material, Scene, Surface, contact_sheet, rasterise, render, studio_light, visible
from headform.render.surface import vertex_normals

Bytes = NDArray[np.uint8]

LONGEST, SHORTEST = 1600, 700  # pixels of the picture's longer side
ROOM = 1.25  # of the head's box in the picture
FINE = 2  # drawn so much larger, then reduced: smooth lines
LINE, DOT, HIDDEN_PARTS = (90, 235, 255, 105), (255, 70, 70, 255), ("lashes", "cornea_left", "cornea_right")
CLAY = Material((0.72, 0.71, 0.70), roughness=0.62, specular=0.35)


def overlay(photo: Photo, avatar: Avatar) -> Bytes:
    """(H, W, 3) the head's part of the photo with the visible edges of the mesh and the landmarks on it."""
    model, camera = avatar.model, avatar.fit.camera
    vertices = avatar.posed()
    flat, _ = camera.project(vertices)
    left, top, right, bottom = _window(flat, photo)
    longest = max(right - left, bottom - top)
    scale = FINE * float(np.clip(longest, SHORTEST, LONGEST)) / longest
    size = (round((right - left) * scale), round((bottom - top) * scale))
    image = Image.fromarray(photo.pixels[top:bottom, left:right]).resize(size, Image.Resampling.LANCZOS)
    ink = Image.new("RGBA", size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(ink)
    placed = (flat - (left, top) + 0.5) * scale
    for a, b in _visible_edges(model, vertices, camera):
        draw.line([tuple(placed[a]), tuple(placed[b])], fill=LINE, width=FINE)
    for x, y in (avatar.landmarks - (left, top) + 0.5) * scale:
        reach = 0.9 * FINE
        draw.ellipse([x - reach, y - reach, x + reach, y + reach], fill=DOT)
    drawn = Image.alpha_composite(image.convert("RGBA"), ink).convert("RGB")
    return np.asarray(drawn.resize((size[0] // FINE, size[1] // FINE), Image.Resampling.BOX))


def clay(model: HeadModel, vertices: Floats, size: int = 480) -> Bytes:
    """(size, 3 size, 3) a head at rest in grey clay: from the front, from 40° and from the side."""
    solid = np.isin(model.triangle_part, [model.parts.index(p) for p in model.parts if p not in HIDDEN_PARTS])
    triangles = model.triangles[solid]
    normals = vertex_normals(vertices, triangles)
    scene = Scene((Surface(vertices, triangles, CLAY, normals=normals),), light=studio_light(1.0), background=(1, 1, 1))
    views = [render(scene, Camera.portrait(np.radians(yaw), 0.0, size)) for yaw in (0, 40, 90)]
    return contact_sheet(views, columns=3, margin=0)


def _window(flat: NDArray[np.float64], photo: Photo) -> tuple[int, int, int, int]:
    """left, top, right, bottom of the photo around the head."""
    high, wide = photo.pixels.shape[:2]
    low, past = np.nanmin(flat, 0), np.nanmax(flat, 0)
    middle, half = (low + past) / 2, (past - low).max() / 2 * ROOM
    left, top = np.clip(np.floor(middle - half), 0, (wide - 2, high - 2)).astype(int)
    right, bottom = np.clip(np.ceil(middle + half), (left + 2, top + 2), (wide, high)).astype(int)
    return int(left), int(top), int(right), int(bottom)


def _visible_edges(model: HeadModel, vertices: Floats, camera: Camera) -> NDArray[np.int64]:
    """(E, 2) edges of skin and eyes whose ends both are seen."""
    shown = [model.parts.index(p) for p in model.parts if p == "skin" or p.startswith("eye")]
    quads = model.quads[np.isin(model.part, shown)].astype(np.int64)
    edges = np.concatenate([quads[:, [k, (k + 1) % 4]] for k in range(4)])
    edges = np.unique(np.sort(edges[edges[:, 0] != edges[:, 1]], 1), axis=0)
    solid = np.isin(model.triangle_part, shown)
    raster = rasterise(vertices, model.triangles[solid], camera)
    seen = visible(vertices, raster, camera, 0.0015)
    return edges[seen[edges].all(1)]

"""Pictures to judge a fit by: the mesh over the photo, and the bare head in clay."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from headform.avatar.avatar import Avatar
from headform.fit import Floats
from headform.head import HeadModel, subdivide
from headform.photo import Photo
from headform.render import (
    Camera,
    Material,
    Picture,
    Scene,
    Surface,
    contact_sheet,
    rasterise,
    render,
    studio_light,
    visible,
)
from headform.render.surface import vertex_normals

Bytes = NDArray[np.uint8]
Doubles = NDArray[np.float64]
Edges = NDArray[np.int64]
Ink = tuple[int, int, int, int]

LONGEST, SHORTEST = 1600, 1000  # pixels of the picture's longer side
ROOM = 1.2  # of the head's box in the picture
FINE = 2  # ink is drawn so much larger, then reduced: smooth lines
MESH, CONTOUR, DOT = (150, 235, 255, 80), (20, 255, 240, 235), (255, 72, 48, 255)
DIM = 0.86  # of the photo's brightness: lines stand out on skin in bright light
DOT_SIZE = 1 / 700  # radius over the picture's longer side
HIDDEN_BEHIND = 0.0015  # metres: what lies deeper than this behind what is seen is hidden
CONTOUR_BEHIND = 0.004  # at a contour the surface falls away within a pixel
OUTLINE_BEHIND, OUTLINE_REACH = 0.03, 3  # and at the outline farther; pixels from there to where nothing is
CLEAR = ("lashes", "cornea_left", "cornea_right")
CLAY = Material((0.72, 0.71, 0.70), roughness=0.62, specular=0.35)
PAPER = (1.0, 1.0, 1.0)
VIEWS = (0, 40, 90)  # degrees that the camera goes round to the person's left


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a photo that is shown: pixels from its top left corner, and how much larger it is drawn."""

    left: int
    top: int
    right: int
    bottom: int
    size: tuple[int, int]

    @property
    def scale(self) -> Doubles:
        """(2,) pixels of the picture for a pixel of the photo, across and down."""
        return np.array([self.size[0] / (self.right - self.left), self.size[1] / (self.bottom - self.top)])

    def place(self, pixels: Doubles) -> Doubles:
        """(..., 2) where pixels of the photo lie in the picture; centres are at integers in both."""
        return np.asarray((pixels - (self.left, self.top) + 0.5) * self.scale - 0.5)

    def camera(self, camera: Camera) -> Camera:
        """The photo's camera for the picture."""
        (across, down), (x, y) = self.scale, self.place(np.zeros(2))
        to_window = np.array([[across, 0, x], [0, down, y], [0, 0, 1]])
        return replace(camera, matrix=to_window @ camera.matrix, width=self.size[0], height=self.size[1])


def overlay(photo: Photo, avatar: Avatar) -> Bytes:
    """(H, W, 3) the head's part of the photo, with the mesh, its contours and the landmarks drawn over it.

    The longer side has 1000 to 1600 pixels, whatever the photo's size.
    """
    model, vertices = avatar.model, avatar.posed()
    window = window_of(avatar.fit.camera.project(vertices)[0], photo)
    cut = Image.fromarray(photo.pixels[window.top : window.bottom, window.left : window.right])
    image = cut.resize(window.size, Image.Resampling.LANCZOS).point(lambda value: round(DIM * value))
    camera = window.camera(avatar.fit.camera)
    mesh, contours = visible_edges(model, vertices, camera)
    placed = np.nan_to_num(camera.project(vertices)[0], nan=-1e4)
    ink = Image.new("RGBA", (window.size[0] * FINE, window.size[1] * FINE), (*MESH[:3], 0))
    draw = ImageDraw.Draw(ink)
    _draw_lines(draw, placed, mesh, MESH, FINE)
    _draw_lines(draw, placed, contours, CONTOUR, FINE + 1)
    reach = max(1.1, DOT_SIZE * max(window.size)) * FINE
    for x, y in (window.place(avatar.landmarks.astype(np.float64)) + 0.5) * FINE:
        draw.ellipse([x - reach, y - reach, x + reach, y + reach], fill=DOT)
    smooth = ink.resize(window.size, Image.Resampling.BOX)
    return np.asarray(Image.alpha_composite(image.convert("RGBA"), smooth).convert("RGB"))


def clay(model: HeadModel, vertices: Floats, size: int = 480) -> Bytes:
    """(size, 3 size, 3) a head at rest in grey clay: from the front, from 40° and from the side."""
    views = [clay_view(model, vertices, Camera.portrait(np.radians(yaw), 0.0, size)) for yaw in VIEWS]
    return contact_sheet(views, columns=len(VIEWS), margin=0)


def clay_view(model: HeadModel, vertices: Floats, camera: Camera) -> Picture:
    """A head (V, 3) in grey clay, smoothed as in close-ups, on white; without lashes and corneas."""
    solid = np.isin(model.part, [model.parts.index(part) for part in model.parts if part not in CLEAR])
    fine = subdivide(model.quads[solid], model.quads_uv[solid], model.uv, model.vertex_count)
    places = fine.refine(vertices)
    triangles = fine.quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)
    surface = Surface(places, triangles, CLAY, normals=vertex_normals(places, triangles))
    return render(Scene((surface,), light=studio_light(1.0), background=PAPER), camera)


def window_of(flat: Doubles, photo: Photo) -> Window:
    """The part of the photo around a head whose vertices are at pixels (V, 2); all of it if the head is elsewhere."""
    high, wide = photo.pixels.shape[:2]
    low, past = np.zeros(2), np.array([wide, high], np.float64)
    if np.isfinite(flat).any():
        seen_low, seen_past = np.nanmin(flat, 0), np.nanmax(flat, 0)
        middle, half = (seen_low + seen_past) / 2, (seen_past - seen_low) / 2 * ROOM
        if (middle + half > 2).all() and (middle - half < (wide - 2, high - 2)).all():
            low, past = middle - half, middle + half
    left, top = np.clip(np.floor(low), 0, (wide - 2, high - 2)).astype(int).tolist()
    right, bottom = np.clip(np.ceil(past), (left + 2, top + 2), (wide, high)).astype(int).tolist()
    longest = max(right - left, bottom - top)
    scale = float(np.clip(longest, SHORTEST, LONGEST)) / longest
    size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    return Window(left, top, right, bottom, size)


def visible_edges(model: HeadModel, vertices: Floats, camera: Camera) -> tuple[Edges, Edges]:
    """Edges (E, 2) of skin and eyes whose ends are seen, and those (F, 2) where skin turns away from the camera:
    the outline, lids, lips, nostrils and the folds of the ears."""
    shown = [index for index, part in enumerate(model.parts) if part == "skin" or part.startswith("eye")]
    solid = [index for index, part in enumerate(model.parts) if part not in CLEAR]
    raster = rasterise(vertices, model.triangles[np.isin(model.triangle_part, solid)], camera)
    edges, quad = _edges(model.quads[np.isin(model.part, shown)].astype(np.int64))
    flat, _ = camera.project(vertices)
    corner = np.nan_to_num(flat)[model.quads[np.isin(model.part, shown)]]
    across, along = corner[:, 2] - corner[:, 0], corner[:, 3] - corner[:, 1]
    facing = across[:, 0] * along[:, 1] - across[:, 1] * along[:, 0] < 0  # y points down
    turns = np.where(quad[:, 1] < 0, False, facing[quad[:, 0]] != facing[quad[:, 1]])
    seen = visible(vertices, raster, camera, HIDDEN_BEHIND)
    nearly = visible(vertices, raster, camera, CONTOUR_BEHIND)
    nearly |= _beside_nothing(flat, raster.covered) & visible(vertices, raster, camera, OUTLINE_BEHIND)
    return edges[seen[edges].all(1) & ~turns], edges[nearly[edges].all(1) & turns]


def _beside_nothing(flat: Doubles, covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(V,) whether a pixel near to each place (V, 2) shows no head."""
    high, wide = covered.shape
    beside = np.zeros(len(flat), bool)
    for step in OUTLINE_REACH * np.array([(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)]):
        column, row = np.nan_to_num(flat + step, nan=-9).round().clip(-9, 1e6).astype(np.int64).T
        inside = (column >= 0) & (row >= 0) & (column < wide) & (row < high)
        beside[inside] |= ~covered[row[inside], column[inside]]
    return beside


def _edges(quads: Edges) -> tuple[Edges, Edges]:
    """(E, 2) each edge of quads once, and (E, 2) the two quads beside it; −1 for none."""
    sides = np.concatenate([quads[:, [k, (k + 1) % 4]] for k in range(4)])
    owner = np.tile(np.arange(len(quads)), 4)
    real = sides[:, 0] != sides[:, 1]
    edges, which = np.unique(np.sort(sides[real], 1), axis=0, return_inverse=True)
    beside = np.full((len(edges), 2), -1, np.int64)
    first = np.unique(which.reshape(-1), return_index=True)[1]
    beside[:, 0] = owner[real][first]
    rest = np.setdiff1d(np.arange(len(which.reshape(-1))), first)
    beside[which.reshape(-1)[rest], 1] = owner[real][rest]
    return edges, beside


def _draw_lines(draw: ImageDraw.ImageDraw, placed: Doubles, edges: Edges, colour: Ink, width: int) -> None:
    for x0, y0, x1, y1 in ((placed[edges] + 0.5) * FINE).reshape(-1, 4).tolist():
        draw.line([x0, y0, x1, y1], fill=colour, width=width)

"""The light on a face: spherical harmonics and the skin's plain colours that together explain the photo."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.head import HeadModel, Subdivision, subdivide
from headform.render import Camera, Light, rasterise, visible
from headform.render.light import COSINE, harmonics
from headform.render.occlusion import sphere_directions
from headform.render.surface import vertex_normals
from headform.skin.albedo import albedo_model, linear_from_lab, linear_from_srgb, tone_lab
from headform.skin.wardrobe import fine_mesh, openness

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bytes = NDArray[np.uint8]

ROUNDS = 4
LEAST_POINTS = 200  # fewer seen points of skin say nothing about nine coefficients
COARSE = 1200  # pixels of the photo's longer side are enough to say which points are seen
FACING = 0.15  # cosine: what turns farther away shows the colour of what is before it
LEAST_SKIN = 0.6  # probability of skin at a point that is believed
STRAY = 0.25  # log units: a shadow or highlight this far off counts half
SMOOTH = 0.0005  # how strongly the bands beyond the mean are held at zero, times the number of points
HELD = 10.0  # how strongly the skin is held near the mean one: shading is smooth too, and must not become skin
DARK, BRIGHT = 0.004, 0.98  # linear and sRGB: colours outside are clipped and say little
DIRECTIONS = 60  # of surfaces that light must fall on, whether they are seen or not
LEAST_LIGHT = 0.22  # of the mean light that falls on them
BOUND = 0.3  # how strongly they count against the seen points
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
TONES = 81
TINT = (0.2, 0.35)  # log units that red and blue light differ from green in photos
WELL_LIT = 50  # per cent of the seen skin are darker than what the camera exposes for
EXPOSED, EXPOSURE = 1.15, 0.55  # radiance in which well-lit faces are usually shown, and log units about it
USUAL_MELANIN = (0.35, 0.3)  # where skins lie on the curve of tones, and how far about it
OWN_TINT, MOST_TINT = 0.4, 0.12  # share of what tint is left that belongs to the skin; log units
ODD_TINT = 0.25  # log units: a larger tint is rather the photo's
NEUTRAL = 0.6  # radiance from everywhere where nothing could be measured


@lru_cache(maxsize=2)
def skin_mesh(model: HeadModel) -> Subdivision:
    """The skin's quads cut in four: the points that the albedo model knows."""
    part = model.part == model.part_index("skin")
    return subdivide(model.quads[part], model.quads_uv[part], model.uv, int(model.quads[part].max()) + 1)


def estimate_light(pixels: Bytes, skin: Floats, camera: Camera, model: HeadModel, vertices: Floats) -> Light:
    """The light, in world axes, on posed vertices (V, 3) in a photo; `skin` (H, W) is where skin is seen.

    Light and skin trade brightness; the mean of known skins decides between them. Where too little skin is seen
    the light is plain and even.
    """
    mesh = skin_mesh(model)
    places = mesh.refine(vertices[: int(model.quads[model.part == model.part_index("skin")].max()) + 1])
    triangles = mesh.quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)
    normals = vertex_normals(places, triangles)
    albedo = albedo_model()
    if len(places) != len(albedo.mean):
        return even_light()
    coarse = camera.scaled(min(1.0, COARSE / max(camera.width, camera.height)))
    seen = visible(places, rasterise(vertices, model.triangles, coarse), coarse, 0.003)
    way = camera.position - places
    seen &= (normals * way).sum(1) > FACING * np.linalg.norm(way, axis=1)
    at, _ = camera.project(places)
    column, row = (np.nan_to_num(at, nan=-9).round().astype(np.int64)).T
    seen &= (column >= 0) & (row >= 0) & (column < camera.width) & (row < camera.height)
    seen[seen] &= skin[row[seen], column[seen]] > LEAST_SKIN
    colours = np.zeros((len(places), 3))
    colours[seen] = linear_from_srgb(pixels[row[seen], column[seen]])
    seen &= (colours.max(1) > DARK) & (colours.max(1) < BRIGHT)
    if seen.sum() < LEAST_POINTS:
        return even_light()
    return _separate(colours, seen, normals, _openness(model))


@lru_cache(maxsize=2)
def _openness(model: HeadModel) -> Floats:
    """(S,) how much light from around reaches each point of the skin mesh, on the mean head: people differ little."""
    mesh, fine = skin_mesh(model), fine_mesh(model).subdivision
    rows = np.zeros(len(mesh.starts) - 1, np.int64)
    rows[mesh.quads.reshape(-1)] = fine.quads[model.part[fine.face] == model.part_index("skin")].reshape(-1)
    return openness(model, model.rest())[rows]


def even_light() -> Light:
    return Light.of((), NEUTRAL)


def _separate(colours: Doubles, seen: NDArray[np.bool_], normals: Floats, open_to_light: Floats) -> Light:
    model = albedo_model()
    basis = harmonics(normals[seen]) * COSINE * open_to_light[seen, None]
    around = harmonics(sphere_directions(DIRECTIONS)) * COSINE
    lifted = np.zeros((DIRECTIONS, 3))  # what light must fall on surfaces that would be left in the dark
    weight = np.ones(int(seen.sum()))
    log_albedo = model.mean.astype(np.float64)
    held = np.diag(np.r_[0, np.full(8, SMOOTH * len(weight))])
    for _ in range(ROUNDS):
        plain = np.exp(log_albedo[seen])
        coefficients = np.empty((9, 3))
        for channel in range(3):
            rows = basis * plain[:, channel, None]
            scaled = rows * weight[:, None]
            scale = float((plain[:, channel] ** 2 * weight).mean())
            bound = (lifted[:, channel] > 0)[:, None] * around * (BOUND * len(weight) / DIRECTIONS * scale)
            coefficients[:, channel] = np.linalg.solve(
                scaled.T @ rows + held * scale + bound.T @ around,
                scaled.T @ colours[seen, channel] + bound.T @ lifted[:, channel],
            )
        fallen = around @ coefficients
        least = LEAST_LIGHT * np.maximum(fallen.mean(0), 1e-3)
        lifted = np.where((fallen < least) | (lifted > 0), least, 0)
        shade = np.maximum(basis @ coefficients, 0.02)
        off = np.log(np.maximum(colours[seen], 1e-3)) - log_albedo[seen] - np.log(shade)
        weight = 1 / (1 + ((off - np.median(off, 0)).mean(1) / STRAY) ** 2)
        lit = np.zeros_like(colours)
        lit[seen] = colours[seen] / shade
        trust = np.zeros(len(colours), np.float32)
        trust[seen] = np.sqrt(weight)
        log_albedo = model.log_colours(model.fit(lit, trust, HELD)).astype(np.float64)
    well_lit = colours[seen] @ LUMINANCE >= np.percentile(colours[seen] @ LUMINANCE, WELL_LIT)
    skin, shown = np.median(lit[seen][well_lit], 0), np.median(colours[seen][well_lit], 0)
    return Light(coefficients * skin / likely_skin(skin, shown))


def likely_skin(found: ArrayLike, shown: ArrayLike) -> Doubles:
    """(3,) the linear colour of plain skin that shows as `shown` (3,) in a photo.

    Light and skin trade colour and brightness. What decides is what cameras do: they balance white and expose, so the
    light is nearly grey and about 1; and what skins there are: a curve of tones. Of the tint that is left, the skin
    keeps a part. `found` (3,) is returned where the photo shows black.
    """
    seen = np.asarray(shown, np.float64)
    if seen.min() <= 0:
        return np.asarray(found, np.float64)
    melanin = np.linspace(0, 1, TONES)
    tones = np.array([linear_from_lab(tone_lab(m)) for m in melanin], np.float64)
    light = np.log(seen / tones)
    warm, cold = light[:, 0] - light[:, 1], light[:, 2] - light[:, 1]
    bright = np.log(seen @ LUMINANCE / (tones @ LUMINANCE))
    unlikely = np.log1p((warm / TINT[0]) ** 2) + np.log1p((cold / TINT[1]) ** 2)  # some photos are tinted wildly
    unlikely += ((bright - np.log(EXPOSED)) / EXPOSURE) ** 2
    unlikely += ((melanin - USUAL_MELANIN[0]) / USUAL_MELANIN[1]) ** 2
    best = int(unlikely.argmin())
    left = light[best] - np.log(seen @ LUMINANCE / (tones[best] @ LUMINANCE))
    own = OWN_TINT / (1 + (np.abs(left).max() / ODD_TINT) ** 2)  # photos without colour say nothing about skin's
    return np.asarray(tones[best] * np.exp(np.clip(own * left, -MOST_TINT, MOST_TINT)))

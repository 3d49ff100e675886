"""The fine shape of skin: pores, lines, wrinkles, lip creases, as a height, a normal map, a roughness."""

from __future__ import annotations

from functools import lru_cache

import numba
import numpy as np
from numpy.typing import NDArray

from headform.skin.atlas import SKIN, Atlas, Floats, Ints, atlas, skin_mesh
from headform.skin.noise import cells, clouds
from headform.skin.regions import Regions, along_line, smoothstep, table
from headform.skin.traits import Attributes, Traits

PORE_SPACING, PORE_DEPTH = 0.95, 0.15  # millimetres
MESH_SPACING, MESH_DEPTH = 1.35, 0.055
WRINKLE_REACH = 3.2  # widths
STEEPEST = 1.2  # slope
LID_CALM, LID_REACH = 0.12, 10.0  # lids are smooth; in their fold the paint would be stretched; millimetres
FAINTEST = 0.012  # millimetres; shallower wrinkles are left out
SATELLITES = 2  # fainter lines that gather beside a complete one
FURTHEST_SATELLITE = 3.4  # millimetres
WANDER = 2.5  # millimetres by which lines leave their place at most
FINEST = 3.2  # pixels that one pore or mesh cell needs


def height(at: Atlas, where: Regions, who: Attributes, traits: Traits, seed: int) -> tuple[Floats, Floats]:
    """(N,) millimetres above the smooth head, and (N,) how deep in a wrinkle each texel lies, 0–1."""
    rng = np.random.default_rng([seed, 3])
    mm = at.position * np.float32(1000)
    pixel = 1000 * float(np.median(at.scale))
    creased = _wrinkles(mm, at.size, who, traits, rng)
    raised = _pores(mm, where, traits, pixel, rng) + _mesh(mm, where, who, pixel, rng)
    raised += 0.07 * clouds(mm, 7.0, int(rng.integers(1 << 30)), 2)
    raised += 0.04 * clouds(mm, max(0.8, 2.5 * pixel), int(rng.integers(1 << 30)))
    raised *= (where.inside_mouth + where.socket) == 0
    raised *= LID_CALM + (1 - LID_CALM) * smoothstep(3.0, LID_REACH, where.eye)
    _lip_creases(raised, mm, where, who, rng)
    return (raised + creased).astype(np.float32), np.clip(-creased / 0.35, 0, 1).astype(np.float32)


def _pores(mm: Floats, where: Regions, traits: Traits, pixel: float, rng: np.random.Generator) -> Floats:
    b = where.blobs
    oily = np.minimum(b["nose_tip"] + b["nose_wing"] + 0.8 * b["cheek"] + 0.6 * b["nose_bridge"], 1)
    amount = (0.22 + 0.9 * oily + 0.3 * b["forehead"] + 0.3 * b["chin"]) * smoothstep(-0.5, 1.5, where.lips)
    away, _, lot = cells(mm, max(PORE_SPACING, FINEST * pixel), int(rng.integers(1 << 30)))
    depth = np.float32(PORE_DEPTH * traits.pores) * amount * (0.4 + 0.6 * lot)
    return np.asarray(-depth * np.exp(-((away / 0.3) ** 2)), np.float32)


def _mesh(mm: Floats, where: Regions, who: Attributes, pixel: float, rng: np.random.Generator) -> Floats:
    """The net of fine lines between pores; with age a wider and deeper one joins in."""
    warped = mm + 0.5 * clouds(mm, 2.0, int(rng.integers(1 << 30)))[:, None]
    first, second, _ = cells(warped.astype(np.float32), max(MESH_SPACING, FINEST * pixel), int(rng.integers(1 << 30)))
    depth = np.float32(MESH_DEPTH * (0.55 + 0.3 * who.grown + 0.9 * who.aged))
    raised = -depth * np.exp(-(((second - first) / 0.16) ** 2))
    if who.aged > 0.35:
        first, second, _ = cells(warped.astype(np.float32), 3.1, int(rng.integers(1 << 30)))
        loose = where.blobs["cheek_low"] + 0.6 * where.blobs["cheek"] + (where.lips > 20) * 0.35
        raised -= np.float32(0.10 * (who.aged - 0.35)) * loose * np.exp(-(((second - first) / 0.14) ** 2))
    return np.asarray(raised * smoothstep(-0.5, 1.5, where.lips), np.float32)


def _lip_creases(raised: Floats, mm: Floats, where: Regions, who: Attributes, rng: np.random.Generator) -> None:
    near = np.flatnonzero(where.lips < 1.5)
    along = (mm[near] * np.array([1, 0.13, 0.13])).astype(np.float32)
    along[:, 0] += 0.10 * mm[near, 0] * np.sign(where.parting[near]) * np.abs(where.parting[near]) / 6
    folds = np.abs(clouds(along, 1.7, int(rng.integers(1 << 30)), 2, 0.6))
    depth = np.float32(0.10 + 0.07 * who.aged) * smoothstep(1.0, -1.0, where.lips[near])
    raised[near] -= depth * smoothstep(0.22, 0.0, folds)


def _wrinkles(mm: Floats, size: int, who: Attributes, traits: Traits, rng: np.random.Generator) -> Floats:
    """(N,) millimetres, negative in the fold: every line of the table on both sides, wandering a little."""
    raised = np.zeros(len(mm), np.float32)
    bend, sway, gap = (int(s) for s in rng.integers(1 << 30, size=3))
    for line, side, rows in lines_with_texels(size):
        came = float(np.clip((who.age - line.start) / (line.full - line.start), 0, 1)) ** 1.15
        strength = line.depth * traits.lines * (line.child + (1 - line.child) * came) * rng.uniform(0.55, 1.25)
        width = line.width * rng.uniform(0.85, 1.2)
        shifts = _satellites(rng, came)
        if strength < FAINTEST or not len(rows):
            continue
        local, points, found = mm[rows], line.points * [side, 1, 1], np.zeros(len(rows), np.float32)
        broken = clouds(local, 9.0, gap, 2)
        wander = np.stack([1.5 * clouds(local, 15.0, bend), 1.8 * clouds(local, 15.0, sway)], 1)
        local[:, :2] += wander
        _carve(found, local, points, strength, width, broken)
        for shift in shifts:
            _carve(found, local, points + shift, 0.4 * strength, 0.7 * width, -broken)
        raised[rows] += found
    return raised


def _satellites(rng: np.random.Generator, came: float) -> NDArray[np.float64]:
    """(M, 3) millimetres: where fainter lines gather beside one that has come this far, 0–1."""
    angle, away = (
        rng.uniform(0, 2 * np.pi, SATELLITES + 1),
        rng.uniform(1.6, FURTHEST_SATELLITE, SATELLITES + 1),
    )
    count = int(SATELLITES * came + rng.random())
    return np.stack([away * np.cos(angle), away * np.sin(angle), 0 * away], 1)[:count]


@numba.njit(cache=True)
def _carve(
    raised: Floats, local: Floats, points: NDArray[np.float64], strength: float, width: float, broken: Floats
) -> None:
    """Presses one line into the height, in place: a fold with soft shoulders that fades at its ends."""
    away, along = along_line(local, points, WRINKLE_REACH * width)
    starts_middle = abs(points[0, 0]) < 0.5
    for n in range(len(raised)):
        if away[n] < WRINKLE_REACH * width:
            fade = min(1.0, 4 * (1 - along[n])) * (1.0 if starts_middle else min(1.0, 4 * along[n]))
            fade *= min(1.3, max(0.25, 0.9 + 0.9 * broken[n]))
            x = away[n] / width
            raised[n] += strength * fade * (0.14 * np.exp(-((x - 1.7) ** 2) * 1.2) - np.exp(-1.7 * x * np.sqrt(x)))


class Line:
    """One line of the wrinkle table, lifted onto the head: points (M, 3) in millimetres."""

    def __init__(self, row: dict[str, object], skin: Floats) -> None:
        flat = np.array(row["points"], float)
        finer = np.linspace(0, len(flat) - 1, 3 * (len(flat) - 1) + 1)
        flat = np.stack([np.interp(finer, np.arange(len(flat)), flat[:, k]) for k in range(2)], 1)
        depth = [_front_depth(skin, x, y) for x, y in flat]
        self.points = np.column_stack([flat, depth])
        self.depth, self.width = float(str(row["depth"])), float(str(row["width"]))
        self.start, self.full = float(str(row["from"])), float(str(row["full"]))
        self.child = float(str(row["child"]))


def _front_depth(skin: Floats, x: float, y: float) -> float:
    """z of the skin in the front view, from the points nearest to (x, y)."""
    away = (skin[:, 0] - x) ** 2 + (skin[:, 1] - y) ** 2 + 0.25
    best = np.argsort(away)[:4]
    return float((skin[best, 2] / away[best]).sum() / (1 / away[best]).sum())


@lru_cache
def wrinkle_lines() -> tuple[Line, ...]:
    mesh = skin_mesh()
    points = mesh.points[np.unique(mesh.quads[mesh.inside == SKIN])] * 1000
    front = points[points[:, 2] > 30]
    return tuple(Line(row, front) for row in table("wrinkles")["lines"])


@lru_cache(2)
def lines_with_texels(size: int) -> tuple[tuple[Line, float, Ints], ...]:
    """Each line, its side (1 left, −1 right) and the rows of the atlas' texels that it may touch."""
    at, found = atlas(size), []
    mm = at.position * np.float32(1000)
    for line in wrinkle_lines():
        reach = 1.25 * WRINKLE_REACH * line.width + FURTHEST_SATELLITE + WANDER
        for side in (1.0, -1.0):
            away, _ = along_line(mm, line.points * [side, 1, 1], reach)
            rows = np.flatnonzero(np.isfinite(away) & (at.inside == SKIN)).astype(np.int32)
            found.append((line, side, rows))
    return tuple(found)


def normal_map(at: Atlas, raised: Floats) -> NDArray[np.uint8]:
    """(size, size, 3) tangent-space normals of a height (N,) in millimetres.

    OpenGL: green is +v, up in the image.
    """
    return normals_from(at.image(raised), at.image(at.scale))


@numba.njit(cache=True, nogil=True)
def normals_from(raised: Floats, scale: Floats) -> NDArray[np.uint8]:
    """(size, size, 3) tangent-space normals of heights (size, size) in millimetres; scale (size, size, 2) metres."""
    size = len(raised)
    normals = np.empty((size, size, 3), np.uint8)
    for y in range(size):
        up, down = max(y - 1, 0), min(y + 1, size - 1)
        for x in range(size):
            left, right = max(x - 1, 0), min(x + 1, size - 1)
            du = (raised[y, right] - raised[y, left]) / ((right - left) * 1000 * scale[y, x, 0])
            dv = (raised[up, x] - raised[down, x]) / ((down - up) * 1000 * scale[y, x, 1])
            steep = np.sqrt(du * du + dv * dv)
            if steep > STEEPEST:
                du, dv = du * STEEPEST / steep, dv * STEEPEST / steep
            length = np.sqrt(1 + du * du + dv * dv)
            normals[y, x, 0] = int(127.5 - 127.5 * du / length + 0.5)
            normals[y, x, 1] = int(127.5 - 127.5 * dv / length + 0.5)
            normals[y, x, 2] = int(127.5 + 127.5 / length + 0.5)
    return normals


def roughness(at: Atlas, where: Regions, who: Attributes, traits: Traits, creased: Floats, seed: int) -> Floats:
    """(N,) perceptual roughness, 0–1 (its square is the width of the GGX lobe)."""
    b, mm = where.blobs, at.position * np.float32(1000)
    uneven = clouds(mm, 4.0, int(np.random.default_rng([seed, 4]).integers(1 << 30)), 3, 0.8)
    shiny = b["nose_tip"] + 0.7 * b["nose_bridge"] + 0.7 * b["forehead"] + 0.5 * b["chin"] + 0.4 * b["nose_wing"]
    rough = 0.56 + 0.05 * who.aged - np.float32(0.17 * traits.oil) * np.minimum(shiny, 1) + 0.06 * uneven
    rough += 0.08 * creased + 0.05 * np.float32(traits.beard) * where.beard
    rough = np.where(where.lips < 0, 0.42 + 0.08 * uneven, rough)
    wet = np.exp(-((np.maximum(where.eye, 0) / 0.7) ** 2))
    rough -= 0.2 * wet
    rough = np.where(where.inside_mouth > 0, 0.28, np.where(where.socket > 0, 0.3, rough))
    return np.asarray(np.clip(rough, 0.2, 0.85), np.float32)

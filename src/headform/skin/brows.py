"""Eyebrows, drawn hair by hair into the atlas along the flow of a real brow."""

from __future__ import annotations

from functools import lru_cache

import numba
import numpy as np
from numpy.typing import NDArray

from headform.skin.albedo import linear_from_srgb
from headform.skin.atlas import SKIN, Floats, rasterise, skin_mesh
from headform.skin.regions import table
from headform.skin.traits import WHITE_HAIR, Attributes, Traits

CHART_LEFT, CHART_TOP = -70.0, 76.0  # millimetres of the front view that the chart covers …
CHART_WIDTH, CHART_HEIGHT = 140.0, 48.0
CHART_STEP = 0.25  # … and how finely
HAIRS = 560  # per brow of weight 1
JOINTS = 6  # points along one hair
HAIR_WIDTH = 0.135  # millimetres; two or three real hairs that stick together
HALF_THICKNESS = 3.7  # millimetres at the thickest place of a brow of weight 1


def draw_brows(size: int, who: Attributes, traits: Traits, seed: int) -> tuple[Floats, Floats]:
    """(size, size) coverage and (size, size, 3) linear colour of the hairs of both brows."""
    rng = np.random.default_rng([seed, 5])
    hairs, widths, colours, strengths = [], [], [], []
    for side in (1.0, -1.0):
        for stain in (True, False):
            line, width, strength = _one_brow(rng, who, traits, stain)
            hairs.append(line * [side, 1])
            widths.append(width)
            strengths.append(strength)
            colours.append(_hair_colours(rng, traits, len(line)))
    pixels, pitch = _to_pixels(np.concatenate(hairs), size)
    cover = np.zeros((size, size), np.float32)
    colour = np.zeros((size, size, 3), np.float32)
    _draw(
        pixels,
        np.concatenate(widths) * pitch,
        np.concatenate(strengths),
        np.concatenate(colours),
        cover,
        colour,
    )
    return cover, colour


def _one_brow(
    rng: np.random.Generator, who: Attributes, traits: Traits, stain: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Hairs (M, JOINTS, 2) of the left brow in the front view, widths (M, JOINTS), strengths (M,), in mm.

    `stain` asks for the few broad, faint strokes below the hairs: roots and shadow.
    """
    weight = traits.brow_weight * (0.72 + 0.28 * who.grown) * (1 - 0.12 * (1 - who.sex) * who.aged)
    count = int(HAIRS * weight) if not stain else 70
    along = rng.beta(1.25, 1.25, count)
    across = np.clip(rng.normal(0, 0.5, count), -1, 1)
    tangent, root = _centre(along, traits)
    half = HALF_THICKNESS * weight * _profile(along)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1)
    root = root + (across * half)[:, None] * normal + rng.normal(0, 0.35, (count, 2))
    upright = np.radians(58 * np.clip(1 - along / 0.28, 0, 1) ** 1.2 + 16 * np.clip(1 - along, 0, 1))
    turn = upright * (1 - 0.5 * np.clip(across, 0, 1)) - np.radians(24) * across * np.clip(along * 3, 0, 1)
    turn += np.radians(rng.normal(0, 7 + 5 * who.aged, count))
    length = (6.4 - 2.2 * along) * (0.85 + 0.15 * weight) * rng.uniform(0.65, 1.15, count)
    length *= 0.8 + 0.2 * who.grown + 0.25 * who.aged * who.sex * rng.random(count)
    curl = np.radians(rng.normal(-22, 9, count)) * np.where(across > 0.1, 1.1, 0.7)
    t = np.linspace(0, 1, JOINTS)
    if stain:
        length *= 0.8
    angle = np.arctan2(tangent[:, 1], tangent[:, 0])[:, None] + turn[:, None] + curl[:, None] * t
    step = (length / (JOINTS - 1))[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], -1)
    line = root[:, None] + np.concatenate([np.zeros((count, 1, 2)), np.cumsum(step[:, :-1], 1)], 1)
    if stain:
        return (
            line,
            np.full((count, JOINTS), 2.4) * (half / half.max())[:, None],
            np.full(count, 0.05 * weight * (1 - max(max(traits.hair) / 255, traits.grey))),
        )
    thin = HAIR_WIDTH * (0.7 + 0.3 * who.grown) * rng.uniform(0.7, 1.2, count)
    return line, thin[:, None] * (1 - 0.75 * t**1.5), rng.uniform(0.65, 1.0, count)


def _centre(along: NDArray[np.float64], traits: Traits) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Unit tangents and points (M, 2) of the brow's middle line at `along` 0 (nose) – 1 (temple)."""
    knots = np.array(table()["brow"])
    arch = np.sin(np.pi * np.clip(np.linspace(0, 1, len(knots)) * 0.78 / 0.62, 0, 1) ** 1.4)
    knots = knots + np.stack([np.zeros(len(knots)), traits.brow_lift + traits.brow_arch * arch], 1)
    finer = np.linspace(0, len(knots) - 1, 41)
    curve = np.stack([np.interp(finer, np.arange(len(knots)), knots[:, k]) for k in range(2)], 1)
    for _ in range(8):
        curve[1:-1] = (curve[:-2] + 2 * curve[1:-1] + curve[2:]) / 4
    slope = np.gradient(curve, axis=0)
    at = along * 40
    points = np.stack([np.interp(at, np.arange(41), curve[:, k]) for k in range(2)], 1)
    tangent = np.stack([np.interp(at, np.arange(41), slope[:, k]) for k in range(2)], 1)
    return tangent / np.linalg.norm(tangent, axis=1, keepdims=True), points


def _profile(along: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half thickness along the brow, 0–1: blunt at the nose, fullest at a third, a fine tail."""
    return np.interp(along, [0, 0.1, 0.3, 0.6, 0.85, 1], [0.5, 0.85, 1.0, 0.85, 0.5, 0.25])


def _hair_colours(rng: np.random.Generator, traits: Traits, count: int) -> Floats:
    """(count, 3) linear colours around the person's hair colour, some of them white."""
    own = linear_from_srgb(np.array(traits.hair)) * 0.9
    white = (rng.random(count) < traits.grey)[:, None]
    colours = np.where(white, linear_from_srgb(np.array(WHITE_HAIR)) * 0.85, own)
    return np.asarray(colours * np.exp(rng.normal(0, 0.22, (count, 1))), np.float32)


@lru_cache(2)
def _chart() -> Floats:
    """(rows, columns, 2) texture coordinates of the front view around the brows; NaN off the skin."""
    mesh = skin_mesh()
    corner = mesh.points[mesh.triangles] * 1000
    facing = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])[:, 2] > 0
    kept = np.flatnonzero(facing & (np.repeat(mesh.inside, 2) == SKIN) & (corner[..., 2].min(1) > 0))
    kept = kept[np.argsort(corner[kept, :, 2].mean(1), kind="stable")]
    seen = (corner[kept, :, :2] - [CHART_LEFT, CHART_TOP]) * [1 / CHART_STEP, -1 / CHART_STEP]
    which, shares = rasterise(seen.astype(np.float64), int(CHART_WIDTH / CHART_STEP), int(CHART_HEIGHT / CHART_STEP))
    uv = (mesh.triangles_uv[kept[which]] * shares[..., None]).sum(-2)
    uv[which < 0] = np.nan
    return np.asarray(uv, np.float32)


def _to_pixels(line: NDArray[np.float64], size: int) -> tuple[NDArray[np.float64], float]:
    """Front-view points (M, J, 2) in the atlas, in pixels, and the pixels that one millimetre takes."""
    chart = _chart()
    x = np.clip((line[..., 0] - CHART_LEFT) / CHART_STEP, 0, chart.shape[1] - 1.001)
    y = np.clip((CHART_TOP - line[..., 1]) / CHART_STEP, 0, chart.shape[0] - 1.001)
    i, j = x.astype(int), y.astype(int)
    a, b = (x - i)[..., None], (y - j)[..., None]
    top = chart[j, i] * (1 - a) + chart[j, i + 1] * a
    uv = top * (1 - b) + (chart[j + 1, i] * (1 - a) + chart[j + 1, i + 1] * a) * b
    pixels = np.stack([uv[..., 0] * size - 0.5, (1 - uv[..., 1]) * size - 0.5], -1)
    there = np.linalg.norm(np.diff(line, axis=1), axis=-1).sum()
    here = np.linalg.norm(np.diff(pixels, axis=1), axis=-1)
    return pixels, float(np.nansum(here) / max(there, 1e-9))


@numba.njit(cache=True)
def _draw(
    lines: NDArray[np.float64],
    widths: NDArray[np.float64],
    strengths: NDArray[np.float64],
    tints: Floats,
    cover: Floats,
    colour: Floats,
) -> None:
    """Composites lines (M, J, 2), widths (M, J), all in pixels, over `cover` and `colour`, in place."""
    size = len(cover)
    for m in range(len(lines)):
        if np.isnan(lines[m]).any():
            continue
        reach = widths[m].max() / 2 + 1
        x0, x1 = lines[m, :, 0].min() - reach, lines[m, :, 0].max() + reach
        y0, y1 = lines[m, :, 1].min() - reach, lines[m, :, 1].max() + reach
        for y in range(max(0, int(y0)), min(size - 1, int(y1) + 1) + 1):
            for x in range(max(0, int(x0)), min(size - 1, int(x1) + 1) + 1):
                best = 0.0
                for j in range(lines.shape[1] - 1):
                    ax, ay = lines[m, j, 0], lines[m, j, 1]
                    ex, ey = lines[m, j + 1, 0] - ax, lines[m, j + 1, 1] - ay
                    t = ((x - ax) * ex + (y - ay) * ey) / max(ex * ex + ey * ey, 1e-9)
                    t = min(1.0, max(0.0, t))
                    away = np.sqrt((x - ax - t * ex) ** 2 + (y - ay - t * ey) ** 2)
                    width = widths[m, j] * (1 - t) + widths[m, j + 1] * t
                    soft = max(1.0, width * 0.5)
                    covered = min(1.0, max(0.0, (max(width, 1.0) / 2 + soft / 2 - away) / soft)) * min(width, 1.0)
                    best = max(best, covered)
                best *= strengths[m]
                if best > 0:
                    cover[y, x] += (1 - cover[y, x]) * best
                    for c in range(3):
                        colour[y, x, c] += (tints[m, c] - colour[y, x, c]) * (best / cover[y, x])

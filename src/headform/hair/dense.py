"""Thousands of strands grown between the guides: locks, curls, frizz, and ends that are not cut with a ruler."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.hair import scalp as chart
from headform.hair.collider import distance, push_out
from headform.hair.groom import GRID, KNOTS, Groom, width_of
from headform.hair.grow import Wearer, guides_of, parted_side, places_of, unit
from headform.hair.locks import styled
from headform.hair.pull import BEHIND_EAR
from headform.hair.style import Style

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Sides = NDArray[np.int8]

MOST_KNOTS, FEWEST_KNOTS = 100, 8
STEP = 0.012  # metres between knots of straight hair
TURN = 9.0  # knots for each turn of a curl
SKIN_GAP = 0.0006  # metres above the skin that every point keeps
SOFT_EDGE, THIN_EDGE = 0.94, 0.85  # of the way to the hairline: from there up to this share of the hair is missing
APART_MIDDLE, APART_TIP, MOST_APART = 0.45, 0.35, 0.06  # guides that differ by this share of their length, or by
# so many metres, are not blended
THINNED = 0.15, 0.75  # share of guides around a place that must grow, and how much that varies from hair to hair
EVENNESS = 0.7  # 1 is even; hair is a little denser at the forehead, where it is seen against skin
SEEN_THROUGH, FAINTEST = (
    0.005,
    0.1,
)  # metres: shaved shorter than that, beside longer hair, one sees less and less of it
GOLDEN = 0.7548776662, 0.5698402910  # Roberts's sequence in two dimensions: which cells of a grid are left out, evenly
STRAND_TONES = 0.10  # spread of brightness from strand to strand


def groom_of(style: Style, wearer: Wearer, seed: int = 0, count: int | None = None) -> Groom:
    """A style as strands on a head; `count` strands, or as many as the style asks for."""
    return dense(guides_of(style, wearer, seed), style, wearer, seed, count)


def dense(guides: Floats, style: Style, wearer: Wearer, seed: int = 0, count: int | None = None) -> Groom:
    """Strands between guides (32, 32, 100, 4), with the locks, curls and ends of a style."""
    random = np.random.default_rng(seed + 1)
    about = {"name": style.name, "title": style.title, "tags": list(style.tags), "seed": seed, "licence": style.licence}
    places = roots_for(guides, count or style.count, random, style.density)
    roots = wearer.scalp.roots(places)
    if not len(places):
        return Groom(np.zeros((0, 2, 3), np.float32), style.colour, roots=roots, guides=guides, about=about)
    sides = None
    if style.part is not None and not style.ties:
        of_guides, of_strands = (
            parted_side(style, places_of(wearer.scalp, at)) for at in (chart.grid_places(), places)
        )
        sides = of_guides.reshape(GRID, GRID), of_strands
    paths = between(guides, places, sides)
    lengths = np.linalg.norm(np.diff(paths[:, ::11], axis=1), axis=2).sum(1)
    knots = knots_for(style, lengths)
    root = np.asarray(roots.points(wearer.vertices), np.float64)
    normal = unit(roots.points(wearer.normals))
    ends = 1 - style.ragged * random.random(len(places)) ** 2
    ends -= 0.5 * (random.random(len(places)) < 0.08 * min(style.ragged / 0.12, 1)) * random.random(len(places))
    points = styled(paths, root, normal, places, lengths, ends, knots, style, wearer, random)
    points = outside(points, wearer)
    colours = toned(style.colour, len(points), random)
    return Groom(points, colours, width_of(count or style.count), roots, guides, about)


def outside(points: Floats, wearer: Wearer) -> Floats:
    """Strands that are out of the head; those that grow behind an ear out of it without ears."""
    bare, whole = wearer.collider
    behind = distance(whole, points[:, 0]) < -BEHIND_EAR
    out = np.empty_like(points)
    out[behind] = push_out(bare, points[behind], SKIN_GAP)
    out[~behind] = push_out(whole, points[~behind], SKIN_GAP)
    return out


def toned(colour: Any, count: int, random: np.random.Generator) -> Floats:
    """(count, 3) a colour, a little lighter or darker from strand to strand."""
    tone = np.exp(STRAND_TONES * random.normal(size=(count, 1)))
    return np.asarray(np.clip(np.asarray(colour) * tone, 0, 1), np.float32)


def roots_for(guides: Floats, count: int, random: np.random.Generator, density: float = 1.0) -> Doubles:
    """(N, 2) places where hair grows: evenly on the scalp with a little disorder, fewer at the hairline, none where no
    guide grows."""
    room, most, mean = _room()
    side = int(np.ceil(np.sqrt(count * density * most / mean)))
    v, u = np.divmod(np.arange(side * side), side)
    places = (np.column_stack([u, v]) + random.random((side * side, 2))) / side
    kept = _bilinear(room, places) > most * np.mod(u * GOLDEN[0] + v * GOLDEN[1], 1)
    reach, _ = chart.reach_of(places)
    edge = np.clip((reach - SOFT_EDGE) / (1 - SOFT_EDGE), 0, 1)
    kept &= random.random(len(places)) > THIN_EDGE * edge * edge * (3 - 2 * edge)
    grows = np.isfinite(guides[:, :, 0, 0]).astype(np.float64)
    kept &= _bilinear(grows, places) > 0
    kept &= _bilinear(_softened(_softened(grows)), places) > THINNED[0] + THINNED[1] * random.random(len(places))
    length = np.linalg.norm(np.diff(np.nan_to_num(guides[:, :, ::9, :3]), axis=2), axis=3).sum(2)
    usual = float(np.percentile(length, 90))
    full = np.clip(_bilinear(length, places) / max(min(SEEN_THROUGH, 0.6 * usual), 1e-6), FAINTEST, 1)
    kept &= random.random(len(places)) < full
    return places[kept]


@lru_cache(maxsize=1)
def _room() -> tuple[Doubles, float, float]:
    """(32, 32) how much scalp there is under each cell of the square, the most and the mean of it."""
    room = chart.spread_of(chart.grid_places()).reshape(GRID, GRID) ** EVENNESS
    return room, float(room.max()), float(room.mean())


def _softened(grid: Doubles) -> Doubles:
    """Each cell and its neighbours, a quarter on each side: borders that do not follow the grid."""
    for axis in (0, 1):
        padded = np.pad(np.moveaxis(grid, axis, 0), ((1, 1), (0, 0)), mode="edge")
        grid = np.moveaxis(0.5 * padded[1:-1] + 0.25 * (padded[:-2] + padded[2:]), 0, axis)
    return grid


def _bilinear(grid: Doubles, places: Doubles) -> Doubles:
    at = np.clip(places * GRID - 0.5, 0, GRID - 1.001)
    column, row = at.astype(int).T
    fx, fy = (at - at.astype(int)).T
    low = grid[row, column] * (1 - fx) + grid[row, column + 1] * fx
    high = grid[row + 1, column] * (1 - fx) + grid[row + 1, column + 1] * fx
    return np.asarray(low * (1 - fy) + high * fy)


def between(guides: Floats, places: Doubles, sides: tuple[Sides, Sides] | None = None) -> Floats:
    """(N, 100, 4) the path and curliness of hair at each place, from the guides around it that agree.

    sides  of a parting, of the guides (32, 32) and the places (N,): hair does not follow guides of the other side
    """
    out = np.empty((len(places), KNOTS, 4), np.float32)
    of_guides, of_places = sides or (np.zeros((GRID, GRID), np.int8), np.zeros(len(places), np.int8))
    _between(guides, places, of_guides, of_places, out)
    return out


def knots_for(style: Style, lengths: Floats) -> int:
    """How many points the strands of a style need."""
    long = float(np.percentile(lengths, 95))
    need = long / STEP
    if style.curl[0] > 0:
        need = max(need, TURN * long / style.curl[1])
    if style.pattern != "free":
        need = max(need, 60)
    return int(np.clip(need, FEWEST_KNOTS, MOST_KNOTS))


@njit(cache=True, error_model="numpy", nogil=True)
def _between(guides: Any, places: Any, of_guides: Any, of_places: Any, out: Any) -> None:
    size, knots = guides.shape[0], guides.shape[2]
    weight = np.empty(4)
    for n in range(len(places)):
        x = min(max(places[n, 0] * size - 0.5, 0.0), size - 1.001)
        y = min(max(places[n, 1] * size - 0.5, 0.0), size - 1.001)
        i, j = int(x), int(y)
        fx, fy = x - i, y - j
        best, most = -1, -1.0
        for corner in range(4):
            a, b = i + (corner & 1), j + (corner >> 1)
            weight[corner] = (fx if corner & 1 else 1 - fx) * (fy if corner >> 1 else 1 - fy) + 1e-6
            if np.isnan(guides[b, a, 0, 0]) or of_guides[b, a] * of_places[n] < 0:
                weight[corner] = 0.0
            if weight[corner] > most:
                most, best = weight[corner], corner
        if most <= 0:
            a, b = _nearest_guide(guides, x, y, of_guides, of_places[n])
            if a >= 0:
                out[n] = guides[b, a]
            else:
                out[n] = 0.0
            continue
        a, b = i + (best & 1), j + (best >> 1)
        total = 0.0
        for corner in range(4):
            c, d = i + (corner & 1), j + (corner >> 1)
            if weight[corner] > 0 and corner != best:
                apart = 0.0
                for k, share in ((40, APART_MIDDLE), (knots - 1, APART_TIP)):
                    gap, size_of = 0.0, 0.0
                    for axis in range(3):
                        gap += (guides[d, c, k, axis] - guides[b, a, k, axis]) ** 2
                        size_of += guides[b, a, k, axis] ** 2
                    apart = max(apart, np.sqrt(gap) / (min(share * np.sqrt(size_of), MOST_APART) + 0.004))
                if apart > 1:
                    weight[corner] = 0.0
            total += weight[corner]
        for k in range(knots):
            for channel in range(4):
                value = 0.0
                for corner in range(4):
                    if weight[corner] > 0:
                        value += weight[corner] * guides[j + (corner >> 1), i + (corner & 1), k, channel]
                out[n, k, channel] = value / total


@njit(cache=True, error_model="numpy", nogil=True)
def _nearest_guide(guides: Any, x: float, y: float, of_guides: Any, side: int) -> Any:
    """Column and row of the nearest guide on this side of the parting, a little further off; −1 if there is none."""
    size = guides.shape[0]
    best, column, row = np.inf, -1, -1
    for b in range(max(int(y) - 1, 0), min(int(y) + 3, size)):
        for a in range(max(int(x) - 1, 0), min(int(x) + 3, size)):
            far = (a - x) ** 2 + (b - y) ** 2
            if far < best and not np.isnan(guides[b, a, 0, 0]) and of_guides[b, a] * side >= 0:
                best, column, row = far, a, b
    return column, row

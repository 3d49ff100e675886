"""Thousands of strands grown between the guides: locks, curls, frizz, and ends that are not cut with a ruler."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.hair import scalp as chart
from headform.hair.collider import push_out
from headform.hair.groom import GRID, KNOTS, Groom, width_of
from headform.hair.grow import Wearer, guides_of, unit, wave
from headform.hair.style import Style

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

MOST_KNOTS, FEWEST_KNOTS = 100, 8
STEP = 0.009  # metres between knots of straight hair
TURN = 9.0  # knots for each turn of a curl
SKIN_GAP = 0.0006  # metres above the skin that every point keeps
SOFT_EDGE, THIN_EDGE = 0.94, 0.85  # of the way to the hairline: from there up to this share of the hair is missing
APART_MIDDLE, APART_TIP = 0.45, 0.35  # guides that differ by this share of their length are not blended
LOCK_APART = 0.5  # the same for strands and the middle of their lock
STRAND_TONES = 0.10  # spread of brightness from strand to strand
STAND_OFF = 2.5  # times the frizz of others


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
    paths = between(guides, places)
    lengths = np.linalg.norm(np.diff(paths[:, ::11], axis=1), axis=2).sum(1)
    knots = knots_for(style, lengths)
    root = np.asarray(roots.points(wearer.vertices), np.float64)
    normal = unit(roots.points(wearer.normals))
    ends = 1 - style.ragged * random.random(len(places)) ** 2
    ends -= 0.5 * (random.random(len(places)) < 0.08 * min(style.ragged / 0.12, 1)) * random.random(len(places))
    points = styled(paths, root, normal, places, lengths, ends, knots, style, random)
    points = push_out(wearer.collider.bare, points, SKIN_GAP)
    colours = toned(style.colour, len(points), random)
    return Groom(points, colours, width_of(count or style.count), roots, guides, about)


def toned(colour: Any, count: int, random: np.random.Generator) -> Floats:
    """(count, 3) a colour, a little lighter or darker from strand to strand."""
    tone = np.exp(STRAND_TONES * random.normal(size=(count, 1)))
    return np.asarray(np.clip(np.asarray(colour) * tone, 0, 1), np.float32)


def roots_for(guides: Floats, count: int, random: np.random.Generator, density: float = 1.0) -> Doubles:
    """(N, 2) places where hair grows: evenly with a little disorder, fewer at the hairline, none where no guide grows."""
    side = int(np.ceil(np.sqrt(count * density * 4 / np.pi)))
    v, u = np.divmod(np.arange(side * side), side)
    places = (np.column_stack([u, v]) + random.random((side * side, 2))) / side
    reach, _ = chart.reach_of(places)
    edge = np.clip((reach - SOFT_EDGE) / (1 - SOFT_EDGE), 0, 1)
    kept = (reach < 1) & (random.random(len(places)) > THIN_EDGE * edge * edge * (3 - 2 * edge))
    grows = np.isfinite(guides[:, :, 0, 0]).astype(np.float64)
    share = _bilinear(grows, places)
    kept &= share > 0.35 + 0.3 * random.random(len(places))
    return places[kept]


def _bilinear(grid: Doubles, places: Doubles) -> Doubles:
    at = np.clip(places * GRID - 0.5, 0, GRID - 1.001)
    column, row = at.astype(int).T
    fx, fy = (at - at.astype(int)).T
    low = grid[row, column] * (1 - fx) + grid[row, column + 1] * fx
    high = grid[row + 1, column] * (1 - fx) + grid[row + 1, column + 1] * fx
    return np.asarray(low * (1 - fy) + high * fy)


def between(guides: Floats, places: Doubles) -> Floats:
    """(N, 100, 4) the path and curliness of hair at each place, from the guides around it that agree."""
    out = np.empty((len(places), KNOTS, 4), np.float32)
    _between(guides, places, out)
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


def styled(
    paths: Floats,
    root: Doubles,
    normal: Doubles,
    places: Doubles,
    lengths: Floats,
    ends: Doubles,
    knots: int,
    style: Style,
    random: np.random.Generator,
) -> Floats:
    """(N, knots, 3) strands in locks, curled, frizzed and cut."""
    count = len(paths)
    lock, middle = locks_of(style, places, random)
    # what the hair of a lock shares: the phase and the width of its curls
    phase = 2.5 * wave(places, random, 6)[:, 0] + 2 * np.pi * (0.25 + 0.75 * style.coil) * random.random(count)[lock]
    phase += random.normal(0, 0.15, count)
    turn = style.curl[1] * np.clip(1 + 0.25 * random.normal(size=count)[lock], 0.5, 1.6)
    wide = style.curl[0] * np.clip(1 + 0.3 * random.normal(size=count)[lock], 0.3, 1.8)
    hold = style.locks[1] * (0.6 + 0.4 * random.random(count))
    off = np.column_stack([random.random(count) ** 0.5, 2 * np.pi * random.random(count)])
    off[middle] = 0
    kinks = random.normal(size=(count, 9, 3))
    stray = np.where(random.random(count) < style.flyaway, 1 + STAND_OFF, 1.0) * style.frizz
    pattern = ("free", "rope", "braid").index(style.pattern)
    tie = np.array([t.at for t in style.ties if t.kind == "braid"] or [(0, 99, 0)], np.float64)
    if style.ties and any(t.kind == "braid" for t in style.ties):
        pattern = 3
    out = np.empty((count, knots, 3), np.float32)
    _style(
        paths, root, normal, lengths, ends, lock, phase, turn, wide, hold, off, kinks, stray,
        (style.curl[2], style.coil, style.locks[2], style.thick, pattern), tie, out,
    )  # fmt: skip
    return out


def locks_of(style: Style, places: Doubles, random: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(N,) the strand in the middle of each strand's lock, and which strands are such middles."""
    count = len(places)
    if style.rows:
        return _rows(style, places, random)
    middle = random.choice(count, min(max(style.locks[0], 1), count), replace=False)
    return middle[_nearest(places, places[middle])], middle


def _rows(style: Style, places: Doubles, random: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The middles lie on lines from front to back: in each row a strand follows the nearest one of its line."""
    line = (np.floor(places[:, 0] * style.rows) + 0.5) / style.rows
    aim = np.column_stack([line, places[:, 1]])
    order = random.permutation(len(places))
    beside = np.abs(places[order, 0] - line[order]) * style.rows
    middle = order[beside < 0.08]
    return middle[_nearest(aim * [4, 1], places[middle] * [4, 1])], middle


def _nearest(points: Doubles, others: Doubles) -> NDArray[np.int64]:
    """(N,) which of `others` (M, 2) is nearest to each point (N, 2)."""
    side = max(int(np.sqrt(len(others) / 2)), 1)
    low = np.minimum(points.min(0), others.min(0))
    span = np.maximum(np.maximum(points.max(0), others.max(0)) - low, 1e-9)
    cell = np.minimum(((others - low) / span * side).astype(np.int64), side - 1)
    order = np.argsort(cell[:, 1] * side + cell[:, 0], kind="stable")
    starts = np.searchsorted((cell[:, 1] * side + cell[:, 0])[order], np.arange(side * side + 1))
    out = np.empty(len(points), np.int64)
    _nearest_in_cells(points, others, order, starts, low, span, side, out)
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def _nearest_in_cells(
    points: Any, others: Any, order: Any, starts: Any, low: Any, span: Any, side: int, out: Any
) -> None:  # fmt: skip
    for n in range(len(points)):
        i = min(max(int((points[n, 0] - low[0]) / span[0] * side), 0), side - 1)
        j = min(max(int((points[n, 1] - low[1]) / span[1] * side), 0), side - 1)
        best, found, ring = np.inf, -1, 0
        while ring <= side:
            for jj in range(max(j - ring, 0), min(j + ring, side - 1) + 1):
                for ii in range(max(i - ring, 0), min(i + ring, side - 1) + 1):
                    if max(abs(ii - i), abs(jj - j)) != ring:
                        continue
                    for at in range(starts[jj * side + ii], starts[jj * side + ii + 1]):
                        m = order[at]
                        far = (points[n, 0] - others[m, 0]) ** 2 + (points[n, 1] - others[m, 1]) ** 2
                        if far < best:
                            best, found = far, m
            if found >= 0 and best <= (ring * min(span[0], span[1]) / side) ** 2:
                break
            ring += 1
        out[n] = found


@njit(cache=True, error_model="numpy", nogil=True)
def _between(guides: Any, places: Any, out: Any) -> None:
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
            if np.isnan(guides[b, a, 0, 0]):
                weight[corner] = 0.0
            if weight[corner] > most:
                most, best = weight[corner], corner
        if most <= 0:
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
                    apart = max(apart, np.sqrt(gap) / (share * np.sqrt(size_of) + 0.004))
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


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _at(path: Any, place: float, axis: int) -> float:
    """A path at a share 0–1 of its length."""
    x = min(max(place, 0.0), 1.0) * (path.shape[0] - 1)
    i = min(int(x), path.shape[0] - 2)
    return float(path[i, axis] + (x - i) * (path[i + 1, axis] - path[i, axis]))


@njit(cache=True, error_model="numpy", nogil=True)
def _style(
    paths: Any,
    root: Any,
    normal: Any,
    lengths: Any,
    ends: Any,
    lock: Any,
    phase: Any,
    turn: Any,
    wide: Any,
    hold: Any,
    off: Any,
    kinks: Any,
    stray: Any,
    manner: Any,
    tie: Any,
    out: Any,
) -> None:
    begin, coil, power, thick, pattern = manner
    knots = out.shape[1]
    base = np.empty((knots, 3))
    for n in range(len(paths)):
        m = lock[n]
        mine, long = lengths[n] * ends[n], max(lengths[m] * ends[n], 1e-4)
        # strands at the border of two locks that part from the lock's middle go their own way
        gap, size = 0.0, 0.0
        for axis in range(3):
            gap += (paths[m, 99, axis] - paths[n, 99, axis]) ** 2
            size += paths[n, 99, axis] ** 2
        together = 1.0 if np.sqrt(gap) < LOCK_APART * np.sqrt(size) + 0.004 else 0.0
        even = long if abs(lengths[m] - lengths[n]) < 0.25 * lengths[m] else mine
        tied = 2.0
        if pattern == 3:
            tied = _tied_at(paths[n], root[n], tie)
        for k in range(knots):
            s = k / (knots - 1)
            for axis in range(3):
                base[k, axis] = _at(paths[n], s * ends[n], axis)
        ax, ay, az = 0.0, 0.0, 0.0
        bx, by, bz = 0.0, 0.0, 0.0
        for k in range(knots):
            s = k / (knots - 1)
            if k < knots - 1:
                tx, ty, tz = base[k + 1, 0] - base[k, 0], base[k + 1, 1] - base[k, 1], base[k + 1, 2] - base[k, 2]
                size = np.sqrt(tx * tx + ty * ty + tz * tz) + 1e-12
                tx, ty, tz = tx / size, ty / size, tz / size
                if k == 0:
                    ax, ay, az = normal[n, 0] + 1e-3, normal[n, 1], normal[n, 2]
                    if abs(ax * tx + ay * ty + az * tz) > 0.95:
                        ax, ay, az = 0.3, 0.2, 1.0
                dot = ax * tx + ay * ty + az * tz  # the frame is carried along without turning
                ax, ay, az = ax - dot * tx, ay - dot * ty, az - dot * tz
                size = np.sqrt(ax * ax + ay * ay + az * az) + 1e-12
                ax, ay, az = ax / size, ay / size, az / size
                bx, by, bz = ty * az - tz * ay, tz * ax - tx * az, tx * ay - ty * ax
            x, y, z = base[k, 0], base[k, 1], base[k, 2]
            # to the middle of the lock: the more, the nearer to the tip
            pull = hold[n] * s**power * together
            if pattern == 1 or pattern == 2:
                pull = hold[n] * min(1.0, s * lengths[n] / 0.012) * together
            elif pattern == 3 and s > tied:
                pull = hold[n]
            if pull > 0 and m != n:
                own = 0.25 * (1 - min(pull, 1.0))
                x += pull * (_at(paths[m], s * ends[n], 0) + (1 - own) * 0 + (root[m, 0] - root[n, 0]) - x)
                y += pull * (_at(paths[m], s * ends[n], 1) + (root[m, 1] - root[n, 1]) - y)
                z += pull * (_at(paths[m], s * ends[n], 2) + (root[m, 2] - root[n, 2]) - z)
            if pattern == 0:
                spread = 0.25 * pull
                x += spread * (root[n, 0] - root[m, 0])
                y += spread * (root[n, 1] - root[m, 1])
                z += spread * (root[n, 2] - root[m, 2])
                ramp = min(max((s - 0.3 * begin) / max(0.25 + 0.7 * begin, 1e-3), 0.0), 1.0)
                angle = 2 * np.pi * s * even / turn[n] + phase[n]
                one, two = wide[n] * ramp * np.cos(angle), coil * wide[n] * ramp * np.sin(angle)
            elif pattern == 1:
                angle = off[n, 1] + 2 * np.pi * s * lengths[m] / (10 * thick)
                full = thick * min(1.0, s * lengths[n] / 0.012)
                one, two = full * off[n, 0] * np.cos(angle), full * off[n, 0] * np.sin(angle)
            else:
                here = s - (tied if pattern == 3 else 0.0)
                one, two = 0.0, 0.0
                if here > 0:
                    third = np.floor(off[n, 1] * 1.5 / np.pi)
                    angle = 2 * np.pi * (here * lengths[m] / (9 * thick) + third / 3)
                    full = thick * min(1.0, here * lengths[n] / 0.012)
                    one = full * (1.1 * np.sin(angle) + 0.55 * off[n, 0] * np.cos(3 * off[n, 1]))
                    two = full * (0.6 * np.sin(2 * angle) + 0.55 * off[n, 0] * np.sin(3 * off[n, 1]))
            # frizz: a smooth line through random kinks, nothing at the root
            where = s * 8
            i = min(int(where), 7)
            f = where - i
            f = f * f * (3 - 2 * f)
            grown = stray[n] * min(1.0, s * mine / 0.03)
            out[n, k, 0] = root[n, 0] + x + one * ax + two * bx + grown * (
                kinks[n, i, 0] * (1 - f) + kinks[n, i + 1, 0] * f)  # fmt: skip
            out[n, k, 1] = root[n, 1] + y + one * ay + two * by + grown * (
                kinks[n, i, 1] * (1 - f) + kinks[n, i + 1, 1] * f)  # fmt: skip
            out[n, k, 2] = root[n, 2] + z + one * az + two * bz + grown * (
                kinks[n, i, 2] * (1 - f) + kinks[n, i + 1, 2] * f)  # fmt: skip
        sx, sy, sz = out[n, 0, 0] - root[n, 0], out[n, 0, 1] - root[n, 1], out[n, 0, 2] - root[n, 2]
        for k in range(knots):  # curls begin off the path; the root stays where it is
            fade = max(1 - k / (0.15 * knots), 0.0)
            out[n, k, 0] -= sx * fade
            out[n, k, 1] -= sy * fade
            out[n, k, 2] -= sz * fade


@njit(cache=True, error_model="numpy", nogil=True)
def _tied_at(path: Any, root: Any, ties: Any) -> float:
    """The share of the path at which it comes nearest to a tie."""
    best, where = np.inf, 2.0
    for t in range(len(ties)):
        for k in range(path.shape[0]):
            far = 0.0
            for axis in range(3):
                far += (path[k, axis] + root[axis] - ties[t, axis]) ** 2
            if far < best:
                best, where = far, k / (path.shape[0] - 1)
    return where

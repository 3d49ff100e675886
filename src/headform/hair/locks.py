"""How strands lie in their locks: drawn together, curled, twisted to ropes, plaited, and frizzed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.hair.grow import Wearer, places_of, tie_at, tied_to, wave
from headform.hair.style import Style

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Indices = NDArray[np.int64]

LOCK_APART, LOCK_MOST_APART = (
    0.5,
    0.06,
)  # share of its length, and metres, by which a strand may leave its lock's middle
STICKS = 0.04  # metres: shorter hair does not hold together as well
GATHERS = 0.012  # metres from the root, or from the tie, over which hair comes together to a rope or plait
STAND_OFF = 2.5  # times the frizz of others
FULL_FRIZZ = 0.03  # metres from the root
THINS = 0.12  # metres before its end that a tied plait begins to thin
ROPE_TURN, PLAIT_TURN = 10.0, 8.0  # thicknesses for each turn
ROWS_FROM_TO = 0.30  # metres from forehead to nape along a row
IN_ROW = 0.08  # of a row's width: so near to its line strands are its middle
ROW_NEAR = 4.0  # times as near counts along the row as across
FREE, ROPE, PLAIT, TIED_PLAIT = 0, 1, 2, 3
PATTERNS = {"free": FREE, "rope": ROPE, "braid": PLAIT}


def styled(
    paths: Floats, roots: Doubles, normals: Doubles, places: Doubles, lengths: Floats, ends: Doubles, knots: int,
    style: Style, wearer: Wearer, random: np.random.Generator,
) -> Floats:  # fmt: skip
    """(N, knots, 3) strands on paths (N, 100, 4) from their roots, in locks, curled, frizzed; `ends` (N,) is the share
    of each path that is left of it."""
    count = len(paths)
    lock, middle = locks_of(style, places, random)
    # what the hair of a lock shares: the phase and the width of its curls
    phase = 2.5 * wave(places, random, 6)[:, 0] + 2 * np.pi * (0.25 + 0.75 * style.coil) * random.random(count)[lock]
    phase += random.normal(0, 0.15, count)
    turn = style.curl[1] * np.clip(1 + 0.25 * random.normal(size=count)[lock], 0.5, 1.6)
    wide = style.curl[0] * np.clip(1 + 0.3 * random.normal(size=count)[lock], 0.3, 1.8)
    hold = style.locks[1] * (0.6 + 0.4 * random.random(count)) * np.minimum(lengths / STICKS, 1)
    off = np.column_stack([random.random(count) ** 0.5, 2 * np.pi * random.random(count)])
    off[middle] = 0
    kinks = random.normal(size=(count, 9, 3))
    stray = np.where(random.random(count) < style.flyaway, 1 + STAND_OFF, 1.0) * style.frizz
    pattern = PATTERNS[style.pattern]
    heart, tied = lock, np.full(count, 2.0)
    if any(tie.kind == "braid" for tie in style.ties):
        pattern = TIED_PLAIT
        heart, tied = _hearts(style, wearer, paths, roots, places)
    start = (1 - places[:, 1])[lock] * ROWS_FROM_TO if style.rows else np.zeros(count)
    if pattern in (ROPE, PLAIT):
        ends = ends[lock]
    out = np.empty((count, knots, 3), np.float32)
    _lay(
        paths, roots, normals, lengths, ends, lock, heart, tied, phase, turn, wide, hold, off, kinks, stray, start,
        (style.curl[2], style.coil, style.locks[2], style.thick * wearer.size, pattern), out,
    )  # fmt: skip
    return out


def locks_of(style: Style, places: Doubles, random: np.random.Generator) -> tuple[Indices, Indices]:
    """(N,) the strand in the middle of each strand's lock, and which strands are such middles."""
    count = len(places)
    if style.rows:
        return _rows(style, places, random)
    middle = random.choice(count, min(max(style.locks[0], 1), count), replace=False)
    return middle[nearest(places, places[middle])], middle


def _rows(style: Style, places: Doubles, random: np.random.Generator) -> tuple[Indices, Indices]:
    """The middles lie on lines from front to back: in each row a strand follows the nearest one of its line."""
    line = (np.floor(places[:, 0] * style.rows) + 0.5) / style.rows
    aim = np.column_stack([line * ROW_NEAR, places[:, 1]])
    order = random.permutation(len(places))
    beside = np.abs(places[order, 0] - line[order]) * style.rows
    middle = order[beside < IN_ROW]
    if not len(middle):
        middle = order[:1]
    return middle[nearest(aim, aim[middle])], middle


def _hearts(
    style: Style, wearer: Wearer, paths: Floats, roots: Doubles, places: Doubles
) -> tuple[Indices, Doubles]:  # fmt: skip
    """(N,) the strand that each follows beyond its tie, itself where it is not tied, and the share of its path at
    which it gets there."""
    tie = tied_to(style, places_of(wearer.scalp, places).home)
    heart, tied = np.arange(len(paths)), np.full(len(paths), 2.0)
    for index, one in enumerate(style.ties):
        mine = np.flatnonzero(tie == index)
        if one.kind != "braid" or not len(mine):
            continue
        at = tie_at(one, wearer)
        far = np.empty(len(mine))
        _nearest_to(paths, roots, mine, at, tied, far)
        reached = far < 1.5 * one.radius * wearer.size
        tied[mine[~reached]] = 2.0
        tips = paths[mine, -1, :3] + roots[mine]
        off = np.linalg.norm(tips - np.median(tips, axis=0), axis=1) + far
        heart[mine] = mine[np.where(reached, off, np.inf).argmin()]
    return heart, tied


@njit(cache=True, error_model="numpy", nogil=True)
def _nearest_to(paths: Any, roots: Any, which: Any, at: Any, share: Any, far: Any) -> None:
    """The share of each path at which it comes nearest to a place, and how near."""
    knots = paths.shape[1]
    for row in range(len(which)):
        n = which[row]
        best = np.inf
        for k in range(knots):
            gap = 0.0
            for axis in range(3):
                gap += (paths[n, k, axis] + roots[n, axis] - at[axis]) ** 2
            if gap < best:
                best, share[n] = gap, k / (knots - 1)
        far[row] = np.sqrt(best)


def nearest(points: Doubles, others: Doubles) -> Indices:
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


# ── one strand after the other ───────────────────────────────────────────────────────────────────


@njit(cache=True, error_model="numpy", nogil=True)
def _lay(
    paths: Any, roots: Any, normals: Any, lengths: Any, ends: Any, lock: Any, heart: Any, tied: Any, phase: Any,
    turn: Any, wide: Any, hold: Any, off: Any, kinks: Any, stray: Any, start: Any, manner: Any, out: Any,
) -> None:  # fmt: skip
    begin, coil, power, thick, pattern = manner
    knots = out.shape[1]
    base, spine, frame = np.empty((knots, 3)), np.empty((knots, 3)), np.empty((knots, 2, 3))
    for n in range(len(paths)):
        m = lock[n]
        _into_lock(paths, roots, lengths, ends, n, m, hold[n], power, pattern, base, spine)
        if pattern == TIED_PLAIT and tied[n] <= 1:
            _into_plait(paths, roots, lengths, ends, n, heart[n], tied, base)
        _frames(base if pattern in (FREE, TIED_PLAIT) else spine, normals[m if pattern else n], frame)
        mine, long = lengths[n] * ends[n], max(lengths[m] * ends[n], 1e-4)
        even = long if abs(lengths[m] - lengths[n]) < 0.25 * lengths[m] else mine
        cosine, sine = np.cos(phase[n]), np.sin(phase[n])  # of the angle of a curl, turned on from knot to knot
        angle = 2 * np.pi * even / turn[n] / (knots - 1)
        on, up = np.cos(angle), np.sin(angle)
        for k in range(knots):
            s = k / (knots - 1)
            if pattern == FREE or (pattern == TIED_PLAIT and tied[n] > 1):
                ramp = min(max((s - 0.3 * begin) / max(0.25 + 0.7 * begin, 1e-3), 0.0), 1.0)
                one, two = coil * wide[n] * ramp * sine, wide[n] * ramp * cosine
                cosine, sine = cosine * on - sine * up, sine * on + cosine * up
            elif pattern == ROPE:
                one, two = _rope(start[n] + s * long, s * long, thick, off[n, 0], off[n, 1])
            elif pattern == PLAIT:
                one, two = _plait(start[n] + s * long, s * long, thick, off[n, 0], off[n, 1])
            else:
                beyond = (s * ends[n] - tied[n]) * lengths[n]
                left = (1 - s) * ends[n] * lengths[n]
                one, two = _plait(beyond, beyond, thick * min(1.0, 0.4 + left / THINS), off[n, 0], off[n, 1])
            # frizz: a smooth line through random kinks, nothing at the root
            where = s * 8
            i = min(int(where), 7)
            f = where - i
            f = f * f * (3 - 2 * f)
            grown = stray[n] * min(1.0, s * mine / FULL_FRIZZ)
            for axis in range(3):
                out[n, k, axis] = roots[n, axis] + base[k, axis] + one * frame[k, 0, axis] + two * frame[k, 1, axis]
                out[n, k, axis] += grown * (kinks[n, i, axis] * (1 - f) + kinks[n, i + 1, axis] * f)
        for axis in range(3):  # curls begin off the path; the root stays where it is
            shift = out[n, 0, axis] - roots[n, axis]
            for k in range(knots):
                out[n, k, axis] -= shift * max(1 - k / (0.15 * knots), 0.0)


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _into_lock(
    paths: Any, roots: Any, lengths: Any, ends: Any, n: int, m: int, hold: float, power: float, pattern: int,
    base: Any, spine: Any,
) -> None:  # fmt: skip
    """A strand's way from its root (knots, 3), drawn to the middle of its lock, and the way of that middle."""
    knots = base.shape[0]
    # strands at the border of two locks that part from the lock's middle go their own way
    gap, size = 0.0, 0.0
    for axis in range(3):
        gap += (paths[m, -1, axis] - paths[n, -1, axis]) ** 2
        size += paths[n, -1, axis] ** 2
    together = 1.0 if np.sqrt(gap) < min(LOCK_APART * np.sqrt(size), LOCK_MOST_APART) + 0.004 else 0.0
    last = paths.shape[1] - 1
    for k in range(knots):
        s = k / (knots - 1)
        if pattern in (ROPE, PLAIT):
            pull = min(1.0, s * lengths[m] * ends[n] / GATHERS)
            spread = 0.0
        else:
            pull = hold * s**power * together
            spread = 0.25 * pull
        x = min(max(s * ends[n], 0.0), 1.0) * last
        i = min(int(x), last - 1)
        f = x - i
        for axis in range(3):
            apart = roots[m, axis] - roots[n, axis]
            own = paths[n, i, axis] + f * (paths[n, i + 1, axis] - paths[n, i, axis])
            middle = paths[m, i, axis] + f * (paths[m, i + 1, axis] - paths[m, i, axis]) + apart
            spine[k, axis] = middle
            base[k, axis] = own + pull * (middle - own) - spread * apart


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _into_plait(
    paths: Any, roots: Any, lengths: Any, ends: Any, n: int, h: int, tied: Any, base: Any
) -> None:  # fmt: skip
    """Beyond the tie a strand follows the middle of its plait, as far from the tie as it is itself."""
    knots = base.shape[0]
    for k in range(knots):
        s = k / (knots - 1)
        beyond = (s * ends[n] - tied[n]) * lengths[n]
        pull = min(max(beyond / GATHERS + 1, 0.0), 1.0)
        pull = pull * pull * (3 - 2 * pull)
        there = tied[h] + beyond / max(lengths[h], 1e-4)
        for axis in range(3):
            spine = at_share(paths[h], there, axis) + roots[h, axis] - roots[n, axis]
            base[k, axis] += pull * (spine - base[k, axis])


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _frames(line: Any, normal: Any, frame: Any) -> None:
    """Two unit vectors (knots, 2, 3) across a line (knots, 3), carried along it from a normal without turning."""
    knots = line.shape[0]
    ax, ay, az = normal[0] + 1e-3, normal[1], normal[2]
    for k in range(knots):
        if k < knots - 1:
            tx, ty, tz = line[k + 1, 0] - line[k, 0], line[k + 1, 1] - line[k, 1], line[k + 1, 2] - line[k, 2]
            size = np.sqrt(tx * tx + ty * ty + tz * tz) + 1e-12
            tx, ty, tz = tx / size, ty / size, tz / size
            if k == 0 and abs(ax * tx + ay * ty + az * tz) > 0.95:
                ax, ay, az = 0.3, 0.2, 1.0
            dot = ax * tx + ay * ty + az * tz
            ax, ay, az = ax - dot * tx, ay - dot * ty, az - dot * tz
            size = np.sqrt(ax * ax + ay * ay + az * az) + 1e-12
            ax, ay, az = ax / size, ay / size, az / size
        frame[k, 0, 0], frame[k, 0, 1], frame[k, 0, 2] = ax, ay, az
        frame[k, 1, 0], frame[k, 1, 1], frame[k, 1, 2] = ty * az - tz * ay, tz * ax - tx * az, tx * ay - ty * ax


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _rope(way: float, grown: float, thick: float, out: float, around: float) -> Any:
    """Where in a rope of this radius a strand lies that starts at `out` 0–1 of the radius and `around` radians."""
    angle = around + 2 * np.pi * way / (ROPE_TURN * thick)
    full = thick * min(1.0, grown / GATHERS) * out
    return full * np.cos(angle), full * np.sin(angle)


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _plait(way: float, grown: float, thick: float, out: float, around: float) -> Any:
    """Where in a plait of three: its thirds follow one another on a figure of eight."""
    if grown <= 0:
        return 0.0, 0.0
    third = np.floor(around * 1.5 / np.pi)
    angle = 2 * np.pi * (way / (PLAIT_TURN * thick) + third / 3)
    full = thick * min(1.0, grown / GATHERS)
    inner = 0.55 * out
    return (
        full * (0.6 * np.sin(2 * angle) + inner * np.sin(3 * around)),
        full * (1.1 * np.sin(angle) + inner * np.cos(3 * around)),
    )


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def at_share(path: Any, place: float, axis: int) -> float:
    """A path (K, C) at a share 0–1 of its length."""
    x = min(max(place, 0.0), 1.0) * (path.shape[0] - 1)
    i = min(int(x), path.shape[0] - 2)
    return float(path[i, axis] + (x - i) * (path[i + 1, axis] - path[i, axis]))

"""Guides moved so that a photo's camera sees them where the photo shows hair, running the way it runs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.hair import scalp as chart
from headform.hair.collider import push_out
from headform.hair.groom import GRID, KNOTS, along
from headform.hair.grow import Wearer
from headform.hair.plane import nearest_in
from headform.hair.sight import Sight

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

COARSE = 25  # knots by which guides are moved
ROUNDS = 14
LAST_PULL = 11  # rounds after which nothing is pulled any more, only turned and smoothed
PUSH, PULL, TURN = 0.5, 0.5, 0.35  # shares of what is found that is done in a round
WITHIN = 1.5  # pixels that hair is pushed inside the outline
FARTHEST_PUSH, FARTHEST_PULL = 14.0, 44.0  # pixels of 256
HOLE = 4  # pixels around a guide that its hair will fill
TURN_LONG = 0.8  # knots that share a turn
PULL_WIDE, PULL_LONG = (6.0, 1.5), 2.2  # guides, in the first round and in the last, and knots that share a pull
FRONT = 0.02  # metres behind the foremost hair that still count as its surface
ROOTED = 0.03  # metres from the root over which a strand becomes free to be moved
STRETCH = 1.6  # of a guide's length: more would be another hair
BEHIND = 0.006  # metres that hair may be behind the head's surface and still be seen
BARE_ROOT = 5.0  # pixels of 256 that a root may lie outside the hair: fitted skulls are not surer
GAP = 0.0015


def settled(guides: Floats, sight: Sight, wearer: Wearer) -> Floats:
    """(32, 32, 100, 4) guides after the photo; those that grow where bare skin is seen are taken away."""
    roots = wearer.scalp.roots(chart.grid_places())
    root = np.asarray(roots.points(wearer.vertices), np.float64)
    offsets = guides[..., :3].reshape(-1, KNOTS, 3).astype(np.float64)
    grows = np.isfinite(offsets[:, 0, 0])
    picked = np.rint(np.linspace(0, KNOTS - 1, COARSE)).astype(int)
    before = np.where(grows[:, None, None], offsets[:, picked], 0) + root[:, None]
    moved = _moved(before.copy(), grows, sight, wearer)
    change = (moved - before) * grows[:, None, None]
    fine = _finer(change, picked)
    grows &= ~bare(root, sight)
    out = np.full_like(guides, np.nan).reshape(-1, KNOTS, 4)
    whole = (root[:, None] + offsets + fine)[grows]
    for _ in range(2):  # between the knots that were moved a straight way may lead through the skin, and even steps too
        kept_out = push_out(wearer.collider.whole, whole.astype(np.float32), GAP).astype(np.float64)
        whole = along(kept_out, KNOTS, kept_out).astype(np.float64)
    out[grows, :, :3] = whole - root[grows, None]
    out[grows, 0, :3] = 0
    out[grows, :, 3] = guides[..., 3].reshape(-1, KNOTS)[grows]
    return out.reshape(GRID, GRID, KNOTS, 4)


def bare(points: Doubles, sight: Sight) -> NDArray[np.bool_]:
    """(N,) roots that the photo shows without hair."""
    pixels, depth = sight.camera.project(points)
    column, row = np.rint(pixels).astype(int).T
    high, wide = sight.head.shape
    shown = (column >= 0) & (row >= 0) & (column < wide) & (row < high) & (depth > 0)
    out = np.zeros(len(points), bool)
    row, column = row[shown], column[shown]
    seen = (depth[shown] <= sight.head[row, column] + BEHIND) & np.isfinite(sight.head[row, column])
    out[shown] = seen & sight.known[row, column] & (sight.outline[row, column] > BARE_ROOT * wide / 256)
    return out


def _moved(points: Doubles, grows: NDArray[np.bool_], sight: Sight, wearer: Wearer) -> Doubles:
    """Points (1024, COARSE, 3) in place, round by round."""
    camera = sight.camera
    root, first = points[:, :1].copy(), _lengths(points)
    along = np.linspace(0, 1, COARSE) * first[:, None]
    loose = np.minimum(along / ROOTED, 1)[..., None] ** 0.5  # near its root a strand cannot go far
    unit = len(sight.hair) / 256
    for turn in range(ROUNDS):
        pixels, depth = camera.project(points.reshape(-1, 3))
        pixels, depth = pixels.reshape(*points.shape[:2], 2), depth.reshape(points.shape[:2])
        metres = _metres(camera, depth)
        seen = np.zeros(depth.shape, np.uint8)
        front = np.full(sight.head.shape, np.inf, np.float32)
        _see(pixels, depth, grows, sight.head, front, HOLE * unit, seen)
        move = np.zeros((*points.shape[:2], 2))
        _push(pixels, seen, sight.outline, sight.slope, sight.known, WITHIN * unit, FARTHEST_PUSH * unit, move)
        step = PUSH * _shared(move, (seen > 0).astype(float), 0.6, 1.5) * loose
        if turn < LAST_PULL:
            pull, found = _pulls(pixels, seen, grows, sight, unit)
            wide = PULL_WIDE[0] * (PULL_WIDE[1] / PULL_WIDE[0]) ** (turn / (LAST_PULL - 1))
            step += PULL * _shared(pull, found, wide, PULL_LONG) * loose
        shift = (step * metres[..., None]) @ camera.rotation[:2]
        points += shift
        points = _turned(points, pixels, seen, depth, front, sight)
        points = _held(points, root, first)
        points = push_out(wearer.collider.whole, points.astype(np.float32), GAP).astype(np.float64)
        points[:, :1] = root
    return points


def _metres(camera: Any, depth: Doubles) -> Doubles:
    """Metres for one pixel at depths."""
    focal = float(np.sqrt(abs(np.linalg.det(camera.matrix[:2, :2]))))
    return np.full(depth.shape, 1 / focal) if camera.orthographic else depth / focal


def _pulls(
    pixels: Doubles, seen: NDArray[np.uint8], grows: NDArray[np.bool_], sight: Sight, unit: float
) -> tuple[Doubles, Doubles]:
    """(N, K, 2) pixels by which knots are pulled to hair that none covers, and (N, K) how many pull there."""
    size = len(sight.hair)
    owner = np.full((size, size), -1, np.int32)
    _own(pixels, seen, owner)
    reached = nearest_in(owner >= 0)
    move, count = np.zeros((*pixels.shape[:2], 2)), np.zeros(pixels.shape[:2])
    if (owner >= 0).any():
        _pull(sight.hair & sight.known, reached, owner, HOLE * unit, FARTHEST_PULL * unit, pixels, move, count)
    return move / np.maximum(count, 1)[..., None], (count > 0).astype(float)


def _shared(values: Doubles, weight: Doubles, wide: float, long: float) -> Doubles:
    """(1024, K, 2) what is asked of some knots, shared with those around them, along the strand and over the scalp."""
    grid = values.reshape(GRID, GRID, *values.shape[1:])
    held = weight.reshape(GRID, GRID, -1, 1)
    summed, total = grid * held, held
    for axis, deviation in ((0, wide), (1, wide), (2, long)):
        summed, total = _bell(summed, axis, deviation), _bell(total, axis, deviation)
    return np.asarray((summed / (total + 0.03)).reshape(values.shape))


def _bell(values: Doubles, axis: int, deviation: float) -> Doubles:
    reach = max(1, int(2.2 * deviation))
    rolled = np.moveaxis(values, axis, 0)
    out = rolled.copy()
    total = np.ones((len(rolled),) + (1,) * (rolled.ndim - 1))
    for k in range(1, reach + 1):
        share = np.exp(-0.5 * (k / deviation) ** 2)
        out[k:] += share * rolled[:-k]
        out[:-k] += share * rolled[k:]
        total[k:] += share
        total[:-k] += share
    return np.moveaxis(out / total, 0, axis)


def _turned(
    points: Doubles, pixels: Doubles, seen: NDArray[np.uint8], depth: Doubles, front: Floats, sight: Sight
) -> Doubles:
    """Segments at the hair's surface turned in the picture's plane towards the photo's flow."""
    legs = np.diff(points, axis=1)
    weight = np.zeros(legs.shape[:2])
    ways = np.zeros((*legs.shape[:2], 2))
    _flow_at(pixels, seen, depth, front, sight.flow, weight, ways)
    plane = sight.camera.rotation[:2]
    flat = legs @ plane.T
    size = np.linalg.norm(flat, axis=2, keepdims=True)
    turned = ways * size
    legs = legs + _bell(TURN * weight[..., None] * (turned - flat), 1, TURN_LONG) @ plane
    return np.concatenate([points[:, :1], points[:, :1] + np.cumsum(legs, 1)], 1)


def _held(points: Doubles, root: Doubles, first: Doubles) -> Doubles:
    """Strands from their roots, with even steps, not longer than they may stretch."""
    legs = np.diff(points, axis=1)
    size = np.linalg.norm(legs, axis=2)
    whole = size.sum(1)
    goal = np.minimum(whole, STRETCH * first) / max(points.shape[1] - 1, 1)
    even = 0.5 * size + 0.5 * goal[:, None]
    even *= (goal * (points.shape[1] - 1) / np.maximum(even.sum(1), 1e-9))[:, None]
    legs *= (even / np.maximum(size, 1e-9))[..., None]
    return np.concatenate([root, root + np.cumsum(legs, 1)], 1)


def _lengths(points: Doubles) -> Doubles:
    return np.asarray(np.linalg.norm(np.diff(points, axis=1), axis=2).sum(1))


def _finer(values: Doubles, picked: NDArray[np.int64]) -> Doubles:
    """(N, KNOTS, 3) values known at the knots `picked`, between them."""
    k = np.arange(KNOTS)
    i = np.clip(np.searchsorted(picked, k, "right") - 1, 0, len(picked) - 2)
    share = ((k - picked[i]) / (picked[i + 1] - picked[i]))[None, :, None]
    return np.asarray(values[:, i] * (1 - share) + values[:, i + 1] * share)


@njit(cache=True, error_model="numpy", nogil=True)
def _see(pixels: Any, depth: Any, grows: Any, head: Any, front: Any, reach: float, seen: Any) -> None:
    """Which knots the camera sees: not behind the head. `front` gets how near the foremost hair is, `reach` around."""
    high, wide = head.shape
    around = int(reach)
    for n in range(depth.shape[0]):
        if not grows[n]:
            continue
        for k in range(depth.shape[1]):
            i, j = int(np.rint(pixels[n, k, 1])), int(np.rint(pixels[n, k, 0]))
            if not (0 <= i < high and 0 <= j < wide) or depth[n, k] > head[i, j] + BEHIND:
                continue
            seen[n, k] = 1
            for a in range(max(i - around, 0), min(i + around + 1, high)):
                for b in range(max(j - around, 0), min(j + around + 1, wide)):
                    front[a, b] = min(front[a, b], depth[n, k])


@njit(cache=True, error_model="numpy", nogil=True)
def _push(
    pixels: Any, seen: Any, outline: Any, slope: Any, known: Any, within: float, farthest: float, move: Any
) -> None:  # fmt: skip
    for n in range(seen.shape[0]):
        for k in range(1, seen.shape[1]):
            if not seen[n, k]:
                continue
            i, j = int(np.rint(pixels[n, k, 1])), int(np.rint(pixels[n, k, 0]))
            over = outline[i, j] + within
            if over > 0 and known[i, j] and over < 3 * farthest:
                over = min(over, farthest)
                move[n, k, 0] = -over * slope[i, j, 0]
                move[n, k, 1] = -over * slope[i, j, 1]


@njit(cache=True, error_model="numpy", nogil=True)
def _own(pixels: Any, seen: Any, owner: Any) -> None:
    for n in range(seen.shape[0]):
        for k in range(1, seen.shape[1]):
            if seen[n, k]:
                i, j = int(np.rint(pixels[n, k, 1])), int(np.rint(pixels[n, k, 0]))
                owner[i, j] = n * seen.shape[1] + k


@njit(cache=True, error_model="numpy", nogil=True)
def _pull(
    hair: Any, reached: Any, owner: Any, least: float, most: float, pixels: Any, move: Any, count: Any
) -> None:  # fmt: skip
    knots = count.shape[1]
    for i in range(hair.shape[0]):
        for j in range(hair.shape[1]):
            if not hair[i, j] or reached[i, j, 0] < 0:
                continue
            far = np.sqrt((reached[i, j, 0] - i) ** 2 + (reached[i, j, 1] - j) ** 2)
            if not least < far < most:
                continue
            which = owner[reached[i, j, 0], reached[i, j, 1]]
            n, k = which // knots, which % knots
            move[n, k, 0] += j - pixels[n, k, 0]
            move[n, k, 1] += i - pixels[n, k, 1]
            count[n, k] += 1


@njit(cache=True, error_model="numpy", nogil=True)
def _flow_at(pixels: Any, seen: Any, depth: Any, front: Any, flow: Any, weight: Any, ways: Any) -> None:
    """How strongly each segment that lies at the surface is asked to turn, and which way."""
    for n in range(seen.shape[0]):
        for k in range(seen.shape[1] - 1):
            if not (seen[n, k] and seen[n, k + 1]):
                continue
            i = int(np.rint(0.5 * (pixels[n, k, 1] + pixels[n, k + 1, 1])))
            j = int(np.rint(0.5 * (pixels[n, k, 0] + pixels[n, k + 1, 0])))
            if depth[n, k] > front[i, j] + FRONT:
                continue
            x, y = flow[i, j, 0], flow[i, j, 1]
            size = np.sqrt(x * x + y * y)
            if size < 0.05:
                continue
            # of the two senses the one that the guide has already, unless the photo is sure
            dx, dy = pixels[n, k + 1, 0] - pixels[n, k, 0], pixels[n, k + 1, 1] - pixels[n, k, 1]
            sense = 1.0 if x * dx + y * dy >= 0 else -1.0
            ways[n, k, 0], ways[n, k, 1] = sense * x / size, sense * y / size
            weight[n, k] = min(2 * size, 1.0)

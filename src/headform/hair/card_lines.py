"""Which bundles of hair become cards: centre lines spread evenly over roots, middles and tips of the strands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.hair.groom import Groom, along

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

KNOTS = 25  # points of a strand that are looked at: a card has at most half as many
PER_CARD, MOST_STRANDS = 4, 9000  # strands that are looked at for each card, and for all
SLABS = 6  # of the head from side to side: centre lines are chosen in each by itself, in a sixth of the time
LEAST_LENGTH = 0.004  # metres: stubble shorter than this is painted; cards of it would be flakes
MEASURED = 1000  # strands, to know how long the hair is
LENGTH_QUANTILE = 0.8  # of the strands' lengths: what the hair counts as long as
# A card's place is that of its root, middle and tip; tips lie decimetres apart and would take all the cards.
PLACE_WEIGHTS = (1.0, 0.5, 0.3)
SMOOTHING = 1  # knots: the deviation of the bell that takes curls out of a centre line

# Skull and neck as a ball on a stick: what is outwards for hair, softer than any skull and free of ears.
CRANIUM = np.array([0.0, 0.065, -0.005], np.float32)  # metres, on the average head
NECK_BASE = np.array([0.0, -0.16, -0.03], np.float32)


@dataclass(frozen=True, eq=False)
class Bundles:
    """M bundles of strands, each to become a card.

    centres   (M, KNOTS, 3) metres, root first, free of curls
    colours   (M, KNOTS, 3) sRGB, mean of the bundle
    spread    (M,) metres: root mean square distance of its strands from the centre line
    lengths   (M,) metres along the centre line
    strands   (N,) the rows of the groom that were looked at, and bundle (N,) the bundle that each belongs to
    """

    centres: Floats
    colours: Floats
    spread: Floats
    lengths: Floats
    strands: NDArray[np.int64]
    bundle: Ints


def bundles_of(groom: Groom, count: int, seed: int = 0) -> Bundles:
    """At most `count` bundles of a groom's strands; none where every strand is stubble or there is none."""
    chosen = _long_enough(groom, min(count * PER_CARD, MOST_STRANDS), seed)
    lines = resampled(groom.points[chosen], KNOTS)
    nearest = _gathered(_places(lines), min(count, len(chosen)))
    used, bundle = np.unique(nearest, return_inverse=True)  # where strands lie on each other, some have no bundle
    count = len(used)
    centres = _smoothed(_mean(lines, bundle, count))
    away = np.square(lines - centres[bundle]).sum(2).mean(1)
    spread = np.sqrt(np.bincount(bundle, away, count) / np.maximum(np.bincount(bundle, minlength=count), 1))
    lengths = np.linalg.norm(np.diff(centres, axis=1), axis=2).sum(1)
    return Bundles(
        centres,
        _mean(_colours(groom, chosen), bundle, count),
        spread.astype(np.float32),
        lengths.astype(np.float32),
        chosen,
        bundle.astype(np.int32),
    )


def typical_length(groom: Groom) -> float:
    """Metres: as long as the longer strands are, without their curls; 0 without strands."""
    if not len(groom):
        return 0.0
    lines = _smoothed(resampled(groom.points[:: max(1, len(groom) // MEASURED)], KNOTS))
    return float(np.quantile(np.linalg.norm(np.diff(lines, axis=1), axis=2).sum(1), LENGTH_QUANTILE))


def outwards(points: Floats) -> Floats:
    """(..., 3) unit vectors away from skull and neck at points (..., 3)."""
    stick = NECK_BASE - CRANIUM
    along = np.clip((points - CRANIUM) @ stick / (stick @ stick), 0, 1)[..., None]
    away = points - (CRANIUM + along * stick)
    return unit_rows(away)


def unit_rows(vectors: NDArray[Any]) -> Floats:
    """Vectors (..., 3) at length 1; those without a length stay without."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12), np.float32)


def _long_enough(groom: Groom, most: int, seed: int) -> NDArray[np.int64]:
    """At most so many strands, by chance, of those that are no stubble."""
    order = np.random.default_rng(seed).permutation(len(groom))[: 2 * most]
    points = groom.points[order]
    reach = np.linalg.norm(points - points[:, :1], axis=2).max(1) if len(order) else np.zeros(0)
    return np.asarray(order[reach > LEAST_LENGTH][:most], np.int64)


def _places(lines: Floats) -> Floats:
    """(9, N) root, middle and tip of each line, weighted."""
    ends = [lines[:, row] * np.float32(weight) for row, weight in zip((0, KNOTS // 2, -1), PLACE_WEIGHTS, strict=True)]
    return np.ascontiguousarray(np.concatenate(ends, 1).T)


def _mean(values: Floats, bundle: NDArray[Any], count: int) -> Floats:
    """(count, K, 3) the mean of values (N, K, 3) of each bundle."""
    total = np.zeros((count, *values.shape[1:]), np.float32)
    _add_rows(values, bundle, total)
    members = np.maximum(np.bincount(bundle, minlength=count), 1)
    return np.asarray(total / members[:, None, None], np.float32)


def _smoothed(lines: Floats) -> Floats:
    """Lines (M, K, 3) without what turns faster than a card can bend; their roots stay where they are."""
    reach = np.arange(-2 * SMOOTHING, 2 * SMOOTHING + 1)
    bell = np.exp(-0.5 * (reach / SMOOTHING) ** 2)
    bell /= bell.sum()
    # Beyond its ends a line goes on as its own mirror image through the end: there the mean is the end itself.
    head = 2 * lines[:, :1] - lines[:, 2 * SMOOTHING : 0 : -1]
    tail = 2 * lines[:, -1:] - lines[:, -2 : -2 * SMOOTHING - 2 : -1]
    longer = np.concatenate([head, lines, tail], 1)
    parts = [weight * longer[:, at : at + lines.shape[1]] for at, weight in enumerate(bell)]
    return np.asarray(np.sum(parts, 0), np.float32)


def _colours(groom: Groom, chosen: NDArray[np.int64]) -> Floats:
    """(N, KNOTS, 3) colours of the chosen strands."""
    colours = np.asarray(groom.colours, np.float32)
    shape = (len(chosen), KNOTS, 3)
    if colours.ndim == 1:
        return np.ascontiguousarray(np.broadcast_to(colours, shape))
    if colours.ndim == 2:
        return np.ascontiguousarray(np.broadcast_to(colours[chosen][:, None], shape))
    rows = np.linspace(0, colours.shape[1] - 1, KNOTS).round().astype(int)
    return np.ascontiguousarray(colours[np.ix_(chosen, rows)])


@njit(cache=True, error_model="numpy", nogil=True)
def _add_rows(values: Any, bundle: Any, total: Any) -> None:
    for n in range(len(bundle)):
        into = bundle[n]
        for k in range(values.shape[1]):
            for c in range(values.shape[2]):
                total[into, k, c] += values[n, k, c]


def _gathered(places: Floats, count: int) -> Ints:
    """(N,) the number of the bundle of each place (9, N); at most `count` bundles."""
    order = np.argsort(places[0], kind="stable")
    out, first = np.zeros(places.shape[1], np.int32), 0
    for slab in np.array_split(order, min(SLABS, max(count, 1))):
        share = -(-count * len(slab) // places.shape[1]) if len(slab) else 0
        if share := min(share, count - first):
            out[slab] = first + _spread_out(np.ascontiguousarray(places[:, slab]), share)
            first += share
        else:
            out[slab] = max(first - 1, 0)
    return out


@njit(cache=True, error_model="numpy", nogil=True, fastmath=True)
def _spread_out(places: Any, count: int) -> Any:
    """(N,) for each place (D, N) the nearest of `count` of them, of which each is the farthest from all before it.

    Gonzalez 1985; it leaves the same gaps as the darts of a Poisson disc, and needs no radius.
    """
    size, length = places.shape
    best = np.full(length, np.float32(1e30))
    nearest = np.zeros(length, np.int32)
    away = np.empty(length, np.float32)
    at = 0
    for m in range(count):
        away[:] = 0
        for d in range(size):
            here = places[d, at]
            for n in range(length):
                change = places[d, n] - here
                away[n] += change * change
        for n in range(length):
            if away[n] < best[n]:
                best[n] = away[n]
                nearest[n] = m
        at = int(np.argmax(best))
    return nearest


def resampled(points: Floats, knots: int) -> Floats:
    """(S, knots, 3) strands (S, P, 3) with points evenly along each one's length."""
    return along(points, knots, points)

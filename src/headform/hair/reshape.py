"""Hair longer or shorter, with more curl or less: of a style, by its numbers, and of strands as they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.hair.collider import CHEST, look_up, push_out
from headform.hair.dense import MOST_KNOTS, SKIN_GAP
from headform.hair.groom import Groom
from headform.hair.grow import CROWN, Wearer
from headform.hair.style import Style

Floats = NDArray[np.float32]

FRINGE_ROOT = 0.1  # metres of y on the mean head: where the hair of a fringe begins
# The way of a strand is a polynomial with so many bends, and one more for so many metres: it follows the head, but no
# wave, which would need π for each of its lengths, and the loosest are about 0.12 m long
BENDS, FOR_EACH_BEND = 3, 0.06
FROM_ROOT = 0.015  # metres from the root over which a change of curl sets in
LAST_WAY = 0.25  # of a strand: by which it is judged which way its tip goes
HANGS = 0.05  # metres over which what grows beyond a tip turns downwards
SHOULDER = 0.3  # ground this level is a shoulder
ASIDE, OFF = 0.2, 0.7  # of the way to the side that hair has there so much is left: it goes to the chest or the back


def restyled(style: Style, length: float = 1.0, curl: float = 1.0) -> Style:
    """A style with so many times the length of its hair and the width of its curls.

    Where it is cut, it is cut so many times as far from the crown, or from the root of the fringe: a bob that is longer
    ends as straight as before. Hair without curls gets none.
    """
    amplitude, wavelength, begin = style.curl
    front, top, sides, back = (length * each for each in style.length)

    def from_height(root: float, height: float) -> float:
        return root + length * (height - root)

    crown = float(CROWN[1])
    return replace(
        style,
        length=(front, top, sides, back),
        curl=(curl * amplitude, wavelength, begin),
        cut=None if style.cut is None else (from_height(crown, style.cut[0]), from_height(crown, style.cut[1])),
        fringe_cut=None if style.fringe_cut is None else from_height(FRINGE_ROOT, style.fringe_cut),
        level=None if style.level is None else from_height(crown, style.level),
    )


def reshaped(groom: Groom, wearer: Wearer, length: float = 1.0, curl: float = 1.0) -> Groom:
    """Strands on a head, each so many times as long, with so many times as wide waves; never inside the head.

    Shorter hair is cut at the same share of every strand. Longer hair grows on from the tips: the way they go, soon
    downwards, over what is below, in the waves it had and the colour of its tips. Curl is whatever leaves the even way
    of a strand, be it wave, coil or frizz: straight hair gets no waves, and the way stays, so that wider coils hold
    more hair. What a groom was grown from is not kept.
    """
    if not len(groom) or (length == 1 and curl == 1):
        return groom
    changed = groom
    if length != 1:
        changed = _shortened(changed, length) if length < 1 else _lengthened(changed, length, wearer)
    if curl != 1:
        changed = replace(changed, points=_curled(changed.points, curl))
    return replace(changed, points=push_out(wearer.collider.bare, changed.points, SKIN_GAP), guides=None)


def _shortened(groom: Groom, length: float) -> Groom:
    """Every strand cut at this share of it; what is left keeps its colour."""
    knots = groom.points.shape[1]
    return replace(groom, points=_laid(groom.points, groom.points, length, knots), colours=_dyed(groom, length, knots))


def _lengthened(groom: Groom, length: float, wearer: Wearer) -> Groom:
    """Every strand grown on from its tip."""
    before = groom.points.shape[1]
    knots = max(min(int(np.ceil(length * before)), MOST_KNOTS), before)
    even = _laid(groom.points, groom.points, 1.0, before)
    way = _ways(even)
    points = np.empty((len(groom), knots, 3), np.float32)
    _grow_on(even, way, length, wearer.collider.bare, SKIN_GAP, points)
    return replace(groom, points=points, colours=_dyed(groom, length, knots))


def _curled(points: Floats, curl: float) -> Floats:
    """Strands with so many times as wide waves, from a little beyond the root on."""
    even = _laid(points, points, 1.0, points.shape[1])
    reach = np.linspace(0, 1, even.shape[1]) * _lengths(even)[:, None]
    share = (curl - 1) * np.minimum(reach / FROM_ROOT, 1)
    return np.asarray(even + share[..., None] * (even - _ways(even)), np.float32)


def _ways(even: Floats) -> Floats:
    """(S, P, 3) the ways of strands with even knots, without their waves: least squares in polynomials."""
    knots = even.shape[1]
    bends = BENDS + np.rint(_lengths(even) / FOR_EACH_BEND).astype(int)
    bends = np.minimum(bends, max(knots // 3, 1))
    out = np.empty_like(even)
    for degree in np.unique(bends):
        basis = np.linalg.qr(np.polynomial.legendre.legvander(np.linspace(-1, 1, knots), int(degree)))[0]
        keep = (basis @ basis.T).astype(np.float32)
        out[bends == degree] = keep @ even[bends == degree]
    return out


def _lengths(points: Floats) -> Floats:
    return np.asarray(np.linalg.norm(np.diff(points, axis=1), axis=2).sum(1), np.float32)


def _dyed(groom: Groom, length: float, knots: int) -> Any:
    colours = np.asarray(groom.colours, np.float32)
    return _laid(groom.points, colours, length, knots) if colours.ndim == 3 else colours


def _laid(points: Floats, values: Floats, length: float, knots: int) -> Floats:
    """(S, knots, 3) values of strands (S, P, 3) at even steps to this share of their length; beyond it the last."""
    out = np.empty((len(points), knots, 3), np.float32)
    _lay(points, np.ascontiguousarray(values, np.float32), length, out)
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def _lay(points: Any, values: Any, length: float, out: Any) -> None:
    before, knots = points.shape[1], out.shape[1]
    reach = np.zeros(before)
    for n in range(len(points)):
        for k in range(1, before):
            reach[k] = reach[k - 1] + _step_to(points[n], k)
        at = 0
        for k in range(knots):
            goal = length * reach[before - 1] * k / (knots - 1)
            while at < before - 2 and reach[at + 1] < goal:
                at += 1
            step = reach[at + 1] - reach[at]
            share = min(max((goal - reach[at]) / step, 0.0), 1.0) if step > 0 else 0.0
            for axis in range(3):
                out[n, k, axis] = values[n, at, axis] + share * (values[n, at + 1, axis] - values[n, at, axis])


@njit(cache=True, error_model="numpy", nogil=True)
def _grow_on(even: Any, ways: Any, length: float, field: Any, gap: float, out: Any) -> None:
    """Strands (S, P, 3) with even knots as they are, then on along their ways, in the waves of what came before."""
    before, knots = even.shape[1], out.shape[1]
    here, way = np.empty(3), np.empty(3)
    for n in range(len(even)):
        whole, straight = 0.0, 0.0
        for k in range(1, before):
            whole += _step_to(even[n], k)
            straight += _step_to(ways[n], k)
        along = min(straight / whole, 1.0) if whole > 0 else 0.0  # of coils a small share: they stand, and do not hang
        step = along * whole * length / (knots - 1)
        keep = np.exp(-step / HANGS)
        first = int((1 - LAST_WAY) * (before - 1))
        for axis in range(3):
            here[axis] = ways[n, before - 1, axis]
            way[axis] = here[axis] - ways[n, first, axis]
        _make_unit(way)
        past = 0.0  # metres beyond the tip's way
        for k in range(knots):
            place = length * (before - 1) * k / (knots - 1)
            if place <= before - 1:
                for axis in range(3):
                    out[n, k, axis] = _at(even[n], place, axis)
                continue
            beyond = along * whole * (place / (before - 1) - 1)
            _go(here, way, beyond - past, keep, along * along, field, gap)
            past = beyond
            fold = place % (2 * (before - 1))
            mirrored = min(fold, 2 * (before - 1) - fold)
            for axis in range(3):
                out[n, k, axis] = here[axis] + _at(even[n], mirrored, axis) - _at(ways[n], mirrored, axis)


@njit(cache=True, error_model="numpy", nogil=True)
def _go(here: Any, way: Any, step: float, keep: float, weight: float, field: Any, gap: float) -> None:
    """One step of a hair that hangs, over what is below; `here` and `way` become the next place and way."""
    for axis in range(3):
        way[axis] *= keep
    way[1] -= (1 - keep) * weight
    _make_unit(way)
    x, y, z = here[0] + step * way[0], here[1] + step * way[1], here[2] + step * way[2]
    depth, gx, gy, gz = look_up(field, x, y, z)
    if depth < gap:
        size = np.sqrt(gx * gx + gy * gy + gz * gz) + 1e-9
        out = (gap - depth) / size
        x, y, z = x + out * gx, y + out * gy, z + out * gz
        way[0], way[1], way[2] = x - here[0], y - here[1], z - here[2]
        if gy > SHOULDER * size:
            way[0] *= ASIDE
            way[2] += OFF * step * (1.0 if here[2] > CHEST[2] else -1.0)
        _make_unit(way)
    for axis in range(3):
        here[axis] += step * way[axis]


@njit(cache=True, error_model="numpy", nogil=True)
def _make_unit(way: Any) -> None:
    size = np.sqrt(way[0] ** 2 + way[1] ** 2 + way[2] ** 2) + 1e-9
    for axis in range(3):
        way[axis] /= size


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _step_to(strand: Any, k: int) -> float:
    """Metres from the knot before to knot k of a strand (P, 3)."""
    x, y, z = strand[k, 0] - strand[k - 1, 0], strand[k, 1] - strand[k - 1, 1], strand[k, 2] - strand[k - 1, 2]
    return float(np.sqrt(x * x + y * y + z * z))


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _at(strand: Any, place: float, axis: int) -> float:
    """A strand (P, 3) at a place between its knots."""
    i = min(int(place), strand.shape[0] - 2)
    return float(strand[i, axis] + (place - i) * (strand[i + 1, axis] - strand[i, axis]))

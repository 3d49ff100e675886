"""A style becomes 32 × 32 guides on a head: each grows from its root under comb, weight, stiffness and skull."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.hair import scalp as chart
from headform.hair.collider import BACK_AT, CHEST_AT, Collider, collider_of, look_up
from headform.hair.groom import GRID, KNOTS
from headform.hair.pull import CLOSE, KINDS, grow, trim
from headform.hair.scalp import Scalp, scalp_of
from headform.hair.style import Style, Tie
from headform.head import HeadModel
from headform.render.surface import vertex_normals

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

GUIDES = GRID * GRID
WHORL = np.array([0.012, 0.130, -0.074])  # where the hair of the crown turns, metres on the mean head
WHORL_WIDE = 0.035
CROWN = np.array([0.0, 0.138, -0.052])  # the middle of a bald crown
LEAST = 0.0008  # metres: shorter hair is no hair
EDGE, EDGE_SHORT = 0.93, 0.55  # of the way to the hairline: hair beyond it is shorter, at most by the second share
UNEVEN = 0.10  # share by which lengths vary over the scalp
PART_RAMP, RAMP = 0.055, 0.02  # metres over which hair rises to its layer, with a parting and without
PART_BENDS, PART_ENDS = 0.05, 0.03  # metres about its end where it nears the middle, and behind it where it fades
ASIDE = 1.2  # times as strong as its tie pulls hair beside a parting to the side
AT_PART = 0.028  # metres from a parting within which hair lies flatter
SHAVED_FROM, SHAVED = 0.030, 0.004  # metres from the middle and of length, where one side is shaved
LIES = 0.5  # share of its lift that hair loses which is combed downwards
UPRIGHT = 3.5  # times its normal upwards stands hair that is cut level
TIE_ABOVE = {"tail": 0.8, "braid": 0.8, "bun": 0.95}  # of its radius a tie's middle is above the skin
TIED_LIFT = 0.25  # of a style's lift: tied hair leaves the scalp towards its tie
SHOULDERS = -0.13  # metres of y: hair that ends above needs no side of the shoulders
ROUND_FROM, ROUND_SHORT, ROUND_LEAN = 0.45, 0.58, 0.5  # where a ball begins to narrow, by how much, and leaning back
ROUND_BACK = 0.45  # of both at the back, where a ball is as wide as it is


@dataclass(frozen=True, eq=False)
class Wearer:
    """A head as hair meets it: its scalp, its vertices (V, 3) at rest, and what hair cannot enter."""

    scalp: Scalp
    vertices: Floats
    normals: Floats
    collider: Collider

    def to_head(self, points: Any) -> Doubles:
        """Points (..., 3) of the mean head, on this one: moved and scaled with the scalp."""
        home, here = self._box
        scale = np.linalg.norm(here[1]) / np.linalg.norm(home[1])
        return np.asarray((np.asarray(points, np.float64) - home[0]) * scale + here[0])

    @property
    def size(self) -> float:
        """How much larger than the mean head."""
        home, here = self._box
        return float(np.linalg.norm(here[1]) / np.linalg.norm(home[1]))

    @property
    def _box(self) -> tuple[tuple[Doubles, Doubles], tuple[Doubles, Doubles]]:
        roots = self.scalp.roots(chart.grid_places())
        home, here = roots.points(self.scalp.home), roots.points(self.vertices)
        return (home.mean(0), home.std(0)), (here.mean(0), here.std(0))


def wearer_of(model: HeadModel, vertices: Floats | None = None) -> Wearer:
    """The mean head, or one with these vertices (V, 3) at rest, made ready for hair."""
    if vertices is None:
        return _mean_wearer(model)
    scalp = scalp_of(model)
    return Wearer(scalp, vertices, vertex_normals(vertices, scalp.triangles), collider_of(scalp, vertices))


@lru_cache(maxsize=2)
def _mean_wearer(model: HeadModel) -> Wearer:
    return wearer_of(model, model.rest())


# ── what a style asks of each root ───────────────────────────────────────────────────────────────


@dataclass(frozen=True, eq=False)
class Places:
    """Places on the scalp, as the tables of styles see them: on the mean head.

    places (N, 2), home (N, 3) metres, reach (N,) 1 at the hairline, azimuth (N,), share (N, 4) of each region
    """

    places: Doubles
    home: Doubles
    reach: Doubles
    azimuth: Doubles
    share: Doubles


def places_of(scalp: Scalp, places: Doubles) -> Places:
    home = np.asarray(scalp.roots(places).points(scalp.home), np.float64)
    reach, azimuth = chart.reach_of(places)
    return Places(places, home, reach, azimuth, _regions(home))


def _regions(home: Doubles) -> Doubles:
    low = 1 - smooth(home[:, 1], 0.075, 0.115)
    front = smooth(home[:, 2], 0.035, 0.065) * smooth(home[:, 1], 0.085, 0.105)
    back = smooth(-home[:, 2], 0.01, 0.05) * low
    side = low * (1 - back)
    share = np.column_stack([front * (1 - side), (1 - front) * (1 - low), side, back])
    return np.asarray(share / share.sum(1, keepdims=True))


def lengths_of(style: Style, at: Places) -> Doubles:
    """(N,) metres of hair at each place; 0 where nothing grows."""
    share = at.share
    if style.level is not None:  # what stands does not pass gently into what lies
        share = share**3 / (share**3).sum(1, keepdims=True)
    length = share @ np.array(style.length)
    if style.fade > 0:
        top = 0.02 + 0.10 * style.fade  # metres of y where the fade ends
        clean = smooth(at.home[:, 1], top - 0.075, top)
        length = length * clean**1.5
    if style.recede > 0:
        length = length * (1 - bare_temples(style.recede, at.home))
    if style.crown > 0:
        far = np.linalg.norm(at.home - CROWN, axis=1)
        length = length * smooth(far, 0.75 * style.crown, style.crown + 0.012)
    side = np.abs(at.home[:, 0])
    if style.strip is not None:
        length = np.where(side > style.strip, np.minimum(length, 0.0), length)
    if style.side:
        length = np.where(-at.home[:, 0] * style.side > SHAVED_FROM, np.minimum(length, SHAVED), length)
    return np.asarray(length)


def bare_temples(recede: float, home: Doubles) -> Doubles:
    """(N,) 1 where a receding hairline has left the scalp bare: two bays, with a peak between them."""
    back = 0.078 - 0.075 * recede  # metres of z that the bays reach
    peak = np.exp(-((home[:, 0] / 0.017) ** 2)) * (1 - 0.8 * max(recede - 0.6, 0) / 0.4)
    limit = back + 0.035 * peak
    bays = smooth(home[:, 2], limit - 0.006, limit + 0.008) * smooth(home[:, 1], 0.075, 0.09)
    return np.asarray(bays)


def smooth(x: Doubles, low: Doubles | float, high: Doubles | float) -> Doubles:
    """0 below `low`, 1 above `high`, without a kink between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def wave(places: Doubles, random: np.random.Generator, busy: float, channels: int = 1) -> Doubles:
    """(N, channels) a smooth random field over the scalp, about ±1."""
    way = random.normal(0, busy, (8, 2))
    phase = random.random((8, channels)) * 2 * np.pi
    height = random.normal(0, 0.35, (8, channels))
    return np.asarray((np.sin((places @ way.T)[..., None] + phase) * height).sum(1))


def combed(style: Style, at: Places, random: np.random.Generator, normals: Doubles) -> Doubles:
    """(N, 3) the way hair is combed at each place, unit vectors."""
    way = at.share @ np.array(style.comb, np.float64)
    x = at.home[:, 0]
    middle = np.tanh(x / 0.01)
    if style.part is None:
        way[:, 0] *= middle
    else:
        low = at.share[:, 2] + at.share[:, 3] > 0.5
        parted = smooth(at.home[:, 2], style.part_back - PART_ENDS, style.part_back)
        beside = beside_part(style, at)
        side = parted * np.sign(beside) + (1 - parted) * 0.5 * np.tanh(beside / 0.03)
        way[:, 0] *= np.where(low, middle, side)
        way[:, 2] -= np.where(low, 0, 1 - parted)  # behind the parting hair goes back
    arm = at.home - WHORL
    far = np.linalg.norm(arm, axis=1, keepdims=True)
    arm = arm / np.maximum(far, 1e-6)
    turn = style.whorl * np.exp(-((far / WHORL_WIDE) ** 2))
    way = unit(way) * (1 - turn) + turn * unit(arm + np.cross(normals, arm))
    return unit(way + style.wander * wave(at.places, random, 5, 3))


def beside_part(style: Style, at: Places) -> Doubles:
    """(N,) metres to the left of the parting, which nears the middle towards its end at the back."""
    line = (style.part or 0.0) * smooth(at.home[:, 2], style.part_back - PART_BENDS, style.part_back + PART_BENDS)
    return np.asarray(at.home[:, 0] - line)


def parted_side(style: Style, at: Places) -> NDArray[np.int8]:
    """(N,) the side of the parting: 1 its left, −1 its right, 0 where there is none."""
    if style.part is None:
        return np.zeros(len(at.home), np.int8)
    along = (at.home[:, 2] > style.part_back - PART_ENDS) & (at.share[:, 0] + at.share[:, 1] > 0.5)
    return np.where(along, np.sign(beside_part(style, at)), 0).astype(np.int8)


def row_ways(scalp: Scalp, places: Doubles) -> Doubles:
    """(N, 3) the way of rows of plaits, from the forehead to the nape, on the mean head."""
    step = np.array([0, 0.5 / GRID])
    ahead, behind = (scalp.roots(places + sign * step).points(scalp.home) for sign in (1, -1))
    return unit(np.asarray(behind, np.float64) - ahead)


def unit(vectors: Any) -> Doubles:
    given = np.asarray(vectors, np.float64)
    return np.asarray(given / np.maximum(np.linalg.norm(given, axis=-1, keepdims=True), 1e-9))


# ── growing ──────────────────────────────────────────────────────────────────────────────────────


def guides_of(style: Style, wearer: Wearer, seed: int = 0) -> Floats:
    """(32, 32, 100, 4) the guides of a style on a head: offsets from the roots in metres, and curliness; NaN where
    nothing grows."""
    random = np.random.default_rng(seed)
    at = places_of(wearer.scalp, chart.grid_places())
    roots = wearer.scalp.roots(at.places)
    root, normal = np.asarray(roots.points(wearer.vertices), np.float64), unit(roots.points(wearer.normals))
    length = _uneven(lengths_of(style, at), style, at, random)
    grows = length > LEAST
    length = np.maximum(length * wearer.size, LEAST)
    way = row_ways(wearer.scalp, at.places) if style.rows else combed(style, at, random, normal)
    gap = CLOSE + style.volume * (0.35 + 0.65 * (1 - at.reach)) * (1 + 0.3 * wave(at.places, random, 5)[:, 0])
    lift = style.lift * (1 - LIES * np.maximum(-way[:, 1], 0))
    if style.part is not None:
        near = np.exp(-((beside_part(style, at) / AT_PART) ** 2)) * (at.home[:, 1] > 0.09)
        gap, lift = gap * (1 - 0.3 * near), lift * (1 - 0.5 * near)
    if style.rounded > 0:
        normal = _leant(style.rounded, at, wearer, normal)
    if style.level is not None:
        upper = smooth(at.share[:, 0] + at.share[:, 1], 0, 0.4)
        normal = unit(normal + UPRIGHT * upper[:, None] * [0, 1, 0])
    wild = unit(random.normal(size=(GUIDES, 3)))
    tie, ties = tied_to(style, at.home), _tie_rows(style, wearer)
    lift = np.where(tie >= 0, TIED_LIFT * lift, lift)
    cut = _cuts(style, at, wearer)
    drape = _drape(style, at, wearer, root, length, cut, tie, ties)
    aside = ASIDE * (at.share[:, 0] + at.share[:, 1]) * (style.part is not None)
    ramp = PART_RAMP if style.part is not None else RAMP
    manner = (style.stiff, style.weight, style.settle, style.hold, style.cling, ramp)
    points, bound_at = np.empty((GUIDES, KNOTS, 3)), np.empty(GUIDES)

    def pulled(length: Doubles) -> None:
        grow(
            root, normal, way, length, lift, gap, drape, aside, tie, ties, wild, manner,
            wearer.collider.bare, wearer.collider.whole, points, bound_at,
        )  # fmt: skip

    if style.ties:  # a tail's length counts from its tie: how far it is to there, hair must find out
        pulled(length + np.where(tie >= 0, 0.5, 0))
        length = length + np.where(tie >= 0, np.minimum(bound_at, 0.45), 0)
    pulled(length)
    level = np.inf if style.level is None else float(wearer.to_head((0, style.level, 0))[1])
    trim(points, cut, level)
    out = np.full((GUIDES, KNOTS, 4), np.nan, np.float32)
    out[grows, :, :3] = (points - root[:, None])[grows]
    out[grows, :, 3] = curliness(style)
    return out.reshape(GRID, GRID, KNOTS, 4)


def _uneven(length: Doubles, style: Style, at: Places, random: np.random.Generator) -> Doubles:
    """(N,) metres: nobody's hair is of one length all over, and the finest grows at the hairline."""
    length = length * (1 + UNEVEN * wave(at.places, random, 4)[:, 0])
    at_front = np.abs(at.azimuth) < 1.3
    if not style.ties and style.fringe_cut is None:
        length = length * (1 - EDGE_SHORT * smooth(at.reach, EDGE, 1.0) * at_front)
    return np.asarray(length * (1 - style.rounded * ROUND_SHORT * _ahead(at) * smooth(at.reach, ROUND_FROM, 1.0)))


def _ahead(at: Places) -> Doubles:
    """(N,) from 1 at the front to ROUND_BACK."""
    return np.asarray(ROUND_BACK + (1 - ROUND_BACK) * (0.5 + 0.5 * np.cos(at.azimuth)))


def _leant(rounded: float, at: Places, wearer: Wearer, normal: Doubles) -> Doubles:
    """(N, 3) ways in which the hair of a ball stands: towards the hairline it leans to the crown."""
    crown = wearer.scalp.roots(np.array([[0.5, 0.5]])).points(wearer.scalp.home)
    lean = (rounded * ROUND_LEAN * _ahead(at) * at.reach**3)[:, None]
    back = unit(crown - at.home)
    return unit(normal + lean * (back - (back * normal).sum(1, keepdims=True) * normal))


def _drape(
    style: Style, at: Places, wearer: Wearer, root: Doubles, length: Doubles, cut: Doubles, tie: Any, ties: Doubles
) -> Doubles:
    """(N,) metres of z where hair lies that falls on the shoulders: before or behind them; 0 for hair too short."""
    line = 0.09 - 0.2 * style.drape
    begin = np.where(tie >= 0, ties[tie, 2], at.home[:, 2])
    height = np.where(tie >= 0, ties[tie, 1], root[:, 1])
    low = wearer.to_head((0, SHOULDERS, 0))[1]
    reaches = (height - length < low) & (cut.max(1) < low + 0.02)
    return np.where(reaches, np.where(begin > line, CHEST_AT, BACK_AT), 0.0)


def curliness(style: Style) -> float:
    """0 straight – 1 coiled: how far a hair of this curl is longer than the way it goes."""
    amplitude, wavelength, _ = style.curl
    return float(1 - 1 / np.hypot(1, 2 * np.pi * amplitude / max(wavelength, 1e-4)))


def tied_to(style: Style, home: Doubles) -> NDArray[np.int64]:
    """(N,) which tie gathers the hair of each place; −1 for none."""
    out = np.full(len(home), -1)
    for index, tie in enumerate(style.ties):
        taken = np.ones(len(home), bool)
        if tie.takes == "left":
            taken = home[:, 0] >= 0
        elif tie.takes == "right":
            taken = home[:, 0] < 0
        elif tie.takes == "upper":
            taken = home[:, 1] > 0.085 - 0.25 * home[:, 2].clip(-1, 0)
        out[taken] = index
    return out


def tie_at(tie: Tie, wearer: Wearer) -> Doubles:
    """(3,) the middle of a tie on a head: as high above the skin as its hair is thick."""
    at = wearer.to_head(tie.at)
    above = tie.radius * wearer.size * TIE_ABOVE[tie.kind] + CLOSE
    for _ in range(4):  # the gradient turns on the way
        far, *up = look_up(wearer.collider.bare, at[0], at[1], at[2])
        at = at + (above - far) * unit(up)
    return at


def _tie_rows(style: Style, wearer: Wearer) -> Doubles:
    """(T + 1, 9) of each tie: place, way of the tail, radius, kind, spread; the last is none."""
    rows = [
        [*tie_at(tie, wearer), *unit(tie.tail), tie.radius * wearer.size, KINDS[tie.kind], tie.spread]
        for tie in style.ties
    ]
    return np.array([*rows, [0.0] * 9])


def _cuts(style: Style, at: Places, wearer: Wearer) -> Doubles:
    """(N, 2) heights at the front (z 0.09) and the back (z −0.09) of the head where each strand is cut; −inf none."""
    out = np.full((len(at.home), 2), -np.inf)
    if style.cut is not None:
        out[:] = [wearer.to_head((0, height, 0))[1] for height in style.cut]
    if style.fringe_cut is not None:
        fringe = (at.share[:, 0] > 0.35) & (np.abs(at.azimuth) < 0.95)
        out[fringe] = wearer.to_head((0, style.fringe_cut, 0))[1]
    return out

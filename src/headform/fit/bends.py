"""Ways in which the outline of a head may differ from what β says: ears, neck and jaw, each bent as a whole.

Few bends, each smooth over the skin, so that a wrong measurement makes no dent. All are given on the left side and
mirrored: once alike on both sides, once opposite.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from headform.head import HeadModel
from headform.render.surface import vertex_normals

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]

NOWHERE, EAR, NECK, JAW = 0, 1, 2, 3
# standard deviations of what differs between the sides over those of what both share, and most of them, for each part
OPPOSITE = {EAR: 0.4, NECK: 0.25, JAW: 0.5}
MOST = {EAR: 2.0, NECK: 1.0, JAW: 2.0}
MIDDLE = 0.03  # metres from the middle of the head to where its sides begin

# the ear of the mean head, in metres: side view (y, z), and how far it stands out
EAR_CENTRE, EAR_RADII = (0.0185, -0.005), (0.028, 0.0135)
EAR_ROOT = np.array([0.071, 0.0185, 0.006])  # in front of the ear, which turns about the vertical through it
SKULL = (0.0695, 0.13)  # |x| of the skull at y = 0, and its slope
RIGID, STILL = 0.006, 1.6  # metres above the skull from which an ear moves as one; radii beyond which nothing does
# standard deviations: turn outwards, of upper part against lobe, lean in radians; shifts in metres; size, height
FLARE, TWIST, ROLL, LEAN, SHIFT, SIZE, TALL = 0.25, 0.1, 0.12, 0.08, (0.003, 0.005, 0.003), 0.1, 0.1

THROAT, SLOPE = -0.03, 0.7  # where the neck begins: y behind z = 0, and its fall before that
NECK_BEGINS = 0.03  # metres over which it comes in
NECK_HATS = (0.02, 0.05, 0.08)  # metres below its beginning
NECK_WIDE, NECK_DEEP = (0.07, 0.11, 0.2), 0.08  # standard deviations as shares of its half width, and of its depth
NECK_AXIS = -0.02  # z
NECK_LEAN, COLLAR = 0.008, 0.1  # metres that the collar may lie aside; below the beginning

JAW_HATS, JAW_WIDE, JAW_ENDS, JAW_OUT = 4, 0.014, 0.03, 0.002  # number; metres: bell, its end, standard deviation


@dataclass(frozen=True, eq=False)
class Bends:
    """B bends of the D vertices that are control vertices themselves.

    moves  (B, D, 3) metres of the neutral mean head for one standard deviation
    most   (B,) standard deviations that each is bent at most
    part   (D,) EAR, NECK, JAW or NOWHERE: whose outline a vertex belongs to
    """

    moves: Floats
    most: Doubles
    part: NDArray[np.int8]

    def offsets(self, amounts: Doubles, count: int) -> Floats:
        """(count, 3) metres by which `amounts` (B,) of the bends move so many control vertices."""
        out = np.zeros((count, 3), np.float32)
        out[: len(self.part)] = np.tensordot(amounts.astype(np.float32), self.moves, 1)
        return out


@lru_cache(maxsize=2)
def bends_of(model: HeadModel) -> Bends:
    """The bends of the default head."""
    rest = model.rest()[: model.direct_count].astype(np.float64)
    skin = model.part_vertices("skin").astype(np.int64)
    place = rest[skin]
    side = np.sign(place[:, 0])
    place = np.column_stack([np.abs(place[:, 0]), place[:, 1:]])
    ear = _ear_weight(model, skin, place)
    neck_depth = THROAT - SLOPE * np.maximum(place[:, 2], 0) - place[:, 1]
    neck = _smooth(neck_depth / NECK_BEGINS) * (1 - ear)
    jaw, jaw_moves = _jaw(model, skin, place, side, (1 - ear) * (1 - neck))
    halves = {EAR: _ear(place, ear), NECK: _neck(place, neck, neck_depth), JAW: jaw_moves}
    mirror = 1 + (side - 1)[:, None] * np.array([1.0, 0, 0])
    fading = np.clip(rest[skin, 0] / MIDDLE, -1, 1)[:, None]  # without a step where the sides meet
    ways, most = [], []
    for kind, half in halves.items():
        ways += [mirror * half, OPPOSITE[kind] * fading * mirror * half]
        most += [MOST[kind]] * 2 * len(half)
    for axis in (0, 2):  # a neck that leans is no matter of sides
        ways.append(_lean(neck, neck_depth, axis))
        most.append(MOST[NECK])
    moves = np.zeros((len(most), len(rest), 3), np.float32)
    moves[:, skin] = np.concatenate(ways)
    part = np.zeros(len(rest), np.int8)
    part[skin] = np.select([ear > 0.5, neck > 0.1, jaw > 0.3], [EAR, NECK, JAW], NOWHERE)
    return Bends(moves, np.array(most), part)


def _ear(place: Doubles, weight: Doubles) -> Doubles:
    """(9, S, 3) an ear turned, twisted, leaned, rolled, shifted, scaled."""
    u = place - EAR_ROOT
    none = np.zeros(len(u))
    high = u[:, 1] / EAR_RADII[0]
    ways = [
        FLARE * np.column_stack([-u[:, 2], none, u[:, 0]]),
        TWIST * high[:, None] * np.column_stack([-u[:, 2], none, u[:, 0]]),
        LEAN * np.column_stack([u[:, 1], -u[:, 0], none]),
        ROLL * np.column_stack([none, u[:, 2], -u[:, 1]]),
        SIZE * u,
        TALL * u * [0, 1, 0],
    ]
    ways += [np.tile(row, (len(u), 1)) for row in np.diag(SHIFT)]
    return np.stack(ways) * weight[:, None]


def _neck(place: Doubles, weight: Doubles, depth: Doubles) -> Doubles:
    """(9, S, 3) a neck wider, or deeper before or behind its axis, at three heights."""
    behind = place[:, 2] - NECK_AXIS
    none = np.zeros(len(place))
    out = []
    for row, wide in enumerate(NECK_WIDE):
        hat = weight * _hat(depth, np.array(NECK_HATS), row)
        out.append(wide * hat[:, None] * np.column_stack([place[:, 0], none, none]))
        for reach in (np.maximum(behind, 0), np.minimum(behind, 0)):
            out.append(NECK_DEEP * hat[:, None] * np.column_stack([none, none, reach]))
    return np.stack(out)


def _lean(weight: Doubles, depth: Doubles, axis: int) -> Doubles:
    """(1, S, 3) the neck leans along an axis, the more the lower."""
    out = np.zeros((1, len(weight), 3))
    out[0, :, axis] = NECK_LEAN * weight * np.clip(depth / COLLAR, 0, 1)
    return out


def _jaw(
    model: HeadModel, skin: NDArray[np.int64], place: Doubles, side: Doubles, allowed: Doubles
) -> tuple[Doubles, Doubles]:
    """(S,) how near the line of the jaw is, and (JAW_HATS, S, 3) the jaw pushed out along parts of it."""
    rest = model.rest()
    line = model.embeddings["ibug_68"].points(rest)[8:17].astype(np.float64)  # from the chin to the left ear
    lengths = np.concatenate([[0], np.linalg.norm(np.diff(line, axis=0), axis=1).cumsum()])
    dense = np.linspace(0, lengths[-1], 100)
    curve = np.column_stack([np.interp(dense, lengths, line[:, k]) for k in range(3)])
    away = np.linalg.norm(place[:, None] - curve[None], axis=2)
    along, near = dense[away.argmin(1)], away.min(1)
    bell = np.exp(-((near / JAW_WIDE) ** 2)) * _smooth((JAW_ENDS - near) / (JAW_ENDS / 2)) * allowed
    normals = vertex_normals(rest, model.triangles[model.triangle_part == model.part_index("skin")])[skin]
    out = normals.astype(np.float64)
    out[:, 0] *= side + (side == 0)
    knots = np.linspace(0, lengths[-1], JAW_HATS)
    return bell, np.stack([JAW_OUT * (bell * _hat(along, knots, row))[:, None] * out for row in range(JAW_HATS)])


def _ear_weight(model: HeadModel, skin: NDArray[np.int64], place: Doubles) -> Doubles:
    """(S,) 1 where an ear moves as a whole, 0 on the skull, between them as even as the mesh allows."""
    y, z = place[:, 1] - EAR_CENTRE[0], place[:, 2] - EAR_CENTRE[1]
    radius = np.hypot(y / EAR_RADII[0], z / EAR_RADII[1])
    near = (radius < STILL) & (place[:, 0] > SKULL[0] - 0.02)
    rigid = near & (place[:, 0] - SKULL[0] - SKULL[1] * place[:, 1] > RIGID)
    weight = rigid.astype(np.float64)
    free = np.flatnonzero(near & ~rigid)
    row_of = np.full(model.vertex_count, -1)
    row_of[skin] = np.arange(len(skin))
    quads = row_of[model.quads[model.part == model.part_index("skin")]]
    edges = np.concatenate([quads[:, [k, (k + 1) % 4]] for k in range(4)])
    edges = np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)
    edges = edges[edges[:, 0] != edges[:, 1]]
    slot = np.full(len(skin), -1)
    slot[free] = np.arange(len(free))
    mine = edges[slot[edges[:, 0]] >= 0]
    system, given = np.zeros((len(free), len(free))), np.zeros(len(free))
    here, there = slot[mine[:, 0]], slot[mine[:, 1]]
    np.add.at(system, (here, here), 1.0)
    inner = there >= 0
    np.add.at(system, (here[inner], there[inner]), -1.0)
    np.add.at(given, here[~inner], weight[mine[~inner, 1]])
    weight[free] = np.linalg.solve(system, given)
    return np.asarray(_smooth(weight))


def _hat(values: Doubles, knots: Doubles, row: int) -> Doubles:
    """(N,) 1 at a knot, 0 at its neighbours, smooth between; the first and the last go on."""
    inside = np.clip(values, knots[0], knots[-1])
    gap = knots[1] - knots[0]
    return _smooth(1 - np.abs(inside - knots[row]) / gap)


def _smooth(t: Doubles) -> Doubles:
    """0 below 0, 1 above 1, smooth between."""
    t = np.clip(t, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float64)

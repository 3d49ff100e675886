"""A style becomes 32 × 32 guides on a head: each grows from its root under comb, weight, stiffness and skull."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.hair import scalp as chart
from headform.hair.collider import Collider, collider_of, look_up
from headform.hair.groom import GRID, KNOTS
from headform.hair.scalp import Scalp, scalp_of
from headform.hair.style import Style
from headform.head import HeadModel

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

GUIDES = GRID * GRID
WHORL = np.array([0.012, 0.130, -0.074])  # where the hair of the crown turns, metres on the mean head
WHORL_WIDE = 0.035
CROWN = np.array([0.0, 0.138, -0.052])  # the middle of a bald crown
LEAST = 0.0015  # metres: shorter hair is no hair
CLOSE = 0.0012  # metres above the skin that the innermost layer lies
EDGE = 0.93  # of the way to the hairline: hair beyond it is shorter
BEHIND_EAR = 0.0015  # metres inside the closed ear: a root that lies so deep grows behind it
FREE, TAIL, BUN, BRAID = 0, 1, 2, 3
KINDS = {"tail": TAIL, "bun": BUN, "braid": BRAID}


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


def vertex_normals(vertices: Floats, triangles: NDArray[np.int32]) -> Floats:
    """(V, 3) unit normals, means over the triangles by area; 0 where there is none."""
    corner = vertices[triangles]
    across = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    out = np.stack(
        [sum(np.bincount(triangles[:, c], across[:, axis], len(vertices)) for c in range(3)) for axis in range(3)], 1
    )
    return np.asarray(out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12), np.float32)


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
    length = at.share @ np.array(style.length)
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
        other = smooth(-at.home[:, 0] * style.side, 0.028, 0.038)
        length = length * (1 - other) + other * np.minimum(length, 0.004)
    return np.asarray(length)


def bare_temples(recede: float, home: Doubles) -> Doubles:
    """(N,) 1 where a receding hairline has left the scalp bare: two bays, with a peak between them."""
    back = 0.078 - 0.075 * recede  # metres of z that the bays reach
    peak = np.exp(-((home[:, 0] / 0.017) ** 2)) * (1 - 0.8 * max(recede - 0.6, 0) / 0.4)
    limit = back + 0.035 * peak
    bays = smooth(home[:, 2], limit - 0.006, limit + 0.008) * smooth(home[:, 1], 0.075, 0.09)
    return np.asarray(bays)


def smooth(x: Doubles, low: float, high: float) -> Doubles:
    """0 below `low`, 1 above `high`, without a kink between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def wave(places: Doubles, random: np.random.Generator, busy: float, channels: int = 1) -> Doubles:
    """(N, channels) a smooth random field over the scalp, about ±1."""
    way = random.normal(0, busy, (8, 2))
    phase = random.random((8, channels)) * 2 * np.pi
    height = random.normal(0, 0.35, (8, channels))
    return np.asarray((np.sin((places @ way.T)[..., None] + phase) * height).sum(1))


def combed(style: Style, at: Places, random: np.random.Generator, normals: Floats) -> Doubles:
    """(N, 3) the way hair is combed at each place, unit vectors."""
    way = at.share @ np.array(style.comb, np.float64)
    x = at.home[:, 0]
    if style.part is None:
        way[:, 0] *= np.tanh(x / 0.01)
    else:
        line = style.part * smooth(at.home[:, 2], style.part_back, style.part_back + 0.05)
        side = np.tanh((x - line) / 0.003)
        sides_rule = at.share[:, 2] + at.share[:, 3] > 0.5
        way[:, 0] *= np.where(sides_rule, np.tanh(x / 0.01), side)
    arm = at.home - WHORL
    far = np.linalg.norm(arm, axis=1, keepdims=True)
    arm = arm / np.maximum(far, 1e-6)
    turn = style.whorl * np.exp(-((far / WHORL_WIDE) ** 2))
    way = unit(way) * (1 - turn) + turn * unit(arm + np.cross(normals, arm))
    return unit(way + style.wander * wave(at.places, random, 5, 3))


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
    root, normal = roots.points(wearer.vertices), unit(roots.points(wearer.normals))
    length = lengths_of(style, at) * (1 + 0.10 * wave(at.places, random, 4)[:, 0])
    grows = length > LEAST
    at_front = np.abs(at.azimuth) < 1.3
    if not style.ties:
        length = length * (1 - 0.55 * smooth(at.reach, EDGE, 1.0) * at_front * (style.fringe_cut is None))
    length = length * wearer.size
    way = combed(style, at, random, normal)
    gap = CLOSE + style.volume * (0.35 + 0.65 * (1 - at.reach)) * (1 + 0.3 * wave(at.places, random, 5)[:, 0])
    lift = np.full(GUIDES, style.lift)
    if style.part is not None:
        line = style.part * smooth(at.home[:, 2], style.part_back, style.part_back + 0.05)
        near = np.exp(-(((at.home[:, 0] - line) / 0.028) ** 2)) * (at.home[:, 1] > 0.09)
        gap, lift = gap * (1 - 0.3 * near), lift * (1 - 0.5 * near)
    tie = tied_to(style, at.home)
    ties = _tie_rows(style, wearer)
    length = length + np.where(tie >= 0, 1.22 * np.linalg.norm(root - ties[tie, :3], axis=1), 0)
    cut = _cuts(style, at, wearer)
    points = np.empty((GUIDES, KNOTS, 3))
    _grow(
        root, normal, way, np.maximum(length, LEAST), lift, gap, tie, ties, unit(random.normal(size=(GUIDES, 3))),
        (style.stiff, style.weight, style.settle, style.hold, style.cling, 0.055 if style.part is not None else 0.02),
        wearer.collider.bare, wearer.collider.whole, points,
    )  # fmt: skip
    _trim(points, cut)
    out = np.full((GUIDES, KNOTS, 4), np.nan, np.float32)
    out[grows, :, :3] = (points - root[:, None])[grows]
    out[grows, :, 3] = curliness(style)
    return out.reshape(GRID, GRID, KNOTS, 4)


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


def _tie_rows(style: Style, wearer: Wearer) -> Doubles:
    """(T + 1, 9) of each tie: place, way of the tail, radius, kind, spread; the last is none."""
    rows = [[*wearer.to_head(t.at), *unit(t.tail), t.radius * wearer.size, KINDS[t.kind], t.spread] for t in style.ties]
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


@njit(cache=True, error_model="numpy", nogil=True)
def _grow(
    root: Any,
    normal: Any,
    way: Any,
    length: Any,
    lift: Any,
    gap: Any,
    tie: Any,
    ties: Any,
    wild: Any,
    manner: Any,
    bare: Any,
    whole: Any,
    out: Any,
) -> None:
    """Each guide step by step; what pulls at it is the sum of what the parameters of a style are called for."""
    stiff, weight, settle, hold, cling, ramp = manner
    knots = out.shape[1]
    for n in range(len(root)):
        px, py, pz = root[n, 0], root[n, 1], root[n, 2]
        nx, ny, nz = normal[n, 0], normal[n, 1], normal[n, 2]
        cx, cy, cz = _along(way[n, 0], way[n, 1], way[n, 2], nx, ny, nz)
        dx, dy, dz = _unit(
            lift[n] * nx + (1 - lift[n]) * cx, lift[n] * ny + (1 - lift[n]) * cy, lift[n] * nz + (1 - lift[n]) * cz
        )
        step = length[n] / (knots - 1)
        behind = look_up(whole, px, py, pz)[0] < -BEHIND_EAR
        row = tie[n]
        bound, past = False, 0.0
        out[n, 0, 0], out[n, 0, 1], out[n, 0, 2] = px, py, pz
        for k in range(1, knots):
            s = k * step
            d, gx, gy, gz = look_up(bare if behind else whole, px, py, pz)
            gx, gy, gz = _unit(gx, gy, gz)
            layer = gap[n] * min(1.0, s / ramp + 0.05)
            keep = np.exp(-step / stiff)
            if row >= 0:
                tx, ty, tz = ties[row, 0] - px, ties[row, 1] - py, ties[row, 2] - pz
                far = np.sqrt(tx * tx + ty * ty + tz * tz)
                radius, kind, spread = ties[row, 6], int(ties[row, 7]), ties[row, 8]
                if far < radius * 1.25:
                    bound = True
                if not bound:
                    fx, fy, fz = tx / far, ty / far, tz / far
                    inward = min(0.0, fx * gx + fy * gy + fz * gz)
                    fx, fy, fz = fx - gx * inward, fy - gy * inward, fz - gz * inward
                    layer = gap[n] * 0.5
                    keep = np.exp(-step / 0.010)
                elif kind == BUN:
                    past += step
                    ax, ay, az = _unit(
                        ties[row, 3] + 0.8 * wild[n, 0],
                        ties[row, 4] + 0.8 * wild[n, 1],
                        ties[row, 5] + 0.8 * wild[n, 2],
                    )
                    ox, oy, oz = ay * -tz - az * -ty, az * -tx - ax * -tz, ax * -ty - ay * -tx
                    ox, oy, oz = _unit(ox, oy, oz)
                    pull = (radius * (0.75 + 0.3 * wild[n, 1]) - far) * 120 / max(far, 1e-4)
                    fx, fy, fz = ox - tx * pull, oy - ty * pull, oz - tz * pull
                    layer, keep = CLOSE, np.exp(-step / 0.02)
                else:
                    past += step
                    leave, hang = np.exp(-past / 0.045), 1 - np.exp(-past / 0.045)
                    fan = spread * min(past / 0.06, 1.0) * np.exp(-past / 0.10)
                    if kind == BRAID:
                        fan = 0.0
                    fx = ties[row, 3] * leave + fan * wild[n, 0]
                    fy = ties[row, 4] * leave - hang + fan * wild[n, 1]
                    fz = ties[row, 5] * leave + fan * wild[n, 2]
                    layer, keep = CLOSE + 0.3 * gap[n], np.exp(-step / 0.02)
            else:
                last = np.exp(-s / hold)
                flat = np.exp(-max(d, 0.0) / 0.03)
                dot = (way[n, 0] * gx + way[n, 1] * gy + way[n, 2] * gz) * flat
                cx, cy, cz = _unit(way[n, 0] - gx * dot, way[n, 1] - gy * dot, way[n, 2] - gz * dot)
                fx, fy, fz = last * cx, last * cy - weight * s / (s + settle), last * cz
                # combed hair keeps to its own layer above the skull; below the ears it hangs free of the neck
                near = cling * min(max((d - layer) / 0.012, 0.0), 1.5) * min(max((py + 0.02) / 0.05, 0.0), 1.0)
                near *= min(1.0, s / 0.015)
                fx, fy, fz = fx - gx * near, fy - gy * near, fz - gz * near
                if gy > 0.25 and py < -0.06 and d < layer + 0.01:  # on the shoulders it slides to chest or back
                    fz += (1.0 if root[n, 2] > 0.012 else -1.0) * 1.2
                    fx *= 0.1
            strong = np.sqrt(fx * fx + fy * fy + fz * fz)
            new = (1 - keep) * min(1.0, strong * 3) / (strong + 1e-9)
            dx, dy, dz = _unit(keep * dx + new * fx, keep * dy + new * fy, keep * dz + new * fz)
            qx, qy, qz = px + step * dx, py + step * dy, pz + step * dz
            d, gx, gy, gz = look_up(bare if behind else whole, qx, qy, qz)
            if d < layer:
                gx, gy, gz = _unit(gx, gy, gz)
                up = min(layer - d, 0.9 * step)
                dx, dy, dz = _unit(qx + up * gx - px, qy + up * gy - py, qz + up * gz - pz)
                qx, qy, qz = px + step * dx, py + step * dy, pz + step * dz
            px, py, pz = qx, qy, qz
            out[n, k, 0], out[n, k, 1], out[n, k, 2] = px, py, pz


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _unit(x: float, y: float, z: float) -> Any:
    length = np.sqrt(x * x + y * y + z * z) + 1e-12
    return x / length, y / length, z / length


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _along(x: float, y: float, z: float, nx: float, ny: float, nz: float) -> Any:
    """A way laid onto the surface with this normal."""
    dot = x * nx + y * ny + z * nz
    return _unit(x - nx * dot, y - ny * dot, z - nz * dot)


@njit(cache=True, error_model="numpy", nogil=True)
def _trim(points: Any, cut: Any) -> None:
    """End each strand where it first passes below its cut; its knots are spread evenly over what is left."""
    knots = points.shape[1]
    line = np.empty((knots, 3))
    for n in range(len(points)):
        if cut[n, 0] == -np.inf:
            continue
        end = knots - 1.0
        for k in range(1, knots):
            front = min(max((points[n, k, 2] + 0.09) / 0.18, 0.0), 1.0)
            over = points[n, k, 1] - (cut[n, 1] + front * (cut[n, 0] - cut[n, 1]))
            if over < 0 and k > 3:
                end = float(k)
                break
        if end >= knots - 1:
            continue
        for k in range(knots):
            line[k] = points[n, k]
        for k in range(knots):
            at = k * end / (knots - 1)
            i = min(int(at), knots - 2)
            for axis in range(3):
                points[n, k, axis] = line[i, axis] + (at - i) * (line[i + 1, axis] - line[i, axis])

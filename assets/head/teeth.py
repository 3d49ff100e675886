"""Dental arches: twenty-eight crowns of natural proportions, set along the base mesh's arches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from part_mesh import Array, Ints, PartMesh
from scipy.spatial import ConvexHull

from headform.skin.mouth import (
    CROWN_TOP,
    GUMS_LOWER,
    GUMS_UPPER,
    TEETH_LOWER,
    TEETH_PER_ARCH,
    TEETH_UPPER,
    TONGUE_BELOW,
    TONGUE_TOP,
    TOOTH_MARGIN,
)

MM = 0.001
AROUND = 12  # points around a crown: 0 towards the tongue, 3 backwards along the arch, 6 outward, 9 to the middle
LEVELS = 5


@dataclass(frozen=True)
class Tooth:
    """A crown: width along the arch, height from gum to edge, depth lip to tongue, in mm; `lift`: how far its edge
    stays short of the biting plane; `turn`: degrees of natural rotation, distal side outward.
    """

    name: str
    kind: str
    width: float
    height: float
    depth: float
    lift: float = 0.0
    turn: float = 0.0


# Crown sizes: means of the tables in Nelson, Wheeler's Dental Anatomy, rounded to half a millimetre.
UPPER = (
    Tooth("central incisor", "incisor", 8.5, 10.4, 7.0, 0.0, -1.5),
    Tooth("lateral incisor", "incisor", 6.6, 9.0, 6.0, 0.7, 3.0),
    Tooth("canine", "canine", 7.6, 10.0, 8.0, 0.0, -2.0),
    Tooth("first premolar", "premolar", 7.1, 8.5, 9.0, 0.3, 1.5),
    Tooth("second premolar", "premolar", 6.8, 8.0, 9.0, 0.3, -1.0),
    Tooth("first molar", "molar", 10.2, 7.5, 11.0, 0.5, 1.5),
    Tooth("second molar", "molar", 9.2, 7.0, 11.0, 0.7, 2.0),
)
LOWER = (
    Tooth("central incisor", "incisor", 5.2, 8.8, 6.0, 0.0, 3.0),
    Tooth("lateral incisor", "incisor", 5.8, 9.2, 6.3, 0.1, -4.0),
    Tooth("canine", "canine", 6.9, 10.4, 7.6, -0.3, 2.0),
    Tooth("first premolar", "premolar", 7.0, 8.5, 7.7, -0.5, -3.0),
    Tooth("second premolar", "premolar", 7.1, 8.0, 8.2, -0.5, 2.0),
    Tooth("first molar", "molar", 11.0, 7.5, 10.4, -0.4, 1.0),
    Tooth("second molar", "molar", 10.5, 7.0, 10.0, -0.5, 0.0),
)


@dataclass(frozen=True)
class Shape:
    """A kind of crown at LEVELS heights (0 gum, 1 edge): shares of width and depth, how far the outer face stands
    back in mm, and how square the outline is (2 an ellipse).
    """

    height: tuple[float, ...]
    width: tuple[float, ...]
    back: tuple[float, ...]
    depth: tuple[float, ...]
    square: tuple[float, ...]


SHAPES = {
    "incisor": Shape((-0.16, 0.18, 0.52, 0.84, 1.0), (0.72, 0.85, 0.965, 1.0, 0.93),
                     (1.0, 0.15, 0.0, 0.30, 0.75), (0.80, 0.90, 0.62, 0.33, 0.14), (2.2, 2.5, 2.9, 3.2, 3.4)),
    "canine": Shape((-0.16, 0.18, 0.50, 0.80, 1.0), (0.74, 0.88, 0.99, 1.0, 0.86),
                    (1.0, 0.10, 0.0, 0.55, 1.35), (0.84, 0.95, 0.76, 0.45, 0.16), (2.1, 2.2, 2.3, 2.3, 2.2)),
    "premolar": Shape((-0.16, 0.25, 0.62, 1.0, 0.93), (0.78, 0.90, 1.0, 0.94, 0.54),
                      (0.9, 0.10, 0.1, 1.35, 3.0), (0.86, 0.97, 0.97, 0.66, 0.27), (2.2, 2.3, 2.5, 2.5, 2.5)),
    "molar": Shape((-0.16, 0.25, 0.60, 1.0, 0.93), (0.82, 0.94, 1.0, 0.90, 0.52),
                   (0.8, 0.10, 0.1, 1.20, 3.2), (0.88, 0.98, 0.97, 0.74, 0.34), (2.5, 2.6, 2.8, 3.0, 2.6)),
}
# how far the point stays short of the crown's height, in mm, for the AROUND points of the edge or cusp ring
EDGE = {
    "incisor": (0.0, 0.15, 0.75, 1.3, 0.75, 0.15, 0.0, 0.05, 0.35, 0.75, 0.35, 0.05),
    "canine": (0.0, 1.0, 2.2, 2.9, 2.2, 1.0, 0.0, 0.8, 1.6, 2.2, 1.6, 0.8),
    "premolar": (0.6, 0.9, 1.2, 1.4, 1.15, 0.6, 0.0, 0.5, 1.0, 1.3, 1.2, 0.9),
    "molar": (1.1, 0.3, 0.9, 1.2, 0.9, 0.25, 1.0, 0.0, 0.75, 1.1, 0.8, 0.2),
}
HOLLOW = {"premolar": 1.9, "molar": 2.0}  # depth of the chewing surface below the cusps, in mm

TOUCHING = 1.035  # crowns are this much wider than their place, so that neighbours close up
CONTACT_INSET = 2.2  # mm: neighbours touch this far inside the arch's outer line
EDGE_FRONT = -30.2  # mm above the head joint: the edges of the upper incisors, 2 mm below the lower ones' …
OVERBITE = 2.1
OVERJET = 2.1  # … and this far in front
FORWARD = 1.4  # mm that the upper arch stands in front of the base mesh's, whose lips hang free
PLANE_RISE = 0.115  # the biting plane rises backwards, as the base mesh's arches do


@dataclass(frozen=True)
class Arch:
    """The outer line of one arch, seen from above: depth z = top − a x² − b x⁴, in mm, and its biting plane.

    up is +1 where the roots point up.
    """

    top: float
    a: float
    b: float
    edge: float
    up: int
    teeth: tuple[Tooth, ...]

    def outline(self, inset: float) -> tuple[Array, Array]:
        """Arc lengths (N,) from the middle and points (N, 2) as (x, z), left half, moved `inset` mm inwards."""
        x = np.linspace(0, 42, 2001)
        slope = -2 * self.a * x - 4 * self.b * x**3
        inward = np.stack([slope, -np.ones_like(x)], 1) / np.hypot(slope, 1)[:, None]
        points = np.stack([x, self.top - self.a * x**2 - self.b * x**4], 1) + inset * inward
        return np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]), points

    def biting(self, z: float) -> float:
        """Height of the biting plane, mm."""
        return self.edge + PLANE_RISE * (self.top - z)


def fit_arches(upper_strip: Array, lower_strip: Array) -> tuple[Arch, Arch]:
    """Upper and lower arch from the base mesh's strips of teeth, (68, 3) each, in metres.

    The strips give the course; heights and the bite follow from the lips, which meet at −28.7 mm.
    """
    a, b, top = _fit_outline(upper_strip / MM)
    low_a, low_b, _ = _fit_outline(lower_strip / MM)
    upper = Arch(top + FORWARD, a, b, EDGE_FRONT, 1, UPPER)
    lower = Arch(upper.top - OVERJET, (a + low_a) / 2 * 1.1, (b + low_b) / 2 * 1.1, EDGE_FRONT + OVERBITE, -1, LOWER)
    return upper, lower


def _fit_outline(strip: Array) -> tuple[float, float, float]:
    """Curve z = top − a x² − b x⁴ through a strip's outermost points; a is kept at least that of a natural front."""
    x, z = strip[ConvexHull(strip[:, [0, 2]]).vertices][:, [0, 2]].T
    rows = np.stack([np.ones_like(x), -(x**2), -(x**4)], 1)
    top, a, b = np.linalg.lstsq(rows, z, rcond=None)[0]
    natural = 0.0125  # per mm: incisors and canines on a circle of 40 mm radius
    if a < natural:
        a = natural
        b = float(np.median((top - z - a * x**2)[np.abs(x) > 20] / x[np.abs(x) > 20] ** 4))
    return float(a), float(b), float(top)


@dataclass(frozen=True)
class Seat:
    """Where one crown stands, in mm: origin on the outer line at biting height; unit axes backwards along the arch
    (away from the middle), outward, and `root`, +1 up or −1 down.
    """

    tooth: Tooth
    origin: Array
    distal: Array
    outward: Array
    root: int

    def place(self, along: Array, out: Array, below: Array) -> Array:
        """(..., 3) mm from distances along the arch, outward, and from the edge towards the root."""
        upright = np.array([0.0, self.root, 0.0])
        return (self.origin + along[..., None] * self.distal + out[..., None] * self.outward
                + below[..., None] * upright)

    def faces(self, along: Array, below: Array) -> tuple[Array, Array]:
        """Outer and inner face of the crown, mm outward, at distances from its middle and from its edge."""
        t, s = self.tooth, SHAPES[self.tooth.kind]
        height = 1 - below / t.height
        half_width = np.interp(height, s.height[:4], s.width[:4]) * t.width / 2
        half_depth = np.interp(height, s.height[:4], s.depth[:4]) * t.depth / 2
        square = np.interp(height, s.height[:4], s.square[:4])
        middle = -np.interp(height, s.height[:4], s.back[:4]) - half_depth
        bulge = np.maximum(1 - np.minimum(np.abs(along / half_width), 1) ** square, 0) ** (1 / square)
        return middle + half_depth * bulge, middle - half_depth * bulge


def seats(arch: Arch) -> list[Seat]:
    """The left half's seats from the middle backwards, then the right half's."""
    arc, points = arch.outline(CONTACT_INSET)
    found: dict[int, list[Seat]] = {1: [], -1: []}
    for side, seated in found.items():
        start = 0.0
        for tooth in arch.teeth:
            ends = np.stack([np.interp([start, start + tooth.width], arc, points[:, k]) for k in (0, 1)], 1)
            start += tooth.width
            along = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
            turn = np.deg2rad(tooth.turn + 0.8 * side)  # no mouth is its own mirror image
            along = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ along
            out = np.array([-along[1], along[0]])
            place = ends.mean(0) + CONTACT_INSET * out
            height = arch.biting(place[1]) + arch.up * (tooth.lift + 0.12 * side * np.sin(7 * start))
            seated.append(Seat(tooth, np.array([side * place[0], height, place[1]]),
                               np.array([side * along[0], 0, along[1]]), np.array([side * out[0], 0, out[1]]), arch.up))
    return found[1] + found[-1]


def crowns(arch: Arch) -> PartMesh:
    """All fourteen crowns of an arch, 60 vertices each."""
    box = TEETH_UPPER if arch.up > 0 else TEETH_LOWER
    made = [_crown(seat, _box(box, order)) for seat, order in zip(seats(arch), _boxes_in_order(), strict=True)]
    return PartMesh.joined(made)


def _boxes_in_order() -> list[int]:
    half = TEETH_PER_ARCH // 2
    return [half + k for k in range(half)] + [half - 1 - k for k in range(half)]


def _box(region: tuple[float, float, float, float], order: int) -> Array:
    """(2, 2) lower left and upper right corner of a tooth's box on the sheet."""
    left, bottom, right, top = region
    wide, tall = (right - left) / TEETH_PER_ARCH, top - bottom
    return np.array([[left + (order + TOOTH_MARGIN) * wide, bottom + TOOTH_MARGIN * tall / 2],
                     [left + (order + 1 - TOOTH_MARGIN) * wide, top - TOOTH_MARGIN * tall / 2]])


def _crown(seat: Seat, box: Array) -> PartMesh:
    """Rings from under the gum up the sides, over the edge, and a cap of strips across."""
    t, s = seat.tooth, SHAPES[seat.tooth.kind]
    angle = np.arange(AROUND) * (2 * np.pi / AROUND) - np.pi / 2
    square = np.array(s.square)[:, None]
    along = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** (2 / square) * np.array(s.width)[:, None] * TOUCHING * t.width / 2
    half_depth = np.array(s.depth)[:, None] * t.depth / 2
    out = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** (2 / square) * half_depth
    out = out - np.array(s.back)[:, None] - half_depth
    below = (1 - np.array(s.height)[:, None]) * t.height + np.zeros(AROUND)
    edge = np.array(EDGE[t.kind])
    if t.kind in HOLLOW:
        below[3] = edge
        below[2] += 0.35 * edge
        below[4] = HOLLOW[t.kind] + 0.25 * (edge - edge.mean())
    else:
        below[4] = edge
        below[3] += 0.55 * edge
    vertices = seat.place(along, out, below).reshape(-1, 3) * MM
    quads, cap = _crown_quads(), _cap_quads() + (LEVELS - 1) * AROUND
    side_uv, cap_uv = _crown_uv()
    uv = box[0] + np.concatenate([side_uv, cap_uv]) * (box[1] - box[0])
    mesh = PartMesh(vertices, np.concatenate([quads, cap]), uv,
                    np.concatenate([_crown_quads(AROUND + 1), _cap_quads() + len(side_uv)]))
    left_handed = np.linalg.det(np.stack([seat.distal, seat.outward, [0, seat.root, 0]])) < 0
    return mesh.reversed() if left_handed else mesh


def _crown_quads(stride: int = AROUND) -> Ints:
    k = np.arange(AROUND)
    nxt = (k + 1) % stride
    starts = np.arange(LEVELS - 1)[:, None, None] * stride
    return (starts + np.stack([k, k + stride, nxt + stride, nxt], 1)).reshape(-1, 4)


def _cap_quads() -> Ints:
    return np.array([(4, 3, 2, 2), (5, 4, 2, 1), (6, 5, 1, 0), (7, 6, 0, 11), (8, 7, 11, 10), (9, 8, 10, 10)])


def _crown_uv() -> tuple[Array, Array]:
    """Within its box: sides (LEVELS·(AROUND+1), 2), unrolled with the seam behind; cap (AROUND, 2) seen from above."""
    turn, level = np.arange(AROUND + 1) / AROUND, np.linspace(0, CROWN_TOP, LEVELS)
    side = np.stack(np.broadcast_arrays(turn, level[:, None]), 2).reshape(-1, 2)
    angle = turn[:-1] * 2 * np.pi - np.pi / 2
    middle = (1 + CROWN_TOP) / 2
    return side, np.stack([0.5 + 0.48 * np.cos(angle), middle + 0.9 * (1 - middle) * np.sin(angle)], 1)


# ── gums ─────────────────────────────────────────────────────────────────────────────────────────

# where a crown's gum is cut across, in shares of its half width; more cuts where a smile shows them
FRONT_COLUMNS = (-0.88, -0.60, -0.22, 0.22, 0.60, 0.88)
COLUMNS = {"incisor": FRONT_COLUMNS, "canine": FRONT_COLUMNS, "premolar": (-0.65, 0.0, 0.65), "molar": (-0.65, 0.0, 0.65)}
PAPILLA = {"incisor": 0.42, "canine": 0.40, "premolar": 0.34, "molar": 0.30}  # its height, of the crown's
DISTAL_PAPILLA = 0.12  # behind the last tooth
PAPILLA_DEPTH = 0.55  # of a crown's depth …
ROOT_DEPTH = 0.94  # … and of the ridge between the roots
# rows of the gum: mm rootward of its margin, mm outward of the crown's face; one more, hidden, in between
OUTER_ROWS = ((7.5, -0.9), (3.6, 0.15), (1.6, 0.50), (0.5, 0.42), (0.0, 0.12))
LOWER_OUTER_ROWS = ((5.0, -2.4), (3.0, -0.3), *OUTER_ROWS[2:])  # the lower lip's fold is shallow
HIDDEN_ROW = (0.4, 0.0)  # in the middle of the crown
INNER_ROWS = ((0.0, -0.10), (0.5, -0.40), (1.6, -0.55), (4.0, -1.0), (7.5, -1.6))
PALATE_INNER_ROWS = ((0.0, -0.10), (0.5, -0.40), (1.6, -0.60), (4.0, -1.8), (6.5, -4.5))
SCALLOP_FADES = (0.5, 3.6, 7.5)  # mm rootward of the margin: full scallop, the crowns' heights, one height for all
GUM_LINE = 8.6  # mm from the edges, that height
ROUNDNESS = 0.75  # of the scallops: 1 a parabola, 0.5 half an ellipse
PALATE_SHARES = (0.36, 0.70, 1.0)  # of the way to the midline
PALATE_RISE, PALATE_BROAD = 7.0, 18.0  # mm: so high where it is so far to the midline


def gums(arch: Arch) -> PartMesh:
    """The gum of an arch: a band from the lip's side over the ridge to the tongue's, scalloped around the crowns and
    rising into a point between them; the upper one closes over the palate.
    """
    rows = (OUTER_ROWS, PALATE_INNER_ROWS) if arch.up > 0 else (LOWER_OUTER_ROWS, INNER_ROWS)
    rows = np.array((*rows[0], HIDDEN_ROW, *rows[1]))
    seated = seats(arch)
    left, right = seated[:7], seated[7:]
    band = np.stack([*reversed([_column(c, rows) for c in _columns(right)[1:]]),
                     _column([(left[0], -1.0), (right[0], -1.0)], rows),
                     *[_column(c, rows) for c in _columns(left)[1:]]])
    band = _smoothed(band, np.interp(rows[:, 0], SCALLOP_FADES, [0, 0.25, 1]))
    index = np.arange(band[..., 0].size).reshape(band.shape[:2])
    if arch.up > 0:
        band, index = _with_palate(band)
    used, quads = np.unique(_grid_quads(index), return_inverse=True)
    own = _grid_quads(np.arange(index.size).reshape(index.shape))
    box = np.array(GUMS_UPPER if arch.up > 0 else GUMS_LOWER).reshape(2, 2)
    uv = box[0] + _band_uv(band) * (box[1] - box[0])
    mesh = PartMesh(band.reshape(-1, 3)[used] * MM, quads.reshape(-1, 4), uv, own)
    return mesh.reversed() if arch.up > 0 else mesh


def _columns(half: list[Seat]) -> list[list[tuple[Seat, float]]]:
    """Where the band is cut across, from the middle backwards: pairs (seat, share of its half width); two seats
    where neighbours meet.
    """
    found: list[list[tuple[Seat, float]]] = []
    for seat, behind in zip(half, [*half[1:], None], strict=True):
        found.append([(seat, -1.0)])
        found += [[(seat, share)] for share in COLUMNS[seat.tooth.kind]]
        meeting = [(seat, 1.0)] if behind is None else [(seat, 1.0), (behind, -1.0)]
        found.append(meeting)
    return [c for c in found if c[0][1] != -1.0 or c is found[0]]


def _column(cut: list[tuple[Seat, float]], rows: Array) -> Array:
    """(rows, 3) mm. Where two teeth meet, the mean of what each would have."""
    return np.mean([_profile(seat, share, rows, len(cut) == 1) for seat, share in cut], 0)


def _profile(seat: Seat, share: float, rows: Array, alone: bool) -> Array:
    tooth, between = seat.tooth, abs(share) == 1
    tall = DISTAL_PAPILLA if between and alone else PAPILLA[tooth.kind]
    margin = tooth.height * (1 - tall * (1 - (1 - share**2) ** ROUNDNESS))
    line = np.stack([np.interp(drop, SCALLOP_FADES, [margin, tooth.height, GUM_LINE]) for drop in rows[:, 0]])
    below = line + rows[:, 0]
    along = share * tooth.width / 2 * (1.0 if between else SHAPES[tooth.kind].width[1])
    reach = np.minimum(below, 1.1 * tooth.height)
    outer, inner = seat.faces(np.zeros_like(reach), reach)
    middle, widest = (outer + inner) / 2, (outer - inner) / 2
    half = PAPILLA_DEPTH * widest
    if not between:
        half = np.maximum(seat.faces(np.full_like(reach, along), reach)[0] - middle, half)
    half += (ROOT_DEPTH * widest - half) * np.interp(rows[:, 0], SCALLOP_FADES[:2], [0, 1]) * (half < ROOT_DEPTH * widest)
    facing = np.sign(len(OUTER_ROWS) - np.arange(len(rows)))
    out = middle + facing * half + rows[:, 1]
    return seat.place(np.full_like(out, along * (1.15 if between and alone else 1.0)), out, below)


def _smoothed(band: Array, amount: Array) -> Array:
    """The band with each row (columns, 3) evened out along the arch by its amount, 0 to 1; the ends stay."""
    even = band.copy()
    for _ in range(8):
        even[1:-1] += amount[:, None] * 0.25 * (even[:-2] - 2 * even[1:-1] + even[2:])
    return even


def _with_palate(band: Array) -> tuple[Array, Ints]:
    """The band (columns, rows, 3) with rows added to the midline, and the grid of vertex numbers: both halves share
    the midline's.
    """
    end = band[:, -1]
    facing = (end[::-1] * [-1, 1, 1] + end) / 2
    rise = PALATE_RISE * np.minimum(np.abs(facing[:, 0]) / PALATE_BROAD, 1) ** 1.5
    added = []
    for share in PALATE_SHARES:
        x = end[:, 0] * (1 - share)
        blend = share * facing + (1 - share) * end
        added.append(np.stack([x, blend[:, 1] + rise * np.sin(share * np.pi / 2), blend[:, 2]], 1))
    whole = np.concatenate([band, np.stack(added, 1)], 1)
    index = np.arange(whole.shape[0] * whole.shape[1]).reshape(whole.shape[:2])
    index[:, -1] = np.minimum(index[:, -1], index[::-1, -1])
    return whole, index


def _grid_quads(index: Ints) -> Ints:
    """(Q, 4) of a grid of vertex numbers (columns, rows)."""
    return np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], 2).reshape(-1, 4)


def _band_uv(band: Array) -> Array:
    """(columns · rows, 2) in the unit square: u along the arch, v from the lip to the tongue, by mean length."""
    def shares(step: Array) -> Array:
        total = np.concatenate([[0], np.cumsum(step)])
        return total / total[-1]

    u = shares(np.linalg.norm(np.diff(band[:, 3], axis=0), axis=1))
    v = shares(np.linalg.norm(np.diff(band, axis=1), axis=2).mean(0))
    return np.stack(np.broadcast_arrays(u[:, None], v), 2).reshape(-1, 2)


# ── tongue ───────────────────────────────────────────────────────────────────────────────────────


def tongue_uv(vertices: Array, quads: Ints) -> tuple[Array, Ints]:
    """Texture coordinates (2V, 2) and their rows (Q, 4) for the base mesh's tongue, vertices (V, 3) and quads (Q, 4).

    Seen from above and from below, each in its own box: the first V rows are the upper side's.
    """
    plan = vertices[:, [2, 0]]
    share = (plan - plan.min(0)) / np.ptp(plan, axis=0)
    boxes = [np.array(region).reshape(2, 2) for region in (TONGUE_TOP, TONGUE_BELOW)]
    uv = np.concatenate([box[0] + share * (box[1] - box[0]) for box in boxes])
    corners = vertices[quads]
    facing = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])[:, 1]
    return uv, np.where(facing[:, None] >= 0, quads, quads + len(vertices))

"""Dental arches: twenty-eight crowns of natural proportions, set along the base mesh's arches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from part_mesh import Array, Ints, PartMesh
from scipy.spatial import ConvexHull

from headform.skin.mouth import CROWN_TOP, TEETH_LOWER, TEETH_PER_ARCH, TEETH_UPPER, TOOTH_MARGIN

MM = 0.001
AROUND = 12  # points around a crown: 0 towards the tongue, 3 backwards along the arch, 6 outward
LEVELS = 5


@dataclass(frozen=True)
class Tooth:
    """A crown: width along the arch, height from gum to edge, depth lip to tongue, in mm; `lift`: how far its
    edge stays short of the biting plane; `turn`: degrees of natural rotation, distal side outward.
    """

    name: str
    kind: str
    width: float
    height: float
    depth: float
    lift: float = 0.0
    turn: float = 0.0


# Crown sizes after the means in Wheeler's Dental Anatomy, to within 0.6 mm; lifts and turns are our own.
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
    """A kind of crown at LEVELS heights (0 gum, 1 edge): shares of width and depth, how far the outer face
    stands back in mm, and how square the outline is (2 an ellipse).
    """

    height: tuple[float, ...]
    width: tuple[float, ...]
    back: tuple[float, ...]
    depth: tuple[float, ...]
    square: tuple[float, ...]


SHAPES = {
    "incisor": Shape(
        (-0.16, 0.18, 0.52, 0.84, 1.0),
        (0.72, 0.85, 0.965, 1.0, 0.93),
        (1.0, 0.15, 0.0, 0.30, 0.75),
        (0.80, 0.90, 0.62, 0.33, 0.14),
        (2.2, 2.5, 2.9, 3.2, 3.4),
    ),
    "canine": Shape(
        (-0.16, 0.18, 0.50, 0.80, 1.0),
        (0.74, 0.88, 0.99, 1.0, 0.86),
        (1.0, 0.10, 0.0, 0.55, 1.35),
        (0.84, 0.95, 0.76, 0.45, 0.16),
        (2.1, 2.2, 2.3, 2.3, 2.2),
    ),
    "premolar": Shape(
        (-0.16, 0.25, 0.62, 1.0, 0.93),
        (0.78, 0.90, 1.0, 0.94, 0.54),
        (0.9, 0.10, 0.1, 1.35, 3.0),
        (0.86, 0.97, 0.97, 0.66, 0.27),
        (2.2, 2.3, 2.5, 2.5, 2.5),
    ),
    "molar": Shape(
        (-0.16, 0.25, 0.60, 1.0, 0.93),
        (0.82, 0.94, 1.0, 0.90, 0.52),
        (0.8, 0.10, 0.1, 1.20, 3.2),
        (0.88, 0.98, 0.97, 0.74, 0.34),
        (2.5, 2.6, 2.8, 3.0, 2.6),
    ),
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
LOWER_BEND = 1.1  # the lower arch lies within the upper one, so it bends more
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
        """Arc lengths (N,) from the middle and points (N, 2) as (x, z), left half, `inset` mm inwards."""
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
    low_a, low_b = LOWER_BEND * (a + low_a) / 2, LOWER_BEND * (b + low_b) / 2
    lower = Arch(upper.top - OVERJET, low_a, low_b, EDGE_FRONT + OVERBITE, -1, LOWER)
    return upper, lower


def _fit_outline(strip: Array) -> tuple[float, float, float]:
    """a, b and top of z = top − a x² − b x⁴ through a strip's outermost points, the front kept round."""
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
    """Where one crown stands, in mm: origin on the outer line at biting height; unit axes backwards along the
    arch (away from the middle), outward, and `root`, +1 up or −1 down.
    """

    tooth: Tooth
    origin: Array
    distal: Array
    outward: Array
    root: int

    def place(self, along: Array, out: Array, below: Array) -> Array:
        """(..., 3) mm from distances along the arch, outward, and from the edge towards the root."""
        upright = np.array([0.0, self.root, 0.0])
        return self.origin + along[..., None] * self.distal + out[..., None] * self.outward + below[..., None] * upright

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
            origin = np.array([side * place[0], height, place[1]])
            distal, outward = (np.array([side * axis[0], 0, axis[1]]) for axis in (along, out))
            seated.append(Seat(tooth, origin, distal, outward, arch.up))
    return found[1] + found[-1]


def crowns(arch: Arch) -> PartMesh:
    """All fourteen crowns of an arch, 60 vertices each."""
    box = TEETH_UPPER if arch.up > 0 else TEETH_LOWER
    placed = zip(seats(arch), _boxes_in_order(), strict=True)
    return PartMesh.joined([_crown(seat, _box(box, order)) for seat, order in placed])


def _boxes_in_order() -> list[int]:
    half = TEETH_PER_ARCH // 2
    return [half + k for k in range(half)] + [half - 1 - k for k in range(half)]


def _box(region: tuple[float, float, float, float], order: int) -> Array:
    """(2, 2) lower left and upper right corner of a tooth's box on the sheet."""
    left, bottom, right, top = region
    wide, tall = (right - left) / TEETH_PER_ARCH, top - bottom
    return np.array(
        [
            [left + (order + TOOTH_MARGIN) * wide, bottom + TOOTH_MARGIN * tall / 2],
            [left + (order + 1 - TOOTH_MARGIN) * wide, top - TOOTH_MARGIN * tall / 2],
        ]
    )


def _crown(seat: Seat, box: Array) -> PartMesh:
    """Rings from under the gum up the sides, over the edge, and a cap of strips across."""
    t, s = seat.tooth, SHAPES[seat.tooth.kind]
    angle = np.arange(AROUND) * (2 * np.pi / AROUND) - np.pi / 2
    square = np.array(s.square)[:, None]
    half_width = np.array(s.width)[:, None] * TOUCHING * t.width / 2
    half_depth = np.array(s.depth)[:, None] * t.depth / 2
    along = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** (2 / square) * half_width
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
    mesh = PartMesh(
        vertices,
        np.concatenate([quads, cap]),
        uv,
        np.concatenate([_crown_quads(AROUND + 1), _cap_quads() + len(side_uv)]),
    )
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
    """Within its box: sides (LEVELS·(AROUND+1), 2), unrolled, the seam behind; cap (AROUND, 2) from above."""
    turn, level = np.arange(AROUND + 1) / AROUND, np.linspace(0, CROWN_TOP, LEVELS)
    side = np.stack(np.broadcast_arrays(turn, level[:, None]), 2).reshape(-1, 2)
    angle = turn[:-1] * 2 * np.pi - np.pi / 2
    middle = (1 + CROWN_TOP) / 2
    return side, np.stack([0.5 + 0.48 * np.cos(angle), middle + 0.9 * (1 - middle) * np.sin(angle)], 1)

"""The soft parts of the mouth: gums around the crowns, the palate, and texture coordinates for the tongue."""

from __future__ import annotations

import numpy as np
from part_mesh import Array, Ints, PartMesh
from teeth import MM, SHAPES, Arch, Seat, seats

from headform.skin.mouth import GUMS_LOWER, GUMS_UPPER, TONGUE_BELOW, TONGUE_TOP

# where a crown's gum is cut across, in shares of its half width; more cuts where a smile shows them
FRONT_COLUMNS = (-0.88, -0.60, -0.22, 0.22, 0.60, 0.88)
BACK_COLUMNS = (-0.65, 0.0, 0.65)
COLUMNS = {"incisor": FRONT_COLUMNS, "canine": FRONT_COLUMNS, "premolar": BACK_COLUMNS, "molar": BACK_COLUMNS}
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
SCALLOP_FADES = (0.5, 3.6, 7.5)  # mm rootward: full scallop, the crowns' heights, one height for all
GUM_LINE = 8.6  # mm from the edges, that height
ROUNDNESS = 0.75  # of the scallops: 1 a parabola, 0.5 half an ellipse
PALATE_SHARES = (0.36, 0.70, 1.0)  # of the way to the midline
PALATE_RISE, PALATE_BROAD = 7.0, 18.0  # mm: so high where it is so far to the midline


def gums(arch: Arch) -> PartMesh:
    """The gum of an arch: a band from the lip's side over the ridge to the tongue's, scalloped around the
    crowns and rising into a point between them; the upper one closes over the palate.
    """
    rows = (OUTER_ROWS, PALATE_INNER_ROWS) if arch.up > 0 else (LOWER_OUTER_ROWS, INNER_ROWS)
    rows = np.array((*rows[0], HIDDEN_ROW, *rows[1]))
    seated = seats(arch)
    left, right = seated[:7], seated[7:]
    band = np.stack(
        [
            *reversed([_column(c, rows) for c in _columns(right)]),
            _column([(left[0], -1.0), (right[0], -1.0)], rows),
            *[_column(c, rows) for c in _columns(left)],
        ]
    )
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
    """Where the band is cut across, behind the middle: pairs (seat, share of its half width); two where
    teeth meet.
    """
    found: list[list[tuple[Seat, float]]] = []
    for seat, behind in zip(half, [*half[1:], None], strict=True):
        found += [[(seat, share)] for share in COLUMNS[seat.tooth.kind]]
        found.append([(seat, 1.0)] if behind is None else [(seat, 1.0), (behind, -1.0)])
    return found


def _column(cut: list[tuple[Seat, float]], rows: Array) -> Array:
    """(rows, 3) mm. Where two teeth meet, the mean of what each would have."""
    return np.mean([_profile(seat, share, rows, len(cut) == 1) for seat, share in cut], 0)


def _profile(seat: Seat, share: float, rows: Array, alone: bool) -> Array:
    tooth, between = seat.tooth, abs(share) == 1
    tall = DISTAL_PAPILLA if between and alone else PAPILLA[tooth.kind]
    margin = tooth.height * (1 - tall * (1 - (1 - share**2) ** ROUNDNESS))
    below = np.interp(rows[:, 0], SCALLOP_FADES, [margin, tooth.height, GUM_LINE]) + rows[:, 0]
    along = share * tooth.width / 2 * (1.0 if between else SHAPES[tooth.kind].width[1])
    reach = np.minimum(below, 1.1 * tooth.height)
    outer, inner = seat.faces(np.zeros_like(reach), reach)
    middle, widest = (outer + inner) / 2, (outer - inner) / 2
    half = PAPILLA_DEPTH * widest
    if not between:
        half = np.maximum(seat.faces(np.full_like(reach, along), reach)[0] - middle, half)
    fuller = np.maximum(ROOT_DEPTH * widest - half, 0)
    half += fuller * np.interp(rows[:, 0], SCALLOP_FADES[:2], [0, 1])
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
    """The band (columns, rows, 3) with rows added to the midline, and the grid of vertex numbers: both halves
    share the midline's.
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
    """(columns · rows, 2) in the unit square: u along the arch, v from lip to tongue, by mean length."""

    def shares(step: Array) -> Array:
        total = np.concatenate([[0], np.cumsum(step)])
        return total / total[-1]

    u = shares(np.linalg.norm(np.diff(band[:, 3], axis=0), axis=1))
    v = shares(np.linalg.norm(np.diff(band, axis=1), axis=2).mean(0))
    return np.stack(np.broadcast_arrays(u[:, None], v), 2).reshape(-1, 2)


# ── tongue ───────────────────────────────────────────────────────────────────────────────────────


def tongue_uv(vertices: Array, quads: Ints) -> tuple[Array, Ints]:
    """Texture coordinates (2V, 2) and their rows (Q, 4) for the base mesh's tongue, (V, 3) and (Q, 4).

    Seen from above and from below, each in its own box: the first V rows are the upper side's.
    """
    plan = vertices[:, [2, 0]]
    share = (plan - plan.min(0)) / np.ptp(plan, axis=0)
    boxes = [np.array(region).reshape(2, 2) for region in (TONGUE_TOP, TONGUE_BELOW)]
    uv = np.concatenate([box[0] + share * (box[1] - box[0]) for box in boxes])
    corners = vertices[quads]
    facing = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])[:, 1]
    return uv, np.where(facing[:, None] >= 0, quads, quads + len(vertices))

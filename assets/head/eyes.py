"""Eyeballs and corneas: rings about the line of sight, +Z, at the size that fits under the lids."""

from __future__ import annotations

import numpy as np
from part_mesh import Array, Ints, PartMesh
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra

from headform.skin.eyes import IRIS_SHEET, LIMBUS_ANGLE, PUPIL_SHARE, SHEET_AT_SIDE, SIDE_ANGLE
from headform.skin.lashes import LOWER_BAND, ROOT, UPPER_BAND

# metres: the lids' inner edge lies 0 to 0.7 mm off this sphere; a smaller one gapes at the nose
RADIUS = 0.0130
SEAT = np.array([0.0, -0.0011, 0.0019])  # of our centre from the centroid of the base mesh's eyeball

SEGMENTS = 32
IRIS_SHARE = float(np.sin(LIMBUS_ANGLE))  # iris over eye radius: 11.7 mm across on the mean head
# pupil and iris: distance from the line of sight in iris radii, depth below the limbus in eye radii
IRIS_RINGS = np.array(
    [
        (0.15, 0.085),
        (PUPIL_SHARE - 0.02, 0.085),
        (PUPIL_SHARE, 0.064),
        (0.45, 0.067),
        (0.63, 0.062),
        (0.81, 0.049),
        (0.94, 0.030),
        (0.995, 0.012),
    ]
)
LIMBUS_RINGS = np.array([1.0, 1.07, 1.24, 1.48])  # on the sphere; in iris radii
SCLERA_ANGLES = np.deg2rad([50, 60, 70, 80, 90, 104, 122, 145, 166])  # from the line of sight

CORNEA_RINGS = np.array([0.3, 0.58, 0.8, 0.94, 1.07, 1.24])  # in iris radii; the last two over LIMBUS_RINGS
CORNEA_HEIGHT = 2.5 / 14.5  # of the apex over the plane of the limbus, in eye radii
CORNEA_CURVE = 7.8 / 5.9  # radius of curvature over the iris radius
FILM = np.array([0.10, 0.04]) / 13  # how far the last two rings stand off the sclera, in eye radii


def eyeball(centre: Array, radius: float = RADIUS) -> PartMesh:
    """Sclera, a hollow iris set back behind the limbus, and the floor of the pupil; 674 vertices.

    centre (3,) and radius in metres. Texture sheet: see `headform.skin.eyes`.
    """
    iris = IRIS_SHARE
    limbus_depth = np.sqrt(1 - iris**2)
    inside = np.stack([IRIS_RINGS[:, 0] * iris, limbus_depth - IRIS_RINGS[:, 1]], 1)
    angles = np.concatenate([np.arcsin(LIMBUS_RINGS * iris), SCLERA_ANGLES])
    sphere = np.stack([np.sin(angles), np.cos(angles)], 1)
    sheet = np.concatenate([IRIS_RINGS[:, 0] * IRIS_SHEET, sheet_radius(angles), [0.5]])
    profile = np.concatenate([inside, sphere])
    front = (0.0, float(inside[0, 1]))
    return _turned(centre, radius, front, profile, (0.0, -1.0), sheet)


def cornea(centre: Array, radius: float = RADIUS) -> PartMesh:
    """The clear dome over the iris, running out just above the sclera; 193 vertices, open behind.

    centre (3,) and radius in metres. Its sheet is the eyeball's, so that both may share a picture.
    """
    iris = IRIS_SHARE
    limbus_depth = np.sqrt(1 - iris**2)
    apex = limbus_depth + CORNEA_HEIGHT
    curve = CORNEA_CURVE * iris
    out = CORNEA_RINGS * iris
    dome = apex - curve + np.sqrt(curve**2 - np.minimum(out, curve) ** 2)
    shell = np.sqrt((1 + FILM[0]) ** 2 - out**2)
    depth = _soft_maximum(dome, shell, 0.012)
    depth[-2:] = np.sqrt((1 + FILM) ** 2 - out[-2:] ** 2)
    sheet = np.where(out <= iris, out / iris * IRIS_SHEET, sheet_radius(np.arcsin(np.minimum(out, 1))))
    return _turned(centre, radius, (0.0, float(apex)), np.stack([out, depth], 1), None, sheet)


def sheet_radius(angle: Array) -> Array:
    """Distance from the middle of the sheet, of its width, at angles in radians from the line of sight."""
    return np.interp(angle, [LIMBUS_ANGLE, SIDE_ANGLE, np.pi], [IRIS_SHEET, SHEET_AT_SIDE, 0.5])


def centres(left_eyeball: Array, right_eyeball: Array) -> tuple[Array, Array]:
    """Centres (3,) of our left and right eye from the vertices (72, 3) of the base mesh's, in metres."""
    return left_eyeball.mean(0) + SEAT, right_eyeball.mean(0) + SEAT * [-1, 1, 1]


def eye_pair(left_centre: Array, right_centre: Array, radius: float = RADIUS) -> dict[str, PartMesh]:
    """`eye_left`, `eye_right`, `cornea_left`, `cornea_right`. The right eye is a mirror image of the left."""
    across = right_centre * [-1, 1, 1]
    return {
        "eye_left": eyeball(left_centre, radius),
        "eye_right": eyeball(across, radius).mirrored(),
        "cornea_left": cornea(left_centre, radius),
        "cornea_right": cornea(across, radius).mirrored(),
    }


def _turned(
    centre: Array,
    radius: float,
    front: tuple[float, float],
    profile: Array,
    back: tuple[float, float] | None,
    sheet: Array,
) -> PartMesh:
    """A body turned about +Z: a pole, rings (distance, depth) in eye radii, and a second pole or none."""
    turn = np.arange(SEGMENTS) * (2 * np.pi / SEGMENTS)
    around = np.stack([np.cos(turn), np.sin(turn)], 1)
    rings = np.concatenate([profile[:, None, :1] * around, np.repeat(profile[:, None, 1:], SEGMENTS, 1)], 2)
    vertices = [[[0, 0, front[1]]], rings.reshape(-1, 3)]
    uv = [[[0.5, 0.5]], (0.5 + sheet[: len(profile), None, None] * around).reshape(-1, 2)]
    quads = _ring_quads(len(profile))
    quads_uv = quads
    if back is not None:  # the far pole is spread round the sheet's rim: one uv row for each of its triangles
        pole, half = 1 + len(profile) * SEGMENTS, np.pi / SEGMENTS
        last = np.arange(SEGMENTS) + pole - SEGMENTS
        nxt = np.roll(last, -1)
        vertices.append([[0, 0, back[1]]])
        uv.append(0.5 + 0.5 * np.stack([np.cos(turn + half), np.sin(turn + half)], 1))
        cap = np.stack([nxt, last, np.full(SEGMENTS, pole), np.full(SEGMENTS, pole)], 1)
        rim = pole + np.arange(SEGMENTS)
        quads = np.concatenate([quads, cap])
        quads_uv = np.concatenate([quads_uv, np.stack([nxt, last, rim, rim], 1)])
    placed = centre + radius * np.concatenate(vertices)
    return PartMesh(placed, quads, np.concatenate(uv), quads_uv)


def _ring_quads(rings: int) -> Ints:
    """A fan about vertex 0 and bands between rings of SEGMENTS vertices, counter-clockwise seen from +Z."""
    k = np.arange(SEGMENTS)
    nxt = np.roll(k, -1)
    fan = np.stack([k + 1, nxt + 1, np.zeros_like(k), np.zeros_like(k)], 1)
    starts = 1 + SEGMENTS * np.arange(rings - 1)
    band = np.stack([k, k + SEGMENTS, nxt + SEGMENTS, nxt], 1)
    return np.concatenate([fan, (starts[:, None, None] + band).reshape(-1, 4)])


def _soft_maximum(a: Array, b: Array, width: float) -> Array:
    """The larger of two, rounded off where they differ by less than `width`."""
    near = np.clip(0.5 + 0.5 * (a - b) / width, 0, 1)
    return b + (a - b) * near + width * near * (1 - near) / 2


# ── lashes ───────────────────────────────────────────────────────────────────────────────────────


ALL_PAIRS = [(a, b) for a in range(4) for b in range(a)]  # of a face's corners


def lash_uv(vertices: Array, quads: Ints) -> tuple[Array, Ints]:
    """Texture coordinates (L, 2), one for each vertex, and their rows (Q, 4), for the four strips of lashes.

    u runs along the lid from the nose outwards, v from root to tip, within the band of its lid.
    """
    uv = np.zeros((len(vertices), 2))
    strips = connected_components(_graph(quads, ALL_PAIRS, len(vertices)))[1]
    height = np.array([vertices[strips == k, 1].mean() for k in range(strips.max() + 1)])
    for k in range(strips.max() + 1):
        rows = np.flatnonzero(strips == k)
        own = np.searchsorted(rows, quads[np.isin(quads[:, 0], rows)])
        left, right = UPPER_BAND if height[k] > height.mean() else LOWER_BAND
        share = _strip_shares(vertices[rows], own)
        uv[rows] = np.stack([share[:, 0], left + share[:, 1] * (right - left)], 1)
    return uv, quads.copy()


def _strip_shares(vertices: Array, quads: Ints) -> Array:
    """(N, 2) along the lid from the nose and from root to tip, 0 to 1, of a strip that is a grid of quads."""
    around = _graph(quads, ALL_PAIRS, len(vertices))
    rim = _graph(_rim_edges(quads), [(0, 1)], len(vertices))
    corners = np.flatnonzero(np.bincount(quads.ravel()) == 1)
    steps = dijkstra(rim, unweighted=True, indices=corners)  # from each corner along the rim
    reach = np.sort(steps[:, corners], 1)[0]  # 0, the short side, the long side, round two of them
    short, long = int(reach[1]), int(reach[2])

    def side(first: int, second: int) -> Array:
        """Steps from one side of the grid, that between two corners, to every vertex."""
        between = np.flatnonzero(steps[first] + steps[second] == steps[first, corners[second]])
        return dijkstra(around, unweighted=True, indices=between, min_only=True).astype(int)

    root = int(vertices[corners, 2].argmin())  # lashes stand forward of their roots
    root_end = int(np.flatnonzero(steps[root, corners] == long)[0])
    if abs(vertices[corners[root], 0]) > abs(vertices[corners[root_end], 0]):
        root, root_end = root_end, root
    tip = int(np.flatnonzero(steps[root, corners] == short)[0])
    row, column = side(root, root_end), side(root, tip)
    grid = np.zeros((short + 1, long + 1, 3))
    grid[row, column] = vertices
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(grid[1], axis=0), axis=1))])
    up = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(grid[1:], axis=0), axis=2).mean(1))])
    level = np.concatenate([[0], ROOT + (1 - ROOT) * up / up[-1]])
    return np.stack([along[column] / along[-1], level[row]], 1)


def _rim_edges(quads: Ints) -> Ints:
    """(E, 2) edges that only one quad has."""
    ends = np.sort(np.stack([quads, np.roll(quads, -1, 1)], 2).reshape(-1, 2), 1)
    edges, times = np.unique(ends, axis=0, return_counts=True)
    return edges[times == 1]


def _graph(faces: Ints, pairs: list[tuple[int, int]], count: int) -> csr_matrix:
    """Undirected graph of `count` vertices that joins these pairs of places of every face."""
    a, b = np.concatenate([faces[:, pair] for pair in pairs]).T
    return csr_matrix((np.ones(2 * len(a)), (np.r_[a, b], np.r_[b, a])), shape=(count, count))

"""The face-centred texture atlas of the head's skin: one island for what shows, three for what does not."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from unwrap_solver import (
    Domain,
    Placement,
    corner_triangles,
    coverage,
    minimise,
    outline,
    quad_areas,
    signed_areas,
    signed_svd,
    tutte,
)

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

SOCKET_RIGHT, NECK, SOCKET_LEFT, MOUTH, HEAD = range(5)  # the order of topology.ISLANDS
GUTTER = 6 / 1024  # between islands and to the border
FACE_SHARE = 0.457  # of the whole texture
BLEND = 0.03  # metres beyond face and ears over which their finer scale fades
EAR_FINENESS = 0.25  # how far the ears' scale is raised from that of the rest towards the face's
REST_SCALE = 0.68  # of the scale at which all would fit: what is under the hair gives way, not the face
ROUNDNESS = 4.5  # exponent of the superellipse that the main island fills; larger leaves smaller free corners
WEIGHT_REST, WEIGHT_HIDDEN = 0.025, 1e-3  # in the energy: of scalp and neck; of what fills eyes and mouth
HIDDEN_SCALE = 0.4  # of the face's, for what fills eyes and mouth while the main island is solved
STRAIN_POWER = 0.3  # strained quads outside the face gain weight, so that none is far worse than the rest
ROUNDS = 5  # of the main solve; enough for the face to meet its share within 0.001
CURVE_POINTS = 8192


@dataclass(frozen=True, eq=False)
class Atlas:
    """uv (U, 2) in [0, 1], origin bottom-left; quads_uv (Q, 4) rows of uv; report: figures by name."""

    uv: Array
    quads_uv: Ints
    report: dict[str, dict[str, float]]


@dataclass(frozen=True, eq=False)
class Sheet:
    """A flattened piece: `rows` (N,) of the head's vertices, quads (M, 4) into them, and uv (N, 2).

    loop: its outline counter-clockwise; the first `outer` of it lie on the curve, the rest on the middle.
    """

    rows: Ints
    quads: Ints
    loop: Ints
    outer: int
    uv: Array


def face_region(vertices: Array, quads: Ints, island: Ints) -> Mask:
    """(Q,) what a person calls the face: forehead, temples, cheeks, nose, lips, lids, jaw and chin.

    By the quads' centres, in metres: below a hairline that falls from y = 0.095 in the middle by 7·x², in
    front of z = 0.0135 (the ears begin there) and above a line that runs under the jaw from y = −0.040 at
    z = 0.012 down to the chin, 0.36 per metre.
    """
    x, y, z = np.moveaxis(vertices[quads].mean(1), 1, 0)
    below_hair = y < 0.095 - 7 * x**2
    above_jaw = y > -0.040 - 0.36 * (z - 0.012)
    face: Mask = (island == HEAD) & below_hair & above_jaw & (z > 0.0135)
    return face & ~ear_region(vertices, quads, island)


def ear_region(vertices: Array, quads: Ints, island: Ints) -> Mask:
    """(Q,) the ears and the skin they stand on: seen from the side an upright ellipse, beyond |x| = 0.05."""
    x, y, z = np.moveaxis(vertices[quads].mean(1), 1, 0)
    inside = ((z + 0.0015) / 0.0185) ** 2 + ((y - 0.017) / 0.0295) ** 2 < 1
    ears: Mask = (island == HEAD) & (np.abs(x) > 0.05) & inside
    return ears


def unwrap(vertices: Array, quads: Ints, island: Ints, mirror: Ints) -> Atlas:
    """Lay out the skin `vertices` (V, 3), in metres; quads (Q, 4), island (Q,), mirror (V,) of `topology`."""
    left = vertices[quads].mean(1)[:, 0] > 0
    main = main_sheet(vertices, quads, island, mirror, left)
    mouth = mouth_sheet(vertices, quads[left & (island == MOUTH)], mirror)
    socket = socket_sheet(vertices, quads[island == SOCKET_LEFT])
    uv, quads_uv = assemble(quads, island, mirror, left, main, mouth, socket)
    return Atlas(uv, quads_uv, measure(vertices, quads, island, uv, quads_uv))


def main_sheet(vertices: Array, quads: Ints, island: Ints, mirror: Ints, left: Mask) -> Sheet:
    """The person's left half of the outer skin, u ≥ 0.5, with what is behind lids and lips as filling."""
    rows, loop, local, middle = _half(quads[left], mirror)
    points = vertices[rows]
    start = int(np.argmin(np.where(middle[loop], points[loop, 1], np.inf)))
    loop = np.roll(loop, -start)
    back = 1 + int(np.argmax(middle[loop[1:]]))
    outer = back + 1 + int(np.argmax(points[loop[back:], 1]))  # the seam ends at the highest vertex
    curve = superellipse(0.5 - GUTTER, ROUNDNESS)
    placement, uv = _spread(points, local, loop, outer, curve, 0.5, middle)
    kind = island[left]
    face, ear = face_region(vertices, quads, island)[left], ear_region(vertices, quads, island)[left]
    area = quad_areas(points, local)
    hidden = ~np.isin(kind, [HEAD, NECK])
    weight = np.where(hidden, WEIGHT_HIDDEN, np.where(face | ear, 1.0, WEIGHT_REST))
    room = float(abs(np.trapezoid(curve[:, 0] - 0.5, curve[:, 1])))
    finer = np.maximum(_closeness(points, local, face), EAR_FINENESS * _closeness(points, local, ear))
    near = np.sqrt(FACE_SHARE / 2 / area[face].sum())
    triangles, push = corner_triangles(local), np.ones(len(local))
    for _ in range(ROUNDS):
        scale = _scales(area, finer, face, hidden, near, room)
        domain = Domain.of(points, triangles, np.repeat(scale, 4), np.repeat(weight * push, 4))
        uv = minimise(domain, uv, placement, 100)
        strain = domain.energies(uv).reshape(-1, 4).mean(1) / 4
        push = np.where(face | hidden, 1.0, strain**STRAIN_POWER)
        near *= (FACE_SHARE / 2 / signed_areas(uv, local)[face].sum()) ** 0.7
    return Sheet(rows, local, loop, outer, uv)


def _closeness(points: Array, quads: Ints, region: Mask) -> Array:
    """(M,) 1 in the region, smoothly down to 0 at BLEND from it."""
    t = np.clip(_distance(points, quads, region)[quads].mean(1) / BLEND, 0, 1)
    return 1 - t * t * (3 - 2 * t)


def _scales(area: Array, finer: Array, face: Mask, hidden: Mask, near: float, room: float) -> Array:
    """(M,) texture length per metre: `near` on the face, elsewhere so that what shows would fill `room`."""
    usual = np.sqrt(FACE_SHARE / 2 / area[face].sum())
    low, high = 0.0, usual
    for _ in range(60):
        far = (low + high) / 2
        fills = (area * (far + (usual - far) * finer) ** 2)[~hidden].sum()
        low, high = (low, far) if fills > room else (far, high)
    return np.where(hidden, HIDDEN_SCALE * near, REST_SCALE * far + (near - REST_SCALE * far) * finer)


def mouth_sheet(vertices: Array, quads: Ints, mirror: Ints) -> Sheet:
    """The left half of the mouth bag as half a unit disc around the origin, the upper lip on top."""
    rows, loop, local, middle = _half(quads, mirror)
    points = vertices[rows]
    ring = np.flatnonzero(middle[loop] & (~middle[np.roll(loop, 1)] | ~middle[np.roll(loop, -1)]))
    start = ring[np.argmin(points[loop[ring], 1])]
    loop = np.roll(loop, -start)
    outer = 2 + int(np.argmax(middle[loop[1:]]))
    placement, uv = _spread(points, local, loop, outer, superellipse(1.0, 2.0, 0.0), 0.0, middle)
    return Sheet(rows, local, loop, outer, _relaxed(points, local, placement, uv, np.pi / 2))


def socket_sheet(vertices: Array, quads: Ints) -> Sheet:
    """The left eye socket as a unit disc around the origin, the outer corner of the eye on the right."""
    rows, local = np.unique(quads, return_inverse=True)
    local = local.reshape(quads.shape)
    points = vertices[rows]
    loop = outline(local)
    loop = np.roll(loop, -int(np.argmax(points[loop, 0])))
    turn = np.linspace(0, 2 * np.pi, CURVE_POINTS)
    circle = np.stack([np.cos(turn), np.sin(turn)], 1)
    along = _share_of_length(points[np.append(loop, loop[0])])[:-1] * (CURVE_POINTS - 1)
    placement = Placement(len(rows), loop[:0], 0.0, loop, circle, along, loop[:1])
    uv = np.zeros((len(rows), 2))
    uv[loop] = placement.on(along)
    fixed = np.zeros(uv.shape, bool)
    fixed[loop] = True
    uv = tutte(local, uv, fixed, lambda edges: np.ones(len(edges)))
    return Sheet(rows, local, loop, len(loop), _relaxed(points, local, placement, uv, np.pi))


def _relaxed(points: Array, quads: Ints, placement: Placement, uv: Array, room: float) -> Array:
    scale = np.full(4 * len(quads), np.sqrt(room / quad_areas(points, quads).sum()))
    domain = Domain.of(points, corner_triangles(quads), scale, np.ones(4 * len(quads)))
    return minimise(domain, uv, placement, 100)


def _half(quads: Ints, mirror: Ints) -> tuple[Ints, Ints, Ints, Mask]:
    """Rows (N,), outline, quads into the rows, and which of the rows (N,) lie on the middle line."""
    rows, local = np.unique(quads, return_inverse=True)
    local = local.reshape(quads.shape)
    return rows, outline(local), local, mirror[rows] == rows


def _spread(
    points: Array, quads: Ints, loop: Ints, outer: int, curve: Array, middle: float, is_middle: Mask
) -> tuple[Placement, Array]:
    """A half disc to start from: outline by length along the curve, the rest after Tutte."""
    rim, inner = loop[:outer], loop[outer:]
    along = _share_of_length(points[rim]) * (len(curve) - 1)
    placement = Placement(len(points), inner, middle, rim, curve, along, rim[[0, -1]])
    uv, fixed = np.zeros((len(points), 2)), np.zeros((len(points), 2), bool)
    uv[rim], fixed[rim] = placement.on(along), True
    uv[inner, 0], fixed[inner, 0] = middle, True
    free = is_middle.copy()
    free[rim[1:-1]] = False

    def weight(edges: Ints) -> Array:
        return np.where(free[edges].all(1), 0.5, 1.0)  # half of such an edge belongs to the other side

    return placement, tutte(quads, uv, fixed, weight)


def superellipse(radius: float, exponent: float, middle: float = 0.5) -> Array:
    """(CURVE_POINTS, 2) even points of the right half around (middle, middle), from the bottom to the top."""
    turn = np.linspace(-np.pi / 2, np.pi / 2, 25 * CURVE_POINTS)
    c, s = np.cos(turn), np.sin(turn)
    c[[0, -1]] = 0.0
    power = 2 / exponent
    fine = middle + radius * np.stack([np.abs(c) ** power, np.sign(s) * np.abs(s) ** power], 1)
    share, wanted = _share_of_length(fine), np.linspace(0, 1, CURVE_POINTS)
    return np.stack([np.interp(wanted, share, fine[:, 0]), np.interp(wanted, share, fine[:, 1])], 1)


def _share_of_length(line: Array) -> Array:
    length = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1)))
    return length / length[-1]


def _distance(points: Array, quads: Ints, region: Mask) -> Array:
    """(N,) metres along edges from each vertex to the region of quads."""
    edges = np.unique(np.sort(np.stack([quads, np.roll(quads, -1, 1)], -1).reshape(-1, 2), 1), axis=0)
    length = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
    graph = coo_array((length, tuple(edges.T)), shape=(len(points),) * 2).tocsr()
    away: Array = dijkstra(graph, directed=False, indices=np.unique(quads[region]), min_only=True)
    return away


def corner_disc() -> tuple[float, float]:
    """Centre (its distance from both borders) and radius of the largest disc in a free corner."""
    curve = superellipse(0.5 - GUTTER, ROUNDNESS)
    low, high = 0.0, 0.25
    for _ in range(60):
        radius = (low + high) / 2
        centre = GUTTER + radius
        gap = np.linalg.norm(curve - [1 - centre, 1 - centre], axis=1).min() - radius
        low, high = (radius, high) if gap > GUTTER else (low, radius)
    return GUTTER + low, low


def assemble(
    quads: Ints, island: Ints, mirror: Ints, left: Mask, main: Sheet, mouth: Sheet, socket: Sheet
) -> tuple[Array, Ints]:
    """uv (U, 2) and quads_uv (Q, 4): half sheets mirrored, discs set into the corners, seams doubled."""
    centre, radius = corner_disc()
    own = np.where(left[:, None], quads, mirror[quads])  # the left half's vertex for each corner
    corners = np.zeros((*quads.shape, 2))
    sockets = np.isin(island, [SOCKET_LEFT, SOCKET_RIGHT])
    for sheet, chosen in (main, np.isin(island, [HEAD, NECK])), (mouth, island == MOUTH), (socket, sockets):
        corners[chosen] = sheet.uv[np.searchsorted(sheet.rows, own[chosen])]
    hidden = ~np.isin(island, [HEAD, NECK])
    corners[hidden] = corners[hidden] * radius
    corners[island == MOUTH] *= np.where(left[island == MOUTH], 1, -1)[:, None, None] * [1, 0] + [0, 1]
    corners[island == MOUTH] += centre
    corners[sockets] += 1 - centre
    mirrored = ~left & (island != MOUTH)
    corners[mirrored, :, 0] = 1 - corners[mirrored, :, 0]
    piece = np.where(hidden, island, HEAD)
    seam = np.isin(quads, main.rows[main.loop[1 : main.outer - 1]]) & (mirror[quads] == quads)
    side = np.where(seam & ~left[:, None], 1, 0)
    key = (piece[:, None] * len(mirror) + quads) * 2 + side
    _, first, index = np.unique(key, return_index=True, return_inverse=True)
    return corners.reshape(-1, 2)[first], index.reshape(quads.shape)


def measure(vertices: Array, quads: Ints, island: Ints, uv: Array, quads_uv: Ints) -> dict[str, dict[str, float]]:
    """Per region: share of the texture, stretch σ1/σ2, density relative to its mean, and quads not convex."""
    stretch, density, area = _stretch(vertices, quads, uv, quads_uv)
    bent = (density.reshape(-1, 4) <= 0).any(1)
    face, ear = face_region(vertices, quads, island), ear_region(vertices, quads, island)
    regions = {
        "face": face,
        "ears": ear,
        "scalp": (island == HEAD) & ~face & ~ear,
        "neck": island == NECK,
        "mouth": island == MOUTH,
        "sockets": np.isin(island, [SOCKET_LEFT, SOCKET_RIGHT]),
    }
    report = {}
    for name, chosen in regions.items():
        four = np.repeat(chosen, 4)
        weight, ratio = area[four] / area[four].sum(), stretch[four]
        relative = density[four] / (density[four] * weight).sum()
        report[name] = {
            "share": float(signed_areas(uv, quads_uv)[chosen].sum()),
            "ratio_mean": float((ratio * weight).sum()),
            "ratio_p95": _quantile(ratio, weight, 0.95),
            "ratio_max": float(ratio.max()),
            "density_p5": _quantile(relative, weight, 0.05),
            "density_p95": _quantile(relative, weight, 0.95),
            "bent": int(bent[chosen].sum()),
        }
    return report


def _stretch(vertices: Array, quads: Ints, uv: Array, quads_uv: Ints) -> tuple[Array, Array, Array]:
    """For the triangle at each corner (4Q,): σ1/σ2, texture area per square metre, and its square metres."""
    one = np.ones(4 * len(quads))
    domain = Domain.of(vertices, corner_triangles(quads), one, one)
    J = np.einsum("tki,tkj->tij", uv[corner_triangles(quads_uv)], domain.gradient)
    sigma = signed_svd(J)[1]
    return sigma[:, 0] / np.maximum(sigma[:, 1], 1e-12), sigma.prod(1), domain.area


def _quantile(values: Array, weight: Array, share: float) -> float:
    order = np.argsort(values, kind="stable")
    place = np.searchsorted(np.cumsum(weight[order]), share)
    return float(values[order][min(place, len(order) - 1)])


def draw(vertices: Array, quads: Ints, island: Ints, atlas: Atlas, size: int = 1400) -> Image.Image:
    """The layout to look at: wires, redder where stretched (full red at 8), face tinted blue, ears green."""
    stretch = _stretch(vertices, quads, atlas.uv, atlas.quads_uv)[0].reshape(-1, 4).mean(1)
    heat = np.clip(np.log(stretch) / np.log(8), 0, 1)
    colour = 255 * np.stack([np.ones_like(heat), 1 - heat, 1 - heat], 1)
    colour[face_region(vertices, quads, island)] *= [0.75, 0.9, 1]
    colour[ear_region(vertices, quads, island)] *= [0.8, 1, 0.8]
    picture = Image.new("RGB", (size, size), "white")
    pen = ImageDraw.Draw(picture)
    corners = (atlas.uv * [1, -1] + [0, 1])[atlas.quads_uv] * size
    for corner, fill in zip(corners, colour.astype(int), strict=True):
        pen.polygon([tuple(c) for c in corner], fill=tuple(fill.tolist()), outline=(60, 60, 60))
    return picture


def main() -> None:
    ask = argparse.ArgumentParser(description="Lay out a skin and draw the layout, to look at it.")
    ask.add_argument("skin", type=Path, help="npz with skin, quads, island and mirror")
    ask.add_argument("picture", type=Path, help="the drawing; an npz of uv and quads_uv goes beside it")
    given = ask.parse_args()
    with np.load(given.skin) as data:
        vertices, quads, island, mirror = (data[name] for name in ("skin", "quads", "island", "mirror"))
    atlas = unwrap(vertices, quads, island, mirror)
    for region, figures in atlas.report.items():
        print(f"{region:8}", *(f"{name} {value:.3g}" for name, value in figures.items()))
    print("covered twice", int((coverage(atlas.uv, atlas.quads_uv, 4096) > 1).sum()))
    draw(vertices, quads, island, atlas).save(given.picture)
    np.savez(given.picture.with_suffix(".npz"), uv=atlas.uv, quads_uv=atlas.quads_uv)


if __name__ == "__main__":
    main()

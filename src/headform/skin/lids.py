"""The shade of the lids and their lashes on the eyeballs, wherever the lids are."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.head import HeadModel
from headform.photo.landmarks import outline
from headform.skin.iris_seen import UPPER

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

LANDMARKS = "mediapipe_478"
UPPER_SHADE, UPPER_REACH = 0.62, 0.0032  # share of light the upper lid takes at its edge; metres over which it fades
LOWER_SHADE, LOWER_REACH = 0.35, 0.0016
FINER = 4  # pieces of the line between two landmarks on a lid


def lid_shade(model: HeadModel, vertices: Floats, side: str, places: Floats) -> Floats:
    """(N,) 0 … 1: the light that the lids leave to places (N, 3) on the eyeball of this side, `left` or `right`.

    vertices (V, 3) of the head whose lids they are. The upper lid, with its lashes, takes more of it, and farther.
    1 everywhere on a head that does not know the landmarks of lids.
    """
    if LANDMARKS not in model.embeddings:
        return np.ones(len(places), np.float32)
    border = model.embeddings[LANDMARKS].points(vertices)[outline(f"{side}_eye")].astype(np.float64)
    centre, radius = _sphere(vertices[model.part_vertices(f"eye_{side}")].astype(np.float64))
    on_eye = _on_sphere(places.astype(np.float64), centre, radius)
    lids = _on_sphere(border, centre, radius)
    upper = _distance(on_eye, _curve(lids[: UPPER + 1])) / UPPER_REACH
    lower = _distance(on_eye, _curve(np.concatenate([lids[UPPER:], lids[:1]]))) / LOWER_REACH
    left = (1 - UPPER_SHADE * np.exp(-(upper**2))) * (1 - LOWER_SHADE * np.exp(-(lower**2)))
    return np.asarray(left, np.float32)


def _sphere(points: Doubles) -> tuple[Doubles, float]:
    """Centre and radius of the sphere that lies nearest to points (N, 3)."""
    rows = np.column_stack([2 * points, np.ones(len(points))])
    found = np.linalg.lstsq(rows, (points**2).sum(1), rcond=None)[0]
    return found[:3], float(np.sqrt(max(found[3] + found[:3] @ found[:3], 0.0)))


def _on_sphere(points: Doubles, centre: Doubles, radius: float) -> Doubles:
    """Points (N, 3) as the eye's centre sees them on the eyeball: margins of lids stand two millimetres off it."""
    way = points - centre
    return np.asarray(way * (radius / np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-9)))


def _curve(line: Doubles) -> Doubles:
    """A line (M, 3) cut finer and rounded (Catmull and Rom 1974)."""
    padded = np.concatenate([2 * line[:1] - line[1:2], line, 2 * line[-1:] - line[-2:-1]])
    t = (np.arange(FINER) / FINER)[:, None, None]
    a, b, c, d = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    points = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.concatenate([points.transpose(1, 0, 2).reshape(-1, 3), line[-1:]])


def _distance(places: Doubles, line: Doubles) -> Doubles:
    """(N,) from each place (N, 3) to the nearest point of a line (M, 3)."""
    squares = np.full(len(places), np.inf)
    _squares(places, line, squares)
    return np.asarray(np.sqrt(squares))


@njit(cache=True, nogil=True)
def _squares(places: Doubles, line: Doubles, out: Doubles) -> None:
    """Fills (N,) with the squared distance of each place (N, 3) to a line (M, 3), where it is less."""
    for m in range(len(line) - 1):
        ex, ey, ez = line[m + 1] - line[m]
        scale = 1 / max(ex * ex + ey * ey + ez * ez, 1e-12)
        for n in range(len(places)):
            x, y, z = places[n, 0] - line[m, 0], places[n, 1] - line[m, 1], places[n, 2] - line[m, 2]
            along = min(max((x * ex + y * ey + z * ez) * scale, 0.0), 1.0)
            x, y, z = x - along * ex, y - along * ey, z - along * ez
            out[n] = min(out[n], x * x + y * y + z * z)

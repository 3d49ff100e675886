"""Where hair grows: a square laid over the scalp of any head, and roots bound to its triangles."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.hair.groom import GRID
from headform.head import HeadModel
from headform.head.embedding import Embedding
from headform.render import Camera
from headform.render.raster import rasterise

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

BEYOND = 1.3  # the chart goes on to this share of the way from the crown to the hairline: hairlines differ
CHART = 640  # cells of the chart along a side: a cell is half a millimetre
NEAR_SCALP = 1.8  # triangles beyond this reach are not drawn into the chart
FARTHEST = 1.0  # metres, further from the centre than any skull
OUTSIDE = 0.6  # of the mean distance to the centre: nearer lies the inside of the mouth


@dataclass(frozen=True, eq=False)
class Scalp:
    """The scalp of one head model.

    Convention: places are (u, v) on the thesis's square: u 0 at the person's right, 1 at the left; v 0 at the nape, 1
    at the forehead; the circle inside it (Shirley and Chiu 1997) is the hairline. Rows of the grid go with v, columns
    with u. The chart goes a little beyond the square.

    corners (CHART, CHART, 3) and barycentric (CHART, CHART, 3): the triangle under each cell; -1 where there is none
    home    (V, 3) the head's mean, where regions of styles are looked up
    triangles (T, 3) of the outer skin
    """

    corners: NDArray[np.int32]
    barycentric: Floats
    home: Floats
    triangles: NDArray[np.int32]

    def roots(self, places: ArrayLike) -> Embedding:
        """Places (N, 2) bound to the head."""
        cell = (np.asarray(places, np.float64) * 2 - 1 + BEYOND) / (2 * BEYOND) * CHART - 0.5
        column, row = np.clip(np.rint(cell), 0, CHART - 1).astype(int).T
        return Embedding(self.corners[row, column], self.barycentric[row, column])


@lru_cache(maxsize=2)
def scalp_of(model: HeadModel) -> Scalp:
    """The chart of a head's scalp: its skin, projected from the centre of the skull onto the square."""
    home = model.rest()
    skin = (
        model.triangles[model.triangle_part == model.part_index("skin")] if "skin" in model.parts else model.triangles
    )
    reach, azimuth, far = polar(home)
    place = disc_to_square(reach, azimuth)
    near = reach < NEAR_SCALP
    close = (near & (far > OUTSIDE * far[near].mean()))[skin].all(1)
    flat = np.column_stack([place, far]).astype(np.float32)
    size = 2 * BEYOND / CHART
    matrix = np.array([[1 / size, 0, BEYOND / size - 0.5], [0, 1 / size, BEYOND / size - 0.5], [0, 0, 1]])
    camera = Camera(matrix, np.eye(3), np.array([0, 0, FARTHEST]), CHART, CHART, True)
    seen = rasterise(flat, skin[close], camera)
    corners = np.where(seen.covered[..., None], skin[close][seen.triangle], -1).astype(np.int32)
    filled = _filled(seen.covered)
    return Scalp(corners[filled], seen.barycentric[filled], home, skin)


def grid_places() -> Doubles:
    """(1024, 2) the places of the guides, row by row."""
    step = (np.arange(GRID) + 0.5) / GRID
    u, v = np.meshgrid(step, step)
    return np.column_stack([u.ravel(), v.ravel()])


def reach_of(places: ArrayLike) -> tuple[Doubles, Doubles]:
    """(N,) how far from the crown, 1 at the hairline, and (N,) azimuth from the front, positive to the left."""
    a, b = 2 * np.asarray(places, np.float64).T - 1
    wide = np.abs(a) > np.abs(b)
    radius = np.where(wide, a, b)
    over = np.where(wide, b / np.where(wide, a, 1), a / np.where(~wide & (b != 0), b, 1))
    angle = np.where(wide, np.pi / 4 * over, np.pi / 2 - np.pi / 4 * over)
    angle = np.where(radius < 0, angle + np.pi, angle)
    return np.abs(radius), np.arctan2(np.cos(angle), np.sin(angle))


def spread_of(places: ArrayLike) -> Doubles:
    """(N,) how much scalp lies under a small piece of the square, square radians about the centre for each of the disc:
    the area of (reach · line, azimuth) on a sphere."""
    reach, azimuth = reach_of(places)
    around, line = np.array(_table()["hairline"]).T
    limit = np.radians(np.interp(np.degrees(np.abs(azimuth)), around, line))
    near = np.maximum(reach, 1e-6)
    return np.asarray(np.sin(near * limit) * limit / near)


def disc_to_square(reach: Doubles, azimuth: Doubles) -> Doubles:
    """(N, 2) on the square −1 … 1: the inverse of `reach_of`, without its shift to 0 … 1."""
    angle = np.pi / 2 - azimuth
    angle = np.where(angle < -np.pi / 4, angle + 2 * np.pi, angle)
    angle = np.where(angle >= 7 * np.pi / 4, angle - 2 * np.pi, angle)
    quarter = np.floor((angle + np.pi / 4) / (np.pi / 2)).astype(int) % 4
    turned = 4 / np.pi * (angle - quarter * np.pi / 2)
    one = np.choose(quarter, [reach, -turned * reach, -reach, turned * reach])
    other = np.choose(quarter, [turned * reach, reach, -turned * reach, -reach])
    return np.column_stack([one, other])


def polar(points: ArrayLike) -> tuple[Doubles, Doubles, Doubles]:
    """(N,) reach, 1 at the hairline; azimuth from the front, positive to the left; metres from the centre."""
    table = _table()
    arm = np.asarray(points, np.float64) - table["centre"]
    lean = np.radians(table["lean"])
    up = arm[:, 1] * np.cos(lean) - arm[:, 2] * np.sin(lean)
    ahead = arm[:, 1] * np.sin(lean) + arm[:, 2] * np.cos(lean)
    far = np.linalg.norm(arm, axis=1)
    azimuth = np.arctan2(arm[:, 0], ahead)
    around, line = np.array(table["hairline"]).T
    limit = np.interp(np.degrees(np.abs(azimuth)), around, line)
    return np.degrees(np.arccos(np.clip(up / np.maximum(far, 1e-9), -1, 1))) / limit, azimuth, far


def centre() -> Doubles:
    """(3,) the middle of the mean skull, metres."""
    return np.array(_table()["centre"], np.float64)


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((files("headform.hair") / "data" / "scalp.json").read_text())
    return read


def _filled(covered: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each cell the row and column of the nearest covered one in its row, or in its column."""
    rows, columns = np.indices(covered.shape)
    across = _nearest(covered)
    full = covered.any(1)
    source = rows.copy()
    if full.any():
        known = np.flatnonzero(full)
        source = known[np.abs(rows[:, :1] - known).argmin(1)][:, None].repeat(covered.shape[1], 1)
    return source, across[source, columns]


def _nearest(covered: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(H, W) for each cell the column of the nearest covered cell in its row; its own where there is none."""
    width = covered.shape[1]
    column = np.arange(width)
    left = np.maximum.accumulate(np.where(covered, column, -(10**6)), 1)
    right = np.minimum.accumulate(np.where(covered, column, 10**6)[:, ::-1], 1)[:, ::-1]
    nearest = np.where(column - left <= right - column, left, right)
    return np.where((nearest >= 0) & (nearest < width), nearest, column)

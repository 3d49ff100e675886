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
from headform.hair.plane import nearest_in
from headform.head import JOINTS, HeadModel, load_default
from headform.head.embedding import Embedding
from headform.render import Camera
from headform.render.raster import rasterise

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

WIDEST = 2.7  # radians from the pole to the border of the chart: beyond any nape
CHART = 768  # cells of the chart along a side: a cell is 0.7 mm
NEAR_SCALP = 1.8  # triangles beyond this reach are not drawn into the chart
FARTHEST = 1.0  # metres, further from the centre than any skull
OUTSIDE = 0.6  # of the mean distance to the centre: nearer lies the inside of the mouth


@dataclass(frozen=True, eq=False)
class Scalp:
    """The scalp of one head model.

    Convention: places are (u, v) on the thesis's square: u 0 at the person's right, 1 at the left; v 0 at the nape, 1
    at the forehead; the circle inside it (Shirley and Chiu 1997) is the hairline. Rows of the grid go with v, columns
    with u.

    corners (CHART, CHART, 3) and barycentric (CHART, CHART, 3): the triangle under each cell of a chart about
            the crown, in which a point lies as far out as its angle from the pole: smooth, where the square has creases
    home    (V, 3) the head's mean, where regions of styles are looked up
    triangles (T, 3) of the outer skin
    """

    corners: NDArray[np.int32]
    barycentric: Floats
    home: Floats
    triangles: NDArray[np.int32]

    def roots(self, places: ArrayLike) -> Embedding:
        """Places (N, 2) bound to the head."""
        reach, azimuth = reach_of(places)
        cell = (_flat(reach * _limit(azimuth), azimuth) / WIDEST + 1) / 2 * CHART - 0.5
        column, row = np.clip(np.rint(cell), 0, CHART - 1).astype(int).T
        return Embedding(self.corners[row, column], self.barycentric[row, column])


@lru_cache(maxsize=2)
def scalp_of(model: HeadModel) -> Scalp:
    """The chart of a head's scalp: its skin, projected from the centre of the skull."""
    home = _at_home(model)
    skin = (
        model.triangles[model.triangle_part == model.part_index("skin")] if "skin" in model.parts else model.triangles
    )
    reach, azimuth, far = polar(home)
    place = _flat(reach * _limit(azimuth), azimuth)
    near = reach < NEAR_SCALP
    close = (near & (far > OUTSIDE * far[near].mean()))[skin].all(1)
    flat = np.column_stack([place, far]).astype(np.float32)
    size = 2 * WIDEST / CHART
    matrix = np.array([[1 / size, 0, WIDEST / size - 0.5], [0, 1 / size, WIDEST / size - 0.5], [0, 0, 1]])
    camera = Camera(matrix, np.eye(3), np.array([0, 0, FARTHEST]), CHART, CHART, True)
    seen = rasterise(flat, skin[close], camera)
    corners = np.where(seen.covered[..., None], skin[close][seen.triangle], -1).astype(np.int32)
    filled = _filled(seen.covered)
    return Scalp(corners[filled], seen.barycentric[filled], home, skin)


def _at_home(model: HeadModel) -> Floats:
    """(V, 3) the mean of a head, with its eyes where the default head has them: other heads' origins lie elsewhere."""
    eyes = [JOINTS.index("eye_left"), JOINTS.index("eye_right")]
    shift = load_default().joints[eyes].mean(0) - model.joints[eyes].mean(0)
    return np.asarray(model.rest() + shift, np.float32)


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
    limit = _limit(azimuth)
    near = np.maximum(reach, 1e-6)
    return np.asarray(np.sin(near * limit) * limit / near)


def _flat(angle: Doubles, azimuth: Doubles) -> Doubles:
    """(N, 2) on the chart: as far from its middle as the angle from the pole."""
    return np.column_stack([angle * np.sin(azimuth), angle * np.cos(azimuth)])


def _limit(azimuth: Doubles) -> Doubles:
    """(N,) radians from the pole to the hairline."""
    around, line = np.array(_table()["hairline"]).T
    return np.asarray(np.radians(np.interp(np.degrees(np.abs(azimuth)), around, line)))


def polar(points: ArrayLike) -> tuple[Doubles, Doubles, Doubles]:
    """(N,) reach, 1 at the hairline; azimuth from the front, positive to the left; metres from the centre."""
    table = _table()
    arm = np.asarray(points, np.float64) - table["centre"]
    lean = np.radians(table["lean"])
    up = arm[:, 1] * np.cos(lean) - arm[:, 2] * np.sin(lean)
    ahead = arm[:, 1] * np.sin(lean) + arm[:, 2] * np.cos(lean)
    far = np.linalg.norm(arm, axis=1)
    azimuth = np.arctan2(arm[:, 0], ahead)
    angle = np.arccos(np.clip(up / np.maximum(far, 1e-9), -1, 1))
    return angle / _limit(azimuth), azimuth, far


def centre() -> Doubles:
    """(3,) the middle of the mean skull, metres."""
    return np.array(_table()["centre"], np.float64)


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((files("headform.hair") / "data" / "scalp.json").read_text())
    return read


def _filled(covered: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For each cell the row and column of the nearest covered one."""
    nearest = nearest_in(covered)
    return nearest[..., 0].astype(np.intp), nearest[..., 1].astype(np.intp)

"""The 68 points with a jaw that moves: annotators put its 17 points where the head's outline is, not on the skin."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from headform.head import Embedding, HeadModel
from headform.render import Camera

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]

JAW = 17
BACK, UNDER, STEPS = 0.036, 0.014, 9  # metres along the skin that a point at the ears, and at the chin, may move
STILL, FULL = np.radians((10, 50))  # of yaw and pitch: the jaw's points begin to slide, and are at their ends
BRIDGE = 27  # of the 68: between the eyes


def points_68(model: HeadModel, vertices: Floats, camera: Camera) -> Doubles:
    """(68, 2) pixels of a posed head: the jaw slides with the view, the rest is fixed to the skin.

    From the front the outline lies where the jaw's points are. As a side turns to the camera its outline moves
    towards the ear and the edge of the jaw; as the head looks up, all of it moves under the chin.
    """
    out, _ = camera.project(model.embeddings["ibug_68"].points(vertices))
    places, _ = camera.project(jaw_lines(model).points(vertices))
    tracks = places.reshape(JAW, STEPS, 2)
    yaw, pitch = _view(model, vertices, camera)
    turned, raised = (float(np.clip((angle - STILL) / (FULL - STILL), 0, 1)) for angle in (abs(yaw), pitch))
    for row in range(JAW):
        near = row < JAW // 2 if yaw > 0 else row > JAW // 2
        out[row] += tracks[row, round(min(turned * near + raised, 1) * (STEPS - 1))] - tracks[row, 0]
    return out


def _view(model: HeadModel, vertices: Floats, camera: Camera) -> tuple[float, float]:
    """Yaw and pitch in radians of the head to the line from the camera: positive when its right side, and when its
    underside, is seen; both 0 for the mean head seen from straight ahead."""
    across, up, bridge = _axes(model, vertices)
    _, up_at_rest, _ = _axes(model, model.rest())
    way = camera.position - bridge
    way /= np.linalg.norm(way)
    level = float(np.arcsin(-up_at_rest[2]))
    yaw, pitch = (float(np.arcsin(np.clip(-axis @ way, -1, 1))) for axis in (across, up))
    return yaw, pitch - level


def _axes(model: HeadModel, vertices: Floats) -> tuple[Doubles, Doubles, Doubles]:
    """(3,) unit vectors from the right to the left eye and from mouth to eyes, and the bridge of the nose."""
    places = model.embeddings["ibug_68"].points(vertices).astype(np.float64)
    right, left = places[36:42].mean(0), places[42:48].mean(0)
    across = (left - right) / np.linalg.norm(left - right)
    up = (right + left) / 2 - places[48:60].mean(0)
    up -= (up @ across) * across
    return across, up / np.linalg.norm(up), places[BRIDGE]


@lru_cache(maxsize=2)
def jaw_lines(model: HeadModel) -> Embedding:
    """(17 · STEPS) points on the skin: for each jaw point a line from it backwards, across the jaw."""
    rest = model.rest().astype(np.float64)
    skin = model.triangles[model.triangle_part == model.part_index("skin")].astype(np.int64)
    marks = model.embeddings["ibug_68"].points(model.rest()).astype(np.float64)
    corners, weights = [], []
    for row in range(JAW):
        along = marks[min(row + 1, JAW - 1)] - marks[max(row - 1, 0)]
        reach = UNDER + (BACK - UNDER) * min(abs(row - JAW // 2) / 5, 1)
        for triangle, share in _track(rest, skin, marks[row], along / np.linalg.norm(along), reach):
            corners.append(triangle)
            weights.append(share)
    return Embedding(np.array(corners, np.int32), np.array(weights, np.float32))


def _track(
    rest: Doubles, triangles: NDArray[np.int64], middle: Doubles, normal: Doubles, reach: float
) -> list[tuple[NDArray[np.int64], Doubles]]:
    """STEPS points on the cut of the skin with a plane through `middle`, from there backwards as far as `reach`."""
    height = (rest - middle) @ normal
    near = np.linalg.norm(rest[triangles].mean(1) - middle, axis=1) < 2 * reach
    side = height[triangles] > 0
    cut = np.flatnonzero(near & (side.any(1) != side.all(1)))
    ends: dict[tuple[int, int], tuple[NDArray[np.int64], Doubles, Doubles]] = {}
    links: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for t in cut:
        crossing = []
        for k in range(3):
            a, b = int(triangles[t, k]), int(triangles[t, (k + 1) % 3])
            if (height[a] > 0) != (height[b] > 0):
                key = (min(a, b), max(a, b))
                share = height[key[0]] / (height[key[0]] - height[key[1]])
                place = rest[key[0]] * (1 - share) + rest[key[1]] * share
                ends[key] = (np.array([key[0], key[1], key[1]]), np.array([1 - share, share, 0.0]), place)
                crossing.append(key)
        links.setdefault(crossing[0], []).append(crossing[1])
        links.setdefault(crossing[1], []).append(crossing[0])
    start = min(ends, key=lambda key: float(np.linalg.norm(ends[key][2] - middle)))
    arms = [_walk(ends, links, start, first, reach) for first in links[start][:2]]
    arm = min(arms, key=lambda way: ends[way[-1][0]][2][2])
    lengths = np.array([length for _, length in arm])
    wanted = np.linspace(0, min(lengths[-1], reach), STEPS)
    return [ends[arm[int(np.abs(lengths - at).argmin())][0]][:2] for at in wanted]


def _walk(
    ends: dict[tuple[int, int], tuple[NDArray[np.int64], Doubles, Doubles]],
    links: dict[tuple[int, int], list[tuple[int, int]]],
    start: tuple[int, int],
    step: tuple[int, int],
    reach: float,
) -> list[tuple[tuple[int, int], float]]:
    """The cut from its start in one direction, with the length so far, until it ends or is long enough."""
    out, before, length = [(start, 0.0)], start, 0.0
    here: tuple[int, int] | None = step
    while here is not None and length < reach and len(out) < 200:
        length += float(np.linalg.norm(ends[here][2] - ends[before][2]))
        out.append((here, length))
        onward = [key for key in links[here] if key != before]
        before, here = here, onward[0] if onward else None
    return out

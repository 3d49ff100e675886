"""The points of the head that Headform's own network looks for."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from headform.head import Embedding, HeadModel

EXTRA = 90  # beyond the 478: ears, jaw, neck and forehead, where MediaPipe has none
LOWEST, HIGHEST, BACK = -0.115, 0.105, -0.04  # metres: beyond lie clothes, hair and what no portrait shows


@lru_cache(maxsize=4)
def own_points(model: HeadModel) -> Embedding:
    """The 478 landmarks, then vertices spread evenly over the rest of the skin, in pairs left and right."""
    found = model.embeddings["mediapipe_478"]
    rest = model.rest().astype(np.float64)
    mirror = model.extras["mirror"]
    open_skin = model.part_vertices("skin")
    inside = rest[open_skin]
    shown = (inside[:, 1] > LOWEST) & (inside[:, 1] < HIGHEST) & (inside[:, 2] > BACK)
    open_skin = open_skin[shown & (np.abs(inside[:, 0]) > 0.001) & _outermost(inside)]
    chosen: list[int] = []
    near = np.linalg.norm(rest[open_skin][:, None] - found.points(model.rest())[None], axis=-1).min(1)
    while len(chosen) < EXTRA:
        best = int(open_skin[near.argmax()])
        for row in (best, int(mirror[best])):
            chosen.append(row)
            near = np.minimum(near, np.linalg.norm(rest[open_skin] - rest[row], axis=1))
    rows = np.array(chosen, np.int32)
    corners = np.concatenate([found.corners, np.repeat(rows[:, None], 3, 1)])
    weights = np.concatenate([found.barycentric, np.eye(1, 3, dtype=np.float32).repeat(len(rows), 0)])
    return Embedding(corners, weights)


def _outermost(points: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Which points of the skin are not within the head: sockets and the lining of the mouth lie deep."""
    return np.asarray((points[:, 2] < 0.07) | (np.abs(points[:, 0]) > 0.05) | (points[:, 1] > 0.05))

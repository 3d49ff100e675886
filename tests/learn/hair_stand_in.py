"""Simple hair on a ball, for the tests of what learns hair: two numbers make a style."""

from __future__ import annotations

import numpy as np

from headform.learn.hair_source import Grown
from headform.learn.hair_views import Ground, mirror_cells

RADIUS, CELL = 0.1, 0.01


def ball_ground() -> Ground:
    """A ball for a head: its upper half is the scalp, seen from above as a square."""
    along = (np.arange(32) + 0.5) / 32 * 1.2 - 0.6
    z, x = np.meshgrid(along, along, indexing="ij")
    direction = np.stack([x, np.sqrt(1 - x**2 - z**2), z], -1)
    axis = np.arange(-0.2, 0.2 + CELL / 2, CELL)
    places = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)
    angle = np.linspace(0, 2 * np.pi, 24)
    face = np.stack([0.06 * np.cos(angle), 0.08 * np.sin(angle) - 0.02, np.full(24, 0.08)], -1)
    roots = (RADIUS * direction).astype(np.float32)
    values = (np.linalg.norm(places, axis=-1) - RADIUS).astype(np.float32)
    return Ground(roots, face.astype(np.float32), np.full(3, -0.2), CELL, values, values, mirror_cells(roots))


class BallSource:
    """Straight strands of 2–12 cm that hang outwards and down, thinner at the front with some seeds."""

    def __init__(self) -> None:
        self._ground = ball_ground()

    @property
    def ground(self) -> Ground:
        return self._ground

    def guides(self, seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        length, side = rng.uniform(0.02, 0.12), rng.uniform(-0.5, 0.5)
        way = self._ground.roots / RADIUS + (side, -0.8, 0)
        way = way / np.linalg.norm(way, axis=-1, keepdims=True)
        out = np.zeros((32, 32, 100, 4), np.float32)
        out[..., :3] = way[:, :, None] * (length * np.linspace(0, 1, 100))[:, None]
        out[..., 3] = rng.uniform(0, 1)
        out[self._ground.roots[..., 2] > rng.uniform(0.03, 0.08)] = np.nan
        return out

    def grown(self, seed: int) -> Grown:
        guides = self.guides(seed)
        grows = np.isfinite(guides).all((2, 3))
        strands = self._ground.roots[grows][:, None] + guides[grows][:, ::3, :3]
        return Grown(guides, np.asarray(strands, np.float32))

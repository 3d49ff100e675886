"""Grooms made of simple curves, for tests: straight strands and helices whose length is known."""

from __future__ import annotations

import numpy as np

from headform.hair.groom import Groom


def hanging(count: int = 12, length: float = 0.2, radius: float = 0.0, pitch: float = 1.0, knots: int = 100) -> Groom:
    """Strands that hang straight down from a ring, or wind round such lines; `length` is that of the line."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    roots = np.stack([0.08 * np.sin(angle), np.full(count, 0.1), 0.08 * np.cos(angle)], 1)
    down = np.linspace(0, length, knots)
    turn = 2 * np.pi * down / pitch
    helix = np.stack([radius * (np.cos(turn) - 1), -down, radius * np.sin(turn)], 1)
    return Groom((roots[:, None] + helix).astype(np.float32), about={"name": "hanging", "licence": "CC0-1.0"})

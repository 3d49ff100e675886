"""What the expression scores of a photo say about ψ before any point is looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headform.head import HeadModel

Doubles = NDArray[np.float64]

GAIN, SPREAD = 0.8, 0.12  # the networks' scores overstate; how far ψ strays from them
PULL = 4.0  # Laplace prior: a unit that nothing speaks for is 0
UNSEEN = ("tongueOut",)  # no point observes these


@dataclass(frozen=True, eq=False)
class UnitPrior:
    """Mean (E,), precision (E,) and pull (E,) towards 0 of each unit, and which are free."""

    mean: Doubles
    precision: Doubles
    pull: Doubles
    free: NDArray[np.bool_]

    @classmethod
    def of(cls, model: HeadModel, scores: dict[str, float]) -> UnitPrior:
        names = model.expression_names
        mean = np.array([np.clip(GAIN * scores.get(name, 0.0), 0, 1) for name in names])
        free = np.array([name not in UNSEEN for name in names])
        size = len(names)
        return cls(mean, np.full(size, 1 / SPREAD**2), np.full(size, PULL), free)

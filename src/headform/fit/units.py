"""What the expression scores of a photo say about ψ before any point is looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headform.head import HeadModel

Doubles = NDArray[np.float64]

GAIN, SPREAD = 0.8, 0.12  # the networks' scores overstate; how far ψ strays from them
JAW, JAW_SPREAD = "jawOpen", 0.02  # its score is right, while points take the jaw of a long chin for open
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
        precision, pull = np.full(len(names), 1 / SPREAD**2), np.full(len(names), PULL)
        for row in [row for row, name in enumerate(names) if name == JAW]:
            mean[row], precision[row] = np.clip(scores.get(JAW, 0.0), 0, 1), 1 / JAW_SPREAD**2
        return cls(mean, precision, pull, free)

"""Normalised mean errors: of all 68 points and of groups of them, of all photos and by how far the head is turned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headform.measure.landmarks import GROUPS, YAW_BINS, LandmarkScore


@dataclass(frozen=True)
class MeanErrors:
    """Means over photos, as shares of the face's size, the root of its box's area: 0.03 is 3 %.

    groups  {jaw, brow, nose, eye, mouth: mean}; missed: photos in which the detector did not see the face, whose
            box was then that of the true points
    """

    photos: int
    missed: int
    mean: float
    median: float
    groups: dict[str, float]

    @classmethod
    def of(cls, scores: Sequence[LandmarkScore]) -> MeanErrors:
        """Of one photo or more."""
        errors = np.array([score.errors for score in scores])
        each = errors.mean(1)
        groups = {name: float(errors[:, rows].mean()) for name, rows in GROUPS.items()}
        missed = sum(not score.found for score in scores)
        return cls(len(scores), missed, float(each.mean()), float(np.median(each)), groups)


def by_yaw(scores: Sequence[LandmarkScore]) -> dict[str, MeanErrors]:
    """For each bin of |yaw| that holds photos, and for those whose yaw is unknown; the name is the bin in degrees."""
    turn = np.array([abs(score.drawn.yaw) for score in scores])
    bins = {f"{low}–{min(high, 90)}°": (turn >= low) & (turn < high) for low, high in YAW_BINS}
    bins["unknown"] = np.isnan(turn)
    return {
        name: MeanErrors.of([score for score, inside in zip(scores, rows, strict=True) if inside])
        for name, rows in bins.items()
        if rows.any()
    }


def balanced(scores: Sequence[LandmarkScore]) -> float:
    """The mean of the bins' means, as AFLW2000-3D is reported: each bin of yaw counts alike."""
    known = [means.mean for name, means in by_yaw(scores).items() if name != "unknown"]
    return float(np.mean(known)) if known else MeanErrors.of(scores).mean

"""Landmark errors by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headform.measure.landmarks import Drawn, LandmarkScore
from headform.measure.nme import MeanErrors, balanced, by_yaw


def score(errors, yaw: float = 0.0, found: bool = True) -> LandmarkScore:
    return LandmarkScore(
        Drawn(Path("a.jpg"), np.zeros((68, 2)), yaw), np.array(errors, float), np.zeros((68, 2)), found
    )


def test_groups_are_the_rows_of_ibug() -> None:
    errors = np.zeros(68)
    errors[:17], errors[17:27], errors[27:36], errors[36:48], errors[48:] = 1, 2, 3, 4, 5
    means = MeanErrors.of([score(errors), score(errors * 3, found=False)])
    assert means.groups == {"jaw": 2, "brow": 4, "nose": 6, "eye": 8, "mouth": 10}
    one = (17 * 1 + 10 * 2 + 9 * 3 + 12 * 4 + 20 * 5) / 68
    assert means.mean == pytest.approx(2 * one)
    assert means.median == pytest.approx(2 * one)
    assert (means.photos, means.missed) == (2, 1)


def test_bins_of_yaw_count_alike() -> None:
    scores = [score([e] * 68, yaw) for e, yaw in ((1, 0), (3, -29.9), (8, 30), (5, -75), (7, 90), (9, np.nan))]
    bins = by_yaw(scores)
    assert {name: means.mean for name, means in bins.items()} == {"0–30°": 2, "30–60°": 8, "60–90°": 6, "unknown": 9}
    assert balanced(scores) == pytest.approx((2 + 8 + 6) / 3)


def test_without_yaw_the_plain_mean_counts() -> None:
    assert balanced([score([e] * 68, np.nan) for e in (1, 2)]) == 1.5

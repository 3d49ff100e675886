"""What the expression scores say about ψ before a point is looked at."""

from __future__ import annotations

import numpy as np
import pytest

from headform.fit.units import GAIN, JAW, JAW_SPREAD, PULL, SPREAD, UNSEEN, UnitPrior
from headform.head import load_default


def test_scores_find_their_units_by_name() -> None:
    head = load_default()
    prior = UnitPrior.of(head, {"jawOpen": 0.5, "mouthSmileLeft": 1.0})
    assert prior.mean[head.expression_index("jawOpen")] == 0.5  # the one score that is right
    assert prior.mean[head.expression_index("mouthSmileLeft")] == pytest.approx(GAIN)
    assert np.count_nonzero(prior.mean) == 2


def test_the_order_of_the_scores_does_not_matter() -> None:
    head = load_default()
    scores = {name: 0.01 * row for row, name in enumerate(head.expression_names)}
    back = dict(reversed(scores.items()))
    np.testing.assert_array_equal(UnitPrior.of(head, scores).mean, UnitPrior.of(head, back).mean)


@pytest.mark.parametrize(("score", "expected"), [(-0.3, 0.0), (1 / GAIN, 1.0), (3.0, 1.0)])
def test_means_stay_within_what_a_unit_can_do(score: float, expected: float) -> None:
    head = load_default()
    prior = UnitPrior.of(head, {"jawOpen": score})
    assert prior.mean[head.expression_index("jawOpen")] == pytest.approx(expected)


def test_only_units_that_no_point_sees_are_held() -> None:
    head = load_default()
    prior = UnitPrior.of(head, {})
    held = [name for name, free in zip(head.expression_names, prior.free, strict=True) if not free]
    assert tuple(held) == UNSEEN


def test_precision_is_that_of_the_spread() -> None:
    prior = UnitPrior.of(load_default(), {})
    jaw = np.array([name == JAW for name in load_default().expression_names])
    np.testing.assert_allclose(prior.precision[~jaw] * SPREAD**2, 1)
    np.testing.assert_allclose(prior.precision[jaw] * JAW_SPREAD**2, 1)
    assert (prior.pull == PULL).all()


def test_scores_of_units_that_the_head_lacks_are_passed_over() -> None:
    assert not UnitPrior.of(load_default(), {"_neutral": 0.9}).mean.any()

"""Mixing hairstyles strand by strand, and new styles between others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from headform.errors import BadInput
from headform.hair import mix
from headform.hair.groom import GRID, KNOTS

ALONG = np.linspace(0, 1, KNOTS, dtype=np.float32)


@dataclass(frozen=True)
class Cut:
    """A style as far as mixing knows it."""

    name: str
    kind: str
    length: tuple[float, ...] = (0.1, 0.2)
    volume: float = 0.01
    parting: float | None = None
    count: int = 3


def straight(direction: tuple[float, float, float], length: float, curliness: float = 0.0) -> np.ndarray:
    """Guides that all run one way."""
    way = np.asarray(direction, np.float64) / np.linalg.norm(direction)
    guides = np.zeros((GRID, GRID, KNOTS, 4), np.float32)
    guides[..., :3] = ALONG[:, None] * (way * length)
    guides[..., 3] = curliness
    return guides


def lengths(guides: np.ndarray) -> np.ndarray:
    return np.linalg.norm(np.diff(guides[..., :3], axis=-2), axis=-1).sum(-1)


def test_weights_are_smooth_sum_to_one_and_are_the_seeds():
    weight = mix.weights(3, seed=5)
    assert weight.shape == (3, GRID, GRID)
    assert np.allclose(weight.sum(0), 1, atol=1e-6)
    # weights without any smoothness, softmax of three independent normals times SHARPNESS, differ by 0.4 on average
    assert np.abs(np.diff(weight, axis=1)).mean() < 0.1
    assert np.abs(np.diff(weight, axis=2)).mean() < 0.1
    assert np.ptp(weight[0]) > 0.5
    assert np.array_equal(weight, mix.weights(3, seed=5))
    assert not np.array_equal(weight, mix.weights(3, seed=6))


def test_half_of_the_mixes_are_the_same_on_both_sides():
    even = [np.allclose(weight, weight[:, :, ::-1]) for weight in (mix.weights(2, seed) for seed in range(100))]
    assert 35 <= sum(even) <= 65  # three standard deviations about one half


def test_a_greater_share_gets_more_of_the_scalp():
    little = np.mean([mix.weights(2, seed, (1, 4))[0].mean() for seed in range(20)])
    even = np.mean([mix.weights(2, seed)[0].mean() for seed in range(20)])
    assert little < 0.35
    assert even == pytest.approx(0.5, abs=0.1)


def test_hair_that_agrees_is_blended_with_its_length_and_even_steps():
    ten = np.radians(5)
    one = straight((np.sin(ten), -np.cos(ten), 0), 0.10, 0.0)
    other = straight((-np.sin(ten), -np.cos(ten), 0), 0.20, 1.0)
    half = mix.blended(np.stack([one, other]), np.full((2, GRID, GRID), 0.5, np.float32))
    # the mean direction of ±5° about straight down is straight down; the mean of 10 and 20 cm is 15 cm
    assert np.allclose(half[..., :3], ALONG[:, None] * [0, -0.15, 0], atol=1e-5)
    assert np.allclose(half[..., 3], 0.5)
    steps = np.linalg.norm(np.diff(half[..., :3], axis=-2), axis=-1)
    assert np.allclose(steps, 0.15 / (KNOTS - 1), rtol=1e-3)


def test_hair_that_diverges_is_never_averaged():
    left, right = straight((1, -0.2, 0), 0.2), straight((-1, -0.2, 0), 0.2)
    out = mix.mixed([left, right], seed=3)
    ways = out[:, :, -1, 0]
    assert np.allclose(np.abs(ways), np.abs(left[..., -1, 0]))
    assert (ways > 0).any() and (ways < 0).any()
    foremost = mix.weights(2, seed=3).argmax(0)
    assert np.array_equal(ways < 0, foremost == 1)


def test_agreement_falls_from_one_to_none_as_hair_turns_away():
    down = straight((0, -1, 0), 0.1)[0, 0]
    turned = [straight((np.sin(a), -np.cos(a), 0), 0.3)[0, 0] for a in np.radians([0, 10, 20, 30, 40, 45, 90, 180])]
    length = np.full(len(turned), 0.3, np.float32)
    agreement = mix.agreement(np.stack([t[:, :3] for t in turned]), length, down[:, :3], np.float32(0.1))
    assert agreement[0] == 1 and agreement[1] == 1
    assert np.all(np.diff(agreement) <= 0)
    # two straight strands of length 1 at an angle a are 2 sin(a / 2) apart: 0.347 at 20°, 0.765 at 45°
    assert agreement[2] == 1 and 0 < agreement[3] < 1
    assert np.all(agreement[5:] == 0)


def test_nothing_grows_where_the_bald_have_most_weight():
    hair, bald = straight((0, -1, 0), 0.1), np.full((GRID, GRID, KNOTS, 4), np.nan, np.float32)
    weight = mix.weights(2, seed=1)
    out = mix.blended(np.stack([hair, bald]), weight)
    assert np.array_equal(np.isnan(out).all((2, 3)), weight[0] < 0.5)
    assert np.isfinite(out[weight[0] >= 0.5]).all()
    assert np.allclose(lengths(out)[weight[0] >= 0.5], 0.1, atol=1e-6)


def test_mixing_a_style_with_itself_changes_nothing():
    draw = np.random.default_rng(0)
    steps = np.cumsum(draw.normal(0, 0.1, (GRID, GRID, KNOTS - 1, 3)), 2) - np.array([0.0, 1.0, 0.0])
    steps /= np.linalg.norm(steps, axis=-1, keepdims=True)
    hair = np.zeros((GRID, GRID, KNOTS, 4), np.float32)
    hair[:, :, 1:, :3] = np.cumsum(steps * 0.002, 2)
    assert np.allclose(mix.mixed([hair, hair, hair], seed=2), hair, atol=2e-6)


def test_the_same_seed_mixes_the_same():
    parts = [straight((0.1, -1, 0), 0.1), straight((-0.1, -1, 0), 0.2)]
    assert np.array_equal(mix.mixed(parts, 7), mix.mixed(parts, 7))
    assert not np.array_equal(mix.mixed(parts, 7), mix.mixed(parts, 8))


@pytest.mark.parametrize(
    "guides, shares, word",
    [
        ([straight((0, -1, 0), 0.1)], None, "two or more"),
        ([straight((0, -1, 0), 0.1)[..., :3]] * 2, None, "guides are"),
        ([straight((0, -1, 0), 0.1)] * 2, (1, 0), "above 0"),
        ([straight((0, -1, 0), 0.1)] * 2, (1, 1, 1), "each of the 2"),
    ],
)
def test_what_cannot_be_mixed_is_refused(guides, shares, word):
    with pytest.raises(BadInput, match=word):
        mix.mixed(guides, 0, shares)


# ── styles for training ──────────────────────────────────────────────────────────────────────────

CUTS = (
    Cut("one", "short straight", (0.02, 0.04), 0.01),
    Cut("two", "short straight", (0.06, 0.04), 0.02, parting=0.03),
    Cut("three", "short straight", (0.03, 0.08), 0.04),
    Cut("four", "long wavy", (0.4, 0.3), 0.03),
)


def test_a_style_between_others_has_their_mean_numbers_and_the_foremosts_words():
    style = mix.between(CUTS[:2], (0.25, 0.75))
    # .25 · .02 + .75 · .06 = .05
    assert style.length == pytest.approx((0.05, 0.04))
    assert style.volume == pytest.approx(0.0175)
    assert style.name == "two" and style.parting == 0.03 and style.count == 3


def test_a_style_varies_by_its_jitter_and_keeps_signs_and_zeros():
    style = Cut("x", "y", (0.0, -0.1), 0.01)
    drawn = [mix.varied(style, np.random.default_rng(seed)) for seed in range(400)]
    spread = np.std([np.log(one.volume / 0.01) for one in drawn])
    assert spread == pytest.approx(mix.JITTER, rel=0.12)  # ±3 standard errors: 3 / sqrt(2 · 400)
    assert all(one.length[0] == 0 and one.length[1] < 0 for one in drawn)


def test_training_styles_are_of_every_class_equally_and_differ():
    drawn = [mix.training_style(seed, CUTS) for seed in range(200)]
    short = sum(style.kind == "short straight" for style in drawn)
    assert 70 <= short <= 130  # of 200 at one half, within four standard deviations
    assert len({style.volume for style in drawn}) == 200
    assert drawn[3] == mix.training_style(3, CUTS)


def test_three_of_ten_trainings_are_mixed_out_of_one_class():
    grown: list[list[str]] = []

    def grower(style: Cut, seed: int) -> np.ndarray:
        grown[-1].append(style.kind)
        return straight((style.volume, -1, 0), style.length[0])

    for seed in range(200):
        grown.append([])
        guides, kind = mix.guides_for_training(seed, CUTS, grower)
        assert guides.shape == (GRID, GRID, KNOTS, 4)
        assert set(grown[-1]) == {kind}
    share = np.mean([len(kinds) > 1 for kinds in grown])
    assert share == pytest.approx(mix.MIXED_SHARE, abs=0.11)  # 200 draws: standard deviation 3.2 %
    assert {len(kinds) for kinds in grown} == {1, 2, 3}


def test_a_class_that_is_not_there_is_refused():
    with pytest.raises(BadInput, match="long wavy, short straight"):
        mix.training_style(0, CUTS, kind="braided")

"""Mixing hairstyles strand by strand, and new styles between others."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import combinations

import numpy as np
import pytest
from few_styles import STYLES

from headform.errors import BadInput
from headform.hair import mix
from headform.hair.collider import distance
from headform.hair.groom import GRID, KNOTS, Groom
from headform.hair.grow import guides_of, wearer_of
from headform.hair.kinds import kind_of_style
from headform.hair.scalp import grid_places
from headform.hair.style import Style
from headform.head import load_default

ALONG = np.linspace(0, 1, KNOTS, dtype=np.float32)


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
    five = np.radians(5)
    one = straight((np.sin(five), -np.cos(five), 0), 0.10, 0.0)
    other = straight((-np.sin(five), -np.cos(five), 0), 0.20, 1.0)
    half = mix.blended(np.stack([one, other]), np.full((2, GRID, GRID), 0.5, np.float32))
    # the mean of 10 and 20 cm is 15 cm: straight down, the mean of ±5°, as far as both go, then the longer's way
    assert np.allclose(half[..., 66, :3], [0, -0.10, 0], atol=1e-5)
    tip = [-0.05 * np.sin(five), -0.10 - 0.05 * np.cos(five), 0]
    assert np.allclose(half[..., -1, :3], tip, atol=1e-5)
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
    others = np.broadcast_to(down[:, :3], (len(turned), KNOTS, 3))
    agreement = mix.agreement(np.stack([t[:, :3] for t in turned]), length, others, np.full_like(length, 0.1))
    assert agreement[0] == 1 and agreement[1] == 1
    assert np.all(np.diff(agreement) <= 0)
    # two straight strands of length 1 at an angle a are 2 sin(a / 2) apart: 0.347 at 20°, 0.765 at 45°
    assert agreement[2] == 1 and 0 < agreement[3] < 1
    assert np.all(agreement[5:] == 0)


def test_hair_that_is_cut_shorter_keeps_its_way_as_far_as_it_goes():
    bend = np.radians(90) * ALONG  # a quarter of a circle of 20 cm, and its first 5 cm
    arc = 0.2 / np.radians(90) * np.stack([np.sin(bend), np.cos(bend) - 1, 0 * bend], 1)
    part = np.radians(90 / 4) * ALONG
    short = 0.2 / np.radians(90) * np.stack([np.sin(part), np.cos(part) - 1, 0 * part], 1)
    guides = np.zeros((2, GRID, GRID, KNOTS, 4), np.float32)
    guides[0, ..., :3], guides[1, ..., :3] = arc, short
    half = mix.blended(guides, np.full((2, GRID, GRID), 0.5, np.float32))
    turn = np.radians(90) * 0.125 / 0.2 * ALONG  # the mean of 20 and 5 cm is 12.5 cm of the same circle
    circle = 0.2 / np.radians(90) * np.stack([np.sin(turn), np.cos(turn) - 1, 0 * turn], 1)
    assert np.allclose(half[..., :3], circle, atol=2e-4)


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


def test_strands_without_guides_get_those_nearest_to_each_root():
    wearer = wearer_of(load_default())
    roots = wearer.scalp.roots(grid_places()).points(wearer.vertices)
    here = np.array([5, 300, 700])
    line = np.linspace(0, 1, 7)[:, None] ** 2  # uneven steps: guides have even ones
    points = roots[here][:, None] + 0.001 + line * [0.0, -0.06, 0.0]
    guides = mix.guides_of_strands(Groom(points.astype(np.float32)), roots).reshape(-1, KNOTS, 4)
    assert np.allclose(guides[here, :, :3], ALONG[:, None] * [0, -0.06, 0], atol=1e-5)
    gap = np.linalg.norm(roots[:, None] - points[None, :, 0], axis=2).min(1)
    assert np.array_equal(np.isfinite(guides).all((1, 2)), gap < mix.REACH)


# ── styles for training ──────────────────────────────────────────────────────────────────────────

ONE = Style("one", length=(0.02, 0.04, 0.02, 0.02), volume=0.01, part=None)
TWO = Style("two", length=(0.06, 0.04, 0.06, 0.06), volume=0.02, part=0.03, rows=4)


def test_every_field_of_a_style_is_mixed_in_one_way():
    ways = [*mix.SCALED, *mix.SHARES, *mix.MOVED, *mix.KEPT]
    assert sorted(ways) == sorted(field.name for field in fields(Style))


def test_a_style_between_others_has_their_mean_numbers_and_the_foremosts_words():
    style = mix.between([ONE, TWO], (0.25, 0.75))
    # .25 · .02 + .75 · .06 = .05
    assert style.length == pytest.approx((0.05, 0.04, 0.05, 0.05))
    assert style.volume == pytest.approx(0.0175)
    assert (style.name, style.part, style.rows) == ("two", 0.03, 4)
    assert style.locks == ONE.locks and isinstance(style.locks[0], int)


def test_a_style_varies_by_its_jitter_and_keeps_signs_zeros_and_limits():
    style = replace(TWO, fade=0.0, recede=0.98, comb=((0, -1, 1),) * 4)
    drawn = [mix.varied(style, np.random.default_rng(seed)) for seed in range(400)]
    spread = np.std([np.log(one.volume / 0.02) for one in drawn])
    assert spread == pytest.approx(mix.JITTER, rel=0.12)  # ±3 standard errors: 3 / sqrt(2 · 400)
    assert np.std([one.part for one in drawn]) == pytest.approx(mix.MOVED["part"], rel=0.12)
    assert all(one.fade == 0 and one.recede <= 1 and one.comb[0][0] == 0 and one.comb[0][1] < 0 for one in drawn)
    assert max(one.recede for one in drawn) == 1


def test_training_styles_are_of_every_class_equally_and_differ():
    families = mix.classes(STYLES)
    assert sorted(families) == ["gathered", "long wavy", "short straight"]
    drawn = [mix.training_style(seed, STYLES) for seed in range(300)]
    tied = sum(bool(style.ties) for style in drawn)
    assert 67 <= tied <= 133  # of 300 at one third, within four standard deviations
    assert len({style.volume for style in drawn}) > 290  # a factor at its limit is the same for some
    assert drawn[3] == mix.training_style(3, STYLES)


def test_three_of_ten_trainings_are_mixed_out_of_one_class():
    grown: list[list[str]] = []

    def grower(style: Style, seed: int) -> np.ndarray:
        grown[-1].append(kind_of_style(style).split()[-1])
        return straight((style.volume, -1, 0), style.length[0])

    loose = [style for style in STYLES if not style.ties]
    for seed in range(80):
        grown.append([])
        guides, kind = mix.guides_for_training(seed, loose, grower)
        assert guides.shape == (GRID, GRID, KNOTS, 4)
        assert grown[-1][0] == kind.split()[-1]
    share = np.mean([len(kinds) > 1 for kinds in grown])
    assert share == pytest.approx(mix.MIXED_SHARE, abs=0.16)  # 80 draws: standard deviation 5.1 %
    assert {len(kinds) for kinds in grown} == {1, 2, 3}


def test_gathered_hair_is_never_mixed_strand_by_strand():
    calls = []

    def grower(style: Style, seed: int) -> np.ndarray:
        calls.append(seed)
        return straight((0, -1, 0), 0.1)

    for seed in range(30):
        mix.guides_for_training(seed, STYLES[-1:], grower)
    assert calls == list(range(30))


def test_grown_hair_that_is_mixed_stays_out_of_the_head():
    wearer = wearer_of(load_default())
    roots = wearer.scalp.roots(grid_places()).points(wearer.vertices).reshape(GRID, GRID, 1, 3)

    def deepest(guides: np.ndarray) -> float:
        points = (roots + guides[..., :3])[np.isfinite(guides).all((2, 3))]
        return float(distance(wearer.collider.bare, points.reshape(-1, 3)).min())

    forward = replace(STYLES[2], comb=((0.5, -0.2, 1.0),) * 4, part=None, length=(0.4,) * 4)
    backward = replace(STYLES[3], comb=((0.5, -0.2, -1.0),) * 4, part=None, length=(0.4,) * 4)
    parts = [guides_of(style, wearer, 0) for style in (*STYLES[:4], forward, backward)]
    for seed, (one, other) in enumerate(combinations(range(6), 2)):
        chosen = [parts[one], parts[other]]
        allowed = min(0.0, *map(deepest, chosen)) - mix.INSIDE
        assert deepest(mix.mixed(chosen, seed, wearer=wearer)) >= allowed


def test_what_stands_out_of_the_head_is_blended_with_a_wearer_as_without():
    wearer = wearer_of(load_default())
    root = wearer.scalp.roots(grid_places()).points(wearer.vertices).reshape(GRID, GRID, 3)
    out = root - [0.0, 0.055, 0.0]  # away from the middle of the skull
    out /= np.linalg.norm(out, axis=-1, keepdims=True)
    bend = np.where(ALONG < 0.5, ALONG, 1 - ALONG)[:, None]
    guides = np.zeros((2, GRID, GRID, KNOTS, 4), np.float32)
    guides[0, ..., :3] = out[:, :, None] * ALONG[:, None] * 0.04
    guides[1, ..., :3] = guides[0, ..., :3]
    guides[1, ..., 0] += bend[:, 0] * 0.004
    free = mix.mixed(list(guides), 1)
    assert np.array_equal(free, mix.mixed(list(guides), 1, wearer=wearer))


def test_a_class_that_is_not_there_is_refused():
    with pytest.raises(BadInput, match="gathered, long wavy, short straight"):
        mix.training_style(0, STYLES, kind="braided")
    with pytest.raises(BadInput, match="at least one style with hair"):
        mix.training_style(0, [Style("bald", length=(0, 0, 0, 0))])

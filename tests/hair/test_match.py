"""Which style a photo's hair is like: a drawn style is most like itself, and hair in order is not taken for kinky."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from seen_hair import SIZE, Seen, head, look_at, person, wearer

from headform.hair.dense import groom_of
from headform.hair.groom import GRID, KNOTS
from headform.hair.grow import guides_of, wearer_of
from headform.hair.library import style
from headform.hair.match import (
    COARSE,
    EVERY,
    Likeness,
    Shapes,
    disorder,
    likenesses,
    ranked,
    rarity,
    shapes_of,
    thinned,
)

UNLIKE = ("crew_cut", "flat_top", "bowl", "very_long_straight", "faux_hawk", "ballerina_bun", "pigtails", "space_buns")
LEAST_TURN = np.pi / 6


@cache
def shapes() -> Shapes:
    """Styles on the mean head: the person of the photo has another."""
    mean = wearer_of(head())
    return shapes_of([style(name) for name in UNLIKE], [guides_of(style(name), mean) for name in UNLIKE])


@cache
def worn(name: str) -> Seen:
    return look_at(groom_of(style(name), wearer(person()), 0, 5000), person())


@pytest.mark.parametrize("name", UNLIKE)
def test_a_style_is_most_like_itself_but_for_how_rare_it_is(name: str) -> None:
    equal = replace(shapes(), rare=0 * shapes().rare)
    order, found = ranked(equal, worn(name).sight, worn(name).evidence, wearer(person()))
    assert sorted(order) == list(range(len(UNLIKE)))
    assert UNLIKE[order[0]] == name
    mine = found[order[0]]
    assert 0.4 < mine.overlap <= 1 and 0.5 < mine.agreement <= 1


def lines(angle: np.ndarray) -> float:
    """The disorder of a picture that is hair all over, with these angles."""
    evidence = worn("bowl").evidence
    everywhere = np.ones((SIZE, SIZE), bool)
    angle = np.broadcast_to(angle, (SIZE, SIZE)).astype(np.float32)
    return disorder(replace(evidence, angle=angle, hair=everywhere, confidence=everywhere.astype(np.float32)))


def test_parallel_hair_is_in_order_whatever_its_way_and_hair_at_random_is_not() -> None:
    for angle in (0.0, np.pi / 2, 3.0):
        assert lines(np.float64(angle)) == pytest.approx(0, abs=0.001)
    rng = np.random.default_rng(0)
    # N directions at random have a mean of √(π/4N): a blur of 4 pixels' deviation is a mean over 4π · 4² = 201 of them
    assert lines(rng.uniform(0, np.pi, (SIZE, SIZE))) == pytest.approx(1 - np.sqrt(np.pi / 4 / 201), abs=0.02)
    # two ways in equal parts, 2 θ apart as lines: the doubled unit vectors' mean is cos 2θ
    both = rng.choice([-LEAST_TURN, LEAST_TURN], (SIZE, SIZE)) % np.pi
    assert lines(both) == pytest.approx(1 - np.cos(2 * LEAST_TURN), abs=0.03)


def test_where_the_angle_is_not_known_nothing_is_disorder() -> None:
    evidence = worn("bowl").evidence
    none = replace(evidence, hair=np.zeros_like(evidence.hair))
    assert disorder(none) == 0
    rng = np.random.default_rng(0)
    half = np.zeros((SIZE, SIZE), np.float32)
    half[:, :128] = 1
    angle = np.where(half > 0, 1.0, rng.uniform(0, np.pi, half.shape)).astype(np.float32)
    hair = np.zeros_like(evidence.hair)
    hair[:, :128] = True
    assert disorder(replace(evidence, angle=angle, hair=hair, confidence=half)) < 0.001


def test_shapes_know_curls_and_what_is_rare() -> None:
    made = shapes()
    assert made.offsets.shape == (len(UNLIKE), (GRID // EVERY) ** 2, COARSE, 3)
    np.testing.assert_allclose(made.rare, [rarity(style(name)) for name in UNLIKE])
    for name in ("crew_cut", "bowl", "very_long_straight", "afro", "receding_short"):
        assert rarity(style(name)) == 0
    for name in ("buzz", "cornrows", "locs_long", "mohawk", "side_undercut"):
        assert 0 < rarity(style(name)) < rarity(style("ponytail")) <= rarity(style("space_buns"))
    wild = shapes_of(
        [style("long_straight"), style("long_wavy"), style("afro")], [guides_of(style("afro"), wearer_of(head()))] * 3
    ).wild
    assert wild[0] < wild[1] < wild[2]


def test_guides_are_thinned_from_root_to_tip() -> None:
    guides = np.zeros((GRID, GRID, KNOTS, 4), np.float32)
    guides[..., 0], guides[..., 1] = np.arange(GRID)[:, None, None], np.arange(GRID)[:, None]
    guides[..., 2], guides[..., 3] = np.arange(KNOTS), np.nan
    thin = thinned(guides).reshape(GRID // EVERY, GRID // EVERY, COARSE, 3)
    np.testing.assert_array_equal(thin[3, 5, 0], [3 * EVERY, 5 * EVERY, 0])
    np.testing.assert_array_equal(thin[0, 0, [0, -1], 2], [0, KNOTS - 1])
    assert (np.diff(thin[0, 0, :, 2]) >= (KNOTS - 1) // (COARSE - 1)).all()


def test_a_rare_style_must_be_that_much_more_alike() -> None:
    seen, made, of = worn("pigtails"), shapes(), wearer(person())
    pigtails = UNLIKE.index("pigtails")
    equal = replace(made, wild=0 * made.wild, rare=0 * made.rare)
    order, found = ranked(equal, seen.sight, seen.evidence, of)
    assert order[0] == pigtails
    lead = found[pigtails].score - found[order[1]].score
    for handicap, first in ((lead - 0.01, pigtails), (lead + 0.01, order[1])):
        rare = np.where(np.arange(len(UNLIKE)) == pigtails, handicap, 0).astype(np.float32)
        assert ranked(replace(equal, rare=rare), seen.sight, seen.evidence, of)[0][0] == first


def test_likeness_counts_overlap_way_and_the_bare_face() -> None:
    seen, of = worn("bowl"), wearer(person())
    bowl = shapes().offsets[[UNLIKE.index("bowl")]]
    (mine,) = likenesses(bowl, seen.sight, of)
    turned = replace(seen.sight, flow=seen.sight.flow[..., ::-1] * np.float32([-1, 1]))
    (across,) = likenesses(bowl, turned, of)
    assert across.agreement == pytest.approx(-mine.agreement, abs=1e-5)  # doubled, a right angle is the opposite
    back = replace(seen.sight, flow=-seen.sight.flow)
    assert likenesses(bowl, back, of)[0] == mine  # lines have no sense
    (longer,) = likenesses(2.5 * bowl, seen.sight, of)
    assert longer.on_face > mine.on_face + 0.1
    assert longer.score < mine.score
    assert Likeness(0.5, 0.0, 0.0).score > Likeness(0.5, 0.0, 0.1).score


def test_what_is_not_known_counts_neither_way() -> None:
    seen, of = worn("bowl"), wearer(person())
    bowl = shapes().offsets[[UNLIKE.index("bowl")]]
    left = np.zeros((SIZE, SIZE), bool)
    left[:, : SIZE // 2] = True
    half = replace(seen.sight, known=left)
    wild = replace(half, hair=seen.sight.hair | ~left)
    assert likenesses(bowl, half, of)[0].overlap == likenesses(bowl, wild, of)[0].overlap
    nothing = replace(seen.sight, known=np.zeros_like(left))
    assert likenesses(bowl, nothing, of)[0].overlap == 0


def test_hair_behind_the_head_is_not_seen() -> None:
    seen, of = worn("bowl"), wearer(person())
    bowl = shapes().offsets[[UNLIKE.index("bowl")]]
    near = replace(seen.sight, head=np.full((SIZE, SIZE), 0.3, np.float32))  # a wall before everything
    assert likenesses(bowl, near, of)[0] == Likeness(0, 0, 0)

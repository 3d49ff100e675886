"""New hairstyles out of others: guides mixed strand by strand, and styles between those of a class.

HairNet (Zhou et al. 2018) makes 40,000 hairstyles out of 340 by mixing pairs of one class; here any number comes out of
the styles in the library, each from a seed and always the same from the same seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.hair.groom import GRID, KNOTS

if TYPE_CHECKING:
    from headform.hair.style import Style

Floats = NDArray[np.float32]
Grower = Callable[[Any, int], Floats]

WAVES = 6  # cosines that make up a random field over the scalp
BUSIEST = 1.25  # periods of the fastest of them across the scalp: a patch of one style is wider than a lock
EVEN_SHARE = 0.5  # of the mixes are the same on both sides of the head, as most haircuts are
SHARPNESS = 3.0  # of the borders between patches: wide enough that guides which agree flow into each other
TESTED = (40, 99)  # knots at which two guides are compared: where hair has turned down, and the tip
ALIKE, APART = 0.35, 0.75  # difference of two guides of length 1, as a share of the way: 20° blends fully, 44° never
MIXED_SHARE = 0.3  # of the training styles are mixed strand by strand
MOST_PARENTS = 3
JITTER = 0.15  # standard deviation of the logarithm by which a parameter of a training style varies
MOST_JITTER = 2.5  # standard deviations
KEPT = ("name", "title", "tags", "licence")  # fields of a style that are words about it, not parameters


def mixed(guides: Sequence[Floats], seed: int = 0, shares: Sequence[float] | None = None) -> Floats:
    """Guides (32, 32, 100, 4) that are in one place more the first, in another more the second … of those given.

    shares  how much of the scalp each should get, about; equal if not given.
    Which style has a place is a smooth random field of the seed. Guides that agree blend into each other: direction,
    length and curliness, with even steps as before. Guides that diverge are never averaged, because the mean of hair to
    the left and hair to the right stands through the head: the one with the greatest weight stays as it is. Hair grows
    where those that have hair there have at least half the weight.
    Raises BadInput for fewer than two, or for another shape.
    """
    if len(guides) < 2:
        raise BadInput("one hairstyle cannot be mixed; give two or more")
    for one in guides:
        if one.shape != (GRID, GRID, KNOTS, 4):
            raise BadInput(f"guides are ({GRID}, {GRID}, {KNOTS}, 4), not {one.shape}")
    return blended(np.stack(guides), weights(len(guides), seed, shares))


def weights(count: int, seed: int, shares: Sequence[float] | None = None) -> Floats:
    """(count, 32, 32) smooth random weights over the scalp's square that sum to one in every cell."""
    wanted = np.ones(count) if shares is None else np.asarray(shares, np.float64)
    if wanted.shape != (count,) or not np.isfinite(wanted).all() or wanted.min() <= 0:
        raise BadInput(f"shares of a mix are one number above 0 for each of the {count} styles, not {shares}")
    draw = np.random.default_rng([seed, count])
    place = (np.arange(GRID) + 0.5) / GRID
    speed = draw.uniform(-BUSIEST, BUSIEST, (count, WAVES, 2)) * 2 * np.pi
    phase = draw.uniform(0, 2 * np.pi, (count, WAVES))
    angle = (
        speed[..., 0, None, None] * place[:, None] + speed[..., 1, None, None] * place[None] + phase[..., None, None]
    )
    field = np.cos(angle).sum(1) * np.sqrt(2 / WAVES)  # variance one whatever the number of waves
    if draw.random() < EVEN_SHARE:
        field = (field + field[:, :, ::-1]) / np.sqrt(2)  # columns go from the person's right to the left
    logits = SHARPNESS * field + np.log(wanted / wanted.sum())[:, None, None] * SHARPNESS
    power = np.exp(logits - logits.max(0))
    return np.asarray(power / power.sum(0), np.float32)


def blended(guides: Floats, weight: Floats) -> Floats:
    """(..., 100, 4) of guides (N, ..., 100, 4) with weights (N, ...) that sum to one; see `mixed`."""
    grows: NDArray[np.bool_] = np.asarray(np.isfinite(guides).all((-2, -1)))
    hairy = (weight * grows).sum(0) >= 0.5
    usable = np.where(grows, weight, 0.0)
    first = usable.argmax(0)[None]
    offsets = np.where(grows[..., None, None], guides[..., :3], 0.0)
    length = np.linalg.norm(np.diff(offsets, axis=-2), axis=-1).sum(-1)
    leader = _taken(offsets, first), _taken(length, first)
    share = usable * agreement(offsets, length, *leader)
    share /= np.maximum(share.sum(0), 1e-9)
    out = np.empty(guides.shape[1:], np.float32)
    out[..., :3] = _flowing(offsets, length, share)
    curliness = np.where(grows[..., None], guides[..., 3], 0.0)
    out[..., 3] = (share[..., None] * curliness).sum(0)
    alone = np.take_along_axis(share, first, 0)[0] > 1 - 1e-6  # to the bit as it was where nothing is blended
    out[alone] = _taken(guides, first)[0][alone]
    out[~hairy] = np.nan
    return out


def agreement(offsets: Floats, length: Floats, others: Floats, other_length: Floats) -> Floats:
    """(...,) 1 where guides (..., 100, 3) run like others, 0 where they diverge, smooth between.

    Compared is the shape, not the length: both are scaled to length 1, so a short lock agrees with a longer one that
    runs the same way. A strand without length agrees with everything.
    """
    difference = np.zeros(length.shape)
    for knot in TESTED:
        one = offsets[..., knot, :] / np.maximum(length, 1e-6)[..., None]
        other = others[..., knot, :] / np.maximum(other_length, 1e-6)[..., None]
        difference = np.maximum(difference, np.linalg.norm(one - other, axis=-1) * (KNOTS - 1) / knot)
    difference = np.where((length < 1e-6) | (other_length < 1e-6), 0.0, difference)
    near = np.clip((APART - difference) / (APART - ALIKE), 0.0, 1.0)
    return np.asarray(near * near * (3 - 2 * near), np.float32)


def _flowing(offsets: Floats, length: Floats, share: Floats) -> Floats:
    """Offsets of strands whose direction at each knot, and length, are the mean of those given.

    Means of directions keep strands as long as they should be; means of positions shorten them and cut more deeply
    into a round head.
    """
    step = np.diff(offsets, axis=-2)
    ways = step / np.maximum(np.linalg.norm(step, axis=-1, keepdims=True), 1e-9)
    way = (share[..., None, None] * ways).sum(0)
    way /= np.maximum(np.linalg.norm(way, axis=-1, keepdims=True), 1e-9)
    size = (share * length).sum(0) / (KNOTS - 1)
    out = np.zeros(offsets.shape[1:], np.float32)
    out[..., 1:, :] = np.cumsum(way * size[..., None, None], -2)
    return out


def _taken(values: Floats, first: NDArray[np.intp]) -> Floats:
    """(1, ...) of values (N, ...), for each place those of the chosen one."""
    index = first.reshape(first.shape + (1,) * (values.ndim - first.ndim))
    return np.take_along_axis(values, index, 0)


# ── styles for training ──────────────────────────────────────────────────────────────────────────


def guides_for_training(
    seed: int, styles: Sequence[Style] | None = None, grower: Grower | None = None
) -> tuple[Floats, str]:
    """A new hairstyle of the seed as guides (32, 32, 100, 4), and the name of its class.

    Three of ten are mixed strand by strand out of two or three new styles of one class. `styles` are what they are made
    of (the library's own if not given); `grower(style, seed)` gives a style's guides.
    """
    draw = np.random.default_rng([seed, 2])
    grow = grower or _grown
    style = training_style(seed, styles)
    if draw.random() >= MIXED_SHARE:
        return grow(style, seed), _class_of(style)
    count = int(draw.integers(2, MOST_PARENTS + 1))
    others = [
        training_style(int(other), styles, kind=_class_of(style))
        for other in draw.integers(1 << 31, 1 << 62, count - 1)  # seeds that nobody counts up to
    ]
    parts = [grow(one, seed + row) for row, one in enumerate([style, *others])]
    return mixed(parts, seed, draw.uniform(0.5, 1.5, count).tolist()), _class_of(style)


def training_style(seed: int, styles: Sequence[Style] | None = None, kind: str | None = None) -> Style:
    """A new style of the seed: its parameters lie between those of two or three styles of one class, and vary.

    Classes are drawn evenly, so that the rarest hair is learnt as well as the most usual; `kind` chooses one. Words
    such as the name are of the style that it is most like. Raises BadInput if no style is of that class.
    """
    draw = np.random.default_rng([seed, 1])
    families = classes(_shipped() if styles is None else styles)
    if kind is None:
        kind = sorted(families)[int(draw.integers(len(families)))]
    elif kind not in families:
        raise BadInput(f"there is no class {kind!r} of styles; there are {', '.join(sorted(families))}")
    family = families[kind]
    chosen = draw.permutation(len(family))[: int(draw.integers(1, MOST_PARENTS + 1))]
    parents = [family[row] for row in chosen]
    return varied(between(parents, draw.dirichlet(np.ones(len(parents)))), draw)


def classes(styles: Sequence[Style]) -> Mapping[str, Sequence[Style]]:
    """The styles of each class."""
    families: dict[str, list[Style]] = {}
    for style in styles:
        families.setdefault(_class_of(style), []).append(style)
    return families


def between(parents: Sequence[Style], shares: Sequence[float] | NDArray[np.floating[Any]]) -> Style:
    """The style whose numbers are the weighted means of the parents'; all else is the foremost parent's.

    What some of them do not have (None: no parting, no tie) is the foremost parent's too.
    """
    share = np.asarray(shares, np.float64) / np.sum(shares)
    first = parents[int(share.argmax())]
    changes: dict[str, Any] = {}
    for name in _parameters(first):
        values = [getattr(parent, name) for parent in parents]
        if all(_shape(value) == _shape(values[0]) is not None for value in values):
            mean = np.tensordot(share, np.asarray(values, np.float64), 1)
            changes[name] = _as(getattr(first, name), mean)
    return replace(first, **changes)


def varied(style: Style, draw: np.random.Generator, amount: float = JITTER) -> Style:
    """The style with every number multiplied by e^(amount · normal): signs and zeros stay as they are."""
    changes = {}
    for name in _parameters(style):
        value = getattr(style, name)
        if _shape(value) is not None:
            noise = np.clip(draw.normal(size=np.shape(value)), -MOST_JITTER, MOST_JITTER)
            changes[name] = _as(value, np.asarray(value, np.float64) * np.exp(amount * noise))
    return replace(style, **changes)


def _parameters(style: Style) -> list[str]:
    return [field.name for field in fields(style) if field.name not in KEPT]


def _shape(value: Any) -> tuple[int, ...] | None:
    """The shape of a parameter that is a real number or a nest of them; None of anything else."""
    leaf = value
    while isinstance(leaf, tuple) and leaf:
        leaf = leaf[0]
    if isinstance(leaf, bool) or not isinstance(leaf, float):
        return None
    try:
        return np.shape(np.asarray(value, np.float64))
    except (TypeError, ValueError):
        return None


def _as(like: Any, value: NDArray[np.float64]) -> Any:
    """Floats and nested tuples of floats, like those of a style."""
    if isinstance(like, tuple):
        return tuple(_as(inner, part) for inner, part in zip(like, value, strict=True))
    return float(value)


def _class_of(style: Style) -> str:
    return str(style.kind)


def _shipped() -> Sequence[Style]:
    from headform.hair import style

    return style.shipped()


def _grown(style: Style, seed: int) -> Floats:
    from headform.hair import grow

    return grow.guides_of(style, seed)

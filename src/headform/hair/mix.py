"""New hairstyles out of others: guides mixed strand by strand, and styles between those of a class.

HairNet (Zhou et al. 2018) makes 40,000 hairstyles out of 340 by mixing pairs of one class; here any number comes out of
the styles in the library, each from a seed and always the same from the same seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.hair.groom import GRID, KNOTS, Groom, along
from headform.hair.kinds import BALD, kind_of_style
from headform.hair.style import Style

if TYPE_CHECKING:
    from headform.hair.grow import Wearer

Floats = NDArray[np.float32]
Grower = Callable[[Style, int], Floats]

WAVES = 6  # cosines that make up a random field over the scalp
BUSIEST = 1.25  # periods of the fastest of them across the scalp: a patch of one style is wider than a lock
EVEN_SHARE = 0.5  # of the mixes are the same on both sides of the head, as most haircuts are
SHARPNESS = 3.0  # of the borders between patches: wide enough that guides which agree flow into each other
TESTED = (0.4, 1.0)  # of the way that both go: where two guides are compared
ALIKE, APART = 0.35, 0.75  # of that way is the gap between them: 20° blends fully, 44° never
INSIDE = 0.002  # metres deeper than its parent that a mixed guide may enter the head: what pushing out mends unseen
REACH = 0.012  # metres from a root of the grid, whose roots are 8 mm apart, to a strand that may stand for it
MOST_STRANDS = 6000  # of a groom are looked at for guides: each root of the grid has several within its reach
MIXED_SHARE = 0.3  # of the training styles are mixed strand by strand
MOST_PARENTS = 3
JITTER = 0.15  # standard deviation of the logarithm by which a parameter of a new style varies
MOST_JITTER = 2.5  # standard deviations
# what a parameter is to a mix; every field of a style is in one of these
# varies by a factor: what is 0 stays 0
SCALED = (
    *("length", "comb", "stiff", "settle", "hold", "cling", "volume", "wander", "curl", "locks", "thick"),
    *("frizz", "crown", "density", "strip"),
)
# the same, but never above 1
SHARES = (
    *("lift", "weight", "whorl", "coil", "flyaway", "ragged", "recede", "fade", "rounded", "drape"),
    "colour",
)
MOVED = {
    "part": 0.006,
    "part_back": 0.01,
    "cut": 0.012,
    "fringe_cut": 0.003,
    "level": 0.006,
}  # varies by so many metres
# as the foremost parent's
KEPT = ("name", "title", "kind", "tags", "about", "licence", "pattern", "rows", "ties", "side", "count")


def mixed(
    guides: Sequence[Floats], seed: int = 0, shares: Sequence[float] | None = None, wearer: Wearer | None = None
) -> Floats:
    """Guides (32, 32, 100, 4) that are in one place more the first, in another more the second … of those given.

    shares  how much of the scalp each should get, about; equal if not given
    wearer  the head on which they all grew
    Which style has a place is a smooth random field of the seed. Guides that agree blend into each other: direction,
    length and curliness, with even steps as before. Guides that diverge are never averaged, because the mean of hair to
    the left and hair to the right stands through the head: the one with the greatest weight stays as it is; so it does
    where a mean would enter the wearer, as that of hair before and behind a shoulder. Hair grows where those that have
    hair there have at least half the weight.
    Raises BadInput for fewer than two, or for another shape.
    """
    if len(guides) < 2:
        raise BadInput("one hairstyle cannot be mixed; give two or more")
    for one in guides:
        if one.shape != (GRID, GRID, KNOTS, 4):
            raise BadInput(f"guides are ({GRID}, {GRID}, {KNOTS}, 4), not {one.shape}")
    given, weight = np.stack(guides), weights(len(guides), seed, shares)
    out = blended(given, weight)
    if wearer is not None:
        first = _taken(given, foremost(given, weight)[None])[0]
        inside = _nearest_to(wearer, out) < np.minimum(_nearest_to(wearer, first), 0) - INSIDE
        out[inside] = first[inside]
    return out


def _nearest_to(wearer: Wearer, guides: Floats) -> Floats:
    """(32, 32) metres from the nearest knot of each guide to the head, negative inside; infinite where none grows."""
    from headform.hair.collider import distance
    from headform.hair.scalp import grid_places

    grows = np.isfinite(guides[:, :, 0, 0])
    roots = wearer.scalp.roots(grid_places()).points(wearer.vertices).reshape(GRID, GRID, 1, 3)
    knots = (roots + guides[..., :3])[grows]
    out = np.full((GRID, GRID), np.inf, np.float32)
    out[grows] = distance(wearer.collider.bare, knots.reshape(-1, 3)).reshape(-1, KNOTS).min(1, initial=np.inf)
    return out


def foremost(guides: Floats, weight: Floats) -> NDArray[np.intp]:
    """(...) which of the guides (N, ..., 100, 4) that grow has the greatest weight (N, ...)."""
    return np.asarray(np.where(np.isfinite(guides).all((-2, -1)), weight, 0.0).argmax(0))


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
    first = foremost(guides, weight)[None]
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

    Compared is as far as both go: a short lock agrees with a longer one that sets out the same way. A strand without
    length agrees with everything.
    """
    common = np.minimum(length, other_length)
    goals = np.stack([share * common for share in TESTED], -1)
    gap = np.linalg.norm(_points_at(offsets, length, goals) - _points_at(others, other_length, goals), axis=-1)
    difference = np.where(goals < 1e-6, 0.0, gap / np.maximum(goals, 1e-6)).max(-1)
    near = np.clip((APART - difference) / (APART - ALIKE), 0.0, 1.0)
    return np.asarray(near * near * (3 - 2 * near), np.float32)


def _flowing(offsets: Floats, length: Floats, share: Floats) -> Floats:
    """Offsets of strands whose length, and direction at every length from the root, are the mean of those given.

    Means of directions keep strands as long as they should be; means of positions would shorten them. At the same
    distance from the root, because a way over the head that is made smaller as a whole cuts through the head.
    """
    size = (share * length).sum(0)
    goals = size[..., None] * np.linspace(0, 1, KNOTS, dtype=np.float32)
    step = np.diff(_points_at(offsets, length, np.broadcast_to(goals, (*length.shape, KNOTS))), axis=-2)
    way = step / np.maximum(np.linalg.norm(step, axis=-1, keepdims=True), 1e-9)
    mean = (share[..., None, None] * way).sum(0)
    mean /= np.maximum(np.linalg.norm(mean, axis=-1, keepdims=True), 1e-9)
    out = np.zeros(offsets.shape[1:], np.float32)
    out[..., 1:, :] = np.cumsum(mean * (size / (KNOTS - 1))[..., None, None], -2)
    return out


def _points_at(offsets: Floats, length: Floats, goals: NDArray[Any]) -> NDArray[Any]:
    """(..., G, 3) points of guides (..., 100, 3) at lengths (..., G) from their roots; of one that ends before, its
    tip."""
    place = np.clip(goals / np.maximum(length, 1e-9)[..., None], 0, 1) * (KNOTS - 1)
    before = np.minimum(place.astype(np.intp), KNOTS - 2)
    part = (place - before).astype(np.float32)[..., None]
    start = np.take_along_axis(offsets, before[..., None], -2)
    end = np.take_along_axis(offsets, before[..., None] + 1, -2)
    return np.asarray(start + part * (end - start))


def guides_of_strands(groom: Groom, roots: Floats) -> Floats:
    """Guides (32, 32, 100, 4) of a groom that has none: at each root (1024, 3) of the grid the nearest strand, none
    where there is no strand within REACH. Curls are in the guides themselves, so that curliness is 0."""
    out = np.full((GRID, GRID, KNOTS, 4), np.nan, np.float32)
    few = groom.thinned(MOST_STRANDS)
    if not len(few):
        return out
    starts = few.points[:, 0].astype(np.float64)
    apart = (roots**2).sum(1)[:, None] + (starts**2).sum(1) - 2 * roots.astype(np.float64) @ starts.T
    nearest = apart.argmin(1)
    near = np.take_along_axis(apart, nearest[:, None], 1)[:, 0] < REACH**2
    chosen = few.chosen(nearest[near]).points
    flat = out.reshape(-1, KNOTS, 4)
    flat[near, :, :3] = along(chosen, KNOTS, chosen - chosen[:, :1])
    flat[near, :, 3] = 0
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

    Three of ten are mixed strand by strand out of two or three new styles of one class; not what is gathered, because
    hair is not tied to two ties. `styles` are what all are made of (those that ship if not given); `grower(style,
    seed)` gives the guides of a style on the mean default head.
    """
    draw = np.random.default_rng([seed, 2])
    grow = grower or _grown
    style = training_style(seed, styles)
    kind = kind_of_style(style)
    if draw.random() >= MIXED_SHARE or style.ties:
        return grow(style, seed), kind
    count = int(draw.integers(2, MOST_PARENTS + 1))
    others = draw.integers(1 << 31, 1 << 62, count - 1)  # seeds that nobody counts up to
    parts = [style, *(training_style(int(other), styles, kind) for other in others)]
    loose = [part for part in parts if not part.ties]
    if len(loose) < 2:
        return grow(style, seed), kind
    guides = [grow(part, seed + row) for row, part in enumerate(loose)]
    return mixed(guides, seed, draw.uniform(0.5, 1.5, len(loose)).tolist(), _mean_wearer()), kind


def training_style(seed: int, styles: Sequence[Style] | None = None, kind: str | None = None) -> Style:
    """A new style of the seed: its parameters lie between those of one to three styles of one class, and vary.

    Classes are drawn evenly, so that the rarest hair is learnt as well as the most usual; `kind` chooses one. Words
    such as the name, and ties, are of the style that it is most like. Raises BadInput if no style is of that class.
    """
    draw = np.random.default_rng([seed, 1])
    families = classes(_shipped() if styles is None else styles)
    if kind is None:
        if not families:
            raise BadInput("new styles need at least one style with hair to be made of")
        kind = sorted(families)[int(draw.integers(len(families)))]
    elif kind not in families:
        raise BadInput(f"there is no class {kind!r} of styles; there are {', '.join(sorted(families))}")
    family = families[kind]
    chosen = draw.permutation(len(family))[: int(draw.integers(1, MOST_PARENTS + 1))]
    return varied(between([family[row] for row in chosen], draw.dirichlet(np.ones(len(chosen)))), draw)


def classes(styles: Sequence[Style]) -> dict[str, list[Style]]:
    """The styles of each class, without those that have no hair."""
    families: dict[str, list[Style]] = {}
    for style in styles:
        families.setdefault(kind_of_style(style), []).append(style)
    families.pop(BALD, None)
    return families


def between(parents: Sequence[Style], shares: Sequence[float] | NDArray[np.floating[Any]]) -> Style:
    """The style whose numbers are the weighted means of the parents'; all else is the foremost parent's.

    What some of them do not have (None: no parting, no cut) is the foremost parent's too.
    """
    share = np.asarray(shares, np.float64) / np.sum(shares)
    first = parents[int(share.argmax())]
    changes: dict[str, Any] = {}
    for name in (*SCALED, *SHARES, *MOVED):
        values = [getattr(parent, name) for parent in parents]
        if None not in values:
            changes[name] = np.tensordot(share, np.asarray(values, np.float64), 1)
    return _changed(first, changes)


def varied(style: Style, draw: np.random.Generator, amount: float = JITTER) -> Style:
    """The style with its numbers changed at random: most by a factor e^(amount · normal), so that signs and zeros stay;
    partings and cuts by MOVED metres."""
    changes: dict[str, Any] = {}
    for name in (*SCALED, *SHARES, *MOVED):
        value = getattr(style, name)
        if value is None:
            continue
        given = np.asarray(value, np.float64)
        noise = np.clip(draw.normal(size=given.shape), -MOST_JITTER, MOST_JITTER) * amount
        changes[name] = given + noise / JITTER * MOVED[name] if name in MOVED else given * np.exp(noise)
    return _changed(style, changes)


def _changed(style: Style, numbers: dict[str, Any]) -> Style:
    """The style with other numbers, each within what it can be and of the type that it was."""
    for name in SHARES:
        if name in numbers:
            numbers[name] = np.minimum(numbers[name], np.maximum(1.0, getattr(style, name)))
    changes = {name: _plain(value) for name, value in numbers.items()}
    count, *rest = changes["locks"]
    changes["locks"] = (round(count), *rest)
    return replace(style, **changes)


def _plain(value: Any) -> Any:
    """Floats, and tuples of them, out of an array."""
    return tuple(_plain(each) for each in value) if np.ndim(value) else float(value)


@lru_cache(maxsize=1)
def _shipped() -> tuple[Style, ...]:
    from headform.hair.library import styles

    return styles()


def _grown(style: Style, seed: int) -> Floats:
    from headform.hair.grow import guides_of

    return guides_of(style, _mean_wearer(), seed)


def _mean_wearer() -> Wearer:
    from headform.hair.grow import wearer_of
    from headform.head import load_default

    return wearer_of(load_default())

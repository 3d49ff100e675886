"""Who the skin belongs to: attributes asked for, and the traits that chance adds to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.errors import BadInput
from headform.skin.albedo import (
    Tone,
    ancestry_shares,
    column,
    linear_from_srgb,
    random_tone,
    table_rows,
)

OLDEST = 110.0
BEARD_AGE = (13.0, 21.0)  # years in which a beard comes
WHITE_HAIR = (196, 182, 164)  # sRGB
GREY_AGE = (52.0, 84.0)  # years in which most brows turn grey


@dataclass(frozen=True)
class Attributes:
    """age in years; sex 0 female – 1 male; ancestry: weights of african, asian, caucasian, summing to one."""

    age: float
    sex: float
    ancestry: tuple[float, float, float]

    @property
    def grown(self) -> float:
        """0 child – 1 adult."""
        return float(np.clip((self.age - 8) / 12, 0, 1))

    @property
    def aged(self) -> float:
        """0 up to 25 years, 1 at 80."""
        return float(np.clip((self.age - 25) / 55, 0, 1.2))


@dataclass(frozen=True)
class Traits:
    """What is particular to one skin. Amounts run from 0 (none) to about 1 (much) unless said otherwise.

    tone          overall colour
    hair          sRGB of brows and stubble before they turn grey, 0–255; grey: share of white hairs
    pattern       (K,) deviations of the albedo modes from what is typical
    moles         how many
    beard         density of the beard; shave: length left, 0 clean – 1 stubble of some days
    oil           shine; pores: their size; lines: strength of wrinkles for the age, about 1
    brow_weight   thickness and density, about 1; brow_arch, brow_lift: millimetres
    """

    tone: Tone
    hair: tuple[int, int, int]
    grey: float
    pattern: tuple[float, ...]
    mottling: float
    blush: float
    shadows: float
    freckles: float
    moles: int
    age_spots: float
    veins: float
    lip_colour: float
    beard: float
    shave: float
    oil: float
    pores: float
    lines: float
    brow_weight: float
    brow_arch: float
    brow_lift: float

    @property
    def hair_linear(self) -> NDArray[np.float32]:
        """(3,) linear reflectance of the hair as it is seen from afar, white hairs and all."""
        own, white = linear_from_srgb(np.array(self.hair)), linear_from_srgb(np.array(WHITE_HAIR))
        return np.asarray((1 - self.grey) * own + self.grey * white, np.float32)


def attributes(age: float, sex: float, ancestry: ArrayLike) -> Attributes:
    """Checked attributes; raises BadInput for what no person has."""
    if not 0 <= age <= OLDEST:
        raise BadInput(f"an age of {age} years was given; give 0 to {OLDEST:g}")
    if not 0 <= sex <= 1:
        raise BadInput(f"sex was {sex}; give 0 (female) to 1 (male)")
    african, asian, caucasian = (float(s) for s in ancestry_shares(ancestry))
    return Attributes(float(age), float(sex), (african, asian, caucasian))


def draw_traits(seed: int, who: Attributes, hair_colour: ArrayLike | None = None) -> Traits:
    """Traits of one person with these attributes; the same seed gives the same person."""
    rng = np.random.default_rng([seed, 1])
    tone = random_tone(rng, who.sex, who.ancestry)
    light = 1 - tone.melanin
    hair, grey, red = _hair(rng, who)
    if hair_colour is not None:
        hair, grey = _checked_colour(hair_colour), 0.0
    shares = np.array(who.ancestry)
    beard = float(shares @ column(table_rows("ancestry"), "beard"))
    comes = float(np.clip((who.age - BEARD_AGE[0]) / (BEARD_AGE[1] - BEARD_AGE[0]), 0, 1))
    past = max(who.aged, 0.0)
    return Traits(
        tone=tone,
        hair=hair,
        grey=grey,
        pattern=tuple(float(x) for x in rng.normal(0, 1, 8)),
        mottling=float(rng.uniform(0.55, 1.1) + 0.15 * past),
        blush=float(rng.uniform(0.25, 1.0) * (1.15 - 0.3 * who.grown) + 0.15 * past),
        shadows=float(np.clip(rng.normal(0.35 + 0.35 * past, 0.22), 0.05, 1.2) * (0.45 + 0.55 * who.grown)),
        freckles=float(np.clip(rng.beta(0.5, 2.2) * light**1.5 * 1.6 + (0.45 if red else 0), 0, 1)),
        moles=int(rng.poisson(1.2 + 3.5 * min(who.age, 45) / 45)),
        age_spots=float(np.clip((who.age - 42) / 38, 0, 1) * rng.uniform(0.25, 1.0)),
        veins=float(np.clip((who.age - 38) / 40, 0, 1) * rng.uniform(0, 1.0) * light),
        lip_colour=float(np.clip(rng.normal(0.95 - 0.35 * past - 0.16 * who.sex * who.grown, 0.16), 0.35, 1.4)),
        beard=float(who.sex**1.5 * beard * comes * np.clip(rng.normal(0.9, 0.25), 0.3, 1.3)),
        shave=float(rng.choice([0.0, 0.12, 0.4, 0.85], p=[0.25, 0.3, 0.25, 0.2])),
        oil=float(np.clip(rng.normal(0.5, 0.2) * (0.5 + 0.5 * who.grown) - 0.15 * past, 0, 1)),
        pores=float((0.35 + 0.65 * who.grown) * np.clip(rng.normal(0.85 + 0.25 * who.sex, 0.2), 0.4, 1.6)),
        lines=float(np.clip(rng.normal(1.0, 0.22), 0.45, 1.5)),
        brow_weight=float(np.clip(rng.normal(0.9 + 0.22 * who.sex, 0.12), 0.65, 1.4)),
        brow_arch=float(rng.normal(1.2 - 1.2 * who.sex, 0.9)),
        brow_lift=float(rng.normal(0.4 - 1.4 * who.sex, 1.0)),
    )


def _hair(rng: np.random.Generator, who: Attributes) -> tuple[tuple[int, int, int], float, bool]:
    """A natural hair colour (sRGB, 0–255), the share that has turned white, and whether it is red."""
    colours, ancestry = table_rows("hair_colours"), table_rows("ancestry")
    names = [row["name"] for row in colours]
    rgb = np.stack([column(colours, c) for c in ("red", "green", "blue")], 1)
    natural = [n for n in names if n in ancestry[0]]
    odds = np.array([who.ancestry @ column(ancestry, n) for n in natural])
    first, other = rng.choice(natural, 2, p=odds / odds.sum())
    colour = 0.75 * rgb[names.index(first)] + 0.25 * rgb[names.index(other)]
    turns = rng.normal(0, 6) + GREY_AGE[0]
    grey = float(np.clip((who.age - turns) / (GREY_AGE[1] - GREY_AGE[0]), 0, 0.95)) ** 1.3
    shade = np.clip(colour + rng.normal(0, 3), 4, 250).round().astype(int)
    return (int(shade[0]), int(shade[1]), int(shade[2])), grey, bool(first == "red")


def _checked_colour(colour: ArrayLike) -> tuple[int, int, int]:
    given: NDArray[np.float64] = np.asarray(colour, float)
    if given.shape != (3,) or not ((given >= 0) & (given <= 255)).all():
        raise BadInput(f"hair colour {colour!r}: give three sRGB values from 0 to 255")
    return (int(given[0]), int(given[1]), int(given[2]))

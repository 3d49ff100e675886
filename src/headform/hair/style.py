"""A hairstyle as numbers: how long, which way, how it curls and holds together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from headform.errors import BadInput

Way = tuple[float, float, float]
REGIONS = ("fringe", "top", "sides", "back")


@dataclass(frozen=True, slots=True)
class Tie:
    """Where hair is gathered. Convention: metres on the mean head.

    at      the middle of the tie; it is moved until it lies on the head
    radius  of what is bound there; of the knot itself, in a bun
    kind    'tail' hangs free, 'bun' is wound around the tie, 'braid' hangs plaited
    tail    the way the hair leaves
    takes   'all' hair, or only that of the 'left', the 'right', or the 'upper' half of the head
    spread  how far a tail fans out, 0–1
    """

    at: Way
    radius: float = 0.016
    kind: Literal["tail", "bun", "braid"] = "tail"
    tail: Way = (0.0, 0.3, -1.0)
    takes: Literal["all", "left", "right", "upper"] = "all"
    spread: float = 0.5


@dataclass(frozen=True, slots=True)
class Style:
    """One hairstyle. Lengths in metres on the mean head; four values are for REGIONS.

    kind       its class, in tables the column "class": short, medium or long with straight, wavy, curly or coily; or
               gathered, braided, locs, faded, bald
    length     of the hair of each region
    comb       the way each region is combed: outward from the parting, up, forward
    part       where it is parted, metres to the person's left; None without parting
    part_back  the parting ends there, metres of z; beyond it hair goes round the whorl
    lift       0 hair leaves the scalp lying, 1 standing
    stiff      over how many metres hair keeps its way
    weight     how much it hangs, 0–1
    settle     metres until it hangs
    hold       metres over which the comb's way lasts
    cling      how much it keeps to its layer above the skull, 0 free, 1.5 combed flat
    volume     metres between skull and outermost layer
    whorl      how strongly the crown turns the hair
    wander     how much neighbouring hair disagrees about its way
    curl       amplitude and wavelength in metres, and the share of the length at which it begins
    coil       0 flat waves, 1 helices
    locks      how many, how tightly each holds together 0–1, and towards the tips (>1) or from the roots (0)
    pattern    how hair lies in a lock: 'free', 'rope' (locs, twists), 'braid'
    thick      radius of a rope or braid, metres
    rows       locks lie in so many rows from front to back: cornrows; 0 for locks anywhere
    frizz      metres
    flyaway    share of strands that stand off
    ragged     share by which lengths differ
    cut        heights at which hair is cut straight, metres of y at the front and at the back; None for no such cut
    fringe_cut the same for the fringe
    level      height at which standing hair is cut level, metres of y; None for no such cut
    rounded    how much hair is cut to a ball: shorter and leaning back towards the hairline, 0–1
    drape      how much of hair that reaches the shoulders falls before them, 0–1
    ties       where it is gathered
    recede     how far the temples are bare, 0–1
    crown      metres around the crown that are bare
    fade       how far up sides and back are shaved to nothing, 0–1
    strip      only this far from the middle does hair grow, metres; None for everywhere
    side       only hair on this side is long: −1 the right, 1 the left; 0 both; the other is shaved
    density    of the usual number of hairs
    count      strands to draw
    colour     sRGB 0–1
    """

    name: str
    title: str = ""
    kind: str = ""
    tags: tuple[str, ...] = ()
    about: str = ""
    length: tuple[float, float, float, float] = (0.08, 0.08, 0.06, 0.06)
    comb: tuple[Way, Way, Way, Way] = ((0, 0, 1), (0, -0.2, -1), (0, -1, -0.3), (0, -1, -0.2))
    part: float | None = None
    part_back: float = -0.04
    lift: float = 0.35
    stiff: float = 0.02
    weight: float = 1.0
    settle: float = 0.03
    hold: float = 0.06
    cling: float = 0.8
    volume: float = 0.012
    whorl: float = 0.4
    wander: float = 0.22
    curl: tuple[float, float, float] = (0.0, 0.03, 0.0)
    coil: float = 0.0
    locks: tuple[int, float, float] = (350, 0.6, 1.0)
    pattern: Literal["free", "rope", "braid"] = "free"
    thick: float = 0.004
    rows: int = 0
    frizz: float = 0.0010
    flyaway: float = 0.02
    ragged: float = 0.12
    cut: tuple[float, float] | None = None
    fringe_cut: float | None = None
    level: float | None = None
    rounded: float = 0.0
    drape: float = 0.4
    ties: tuple[Tie, ...] = ()
    recede: float = 0.0
    crown: float = 0.0
    fade: float = 0.0
    strip: float | None = None
    side: int = 0
    density: float = 1.0
    count: int = 16000
    colour: Way = (0.16, 0.1, 0.07)
    licence: str = field(default="Apache-2.0")

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Style:
        """A row of styles.json. Raises BadInput for a word that no style has."""
        row = {"kind" if word == "class" else word: value for word, value in row.items()}
        known = {each.name for each in fields(cls)}
        unknown = sorted(set(row) - known)
        if unknown or "name" not in row:
            raise BadInput(f"a style has no {', '.join(unknown)}" if unknown else "a style needs a name")
        values = {name: _frozen(value) for name, value in row.items()}
        if "ties" in row:
            values["ties"] = tuple(Tie(**{k: _frozen(v) for k, v in tie.items()}) for tie in row["ties"])
        return cls(**values)

    @property
    def bald(self) -> bool:
        return max(self.length) <= 0


def _frozen(value: Any) -> Any:
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value

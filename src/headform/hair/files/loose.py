"""Strands of other programs: of differing point counts, in some unit, with some axis up; made into a groom."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.hair.groom import HAIR_WIDTH, KNOTS, MOST, USUAL, Groom, along

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_POINTS = 50_000_000  # of a whole groom: 600 MB
UNITS = {"metres": 1.0, "centimetres": 0.01, "inches": 0.0254, "millimetres": 0.001}
SMALLEST, LARGEST = 0.1, 2.0  # metres: the longest side of a box around any head of hair
USUAL_SIZE = 0.3  # metres of that side for most hair: short 0.2, to the waist 0.8
USUAL_ROOTS = 0.18  # metres of that side for the roots alone, which differ little: from the forehead to the nape
SMALLEST_STATED = 0.005  # metres, where the file names its unit: a beard's or a brow's hair is a groom too
FARTHEST = 1e6  # of the file's units from its origin; beyond it points are noise
THINNEST, WIDEST = 1e-5, 5e-3  # metres a strand may be wide; a file that says otherwise means something else
FEWEST_ROOTS = 30  # whose places tell where up is
CLEARLY = 1.15  # times better another axis has to fit than the one that is usual in a format

# How a file's axes become ours (+Y up, face towards +Z), by where up is and where the face looks in it.
TURNS: dict[str, Doubles] = {
    "z, face to -y": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
    "z, face to +y": np.array([[-1.0, 0, 0], [0, 0, 1], [0, 1, 0]]),
    "y": np.eye(3),
}
Z_UP = "z, face to -y"  # as Blender has it


@dataclass(frozen=True, slots=True, eq=False)
class Loose:
    """Strands as a file holds them, in its unit and axes.

    points   (N, 3) one strand after the other, each from its root
    counts   (S,) points of each; a strand of one point is a root on which nothing grows
    colours  sRGB 0–1: (3,) for all, (S, 3) for each strand or (N, 3) for each point; None if the file has none
    width    of a strand at its root, in the file's unit; None if the file has none
    unit     metres of the file's unit as the file states it; None if it does not
    up       a key of TURNS; None if the file does not say
    """

    points: NDArray[Any]
    counts: NDArray[Any]
    colours: NDArray[Any] | None = None
    width: float | None = None
    unit: float | None = None
    up: str | None = "y"


def groom_of(loose: Loose, name: str) -> Groom:
    """A groom in metres and upright, all strands with as many points: the most that one has, at most KNOTS.

    Strands with fewer or more points are sampled anew, evenly along themselves. `about` says which unit and axis the
    file had. Raises BadInput, with the file's name, for strands that are none, not finite, too many or in no unit.
    """
    points, counts, colours = _checked(loose, name)
    about = {"name": Path(name).stem}
    if not len(counts):
        return Groom(np.zeros((0, 2, 3), np.float32), about=about)
    first = np.cumsum(counts) - counts
    about["unit"], factor = unit_of(points, points[first], loose.unit, name)
    up = loose.up or up_of(points[first])
    if up != "y":
        about["up"] = up
    even, painted = _even(points @ (TURNS[up].T * factor), counts, colours, name)
    width = HAIR_WIDTH if loose.width is None else loose.width * factor
    return Groom(even, painted, width if THINNEST <= width <= WIDEST else HAIR_WIDTH, about=about)


def check_strands(count: int, name: str) -> None:
    """Raises BadInput for more strands, or fewer than none, than a groom may have."""
    if count > MOST:
        raise BadInput(f"{name} promises {count} strands, and at most {MOST} are read; thin the hair")
    if count < 0:
        raise BadInput(f"{name} promises {count} strands, which is damage or another format; export it again")


def unit_of(points: Doubles, roots: Doubles, stated: float | None, name: str) -> tuple[str, float]:
    """What the unit of points (N, 3) and roots (S, 3) is called, and how many metres it has: as the file states, or,
    where the hair would then be none of a person, the unit in which its roots fit a head best. Raises BadInput where
    the hair fits in none."""
    size = _longest_side(points)
    if stated is not None and SMALLEST_STATED <= size * stated <= LARGEST:
        known = [unit for unit, factor in UNITS.items() if np.isclose(factor, stated)]
        return known[0] if known else f"{stated:g} metres", stated
    fits = {unit: factor for unit, factor in UNITS.items() if SMALLEST <= size * factor <= LARGEST}
    if not fits:
        raise BadInput(
            f"the hair in {name} is {size:.3g} units large, which fits a head neither in metres nor in centimetres, "
            "inches or millimetres; scale it to metres"
        )
    wide, usual = (size, USUAL_SIZE) if len(roots) < FEWEST_ROOTS else (_longest_side(roots), USUAL_ROOTS)
    best = min(fits, key=lambda unit: abs(np.log(max(wide, size * 1e-3) * fits[unit] / usual)))
    return best, fits[best]


def _longest_side(points: Doubles) -> float:
    return float(np.ptp(points, axis=0).max())


def up_of(roots: Doubles) -> str:
    """Where up is, of TURNS, from roots (S, 3): hair grows on the upper and hinder part of a ball. Where that does not
    tell, Z is up."""
    if len(roots) < FEWEST_ROOTS:
        return Z_UP
    near = roots - roots.mean(0)
    # a ball through the roots, |p|² = 2 p·c + r² - |c|²: its centre lies below and before their mean
    equations = np.concatenate([2 * near, np.ones((len(near), 1))], 1)
    centre = np.linalg.lstsq(equations, (near**2).sum(1), rcond=None)[0][:3]
    fits = {up: float((turn @ -centre) @ [0, 1, -1]) for up, turn in TURNS.items()}
    best = max(fits, key=lambda up: fits[up])
    return best if fits[best] > CLEARLY * max(fits[Z_UP], 0.0) else Z_UP


def _checked(loose: Loose, name: str) -> tuple[Doubles, Ints, NDArray[Any] | None]:
    """Points, counts and colours of the strands that grow."""
    counts, points = np.asarray(loose.counts, np.int64), np.asarray(loose.points)
    check_strands(len(counts), name)
    if len(counts) and counts.min() < 1:
        raise BadInput(f"strand {int(counts.argmin())} of {name} has no points; export the hair again")
    if counts.sum() != len(points):
        raise BadInput(f"{name} has {len(points)} points for strands of {int(counts.sum())}; export the hair again")
    colours = loose.colours
    if not np.isfinite(points).all() or not (colours is None or np.isfinite(colours).all()):
        raise BadInput(f"{name} holds NaN or infinity; export the hair again")
    if len(points) and np.abs(points).max() > FARTHEST:
        raise BadInput(f"{name} has points beyond {FARTHEST:g} units from its origin; move the hair to it")
    grows = counts > 1
    if not grows.all():
        of_point = np.repeat(grows, counts)
        points = points[of_point]
        if colours is not None and colours.ndim == 2:
            colours = colours[grows if len(colours) == len(counts) else of_point]
        counts = counts[grows]
    return np.asarray(points, np.float64), counts, colours


def _even(
    points: Doubles, counts: Ints, colours: NDArray[Any] | None, name: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Strands (S, P, 3) and their colours, sampled anew where they are not of P points."""
    knots = int(min(counts.max(), KNOTS))
    if len(counts) * knots > MOST_POINTS:
        raise BadInput(f"{name} has {len(counts)} strands of up to {knots} points, more than fit; thin the hair")
    painted = np.asarray(USUAL if colours is None else np.clip(colours, 0, 1), np.float32)
    each = painted.ndim == 2 and len(painted) == len(points) and len(painted) != len(counts)
    out = np.empty((len(counts), knots, 3), np.float32)
    shades = np.empty_like(out) if each else painted
    first = np.cumsum(counts) - counts
    for count in np.unique(counts):
        mine = np.flatnonzero(counts == count)
        rows = first[mine][:, None] + np.arange(count)
        same = count == knots
        strands = points[rows].astype(np.float32)
        out[mine] = strands if same else along(strands, knots, strands)
        if each:
            shades[mine] = painted[rows] if same else along(strands, knots, painted[rows])
    return out, shades

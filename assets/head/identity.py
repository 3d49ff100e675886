"""Random people: MakeHuman bodies drawn with modifiers whose strength is set from their own size in millimetres."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from controls import Controls
from makehuman import AGES, RACES, Array, MakeHuman

SAMPLES = 1600
SEED = 11
CHILD_SHARE = 0.08
STRENGTH_MM = {  # root-mean-square displacement of a modifier at one standard deviation, by region
    "head": 2.5,
    "forehead": 1.8,
    "eyebrows": 1.0,
    "eyes": 0.9,
    "nose": 1.3,
    "mouth": 1.1,
    "ears": 1.8,
    "chin": 1.8,
    "cheek": 1.6,
    "neck": 2.5,
}
STRENGTH_CAP = 0.45  # of a whole target
# These move or turn the whole part, or make cones of heads, rather than vary its shape.
LEFT_OUT = re.compile(r"(head|forehead|neck)/.*(nubian|-trans|head-angle|neck-back-scale)")
ASYMMETRY_SHARE, ASYMMETRY_MM = 0.25, 0.8
UPPER_FACE = -0.02  # metres above the head joint: what lies higher aligns the samples


@dataclass(frozen=True)
class Modifier:
    """Targets that one number controls: left and right together, as (negative, positive) or alternatives."""

    sides: tuple[tuple[str, ...], ...]
    sigma: float


@dataclass
class People:
    """Draws bodies as control vertices."""

    mh: MakeHuman
    controls: Controls

    @cached_property
    def neutral(self) -> Array:
        return self.controls.read(self.mh.base.vertices)

    def moved(self, target: str) -> Array:
        """(C, 3) a target's displacement, with the head joint held still for macro targets."""
        if target not in self._moved:
            body = self.mh.target(target)
            joint = self.mh.base.group_vertices("joint-head")
            self._moved[target] = self.controls.read(body - body[joint].mean(0))
        return self._moved[target]

    @cached_property
    def _moved(self) -> dict[str, Array]:
        return {}

    def body(self, **macro: object) -> Array:
        """(C, 3) the body with these macro values; arguments of `MakeHuman.macro_shares`."""
        joint = self.mh.base.vertices[self.mh.base.group_vertices("joint-head")].mean(0)
        shape = self.neutral - joint
        for name, share in self.mh.macro_shares(**macro).items():  # type: ignore[arg-type]
            shape = shape + share * self.moved(name)
        return shape

    def draw(self, rng: np.random.Generator) -> tuple[Array, dict[str, object]]:
        """(C, 3) one random person, and the age, gender and race it was drawn with."""
        child = rng.random() < CHILD_SHARE
        about: dict[str, object] = {
            "age": rng.uniform(0.19, 0.42) if child else rng.uniform(0.42, 0.9),
            "gender": float(rng.beta(0.5, 0.5)),
            "race": rng.dirichlet([0.6] * 3),
        }
        spread = {"muscle": (0.5, 0.12), "weight": (0.5, 0.16), "height": (0.5, 0.12), "proportions": (0.6, 0.15)}
        shape = self.body(**about, **{k: float(np.clip(rng.normal(*v), 0, 1)) for k, v in spread.items()})
        for modifier in self.modifiers:
            shape = shape + self._modify(modifier, rng)
        for name in self.asymmetries:
            if rng.random() < ASYMMETRY_SHARE:
                amount = abs(rng.normal(0, min(0.3, ASYMMETRY_MM / self.size_mm(name))))
                shape = shape + amount * self.moved(name)
        return shape, about

    def _modify(self, modifier: Modifier, rng: np.random.Generator) -> Array:
        common, choice = rng.normal(0, modifier.sigma), rng.random()
        total = np.zeros_like(self.neutral)
        for names in modifier.sides:
            amount = common + rng.normal(0, modifier.sigma * 0.12)
            if len(names) == 2:
                total += abs(amount) * self.moved(names[0] if amount < 0 else names[1])
            else:
                total += abs(amount) * 0.7 * self.moved(names[int(choice * len(names))])
        return total

    def size_mm(self, target: str) -> float:
        """How far a target moves what it moves most, in millimetres."""
        length = np.linalg.norm(self.moved(target)[: len(self.controls.topology.skin)], axis=1) * 1e3
        length = np.sort(length[length > 1e-2])
        if not len(length):
            return 1e-3
        return float(np.sqrt((length[-max(20, len(length) // 5) :] ** 2).mean()))

    @cached_property
    def modifiers(self) -> list[Modifier]:
        by_side: dict[str, dict[str, list[str]]] = {}
        for name in self.mh.target_names:
            if name.split("/")[0] in STRENGTH_MM and not LEFT_OUT.match(name):
                stem = name.rsplit("-", 1)[0]
                by_side.setdefault(re.sub(r"/(l|r)-", "/@-", stem), {}).setdefault(stem, []).append(name)
        found = []
        for sides in by_side.values():
            largest = max(self.size_mm(n) for names in sides.values() for n in names)
            region = next(iter(sides)).split("/")[0]
            sigma = min(STRENGTH_CAP, STRENGTH_MM[region] / largest)
            found.append(Modifier(tuple(tuple(sorted(n)) for n in sides.values()), sigma))
        return found

    @cached_property
    def asymmetries(self) -> list[str]:
        return [n for n in self.mh.target_names if n.startswith("asym/")]

    def samples(self, count: int = SAMPLES) -> Array:
        """(count, C, 3) random people, turned and moved (not scaled) onto their mean."""
        rng = np.random.default_rng(SEED)
        return align(np.stack([self.draw(rng)[0] for _ in range(count)]), self.upper_face)

    @cached_property
    def upper_face(self) -> np.ndarray:
        skin = self.body()[: len(self.controls.topology.skin)]
        return np.flatnonzero(skin[:, 1] > UPPER_FACE)

    def corners(self) -> Array:
        """(4 ages, 2 genders, 3 races, C, 3) the extremes that age, sex and ancestry blend between."""
        return np.stack(
            [
                np.stack(
                    [
                        np.stack(
                            [
                                self.body(age=age, gender=gender, race=np.eye(3)[race], proportions=0.6)
                                for race in range(len(RACES))
                            ]
                        )
                        for gender in (0.0, 1.0)
                    ]
                )
                for age in AGES.values()
            ]
        )


def align(shapes: Array, rows: np.ndarray, rounds: int = 2) -> Array:
    """Each shape (n, C, 3) turned and moved onto the mean of all, judged by some rows."""
    for _ in range(rounds):
        mean = shapes.mean(0)
        shapes = np.stack([onto(shape, mean, rows) for shape in shapes])
    return shapes


def onto(shape: Array, target: Array, rows: np.ndarray) -> Array:
    """A shape moved rigidly onto a target (Kabsch), judged by some rows."""
    ours, theirs = shape[rows], target[rows]
    u, _, vt = np.linalg.svd((ours - ours.mean(0)).T @ (theirs - theirs.mean(0)))
    turn = u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt
    return np.asarray((shape - ours.mean(0)) @ turn + theirs.mean(0))

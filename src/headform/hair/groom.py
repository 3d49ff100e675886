"""A groom: the strands of one head, what they are bound to, and what they look like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.head.embedding import Embedding
from headform.render import Strands
from headform.render.colour import to_linear

Floats = NDArray[np.float32]

GRID, KNOTS = 32, 100  # guides on the scalp's square along each side, and points of each: the thesis's tensor
MOST = 1_000_000  # strands; beyond it a file is a mistake, and no machine draws it
HAIR_WIDTH = 3e-4  # metres at the root; each drawn strand stands for several hairs
ALL_WIDTHS = 5.5  # metres: about 80,000 hairs of 0.07 mm side by side, however few strands stand for them
THINNEST, WIDEST = 1.2e-4, 8e-4  # metres
DENSE, PASSED_ON = 0.7, 0.85  # of a strand's width is dark to light, if it is black; what white hair passes on
USUAL = (0.16, 0.1, 0.07)  # brown


@dataclass(frozen=True, slots=True, eq=False)
class Groom:
    """Strand hair on a head at rest. Convention: metres, in the head's axes and from its origin.

    points   (S, P, 3) root first; a strand that needs fewer points repeats its last. S may be 0: no hair
    colours  sRGB 0–1 without light: (3,) for all, (S, 3) for each strand, (S, P, 3) for each point
    width    metres at the root
    roots    where each strand grows: S points bound to the triangles of a head; None for hair from elsewhere
    guides   (32, 32, 100, 4) what it was grown from: offsets from each root in metres, and curliness 0–1; NaN where
             nothing grows. None for hair from elsewhere
    about    plain values that say what it is: name, tags, seed, source, licence
    shine    strength of the white light on it; 1 is healthy hair
    """

    points: Floats
    colours: Floats | tuple[float, float, float] = USUAL
    width: float = HAIR_WIDTH
    roots: Embedding | None = None
    guides: Floats | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
    shine: float = 1.0

    def __post_init__(self) -> None:
        points = np.ascontiguousarray(self.points, np.float32)
        if points.ndim != 3 or points.shape[2] != 3 or points.shape[1] < 2:
            raise BadInput(f"a groom's strands are (S, P, 3) with at least two points each, not {points.shape}")
        if len(points) > MOST:
            raise BadInput(f"a groom of {len(points)} strands is too large; give at most {MOST}")
        if not np.isfinite(points).all():
            raise BadInput("strands hold NaN or infinity; give finite points")
        colours = np.asarray(self.colours, np.float32)
        if colours.shape not in ((3,), (len(points), 3), points.shape):
            raise BadInput(f"colours of {len(points)} strands cannot have the shape {colours.shape}")
        if self.roots is not None and len(self.roots) != len(points):
            raise BadInput(f"{len(self.roots)} roots do not fit {len(points)} strands")
        if self.guides is not None and self.guides.shape != (GRID, GRID, KNOTS, 4):
            raise BadInput(f"guides are ({GRID}, {GRID}, {KNOTS}, 4), not {self.guides.shape}")
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "colours", colours)

    def __len__(self) -> int:
        return len(self.points)

    @property
    def name(self) -> str:
        return str(self.about.get("name", "hair"))

    def lengths(self) -> Floats:
        """(S,) metres along each strand."""
        return np.asarray(np.linalg.norm(np.diff(self.points, axis=1), axis=2).sum(1), np.float32)

    def point_colours(self) -> Floats:
        """(S, P, 3) the colour of every point."""
        colours = np.asarray(self.colours, np.float32)
        if colours.ndim == 2:
            colours = colours[:, None]
        return np.ascontiguousarray(np.broadcast_to(colours, self.points.shape))

    def strands(self) -> Strands:
        """What the renderer draws."""
        return Strands(self.points, self.colours, self.width, shine=self.shine, shadow=self._shadow())

    def _shadow(self) -> float:
        """Metres: light hair shades what is under it less, for light goes through it again and again."""
        colours = np.asarray(self.colours, np.float32)
        if not colours.size:
            return DENSE * self.width
        light = float(to_linear(colours.reshape(-1, 3)[:: 1 + colours.size // 9000]).mean())
        return float(DENSE * self.width * (1 - PASSED_ON * light**0.5))

    def chosen(self, which: NDArray[Any]) -> Groom:
        """Some of the strands, by index or by a mask (S,)."""
        colours = np.asarray(self.colours)
        roots = self.roots
        if roots is not None:
            roots = Embedding(roots.corners[which], roots.barycentric[which])
        return replace(
            self, points=self.points[which], roots=roots, colours=colours[which] if colours.ndim > 1 else colours
        )

    def thinned(self, count: int, seed: int = 0) -> Groom:
        """A coarser level of detail: at most `count` of the strands, wider so that they cover as much."""
        if count >= len(self):
            return self
        which = np.sort(np.random.default_rng(seed).permutation(len(self))[:count])
        return replace(self.chosen(which), width=self.width * min(len(self) / max(count, 1), 16.0) ** 0.5)

    def resampled(self, knots: int) -> Groom:
        """Every strand with `knots` points, evenly along its own length."""
        if not len(self) or knots == self.points.shape[1]:
            return self
        points = along(self.points, knots, self.points)
        colours = np.asarray(self.colours, np.float32)
        return replace(
            self, points=points, colours=along(self.points, knots, colours) if colours.ndim == 3 else colours
        )

    def moved(self, rest: Floats, now: Floats) -> Groom:
        """The hair of a head whose vertices went from `rest` to `now`, both (V, 3): as a whole with the scalp, then
        each root to its own place on it. Hair without roots goes with the whole head."""
        if not len(self):
            return self
        if self.roots is None:
            turn, shift = rigid(rest, now)
            return replace(self, points=np.asarray(self.points @ turn.T + shift, np.float32))
        before, after = self.roots.points(rest), self.roots.points(now)
        turn, shift = rigid(before, after)
        points = self.points @ turn.T + shift
        return replace(self, points=np.asarray(points + (after - points[:, 0])[:, None], np.float32))


def none() -> Groom:
    """A head without hair."""
    nothing = np.zeros((0, 3))
    roots = Embedding(nothing.astype(np.int32), nothing.astype(np.float32))
    return Groom(np.zeros((0, 2, 3), np.float32), roots=roots, about={"name": "none"})


def width_of(count: int, density: float = 1.0) -> float:
    """Metres: how wide strands are drawn of which so many stand for a whole head of hair."""
    return float(np.clip(ALL_WIDTHS * density / max(count, 1), THINNEST, WIDEST))


def rigid(before: Floats, after: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rotation (3, 3) and translation (3,) that bring points (N, 3) nearest to others; Kabsch 1976."""
    a, b = np.asarray(before, np.float64), np.asarray(after, np.float64)
    middle, goal = a.mean(0), b.mean(0)
    u, _, vt = np.linalg.svd((a - middle).T @ (b - goal))
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(vt.T @ u.T))])
    turn = vt.T @ flip @ u.T
    return turn, goal - turn @ middle


def along(points: NDArray[Any], knots: int, values: NDArray[Any]) -> Floats:
    """(S, knots, C) values (S, P, C) of strands (S, P, 3) at `knots` places evenly along each strand's length."""
    out = np.empty((len(points), knots, values.shape[2]), np.float32)
    _walk(points, values, out)
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def _walk(points: Any, values: Any, out: Any) -> None:
    length, knots = points.shape[1], out.shape[1]
    way = np.zeros(length)
    for s in range(len(points)):
        for p in range(1, length):
            far = 0.0
            for axis in range(3):
                far += (points[s, p, axis] - points[s, p - 1, axis]) ** 2
            way[p] = way[p - 1] + np.sqrt(far)
        p = 0
        for k in range(knots):
            goal = way[length - 1] * k / (knots - 1)
            while p < length - 2 and way[p + 1] < goal:
                p += 1
            gap = way[p + 1] - way[p]
            part = min(max((goal - way[p]) / gap, 0.0), 1.0) if gap > 0 else 0.0
            for c in range(values.shape[2]):
                out[s, k, c] = values[s, p, c] + part * (values[s, p + 1, c] - values[s, p, c])

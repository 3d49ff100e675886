"""The control vertices of our head: skin, tongue and lashes themselves, and frames for eyes and teeth.

A frame is four points (centre, centre + s·x, centre + s·y, centre + s·z): what moves with it stays affine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from eyes import SEAT as EYE_SEAT
from makehuman import Array, MakeHuman
from scipy.spatial import cKDTree
from topology import ISLANDS, Topology, crop

FRAME_SIZE = 0.012  # metres, about an eye's radius
FRAMES = ("eye_left", "eye_right", "upper_arch", "lower_arch")
FRAME_GROUPS = ("helper-l-eye", "helper-r-eye", "helper-upper-teeth", "helper-lower-teeth")


@dataclass(frozen=True)
class Controls:
    """Reads the control vertices (C, 3) out of any body of the base mesh."""

    mh: MakeHuman
    topology: Topology
    neutral: Array  # (VERTICES, 3) the body on which the frames are upright and of unit size

    @cached_property
    def direct(self) -> np.ndarray:
        t = self.topology
        return np.concatenate([t.skin, t.tongue, t.lashes])

    @property
    def count(self) -> int:
        return len(self.direct) + 4 * len(FRAMES)

    def frame_rows(self, name: str) -> slice:
        start = len(self.direct) + 4 * FRAMES.index(name)
        return slice(start, start + 4)

    def read(self, body: Array) -> Array:
        """(C, 3) controls of a body, or of a displacement of one, (VERTICES, 3). Linear."""
        frames = [self._frame(name, group, body) for name, group in zip(FRAMES, FRAME_GROUPS, strict=True)]
        return np.concatenate([body[self.direct], *frames])

    def _frame(self, name: str, group: str, body: Array) -> Array:
        rows = self.mh.base.group_vertices(group)
        arms = self.neutral[rows] - self.neutral[rows].mean(0)
        centre, moved = body[rows].mean(0), body[rows] - body[rows].mean(0)
        if name.startswith("eye"):  # one size only: an eyeball stays a sphere
            axes = np.eye(3) * (arms * moved).sum() / (arms**2).sum()
            centre = centre + axes @ EYE_SEAT
        else:
            axes = np.linalg.lstsq(arms, moved, rcond=None)[0]
        return np.concatenate([centre[None], centre + FRAME_SIZE * axes])

    @cached_property
    def mirror(self) -> np.ndarray:
        """(C,) the control across the middle, for all but the frames' own axes (see `mirrored`)."""
        rest = self.mh.base.vertices[self.direct]
        _, partner = cKDTree(rest).query(rest * [-1, 1, 1])
        frames = [self.frame_rows(n) for n in ("eye_right", "eye_left", "upper_arch", "lower_arch")]
        return np.concatenate([partner, *(np.arange(f.start, f.stop) for f in frames)])

    def mirrored(self, shapes: Array) -> Array:
        """(..., C, 3) the mirror images, each vertex again in its own row."""
        other = shapes[..., self.mirror, :] * [-1, 1, 1]
        for name in FRAMES:
            start = self.frame_rows(name).start
            other[..., start + 1, :] = 2 * other[..., start, :] - other[..., start + 1, :]
        return other

    def seat_eyes(self, shape: Array) -> Array:
        """(C, 3) the same head with each eyeball moved so that the lids lie on it as on the neutral head."""
        seated = shape.copy()
        for side in ("left", "right"):
            rows, rim = self.frame_rows(f"eye_{side}"), self.lid_rim(side)
            model = self.read(self.neutral)
            wanted = np.linalg.norm(model[rim] - model[rows.start], axis=1)
            size = np.linalg.norm(shape[rows][1:] - shape[rows][0], axis=1).mean() / FRAME_SIZE
            centre = shape[rows.start].copy()
            for _ in range(12):
                arms = shape[rim] - centre
                length = np.linalg.norm(arms, axis=1)
                axes = -arms / length[:, None]
                gap = length - size * wanted
                centre += np.linalg.solve(axes.T @ axes + 0.3 * np.eye(3), -axes.T @ gap)
            seated[rows] += centre - shape[rows.start]
        return seated

    def lid_rim(self, side: str) -> np.ndarray:
        """Rows of the lid margin: one ring outside the loop where the old layout cuts off the socket."""
        t = self.topology
        head = t.quads[t.island == ISLANDS.index("head")]
        loop = np.intersect1d(np.unique(t.quads[t.island == ISLANDS.index(f"socket_{side}")]), np.unique(head))
        ahead = np.isin(head, loop)
        neighbours = (np.roll(ahead, 1, 1) | np.roll(ahead, -1, 1)) & ~ahead
        return np.unique(head[neighbours])


def controls_of(mh: MakeHuman) -> Controls:
    """The controls of MakeHuman's average body."""
    body = mh.base.vertices + mh.macro()
    return Controls(mh, crop(mh), body - body[mh.base.group_vertices("joint-head")].mean(0))

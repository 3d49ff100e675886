"""The control vertices of our head: skin, tongue and lashes themselves, and frames for eyes and teeth.

A frame is four points (centre, centre + s·x, centre + s·y, centre + s·z): what moves with it stays affine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from eyes import RADIUS as EYE_RADIUS
from eyes import SEAT as EYE_SEAT
from makehuman import Array, MakeHuman
from scipy.spatial import cKDTree
from topology import ISLANDS, Topology, crop

FRAME_SIZE = 0.012  # metres, about an eye's radius
SIZE_HOLD = 1e-3  # m², how firmly an eyeball keeps its size; 28 points of the rim together pull with 5e-3
LID_THICKNESS = 0.0025  # metres of skin over the eyeball, where the neutral head has as much
TUCK = 0.85  # of the eyeball's radius, where the inside of the socket is kept …
LIPS_HEIGHT, LIPS_BLEND = -0.0285, 0.006  # metres, of the line between the lips; the lining's halves meet there
LINING_RINGS = 4.0  # rings behind the lips over which the lining comes to follow the teeth
SOCKET_RINGS = 2.0  # … from this many rings behind the lids on
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

    @cached_property
    def rest(self) -> Array:
        """(C, 3) the controls of the neutral body."""
        return self.read(self.neutral)

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
        """(C, 3) the same head with eyeballs moved and sized so that the lids lie on them as on the neutral head."""
        seated = shape.copy()
        for side in ("left", "right"):
            centre, size = self._seat(shape, side)
            start = self.frame_rows(f"eye_{side}").start
            seated[start] = centre
            seated[start + 1 : start + 4] = centre + size * FRAME_SIZE * np.eye(3)
            rows, least = self._lids(side)
            arms = shape[rows] - centre
            away = np.linalg.norm(arms, axis=1, keepdims=True)
            seated[rows] = centre + arms * np.maximum(1, size * least[:, None] / away)
        return seated

    def _lids(self, side: str) -> tuple[np.ndarray, Array]:
        """Rows of the outer skin around an eyeball, and how far from its centre each must stay, at size 1."""
        outer = np.unique(self.topology.quads[self.topology.island == ISLANDS.index("head")])
        start = self.frame_rows(f"eye_{side}").start
        away = np.linalg.norm(self.rest[outer] - self.rest[start], axis=1)
        near = (
            (away > EYE_RADIUS) & (away < EYE_RADIUS + 2 * LID_THICKNESS) & (self.rest[outer, 2] > self.rest[start, 2])
        )
        return outer[near], np.minimum(away[near], EYE_RADIUS + LID_THICKNESS)

    def _seat(self, shape: Array, side: str) -> tuple[Array, float]:
        """Centre and size (1 on the neutral head) of an eyeball under the lids of a head."""
        start, rim, model = self.frame_rows(f"eye_{side}").start, self.lid_rim(side), self.rest
        wanted = np.linalg.norm(model[rim] - model[start], axis=1)
        centre = shape[start].copy()
        given = size = float(np.linalg.norm(shape[start + 1 : start + 4] - centre, axis=1).mean() / FRAME_SIZE)
        for _ in range(15):
            arms = shape[rim] - centre
            length = np.linalg.norm(arms, axis=1)
            slope = np.concatenate([-arms / length[:, None], -wanted[:, None]], 1)
            hold = np.diag([0.3, 0.3, 0.3, SIZE_HOLD])
            pull = slope.T @ (length - size * wanted)
            pull[3] += SIZE_HOLD * (size - given)
            step = np.linalg.solve(slope.T @ slope + hold, -pull)
            centre, size = centre + step[:3], size + float(step[3])
        return centre, size

    def carry_lashes(self, displacements: Array) -> Array:
        """(..., C, 3) displacements in which the lashes go with the lids under their roots. Linear."""
        skin = len(self.topology.skin)
        lashes = slice(skin + len(self.topology.tongue), len(self.direct))
        _, near = cKDTree(self.rest[:skin]).query(self.rest[lashes], k=4)
        carried = displacements.copy()
        carried[..., lashes, :] = displacements[..., near, :].mean(-2)
        return carried

    def tuck(self, shapes: Array) -> Array:
        """(..., C, 3) heads, or displacements of heads, whose sockets turn inside the eyeballs. Linear.

        Nobody sees the inside of a socket; outside the eyeball it would come out of some faces.
        """
        tucked = shapes.copy()
        for side in ("left", "right"):
            start = self.frame_rows(f"eye_{side}").start
            rows, depth = self.inside(f"socket_{side}")
            ways = self.rest[rows] - self.rest[start]
            ways *= TUCK * EYE_RADIUS / FRAME_SIZE / np.linalg.norm(ways, axis=1, keepdims=True)
            centre = shapes[..., start : start + 1, :]
            inside = centre + ways @ (shapes[..., start + 1 : start + 4, :] - centre)
            share = np.clip(depth / SOCKET_RINGS, 0, 1)[:, None]
            tucked[..., rows, :] = (1 - share) * shapes[..., rows, :] + share * inside
        return tucked

    def tuck_mouth(self, shapes: Array) -> Array:
        """(..., C, 3) displacements of heads in which teeth go with the lips, the lining with the teeth.

        Linear. Cheeks differ from head to head; a lining that followed them would come out of the thinnest.
        """
        tucked = shapes.copy()
        rows, depth = self.inside("mouth")
        t = self.topology
        lips = np.intersect1d(t.quads[t.island == ISLANDS.index("mouth")], t.quads[t.island == ISLANDS.index("head")])
        arms = self.rest[lips] - self.rest[lips].mean(0)
        moved = shapes[..., lips, :]
        size = (arms * (moved - moved.mean(-2, keepdims=True))).sum((-2, -1)) / (arms**2).sum()
        for name in ("upper_arch", "lower_arch"):
            frame = self.frame_rows(name)
            lever = self.rest[frame.start] - self.rest[lips].mean(0)
            centre = moved.mean(-2) + size[..., None] * lever
            tucked[..., frame.start, :] = centre
            axes = size[..., None, None] * FRAME_SIZE * np.eye(3)
            tucked[..., frame.start + 1 : frame.stop, :] = centre[..., None, :] + axes
        inside = np.zeros_like(shapes[..., rows, :])
        below = np.clip((LIPS_HEIGHT + LIPS_BLEND - self.rest[rows, 1]) / (2 * LIPS_BLEND), 0, 1)[:, None]
        for name, share in (("upper_arch", 1 - below), ("lower_arch", below)):
            frame = self.frame_rows(name)
            arms = (self.rest[rows] - self.rest[frame.start]) / FRAME_SIZE
            centre = tucked[..., frame.start : frame.start + 1, :]
            inside += share * (centre + arms @ (tucked[..., frame.start + 1 : frame.stop, :] - centre))
        share = np.clip(depth / LINING_RINGS, 0, 1)[:, None]
        tucked[..., rows, :] = (1 - share) * shapes[..., rows, :] + share * inside
        return tucked

    def inside(self, island: str) -> tuple[np.ndarray, np.ndarray]:
        """Rows (n,) of the inside of a socket or the mouth, and how many rings each lies behind its opening."""
        t = self.topology
        quads = t.quads[t.island == ISLANDS.index(island)]
        found = np.intersect1d(quads, t.quads[t.island == ISLANDS.index("head")])
        depth = {int(row): 0 for row in found}
        ring = 0
        while len(depth) < len(np.unique(quads)):
            ring += 1
            near = np.unique(quads[np.isin(quads, list(depth)).any(1)])
            depth |= {int(row): ring for row in near if int(row) not in depth}
        rows = np.array([row for row in sorted(depth) if depth[row] > 0])
        return rows, np.array([depth[int(row)] for row in rows])

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

"""Lips that meet on every head, and a lining of the mouth that stays behind them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from controls import Controls
from makehuman import Array
from scipy.sparse import coo_matrix, csr_matrix, diags
from scipy.sparse.linalg import splu
from topology import ISLANDS

LIP_RINGS = 3  # rings of the outer skin, from the inner edge of the lips, among which contact is sought
NEAR = 0.0022  # metres between vertices that touch on the base head
OVERLAP = 0.0007  # metres that the lips press together, so that no light shows
STIFF, LOCAL, FIRM = 1.0, 0.02, 5.0  # of the skin around, of staying where it is, of the contact
# Above and below, the lining withdraws into the gums: under the wings of a nose, over a chin, there is little room.
VAULT_FROM, FLOOR_FROM, VAULT_RISE = -0.022, -0.035, 0.007  # metres, heights
VAULT_BACK, VAULT_NARROWER = 0.006, 0.12  # metres, and a share of the width
CORNER_FROM, CORNER_REACH, CORNER_BACK = 0.014, 0.007, 0.0045  # metres: behind the corners of the mouth too


@dataclass(frozen=True)
class Lips:
    """base (C, 3): the head whose closed lips are the model for all."""

    controls: Controls
    base: Array

    @cached_property
    def pairs(self) -> np.ndarray:
        """(n, 2) skin rows, lower and upper lip, that touch on the base head."""
        rows = self.rows(LIP_RINGS)
        place, normal = self.base[rows], skin_normals(self.controls, self.base)[rows]
        apart = place[:, None] - place[None]
        facing = normal @ normal.T < -0.3
        lower_first = (normal[:, 1] > 0)[:, None] & (normal[:, 1] < 0)[None]
        distance = np.linalg.norm(apart, axis=2)
        distance[~(facing & lower_first)] = np.inf
        partner = distance.argmin(1)
        touching = distance.min(1) < NEAR
        return np.stack([rows[touching], rows[partner[touching]]], 1)

    def rows(self, rings: int) -> np.ndarray:
        """Skin rows of the lips' inner edge and this many rings outside it."""
        topology = self.controls.topology
        head = topology.quads[topology.island == ISLANDS.index("head")]
        found = np.intersect1d(head, topology.quads[topology.island == ISLANDS.index("mouth")])
        for _ in range(rings):
            found = np.unique(head[np.isin(head, found).any(1)])
        return found

    @cached_property
    def _solver(self) -> splu:
        skin, pairs = len(self.controls.topology.skin), self.pairs
        smooth = laplacian(self.controls)
        tie = self._tie
        system = STIFF * smooth.T @ smooth + LOCAL * diags(np.ones(skin)) + FIRM * tie.T @ tie
        assert len(pairs)
        return splu(system.tocsc())

    @cached_property
    def _tie(self) -> csr_matrix:
        number = np.arange(len(self.pairs))
        ones = np.ones(len(number))
        columns = np.concatenate([self.pairs[:, 1], self.pairs[:, 0]])
        shape = (len(number), len(self.controls.topology.skin))
        return coo_matrix((np.concatenate([ones, -ones]), (np.concatenate([number, number]), columns)), shape).tocsr()

    def seal(self, shape: Array) -> Array:
        """(C, 3) the same head with closed lips: the skin around gives way smoothly."""
        wanted = self._tie @ self.base[: self._tie.shape[1]] - [0, OVERLAP, 0]
        open_by = self._tie @ shape[: self._tie.shape[1]] - wanted
        moved = self._solver.solve(-FIRM * (self._tie.T @ open_by))
        sealed = shape.copy()
        sealed[: len(moved)] += moved
        return sealed

    @cached_property
    def lining(self) -> Array:
        """(C, 3) displacement of the mouth's lining, back from lips and cheeks; the lips themselves stay."""
        inside, depth = self.controls.inside("mouth")
        moved = np.zeros_like(self.base)
        x, y = self.base[inside, 0], self.base[inside, 1]
        behind = np.clip(depth / 2, 0, 1)
        high = np.clip(np.maximum(y - VAULT_FROM, FLOOR_FROM - y) / VAULT_RISE, 0, 1)
        aside = np.clip((np.abs(x) - CORNER_FROM) / CORNER_REACH, 0, 1)
        moved[inside, 0] = -VAULT_NARROWER * x * high * behind
        moved[inside, 2] = -np.maximum(VAULT_BACK * high, CORNER_BACK * aside) * behind
        return moved


def laplacian(controls: Controls) -> csr_matrix:
    """(S, S) each skin vertex less the mean of its neighbours."""
    quads, skin = controls.topology.quads, len(controls.topology.skin)
    edges = np.concatenate([quads[:, [k, (k + 1) % 4]] for k in range(4)])
    near = coo_matrix((np.ones(edges.size), (edges.ravel(), edges[:, ::-1].ravel())), (skin, skin)).tocsr()
    near.data[:] = 1
    return (diags(np.ones(skin)) - diags(1 / np.asarray(near.sum(1)).ravel()) @ near).tocsr()


def skin_normals(controls: Controls, shape: Array) -> Array:
    """(S, 3) unit normals of the skin."""
    quads = controls.topology.quads
    a, b, c, d = (shape[quads[:, k]] for k in range(4))
    face = np.cross(c - a, d - b)
    normals = np.zeros((len(controls.topology.skin), 3))
    for k in range(4):
        np.add.at(normals, quads[:, k], face)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)

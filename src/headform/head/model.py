"""The morphable head: identity, expression and pose in, a mesh out."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.errors import BadInput
from headform.head import skinning
from headform.head.embedding import Embedding

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

JOINTS = ("global", "neck", "jaw", "eye_left", "eye_right")
PARENTS = skinning.PARENTS
COEFFICIENT_LIMIT = 100.0  # beyond this a coefficient is a mistake in units, not a face


@dataclass(frozen=True)
class Follow:
    """Vertices that are fixed affine combinations of control vertices (eyeballs, teeth, lashes).

    controls: (M, 4) indices into the control vertices; weights: (M, 4), each row sums to one.
    """

    controls: Ints
    weights: Floats


@dataclass(frozen=True, eq=False)
class HeadModel:
    """One morphable head, whichever file it came from. Convention: metres, +Y up, the face looks along +Z,
    origin at the head joint of the mean head; left and right are the person's.

    V vertices: the first D are control vertices, the rest follow control vertices. C ≥ D control vertices: those
    beyond D carry followers and are no part of the mesh. K identity modes, E expression units, Q faces.

    template    (C, 3) the mean head, at rest
    identity    (K, C, 3) displacement per standard deviation; β ~ N(0, 1) is the prior
    expression  (E, C, 3) displacement per unit; 0 is rest, 1 is full
    drive       (E, 5, 3) axis-angle, in radians, that a full unit adds to each joint
    joints      (5, 3) rest positions, in the order of JOINTS
    joint_identity (K, 5, 3) how identity moves them
    weights     (V, 5) linear blend skinning weights
    correctives (36, C, 3) displacement per element of R − I of joints 1–4 (FLAME only), else None
    quads       (Q, 4) faces; a triangle repeats its last vertex
    quads_uv    (Q, 4) rows of `uv` for each corner
    uv          (U, 2) texture coordinates, origin bottom-left
    part        (Q,) index into `parts`
    """

    name: str
    template: Floats
    identity: Floats
    expression: Floats
    expression_names: tuple[str, ...]
    drive: Floats
    joints: Floats
    joint_identity: Floats
    weights: Floats
    quads: Ints
    quads_uv: Ints
    uv: Floats
    part: Ints
    parts: tuple[str, ...]
    follow: Follow | None = None
    correctives: Floats | None = None
    embeddings: dict[str, Embedding] = field(default_factory=dict)
    extras: dict[str, NDArray[Any]] = field(default_factory=dict)
    source: str = ""
    licence: str = ""

    # ── what is in it ────────────────────────────────────────────────────────────────────────────

    @property
    def identity_size(self) -> int:
        return len(self.identity)

    @property
    def expression_size(self) -> int:
        return len(self.expression)

    @property
    def vertex_count(self) -> int:
        return len(self.weights)

    @cached_property
    def triangles(self) -> Ints:
        """(T, 3) the quads cut in two along the shorter diagonal of the template."""
        return self._triangulation[0]

    @cached_property
    def triangles_uv(self) -> Ints:
        """(T, 3) rows of `uv` for the corners of `triangles`."""
        return self._triangulation[1]

    @cached_property
    def triangle_part(self) -> Ints:
        """(T,) index into `parts` for each triangle."""
        return self._triangulation[2]

    @cached_property
    def _triangulation(self) -> tuple[Ints, Ints, Ints]:
        return split_quads(self.rest(), self.quads, self.quads_uv, self.part)

    @property
    def direct_count(self) -> int:
        """D: how many vertices of the mesh are control vertices themselves."""
        return self.vertex_count - (0 if self.follow is None else len(self.follow.controls))

    def part_index(self, part: str) -> int:
        if part not in self.parts:
            raise BadInput(f"the head {self.name!r} has no part {part!r}; it has {', '.join(self.parts)}")
        return self.parts.index(part)

    def part_vertices(self, *parts: str) -> Ints:
        """Sorted indices of the vertices that the faces of these parts use."""
        chosen = np.isin(self.part, [self.part_index(p) for p in parts])
        return np.unique(self.quads[chosen]).astype(np.int32)

    # ── coefficients ─────────────────────────────────────────────────────────────────────────────

    def beta(self, values: ArrayLike | None = None) -> Floats:
        """Checked identity coefficients, (..., K): shorter input is filled with zeros."""
        return _coefficients(values, self.identity_size, "identity coefficients β")

    def psi(self, values: ArrayLike | dict[str, float] | None = None) -> Floats:
        """Checked expression coefficients, (..., E), from numbers or from `{unit name: amount}`."""
        if isinstance(values, dict):
            named = np.zeros(self.expression_size, np.float32)
            for name, amount in values.items():
                named[self.expression_index(name)] = amount
            values = named
        return _coefficients(values, self.expression_size, "expression coefficients ψ")

    def theta(self, values: ArrayLike | None = None) -> Floats:
        """Checked joint rotations, (..., 5, 3), axis-angle in radians, in the order of JOINTS."""
        if values is None:
            return np.zeros((5, 3), np.float32)
        theta = np.asarray(values, np.float32)
        if theta.shape[-2:] != (5, 3):
            raise BadInput(f"the pose θ has shape {theta.shape}; give (..., 5, 3) for {', '.join(JOINTS)}")
        _check_range(theta, "the pose θ")
        return theta

    def expression_index(self, name: str) -> int:
        if name not in self.expression_names:
            from difflib import get_close_matches

            near = get_close_matches(name, self.expression_names, 3, 0.4)
            hint = f"; did you mean {', '.join(near)}?" if near else f"; there are {self.expression_size}"
            raise BadInput(f"no expression unit is called {name!r}{hint}")
        return self.expression_names.index(name)

    # ── meshes ───────────────────────────────────────────────────────────────────────────────────

    def rest(self, beta: ArrayLike | None = None) -> Floats:
        """(..., V, 3) the neutral, unposed head of an identity."""
        return self.posed(beta)

    def posed(
        self,
        beta: ArrayLike | None = None,
        psi: ArrayLike | dict[str, float] | None = None,
        theta: ArrayLike | None = None,
    ) -> Floats:
        """(..., V, 3) vertices. Leading dimensions broadcast: β (100, K) with one ψ makes 100 heads."""
        return skinning.posed(self, self.beta(beta), self.psi(psi), self.theta(theta))

    def person(self, beta: ArrayLike | None = None) -> skinning.Person:
        """One identity, prepared: posing it again and again costs a fraction of `posed`."""
        return skinning.Person(self, self.beta(beta))

    def joints_of(self, beta: ArrayLike | None = None) -> Floats:
        """(..., 5, 3) rest positions of the joints of an identity."""
        moved = np.tensordot(self.beta(beta), self.joint_identity, 1)
        return np.asarray(self.joints + moved, np.float32)


def split_quads(vertices: Floats, quads: Ints, quads_uv: Ints, part: Ints) -> tuple[Ints, Ints, Ints]:
    """Triangles, their uv rows and parts from quads, cut along the shorter diagonal; order is kept."""
    corner = vertices[quads]
    across = np.linalg.norm(corner[:, 0] - corner[:, 2], axis=1) <= np.linalg.norm(corner[:, 1] - corner[:, 3], axis=1)
    across |= quads[:, 2] == quads[:, 3]
    order = np.where(across[:, None], [[0, 1, 2, 0, 2, 3]], [[0, 1, 3, 1, 2, 3]])
    triangles = np.take_along_axis(quads, order, 1).reshape(-1, 3)
    triangles_uv = np.take_along_axis(quads_uv, order, 1).reshape(-1, 3)
    real = (
        (triangles[:, 0] != triangles[:, 1])
        & (triangles[:, 1] != triangles[:, 2])
        & (triangles[:, 2] != triangles[:, 0])
    )
    return triangles[real], triangles_uv[real], np.repeat(part, 2)[real]


def _coefficients(values: ArrayLike | None, size: int, what: str) -> Floats:
    given = np.zeros(0, np.float32) if values is None else np.asarray(values, np.float32)
    if given.ndim == 0:
        raise BadInput(f"the {what} are a single number; give a list of up to {size}")
    if given.shape[-1] > size:
        raise BadInput(f"{given.shape[-1]} {what} were given, but this head has {size}")
    _check_range(given, f"the {what}")
    full = np.zeros((*given.shape[:-1], size), np.float32)
    full[..., : given.shape[-1]] = given
    return full


def _check_range(values: Floats, what: str) -> None:
    if not np.isfinite(values).all():
        raise BadInput(f"{what} contain NaN or infinity; give finite numbers")
    if values.size and np.abs(values).max() > COEFFICIENT_LIMIT:
        raise BadInput(
            f"{what} reach {np.abs(values).max():.3g}; values beyond ±{COEFFICIENT_LIMIT:g} are no face, "
            "check the units"
        )

"""How chosen points of the head move with β, ψ and θ: the derivatives that the fit needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.head.embedding import Embedding
from headform.head.model import HeadModel
from headform.head.skinning import (
    PARENTS,
    cross_matrix,
    driven_pose,
    joint_transforms,
    pose_feature,
    rotation_matrices,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Jacobian:
    """Posed points and their derivatives, in metres per unit (ψ), standard deviation (β), radian (θ).

    points (n, 3); beta (n, 3, K); psi (n, 3, E); theta (n, 3, 5, 3).
    """

    points: Floats
    beta: Floats
    psi: Floats
    theta: Floats


class TrackedPoints:
    """Points of a head, cut out of the model once so that each evaluation costs only their own number."""

    def __init__(self, model: HeadModel, points: Embedding | ArrayLike) -> None:
        if not isinstance(points, Embedding):
            rows = np.asarray(points, np.int32)
            points = Embedding(np.repeat(rows[:, None], 3, 1), np.eye(1, 3, dtype=np.float32).repeat(len(rows), 0))
        self.model = model
        self._barycentric = points.barycentric.astype(np.float64)
        vertices, inverse = np.unique(points.corners.astype(np.int64), return_inverse=True)
        self._corners = inverse.reshape(points.corners.shape)
        self._rest = _rows(model, model.template[None], vertices)[0]
        self._identity = _columns(model, model.identity, vertices)
        self._expression = _columns(model, model.expression, vertices)
        self._weights = model.weights[vertices].astype(np.float64)
        self._correctives = None if model.correctives is None else _columns(model, model.correctives, vertices)
        self._joint_identity = model.joint_identity.astype(np.float64)

    def jacobian(
        self,
        beta: ArrayLike | None = None,
        psi: ArrayLike | dict[str, float] | None = None,
        theta: ArrayLike | None = None,
    ) -> Jacobian:
        """The posed points and how they move; exact, not by differences."""
        model = self.model
        beta_, psi_, theta_ = model.beta(beta), model.psi(psi), model.theta(theta)
        pose = driven_pose(model, psi_, theta_)
        rotations = rotation_matrices(pose)
        joints = model.joints_of(beta_)
        transforms = joint_transforms(rotations, joints).astype(np.float64)
        turned, shift = transforms[..., :3], transforms[..., 3]

        rest = self._rest + self._identity @ beta_ + self._expression @ psi_
        if self._correctives is not None:
            rest = rest + self._correctives @ pose_feature(rotations)
        by_joint = np.einsum("jab,nb->jna", turned, rest) + shift[:, None]
        blend = np.einsum("nj,jab->nab", self._weights, turned)

        points = np.einsum("nj,jna->na", self._weights, by_joint)
        carried = self._weights @ self._joint_shift(turned).transpose(1, 2, 0).reshape(5, -1)
        by_beta = blend @ self._identity + carried.reshape(len(points), 3, -1)
        by_theta = self._by_theta(pose, rotations, transforms, joints, by_joint, blend)
        driven = by_theta.reshape(len(points), 3, 15) @ model.drive.reshape(-1, 15).T.astype(np.float64)
        by_psi = blend @ self._expression + driven
        return Jacobian(*(self._at_points(part) for part in (points, by_beta, by_psi, by_theta)))

    def points(
        self,
        beta: ArrayLike | None = None,
        psi: ArrayLike | dict[str, float] | None = None,
        theta: ArrayLike | None = None,
    ) -> Floats:
        """(n, 3) the posed points alone."""
        model = self.model
        beta_, psi_ = model.beta(beta), model.psi(psi)
        rotations = rotation_matrices(driven_pose(model, psi_, model.theta(theta)))
        transforms = joint_transforms(rotations, model.joints_of(beta_)).astype(np.float64)
        rest = self._rest + self._identity @ beta_ + self._expression @ psi_
        if self._correctives is not None:
            rest = rest + self._correctives @ pose_feature(rotations)
        by_joint = np.einsum("jab,nb->jna", transforms[..., :3], rest) + transforms[:, None, :, 3]
        return self._at_points(np.einsum("nj,jna->na", self._weights, by_joint))

    def _at_points(self, values: Floats) -> Floats:
        """(n, …) at the points, from (v, …) at the vertices around them."""
        corners = values[self._corners].reshape(*self._corners.shape, -1)
        mixed = self._barycentric[:, None] @ corners
        return np.asarray(mixed.reshape(len(corners), *values.shape[1:]))

    def _joint_shift(self, turned: Floats) -> Floats:
        """(K, 5, 3) derivative of each joint's translation b to β, through the joints' rest places."""
        moved = self._joint_identity
        place = np.empty_like(moved)
        for joint, parent in enumerate(PARENTS):
            if parent < 0:
                place[:, joint] = moved[:, joint]
            else:
                place[:, joint] = place[:, parent] + (moved[:, joint] - moved[:, parent]) @ turned[parent].T
        return np.asarray(place - np.einsum("jab,kjb->kja", turned, moved))

    def _by_theta(
        self,
        pose: NDArray[np.float32],
        rotations: NDArray[np.float32],
        transforms: Floats,
        joints: NDArray[np.float32],
        by_joint: Floats,
        blend: Floats,
    ) -> Floats:
        """(n, 3, 5, 3): turning joint a about its own place turns everything below it."""
        out = np.zeros((len(self._weights), 3, 5, 3))
        for joint, parent in enumerate(PARENTS):
            above = np.eye(3) if parent < 0 else transforms[parent, :, :3]
            axes = left_jacobian(pose[joint].astype(np.float64))
            place = transforms[joint, :, :3] @ joints[joint] + transforms[joint, :, 3]
            for below in range(5):
                if not _descends(below, joint):
                    continue
                arm = by_joint[below] - place
                turn = np.cross((above @ axes).T[None], arm[:, None])  # (n, 3 axes, 3)
                out[:, :, joint] += self._weights[:, below, None, None] * turn.transpose(0, 2, 1)
            if self._correctives is not None and joint > 0:
                change = cross_matrix(axes.T) @ rotations[joint]  # (3 axes, 3, 3) = ∂R/∂θ
                here = self._correctives[:, :, 9 * (joint - 1) : 9 * joint]
                out[:, :, joint] += blend @ here @ change.reshape(3, 9).T
        return out


def left_jacobian(axis_angle: Floats) -> Floats:
    """(3, 3) J with d exp(ω) = [J dω]× exp(ω): the left Jacobian of SO(3)."""
    angle = float(np.linalg.norm(axis_angle))
    cross = cross_matrix(axis_angle)
    if angle < 1e-4:
        return np.asarray(np.eye(3) + cross / 2 + cross @ cross / 6)
    first = (1 - np.cos(angle)) / angle**2
    second = (angle - np.sin(angle)) / angle**3
    return np.asarray(np.eye(3) + first * cross + second * cross @ cross)


def _descends(joint: int, ancestor: int) -> bool:
    while joint >= 0:
        if joint == ancestor:
            return True
        joint = PARENTS[joint]
    return False


def _columns(model: HeadModel, basis: NDArray[np.float32], vertices: NDArray[np.int64]) -> Floats:
    """(n, 3, B) the same basis with its rows last, as matrix products want it."""
    return np.ascontiguousarray(_rows(model, basis, vertices).transpose(1, 2, 0))


def _rows(model: HeadModel, basis: NDArray[np.float32], vertices: NDArray[np.int64]) -> Floats:
    """(B, n, 3) a basis over the control vertices, read at any vertices, followers included."""
    direct = model.direct_count
    out = np.empty((len(basis), len(vertices), 3))
    own = vertices < direct
    out[:, own] = basis[:, vertices[own]]
    if not own.all():
        assert model.follow is not None
        rows = vertices[~own] - direct
        sources = basis[:, model.follow.controls[rows]].astype(np.float64)
        out[:, ~own] = np.einsum("bnci,nc->bni", sources, model.follow.weights[rows])
    return out

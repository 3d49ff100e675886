"""From coefficients to posed vertices: blend shapes, followers, linear blend skinning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from headform.head.model import HeadModel

Floats = NDArray[np.float32]

PARENTS = (-1, 0, 1, 1, 1)
CHUNK = 128  # heads per matrix product in a batch: large enough for BLAS, small enough for the cache
JAW_ON = slice(1, 5)  # the joints whose rotation feeds FLAME's correctives


def posed(model: HeadModel, beta: Floats, psi: Floats, theta: Floats) -> Floats:
    """(..., V, 3) posed vertices; the leading dimensions of β, ψ and θ broadcast."""
    lead = np.broadcast_shapes(beta.shape[:-1], psi.shape[:-1], theta.shape[:-2])
    if not lead:
        return Person(model, beta).posed(psi, theta)
    count = int(np.prod(lead))
    betas = np.broadcast_to(beta, (*lead, beta.shape[-1])).reshape(count, -1)
    psis = np.broadcast_to(psi, (*lead, psi.shape[-1])).reshape(count, -1)
    thetas = np.broadcast_to(theta, (*lead, 5, 3)).reshape(count, 5, 3)
    out = np.empty((count, model.vertex_count, 3), np.float32)
    for start in range(0, count, CHUNK):
        some = slice(start, start + CHUNK)
        _pose_chunk(model, betas[some], psis[some], thetas[some], out[some])
    return out.reshape(*lead, model.vertex_count, 3)


class Person:
    """One identity, ready to be posed many times."""

    def __init__(self, model: HeadModel, beta: Floats) -> None:
        self.model = model
        self.shape = model.template + _combine(beta, model.identity)
        self.joints = model.joints_of(beta)

    def posed(self, psi: ArrayLike | dict[str, float] | None = None, theta: ArrayLike | None = None) -> Floats:
        """(V, 3) vertices of this person with one expression and one pose."""
        model = self.model
        checked_psi, checked_theta = model.psi(psi), model.theta(theta)
        rotations = rotation_matrices(driven_pose(model, checked_psi, checked_theta))
        controls = self.shape + _combine(checked_psi, model.expression)
        if model.correctives is not None:
            controls += _combine(pose_feature(rotations), model.correctives)
        matrices = joint_transforms(rotations, self.joints)
        out = np.empty((1, model.vertex_count, 3), np.float32)
        _skin(controls[None], *_followers(model), model.weights, matrices[None], out)
        return np.asarray(out[0])


def driven_pose(model: HeadModel, psi: Floats, theta: Floats) -> Floats:
    """(..., 5, 3) the pose with what the expression units add to the joints."""
    return np.asarray(theta + np.tensordot(psi, model.drive, 1), np.float32)


def pose_feature(rotations: Floats) -> Floats:
    """(..., 36) elements of R − I of joints 1–4, which drive FLAME's correctives."""
    return (rotations[..., JAW_ON, :, :] - np.eye(3, dtype=np.float32)).reshape(*rotations.shape[:-3], 36)


def rotation_matrices(axis_angle: ArrayLike) -> Floats:
    """(..., 3, 3) from axis-angle (..., 3) in radians (Rodrigues)."""
    vector = np.asarray(axis_angle, np.float64)
    angle = np.linalg.norm(vector, axis=-1)[..., None, None]
    safe = np.maximum(angle, 1e-12)
    cross = cross_matrix(vector) / safe
    rotation = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
    return np.asarray(rotation, np.float32)


def cross_matrix(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., 3, 3) the matrix [v]× with [v]× w = v × w."""
    x, y, z = np.moveaxis(vector, -1, 0)
    zero = np.zeros_like(x)
    rows = [zero, -z, y, z, zero, -x, -y, x, zero]
    return np.stack(rows, -1).reshape(*vector.shape[:-1], 3, 3)


def joint_transforms(rotations: Floats, joints: Floats) -> Floats:
    """(..., 5, 3, 4) what each joint does to a rest point: x → A x + b."""
    lead = rotations.shape[:-3]
    joints = np.broadcast_to(joints, (*lead, 5, 3))
    turned = np.empty((*lead, 5, 3, 3), np.float32)
    places = np.empty((*lead, 5, 3), np.float32)
    for joint, parent in enumerate(PARENTS):
        if parent < 0:
            turned[..., joint, :, :] = rotations[..., joint, :, :]
            places[..., joint, :] = joints[..., joint, :]
            continue
        turned[..., joint, :, :] = turned[..., parent, :, :] @ rotations[..., joint, :, :]
        bone = joints[..., joint, :] - joints[..., parent, :]
        places[..., joint, :] = places[..., parent, :] + (turned[..., parent, :, :] @ bone[..., None])[..., 0]
    shift = places - (turned @ joints[..., None])[..., 0]
    return np.concatenate([turned, shift[..., None]], -1)


def _pose_chunk(model: HeadModel, beta: Floats, psi: Floats, theta: Floats, out: Floats) -> None:
    count = len(beta)
    rotations = rotation_matrices(driven_pose(model, psi, theta))
    controls = beta @ model.identity.reshape(len(model.identity), -1)
    controls += model.template.reshape(-1)
    used = np.flatnonzero(psi.any(axis=0))
    if len(used):
        controls += psi[:, used] @ model.expression[used].reshape(len(used), -1)
    if model.correctives is not None:
        controls += pose_feature(rotations) @ model.correctives.reshape(36, -1)
    matrices = joint_transforms(rotations, model.joints_of(beta))
    _skin(controls.reshape(count, -1, 3), *_followers(model), model.weights, matrices, out)


def _combine(coefficients: Floats, basis: Floats) -> Floats:
    """(C, 3) Σ coefficient · basis, over the coefficients that are not zero."""
    used = np.flatnonzero(coefficients)
    if len(used) == 0:
        return np.zeros(basis.shape[1:], np.float32)
    rows = basis if len(used) == len(basis) else basis[used]
    moved = coefficients[used] @ rows.reshape(len(used), -1)
    return np.asarray(moved.reshape(basis.shape[1:]), np.float32)


def _followers(model: HeadModel) -> tuple[NDArray[np.int32], Floats]:
    if model.follow is None:
        return np.zeros((0, 4), np.int32), np.zeros((0, 4), np.float32)
    return model.follow.controls, model.follow.weights


@njit(cache=True, nogil=True)
def _skin(
    controls: Floats,
    follow_controls: NDArray[np.int32],
    follow_weights: Floats,
    weights: Floats,
    matrices: Floats,
    out: Floats,
) -> None:
    heads, direct = controls.shape[0], out.shape[1] - len(follow_controls)
    for head in range(heads):
        for vertex in range(out.shape[1]):
            x = y = z = np.float32(0)
            if vertex < direct:
                x, y, z = controls[head, vertex, 0], controls[head, vertex, 1], controls[head, vertex, 2]
            else:
                for corner in range(4):
                    source = follow_controls[vertex - direct, corner]
                    share = follow_weights[vertex - direct, corner]
                    x += share * controls[head, source, 0]
                    y += share * controls[head, source, 1]
                    z += share * controls[head, source, 2]
            a = b = c = np.float32(0)
            for joint in range(5):
                share = weights[vertex, joint]
                if share != 0:
                    m = matrices[head, joint]
                    a += share * (m[0, 0] * x + m[0, 1] * y + m[0, 2] * z + m[0, 3])
                    b += share * (m[1, 0] * x + m[1, 1] * y + m[1, 2] * z + m[1, 3])
                    c += share * (m[2, 0] * x + m[2, 1] * y + m[2, 2] * z + m[2, 3])
            out[head, vertex, 0], out[head, vertex, 1], out[head, vertex, 2] = a, b, c

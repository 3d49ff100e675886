"""Robust Gauss–Newton: points seen in a photo and the priors of the head become β, ψ, gaze and pose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from headform.fit.errors import PointErrors, roll_back, upright, yaw_pitch
from headform.fit.resemblance import Resemblance
from headform.fit.units import UnitPrior
from headform.head import Embedding, HeadModel, TrackedPoints
from headform.head.skinning import cross_matrix, rotation_matrices
from headform.render.camera import Doubles

FLIP = np.diag([1.0, -1.0, -1.0])  # world (y up, z to the viewer) to OpenCV camera axes
POSE_ROUNDS, ROUNDS = 4, 9
FREEDOM = 4.0  # of Student's t: how soon a point counts as an outlier
GAZE_SPREAD, SQUINT_SPREAD = 0.35, 0.06  # radians: of both eyes together, and of one against the other
BOUND_ROUNDS = 12  # of the active set
STEP_ENOUGH = 0.02  # largest change of a coefficient that ends the rounds
RIGHT_EYE, LEFT_EYE, SKIN_POINTS = 33, 263, 468  # of the 478: outer corners; iris points follow the skin's
EYES = slice(3, 5)  # rows of θ
ROT, MOVE, GAZE = slice(0, 3), slice(3, 6), slice(6, 10)
POSE = 10  # rotation, translation, gaze


@dataclass(frozen=True, eq=False)
class Evidence:
    """Points seen in the photo.

    points  (n, 3) pixels; z in pixels, smaller is nearer, its zero arbitrary
    weight  (n,) 0 … 1, how far each is believed
    errors  what their errors are like
    temper  factor of the errors' covariance: above 1 where photos err more than renders
    descriptor    (128,) who it seems to be, or None; resemblance: what that says about β; doubt: as temper
    """

    points: Doubles
    weight: Doubles
    errors: PointErrors
    temper: float = 1.0
    descriptor: NDArray[np.float32] | None = None
    resemblance: Resemblance | None = None
    doubt: float = 1.0


@dataclass(frozen=True, eq=False)
class State:
    """Where the solver stands. turn (3, 3) and move (3,): head to camera; focal and centre in pixels."""

    beta: Doubles
    psi: Doubles
    gaze: Doubles
    turn: Doubles
    move: Doubles
    focal: float
    centre: Doubles

    def theta(self) -> Doubles:
        """(5, 3) the pose with only the eyes turned."""
        theta = np.zeros((5, 3))
        theta[EYES, :2] = self.gaze.reshape(2, 2)
        return theta

    def project(self, points: Doubles) -> Doubles:
        """(n, 3) pixels and depth in pixels of points in the head's frame."""
        placed = points @ self.turn.T + self.move
        flat = placed[:, :2] * (self.focal / placed[:, 2:]) + self.centre
        return np.column_stack([flat, (placed[:, 2] - self.move[2]) * self.focal / self.move[2]])


@dataclass(frozen=True, eq=False)
class Target:
    """The points of a head that evidence is about, ready for the solver; mean and normals (n, 3) of the mean head."""

    model: HeadModel
    tracked: TrackedPoints
    mean: Doubles
    normals: Doubles

    def facing(self, state: State) -> Doubles:
        """(n,) weights: 1 where the surface faces the camera, near 0 where it turns away."""
        placed = self.mean @ state.turn.T + state.move
        cosine = -((self.normals @ state.turn.T) * placed).sum(1) / np.linalg.norm(placed, axis=1)
        return np.asarray(np.clip((cosine + 0.15) / 0.45, 0.03, 1))


@lru_cache(maxsize=4)
def target_of(model: HeadModel, name: str = "mediapipe_478") -> Target:
    embedding: Embedding = model.embeddings[name]
    rest = model.rest().astype(np.float64)
    corner = rest[embedding.corners]
    normals = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    mean = np.einsum("nij,ni->nj", corner, embedding.barycentric)
    return Target(model, TrackedPoints(model, embedding), mean, normals)


def solve(
    target: Target, evidence: Evidence, units: UnitPrior, start: State, *, identity: bool = True, free_focal: float = 0
) -> State:
    """The most probable head behind the evidence.

    With `identity` False β stays where it is. `free_focal` is the standard deviation of the distance's logarithm
    about the start's; 0 keeps the focal length fixed.
    """
    state = start
    for step in range(POSE_ROUNDS + ROUNDS):
        whole = step >= POSE_ROUNDS
        state, change = _step(target, evidence, units, state, identity and whole, whole)
        if whole and change < STEP_ENOUGH:
            break
    return state


def _step(
    target: Target, evidence: Evidence, units: UnitPrior, state: State, identity: bool, whole: bool
) -> tuple[State, float]:
    modes = len(state.beta)
    residual, rows, light = _linearised(target, evidence, state)
    normal = light.T @ rows
    slope = light.T @ residual
    normal[:modes, :modes] += np.eye(modes)
    slope[:modes] += state.beta
    if identity and evidence.descriptor is not None and evidence.resemblance is not None:
        way = yaw_pitch(upright(state.turn)[0])
        curve, steep = evidence.resemblance.normal_equations(evidence.descriptor, *way, state.beta)
        normal[:modes, :modes] += curve / evidence.doubt
        slope[:modes] += steep / evidence.doubt
    gaze, psi = slice(modes + 6, modes + 10), slice(modes + POSE, None)
    agree = _gaze_precision()
    normal[gaze, gaze] += agree
    slope[gaze] += agree @ state.gaze
    normal[psi, psi] += np.diag(units.precision)
    slope[psi] += units.precision * (state.psi - units.mean) + units.pull
    free = np.ones(len(slope), bool)
    free[:modes] = identity
    free[gaze] = whole
    free[psi] = whole & units.free
    low, high = np.full(len(slope), -np.inf), np.full(len(slope), np.inf)
    low[psi], high[psi] = -state.psi, 1 - state.psi
    change = bounded_solution(normal, slope, free, low, high)
    pose = change[modes : modes + POSE]
    moved = replace(
        state,
        beta=state.beta + change[:modes],
        psi=np.clip(state.psi + change[psi], 0, 1),
        gaze=state.gaze + pose[GAZE],
        turn=rotation_matrices(pose[ROT]).astype(np.float64) @ state.turn,
        move=state.move + pose[MOVE],
    )
    return moved, float(np.abs(np.delete(change, np.arange(modes, modes + 6))).max())


def _linearised(target: Target, evidence: Evidence, state: State) -> tuple[Doubles, Doubles, Doubles]:
    """Residual (3n,), its derivatives (3n, m) and Σ⁻¹ weighted derivatives, upright, in units of the face's size."""
    moved = target.tracked.jacobian(state.beta, state.psi, state.theta())
    count, modes = len(moved.points), len(state.beta)
    turned = moved.points @ state.turn.T
    placed = turned + state.move
    scale = state.focal / placed[:, 2]
    view = np.zeros((count, 3, 3))
    view[:, 0, 0] = view[:, 1, 1] = scale
    view[:, :2, 2] = -placed[:, :2] * (scale / placed[:, 2])[:, None]
    view[:, 2, 2] = state.focal / state.move[2]
    turn_up, roll = upright(state.turn)
    size = face_size(evidence.points)
    view = roll_back(roll) @ view / size
    by_head = view @ state.turn
    rows = np.empty((count, 3, modes + POSE + len(state.psi)))
    rows[:, :, :modes] = by_head @ moved.beta
    rows[:, :, modes : modes + 3] = view @ -cross_matrix(turned)
    rows[:, :, modes + 3 : modes + 6] = view
    rows[:, 2, modes + 3 : modes + 6] = 0  # depth has no zero, and is found too badly to tell the distance
    rows[:, :, modes + 6 : modes + POSE] = by_head @ moved.theta[:, :, EYES, :2].reshape(count, 3, 4)
    rows[:, :, modes + POSE :] = by_head @ moved.psi
    gap = np.column_stack([placed[:, :2] * scale[:, None] + state.centre, turned[:, 2] * state.focal / state.move[2]])
    residual = (gap - evidence.points) @ roll_back(roll).T / size
    mean, slope = evidence.errors.expected(turn_up, state.beta)
    residual += mean
    rows[:, :, :modes] += slope
    weight = evidence.weight * target.facing(state)
    residual[:, 2] -= weight @ residual[:, 2] / weight.sum()
    rows[:, 2] -= (weight @ rows[:, 2] / weight.sum())[None]
    weight = weight * _trust(residual, evidence)
    flat = rows.reshape(3 * count, -1)
    root = np.repeat(np.sqrt(weight), 3)[:, None]
    light = evidence.errors.whitened(flat * root) * root / evidence.temper
    return residual.reshape(-1), flat, light


def _trust(residual: Doubles, evidence: Evidence) -> Doubles:
    """(n,) Student-t weights by how far each point lies from where it is expected."""
    variance = (evidence.errors.rest + (evidence.errors.modes**2) @ evidence.errors.spread).reshape(-1, 3)[:, :2]
    far = (residual[:, :2] ** 2 / (variance * evidence.temper)).sum(1)
    return np.asarray((FREEDOM + 2) / (FREEDOM + far))


def bounded_solution(normal: Doubles, slope: Doubles, free: NDArray[np.bool_], low: Doubles, high: Doubles) -> Doubles:
    """The step that minimises the quadratic over the free unknowns, within bounds, by active sets."""
    step, active = np.zeros(len(slope)), free.copy()
    damped = normal + np.diag(1e-6 * np.diag(normal) + 1e-12)
    for _ in range(BOUND_ROUNDS):
        right = -slope[active] - damped[np.ix_(active, ~active)] @ step[~active]
        step[active] = np.linalg.solve(damped[np.ix_(active, active)], right)
        outside = active & ((step < low - 1e-9) | (step > high + 1e-9))
        step[outside] = np.clip(step[outside], low[outside], high[outside])
        active &= ~outside
        if outside.any():
            continue
        uphill = damped @ step + slope
        freed = free & ~active & (((step <= low) & (uphill < -1e-9)) | ((step >= high) & (uphill > 1e-9)))
        if not freed.any():
            break
        active |= freed
    return np.asarray(np.clip(step, low, high))


def first_guess(
    target: Target, points: Doubles, psi: Doubles, focal: float | None, distance: float, centre: Doubles
) -> State:
    """The mean head laid over the points by a similarity; `distance` in metres where no focal length is known."""
    scale, turn, move = similarity(target.mean @ FLIP, points)
    focal = scale * distance if focal is None else focal
    away = focal / scale
    place = np.array([*((move[:2] - centre) / scale), away])
    beta = np.zeros(target.model.identity_size)
    return State(beta, psi, np.zeros(4), turn @ FLIP, place, focal, centre)


def similarity(source: Doubles, aim: Doubles) -> tuple[float, Doubles, Doubles]:
    """s, R, t with aim ≈ s R source + t (Umeyama 1991)."""
    middle, there = source.mean(0), aim.mean(0)
    u, scale, vt = np.linalg.svd((aim - there).T @ (source - middle))
    sign = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    turn = u @ sign @ vt
    size = float((scale * np.diag(sign)).sum() / ((source - middle) ** 2).sum())
    return size, turn, there - size * turn @ middle


def face_size(points: Doubles) -> float:
    """Pixels: the root of the area of the box around the points, eyes level; the unit of all point errors."""
    across, down = points[LEFT_EYE, :2] - points[RIGHT_EYE, :2]
    length = np.hypot(across, down)
    level = np.array([[across, down], [-down, across]]) / length
    return float(np.sqrt(np.ptp(points[:SKIN_POINTS, :2] @ level.T, axis=0).prod()))


def _gaze_precision() -> Doubles:
    """(4, 4) over left pitch, left yaw, right pitch, right yaw."""
    together, apart = 1 / GAZE_SPREAD**2, 1 / SQUINT_SPREAD**2
    block = np.array([[together + apart, together - apart], [together - apart, together + apart]]) / 4
    return np.asarray(np.kron(block, np.eye(2)))

"""Measures how the found points err and what descriptors tell, on renders, for the fit to use.

    python -m headform.learn.calibrate FACES -o src/headform/fit/data

writes `landmarks_errors.npz` and `resemblance.npz`. FACES holds the shards of `headform.learn.faces`. Every tenth
face is kept back; what is printed is about these.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headform.files import write_whole
from headform.fit.errors import PointErrors, pose_terms, roll_back, upright, yaw_pitch
from headform.fit.resemblance import Resemblance
from headform.fit.solve import State, Target, face_size, target_of
from headform.head import load_default

Doubles = NDArray[np.float64]

MODES = 140  # of the noise's covariance
RIDGE = 60.0  # faces: how strongly the gain is held at zero
KEPT_BACK = 10
LEAST_DESCRIPTOR = 1e-5
LEAST_REST = 0.002**2  # of the face's size: renders are cleaner than photos


@dataclass(frozen=True, eq=False)
class Errors:
    """Of N faces and n points: error (N, n, 3) upright, in units of the face's size, depth without its mean;
    weight (N, n); turn (N, 3, 3) upright; beta (N, K)."""

    error: Doubles
    weight: Doubles
    turn: Doubles
    beta: Doubles

    def part(self, rows: NDArray[np.int64]) -> Errors:
        return Errors(self.error[rows], self.weight[rows], self.turn[rows], self.beta[rows])


def measured_errors(folder: Path, target: Target, key: str = "points") -> Errors:
    """What the points `key` of all shards miss the truth by."""
    rows: list[tuple[Doubles, Doubles, Doubles, Doubles]] = []
    for path in sorted(folder.glob("faces_*.npz")):
        with np.load(path) as shard:
            data = {k: shard[k] for k in shard if k not in ("scores", "identity")}
        for face in range(len(data["beta"])):
            rows.append(_errors_of(target, {k: v[face] for k, v in data.items()}, key))
    return Errors(*(np.stack(column) for column in zip(*rows, strict=True)))


def _errors_of(target: Target, face: dict[str, Doubles], key: str) -> tuple[Doubles, Doubles, Doubles, Doubles]:
    state = true_state(face)
    truth = state.project(target.tracked.points(face["beta"], face["psi"], face["theta"]))
    found = face[key].astype(np.float64)
    turn, roll = upright(state.turn)
    error = (found - truth) @ roll_back(roll).T / face_size(found)
    weight = target.facing(state)
    error[:, 2] -= weight @ error[:, 2] / weight.sum()
    return error, weight, turn, face["beta"].astype(np.float64)


def true_state(face: dict[str, Doubles]) -> State:
    """The solver's state that a render was made with."""
    matrix = face["matrix"]
    return State(
        face["beta"].astype(np.float64),
        face["psi"].astype(np.float64),
        face["theta"][3:, :2].ravel(),
        face["rotation"],
        face["translation"],
        float(matrix[0, 0]),
        matrix[:2, 2],
    )


def fitted(errors: Errors) -> PointErrors:
    """Bias and gain by weighted ridge regression, then the covariance of what remains."""
    count, points = errors.weight.shape
    terms = np.stack([pose_terms(*yaw_pitch(turn)) for turn in errors.turn])
    modes = errors.beta.shape[1]
    bias, gain = np.zeros((6, points, 3)), np.zeros((points, 3, modes))
    left = np.zeros_like(errors.error)
    for point in range(points):
        weight = errors.weight[:, point, None]
        error = errors.error[:, point]
        for _ in range(2):
            own = np.einsum("nba,nb->na", errors.turn, error - terms @ bias[:, point])
            scaled = errors.beta * weight
            gain[point] = np.linalg.solve(scaled.T @ errors.beta + RIDGE * np.eye(modes), scaled.T @ own).T
            pulled = np.einsum("nab,nb->na", errors.turn, errors.beta @ gain[point].T)
            steep = terms * weight
            bias[:, point] = np.linalg.solve(steep.T @ terms + 1e-3 * np.eye(6), steep.T @ (error - pulled))
        left[:, point] = (error - terms @ bias[:, point] - pulled) * np.sqrt(weight)
    flat = left.reshape(count, -1)
    _, scale, axes = np.linalg.svd(flat, full_matrices=False)
    kept = axes[: min(MODES, count // 4)]
    spread = scale[: len(kept)] ** 2 / count
    rest = ((flat - (flat @ kept.T) @ kept) ** 2).mean(0)
    return PointErrors(bias, gain, kept.T, spread, np.maximum(rest, LEAST_REST))


def save(errors: PointErrors, path: Path) -> None:
    with write_whole(path) as stream:
        np.savez_compressed(
            stream,
            bias=errors.bias.astype(np.float32),
            gain=errors.gain.astype(np.float16),
            modes=errors.modes.astype(np.float16),
            spread=errors.spread.astype(np.float32),
            rest=errors.rest.astype(np.float32),
        )


def fitted_resemblance(folder: Path, errors: Errors, rows: NDArray[np.int64]) -> tuple[Resemblance, Doubles]:
    """The descriptor as a linear function of pose and β, by ridge regression; and all descriptors (N, 128)."""
    seen = []
    for path in sorted(folder.glob("faces_*.npz")):
        with np.load(path) as shard:
            seen.append(shard["identity"].astype(np.float64))
    descriptors = np.concatenate(seen)
    terms = np.stack([pose_terms(*yaw_pitch(turn)) for turn in errors.turn])
    both = np.concatenate([terms, errors.beta], 1)[rows]
    held = np.diag(np.r_[np.full(6, 1e-3), np.full(errors.beta.shape[1], RIDGE)])
    solved = np.linalg.solve(both.T @ both + held, both.T @ descriptors[rows])
    left = descriptors[rows] - both @ solved
    covariance = left.T @ left / len(left) + LEAST_DESCRIPTOR * np.eye(left.shape[1])
    return Resemblance(solved[:6], solved[6:].T, np.linalg.inv(covariance)), descriptors


def resemblance_report(model: Resemblance, descriptors: Doubles, errors: Errors, rows: NDArray[np.int64]) -> str:
    """How much of β's variance the descriptor alone tells, over all of it and over the ten largest modes' worth."""
    told = []
    modes = errors.beta.shape[1]
    for row in rows:
        yaw, pitch = yaw_pitch(errors.turn[row])
        curve, slope = model.normal_equations(descriptors[row], yaw, pitch, np.zeros(modes))
        told.append(np.linalg.solve(curve + np.eye(modes), -slope))
    missed = ((np.array(told) - errors.beta[rows]) ** 2).mean(0) / (errors.beta[rows] ** 2).mean(0)
    best = np.sort(missed)[:10]
    return f"descriptor: unexplained variance of β {missed.mean():.2f}, of the ten best told modes {best.mean():.2f}"


def report(errors: Errors, model: PointErrors) -> str:
    """Root mean square errors in the picture, per cent of the face's size: raw, and what each part leaves."""
    raw, weight = errors.error, errors.weight[..., None]
    biased = np.stack([np.tensordot(pose_terms(*yaw_pitch(t)), model.bias, 1) for t in errors.turn])
    pulled = np.stack([model.expected(t, b)[0] for t, b in zip(errors.turn, errors.beta, strict=True)])
    lines = []
    for name, left in (("raw", raw), ("less bias", raw - biased), ("less gain", raw - pulled)):
        square = (left**2 * weight).sum((0, 1)) / weight.sum()
        lines.append(
            f"{name:10} across {100 * np.sqrt(square[:2].sum()):.2f} %, depth {100 * np.sqrt(square[2]):.2f} %"
        )
    return "\n".join(lines)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("faces", type=Path)
    ask.add_argument("-o", "--output", type=Path, required=True)
    given = ask.parse_args()
    errors = measured_errors(given.faces, target_of(load_default()))
    kept_back = np.arange(len(errors.beta)) % KEPT_BACK == 0
    used, held = np.flatnonzero(~kept_back), np.flatnonzero(kept_back)
    model = fitted(errors.part(used))
    save(model, given.output / "landmarks_errors.npz")
    print(f"{len(errors.beta)} faces")
    print(report(errors.part(held), model))
    resemblance, descriptors = fitted_resemblance(given.faces, errors, used)
    with write_whole(given.output / "resemblance.npz") as stream:
        np.savez_compressed(
            stream,
            mean=resemblance.mean.astype(np.float32),
            gain=resemblance.gain.astype(np.float32),
            precision=resemblance.precision.astype(np.float32),
        )
    print(resemblance_report(resemblance, descriptors, errors, held))


if __name__ == "__main__":
    main()

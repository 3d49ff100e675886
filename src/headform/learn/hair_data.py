"""Hairstyles and what cameras see of them, as files: what the hair network learns from.

`headform learn hair data -o DIR` writes

    data.json       what was asked for, and how much the basis loses
    ground.npz      the head: roots, landmarks, distance field, mirror of the scalp
    basis.npz       strands as sums of few curves (Basis)
    styles_N.npz    some styles and their views; row = style in the file
                    hair (V, 8192) packed bits of 256 × 256; angle (V, 128, 128); row (V,) the style seen
                    coefficients (S, 1024, 48) float16; curl (S, 1024, 4) float16; grows (S, 128) packed bits; seed (S,)

Every file depends on the seed and its own number alone, so that a run that was stopped goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.files import write_whole
from headform.hair.groom import GRID, KNOTS
from headform.learn.hair_source import Source
from headform.learn.hair_views import Ground, random_camera, view_of

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Half = NDArray[np.float16]

CELLS = GRID * GRID
CURVES, CURLS = 48, 4  # numbers for a strand's course and for its curliness
BASIS_STYLES = 160  # styles whose strands the basis is found from
SHARD = 20  # styles in a file
HELD_OUT = 20  # every so many-th style is kept back
FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Strands as sums of few curves: `coefficients @ curves` are offsets from the root, `curl @ curls` curliness.

    Scaled so that each coefficient has unit mean square over the training strands. Each curve runs either sideways
    only or not sideways at all, so that a mirrored strand has the same coefficients but for signs.

    curves  (48, 100, 3) metres
    curls   (4, 100) tents along the strand
    signs   (48,) -1 for the curves that run sideways
    """

    curves: Floats
    curls: Floats
    signs: Floats

    def encode(self, guides: Floats) -> tuple[Floats, Floats]:
        """(N, 48) coefficients and (N, 4) curls of strands (N, 100, 4)."""
        flat = self.curves.reshape(len(self.curves), -1).astype(np.float64)
        straight = guides[..., :3].reshape(len(guides), -1) @ (flat / (flat**2).sum(1, keepdims=True)).T
        curl = guides[..., 3] @ np.linalg.pinv(self.curls.astype(np.float64))
        return straight.astype(np.float32), curl.astype(np.float32)

    def decode(self, coefficients: Floats, curl: Floats) -> Floats:
        """(N, 100, 4) strands of (N, 48) coefficients and (N, 4) curls."""
        offsets = np.tensordot(np.asarray(coefficients, np.float32), self.curves, 1)
        return np.concatenate([offsets, (np.asarray(curl, np.float32) @ self.curls)[..., None]], -1)


@dataclass(frozen=True, slots=True)
class Plan:
    """What `headform learn hair data` was asked for; a folder holds one plan."""

    styles: int
    views: int
    seed: int
    format: int = FORMAT

    def __post_init__(self) -> None:
        if self.styles < 1 or self.views < 1 or self.seed < 0:
            raise BadInput(
                f"{self.styles} styles of {self.views} views from seed {self.seed} cannot be drawn; "
                "give at least 1 style and 1 view, and a seed of 0 or more"
            )

    @property
    def files(self) -> int:
        return -(-self.styles // SHARD)


@dataclass(frozen=True, slots=True, eq=False)
class HairData:
    """A folder of training data in memory: V views of S styles.

    hair (V, 8192) packed; angle (V, 128, 128); style (V,) rows of the styles;
    coefficients (S, 1024, 48); curl (S, 1024, 4); grows (S, 1024) bool; number (S,) of each style in the plan
    """

    ground: Ground
    basis: Basis
    hair: Bytes
    angle: Bytes
    style: NDArray[np.int64]
    coefficients: Half
    curl: Half
    grows: NDArray[np.bool_]
    number: NDArray[np.int64]

    def mask(self, view: int) -> NDArray[np.bool_]:
        """(256, 256) where a view shows hair."""
        side = 2 * self.angle.shape[1]
        return np.unpackbits(self.hair[view]).reshape(side, side).astype(np.bool_)

    @property
    def held_out(self) -> NDArray[np.bool_]:
        """(V,) views of the styles that are not learnt from."""
        return np.asarray(self.number[self.style] % HELD_OUT == 0)


def find_basis(source: Source, seed: int, styles: int = BASIS_STYLES) -> Basis:
    """The curves that explain most of the strands of `styles` styles and their mirror images."""
    moment = np.zeros((3, KNOTS, 3, KNOTS))
    count = 0
    for number in range(styles):
        guides = source.guides(style_seed(seed, number))
        offsets = guides[np.isfinite(guides).all((2, 3))][..., :3].astype(np.float64)
        # A mirrored strand has the opposite x: products of x with y or z cancel, so these blocks stay empty.
        sideways, others = offsets[..., 0], offsets[..., 1:].transpose(0, 2, 1).reshape(len(offsets), -1)
        moment[0, :, 0] += sideways.T @ sideways
        moment[1:, :, 1:] += (others.T @ others).reshape(2, KNOTS, 2, KNOTS)
        count += len(offsets)
    if not count:
        raise BadInput("none of the styles grows any hair; give another seed")
    return _basis_of(moment / count)


def _basis_of(moment: NDArray[np.float64]) -> Basis:
    found: list[tuple[float, NDArray[np.float64], float]] = []
    for axes, sign in (([0], -1.0), ([1, 2], 1.0)):
        block = moment[np.ix_(axes, range(KNOTS), axes, range(KNOTS))]
        size = len(axes) * KNOTS
        values, vectors = np.linalg.eigh(block.reshape(size, size))
        for value, vector in zip(values, vectors.T, strict=True):
            curve = np.zeros((KNOTS, 3))
            curve[:, axes] = vector.reshape(len(axes), KNOTS).T
            found.append((max(float(value), 0.0), curve, sign))
    best = sorted(found, key=lambda one: -one[0])[:CURVES]
    curves = np.stack([curve * np.sqrt(value + 1e-12) for value, curve, _ in best])
    tents = np.stack([np.interp(np.arange(KNOTS), np.linspace(0, KNOTS - 1, CURLS), one) for one in np.eye(CURLS)])
    return Basis(curves.astype(np.float32), tents.astype(np.float32), np.array([sign for *_, sign in best], np.float32))


def style_seed(seed: int, number: int) -> int:
    """The seed of the number-th style of a plan."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def draw_styles(source: Source, basis: Basis, plan: Plan, file: int) -> dict[str, NDArray[Any]]:
    """The arrays of one file of styles and views."""
    numbers = range(file * SHARD, min((file + 1) * SHARD, plan.styles))
    hair, angle, coefficients, curl, grows = [], [], [], [], []
    for number in numbers:
        hairstyle = source.grown(style_seed(plan.seed, number))
        guides = hairstyle.guides
        rng = np.random.default_rng([plan.seed, number])
        for _ in range(plan.views):
            view = view_of(hairstyle.strands, source.ground, random_camera(source.ground, rng))
            hair.append(np.packbits(view.hair))
            angle.append(view.angle)
        growing = np.isfinite(guides).all((2, 3)).reshape(-1)
        straight, curliness = basis.encode(np.nan_to_num(guides).reshape(CELLS, KNOTS, 4))
        coefficients.append(straight * growing[:, None])
        curl.append(curliness * growing[:, None])
        grows.append(np.packbits(growing))
    return {
        "hair": np.stack(hair),
        "angle": np.stack(angle),
        "row": np.repeat(np.arange(len(numbers)), plan.views),
        "coefficients": np.stack(coefficients).astype(np.float16),
        "curl": np.stack(curl).astype(np.float16),
        "grows": np.stack(grows),
        "number": np.array(numbers),
    }


def write_data(folder: Path, plan: Plan, make: Callable[[], Source], workers: int = 2) -> Iterator[tuple[int, int]]:
    """Write what is missing of a plan into a folder; yields how many of how many files are there.

    `make` builds the source, once in each of the `workers` processes. Raises BadInput if the folder holds another
    plan.
    """
    folder.mkdir(parents=True, exist_ok=True)
    basis = _prepared(folder, plan, make)
    missing = [file for file in range(plan.files) if not shard_path(folder, file).exists()]
    there = plan.files - len(missing)
    yield there, plan.files
    if workers <= 1 or len(missing) <= 1:
        source = make() if missing else None
        for done, file in enumerate(missing, 1):
            assert source is not None
            _save(shard_path(folder, file), draw_styles(source, basis, plan, file))
            yield there + done, plan.files
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin, initargs=(make,)) as pool:
        jobs = [pool.submit(_write_one, folder, basis, plan, file) for file in missing]
        for done, job in enumerate(as_completed(jobs), 1):
            job.result()
            yield there + done, plan.files


_sources: list[Source] = []  # of a worker process


def _begin(make: Callable[[], Source]) -> None:
    _sources[:] = [make()]


def _write_one(folder: Path, basis: Basis, plan: Plan, file: int) -> None:
    _save(shard_path(folder, file), draw_styles(_sources[0], basis, plan, file))


def _prepared(folder: Path, plan: Plan, make: Callable[[], Source]) -> Basis:
    """The folder's basis; the plan, the head and the basis are written if they are not there yet."""
    path = folder / "data.json"
    if path.exists():
        if read_plan(folder) != plan:
            raise BadInput(
                f"{folder} holds other data ({read_plan(folder)}); choose another folder or the same options"
            )
        return read_basis(folder)
    source = make()
    basis = find_basis(source, plan.seed, min(BASIS_STYLES, plan.styles))
    ground = source.ground
    _save(folder / "ground.npz", {key: getattr(ground, key) for key in Ground.__dataclass_fields__})
    _save(folder / "basis.npz", {key: getattr(basis, key) for key in Basis.__dataclass_fields__})
    about = {"plan": asdict(plan), "basis_error_mm": round(_basis_error(source, basis, plan), 3)}
    with write_whole(path) as stream:
        stream.write((json.dumps(about, indent=2) + "\n").encode())
    return basis


def _basis_error(source: Source, basis: Basis, plan: Plan) -> float:
    """Mean distance in millimetres between strands and their sums of curves, over a few styles."""
    gaps = []
    for number in range(min(plan.styles, 20)):
        guides = source.guides(style_seed(plan.seed, number))
        strands = guides[np.isfinite(guides).all((2, 3))]
        if len(strands):
            again = basis.decode(*basis.encode(strands))
            gaps.append(float(np.linalg.norm(again[..., :3] - strands[..., :3], axis=2).mean()))
    return 1000 * float(np.mean(gaps)) if gaps else 0.0


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


def shard_path(folder: Path, file: int) -> Path:
    return folder / f"styles_{file:04d}.npz"


def read_plan(folder: Path) -> Plan:
    """What a folder of training data was made for. Raises BadInput if it is none."""
    try:
        return Plan(**json.loads((folder / "data.json").read_text())["plan"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{folder} holds no hair data; make some: headform learn hair data -o {folder}") from error


def read_basis(folder: Path) -> Basis:
    return Basis(**_load(folder / "basis.npz"))


def read_ground(folder: Path) -> Ground:
    arrays: dict[str, Any] = _load(folder / "ground.npz")
    return Ground(**{**arrays, "cell": float(arrays["cell"])})


def read_data(folder: Path) -> HairData:
    """All that a folder holds so far. Raises BadInput if there is none, or a file cannot be read."""
    read_plan(folder)
    shards = [_load(path) for path in sorted(folder.glob("styles_*.npz"))]
    if not shards:
        raise BadInput(f"{folder} holds no styles yet; make some: headform learn hair data -o {folder}")
    first = np.cumsum([0] + [len(one["number"]) for one in shards])
    joined = {key: np.concatenate([one[key] for one in shards]) for key in shards[0] if key not in ("row", "grows")}
    style = np.concatenate([one["row"] + start for one, start in zip(shards, first[:-1], strict=True)])
    grows = np.unpackbits(np.concatenate([one["grows"] for one in shards]), axis=1).astype(np.bool_)
    return HairData(read_ground(folder), read_basis(folder), style=style, grows=grows, **joined)


def _load(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path) as file:
            return {key: file[key] for key in file.files}
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read; delete it and make the data again") from error


def _save(path: Path, arrays: dict[str, Any]) -> None:
    with write_whole(path) as stream:
        np.savez_compressed(stream, **arrays)

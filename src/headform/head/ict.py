"""Heads from ICT-FaceKit (Li et al. 2020, "Learning Formation of Physically-Based Face Attributes"; MIT)."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.head.default import DATA, load_default
from headform.head.files import BROKEN, open_npz
from headform.head.model import HeadModel
from headform.head.obj import read_obj, read_obj_vertices

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int32]

VERTICES = 26719
METRES = 0.01  # per unit of the files, which are in centimetres
NEUTRAL = "generic_neutral_mesh.obj"
IDENTITY_FILE = re.compile(r"identity(\d{3})\.obj")
SUMMED = ("browInnerUp", "cheekPuff")  # one unit in ARKit, a left and a right one here
SCLERA = {"eye_left": slice(21451, 22221), "eye_right": slice(23021, 23791)}
EYES = {"eye_left": 3, "eye_right": 4}
AROUND_JOINT = 200  # how many skin vertices nearest to a joint carry it along when identity changes


@dataclass(frozen=True, eq=False)
class _Files:
    """What the files say, in metres: neutral (V, 3), identity (K, V, 3), expression {their name: (V, 3)}."""

    neutral: Floats
    identity: Floats
    expression: dict[str, Floats]
    quads: Ints
    quads_uv: Ints
    uv: Floats


def is_ict(path: Path) -> bool:
    """Whether a path is ICT-FaceKit's folder (or the one above it), or its data in one npz file."""
    if path.is_dir():
        return _folder(path) is not None
    try:
        with open_npz(path) as data:
            return {"neutral", "identity", "expression", "expression_names", "quads"} <= set(data.files)
    except (OSError, BadInput, *BROKEN):
        return False


def load_ict(path: Path) -> HeadModel:
    """The head in ICT-FaceKit's folder `FaceXModel`, or in one npz file with its data.

    Expression units: the 52 ARKit units in the default head's order (browInnerUp and cheekPuff are the
    sums of their two halves, tongueOut is zero, as ICT-FaceKit has none), then what ICT-FaceKit has
    beyond them. The jaw moves by shapes alone; the eyeballs turn about eye joints at their centres as in
    the default head. The neck joints have the places they have in the default head, relative to the eyes.
    Raises BadInput if files are missing, cannot be read, or are not laid out as ICT-FaceKit is.
    """
    files = _read_folder(path) if path.is_dir() else _read_npz(path)
    default = load_default()
    joints = _joints(files.neutral, default)
    joint_identity = _joint_identity(files, joints)
    names, expression = _units(files.expression, default.expression_names, path)
    drive = np.zeros((len(names), 5, 3), np.float32)
    drive[: len(default.drive), 3:] = default.drive[:, 3:]
    parts, part = _parts(files.quads)
    uv, quads_uv = _fold_tiles(files, part)
    return HeadModel(
        name="ict",
        template=files.neutral - joints[1],
        identity=files.identity,
        expression=expression,
        expression_names=names,
        drive=drive,
        joints=joints - joints[1],
        joint_identity=joint_identity,
        weights=_weights(files.neutral, joints),
        quads=files.quads,
        quads_uv=quads_uv,
        uv=uv,
        part=part,
        parts=parts,
        source="ICT-FaceKit (USC Institute for Creative Technologies)",
        licence="MIT",
    )


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def _folder(path: Path) -> Path | None:
    return next((f for f in (path, path / "FaceXModel") if (f / NEUTRAL).is_file()), None)


def _read_folder(path: Path) -> _Files:
    folder = _folder(path)
    if folder is None:
        raise BadInput(f"{path} is no ICT-FaceKit folder: it has no {NEUTRAL}")
    mesh = read_obj(folder / NEUTRAL)
    _check_count(len(mesh.vertices), folder / NEUTRAL)
    modes, shapes = [], {}
    for file in sorted(folder.glob("*.obj")):
        if file.name == NEUTRAL:
            continue
        places = read_obj_vertices(file)
        _check_count(len(places), file)
        moved = ((places - mesh.vertices) * METRES).astype(np.float32)
        if IDENTITY_FILE.fullmatch(file.name):
            modes.append(moved)
        else:
            shapes[file.stem] = moved
    if not modes:
        raise BadInput(f"{folder} is not whole: it has no identity000.obj")
    neutral = (mesh.vertices * METRES).astype(np.float32)
    files = _Files(neutral, np.stack(modes), shapes, mesh.quads, mesh.quads_uv, mesh.uv.astype(np.float32))
    _check_faces(files, path)
    return files


def _read_npz(path: Path) -> _Files:
    try:
        with open_npz(path) as data:
            found: dict[str, NDArray[Any]] = {name: data[name] for name in data.files}
        quads, quads_uv = (_repeat_last(found[key].astype(np.int32)) for key in ("quads", "quads_uv"))
        shapes = found["expression"].astype(np.float32) * np.float32(METRES)
        files = _Files(
            neutral=found["neutral"].astype(np.float32) * np.float32(METRES),
            identity=found["identity"].astype(np.float32) * np.float32(METRES),
            expression=dict(zip(map(str, found["expression_names"]), shapes, strict=True)),
            quads=quads,
            quads_uv=quads_uv,
            uv=found["uv"].astype(np.float32),
        )
    except KeyError as error:
        raise BadInput(f"{path} is not ICT-FaceKit's data: it has no {error.args[0]}") from error
    except (OSError, *BROKEN) as error:
        raise BadInput(f"{path} cannot be read as ICT-FaceKit's data; it may be cut short") from error
    _check_count(len(files.neutral), path)
    for key, array in (("identity", files.identity), ("expression", shapes)):
        if array.ndim != 3 or array.shape[1:] != files.neutral.shape:
            raise BadInput(f"{path} is not ICT-FaceKit's data: its {key} has shape {array.shape}")
        if not np.isfinite(array).all():
            raise BadInput(f"{path} cannot be used: its {key} contains NaN or infinity")
    _check_faces(files, path)
    return files


def _repeat_last(corners: Ints) -> Ints:
    """Faces of which a triangle repeats its last corner, from faces of which it ends in −1."""
    return np.asarray(np.where(corners < 0, corners[:, 2:3], corners), np.int32)


def _check_count(count: int, path: Path) -> None:
    if count != VERTICES:
        raise BadInput(f"{path} is not ICT-FaceKit's: it has {count} vertices, not {VERTICES}")


def _check_faces(files: _Files, path: Path) -> None:
    for corners, count in ((files.quads, len(files.neutral)), (files.quads_uv, len(files.uv))):
        if len(corners) == 0 or corners.min() < 0 or corners.max() >= count:
            raise BadInput(f"{path} cannot be used: its faces name vertices that are not there")
    if not np.isfinite(files.neutral).all():
        raise BadInput(f"{path} cannot be used: its neutral head contains NaN or infinity")


# ── units ────────────────────────────────────────────────────────────────────────────────────────


def _units(shapes: dict[str, Floats], wanted: tuple[str, ...], path: Path) -> tuple[tuple[str, ...], Floats]:
    named: dict[str, Floats] = {}
    for their_name, shape in shapes.items():
        name = arkit_name(their_name)
        named[name] = named[name] + shape if name in named else shape
    named.setdefault("tongueOut", np.zeros((VERTICES, 3), np.float32))
    missing = [name for name in wanted if name not in named]
    if missing:
        raise BadInput(f"{path} is not whole: it has no expression {', '.join(missing[:5])}")
    names = (*wanted, *(name for name in named if name not in wanted))
    return names, np.stack([named[name] for name in names])


def arkit_name(their_name: str) -> str:
    """ARKit's name for an expression of ICT-FaceKit: browDown_L is browDownLeft, cheekPuff_L cheekPuff."""
    stem, _, side = their_name.partition("_")
    stem = stem[:1].lower() + stem[1:]
    return stem if stem in SUMMED else stem + {"L": "Left", "R": "Right"}.get(side, side)


# ── joints, weights, parts ───────────────────────────────────────────────────────────────────────


def _joints(neutral: Floats, default: HeadModel) -> Floats:
    """(5, 3) the eyeballs' centres, and the default head's other joints placed relative to them."""
    eyes = np.array([_sphere_centre(neutral[rows]) for rows in SCLERA.values()])
    theirs = default.joints[3:5]
    scale = np.linalg.norm(eyes[0] - eyes[1]) / np.linalg.norm(theirs[0] - theirs[1])
    joints = (default.joints - theirs.mean(0)) * scale + eyes.mean(0)
    joints[3:5] = eyes
    return np.asarray(joints, np.float32)


def _sphere_centre(points: Floats) -> Doubles:
    """(3,) the centre of the sphere nearest to the points: |p|² = 2 c·p + k, linear in c and k."""
    places = points.astype(np.float64)
    system = np.hstack([2 * places, np.ones((len(places), 1))])
    return np.asarray(np.linalg.lstsq(system, (places**2).sum(1), rcond=None)[0][:3])


def _joint_identity(files: _Files, joints: Floats) -> Floats:
    """(K, 5, 3) eye joints move with their eyeballs, the others with the skin around them."""
    moved = np.empty((len(files.identity), 5, 3), np.float32)
    ranges = _ranges()
    skin = files.neutral[ranges["skin"]]
    for joint in range(3):
        near = np.argsort(np.linalg.norm(skin - joints[joint], axis=1))[:AROUND_JOINT]
        moved[:, joint] = files.identity[:, near].mean(1)
    for name, joint in EYES.items():
        moved[:, joint] = files.identity[:, ranges[name]].mean(1)
    return moved


def _weights(neutral: Floats, joints: Floats) -> Floats:
    """(V, 5) eyeballs turn with the eyes, the rest with the head, less and less down the neck."""
    weights = np.zeros((VERTICES, 5), np.float32)
    along = np.clip((neutral[:, 1] - joints[0, 1]) / (joints[1, 1] - joints[0, 1]), 0, 1)
    along = along * along * (3 - 2 * along)
    ranges = _ranges()
    along[ranges["skin"].stop :] = 1
    weights[:, 0], weights[:, 1] = 1 - along, along
    for name, joint in EYES.items():
        weights[ranges[name]] = np.eye(5, dtype=np.float32)[joint]
    return weights


def _ranges() -> dict[str, slice]:
    """The rows of vertices of each part, from ICT-FaceKit's table."""
    with (DATA / "ict_parts.csv").open(encoding="utf-8", newline="") as stream:
        return {row["part"]: slice(int(row["first"]), int(row["last"]) + 1) for row in csv.DictReader(stream)}


def _parts(quads: Ints) -> tuple[tuple[str, ...], Ints]:
    ranges = _ranges()
    stops = np.array([rows.stop for rows in ranges.values()])
    return tuple(ranges), np.searchsorted(stops, quads[:, 0], side="right").astype(np.int32)


def _fold_tiles(files: _Files, part: Ints) -> tuple[Floats, Ints]:
    """uv (U, 2) in 0–1 and rows of it (Q, 4): the tiles that a part uses in the files stand side by side."""
    tile = np.floor(files.uv[files.quads_uv][..., 0].mean(1)).astype(int)
    uv, quads_uv, count = [], np.empty_like(files.quads_uv), 0
    for one in np.unique(part):
        used = np.unique(tile[part == one])
        for place, which in enumerate(used):
            mine = (part == one) & (tile == which)
            rows, inverse = np.unique(files.quads_uv[mine], return_inverse=True)
            quads_uv[mine] = inverse.reshape(-1, 4) + count
            count += len(rows)
            uv.append((files.uv[rows] + [place - which, 0]) / [len(used), 1])
    return np.concatenate(uv).astype(np.float32), quads_uv

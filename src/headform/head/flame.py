"""Heads from a FLAME 2023 file (Li et al. 2017, SIGGRAPH Asia), which a person downloads and brings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.head.default import load_default
from headform.head.model import PARENTS, HeadModel
from headform.head.pickles import read_arrays
from headform.head.transfer import Surface, carry_units
from headform.head.unwrap import unwrap_eyeball, unwrap_globe

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int32]

IDENTITY, EXPRESSION = 300, 100  # how FLAME divides its 400 shape directions
JOINT_COUNT, CORRECTIVES = 5, 36
HEAD_JOINT = 1  # FLAME's "neck", about which the head turns
EYES = {"eye_left": 3, "eye_right": 4}
LARGEST_HEAD = 2.0  # metres: beyond this the file is in another unit
KEYS = ("v_template", "f", "shapedirs", "posedirs", "J_regressor", "kintree_table", "weights")


@dataclass(frozen=True, eq=False)
class _Flame:
    """The arrays of the file, checked: template (C, 3), faces (F, 3), shapes (400, C, 3), poses (36, C, 3),
    regressor (5, C) and weights (C, 5)."""

    template: Doubles
    faces: Ints
    shapes: Doubles
    poses: Doubles
    regressor: Doubles
    weights: Doubles


def load_flame(path: Path) -> HeadModel:
    """The head in a FLAME 2023 pickle (`flame2023_Open.pkl` and files of the same layout).

    Nothing in the pickle is run. The origin is moved to joint 1, FLAME's neck joint, about which the head
    turns: in our terms the head joint. Expression units: the 52 ARKit units carried over from the default
    head, then FLAME's own as flame000 … flame099. Texture coordinates are a plain globe, as FLAME has
    none inside. FLAME moves its joints a little with its own expressions; here joints follow identity
    only. Raises BadInput if the file is missing, is altered, asks to run anything, or is not laid out as
    FLAME is.
    """
    flame = _checked(read_arrays(Path(path)), Path(path))
    joints = flame.regressor @ flame.template
    template = (flame.template - joints[HEAD_JOINT]).astype(np.float32)
    joints -= joints[HEAD_JOINT]
    quads = flame.faces[:, [0, 1, 2, 2]]
    parts, part = _find_parts(flame)
    uv, quads_uv = _unwrap(template, quads, part, parts)
    units, names, drive = _units(template, quads[part == 0], joints)
    native = flame.shapes[IDENTITY:].astype(np.float32)
    return HeadModel(
        name="flame",
        template=template,
        identity=flame.shapes[:IDENTITY].astype(np.float32),
        expression=np.concatenate([units, native]),
        expression_names=(*names, *(f"flame{k:03d}" for k in range(EXPRESSION))),
        drive=np.concatenate([drive, np.zeros((EXPRESSION, JOINT_COUNT, 3), np.float32)]),
        joints=joints.astype(np.float32),
        joint_identity=np.einsum("jc,kcd->kjd", flame.regressor, flame.shapes[:IDENTITY]).astype(np.float32),
        weights=flame.weights.astype(np.float32),
        quads=quads,
        quads_uv=quads_uv,
        uv=uv,
        part=part,
        parts=parts,
        correctives=flame.poses.astype(np.float32),
        source=f"FLAME ({Path(path).name})",
        licence="the licence of the FLAME file (FLAME 2023 Open: CC BY 4.0)",
    )


# ── checks ───────────────────────────────────────────────────────────────────────────────────────


def _checked(found: dict[str, Any], path: Path) -> _Flame:
    missing = [key for key in KEYS if key not in found]
    if missing:
        raise BadInput(f"{path} is no FLAME file: it has no {', '.join(missing)}")
    arrays = {key: _numbers(found[key], key, path) for key in KEYS}
    count = len(arrays["v_template"])
    _check_shape(arrays["v_template"], "v_template", (count, 3), path)
    _check_shape(arrays["shapedirs"], "shapedirs", (count, 3, IDENTITY + EXPRESSION), path)
    _check_shape(arrays["posedirs"], "posedirs", (count, 3, CORRECTIVES), path)
    _check_shape(arrays["J_regressor"], "J_regressor", (JOINT_COUNT, count), path)
    _check_shape(arrays["kintree_table"], "kintree_table", (2, JOINT_COUNT), path)
    _check_shape(arrays["weights"], "weights", (count, JOINT_COUNT), path)
    _check_shape(arrays["f"], "f", (len(arrays["f"]), 3), path)
    _check_meaning(arrays, path)
    return _Flame(
        template=arrays["v_template"],
        faces=arrays["f"].astype(np.int32),
        shapes=np.ascontiguousarray(np.moveaxis(arrays["shapedirs"], 2, 0)),
        poses=np.ascontiguousarray(np.moveaxis(arrays["posedirs"], 2, 0)),
        regressor=arrays["J_regressor"],
        weights=arrays["weights"],
    )


def _numbers(value: Any, key: str, path: Path) -> Doubles:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu" or value.ndim == 0:
        raise BadInput(f"{path} is no FLAME file: its {key} is not an array of numbers")
    numbers = value.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise BadInput(f"{path} cannot be used: its {key} contains NaN or infinity")
    return numbers


def _check_shape(array: Doubles, key: str, wanted: tuple[int, ...], path: Path) -> None:
    if array.shape != wanted:
        raise BadInput(f"{path} is no FLAME 2023 file: its {key} has shape {array.shape}, not {wanted}")


def _check_meaning(arrays: dict[str, Doubles], path: Path) -> None:
    count, faces = len(arrays["v_template"]), arrays["f"]
    if count == 0 or len(faces) == 0 or faces.min() < 0 or faces.max() >= count:
        raise BadInput(f"{path} cannot be used: its faces name vertices that are not there")
    if tuple(arrays["kintree_table"][0, 1:].astype(int)) != PARENTS[1:]:
        raise BadInput(f"{path} is no FLAME file: its joints do not hang together as FLAME's do")
    for key, sums in (("weights", arrays["weights"].sum(1)), ("J_regressor", arrays["J_regressor"].sum(1))):
        if np.abs(sums - 1).max() > 0.01:
            raise BadInput(f"{path} cannot be used: the rows of its {key} do not sum to one")
    if np.ptp(arrays["v_template"], axis=0).max() > LARGEST_HEAD:
        raise BadInput(f"{path} cannot be used: its head is over {LARGEST_HEAD:g} m large; FLAME is in metres")


# ── what FLAME does not say ──────────────────────────────────────────────────────────────────────


def _find_parts(flame: _Flame) -> tuple[tuple[str, ...], Ints]:
    """Names of the parts and (F,) which each face is. Eyeballs are loose pieces that turn with an eye."""
    piece = _pieces(flame.faces, len(flame.template))
    names, part = ["skin"], np.zeros(len(flame.faces), np.int32)
    of_face = piece[flame.faces[:, 0]]
    for name, joint in EYES.items():
        share = np.bincount(piece, flame.weights[:, joint]) / np.maximum(np.bincount(piece), 1)
        mine = share[of_face] > 0.5
        if mine.any() and not mine.all():
            part[mine] = len(names)
            names.append(name)
    return tuple(names), part


def _pieces(faces: Ints, count: int) -> NDArray[np.int64]:
    """(count,) the lowest vertex that each vertex is connected to."""
    label = np.arange(count)
    while True:
        before = label.copy()
        lowest = label[faces].min(1)
        for corner in range(3):
            np.minimum.at(label, faces[:, corner], lowest)
        label = label[label]
        if (label == before).all():
            return label


def _unwrap(template: Floats, quads: Ints, part: Ints, parts: tuple[str, ...]) -> tuple[Floats, Ints]:
    uv = np.zeros((0, 2), np.float32)
    quads_uv = np.zeros_like(quads)
    for index, name in enumerate(parts):
        mine = part == index
        piece, _ = Surface.of_part(template, quads[mine])
        if name == "skin":
            piece_uv, rows = unwrap_globe(piece.vertices, piece.quads)
        else:
            piece_uv, rows = unwrap_eyeball(piece.vertices), piece.quads
        quads_uv[mine] = rows + len(uv)
        uv = np.concatenate([uv, piece_uv])
    return uv, quads_uv


def _units(template: Floats, skin_quads: Ints, joints: Doubles) -> tuple[Floats, tuple[str, ...], Floats]:
    """(52, C, 3) ARKit units carried over from the default head, their names and their drive (52, 5, 3)."""
    default = load_default()
    skin, rows = Surface.of_part(template, skin_quads)
    units = np.zeros((default.expression_size, *template.shape), np.float32)
    units[:, rows] = carry_units(default, skin, joints[3:5].astype(np.float32))
    return units, default.expression_names, default.drive

"""glTF 2.0 binary of an avatar: parts, five joints, 52 morph targets by their ARKit names, sparse."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headform.head import JOINTS, HeadModel
from headform.head.skinning import PARENTS
from headform.render.surface import vertex_normals

if TYPE_CHECKING:
    from headform.avatar.avatar import Avatar

Floats = NDArray[np.float32]

FLOAT, UNSIGNED_SHORT, UNSIGNED_INT, UNSIGNED_BYTE = 5126, 5123, 5125, 5121
ARRAY, ELEMENTS = 34962, 34963
LEAST_MOVE = 2e-5  # metres: what a unit moves less stands still in the file
MAGIC, JSON_CHUNK, BINARY_CHUNK = 0x46546C67, 0x4E4F534A, 0x004E4942
INFLUENCES = 4
# plain colours until the photo's own skin comes: linear RGB, roughness
COLOURS = {
    "skin": ((0.60, 0.38, 0.29), 0.55),
    "tongue": ((0.45, 0.13, 0.12), 0.4),
    "lashes": ((0.02, 0.015, 0.01), 0.8),
    "eye": ((0.75, 0.73, 0.70), 0.3),
    "teeth": ((0.78, 0.74, 0.64), 0.3),
    "gums": ((0.42, 0.14, 0.13), 0.4),
}
CLEAR = "cornea"


@dataclass
class _Buffer:
    """The binary chunk as it grows, with its views and accessors."""

    data: bytearray = field(default_factory=bytearray)
    views: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)

    def view(self, values: NDArray[Any], target: int | None = None) -> int:
        self.data.extend(b"\0" * (-len(self.data) % 4))
        raw = np.ascontiguousarray(values).tobytes()
        entry: dict[str, Any] = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(raw)}
        if target is not None:
            entry["target"] = target
        self.data.extend(raw)
        self.views.append(entry)
        return len(self.views) - 1

    def accessor(
        self, values: NDArray[Any], kind: str, component: int, target: int | None = None, bounds: bool = False
    ) -> int:
        entry: dict[str, Any] = {
            "bufferView": self.view(values, target),
            "componentType": component,
            "count": len(values),
            "type": kind,
        }
        if bounds:
            entry |= {"min": values.min(0).tolist(), "max": values.max(0).tolist()}
        self.accessors.append(entry)
        return len(self.accessors) - 1

    def sparse(self, moves: Floats) -> int:
        """An accessor of (n, 3) that is zero but for the rows that move."""
        rows = np.flatnonzero(np.abs(moves).max(1) > LEAST_MOVE)
        kept = moves[rows] if len(rows) else np.zeros((1, 3), np.float32)
        rows = rows if len(rows) else np.zeros(1, np.int64)
        still = np.concatenate([kept, np.zeros((1, 3), np.float32)]) if len(rows) < len(moves) else kept
        entry = {
            "componentType": FLOAT,
            "count": len(moves),
            "type": "VEC3",
            "min": still.min(0).tolist(),
            "max": still.max(0).tolist(),
            "sparse": {
                "count": len(rows),
                "indices": {"bufferView": self.view(rows.astype(np.uint32)), "componentType": UNSIGNED_INT},
                "values": {"bufferView": self.view(kept.astype(np.float32))},
            },
        }
        self.accessors.append(entry)
        return len(self.accessors) - 1


def glb(avatar: Avatar) -> bytes:
    """The file. Joint rotations of a unit (jaw, eyes) are in its morph target, so that sliders alone suffice."""
    model = avatar.fit.personal(avatar.model)
    beta = avatar.fit.beta
    rest = model.rest(beta)
    normals = vertex_normals(rest, model.triangles)
    person = model.person(beta)
    moves = [person.posed({name: 1.0}) - rest for name in model.expression_names]
    buffer = _Buffer()
    primitives, materials = [], []
    for index, part in enumerate(model.parts):
        mine = model.triangle_part == index
        corners = np.stack([model.triangles[mine].ravel(), model.triangles_uv[mine].ravel()], 1)
        pairs, elements = np.unique(corners, axis=0, return_inverse=True)
        rows = pairs[:, 0]
        primitives.append(
            {
                "attributes": _attributes(buffer, model, rest[rows], normals[rows], model.uv[pairs[:, 1]], rows),
                "indices": buffer.accessor(
                    elements.ravel().astype(np.uint16 if len(pairs) < 65535 else np.uint32),
                    "SCALAR",
                    UNSIGNED_SHORT if len(pairs) < 65535 else UNSIGNED_INT,
                    ELEMENTS,
                ),
                "material": len(materials),
                "targets": [{"POSITION": buffer.sparse(move[rows])} for move in moves],
            }
        )
        materials.append(_material(part))
    document = _document(avatar, model, buffer, primitives, materials)
    return _packed(document, bytes(buffer.data))


def _attributes(
    buffer: _Buffer, model: HeadModel, places: Floats, normals: Floats, uv: Floats, rows: NDArray[np.int64]
) -> dict[str, int]:
    weights = model.weights[rows]
    strongest = np.argsort(-weights, axis=1, kind="stable")[:, :INFLUENCES]
    shares = np.take_along_axis(weights, strongest, 1)
    shares = (shares / shares.sum(1, keepdims=True)).astype(np.float32)
    joints = np.where(shares > 0, strongest, 0).astype(np.uint8)
    flipped = np.column_stack([uv[:, 0], 1 - uv[:, 1]]).astype(np.float32)
    return {
        "POSITION": buffer.accessor(places.astype(np.float32), "VEC3", FLOAT, ARRAY, bounds=True),
        "NORMAL": buffer.accessor(normals.astype(np.float32), "VEC3", FLOAT, ARRAY),
        "TEXCOORD_0": buffer.accessor(flipped, "VEC2", FLOAT, ARRAY),
        "JOINTS_0": buffer.accessor(joints, "VEC4", UNSIGNED_BYTE, ARRAY),
        "WEIGHTS_0": buffer.accessor(shares, "VEC4", FLOAT, ARRAY),
    }


def _material(part: str) -> dict[str, Any]:
    if part.startswith(CLEAR):
        plain = {"baseColorFactor": [1.0, 1.0, 1.0, 0.06], "metallicFactor": 0.0, "roughnessFactor": 0.05}
        return {"name": part, "pbrMetallicRoughness": plain, "alphaMode": "BLEND"}
    colour, roughness = COLOURS.get(part, COLOURS.get(part.split("_")[0], COLOURS["skin"]))
    plain = {"baseColorFactor": [*colour, 1.0], "metallicFactor": 0.0, "roughnessFactor": roughness}
    return {"name": part, "pbrMetallicRoughness": plain, "doubleSided": part == "lashes"}


def _document(
    avatar: Avatar,
    model: HeadModel,
    buffer: _Buffer,
    primitives: list[dict[str, Any]],
    materials: list[dict[str, Any]],
) -> dict[str, Any]:
    places = model.joints_of(avatar.fit.beta).astype(np.float64)
    inverse = np.tile(np.eye(4, dtype=np.float32), (len(JOINTS), 1, 1))
    inverse[:, 3, :3] = -places  # column-major
    nodes: list[dict[str, Any]] = []
    for row, name in enumerate(JOINTS):
        origin = places[PARENTS[row]] if PARENTS[row] >= 0 else np.zeros(3)
        node: dict[str, Any] = {"name": name, "translation": (places[row] - origin).tolist()}
        below = [k for k, parent in enumerate(PARENTS) if parent == row]
        if below:
            node["children"] = below
        nodes.append(node)
    nodes.append({"name": "head", "mesh": 0, "skin": 0})
    names = list(model.expression_names)
    return {
        "asset": {"version": "2.0", "generator": f"Headform {avatar.provenance.version}"},
        "scene": 0,
        "scenes": [{"nodes": [0, len(JOINTS)]}],
        "nodes": nodes,
        "meshes": [
            {
                "name": "head",
                "primitives": primitives,
                "weights": [0.0] * len(names),
                "extras": {"targetNames": names},
            }
        ],
        "skins": [
            {
                "inverseBindMatrices": buffer.accessor(inverse.reshape(-1, 16), "MAT4", FLOAT),
                "joints": list(range(len(JOINTS))),
                "skeleton": 0,
            }
        ],
        "materials": materials,
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(buffer.data) + -len(buffer.data) % 4}],
    }


def _packed(document: dict[str, Any], binary: bytes) -> bytes:
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    header = np.array([MAGIC, 2, 12 + 8 + len(text) + 8 + len(binary)], "<u4").tobytes()
    chunk = np.array([len(text), JSON_CHUNK], "<u4").tobytes()
    second = np.array([len(binary), BINARY_CHUNK], "<u4").tobytes()
    return header + chunk + text + second + binary

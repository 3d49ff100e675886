"""A head as binary glTF 2.0: five joints, one mesh, a primitive and a material for each kind of part, and the
expression units as morph targets.

Morph targets work alone: what a unit turns (jaw, eyes) is in its displacement, taken at full strength.
"""

from __future__ import annotations

import io
import json
import struct
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.avatar.avatar import Avatar
from headform.fit import Floats
from headform.head.model import JOINTS, PARENTS, HeadModel
from headform.render.surface import vertex_normals

Ints = NDArray[np.int32]

STILL = 1e-6  # metres: a vertex that a unit moves less does not move
BYTE, SHORT, INT, FLOAT = 5121, 5123, 5125, 5126
ARRAY, ELEMENTS = 34962, 34963
JSON_CHUNK, BINARY_CHUNK = 0x4E4F534A, 0x004E4942
PICTURE = 256  # pixels of the plain pictures of eyes and lashes
IRIS = "brown"

GROUPS = {
    "lashes": ("lashes",),
    "eyes": ("eye_left", "eye_right"),
    "cornea": ("cornea_left", "cornea_right"),
    "teeth": ("teeth_upper", "teeth_lower"),
    "gums": ("gums_upper", "gums_lower"),
    "tongue": ("tongue",),
}
SKIN = "skin"  # what no group names
# linear RGB and alpha, roughness
LOOKS: dict[str, tuple[tuple[float, float, float, float], float]] = {
    "skin": ((0.58, 0.36, 0.27, 1.0), 0.55),
    "lashes": ((0.02, 0.014, 0.01, 1.0), 0.7),
    "eyes": ((0.80, 0.78, 0.75, 1.0), 0.3),
    "cornea": ((1.0, 1.0, 1.0, 0.06), 0.05),
    "teeth": ((0.74, 0.70, 0.60, 1.0), 0.25),
    "gums": ((0.45, 0.14, 0.13, 1.0), 0.3),
    "tongue": ((0.42, 0.13, 0.13, 1.0), 0.4),
}


@dataclass(frozen=True, eq=False)
class Group:
    """Vertices of the parts of one primitive, split where texture coordinates part.

    rows (N,) vertices of the model; uv (N, 2) origin bottom-left; triangles (T, 3) rows of `rows`
    """

    name: str
    rows: Ints
    uv: Floats
    triangles: Ints


@dataclass(eq=False)
class Packing:
    """The binary chunk and its tables, as they grow."""

    binary: bytearray = field(default_factory=bytearray)
    views: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)

    def view(self, content: bytes, target: int | None = None) -> int:
        """The number of a new buffer view; each begins at a multiple of four bytes."""
        self.binary.extend(b"\0" * (-len(self.binary) % 4))
        view = {"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(content)}
        self.views.append(view if target is None else view | {"target": target})
        self.binary.extend(content)
        return len(self.views) - 1

    def add(self, values: NDArray[Any], kind: str, component: int, target: int | None = None, **more: Any) -> int:
        """The number of a new accessor over little-endian values."""
        view = self.view(np.ascontiguousarray(values).tobytes(), target)
        accessor = {"bufferView": view, "componentType": component, "count": len(values), "type": kind}
        self.accessors.append(accessor | more)
        return len(self.accessors) - 1

    def add_sparse(self, moved: Floats) -> int:
        """The number of an accessor of displacements (N, 3): zero but for the vertices that move."""
        moving = np.flatnonzero(np.abs(moved).max(1) > STILL)
        kept = np.zeros_like(moved)
        kept[moving] = moved[moving]
        accessor: dict[str, Any] = {"componentType": FLOAT, "count": len(moved), "type": "VEC3"} | _bounds(kept)
        if len(moving):
            small = len(moved) <= 65536
            indices = self.view(moving.astype("<u2" if small else "<u4").tobytes())
            values = self.view(kept[moving].astype("<f4").tobytes())
            accessor["sparse"] = {
                "count": len(moving),
                "indices": {"bufferView": indices, "componentType": SHORT if small else INT},
                "values": {"bufferView": values},
            }
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def glb(avatar: Avatar) -> bytes:
    """The whole .glb file of the neutral head; the same avatar gives the same bytes."""
    model = avatar.model
    rest = avatar.neutral()
    normals = vertex_normals(rest, model.triangles)
    moved = morphs(avatar, rest)
    joints, weights = four_weights(model.weights)
    packing = Packing()
    primitives: list[dict[str, Any]] = []
    materials: list[dict[str, Any]] = []
    images: list[dict[str, Any]] = []
    for group in groups_of(model):
        attributes = {
            "POSITION": packing.add(rest[group.rows], "VEC3", FLOAT, ARRAY, **_bounds(rest[group.rows])),
            "NORMAL": packing.add(normals[group.rows], "VEC3", FLOAT, ARRAY),
            "TEXCOORD_0": packing.add((group.uv * (1, -1) + (0, 1)).astype("<f4"), "VEC2", FLOAT, ARRAY),
            "JOINTS_0": packing.add(joints[group.rows], "VEC4", BYTE, ARRAY),
            "WEIGHTS_0": packing.add(weights[group.rows], "VEC4", FLOAT, ARRAY),
        }
        targets = [{"POSITION": packing.add_sparse(each[group.rows])} for each in moved]
        small = len(group.rows) < 65536
        corners = group.triangles.reshape(-1).astype("<u2" if small else "<u4")
        primitive = {
            "attributes": attributes,
            "indices": packing.add(corners, "SCALAR", SHORT if small else INT, ELEMENTS),
            "material": len(materials),
            "targets": targets,
        }
        primitives.append({key: value for key, value in primitive.items() if value != []})
        picture = _picture(group.name) if _is_own(model) else None
        materials.append(_material(group.name, None if picture is None else len(images)))
        if picture is not None:
            images.append({"bufferView": packing.view(picture), "mimeType": "image/png", "name": group.name})
    bones = model.joints_of(avatar.fit.beta).astype(np.float64)
    mesh: dict[str, Any] = {"name": "head", "primitives": primitives}
    if len(moved):
        mesh |= {"weights": [0.0] * len(moved), "extras": {"targetNames": list(model.expression_names)}}
    document: dict[str, Any] = {
        "asset": {
            "version": "2.0",
            "generator": f"Headform {avatar.provenance.version}",
            "extras": asdict(avatar.provenance) | {"head": model.name, "licence": model.licence},
        },
        "scene": 0,
        "scenes": [{"name": "head", "nodes": [0, 1]}],
        "nodes": [{"name": "head", "mesh": 0, "skin": 0}, *_joint_nodes(bones)],
        "meshes": [mesh],
        "skins": [_skin(packing, bones)],
        "materials": materials,
    }
    if images:
        document["samplers"] = [{"magFilter": 9729, "minFilter": 9987}]
        document["textures"] = [{"sampler": 0, "source": n} for n in range(len(images))]
        document["images"] = images
    return _file(document, packing)


def groups_of(model: HeadModel) -> list[Group]:
    """The primitives of a head, skin first; parts that no group names are skin."""
    named = {part: group for group, parts in GROUPS.items() for part in parts}
    group_of_part = np.array([[SKIN, *GROUPS].index(named.get(part, SKIN)) for part in model.parts])
    of_triangle = group_of_part[model.triangle_part]
    groups = []
    for index, name in enumerate([SKIN, *GROUPS]):
        chosen = of_triangle == index
        if not chosen.any():
            continue
        vertex = model.triangles[chosen].reshape(-1).astype(np.int64)
        corner = model.triangles_uv[chosen].reshape(-1).astype(np.int64)
        pairs, local = np.unique(vertex * len(model.uv) + corner, return_inverse=True)
        rows, uv_rows = np.divmod(pairs, len(model.uv))
        uv = model.uv[uv_rows].astype(np.float32)
        groups.append(Group(name, rows.astype(np.int32), uv, local.reshape(-1, 3).astype(np.int32)))
    return groups


def morphs(avatar: Avatar, rest: Floats) -> Floats:
    """(E, V, 3) metres: what each full unit moves from the neutral head, its turns of jaw and eyes included."""
    model = avatar.model
    personal = avatar.fit.personal(model).person(avatar.fit.beta)
    moved = np.zeros((model.expression_size, model.vertex_count, 3), np.float32)
    for index, name in enumerate(model.expression_names):
        moved[index] = personal.posed({name: 1.0}) - rest
    return moved


def four_weights(weights: Floats) -> tuple[NDArray[np.uint8], Floats]:
    """(V, 4) joints and weights: the four largest of (V, 5), summing to one; unused places are joint 0."""
    order = np.argsort(-weights, axis=1, kind="stable")[:, :4]
    chosen = np.take_along_axis(weights, order, 1).astype(np.float64).clip(0)
    chosen[chosen < 1e-6] = 0
    chosen /= chosen.sum(1, keepdims=True)
    return np.where(chosen > 0, order, 0).astype(np.uint8), chosen.astype("<f4")


def _joint_nodes(bones: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Nodes of the joints, after the node of the mesh: joint j is node j + 1."""
    nodes = []
    for index, (name, parent) in enumerate(zip(JOINTS, PARENTS, strict=True)):
        place = bones[index] - (bones[parent] if parent >= 0 else 0)
        node: dict[str, Any] = {"name": name, "translation": place.tolist()}
        if children := [child + 1 for child, above in enumerate(PARENTS) if above == index]:
            node["children"] = children
        nodes.append(node)
    return nodes


def _skin(packing: Packing, bones: NDArray[np.float64]) -> dict[str, Any]:
    inverse = np.tile(np.eye(4, dtype="<f4"), (len(bones), 1, 1))
    inverse[:, 3, :3] = -bones  # column-major: the last column is a row here
    matrices = packing.add(inverse, "MAT4", FLOAT)
    return {"joints": [index + 1 for index in range(len(bones))], "inverseBindMatrices": matrices, "skeleton": 1}


def _material(name: str, texture: int | None) -> dict[str, Any]:
    colour, roughness = LOOKS[name]
    surface: dict[str, Any] = {"baseColorFactor": list(colour), "metallicFactor": 0.0, "roughnessFactor": roughness}
    material: dict[str, Any] = {"name": name, "pbrMetallicRoughness": surface}
    if texture is not None:
        surface["baseColorTexture"] = {"index": texture}
        surface["baseColorFactor"] = [1.0, 1.0, 1.0, 1.0]
    if name == "cornea" or (name == "lashes" and texture is not None):
        material["alphaMode"] = "BLEND"
    if name == "lashes":
        material["doubleSided"] = True
    return material


def _is_own(model: HeadModel) -> bool:
    """Whether the painted eyes and lashes lie where this head's texture coordinates expect them."""
    return model.name == "headform"


@lru_cache(maxsize=8)
def _picture(group: str) -> bytes | None:
    """A PNG of what a flat colour cannot say: the iris and the single lashes."""
    from PIL import Image

    if group == "eyes":
        from headform.skin.eyes import paint_eye

        pixels = paint_eye(IRIS, 2 * PICTURE, 0)
    elif group == "lashes":
        from headform.skin.lashes import paint_lashes

        pixels = paint_lashes(seed=0)
    else:
        return None
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def _bounds(values: Floats) -> dict[str, list[float]]:
    return {"min": (values.min(0) + 0.0).tolist(), "max": (values.max(0) + 0.0).tolist()}


def _file(document: dict[str, Any], packing: Packing) -> bytes:
    binary = bytes(packing.binary) + b"\0" * (-len(packing.binary) % 4)
    document |= {
        "accessors": packing.accessors,
        "bufferViews": packing.views,
        "buffers": [{"byteLength": len(binary)}],
    }
    words = json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    text = words.encode("utf-8", "backslashreplace")
    text += b" " * (-len(text) % 4)
    header = struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + len(binary))
    first, second = struct.pack("<II", len(text), JSON_CHUNK), struct.pack("<II", len(binary), BINARY_CHUNK)
    return header + first + text + second + binary

"""A head as VRM 1.0: the .glb with a body nobody sees, so that programs made for whole people can carry it.

The floor is at zero; the head stands where that of a person in proportion to it would be.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files as package_files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.avatar import pictures
from headform.avatar.avatar import Avatar
from headform.avatar.glb import FIRST_JOINT, MESH_NODE, Document, pack
from headform.avatar.glb_hair import node_of
from headform.avatar.licence import copyright_line
from headform.avatar.mesh import joint_places
from headform.avatar.packing import Packing
from headform.head.model import JOINTS

Places = dict[str, NDArray[np.float64]]

VERSION = "1.0"
LICENCE = "https://vrm.dev/licenses/1.0/"
ADULT_REACH = 0.174  # metres from the base of the neck to between the eyes, where the body below has its size
ADULT_NECK = (0.0, 1.40, -0.01)  # metres above the floor: where that neck begins

# The joints of the head by the names of VRM.
HEAD_BONES = {
    "neck": "global",
    "head": "neck",
    "jaw": "jaw",
    "leftEye": "eye_left",
    "rightEye": "eye_right",
}
# parent and place in metres of a person of 1.67 m with arms spread; those of the left side are mirrored
BODY: dict[str, tuple[str | None, tuple[float, float, float]]] = {
    "hips": (None, (0.0, 0.90, 0.0)),
    "spine": ("hips", (0.0, 1.00, 0.0)),
    "chest": ("spine", (0.0, 1.15, -0.005)),
    "leftUpperLeg": ("hips", (0.09, 0.85, 0.0)),
    "leftLowerLeg": ("leftUpperLeg", (0.09, 0.47, 0.0)),
    "leftFoot": ("leftLowerLeg", (0.09, 0.08, -0.02)),
    "leftUpperArm": ("chest", (0.16, 1.35, -0.01)),
    "leftLowerArm": ("leftUpperArm", (0.41, 1.35, -0.01)),
    "leftHand": ("leftLowerArm", (0.65, 1.35, -0.01)),
}
EYES_REACH = 30.0  # degrees that eyes turn; further, the look stays there
OVERRIDES = ("overrideBlink", "overrideLookAt", "overrideMouth")
TABLE = "vrm_expressions.json"  # preset: the units that make it, with their amounts


def files(avatar: Avatar, texture: int | None, stem: str) -> dict[str, bytes]:
    """The avatar as one file of the format table."""
    return {f"{stem}.vrm": vrm(avatar, texture)}


def vrm(avatar: Avatar, texture: int | None = None) -> bytes:
    """The whole .vrm file; see `glb` for what it shares with that."""
    joints = joint_places(avatar)
    size = _size(joints)
    lift = np.array([0.0, size * ADULT_NECK[1] - joints[0, 1], 0.0])
    document, packing = pack(avatar, texture, float(lift[1]))
    bones = _add_body(document, joints + lift, size)
    hair = node_of(document)
    meshes = [MESH_NODE] if hair is None else [MESH_NODE, hair]
    document["scenes"] = [{"name": "head", "nodes": [*meshes, bones["hips"]]}]
    document["extensionsUsed"] = [*document.get("extensionsUsed", []), "VRMC_vrm"]
    document["extensions"] = {
        "VRMC_vrm": {
            "specVersion": VERSION,
            "meta": _meta(avatar, _add_thumbnail(avatar, document, packing)),
            "humanoid": {"humanBones": {name: {"node": node} for name, node in bones.items()}},
            "firstPerson": {"meshAnnotations": [{"node": node, "type": "auto"} for node in meshes]},
            "lookAt": _look_at(joints),
            "expressions": _expressions(avatar),
        }
    }
    return packing.file(document)


def _size(joints: NDArray[np.float64]) -> float:
    """How much larger the head is than the one that the body is made for."""
    return float(np.linalg.norm(joints[3:].mean(0) - joints[0])) / ADULT_REACH


def _add_body(document: Document, joints: NDArray[np.float64], size: float) -> dict[str, int]:
    """The nodes of the body join those of the head; what comes back is each bone's node by its name in VRM."""
    nodes: list[Document] = document["nodes"]
    bones = {bone: FIRST_JOINT + JOINTS.index(joint) for bone, joint in HEAD_BONES.items()}
    places: Places = {}
    neck_ahead = joints[0] - size * np.array(ADULT_NECK)  # the body stands under the head
    for name, (parent, place) in _both_sides().items():
        places[name] = size * np.array(place) + neck_ahead * (1, 0, 1)
        bones[name] = len(nodes)
        above = places[parent] if parent else np.zeros(3)
        nodes.append({"name": name, "translation": (places[name] - above).tolist()})
        if parent:
            nodes[bones[parent]].setdefault("children", []).append(bones[name])
    nodes[bones["chest"]].setdefault("children", []).append(bones["neck"])
    nodes[bones["neck"]]["translation"] = (joints[0] - places["chest"]).tolist()
    return bones


def _both_sides() -> dict[str, tuple[str | None, tuple[float, float, float]]]:
    body = dict(BODY)
    for name, (parent, (x, y, z)) in BODY.items():
        if name.startswith("left"):
            body[name.replace("left", "right")] = (parent and parent.replace("left", "right"), (-x, y, z))
    return body


def _meta(avatar: Avatar, thumbnail: int | None) -> Document:
    """Who may do what: nobody but the author, until the author says otherwise; it is a person's face."""
    meta: Document = {
        "name": avatar.provenance.in_words().partition("photo ")[2] or "head",
        "version": avatar.provenance.version,
        "authors": ["made with Headform"],
        "copyrightInformation": copyright_line(avatar),
        "licenseUrl": LICENCE,
        "avatarPermission": "onlyAuthor",
        "allowExcessivelyViolentUsage": False,
        "allowExcessivelySexualUsage": False,
        "commercialUsage": "personalNonProfit",
        "allowPoliticalOrReligiousUsage": False,
        "allowAntisocialOrHateUsage": False,
        "creditNotation": "unnecessary",
        "allowRedistribution": False,
        "modification": "allowModification",
    }
    return meta if thumbnail is None else meta | {"thumbnailImage": thumbnail}


def _add_thumbnail(avatar: Avatar, document: Document, packing: Packing) -> int | None:
    """The number of the image of the head, where it wears what can be shown."""
    if avatar.textures is None:
        return None
    view = packing.view(pictures.preview(avatar))
    document["images"].append({"name": "thumbnail", "mimeType": "image/png", "bufferView": view})
    return len(document["images"]) - 1


def _look_at(joints: NDArray[np.float64]) -> Document:
    """Eyes turn as joints; between the eyes is where the look comes from, seen from the head's bone."""
    turn = {"inputMaxValue": EYES_REACH, "outputScale": EYES_REACH}
    offset = joints[3:].mean(0) - joints[JOINTS.index(HEAD_BONES["head"])]
    ways = ("HorizontalInner", "HorizontalOuter", "VerticalDown", "VerticalUp")
    return {"type": "bone", "offsetFromHeadBone": offset.tolist()} | {f"rangeMap{way}": turn for way in ways}


def _expressions(avatar: Avatar) -> Document:
    """The presets of VRM, as far as the head has their units, and each unit under its own name."""
    names = avatar.model.expression_names

    def binds(units: dict[str, float]) -> Document:
        known = [(names.index(name), amount) for name, amount in units.items() if name in names]
        moved = [{"node": MESH_NODE, "index": at, "weight": amount} for at, amount in known]
        return {"isBinary": False, "morphTargetBinds": moved} | dict.fromkeys(OVERRIDES, "none")

    return {
        "preset": {preset: binds(units) for preset, units in presets().items()},
        "custom": {name: binds({name: 1.0}) for name in names if name not in presets()},
    }


@lru_cache(maxsize=1)
def presets() -> dict[str, dict[str, float]]:
    """The 18 preset expressions of VRM 1.0 as ARKit units and their amounts."""
    import json

    table: dict[str, Any] = json.loads(package_files("headform.avatar").joinpath("data", TABLE).read_text("utf-8"))
    return {name: {unit: float(amount) for unit, amount in units.items()} for name, units in table.items()}

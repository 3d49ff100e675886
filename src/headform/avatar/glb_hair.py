"""Hair in binary glTF: cards as a mesh of their own, bound to the joint that carries the skull.

They are drawn twice: first what is solid, with depth, so that nothing need be sorted; then all of it blended over
that, which gives ends and edges their softness. Both name the same numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.avatar import hair
from headform.avatar.avatar import Avatar
from headform.avatar.looks import HAIR
from headform.avatar.packing import ARRAY, BYTE, FLOAT, SHORT, Packing, bounds
from headform.hair.cards import Cards

Document = dict[str, Any]

NODE, FRINGE = "hair", "hair_fringe"
KEPT = "headform_hair"  # in `asset.extras`: the view of the strands that are read back
CUTOFF = 0.4  # of alpha: what covers less of a pixel is clear
CLAMPED = 33071  # a picture does not begin again where it ends: roots would have tips
LINEAR, MIPMAPS = 9729, 9987  # filters


def add_hair(avatar: Avatar, document: Document, packing: Packing, lift: NDArray[np.float64]) -> None:
    """Add the hair's node, mesh, material and pictures to a document of the head, and the strands to be read back.

    A head without hair stays as it is; stubble is only painted.
    """
    if avatar.hair is None:
        return
    document["asset"]["extras"][KEPT] = packing.view(hair.kept_coarsely(avatar.hair))
    cards = hair.cards(avatar)
    if cards is None:
        return
    document["nodes"].append({"name": NODE, "mesh": len(document["meshes"]), "skin": 0})
    document["scenes"][0]["nodes"].append(len(document["nodes"]) - 1)
    first = len(document["materials"])
    solid = _primitive(cards, packing, lift) | {"material": first}
    document["meshes"].append({"name": NODE, "primitives": [solid, solid | {"material": first + 1}]})
    document["materials"] += _materials(cards, packing, document)


def node_of(document: Document) -> int | None:
    """The number of the hair's node, if there is one."""
    names = [node.get("name") for node in document["nodes"]]
    return names.index(NODE) if NODE in names else None


def _primitive(cards: Cards, packing: Packing, lift: NDArray[np.float64]) -> Document:
    placed = cards.vertices + lift.astype(np.float32)
    joints, weights = np.zeros((2, len(cards), 4), np.uint8)
    joints[:, 0], weights[:, 0] = hair.SKULL, 255
    flipped = np.rint((cards.uv * (1, -1) + (0, 1)) * 65535).astype("<u2")
    attributes = {
        "POSITION": packing.add(placed.astype("<f4"), "VEC3", FLOAT, ARRAY, **bounds(placed)),
        "NORMAL": packing.add(cards.normals.astype("<f4"), "VEC3", FLOAT, ARRAY),
        "TANGENT": packing.add(cards.tangents.astype("<f4"), "VEC4", FLOAT, ARRAY),
        "TEXCOORD_0": packing.add(flipped, "VEC2", SHORT, ARRAY, normalized=True),
        "COLOR_0": packing.add(hair.shares(cards), "VEC4", BYTE, ARRAY, normalized=True),
        "JOINTS_0": packing.add(joints, "VEC4", BYTE, ARRAY),
        "WEIGHTS_0": packing.add(weights, "VEC4", BYTE, ARRAY, normalized=True),
    }
    corners = packing.add_indices(cards.triangles, len(cards))
    return {"attributes": attributes, "indices": corners}


def _materials(cards: Cards, packing: Packing, document: Document) -> list[Document]:
    """Of what is solid, and of what is blended over it."""
    colour = _add_picture(hair.PICTURE, "image/png", hair.grey_picture(cards), packing, document)
    relief = _add_picture(hair.RELIEF, "image/jpeg", hair.relief_picture(cards), packing, document)
    look: Document = {
        "pbrMetallicRoughness": {
            "baseColorFactor": [*hair.peak(cards).tolist(), 1.0],
            "baseColorTexture": {"index": colour},
            "metallicFactor": 0.0,
            "roughnessFactor": HAIR.roughness,
        },
        "normalTexture": {"index": relief},
        "extensions": {"KHR_materials_specular": {"specularFactor": HAIR.specular}},
    }
    solid = {"name": NODE, "alphaMode": "MASK", "alphaCutoff": CUTOFF}
    return [solid | look, {"name": FRINGE, "alphaMode": "BLEND"} | look]


def _add_picture(name: str, kind: str, content: bytes, packing: Packing, document: Document) -> int:
    """The number of the texture."""
    images, textures = document.setdefault("images", []), document.setdefault("textures", [])
    samplers = document.setdefault("samplers", [])
    clamped = {"magFilter": LINEAR, "minFilter": MIPMAPS, "wrapS": CLAMPED, "wrapT": CLAMPED}
    if clamped not in samplers:
        samplers.append(clamped)
    images.append({"name": name, "mimeType": kind, "bufferView": packing.view(content)})
    textures.append({"sampler": samplers.index(clamped), "source": len(images) - 1})
    return len(textures) - 1

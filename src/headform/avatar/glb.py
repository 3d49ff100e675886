"""A head as binary glTF 2.0: five joints, one mesh, a primitive and a material for each look, and the expression
units as sparse morph targets.

Morph targets work alone: what a unit turns (jaw, eyes) is in its displacement, taken at full strength.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from headform.avatar import hair, pictures
from headform.avatar.avatar import Avatar
from headform.avatar.glb_hair import add_hair
from headform.avatar.licence import copyright_line
from headform.avatar.looks import LOOKS, SKIN
from headform.avatar.mesh import (
    Group,
    cornea_fade,
    four_weights,
    groups_of,
    joint_places,
    morphs,
    shade,
    smooth_normals,
    smooth_tangents,
    turns,
)
from headform.avatar.packing import ARRAY, BYTE, FLOAT, Packing, bounds
from headform.fit import Floats
from headform.head.model import JOINTS, PARENTS

Document = dict[str, Any]

STILL = 1e-5  # metres: a vertex that a unit moves less does not move
UNTURNED = 0.01  # of a unit normal: half a degree is not seen
LINEAR, MIPMAPS = 9729, 9987  # filters
MESH_NODE, FIRST_JOINT = 0, 1  # nodes

_made: WeakKeyDictionary[Avatar, dict[int | None, bytes]] = WeakKeyDictionary()  # asked for alone, and for the zip


def files(avatar: Avatar, texture: int | None, stem: str) -> dict[str, bytes]:
    """The avatar as one file of the format table."""
    return {f"{stem}.glb": glb(avatar, texture)}


def glb(avatar: Avatar, texture: int | None = None) -> bytes:
    """The whole .glb file, with skin pictures of `texture`² pixels; the same avatar gives the same bytes.

    Its `asset.extras.headform` holds the avatar's parameters.
    """
    made = _made.setdefault(avatar, {})
    if texture not in made:
        document, packing = pack(avatar, texture)
        made[texture] = packing.file(document)
    return made[texture]


def pack(avatar: Avatar, texture: int | None = None, height: float = 0.0) -> tuple[Document, Packing]:
    """A document of nodes, mesh and materials, and the numbers it names; the origin is lifted by `height` metres.

    Node 0 is the mesh, the joints follow in the order of JOINTS.
    """
    packing = Packing()
    lift = np.array([0.0, height, 0.0])
    bones = joint_places(avatar) + lift
    mesh, looks = _mesh(avatar, packing, lift)
    document: Document = {
        "asset": {
            "version": "2.0",
            "generator": f"Headform {avatar.provenance.version}",
            "copyright": copyright_line(avatar),
            "extras": {"headform": avatar.parameters()},
        },
        "scene": 0,
        "scenes": [{"name": "head", "nodes": [MESH_NODE, FIRST_JOINT]}],
        "nodes": [{"name": "head", "mesh": 0, "skin": 0}, *_joint_nodes(bones)],
        "meshes": [mesh],
        "skins": [_skin(packing, bones)],
    }
    shown = _add_pictures(avatar, texture, document, packing)
    document["materials"] = [_material(name, shown) for name in looks]
    add_hair(avatar, document, packing, lift)
    if any("extensions" in material for material in document["materials"]):
        document["extensionsUsed"] = ["KHR_materials_specular"]
    return document, packing


def _mesh(avatar: Avatar, packing: Packing, lift: NDArray[np.float64]) -> tuple[Document, list[str]]:
    """The mesh, and the looks of its primitives in their order."""
    names, rest = avatar.model.expression_names, avatar.neutral()
    groups = groups_of(avatar.model, avatar.textures is not None)
    shapes = _attributes(avatar, packing, groups, rest, lift)
    targets = _targets(avatar, packing, groups, rest)
    primitives: list[Document] = []
    for number, group in enumerate(groups):
        corners = packing.add_indices(group.triangles, len(group.rows))
        primitives.append({"attributes": shapes[number], "indices": corners, "material": number})
        if names:
            primitives[-1]["targets"] = targets[number]
    mesh: Document = {"name": "head", "primitives": primitives}
    if names:
        mesh["weights"] = [avatar.expression.get(name, 0.0) for name in names]
        mesh["extras"] = {"targetNames": list(names)}
    return mesh, [group.name for group in groups]


def _attributes(
    avatar: Avatar, packing: Packing, groups: list[Group], rest: Floats, lift: NDArray[np.float64]
) -> list[Document]:
    """For each group what is known of its vertices."""
    model = avatar.model
    placed, normals = rest + lift.astype(np.float32), smooth_normals(model, rest)
    joints, weights = four_weights(model.weights)
    colours = _grey(shade(avatar), cornea_fade(model, rest))
    flipped = (model.uv * (1, -1) + (0, 1)).astype("<f4")
    out = []
    for group in groups:
        rows = group.rows
        attributes = {
            "POSITION": packing.add(placed[rows], "VEC3", FLOAT, ARRAY, **bounds(placed[rows])),
            "NORMAL": packing.add(normals[rows], "VEC3", FLOAT, ARRAY),
            "TEXCOORD_0": packing.add(flipped[group.uv_rows], "VEC2", FLOAT, ARRAY),
            "COLOR_0": packing.add(colours[rows], "VEC4", BYTE, ARRAY, normalized=True),
            "JOINTS_0": packing.add(joints[rows], "VEC4", BYTE, ARRAY),
            "WEIGHTS_0": packing.add(weights[rows], "VEC4", FLOAT, ARRAY),
        }
        if group.name == SKIN and avatar.textures is not None:
            along = smooth_tangents(model, rest, normals, group)
            attributes["TANGENT"] = packing.add(along, "VEC4", FLOAT, ARRAY)
        out.append(attributes)
    return out


def _targets(avatar: Avatar, packing: Packing, groups: list[Group], rest: Floats) -> list[list[Document]]:
    """For each group what each unit does to its places and normals."""
    moved = morphs(avatar, rest)
    turned = turns(avatar.model, rest, moved)
    moves, bends = np.abs(moved).max(2) > STILL, np.abs(turned).max(2) > UNTURNED
    return [
        [
            {
                "POSITION": packing.add_sparse(moved[unit, group.rows], moves[unit, group.rows]),
                "NORMAL": packing.add_sparse(turned[unit, group.rows], bends[unit, group.rows]),
            }
            for unit in range(len(moved))
        ]
        for group in groups
    ]


def _grey(amount: Floats, opacity: Floats) -> NDArray[np.uint8]:
    """(N, 4) colours of linear light (N,)."""
    return np.rint(np.stack([amount, amount, amount, opacity], 1) * 255).astype(np.uint8)


def _joint_nodes(bones: NDArray[np.float64]) -> list[Document]:
    nodes = []
    for index, (name, parent) in enumerate(zip(JOINTS, PARENTS, strict=True)):
        place = bones[index] - (bones[parent] if parent >= 0 else 0)
        node: Document = {"name": name, "translation": place.tolist()}
        if children := [child + FIRST_JOINT for child, above in enumerate(PARENTS) if above == index]:
            node["children"] = children
        nodes.append(node)
    return nodes


def _skin(packing: Packing, bones: NDArray[np.float64]) -> Document:
    inverse = np.tile(np.eye(4, dtype="<f4"), (len(bones), 1, 1))
    inverse[:, 3, :3] = -bones  # column-major: the last column is a row here
    matrices = packing.add(inverse, "MAT4", FLOAT)
    joints = [FIRST_JOINT + index for index in range(len(bones))]
    return {"joints": joints, "inverseBindMatrices": matrices, "skeleton": FIRST_JOINT}


def _add_pictures(avatar: Avatar, texture: int | None, document: Document, packing: Packing) -> dict[str, int]:
    """Pictures go into the document; what comes back is the number of each one's texture by its name."""
    textures = hair.worn(avatar, texture)
    if textures is None:
        return {}
    images = [
        {"name": name, "mimeType": pictures.kind(content)[1], "bufferView": packing.view(content)}
        for name, content in pictures.compact(textures).items()
    ]
    document["samplers"] = [{"magFilter": LINEAR, "minFilter": MIPMAPS}]
    document["images"] = images
    document["textures"] = [{"sampler": 0, "source": number} for number in range(len(images))]
    shown = {str(image["name"]): number for number, image in enumerate(images)}
    bare = pictures.worn(avatar, texture)
    if bare is not None and bare is not textures:  # no material shows it: it is there to be read back
        for name, content in hair.bare_pictures(bare).items():
            images.append({"name": name, "mimeType": "image/jpeg", "bufferView": packing.view(content)})
    return shown


def _material(name: str, shown: dict[str, int]) -> Document:
    look = LOOKS[name]
    surface: Document = {
        "baseColorFactor": [*look.colour, look.opacity],
        "metallicFactor": 0.0,
        "roughnessFactor": look.roughness,
    }
    material: Document = {"name": name, "pbrMetallicRoughness": surface}
    if look.picture in shown:
        surface["baseColorTexture"] = {"index": shown[look.picture]}
        surface["baseColorFactor"] = [1.0, 1.0, 1.0, look.opacity]
    if name == SKIN and shown:
        # A grey picture: its green is the roughness, its blue would be metal, were that not times zero.
        surface["metallicRoughnessTexture"] = {"index": shown["roughness"]}
        surface["roughnessFactor"] = 1.0
        material["normalTexture"] = {"index": shown["normal"]}
    if look.specular != 1:
        material["extensions"] = {"KHR_materials_specular": {"specularFactor": look.specular}}
    if look.opacity < 1 or name == "lashes":
        material["alphaMode"] = "BLEND"
    if name == "lashes":
        material["doubleSided"] = True
    return material

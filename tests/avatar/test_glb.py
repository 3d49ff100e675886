from __future__ import annotations

import io
import json
import struct
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from avatar_dressed import SIZE, ask, dressed_avatar
from avatar_stand_in import known_avatar
from numpy.typing import NDArray
from PIL import Image

from headform.avatar.avatar import Avatar
from headform.avatar.glb import STILL, UNTURNED, glb
from headform.avatar.looks import LOOKS
from headform.avatar.mesh import DARKEST, cornea_fade, four_weights, groups_of, shade, smooth_normals
from headform.errors import BadInput
from headform.head import JOINTS
from headform.head.skinning import rotation_matrices
from headform.render.surface import vertex_normals
from headform.skin.textures import Textures

KINDS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
TYPES = {5121: "u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}


@dataclass
class Glb:
    """A .glb file as another program would read it: only the standard, nothing of Headform."""

    document: dict[str, Any]
    binary: bytes

    @classmethod
    def read(cls, content: bytes) -> Glb:
        magic, version, whole = struct.unpack_from("<4sII", content)
        assert (magic, version, whole) == (b"glTF", 2, len(content))
        length, kind = struct.unpack_from("<I4s", content, 12)
        assert kind == b"JSON" and length % 4 == 0
        rest = 20 + length
        binary, kind = struct.unpack_from("<I4s", content, rest)
        assert kind == b"BIN\0" and binary % 4 == 0 and rest + 8 + binary == len(content)
        return cls(json.loads(content[20:rest]), content[rest + 8 :])

    def view(self, number: int, dtype: str, count: int) -> NDArray[Any]:
        view = self.document["bufferViews"][number]
        assert view["byteOffset"] % 4 == 0
        assert view["byteOffset"] + view["byteLength"] <= self.document["buffers"][0]["byteLength"] == len(self.binary)
        values = np.frombuffer(self.binary, dtype, count, view["byteOffset"])
        assert values.nbytes == view["byteLength"]
        return values

    def picture(self, texture: int) -> NDArray[np.uint8]:
        image = self.document["images"][self.document["textures"][texture]["source"]]
        view = self.document["bufferViews"][image["bufferView"]]
        content = self.binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
        with Image.open(io.BytesIO(content)) as opened:
            assert opened.get_format_mimetype() == image["mimeType"]
            return np.asarray(opened)

    def values(self, number: int) -> NDArray[Any]:
        accessor = self.document["accessors"][number]
        dtype, width, count = TYPES[accessor["componentType"]], KINDS[accessor["type"]], accessor["count"]
        out = np.zeros((count, width), dtype)
        if "bufferView" in accessor:
            out = self.view(accessor["bufferView"], dtype, count * width).reshape(count, width).copy()
        if sparse := accessor.get("sparse"):
            rows = self.view(
                sparse["indices"]["bufferView"], TYPES[sparse["indices"]["componentType"]], sparse["count"]
            )
            assert (np.diff(rows.astype(int)) > 0).all()
            out[rows] = self.view(sparse["values"]["bufferView"], dtype, sparse["count"] * width).reshape(-1, width)
        if "min" in accessor:
            assert np.array_equal(out.min(0), np.array(accessor["min"], dtype))
            assert np.array_equal(out.max(0), np.array(accessor["max"], dtype))
        return out


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return dressed_avatar()


@pytest.fixture(scope="module")
def content(avatar: Avatar) -> bytes:
    return glb(avatar)


@pytest.fixture(scope="module")
def read(content: bytes) -> Glb:
    return Glb.read(content)


def test_every_accessor_is_whole_and_its_bounds_are_true(read: Glb) -> None:
    for number in range(len(read.document["accessors"])):
        assert np.isfinite(read.values(number)).all()
    for primitive in read.document["meshes"][0]["primitives"]:
        attributes = primitive["attributes"]
        counts = {read.document["accessors"][a]["count"] for a in attributes.values()}
        assert len(counts) == 1
        corners = read.values(primitive["indices"])
        assert np.array_equal(np.unique(corners), np.arange(counts.pop()))
        assert {"min", "max"} <= read.document["accessors"][attributes["POSITION"]].keys()
        normals = read.values(attributes["NORMAL"])
        np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
        if "TANGENT" in attributes:
            along = read.values(attributes["TANGENT"])
            np.testing.assert_allclose(np.linalg.norm(along[:, :3], axis=1), 1, atol=1e-5)
            np.testing.assert_allclose((along[:, :3] * normals).sum(1), 0, atol=1e-3)
            assert (np.abs(along[:, 3]) == 1).all()


def test_it_is_small_and_the_same_every_time(content: bytes) -> None:
    geometry = len(content) - sum(len(view) for view in _pictures(content))
    assert geometry < 3_500_000  # leaves 8.5 MB for pictures at 1K, which take 1.7
    assert glb(dressed_avatar()) == content


def _pictures(content: bytes) -> list[bytes]:
    read = Glb.read(content)
    views = [read.document["bufferViews"][image["bufferView"]] for image in read.document["images"]]
    return [read.binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]] for view in views]


def test_the_rest_mesh_is_the_neutral_head(avatar: Avatar, read: Glb) -> None:
    rest, found = avatar.neutral(), 0
    for group, primitive in zip(groups_of(avatar.model, True), read.document["meshes"][0]["primitives"], strict=True):
        places = read.values(primitive["attributes"]["POSITION"])
        np.testing.assert_array_equal(places, rest[group.rows])
        uv = read.values(primitive["attributes"]["TEXCOORD_0"])
        np.testing.assert_allclose(uv * (1, -1) + (0, 1), avatar.model.uv[group.uv_rows], atol=1e-6)
        found += read.document["accessors"][primitive["indices"]]["count"] // 3
    assert found == len(avatar.model.triangles)


def test_texture_coordinates_stay_with_their_corners(avatar: Avatar) -> None:
    model = avatar.model
    skin = next(group for group in groups_of(model, True) if group.name == "skin")
    chosen = model.triangle_part == model.part_index("skin")
    np.testing.assert_array_equal(skin.rows[skin.triangles], model.triangles[chosen])
    np.testing.assert_array_equal(model.uv[skin.uv_rows[skin.triangles]], model.uv[model.triangles_uv[chosen]])


def test_every_unit_is_a_sparse_morph_that_does_what_the_model_does(avatar: Avatar, read: Glb) -> None:
    model, fit = avatar.model, avatar.fit
    names = read.document["meshes"][0]["extras"]["targetNames"]
    assert tuple(names) == model.expression_names
    assert read.document["meshes"][0]["weights"] == [0.0] * len(names)
    person = fit.personal(model).person(fit.beta)
    groups = groups_of(model, True)
    for index, name in enumerate(names):
        posed, moving = person.posed({name: 1.0}), 0
        for group, primitive in zip(groups, read.document["meshes"][0]["primitives"], strict=True):
            assert len(primitive["targets"]) == len(names)
            number = primitive["targets"][index]["POSITION"]
            assert "bufferView" not in read.document["accessors"][number]
            moved = read.values(number)
            places = read.values(primitive["attributes"]["POSITION"]) + moved
            np.testing.assert_allclose(places, posed[group.rows], atol=1e-5, err_msg=name)
            moving += moved.any(1).sum()
        assert moving > 10, name


def test_the_skin_turns_the_jaw_as_the_model_does(avatar: Avatar, read: Glb) -> None:
    document, turn = read.document, np.array([0.3, 0.05, 0.0])
    skin = document["skins"][0]
    nodes = [document["nodes"][n] for n in skin["joints"]]
    assert tuple(node["name"] for node in nodes) == JOINTS
    parent = {child: n for n, node in enumerate(document["nodes"]) for child in node.get("children", [])}

    def world(number: int) -> NDArray[np.float64]:
        node, local = document["nodes"][number], np.eye(4)
        local[:3, 3] = node["translation"]
        if node["name"] == "jaw":
            local[:3, :3] = rotation_matrices(turn)
        return world(parent[number]) @ local if number in parent else local

    inverse = read.values(skin["inverseBindMatrices"]).reshape(5, 4, 4).transpose(0, 2, 1)
    joints = [world(number) @ inverse[row] for row, number in enumerate(skin["joints"])]
    theta = np.zeros((5, 3))
    theta[2] = turn
    posed = avatar.fit.personal(avatar.model).posed(avatar.fit.beta, None, theta)
    for group, primitive in zip(groups_of(avatar.model, True), document["meshes"][0]["primitives"], strict=True):
        attributes = primitive["attributes"]
        places = np.pad(read.values(attributes["POSITION"]).astype(float), ((0, 0), (0, 1)), constant_values=1)
        which, share = read.values(attributes["JOINTS_0"]), read.values(attributes["WEIGHTS_0"])
        np.testing.assert_allclose(share.sum(1), 1, atol=1e-6)
        assert not which[share == 0].any()
        moved = np.einsum("nk,nkij,nj->ni", share, np.array(joints)[which], places)[:, :3]
        np.testing.assert_allclose(moved, posed[group.rows], atol=1e-5)


def test_the_smallest_of_five_weights_is_dropped() -> None:
    joints, weights = four_weights(np.array([[0.1, 0.3, 0.2, 0.15, 0.25], [0, 0, 1, 0, 0]], np.float32))
    assert sorted(joints[0]) == [1, 2, 3, 4]
    np.testing.assert_allclose(weights[0], np.array([0.3, 0.25, 0.2, 0.15]) / 0.9, rtol=1e-6)
    assert joints[1].tolist() == [2, 0, 0, 0] and weights[1].tolist() == [1, 0, 0, 0]


def test_parts_wear_their_pictures_and_corneas_are_clear(avatar: Avatar, read: Glb) -> None:
    materials = {m["name"]: m for m in read.document["materials"]}
    assert list(materials) == list(LOOKS)
    used = [p["material"] for p in read.document["meshes"][0]["primitives"]]
    assert used == list(range(len(materials)))
    for name, material in materials.items():
        surface = material["pbrMetallicRoughness"]
        assert surface["metallicFactor"] == 0
        assert material.get("alphaMode", "OPAQUE") == ("BLEND" if name in ("cornea", "lashes") else "OPAQUE")
        assert material.get("doubleSided", False) == (name == "lashes")
        if name == "cornea":
            assert surface["baseColorFactor"][3] < 0.2 and "baseColorTexture" not in surface
            continue
        shown = read.picture(surface["baseColorTexture"]["index"]).astype(int)
        worn = getattr(avatar.textures, str(LOOKS[name].picture)).astype(int)
        assert np.abs(shown - worn).mean() < 2, name
    skin = materials["skin"]
    assert skin["pbrMetallicRoughness"]["roughnessFactor"] == 1
    assert avatar.textures is not None
    relief = read.picture(skin["normalTexture"]["index"]).astype(int)
    assert np.abs(relief - avatar.textures.normal).mean() < 3
    rough = read.picture(skin["pbrMetallicRoughness"]["metallicRoughnessTexture"]["index"]).astype(int)
    assert np.abs(rough - avatar.textures.roughness).mean() < 2


def test_the_relief_is_carved_along_the_tangents(avatar: Avatar, read: Glb) -> None:
    """Where u and v grow on the mesh: the tangent follows u, and its cross product with the normal, times its side,
    follows v upwards in the picture."""
    group = next(group for group in groups_of(avatar.model, True) if group.name == "skin")
    attributes = read.document["meshes"][0]["primitives"][0]["attributes"]
    along, normals = read.values(attributes["TANGENT"]), read.values(attributes["NORMAL"])
    places = read.values(attributes["POSITION"]).astype(float)
    up = np.cross(normals, along[:, :3]) * along[:, 3:]
    uv = avatar.model.uv[group.uv_rows].astype(float)
    first, second, third = group.triangles.T
    edges = np.stack([places[second] - places[first], places[third] - places[first]], -1)
    steps = np.stack([uv[second] - uv[first], uv[third] - uv[first]], -1)
    flat = np.abs(np.linalg.det(steps)) > 1e-7
    growth = edges[flat] @ np.linalg.inv(steps[flat])  # (T, 3, 2): metres for a step of u and of v
    corner = first[flat]
    for axis, direction in ((0, along[corner, :3]), (1, up[corner])):
        cosine = (growth[..., axis] * direction).sum(1) / np.linalg.norm(growth[..., axis], axis=1)
        assert (cosine > 0).mean() > 0.99 and np.median(cosine) > 0.95  # the layout shears a little


def test_normals_follow_the_units(avatar: Avatar, read: Glb) -> None:
    """What a unit adds to the normals is what the model's mesh does, to within what is left out as unseen."""
    model, rest = avatar.model, avatar.neutral()
    index = model.expression_names.index("mouthSmileLeft")
    posed = avatar.fit.personal(model).person(avatar.fit.beta).posed({"mouthSmileLeft": 1.0})
    turned = vertex_normals(posed, model.triangles) - vertex_normals(rest, model.triangles)
    for group, primitive in zip(groups_of(model, True), read.document["meshes"][0]["primitives"], strict=True):
        found = read.values(primitive["targets"][index]["NORMAL"])
        np.testing.assert_allclose(found, turned[group.rows], atol=UNTURNED + 1e-5)
    assert np.abs(turned).max() > 0.2


def test_the_normals_are_those_of_the_close_up_surface() -> None:
    """An ear's rim and the lips are round, not folded: neighbours differ less than on the coarse mesh."""
    avatar = known_avatar()
    model, rest = avatar.model, avatar.neutral()
    fine, coarse = smooth_normals(model, rest), vertex_normals(rest, model.triangles)
    skin = model.triangles[model.triangle_part == model.part_index("skin")]
    agree = (fine[skin] * coarse[skin]).sum(-1)
    assert np.median(agree) > 0.999 and (agree < 0.999).mean() > 0.1


def test_caves_are_dark_and_what_is_open_is_not() -> None:
    avatar = known_avatar()
    model, rest = avatar.model, avatar.neutral()
    light = shade(avatar)
    assert light.min() >= DARKEST and light.max() == 1
    crown, throat = rest[:, 1].argmax(), model.part_vertices("tongue")
    assert light[crown] == 1 and np.median(light[throat]) < 0.5
    eye = model.part_vertices("eye_left")
    front = eye[rest[eye, 2] > np.percentile(rest[eye, 2], 90)]
    assert 0.35 < np.median(light[front]) < 0.8 and light[front].min() >= DARKEST  # lids and brows throw shadows


def test_corneas_fade_towards_their_rims_and_nothing_else_does() -> None:
    avatar = known_avatar()
    model, rest = avatar.model, avatar.neutral()
    opacity = cornea_fade(model, rest)
    for part in ("cornea_left", "cornea_right"):
        rows = model.part_vertices(part)
        assert opacity[rows[rest[rows, 2].argmax()]] == 1 and opacity[rows].min() == 0
        opacity[rows] = 1
    assert (opacity == 1).all()


def test_one_that_is_asked_for_twice_is_the_same_object(avatar: Avatar) -> None:
    assert glb(avatar, 64) is glb(avatar, 64)
    assert glb(avatar.with_expression({"jawOpen": 1.0}), 64) != glb(avatar, 64)


@pytest.mark.parametrize("size", [64, 128])
def test_pictures_come_in_the_size_that_is_asked_for(avatar: Avatar, size: int) -> None:
    read = Glb.read(glb(avatar, size))
    sizes = [read.picture(number).shape[:2] for number in range(3)]
    assert sizes == [(size, size)] * 3 and read.picture(3).shape[:2] != (size, size)
    assert len(read.picture(0)) < SIZE


@pytest.mark.parametrize("size", [0, 100, 65536, -64])
def test_odd_sizes_are_refused(avatar: Avatar, size: int) -> None:
    with pytest.raises(BadInput, match=str(size)):
        glb(avatar, size)


def test_an_expression_is_what_the_morphs_begin_with(avatar: Avatar) -> None:
    shown = Glb.read(glb(avatar.with_expression({"jawOpen": 0.25}))).document["meshes"][0]
    amounts = dict(zip(shown["extras"]["targetNames"], shown["weights"], strict=True))
    assert amounts.pop("jawOpen") == 0.25 and not any(amounts.values())


def test_another_head_without_units_and_known_parts_is_written_too() -> None:
    """Such as a FLAME head: plain colours, one material for what is not known by name, no black cards for lashes."""
    avatar = known_avatar()
    model = avatar.model
    parts = tuple("shell" if part == "skin" else part for part in model.parts)
    plain = replace(
        model, name="other", parts=parts, expression=model.expression[:0], expression_names=(), drive=model.drive[:0]
    )
    fit = replace(avatar.fit, psi=np.zeros(0, np.float32))
    document = Glb.read(glb(replace(avatar, model=plain, fit=fit))).document
    assert "images" not in document and "weights" not in document["meshes"][0]
    assert all("targets" not in primitive for primitive in document["meshes"][0]["primitives"])
    assert [material["name"] for material in document["materials"]] == [name for name in LOOKS if name != "lashes"]


def test_a_larger_head_has_its_joints_where_its_mesh_has_them(avatar: Avatar) -> None:
    larger = replace(avatar, fit=replace(avatar.fit, scale=1.2))
    nodes, usual = (Glb.read(glb(each, 64)).document["nodes"] for each in (larger, avatar))
    for large, small in zip(nodes[1:], usual[1:], strict=True):
        np.testing.assert_allclose(large["translation"], 1.2 * np.array(small["translation"]), atol=1e-6)


def test_the_file_alone_says_all_that_is_known(avatar: Avatar, read: Glb) -> None:
    assert read.document["asset"]["extras"]["headform"] == json.loads(json.dumps(avatar.parameters()))
    assert "rights in the photo" in read.document["asset"]["copyright"]
    pictures = {field.name for field in fields(Textures)}
    assert {image["name"] for image in read.document["images"]} == pictures


def test_the_validator_has_nothing_against_it(content: bytes, tmp_path: Path) -> None:
    for each in (content, glb(known_avatar())):
        found = ask("validate", each, tmp_path)
        assert (found["errors"], found["warnings"]) == (0, 0), found["messages"]


def test_three_js_opens_it_and_morphs_it(avatar: Avatar, content: bytes, tmp_path: Path) -> None:
    found = ask("three", content, tmp_path, "jawOpen=1")
    assert tuple(found["units"]) == avatar.model.expression_names and tuple(found["bones"]) == JOINTS
    assert found["parameters"]["beta"] == avatar.parameters()["beta"]
    by_name = {material["name"]: material for material in found["materials"]}
    assert set(by_name["skin"]["maps"]) == {"map", "normalMap", "roughnessMap"}
    assert by_name["lashes"]["transparent"] and by_name["lashes"]["twoSided"] and not by_name["skin"]["transparent"]
    rest = avatar.neutral()
    posed = avatar.fit.personal(avatar.model).person(avatar.fit.beta).posed({"jawOpen": 1.0})
    for group in groups_of(avatar.model, True):
        for shown, places in ((found["rest"], rest), (found["moved"], posed)):
            box = [places[group.rows].min(0), places[group.rows].max(0)]
            np.testing.assert_allclose(shown[group.name], box, atol=2 * STILL, err_msg=group.name)
    assert found["moved"]["teeth"][0][1] < found["rest"]["teeth"][0][1] - 0.005

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from avatar_stand_in import known_avatar
from numpy.typing import NDArray

from headform.avatar.avatar import Avatar
from headform.avatar.glb import GROUPS, four_weights, glb, groups_of
from headform.head import JOINTS
from headform.head.skinning import rotation_matrices

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
        np.testing.assert_allclose(np.linalg.norm(read.values(attributes["NORMAL"]), axis=1), 1, atol=1e-5)


def test_it_is_small_and_the_same_every_time(content: bytes) -> None:
    assert len(content) < 12_000_000
    assert glb(known_avatar()) == content


def test_the_rest_mesh_is_the_neutral_head(avatar: Avatar, read: Glb) -> None:
    rest, found = avatar.neutral(), 0
    for group, primitive in zip(groups_of(avatar.model), read.document["meshes"][0]["primitives"], strict=True):
        places = read.values(primitive["attributes"]["POSITION"])
        np.testing.assert_array_equal(places, rest[group.rows])
        uv = read.values(primitive["attributes"]["TEXCOORD_0"])
        np.testing.assert_allclose(1 - uv[:, 1], group.uv[:, 1], atol=1e-6)
        found += read.document["accessors"][primitive["indices"]]["count"] // 3
    assert found == len(avatar.model.triangles)


def test_texture_coordinates_stay_with_their_corners(avatar: Avatar) -> None:
    model = avatar.model
    skin = next(group for group in groups_of(model) if group.name == "skin")
    chosen = model.triangle_part == model.part_index("skin")
    np.testing.assert_array_equal(skin.rows[skin.triangles], model.triangles[chosen])
    np.testing.assert_array_equal(skin.uv[skin.triangles], model.uv[model.triangles_uv[chosen]])


def test_every_unit_is_a_sparse_morph_that_does_what_the_model_does(avatar: Avatar, read: Glb) -> None:
    model, fit = avatar.model, avatar.fit
    names = read.document["meshes"][0]["extras"]["targetNames"]
    assert tuple(names) == model.expression_names
    assert read.document["meshes"][0]["weights"] == [0.0] * len(names)
    person = fit.personal(model).person(fit.beta)
    groups = groups_of(model)
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
    for group, primitive in zip(groups_of(avatar.model), document["meshes"][0]["primitives"], strict=True):
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


def test_parts_have_their_materials_and_corneas_are_clear(read: Glb) -> None:
    named = {m["name"]: m for m in read.document["materials"]}
    assert list(named) == ["skin", *GROUPS]
    assert named["cornea"]["alphaMode"] == "BLEND"
    assert named["cornea"]["pbrMetallicRoughness"]["baseColorFactor"][3] < 0.2
    assert "alphaMode" not in named["skin"]
    used = [p["material"] for p in read.document["meshes"][0]["primitives"]]
    assert used == list(range(len(named)))
    for image in read.document["images"]:
        view = read.document["bufferViews"][image["bufferView"]]
        assert read.binary[view["byteOffset"] :].startswith(b"\x89PNG")


def test_another_head_without_units_and_known_parts_is_written_too(avatar: Avatar) -> None:
    """Such as a FLAME head: no painted eyes, one material for what is not known by name."""
    model = avatar.model
    parts = tuple("shell" if part == "skin" else part for part in model.parts)
    plain = replace(
        model, name="other", parts=parts, expression=model.expression[:0], expression_names=(), drive=model.drive[:0]
    )
    fit = replace(avatar.fit, psi=np.zeros(0, np.float32))
    document = Glb.read(glb(replace(avatar, model=plain, fit=fit))).document
    assert "images" not in document and "weights" not in document["meshes"][0]
    assert all("targets" not in primitive for primitive in document["meshes"][0]["primitives"])
    assert document["materials"][0]["name"] == "skin"


def test_it_says_where_it_comes_from(read: Glb) -> None:
    extras = read.document["asset"]["extras"]
    assert (extras["photo"], extras["face"], extras["backend"], extras["seed"]) == ("anna", 1, "stand_in", 3)

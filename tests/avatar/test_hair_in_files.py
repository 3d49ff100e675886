from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from avatar_dressed import ask, dressed_avatar, some_textures
from avatar_hair import haired_avatar, some_hair
from avatar_stand_in import known_avatar
from numpy.typing import NDArray
from PIL import Image
from test_glb import Glb
from test_obj import lines_of

from headform.avatar import hair
from headform.avatar.avatar import Avatar
from headform.avatar.formats import FORMATS
from headform.avatar.glb import glb
from headform.avatar.glb_hair import CUTOFF, FRINGE, KEPT, NODE
from headform.avatar.restore import load
from headform.avatar.vrm import vrm
from headform.errors import BadInput
from headform.hair.files import from_bytes
from headform.hair.groom import Groom, none
from headform.head import JOINTS
from headform.render.colour import to_linear

MOST_MORE = 2_500_000  # bytes that hair may add to a .glb


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return haired_avatar()


@pytest.fixture(scope="module")
def content(avatar: Avatar) -> bytes:
    return glb(avatar)


@pytest.fixture(scope="module")
def read(content: bytes) -> Glb:
    return Glb.read(content)


def mesh_of(read: Glb) -> dict[str, Any]:
    (node,) = [node for node in read.document["nodes"] if node["name"] == NODE]
    assert read.document["nodes"].index(node) in read.document["scenes"][0]["nodes"] and node["skin"] == 0
    mesh: dict[str, Any] = read.document["meshes"][node["mesh"]]
    return mesh


def test_hair_is_a_mesh_of_its_own_carried_by_the_skull(avatar: Avatar, read: Glb) -> None:
    cards, mesh = hair.cards(avatar), mesh_of(read)
    assert cards is not None and read.document["meshes"].index(mesh) == 1
    attributes = mesh["primitives"][0]["attributes"]
    np.testing.assert_array_equal(read.values(attributes["POSITION"]), cards.vertices)
    np.testing.assert_array_equal(read.values(attributes["NORMAL"]), cards.normals)
    np.testing.assert_array_equal(read.values(attributes["TANGENT"]), cards.tangents)
    np.testing.assert_allclose(read.values(attributes["TEXCOORD_0"]) / 65535 * (1, -1) + (0, 1), cards.uv, atol=1e-5)
    corners = read.values(mesh["primitives"][0]["indices"]).reshape(-1, 3)
    np.testing.assert_array_equal(corners, cards.triangles)
    joints, weights = read.values(attributes["JOINTS_0"]), read.values(attributes["WEIGHTS_0"])
    assert (weights == (255, 0, 0, 0)).all() and not joints[:, 1:].any()
    carrier = read.document["nodes"][read.document["skins"][0]["joints"][joints[0, 0]]]["name"]
    assert carrier == JOINTS[hair.SKULL] and (joints[:, 0] == joints[0, 0]).all()


def test_the_scalp_goes_with_the_same_joint_and_no_other(avatar: Avatar) -> None:
    assert avatar.hair is not None and avatar.hair.roots is not None
    weights = avatar.model.weights[avatar.hair.roots.corners]
    np.testing.assert_allclose(weights[..., hair.SKULL], 1, atol=1e-4)


def test_what_is_solid_is_drawn_before_what_is_blended_over_it(read: Glb) -> None:
    solid, fringe = mesh_of(read)["primitives"]
    assert solid["attributes"] == fringe["attributes"] and solid["indices"] == fringe["indices"]
    first, second = (read.document["materials"][each["material"]] for each in (solid, fringe))
    assert (first["name"], first["alphaMode"], first["alphaCutoff"]) == (NODE, "MASK", CUTOFF)
    assert (second["name"], second["alphaMode"]) == (FRINGE, "BLEND")
    for material in (first, second):
        assert not material.get("doubleSided")  # each side has its triangles
        assert material["pbrMetallicRoughness"]["metallicFactor"] == 0


def test_factor_times_vertex_colour_is_the_colour_of_the_cards(avatar: Avatar, read: Glb) -> None:
    cards, primitive = hair.cards(avatar), mesh_of(read)["primitives"][0]
    assert cards is not None
    share = read.values(primitive["attributes"]["COLOR_0"])[:, :3] / 255
    factor = read.document["materials"][primitive["material"]]["pbrMetallicRoughness"]["baseColorFactor"]
    np.testing.assert_allclose(share * factor[:3], to_linear(cards.colours), atol=0.5 / 255 * max(factor))
    assert share.max() == 1


def test_its_pictures_are_those_of_the_cards_and_are_not_repeated(avatar: Avatar, read: Glb) -> None:
    cards, document = hair.cards(avatar), read.document
    assert cards is not None
    material = document["materials"][mesh_of(read)["primitives"][0]["material"]]
    colour, relief = material["pbrMetallicRoughness"]["baseColorTexture"]["index"], material["normalTexture"]["index"]
    np.testing.assert_array_equal(read.picture(colour), cards.picture.colour[..., (0, 3)])
    assert np.abs(read.picture(relief).astype(int) - cards.picture.normal).mean() < 6
    for texture in (colour, relief):
        sampler = document["samplers"][document["textures"][texture]["sampler"]]
        assert sampler["wrapS"] == sampler["wrapT"] == 33071
    skin = document["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]["index"]
    assert "wrapS" not in document["samplers"][document["textures"][skin]["sampler"]]


def test_the_scalp_is_painted_in_what_is_shown(avatar: Avatar, read: Glb) -> None:
    bare, shown = some_textures().albedo.astype(int), read.picture(0).astype(int)
    painted = hair.worn(avatar, None)
    assert painted is not None
    darker = painted.albedo.astype(int).sum(2) < bare.sum(2) - 60
    assert darker.sum() > 1000
    assert np.abs(shown - painted.albedo).mean() < 4
    assert (shown.sum(2) < bare.sum(2) - 30)[darker].mean() > 0.95


def test_the_file_stays_small_and_the_same(avatar: Avatar, content: bytes) -> None:
    long = replace(avatar, hair=replace(some_hair(avatar, 15_000), about={"name": "long"}))
    assert avatar.hair is not None
    assert len(glb(long)) - len(glb(dressed_avatar())) < MOST_MORE
    assert glb(replace(avatar)) == content


def test_the_validator_has_nothing_against_hair(avatar: Avatar, content: bytes, tmp_path: Path) -> None:
    undressed = replace(avatar, textures=None)
    for each in (content, glb(undressed), vrm(avatar), glb(replace(avatar, hair=none()))):
        found = ask("validate", each, tmp_path)
        assert (found["errors"], found["warnings"]) == (0, 0), found["messages"]


def test_three_js_opens_it_and_hair_stays_when_the_face_moves(avatar: Avatar, content: bytes, tmp_path: Path) -> None:
    found = ask("three", content, tmp_path, "jawOpen=1")
    by_name = {material["name"]: material for material in found["materials"]}
    assert set(by_name[NODE]["maps"]) == {"map", "normalMap"} == set(by_name[FRINGE]["maps"])
    assert not by_name[NODE]["transparent"] and by_name[FRINGE]["transparent"]
    cards = hair.cards(avatar)
    assert cards is not None
    box = [cards.vertices.min(0), cards.vertices.max(0)]
    for shown in (found["rest"], found["moved"]):
        np.testing.assert_allclose(shown[NODE], box, atol=2e-5)


def test_a_vrm_has_its_hair_where_its_head_is(avatar: Avatar, tmp_path: Path) -> None:
    document = Glb.read(vrm(avatar)).document
    names = [document["nodes"][number]["name"] for number in document["scenes"][0]["nodes"]]
    assert names == ["head", "hair", "hips"]
    noted = document["extensions"]["VRMC_vrm"]["firstPerson"]["meshAnnotations"]
    assert [document["nodes"][each["node"]]["name"] for each in noted] == ["head", "hair"]
    found = ask("vrm", vrm(avatar), tmp_path)
    cards = hair.cards(avatar)
    assert cards is not None
    lift = found["rest"]["skin"][1][1] - avatar.neutral()[:, 1].max()
    assert found["rest"][NODE][1][1] == pytest.approx(cards.vertices[:, 1].max() + lift, abs=1e-4)


def test_an_obj_has_hair_as_a_second_object(avatar: Avatar) -> None:
    files, cards = FORMATS[".obj"].make(avatar), hair.cards(avatar)
    assert cards is not None
    assert [name for [name] in lines_of(files["head.obj"], "o")] == ["head", "hair"]
    places = np.array(lines_of(files["head.obj"], "v"), float)
    count = avatar.model.vertex_count
    np.testing.assert_allclose(places[count:], cards.vertices, atol=6e-7)
    uv = np.array(lines_of(files["head.obj"], "vt"), float)
    normals = np.array(lines_of(files["head.obj"], "vn"), float)
    text = files["head.obj"].decode().partition("usemtl hair")[2].encode()
    faces = np.array([[corner.split("/") for corner in face] for face in lines_of(text, "f")], int) - 1
    np.testing.assert_array_equal(faces[..., 0], cards.front() + count)
    assert faces[..., 1].max() == len(uv) - 1 and faces[..., 2].max() == len(normals) - 1
    np.testing.assert_allclose(uv[faces[0, :, 1]], cards.uv[cards.front()[0]], atol=6e-7)
    np.testing.assert_allclose(normals[faces[0, :, 2]], cards.normals[cards.front()[0]], atol=6e-5)
    words = ("map_Kd", "map_Bump", "norm", "map_Pr", "map_d")
    named = {line[-1] for word in words for line in lines_of(files["head.mtl"], word)}
    assert named <= set(files) and {"hair.png", "hair_normal.jpg", "albedo_hair.jpg", "roughness_hair.jpg"} <= named
    np.testing.assert_array_equal(pixels_of(files["albedo.png"]), some_textures().albedo)


def test_the_picture_for_programs_without_vertex_colours_has_the_hue(avatar: Avatar) -> None:
    files = FORMATS[".obj"].make(avatar)
    pixels = pixels_of(files["hair.png"])
    assert pixels.shape[2] == 4
    red, green, blue = to_linear(pixels[pixels[..., 3] > 0][:, :3] / 255).mean(0)
    assert red > 1.5 * green > 2 * blue > 0


@pytest.mark.parametrize("ending", [".zip", ".glb", ".vrm"])
def test_an_avatar_read_back_has_its_hair_and_its_bare_scalp(avatar: Avatar, tmp_path: Path, ending: str) -> None:
    avatar.save(tmp_path / f"avatar{ending}")
    again = load(tmp_path / f"avatar{ending}")
    assert avatar.hair is not None and again.hair is not None and again.textures is not None
    assert again.hair.name == "plain" and again.hair.roots is not None
    bare = some_textures().albedo.astype(int)
    if ending == ".zip":
        np.testing.assert_allclose(again.hair.points, avatar.hair.points, atol=2e-5)
        np.testing.assert_array_equal(again.textures.albedo, bare)
        return
    assert len(again.hair) == hair.COARSE_STRANDS
    np.testing.assert_allclose(again.hair.points[:, 0], again.hair.roots.points(avatar.neutral()), atol=5e-5)
    assert np.median(again.hair.lengths()) == pytest.approx(np.median(avatar.hair.lengths()), rel=0.03)
    painted = hair.worn(avatar, None)
    assert painted is not None
    under = np.abs(painted.albedo.astype(int) - bare).sum(2) > 60
    left = np.abs(again.textures.albedo.astype(int) - bare)[under].mean()
    assert left < 6 < 20 < np.abs(painted.albedo.astype(int) - bare)[under].mean()
    gleam = np.abs(again.textures.roughness.astype(int) - some_textures().roughness)[under].mean()
    assert gleam < 6 < np.abs(painted.roughness.astype(int) - some_textures().roughness)[under].mean()


def test_an_unpacked_zip_and_a_folder_with_it_give_the_hair_too(avatar: Avatar, tmp_path: Path) -> None:
    avatar.save(tmp_path / "avatar.zip")
    with zipfile.ZipFile(tmp_path / "avatar.zip") as packed:
        assert {hair.KEPT, hair.STRANDS} <= set(packed.namelist())
        packed.extractall(tmp_path / "unpacked")
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "params.json").write_bytes(packed.read("params.json"))
    (tmp_path / "folder" / "avatar.zip").write_bytes((tmp_path / "avatar.zip").read_bytes())
    assert avatar.hair is not None
    for name in ("unpacked", "folder"):
        again = load(tmp_path / name)
        assert again.hair is not None and len(again.hair) == len(avatar.hair), name
    other = from_bytes((tmp_path / "unpacked" / hair.STRANDS).read_bytes(), ".data", "strands")
    np.testing.assert_allclose(other.points[:, -1], avatar.hair.points[:, -1], atol=1e-5)


def test_hair_of_another_head_is_refused(avatar: Avatar, tmp_path: Path) -> None:
    avatar.save(tmp_path / "avatar.zip")
    assert avatar.hair is not None and avatar.hair.roots is not None
    far = replace(avatar.hair.roots, corners=avatar.hair.roots.corners + avatar.model.vertex_count)
    with zipfile.ZipFile(tmp_path / "avatar.zip") as packed:
        packed.extractall(tmp_path / "folder")
    (tmp_path / "folder" / hair.KEPT).write_bytes(hair.kept(replace(avatar.hair, roots=far)))
    with pytest.raises(BadInput, match="another head"):
        load(tmp_path / "folder")
    (tmp_path / "folder" / hair.KEPT).write_bytes(b"PK\x03\x04 no hair")
    with pytest.raises(BadInput, match="hair"):
        load(tmp_path / "folder")


@pytest.mark.parametrize("groom", [None, none()], ids=["nobody looked", "bald"])
def test_a_bald_head_is_a_bald_head_in_every_format(groom: Groom | None, tmp_path: Path) -> None:
    avatar = replace(dressed_avatar(), hair=groom)
    document = Glb.read(glb(avatar)).document
    assert len(document["meshes"]) == 1 and all(node["name"] != NODE for node in document["nodes"])
    assert {image["name"] for image in document["images"]}.isdisjoint({hair.PICTURE, hair.RELIEF, *hair.BARE.values()})
    files = FORMATS[".obj"].make(avatar)
    assert lines_of(files["head.obj"], "o") == [["head"]] and b"hair" not in files["head.mtl"]
    avatar.save(tmp_path / "avatar.zip")
    again = load(tmp_path / "avatar.zip")
    assert (again.hair is None) == (groom is None) and (groom is None or len(again.hair or ()) == 0)


def test_the_parameters_say_in_words_what_hair_it_is(avatar: Avatar) -> None:
    told = json.loads(json.dumps(avatar.parameters()))["hair"]
    assert told["name"] == "plain" and told["strands"] == 4000 and told["about"]["tags"] == ["test"]
    np.testing.assert_allclose(told["colour"], (0.35, 0.2, 0.1), atol=0.01)
    assert known_avatar().parameters()["hair"] is None
    assert replace(avatar, hair=none()).parameters()["hair"]["strands"] == 0


@pytest.mark.parametrize("ending", [".usda", ".usdc"])
def test_film_tools_get_strands(avatar: Avatar, tmp_path: Path, ending: str) -> None:
    pxr = pytest.importorskip("pxr")
    stage = opened(avatar, ending, tmp_path)
    curves = pxr.UsdGeom.BasisCurves(stage.GetPrimAtPath("/Head/hair"))
    assert avatar.hair is not None and curves
    counts = np.array(curves.GetCurveVertexCountsAttr().Get())
    points = np.array(curves.GetPointsAttr().Get())
    assert len(counts) == len(avatar.hair) and counts.sum() == len(points)
    np.testing.assert_allclose(points.reshape(len(counts), -1, 3)[:, 0], avatar.hair.points[:, 0], atol=1e-6)
    assert len(curves.GetWidthsAttr().Get()) == len(points)
    carried_by_the_skull(pxr, stage, curves)


def test_phones_get_cards(avatar: Avatar, tmp_path: Path) -> None:
    pxr = pytest.importorskip("pxr")
    stage, cards = opened(avatar, ".usdz", tmp_path), hair.cards(avatar)
    mesh = pxr.UsdGeom.Mesh(stage.GetPrimAtPath("/Head/hair"))
    assert cards is not None and mesh
    np.testing.assert_allclose(np.array(mesh.GetPointsAttr().Get()), cards.vertices, atol=1e-6)
    np.testing.assert_array_equal(np.array(mesh.GetFaceVertexIndicesAttr().Get()), cards.front().reshape(-1))
    material, _ = pxr.UsdShade.MaterialBindingAPI(mesh.GetPrim()).ComputeBoundMaterial()
    surface = pxr.UsdShade.Shader(stage.GetPrimAtPath(material.GetPath().AppendChild("Surface")))
    assert surface.GetInput("opacityThreshold").Get() == pytest.approx(CUTOFF)
    texture = pxr.UsdShade.Shader(stage.GetPrimAtPath(material.GetPath().AppendChild("Strands")))
    assert texture.GetInput("file").Get().path.endswith("hair.png")
    with zipfile.ZipFile(tmp_path / "me.usdz") as packed:
        assert "hair.png" in packed.namelist()
    carried_by_the_skull(pxr, stage, mesh)


def opened(avatar: Avatar, ending: str, folder: Path) -> Any:
    from pxr import Usd

    for name, content in FORMATS[ending].make(avatar, None, "me").items():
        (folder / name).write_bytes(content)
    return Usd.Stage.Open(str(folder / f"me{ending}"))


def carried_by_the_skull(pxr: Any, stage: Any, shape: Any) -> None:
    """By UsdSkel's own reckoning: turned by the neck, the shape turns as one piece."""
    binding = pxr.UsdSkel.BindingAPI(shape.GetPrim())
    (target,) = binding.GetSkeletonRel().GetTargets()
    skeleton = pxr.UsdSkel.Skeleton(stage.GetPrimAtPath(target))
    joints, weights = binding.GetJointIndicesPrimvar(), binding.GetJointWeightsPrimvar()
    assert joints.GetInterpolation() == weights.GetInterpolation() == "constant"
    assert skeleton.GetJointsAttr().Get()[joints.Get()[0]].endswith(JOINTS[hair.SKULL]) and list(weights.Get()) == [1.0]


def pixels_of(content: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(content)) as opened:
        return np.asarray(opened)


def test_strands_in_a_glb_are_where_its_extras_say(content: bytes, read: Glb) -> None:
    view = read.document["bufferViews"][read.document["asset"]["extras"][KEPT]]
    data = read.binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
    assert len(data) < 500_000
    assert len(from_bytes(data, ".npz", "it")) == hair.COARSE_STRANDS

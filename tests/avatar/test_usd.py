from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from avatar_dressed import SIZE, dressed_avatar
from avatar_stand_in import known_avatar
from PIL import Image

from headform.avatar.avatar import Avatar
from headform.avatar.formats import FORMATS
from headform.avatar.looks import LOOKS
from headform.avatar.mesh import look_of
from headform.head import JOINTS

Usd = pytest.importorskip("pxr.Usd", reason='needs usd-core: pip install "headform[usd]"')
from pxr import UsdGeom, UsdShade, UsdSkel  # noqa: E402

ENDINGS = (".usdz", ".usdc", ".usda")


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return dressed_avatar()


@pytest.fixture(scope="module", params=ENDINGS)
def stage(request: pytest.FixtureRequest, avatar: Avatar, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return opened(avatar.with_expression({"jawOpen": 0.5}), request.param, tmp_path_factory.mktemp("usd"))


def opened(avatar: Avatar, ending: str, folder: Path) -> Any:
    for name, content in FORMATS[ending].make(avatar, None, "me").items():
        (folder / name).write_bytes(content)
    return Usd.Stage.Open(str(folder / f"me{ending}"))


def meshes(stage: Any) -> dict[str, Any]:
    return {prim.GetName(): UsdGeom.Mesh(prim) for prim in stage.Traverse() if prim.IsA(UsdGeom.Mesh)}


def test_usd_itself_has_nothing_against_it(stage: Any) -> None:
    validation = pytest.importorskip("pxr.UsdValidation", reason="needs a usd-core that can validate")
    every = validation.ValidationRegistry().GetOrLoadAllValidators()
    found = [error.GetMessage() for error in validation.ValidationContext(every).Validate(stage)]
    assert len(every) > 10 and not found


def test_it_is_in_metres_and_upright(stage: Any) -> None:
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1 and UsdGeom.GetStageUpAxis(stage) == "Y"
    assert stage.GetDefaultPrim().IsA(UsdSkel.Root)
    assert "rights in the photo" in stage.GetRootLayer().comment


def test_every_part_is_there_with_its_quads(avatar: Avatar, stage: Any) -> None:
    found = meshes(stage)
    assert set(found) == set(LOOKS)
    model = avatar.model
    for name, mesh in found.items():
        mine = np.isin(model.part, [row for row, part in enumerate(model.parts) if look_of(part) == name])
        counts = np.array(mesh.GetFaceVertexCountsAttr().Get())
        assert len(counts) == mine.sum()
        triangles = model.quads[mine, 3] == model.quads[mine, 2]
        np.testing.assert_array_equal(counts == 3, triangles)
        places = np.array(mesh.GetPointsAttr().Get())[np.array(mesh.GetFaceVertexIndicesAttr().Get())]
        real = np.ones((len(triangles), 4), bool)
        real[:, 3] = ~triangles
        np.testing.assert_allclose(places, avatar.neutral()[model.quads[mine][real]], atol=1e-6)
        st = UsdGeom.PrimvarsAPI(mesh).GetPrimvar("st").ComputeFlattened()
        np.testing.assert_allclose(np.array(st), model.uv[model.quads_uv[mine][real]], atol=1e-6)


def test_the_skeleton_and_the_units_do_what_the_model_does(avatar: Avatar, stage: Any) -> None:
    """Through USD's own queries: the joints, the shapes by their ARKit names, and what the avatar shows."""
    model = avatar.model
    root, cache = UsdSkel.Root(stage.GetDefaultPrim()), UsdSkel.Cache()
    cache.Populate(root, Usd.PrimDefaultPredicate)
    skeleton = UsdSkel.Skeleton(stage.GetPrimAtPath("/Head/Skeleton"))
    query = cache.GetSkelQuery(skeleton)
    assert [path.split("/")[-1] for path in query.GetJointOrder()] == list(JOINTS)
    joints = avatar.fit.personal(model).joints_of(avatar.fit.beta)
    placed = [matrix.ExtractTranslation() for matrix in query.ComputeJointSkelTransforms(0)]
    np.testing.assert_allclose(np.array(placed), joints, atol=1e-6)
    animation = query.GetAnimQuery()
    amounts = dict(zip(animation.GetBlendShapeOrder(), animation.ComputeBlendShapeWeights(0), strict=True))
    assert tuple(amounts) == model.expression_names
    assert amounts.pop("jawOpen") == 0.5 and not any(amounts.values())
    posed = avatar.fit.personal(model).person(avatar.fit.beta).posed({"jawOpen": 1.0})
    teeth = meshes(stage)["teeth"]
    shapes = UsdSkel.BlendShapeQuery(UsdSkel.BindingAPI(teeth.GetPrim()))
    index = list(UsdSkel.BindingAPI(teeth.GetPrim()).GetBlendShapesAttr().Get()).index("jawOpen")
    shape = shapes.GetBlendShape(index)
    moved = np.zeros((len(teeth.GetPointsAttr().Get()), 3))
    moved[np.array(shape.GetPointIndicesAttr().Get())] = np.array(shape.GetOffsetsAttr().Get())
    rows = model.part_vertices("teeth_upper", "teeth_lower")
    np.testing.assert_allclose(np.array(teeth.GetPointsAttr().Get()) + moved, posed[rows], atol=2e-5)
    weights = cache.GetSkinningQuery(teeth.GetPrim()).ComputeVaryingJointInfluences(len(rows), 0)
    np.testing.assert_allclose(np.array(weights[1]).reshape(len(rows), -1).sum(1), 1, atol=1e-5)


def test_materials_find_their_pictures(avatar: Avatar, stage: Any) -> None:
    for name, mesh in meshes(stage).items():
        material, _ = UsdShade.MaterialBindingAPI(mesh.GetPrim()).ComputeBoundMaterial()
        assert material.GetPrim().GetName() == name
        surface, _, _ = material.ComputeSurfaceSource()
        assert surface.GetIdAttr().Get() == "UsdPreviewSurface"
        slots = {"skin": ["diffuseColor", "normal", "roughness"], "lashes": ["diffuseColor", "opacity"], "cornea": []}
        for slot in slots.get(name, ["diffuseColor"]):
            source, output, _ = surface.GetInput(slot).GetConnectedSource()
            file = UsdShade.Shader(source.GetPrim()).GetInput("file").Get()
            assert file.resolvedPath, (name, slot)
            assert output == {"roughness": "r", "opacity": "a"}.get(slot, "rgb")


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_same_avatar_gives_the_same_bytes(avatar: Avatar, ending: str) -> None:
    again = FORMATS[ending].make(dressed_avatar())
    assert FORMATS[ending].make(avatar) == again and next(iter(again)) == f"avatar{ending}"


def test_a_package_is_stored_with_its_files_aligned(avatar: Avatar) -> None:
    content = FORMATS[".usdz"].make(avatar, SIZE // 2)["avatar.usdz"]
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        first, *rest = packed.infolist()
        assert first.filename == "head.usdc" and len(rest) == 7
        for info in packed.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
            name, extra = (int.from_bytes(content[info.header_offset + at :][:2], "little") for at in (26, 28))
            assert (info.header_offset + 30 + name + extra) % 64 == 0
        with Image.open(io.BytesIO(packed.read("albedo.jpg"))) as albedo:
            assert albedo.size == (SIZE // 2, SIZE // 2)


def test_a_head_that_wears_nothing_is_written_too(tmp_path: Path) -> None:
    assert set(meshes(opened(known_avatar(), ".usdc", tmp_path))) == {name for name in LOOKS if name != "lashes"}
    assert [path.name for path in tmp_path.iterdir()] == ["me.usdc"]

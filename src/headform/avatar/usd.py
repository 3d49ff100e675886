"""A head as Universal Scene Description: a UsdSkel skeleton with the expression units as blend shapes, a mesh of quads
for each look, and preview materials."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.avatar import hair, pictures
from headform.avatar.avatar import Avatar
from headform.avatar.licence import copyright_line
from headform.avatar.looks import LOOKS, SKIN
from headform.avatar.mesh import joint_places, look_names, morphs, parts_of
from headform.errors import MissingExtra
from headform.fit import Floats
from headform.head.model import JOINTS, PARENTS

try:
    from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade, UsdSkel, UsdUtils, Vt
except ImportError:
    raise MissingExtra('USD files need another package: pip install "headform[usd]"') from None

from headform.avatar.usd_hair import add_cards, add_curves  # it, too, needs pxr

Named = dict[str, str]  # the files of the pictures that are shown, by their names in `Textures`
AddHair = Callable[[Any, Avatar, Any, Named], None]  # to a stage, bound to a skeleton

STILL = 1e-5  # metres: a vertex that a unit moves less does not move
LONG_AGO = (1980, 1, 1, 12, 0, 0, 1, 1, 0)  # where we are: a package names no time zone


def usda_files(avatar: Avatar, texture: int | None, stem: str) -> dict[str, bytes]:
    """The scene as text, and beside it its pictures, which begin with its name."""
    return _files(avatar, texture, f"{stem}.usda", add_curves, f"{stem}_")


def usdc_files(avatar: Avatar, texture: int | None, stem: str) -> dict[str, bytes]:
    """The scene in the binary form, and beside it its pictures, which begin with its name."""
    return _files(avatar, texture, f"{stem}.usdc", add_curves, f"{stem}_")


def usdz_files(avatar: Avatar, texture: int | None, stem: str) -> dict[str, bytes]:
    """Scene and pictures in one file; the same avatar gives the same bytes."""
    inside, then = _files(avatar, texture, "head.usdc", add_cards), time.mktime(LONG_AGO)
    with tempfile.TemporaryDirectory(prefix="headform-") as folder:
        for name, content in inside.items():
            Path(folder, name).write_bytes(content)
            os.utime(Path(folder, name), (then, then))
        package = Path(folder, "head.usdz")
        if not UsdUtils.CreateNewUsdzPackage(Sdf.AssetPath(str(Path(folder, "head.usdc"))), str(package)):
            raise RuntimeError("USD could not put its package together")
        return {f"{stem}.usdz": package.read_bytes()}


def _files(avatar: Avatar, texture: int | None, scene: str, add_hair: AddHair, before: str = "") -> dict[str, bytes]:
    """The scene under its file's name, and its pictures, whose names begin with `before`."""
    textures = hair.worn(avatar, texture)
    shown = {} if textures is None else dict(pictures.compact(textures))
    cards = hair.cards(avatar) if add_hair is add_cards else None
    if cards is not None:
        shown[hair.PICTURE] = hair.coloured_picture(cards)
    named = {name: f"{before}{name}{pictures.kind(content)[0]}" for name, content in shown.items()}
    with tempfile.TemporaryDirectory(prefix="headform-") as folder:
        path = Path(folder, scene)
        _write_scene(avatar, named, path, add_hair)
        return {scene: path.read_bytes()} | {named[name]: content for name, content in shown.items()}


@dataclass(frozen=True, eq=False)
class _Quads:
    """The faces of a look: rows (N,) of the model's vertices; counts (F,), corners and corners_uv (sum of counts,)
    into `rows` and into the model's uv."""

    rows: NDArray[np.int64]
    counts: NDArray[np.int64]
    corners: NDArray[np.int64]
    corners_uv: NDArray[np.int64]


def _quads_of(avatar: Avatar, look: str) -> _Quads:
    model = avatar.model
    mine = np.isin(model.part, parts_of(model, look))
    quads, quads_uv = model.quads[mine], model.quads_uv[mine]
    real = np.ones(quads.shape, bool)
    real[:, 3] = quads[:, 3] != quads[:, 2]  # a triangle repeats its last vertex
    rows, corners = np.unique(quads[real], return_inverse=True)
    return _Quads(rows.astype(np.int64), real.sum(1), corners.reshape(-1), quads_uv[real].astype(np.int64))


def _write_scene(avatar: Avatar, named: Named, path: Path, add_hair: AddHair) -> None:
    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    root = UsdSkel.Root.Define(stage, "/Head")
    stage.SetDefaultPrim(root.GetPrim())
    stage.SetMetadata("comment", f"{avatar.provenance.in_words()}. {copyright_line(avatar)}")
    rest = avatar.neutral()
    moved = morphs(avatar, rest)
    names = list(avatar.model.expression_names)
    skeleton = _add_skeleton(stage, avatar, names)
    for look in look_names(avatar.model, avatar.textures is not None):
        quads = _quads_of(avatar, look)
        mesh = _add_mesh(stage, avatar, look, quads, rest)
        binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
        binding.CreateSkeletonRel().SetTargets([skeleton.GetPath()])
        _add_weights(binding, avatar.model.weights[quads.rows])
        _add_shapes(stage, mesh, binding, names, moved[:, quads.rows])
        material = _add_material(stage, look, named)
        UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)
    add_hair(stage, avatar, skeleton, named)
    outermost = rest if avatar.hair is None else np.concatenate([rest, avatar.hair.points.reshape(-1, 3)])
    root.CreateExtentAttr(_extent(outermost))
    stage.GetRootLayer().Save()


def _add_skeleton(stage: Any, avatar: Avatar, names: list[str]) -> Any:
    """The joints, at rest as they are bound, and the amounts of the units that the avatar shows."""
    places = joint_places(avatar)
    paths: list[str] = []
    for name, parent in zip(JOINTS, PARENTS, strict=True):
        paths.append(f"{paths[parent]}/{name}" if parent >= 0 else name)
    local = [place - (places[parent] if parent >= 0 else 0) for place, parent in zip(places, PARENTS, strict=True)]
    skeleton = UsdSkel.Skeleton.Define(stage, "/Head/Skeleton")
    skeleton.CreateJointsAttr(paths)
    skeleton.CreateBindTransformsAttr([_moved_to(place) for place in places])
    skeleton.CreateRestTransformsAttr([_moved_to(place) for place in local])
    animation = UsdSkel.Animation.Define(stage, "/Head/Skeleton/Shown")
    animation.CreateJointsAttr(paths)
    animation.CreateTranslationsAttr([Gf.Vec3f(*place.tolist()) for place in local])
    animation.CreateRotationsAttr([Gf.Quatf(1)] * len(paths))
    animation.CreateScalesAttr([Gf.Vec3h(1, 1, 1)] * len(paths))
    if names:
        animation.CreateBlendShapesAttr(names)
        animation.CreateBlendShapeWeightsAttr([avatar.expression.get(name, 0.0) for name in names])
    binding = UsdSkel.BindingAPI.Apply(skeleton.GetPrim())
    binding.CreateAnimationSourceRel().SetTargets([animation.GetPath()])
    return skeleton


def _add_mesh(stage: Any, avatar: Avatar, look: str, quads: _Quads, rest: Floats) -> Any:
    mesh = UsdGeom.Mesh.Define(stage, f"/Head/{look}")
    places = rest[quads.rows]
    mesh.CreatePointsAttr(_vectors(places))
    mesh.CreateExtentAttr(_extent(places))
    mesh.CreateFaceVertexCountsAttr(_ints(quads.counts))
    mesh.CreateFaceVertexIndicesAttr(_ints(quads.corners))
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.catmullClark)
    mesh.CreateFaceVaryingLinearInterpolationAttr(UsdGeom.Tokens.all)  # a texture stays where it was
    mesh.CreateDoubleSidedAttr(look == "lashes")
    used, corners = np.unique(quads.corners_uv, return_inverse=True)
    kind = Sdf.ValueTypeNames.TexCoord2fArray
    st = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar("st", kind, UsdGeom.Tokens.faceVarying)
    st.Set(Vt.Vec2fArray.FromNumpy(np.ascontiguousarray(avatar.model.uv[used], np.float32)))
    st.SetIndices(_ints(corners.reshape(-1)))
    return mesh


def _add_weights(binding: Any, weights: Floats) -> None:
    count = weights.shape[1]
    joints = np.broadcast_to(np.arange(count), weights.shape)
    shares = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
    binding.CreateJointIndicesPrimvar(False, count).Set(_ints(joints.reshape(-1)))
    binding.CreateJointWeightsPrimvar(False, count).Set(Vt.FloatArray.FromNumpy(np.ascontiguousarray(shares.ravel())))


def _add_shapes(stage: Any, mesh: Any, binding: Any, names: list[str], moved: Floats) -> None:
    """The units that move this mesh: displacements (E, N, 3)."""
    moving = [
        (name, each, np.flatnonzero(np.abs(each).max(1) > STILL)) for name, each in zip(names, moved, strict=True)
    ]
    moving = [row for row in moving if len(row[2])]
    if not moving:
        return
    paths = []
    for name, each, rows in moving:
        shape = UsdSkel.BlendShape.Define(stage, mesh.GetPath().AppendChild(name))
        shape.CreateOffsetsAttr(_vectors(each[rows]))
        shape.CreatePointIndicesAttr(_ints(rows))
        paths.append(shape.GetPath())
    binding.CreateBlendShapesAttr([name for name, _, _ in moving])
    binding.CreateBlendShapeTargetsRel().SetTargets(paths)


def _add_material(stage: Any, name: str, named: Named) -> Any:
    look, kinds = LOOKS[name], Sdf.ValueTypeNames
    material = UsdShade.Material.Define(stage, f"/Head/Materials/{name}")
    surface = UsdShade.Shader.Define(stage, material.GetPath().AppendChild("Surface"))
    surface.CreateIdAttr("UsdPreviewSurface")
    surface.CreateInput("diffuseColor", kinds.Color3f).Set(Gf.Vec3f(*look.colour))
    surface.CreateInput("roughness", kinds.Float).Set(look.roughness)
    surface.CreateInput("metallic", kinds.Float).Set(0.0)
    surface.CreateInput("opacity", kinds.Float).Set(look.opacity)
    material.CreateSurfaceOutput().ConnectToSource(surface.ConnectableAPI(), "surface")
    if look.picture not in named:
        return material
    reader = UsdShade.Shader.Define(stage, material.GetPath().AppendChild("Coordinates"))
    reader.CreateIdAttr("UsdPrimvarReader_float2")
    reader.CreateInput("varname", kinds.String).Set("st")

    def connect(picture: str, slot: str, kind: Any, channel: str, space: str = "raw") -> Any:
        texture = _add_texture(stage, material.GetPath().AppendChild(picture), reader, f"./{named[picture]}", space)
        output = texture.CreateOutput(channel, kinds.Float if channel == "r" else kinds.Float3)
        surface.CreateInput(slot, kind).ConnectToSource(output)
        return texture

    colour = connect(look.picture, "diffuseColor", kinds.Color3f, "rgb", "sRGB")
    if name == "lashes":
        surface.GetInput("opacity").ConnectToSource(colour.CreateOutput("a", kinds.Float))
    if name == SKIN:
        connect("roughness", "roughness", kinds.Float, "r")
        relief = connect("normal", "normal", kinds.Normal3f, "rgb")
        relief.CreateInput("scale", kinds.Float4).Set(Gf.Vec4f(2, 2, 2, 1))
        relief.CreateInput("bias", kinds.Float4).Set(Gf.Vec4f(-1, -1, -1, 0))
    return material


def _add_texture(stage: Any, path: Any, reader: Any, file: str, space: str) -> Any:
    texture, kinds = UsdShade.Shader.Define(stage, path), Sdf.ValueTypeNames
    texture.CreateIdAttr("UsdUVTexture")
    texture.CreateInput("file", kinds.Asset).Set(file)
    texture.CreateInput("sourceColorSpace", kinds.Token).Set(space)
    texture.CreateInput("wrapS", kinds.Token).Set("clamp")
    texture.CreateInput("wrapT", kinds.Token).Set("clamp")
    texture.CreateInput("st", kinds.Float2).ConnectToSource(reader.ConnectableAPI(), "result")
    return texture


def _moved_to(place: NDArray[np.float64]) -> Any:
    return Gf.Matrix4d(1).SetTranslate(Gf.Vec3d(*place.tolist()))


def _vectors(values: Floats) -> Any:
    return Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(values, np.float32))


def _ints(values: NDArray[Any]) -> Any:
    return Vt.IntArray.FromNumpy(np.ascontiguousarray(values, np.int32))


def _extent(places: Floats) -> Any:
    return _vectors(np.stack([places.min(0), places.max(0)]))

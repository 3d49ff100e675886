"""Hair in USD: strands as curves for film tools, cards as a mesh for phones; both are carried by the skull's joint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pxr import Sdf, UsdGeom, UsdShade, UsdSkel, Vt

from headform.avatar import hair
from headform.avatar.avatar import Avatar
from headform.avatar.glb_hair import CUTOFF
from headform.avatar.looks import HAIR
from headform.render.colour import to_linear

PATH = "/Head/hair"
MOST_CURVES, CURVE_KNOTS = 10_000, 24  # strands and their points: as text, eight megabytes
TIP = 0.35  # width of a tip over that of its root


def add_curves(stage: Any, avatar: Avatar, skeleton: Any, named: Mapping[str, str]) -> None:
    """Add the strands as linear curves in their own colours; none for a head without hair."""
    if avatar.hair is None or not len(avatar.hair):
        return
    groom = avatar.hair.thinned(MOST_CURVES)
    if groom.points.shape[1] > CURVE_KNOTS:
        groom = groom.resampled(CURVE_KNOTS)
    count, knots = groom.points.shape[:2]
    curves = UsdGeom.BasisCurves.Define(stage, PATH)
    curves.CreateTypeAttr(UsdGeom.Tokens.linear)
    curves.CreateCurveVertexCountsAttr(Vt.IntArray(count, knots))
    points = groom.points.reshape(-1, 3)
    curves.CreatePointsAttr(_vectors(points))
    curves.CreateExtentAttr(_extent(points))
    widths = np.tile(groom.width * np.linspace(1, TIP, knots, dtype=np.float32), count)
    curves.CreateWidthsAttr(Vt.FloatArray.FromNumpy(widths))
    curves.SetWidthsInterpolation(UsdGeom.Tokens.vertex)
    colours = curves.CreateDisplayColorPrimvar(UsdGeom.Tokens.uniform)
    colours.Set(_vectors(to_linear(groom.point_colours().mean(1))))
    _carry(curves, skeleton)


def add_cards(stage: Any, avatar: Avatar, skeleton: Any, named: Mapping[str, str]) -> None:
    """Add the hair as cards with the pictures `named`; none where there is nothing to build."""
    cards = hair.cards(avatar)
    if cards is None:
        return
    mesh, faces = UsdGeom.Mesh.Define(stage, PATH), cards.front()
    mesh.CreatePointsAttr(_vectors(cards.vertices))
    mesh.CreateExtentAttr(_extent(cards.vertices))
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray(len(faces), 3))
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(faces.reshape(-1)))
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    mesh.CreateNormalsAttr(_vectors(cards.normals))
    mesh.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
    mesh.CreateDoubleSidedAttr(True)
    st = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar("st", Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.vertex)
    st.Set(Vt.Vec2fArray.FromNumpy(np.ascontiguousarray(cards.uv)))
    _carry(mesh, skeleton)
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(_material(stage, named[hair.PICTURE]))


def _carry(shape: Any, skeleton: Any) -> None:
    """The whole shape goes with the skull, as one piece."""
    binding = UsdSkel.BindingAPI.Apply(shape.GetPrim())
    binding.CreateSkeletonRel().SetTargets([skeleton.GetPath()])
    binding.CreateJointIndicesPrimvar(True, 1).Set(Vt.IntArray([hair.SKULL]))
    binding.CreateJointWeightsPrimvar(True, 1).Set(Vt.FloatArray([1.0]))


def _material(stage: Any, picture: str) -> Any:
    kinds = Sdf.ValueTypeNames
    material = UsdShade.Material.Define(stage, "/Head/Materials/hair")
    surface = UsdShade.Shader.Define(stage, material.GetPath().AppendChild("Surface"))
    surface.CreateIdAttr("UsdPreviewSurface")
    surface.CreateInput("roughness", kinds.Float).Set(HAIR.roughness)
    surface.CreateInput("metallic", kinds.Float).Set(0.0)
    surface.CreateInput("opacityThreshold", kinds.Float).Set(CUTOFF)
    material.CreateSurfaceOutput().ConnectToSource(surface.ConnectableAPI(), "surface")
    reader = UsdShade.Shader.Define(stage, material.GetPath().AppendChild("Coordinates"))
    reader.CreateIdAttr("UsdPrimvarReader_float2")
    reader.CreateInput("varname", kinds.String).Set("st")
    texture = UsdShade.Shader.Define(stage, material.GetPath().AppendChild("Strands"))
    texture.CreateIdAttr("UsdUVTexture")
    texture.CreateInput("file", kinds.Asset).Set(f"./{picture}")
    texture.CreateInput("sourceColorSpace", kinds.Token).Set("sRGB")
    for wrap in ("wrapS", "wrapT"):
        texture.CreateInput(wrap, kinds.Token).Set("clamp")
    texture.CreateInput("st", kinds.Float2).ConnectToSource(reader.ConnectableAPI(), "result")
    surface.CreateInput("diffuseColor", kinds.Color3f).ConnectToSource(texture.CreateOutput("rgb", kinds.Float3))
    surface.CreateInput("opacity", kinds.Float).ConnectToSource(texture.CreateOutput("a", kinds.Float))
    return material


def _vectors(values: NDArray[Any]) -> Any:
    return Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(values, np.float32))


def _extent(places: NDArray[Any]) -> Any:
    return _vectors(np.stack([places.min(0), places.max(0)]))

"""Strands as curves of Universal Scene Description: linear BasisCurves with a width and display colours."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput, MissingExtra
from headform.hair.files.loose import Z_UP, Loose, check_strands, groom_of
from headform.hair.groom import Groom
from headform.render.colour import to_linear, to_srgb

try:
    from pxr import Sdf, Tf, Usd, UsdGeom, UsdUtils, Vt
except ImportError:
    raise MissingExtra('USD files need another package: pip install "headform[usd]"') from None

STARTS = {b"#usda": ".usda", b"PXR-USDC": ".usdc", b"PK": ".usdz"}
LONG_AGO = (1980, 1, 1, 12, 0, 0, 1, 1, 0)  # where we are: a package names no time zone
BEZIER = 3  # points of a cubic Bézier from one that lies on the curve to the next


def usda_bytes(groom: Groom) -> bytes:
    """A groom as USD text."""
    return _written(groom, ".usda")


def usdc_bytes(groom: Groom) -> bytes:
    """A groom in USD's binary form."""
    return _written(groom, ".usdc")


def usdz_bytes(groom: Groom) -> bytes:
    """A groom in USD's package; the same groom gives the same bytes."""
    then = time.mktime(LONG_AGO)
    with tempfile.TemporaryDirectory(prefix="headform-") as folder:
        scene, package = Path(folder, "hair.usdc"), Path(folder, "hair.usdz")
        scene.write_bytes(usdc_bytes(groom))
        os.utime(scene, (then, then))
        if not UsdUtils.CreateNewUsdzPackage(Sdf.AssetPath(str(scene)), str(package)):
            raise RuntimeError("USD could not put its package together")
        return package.read_bytes()


def from_bytes(data: bytes, name: str) -> Groom:
    """The groom in all curves of a USD file, in whichever of its three forms, at its earliest time. Raises BadInput.

    The stage's unit and up axis and the curves' transforms are honoured. Curves of B-splines and Catmull–Rom splines
    come as the lines between their points. USD itself takes the file apart: give it files from people you trust.
    """
    ending = next((ending for start, ending in STARTS.items() if data.startswith(start)), None)
    if ending is None:
        raise BadInput(f"{name} does not begin like a USD file; export the hair again")
    with tempfile.TemporaryDirectory(prefix="headform-") as folder:
        path = Path(folder, f"hair{ending}")
        path.write_bytes(data)
        try:
            return groom_of(_loose(_opened(path, name), name), name)
        except Tf.ErrorException as error:
            raise BadInput(f"{name} is cut short or damaged; export the hair again") from error


def _written(groom: Groom, ending: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="headform-") as folder:
        path = Path(folder, f"hair{ending}")
        stage = Usd.Stage.CreateNew(str(path))
        UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
        UsdGeom.SetStageMetersPerUnit(stage, 1.0)
        root = UsdGeom.Xform.Define(stage, "/Hair")
        stage.SetDefaultPrim(root.GetPrim())
        _add_curves(stage, groom)
        stage.GetRootLayer().Save()
        return path.read_bytes()


def _add_curves(stage: Any, groom: Groom) -> None:
    strands, points = groom.points.shape[:2]
    curves = UsdGeom.BasisCurves.Define(stage, "/Hair/strands")
    curves.CreateTypeAttr(UsdGeom.Tokens.linear)
    curves.CreateWrapAttr(UsdGeom.Tokens.nonperiodic)
    curves.CreateCurveVertexCountsAttr(Vt.IntArray.FromNumpy(np.full(strands, points, np.int32)))
    flat = groom.points.reshape(-1, 3)
    curves.CreatePointsAttr(_vectors(flat))
    curves.CreateWidthsAttr([groom.width])
    curves.SetWidthsInterpolation(UsdGeom.Tokens.constant)
    if strands:
        curves.CreateExtentAttr(_vectors(np.stack([flat.min(0) - groom.width / 2, flat.max(0) + groom.width / 2])))
    tokens = UsdGeom.Tokens
    each = (tokens.constant, tokens.uniform, tokens.vertex)[np.ndim(groom.colours) - 1]
    shown = UsdGeom.PrimvarsAPI(curves).CreatePrimvar("displayColor", Sdf.ValueTypeNames.Color3fArray, each)
    shown.Set(_vectors(to_linear(groom.colours).reshape(-1, 3)))


def _opened(path: Path, name: str) -> Any:
    """The stage of a file that names no other files."""
    layer = Sdf.Layer.FindOrOpen(str(path))
    if layer is None:
        raise BadInput(f"{name} is cut short or damaged; export the hair again")
    if layer.GetCompositionAssetDependencies():
        raise BadInput(f"{name} takes its curves from other files; export the hair flattened into one")
    return Usd.Stage.Open(layer, Usd.Stage.LoadAll)


def _loose(stage: Any, name: str) -> Loose:
    """All curves of a stage one after the other, with its unit and axis."""
    found = [UsdGeom.BasisCurves(prim) for prim in stage.Traverse() if prim.IsA(UsdGeom.BasisCurves)]
    if not found:
        raise BadInput(f"{name} has no curves; export the hair as BasisCurves")
    parts = [_curves(each, name) for each in found]
    counts = np.concatenate([part.counts for part in parts])
    check_strands(len(counts), name)
    coloured = all(part.colours is not None for part in parts)
    colours = [np.broadcast_to(_each_point(part), part.points.shape) for part in parts] if coloured else []
    widths = [part.width for part in parts if part.width is not None]
    return Loose(
        np.concatenate([part.points for part in parts]),
        counts,
        parts[0].colours if len(parts) == 1 else np.concatenate(colours) if colours else None,
        float(np.median(widths)) if widths else None,
        unit=float(UsdGeom.GetStageMetersPerUnit(stage)),
        up=Z_UP if UsdGeom.GetStageUpAxis(stage) == UsdGeom.Tokens.z else "y",
    )


def _curves(curves: Any, name: str) -> Loose:
    """One prim's curves, in the stage's space."""
    when = Usd.TimeCode.EarliestTime()
    points = np.asarray(curves.GetPointsAttr().Get(when) or np.zeros((0, 3)), np.float64).reshape(-1, 3)
    counts = np.asarray(curves.GetCurveVertexCountsAttr().Get(when) or [], np.int64).reshape(-1)
    if (counts < 0).any() or counts.sum() != len(points):
        raise BadInput(f"{name} has curves whose counts do not fit their points; export the hair again")
    kept = np.ones(len(points), bool)
    cubic = curves.GetTypeAttr().Get() == UsdGeom.Tokens.cubic
    if cubic and curves.GetBasisAttr().Get() == UsdGeom.Tokens.bezier:
        place = np.arange(len(points)) - np.repeat(np.cumsum(counts) - counts, counts)
        kept = place % BEZIER == 0
    matrix = np.array(UsdGeom.Xformable(curves).ComputeLocalToWorldTransform(when))
    colours = _colours(curves, counts, len(points), when)
    return Loose(
        (points @ matrix[:3, :3] + matrix[3, :3])[kept],
        -(-counts // BEZIER) if not kept.all() else counts,
        colours[kept] if colours is not None and colours.ndim == 2 and len(colours) == len(points) else colours,
        _width(curves, when, matrix),
    )


def _width(curves: Any, when: Any, matrix: NDArray[np.float64]) -> float | None:
    """Of a strand at its root, in the stage's unit."""
    widths = np.asarray(curves.GetWidthsAttr().Get(when) or [], np.float64)
    if not len(widths) or not np.isfinite(widths).all():
        return None
    return float(np.median(widths) * abs(np.linalg.det(matrix[:3, :3])) ** (1 / 3))


def _colours(curves: Any, counts: NDArray[np.int64], points: int, when: Any) -> NDArray[Any] | None:
    """sRGB for all, for each strand or for each point; None where there are none that fit."""
    shown = UsdGeom.PrimvarsAPI(curves).GetPrimvar("displayColor")
    values = shown.ComputeFlattened(when) if shown and shown.HasValue() else None
    table = np.asarray(values if values is not None else np.zeros((0, 3)), np.float64).reshape(-1, 3)
    if not len(table) or not np.isfinite(table).all():
        return None
    if len(table) == 1:
        return to_srgb(table[0])
    return to_srgb(table) if len(table) in (len(counts), points) else None


def _each_point(part: Loose) -> NDArray[Any]:
    colours = np.asarray(part.colours)
    if colours.ndim == 2 and len(colours) == len(part.counts):
        return np.repeat(colours, part.counts, axis=0)
    return colours


def _vectors(values: NDArray[Any]) -> Any:
    return Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(values, np.float32))

"""Strands as curves of Universal Scene Description: linear BasisCurves with a width and display colours."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput, MissingExtra
from headform.hair.files.loose import Z_UP, Loose, groom_of
from headform.hair.groom import Groom
from headform.render.colour import to_linear, to_srgb

try:
    from pxr import Sdf, Usd, UsdGeom, UsdUtils, Vt

    from headform.hair.files import usd_scene
except ImportError:
    raise MissingExtra('USD files need another package: pip install "headform[usd]"') from None

STARTS = {b"#usda": ".usda", b"PXR-USDC": ".usdc"}
PACKAGE = b"PK"  # how a .usdz begins: a zip whose first file is the scene
LONG_AGO = (1980, 1, 1, 12, 0, 0, 1, 1, 0)  # where we are: a package names no time zone
PATIENCE = 300  # seconds to take a file apart; a million strands of text take less than half of it


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
    come as the lines between their points.
    """
    if data.startswith(PACKAGE):
        data = _unpacked(data, name)
    ending = next((ending for start, ending in STARTS.items() if data.startswith(start)), None)
    if ending is None:
        raise BadInput(f"{name} does not begin like a USD file; export the hair again")
    found = _taken_apart(data, ending, name)
    shades = to_srgb(found["colours"])
    loose = Loose(
        found["points"],
        found["counts"],
        (shades[0] if len(shades) == 1 else shades) if len(shades) else None,
        float(found["width"]) if np.isfinite(found["width"]) else None,
        unit=float(found["unit"]),
        up=Z_UP if str(found["up"]) == "Z" else "y",
    )
    return groom_of(loose, name)


def _taken_apart(data: bytes, ending: str, name: str) -> dict[str, NDArray[Any]]:
    """The arrays that `usd_scene` finds, in a process that may end as it likes."""
    with tempfile.TemporaryDirectory(prefix="headform-") as folder:
        scene, arrays = Path(folder, f"hair{ending}"), Path(folder, "arrays.npz")
        scene.write_bytes(data)
        command = [sys.executable, "-P", usd_scene.__file__, str(scene), str(arrays)]
        surroundings = os.environ | {"TMPDIR": folder}  # USD's reports of its crashes go with the folder
        try:
            ended = subprocess.run(command, capture_output=True, timeout=PATIENCE, env=surroundings, cwd=folder)
        except subprocess.TimeoutExpired as error:
            raise BadInput(f"{name} takes longer than {PATIENCE} seconds to read; thin the hair") from error
        if ended.returncode == usd_scene.REFUSED:
            raise BadInput(f"{name} {ended.stdout.decode().strip()}")
        if ended.returncode != 0:
            raise BadInput(f"{name} is cut short or damaged; export the hair again")
        with np.load(arrays, allow_pickle=False) as found:
            return {key: found[key] for key in found.files}


def _unpacked(data: bytes, name: str) -> bytes:
    """The scene in a package, where nothing is compressed; its checksum holds."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            scene = package.infolist()[0]
            if scene.compress_type != zipfile.ZIP_STORED:
                raise BadInput(f"{name} is a zip but no USD package; export the hair again")
            return package.read(scene)
    except (zipfile.BadZipFile, struct.error, IndexError, ValueError, EOFError, RuntimeError, OSError) as error:
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


def _vectors(values: NDArray[Any]) -> Any:
    return Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(values, np.float32))

"""The curves of a USD file as plain arrays; run as a program: `python usd_scene.py FILE ARRAYS`.

USD ends the whole process on some damaged files, and takes as much memory as they ask for. So a file from elsewhere is
taken apart in a process of its own, which may end. It imports nothing of Headform, to start quickly. Exit code 0: the
arrays are there; REFUSED: what is wrong with the file is printed, to follow its name; any other: the file is damaged.
"""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pxr import Sdf, Usd, UsdGeom

Doubles = NDArray[np.float64]

REFUSED = 3
BEZIER = 3  # points of a cubic Bézier from one that lies on the curve to the next
MOST_MEMORY = 8 << 30  # bytes: many times what the largest groom needs


class Curves(NamedTuple):
    """The curves of one prim, in the space of its scene: points (N, 3), counts (C,), colours in linear light (1, 3),
    (C, 3), (N, 3) or none (0, 3), and the width, NaN if there is none."""

    points: Doubles
    counts: NDArray[np.int64]
    colours: Doubles
    width: float


class Refused(Exception):
    """What is wrong with a file, in words that follow its name."""


def arrays_of(path: str) -> dict[str, Any]:
    """points, counts, colours, width, unit (metres) and up ("Y" or "Z") of all curves in a file, one by one."""
    stage = _opened(path)
    parts = [_curves(UsdGeom.BasisCurves(prim)) for prim in stage.Traverse() if prim.IsA(UsdGeom.BasisCurves)]
    if not parts:
        raise Refused("has no curves; export the hair as BasisCurves")
    widths = [part.width for part in parts if not np.isnan(part.width)]
    coloured = all(len(part.colours) for part in parts)
    colours = [parts[0].colours] if len(parts) == 1 else [_each_point(part) for part in parts if coloured]
    return {
        "points": np.concatenate([part.points for part in parts]),
        "counts": np.concatenate([part.counts for part in parts]),
        "colours": np.concatenate([np.zeros((0, 3)), *colours]),
        "width": np.median(widths) if widths else np.nan,
        "unit": UsdGeom.GetStageMetersPerUnit(stage),
        "up": str(UsdGeom.GetStageUpAxis(stage)),
    }


def _opened(path: str) -> Any:
    """The stage of a file that names no other files."""
    layer = Sdf.Layer.FindOrOpen(path)
    if layer is None:
        raise Refused("is cut short or damaged; export the hair again")
    if layer.GetCompositionAssetDependencies():
        raise Refused("takes its curves from other files; export the hair flattened into one")
    return Usd.Stage.Open(layer, Usd.Stage.LoadAll)


def _curves(curves: Any) -> Curves:
    when = Usd.TimeCode.EarliestTime()
    points = _finite(curves.GetPointsAttr().Get(when)).reshape(-1, 3)
    counts = _finite(curves.GetCurveVertexCountsAttr().Get(when)).reshape(-1).astype(np.int64)
    if (counts < 0).any() or counts.sum() != len(points):
        raise Refused("has curves whose counts do not fit their points; export the hair again")
    matrix = _finite(UsdGeom.Xformable(curves).ComputeLocalToWorldTransform(when))
    shown = UsdGeom.PrimvarsAPI(curves).GetPrimvar("displayColor")
    colours = _finite(shown.ComputeFlattened(when) if shown and shown.HasValue() else None).reshape(-1, 3)
    if len(colours) not in (1, len(counts), len(points)):
        colours = np.zeros((0, 3))
    if curves.GetTypeAttr().Get() == UsdGeom.Tokens.cubic and curves.GetBasisAttr().Get() == UsdGeom.Tokens.bezier:
        place = np.arange(len(points)) - np.repeat(np.cumsum(counts) - counts, counts)
        on_curve = place % BEZIER == 0
        if len(colours) == len(points):
            colours = colours[on_curve]
        points, counts = points[on_curve], -(-counts // BEZIER)
    widths = _finite(curves.GetWidthsAttr().Get(when)).reshape(-1)
    larger = abs(np.linalg.det(matrix[:3, :3])) ** (1 / 3)
    width = float(np.median(widths) * larger) if len(widths) else np.nan
    return Curves(points @ matrix[:3, :3] + matrix[3, :3], counts, colours, width)


def _finite(values: Any) -> Doubles:
    """Numbers of a file as an array; none are none."""
    table = np.asarray(() if values is None else values)
    if not np.isfinite(table).all():
        raise Refused("holds NaN or infinity; export the hair again")
    return table.astype(np.float64)


def _each_point(part: Curves) -> Doubles:
    if len(part.colours) == len(part.counts) > 1:
        return np.repeat(part.colours, part.counts, axis=0)
    return np.array(np.broadcast_to(part.colours, part.points.shape))


def main(path: str, into: str) -> int:
    """The exit code of taking the file `path` apart into the arrays `into`."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    except (ImportError, ValueError, OSError):  # not on every system
        pass
    try:
        np.savez(into, **arrays_of(path))
    except Refused as refusal:
        print(refusal)
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))

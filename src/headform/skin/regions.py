"""Where on the face each texel lies: lips, lids, beard, scalp, cheeks, from positions on the reference."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from headform.skin.atlas import MOUTH, SKIN, SOCKET, atlas

Floats = NDArray[np.float32]

FRONT = 0.03  # metres of z; outlines are drawn in the front view and hold before this plane
EAR_OUT = 0.055  # metres; the ear's outline holds further out than this


@lru_cache
def table(name: str = "face") -> dict[str, Any]:
    """A JSON table of this folder, such as `face` (landmarks) or `wrinkles`."""
    read: dict[str, Any] = json.loads((files("headform.skin") / "data" / f"{name}.json").read_text())
    return read


@dataclass(frozen=True, eq=False)
class Regions:
    """Per texel of an atlas, float32 (N,). Distances are in millimetres, negative inside; masks run 0–1.

    lips, eye      signed distance to the outline of the lips and of the eye's opening
    parting        height above the line between the lips
    scalp, beard   mask of where hair grows
    inside_mouth, socket   mask of what is behind the lips and lids
    blobs          masks by name, such as `cheek` or `nose_tip`
    """

    lips: Floats
    eye: Floats
    parting: Floats
    scalp: Floats
    beard: Floats
    inside_mouth: Floats
    socket: Floats
    blobs: dict[str, Floats]


@lru_cache(2)
def regions(size: int) -> Regions:
    """The regions of the default head's atlas at this size; the last two sizes are kept."""
    return find_regions(atlas(size).position, atlas(size).inside)


def find_regions(position: Floats, inside: NDArray[np.uint8]) -> Regions:
    """Regions of any points (N, 3), in metres on the reference head, that are SKIN, SOCKET or MOUTH."""
    face = table()
    mm = np.asarray(position, np.float32) * 1000
    skin = (inside == SKIN).astype(np.float32)
    azimuth = np.degrees(np.arctan2(np.abs(mm[:, 0]), mm[:, 2] - face["axis_z"]))
    front = position[:, 2] > FRONT
    lips = np.where(front, signed_distance(mm[:, :2], mirrored(face["outlines"]["lips"])), 99)
    right = np.column_stack([np.abs(mm[:, 0]), mm[:, 1]])
    eye = np.where(front, signed_distance(right, np.array(face["outlines"]["eye"])), 99)
    parting = np.array(face["parting"]).T
    bands = {n: np.interp(azimuth, *np.array(b).T) for n, b in face["bands"].items()}
    out = (mm[:, [2, 1]] - face["ear"]["centre"]) / face["ear"]["radii"]
    bare = skin * np.where(np.abs(position[:, 0]) > EAR_OUT, smoothstep(0.9, 1.15, np.hypot(*out.T)), 1)
    scalp = smoothstep(-7, 7, mm[:, 1] - bands["hairline"]) * bare
    beard = smoothstep(-3, 7, bands["beard_top"] - mm[:, 1]) * smoothstep(-14, 14, mm[:, 1] - bands["beard_bottom"])
    beard *= smoothstep(0.3, 3.5, lips) * bare
    return Regions(
        lips=lips.astype(np.float32),
        eye=eye.astype(np.float32),
        parting=(mm[:, 1] - np.interp(np.abs(mm[:, 0]), *parting)).astype(np.float32),
        scalp=scalp.astype(np.float32),
        beard=beard.astype(np.float32),
        inside_mouth=(inside == MOUTH).astype(np.float32),
        socket=(inside == SOCKET).astype(np.float32),
        blobs={name: _blob(mm, b["centre"], b["radius"]) for name, b in face["blobs"].items()},
    )


def smoothstep(low: float, high: float, x: Floats) -> Floats:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def mirrored(half: list[list[float]]) -> NDArray[np.float64]:
    """A closed outline (M, 2) from its half at x ≥ 0, which begins and ends at x = 0."""
    right = np.array(half, float)
    return np.concatenate([right, right[-2:0:-1] * [-1, 1]])


def _blob(mm: Floats, centre: list[float], radius: float) -> Floats:
    away = (np.abs(mm[:, 0]) - centre[0]) ** 2 + (mm[:, 1] - centre[1]) ** 2 + (mm[:, 2] - centre[2]) ** 2
    return np.asarray(np.exp(-away / (2 * (radius / 1.5) ** 2)), np.float32)


@numba.njit(cache=True)
def signed_distance(points: Floats, outline: NDArray[np.float64]) -> Floats:
    """(N,) distance of points (N, 2) to a closed outline (M, 2), negative inside."""
    found = np.empty(len(points), np.float32)
    for n in range(len(points)):
        x, y, best, within = points[n, 0], points[n, 1], 1e12, False
        j = len(outline) - 1
        for i in range(len(outline)):
            ax, ay, bx, by = outline[j, 0], outline[j, 1], outline[i, 0], outline[i, 1]
            if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
                within = not within
            ex, ey = bx - ax, by - ay
            t = min(1.0, max(0.0, ((x - ax) * ex + (y - ay) * ey) / (ex * ex + ey * ey)))
            best = min(best, (x - ax - t * ex) ** 2 + (y - ay - t * ey) ** 2)
            j = i
        found[n] = -np.sqrt(best) if within else np.sqrt(best)
    return found


@numba.njit(cache=True)
def along_line(points: Floats, line: NDArray[np.float64], reach: float) -> tuple[Floats, Floats]:
    """For points (N, 3) the distance to a polyline (M, 3) and how far along it (0–1) the nearest spot is;
    beyond `reach` the distance is infinite.
    """
    away, along = np.full(len(points), np.inf, np.float32), np.zeros(len(points), np.float32)
    low, high = np.empty(3), np.empty(3)
    for d in range(3):
        low[d], high[d] = line[:, d].min() - reach, line[:, d].max() + reach
    for n in range(len(points)):
        x, y, z = points[n, 0], points[n, 1], points[n, 2]
        if x < low[0] or x > high[0] or y < low[1] or y > high[1] or z < low[2] or z > high[2]:
            continue
        best = reach * reach
        for i in range(len(line) - 1):
            ex, ey, ez = line[i + 1, 0] - line[i, 0], line[i + 1, 1] - line[i, 1], line[i + 1, 2] - line[i, 2]
            px, py, pz = x - line[i, 0], y - line[i, 1], z - line[i, 2]
            t = min(1.0, max(0.0, (px * ex + py * ey + pz * ez) / (ex * ex + ey * ey + ez * ez)))
            far = (px - t * ex) ** 2 + (py - t * ey) ** 2 + (pz - t * ez) ** 2
            if far < best:
                best = far
                away[n], along[n] = np.sqrt(far), (i + t) / (len(line) - 1)
    return away, along

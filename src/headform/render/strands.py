"""Hair as strands: thin, soft-edged lines, drawn from the nearest to the farthest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.render.camera import Camera
from headform.render.clipping import NEAR
from headform.render.layers import ENOUGH, Layers

Floats = NDArray[np.float32]

IN_SKIN = 0.0006  # metres that a strand may be behind a surface and still be seen: roots sit in the mesh
DEPTH_STEPS = 65535  # segments are put in order by 16-bit depth; over a head, 6 µm


@dataclass(frozen=True, slots=True, eq=False)
class Strands:
    """Hair of one kind.

    points      (S, P, 3) metres, root first; a shorter strand repeats its last point
    colours     sRGB 0–1: (3,) for all, (S, 3) for each strand or (S, P, 3) for each point
    width       metres at the root; a real hair has 5e-5 to 1e-4, fewer strands want more
    tip         width at the tip over that at the root
    shine       strength of the two highlights; 1 is healthy hair
    shadow      metres, how wide a strand is to light: of the hairs it stands for, together; 0 casts no shadow
    """

    points: Floats
    colours: Floats | tuple[float, float, float] = (0.16, 0.1, 0.07)
    width: float = 1.6e-4
    tip: float = 0.35
    shine: float = 1.0
    shadow: float = 5e-4

    def __post_init__(self) -> None:
        points = np.ascontiguousarray(self.points, np.float32)
        if points.ndim != 3 or points.shape[2] != 3 or points.shape[1] < 2:
            raise BadInput(f"strands must be (S, P, 3) with at least two points each, not {points.shape}")
        if not np.isfinite(points).all():
            raise BadInput("strands hold NaN or infinity")
        colours = np.asarray(self.colours, np.float32)
        if colours.shape not in ((3,), (len(points), 3), points.shape):
            raise BadInput(f"strands' colours must be (3,), (S, 3) or (S, P, 3), not {colours.shape}")
        if not (self.width > 0 and self.tip >= 0 and self.shine >= 0 and self.shadow >= 0):
            raise BadInput("strands need a width above 0; tip, shine and shadow may not be negative")
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "colours", colours)


def draw_strands(
    groups: Sequence[tuple[Strands, Floats]],
    camera: Camera,
    opaque: Floats,
    layers: Layers,
    front: Floats,
    used: NDArray[np.int64],
) -> None:
    """Draw strands, each with linear colours (S·P, 3), in front of what lies behind.

    opaque: (H, W) depth. front: (N, 5) premultiplied linear RGBA, and how much of the pixel is hair; it gets
    the strands and, before each, the layers that are nearer. used: (N,) counts these.
    """
    knots = np.concatenate([_knots(strands, shaded, camera) for strands, shaded in groups])
    if len(knots):
        _draw(knots, _near_to_far(knots[:, 2]), opaque, layers, len(layers.depth) > 0, front, used)


def _knots(strands: Strands, shaded: Floats, camera: Camera) -> Floats:
    """(S·P, 8) of each point: pixel, depth, width in pixels, colour, 1 at tips; NaN if not in view."""
    points = strands.points
    out = np.empty((points.shape[0] * points.shape[1], 8), np.float32)
    focal = float(np.sqrt(abs(np.linalg.det(camera.matrix[:2, :2]))))
    _project(
        points.reshape(-1, 3), points.shape[1], camera.matrix, camera.rotation, camera.translation,
        camera.orthographic, focal * strands.width, strands.tip, shaded, out,
    )  # fmt: skip
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def _project(
    points: Any, length: int, k: Any, r: Any, t: Any, orthographic: bool, width: float, tip: float, shaded:
    Any, out: Any
) -> None:  # fmt: skip
    for n in range(len(points)):
        px, py, pz = points[n, 0], points[n, 1], points[n, 2]
        x = r[0, 0] * px + r[0, 1] * py + r[0, 2] * pz + t[0]
        y = r[1, 0] * px + r[1, 1] * py + r[1, 2] * pz + t[1]
        z = r[2, 0] * px + r[2, 1] * py + r[2, 2] * pz + t[2]
        scale = 1.0 if orthographic else (1.0 / z if z > NEAR else np.nan)
        out[n, 0] = (k[0, 0] * x + k[0, 1] * y) * scale + k[0, 2]
        out[n, 1] = (k[1, 0] * x + k[1, 1] * y) * scale + k[1, 2]
        out[n, 2] = z
        out[n, 3] = width * scale * (1 + (tip - 1) * (n % length) / (length - 1))
        out[n, 4], out[n, 5], out[n, 6] = shaded[n, 0], shaded[n, 1], shaded[n, 2]
        out[n, 7] = 1.0 if n % length == length - 1 else 0.0


def _near_to_far(depth: Floats) -> NDArray[np.int64]:
    """Points in order of depth; each stands for the segment that begins there."""
    low, high = float(depth.min()), float(depth.max())
    steps = (depth - np.float32(low)) * np.float32(DEPTH_STEPS / max(high - low, 1e-9))
    return np.argsort(np.clip(steps, 0, DEPTH_STEPS).astype(np.uint16), kind="stable")


@njit(cache=True, error_model="numpy", nogil=True)
def _draw(knots: Any, order: Any, opaque: Any, layers: Any, layered: bool, front: Any, used: Any) -> None:
    height, width = opaque.shape
    start, layer_depth, layer_rgba = layers
    for n in order:
        if knots[n, 7] > 0:
            continue
        x0, y0, x1, y1 = knots[n, 0], knots[n, 1], knots[n + 1, 0], knots[n + 1, 1]
        steep = abs(y1 - y0) >= abs(x1 - x0)
        # a steep segment is drawn row by row, a flat one column by column
        a0, b0, a1, b1 = (y0, x0, y1, x1) if steep else (x0, y0, x1, y1)
        rows, columns = (height, width) if steep else (width, height)
        run = a1 - a0
        if not abs(run) > 1e-6 or not (min(a0, a1) < rows and max(a0, a1) > -1):
            continue
        stretch = np.sqrt(1 + ((b1 - b0) / run) ** 2)
        # of a strand's segments the one that crosses a row's middle draws the whole row: shares of a row,
        # laid over each other, would let the background through at every joint
        low, high = int(np.ceil(min(a0, a1))), int(np.ceil(max(a0, a1)))
        for a in range(max(low, 0), min(high, rows)):
            part = (a - a0) / run
            middle = b0 + part * (b1 - b0)
            half = 0.5 * stretch * (knots[n, 3] + part * (knots[n + 1, 3] - knots[n, 3]))
            depth = knots[n, 2] + part * (knots[n + 1, 2] - knots[n, 2])
            first, last = int(np.floor(middle - half + 0.5)), int(np.floor(middle + half + 0.5))
            for b in range(max(first, 0), min(last, columns - 1) + 1):
                row, column = (a, b) if steep else (b, a)
                p = row * width + column
                through = 1 - front[p, 3]
                if through < ENOUGH or depth > opaque[row, column] + IN_SKIN:
                    continue
                alpha = min(middle + half, b + 0.5) - max(middle - half, b - 0.5)
                if alpha <= 0:
                    continue
                if layered:
                    at = start[p] + used[p]
                    while at < start[p + 1] and layer_depth[at] < depth:
                        for channel in range(4):
                            front[p, channel] += through * layer_rgba[at, channel]
                        through = 1 - front[p, 3]
                        at += 1
                        used[p] += 1
                weight = through * min(alpha, 1.0)
                for channel in range(3):
                    value = knots[n, 4 + channel] + part * (knots[n + 1, 4 + channel] - knots[n, 4 + channel])
                    front[p, channel] += weight * value
                front[p, 3] += weight
                front[p, 4] += weight

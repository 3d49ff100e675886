"""What a camera sees of strands on a head: where there is hair, and which way the front-most strand runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.hair.network import SIDE
from headform.photo.crop import head_crop
from headform.render import Camera

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bytes = NDArray[np.uint8]

HALF = SIDE // 2  # pixels of the stored angle; structure tensors look no closer
YAW, PITCH, ROLL = np.radians((30, 15, 10))  # portraits are about frontal; the thesis turns as far
NEAR, FAR = 0.5, 2.5  # metres between camera and face
BOX_SHIFT, BOX_SCALE = 0.03, 0.06  # of the face box: how fitted heads and found faces differ from the mean head
BRUSH = 3  # pixels: what one strand covers, so that a few thousand close the surface
FINEST = 1.0  # pixels: knots closer together are passed over
SKIN_DEPTH = 0.008  # metres: roots and short hair lie within the coarse distance field's error of the skin
STEPS, LAST_STEP = 60, 0.0015  # of a ray through the distance field; metres
LEAST_COVER = 0.3  # of the neighbourhood, for a pixel to be hair
ANGLES = 256  # stored steps of half a turn


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """The head at rest on which hair grows. Convention: metres, in the head's axes.

    roots   (32, 32, 3) where the guide of each cell starts
    face    (N, 3) landmarks whose box in a picture is the face box
    origin  (3,) the first sample of the distance field
    cell    metres between its samples
    values  (X, Y, Z) signed distance to head, ears and shoulders, negative inside: what hides hair
    bare    (X, Y, Z) the same without ears: where no hair may be
    mirror  (1024,) for each cell, row by row, the cell on the other side of the head
    """

    roots: Floats
    face: Floats
    origin: Doubles
    cell: float
    values: Floats
    bare: Floats
    mirror: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One picture of hair. Convention: x right, y down; angle from x towards y.

    hair   (256, 256) bool
    angle  (128, 128) uint8, 256 steps of half a turn: the strand's line, without a direction; 0 where no strand is near
    """

    hair: NDArray[np.bool_]
    angle: Bytes


def mirror_cells(roots: Floats) -> NDArray[np.int64]:
    """(1024,) for each cell the one whose root (32, 32, 3) is nearest to its mirror image."""
    flat = np.asarray(roots, np.float64).reshape(-1, 3)
    gaps = np.linalg.norm((flat * (-1, 1, 1))[:, None] - flat[None], axis=2)
    return np.asarray(gaps.argmin(1))


def random_camera(ground: Ground, rng: np.random.Generator) -> Camera:
    """A camera for the crop of a head as a photo shows it: about frontal, its face box a little off."""
    yaw, pitch = rng.uniform(-YAW, YAW), rng.uniform(-PITCH, PITCH)
    roll = float(np.clip(rng.normal(0, ROLL / 2), -ROLL, ROLL))
    away = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    target = ground.face.mean(0)
    eye = target + away * np.exp(rng.uniform(np.log(NEAR), np.log(FAR)))
    across = np.cross((0.0, 1.0, 0.0), away)
    up = np.cross(away, across) * np.cos(roll) + across * np.sin(roll)
    whole = Camera.look_at(eye, target, up=up, width=1024, height=1024)
    pixels, _ = whole.project(ground.face)
    box = np.concatenate([pixels.min(0), pixels.max(0)])
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
    middle = middle + rng.normal(0, BOX_SHIFT, 2) * 2 * half.max()
    half = half * np.exp(rng.normal(0, BOX_SCALE))
    return head_crop(np.concatenate([middle - half, middle + half]), SIDE).camera(whole)


def view_of(strands: Floats, ground: Ground, camera: Camera) -> View:
    """Strands (S, P, 3) as the camera sees them in front of the head."""
    nearest = head_depth(ground, camera) + np.float32(SKIN_DEPTH)
    tangent = np.zeros((camera.height, camera.width, 2), np.float32)
    to_pixels = camera.matrix @ np.column_stack([camera.rotation, camera.translation])
    # The nearest first: most of the others then need not be drawn.
    order = np.argsort(strands[:, strands.shape[1] // 2] @ camera.rotation[2])
    _draw(strands, order, to_pixels.astype(np.float32), nearest, tangent)
    hair, double = _closed(tangent)
    angle = np.arctan2(double[..., 1], double[..., 0]) / 2 % np.pi
    return View(hair, np.asarray(np.rint(angle * (ANGLES / np.pi)).astype(np.int64) % ANGLES, np.uint8))


def head_depth(ground: Ground, camera: Camera) -> Floats:
    """(H, W) metres along the view axis to the head and shoulders; +inf beside them. Found on every second pixel."""
    coarse = replace(camera.scaled(0.5), width=camera.width // 2, height=camera.height // 2)
    origins, ways = coarse.rays()
    way = _marched(ground.values, ground.origin, ground.cell, origins.reshape(-1, 3), ways.reshape(-1, 3))
    forward = ways.reshape(-1, 3) @ camera.rotation[2]
    depth = (way * forward).reshape(coarse.height, coarse.width)
    return np.asarray(depth.repeat(2, 0).repeat(2, 1), np.float32)


@njit(cache=True, error_model="numpy", nogil=True)
def _sampled(values: Any, x: float, y: float, z: float) -> float:
    """The field at a place given in cells; its border goes on outside, the way there added."""
    out = 0.0
    high = (values.shape[0] - 1.001, values.shape[1] - 1.001, values.shape[2] - 1.001)
    u, v, w = min(max(x, 0.0), high[0]), min(max(y, 0.0), high[1]), min(max(z, 0.0), high[2])
    i, j, k = int(u), int(v), int(w)
    a, b, c = u - i, v - j, w - k
    for p in range(2):
        for q in range(2):
            for r in range(2):
                share = (a if p else 1 - a) * (b if q else 1 - b) * (c if r else 1 - c)
                out += share * values[i + p, j + q, k + r]
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def _marched(values: Any, origin: Any, cell: float, starts: Any, ways: Any) -> Any:
    """Metres along each ray until the field is crossed; +inf if it is not. Sphere tracing, Hart 1996."""
    out = np.full(len(starts), np.inf)
    high = np.array([values.shape[0] - 1.0, values.shape[1] - 1.0, values.shape[2] - 1.0]) * cell + origin
    for n in range(len(starts)):
        enter, leave = 0.0, np.inf
        for axis in range(3):
            if abs(ways[n, axis]) > 1e-12:
                one = (origin[axis] - starts[n, axis]) / ways[n, axis]
                two = (high[axis] - starts[n, axis]) / ways[n, axis]
                enter, leave = max(enter, min(one, two)), min(leave, max(one, two))
            elif not origin[axis] <= starts[n, axis] <= high[axis]:
                leave = -1.0
        way = enter
        for _ in range(STEPS):
            if way > leave:
                break
            x = (starts[n, 0] + way * ways[n, 0] - origin[0]) / cell
            y = (starts[n, 1] + way * ways[n, 1] - origin[1]) / cell
            z = (starts[n, 2] + way * ways[n, 2] - origin[2]) / cell
            gap = _sampled(values, x, y, z)
            if gap < LAST_STEP:
                out[n] = way
                break
            way += gap
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def _projected(point: Any, to_pixels: Any) -> Any:
    """Column, row and metres along the view axis of a point (3,), by a matrix (3, 4)."""
    a, b, c = point[0], point[1], point[2]
    x = to_pixels[0, 0] * a + to_pixels[0, 1] * b + to_pixels[0, 2] * c + to_pixels[0, 3]
    y = to_pixels[1, 0] * a + to_pixels[1, 1] * b + to_pixels[1, 2] * c + to_pixels[1, 3]
    z = to_pixels[2, 0] * a + to_pixels[2, 1] * b + to_pixels[2, 2] * c + to_pixels[2, 3]
    return x / z, y / z, z


@njit(cache=True, error_model="numpy", nogil=True)
def _draw(strands: Any, order: Any, to_pixels: Any, nearest: Any, tangent: Any) -> None:
    """Each strand (P, 3) as a line of BRUSH pixels; what is nearer than `nearest` (H, W) leaves its tangent (H, W, 2).

    Knots closer together than a pixel are passed over.
    """
    high, wide = nearest.shape
    reach = BRUSH // 2
    last = strands.shape[1] - 1
    for s in order:
        x, y, z = _projected(strands[s, 0], to_pixels)
        for k in range(1, last + 1):
            to_x, to_y, to_z = _projected(strands[s, k], to_pixels)
            dx, dy, dz = to_x - x, to_y - y, to_z - z
            length = np.sqrt(dx * dx + dy * dy)
            if (length < FINEST and k < last) or not 0 < length < high:
                continue
            steps = int(length) + 1
            for n in range(steps):
                t = (n + np.float32(0.5)) / steps
                at = z + dz * t
                column, row = int(np.floor(x + dx * t + 0.5)), int(np.floor(y + dy * t + 0.5))
                if not (0 <= row < high and 0 <= column < wide) or at >= nearest[row, column]:
                    continue
                for yy in range(max(row - reach, 0), min(row + reach + 1, high)):
                    for xx in range(max(column - reach, 0), min(column + reach + 1, wide)):
                        if at < nearest[yy, xx]:
                            nearest[yy, xx] = at
                            tangent[yy, xx, 0] = dx / length
                            tangent[yy, xx, 1] = dy / length
            x, y, z = to_x, to_y, to_z


@njit(cache=True, error_model="numpy", nogil=True)
def _closed(tangent: Any) -> Any:
    """Hair (H, W) without pinholes, and (H/2, W/2, 2) cos and sin of twice the angle, smoothed as a structure tensor
    smooths it."""
    high, wide = tangent.shape[:2]
    hair = np.zeros((high, wide), np.bool_)
    double = np.zeros((high // 2, wide // 2, 2), np.float32)
    for row in range(high):
        for column in range(wide):
            count, seen = 0, 0
            cosine, sine = np.float32(0), np.float32(0)
            for y in range(max(row - 1, 0), min(row + 2, high)):
                for x in range(max(column - 1, 0), min(column + 2, wide)):
                    u, v = tangent[y, x, 0], tangent[y, x, 1]
                    count += 1
                    if u != 0 or v != 0:
                        seen += 1
                        cosine += u * u - v * v
                        sine += 2 * u * v
            hair[row, column] = seen > LEAST_COVER * count
            double[row // 2, column // 2, 0] += cosine
            double[row // 2, column // 2, 1] += sine
    return hair, double

"""Strands that follow a photo: along the flow of its hair, not beyond its outline, and wherever it shows hair."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.hair.collider import Field, look_up, push_out
from headform.hair.groom import Groom, width_of
from headform.hair.plane import nearest_in
from headform.hair.settle import BEHIND, bare
from headform.hair.sight import Sight
from headform.head.embedding import Embedding
from headform.render import Camera
from headform.render.clipping import NEAR

Floats = NDArray[np.float32]

SURFACE = 0.008  # metres behind the foremost hair that still count as what is seen
FOLLOW = 0.95  # of the photo's flow that a strand at the surface takes on, at each knot
INERTIA = 0.2  # of a turn is kept for the next knot: hair does not follow every pixel
FADE, LEAST_SURE = 0.9, 0.05  # of a turn is kept where the photo shows no flow, or one less sure than this
SLIDE = -1.0  # pixels of 256 from the outline at which a strand begins to run along it
END = 1.2  # pixels of 256 outside the hair where a strand ends
YOUNG, LATE = 0.006, 0.02  # metres from the root in which a strand may be outside, and if it has not been inside yet
ROUNDS = 3  # of filling
MOST_NEW = 0.30  # of the strands may be added to fill holes, in each round
THICK = 1.6  # widths of strands side by side that fill a pixel: they overlap
EACH = 2.0  # strands for each pixel of 256² that is quite empty
FARTHEST = 20.0  # pixels of 256 that hair is led aside to cover a hole
DEEP = 0.7  # of the way aside that hair is also led nearer or farther: what rises is a mound, not a crest
LONGER = 1.35  # of its length that a strand may get on the way
RETURN, INNER_RETURN = 0.22, 0.08  # of the way to its own place that a strand goes in a step, out of sight and within
SKIN_GAP = 0.0008


def followed(groom: Groom, sight: Sight, field: Field, seed: int = 0) -> Groom:
    """A groom after the photo: strands turned to its flow, ended at its outline, and more of them where holes are."""
    if not len(groom):
        return groom
    random = np.random.default_rng(seed)
    groom = groom.chosen(~bare(groom.points[:, 0].astype(np.float64), sight))
    points, ends = _traced(groom.points, sight, field)
    kept = ends > 1.5
    groom = replace(groom.chosen(kept), points=_shortened(points[kept], ends[kept]))
    for _ in range(ROUNDS):
        groom = _filled(groom, sight, field, random)
    points = push_out(field, groom.points, SKIN_GAP)  # a straight way between two knots may lead through the skin
    return replace(groom, points=points, width=width_of(len(groom)))


def _traced(
    points: Floats,
    sight: Sight,
    field: Field,
    begin: NDArray[np.int64] | None = None,
    home: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Strands (S, P, 3) led by the photo from their knot `begin`, and (S,) the knot at which each ends. Where the photo
    does not show them they return to `home` (S, P, 3), or to where they were."""
    camera, unit = sight.camera, len(sight.hair) / 256
    out = np.array(points, np.float32)
    front = _front(points, sight)
    ends = np.empty(len(points), np.float32)
    start = np.zeros(len(points), np.int64) if begin is None else begin
    _trace(
        out, points if home is None else home, start, camera.matrix, camera.rotation, camera.translation,
        camera.orthographic, sight.head, front, sight.known, sight.outline, sight.slope, sight.flow, field,
        (SLIDE * unit, END * unit), ends,
    )  # fmt: skip
    return out, ends


def _front(points: Floats, sight: Sight) -> Floats:
    """(S, S) metres to the foremost strand near each pixel; inf where none is."""
    front = np.full(sight.head.shape, np.inf, np.float32)
    _foremost(projected(points, sight.camera), sight.head, front)
    return front


def projected(points: Floats, camera: Camera) -> Floats:
    """(S, P, 3) column, row and depth of strands (S, P, 3), as `Camera.project` has them; NaN behind the camera."""
    out = np.empty(points.shape, np.float32)
    _project(points, camera.matrix, camera.rotation, camera.translation, camera.orthographic, out)
    return out


def _shortened(points: Floats, ends: Floats) -> Floats:
    """Strands that end at a knot, with their knots spread evenly over what is left."""
    out = np.empty_like(points)
    _shorten(points, ends, out)
    return out


def _filled(groom: Groom, sight: Sight, field: Field, random: np.random.Generator) -> Groom:
    """With copies of strands led aside to where the photo shows hair and there is none, or too little."""
    unit = len(sight.hair) / 256
    owner = np.full((*sight.hair.shape, 2), -1, np.int32)
    filling = np.zeros(sight.hair.shape, np.float32)
    seen = projected(groom.points, sight.camera)
    focal = float(np.sqrt(abs(np.linalg.det(sight.camera.matrix[:2, :2]))))
    _cover(seen, sight.head, focal * groom.width, sight.camera.orthographic, owner, filling)
    covered = owner[..., 0] >= 0
    reached = nearest_in(covered)
    row, column = np.nonzero(sight.hair & sight.known & (filling < THICK))
    if not len(row) or not covered.any():
        return groom
    near = reached[row, column]
    lacking = 1 - filling[row, column] / THICK
    wanted = EACH / unit**2 * lacking
    wanted *= min(1.0, MOST_NEW * len(groom) / float(wanted.sum()))
    times = np.floor(wanted + random.random(len(row))).astype(int)
    times[np.hypot(near[:, 0] - row, near[:, 1] - column) >= FARTHEST * unit] = 0
    row, column, near = np.repeat(row, times), np.repeat(column, times), np.repeat(near, times, axis=0)
    if not len(row):
        return groom
    source = owner[near[:, 0], near[:, 1]]
    strand, knot = source[:, 0], np.maximum(source[:, 1], 1)
    aim = np.column_stack([column, row]) + random.random((len(row), 2)) - 0.5
    shift = aim - seen[strand, knot, :2]
    metres = np.full(len(row), 1 / focal) if sight.camera.orthographic else seen[strand, knot, 2] / focal
    deep = DEEP * random.normal(size=len(row)) * np.hypot(*shift.T)
    aside = (np.column_stack([shift, deep]) * metres[:, None]) @ sight.camera.rotation
    copies = np.array(groom.points[strand], np.float32)
    _lead(copies, knot, aside.astype(np.float32), LONGER)
    copies = push_out(field, copies, SKIN_GAP)  # up to the knot nothing else keeps them out of the head
    traced, ends = _traced(copies, sight, field, knot.astype(np.int64), groom.points[strand])
    kept = ends > 2.5
    new = replace(groom.chosen(strand[kept]), points=_shortened(traced[kept], ends[kept]))
    return joined(groom, new)


def joined(one: Groom, other: Groom) -> Groom:
    """The strands of both, which have as many points each, with what the first is called."""
    roots = None
    if one.roots is not None and other.roots is not None:
        roots = Embedding(
            np.concatenate([one.roots.corners, other.roots.corners]),
            np.concatenate([one.roots.barycentric, other.roots.barycentric]),
        )
    mine, theirs = np.asarray(one.colours), np.asarray(other.colours)
    colours = mine if mine.ndim == 1 else np.concatenate([mine, theirs])
    return replace(one, points=np.concatenate([one.points, other.points]), roots=roots, colours=colours)


@njit(cache=True, error_model="numpy", nogil=True)
def _project(points: Any, matrix: Any, rotation: Any, translation: Any, orthographic: bool, out: Any) -> None:
    for n in range(points.shape[0]):
        for k in range(points.shape[1]):
            px, py, pz = points[n, k, 0], points[n, k, 1], points[n, k, 2]
            x = rotation[0, 0] * px + rotation[0, 1] * py + rotation[0, 2] * pz + translation[0]
            y = rotation[1, 0] * px + rotation[1, 1] * py + rotation[1, 2] * pz + translation[1]
            z = rotation[2, 0] * px + rotation[2, 1] * py + rotation[2, 2] * pz + translation[2]
            scale = 1.0 if orthographic else (1.0 / z if z > NEAR else np.nan)
            out[n, k, 0] = (matrix[0, 0] * x + matrix[0, 1] * y) * scale + matrix[0, 2]
            out[n, k, 1] = (matrix[1, 0] * x + matrix[1, 1] * y) * scale + matrix[1, 2]
            out[n, k, 2] = z


@njit(cache=True, error_model="numpy", nogil=True)
def _foremost(seen: Any, head: Any, front: Any) -> None:
    high, wide = head.shape
    for n in range(seen.shape[0]):
        for k in range(seen.shape[1]):
            x, y, z = seen[n, k, 0], seen[n, k, 1], seen[n, k, 2]
            if not (-0.5 < x < wide - 0.5 and -0.5 < y < high - 0.5):
                continue
            i, j = int(np.rint(y)), int(np.rint(x))
            if z > head[i, j] + BEHIND or z >= front[i, j]:
                continue
            for a in range(max(i - 2, 0), min(i + 3, high)):
                for b in range(max(j - 2, 0), min(j + 3, wide)):
                    front[a, b] = min(front[a, b], z)


@njit(cache=True, error_model="numpy", nogil=True)
def _cover(seen: Any, head: Any, width: float, orthographic: bool, owner: Any, filling: Any) -> None:
    """Into each pixel that a strand passes, that strand and its nearer knot, and how much of the pixel they fill."""
    high, wide = head.shape
    for n in range(seen.shape[0]):
        for k in range(seen.shape[1] - 1):
            x, y, z = seen[n, k, 0], seen[n, k, 1], seen[n, k, 2]
            if not (-0.5 < x < wide - 0.5 and -0.5 < y < high - 0.5):
                continue
            dx, dy, dz = seen[n, k + 1, 0] - x, seen[n, k + 1, 1] - y, seen[n, k + 1, 2] - z
            run = np.sqrt(dx * dx + dy * dy)
            if not run < wide:
                continue
            across = width if orthographic else width / z
            steps = int(run) + 1
            for part in range(steps):
                f = part / steps
                i, j = int(np.rint(y + f * dy)), int(np.rint(x + f * dx))
                if 0 <= i < high and 0 <= j < wide and z + f * dz <= head[i, j] + BEHIND:
                    filling[i, j] += across * run / steps
                    if owner[i, j, 0] < 0:
                        owner[i, j, 0], owner[i, j, 1] = n, k + int(f > 0.5)


@njit(cache=True, error_model="numpy", nogil=True)
def _lead(strands: Any, knots: Any, aside: Any, longer: float) -> None:
    """Shift strands aside, more and more up to a knot, and stretch what follows so that it can reach on."""
    count = strands.shape[1]
    for n in range(len(strands)):
        at = knots[n]
        for k in range(count):
            t = min(k / at, 1.0)
            t = t * (2 - t)
            for axis in range(3):
                strands[n, k, axis] += t * aside[n, axis]
        for axis in range(3):
            base = strands[n, at, axis]
            for k in range(at + 1, count):
                strands[n, k, axis] = base + longer * (strands[n, k, axis] - base)


@njit(cache=True, error_model="numpy", nogil=True)
def _shorten(points: Any, ends: Any, out: Any) -> None:
    knots = points.shape[1]
    for n in range(len(points)):
        for k in range(knots):
            at = k * ends[n] / (knots - 1)
            i = min(int(at), knots - 2)
            for axis in range(3):
                out[n, k, axis] = points[n, i, axis] + (at - i) * (points[n, i + 1, axis] - points[n, i, axis])


@njit(cache=True, error_model="numpy", nogil=True)
def _trace(
    strands: Any,
    home: Any,
    begin: Any,
    matrix: Any,
    rotation: Any,
    translation: Any,
    orthographic: bool,
    head: Any,
    front: Any,
    known: Any,
    outline: Any,
    slope: Any,
    flow: Any,
    field: Any,
    limits: Any,
    ends: Any,
) -> None:
    slide, end = limits
    knots = strands.shape[1]
    leg = np.empty(3)
    new = np.empty(3)
    own = np.empty((knots, 3))
    for n in range(len(strands)):
        for k in range(1, knots):
            for axis in range(3):
                own[k, axis] = strands[n, k, axis] - strands[n, k - 1, axis]
        gone, young = 0.0, LATE
        tx, ty = 0.0, 0.0  # the turn that is kept, in the picture's plane
        ends[n] = knots - 1
        for k in range(begin[n] + 1, knots):
            size = np.sqrt(own[k, 0] ** 2 + own[k, 1] ** 2 + own[k, 2] ** 2) + 1e-12
            gone += size
            here = strands[n, k - 1]
            i, j, z = _pixel(here, matrix, rotation, translation, orthographic)
            seen = _seen(i, j, z, head)
            at_surface = seen and z <= front[i, j] + SURFACE
            back = 0.0 if at_surface else INNER_RETURN if seen else RETURN
            for axis in range(3):
                leg[axis] = own[k, axis] + back * (home[n, k, axis] - here[axis] - own[k, axis])
            # the leg in the camera's axes
            x = rotation[0, 0] * leg[0] + rotation[0, 1] * leg[1] + rotation[0, 2] * leg[2]
            y = rotation[1, 0] * leg[0] + rotation[1, 1] * leg[1] + rotation[1, 2] * leg[2]
            w = rotation[2, 0] * leg[0] + rotation[2, 1] * leg[1] + rotation[2, 2] * leg[2]
            flat = np.sqrt(x * x + y * y)
            if at_surface:
                tx, ty = _turn(tx, ty, x, y, flat, flow[i, j, 0], flow[i, j, 1])
            else:
                tx, ty = FADE * tx, FADE * ty
            x, y = x + tx * flat, y + ty * flat
            if seen and known[i, j] and outline[i, j] > slide:  # it runs along the outline, not through it
                x, y = _along(x, y, slope[i, j, 0], slope[i, j, 1])
            now = np.sqrt(x * x + y * y + w * w) + 1e-12
            x, y, w = x / now * size, y / now * size, w / now * size
            for axis in range(3):
                new[axis] = here[axis] + rotation[0, axis] * x + rotation[1, axis] * y + rotation[2, axis] * w
            _keep_out(new, field)
            i, j, z = _pixel(new, matrix, rotation, translation, orthographic)
            seen = _seen(i, j, z, head)
            if seen and outline[i, j] < 0:
                young = YOUNG
            if seen and known[i, j] and outline[i, j] > end and (gone > young or begin[n] > 0):
                ends[n] = k - 1
                break
            for axis in range(3):
                strands[n, k, axis] = new[axis]


@njit(cache=True, error_model="numpy", nogil=True)
def _turn(tx: float, ty: float, x: float, y: float, flat: float, fx: float, fy: float) -> Any:
    """The turn that is kept, after a leg (x, y) of length `flat` in the picture's plane, where the flow is (fx, fy)."""
    sure = np.sqrt(fx * fx + fy * fy)
    if not (sure > LEAST_SURE and flat > 1e-9):
        return FADE * tx, FADE * ty
    sense = 1.0 if fx * (x + tx * flat) + fy * (y + ty * flat) >= 0 else -1.0
    much = FOLLOW * min(2 * sure, 1.0)
    goal_x, goal_y = sense * fx / sure - x / flat, sense * fy / sure - y / flat
    return INERTIA * tx + (1 - INERTIA) * much * goal_x, INERTIA * ty + (1 - INERTIA) * much * goal_y


@njit(cache=True, error_model="numpy", nogil=True)
def _along(x: float, y: float, sx: float, sy: float) -> Any:
    """A leg (x, y) without what leads up the slope (sx, sy), out of the hair."""
    steep = np.sqrt(sx * sx + sy * sy) + 1e-9
    out = max((x * sx + y * sy) / steep, 0.0)
    return x - out * sx / steep, y - out * sy / steep


@njit(cache=True, error_model="numpy", nogil=True)
def _keep_out(point: Any, field: Any) -> None:
    """Move a point that is too near to the skin away from it."""
    d, gx, gy, gz = look_up(field, point[0], point[1], point[2])
    if d < SKIN_GAP:
        length = np.sqrt(gx * gx + gy * gy + gz * gz) + 1e-9
        point[0] += (SKIN_GAP - d) * gx / length
        point[1] += (SKIN_GAP - d) * gy / length
        point[2] += (SKIN_GAP - d) * gz / length


@njit(cache=True, error_model="numpy", nogil=True)
def _seen(i: int, j: int, z: float, head: Any) -> bool:
    """Whether the camera sees a point at a pixel: within the picture, not behind the head."""
    high, wide = head.shape
    return bool(0 <= i < high and 0 <= j < wide and z <= head[i, j] + BEHIND)


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _pixel(point: Any, matrix: Any, rotation: Any, translation: Any, orthographic: bool) -> Any:
    """Row, column and depth of a point."""
    x = rotation[0, 0] * point[0] + rotation[0, 1] * point[1] + rotation[0, 2] * point[2] + translation[0]
    y = rotation[1, 0] * point[0] + rotation[1, 1] * point[1] + rotation[1, 2] * point[2] + translation[1]
    z = rotation[2, 0] * point[0] + rotation[2, 1] * point[1] + rotation[2, 2] * point[2] + translation[2]
    scale = 1.0 if orthographic else 1.0 / max(z, 1e-3)
    column = (matrix[0, 0] * x + matrix[0, 1] * y) * scale + matrix[0, 2]
    row = (matrix[1, 0] * x + matrix[1, 1] * y) * scale + matrix[1, 2]
    if not (abs(row) < 1e6 and abs(column) < 1e6):
        return -1, -1, z
    return int(np.rint(row)), int(np.rint(column)), z

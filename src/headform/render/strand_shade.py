"""How hair answers light: Kajiya–Kay with two highlights, one white and one coloured."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.render.camera import Camera
from headform.render.colour import to_linear
from headform.render.fragment import soft_light, unit
from headform.render.haze import Haze, light_through
from headform.render.light import Light
from headform.render.shade import lit_by
from headform.render.strands import Strands

Floats = NDArray[np.float32]

# Marschner et al. 2003 in Kajiya and Kay's terms: scales tilt by 2–3°, so the light that is mirrored at once
# (white) goes towards the root, and the light that went through the hair twice (coloured) towards the tip
MIRRORED_SHIFT, MIRRORED_STRENGTH = 0.10, 0.24
INNER_SHIFT, INNER_STRENGTH = -0.18, 0.9
SPREAD = 0.18  # how far highlights wander from strand to strand
MATTE = 0.51
WHITENESS = 0.18  # of the mirrored light, whatever the colour of the hair
FLOOR = 0.12  # of the sky's light is left in the deepest hair: it is passed on from hair to hair
PASSED_ON = 0.25  # of a lamp's matte light goes on from hair to hair, and meets half of the hair in its way
DARK = 1e-4  # of a lamp's light: where less arrives, what is passed on is less than 0.002 even in white hair
# Hair is rough, and mirrors widely, whatever its colour: dark hair shows its shape by nothing else. The sheen meets
# half of the hair in its way too: light that is mirrored goes on
SHEEN = 0.032  # of a lamp's light, to the 8th power of the cosine
SKY_SHEEN = 0.012  # of the sky's


def shade_strands(strands: Strands, light: Light, camera: Camera, haze: Haze | None) -> Floats:
    """(S·P, 3) linear radiance of each point towards the camera."""
    points = strands.points
    count, length = points.shape[:2]
    colours = to_linear(strands.colours)
    if colours.ndim == 2:
        colours = colours[:, None]
    colours = np.ascontiguousarray(np.broadcast_to(colours, points.shape).reshape(-1, 3))
    through = np.ones((1, len(light.lamps) + 1), np.float32)
    if haze is not None:
        through = light_through(haze, points.reshape(-1, 3))
    lit = lit_by(_without_lamps(light), 0.0)
    lamps = lit_by(light, 0.0)
    wander = SPREAD * (np.random.default_rng(0).random(count) - 0.5)
    forward = camera.rotation[2]
    eye = -1e6 * forward if camera.orthographic else camera.position
    out = np.empty((count * length, 3), np.float32)
    _shade(
        points.reshape(-1, 3), length, colours, through, lit.soft, lamps.directions, lamps.intensities,
        wander, eye, strands.shine, out,
    )  # fmt: skip
    return out


def _without_lamps(light: Light) -> Light:
    return Light(light.coefficients - Light.of(light.lamps).coefficients)


@njit(cache=True, error_model="numpy", nogil=True)
def _shade(
    points: Any,
    length: int,
    colours: Any,
    through: Any,
    soft: Any,
    directions: Any,
    intensities: Any,
    wander: Any,
    eye: Any,
    shine: float,
    out: Any,
) -> None:
    sky = len(directions)
    for n in range(len(points)):
        after = n if n % length == length - 1 else n + 1
        before = n if n % length == 0 else n - 1
        tx, ty, tz = unit(
            points[after, 0] - points[before, 0],
            points[after, 1] - points[before, 1],
            points[after, 2] - points[before, 2],
        )
        vx, vy, vz = unit(eye[0] - points[n, 0], eye[1] - points[n, 1], eye[2] - points[n, 2])
        tv = tx * vx + ty * vy + tz * vz
        # the side of the hair that the eye sees faces it as far as the strand allows
        nx, ny, nz = unit(vx - tv * tx, vy - tv * ty, vz - tv * tz)
        mine = n if len(through) > 1 else 0
        open_sky, gleam = FLOOR + (1 - FLOOR) * through[mine, sky], SKY_SHEEN * shine * through[mine, sky]
        red = (colours[n, 0] * open_sky + gleam) * max(soft_light(soft, 0, nx, ny, nz), 0.0)
        green = (colours[n, 1] * open_sky + gleam) * max(soft_light(soft, 1, nx, ny, nz), 0.0)
        blue = (colours[n, 2] * open_sky + gleam) * max(soft_light(soft, 2, nx, ny, nz), 0.0)
        # where the cones into which a hair mirrors lie to the eye, of each highlight: sines and cosines; a hair that
        # points at the eye has none beyond itself
        outer_sine = min(max(tv + MIRRORED_SHIFT + wander[n // length], -1.0), 1.0)
        inner_sine = min(max(tv + INNER_SHIFT + wander[n // length], -1.0), 1.0)
        outer_cosine = np.sqrt(1 - outer_sine * outer_sine)
        inner_cosine = np.sqrt(1 - inner_sine * inner_sine)
        for lamp in range(sky):
            arrives = through[mine, lamp]
            if arrives < DARK:
                continue
            tl = tx * directions[lamp, 0] + ty * directions[lamp, 1] + tz * directions[lamp, 2]
            across = np.sqrt(max(1 - tl * tl, 0.0))
            mirrored = max(across * outer_cosine - tl * outer_sine, 0.0)
            inner = max(across * inner_cosine - tl * inner_sine, 0.0)
            for _ in range(3):
                mirrored, inner = mirrored * mirrored, inner * inner
            # the surface of a hair mirrors most back to where light comes from, and nothing straight on
            facing = nx * directions[lamp, 0] + ny * directions[lamp, 1] + nz * directions[lamp, 2]
            sheen = SHEEN * mirrored
            mirrored *= mirrored  # to the 16th, and the white one sharper
            mirrored *= mirrored * mirrored * mirrored * MIRRORED_STRENGTH
            inner *= inner * INNER_STRENGTH
            spread = np.sqrt(arrives)
            white = shine * 0.5 * (across + facing) * (arrives * WHITENESS * mirrored + spread * sheen)
            matte = MATTE * across * (arrives + PASSED_ON * (spread - arrives))
            body = matte + shine * arrives * (mirrored + inner)
            red += intensities[lamp, 0] * (colours[n, 0] * body + white)
            green += intensities[lamp, 1] * (colours[n, 1] * body + white)
            blue += intensities[lamp, 2] * (colours[n, 2] * body + white)
        out[n, 0], out[n, 1], out[n, 2] = red, green, blue

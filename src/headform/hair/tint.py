"""The colour of hair from the photo: what the camera saw, divided by the light that falls on each strand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.hair.groom import USUAL, Groom
from headform.hair.plane import nearest_in
from headform.hair.settle import BEHIND
from headform.hair.trace import projected
from headform.render import Camera, Light
from headform.render.colour import LINEAR, to_srgb
from headform.render.haze import haze_of
from headform.render.shade import lit_by
from headform.render.strand_shade import shade_strands
from headform.render.strands import Strands

Floats = NDArray[np.float32]

SHOWN = 0.004  # metres behind the foremost strand at which one is still what the camera saw
INSIDE = 1.8  # pixels, of 512 or of the photo, within the hair's outline from which a colour is the hair's own
LEAST_LIGHT = 0.12  # of the median light on hair: what is darker says little about colour
DARKEST, LIGHTEST = 0.004, 0.9  # linear reflectance of hair
PARTS = 10  # of the way from root to tip, for the colour of strands that were not seen
REACH = 0.35  # of a strand's length over which a seen colour fades to what is usual there
SHADED = 24  # knots of each strand for which light is reckoned
PASSES, LIGHT_HAIR = 2, 0.08  # light hair shades itself less, which is known once its colour is; mean reflectance
DARK, LEAST_BODY, LEAST_SHINE = 25, 0.25, 0.03  # percentile of the photo's hair, and how much of it may be gloss
FEW = 200  # points that were seen say little


def tinted(
    groom: Groom,
    posed: Groom,
    picture: NDArray[np.uint8],
    soft: Floats,
    head: Floats,
    camera: Camera,
    light: Light,
    blur: float = 1.0,
) -> Groom:
    """A groom in the colours of its photo.

    posed    the same strands as the head is turned in the photo
    picture  (S, S, 3) the photo's head crop, soft (S, S) how surely it shows hair, head (S, S) metres to the head
    camera   of the crop; light as the head has it
    blur     pixels of the crop for one of the photo: nothing is sharper
    Strands that were not seen take the usual colour of the others, part by part from root to tip. Without anything
    seen the groom keeps its colour.
    """
    if not len(groom):
        return groom
    pure = _inside(soft, INSIDE * max(len(soft) / 512, blur))
    seen = projected(posed.points, camera)
    front = np.full(head.shape, np.inf, np.float32)
    _foremost(seen, head, front)
    radiance = np.asarray(LINEAR[picture], np.float32)
    shine = 1.0
    for _ in range(PASSES):
        body, gloss, knots = _lighting(posed, camera, light)
        shine = _shine(pure, radiance, gloss)
        gloss *= np.float32(shine)
        colours = np.full(groom.points.shape, np.nan, np.float32)
        least = LEAST_LIGHT * np.median(body, (0, 1))
        _take(seen, front, pure, radiance, body, gloss, knots, least.astype(np.float32), colours)
        known = np.isfinite(colours[..., 0])
        if known.sum() < FEW:
            return groom
        usual, tones = _usual(colours, known)
        if usual.mean() < LIGHT_HAIR:
            break
        posed = replace(posed, colours=np.asarray(to_srgb(usual.mean(0)), np.float32))
    _complete(colours, known, usual, tones, REACH)
    return replace(groom, colours=np.asarray(to_srgb(colours).clip(0, 1), np.float32), shine=shine)


def _shine(pure: NDArray[np.bool_], radiance: Floats, gloss: Floats) -> float:
    """How strongly the hair shines, of the shine that `gloss` (S, K, 3) is for: dark hair in a photo is often duller,
    and could never be darker than its gloss."""
    dark = np.percentile(radiance[pure].mean(1), DARK) if pure.any() else 1.0
    white = float(np.median(gloss[gloss > 0])) if (gloss > 0).any() else 0.0
    return float(np.clip(LEAST_BODY * dark / white, LEAST_SHINE, 1.0)) if white > 0 else 1.0


def average(groom: Groom) -> tuple[float, float, float]:
    """sRGB of a groom as a whole."""
    if not len(groom):
        return USUAL
    red, green, blue = np.median(groom.point_colours().reshape(-1, 3), 0).tolist()
    return red, green, blue


def _inside(soft: Floats, pixels: float) -> NDArray[np.bool_]:
    """(S, S) hair that is so many pixels from anything else."""
    away = nearest_in(soft < 0.5)
    row, column = np.indices(soft.shape)
    far = np.hypot(away[..., 0] - row, away[..., 1] - column)
    return np.asarray((soft >= 0.5) & ((away[..., 0] < 0) | (far > pixels)))


def _lighting(posed: Groom, camera: Camera, light: Light) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """(S, K, 3) linear: what a white hair would send to the camera, and what shines whatever its colour, at the knots
    (K,), the first and the last among them.

    Shading is linear in the colour, so two of them tell both.
    """
    whole = posed.strands()
    haze = haze_of((whole,), lit_by(light, 0.0).directions)
    knots = posed.points.shape[1]
    some = np.unique(np.rint(np.linspace(0, knots - 1, min(knots, SHADED))).astype(int))
    drawn = replace(whole, points=whole.points[:, some], colours=USUAL)

    def lit(colour: float) -> Floats:
        coloured = Strands(drawn.points, (colour,) * 3, drawn.width, drawn.tip, drawn.shine, drawn.shadow)
        return shade_strands(coloured, light, camera, haze).reshape(drawn.points.shape)

    gloss = lit(0.0)
    return lit(1.0) - gloss, gloss, some


def _usual(colours: Floats, known: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """(PARTS, 3) the median colour of each part from root to tip, and (N, 3) how seen strands differ from it, as
    factors."""
    knots = colours.shape[1]
    part = np.minimum(np.arange(knots) * PARTS // knots, PARTS - 1)
    whole = np.median(colours[known], 0)
    usual = np.empty((PARTS, 3), np.float32)
    for p in range(PARTS):
        here = colours[:, part == p][known[:, part == p]]
        few = len(here) / (len(here) + FEW)
        usual[p] = few * np.median(here, 0) + (1 - few) * whole if len(here) else whole
    rows, columns = np.nonzero(known)
    some = np.random.default_rng(0).permutation(len(rows))[:4096]
    tones = colours[rows[some], columns[some]] / usual[part[columns[some]]]
    lightness = np.clip(np.median(tones, 1), 0.5, 2.0)
    return usual, np.asarray(lightness, np.float32)


@njit(cache=True, error_model="numpy", nogil=True)
def _foremost(seen: Floats, head: Floats, front: Floats) -> None:
    high, wide = head.shape
    for n in range(seen.shape[0]):
        for k in range(seen.shape[1] - 1):
            x, y, z = seen[n, k, 0], seen[n, k, 1], seen[n, k, 2]
            if not (0 <= x < wide and 0 <= y < high):
                continue
            dx, dy, dz = seen[n, k + 1, 0] - x, seen[n, k + 1, 1] - y, seen[n, k + 1, 2] - z
            run = max(abs(dx), abs(dy))
            if not run < wide:
                continue
            steps = int(run) + 1
            for part in range(steps):
                f = part / steps
                i, j = int(np.rint(y + f * dy)), int(np.rint(x + f * dx))
                if 0 <= i < high and 0 <= j < wide:
                    at = z + f * dz
                    if at < front[i, j] and at <= head[i, j] + BEHIND:
                        front[i, j] = at


@njit(cache=True, error_model="numpy", nogil=True)
def _take(
    seen: Floats,
    front: Floats,
    pure: NDArray[np.bool_],
    radiance: Floats,
    body: Floats,
    gloss: Floats,
    knots: NDArray[np.int64],
    least: Floats,
    colours: Floats,
) -> None:
    """The photo's colour, without light, at each point that the camera saw."""
    high, wide = front.shape
    for n in range(seen.shape[0]):
        m = 1
        for k in range(seen.shape[1]):
            while knots[m] < k:
                m += 1
            share = (k - knots[m - 1]) / (knots[m] - knots[m - 1])
            x, y = seen[n, k, 0], seen[n, k, 1]
            if not (0 <= x < wide - 1 and 0 <= y < high - 1):
                continue
            i, j = int(np.rint(y)), int(np.rint(x))
            if not pure[i, j] or np.isinf(front[i, j]) or seen[n, k, 2] > front[i, j] + SHOWN:
                continue
            a, b = int(y), int(x)
            f, g = y - a, x - b
            for c in range(3):
                top = radiance[a, b, c] * (1 - g) + radiance[a, b + 1, c] * g
                low = radiance[a + 1, b, c] * (1 - g) + radiance[a + 1, b + 1, c] * g
                value = top * (1 - f) + low * f
                shine = gloss[n, m - 1, c] + share * (gloss[n, m, c] - gloss[n, m - 1, c])
                lit = body[n, m - 1, c] + share * (body[n, m, c] - body[n, m - 1, c])
                colours[n, k, c] = max(value - shine, 0.15 * value) / max(lit, least[c])
            # what is brighter than hair can be is so in all channels, or its hue would change
            most = max(colours[n, k, 0], colours[n, k, 1], colours[n, k, 2])
            for c in range(3):
                colours[n, k, c] = max(colours[n, k, c] * min(1.0, LIGHTEST / most), DARKEST)


@njit(cache=True, error_model="numpy", nogil=True)
def _complete(colours: Floats, known: NDArray[np.bool_], usual: Floats, tones: Floats, reach: float) -> None:
    """Points that were not seen take the colour of those of their strand, fading to the usual one with distance."""
    knots = colours.shape[1]
    parts = len(usual)
    for n in range(colours.shape[0]):
        tone = tones[(n * 7919) % len(tones)]  # a stride that meets all of them
        last = -1
        for k in range(knots):
            if known[n, k]:
                last = k
            before = last
            after = -1
            if not known[n, k]:
                for m in range(k + 1, knots):
                    if known[n, m]:
                        after = m
                        break
                p = min(k * parts // knots, parts - 1)
                near_before = max(1 - (k - before) / (reach * knots), 0.0) if before >= 0 else 0.0
                near_after = max(1 - (after - k) / (reach * knots), 0.0) if after >= 0 else 0.0
                rest = max(1 - near_before - near_after, 0.0)
                total = near_before + near_after + rest
                for c in range(3):
                    value = rest * usual[p, c] * tone
                    if near_before > 0:
                        value += near_before * colours[n, before, c]
                    if near_after > 0:
                        value += near_after * colours[n, after, c]
                    colours[n, k, c] = min(max(value / total, DARKEST), LIGHTEST)

"""The eyes of the person in a photo: iris, pupil and white, without the light that fell on them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from headform.head import HeadModel
from headform.photo import Sighting
from headform.render import Light
from headform.render.colour import LINEAR, to_srgb
from headform.skin.albedo import column, lab_from_linear, linear_from_lab, table_rows
from headform.skin.eyes import IRIS_SHEET, SCLERA, paint_eye
from headform.skin.filters import TAILS, blurred
from headform.skin.iris_colours import Likely, likely_iris
from headform.skin.iris_fibres import (
    PUPIL_SHARE,
    REACH,
    Colour,
    IrisColour,
    coloured,
    fibres,
    looked_up,
    on_dial,
    step,
)
from headform.skin.iris_seen import (
    LUMINANCE,
    RINGS,
    TURNS,
    EyeSeen,
    coloured_rings,
    look_at_eye,
    ring_middles,
    weighted_quantile,
)
from headform.skin.wardrobe import fine_mesh, openness

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bytes = NDArray[np.uint8]

SIDES = ("left", "right")
WHITE = 0.58  # linear luminance of the white of eyes where it is brightest
WHITE_SPREAD = 0.25  # log units: how whites differ, with what lids and blur take from them
LIGHT_SPREAD = 0.35  # log units: how far the light in the orbits is from what is reckoned
SOCKET = -0.15  # log units: usually there is less
TINT_SHARE = 0.5  # of the white's tint that belongs to the light
DARKER, BRIGHTER = -0.9, 0.5  # log units: no more is put down to the light
SCLERA_LIGHT, SCLERA_RED, SCLERA_YELLOW = (72.0, 84.0), (1.0, 6.0), (2.0, 11.0)  # CIELAB of healthy whites
TRUSTED = (0.15, 0.60)  # quantiles of brightness between which an iris is neither in shade nor shining
FEW = 12.0  # pixels of an iris that say little about its colour
SHADED = 0.006  # luminance: what is as dark may be the shade of lashes as well
NOISE = (3.0, 2.5, 2.5)  # CIELAB: what is left of doubt about a large iris
TWO_COLOURED = (14.0, 22.0)  # CIELAB a*, b* between two eyes from which they differ, not only their light
IN_SHADE = 14.0  # CIELAB L* below that of the other eye: it is only in the dark
LARGE = 150.0  # pixels of each iris below which that cannot be told
PROFILE, PATTERN = (5.0, 10.0), (9.0, 18.0)  # pixels of radius between which rings, and places on them, are followed
MOST_PATTERN = 0.6  # log units
PUPILS = (0.22, 0.46)  # of the iris's radius, in the light in which photos are taken
PUPIL_SEEN = (7.0, 12.0)  # pixels of radius between which a pupil comes to be measured
CHEEKS = (50, 280, 205, 425, 118, 347)  # landmarks of plain skin


def eyes_of(
    pixels: Bytes,
    sighting: Sighting,
    model: HeadModel,
    vertices: Floats,
    light: Light,
    size: int = 512,
    seed: int = 0,
) -> tuple[Bytes, Bytes]:
    """The left and the right eye of a person, (size, size, 3) in the layout of `paint_eye`.

    pixels (H, W, 3) of the photo; vertices (V, 3) of the head as it is posed in it, in the light found there.
    """
    seen = [look_at_eye(pixels, sighting.landmarks, side) for side in SIDES]
    falling = [_light_on(model, vertices, light, side) for side in SIDES]
    falling = _corrected(seen, falling)
    found = [_measured(eye, lit) for eye, lit in zip(seen, falling, strict=True)]
    melanin = melanin_of(pixels, sighting, light)
    sclera = _sclera(seen, falling)
    pupil = _pupil(seen)
    painted = []
    for eye, lit, likely in zip(seen, falling, _agreed(found, melanin), strict=True):
        colour = likely.palette()
        pattern = _pattern(eye, lit, colour, pupil, seed, sighting.sharpness)
        painted.append(paint_eye(colour, size, seed, sclera, pupil, pattern))
    return painted[0], painted[1]


# ── light ────────────────────────────────────────────────────────────────────────────────────────


def _light_on(model: HeadModel, vertices: Floats, light: Light, side: str) -> Doubles:
    """(3,) what the renderer makes of white on the iris."""
    front, whole, usual = _eyeball(model, side)
    gaze = vertices[front].mean(0) - vertices[whole].mean(0)
    shaded = light.shaded(gaze / max(float(np.linalg.norm(gaze)), 1e-9)).astype(np.float64)
    return np.maximum(shaded, 0.05) * usual


@lru_cache(maxsize=4)
def _eyeball(model: HeadModel, side: str) -> tuple[NDArray[np.int64], NDArray[np.int32], float]:
    """Vertices of the iris and of the whole eyeball, and how open to light the iris is in a head at rest."""
    quads = model.part == model.part_index(f"eye_{side}")
    rows, places = model.quads[quads].ravel(), model.uv[model.quads_uv[quads].ravel()]
    front = np.unique(rows[np.linalg.norm(places - 0.5, axis=1) < IRIS_SHEET])
    mesh = fine_mesh(model)
    part = f"eye_{side}"
    away = np.linalg.norm(mesh.subdivision.uv[mesh.triangles_uv[part].ravel()] - 0.5, axis=1)
    fine = mesh.triangles[part].ravel()[away < IRIS_SHEET]
    return front.astype(np.int64), model.part_vertices(part), float(openness(model, model.rest())[fine].mean())


def _corrected(seen: list[EyeSeen], falling: list[Doubles]) -> list[Doubles]:
    """The light on each eye after its white has been heard: brows and lids keep light away that nobody reckoned."""
    out = []
    for eye, lit in zip(seen, falling, strict=True):
        change = np.full(3, SOCKET)
        if eye.white is not None:
            ratio = np.log(np.maximum(eye.white, 1e-3) / lit)
            bright = float(np.log(np.maximum(eye.white @ LUMINANCE / (lit @ LUMINANCE), 1e-3)) - np.log(WHITE))
            heard = LIGHT_SPREAD**2 / (LIGHT_SPREAD**2 + WHITE_SPREAD**2)
            tint = ratio - _sclera_log() - (ratio - _sclera_log()).mean()
            change = SOCKET + heard * (bright - SOCKET) + TINT_SHARE * np.clip(tint, -0.3, 0.3)
        out.append(lit * np.exp(np.clip(change, DARKER, BRIGHTER)))
    return out


def _sclera_log() -> Doubles:
    return np.asarray(np.log(LINEAR[list(SCLERA)]), np.float64)


def melanin_of(pixels: Bytes, sighting: Sighting, light: Light) -> float:
    """How dark the skin of the cheeks is, on the scale of the tones."""
    high, wide = pixels.shape[:2]
    at = np.rint(sighting.landmarks.points[list(CHEEKS), :2]).astype(int).clip(0, (wide - 1, high - 1))
    shown = np.median(LINEAR[pixels[at[:, 1], at[:, 0]]], 0)
    ahead = np.array([np.sin(sighting.yaw), 0.0, np.cos(sighting.yaw)])
    lightness = lab_from_linear(np.clip(shown / np.maximum(light.shaded(ahead), 0.05), 0.01, 1))[0]
    rows = table_rows("tones")
    order = np.argsort(column(rows, "lightness"))
    return float(np.interp(lightness, column(rows, "lightness")[order], column(rows, "melanin")[order]))


# ── colour ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, eq=False)
class _Measured:
    """CIELAB of an iris's coloured zone; the doubt (3, 3) about it, with that of the light apart; pixels."""

    lab: Doubles
    doubt: Doubles
    light_doubt: Doubles
    count: float


def _measured(eye: EyeSeen, lit: Doubles) -> _Measured | None:
    """The colour of an iris that lies open; None where nothing is seen."""
    if eye.count < 1:
        return None
    rings = coloured_rings()
    area = np.broadcast_to(ring_middles()[rings, None], (int(rings.sum()), TURNS))
    colours, weights = eye.colours[rings], eye.weights[rings] * area
    bright = colours @ LUMINANCE
    low, high = (weighted_quantile(bright, weights, share) for share in TRUSTED)
    chosen = weights * (bright >= low) * (bright <= high)
    plain = np.maximum(colours / lit, 2e-3)
    mean = np.exp((np.log(plain) * chosen[..., None]).sum((0, 1)) / max(float(chosen.sum()), 1e-9))
    lab = lab_from_linear(np.minimum(mean, 1.0))
    scaled = (lab + np.array([16, 0, 0])) / 3  # how CIELAB moves where all light is a little brighter
    spread = (
        LIGHT_SPREAD * WHITE_SPREAD / np.hypot(LIGHT_SPREAD, WHITE_SPREAD) if eye.white is not None else LIGHT_SPREAD
    )
    few = 1 + (FEW / eye.count) ** 0.5 * 3 + SHADED / float(mean @ LUMINANCE)
    return _Measured(lab, np.diag((np.array(NOISE) * few) ** 2), spread**2 * np.outer(scaled, scaled), eye.count)


def _agreed(found: list[_Measured | None], melanin: float) -> list[Likely]:
    """The colour of both eyes: one, unless they are clearly of two colours."""
    clear = [eye for eye in found if eye is not None]
    if not clear:
        return [likely_iris(None, np.eye(3), melanin)] * 2
    apart = 0.0
    if len(clear) == 2 and min(eye.count for eye in clear) > LARGE:
        apart = float(step(*TWO_COLOURED, np.asarray(np.linalg.norm((clear[0].lab - clear[1].lab)[1:]))))
    if apart == 0:
        brightest = max(eye.lab[0] for eye in clear)
        clear = [eye for eye in clear if eye.lab[0] > brightest - IN_SHADE]
    trust = [np.linalg.inv(eye.doubt) for eye in clear]
    doubt = np.linalg.inv(np.sum(trust, 0))
    lab = doubt @ np.sum([t @ eye.lab for t, eye in zip(trust, clear, strict=True)], 0)
    shared_light = np.mean([eye.light_doubt for eye in clear], 0)
    if apart == 0:
        return [likely_iris(lab, doubt + shared_light, melanin)] * 2
    own = [lab + apart * (eye.lab - lab) for eye in clear]
    return [likely_iris(each, eye.doubt + eye.light_doubt, melanin) for each, eye in zip(own, clear, strict=True)]


def _sclera(seen: list[EyeSeen], falling: list[Doubles]) -> Colour:
    """sRGB of the white of both eyes, bounded to what healthy whites are."""
    whites = [eye.white / lit for eye, lit in zip(seen, falling, strict=True) if eye.white is not None]
    if not whites:
        return SCLERA
    lab = lab_from_linear(np.clip(np.mean(whites, 0), 0.01, 1))
    low, high = np.array([SCLERA_LIGHT, SCLERA_RED, SCLERA_YELLOW]).T
    red, green, blue = (int(v) for v in np.rint(255 * to_srgb(linear_from_lab(np.clip(lab, low, high)))))
    return red, green, blue


# ── pattern ──────────────────────────────────────────────────────────────────────────────────────


def _pupil(seen: list[EyeSeen]) -> float:
    """Radius of the pupils, of the iris's: where it is darker inside, if the irises are large and light enough."""
    total, weight = 0.0, 0.0
    radius = ring_middles()
    for eye in seen:
        trust = float(step(*PUPIL_SEEN, np.asarray(eye.radius))) * min(1.0, eye.count / LARGE)
        bright = eye.colours @ LUMINANCE
        profile = np.array([weighted_quantile(b, w + 1e-3, 0.4) for b, w in zip(bright, eye.weights, strict=True)])
        profile = np.convolve(np.pad(profile, 1, mode="edge"), np.full(3, 1 / 3), mode="valid")
        inner, outer = profile[radius < 0.2].min(), np.median(profile[(radius > 0.5) & (radius < 0.8)])
        if trust == 0 or inner > 0.55 * outer:
            continue
        rising = radius[(radius > 0.12) & (radius < 0.6) & (profile > (inner + outer) / 2)]
        if len(rising):
            total, weight = total + trust * float(np.clip(rising[0], *PUPILS)), weight + trust
    return (total + 0.3 * PUPIL_SHARE) / (weight + 0.3)


def _pattern(
    eye: EyeSeen, lit: Doubles, colour: IrisColour, pupil: float, seed: int, sharpness: float
) -> Floats | None:
    """(RINGS, TURNS, 3) factors that give the painted iris what the photo shows of this one: its rings and, where it
    is large, what lies on them; the painted fibres stay where they are finer than the photo. None for small eyes."""
    follow_rings, follow_places = (float(step(*span, np.asarray(eye.radius))) for span in (PROFILE, PATTERN))
    if follow_rings == 0 or eye.count < FEW:
        return None
    blur = (0.7 + 1.3 * (1 - sharpness)) / eye.radius  # iris radii
    across, around = blur * RINGS / REACH, blur / 0.65 * TURNS / (2 * np.pi)
    drawn = _smoothed(_drawn(colour, pupil, seed), across, around)
    radius = ring_middles()
    inside = step(pupil + 0.04, pupil + 0.10 + blur, radius) * step(1.04, 0.98, radius)
    weight = (eye.weights * inside[:, None])[..., None]
    off = np.log(np.maximum(eye.colours / lit, 2e-3) / np.maximum(drawn, 2e-3)).astype(np.float32)
    zone = coloured_rings()
    off -= (off * weight)[zone].sum((0, 1)) / max(float(weight[zone].sum()), 1e-6)
    profile = (off * weight).sum(1, keepdims=True) / (weight.sum(1, keepdims=True) + 0.04 * TURNS)
    own = _without_slope(off - profile, weight)
    reached = _smoothed(np.repeat(weight, 3, -1), across + 0.5, around + 0.5)
    own = _smoothed(own * weight, across + 0.5, around + 0.5) / (reached + 0.3)
    pattern = (follow_rings * profile + follow_places * own) * inside[:, None, None]
    return np.asarray(np.exp(np.clip(pattern, -MOST_PATTERN, MOST_PATTERN)), np.float32)


def _drawn(colour: IrisColour, pupil: float, seed: int) -> Floats:
    """(RINGS, TURNS, 3) linear colours of the painted iris, as coarse as the dial that is read."""
    dial = coloured(colour, fibres(seed))
    dial = LINEAR[np.clip(dial + 0.5, 0, 255).astype(np.uint8)]
    dial = np.ascontiguousarray(dial.reshape(len(dial), TURNS, -1, 3).mean(2))
    radius = np.repeat(on_dial(ring_middles(), pupil), TURNS)
    turn = np.tile((np.arange(TURNS) * (2 * np.pi / TURNS)).astype(np.float32), RINGS)
    return looked_up(dial, radius, turn).reshape(RINGS, TURNS, 3)


def _smoothed(dial: Floats, across: float, around: float) -> Floats:
    """A dial blurred by so many rings and turns."""
    beyond = int(TAILS * around) + 1
    wrapped = np.concatenate([dial[:, -beyond:], dial, dial[:, :beyond]], 1)
    return blurred(wrapped, across, around)[:, beyond:-beyond]


def _without_slope(off: Floats, weight: Floats) -> Floats:
    """What is left when the light that falls off across the eye, a plane, is taken out."""
    turn = np.arange(TURNS) * (2 * np.pi / TURNS)
    plane = ring_middles()[:, None, None] * np.stack([np.cos(turn), np.sin(turn)], -1)
    rows, trust = plane.reshape(-1, 2), weight.reshape(-1, 1)
    normal = rows.T @ (rows * trust) + np.eye(2)
    slope = np.linalg.solve(normal, rows.T @ (off.reshape(-1, 3) * trust))
    return np.asarray(off - plane @ slope, np.float32)

"""The mouth of the person in a photo: the tone of teeth that show, and gums that go with the skin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from headform.photo import Sighting
from headform.photo.landmarks import outline
from headform.render import Light
from headform.render.colour import LINEAR, to_srgb
from headform.skin.albedo import lab_from_linear, linear_from_lab
from headform.skin.filters import lowest
from headform.skin.iris import melanin_of
from headform.skin.iris_fibres import Colour
from headform.skin.mouth import TEETH_TONE, paint_mouth

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bytes = NDArray[np.uint8]

OFF_LIPS = 0.06  # of the opening's width: nearer to the lips nothing is believed
LEAST_OPENING = 5.0  # pixels of height below which a mouth is closed
LEAST_TEETH, SURE_TEETH = 20.0, 200.0  # pixels between which the teeth's tone comes to be believed
BEHIND_LIPS = 0.75  # of the light on the face reaches the front teeth
TOOTH_LIGHT, TOOTH_SPREAD = 0.2, np.array([5.0, 1.2, 4.0])  # doubt about that light, log units; CIELAB about TEETH_TONE
MOST_RED = 9.0  # CIELAB a* of what can be a tooth, as it is lit: more is lip, gum or tongue
LEAST_LIGHT = 0.45  # of the brightest tenth of the opening: darker is a gap or shade
TONES = ((70.0, 90.0), (-1.0, 4.0), (5.0, 22.0))  # CIELAB of teeth
PIGMENT = np.array([0.30, 0.34, 0.30])  # share of sRGB that the darkest skin's gums and tongue lose
PALE = 0.25  # melanin from which gums darken


def mouth_of(pixels: Bytes, sighting: Sighting, light: Light, size: int = 512, seed: int = 0) -> Bytes:
    """(size, size, 3) the sheet of `paint_mouth` for the person seen in a photo (H, W, 3), in the light found there."""
    dark = float(np.clip((melanin_of(pixels, sighting, light) - PALE) / (1 - PALE), 0, 1))
    red, green, blue = (1 - PIGMENT * dark).tolist()
    return paint_mouth(size, seed, tooth_tone(pixels, sighting, light), (red, green, blue))


def tooth_tone(pixels: Bytes, sighting: Sighting, light: Light) -> Colour:
    """sRGB of the teeth: the usual, moved towards what shows between the lips."""
    colours = _between_lips(pixels, sighting.landmarks.points[outline("inner_lips"), :2])
    ahead = np.array([np.sin(sighting.yaw), 0.0, np.cos(sighting.yaw)])
    plain = colours / np.maximum(light.shaded(ahead), 0.05) / BEHIND_LIPS
    if len(plain) < LEAST_TEETH:
        return TEETH_TONE
    lab = lab_from_linear(np.clip(plain, 0.003, 1.5))
    bright = plain.mean(1)
    teeth = (lab[:, 1] < MOST_RED) & (bright > LEAST_LIGHT * np.quantile(bright, 0.9)) & (lab[:, 0] > 45)
    if teeth.sum() < LEAST_TEETH:
        return TEETH_TONE
    found = np.median(lab[teeth & (bright >= np.median(bright[teeth]))], 0)
    usual = lab_from_linear(LINEAR[list(TEETH_TONE)])
    doubt = np.diag(np.array([3.0, 2.0, 2.5]) ** 2 * SURE_TEETH / min(float(teeth.sum()), SURE_TEETH))
    brighter = (found + np.array([16, 0, 0])) / 3  # how CIELAB moves with all light
    doubt += TOOTH_LIGHT**2 * np.outer(brighter, brighter)
    spread = np.diag(TOOTH_SPREAD**2)
    likely = usual + spread @ np.linalg.solve(spread + doubt, found - usual)
    low, high = np.array(TONES).T
    red, green, blue = (int(v) for v in np.rint(255 * to_srgb(linear_from_lab(np.clip(likely, low, high)))))
    return red, green, blue


def _between_lips(pixels: Bytes, lips: Doubles) -> Floats:
    """(N, 3) linear colours of the pixels inside of an outline (M, 2), off its edge; none where the mouth is closed."""
    high, wide = pixels.shape[:2]
    low = np.clip(np.floor(lips.min(0)), 0, (wide - 1, high - 1)).astype(int)
    past = np.clip(np.ceil(lips.max(0)) + 1, low + 1, (wide, high)).astype(int)
    if np.ptp(lips[:, 1]) < LEAST_OPENING:
        return np.zeros((0, 3), np.float32)
    mask = Image.new("L", tuple((past - low).tolist()))
    ImageDraw.Draw(mask).polygon([(float(x), float(y)) for x, y in lips - low], fill=1)
    off = OFF_LIPS * float(np.ptp(lips[:, 0]))
    inside = lowest(np.pad(np.asarray(mask), 1), max(1, round(off)))[1:-1, 1:-1] > 0
    return np.asarray(LINEAR[pixels[low[1] : past[1], low[0] : past[0]][inside]], np.float32)

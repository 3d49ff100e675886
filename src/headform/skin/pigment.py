"""The colour of skin: melanin and blood under the surface, hair roots in it, as reflectance at the texels."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.skin.albedo import AlbedoModel, albedo_model
from headform.skin.atlas import SKIN, Atlas, skin_mesh
from headform.skin.noise import cells, clouds
from headform.skin.regions import Regions, smoothstep
from headform.skin.traits import Attributes, Traits

Floats = NDArray[np.float32]

# How strongly melanin and blood absorb red, green and blue light: absorbance, the unit of amounts below.
MELANIN = np.array([0.34, 0.62, 0.95], np.float32)
BLOOD = np.array([0.15, 0.84, 0.62], np.float32)
WANDER = 0.35  # share of a mode's standard deviation by which one person differs from the typical skin
PATTERN = 0.85  # how much of the source skins' regional differences is kept, less in dark skin
MOUTH_COLOUR = (0.17, 0.05, 0.045)  # linear reflectance of the inside of the mouth …
SOCKET_COLOUR = (0.42, 0.20, 0.17)  # … and behind the lids
STUBBLE = 0.62  # mm between hair roots
SHADOW_LIFT = 0.055  # linear grey that skin adds in front of a hair root


def reflectance(at: Atlas, where: Regions, who: Attributes, traits: Traits, seed: int, scalp_shadow: float) -> Floats:
    """(N, 3) linear RGB reflectance of the skin, without brows."""
    rng = np.random.default_rng([seed, 2])
    mm = at.position * np.float32(1000)
    log = _base(albedo_model(), at, who, traits)
    melanin, blood = _regional(where, who, traits)
    for part in (_mottling, _spots):
        more_melanin, more_blood = part(mm, where, who, traits, rng)
        melanin += more_melanin
        blood += more_blood
    melanin += _moles(mm, traits, rng)
    blood *= 1 - 0.6 * traits.tone.melanin
    log -= melanin[:, None] * MELANIN + blood[:, None] * BLOOD
    _lips(log, mm, where, who, traits, rng)
    _insides(log, where)
    colour = np.exp(log, out=log)
    _stubble(colour, at, mm, where, traits, rng, scalp_shadow)
    return colour


def _base(model: AlbedoModel, at: Atlas, who: Attributes, traits: Traits) -> Floats:
    """(N, 3) log reflectance: regional differences of the source skins around the person's own tone."""
    typical = model.blend(who.age, who.sex, who.ancestry)
    wander = np.array(traits.pattern[: len(typical)]) * WANDER
    wander[0] = 0  # overall lightness belongs to the tone
    log, mesh = model.log_colours(typical + wander), skin_mesh()
    if len(log) != len(mesh.points):
        raise BadInput("the skin colours were baked for another head: run assets/skin/build.py again")
    face = (mesh.points[:, 2] > 0.06) & (mesh.points[:, 1] > -0.05)
    pattern = (PATTERN - 0.35 * traits.tone.melanin) * (log - log[face].mean(0))
    return at.spread(pattern + np.log(traits.tone.linear))


def _regional(where: Regions, who: Attributes, traits: Traits) -> tuple[Floats, Floats]:
    """(N,) melanin and blood that lie where they lie in everybody."""
    b = where.blobs
    flush = b["cheek"] + 0.35 * b["cheek_low"] + 0.85 * b["nose_tip"] + 0.9 * b["nose_wing"] + 0.3 * b["chin"]
    ears = b["ear"] * (where.scalp < 0.5)
    blood = np.float32(0.30 * traits.blush) * flush + np.float32(0.2) * ears
    blood += 0.10 * b["lid"] + np.float32(0.20 * traits.shadows) * b["under_eye"]
    melanin = np.float32(0.16 * traits.shadows) * (b["under_eye"] + 0.4 * b["lid"])
    melanin += np.float32(0.05 + 0.05 * traits.tone.melanin) * (b["forehead"] + b["temple"])
    margin = np.exp(-((np.maximum(where.eye, 0) / 1.1) ** 2))
    blood += 0.28 * margin
    melanin += 0.07 * np.exp(-((np.maximum(where.eye, 0) / 3.5) ** 2))
    blood += 0.7 * b["nostril"]
    melanin += 1.1 * b["nostril"] ** 2
    return melanin.astype(np.float32), blood.astype(np.float32)


def _mottling(
    mm: Floats, where: Regions, who: Attributes, traits: Traits, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Uneven tone, from broad patches down to single millimetres."""
    s = rng.integers(1 << 30, size=4)
    amount = np.float32(traits.mottling)
    patches = clouds(mm, 30.0, int(s[0]), 3, 0.6)
    flecks = clouds(mm, 7.0, int(s[1]), 4, 0.75)
    grain = clouds(mm, 1.3, int(s[2]), 2, 0.8)
    melanin = amount * (0.11 * patches + 0.12 * flecks + 0.085 * grain)
    blood = amount * (0.20 * clouds(mm, 11.0, int(s[3]), 4, 0.75) - 0.05 * patches + 0.10 * grain)
    if traits.veins > 0.02:
        vein = smoothstep(0.035, 0.0, np.abs(clouds(mm, 5.0, int(s[1]) + 9, 2)))
        near = where.blobs["cheek"] + where.blobs["nose_wing"] + 0.5 * where.blobs["nose_tip"]
        blood += np.float32(0.30 * traits.veins) * vein * near
    return melanin.astype(np.float32), blood.astype(np.float32)


def _spots(
    mm: Floats, where: Regions, who: Attributes, traits: Traits, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Freckles of the young and spots of the old."""
    s = rng.integers(1 << 30, size=4)
    b, melanin = where.blobs, np.zeros(len(mm), np.float32)
    off_lips = smoothstep(0.5, 2.0, where.lips)
    if traits.freckles > 0.03:
        sunny = np.minimum(b["freckle_cheek"] + b["nose_bridge"] + 0.5 * b["forehead"] + 0.12, 1) * off_lips
        for spacing, strength, k in ((2.4, 0.30, 0), (4.2, 0.42, 1)):
            near, _, lot = cells(mm, spacing, int(s[k]))
            chosen = lot < 0.75 * traits.freckles * sunny
            size = 0.16 + 0.28 * np.modf(lot * 37.7)[0]
            melanin += chosen * smoothstep(1.0, 0.3, near / size) * np.float32(strength) * (0.4 + 0.6 * traits.freckles)
    if traits.age_spots > 0.03:
        warped = mm + 1.6 * clouds(mm, 3.0, int(s[3]), 2)[:, None]
        near, _, lot = cells(warped.astype(np.float32), 8.5, int(s[2]))
        exposed = np.minimum(
            b["temple"] * 1.3 + b["cheek"] + b["forehead"] + 0.6 * b["cheek_low"] + 0.35 * where.scalp, 1
        )
        chosen = lot < 0.8 * traits.age_spots * exposed * off_lips
        size = 0.12 + 0.30 * np.modf(lot * 91.3)[0]
        melanin += chosen * smoothstep(1.0, 0.45, near / size) * np.float32(0.34)
    return melanin, np.zeros(len(mm), np.float32)


def _moles(mm: Floats, traits: Traits, rng: np.random.Generator) -> Floats:
    """(N,) melanin of single moles, anywhere on the head."""
    mesh, melanin = skin_mesh(), np.zeros(len(mm), np.float32)
    spots = mesh.points[np.unique(mesh.quads[mesh.inside == SKIN])] * 1000
    for _ in range(traits.moles):
        centre, radius = spots[rng.integers(len(spots))], rng.uniform(0.45, 1.25)
        strength = rng.uniform(0.9, 2.0)
        close = np.flatnonzero(_within(mm, centre.astype(np.float32), 2 * radius))
        away = np.linalg.norm(mm[close] - centre, axis=1)
        melanin[close] += np.float32(strength) * smoothstep(radius * 1.25, radius * 0.6, away)
    return melanin


@numba.njit(cache=True)
def _within(mm: Floats, centre: Floats, radius: float) -> NDArray[np.bool_]:
    near = np.empty(len(mm), np.bool_)
    for n in range(len(mm)):
        away = (mm[n, 0] - centre[0]) ** 2 + (mm[n, 1] - centre[1]) ** 2 + (mm[n, 2] - centre[2]) ** 2
        near[n] = away < radius * radius
    return near


def _lips(log: Floats, mm: Floats, where: Regions, who: Attributes, traits: Traits, rng: np.random.Generator) -> None:
    """Colour of the lips, in place: blood shows through in light skin, dark skin has a darker upper lip."""
    seeds = rng.integers(1 << 30, size=2)
    near = np.flatnonzero(where.lips < 4)
    local = mm[near]
    edge = where.lips[near] + 0.9 * clouds(local, 2.2, int(seeds[0]), 2)
    mask = smoothstep(1.1, -1.3, edge)
    streak = clouds((local * np.array([1, 0.16, 0.16])).astype(np.float32), 1.1, int(seeds[1]), 2)
    upper = (where.parting[near] > 0).astype(np.float32)
    inner = np.exp(-((where.parting[near] / 2.2) ** 2))
    dark = traits.tone.melanin
    blood = traits.lip_colour * (0.62 - 0.36 * dark) * (1 + 0.12 * upper) + 0.22 * inner + 0.16 * streak
    melanin = dark * 0.34 * upper - dark * 0.30 * (1 - upper) + 0.10 * streak + 0.05
    log[near] -= mask[:, None] * (blood[:, None] * BLOOD + melanin[:, None] * MELANIN)
    line = np.exp(-((where.parting[near] / 0.8) ** 2)) * (where.lips[near] < 0.5)
    log[near] -= (0.5 * line)[:, None].astype(np.float32)


def _insides(log: Floats, where: Regions) -> None:
    for mask, colour in ((where.inside_mouth, MOUTH_COLOUR), (where.socket, SOCKET_COLOUR)):
        rows = np.flatnonzero(mask)
        log[rows] = np.log(np.array(colour, np.float32))


def _stubble(
    colour: Floats,
    at: Atlas,
    mm: Floats,
    where: Regions,
    traits: Traits,
    rng: np.random.Generator,
    scalp: float,
) -> None:
    """Hair roots of the beard and, if asked for, of the scalp, in place: dots, and a shadow below."""
    seeds = rng.integers(1 << 30, size=2)
    grown = where.beard * np.float32(traits.beard) + where.scalp * np.float32(scalp)
    near = np.flatnonzero(grown > 0.01)
    if not len(near):
        return
    local = mm[near]
    thick = grown[near] * (1 + 0.7 * clouds(local, 9.0, int(seeds[0]), 3))
    length = np.where(where.scalp[near] * scalp > where.beard[near] * traits.beard, 0.5, traits.shave)
    hair = traits.hair_linear
    spacing = max(STUBBLE, 2.2 * 1000 * float(np.median(at.scale)))
    away, _, lot = cells(local, spacing, int(seeds[1]))
    dots = smoothstep(0.48, 0.16, away) * (lot < 0.35 + 0.6 * thick) * (0.20 + 0.62 * length)
    shade = np.clip(thick, 0, 1.2) * (0.17 + 0.25 * length)
    below = np.minimum(colour[near], hair + SHADOW_LIFT + 0.22 * colour[near])
    colour[near] += (below - colour[near]) * np.clip(shade, 0, 0.6)[:, None]
    colour[near] += (hair - colour[near]) * np.clip(dots * np.clip(thick * 1.6, 0, 1), 0, 0.85)[:, None]

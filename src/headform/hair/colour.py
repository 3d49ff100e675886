"""The colour of hair: two pigments in keratin, dyes, and a groom coloured anew.

Hair absorbs by its melanin: brown-black eumelanin and red-yellow pheomelanin. How much light a whole head of hair gives
back follows from the absorption by Chiang et al. 2016, equation (9). Convention: colours are sRGB, 0–1, without light.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.errors import BadInput
from headform.hair.groom import Groom
from headform.render.colour import to_linear, to_srgb

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

# Absorption of red, green and blue light per unit of pigment, after Donner & Jensen 2006 as d'Eon et al. 2011 have it
EUMELANIN = np.array([0.419, 0.697, 1.37])
PHEOMELANIN = np.array([0.187, 0.4, 1.05])
ROUGHNESS = 0.3  # azimuthal, of Chiang et al. 2016
# Equation (9) there: ln(reflectance) = −SCATTERING · √absorption
SCATTERING = float(np.polyval([0.245, 5.574, -10.73, 2.532, -0.215, 5.969], ROUGHNESS))
SURFACE = 0.006  # linear reflectance of the hair's surface, whatever is inside: the blackest hair is no darker
WHITE = (0.93, 0.915, 0.88)  # sRGB: keratin without any pigment, a little yellow
DARKEST, LIGHTEST = 1e-4, 0.95  # linear: what lies beyond cannot be absorption
ROOT_SHADE = 0.12  # of the light that tips have, in roots that are as dark as can be
ROOT_REACH = 0.045  # metres from the scalp over which darker roots fade to the colour
HAIRS = 4  # that a drawn strand stands for; each may turn white for itself
TURNING_WHITE = 7  # a stream of chance of its own: the same seed has chosen where the strands grow
PLAIN = re.compile(r"[^a-z]+")


@dataclass(frozen=True, slots=True)
class Recolour:
    """What hair shall look like.

    colour  sRGB 0–1 of the hairs that are not white
    grey    share of hairs that are white, 0–1
    roots   how much darker hair is at the scalp, 0 (not at all) to 1
    name    what it is called, if it has a name
    """

    colour: tuple[float, float, float]
    grey: float = 0.0
    roots: float = 0.0
    name: str = ""

    def __post_init__(self) -> None:
        given = np.asarray(self.colour, np.float64)
        if given.shape != (3,) or not ((given >= 0) & (given <= 1)).all():
            raise BadInput(f"a hair colour is three sRGB values from 0 to 1, not {self.colour}")
        if not (0 <= self.grey <= 1 and 0 <= self.roots <= 1):
            raise BadInput(f"grey and roots are shares from 0 to 1, not {self.grey} and {self.roots}")


def natural(eumelanin: float, pheomelanin: float = 0.0, grey: float = 0.0) -> Floats:
    """(3,) sRGB of hair with so much pigment: black hair has 3 and more of eumelanin, brown 0.4, blond 0.05; red hair
    0.5 of pheomelanin. `grey` is the share of hairs without any, mixed in as the eye does from afar.

    Raises BadInput for negative pigment and a share outside 0–1.
    """
    if not (eumelanin >= 0 and pheomelanin >= 0 and 0 <= grey <= 1):
        raise BadInput(f"pigment is not below 0 and grey from 0 to 1, not {eumelanin}, {pheomelanin} and {grey}")
    absorbed = _absorption(to_linear(WHITE)) + eumelanin * EUMELANIN + pheomelanin * PHEOMELANIN
    light = (1 - grey) * _reflectance(absorbed) + grey * to_linear(WHITE)
    return to_srgb(light)


def melanin_of(colour: ArrayLike) -> tuple[float, float, float]:
    """Eumelanin, pheomelanin and what they leave: the largest difference in sRGB between `natural` and the colour.

    Least squares in absorption, each channel weighted by how much it is seen. A residual above 0.08 is hair of another
    light, or dyed.
    """
    wanted = np.asarray(colour, np.float64)
    light = to_linear(wanted)
    absorbed = _absorption(light)
    goal = np.maximum(absorbed - _absorption(to_linear(WHITE)), 0)
    # sRGB rises with light about as its 1/2.4th power; d light / d absorbed = −light · scattering / (2 √absorbed)
    seen = np.maximum(light, 1e-3) ** (1 / 2.4) / np.sqrt(np.maximum(absorbed, 1e-4))
    pigments = np.column_stack([EUMELANIN, PHEOMELANIN])
    amounts = _least(pigments * seen[:, None], goal * seen)
    residual = float(np.abs(natural(*amounts) - wanted).max())
    return float(amounts[0]), float(amounts[1]), residual


def _least(matrix: Doubles, goal: Doubles) -> Doubles:
    """(2,) least squares without negative amounts."""
    both = np.linalg.lstsq(matrix, goal, rcond=None)[0]
    if (both >= 0).all():
        return np.asarray(both)
    alone = np.diag(np.maximum(matrix.T @ goal, 0) / (matrix**2).sum(0))  # one of them alone
    errors = [float(((matrix @ amounts - goal) ** 2).sum()) for amounts in alone]
    return np.asarray(alone[int(np.argmin(errors))])


def _absorption(light: ArrayLike) -> Doubles:
    """Absorption of hair that gives back so much linear light: Chiang et al. 2016, equation (9)."""
    inner = np.clip(np.asarray(light, np.float64) - SURFACE, DARKEST, LIGHTEST)
    return np.asarray((np.log(inner) / SCATTERING) ** 2)


def _reflectance(absorbed: Doubles) -> Doubles:
    """The inverse of `_absorption`."""
    return np.asarray(np.exp(-SCATTERING * np.sqrt(absorbed)) + SURFACE)


@lru_cache(maxsize=1)
def named_colours() -> Mapping[str, Recolour]:
    """The colours that have a name, natural ones first."""
    rows: list[dict[str, Any]] = json.loads((files("headform.hair") / "data" / "colours.json").read_text("utf-8"))
    return {row["name"]: _of_row(row) for row in rows}


@lru_cache(maxsize=1)
def _spellings() -> Mapping[str, str]:
    """Every way to write a name, without spaces and strokes -> the name."""
    rows: list[dict[str, Any]] = json.loads((files("headform.hair") / "data" / "colours.json").read_text("utf-8"))
    return {_plain(word): row["name"] for row in rows for word in (row["name"], *row.get("also", ()))}


def _of_row(row: Mapping[str, Any]) -> Recolour:
    colour = _of_hex(row["colour"]) if "colour" in row else natural(*row["melanin"])
    red, green, blue = (float(value) for value in colour)
    return Recolour((red, green, blue), row.get("grey", 0.0), name=row["name"])


def parse_colour(text: str) -> Recolour:
    """A colour from its name ('auburn', 'salt-and-pepper'), '#a52a2a' or '#a33', or three sRGB numbers 0–1.

    Raises BadInput that names the nearest names.
    """
    words = text.strip().lower()
    if re.fullmatch(r"#([0-9a-f]{3}|[0-9a-f]{6})", words):
        return Recolour(_of_hex(words))
    if "," in words:
        return Recolour(_of_numbers(words, text))
    spellings = _spellings()
    if _plain(words) in spellings:
        return named_colours()[spellings[_plain(words)]]
    near = dict.fromkeys(spellings[found] for found in get_close_matches(_plain(words), spellings, 3, 0.5))
    offer = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(named_colours())}"
    raise BadInput(f"there is no hair colour {text!r}; {offer}; #rrggbb works too")


def _plain(words: str) -> str:
    return PLAIN.sub("", words.lower())


def _of_hex(words: str) -> tuple[float, float, float]:
    digits = words[1:] if len(words) == 7 else "".join(2 * letter for letter in words[1:])
    return int(digits[:2], 16) / 255, int(digits[2:4], 16) / 255, int(digits[4:], 16) / 255


def _of_numbers(words: str, text: str) -> tuple[float, float, float]:
    try:
        red, green, blue = (float(word) for word in words.split(","))
    except ValueError:
        raise BadInput(f"{text!r} is no colour; give three numbers from 0 to 1, such as 0.4,0.2,0.1") from None
    return red, green, blue


def recoloured(groom: Groom, target: Recolour, seed: int = 0) -> Groom:
    """The groom in another colour. What makes it one head of hair stays: from strand to strand and from root to tip,
    its hair is as much lighter or darker than the whole as before. `seed` chooses the hairs that turn white.
    """
    if not len(groom):
        return replace(groom, colours=np.asarray(target.colour, np.float32), about=_renamed(groom, target))
    tone = tones(groom)
    if target.roots and tone.ndim == 1:
        tone = np.repeat(tone[:, None], groom.points.shape[1], 1)
    light = np.broadcast_to(to_linear(target.colour), (*tone.shape, 3)).astype(np.float64)
    if target.roots:
        light *= _root_shade(groom, target.roots)[..., None]
    turned = np.random.default_rng([seed, TURNING_WHITE]).binomial(HAIRS, target.grey, len(groom)) / HAIRS
    light += turned.reshape(-1, *[1] * tone.ndim) * (to_linear(WHITE) - light)
    shown = to_srgb(np.clip(light * np.exp(tone)[..., None], 0, LIGHTEST))
    return replace(groom, colours=shown, about=_renamed(groom, target))


def tones(groom: Groom) -> Doubles:
    """How much lighter each strand, (S,), or each point, (S, P), is than the whole: logarithms of light."""
    light = to_linear(groom.colours).astype(np.float64)
    if light.ndim == 1:
        return np.zeros(len(groom))
    shade = np.log(np.maximum(light, DARKEST)).mean(-1)
    return np.asarray(shade - shade.mean())


def _root_shade(groom: Groom, roots: float) -> Doubles:
    """(S, P) factors of light: darker at the roots."""
    step = np.linalg.norm(np.diff(groom.points, axis=1), axis=2)
    way = np.concatenate([np.zeros((len(groom), 1)), np.cumsum(step, 1)], 1)
    return np.asarray(np.exp(roots * np.log(ROOT_SHADE) * np.exp(-((way / ROOT_REACH) ** 2))))


def _renamed(groom: Groom, target: Recolour) -> dict[str, Any]:
    return {**groom.about, "colour": target.name or "#{:02x}{:02x}{:02x}".format(*_bytes(target.colour))}


def _bytes(colour: tuple[float, float, float]) -> list[int]:
    return [round(255 * value) for value in colour]

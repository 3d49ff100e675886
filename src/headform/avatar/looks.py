"""What each part of a head looks like in other programs: the one table behind the materials of every format."""

from __future__ import annotations

from dataclasses import dataclass

SKIN = "skin"


@dataclass(frozen=True, slots=True)
class Look:
    """The material of some parts.

    parts      of the head that have it; skin is also what no look names
    colour     linear RGB where nothing is worn
    roughness  perceptual, 0 a mirror to 1 chalk
    opacity    0 clear to 1 solid
    picture    the field of `Textures` that it shows, if it shows one
    specular   how strongly it reflects, of what other programs take for granted
    """

    parts: tuple[str, ...]
    colour: tuple[float, float, float]
    roughness: float
    opacity: float = 1.0
    picture: str | None = None
    specular: float = 1.0


LOOKS = {
    # Skin reflects 2.8 %, what others take for granted is 4.
    SKIN: Look(("skin",), (0.58, 0.36, 0.27), 0.55, picture="albedo", specular=0.7),
    # What glitters on an eye is the cornea before it; its iris is hollow and would catch light like a bowl.
    "eye_left": Look(("eye_left",), (0.80, 0.78, 0.75), 0.2, picture="eye_left"),
    "eye_right": Look(("eye_right",), (0.80, 0.78, 0.75), 0.2, picture="eye_right"),
    "teeth": Look(("teeth_upper", "teeth_lower"), (0.74, 0.70, 0.60), 0.3, picture="mouth"),
    "gums": Look(("gums_upper", "gums_lower"), (0.45, 0.14, 0.13), 0.35, picture="mouth"),
    "tongue": Look(("tongue",), (0.42, 0.13, 0.13), 0.45, picture="mouth"),
    "lashes": Look(("lashes",), (0.02, 0.014, 0.01), 0.8, picture="lashes"),
    # Black, so that all that shows of it is its glint.
    "cornea": Look(("cornea_left", "cornea_right"), (0.0, 0.0, 0.0), 0.05, opacity=0.15),
}
# Cards: their picture and the colours of their vertices say the rest. The specular of each hair on a ribbon is turned
# its own way, and what is left of it together is little.
HAIR = Look((), (1.0, 1.0, 1.0), 0.6, picture="hair", specular=0.1)

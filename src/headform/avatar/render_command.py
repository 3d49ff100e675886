"""`headform render`: an avatar's file in, a picture out. Heavy imports wait until they are needed."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headform.avatar.commands import add_hair_options
from headform.errors import BadInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FINE = 0
FIRST_PICTURE = Path("avatar.png")
SIZE = 512
MOST_VIEWS = 36
CLEAR = "transparent"
ANGLES = re.compile(r"-[\d.][\d.,-]*")


def add_render(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `headform`."""
    add = commands.add_parser(
        "render",
        help="draw an avatar from anywhere, with any expression",
        description="Draw an avatar: from anywhere, with any expression, one picture or a strip of several.",
        epilog="Example: headform render avatars/me --yaw -40,0,40 --expression jawOpen=0.3 mouthSmileLeft=0.8 "
        "mouthSmileRight=0.8 -o me.png",
    )
    add.add_argument("avatar", type=Path, metavar="AVATAR", help="avatar.zip, avatar.glb, or the folder of an avatar")
    add.add_argument(
        "--yaw", default="0", metavar="DEG", help="to the person's left; several give a strip: --yaw -40,0,40 (0)"
    )
    add.add_argument("--pitch", type=float, default=0.0, metavar="DEG", help="the camera goes up (0)")
    add.add_argument("--size", type=int, default=SIZE, metavar="PX", help=f"pixels along the side of a view ({SIZE})")
    add.add_argument("--background", default=CLEAR, metavar="R,G,B", help=f"0 to 255 each, or {CLEAR} ({CLEAR})")
    shown = add.add_mutually_exclusive_group()
    shown.add_argument("--expression", nargs="+", default=(), metavar="UNIT=AMOUNT", help="0 rest to 1 full (at rest)")
    shown.add_argument("--posed", action="store_true", help="turned, and with the expression, as in the photo")
    add_hair_options(add, "try a hairstyle on: headform hair list; own, or none (own)")
    add.add_argument("-o", "--output", type=Path, default=FIRST_PICTURE, metavar="PNG", help=f"({FIRST_PICTURE})")
    add._negative_number_matcher = ANGLES  # of -40,0,40 argparse would think that it is an option
    add.set_defaults(run=render)


def render(chosen: argparse.Namespace) -> int:
    """Run the command."""
    if chosen.output.suffix.lower() != ".png":
        raise BadInput(f"{chosen.output} is no picture name; end it with .png")
    yaws, units = read_yaws(chosen.yaw), read_expression(chosen.expression)
    background = read_background(chosen.background)

    from headform.avatar.framing import check_view

    for yaw in yaws:
        check_view(yaw, chosen.pitch, chosen.size)

    import numpy as np
    from PIL import Image

    from headform.avatar.framing import portrait
    from headform.avatar.restore import load
    from headform.avatar.try_on import OWN, tried_on, wished
    from headform.files import write_whole

    hairdo = wished(chosen.hair, chosen.hair_color, chosen.hair_length, chosen.hair_curl, OWN)
    avatar = load(chosen.avatar)
    if hairdo is not None:
        avatar = tried_on(avatar, hairdo, avatar.provenance.seed)
    if units:
        avatar = avatar.with_expression(units)
    vertices = avatar.posed() if chosen.posed else None
    views: list[NDArray[np.uint8]] = [
        portrait(avatar, yaw, chosen.pitch, chosen.size, vertices, background=background) for yaw in yaws
    ]
    strip = np.concatenate(views, 1)
    image: Any = Image.fromarray(strip if background is None else np.ascontiguousarray(strip[..., :3]))
    with write_whole(chosen.output) as stream:
        image.save(stream, "PNG", compress_level=6)
    print(f"wrote {chosen.output} ({strip.shape[1]} × {strip.shape[0]} pixels)")
    return FINE


def read_yaws(words: str) -> list[float]:
    """Degrees from `-40,0,40`."""
    try:
        yaws = [float(word) for word in words.split(",")]
    except ValueError:
        raise BadInput(f"--yaw {words} cannot be read; give degrees, several with commas: --yaw -40,0,40") from None
    if len(yaws) > MOST_VIEWS:
        raise BadInput(f"--yaw asks for {len(yaws)} views; {MOST_VIEWS} fit into one picture")
    return yaws


def read_expression(words: Sequence[str]) -> dict[str, float]:
    """Units from `jawOpen=0.5` and the like, one or several in a word; whether the head has them shows later."""
    units: dict[str, float] = {}
    for word in ",".join(words).split(",") if words else ():
        name, equals, amount = word.partition("=")
        try:
            units[name.strip()] = float(amount)
        except ValueError:
            equals = ""
        if not equals or not name or not math.isfinite(units[name.strip()]):
            raise BadInput(f"--expression {word} cannot be read; give UNIT=AMOUNT, for example jawOpen=0.5")
    return units


def read_background(words: str) -> tuple[float, float, float] | None:
    """sRGB, 0–1, from `R,G,B` with 0–255, or None for transparent."""
    if words.strip().lower() == CLEAR:
        return None
    try:
        red, green, blue = (int(word) for word in words.split(","))
    except ValueError:
        raise BadInput(f"--background {words} cannot be read; give R,G,B with 0 to 255 each, or {CLEAR}") from None
    if not all(0 <= value <= 255 for value in (red, green, blue)):
        raise BadInput(f"--background {words} is no colour; give R,G,B with 0 to 255 each, or {CLEAR}")
    return red / 255, green / 255, blue / 255

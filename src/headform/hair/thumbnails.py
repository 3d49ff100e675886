"""Pictures of hairstyles on the default head: sheets with titles, and the small pictures that ship with Headform."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headform.errors import BadInput
from headform.hair.groom import Groom
from headform.hair.scalp_paint import scalp_paint
from headform.head.default import load_default
from headform.render import Camera, Scene, Surface, Texture, contact_sheet, render, studio_light
from headform.render.camera import PORTRAIT_DISTANCE, PORTRAIT_FIELD
from headform.skin.textures import Textures
from headform.skin.wardrobe import Wardrobe, fine_mesh, surfaces

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

FOLDER = Path(__file__).parent / "data" / "thumbnails"
ENDING = ".webp"
SIZE = 256  # pixels along a side
MOST_BYTES = 12 * 1024  # of a thumbnail: a hundred of them weigh less than one texture
QUALITIES = (82, 72, 62, 52, 42, 32, 22, 12)  # of WebP, tried in this order
LEAST_SIZE, MOST_SIZE, MOST_PIXELS = 32, 2048, 64_000_000
TURN = 25.0  # degrees: a three-quarter view shows fringe, side and outline at once
PAPER = (232, 233, 235)
BRIGHTNESS = 1.2  # of the studio
WEARER = 7, 28.0, 0.4, (0.2, 0.3, 0.5)  # seed, age, sex and ancestry of the skin on the head that wears the styles
FRAME = 0.03, 0.40  # metres: the middle and the height of a thumbnail, from the chest to above a high bun
TEXTURE = 1024  # pixels of the skin
OUTLIERS = 1.0  # per cent of points at each end that may leave the picture: a few loose hairs do not make it wider
MARGIN = 1.06
TALLEST = 0.62  # metres that a picture shows at most: hair below the chest leaves it


def drawn(groom: Groom, yaw: float = TURN, size: int = SIZE, camera: Camera | None = None) -> Bytes:
    """(size, size, 3) a groom on the default head. Convention: degrees; yaw > 0 shows the person's left."""
    check_size(size)
    strands = (groom.strands(),) if len(groom) else ()
    paper = (PAPER[0] / 255, PAPER[1] / 255, PAPER[2] / 255)
    scene = Scene(worn(groom), strands, studio_light(BRIGHTNESS), background=paper)
    return render(scene, camera or camera_for([groom], yaw, size), supersample=2).rgb


def sheet(grooms: Sequence[Groom], titles: Sequence[str], yaws: Sequence[float] = (TURN,), size: int = SIZE) -> Bytes:
    """(H, W, 3) a page of grooms, each from every yaw in degrees, all at the same scale, with titles beneath."""
    check_size(size)
    count = len(grooms) * len(yaws)
    if not count:
        raise BadInput("a sheet of no hairstyle cannot be drawn; name at least one, and one yaw")
    if count * size * size > MOST_PIXELS:
        raise BadInput(
            f"a sheet of {count} pictures with {size} pixels is too large; lower --size or name fewer styles"
        )
    pictures, captions = [], []
    for groom, title in zip(grooms, titles, strict=True):
        for yaw in yaws:
            pictures.append(drawn(groom, yaw, size, camera_for(grooms, yaw, size)))
            captions.append(title if yaw == yaws[0] else "")
    across = len(yaws) * max(round(np.sqrt(len(grooms) / len(yaws))), 1)
    return contact_sheet(pictures, columns=across, captions=captions, margin=4, paper=PAPER)


def camera_for(grooms: Sequence[Groom], yaw: float, size: int) -> Camera:
    """A camera with the head and all of the hair in its picture."""
    head = load_default()
    skin = head.rest()[head.part_vertices("skin")]
    low, high = float(skin[:, 1].min()), float(skin[:, 1].max())
    side = float(np.abs(skin[:, [0, 2]]).max())
    for groom in grooms:
        if len(groom):
            points = groom.points.reshape(-1, 3)[:: max(groom.points.size // 300_000, 1)]
            bottom, top = np.percentile(points[:, 1], [OUTLIERS, 100 - OUTLIERS])
            low, high = min(low, float(bottom)), max(high, float(top))
            side = max(side, float(np.percentile(np.abs(points[:, [0, 2]]), 100 - OUTLIERS)))
    low = max(low, high - TALLEST)
    extent = min(max(high - low, 2 * side), TALLEST) * MARGIN
    field = max(2 * np.arctan(extent / 2 / PORTRAIT_DISTANCE), PORTRAIT_FIELD)
    target = (0.0, (low + high) / 2, 0.0)
    return Camera.portrait(np.radians(yaw), 0.0, size, field_of_view=float(field), target=target)


def thumbnail(groom: Groom) -> bytes:
    """A WebP picture of 256 × 256 pixels with at most 12 KB; the head is at the same place in all of them."""
    middle, extent = FRAME
    field = 2 * float(np.arctan(extent / 2 / PORTRAIT_DISTANCE))
    camera = Camera.portrait(np.radians(TURN), 0.0, SIZE, field_of_view=field, target=(0.0, middle, 0.0))
    image = Image.fromarray(drawn(groom, camera=camera))
    for quality in QUALITIES:
        stream = io.BytesIO()
        image.save(stream, "WEBP", quality=quality, method=6)
        if stream.tell() <= MOST_BYTES:
            break
    return stream.getvalue()


def path_of(name: str) -> Path | None:
    """The thumbnail that ships for a style; None if there is none."""
    path = FOLDER / f"{name}{ENDING}"
    return path if path.is_file() else None


def check_size(size: int) -> None:
    """Raises BadInput for pixels that no picture here can have."""
    if not LEAST_SIZE <= size <= MOST_SIZE:
        raise BadInput(f"a picture of {size} pixels cannot be drawn; give {LEAST_SIZE} to {MOST_SIZE}")


def worn(groom: Groom) -> tuple[Surface, ...]:
    """The default head under a groom: its skin is dark where hair grows."""
    bare, textures, skin = _wearer()
    if not len(groom):
        return bare
    painted = Texture.colour(scalp_paint(textures, groom))
    under = replace(bare[skin], material=replace(bare[skin].material, texture=painted))
    return (*bare[:skin], under, *bare[skin + 1 :])


@lru_cache(maxsize=1)
def _wearer() -> tuple[tuple[Surface, ...], Textures, int]:
    """The surfaces of the head without hair, what it wears, and which of them is the skin."""
    model = load_default()
    seed, age, sex, ancestry = WEARER
    textures = Textures.of(seed, age, sex, ancestry, TEXTURE)
    drawn = surfaces(model, model.posed(), Wardrobe.wearing(textures))
    return drawn, textures, list(fine_mesh(model).triangles).index("skin")

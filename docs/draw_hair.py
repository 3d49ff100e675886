"""The pictures of hair in the README: python docs/draw_hair.py docs/hair.jpg docs/styles.jpg

The first: a render of one of Headform's own people, who wears a style of the library, is taken for a photo (real
portraits belong to others). That photo, the avatar from the photo's camera, from both sides and from behind; beneath,
the avatar with other hair. The second: styles of the library.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headform import Avatar, Photo, reconstruct
from headform.avatar.views import input_view
from headform.hair import library
from headform.hair.colour import parse_colour, recoloured
from headform.hair.scalp_paint import with_painted_scalp
from headform.hair.thumbnails import FRAME, PAPER, TURN, drawn
from headform.head import aim_eyes, load_default
from headform.photo.crop import Crop, head_crop
from headform.render import Camera, Scene, contact_sheet, render, studio_light
from headform.render.camera import PORTRAIT_DISTANCE
from headform.show import draw_person
from headform.skin.textures import Textures
from headform.skin.wardrobe import Wardrobe, surfaces

Bytes = NDArray[np.uint8]

SEED, STYLE, COLOUR = 9, "bob_fringe", "dark blond"
YAW, SIDE, SIZE = 0.3, 1600, 400  # radians; pixels of the photo, and of a view
NARROW = 45  # pixels of a view that are left out on either side
CLOSER = 0.84  # of the head crop, from its middle
GROUND = (0.80, 0.81, 0.83)
AROUND = (50, -50, 180)  # degrees
TRIED_ON = (
    ("pixie", None),
    ("afro", "auburn"),
    ("box_braids", "black"),
    ("ponytail", "chestnut"),
    ("long_curly", "teal"),
)
SHEET = (
    "buzz", "crew_cut", "side_part", "quiff", "curtains", "mid_fade", "mohawk", "pixie",
    "short_curly", "chin_bob", "bob_fringe", "wavy_bob", "shag", "mullet", "curly_fringe", "afro",
    "long_straight", "beach_waves", "ringlets", "ponytail", "space_buns", "two_plaits", "box_braids", "locs_short",
)  # fmt: skip
CELL, ACROSS = 176, 8  # pixels of a style on the sheet, and how many stand in a row
QUALITY = 84  # of JPEG


def photo() -> Photo:
    """A person of ours with hair, a little turned, in light from one side."""
    model, person = load_default(), draw_person(load_default(), SEED)
    camera = Camera.portrait(YAW, 0.05, SIDE)
    rest, theta = model.posed(person.beta), aim_eyes(model, person.beta, camera.position)
    posed = model.posed(person.beta, {"mouthSmileLeft": 0.2, "mouthSmileRight": 0.2}, theta)
    groom = recoloured(library.groom(STYLE, model, vertices=rest), parse_colour(COLOUR))
    skin = with_painted_scalp(Textures.of(person.seed, person.age, person.sex, person.ancestry, 2048), groom)
    shown = surfaces(model, posed, Wardrobe.wearing(skin))
    scene = Scene(shown, (groom.moved(rest, posed).strands(),), studio_light(1.1), GROUND)
    return Photo.of(render(scene, camera).rgb, "one of ours")


def person_and_avatar() -> Bytes:
    """(H, W, 3) above the photo and its avatar, beneath the avatar with other hair."""
    seen = photo()
    avatar = reconstruct(seen)
    whole = head_crop(avatar.box, SIZE)
    inset = whole.side * (1 - CLOSER) / 2
    crop = Crop(whole.left + inset, whole.top + inset, whole.side * CLOSER, SIZE)
    found = [crop.cut(seen.pixels), _on_ground(input_view(avatar, crop)), *(_view(avatar, yaw) for yaw in AROUND)]
    tried = [_view(avatar.with_hair(style, colour=colour), 25) for style, colour in TRIED_ON]
    return np.vstack([np.hstack([view[:, NARROW:-NARROW] for view in row]) for row in (found, tried)])


def styles() -> Bytes:
    """(H, W, 3) some styles on the default head, framed as the thumbnails are, with their titles."""
    middle, extent = FRAME
    field = 2 * float(np.arctan(extent / 2 / PORTRAIT_DISTANCE))
    camera = Camera.portrait(np.radians(TURN), 0.0, CELL, field_of_view=field, target=(0.0, middle, 0.0))
    pictures = [drawn(library.groom(name), size=CELL, camera=camera) for name in SHEET]
    titles = [library.find(name).title for name in SHEET]
    return contact_sheet(pictures, columns=ACROSS, captions=titles, margin=4, paper=PAPER)


def main() -> None:
    for path, picture in zip(sys.argv[1:], (person_and_avatar, styles), strict=True):
        Image.fromarray(picture()).save(path, quality=QUALITY, optimize=True)


def _view(avatar: Avatar, yaw: float) -> Bytes:
    return avatar.render(yaw, 0, SIZE, background=GROUND)[..., :3]


def _on_ground(picture: Bytes) -> Bytes:
    alpha = picture[..., 3:] / 255
    return np.asarray(picture[..., :3] * alpha + 255 * np.array(GROUND) * (1 - alpha), np.uint8)


if __name__ == "__main__":
    main()

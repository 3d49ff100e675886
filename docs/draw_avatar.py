"""The picture of an avatar in the README: python docs/draw_avatar.py docs/avatar.jpg

A render of one of Headform's own people is taken for a photo (real portraits belong to others): that photo, the avatar
from the photo's camera, from both sides, and smiling.
"""

from __future__ import annotations

import sys

import numpy as np
from PIL import Image

from headform import reconstruct
from headform.avatar.views import input_view
from headform.head import aim_eyes, load_default
from headform.photo import Photo
from headform.photo.crop import Crop, head_crop
from headform.render import Camera, Scene, render, studio_light
from headform.show import draw_person
from headform.skin.wardrobe import Wardrobe, surfaces

SEED, SIZE, YAW = 8, 400, 0.3
CLOSER = 0.68  # of the head crop, from its middle
SMILE = {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8, "cheekSquintLeft": 0.5, "cheekSquintRight": 0.5, "jawOpen": 0.1}
GROUND = (0.80, 0.81, 0.83)


def photo() -> Photo:
    """A person of ours, a little turned, in light from one side."""
    model, person = load_default(), draw_person(load_default(), SEED)
    camera = Camera.portrait(YAW, 0.05, 1600)
    theta = aim_eyes(model, person.beta, camera.position)
    wardrobe = Wardrobe.of(person.seed, person.age, person.sex, person.ancestry, 2048)
    shown = surfaces(model, model.posed(person.beta, {"mouthSmileLeft": 0.2, "mouthSmileRight": 0.2}, theta), wardrobe)
    return Photo.of(render(Scene(shown, light=studio_light(1.1), background=GROUND), camera).rgb, "one of ours")


def main() -> None:
    seen = photo()
    avatar = reconstruct(seen)
    whole = head_crop(avatar.box, SIZE)
    inset = whole.side * (1 - CLOSER) / 2
    crop = Crop(whole.left + inset, whole.top + inset, whole.side * CLOSER, SIZE)
    pictures = [crop.cut(seen.pixels), _on_ground(input_view(avatar, crop))]
    views = [avatar.render(yaw, 0, SIZE, background=GROUND) for yaw in (40, -40)]
    views.append(avatar.with_expression(SMILE).render(0, 0, SIZE, background=GROUND))
    Image.fromarray(np.hstack(pictures + [view[..., :3] for view in views])).save(sys.argv[1], quality=90)


def _on_ground(picture: np.ndarray) -> np.ndarray:
    alpha = picture[..., 3:] / 255
    return np.asarray(picture[..., :3] * alpha + 255 * np.array(GROUND) * (1 - alpha), np.uint8)


if __name__ == "__main__":
    main()

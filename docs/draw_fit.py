"""Draws docs/fit.jpg: a render taken for a photo, the head fitted to it, and that head in clay.

python docs/draw_fit.py docs/fit.jpg
"""

from __future__ import annotations

import sys

from PIL import Image

from headform import show
from headform.avatar import reconstruct
from headform.avatar.overlay import clay, overlay
from headform.head import aim_eyes, load_default
from headform.photo import Photo
from headform.render import Camera, Scene, render
from headform.skin.wardrobe import Wardrobe, surfaces

SIDE = 400


def main() -> None:
    model = load_default()
    person = show.draw_person(model, 6)
    wardrobe = Wardrobe.of(person.seed, person.age, person.sex, person.ancestry, 2048)
    camera = Camera.portrait(0.35, 0.05, 900)
    smile = {"mouthSmileLeft": 0.6, "mouthSmileRight": 0.6, "jawOpen": 0.15}
    vertices = model.posed(person.beta, smile, aim_eyes(model, person.beta, camera.position))
    scene = Scene(surfaces(model, vertices, wardrobe), background=(0.88, 0.89, 0.9))
    photo = Photo.of(render(scene, camera).rgb, "render")
    avatar = reconstruct(photo)
    sheet = Image.new("RGB", (4 * SIDE, SIDE), (255, 255, 255))
    views = (photo.pixels, overlay(photo, avatar), clay(model, avatar.neutral(), 2 * SIDE)[:, : 4 * SIDE])
    for column, pixels in enumerate(views):
        image = Image.fromarray(pixels)
        image.thumbnail((2 * SIDE if column == 2 else SIDE, SIDE))
        sheet.paste(image, (column * SIDE, (SIDE - image.height) // 2))
    sheet.save(sys.argv[1], quality=88)


if __name__ == "__main__":
    main()

"""An avatar as a picture: from anywhere, or as the photo's own camera saw the person."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.avatar import hair
from headform.avatar.avatar import Avatar
from headform.errors import BadInput
from headform.fit import Floats
from headform.head import HeadModel
from headform.photo.crop import Crop, head_crop
from headform.render import Camera, Drawn, Lamp, Light, Material, Scene, Strands, Surface, render, studio_light
from headform.skin.textures import Textures
from headform.skin.wardrobe import CLEAR, Wardrobe, surfaces

Bytes = NDArray[np.uint8]

BRIGHTNESS = 1.2  # of the studio
GLINT = 0.5  # of the light that falls on what faces it
FAINT = 0.02  # of all light: less comes from everywhere
PLAIN = Material((0.78, 0.63, 0.55), roughness=0.55, specular=0.35, subsurface=0.5)  # where nothing is worn
PLAIN_EYE = Material((0.92, 0.91, 0.89), roughness=0.3, specular=0.4)


def draw(
    avatar: Avatar,
    camera: Camera,
    vertices: Floats | None = None,
    light: Light | None = None,
    background: ArrayLike | None = None,
    supersample: int = 2,
) -> Bytes:
    """(H, W, 4) sRGB with straight alpha: an avatar's head at rest, or with `vertices` (V, 3), in a studio's light."""
    placed = avatar.neutral() if vertices is None else vertices
    light = studio_light(BRIGHTNESS) if light is None else light
    scene = Scene(dressed(avatar, placed), combed(avatar, placed), light, background)
    return render(scene, camera, supersample).rgba


def input_view(avatar: Avatar, crop: Crop | None = None, supersample: int = 2) -> Bytes:
    """(size, size, 4) the head as the photo's own camera saw it, in the light found there: what `crop.cut` shows of
    the photo. Transparent outside the avatar."""
    if crop is None:
        if avatar.box is None:
            raise BadInput("the avatar does not say where in its photo the face was; give the crop")
        crop = head_crop(avatar.box)
    light = with_glints(avatar.fit.light)
    return draw(avatar, crop.camera(avatar.fit.camera), avatar.posed(), light, None, supersample)


def with_glints(light: Light) -> Light:
    """The same light with a lamp where most of it comes from: without one nothing wet has a highlight, and eyes look
    dead. What is matte is lit as before."""
    bands = light.coefficients.mean(1)
    toward = bands[[3, 1, 2]]
    if light.lamps or np.linalg.norm(toward) < FAINT * bands[0]:
        return light
    way = toward / np.linalg.norm(toward)
    return Light(light.coefficients, (Lamp(way, GLINT * np.maximum(light.shaded(way), 0)),))


def dressed(avatar: Avatar, vertices: Floats) -> tuple[Surface, ...]:
    """The surfaces of an avatar with vertices (V, 3) in its materials; the scalp in the shade of its hair."""
    textures = hair.worn(avatar, None)
    if textures is None:
        return _plain(avatar.model, vertices)
    return surfaces(avatar.model, vertices, _wardrobe(textures))


def combed(avatar: Avatar, vertices: Floats) -> tuple[Strands, ...]:
    """The strands of an avatar whose head has vertices (V, 3)."""
    if avatar.hair is None or not len(avatar.hair):
        return ()
    return (avatar.hair.moved(avatar.neutral(), vertices).strands(),)


@lru_cache(maxsize=2)
def _wardrobe(textures: Textures) -> Wardrobe:
    return Wardrobe.wearing(textures)


def _plain(model: HeadModel, vertices: Floats) -> tuple[Surface, ...]:
    out = []
    for index, part in enumerate(model.parts):
        if part in CLEAR:
            continue
        triangles = model.triangles[model.triangle_part == index]
        material = PLAIN_EYE if part.startswith(("eye", "teeth")) else PLAIN
        out.append(Surface(vertices, triangles, material, drawn=Drawn.OPAQUE))
    return tuple(out)

"""What one person wears on skin, eyes and in the mouth: pictures in the head's own texture coordinates."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from headform.errors import BadInput
from headform.skin.atlas import LEAST_SIZE, MOST_SIZE
from headform.skin.eyes import draw_iris_colour, paint_eye
from headform.skin.lashes import paint_lashes
from headform.skin.mouth import paint_mouth
from headform.skin.paint import paint

Bytes = NDArray[np.uint8]

SMALL_SHEET = 512  # pixels of the sheets of eyes and mouth
SCALP_SHADOW = 0.35  # of shaved hair, on a head that wears none


@dataclass(frozen=True, eq=False)
class Textures:
    """Pictures to put on a head; row 0 is at v = 1, colours are sRGB without light.

    albedo     (N, N, 3) of the skin
    normal     (N, N, 3) its fine relief, tangent space, OpenGL: green is +v
    roughness  (N, N) perceptual roughness × 255
    eye_left, eye_right (M, M, 3) the eyeballs, in the layout of `paint_eye`
    mouth      (M, M, 3) teeth, gums and tongue, in the layout of `paint_mouth`
    lashes     (L, L, 4) with straight alpha
    """

    albedo: Bytes
    normal: Bytes
    roughness: Bytes
    eye_left: Bytes
    eye_right: Bytes
    mouth: Bytes
    lashes: Bytes

    @classmethod
    def of(cls, seed: int, age: float, sex: float, ancestry: ArrayLike, size: int = 1024) -> Textures:
        """Those of a random person of some age, sex and ancestry; see `paint`."""
        shares = np.asarray(ancestry, float)
        skin = paint(seed, age, sex, ancestry, size, scalp_shadow=SCALP_SHADOW)
        iris = draw_iris_colour((float(shares[0]), float(shares[1]), float(shares[2])), seed)
        eye = paint_eye(iris, SMALL_SHEET, seed)
        mouth, lashes = paint_mouth(SMALL_SHEET, seed), paint_lashes(seed=seed)
        return cls(skin.albedo, skin.normal, skin.roughness, eye, eye, mouth, lashes)

    def resized(self, size: int) -> Textures:
        """The same with skin pictures of `size`² pixels; eyes, mouth and lashes stay."""
        if not LEAST_SIZE <= size <= MOST_SIZE:
            raise BadInput(f"a skin of {size} pixels was asked for; give {LEAST_SIZE} to {MOST_SIZE}")
        if len(self.albedo) == size:
            return self
        return replace(
            self,
            albedo=_resized(self.albedo, size),
            normal=_unit(_resized(self.normal, size)),
            roughness=_resized(self.roughness, size),
        )


def _resized(picture: Bytes, size: int) -> Bytes:
    how = Image.Resampling.BOX if len(picture) % size == 0 else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(picture).resize((size, size), how))


def _unit(normal: Bytes) -> Bytes:
    """A normal map whose vectors have length one again."""
    vectors = (normal.astype(np.float32) - 128) / 127
    vectors /= np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6)
    return np.asarray(np.rint(vectors * 127 + 128).clip(0, 255), np.uint8)

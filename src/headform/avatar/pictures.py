"""Pictures as files: each is encoded once, however many formats of an avatar hold it."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headform.avatar.avatar import Avatar
from headform.errors import BadInput
from headform.skin.textures import Textures

Bytes = NDArray[np.uint8]
Encode = Callable[[str, Bytes], bytes]

NAMES = tuple(each.name for each in fields(Textures))
QUALITY = {"normal": 97}  # of a JPEG: a direction shows blocks sooner than a colour does
USUAL_QUALITY = 95
WORKERS = 2  # Pillow leaves Python's lock while it encodes
PREVIEW_YAW, PREVIEW_PITCH, PREVIEW_SIZE = 30.0, 4.0, 512  # degrees, pixels
PREVIEW_TEXTURE = 1024  # pixels: finer ones would not be seen
PREVIEW_STRANDS = 9000
PREVIEW_GROUND = (0.80, 0.81, 0.83)

_resized: WeakKeyDictionary[Textures, dict[int, Textures]] = WeakKeyDictionary()
_kept: dict[str, WeakKeyDictionary[Textures, dict[str, bytes]]] = {
    "png": WeakKeyDictionary(),
    "compact": WeakKeyDictionary(),
}
_previews: WeakKeyDictionary[Avatar, bytes] = WeakKeyDictionary()


def worn(avatar: Avatar, texture: int | None) -> Textures | None:
    """The avatar's textures with skin pictures of `texture`² pixels, or as they are.

    Raises BadInput for a size that is no power of two, too small or too large.
    """
    whole = avatar.textures
    if texture is not None and (texture < 1 or texture & (texture - 1)):
        raise BadInput(f"a texture of {texture} pixels cannot be; give a power of two such as 1024 or 2048")
    if whole is None or texture is None or len(whole.albedo) == texture:
        return whole
    sizes = _resized.setdefault(whole, {})
    if texture not in sizes:
        sizes[texture] = whole.resized(texture)
    return sizes[texture]


def exact(textures: Textures) -> dict[str, bytes]:
    """Every picture as PNG, by the names of `Textures`: what a person paints on."""
    return _encoded(textures, "png", lambda name, pixels: png(pixels))


def compact(textures: Textures) -> dict[str, bytes]:
    """Every picture as a program shows it: JPEG at a quality where no error is seen, PNG where it has alpha."""
    return _encoded(textures, "compact", _small)


def png(pixels: Bytes) -> bytes:
    """A PNG file, quickly: only runs are looked for, which makes pictures of skin smaller than any search for words."""
    return _saved(pixels, "PNG", compress_level=1, compress_type=zlib.Z_RLE)


def kind(content: bytes) -> tuple[str, str]:
    """The ending and the media type of an encoded picture."""
    return (".png", "image/png") if content.startswith(b"\x89PNG") else (".jpg", "image/jpeg")


def preview(avatar: Avatar) -> bytes:
    """A PNG of the head in a studio, seen from its front left."""
    if avatar not in _previews:
        large = avatar.textures is not None and len(avatar.textures.albedo) > PREVIEW_TEXTURE
        shown = replace(avatar, textures=worn(avatar, PREVIEW_TEXTURE)) if large else avatar
        if avatar.hair is not None:
            shown = replace(shown, hair=avatar.hair.thinned(PREVIEW_STRANDS))
        drawn = shown.render(PREVIEW_YAW, PREVIEW_PITCH, PREVIEW_SIZE, background=PREVIEW_GROUND)
        _previews[avatar] = png(np.ascontiguousarray(drawn[..., :3]))
    return _previews[avatar]


def _small(name: str, pixels: Bytes) -> bytes:
    if pixels.shape[-1] == 4:
        return png(pixels)
    return _saved(pixels, "JPEG", quality=QUALITY.get(name, USUAL_QUALITY), subsampling=0)


def _saved(pixels: Bytes, form: str, **options: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, form, **options)
    return stream.getvalue()


def _encoded(textures: Textures, way: str, encode: Encode) -> dict[str, bytes]:
    kept = _kept[way]
    if textures not in kept:
        pixels = {name: np.ascontiguousarray(getattr(textures, name)) for name in NAMES}
        longest_first = sorted(NAMES, key=lambda name: -pixels[name].size)
        with ThreadPoolExecutor(WORKERS) as pool:
            done = dict(zip(longest_first, pool.map(lambda n: encode(n, pixels[n]), longest_first), strict=True))
        kept[textures] = {name: done[name] for name in NAMES}
    return kept[textures]

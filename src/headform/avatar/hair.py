"""An avatar's hair as files want it: alpha cards, their pictures, and skin in the shade of the hair.

Each is made once, however many formats hold it.
"""

from __future__ import annotations

import io
from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headform.avatar import pictures
from headform.avatar.avatar import Avatar
from headform.hair.cards import Cards, cards_of
from headform.hair.groom import Groom
from headform.hair.scalp_paint import with_painted_scalp
from headform.head.model import JOINTS
from headform.render.colour import to_linear, to_srgb
from headform.skin.textures import Textures

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

PICTURE, RELIEF = "hair", "hair_normal"  # names of the pictures on cards
# Pictures of the skin on which hair casts its shade, and how they are called as they are without hair, small.
BARE = {"albedo": "albedo_bare", "roughness": "roughness_bare"}
BARE_SIZE = 512  # pixels: a scalp has no features that are smaller than a millimetre
BARE_QUALITY, RELIEF_QUALITY = 90, 90  # of JPEGs
KEPT, STRANDS = "hair.npz", "hair.data"  # files of the strands: to be read back, and for other programs
COARSE_HUES = 2  # Pillow's name for hues at half the resolution
SHARED_STRANDS = 10000  # in files for other programs: the grooms of USC-HairSalon have as many
COARSE_STRANDS, COARSE_KNOTS = 2500, 16  # of the hair in files that hold it only to be read back: a quarter megabyte
DARKEST = 1e-3  # linear: colours are divided by the brightest of them
SKULL = JOINTS.index("neck")  # the joint that carries the scalp, and so the hair

_cards: WeakKeyDictionary[Avatar, Cards] = WeakKeyDictionary()
_painted: WeakKeyDictionary[Avatar, dict[int | None, Textures]] = WeakKeyDictionary()


def cards(avatar: Avatar) -> Cards | None:
    """The hair as cards on the neutral head; None where there is nothing to build."""
    if avatar.hair is None or not len(avatar.hair):
        return None
    if avatar not in _cards:
        _cards[avatar] = cards_of(avatar.hair)
    made = _cards[avatar]
    return made if len(made) else None


def worn(avatar: Avatar, texture: int | None) -> Textures | None:
    """The avatar's textures, see `pictures.worn`, with the scalp in the shade of the hair."""
    textures = pictures.worn(avatar, texture)
    if textures is None or avatar.hair is None or not len(avatar.hair):
        return textures
    painted = _painted.setdefault(avatar, {})
    if texture not in painted:
        painted[texture] = with_painted_scalp(textures, avatar.hair)
    return painted[texture]


def peak(cards: Cards) -> Floats:
    """(3,) linear RGB: the brightest of the cards' colours in each channel; they are shares of it in files."""
    return np.asarray(np.maximum(to_linear(cards.colours).max(0), DARKEST), np.float32)


def shares(cards: Cards) -> Bytes:
    """(V, 4) the cards' colours as shares of the brightest, × 255: dark hair would not fit eight linear bits."""
    share = np.rint(to_linear(cards.colours) / peak(cards) * 255)
    return np.concatenate([share, np.full((len(share), 1), 255)], 1).astype(np.uint8)


def grey_picture(cards: Cards) -> bytes:
    """A PNG, grey and alpha, of the strands on cards, which their colours multiply."""
    return _png(cards.picture.colour[..., (0, 3)], "LA")


def coloured_picture(cards: Cards) -> bytes:
    """A PNG, RGB and alpha, of the strands in the hair's mean colour: for programs without colours of vertices."""
    mean = to_linear(cards.colours).mean(0)
    coloured = 255 * to_srgb(to_linear(cards.picture.colour[..., :3] / 255) * mean)
    pixels = np.concatenate([np.rint(coloured), cards.picture.colour[..., 3:]], 2).astype(np.uint8)
    return _png(pixels, "RGBA")


def relief_picture(cards: Cards) -> bytes:
    """A JPEG of the strands' normals."""
    return _jpeg(cards.picture.normal, RELIEF_QUALITY, COARSE_HUES)


def bare_pictures(textures: Textures) -> dict[str, bytes]:
    """Small JPEGs of the skin as it is without hair; `bared` takes the paint off again with them."""
    return {name: _jpeg(_sized(getattr(textures, field), BARE_SIZE), BARE_QUALITY) for field, name in BARE.items()}


def bared(painted: Bytes, bare: Bytes) -> Bytes:
    """(N, N) or (N, N, 3) a picture without the shade of hair, from the painted one and the small one of the bare skin.

    What the two differ by is smooth, so that its small picture, enlarged, is all that the paint took away.
    """
    change = bare.astype(np.float32) - _sized(painted, len(bare)).astype(np.float32)
    channels = np.atleast_3d(change)
    size = painted.shape[1], painted.shape[0]
    enlarged = [
        np.asarray(Image.fromarray(np.ascontiguousarray(channels[..., row])).resize(size, Image.Resampling.BICUBIC))
        for row in range(channels.shape[2])
    ]
    whole = painted + np.stack(enlarged, 2).reshape(painted.shape)
    return np.asarray(np.rint(np.clip(whole, 0, 255)), np.uint8)


def kept(groom: Groom) -> bytes:
    """The hair as it is, to be read back."""
    from headform.hair.files import to_bytes

    return to_bytes(groom, ".npz")


def strands(groom: Groom) -> bytes:
    """The hair as other programs for strands read it: so many of the strands as those have guides for."""
    from headform.hair.files import to_bytes

    return to_bytes(groom.thinned(SHARED_STRANDS), ".data")


def kept_coarsely(groom: Groom) -> bytes:
    """The hair with fewer and plainer strands and without guides, where there is no room for all."""
    return kept(replace(groom.thinned(COARSE_STRANDS).resampled(COARSE_KNOTS), guides=None))


def _sized(pixels: Bytes, size: int) -> Bytes:
    if len(pixels) <= size:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((size, size), Image.Resampling.BOX))


def _png(pixels: Bytes, mode: str) -> bytes:
    stream = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(pixels))
    assert image.mode == mode
    image.save(stream, "PNG", compress_level=6)
    return stream.getvalue()


def _jpeg(pixels: Bytes, quality: int, subsampling: int = 0) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, subsampling=subsampling)
    return stream.getvalue()

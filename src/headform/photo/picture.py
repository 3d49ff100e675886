"""A checked photo: bounded before it is decoded, upright, RGB, without its private data."""

from __future__ import annotations

import io
import re
import stat
import warnings
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput, MissingExtra

Bytes = NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF")
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".avif", ".heic", ".heif")
MOST_BYTES = 100_000_000
MOST_PIXELS = 80_000_000
MOST_SCANS = 64  # passes over a progressive JPEG's pixels: cameras and programs write about 10
LONGEST, SHORTEST = 20_000, 32  # pixels on a side
FULL_FRAME_DIAGONAL = 43.27  # millimetres: EXIF's 35 mm equivalent means this diagonal
ORIENTATION, EXIF_BLOCK, FOCAL_35, FOCAL_WIDE, FOCAL_HIGH = 0x0112, 0x8769, 0xA405, 0xA002, 0xA003
SAME_SHAPE = 0.02  # of the ratio of the sides: beyond this the photo was cropped and its focal length lies
# In a JPEG: a byte 255 and the kind; 0 (an escaped 255), 1, 208 to 216 (restarts, start of image) hold no segment.
MARKER = re.compile(rb"\xff+[^\x00\x01\xd0-\xd8\xff]", re.DOTALL)
START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo, ready to be looked at.

    pixels   (H, W, 3) uint8 sRGB, upright (EXIF orientation applied), alpha laid over white
    name     for messages and folders: the file's name without its ending
    focal    focal length in pixels from EXIF, or None
    """

    pixels: Bytes
    name: str = "photo"
    focal: float | None = None

    @classmethod
    def open(cls, path: str | Path) -> Photo:
        """The photo in a file: JPEG, PNG, WebP, AVIF, or HEIC where its library is installed.

        An animation gives its first frame. Raises BadInput with the file's name where it is missing, no picture,
        broken, too large or too small, and MissingExtra for HEIC without its library.
        """
        path = Path(path)
        return cls.of(_read(path), path.stem, str(path))

    @classmethod
    def of(cls, content: bytes | Bytes, name: str = "photo", called: str = "") -> Photo:
        """A photo from the bytes of a file, or from RGB pixels (H, W, 3); `called` names it in messages."""
        if isinstance(content, np.ndarray):
            return cls(_checked_pixels(content, called or name), name)
        if not isinstance(content, bytes):
            kind = type(content).__name__
            raise BadInput(f"a photo must be the bytes of a file or an array, not {kind}; Photo.open takes a path")
        pixels, focal = _decoded(content, called or name)
        return cls(pixels, name, focal)


def _read(path: Path) -> bytes:
    try:
        about = path.stat()
    except FileNotFoundError:
        raise BadInput(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise BadInput(f"{path} cannot be read: {getattr(error, 'strerror', error)}") from error
    if stat.S_ISDIR(about.st_mode):
        raise BadInput(f"{path} is a folder; give a photo")
    if not stat.S_ISREG(about.st_mode):
        raise BadInput(f"{path} is no ordinary file; give a photo")
    if about.st_size > MOST_BYTES:
        raise BadInput(f"{path} has {about.st_size / 1e6:.0f} MB; photos of up to {MOST_BYTES / 1e6:.0f} MB are read")
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error


def _decoded(content: bytes, called: str) -> tuple[Bytes, float | None]:
    from PIL import Image, ImageFile

    if len(content) > MOST_BYTES:
        raise BadInput(f"{called} has {len(content) / 1e6:.0f} MB; photos of up to {MOST_BYTES / 1e6:.0f} MB are read")
    if not content:
        raise BadInput(f"{called} is empty")
    formats = list(FORMATS)
    if content[:2] == b"\xff\xd8" and count_scans(content) > MOST_SCANS:
        raise BadInput(f"{called} is a JPEG of more than {MOST_SCANS} passes; save it anew")
    if content[4:8] == b"ftyp" and content[8:12] in HEIC_BRANDS:
        formats = _with_heic(called)
    assert not ImageFile.LOAD_TRUNCATED_IMAGES
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(io.BytesIO(content), formats=formats)
        except Exception as error:
            raise BadInput(_no_picture(content, called, error)) from error
        with image:
            _check_size(image.size, called)
            try:
                exif = image.getexif()
                focal = _focal(exif, image.size)
                orientation = exif.get(ORIENTATION, 1)
                image.seek(0)
                image.load()
            except Exception as error:
                raise BadInput(f"{called} is damaged and cannot be read to its end ({error}); save it anew") from error
            pixels = _rgb(image)
    return _upright(pixels, orientation), focal


def count_scans(content: bytes) -> int:
    """Passes over the pixels in a JPEG's first picture: a small file may ask for thousands, hours of work."""
    scans, at = 0, 2
    while (found := MARKER.search(content, at)) is not None:
        kind, at = content[found.end() - 1], found.end()
        if kind == END_OF_IMAGE:
            break
        scans += kind == START_OF_SCAN
        at += int.from_bytes(content[at : at + 2], "big")
    return scans


def _with_heic(called: str) -> list[str]:
    try:
        heif: Any = import_module("pillow_heif")
    except ImportError:
        raise MissingExtra(f"{called} is a HEIC photo; `pip install pillow-heif`, or save it as JPEG") from None
    heif.register_heif_opener()
    return [*FORMATS, "HEIF"]


def _no_picture(content: bytes, called: str, error: Exception) -> str:
    if type(error).__name__ == "DecompressionBombError":
        return f"{called} has too many pixels; photos of up to {MOST_PIXELS / 1e6:.0f} megapixels are read"
    if content[:2] == b"\xff\xd8" or content[:8] == b"\x89PNG\r\n\x1a\n":
        return f"{called} is damaged and cannot be read; save it anew"
    return f"{called} is no picture that can be read; give a JPEG, PNG, WebP or AVIF"


def _check_size(size: tuple[int, int], called: str) -> None:
    wide, high = size
    if wide * high > MOST_PIXELS or max(size) > LONGEST:
        raise BadInput(
            f"{called} has {wide} × {high} pixels; photos of up to {MOST_PIXELS / 1e6:.0f} megapixels "
            f"and {LONGEST} on a side are read"
        )
    if min(size) < SHORTEST:
        raise BadInput(f"{called} has only {wide} × {high} pixels; a face needs at least {SHORTEST} each way")


def _rgb(image: Any) -> Bytes:
    """(H, W, 3) of any of Pillow's modes: 16 bits scaled, alpha over white."""
    from PIL import Image

    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        values = np.asarray(image, np.float32)
        grey = np.rint(np.clip(values / 65535, 0, 1) * 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, -1)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        whole = image.convert("RGBA")
        paper = Image.new("RGBA", whole.size, (255, 255, 255, 255))
        return np.asarray(Image.alpha_composite(paper, whole).convert("RGB"))
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))  # convert always copies


def _upright(pixels: Bytes, orientation: int) -> Bytes:
    """EXIF orientations 1 to 8, applied."""
    if orientation in (2, 4, 5, 7):
        pixels = pixels[:, ::-1] if orientation in (2, 5, 7) else pixels[::-1]
    if orientation == 3:
        pixels = pixels[::-1, ::-1]
    if orientation in (5, 8):
        pixels = np.rot90(pixels)
    if orientation in (6, 7):
        pixels = np.rot90(pixels, -1)
    return np.ascontiguousarray(pixels)


def _focal(exif: Any, size: tuple[int, int]) -> float | None:
    """Pixels, or None where EXIF does not say or the photo was cropped after it was taken."""
    block = exif.get_ifd(EXIF_BLOCK)
    equivalent = block.get(FOCAL_35)
    if not isinstance(equivalent, int | float) or not 8 <= equivalent <= 800:
        return None
    wide, high = block.get(FOCAL_WIDE), block.get(FOCAL_HIGH)
    if isinstance(wide, int) and isinstance(high, int) and min(wide, high) > 0:
        then, now = max(wide, high) / min(wide, high), max(size) / min(size)
        if abs(then / now - 1) > SAME_SHAPE:
            return None
    return float(equivalent / FULL_FRAME_DIAGONAL * np.hypot(*size))


def _checked_pixels(pixels: Bytes, called: str) -> Bytes:
    from headform.photo.warp import check_picture

    checked = np.ascontiguousarray(check_picture(pixels))
    _check_size((checked.shape[1], checked.shape[0]), called)
    return checked

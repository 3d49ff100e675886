"""What an avatar's file holds: its parameters, and the pictures of its skin, eyes and mouth."""

from __future__ import annotations

import io
import json
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.avatar.glb_hair import KEPT as STRANDS
from headform.avatar.hair import BARE, bared
from headform.avatar.hair import KEPT as HAIR
from headform.errors import BadInput
from headform.hair.files import from_bytes
from headform.hair.groom import Groom
from headform.skin.atlas import MOST_SIZE
from headform.skin.textures import Textures

Bytes = NDArray[np.uint8]
Read = Callable[[str], bytes | None]  # a file's bytes by its name, None where there is none

PARAMETERS = "params.json"
PACKED = ("avatar.zip", "avatar.glb", "avatar.vrm")  # where a folder's pictures are if they do not lie in it
MOST_BYTES = 400_000_000  # of a whole file
MOST_WORDS, MOST_PICTURE = 20_000_000, 250_000_000  # bytes of parameters, and of one picture, unpacked
JSON_CHUNK, BINARY_CHUNK = 0x4E4F534A, 0x004E4942
MODES = {"roughness": "L", "lashes": "RGBA"}  # the other pictures are RGB
DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError, OSError)  # zip files
SQUARE = ("albedo", "normal", "roughness")
KINDS = "an avatar.zip, its unpacked folder, or a .glb or .vrm that Headform wrote"


@dataclass(frozen=True, eq=False)
class Stored:
    """The parameters that `Avatar.parameters` wrote, and the pictures and the hair if there were any."""

    parameters: dict[str, Any]
    textures: Textures | None
    hair: Groom | None = None


def read_stored(path: Path) -> Stored:
    """What is in a file or folder. Raises BadInput where Headform wrote no avatar there."""
    try:
        about = path.stat()
        if stat.S_ISDIR(about.st_mode):
            return _from_folder(path)
        if not stat.S_ISREG(about.st_mode):  # a pipe may never end
            raise BadInput(f"{path} is no ordinary file; give {KINDS}")
        if about.st_size > MOST_BYTES:
            raise BadInput(f"{path} is larger than any avatar; give {KINDS}")
        content = path.read_bytes()
    except FileNotFoundError:
        raise BadInput(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise BadInput(f"{path} cannot be read: {getattr(error, 'strerror', error)}") from error
    if content[:4] == b"PK\x03\x04":
        return _from_zip(content, str(path))
    if content[:4] == b"glTF":
        return _from_glb(content, str(path))
    if path.suffix.lower() == ".json":
        return Stored(_parameters(content, str(path)), None)
    raise BadInput(f"{path} is no avatar that can be read back; give {KINDS}")


def _from_folder(folder: Path) -> Stored:
    def read(name: str) -> bytes | None:
        path = folder / name
        return path.read_bytes() if path.is_file() and path.stat().st_size <= _most(name) else None

    content = read(PARAMETERS)
    if content is None:
        raise BadInput(f"{folder} holds no {PARAMETERS}; give the folder of one avatar")
    stored = Stored(_parameters(content, str(folder)), _textures(read, str(folder)), _hair(read, str(folder)))
    packed = next((folder / name for name in PACKED if (folder / name).is_file()), None)
    if packed is None or (stored.textures is not None and (stored.hair is not None or not _haired(stored))):
        return stored
    inside = read_stored(packed)
    textures = inside.textures if stored.textures is None else stored.textures
    return Stored(stored.parameters, textures, inside.hair if stored.hair is None else stored.hair)


def _haired(stored: Stored) -> bool:
    """Whether the parameters say that there is hair."""
    return stored.parameters.get("hair") is not None


def _from_zip(content: bytes, called: str) -> Stored:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            names = set(packed.namelist())

            def read(name: str) -> bytes | None:
                if name not in names or packed.getinfo(name).file_size > _most(name):
                    return None
                return packed.read(name)

            parameters = read(PARAMETERS)
            if parameters is None:
                raise BadInput(f"{called} holds no {PARAMETERS}: it is no avatar that Headform wrote")
            return Stored(_parameters(parameters, called), _textures(read, called), _hair(read, called))
    except DAMAGED as error:
        raise BadInput(f"{called} is damaged and cannot be read ({error}); make it or fetch it anew") from error


def _from_glb(content: bytes, called: str) -> Stored:
    try:
        document, binary = _chunks(content)
        parameters = document["asset"].get("extras", {}).get("headform")
        images = {image.get("name"): image for image in document.get("images", [])}

        def read(name: str) -> bytes | None:
            image = images.get(name.removesuffix(".png"))
            return None if image is None else viewed(image["bufferView"])

        def viewed(number: int) -> bytes:
            view = document["bufferViews"][number]
            first = view.get("byteOffset", 0)
            return binary[first : first + view["byteLength"]]

        if not isinstance(parameters, dict):
            raise BadInput(f"{called} was not written by this Headform, or its extras were lost in another program")
        textures = _textures(read, called)
        if textures is not None:
            textures = _without_paint(textures, read, called)
        strands = document["asset"]["extras"].get(STRANDS)
        hair = None if strands is None else from_bytes(viewed(strands), ".npz", f"the hair of {called}")
        return Stored(parameters, textures, hair)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, struct.error) as error:
        raise BadInput(f"{called} is damaged and cannot be read; make it or fetch it anew") from error


def _chunks(content: bytes) -> tuple[dict[str, Any], bytes]:
    """The document and the binary chunk of a .glb; ValueError where it is none."""
    _, version, length = struct.unpack_from("<III", content)
    words, kind = struct.unpack_from("<II", content, 12)
    if version != 2 or length > len(content) or kind != JSON_CHUNK:
        raise ValueError("no glTF 2")
    document = json.loads(content[20 : 20 + words])
    first = 20 + words
    if first + 8 > len(content):
        return document, b""
    size, kind = struct.unpack_from("<II", content, first)
    return document, content[first + 8 : first + 8 + size] if kind == BINARY_CHUNK else b""


def _parameters(content: bytes, called: str) -> dict[str, Any]:
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{called} holds a damaged {PARAMETERS} ({error}); make it anew from the photo") from error
    if not isinstance(values, dict) or "headform" not in values:
        raise BadInput(f"{called} holds a {PARAMETERS} that Headform did not write")
    return values


def _most(name: str) -> int:
    """Bytes that a file of this name may have: a small zip can unpack to more than there is memory."""
    return MOST_WORDS if name == PARAMETERS else MOST_PICTURE


def _without_paint(textures: Textures, read: Read, called: str) -> Textures:
    """The skin as it is without hair, where the file says what that is."""
    for field, name in BARE.items():
        if bare := read(name):
            whole = bared(getattr(textures, field), _picture(bare, field, called))
            textures = replace(textures, **{field: whole})
    return textures


def _hair(read: Read, called: str) -> Groom | None:
    content = read(HAIR)
    return None if content is None else from_bytes(content, ".npz", f"the hair of {called}")


def _textures(read: Read, called: str) -> Textures | None:
    """The pictures, all or none."""
    names = [each.name for each in fields(Textures)]
    found = {name: read(f"{name}.png") for name in names}
    if all(content is None for content in found.values()):
        return None
    missing = [name for name, content in found.items() if content is None]
    if missing:
        raise BadInput(f"{called} lacks {missing[0]}.png; fetch it whole, or make it anew from the photo")
    return Textures(**{name: _picture(content or b"", name, called) for name, content in found.items()})


def _picture(content: bytes, name: str, called: str) -> Bytes:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
            wide, high = image.size
            if max(wide, high) > MOST_SIZE:
                raise BadInput(f"the {name} of {called} has {wide} × {high} pixels; {MOST_SIZE} a side are read")
            if name in SQUARE and wide != high:
                raise BadInput(f"the {name} of {called} has {wide} × {high} pixels; it must be a square")
            return np.asarray(image.convert(MODES.get(name, "RGB")))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadInput(f"the {name} of {called} is damaged and cannot be read; make it anew from the photo") from error

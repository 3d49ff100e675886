"""Headform's own strand file: all of a groom in one zip of plain arrays; nothing in it runs when it is read.

Places are whole numbers of STEP, so each coordinate comes back within half a step (10 µm): less than a tenth of a
hair's width. Colours and curliness come back within half of 1/255; width, barycentrics and one colour for all as they
were. Strands bend little: their second differences are small, so with the sign in the last bit and low bytes kept apart
from high ones they compress to a quarter of float32. `about` is JSON: tuples come back as lists. The roots' corners are
those of the head that `about["head"]` names. The same groom gives the same bytes.
"""

from __future__ import annotations

import io
import json
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.hair.groom import GRID, KNOTS, MOST, Groom
from headform.head.embedding import Embedding

Arrays = dict[str, NDArray[Any]]

FORMAT, VERSION = "headform-hair", 1
STEP = 2e-5  # metres
MOST_SHINE = 100.0
FARTHEST = 10.0  # metres from the head; beyond it a place is damage
SHADES = 255  # steps of a colour and of curliness
MOST_UNPACKED = 1 << 30  # bytes of all arrays together
MOST_ABOUT = 1 << 20  # bytes of the JSON
FIRST_DAY = (1980, 1, 1, 0, 0, 0)
ENTRIES = (
    *("format", "about", "bends", "colours", "width", "shine"),
    *("corners", "barycentric", "grown", "guides", "curliness"),
)
NPY = re.compile(rb"\{'descr': '([<|][iuf][124])', 'fortran_order': False, 'shape': \(([\d, ]*)\), \} *\n")
NPY_START = b"\x93NUMPY\x01\x00"
BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, KeyError, EOFError, RuntimeError, OSError)


def to_bytes(groom: Groom) -> bytes:
    """All of a groom. Raises BadInput where `about` is no JSON, or guides are NaN in a part of their knots."""
    arrays: Arrays = {
        "format": _letters(json.dumps({"format": FORMAT, "version": VERSION, "step": STEP})),
        "about": _letters(_about_text(groom.about)),
        "bends": _bends(groom.points),
        "colours": _shades(groom.colours),
        "width": np.array([groom.width], np.float32),
        "shine": np.array([groom.shine], np.float32),
    }
    if groom.roots is not None:
        arrays["corners"] = np.asarray(groom.roots.corners, np.int32)
        arrays["barycentric"] = np.asarray(groom.roots.barycentric, np.float32)
    if groom.guides is not None:
        arrays |= _guide_arrays(groom.guides)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, value in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(value), (1, 0), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{key}.npy", FIRST_DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content.getvalue())
    return stream.getvalue()


def from_bytes(data: bytes, name: str) -> Groom:
    """The groom that `to_bytes` wrote. Raises BadInput for what is cut short, altered, too large or no groom."""
    try:
        arrays = _unpacked(data, name)
        _check_format(arrays, name)
        return _groom(arrays, name)
    except BROKEN as error:
        raise BadInput(f"{name} is cut short or altered ({_in_short(error)}); fetch or write it again") from error


# ── writing ──────────────────────────────────────────────────────────────────────────────────────


def _about_text(about: Mapping[str, Any]) -> str:
    try:
        text = json.dumps(dict(about), ensure_ascii=False, allow_nan=False, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise BadInput(f"what a groom says about itself is kept as JSON, and this is none: {error}") from error
    if len(text.encode()) > MOST_ABOUT:
        raise BadInput(f"what a groom says about itself may have {MOST_ABOUT >> 20} MiB; say less")
    return text


def _letters(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


def _bends(strands: NDArray[Any]) -> NDArray[np.uint8]:
    """(B, S, P, 3) the B = 2 or 4 bytes, low ones first, of each strand's first place, first difference, and then
    second differences, all in steps; 2 n for a number n from 0 on, −2 n − 1 for one below."""
    if strands.size and np.abs(strands).max() > FARTHEST:
        raise BadInput(f"strands reach farther than {FARTHEST:g} m from the head; a groom is in metres")
    whole = np.rint(strands.astype(np.float64) / STEP).astype(np.int32)
    bends = np.diff(whole, axis=1, prepend=0)
    bends[:, 2:] = np.diff(bends[:, 1:], axis=1)
    unsigned = (bends << 1) ^ (bends >> 31)
    wide = 2 if unsigned.max(initial=0) < 1 << 16 else 4
    return np.stack([(unsigned >> 8 * byte).astype(np.uint8) for byte in range(wide)])


def _shades(colours: Any) -> NDArray[Any]:
    values = np.asarray(colours, np.float32)
    return values if values.ndim == 1 else np.rint(values.clip(0, 1) * SHADES).astype(np.uint8)


def _guide_arrays(guides: NDArray[Any]) -> Arrays:
    grown = np.isfinite(guides).all((2, 3))
    if np.isfinite(guides[~grown]).any():
        raise BadInput("a guide holds numbers and NaN; fill all of its knots, or none where nothing grows")
    return {
        "grown": grown.astype(np.uint8),
        "guides": _bends(guides[grown][:, :, :3]),
        "curliness": np.rint(guides[grown][:, :, 3].clip(0, 1) * SHADES).astype(np.uint8),
    }


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


def _unpacked(data: bytes, name: str) -> Arrays:
    """The arrays that a groom has, by name; of others nothing is read."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        wanted = {f"{key}.npy": key for key in ENTRIES}
        here = [entry for entry in archive.infolist() if entry.filename in wanted]
        if sum(entry.file_size for entry in here) > MOST_UNPACKED:
            raise BadInput(f"{name} unpacks to more than {MOST_UNPACKED >> 20} MiB; thin the hair")
        if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in here):
            raise BadInput(f"{name} is packed in a way that Headform does not write")
        return {wanted[entry.filename]: _array(archive.read(entry)) for entry in here}


def _array(content: bytes) -> NDArray[Any]:
    """An array of plain numbers from the one form of .npy that `to_bytes` writes, as large as its bytes are."""
    start = len(NPY_START) + 2
    size = int.from_bytes(content[len(NPY_START) : start], "little")
    head = NPY.fullmatch(content[start : start + size])
    if not content.startswith(NPY_START) or head is None:
        raise ValueError("an array in it has another form")
    shape = tuple(int(side) for side in head[2].decode().split(",") if side.strip())
    kind = np.dtype(head[1].decode())
    if math.prod(shape) * kind.itemsize != len(content) - start - size:
        raise ValueError("an array in it has another size than it says")
    return np.frombuffer(content, kind, offset=start + size).reshape(shape)


def _check_format(arrays: Arrays, name: str) -> None:
    said = json.loads(arrays["format"].tobytes()) if "format" in arrays else None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise BadInput(f"{name} is no hair that Headform wrote; give a strand file")
    if said.get("version") != VERSION or said.get("step") != STEP:
        raise BadInput(
            f"{name} is hair in format {said.get('version')!r:.20}, and this Headform reads format {VERSION}; update it"
        )


def _groom(arrays: Arrays, name: str) -> Groom:
    about = json.loads(arrays["about"].tobytes()[: MOST_ABOUT + 1], parse_constant=_no_number)
    if not isinstance(about, dict):
        raise ValueError("what it says about itself is no table")
    width = float(arrays["width"].reshape(1)[0])
    if not 0 <= width < FARTHEST:
        raise ValueError("its width is none of a strand")
    shine = float(arrays["shine"].reshape(1)[0]) if "shine" in arrays else 1.0
    if not 0 <= shine <= MOST_SHINE:
        raise ValueError("it shines like no hair")
    points = _places(arrays["bends"], name)
    return Groom(
        points,
        _colours(arrays["colours"]),
        width,
        _roots(arrays, len(points)),
        _guides(arrays, name) if "guides" in arrays else None,
        about,
        shine,
    )


def _colours(kept: NDArray[Any]) -> NDArray[np.float32]:
    """The inverse of `_shades`."""
    if kept.dtype != (np.float32 if kept.ndim == 1 else np.uint8) or not np.isfinite(kept).all():
        raise ValueError("its colours are no numbers of colours")
    return np.asarray(kept if kept.ndim == 1 else kept / np.float32(SHADES), np.float32)


def _places(kept: NDArray[Any], name: str) -> NDArray[np.float32]:
    """The inverse of `_bends`."""
    if kept.ndim != 4 or kept.shape[0] not in (2, 4) or kept.shape[2] < 2 or kept.shape[3] != 3 or kept.dtype != "u1":
        raise ValueError("its strands have another form")
    if kept.shape[1] > MOST:
        raise BadInput(f"{name} has {kept.shape[1]} strands, and at most {MOST} are read; thin the hair")
    unsigned = np.zeros(kept.shape[1:], np.int64)
    for byte, plane in enumerate(kept):
        unsigned |= plane.astype(np.int64) << 8 * byte
    # differences and their sums are bounded: 2^31 · P² stays below 2^63 for as many points as fit in MOST_UNPACKED
    ways = (unsigned >> 1) ^ -(unsigned & 1)
    ways[:, 1:] = np.cumsum(ways[:, 1:], axis=1)
    whole = np.cumsum(ways, axis=1)
    if whole.size and np.abs(whole).max() * STEP > FARTHEST + STEP:
        raise ValueError(f"its strands reach farther than {FARTHEST:g} m")
    return (whole * STEP).astype(np.float32)


def _roots(arrays: Arrays, count: int) -> Embedding | None:
    if "corners" not in arrays:
        return None
    corners, shares = arrays["corners"], arrays["barycentric"]
    if corners.shape != (count, 3) or shares.shape != (count, 3) or corners.dtype.kind != "i":
        raise ValueError("its roots do not fit its strands")
    if count and (corners.min() < 0 or not np.isfinite(shares).all() or np.abs(shares.sum(1) - 1).max() > 1e-3):
        raise ValueError("its roots lie on no triangle")
    return Embedding(corners.astype(np.int32), shares.astype(np.float32))


def _guides(arrays: Arrays, name: str) -> NDArray[np.float32]:
    grown = arrays["grown"].astype(bool)
    places, curliness = _places(arrays["guides"], name), arrays["curliness"]
    if grown.shape != (GRID, GRID) or places.shape != (grown.sum(), KNOTS, 3) or curliness.shape != places.shape[:2]:
        raise ValueError("its guides have another form")
    guides = np.full((GRID, GRID, KNOTS, 4), np.nan, np.float32)
    guides[grown] = np.concatenate([places, curliness[:, :, None].astype(np.float32) / SHADES], 2)
    return guides


def _no_number(word: str) -> None:
    raise ValueError(f"what it says about itself holds {word}")


def _in_short(error: Exception) -> str:
    said = " ".join(str(error).split()) or type(error).__name__
    return "".join(letter for letter in said[:100] if letter.isprintable())

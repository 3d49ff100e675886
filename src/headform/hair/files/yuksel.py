"""Cem Yuksel's HAIR: a header of 128 bytes, then segments, points, thickness, transparency and colours where its bits
say so. The format names neither unit nor axis: Headform writes metres with Y up and says so in the header's text."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.hair.files.loose import Loose, check_strands, groom_of
from headform.hair.groom import Groom

HEADER = struct.Struct("<4s4I2f3f88s")
MAGIC = b"HAIR"
OURS = b"Headform: metres, Y up"
SEGMENTS, POINTS, THICKNESS, TRANSPARENCY, COLOURS = 1, 2, 4, 8, 16  # bits: which arrays follow, in this order
KNOWN = SEGMENTS | POINTS | THICKNESS | TRANSPARENCY | COLOURS
MOST_SEGMENTS = 65535  # what 16 bits hold


def to_bytes(groom: Groom) -> bytes:
    """A groom's strands, its width and its colours; these by point where they are not one for all."""
    strands, points = groom.points.shape[:2]
    if points > MOST_SEGMENTS:
        raise BadInput(f".hair strands have at most {MOST_SEGMENTS} points, not {points}; resample the groom")
    colours = np.asarray(groom.colours, np.float32)
    plain = colours.ndim == 1
    bits = POINTS if plain else POINTS | COLOURS
    first = colours if plain else colours.reshape(-1, 3).mean(0) if strands else np.zeros(3)
    header = HEADER.pack(MAGIC, strands, strands * points, bits, points - 1, groom.width, 0.0, *first.tolist(), OURS)
    shades = b"" if plain else groom.point_colours().astype("<f4").tobytes()
    return header + groom.points.astype("<f4").tobytes() + shades


def from_bytes(data: bytes, name: str) -> Groom:
    """The groom in a .hair file. Transparency has no place in a groom and is left out. Raises BadInput."""
    if data[:4] != MAGIC or len(data) < HEADER.size:
        raise BadInput(f"{name} does not begin like a HAIR file; export the hair again")
    _, strands, total, bits, segments, thickness, _, *colour, text = HEADER.unpack_from(data)
    check_strands(strands, name)
    if bits & ~KNOWN or not bits & POINTS:
        raise BadInput(f"{name} is a HAIR file without points, or with arrays that are unknown; export the hair again")
    arrays = _arrays(data, strands, total, bits, name)
    counts = arrays[SEGMENTS].astype(np.int64) + 1 if bits & SEGMENTS else np.full(strands, segments + 1, np.int64)
    thick = arrays[THICKNESS][np.cumsum(counts) - counts] if bits & THICKNESS and counts.sum() == total else thickness
    ours = text.startswith(OURS)
    loose = Loose(
        arrays[POINTS].reshape(-1, 3),
        counts,
        arrays[COLOURS].reshape(-1, 3) if bits & COLOURS else np.array(colour),
        float(np.median(thick)) if np.size(thick) and np.isfinite(thick).all() else None,
        unit=1.0 if ours else None,
        up="y" if ours else None,
    )
    return groom_of(loose, name)


def _arrays(data: bytes, strands: int, total: int, bits: int, name: str) -> dict[int, NDArray[Any]]:
    """The arrays that follow the header, by their bits."""
    sizes = {
        SEGMENTS: ("<u2", strands),
        POINTS: ("<f4", 3 * total),
        THICKNESS: ("<f4", total),
        TRANSPARENCY: ("<f4", total),
        COLOURS: ("<f4", 3 * total),
    }
    here = {bit: (np.dtype(kind), many) for bit, (kind, many) in sizes.items() if bits & bit}
    needed = HEADER.size + sum(kind.itemsize * many for kind, many in here.values())
    if needed != len(data):
        raise BadInput(
            f"{name} promises {strands} strands of {total} points in {needed} bytes and has {len(data)}; "
            "export the hair again"
        )
    found, at = {}, HEADER.size
    for bit, (kind, many) in here.items():
        found[bit] = np.frombuffer(data, kind, many, at)
        at += kind.itemsize * many
    return found

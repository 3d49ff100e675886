"""USC-HairSalon .data: a count of strands, and for each a count of points and the points; little-endian, metres, Y up.

A strand of one point is a root on which nothing grows. Colours, roots and widths have no place in it.
"""

from __future__ import annotations

import struct

import numpy as np

from headform.errors import BadInput
from headform.hair.files.loose import Loose, check_strands, groom_of
from headform.hair.groom import Groom

COUNT = struct.Struct("<i")
POINT = 12  # bytes: three float32


def to_bytes(groom: Groom) -> bytes:
    """A groom's strands."""
    strands, points = groom.points.shape[:2]
    record = np.empty(strands, np.dtype([("count", "<i4"), ("points", "<f4", (points, 3))]))
    record["count"], record["points"] = points, groom.points
    return COUNT.pack(strands) + record.tobytes()


def from_bytes(data: bytes, name: str) -> Groom:
    """The groom in a .data file. Raises BadInput."""
    if len(data) < COUNT.size:
        raise BadInput(f"{name} is too short for a strand file; export the hair again")
    strands = COUNT.unpack_from(data)[0]
    check_strands(strands, name)
    counts, pieces, at = np.ones(strands, np.int64), list[bytes](), COUNT.size
    for strand in range(strands):
        count = COUNT.unpack_from(data, at)[0] if at + COUNT.size <= len(data) else 0
        start, at = at + COUNT.size, at + COUNT.size + POINT * count
        if count < 1 or at > len(data):
            raise BadInput(
                f"{name} promises {strands} strands and is cut short or damaged at strand {strand}; export it again"
            )
        counts[strand] = count
        pieces.append(data[start:at])
    if at != len(data):
        raise BadInput(f"{name} goes on after its last strand, so its counts are wrong; export it again")
    points = np.frombuffer(b"".join(pieces), "<f4").reshape(-1, 3)
    return groom_of(Loose(points, counts, unit=1.0), name)

"""Strands as the lines of a Wavefront OBJ: a `v` for each point, with its colour, and an `l` for each strand."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.hair.files.loose import Loose, check_strands, groom_of
from headform.hair.groom import Groom

OURS = "# Headform strands: metres, Y up, width "
COLOURED = 7  # words of a `v` with a colour: v x y z r g b


def to_bytes(groom: Groom) -> bytes:
    """A groom's strands with their colours; its width stands in the first comment."""
    strands, points = groom.points.shape[:2]
    rows = np.concatenate([groom.points, groom.point_colours()], 2).reshape(-1, 6)
    text = io.StringIO()
    text.write(f"{OURS}{groom.width:.9g}\no hair\n")
    np.savetxt(text, rows, "v %.6f %.6f %.6f %.4f %.4f %.4f")
    numbers = np.arange(1, strands * points + 1).reshape(strands, points)
    np.savetxt(text, numbers, "l" + " %d" * points)
    return text.getvalue().encode("ascii")


def from_bytes(data: bytes, name: str) -> Groom:
    """The groom in an OBJ's lines; faces are left out, and pieces of a line that follow one another are joined.

    Raises BadInput.
    """
    text = data.decode("latin1").replace("\\\r\n", " ").replace("\\\n", " ")
    rows = [line.strip() for line in text.splitlines()]
    vertices = [row for row in rows if row[:2] in ("v ", "v\t")]
    lines = [row for row in rows if row[:2] in ("l ", "l\t")]
    ours = bool(rows) and rows[0].startswith(OURS)
    if not lines and not (ours and not vertices):
        raise BadInput(f"{name} has no lines; export the hair as polylines or as another strand file")
    places, colours = _vertices(vertices, name)
    strands = _joined(_strands(rows, name) if any(" -" in row for row in lines) else _numbers(lines, name))
    check_strands(len(strands), name)
    corners = np.concatenate(strands) if strands else np.zeros(0, np.int64)
    if len(corners) and not 1 <= corners.min() <= corners.max() <= len(places):
        raise BadInput(f"{name} has lines through vertices that it has not; export the hair again")
    loose = Loose(
        places[corners - 1],
        np.array([len(strand) for strand in strands], np.int64),
        None if colours is None or not len(corners) else colours[corners - 1],
        _stated_width(rows[0]) if ours else None,
        unit=1.0 if ours else None,
    )
    return groom_of(loose, name)


def _vertices(rows: list[str], name: str) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Places (V, 3), and colours (V, 3) where every vertex has one."""
    if not rows:
        return np.zeros((0, 3)), None
    coloured = all(len(row.split()) == COLOURED for row in (rows[0], rows[-1]))
    try:
        table = np.loadtxt(rows, comments=None, usecols=range(1, 7 if coloured else 4), ndmin=2)
    except ValueError as error:
        raise BadInput(f"{name} has vertices that are no numbers; export the hair again") from error
    return table[:, :3], table[:, 3:] if coloured else None


def _numbers(rows: list[str], name: str) -> list[NDArray[np.int64]]:
    """The vertices of each `l`, counted from 1; what stands behind a slash is for textures."""
    try:
        return [np.array([int(word.partition("/")[0]) for word in row.split()[1:]], np.int64) for row in rows]
    except (ValueError, OverflowError) as error:
        raise BadInput(f"{name} has lines that name no vertices; export the hair again") from error


def _strands(rows: list[str], name: str) -> list[NDArray[np.int64]]:
    """As `_numbers`, for a file whose lines count back from the vertex before them."""
    before, seen, lines = list[int](), 0, list[str]()
    for row in rows:
        if row[:2] in ("v ", "v\t"):
            seen += 1
        elif row[:2] in ("l ", "l\t"):
            lines.append(row)
            before.append(seen)
    numbers = _numbers(lines, name)
    return [np.where(each < 0, each + many + 1, each) for each, many in zip(numbers, before, strict=True)]


def _joined(pieces: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """Pieces that begin where the one before ended are one strand: many programs write a line for each segment."""
    runs: list[list[NDArray[np.int64]]] = []
    for piece in pieces:
        if not len(piece):
            continue
        if runs and runs[-1][-1][-1] == piece[0]:
            runs[-1].append(piece[1:] if len(piece) > 1 else piece)
        else:
            runs.append([piece])
    return [np.concatenate(run) if len(run) > 1 else run[0] for run in runs]


def _stated_width(comment: str) -> float | None:
    try:
        return float(comment.removeprefix(OURS))
    except ValueError:
        return None

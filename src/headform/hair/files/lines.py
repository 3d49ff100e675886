"""Strands as the lines of a Wavefront OBJ: a `v` for each point, with its colour, and an `l` for each strand."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.hair.files.loose import Loose, check_strands, groom_of
from headform.hair.groom import Groom

OURS = "# Headform strands: metres, Y up, width "
END = "# end of the strands"  # without it a file of ours was cut short
MOST_NUMBER = 2**53  # up to which float64 holds every whole number
COLOURED = 7  # words of a `v` with a colour: v x y z r g b


def to_bytes(groom: Groom) -> bytes:
    """A groom's strands with their colours; its width stands in the first comment."""
    strands, points = groom.points.shape[:2]
    rows = np.concatenate([groom.points, groom.point_colours()], 2).reshape(strands, points * 6)
    vertices, line = "v %.6f %.6f %.6f %.4f %.4f %.4f\n" * points, "l" + " %d" * points + "\n"
    text = [f"{OURS}{groom.width:.9g}\no hair\n"]
    text += [vertices % tuple(row.tolist()) for row in rows]
    text += [line % tuple(range(first, first + points)) for first in range(1, strands * points + 1, points)]
    return "".join([*text, f"{END}\n"]).encode("ascii")


def from_bytes(data: bytes, name: str) -> Groom:
    """The groom in an OBJ's lines; faces are left out, and pieces of a line that follow one another are joined.

    Raises BadInput.
    """
    text = data.decode("latin1").replace("\\\r\n", " ").replace("\\\n", " ")
    rows = [line.strip() for line in text.splitlines()]
    vertices = [row for row in rows if row[:2] in ("v ", "v\t")]
    lines = [row for row in rows if row[:2] in ("l ", "l\t")]
    ours = bool(rows) and rows[0].startswith(OURS)
    if ours and rows[-1] != END:
        raise BadInput(f"{name} is cut short; write it again")
    if not lines and not (ours and not vertices):
        raise BadInput(f"{name} has no lines; export the hair as polylines or as another strand file")
    places, colours = _vertices(vertices, name)
    back = any("-" in row for row in lines)
    strands = _joined(_counted_back(rows, name) if back else _numbers(lines, name))
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
    flat = _plain(rows, "v")
    for words in (COLOURED, COLOURED - 3):
        if flat is not None and len(flat) == words * len(rows) and np.isnan(flat[::words]).all():
            table = flat.reshape(-1, words)[:, 1:]
            return table[:, :3], table[:, 3:] if words == COLOURED else None
    try:
        table = np.array([[float(word) for word in row.split()[1:4]] for row in rows])
    except ValueError as error:
        raise BadInput(f"{name} has vertices that are no numbers; export the hair again") from error
    if table.shape != (len(rows), 3):
        raise BadInput(f"{name} has vertices without three numbers; export the hair again")
    return table, None


def _numbers(rows: list[str], name: str) -> list[NDArray[np.int64]]:
    """The vertices of each `l`, counted from 1; what stands behind a slash is for textures."""
    flat = _plain(rows, "l")
    if flat is not None and len(flat):
        starts = np.flatnonzero(np.isnan(flat))
        whole = np.where(np.isnan(flat), 0, flat)
        if len(starts) == len(rows) and (whole == np.floor(whole)).all() and whole.max() < MOST_NUMBER:
            return _cut(whole.astype(np.int64), starts)
    try:
        return [np.array([int(word.partition("/")[0]) for word in row.split()[1:]], np.int64) for row in rows]
    except (ValueError, OverflowError) as error:
        raise BadInput(f"{name} has lines that name no vertices; export the hair again") from error


def _cut(numbers: NDArray[np.int64], starts: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """What stands between the letters of lines, which begin at `starts`."""
    ends = [*starts[1:].tolist(), len(numbers)]
    return [numbers[start + 1 : end] for start, end in zip(starts.tolist(), ends, strict=True)]


def _plain(rows: list[str], letter: str) -> NDArray[np.float64] | None:
    """All numbers of rows one after the other, NaN for the letter that begins each: many times faster than word by
    word. None where anything else stands in them."""
    text = "\n".join(rows)
    if text.count(letter) != len(rows) or "n" in text or "N" in text:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # numpy warns where it stops before the end
        try:
            return np.fromstring(text.replace(letter, "nan"), np.float64, sep=" ")
        except (DeprecationWarning, ValueError):
            return None


def _counted_back(rows: list[str], name: str) -> list[NDArray[np.int64]]:
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

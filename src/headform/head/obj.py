"""Wavefront OBJ, as far as heads need it: places, texture coordinates and faces of three or four corners."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput


@dataclass(frozen=True, eq=False)
class Obj:
    """vertices (V, 3), uv (U, 2), quads and quads_uv (Q, 4) from zero; a triangle repeats its last corner."""

    vertices: NDArray[np.float64]
    uv: NDArray[np.float64]
    quads: NDArray[np.int32]
    quads_uv: NDArray[np.int32]


def read_obj(path: Path) -> Obj:
    """A whole OBJ file. Raises BadInput if it cannot be read or its faces are not of 3 or 4 corners."""
    places: list[list[float]] = []
    uv: list[list[float]] = []
    quads: list[list[int]] = []
    quads_uv: list[list[int]] = []
    for number, line in enumerate(_lines(path), 1):
        try:
            match line.split():
                case ["v", x, y, z, *_]:
                    places.append([float(x), float(y), float(z)])
                case ["vt", u, v, *_]:
                    uv.append([float(u), float(v)])
                case ["f", *corners]:
                    _add_face(corners, quads, quads_uv)
        except ValueError as error:
            raise BadInput(f"{path}, line {number} is not OBJ as heads use it: {line.strip()[:60]!r}") from error
    return Obj(
        _finite(np.array(places).reshape(-1, 3), path),
        np.array(uv).reshape(-1, 2),
        np.array(quads, np.int32).reshape(-1, 4),
        np.array(quads_uv, np.int32).reshape(-1, 4),
    )


def read_obj_vertices(path: Path) -> NDArray[np.float64]:
    """(V, 3) only the places of an OBJ file. Raises BadInput if it cannot be read."""
    rows = [line[2:] for line in _lines(path) if line.startswith("v ")]
    try:
        places = np.array(" ".join(rows).split(), np.float64).reshape(len(rows), -1)[:, :3]
    except ValueError as error:
        raise BadInput(f"{path} has a vertex that is not numbers") from error
    return _finite(places, path)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="latin1").splitlines()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error


def _add_face(corners: list[str], quads: list[list[int]], quads_uv: list[list[int]]) -> None:
    if len(corners) not in (3, 4):
        raise ValueError(f"{len(corners)} corners")
    parts = [corner.split("/") for corner in corners]
    parts += parts[-1:] * (4 - len(parts))
    quads.append([_from_zero(part[0]) for part in parts])
    quads_uv.append([_from_zero(part[1]) if len(part) > 1 and part[1] else 0 for part in parts])


def _from_zero(word: str) -> int:
    number = int(word)
    if number < 1:
        raise ValueError("relative corners are not used by heads")
    return number - 1


def _finite(places: NDArray[np.float64], path: Path) -> NDArray[np.float64]:
    if len(places) == 0:
        raise BadInput(f"{path} has no vertices")
    if not np.isfinite(places).all():
        raise BadInput(f"{path} has a vertex that is NaN or infinite")
    return places

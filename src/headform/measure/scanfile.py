"""What scanners write: OBJ and PLY meshes with their texture, and lists of landmarks."""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.head.obj import read_obj
from headform.photo.picture import MOST_PIXELS

Doubles = NDArray[np.float64]
Ints = NDArray[np.int32]
Bytes = NDArray[np.uint8]

PICTURES = (".jpg", ".jpeg", ".png", ".bmp")
PLY_TYPES = {
    **dict.fromkeys(("char", "int8"), "i1"),
    **dict.fromkeys(("uchar", "uint8"), "u1"),
    **dict.fromkeys(("short", "int16"), "i2"),
    **dict.fromkeys(("ushort", "uint16"), "u2"),
    **dict.fromkeys(("int", "int32"), "i4"),
    **dict.fromkeys(("uint", "uint32"), "u4"),
    **dict.fromkeys(("float", "float32"), "f4"),
    **dict.fromkeys(("double", "float64"), "f8"),
}


@dataclass(frozen=True, eq=False)
class ScanMesh:
    """A scan as it lies in its file, in the file's unit.

    vertices      (V, 3)
    triangles     (T, 3), (0, 3) for a cloud of points
    uv            (U, 2) and triangles_uv (T, 3), for the texture; empty without
    texture       the picture of its colours, if there is one
    """

    vertices: Doubles
    triangles: Ints
    uv: Doubles
    triangles_uv: Ints
    texture: Path | None = None


def read_scan_mesh(path: Path) -> ScanMesh:
    """An .obj or .ply file. Raises BadInput if it cannot be read."""
    if path.suffix.lower() == ".ply":
        vertices, triangles = _read_ply(path)
        return ScanMesh(vertices, triangles, np.zeros((0, 2)), np.zeros((0, 3), np.int32))
    obj = read_obj(path)
    if len(obj.quads) and not 0 <= obj.quads.min() <= obj.quads.max() < len(obj.vertices):
        raise BadInput(f"{path} has faces that name vertices it has not; write it anew")
    triangles, real = _cut(obj.quads)
    triangles_uv = obj.quads_uv[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)[real]
    if not len(obj.uv) or (len(obj.quads_uv) and obj.quads_uv.max() >= len(obj.uv)):
        return ScanMesh(obj.vertices, triangles, np.zeros((0, 2)), np.zeros((0, 3), np.int32))
    return ScanMesh(obj.vertices, triangles, obj.uv, triangles_uv, find_texture(path))


def find_texture(path: Path) -> Path | None:
    """The picture that an OBJ's .mtl names with map_Kd, else one named like the OBJ, else `color.*`."""
    beside = path.parent
    named = [beside / m for m in _words(path, r"^mtllib\s+(.+?)\s*$", lines=200)] + [path.with_suffix(".mtl")]
    for library in named:
        if library.is_file():
            for picture in _words(library, r"^\s*map_Kd\s+(?:-\S+\s+\S+\s+)*(.+?)\s*$"):
                if (beside / picture.replace("\\", "/")).is_file():
                    return beside / picture.replace("\\", "/")
    for stem in (path.stem, "color", "colour", "texture"):
        for ending in PICTURES:
            if (beside / (stem + ending)).is_file():
                return beside / (stem + ending)
    return None


def read_texture(path: Path) -> Bytes:
    """(H, W, 3) uint8 sRGB. Raises BadInput if it is no picture."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(path) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise BadInput(f"{path} has more than {MOST_PIXELS / 1e6:.0f} megapixels; make it smaller")
                return np.asarray(image.convert("RGB"))
        except BadInput:
            raise
        except Exception as error:
            raise BadInput(f"{path} is no picture that can be read ({error}); save it anew as JPEG or PNG") from error


def read_seven(path: Path) -> Doubles:
    """(7, 3) landmarks: MeshLab's .pp, JSON (a list of seven, or of `seven` or `landmarks7`), or rows of numbers.

    Raises BadInput if there are not seven.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        if path.suffix.lower() == ".pp":
            points = [[float(_attribute(tag, axis)) for axis in "xyz"] for tag in re.findall(r"<point\b[^>]*>", text)]
        elif path.suffix.lower() == ".json":
            found = json.loads(text)
            if isinstance(found, dict):
                found = found.get("seven", found.get("landmarks7"))
            points = [[float(x) for x in row] for row in found]
        else:
            rows = [line.split("#")[0].replace(",", " ").split() for line in text.splitlines()]
            points = [[float(word) for word in row[-3:]] for row in rows if row]
        seven = np.array(points, np.float64)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise BadInput(f"{path} holds no landmarks: {error}; give seven rows of x, y, z") from error
    if seven.shape != (7, 3) or not np.isfinite(seven).all():
        raise BadInput(f"{path} holds {seven.shape} numbers; give seven landmarks of x, y, z")
    return seven


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\s{name}\s*=\s*"([^"]*)"', tag)
    if not found:
        raise ValueError(f"a point without {name}")
    return found[1]


def _words(path: Path, pattern: str, lines: int = 10_000) -> list[str]:
    """What the pattern's group finds in the first lines of a text file."""
    try:
        with path.open(encoding="latin1") as stream:
            head = [line for _, line in zip(range(lines), stream, strict=False)]
    except OSError:
        return []
    return [m[1] for line in head if (m := re.match(pattern, line))]


def _cut(quads: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Triangles of quads, and which of twice as many are real: a triangle's second half is none."""
    triangles = quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)
    a, b, c = triangles.T
    real = (a != b) & (b != c) & (c != a)
    return np.ascontiguousarray(triangles[real]), real


# ── PLY ──────────────────────────────────────────────────────────────────────────────────────────


def _read_ply(path: Path) -> tuple[Doubles, Ints]:
    try:
        content = path.read_bytes()
        kind, elements, body = _ply_header(content)
        read = _ply_text if kind == "ascii" else _ply_binary
        vertices, polygons = read(body, elements, ">" if "big" in kind else "<")
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, IndexError, KeyError) as error:
        raise BadInput(f"{path} is no PLY mesh that can be read ({error}); save it anew with MeshLab") from error
    fans = [[p[0], p[k], p[k + 1]] for p in polygons for k in range(1, len(p) - 1)]
    triangles = np.array(fans, np.int32).reshape(-1, 3)
    if not np.isfinite(vertices).all() or not len(vertices):
        raise BadInput(f"{path} has no vertices, or some that are no numbers")
    if len(triangles) and not 0 <= triangles.min() <= triangles.max() < len(vertices):
        raise BadInput(f"{path} has faces that name vertices it has not; write it anew")
    return vertices, triangles


def _ply_header(content: bytes) -> tuple[str, list[tuple[str, int, list[list[str]]]], bytes]:
    """Format, elements (name, count, properties as words) and what follows the header."""
    end = content.index(b"end_header")
    start = content.index(b"\n", end) + 1
    elements: list[tuple[str, int, list[list[str]]]] = []
    kind = ""
    lines = content[:end].decode("latin1").split("\n")
    if lines[0].strip() != "ply":
        raise ValueError("it does not begin with 'ply'")
    for line in lines[1:]:
        words = line.split()
        if words[:1] == ["format"]:
            kind = words[1]
        elif words[:1] == ["element"]:
            elements.append((words[1], int(words[2]), []))
        elif words[:1] == ["property"]:
            elements[-1][2].append(words[1:])
    return kind, elements, content[start:]


def _ply_text(body: bytes, elements: list[Any], _: str) -> tuple[Doubles, list[Any]]:
    rows = body.decode("latin1").splitlines()
    vertices, polygons, at = np.zeros((0, 3)), list[Any](), 0
    for name, count, properties in elements:
        block, at = rows[at : at + count], at + count
        if name == "vertex":
            columns = [[p[-1] for p in properties].index(axis) for axis in "xyz"]
            vertices = np.array([[float(row.split()[c]) for c in columns] for row in block]).reshape(-1, 3)
        elif name == "face":
            polygons = [[int(w) for w in words[1 : 1 + int(words[0])]] for words in map(str.split, block)]
    return vertices, polygons


def _ply_binary(body: bytes, elements: list[Any], order: str) -> tuple[Doubles, list[Any]]:
    vertices, polygons, at = np.zeros((0, 3)), list[Any](), 0
    for name, count, properties in elements:
        if any(p[0] == "list" for p in properties):
            found, at = _ply_lists(body, at, count, properties, order)
            polygons = found if name == "face" else polygons
            continue
        kind = np.dtype([(p[-1], order + PLY_TYPES[p[0]]) for p in properties])
        if len(body) < at + count * kind.itemsize:
            raise ValueError("it ends too early")
        table = np.frombuffer(body, kind, count, at)
        at += count * kind.itemsize
        if name == "vertex":
            vertices = np.stack([table[axis] for axis in "xyz"], -1).astype(np.float64)
    return vertices, polygons


def _ply_lists(body: bytes, at: int, count: int, properties: list[Any], order: str) -> tuple[list[Any], int]:
    """The first list of each row of an element, and where the element ends."""
    out: list[Any] = []
    for _ in range(count):
        found = None
        for words in properties:
            if words[0] != "list":
                at += np.dtype(PLY_TYPES[words[0]]).itemsize
                continue
            long, kind = np.dtype(order + PLY_TYPES[words[1]]), np.dtype(order + PLY_TYPES[words[2]])
            many = int(np.frombuffer(body, long, 1, at)[0])
            values = np.frombuffer(body, kind, many, at + long.itemsize)
            found = values.tolist() if found is None else found
            at += long.itemsize + many * kind.itemsize
        out.append(found or [])
    return out, at

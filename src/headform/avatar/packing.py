"""Binary glTF 2.0 as a container: numbers and pictures go in, a file comes out."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.fit import Floats

BYTE, SHORT, INT, FLOAT = 5121, 5123, 5125, 5126
ARRAY, ELEMENTS = 34962, 34963
JSON_CHUNK, BINARY_CHUNK = 0x4E4F534A, 0x004E4942
MOST_SHORT = 65535  # the last number is no index: it means a new strip


@dataclass(eq=False)
class Packing:
    """The binary chunk and its tables, as they grow."""

    binary: bytearray = field(default_factory=bytearray)
    views: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)
    zeros: dict[int, int] = field(default_factory=dict)

    def view(self, content: bytes, target: int | None = None) -> int:
        """The number of a new buffer view; each begins at a multiple of four bytes."""
        self.binary.extend(b"\0" * (-len(self.binary) % 4))
        view = {"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(content)}
        self.views.append(view if target is None else view | {"target": target})
        self.binary.extend(content)
        return len(self.views) - 1

    def add(self, values: NDArray[Any], kind: str, component: int, target: int | None = None, **more: Any) -> int:
        """The number of a new accessor over little-endian values."""
        view = self.view(np.ascontiguousarray(values).tobytes(), target)
        accessor = {"bufferView": view, "componentType": component, "count": len(values), "type": kind}
        self.accessors.append(accessor | more)
        return len(self.accessors) - 1

    def add_indices(self, triangles: NDArray[Any], count: int) -> int:
        """The number of an accessor of triangles (T, 3) between `count` vertices."""
        small = count < MOST_SHORT
        corners = triangles.reshape(-1).astype("<u2" if small else "<u4")
        return self.add(corners, "SCALAR", SHORT if small else INT, ELEMENTS)

    def add_sparse(self, change: Floats, where: NDArray[np.bool_]) -> int:
        """The number of an accessor of changes (N, 3): zero but for the rows (N,) that are named."""
        rows = np.flatnonzero(where)
        if len(rows) == 0:
            return self._zero(len(change))
        kept = change[rows].astype("<f4")
        small = len(change) <= MOST_SHORT
        indices = self.view(rows.astype("<u2" if small else "<u4").tobytes())
        sparse = {
            "count": len(rows),
            "indices": {"bufferView": indices, "componentType": SHORT if small else INT},
            "values": {"bufferView": self.view(kept.tobytes())},
        }
        reach = kept if len(rows) == len(change) else np.append(kept, np.zeros((1, 3), np.float32), 0)
        shape = {"componentType": FLOAT, "count": len(change), "type": "VEC3", "sparse": sparse}
        self.accessors.append(shape | bounds(reach))
        return len(self.accessors) - 1

    def _zero(self, count: int) -> int:
        """The number of the accessor of so many zeros: one for all that do not change."""
        if count not in self.zeros:
            shape = {"componentType": FLOAT, "count": count, "type": "VEC3"}
            self.accessors.append(shape | bounds(np.zeros((1, 3), np.float32)))
            self.zeros[count] = len(self.accessors) - 1
        return self.zeros[count]

    def file(self, document: dict[str, Any]) -> bytes:
        """The whole .glb file of a document that names these views and accessors."""
        binary = bytes(self.binary) + b"\0" * (-len(self.binary) % 4)
        tables = {
            "accessors": self.accessors,
            "bufferViews": self.views,
            "buffers": [{"byteLength": len(binary)}],
        }
        words = json.dumps(document | tables, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        text = words.encode("utf-8", "backslashreplace")  # file names need not be UTF-8
        text += b" " * (-len(text) % 4)
        header = struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + len(binary))
        first, second = struct.pack("<II", len(text), JSON_CHUNK), struct.pack("<II", len(binary), BINARY_CHUNK)
        return header + first + text + second + binary


def bounds(values: Floats) -> dict[str, list[float]]:
    """The least and the largest of each column, as accessors name them; + 0.0 drops the sign of zero."""
    return {"min": (values.min(0) + 0.0).tolist(), "max": (values.max(0) + 0.0).tolist()}

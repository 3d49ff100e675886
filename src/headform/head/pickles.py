"""Arrays out of a pickle of unknown origin, without running anything that the pickle asks for.

A pickle is a program. This reader knows a handful of names, and each of them stands for a class of its
own below that only keeps numbers: neither NumPy, SciPy nor chumpy is ever called with what the file says.
"""

from __future__ import annotations

import io
import pickle
import re
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput

Doubles = NDArray[np.float64]

SIZE_LIMIT = 500_000_000  # bytes; a FLAME file has about 100 MB
NESTING_LIMIT = 8  # chumpy objects within chumpy objects
NUMBERS = re.compile(r"[fiu][1248]|b1")
BROKEN = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    MemoryError,
    RecursionError,
    AssertionError,
)


def read_arrays(path: Path) -> dict[str, Any]:
    """The dictionary in a pickle: arrays, chumpy objects and sparse matrices as arrays, strings as they are.

    Raises BadInput if the file is missing, too large, cut short, asks for anything but arrays, or holds no
    dictionary.
    """
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise BadInput(f"{path} is larger than {SIZE_LIMIT // 1_000_000} MB; it is not a head model")
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    try:
        found = _Reader(content, path).load()
        if not isinstance(found, dict):
            raise BadInput(f"{path} holds no dictionary of arrays; give the model's own .pkl file")
        return {str(key): _plain(value) for key, value in found.items()}
    except BROKEN as error:
        raise BadInput(f"{path} is cut short, altered or not a pickle of arrays; download it again") from error


class _Array:
    """Stands for numpy.ndarray while the file is read."""

    __slots__ = ("values",)
    values: NDArray[Any]

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, column_first, content = state
        raw = content.encode("latin1") if isinstance(content, str) else content
        flat = np.frombuffer(raw, dtype.numbers)
        self.values = flat.reshape([int(n) for n in shape], order="F" if column_first else "C")


class _Dtype:
    """Stands for numpy.dtype: numbers only."""

    __slots__ = ("order", "word")

    def __init__(self, word: str, *_: Any) -> None:
        if not NUMBERS.fullmatch(word):
            raise ValueError(f"no number type: {word!r}")
        self.word, self.order = word, "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = ">" if state[1] == ">" else "<"

    @property
    def numbers(self) -> np.dtype[Any]:
        return np.dtype(self.order + self.word)


class _Chumpy:
    """Stands for any chumpy object; its numbers are in `x`."""

    __slots__ = ("x",)
    x: Any

    def __new__(cls, *_: Any) -> _Chumpy:
        return object.__new__(cls)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.x = state["x"]


class _Sparse:
    """Stands for a compressed sparse matrix."""

    __slots__ = ("state",)
    by_column: ClassVar[bool] = True
    state: dict[str, Any]

    def __new__(cls, *_: Any) -> _Sparse:
        return object.__new__(cls)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.state = state

    def dense(self) -> Doubles:
        shape = self.state.get("_shape", self.state.get("shape"))
        rows, columns = (int(n) for n in shape)  # type: ignore[union-attr]
        if not (0 < rows * columns * 8 <= SIZE_LIMIT):
            raise ValueError("sparse matrix too large")
        starts, inner, data = (_plain(self.state[key]) for key in ("indptr", "indices", "data"))
        if len(starts) != (columns if self.by_column else rows) + 1 or len(inner) != len(data):
            raise ValueError("sparse matrix of uneven parts")
        outer = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        dense = np.zeros((rows, columns))
        np.add.at(dense, (inner, outer) if self.by_column else (outer, inner), data)
        return dense


class _SparseRows(_Sparse):
    __slots__ = ()
    by_column: ClassVar[bool] = False


class _Rebuild:
    """Stands for numpy's _reconstruct: an empty array that its state will fill."""

    __slots__ = ()

    def __call__(self, *_: Any) -> _Array:
        return _Array()


class _Scalar:
    """Stands for numpy's scalar."""

    __slots__ = ()

    def __call__(self, dtype: _Dtype, content: str | bytes) -> float:
        raw = content.encode("latin1") if isinstance(content, str) else content
        return float(np.frombuffer(raw, dtype.numbers)[0])


class _Encode:
    """Stands for _codecs.encode, which Python 3 writes into old pickles around the bytes of an array."""

    __slots__ = ()

    def __call__(self, text: str, encoding: str) -> bytes:
        if encoding not in ("latin1", "latin-1", "iso-8859-1"):
            raise ValueError(f"encoding {encoding!r}")
        return text.encode("latin1")


KNOWN: dict[tuple[str, str], Any] = {
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _Array,
    ("_codecs", "encode"): _Encode(),
    ("__builtin__", "set"): set,  # chumpy objects keep an empty set of changed terms
    ("builtins", "set"): set,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _Rebuild() for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _Scalar() for core in ("core", "_core")},
}
SPARSE = {
    "csc_matrix": _Sparse,
    "csc_array": _Sparse,
    "csr_matrix": _SparseRows,
    "csr_array": _SparseRows,
}


class _Reader(pickle._Unpickler):
    """Python's own slow unpickler: the fast one can be made to take all memory by a few bytes."""

    def __init__(self, content: bytes, path: Path) -> None:
        super().__init__(io.BytesIO(content), encoding="latin1")
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in KNOWN:
            return KNOWN[module, name]
        if module.split(".")[:2] == ["scipy", "sparse"] and name in SPARSE:
            return SPARSE[name]
        if module.split(".")[0] == "chumpy" and "." not in name:
            return _Chumpy
        wanted = f"{module}.{name}".encode("ascii", "backslashreplace").decode()[:80]
        raise BadInput(f"{self._path} was refused: it asks to run {wanted!r}, and a head model holds only arrays")


def _plain(value: Any) -> Any:
    for _ in range(NESTING_LIMIT):
        if isinstance(value, _Chumpy):
            value = value.x
    if isinstance(value, _Array):
        return value.values
    return value.dense() if isinstance(value, _Sparse) else value

"""Strands as files: Headform's own, and those of other programs. One line in the table adds a format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from headform.errors import BadInput, MissingExtra
from headform.files import write_whole
from headform.hair.groom import Groom

HOME = "headform.hair.files."
MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Format:
    """One way to keep a groom.

    ending  of its files, with the dot
    about   what it is good for, in a few words
    reader  module:function (data, name) -> Groom, loaded when it is first used
    writer  module:function (groom) -> bytes
    most    bytes: a larger file is not read
    needs   a package that has to be installed for it, and the extra of Headform that brings it
    """

    ending: str
    about: str
    reader: str
    writer: str
    most: int = 1024 * MEBIBYTE
    needs: tuple[str, str] | None = None

    def check(self) -> None:
        """Raises MissingExtra where a package that it needs is not installed."""
        if self.needs is not None and find_spec(self.needs[0]) is None:
            raise MissingExtra(f'{self.ending} files need another package: pip install "headform[{self.needs[1]}]"')

    def check_size(self, size: int, name: str) -> None:
        """Raises BadInput where a file of `size` bytes is too large to be read."""
        if size > self.most:
            most = self.most // MEBIBYTE
            raise BadInput(f"{name} has {size // MEBIBYTE} MiB, and {self.ending} files may have {most}; thin the hair")


USD = ("pxr", "usd")
FORMATS = {
    row.ending: row
    for row in (
        Format(".npz", "Headform's own: everything, and small", "npz:from_bytes", "npz:to_bytes"),
        Format(".data", "USC-HairSalon: research on strands", "usc:from_bytes", "usc:to_bytes"),
        Format(".hair", "Cem Yuksel's HAIR: renderers", "yuksel:from_bytes", "yuksel:to_bytes"),
        Format(".obj", "lines: anything that opens OBJ", "lines:from_bytes", "lines:to_bytes", 512 * MEBIBYTE),
        Format(".usda", "USD curves as text", "usd:from_bytes", "usd:usda_bytes", 512 * MEBIBYTE, USD),
        Format(".usdc", "USD curves: film tools", "usd:from_bytes", "usd:usdc_bytes", needs=USD),
        Format(".usdz", "USD curves in one file", "usd:from_bytes", "usd:usdz_bytes", needs=USD),
    )
}


def read(path: Path) -> Groom:
    """The groom in a file, in metres and upright; its format is that of the file's ending.

    Raises BadInput for what is no such file, is damaged, too large, or in a unit that no hair has; MissingExtra where
    a package has to be installed first; OSError where the file cannot be opened.
    """
    format = _of(path.suffix, str(path))
    if path.exists() and not path.is_file():
        raise BadInput(f"{path} is no file; give a strand file ({', '.join(FORMATS)})")
    with path.open("rb") as stream:
        format.check_size(path.stat().st_size, str(path))
        data = stream.read(format.most + 1)
    return from_bytes(data, format.ending, str(path))


def write(path: Path, groom: Groom) -> None:
    """Write a groom whole or not at all, in the format of the path's ending. Raises as `to_bytes`, and OSError."""
    content = to_bytes(groom, _of(path.suffix, str(path)).ending)
    with write_whole(path) as stream:
        stream.write(content)


def from_bytes(data: bytes, ending: str, name: str) -> Groom:
    """The groom in the content of a file with this ending; `name` is what an error calls it. Raises as `read`."""
    format = _of(ending, name)
    format.check_size(len(data), name)
    format.check()
    groom: Groom = _function(format.reader)(data, name)
    return groom


def to_bytes(groom: Groom, ending: str) -> bytes:
    """A groom as the content of a file with this ending. Raises BadInput, MissingExtra."""
    format = _of(ending, repr(ending))
    format.check()
    content: bytes = _function(format.writer)(groom)
    return content


def _function(place: str) -> Callable[..., Any]:
    module, _, name = place.partition(":")
    function: Callable[..., Any] = getattr(import_module(HOME + module), name)
    return function


def _of(ending: str, name: str) -> Format:
    ending = "." + ending.strip().lower().removeprefix(".")
    if ending in FORMATS:
        return FORMATS[ending]
    near = get_close_matches(ending, FORMATS, 2)
    hint = f"did you mean {' or '.join(near)}? Hair" if near else "hair"
    raise BadInput(f"{name} does not end like a strand file; {hint} is kept as {', '.join(FORMATS)}")

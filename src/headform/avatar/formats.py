"""The formats an avatar can be written in. One line in the table adds another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

from headform.errors import BadInput, MissingExtra

if TYPE_CHECKING:
    from headform.avatar.avatar import Avatar


class Make(Protocol):
    """Writes an avatar as files by name, the main one first: `stem` and the ending, then those that it names.

    `texture` is the size of the skin's pictures in pixels; None leaves them as they are.
    """

    def __call__(self, avatar: Avatar, texture: int | None, stem: str) -> dict[str, bytes]: ...


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write an avatar.

    ending  of its main file, with the dot
    about   what it is good for, in a few words
    stem    the name of its main file in an avatar's folder, without the ending
    home    module:function that writes it, loaded when it is first used
    needs   a package that has to be installed for it, and the extra of Headform that brings it
    """

    ending: str
    about: str
    stem: str
    home: str
    needs: tuple[str, str] | None = None

    def make(self, avatar: Avatar, texture: int | None = None, stem: str | None = None) -> dict[str, bytes]:
        """The files by name, the main one first. Raises BadInput for a texture size that cannot be."""
        self.check()
        module, _, function = self.home.partition(":")
        write: Make = getattr(import_module(module), function)
        return write(avatar, texture, self.stem if stem is None else stem)

    def check(self) -> None:
        """Raises MissingExtra where a package that it needs is not installed."""
        if self.needs is not None and find_spec(self.needs[0]) is None:
            raise MissingExtra(f'{self.ending} files need another package: pip install "headform[{self.needs[1]}]"')


FORMATS = {
    row.ending: row
    for row in (
        Format(".zip", "everything below that needs no extra, in one file", "avatar", "headform.avatar.package:files"),
        Format(".glb", "glTF: game engines, browsers, Blender", "avatar", "headform.avatar.glb:files"),
        Format(".vrm", "VRM 1.0: VTuber and chat programs", "avatar", "headform.avatar.vrm:files"),
        Format(".usdz", "USD in one file: phones", "avatar", "headform.avatar.usd:usdz_files", ("pxr", "usd")),
        Format(".usdc", "USD: film tools", "avatar", "headform.avatar.usd:usdc_files", ("pxr", "usd")),
        Format(".usda", "USD as text", "avatar", "headform.avatar.usd:usda_files", ("pxr", "usd")),
        Format(".obj", "the neutral head, with materials and pictures", "head", "headform.avatar.obj:files"),
        Format(".json", "the numbers alone", "params", "headform.avatar.package:json_files"),
        Format(".png", "a portrait", "preview", "headform.avatar.package:png_files"),
    )
}


def check(names: Iterable[str]) -> list[Format]:
    """The formats of these names, "glb" or ".glb", in their order and once each, all of them ready to be written.

    Raises BadInput for a name that no format has, MissingExtra where a package has to be installed first.
    """
    chosen = list(dict.fromkeys(_named(name) for name in names))
    for each in chosen:
        each.check()
    return chosen


def files(avatar: Avatar, name: str, stem: str | None = None, texture: int | None = None) -> dict[str, bytes]:
    """An avatar in the format of this name: the files by name, the main one first. See `Format.make` and `check`."""
    return _named(name).make(avatar, texture, stem)


def _named(name: str) -> Format:
    ending = "." + name.strip().lower().removeprefix(".")
    if ending in FORMATS:
        return FORMATS[ending]
    near = get_close_matches(ending, FORMATS, 2)
    hint = f"did you mean {' or '.join(near)}? There" if near else "there"
    called = repr(name) if name.strip(". ") else "a name without ending"
    raise BadInput(f"{called} is no format an avatar has; {hint} are {', '.join(FORMATS)}")

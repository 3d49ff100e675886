"""The heads a person has added, and which one is in use.

They live as Headform's own files in the folder that `home()` names; the default head is always there.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from headform.errors import BadInput, HeadformError
from headform.files import write_whole
from headform.head import default
from headform.head.files import describe_head, is_head_file, load_head, save_head
from headform.head.model import HeadModel

DEFAULT = default.NAME
GOOD_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One head: its name, a line about it, whether it is in use, and whether its file can be read."""

    name: str
    about: str
    current: bool
    readable: bool


def home() -> Path:
    """The folder for what a person adds: $HEADFORM_HOME, else the system's place for such data."""
    if chosen := os.environ.get("HEADFORM_HOME"):
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "headform"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "headform"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "headform"


def add(path: Path, name: str | None = None) -> str:
    """Convert a FLAME pickle, an ICT-FaceKit folder or npz, or a Headform head, and keep it; returns its
    name.

    Without a name the file's or folder's own is used. Raises BadInput if the name is taken or cannot be
    one, or if the file is none of these; MissingModel if it is damaged.
    """
    chosen = _check_new(name if name is not None else _name_after(path))
    model = read_any(path)
    target = _file_of(chosen)
    target.parent.mkdir(parents=True, exist_ok=True)
    save_head(replace(model, name=chosen), target)
    return chosen


def read_any(path: Path) -> HeadModel:
    """The head in a file or folder of any kind that Headform knows. Raises BadInput if it knows none."""
    from headform.head.flame import load_flame
    from headform.head.ict import is_ict, load_ict

    if not path.exists():
        raise BadInput(f"{path} is not there")
    if is_ict(path):
        return load_ict(path)
    if is_head_file(path):
        return load_head(path)
    if path.is_file() and path.suffix.lower() in (".pkl", ".pickle"):
        return load_flame(path)
    raise BadInput(f"{path} is no head: give a FLAME 2023 .pkl file or ICT-FaceKit's folder FaceXModel")


def entries() -> Iterator[Entry]:
    """The default head, then the added ones by name."""
    used = current_name()
    yield Entry(DEFAULT, "the head that ships with Headform", used == DEFAULT, True)
    for name in added():
        try:
            about, readable = describe_head(_file_of(name)), True
        except HeadformError as error:
            about, readable = str(error), False
        yield Entry(name, about, used == name, readable)


def added() -> list[str]:
    """Names of the heads that were added, sorted."""
    return sorted(path.stem for path in _folder().glob("*.npz") if GOOD_NAME.fullmatch(path.stem))


def use(name: str) -> None:
    """Make a head the one that `current_model` gives. Raises BadInput if there is none of this name."""
    if name != DEFAULT:
        _check_known(name)
        load_head(_file_of(name))
    _folder().mkdir(parents=True, exist_ok=True)
    with write_whole(_choice()) as stream:
        stream.write(name.encode())


def remove(name: str) -> None:
    """Delete a head that was added; if it was in use, the default head is again."""
    if name == DEFAULT:
        raise BadInput(f"{DEFAULT} ships with Headform and cannot be removed")
    _check_known(name)
    if current_name() == name:
        _choice().unlink()
    _file_of(name).unlink()


def current_name() -> str:
    """The name of the head in use."""
    try:
        return _choice().read_text(encoding="utf-8").strip() or DEFAULT
    except FileNotFoundError:
        return DEFAULT


def current_model() -> HeadModel:
    """The head in use. Raises BadInput or MissingModel if it was added and is gone or damaged."""
    name = current_name()
    if name == DEFAULT:
        return default.load_default()
    _check_known(name)
    return load_head(_file_of(name))


def _folder() -> Path:
    return home() / "models"


def _choice() -> Path:
    return _folder() / "current.txt"


def _file_of(name: str) -> Path:
    return _folder() / f"{name}.npz"


def _name_after(path: Path) -> str:
    words = path.resolve().stem if path.is_file() else path.resolve().name
    return re.sub(r"[^a-z0-9_-]+", "-", words.lower()).strip("-_")[:40]


def _check_new(name: str) -> str:
    if not GOOD_NAME.fullmatch(name):
        raise BadInput(
            f"{name!r} cannot be a head's name; use small letters, digits, - and _ (--name), up to 40 of them"
        )
    if name == DEFAULT or name in added():
        raise BadInput(f"there is a head called {name!r} already; choose another with --name, or remove it first")
    return name


def _check_known(name: str) -> None:
    if name not in added():
        raise BadInput(f"there is no head called {name!r}; there are {', '.join([DEFAULT, *added()])}")

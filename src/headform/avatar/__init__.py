"""The whole: a head, what it was made from, and the files it is written to.

Importing this costs nothing; what is heavy is loaded by the first call that needs it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headform.avatar.avatar import Avatar, Provenance
    from headform.avatar.backends import Reconstructor, backend, reconstruct
    from headform.avatar.folder import contents, write_folder

__all__ = ["Avatar", "Provenance", "Reconstructor", "backend", "contents", "reconstruct", "write_folder"]

_HOMES = {
    "Avatar": "avatar",
    "Provenance": "avatar",
    "Reconstructor": "backends",
    "backend": "backends",
    "contents": "folder",
    "reconstruct": "backends",
    "write_folder": "folder",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

"""The whole: a head, what it was made from, and the files it is written to.

Importing this costs nothing; what is heavy is loaded by the first call that needs it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headform.avatar.avatar import Avatar, Provenance
    from headform.avatar.backends import Reconstructor, backend, reconstruct, reconstruct_all
    from headform.avatar.folder import contents, write_folder
    from headform.avatar.formats import FORMATS, Format
    from headform.avatar.framing import portrait, portrait_camera
    from headform.avatar.restore import load
    from headform.avatar.views import draw, input_view

__all__ = [
    "FORMATS",
    "Avatar",
    "Format",
    "Provenance",
    "Reconstructor",
    "backend",
    "contents",
    "draw",
    "input_view",
    "load",
    "portrait",
    "portrait_camera",
    "reconstruct",
    "reconstruct_all",
    "write_folder",
]

_HOMES = {
    "FORMATS": "formats",
    "Avatar": "avatar",
    "Format": "formats",
    "Provenance": "avatar",
    "Reconstructor": "backends",
    "backend": "backends",
    "contents": "folder",
    "draw": "views",
    "input_view": "views",
    "load": "restore",
    "portrait": "framing",
    "portrait_camera": "framing",
    "reconstruct": "backends",
    "reconstruct_all": "backends",
    "write_folder": "folder",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

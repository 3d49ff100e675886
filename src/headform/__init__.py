"""One portrait photo in, a living 3D head out.

Importing this costs nothing; what is heavy is loaded by the first call that needs it.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # as typing's, which takes longer to load than this
if TYPE_CHECKING:
    from headform.avatar.avatar import Avatar
    from headform.avatar.backends import reconstruct, reconstruct_all
    from headform.avatar.restore import load
    from headform.photo.picture import Photo

__version__ = "0.1.0"
__all__ = ["Avatar", "Photo", "load", "reconstruct", "reconstruct_all"]

_HOMES = {
    "Avatar": "headform.avatar.avatar",
    "Photo": "headform.photo.picture",
    "load": "headform.avatar.restore",
    "reconstruct": "headform.avatar.backends",
    "reconstruct_all": "headform.avatar.backends",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(_HOMES[name]), name)
    return found


def _find_room_for_compiled_code() -> None:
    """Numba keeps compiled code beside the package or in the home folder; where neither can be written, elsewhere."""
    beside, home = os.path.dirname(__file__), os.path.expanduser("~")  # noqa: PTH111, PTH120 (pathlib is slow to load)
    if "NUMBA_CACHE_DIR" in os.environ or os.access(beside, os.W_OK) or os.access(home, os.W_OK):
        return
    import tempfile

    os.environ["NUMBA_CACHE_DIR"] = os.path.join(tempfile.gettempdir(), f"headform-{os.getuid()}")  # noqa: PTH118


_find_room_for_compiled_code()

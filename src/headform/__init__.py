"""One portrait photo in, a living 3D head out."""

import os

__version__ = "0.1.0"


def _find_room_for_compiled_code() -> None:
    """Numba keeps compiled code beside the package or in the home folder; where neither can be written, elsewhere."""
    beside, home = os.path.dirname(__file__), os.path.expanduser("~")  # noqa: PTH111, PTH120 (pathlib is slow to load)
    if "NUMBA_CACHE_DIR" in os.environ or os.access(beside, os.W_OK) or os.access(home, os.W_OK):
        return
    import tempfile

    os.environ["NUMBA_CACHE_DIR"] = os.path.join(tempfile.gettempdir(), f"headform-{os.getuid()}")  # noqa: PTH118


_find_room_for_compiled_code()

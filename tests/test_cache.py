"""Compiled code finds room where neither the package nor the home folder can be written."""

import os
import subprocess
import sys

SHOW = "import headform, os; print(os.environ.get('NUMBA_CACHE_DIR'))"
LOCKED = "import os; os.access = lambda path, mode: mode != os.W_OK\n"


def cache_folder(before: str, **more: str) -> str:
    free = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", before + SHOW], env=free | more, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_locked_place_gets_a_folder_elsewhere() -> None:
    assert "headform-" in cache_folder(LOCKED)


def test_what_the_person_chose_stands() -> None:
    assert cache_folder(LOCKED, NUMBA_CACHE_DIR="/somewhere") == "/somewhere"


def test_where_the_package_can_be_written_nothing_changes() -> None:
    assert cache_folder("import os; os.access = lambda path, mode: True\n") == "None"

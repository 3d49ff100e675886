"""Draw the thumbnails that ship with the styles: `python assets/hair/thumbnails.py [NAME…]` (all styles if none).

Thumbnails of styles that no longer ship are deleted.
"""

from __future__ import annotations

import sys

from headform.files import write_whole
from headform.hair import library
from headform.hair.thumbnails import ENDING, FOLDER, thumbnail


def main(names: list[str]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    there = {entry.name for entry in library.shipped()}
    for old in FOLDER.glob(f"*{ENDING}"):
        if old.stem not in there:
            old.unlink()
    for name in names or sorted(there):
        picture = thumbnail(library.groom(name))
        with write_whole(FOLDER / f"{name}{ENDING}") as stream:
            stream.write(picture)
        print(f"{name}: {len(picture)} bytes", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

"""An avatar's folder: every file of it, or nothing."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import secrets
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headform.avatar import formats
from headform.avatar.avatar import Avatar, json_bytes
from headform.avatar.formats import Format
from headform.errors import BadInput
from headform.photo import Photo

USUAL = ("zip", "glb")
RECORD = "params.json"  # it holds the sha256 of the others
MOST_LETTERS = 80  # of a folder's name: room for what is added
UNFIT = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')  # in names, on one system or another
FURTHER_FACE = re.compile(r"(.+)-\d+")
ELSEWHERE = "move it away or choose another folder with -o"


def contents(
    photo: Photo, avatar: Avatar, made: Iterable[Format] | None = None, debug: bool = False
) -> dict[str, bytes]:
    """The files of an avatar by name: its formats, a preview, and with `debug` what a fit is judged by.

    params.json records the sha256 of the others.
    """
    files: dict[str, bytes] = {}
    for each in dict.fromkeys([*(formats.check(USUAL) if made is None else made), *formats.check(["png"])]):
        files |= each.make(avatar)
    if debug:
        files |= _to_judge(photo, avatar)
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != RECORD}
    return files | {RECORD: json_bytes(avatar.parameters() | {"files": sums})}


def write_folder(folder: Path, files: dict[str, bytes]) -> None:
    """Make `folder` hold exactly these files, all or none.

    They are written to a hidden folder beside it, which then takes its name; an earlier avatar's folder steps aside
    and comes back if that fails. Raises BadInput where the folder is not Headform's to replace, and OSError where
    the disk is full or cannot be written.
    """
    check_replaceable(folder)
    made = [path for path in (folder.parent, *folder.parent.parents) if not path.exists()]
    mark = secrets.token_hex(4)
    draft, old = (folder.with_name(f".{folder.name[:MOST_LETTERS]}.{mark}.{kind}") for kind in ("part", "old"))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft.mkdir()
        for name, content in files.items():
            with (draft / name).open("xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        check_replaceable(folder)
        _swap(draft, folder, old)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        _remove_empty(made)
        raise
    shutil.rmtree(old, ignore_errors=True)


def check_replaceable(folder: Path) -> None:
    """Raises BadInput unless `folder` is absent, empty, or an avatar's folder as Headform wrote it."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise BadInput(f"{folder} is in the way and is no folder; {ELSEWHERE}")
    if not folder.exists():
        return
    inside = sorted(folder.iterdir())
    if not inside:
        return
    sums = _recorded_sums(folder / RECORD)
    if sums is None:
        raise BadInput(f"{folder} holds {inside[0].name}, but no {RECORD} that says Headform wrote it; {ELSEWHERE}")
    for path in inside:
        if path.name not in (RECORD, *sums) or path.is_symlink() or not path.is_file():
            raise BadInput(f"{folder} holds {path.name}, which Headform did not write; {ELSEWHERE}")
        if path.name != RECORD and hashlib.sha256(path.read_bytes()).hexdigest() != sums[path.name]:
            raise BadInput(f"{path} was changed since Headform wrote it; {ELSEWHERE}")


def folder_names(photos: Sequence[Path]) -> list[str]:
    """A folder name for each photo, the same in every order: its name without ending.

    Where two would meet, also as `name-2` for a second face, or where a system takes capital and small letters for
    the same, their endings are added, then the names of the folders they lie in, then a word made of their paths.
    """
    level = [0] * len(photos)
    while True:
        names = [_name(photo, at) for photo, at in zip(photos, level, strict=True)]
        clashing = [n for n in _clashes(names) if level[n] < 3]
        if not clashing:
            return names
        for n in clashing:
            level[n] += 1


def face_folder(base: Path, number: int) -> Path:
    """Where the avatar of the `number`-th face of a photo goes: the first has the plain name."""
    return base if number == 1 else base.with_name(f"{base.name}-{number}")


def _to_judge(photo: Photo, avatar: Avatar) -> dict[str, bytes]:
    """The head crop of the photo, the avatar over it, the mesh on the photo, and the head as in the photo."""
    from headform.avatar.obj import obj
    from headform.avatar.overlay import overlay
    from headform.avatar.views import input_view
    from headform.photo.crop import head_crop

    files = {
        "overlay.png": _png(overlay(photo, avatar)),
        "posed.obj": obj(avatar.model, avatar.posed(), avatar.provenance.in_words()),
    }
    if avatar.box is not None:
        crop = head_crop(avatar.box)
        files |= {"crop.png": _png(crop.cut(photo.pixels)), "input_view.png": _png(input_view(avatar, crop))}
    return files


def _png(pixels: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", compress_level=3)
    return stream.getvalue()


def _swap(draft: Path, folder: Path, old: Path) -> None:
    """`draft` takes the name of `folder`; what stood there is called `old`, or stays where that fails."""
    if folder.exists():
        folder.rename(old)
    try:
        draft.rename(folder)
    except BaseException:
        if old.exists():
            try:
                old.rename(folder)
            except OSError:  # another run has put a whole avatar there meanwhile
                if folder.exists():
                    shutil.rmtree(old, ignore_errors=True)
        raise
    with contextlib.suppress(OSError):  # not every system opens folders; the files themselves are on the disk
        place = os.open(folder.parent, os.O_RDONLY)
        try:
            os.fsync(place)
        finally:
            os.close(place)


def _recorded_sums(record: Path) -> dict[str, str] | None:
    try:
        values = json.loads(record.read_bytes())
        sums = {str(name): str(value) for name, value in values["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return sums if "headform" in values else None


def _remove_empty(folders: list[Path]) -> None:
    """Folders that were made in vain, the innermost first."""
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return


def _name(photo: Path, level: int) -> str:
    """The name at one of four levels of detail; none ends like the number of a further face by what is added."""
    words = [photo.stem]
    if level >= 1:
        words.append(photo.suffix.lstrip(".").lower() or "photo")
    if level >= 2:
        words.insert(0, photo.absolute().parent.name or "root")
    if level >= 3:
        words.append("x" + hashlib.sha256(os.fsencode(photo.absolute())).hexdigest()[:8])
    cleaned = UNFIT.sub("_", "-".join(words)).strip(" .")
    return _shortened(cleaned) or "photo"


def _shortened(name: str) -> str:
    """Cut in the middle, so that what tells names apart at the end stays."""
    if len(name) <= MOST_LETTERS and len(os.fsencode(name)) <= 2 * MOST_LETTERS:
        return name
    half = MOST_LETTERS // 4
    return f"{name[:half]}_{hashlib.sha256(os.fsencode(name)).hexdigest()[:8]}_{name[-half:]}"


def _clashes(names: list[str]) -> list[int]:
    """Which names are not alone, or are those of a further face of another."""
    folded = [name.casefold() for name in names]
    count = Counter(folded)
    further = [FURTHER_FACE.fullmatch(name) for name in folded]
    return [
        n
        for n, name in enumerate(folded)
        if count[name] > 1 or ((match := further[n]) is not None and match[1] in count)
    ]

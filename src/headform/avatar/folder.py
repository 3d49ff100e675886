"""An avatar's folder: every file of it, or nothing."""

from __future__ import annotations

import io
import os
import secrets
import shutil
from pathlib import Path

from PIL import Image

from headform.avatar.avatar import Avatar
from headform.avatar.obj import obj
from headform.avatar.overlay import overlay
from headform.errors import BadInput
from headform.photo import Photo

FILES = ("head.obj", "posed.obj", "params.json", "overlay.png", "avatar.glb")


def contents(photo: Photo, avatar: Avatar) -> dict[str, bytes]:
    """The files of an avatar by name."""
    picture = io.BytesIO()
    Image.fromarray(overlay(photo, avatar)).save(picture, "PNG")
    return {
        "head.obj": obj(avatar.model, avatar.neutral()),
        "posed.obj": obj(avatar.model, avatar.posed()),
        "params.json": avatar.content(".json"),
        "overlay.png": picture.getvalue(),
        "avatar.glb": avatar.content(".glb"),
    }


def write_folder(folder: Path, files: dict[str, bytes]) -> None:
    """Make `folder` hold exactly these files, all or none.

    An earlier folder of the same kind is replaced; one that holds anything else is left alone and refused. Raises
    BadInput, and OSError where the disk is full or cannot be written.
    """
    check_replaceable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    mark = secrets.token_hex(4)
    draft, old = (folder.with_name(f".{folder.name[:60]}.{mark}.{kind}") for kind in ("part", "old"))
    try:
        draft.mkdir()
        for name, content in files.items():
            with (draft / name).open("xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        if folder.exists():
            folder.rename(old)
        try:
            draft.rename(folder)
        except BaseException:
            if old.exists():
                old.rename(folder)
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def check_replaceable(folder: Path) -> None:
    """Raises BadInput unless `folder` is absent, empty or an avatar's folder."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise BadInput(f"{folder} is in the way and is no folder; move it or choose another with -o")
    foreign = sorted(p.name for p in folder.iterdir() if p.name not in FILES) if folder.exists() else []
    if foreign:
        raise BadInput(f"{folder} holds {foreign[0]}, which Headform did not write; move it or choose another with -o")


def folder_names(photos: list[Path]) -> list[str]:
    """A folder name for each photo: its name without ending; two alike get their ending, then a number, too."""
    stems = [photo.stem or "photo" for photo in photos]
    names: list[str] = []
    for photo, stem in zip(photos, stems, strict=True):
        name = stem if stems.count(stem) == 1 else f"{stem}-{photo.suffix.lstrip('.').lower() or 'photo'}"
        number, unique = 1, name
        while unique in names:
            number += 1
            unique = f"{name}_{number}"
        names.append(unique)
    return names


def face_folder(base: Path, number: int) -> Path:
    """Where the avatar of the `number`-th face of a photo goes: the first has the plain name."""
    return base if number == 1 else base.with_name(f"{base.name}-{number}")

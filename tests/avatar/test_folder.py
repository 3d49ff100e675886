from __future__ import annotations

import errno
import hashlib
import io
import json
import os
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headform.avatar import folder as folders
from headform.avatar import formats
from headform.avatar.avatar import Avatar
from headform.avatar.folder import check_replaceable, contents, face_folder, folder_names, write_folder
from headform.errors import BadInput
from headform.photo import Photo

FILES = ("avatar.zip", "avatar.glb", "head.obj", "preview.png", "params.json")


def some_files(word: str = "first") -> dict[str, bytes]:
    """Small files that pass for an avatar's."""
    files = {name: f"{name} {word}".encode() for name in FILES if name != "params.json"}
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return files | {"params.json": json.dumps({"headform": "0", "files": sums}).encode()}


def what_is_in(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_files_of_an_avatar_are_its_own_and_can_be_replaced(avatar: Avatar, photo: Photo, tmp_path: Path) -> None:
    files = contents(photo, avatar)
    assert set(files) == {"avatar.zip", "avatar.glb", "preview.png", "params.json"}
    write_folder(tmp_path / "out" / "anna", files)
    assert what_is_in(tmp_path / "out" / "anna") == files
    check_replaceable(tmp_path / "out" / "anna")
    assert contents(photo, avatar) == files


def test_formats_and_pictures_to_judge_are_made_where_asked(avatar: Avatar, photo: Photo) -> None:
    files = contents(photo, avatar, formats.check(["obj"]), debug=True)
    judged = {"crop.png", "input_view.png", "overlay.png", "posed.obj"}
    assert set(files) == {"head.obj", "head.mtl", "preview.png", "params.json"} | judged
    assert files["head.obj"] != files["posed.obj"]
    with Image.open(io.BytesIO(files["crop.png"])) as crop, Image.open(io.BytesIO(files["input_view.png"])) as view:
        assert crop.size == view.size == (512, 512) and view.mode == "RGBA"
        assert np.asarray(crop)[256, 256].tolist() == [120, 120, 120]  # the photo's grey
        assert np.asarray(view)[256, 256, 3] == 255 and np.asarray(view)[0, 0, 3] == 0
    sums = json.loads(files["params.json"])["files"]
    assert set(sums) == set(files) - {"params.json"}


def test_the_numbers_can_be_asked_for_by_name(avatar: Avatar, photo: Photo) -> None:
    files = contents(photo, avatar, formats.check(["json", "png"]))
    assert set(files) == {"params.json", "preview.png"}
    assert set(json.loads(files["params.json"])["files"]) == {"preview.png"}


def test_an_earlier_folder_is_replaced_and_nothing_else_remains(tmp_path: Path) -> None:
    write_folder(tmp_path / "anna", some_files())
    write_folder(tmp_path / "anna", some_files("second"))
    assert what_is_in(tmp_path) == {f"anna/{name}": content for name, content in some_files("second").items()}
    (tmp_path / "empty").mkdir()
    write_folder(tmp_path / "empty", some_files())
    assert (tmp_path / "empty" / "head.obj").exists()


def _foreign_file(folder: Path) -> str:
    (folder / "notes.txt").write_text("mine")
    return "notes.txt, which Headform did not write"


def _foreign_folder(folder: Path) -> str:
    (folder / "head.obj").unlink()
    (folder / "head.obj").mkdir()
    return "head.obj, which Headform did not write"


def _linked_record(folder: Path) -> str:
    (folder / "params.json").rename(folder.with_name("elsewhere.json"))
    (folder / "params.json").symlink_to(folder.with_name("elsewhere.json"))
    return "params.json, which Headform did not write"


def _edited(folder: Path) -> str:
    (folder / "head.obj").write_text("sculpted for a week")
    return "head.obj was changed since"


def _no_record(folder: Path) -> str:
    (folder / "params.json").unlink()
    return "no params.json"


def _other_record(folder: Path) -> str:
    (folder / "params.json").write_text('{"files": {}}')
    return "no params.json that says"


@pytest.mark.parametrize("change", [_foreign_file, _foreign_folder, _linked_record, _edited, _no_record, _other_record])
def test_a_folder_with_anything_of_the_persons_is_refused(tmp_path: Path, change: Any) -> None:
    target = tmp_path / "anna"
    write_folder(target, some_files())
    sentence, before = change(target), what_is_in(tmp_path)
    with pytest.raises(BadInput, match=sentence):
        write_folder(target, some_files("second"))
    assert what_is_in(tmp_path) == before


def test_a_file_or_link_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("file", "link"):
        with pytest.raises(BadInput, match="in the way"):
            write_folder(tmp_path / name, some_files())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "link"]


@pytest.fixture(params=[1, 3, 5])
def full_disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """fsync of the nth file says that the disk is full."""
    left = [request.param]
    real = os.fsync

    def fsync(handle: int) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(folders.os, "fsync", fsync)
        yield


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_leaves_what_was_there_and_no_draft(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        write_folder(tmp_path / "a" / "b" / "anna", some_files())
    assert not list(tmp_path.iterdir())


def test_a_failure_at_the_last_moment_brings_the_old_folder_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(tmp_path / "anna", some_files())
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if self.suffix == ".part":
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(PermissionError):
        write_folder(tmp_path / "anna", some_files("second"))
    assert what_is_in(tmp_path) == {f"anna/{name}": content for name, content in some_files().items()}


def test_an_interruption_leaves_nothing_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(folders.os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        write_folder(tmp_path / "out" / "anna", some_files())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("photos", "names"),
    [
        (["anna.jpg", "ben.png"], ["anna", "ben"]),
        (["anna.jpg", "anna.png"], ["anna-jpg", "anna-png"]),
        (["anna.jpg", "Anna.png"], ["anna-jpg", "Anna-png"]),
        (["a/anna.jpg", "b/anna.jpg", "b/anna.png"], ["a-anna-jpg", "b-anna-jpg", "anna-png"]),
        (["anna.jpg", "anna-2.jpg"], ["anna", "anna-2-jpg"]),
        (["anna-2.jpg"], ["anna-2"]),
        (['a:b?".jpg', " . .jpg"], ["a_b__", "photo"]),
    ],
)
def test_folders_are_named_for_the_photos(photos: list[str], names: list[str]) -> None:
    assert folder_names([Path(photo) for photo in photos]) == names


def test_no_two_photos_or_their_faces_share_a_folder_in_any_order() -> None:
    given = ["a.jpg", "a.png", "a-2.jpg", "x/a.jpg", "y/x/a.jpg", "z/x/a.jpg", "a-jpg.png", "photo.1", "photo.2"]
    photos = [Path(name) for name in given]
    named = dict(zip(photos, folder_names(photos), strict=True))
    every = [str(face_folder(Path(name), number)) for name in named.values() for number in range(1, 5)]
    assert len(set(every)) == len(every)
    for order in list(permutations(photos))[:: 362880 // 7]:
        assert folder_names(order) == [named[photo] for photo in order]


def test_long_names_stay_short_and_apart() -> None:
    names = folder_names([Path("ü" * 120 + end) for end in ("a.jpg", "b.jpg")])
    assert len(set(names)) == 2
    assert all(len(os.fsencode(name)) < 160 for name in names)

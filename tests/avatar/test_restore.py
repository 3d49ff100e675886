from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import headform
from headform.avatar.avatar import FORMAT, Avatar, fingerprint, json_bytes
from headform.avatar.restore import load, restored
from headform.errors import BadInput
from headform.head import HeadModel
from headform.skin.textures import Textures

SMILE = {"mouthSmileLeft": 0.75, "mouthSmileRight": 0.5}


@pytest.fixture(scope="module")
def dressed(avatar: Avatar) -> Avatar:
    """Textures of noise: what comes back can be told from every other picture."""
    rng = np.random.default_rng(4)
    shapes = {"albedo": (64, 64, 3), "normal": (64, 64, 3), "roughness": (64, 64), "lashes": (32, 32, 4)}
    names = [each.name for each in fields(Textures)]
    smooth = {name: rng.integers(40, 200, shapes.get(name, (48, 48, 3))[2:]).astype(np.uint8) for name in names}
    pictures = {name: np.broadcast_to(smooth[name], shapes.get(name, (48, 48, 3))).copy() for name in names}
    return replace(avatar, textures=Textures(**pictures))


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return stream.getvalue()


def loose(avatar: Avatar) -> dict[str, bytes]:
    """The numbers and the pictures of an avatar as files."""
    files = {"params.json": avatar.content(".json")}
    for each in fields(Textures):
        stream = io.BytesIO()
        Image.fromarray(getattr(avatar.textures, each.name)).save(stream, "PNG")
        files[f"{each.name}.png"] = stream.getvalue()
    return files


def put_folder(avatar: Avatar, folder: Path) -> Path:
    folder.mkdir()
    for name, content in loose(avatar).items():
        (folder / name).write_bytes(content)
    return folder


def put_file(ending: str) -> Callable[[Avatar, Path], Path]:
    def put(avatar: Avatar, folder: Path) -> Path:
        folder.mkdir()
        avatar.save(folder / f"me{ending}")
        return folder / f"me{ending}"

    return put


def put_packed(avatar: Avatar, folder: Path) -> Path:
    """As the command leaves it: the pictures are in the zip alone."""
    folder.mkdir()
    avatar.save(folder / "avatar.zip")
    (folder / "params.json").write_bytes(avatar.content(".json"))
    return folder


WAYS = {
    "folder": put_folder,
    "zip": put_file(".zip"),
    "glb": put_file(".glb"),
    "vrm": put_file(".vrm"),
    "packed": put_packed,
}


@pytest.mark.parametrize("way", WAYS)
def test_an_avatar_comes_back_as_it_was(dressed: Avatar, tmp_path: Path, way: str) -> None:
    smiling = dressed.with_expression(SMILE)
    again = headform.load(WAYS[way](smiling, tmp_path / "out"))
    np.testing.assert_allclose(again.neutral(), smiling.neutral(), atol=1e-5)
    np.testing.assert_allclose(again.posed(), smiling.posed(), atol=1e-5)
    np.testing.assert_allclose(again.vertices(), smiling.vertices(), atol=1e-5)
    then, now = (each.fit.camera.project(each.posed())[0] for each in (smiling, again))
    np.testing.assert_allclose(now, then, atol=0.01)
    up = np.array([[0.0, 1, 0], [0.6, 0, 0.8]])
    np.testing.assert_allclose(again.fit.light.shaded(up), smiling.fit.light.shaded(up), atol=1e-5)
    assert len(again.fit.light.lamps) == len(smiling.fit.light.lamps) == 3
    np.testing.assert_allclose(again.landmarks, smiling.landmarks, atol=0.006)
    assert again.provenance == smiling.provenance and again.warnings == smiling.warnings
    assert again.expression == SMILE
    assert again.textures is not None
    for each in fields(Textures):
        then, now = getattr(smiling.textures, each.name), getattr(again.textures, each.name)
        np.testing.assert_allclose(now.astype(int), then.astype(int), atol=2 if way in ("glb", "vrm") else 0)


def test_what_is_loaded_says_the_same_again(dressed: Avatar, tmp_path: Path) -> None:
    again = load(put_folder(dressed, tmp_path / "out"))
    assert again.parameters() == dressed.parameters()


def test_the_numbers_alone_give_a_plain_head(avatar: Avatar, tmp_path: Path) -> None:
    avatar.save(tmp_path / "me.json")
    again = load(tmp_path / "me.json")
    assert again.textures is None
    assert again.render(size=32)[16, 16, 3] == 255


def test_a_head_without_offsets_or_box_comes_back(avatar: Avatar) -> None:
    bare = replace(avatar, box=None, fit=replace(avatar.fit, offsets=np.zeros_like(avatar.fit.offsets), scale=1.25))
    again = restored(json.loads(json_bytes(bare.parameters())))
    assert again.box is None
    np.testing.assert_allclose(again.neutral(), bare.neutral(), atol=1e-5)


def changed(avatar: Avatar, **values: Any) -> bytes:
    return json.dumps(avatar.parameters() | values).encode()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"format": FORMAT + 1}, f"is of format {FORMAT + 1}, written by Headform 9.9; this one reads {FORMAT}"),
        ({"format": None}, "was written by an earlier Headform"),
        ({"format": "1"}, "was written by an earlier Headform"),
        ({"beta": [0.0] * 999}, "999 identity coefficients"),
        ({"beta": "long"}, "damaged parameters"),
        ({"theta": {}}, "damaged parameters"),
        ({"camera": {"matrix": []}}, "damaged parameters"),
        ({"provenance": {}}, "damaged parameters"),
        ({"offsets_mm": [[1, 2, 3]]}, "damaged parameters"),
        ({"expression": {"jawOpens": 0.2}}, "did you mean jawOpen"),
        ({"expression": {"jawOpen": 7}}, "jawOpen cannot be 7"),
        ({"head": {"name": "flame2023"}}, "headform model use flame2023"),
    ],
)
def test_parameters_that_cannot_be_read_are_one_sentence(
    avatar: Avatar, tmp_path: Path, values: dict[str, Any], sentence: str
) -> None:
    path = tmp_path / "me.json"
    path.write_bytes(changed(avatar, **{"headform": "9.9"} | values))
    with pytest.raises(BadInput, match=sentence) as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_another_release_of_the_head_is_refused(avatar: Avatar) -> None:
    model, made = avatar.model, avatar.provenance
    name = f"head {model.name}"
    mine = replace(avatar, provenance=replace(made, models={name: f"sha256 {fingerprint(model)}"}))
    assert restored(mine.parameters()).provenance == mine.provenance
    other = replace(mine, provenance=replace(made, models={name: "sha256 00ff"}))
    with pytest.raises(BadInput, match="with another version of the head 'headform'"):
        restored(other.parameters())


def test_a_head_that_is_given_is_used(avatar: Avatar) -> None:
    mine: HeadModel = replace(avatar.model, name="mine")
    values = replace(avatar, model=mine).parameters()
    assert restored(values, model=mine).model is mine
    with pytest.raises(BadInput, match="is of the head 'mine', which is not in use"):
        restored(values)


def _no_files(folder: Path, avatar: Avatar) -> Path:
    return folder


def _gone(folder: Path, avatar: Avatar) -> Path:
    return folder / "gone.zip"


def _other_zip(folder: Path, avatar: Avatar) -> Path:
    (folder / "a.zip").write_bytes(zipped({"notes.txt": b"x"}))
    return folder / "a.zip"


def _cut_zip(folder: Path, avatar: Avatar) -> Path:
    (folder / "a.zip").write_bytes(zipped(loose(avatar))[:-200])
    return folder / "a.zip"


def _changed_zip(folder: Path, avatar: Avatar) -> Path:
    content = bytearray(zipped(loose(avatar)))
    content[len(avatar.content(".json")) // 2] ^= 1
    (folder / "a.zip").write_bytes(content)
    return folder / "a.zip"


def _half_zip(folder: Path, avatar: Avatar) -> Path:
    (folder / "a.zip").write_bytes(zipped({k: v for k, v in loose(avatar).items() if k != "mouth.png"}))
    return folder / "a.zip"


def _bad_picture(folder: Path, avatar: Avatar) -> Path:
    (folder / "a.zip").write_bytes(zipped(loose(avatar) | {"mouth.png": b"\x89PNG\r\n\x1a\nnothing"}))
    return folder / "a.zip"


def _cut_glb(folder: Path, avatar: Avatar) -> Path:
    (folder / "a.glb").write_bytes(avatar.content(".glb")[:3000])
    return folder / "a.glb"


def _other_glb(folder: Path, avatar: Avatar) -> Path:
    words = b'{"asset":{"version":"2.0"}}  '[:28]
    length = 20 + len(words)
    head = b"glTF" + b"".join(n.to_bytes(4, "little") for n in (2, length, len(words), 0x4E4F534A))
    (folder / "a.glb").write_bytes(head + words)
    return folder / "a.glb"


def _photo(folder: Path, avatar: Avatar) -> Path:
    Image.new("RGB", (40, 40)).save(folder / "me.jpg")
    return folder / "me.jpg"


def _other_json(folder: Path, avatar: Avatar) -> Path:
    (folder / "a.json").write_text("[1, 2]")
    return folder / "a.json"


def _no_json(folder: Path, avatar: Avatar) -> Path:
    (folder / "params.json").write_text("{")
    return folder


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (_no_files, "holds no params.json; give the folder of one avatar"),
        (_gone, "gone.zip: there is no such file"),
        (_other_zip, "holds no params.json: it is no avatar"),
        (_cut_zip, "is damaged and cannot be read"),
        (_changed_zip, "is damaged and cannot be read"),
        (_half_zip, "lacks mouth.png"),
        (_bad_picture, "the mouth of .* is damaged"),
        (_cut_glb, "is damaged and cannot be read"),
        (_other_glb, "was not written by this Headform"),
        (_photo, "is no avatar that can be read back; give an avatar.zip"),
        (_other_json, "holds a params.json that Headform did not write"),
        (_no_json, "holds a damaged params.json"),
    ],
)
def test_files_that_hold_no_avatar_are_one_sentence(
    dressed: Avatar, tmp_path: Path, make: Callable[[Path, Avatar], Path], sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence) as caught:
        load(make(tmp_path, dressed))
    assert "\n" not in str(caught.value)

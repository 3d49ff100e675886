from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from avatar_dressed import SIZE, dressed_avatar, some_textures
from avatar_stand_in import known_avatar
from PIL import Image

from headform.avatar import formats, obj, pictures
from headform.avatar.avatar import Avatar
from headform.avatar.glb import glb
from headform.avatar.package import zip_bytes
from headform.errors import BadInput, MissingExtra

INSIDE = {
    "head.obj",
    "head.mtl",
    "albedo.png",
    "normal.png",
    "roughness.png",
    "eye_left.png",
    "eye_right.png",
    "mouth.png",
    "lashes.png",
    "avatar.glb",
    "params.json",
    "preview.png",
    "LICENCE.txt",
}


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return dressed_avatar()


@pytest.fixture(scope="module")
def content(avatar: Avatar) -> bytes:
    return zip_bytes(avatar)


def test_it_holds_every_file_whole(avatar: Avatar, content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert packed.testzip() is None
        assert set(packed.namelist()) == INSIDE
        assert packed.read("avatar.glb") == glb(avatar)
        assert packed.read("head.obj") == obj.files(avatar, None, "head")["head.obj"]
        assert json.loads(packed.read("params.json")) == json.loads(json.dumps(avatar.parameters()))
        for info in packed.infolist():
            stored = info.filename.endswith((".png", ".glb"))
            assert info.compress_type == (zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)
            assert info.external_attr >> 16 == 0o644


def test_the_same_avatar_gives_the_same_bytes(content: bytes) -> None:
    """Whenever, and not only because the encoded pictures are kept: another avatar that is equal gives them too."""
    assert zip_bytes(dressed_avatar()) == content


def test_the_preview_shows_the_head_before_its_ground(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as packed, Image.open(io.BytesIO(packed.read("preview.png"))) as opened:
        picture = np.asarray(opened).astype(int)
    assert picture.shape == (512, 512, 3)
    ground = np.round(np.array(pictures.PREVIEW_GROUND) * 255)
    assert np.abs(picture[[0, 0, -1], [0, -1, 0]] - ground).max() <= 2
    head = np.abs(picture - ground).max(-1) > 25
    assert 0.15 < head.mean() < 0.6
    skin = picture[head]
    assert np.median(skin[:, 0]) > np.median(skin[:, 2]) + 15


def test_the_licence_says_whose_it_is(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        note = packed.read("LICENCE.txt").decode()
    assert "photo anna" in note and "CC0" in note and "rights in the photo" in note


def test_pictures_have_the_size_that_is_asked_for(avatar: Avatar) -> None:
    with zipfile.ZipFile(io.BytesIO(zip_bytes(avatar, SIZE // 2))) as packed:
        for name in ("albedo.png", "normal.png", "roughness.png"):
            with Image.open(io.BytesIO(packed.read(name))) as opened:
                assert opened.size == (SIZE // 2, SIZE // 2)


def test_a_head_that_wears_nothing_is_packed_too() -> None:
    with zipfile.ZipFile(io.BytesIO(zip_bytes(known_avatar()))) as packed:
        assert set(packed.namelist()) == {name for name in INSIDE if not name.endswith(".png")} | {"preview.png"}


def test_each_picture_is_encoded_once(avatar: Avatar, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    usual = pictures._saved

    def count(pixels: pictures.Bytes, form: str, **options: int) -> bytes:
        done.append(form)
        return usual(pixels, form, **options)

    monkeypatch.setattr(pictures, "_saved", count)
    fresh = replace(avatar, textures=replace(some_textures()))
    for ending in (".zip", ".glb", ".obj", ".zip"):
        formats.FORMATS[ending].make(fresh, SIZE // 4)
    assert sorted(done) == ["JPEG"] * 6 + ["PNG"] * (7 + 1 + 1)  # all, the lashes once more, the preview


def test_formats_are_named_with_or_without_a_dot_and_once() -> None:
    chosen = formats.check(["zip", ".GLB", "zip", "obj"])
    assert [each.ending for each in chosen] == [".zip", ".glb", ".obj"]


@pytest.mark.parametrize(
    ("name", "hint"), [("gbl", r"did you mean \.glb"), ("fbx", "there are"), ("", "without ending")]
)
def test_an_unknown_format_names_those_there_are(name: str, hint: str) -> None:
    with pytest.raises(BadInput, match=hint):
        formats.check(["zip", name])


def test_a_format_whose_package_is_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    formats.check(["zip", "vrm"])
    with pytest.raises(MissingExtra, match=r'\.usdz files need another package: pip install "headform\[usd\]"'):
        formats.check(["zip", "usdz"])


@pytest.mark.parametrize("ending", [".zip", ".glb", ".vrm", ".obj", ".json", ".png"])
def test_the_main_file_comes_first(avatar: Avatar, ending: str) -> None:
    made = formats.files(avatar, ending, "me", SIZE)
    assert next(iter(made)) == f"me{ending}"
    assert next(iter(formats.files(avatar, ending))) == f"{formats.FORMATS[ending].stem}{ending}"

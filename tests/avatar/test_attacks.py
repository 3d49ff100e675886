"""Files and runs as someone hostile, or unlucky, would have them: one sentence each, and nothing half-written."""

from __future__ import annotations

import copy
import io
import json
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from avatar_dressed import dressed_avatar
from PIL import Image

from headform import cli
from headform.avatar import stored
from headform.avatar.avatar import Avatar
from headform.avatar.backends import BACKENDS
from headform.avatar.folder import contents, write_folder
from headform.avatar.restore import load
from headform.errors import BadInput
from headform.photo import Photo

NAN, INFINITE = float("nan"), float("inf")
FILES = {"avatar.zip", "avatar.glb", "preview.png", "params.json"}


@pytest.fixture(scope="module")
def dressed() -> Avatar:
    return dressed_avatar()


@pytest.fixture(scope="module")
def numbers(avatar: Avatar) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(avatar.content(".json"))
    return values


@pytest.fixture(scope="module")
def packed(dressed: Avatar) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(dressed.content(".zip"))) as whole:
        return {name: whole.read(name) for name in whole.namelist()}


@pytest.fixture(scope="module")
def binary(dressed: Avatar) -> bytes:
    return dressed.content(".glb")


def refused(path: Path, sentence: str | None = None) -> str:
    with pytest.raises(BadInput, match=sentence) as caught:
        load(path)
    said = str(caught.value)
    assert said.isprintable() and len(said) < 600
    return said


def put_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return path


def picture(wide: int, high: int, mode: str = "RGB") -> bytes:
    stream = io.BytesIO()
    Image.new(mode, (wide, high)).save(stream, "PNG")
    return stream.getvalue()


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("beta", [NAN]),
        ("beta", [1e300]),
        ("beta", [[0.1, 0.2]]),
        ("beta", True),
        ("psi.jawOpen", INFINITE),
        ("psi.jawOpen", "wide"),
        ("theta.global", [1e9, 0, 0]),
        ("theta.jaw", [0, 0]),
        ("camera.matrix", [[NAN, 0, 0], [0, 1, 0], [0, 0, 1]]),
        ("camera.rotation", [[0, 0, 0]] * 3),
        ("camera.width", 10**9),
        ("camera.width", 3.5),
        ("camera.orthographic", "no"),
        ("light.coefficients", [[NAN] * 3] * 9),
        ("light.lamps", "bright"),
        ("scale", NAN),
        ("scale", 0),
        ("scale", -1),
        ("scale", 1e9),
        ("scale", None),
        ("offsets_mm", 5),
        ("landmark_error", NAN),
        ("landmarks", [[NAN, 1]]),
        ("landmarks", [1, 2, 3]),
        ("box", [NAN] * 4),
        ("box", [1, 2, 3]),
        ("expression", {"jawOpen": NAN}),
        ("warnings", 5),
        ("provenance.models", [1]),
        ("provenance.photo", 5),
        ("provenance.face", "x"),
        ("provenance.version", None),
        ("provenance.more", "x"),
        ("format", True),
        ("format", 1.0),
        ("head.name", "evil\nname\x1b[2J"),
        ("headform", "9\n\x1b[2J"),
    ],
)
def test_numbers_that_cannot_be_are_refused(numbers: dict[str, Any], tmp_path: Path, place: str, value: Any) -> None:
    values = copy.deepcopy(numbers)
    *parents, last = place.split(".")
    inner = values
    for name in parents:
        inner = inner[name]
    inner[last] = value
    if place == "headform":
        values["format"] = 99
    path = tmp_path / "me.json"
    path.write_text(json.dumps(values))
    refused(path)


@pytest.mark.parametrize("value", [NAN, 1e30, 3e5])
def test_vertices_that_fly_away_are_refused(numbers: dict[str, Any], tmp_path: Path, value: float) -> None:
    moved = copy.deepcopy(numbers["offsets_mm"])
    moved[7][1] = value
    (tmp_path / "me.json").write_text(json.dumps(numbers | {"offsets_mm": moved}))
    refused(tmp_path / "me.json", "offsets")


@pytest.mark.parametrize(
    "words",
    ["", "null", "[" * 100_000, '{"headform": "1", "format": ' + "9" * 6000 + "}", "\xff"],
    ids=["empty", "null", "deep", "long", "latin"],
)
def test_words_that_are_no_parameters_are_refused(tmp_path: Path, words: str) -> None:
    (tmp_path / "me.json").write_bytes(words.encode("latin1"))
    refused(tmp_path / "me.json")


# ── zip ──────────────────────────────────────────────────────────────────────────────────────────


def test_names_that_lead_elsewhere_lead_nowhere(packed: dict[str, bytes], tmp_path: Path) -> None:
    """Nothing is unpacked: what a zip holds besides an avatar's files is not looked at."""
    inside = tmp_path / "deep" / "deeper"
    inside.mkdir(parents=True)
    path = put_zip(inside / "me.zip", packed | {"../../evil.txt": b"x", "/evil.txt": b"x", "..\\evil.txt": b"x"})
    assert load(path).textures is not None
    assert [str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()] == ["deep/deeper/me.zip"]


@pytest.mark.parametrize("name", ["params.json", "albedo.png"])
def test_a_zip_bomb_is_not_unpacked(packed: dict[str, bytes], tmp_path: Path, name: str) -> None:
    """The bytes that the zip says it holds decide, before any is unpacked; a zip that says less is damaged."""
    most = stored.MOST_WORDS if name == "params.json" else stored.MOST_PICTURE
    path = put_zip(tmp_path / "me.zip", packed | {name: bytes(most + 1)})
    assert path.stat().st_size < 20_000_000
    refused(path, name)
    content = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):  # the local and the central record of its size
        place = content.rfind(mark, 0, content.rfind(name.encode()) if mark[2] == 1 else content.find(name.encode()))
        struct.pack_into("<I", content, place + at, 1000)
    path.write_bytes(content)
    refused(path)


def test_a_picture_bomb_is_not_decoded(packed: dict[str, bytes], tmp_path: Path) -> None:
    """A few kilobytes of PNG that would be 1.2 GB of pixels."""
    small = bytearray(picture(8, 8))
    struct.pack_into(">II", small, 16, 20_000, 20_000)
    struct.pack_into(">I", small, 29, zlib.crc32(bytes(small[12:29])))
    refused(put_zip(tmp_path / "me.zip", packed | {"albedo.png": bytes(small)}), "albedo")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("albedo.png", b"", "albedo .* damaged"),
        ("albedo.png", picture(100, 37), "100 × 37 pixels; it must be a square"),
        ("eye_left.png", picture(9000, 1), "9000 × 1 pixels; 8192 a side"),
        ("normal.png", picture(64, 64)[:60], "normal .* damaged"),
        ("mouth.png", None, "lacks mouth.png"),
    ],
)
def test_a_picture_that_cannot_be_worn_is_refused(
    packed: dict[str, bytes], tmp_path: Path, name: str, content: bytes | None, sentence: str
) -> None:
    files = {key: value for key, value in packed.items() if key != name}
    refused(put_zip(tmp_path / "me.zip", files | ({} if content is None else {name: content})), sentence)


@pytest.mark.parametrize(("mode", "side"), [("L", 64), ("RGBA", 1), ("P", 100), ("I;16", 64)])
def test_other_kinds_of_png_are_read(packed: dict[str, bytes], tmp_path: Path, mode: str, side: int) -> None:
    """What painting programs write: any square, grey, with a palette, with 16 bits."""
    back = load(put_zip(tmp_path / "me.zip", packed | {"albedo.png": picture(side, side, mode)}))
    assert back.textures is not None and back.textures.albedo.shape == (side, side, 3)
    assert back.render(size=32)[16, 16, 3] == 255
    assert back.content(".glb", 64)


def test_a_changed_byte_is_read_or_refused(packed: dict[str, bytes], tmp_path: Path) -> None:
    """Two hundred zips with three wrong bytes each, most of them in the table of contents."""
    rng = np.random.default_rng(0)
    needed = {name: content for name, content in packed.items() if name.endswith((".png", ".json"))}
    small = {name: picture(4, 4) if name.endswith(".png") else content for name, content in needed.items()}
    whole = put_zip(tmp_path / "whole.zip", small).read_bytes()
    table = whole.find(b"PK\x01\x02")
    for number in range(200):
        content = bytearray(whole)
        for place in rng.integers(table if number % 4 else 0, len(content), 3):
            content[place] = rng.integers(256)
        (tmp_path / "me.zip").write_bytes(content)
        try:
            load(tmp_path / "me.zip")
        except BadInput as error:
            assert str(error).isprintable()


# ── glb ──────────────────────────────────────────────────────────────────────────────────────────


def taken_apart(content: bytes) -> tuple[dict[str, Any], bytes]:
    words = struct.unpack_from("<I", content, 12)[0]
    return json.loads(content[20 : 20 + words]), content[28 + words :]


def put_together(document: Any, rest: bytes) -> bytes:
    words = document if isinstance(document, bytes) else json.dumps(document).encode()
    words += b" " * (-len(words) % 4)
    head = b"glTF" + struct.pack("<II", 2, 28 + len(words) + len(rest)) + struct.pack("<II", len(words), 0x4E4F534A)
    return head + words + struct.pack("<II", len(rest), 0x004E4942) + rest


@pytest.mark.parametrize("length", [4, 8, 12, 16, 20, 300, -1])
def test_a_glb_that_ends_early_is_refused(binary: bytes, tmp_path: Path, length: int) -> None:
    (tmp_path / "me.glb").write_bytes(binary[:length])
    refused(tmp_path / "me.glb", "damaged")


@pytest.mark.parametrize("words", [b"[1]", b"null", b"[" * 200_000, b'{"a":"\xff"}', b"{}", b'{"asset":[]}'])
def test_a_glb_with_another_document_is_refused(binary: bytes, tmp_path: Path, words: bytes) -> None:
    (tmp_path / "me.glb").write_bytes(put_together(words, taken_apart(binary)[1]))
    refused(tmp_path / "me.glb")


def _no_view(document: dict[str, Any]) -> None:
    del document["images"][0]["bufferView"]


def _far_view(document: dict[str, Any]) -> None:
    document["images"][0]["bufferView"] = 999


def _named_view(document: dict[str, Any]) -> None:
    document["images"][0]["bufferView"] = "first"


def _no_views(document: dict[str, Any]) -> None:
    del document["bufferViews"]


def _half_offset(document: dict[str, Any]) -> None:
    for view in document["bufferViews"]:
        view["byteOffset"] = 1.5


def _far_offset(document: dict[str, Any]) -> None:
    for view in document["bufferViews"]:
        view["byteOffset"] = 10**12


def _word_length(document: dict[str, Any]) -> None:
    for view in document["bufferViews"]:
        view["byteLength"] = "long"


def _images_by_name(document: dict[str, Any]) -> None:
    document["images"] = {"albedo": 1}


def _listed_name(document: dict[str, Any]) -> None:
    document["images"][0]["name"] = ["albedo"]


def _other_extras(document: dict[str, Any]) -> None:
    document["asset"]["extras"] = [1]


def _words_for_numbers(document: dict[str, Any]) -> None:
    document["asset"]["extras"]["headform"] = "x"


@pytest.mark.parametrize(
    "change",
    [
        _no_view,
        _far_view,
        _named_view,
        _no_views,
        _half_offset,
        _far_offset,
        _word_length,
        _images_by_name,
        _listed_name,
        _other_extras,
        _words_for_numbers,
    ],
)
def test_a_glb_with_broken_references_is_refused(
    binary: bytes, tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    document, rest = taken_apart(binary)
    change(document)
    (tmp_path / "me.glb").write_bytes(put_together(document, rest))
    refused(tmp_path / "me.glb")


# ── what is no file ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "me.zip")
    refused(tmp_path / "me.zip", "no ordinary file")


def test_names_that_no_file_can_have_are_refused() -> None:
    with pytest.raises(BadInput, match="too long"):
        load("x" * 5000)
    with pytest.raises(BadInput, match=r"null|zero|no such file"):
        load("a\0b")


# ── runs ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADFORM_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HEADFORM_DEBUG", raising=False)
    monkeypatch.setitem(BACKENDS, "stand_in", "avatar_stand_in:StandIn")
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.full((80, 64, 3), (1, 120, 120), np.uint8)).save("a.png")
    return tmp_path


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("pixels", "kind", "name"),
    [
        (np.zeros((400, 1), np.uint8), "L", "thin.png"),
        (np.zeros((31, 31, 3), np.uint8), "RGB", "tiny.png"),
        (np.zeros((64, 64, 4), np.uint8), "RGBA", "clear.png"),
        (np.zeros((64, 64, 4), np.uint8), "CMYK", "print.jpg"),
        (np.zeros((64, 64), np.uint16), "I;16", "deep.png"),
        (np.full((48, 64), 128, np.uint8), "L", "grey.jpg"),
        (np.zeros((10, 20_001), np.uint8), "L", "wide.png"),
    ],
)
def test_photos_without_a_face_are_one_sentence(
    capsys: pytest.CaptureFixture[str], pixels: np.ndarray, kind: str, name: str
) -> None:
    """The networks themselves look at those that are large enough."""
    image = Image.fromarray(pixels) if kind != "CMYK" else Image.frombytes("CMYK", (64, 64), pixels.tobytes())
    image.save(name)
    before = sorted(Path().rglob("*"))
    assert cli.main(["reconstruct", name, "-o", "out"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and Path(name).stem in err
    assert sorted(Path().rglob("*")) == before


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("kept", [0, 1, 100, 0.5, 0.99])
def test_a_photo_that_ends_early_is_one_sentence(capsys: pytest.CaptureFixture[str], kept: float) -> None:
    stream = io.BytesIO()
    Image.effect_noise((300, 300), 60).convert("RGB").save(stream, "JPEG")
    whole = stream.getvalue()
    Path("cut.jpg").write_bytes(whole[: int(kept * len(whole)) if kept < 1 else int(kept)])
    assert cli.main(["reconstruct", "cut.jpg", "-o", "out"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("headform: cut.jpg") and err.count("\n") == 1
    assert not Path("out").exists()


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    "words",
    [
        ["reconstruct", "a.png", "--texture", "abc"],
        ["reconstruct", "a.png", "--texture", "2048.0"],
        ["reconstruct", "a.png", "--face", "one"],
        ["reconstruct", "a.png", "--jobs", "all"],
        ["render", "a.zip", "--pitch", "up"],
        ["render", "a.zip", "--size", "1.5"],
        ["render", "a.zip", "--posed", "--expression", "jawOpen=1"],
        ["reconstruct"],
        ["render"],
    ],
)
def test_words_that_the_parser_refuses_end_with_code_2(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    assert end.value.code == 2
    assert "error: " in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("size", ["0", "-1", "1000", "1023", "8192", "99999999999999999999"])
def test_textures_of_other_sizes_are_refused_before_any_work(capsys: pytest.CaptureFixture[str], size: str) -> None:
    assert cli.main(["reconstruct", "a.png", "-o", "out", "--backend", "stand_in", "--texture", size]) == 2
    assert capsys.readouterr().err == (
        f"headform: a texture of {size} pixels cannot be made; give 1024, 2048 or 4096\n"
    )
    assert not Path("out").exists()


@pytest.mark.parametrize("size", [0, -1024, 1000, 32, 16384])
def test_an_avatar_is_not_saved_with_textures_that_cannot_be(dressed: Avatar, tmp_path: Path, size: int) -> None:
    for name in ("me.glb", "me.zip", "me.obj"):
        with pytest.raises(BadInput, match=f"{size} pixels"):
            dressed.save(tmp_path / name, size)
    assert not list(tmp_path.iterdir())


def test_an_avatar_is_saved_nowhere_or_whole(dressed: Avatar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk after some of the files: what was there stays, and no draft."""
    (tmp_path / "me.obj").write_text("mine")
    (tmp_path / "albedo.png").write_text("mine")
    calls = [0]

    def full(handle: int) -> None:
        calls[0] += 1
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("headform.files.os.fsync", full)
    for name in ("me.obj", "me.glb", "me.zip", "me.json", "me.png"):
        with pytest.raises(OSError, match="No space left"):
            dressed.save(tmp_path / name)
    assert calls[0] >= 5
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"me.obj": "mine", "albedo.png": "mine"}
    for place in ("gone/me.glb", "."):
        with pytest.raises((OSError, BadInput)):
            dressed.save(tmp_path / place)


def test_runs_to_the_same_folder_leave_one_of_them(avatar: Avatar, photo: Photo, tmp_path: Path) -> None:
    """Whoever loses is told; the folder is always one that a run wrote, whole."""
    files = contents(photo, avatar)
    other = {name: content for name, content in files.items() if name != "avatar.glb"}
    record = json.loads(other["params.json"])
    del record["files"]["avatar.glb"]
    other["params.json"] = json.dumps(record).encode()

    def write(number: int) -> str:
        try:
            write_folder(tmp_path / "out" / "anna", files if number % 2 else other)
        except (BadInput, OSError) as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(write, range(40)))
    assert "" in said
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["anna"]
    found = {p.name: p.read_bytes() for p in (tmp_path / "out" / "anna").iterdir()}
    assert found in (files, other)


def test_two_programs_at_once_make_one_folder(home: Path) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from headform import cli; from headform.avatar.backends import BACKENDS\n"
        "BACKENDS['stand_in'] = 'avatar_stand_in:StandIn'\n"
        "sys.exit(cli.main(['reconstruct', 'a.png', '-o', 'out', '--backend', 'stand_in']))"
    )
    runs = [subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [run.communicate(timeout=120)[1] for run in runs]
    codes = [run.returncode for run in runs]
    assert 0 in codes and set(codes) <= {0, 2}, said
    assert all("Traceback" not in words for words in said)
    assert [p.name for p in (home / "out").iterdir()] == ["a"]
    assert {p.name for p in (home / "out" / "a").iterdir()} == FILES
    assert load(home / "out" / "a" / "avatar.zip").provenance.photo == "a"

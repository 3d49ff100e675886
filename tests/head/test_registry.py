from __future__ import annotations

import io
import sys
import zipfile
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from headform.errors import BadInput, MissingModel
from headform.head import registry
from headform.head.default import load_default
from headform.head.embedding import Embedding
from headform.head.files import describe_head, is_head_file, load_head, save_head, write_head
from headform.head.model import Follow, HeadModel

HALF = 2.0**-11  # relative step of float16


def small_head(name: str = "cube", seed: int = 0) -> HeadModel:
    """A head of nine control vertices and two followers, with everything that a head can have."""
    draw = np.random.default_rng(seed)

    def some(*shape: int) -> np.ndarray:
        return draw.normal(0, 0.01, shape).astype(np.float32)

    return HeadModel(
        name=name,
        template=some(9, 3),
        identity=some(4, 9, 3),
        expression=some(2, 9, 3),
        expression_names=("jawOpen", "grin"),
        drive=some(2, 5, 3),
        joints=some(5, 3),
        joint_identity=some(4, 5, 3),
        weights=np.full((10, 5), 0.2, np.float32),
        quads=np.array([[0, 1, 2, 3], [4, 5, 9, 9]], np.int32),
        quads_uv=np.array([[0, 1, 2, 3], [0, 1, 2, 2]], np.int32),
        uv=some(4, 2),
        part=np.array([0, 1], np.int32),
        parts=("skin", "lashes"),
        follow=Follow(np.zeros((2, 4), np.int32), np.full((2, 4), 0.25, np.float32)),
        correctives=some(36, 9, 3),
        embeddings={"points": Embedding(np.zeros((3, 3), np.int32), np.full((3, 3), 1 / 3, np.float32))},
        extras={"mask": np.arange(4, dtype=np.uint8)},
        source="a test",
        licence="CC0-1.0",
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADFORM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def cube(tmp_path: Path) -> Path:
    save_head(small_head(), tmp_path / "Cube Head.npz")
    return tmp_path / "Cube Head.npz"


# ── one file ─────────────────────────────────────────────────────────────────────────────────────


def test_a_head_comes_back_whole(cube: Path) -> None:
    before, after = small_head(), load_head(cube)
    for field in fields(HeadModel):
        one, other = getattr(before, field.name), getattr(after, field.name)
        if field.name in ("identity", "expression", "correctives"):
            np.testing.assert_allclose(other, one, rtol=HALF, atol=6e-8)
            assert other.dtype == np.float32
        elif isinstance(one, np.ndarray):
            np.testing.assert_array_equal(other, one)
        elif isinstance(one, str | tuple):
            assert other == one
    assert after.follow is not None
    np.testing.assert_array_equal(after.follow.weights, 0.25)
    np.testing.assert_array_equal(after.embeddings["points"].barycentric, np.float32(1 / 3))
    np.testing.assert_array_equal(after.extras["mask"], [0, 1, 2, 3])


def test_a_head_without_extras_comes_back(tmp_path: Path) -> None:
    bare = HeadModel(
        **{
            f.name: getattr(small_head(), f.name)
            for f in fields(HeadModel)
            if f.name not in ("follow", "correctives", "embeddings", "extras")
        }
    )
    save_head(bare, tmp_path / "bare.npz")
    after = load_head(tmp_path / "bare.npz")
    assert (after.follow, after.correctives, after.embeddings, after.extras) == (None, None, {}, {})


def test_the_same_head_gives_the_same_bytes() -> None:
    streams = io.BytesIO(), io.BytesIO()
    for stream in streams:
        write_head(small_head(), stream)
    assert streams[0].getvalue() == streams[1].getvalue()
    write_head(small_head(seed=1), other := io.BytesIO())
    assert other.getvalue() != streams[0].getvalue()


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingModel, match=r"gone\.npz is not there"):
        load_head(tmp_path / "gone.npz")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file(cube: Path, share: float) -> None:
    content = cube.read_bytes()
    cube.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(MissingModel, match="cut short or altered"):
        load_head(cube)


def test_changed_bytes_are_noticed(cube: Path) -> None:
    content = cube.read_bytes()
    with zipfile.ZipFile(cube) as archive:
        places = [info.header_offset + 30 + len(info.filename) + 40 for info in archive.infolist()]
    for place in places:
        spoiled = bytearray(content)
        spoiled[place] ^= 0xFF
        cube.write_bytes(spoiled)
        with pytest.raises(MissingModel):
            load_head(cube)


def test_other_npz_and_npy_files_are_no_heads(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    np.save(tmp_path / "one.npy", np.zeros(3))
    for name in ("other.npz", "one.npy"):
        with pytest.raises(BadInput, match=r"not a head that Headform wrote"):
            load_head(tmp_path / name)
        assert not is_head_file(tmp_path / name)


def test_another_version_says_so(cube: Path) -> None:
    _change(cube, format_version=np.array(2))
    with pytest.raises(BadInput, match="written in format 2, and this Headform reads format 1"):
        load_head(cube)
    assert is_head_file(cube)


def test_arrays_that_do_not_fit_each_other(cube: Path) -> None:
    _change(cube, joints=np.zeros((4, 3), np.float32))
    with pytest.raises(MissingModel, match="its joints does not fit"):
        load_head(cube)


def test_faces_beyond_the_vertices(cube: Path) -> None:
    _change(cube, quads=np.array([[0, 1, 2, 99], [0, 1, 2, 2]], np.int32))
    with pytest.raises(MissingModel, match="faces name vertices"):
        load_head(cube)


def test_pickled_arrays_are_not_loaded(cube: Path) -> None:
    _change(cube, source=np.array([{"a": 1}], object))
    with pytest.raises(MissingModel, match="altered"):
        load_head(cube)


def _change(path: Path, **arrays: np.ndarray) -> None:
    with np.load(path) as data:
        whole = {name: data[name] for name in data.files}
    np.savez(path, **(whole | arrays))


# ── the folder of heads ──────────────────────────────────────────────────────────────────────────


def test_add_list_use_remove(home: Path, cube: Path) -> None:
    assert registry.current_model() is load_default()
    assert registry.add(cube) == "cube-head"
    assert [(e.name, e.current) for e in registry.entries()] == [("headform", True), ("cube-head", False)]
    registry.use("cube-head")
    assert registry.current_model().name == "cube-head"
    assert [(e.name, e.current) for e in registry.entries()] == [("headform", False), ("cube-head", True)]
    registry.remove("cube-head")
    assert registry.added() == []
    assert registry.current_model() is load_default()
    assert sorted(p.name for p in (home / "models").iterdir()) == []


def test_the_choice_outlives_another_removal(home: Path, cube: Path) -> None:
    registry.add(cube, "one")
    registry.add(cube, "two")
    registry.use("one")
    registry.remove("two")
    assert registry.current_name() == "one"
    registry.use("headform")
    assert registry.current_name() == "headform"


def test_names(home: Path, cube: Path) -> None:
    registry.add(cube, "one")
    with pytest.raises(BadInput, match="already"):
        registry.add(cube, "one")
    with pytest.raises(BadInput, match="already"):
        registry.add(cube, "headform")
    for name in ("", "..", "../x", "a/b", "A", "x" * 41, "-a", "a.b"):
        with pytest.raises(BadInput, match="cannot be a head's name"):
            registry.add(cube, name)
    for action in (registry.use, registry.remove):
        with pytest.raises(BadInput, match="no head called 'two'; there are headform, one"):
            action("two")
        with pytest.raises(BadInput, match="no head called"):
            action("../models/one")
    with pytest.raises(BadInput, match="ships with Headform"):
        registry.remove("headform")


def test_what_is_no_head(home: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "folder").mkdir()
    for name, message in (("gone.pkl", "is not there"), ("notes.txt", "is no head"), ("folder", "is no head")):
        with pytest.raises(BadInput, match=message):
            registry.add(tmp_path / name)
    assert registry.added() == []


def test_a_damaged_head_is_listed_and_can_be_removed(home: Path, cube: Path) -> None:
    registry.add(cube, "one")
    registry.use("one")
    (home / "models" / "one.npz").write_bytes(b"PK")
    entry = list(registry.entries())[1]
    assert not entry.readable
    assert "cut short" in entry.about
    with pytest.raises(MissingModel):
        registry.current_model()
    registry.remove("one")
    assert registry.current_name() == "headform"


def test_a_head_deleted_by_hand(home: Path, cube: Path) -> None:
    registry.add(cube, "one")
    registry.use("one")
    (home / "models" / "one.npz").unlink()
    with pytest.raises(BadInput, match="no head called 'one'"):
        registry.current_model()


def test_description(cube: Path) -> None:
    assert describe_head(cube) == "a test: 4 identity modes, 2 expression units"


def test_flame_files_are_recognised(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "flame.pkl"
    path.write_bytes(b"\x80\x02cos\nsystem\n.")
    with pytest.raises(BadInput, match=r"asks to run 'os\.system'"):
        registry.add(path)
    assert registry.added() == []


@pytest.mark.parametrize(
    ("platform", "variables", "wanted"),
    [
        ("linux", {"XDG_DATA_HOME": "/data"}, Path("/data/headform")),
        ("linux", {}, Path.home() / ".local/share/headform"),
        ("darwin", {}, Path.home() / "Library/Application Support/headform"),
        ("win32", {"LOCALAPPDATA": "/local"}, Path("/local/headform")),
        ("win32", {"HEADFORM_HOME": "/mine", "LOCALAPPDATA": "/local"}, Path("/mine")),
    ],
)
def test_home(monkeypatch: pytest.MonkeyPatch, platform: str, variables: dict[str, str], wanted: Path) -> None:
    for name in ("HEADFORM_HOME", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert registry.home() == wanted

"""The person's own hairstyles: kept whole, found again, shared between processes, never mistaken."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hanging_hair import hanging

from headform.errors import BadInput
from headform.hair.shelf import VERSION, Shelf, check_name, check_tags


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "hair")


def test_a_shelf_is_empty_and_makes_nothing_until_something_is_added(shelf: Shelf) -> None:
    assert shelf.entries() == []
    assert not shelf.folder.exists()


def test_the_shelf_is_in_the_persons_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADFORM_HOME", str(tmp_path / "mine"))
    assert Shelf().folder == tmp_path / "mine" / "hair"


def test_what_was_added_is_found_again_by_another_shelf(shelf: Shelf) -> None:
    groom = hanging(7, 0.31)
    shelf.add("My-Bob", groom, "long straight", tags=["Party", "red  hot", "party"], facts={"strands": 7})
    (entry,) = Shelf(shelf.folder).entries()
    assert (entry.name, entry.title, entry.kind) == ("my-bob", "My bob", "long straight")
    assert entry.tags == ("party", "red hot")
    assert entry.facts == {"strands": 7}
    assert entry.added.endswith("Z") and entry.file.parent == shelf.folder
    again = Shelf(shelf.folder).groom("MY-BOB")
    assert again.points.shape == groom.points.shape
    assert np.abs(again.points - groom.points).max() < 1e-4


def test_names_are_unique_whatever_the_case(shelf: Shelf) -> None:
    shelf.add("bob", hanging(), "short straight")
    with pytest.raises(BadInput, match="called 'bob' already"):
        shelf.add("BOB", hanging(), "short straight")
    assert len(list(shelf.folder.glob("*.npz"))) == 1


@pytest.mark.parametrize("name", ["", " ", "../bob", "a/b", "a\\b", "ä", "bob.npz", "-bob", "x" * 41, "bob\n", "bob\0"])
def test_names_that_no_file_should_have_are_refused(shelf: Shelf, name: str) -> None:
    if name.strip() == "bob":
        assert check_name(name) == "bob"
        return
    with pytest.raises(BadInput, match="for example my-bob"):
        shelf.add(name, hanging(), "short straight")


def test_tags_are_given_and_taken(shelf: Shelf) -> None:
    shelf.add("bob", hanging(), "short straight", tags=["a", "b"])
    assert shelf.tag("Bob", add=["c", "A"], remove=["b", "never there"]).tags == ("a", "c")
    assert Shelf(shelf.folder).entry("bob").tags == ("a", "c")
    with pytest.raises(BadInput, match="would have 33 tags"):
        shelf.tag("bob", add=[f"tag{n}" for n in range(31)])
    assert shelf.entry("bob").tags == ("a", "c"), "a change that is refused changes nothing"


@pytest.mark.parametrize("tags", [["a,b"], ["ä"], ["x" * 41], [f"t{n}" for n in range(33)]])
def test_tags_that_cannot_be_are_refused(tags: list[str]) -> None:
    with pytest.raises(BadInput):
        check_tags(tags)


def test_what_is_deleted_is_gone_with_its_file(shelf: Shelf) -> None:
    shelf.add("bob", hanging(), "short straight", tags=["a"])
    shelf.delete("BOB")
    assert shelf.entries() == []
    assert not list(shelf.folder.glob("*.npz"))
    assert shelf.add("bob", hanging(), "short straight").tags == (), "tags went with the style"
    for call in (shelf.delete, shelf.tag, shelf.entry, shelf.groom):
        with pytest.raises(BadInput, match="no hairstyle 'afro' among your own"):
            call("afro")


def test_a_style_whose_file_is_gone_is_told_with_what_to_do(shelf: Shelf) -> None:
    entry = shelf.add("bob", hanging(), "short straight")
    entry.file.unlink()
    with pytest.raises(BadInput, match=r"are gone.*headform hair delete bob"):
        shelf.groom("bob")
    shelf.delete("bob")
    assert shelf.entries() == []


def test_a_write_that_fails_leaves_nothing(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    from headform.hair import files

    def full(*_: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "to_bytes", full)
    with pytest.raises(OSError, match="No space"):
        shelf.add("bob", hanging(), "short straight")
    assert shelf.entries() == []
    assert not list(shelf.folder.glob("*.npz"))


def test_an_index_of_a_newer_version_is_refused_and_left_as_it_is(shelf: Shelf) -> None:
    shelf.add("bob", hanging(), "short straight")
    index = sqlite3.connect(shelf.index)
    index.execute(f"PRAGMA user_version = {VERSION + 1}")
    index.close()
    before = shelf.index.read_bytes()
    for call in (shelf.entries, lambda: shelf.delete("bob"), lambda: shelf.add("new", hanging(), "short straight")):
        with pytest.raises(BadInput, match=r"newer Headform.*update Headform"):
            call()
    assert shelf.index.read_bytes() == before
    assert len(list(shelf.folder.glob("*.npz"))) == 1


def test_a_damaged_index_is_told_with_what_to_do(shelf: Shelf) -> None:
    shelf.folder.mkdir(parents=True)
    shelf.index.write_bytes(b"no database at all, " * 100)
    with pytest.raises(BadInput, match=r"is damaged.*move it away"):
        shelf.entries()


def test_a_damaged_row_is_told_with_what_to_do(shelf: Shelf) -> None:
    shelf.add("bob", hanging(), "short straight")
    index = sqlite3.connect(shelf.index)
    with index:
        index.execute("UPDATE styles SET facts = 'not JSON'")
    index.close()
    with pytest.raises(BadInput, match=r"is damaged.*move it away"):
        shelf.entries()


def test_an_index_that_was_tampered_with_cannot_reach_other_files(shelf: Shelf, tmp_path: Path) -> None:
    shelf.add("bob", hanging(), "short straight")
    other = tmp_path / "precious.npz"
    other.write_bytes(b"precious")
    index = sqlite3.connect(shelf.index)
    with index:
        index.execute("UPDATE styles SET file = '../precious.npz'")
    index.close()
    shelf.delete("bob")
    assert other.read_bytes() == b"precious"


ADDING = """
import sys
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from hanging_hair import hanging
from headform.errors import BadInput
from headform.hair.shelf import Shelf
shelf = Shelf(Path(sys.argv[1]))
for number in range(6):
    shelf.add(f"{sys.argv[2]}-{number}", hanging(3), "short straight", tags=["together"])
    try:
        shelf.add(f"both-{number}", hanging(3), "short straight")
        print("mine")
    except BadInput:
        pass
"""


def test_processes_that_add_at_the_same_time_lose_nothing(shelf: Shelf) -> None:
    words = [[sys.executable, "-c", ADDING, str(shelf.folder), who, str(Path(__file__).parent)] for who in ("a", "b")]

    def run(command: list[str]) -> str:
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout

    with ThreadPoolExecutor(2) as pool:
        outputs = list(pool.map(run, words))
    expected = [f"{who}-{number}" for who in ("a", "b", "both") for number in range(6)]
    assert [entry.name for entry in shelf.entries()] == expected
    assert sum(text.count("mine") for text in outputs) == 6, "each name was given once"
    assert len(list(shelf.folder.glob("*.npz"))) == 18
    for name in expected:
        assert len(shelf.groom(name)) == 3


def test_threads_share_one_shelf(shelf: Shelf) -> None:
    shelf.add("bob", hanging(3), "short straight")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: shelf.tag("bob", add=[f"t{number}"]), range(20)))
    assert set(shelf.entry("bob").tags) == {f"t{number}" for number in range(20)}

"""`headform hair` from the command line, as a person and as a program use it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headform import cli
from headform.hair import files, library
from headform.hair.groom import Groom
from headform.head import load_default

KEYS = ["name", "title", "class", "tags", "own", "licence", "source", "file", "added"]


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADFORM_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HEADFORM_DEBUG", raising=False)
    monkeypatch.chdir(tmp_path)


class Told:
    """Runs a command and gives what it said."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *words: str) -> str:
        assert cli.main(["hair", *words]) == 0, self.capsys.readouterr().err
        return self.capsys.readouterr().out

    def json(self, *words: str) -> Any:
        text = self(*words, "--json")
        assert text.count("\n") == 1, "one line, for programs"
        return json.loads(text)

    def refused(self, *words: str) -> str:
        assert cli.main(["hair", *words]) == 2
        captured = self.capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith("headform: ") and captured.err.count("\n") == 1
        return captured.err


@pytest.fixture
def hair(capsys: pytest.CaptureFixture[str]) -> Told:
    return Told(capsys)


@pytest.fixture
def strands(tmp_path: Path) -> Path:
    """A file of another program: hair of a head that stands somewhere else."""
    grown = library.groom("crew_cut", count=400)
    path = tmp_path / "Other Hair.data"
    files.write(path, Groom(grown.points + np.float32([0, 1.6, 0])))
    return path


# ── list and show ────────────────────────────────────────────────────────────────────────────────


def test_list_shows_every_style_or_those_that_fit(hair: Told) -> None:
    names = [line.split()[0] for line in hair("list").splitlines()]
    assert names == library.names()
    fringes = hair("list", "fringe").splitlines()
    assert len(fringes) > 5 and all("fringe" in line.lower() for line in fringes)
    assert hair("list", "xyzzy") == "no hairstyle fits; `headform hair list` shows all\n"


def test_list_tells_programs_the_same_keys_always(hair: Told) -> None:
    rows = hair.json("list")
    assert [row["name"] for row in rows] == library.names()
    assert all(list(row) == KEYS for row in rows)
    assert all(row["own"] is False and row["file"] is None for row in rows)
    assert hair.json("list", "xyzzy") == []
    tagged = hair.json("list", "--tag", "bob", "--tag", "fringe")
    assert tagged and all({"bob", "fringe"} <= set(row["tags"]) for row in tagged)


def test_show_says_what_a_style_is(hair: Told) -> None:
    text = hair("show", "Crew-Cut")
    assert text.startswith("crew_cut: Crew cut\n")
    assert "short straight" in text and "Apache-2.0" in text and " cm, longest " in text
    facts = hair.json("show", "crew_cut")
    assert list(facts) == [*KEYS, "strands", "length_median_m", "length_longest_m", "thumbnail"]
    assert facts["strands"] > 1000 and 0.01 < facts["length_median_m"] < facts["length_longest_m"] < 0.1


def test_show_of_a_bald_head_has_no_lengths(hair: Told) -> None:
    facts = hair.json("show", "bald")
    assert (facts["strands"], facts["length_median_m"], facts["length_longest_m"]) == (0, None, None)
    assert "length" not in hair("show", "none")


def test_a_style_that_is_not_there_is_refused_with_the_nearest(hair: Told) -> None:
    assert "did you mean crew_cut" in hair.refused("show", "crewcutt")


# ── add, tag, delete ─────────────────────────────────────────────────────────────────────────────


def test_strands_of_another_program_are_added_on_the_head(hair: Told, strands: Path) -> None:
    row = hair.json("add", str(strands), "--name", "Theirs", "--tags", "Party, red hot", "--title", "Their cut")
    assert list(row) == KEYS
    assert (row["name"], row["title"], row["tags"], row["own"]) == ("theirs", "Their cut", ["party", "red hot"], True)
    assert row["class"] == "short straight" and row["source"] == "Other Hair.data"
    assert Path(row["file"]).is_file()
    kept = library.groom("theirs")
    assert kept.roots is not None
    assert np.linalg.norm(kept.points[:, 0].mean(0) - library.groom("crew_cut", count=400).points[:, 0].mean(0)) < 0.01
    assert next(line for line in hair("list").splitlines() if line.startswith("*")).split()[1] == "theirs"
    assert hair.json("show", "theirs")["strands"] == len(kept)


def test_a_name_is_taken_from_the_file(hair: Told, strands: Path) -> None:
    assert "added other-hair (short straight, " in hair("add", str(strands))
    assert "called 'other-hair' already" in hair.refused("add", str(strands))


def test_tags_are_given_taken_and_found(hair: Told, strands: Path) -> None:
    hair("add", str(strands), "--name", "mine")
    assert hair("tag", "mine", "summer", "Short Hair") == "mine: short hair, summer\n"
    assert [row["name"] for row in hair.json("list", "--tag", "summer")] == ["mine"]
    assert hair.json("tag", "mine", "--remove", "summer,short hair")["tags"] == []
    assert "ships with Headform" in hair.refused("tag", "crew_cut", "mine")


def test_deleted_styles_are_gone(hair: Told, strands: Path) -> None:
    file = Path(hair.json("add", str(strands), "--name", "mine")["file"])
    assert hair.json("delete", "MINE") == {"deleted": "mine"}
    assert not file.exists()
    assert "there is no hairstyle 'mine'" in hair.refused("delete", "mine")
    assert "ships with Headform and cannot be deleted" in hair.refused("delete", "crew_cut")


@pytest.mark.parametrize(
    "words, part",
    [
        (["add", "nothing.data"], "nothing.data is not there"),
        (["add", "photo.jpg"], "photo.jpg"),
        (["add", "STRANDS", "--name", "crew_cut"], "ships with Headform"),
        (["add", "STRANDS", "--name", "../up"], "cannot be a hairstyle's name"),
        (["add", "STRANDS", "--tags", "ä"], "cannot be a tag"),
        (["mix", "crew_cut", "buzz"], "give --name to keep it, or -o"),
        (["mix", "crew_cut", "--name", "x"], "name two or more"),
        (["mix", "crew_cut", "buzz", "--seed", "-1", "--name", "x"], "--seed -1 cannot be"),
        (["mix", "crew_cut", "buzz", "-o", "mixed.jpg"], "mixed.jpg is no strand file"),
        (["render", "crew_cut", "-o", "sheet.gif"], "sheet.gif is no picture name"),
        (["render", "crew_cut", "--yaw", "0,left"], "--yaw 0,left cannot be read"),
        (["render", "crew_cut", "--yaw", "nan"], "--yaw nan cannot be read"),
        (["render", "crew_cut", "--size", "9"], "9 pixels"),
        (["render", "crew_cut", "--size", "2048", "--yaw", ",".join(["0"] * 12), "--seed", "-1"], "--seed -1"),
        (["render", "crew_cut", "--color", "nosuchcolour"], "nosuchcolour"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(hair: Told, strands: Path, words: list[str], part: str) -> None:
    Image.new("RGB", (8, 8)).save("photo.jpg")
    assert part in hair.refused(*[str(strands) if word == "STRANDS" else word for word in words])
    assert not any(entry.own for entry in library.entries())
    assert not Path("mixed.jpg").exists() and not Path("sheet.gif").exists()


def test_the_hair_of_an_avatar_is_added_on_the_mean_head(hair: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    from headform.avatar import restore

    head = load_default()
    person = (head.rest() * 1.08 + np.float32([0.01, -0.02, 0.0])).astype(np.float32)  # someone with a larger head
    worn: list[Groom | None] = [None]
    avatar = SimpleNamespace(model=head, neutral=lambda: person)
    monkeypatch.setattr(restore, "load", lambda path: SimpleNamespace(hair=worn[0], **vars(avatar)))
    Path("me.zip").write_bytes(b"")
    assert "has no hair" in hair.refused("add", "me.zip")
    worn[0] = grown = library.groom("crew_cut", count=400, vertices=person)
    assert hair.json("add", "me.zip")["name"] == "me"
    kept = library.groom("me")
    assert len(kept) == len(grown) and kept.roots is not None
    assert np.abs(kept.roots.points(head.rest()) - kept.points[:, 0]).max() < 1e-4
    on_person = library.groom("me", vertices=person)
    assert np.median(np.linalg.norm(on_person.points - grown.points, axis=2)) < 0.001, "there and back"


# ── mix and render ───────────────────────────────────────────────────────────────────────────────


def test_a_mix_is_kept_and_written(hair: Told) -> None:
    row = hair.json("mix", "crew_cut", "ivy_league", "--seed", "3", "--name", "both", "-o", "both.npz", "--tags", "new")
    assert row["name"] == "both" and row["source"] == "mix of crew_cut, ivy_league" and "new" in row["tags"]
    assert row["title"] == "Crew cut and Ivy league"
    written, kept = files.read(Path("both.npz")), library.groom("both")
    assert np.abs(written.points - kept.points).max() < 1e-4
    assert hair.json("mix", "crew_cut", "ivy_league", "-o", "again.npz") == {"file": "again.npz"}
    assert hair("mix", "crew_cut", "ivy_league", "-o", "again.npz") == "wrote again.npz\n"


def test_a_sheet_shows_each_style_from_each_side(hair: Told) -> None:
    assert "wrote sheet.png" in hair("render", "crew_cut", "bald", "--yaw", "-90,0", "--size", "64", "-o", "sheet.png")
    page = np.asarray(Image.open("sheet.png").convert("RGB")).astype(int)
    # cells of 64 with 4 between them and 16 for the caption: two across, two down
    assert page.shape == (2 * (64 + 4 + 16) + 4, 2 * (64 + 4) + 4, 3)
    crowned, bald = page[4:30, 72:136], page[88:114, 72:136]
    assert crowned.min(2).min() < 60, "dark hair"
    assert np.abs(crowned - bald).mean() > 2


def test_a_colour_is_that_of_the_hair(hair: Told) -> None:
    for name, colour in (("red.png", "#c01010"), ("blue.png", "#1010c0")):
        hair("render", "crew_cut", "--colour", colour, "--size", "64", "-o", name)
    red, blue = (np.asarray(Image.open(name)).astype(int) for name in ("red.png", "blue.png"))
    difference = red - blue
    assert difference[..., 0].max() > 25 and difference[..., 2].min() < -25

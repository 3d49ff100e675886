from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from avatar_stand_in import FAILING
from PIL import Image

from headform import cli
from headform.avatar import formats, progress
from headform.avatar.backends import BACKENDS
from headform.avatar.commands import find_photos
from headform.avatar.progress import Face, Outcome, Show, _cut
from headform.errors import BadInput

FILES = ("avatar.zip", "avatar.glb", "preview.png", "params.json")


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADFORM_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HEADFORM_DEBUG", raising=False)
    monkeypatch.setitem(BACKENDS, "stand_in", "avatar_stand_in:StandIn")
    monkeypatch.chdir(tmp_path)


def put(name: str, faces: int = 1, grey: int = 120) -> Path:
    """A photo in which the stand-in sees so many faces."""
    pixels = np.full((80, 64, 3), grey, np.uint8)
    pixels[0, 0, 0] = faces
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(path, {"jpg": "JPEG"}.get(name[-3:], "PNG"), quality=100, subsampling=0)
    return path


def run(*words: str) -> int:
    return cli.main(["reconstruct", *words, "--backend", "stand_in"])


def test_one_photo_becomes_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    put("anna.png")
    assert run("anna.png", "-o", "out") == 0
    assert sorted(p.name for p in Path("out/anna").iterdir()) == sorted(FILES)
    assert [p.name for p in Path("out").iterdir()] == ["anna"]
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("✓ anna.png → out/anna") and "note: it is made up" in err and "\x1b" not in err
    for name in FILES:
        size = Path(f"out/anna/{name}").stat().st_size
        assert f"{name} {size / 1e6:.1f} MB" in err or f"{name} {size / 1e3:.0f} kB" in err


def test_formats_and_what_a_fit_is_judged_by_are_made_where_asked() -> None:
    put("anna.png")
    assert run("anna.png", "-o", "out", "--format", "OBJ, .glb", "--debug") == 0
    judged = {"crop.png", "input_view.png", "overlay.png", "posed.obj"}
    expected = {"head.obj", "head.mtl", "avatar.glb", "preview.png", "params.json"} | judged
    assert {p.name for p in Path("out/anna").iterdir()} == expected
    assert run("anna.png", "-o", "out", "--format", "json") == 0
    assert {p.name for p in Path("out/anna").iterdir()} == {"preview.png", "params.json"}


def test_a_format_whose_package_is_missing_is_said_before_any_work(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put("a.png", grey=FAILING)
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    assert run("a.png", "-o", "out", "--format", "glb,usdz") == 2
    err = capsys.readouterr().err
    assert 'pip install "headform[usd]"' in err and err.count("\n") == 1
    assert not Path("out").exists()


def test_the_size_of_the_texture_reaches_the_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    import avatar_stand_in

    asked: list[int] = []
    real = avatar_stand_in.StandIn

    def make(model: Any, texture: int, hairdo: Any) -> Any:
        asked.append(texture)
        return real(model, texture, hairdo)

    monkeypatch.setattr(avatar_stand_in, "StandIn", make)
    put("a.png")
    assert run("a.png", "--texture", "4096") == 0 and run("a.png", "-o", "two") == 0
    assert asked == [4096, 2048]


def test_what_hair_is_asked_for_reaches_the_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    import avatar_stand_in

    asked: list[Any] = []
    real = avatar_stand_in.StandIn

    def make(model: Any, texture: int, hairdo: Any) -> Any:
        asked.append((hairdo.what, hairdo.colour, hairdo.length, hairdo.curl))
        return real(model, texture, hairdo)

    monkeypatch.setattr(avatar_stand_in, "StandIn", make)
    put("a.png")
    assert run("a.png") == 0 and run("a.png", "--hair", "None") == 0
    assert run("a.png", "--hair-length", "0.5", "--hair-curl", "2") == 0
    assert run("a.png", "--hair", "Chin-Bob", "--hair-colour", "auburn") == 0
    assert asked == [
        ("photo", None, 1.0, 1.0),
        ("none", None, 1.0, 1.0),
        ("photo", None, 0.5, 2.0),
        ("chin_bob", "auburn", 1.0, 1.0),
    ]


def test_every_face_has_its_folder_and_one_can_be_chosen() -> None:
    put("group.png", faces=3)
    assert run("group.png", "-o", "out") == 0
    assert sorted(p.name for p in Path("out").iterdir()) == ["group", "group-2", "group-3"]
    numbers = [json.loads(Path(f"out/{n}/params.json").read_text())["provenance"]["face"] for n in ("group", "group-3")]
    assert numbers == [1, 3]
    assert run("group.png", "-o", "two", "--face", "2") == 0
    assert [p.name for p in Path("two").iterdir()] == ["group-2"]


def test_json_is_one_line_for_each_face_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    put("group.png", faces=2)
    put("dark.png", grey=0)
    assert run("group.png", "dark.png", "-o", "out", "--json") == 2
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {tuple(row) for row in rows} == {("photo", "face", "folder", "files", "seconds", "warnings", "error")}
    good = [row for row in rows if row["error"] is None]
    assert [(row["photo"], row["face"], row["folder"]) for row in good] == [
        ("group.png", 1, str(Path("out/group"))),
        ("group.png", 2, str(Path("out/group-2"))),
    ]
    assert sorted(good[0]["files"]) == sorted(FILES) and good[0]["warnings"] == ["it is made up"]
    assert [row["error"] for row in rows if row["photo"] == "dark.png"] == ["no face was found in dark"]


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_a_batch_goes_on_past_bad_photos_and_lists_them(capsys: pytest.CaptureFixture[str], jobs: str) -> None:
    for name in ("a.png", "b.jpg", "sub/c.png"):
        put(f"in/{name}" if "/" not in name else name)
    put("in/dark.png", grey=0)
    put("in/fails.png", grey=FAILING)
    Path("in/broken.png").write_text("no picture")
    Path("in/.hidden.png").write_text("no picture")
    Path("in/notes.txt").write_text("no picture")
    assert run("in", "sub/c.png", "gone.png", "in/a.png", "-o", "out", "--jobs", jobs) == 2
    assert sorted(p.name for p in Path("out").iterdir()) == ["a", "b", "c"]
    out, err = capsys.readouterr()
    assert out == ""
    last = err[err.index("4 photos failed:") :].splitlines()[1:]
    assert [line.split()[0] for line in last] == [
        str(Path("in/broken.png")),
        f"{Path('in/dark.png')}:",
        f"{Path('in/fails.png')}:",
        "gone.png:",
    ]
    assert "RuntimeError: the sky fell" in last[2]
    assert "[7/7]" in err and "3 heads from 7 photos" in err and "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["gone.png"], "gone.png: there is no such file"),
        (["dark.png"], "no face was found in dark"),
        (["empty"], "empty holds no photo"),
        (["a.png", "--face", "0"], "--face 0 is no face"),
        (["a.png", "--jobs", "0"], "--jobs 0 cannot be"),
        (["a.png", "--texture", "1000"], "a texture of 1000 pixels cannot be made; give 1024, 2048 or 4096"),
        (["a.png", "--format", "glb,fbx"], "'fbx' is no format an avatar has"),
        (["a.png", "--format", ""], "a name without ending is no format"),
        (["a.png", "-o", "a.png"], "a.png is no folder"),
        (["a.png", "-o", "a.png/deep/er"], "a.png is no folder"),
        (["a.png", "--backend", "stand_on"], "did you mean stand_in?"),
        (["gone.png", "--hair", "chin_bub"], "there is no hairstyle 'chin_bub'; did you mean chin_bob"),
        (["gone.png", "--hair", ""], "there is no hairstyle ''"),
        (["gone.png", "--hair-color", "orburn"], "did you mean auburn"),
        (["gone.png", "--hair-length", "9"], "9 times the length of hair cannot be; give 0.25 to 3"),
        (["gone.png", "--hair-curl", "nan"], "nan times the curl of hair cannot be"),
    ],
)
def test_bad_input_is_one_sentence_and_code_2(
    capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    put("a.png")
    put("dark.png", grey=0)
    Path("empty").mkdir()
    before = sorted(Path().rglob("*"))
    assert cli.main(["reconstruct", "--backend", "stand_in", *words]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("headform: ") and sentence in err and err.count("\n") == 1
    assert sorted(Path().rglob("*")) == before


def test_a_single_photo_that_breaks_the_backend_is_unexpected(capsys: pytest.CaptureFixture[str]) -> None:
    put("fails.png", grey=FAILING)
    assert run("fails.png") == 1
    assert "RuntimeError: the sky fell" in capsys.readouterr().err


def test_an_output_that_cannot_be_written_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from headform.avatar import folder

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    put("a.png")
    monkeypatch.setattr(folder.os, "fsync", full)
    assert run("a.png", "-o", "out/deep") == 2
    assert capsys.readouterr().err == (
        f"headform: {Path('out/deep/a')} cannot be written: No space left on device; "
        "make room or choose another folder with -o\n"
    )
    assert not Path("out").exists()


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that not even root can write to")
def test_an_output_where_nobody_may_write_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    put("a.png")
    assert run("a.png", "-o", "/proc/self/out") == 2
    err = capsys.readouterr().err
    assert "/proc/self" in err and "choose another" in err and err.count("\n") == 1


def test_an_output_that_is_locked_is_refused_before_any_work(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a file system that is read-only; the tests may run as root, whom no permission stops."""
    put("a.png", grey=FAILING)
    Path("locked").mkdir()
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != Path("locked"))
    assert run("a.png", "-o", "locked/out") == 2
    assert capsys.readouterr().err == (
        "headform: locked is a folder in which nothing may be written; choose another with -o\n"
    )


def test_names_send_no_commands_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("new\nline.png", "re\x1b[2Jd.png"):
        shutil.copy(put("a.png"), name)
    shutil.copy(put("b.png", grey=0), "no\x1b[2J.png")
    assert run("new\nline.png", "re\x1b[2Jd.png", "no\x1b[2J.png", "-o", "out", "--jobs", "1") == 2
    err = capsys.readouterr().err
    assert "\x1b" not in err and "✓ new?line.png → " in err and "✓ re?[2Jd.png → " in err and "✗ no face" not in err
    assert [line for line in err.splitlines() if "✗" in line] == ["[3/3] ✗ no?[2J.png: no face was found in no?[2J"]


@pytest.mark.parametrize("words", [["a.png"], ["a.png", "b.png"], ["a.png", "--json"]])
def test_without_stderr_only_the_lines_are_lost(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    put("a.png")
    put("b.png")
    monkeypatch.setattr(sys, "stderr", None)
    assert run(*words, "-o", "out") == 0
    assert Path("out/a").is_dir()
    out = capsys.readouterr().out
    assert [json.loads(line)["photo"] for line in out.splitlines()] == (["a.png"] if "--json" in words else [])


def test_a_folder_of_the_person_is_refused_before_any_work(capsys: pytest.CaptureFixture[str]) -> None:
    put("a.png", grey=FAILING)
    Path("out/a").mkdir(parents=True)
    Path("out/a/thesis.txt").write_text("mine")
    assert run("a.png", "-o", "out") == 2
    assert "thesis.txt, but no params.json that says Headform wrote it" in capsys.readouterr().err
    assert [p.name for p in Path("out/a").iterdir()] == ["thesis.txt"]


def test_photos_are_found_once_in_order() -> None:
    for name in ("in/b.png", "in/a.jpg", "in/C.PNG", "c.png"):
        put(name)
    Path("in/more.png").mkdir()
    found = find_photos([Path("c.png"), Path("in"), Path("in/../c.png"), Path("in/a.jpg")])
    assert found == [Path("c.png"), Path("in/C.PNG"), Path("in/a.jpg"), Path("in/b.png")]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_paths_that_cannot_be_followed_fail_alone(capsys: pytest.CaptureFixture[str]) -> None:
    put("a.png")
    Path("loop.png").symlink_to("loop.png")
    long = "x" * 300 + ".png"
    assert run(long, "loop.png", "a.png/b.png", "a.png", "-o", "out", "--jobs", "1", "--json") == 2
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["photo"] for row in rows] == [long, "loop.png", "a.png/b.png", "a.png"]
    assert all("cannot be read" in row["error"] for row in rows[:3]) and rows[3]["error"] is None


def test_a_folder_that_cannot_be_read_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    Path("in").mkdir()
    monkeypatch.setattr(Path, "iterdir", locked)
    assert run("in") == 2
    assert capsys.readouterr().err == "headform: in cannot be read: Permission denied; give a folder that can\n"


def test_interruption_ends_the_batch_whole() -> None:
    """Control-C in the middle of many photos: code 130, only whole folders, no drafts, no traceback."""
    for number in range(40):
        put(f"in/{number:02}.png")
    program = (
        "import signal, sys; from headform import cli; from headform.avatar.backends import BACKENDS\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background jobs ignore it
        "BACKENDS['stand_in'] = 'avatar_stand_in:StandIn'\n"
        "sys.exit(cli.main(['reconstruct', 'in', '-o', 'out', '--backend', 'stand_in']))"
    )
    path = [str(Path(__file__).parent)]
    started = subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {path}\n{program}"], stderr=subprocess.PIPE, text=True
    )
    give_up = time.monotonic() + 60
    while not (Path("out").is_dir() and any(Path("out").glob("[0-9]*"))) and time.monotonic() < give_up:
        time.sleep(0.02)
    started.send_signal(signal.SIGINT)
    _, err = started.communicate(timeout=60)
    assert started.returncode == 130
    assert "Traceback" not in err
    made = list(Path("out").iterdir())
    assert 0 < len(made) < 40
    assert all(sorted(p.name for p in folder.iterdir()) == sorted(FILES) for folder in made)


class Terminal:
    """stderr as a terminal that keeps what is written."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True


def screen(text: str) -> list[str]:
    """What stands on the screen after the text and its control sequences."""
    lines, row = [""], 0
    for piece in text.replace("\x1b[1A\x1b[2K", "\x00").replace("\r\x1b[2K", "\x01"):
        if piece == "\x00":
            row -= 1
            lines[row] = ""
        elif piece == "\x01":
            lines[row] = ""
        elif piece == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        else:
            lines[row] += piece
    return lines[:row]


def still_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of 60 columns where the clock stands still and the spinner does not turn."""
    made = Terminal()
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(progress, "TICK", 1e6)
    monkeypatch.setattr(progress.time, "perf_counter", lambda: 7.0)
    return made


def test_a_terminal_shows_a_line_for_each_photo_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = still_terminal(monkeypatch)
    one, other = Path("one.png"), Path("other.png")
    with Show(2, False) as show:
        show.stage(one, "looking", 0.0)
        show.stage(other, "opening", 0.0)
        show.stage(one, "fitting", 0.5)
        assert screen(terminal.text) == [
            "⠋ ████████░░░░░░░░ fitting   0.0 s  one.png",
            "⠋ ░░░░░░░░░░░░░░░░ opening   0.0 s  other.png",
        ]
        show.finish(Outcome(one, (), BadInput("one.png is dark"), 1.0))
        assert screen(terminal.text) == ["[1/2] ✗ one.png is dark", "⠋ ░░░░░░░░░░░░░░░░ opening   0.0 s  other.png"]
    assert screen(terminal.text) == ["[1/2] ✗ one.png is dark"]


def test_the_line_of_a_photo_moves_while_a_stage_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = still_terminal(monkeypatch)
    now = [0.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(progress, "TICK", 0.01)
    one = Path("one.png")
    with Show(1, False) as show:
        show.stage(one, "fitting", 0.5)
        now[0] = 1.234
        give_up = time.monotonic() + 20
        while "1.2 s" not in terminal.text and time.monotonic() < give_up:
            time.sleep(0.01)
        assert screen(terminal.text)[0].endswith("fitting   1.2 s  one.png")
        face = Face(one, 1, Path("out/one"), {"avatar.glb": 9_800_000, "params.json": 17_000}, 2.0)
        show.finish(Outcome(one, (face,), None, 2.0))
    drawn = len(terminal.text)
    time.sleep(0.05)
    assert len(terminal.text) == drawn
    assert screen(terminal.text) == [
        f"✓ one.png → {Path('out/one')}  2.0 s",
        "  avatar.glb 9.8 MB, params.json 17 kB",
    ]


@pytest.mark.parametrize(("line", "kept"), [("abcdef", "abcd"), ("人人人", "人人"), ("a\x1bb", "a?b")])
def test_lines_are_cut_to_the_terminals_width(line: str, kept: Any) -> None:
    assert _cut(line, 4) == kept


def test_help_says_what_the_exit_codes_mean(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["reconstruct", "--help"])
    assert end.value.code == 0
    assert "2: at least one did not" in " ".join(capsys.readouterr().out.split())

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headform import __version__, cli


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADFORM_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HEADFORM_DEBUG", raising=False)
    monkeypatch.chdir(tmp_path)


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "headform", *words], capture_output=True, text=True, timeout=120)


def test_version_is_quick_and_imports_nothing_heavy() -> None:
    program = (
        "import sys; from headform.cli import main\n"
        "try: main(['--version'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print([m for m in ('numpy', 'numba', 'PIL', 'onnxruntime') if m in sys.modules])"
    )
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        taken.append(time.perf_counter() - start)
        assert done.stdout == f"headform {__version__}\n[]\n"
    assert min(taken) < 0.3


def test_the_package_is_light_and_has_its_verbs() -> None:
    program = (
        "import sys, headform\n"
        "print([m for m in ('numpy', 'numba', 'PIL', 'onnxruntime', 'importlib.metadata') if m in sys.modules])\n"
        "print(all(callable(getattr(headform, name)) for name in headform.__all__), hasattr(headform, 'nothing'))\n"
        "print(headform.load.__module__, headform.reconstruct.__module__)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.stdout == "[]\nTrue False\nheadform.avatar.restore headform.avatar.backends\n", done.stderr


def test_show_writes_one_head_here_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show", "--size", "48"]) == 0
    with Image.open("headform.png") as picture:
        assert picture.format == "PNG"
        assert np.ptp(np.asarray(picture)) > 50
        size = picture.size
    assert f"wrote headform.png ({size[0]} × {size[1]} pixels)" in capsys.readouterr().out


def test_show_asks_for_what_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    from headform import show

    asked: list[Any] = []
    blank = np.zeros((4, 6, 3), np.uint8)
    monkeypatch.setattr(show, "people", lambda *a, **k: asked.append(("people", a, k)) or blank)
    monkeypatch.setattr(show, "units", lambda *a, **k: asked.append(("units", a, k)) or blank)
    for words in (["--random", "5", "--seed", "3", "--size", "99"], ["--expressions"], []):
        assert cli.main(["show", *words]) == 0
    assert asked == [("people", (5, 3), {"size": 99}), ("units", (), {}), ("people", (1, 0), {})]


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_show_writes_what_the_name_says(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    from headform import show

    monkeypatch.setattr(show, "people", lambda *_, **__: np.zeros((4, 6, 3), np.uint8))
    assert cli.main(["show", "-o", name]) == 0
    with Image.open(name) as picture:
        assert picture.format == cli.PICTURES[Path(name).suffix]
        assert picture.size == (6, 4)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["show", "-o", "a.gif"], "a.gif is no picture name"),
        (["show", "--size", "0"], "--size 0 is no picture size"),
        (["show", "--seed", "-1"], "--seed -1 is negative"),
        (["show", "--random", "0"], "0 people cannot be drawn"),
        (["model", "add", "gone.pkl"], "gone.pkl is not there"),
        (["model", "use", "gone"], "there is no head called 'gone'"),
        (["model", "remove", "headform"], "cannot be removed"),
    ],
)
def test_bad_input_is_one_sentence_and_code_2(
    capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert cli.main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("headform: ")
    assert sentence in err
    assert err.count("\n") == 1
    assert not list(Path().glob("*.p*"))


@pytest.mark.parametrize("words", [[], ["dance"], ["show", "--random"], ["show", "--random", "x"], ["model"],
                                   ["show", "--random", "2", "--expressions"]])  # fmt: skip
def test_usage_is_code_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    assert end.value.code == 2


def test_an_output_that_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from headform import show

    monkeypatch.setattr(show, "people", lambda *_, **__: np.zeros((4, 6, 3), np.uint8))
    (tmp_path / "folder.png").mkdir()
    for path, reason in (("gone/a.png", "gone: No such folder"), ("folder.png", "folder.png: Is a directory")):
        assert cli.main(["show", "-o", path]) == 2
        assert capsys.readouterr().err == f"headform: {reason}\n"


def test_interruption_and_the_unexpected(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from headform import show

    def stop(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("the sky fell")

    monkeypatch.setattr(show, "people", stop)
    assert cli.main(["show"]) == 130
    monkeypatch.setattr(show, "people", fail)
    assert cli.main(["show"]) == 1
    err = capsys.readouterr().err
    assert "RuntimeError: the sky fell" in err
    assert "Traceback" not in err
    monkeypatch.setenv("HEADFORM_DEBUG", "1")
    with pytest.raises(RuntimeError, match="the sky fell"):
        cli.main(["show"])


def test_model_commands(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from headform.head.default import load_default
    from headform.head.files import save_head

    save_head(load_default(), tmp_path / "again.npz")
    assert cli.main(["model", "add", "again.npz", "--name", "mine"]) == 0
    assert cli.main(["model", "use", "mine"]) == 0
    capsys.readouterr()
    assert cli.main(["model", "list"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("  headform ")
    assert second.startswith("* mine ")
    assert cli.main(["model", "remove", "mine"]) == 0
    assert capsys.readouterr().out == "removed mine\n"


def test_doctor_as_a_program_sees_it() -> None:
    done = _run("doctor", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == (0 if report["healthy"] else 1)
    assert {f["name"] for f in report["findings"]} >= {"headform", "numpy", "head/data/head.npz"}


def test_a_reader_that_hangs_up_causes_no_traceback() -> None:
    program = f"{sys.executable} -m headform doctor | true"
    done = subprocess.run(program, shell=True, capture_output=True, text=True, timeout=120)
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr

"""`headform learn hair`, from drawing to measuring, and what it says when it cannot."""

from __future__ import annotations

import builtins
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from hair_stand_in import BallSource

from headform.cli import main
from headform.learn import hair_measure, hair_source
from headform.learn.hair_data import Plan, read_data, write_data
from headform.learn.hair_measure import Library, compared, style_guides
from headform.learn.hair_noise import clean


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hair_commands")
    list(write_data(path, Plan(22, 2, 1), BallSource, workers=1))
    return path


def test_from_data_to_a_measured_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch", reason="training needs PyTorch")
    pytest.importorskip("onnx", reason="writing networks needs onnx")
    monkeypatch.setattr(hair_source, "Library", BallSource)
    data, run = str(tmp_path / "data"), tmp_path / "run"
    wanted = ["--styles", "22", "--views", "2", "--seed", "1", "--workers", "1"]
    assert main(["learn", "hair", "data", "-o", data, *wanted]) == 0
    assert "2 of 2 files" in capsys.readouterr().out
    train = ["learn", "hair", "train", data, "-o", str(run), "--batch", "10"]
    assert main([*train, "--epochs", "1"]) == 0
    assert "hair.onnx" in capsys.readouterr().out
    assert main([*train, "--epochs", "2"]) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*train, "--epochs", "2", "--resume"]) == 0
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in log] == [1, 2] and all(line["held_out_mm"] > 0 for line in log)
    again = tmp_path / "again.onnx"
    assert main(["learn", "hair", "export", str(run / "checkpoint.pt"), "-o", str(again)]) == 0
    assert again.read_bytes() == (run / "hair.onnx").read_bytes()
    capsys.readouterr()
    assert main(["learn", "hair", "evaluate", data, str(again), "--views", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == list(hair_measure.METHODS) and all(row["mm"] > 0 for row in found.values())


@pytest.mark.parametrize(
    "words",
    [
        ["data", "-o", "DIR", "--styles", "0"],
        ["data", "-o", "DIR", "--workers", "0"],
        ["train", "DIR/none", "-o", "DIR/out"],
        ["train", "DIR/none", "-o", "DIR/out", "--threads", "0"],
        ["train", "DIR/none", "-o", "DIR/out", "--minutes", "0"],
        ["export", "DIR/none.pt", "-o", "DIR/a.onnx"],
        ["evaluate", "DIR/none", "DIR/a.onnx"],
        ["evaluate", "DIR/none", "DIR/a.onnx", "--views", "0"],
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["learn", "hair", *(word.replace("DIR", str(tmp_path)) for word in words)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_without_torch_the_remedy_is_told(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = builtins.__import__

    def without(name: str, *others: Any) -> Any:
        if name == "torch":
            raise ImportError(name)
        return usual(name, *others)

    monkeypatch.setattr(builtins, "__import__", without)
    assert main(["learn", "hair", "train", str(folder), "-o", str(tmp_path / "run")]) == 2
    assert "headform[learn]" in capsys.readouterr().err


def test_a_file_that_is_no_network_is_refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.onnx").write_bytes(b"no network")
    assert main(["learn", "hair", "evaluate", str(folder), str(tmp_path / "a.onnx")]) == 2
    assert "is no network" in capsys.readouterr().err


# ── measures ─────────────────────────────────────────────────────────────────────────────────────


def test_a_shifted_strand_is_as_far_as_it_is_shifted() -> None:
    """Strands turned by 90° of the same length L: knot k of 100 is √2 · L · k / 99 away, on average L / √2."""
    truth = np.full((32, 32, 100, 4), np.nan, np.float32)
    truth[:8] = 0
    truth[:8, ..., 0] = np.linspace(0, 0.1, 100)
    turned = truth[..., [1, 0, 2, 3]]
    assert compared(truth, truth) == pytest.approx((0, 0, 1), abs=0.05)
    assert compared(turned, truth) == pytest.approx((100 / np.sqrt(2), 90, 1), abs=0.05)


def test_missing_strands_lie_at_their_roots() -> None:
    truth = np.zeros((32, 32, 100, 4), np.float32)
    truth[..., 1] = np.linspace(0, 0.2, 100)
    half = truth.copy()
    half[16:] = np.nan
    assert compared(half, truth) == pytest.approx((50, 0, 0.5), abs=0.05)


def test_a_view_of_a_known_style_finds_it(folder: Path) -> None:
    """Its own view is the most like it; a style is found through any of its views."""
    data = read_data(folder)
    library = Library(data)
    row = int(np.flatnonzero(~data.held_out)[7])
    assert library.nearest(clean(data.mask(row), data.angle[row])) == data.style[row]
    grows = np.isfinite(style_guides(data, int(data.style[row]))).all((2, 3))
    np.testing.assert_array_equal(grows.ravel(), data.grows[data.style[row]])

"""`headform measure` as a person calls it."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest
from scan_folders import person, write_obj, write_photo, write_seven

from headform.errors import BadInput
from headform.measure.commands import add_measure


def run(*words: object) -> int:
    parser = argparse.ArgumentParser()
    add_measure(parser.add_subparsers(required=True))
    chosen = parser.parse_args(["measure", *map(str, words)])
    return int(chosen.run(chosen))


def test_a_scan_is_photographed_reconstructed_and_measured(tmp_path: Path, capsys) -> None:
    vertices, triangles, seven = person(3)
    write_obj(tmp_path / "scans" / "ada" / "mesh_mm.obj", vertices, triangles)
    write_seven(tmp_path / "scans" / "ada" / "landmarks7.txt", seven)
    assert run("geometry", tmp_path / "scans", "-o", tmp_path / "r.html", "--json") == 0
    numbers = json.loads(capsys.readouterr().out)
    assert [row["photo"] for row in numbers["photos"]] == ["+0°", "+30°", "-30°"]
    assert numbers["failed"] == 0
    assert 0 < numbers["subjects"][-1]["fit_scaled_median"] < 3
    assert "ada" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_detection_prints_the_sums(tmp_path: Path, capsys) -> None:
    write_photo(tmp_path / "negatives" / "n.png")
    assert run("detection", tmp_path, "-o", tmp_path / "r.json") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "recall     1.000" in lines
    assert lines[-1] == f"wrote {tmp_path / 'r.json'}"
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["kind"] == "detection"


def test_bad_names_are_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no name for a report"):
        run("geometry", tmp_path, "-o", "r.pdf")
    for kind in ("geometry", "landmarks", "detection"):
        with pytest.raises(BadInput, match="looked for"):
            run(kind, tmp_path)
    with pytest.raises(BadInput, match="no backend"):
        write_obj(tmp_path / "a" / "mesh_mm.obj", *person()[:2])
        run("geometry", tmp_path, "--backend", "nonsense")


def test_the_parser_costs_no_heavy_import() -> None:
    code = "import sys, headform.measure.commands; print([m for m in ('numpy', 'numba', 'PIL') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

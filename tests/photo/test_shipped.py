from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from headform.errors import MissingModel
from headform.photo.shipped import MODELS, check_models, read_manifest, read_model

SMALL = "emotion"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with the manifest and one small model."""
    for name in ("manifest.json", "emotion.tflite"):
        shutil.copy(MODELS / name, tmp_path / name)
    return tmp_path


def test_all_shipped_files_are_whole() -> None:
    assert {status.file: status.state for status in check_models()} == {
        path.name: "ok" for path in MODELS.iterdir() if path.name != "manifest.json"
    }


def test_every_row_says_where_it_comes_from_and_its_licence() -> None:
    for row in read_manifest():
        assert row["licence"] and row["output"] and row["version"]
        assert set(row["source"]) == {"registry", "package", "version", "path"}
        assert (MODELS / row["file"]).stat().st_size == row["bytes"]


def test_a_whole_file_is_read(copy: Path) -> None:
    assert read_model(SMALL, copy) == (MODELS / "emotion.tflite").read_bytes()


def test_an_altered_file_is_refused_with_its_remedy(copy: Path) -> None:
    content = bytearray((copy / "emotion.tflite").read_bytes())
    content[1000] ^= 1
    (copy / "emotion.tflite").write_bytes(content)
    with pytest.raises(MissingModel, match=r"emotion\.tflite.*--force-reinstall headform"):
        read_model(SMALL, copy)
    states = {status.name: status.state for status in check_models(copy)}
    assert states[SMALL] == "altered"
    assert states["landmarks"] == "missing"


def test_a_missing_file_is_refused_with_its_remedy(copy: Path) -> None:
    with pytest.raises(MissingModel, match=r"landmarks\.tflite is missing.*--force-reinstall headform"):
        read_model("landmarks", copy)


@pytest.mark.parametrize("manifest", [None, "{", "[]", "{}"])
def test_a_broken_manifest_is_refused(tmp_path: Path, manifest: str | None) -> None:
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(MissingModel, match=r"manifest\.json"):
        check_models(tmp_path)

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from pathlib import Path

import pytest

from headform import doctor
from headform.doctor import Finding, Report
from headform.head import registry
from headform.head.default import load_default
from headform.head.files import save_head


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADFORM_HOME", str(tmp_path / "home"))


def _named(report: Report, name: str) -> Finding:
    return next(finding for finding in report.findings if finding.name == name)


def test_versions_are_the_installed_ones() -> None:
    report = doctor.examine()
    for name in doctor.NEEDED:
        assert _named(report, name).version == importlib.metadata.version(name)


def test_this_copy_is_whole() -> None:
    report = doctor.examine()
    assert report.healthy, report.as_text()
    assert _named(report, "head/data/head.npz").state == "ok"


def test_an_absent_package_is_a_fault_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "NEEDED", ("numpy", "surely-not-a-package"))
    report = doctor.examine()
    assert not report.healthy
    finding = _named(report, "surely-not-a-package")
    assert (finding.state, finding.remedy) == ("missing", "pip install surely-not-a-package")
    assert "!! surely-not-a-package" in report.as_text()
    assert "1 to mend" in report.as_text()


def test_data_files_are_compared_with_their_manifest(tmp_path: Path) -> None:
    (tmp_path / "good.bin").write_bytes(b"good")
    (tmp_path / "bad.bin").write_bytes(b"changed")
    row = {"version": "1", "sha256": hashlib.sha256(b"good").hexdigest(), "licence": "CC0-1.0"}
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"good.bin": row, "bad.bin": row, "gone.bin": row}))
    found = doctor.check_data(manifest, "there")
    assert [(f.name, f.state) for f in found] == [
        ("there/good.bin", "ok"), ("there/bad.bin", "altered"), ("there/gone.bin", "missing"),
    ]  # fmt: skip
    assert [f.fault for f in found] == [False, True, True]
    assert found[1].remedy == doctor.REINSTALL


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": {}}', '{"a": 3}'])
def test_an_unreadable_manifest_is_a_fault(tmp_path: Path, text: str) -> None:
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "manifest.json").write_text(text)
    (finding,) = doctor.check_data(tmp_path / "manifest.json", "there")
    assert finding.fault
    assert doctor.check_data(tmp_path / "gone" / "manifest.json", "there")[0].fault


def test_networks_count_where_a_manifest_lists_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks of the hair need not be there, unless their manifest says so."""
    folder = tmp_path / "hair" / "models"
    monkeypatch.setattr(doctor, "MODEL_FOLDERS", (*doctor.MODEL_FOLDERS[:1], str(folder)))
    before = len(doctor.examine().findings)
    folder.mkdir(parents=True)
    assert len(doctor.examine().findings) == before
    row = {"version": "1", "bytes": 4, "licence": "Apache-2.0", "sha256": hashlib.sha256(b"good").hexdigest()}
    rows = [{"name": name, "file": f"{name}.onnx", **row} for name in ("whole", "spoilt", "gone")]
    (folder / "manifest.json").write_text(json.dumps({"models": rows}))
    (folder / "whole.onnx").write_bytes(b"good")
    (folder / "spoilt.onnx").write_bytes(b"bad")
    report = doctor.examine()
    assert [_named(report, row["name"]).state for row in rows] == ["ok", "altered", "missing"]
    assert not report.healthy and _named(report, "gone").remedy == doctor.REINSTALL


def test_an_unreadable_list_of_networks_is_a_fault(tmp_path: Path) -> None:
    folder = tmp_path / "hair" / "models"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{")
    (finding,) = doctor.check_networks(folder)
    assert finding.fault and finding.name == "networks of hair"


def test_the_heads_of_the_person(tmp_path: Path) -> None:
    save_head(load_default(), tmp_path / "a.npz")
    registry.add(tmp_path / "a.npz", "one")
    registry.add(tmp_path / "a.npz", "two")
    assert _named(doctor.examine(), "one").state == "ok"
    for name in ("one", "two"):
        (registry.home() / "models" / f"{name}.npz").write_bytes(b"PK")
    report = doctor.examine()
    assert _named(report, "one").remedy == "headform model remove one"
    assert not _named(report, "one").fault  # damaged, but not in use
    assert report.healthy


def test_a_damaged_or_absent_head_in_use_is_a_fault(tmp_path: Path) -> None:
    save_head(load_default(), tmp_path / "a.npz")
    registry.add(tmp_path / "a.npz", "one")
    registry.use("one")
    assert doctor.examine().healthy
    (registry.home() / "models" / "one.npz").write_bytes(b"PK")
    assert _named(doctor.examine(), "one").fault
    (registry.home() / "models" / "one.npz").unlink()
    report = doctor.examine()
    assert (_named(report, "one").state, report.healthy) == ("missing", False)


def test_extras_are_read_from_the_package_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    declared = ["numpy>=1.26", 'pytest>=8; extra == "test"', "surely-not-a-package[x]>=2; extra == 'far'"]
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: declared)
    report = doctor.examine()
    assert _named(report, "test").state == "ok"
    far = _named(report, "far")
    assert (far.state, far.fault) == ("missing", False)
    assert far.remedy == 'pip install "headform[far]"'
    assert "surely-not-a-package" in far.about


def test_json_says_the_same_as_the_findings() -> None:
    report = Report((Finding("data", "a", "1", "", "altered", remedy="mend"),))
    assert json.loads(report.as_json()) == {
        "healthy": False,
        "findings": [
            {"kind": "data", "name": "a", "version": "1", "about": "", "state": "altered", "needed": True,
             "remedy": "mend"},
        ],
    }  # fmt: skip

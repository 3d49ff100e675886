"""What is installed and whether it is whole: `headform doctor`."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from headform import __version__
from headform.errors import HeadformError
from headform.head import registry

PACKAGE = Path(__file__).parent
DATA_FOLDERS = ("head/data", "skin/data", "hair/data")  # the first has a manifest, others may
MODEL_FOLDERS = ("photo/models", "hair/models")  # likewise
NEEDED = ("numpy", "numba", "pillow", "ai-edge-litert", "onnxruntime")
REINSTALL = "pip install --force-reinstall headform"

State = Literal["ok", "altered", "missing"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    kind    'software', 'data', 'model', 'your head' or 'extra'
    state   'ok', 'altered' or 'missing'
    needed  whether Headform is unwell without it; an extra is not needed
    remedy  what to type if it is not 'ok', else empty
    """

    kind: str
    name: str
    version: str
    about: str
    state: State
    needed: bool = True
    remedy: str = ""

    @property
    def fault(self) -> bool:
        return self.needed and self.state != "ok"


@dataclass(frozen=True, slots=True)
class Report:
    """All findings, in the order in which they are shown."""

    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Nothing that is needed is missing or altered."""
        return not any(finding.fault for finding in self.findings)

    def as_json(self) -> str:
        """`{"healthy": …, "findings": […]}`, indented."""
        return json.dumps({"healthy": self.healthy, "findings": [asdict(f) for f in self.findings]}, indent=2)

    def as_text(self) -> str:
        """One line for each finding under a heading for each kind, and a verdict."""
        lines: list[str] = []
        kind = ""
        for finding in self.findings:
            if finding.kind != kind:
                kind = finding.kind
                lines.append(f"{kind}")
            version = f"{finding.name} {finding.version}".strip()
            lines.append(f"  {_mark(finding)} {version:<34} {finding.about}".rstrip())
            if finding.remedy:
                lines.append(f"      → {finding.remedy}")
        faults = sum(finding.fault for finding in self.findings)
        verdict = "everything that is needed is here" if self.healthy else f"{faults} to mend: see the arrows"
        return "\n".join([*lines, "", verdict])


def examine() -> Report:
    """Look at everything. Reads every data file, which takes a moment; changes nothing."""
    looks: tuple[Callable[[], Iterable[Finding]], ...] = (_software, _data, _models, _heads, _extras)
    return Report(tuple(finding for look in looks for finding in look()))


def _software() -> Iterable[Finding]:
    yield Finding("software", "headform", __version__, "", "ok")
    yield Finding("software", "python", platform.python_version(), platform.platform(), "ok")
    for name in NEEDED:
        version = _version(name)
        remedy = "" if version else f"pip install {name}"
        yield Finding("software", name, version, "", "ok" if version else "missing", remedy=remedy)


def _data() -> Iterable[Finding]:
    for folder in DATA_FOLDERS:
        manifest = PACKAGE / folder / "manifest.json"
        if folder == DATA_FOLDERS[0] or manifest.exists():
            yield from check_data(manifest, folder)


def check_data(manifest: Path, folder: str) -> list[Finding]:
    """The files that a manifest lists, `{file: {"version", "sha256", "licence"}}`, compared with what is there."""
    try:
        rows = json.loads(manifest.read_text(encoding="utf-8"))
        return [_check_file(manifest.parent / name, f"{folder}/{name}", row) for name, row in rows.items()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return [Finding("data", f"{folder}/manifest.json", "", "cannot be read", "missing", remedy=REINSTALL)]


def _check_file(path: Path, name: str, row: dict[str, str]) -> Finding:
    state: State = "ok"
    if not path.is_file():
        state = "missing"
    elif hashlib.sha256(path.read_bytes()).hexdigest() != row["sha256"]:
        state = "altered"
    remedy = "" if state == "ok" else REINSTALL
    return Finding("data", name, row["version"], row["licence"], state, remedy=remedy)


def _models() -> Iterable[Finding]:
    for folder in MODEL_FOLDERS:
        if folder == MODEL_FOLDERS[0] or (PACKAGE / folder / "manifest.json").exists():
            yield from check_networks(PACKAGE / folder)


def check_networks(folder: Path) -> Iterable[Finding]:
    """The networks that a folder's manifest lists, compared with what is there."""
    try:
        from headform.photo.shipped import check_models

        statuses = check_models(folder)
    except (ImportError, HeadformError) as error:
        yield Finding("model", f"networks of {folder.parent.name}", "", str(error), "missing", remedy=REINSTALL)
        return
    for status in statuses:
        about = f"{status.bytes / 1e6:.1f} MB, {status.licence}"
        remedy = "" if status.state == "ok" else REINSTALL
        yield Finding("model", status.name, status.version, about, status.state, remedy=remedy)


def _heads() -> Iterable[Finding]:
    current = registry.current_name()
    known = list(registry.entries())
    for entry in known:
        about = f"{entry.about} (in use)" if entry.current else entry.about
        state: State = "ok" if entry.readable else "altered"
        remedy = "" if entry.readable else f"headform model remove {entry.name}"
        yield Finding("your head", entry.name, "", about, state, needed=entry.current, remedy=remedy)
    if not any(entry.current for entry in known):
        remedy = f"headform model use {registry.DEFAULT}"
        yield Finding("your head", current, "", "in use, but not there", "missing", remedy=remedy)


def _extras() -> Iterable[Finding]:
    for extra, packages in _extra_packages().items():
        absent = [name for name in packages if not _version(name)]
        about = f"missing: {', '.join(absent)}" if absent else ", ".join(packages)
        remedy = f'pip install "headform[{extra}]"' if absent else ""
        yield Finding("extra", extra, "", about, "missing" if absent else "ok", needed=False, remedy=remedy)


def _extra_packages() -> dict[str, list[str]]:
    """The optional packages of each extra, as the installed package itself declares them."""
    try:
        declared = importlib.metadata.requires("headform") or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    extras: dict[str, list[str]] = {}
    for line in declared:
        requirement, _, condition = line.partition(";")
        _, found, extra = condition.partition("extra ==")
        if found:
            name = requirement.strip().split("[")[0]
            for mark in "<>=!~ ":
                name = name.split(mark)[0]
            extras.setdefault(extra.strip(" '\")"), []).append(name)
    return extras


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _mark(finding: Finding) -> str:
    return "ok" if finding.state == "ok" else "!!" if finding.needed else "--"

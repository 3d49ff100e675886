"""The network files that come with headform: what they are, and that they are whole."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from headform.errors import MissingModel

MODELS = Path(__file__).parent / "models"
REMEDY = "install headform again: pip install --force-reinstall headform"


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """One shipped file, as `headform doctor` shows it.

    bytes  what the manifest says, also when the file is missing
    state  'ok', 'altered' (its sha256 is not the manifest's) or 'missing'
    """

    name: str
    version: str
    file: str
    bytes: int
    licence: str
    state: Literal["ok", "altered", "missing"]


def read_model(name: str, folder: Path | None = None) -> bytes:
    """The bytes of a shipped network, checked against the manifest.

    `folder` is the package's own `models` unless given. Raises MissingModel if the file or the manifest is
    missing or altered, KeyError for a name that the manifest does not have.
    """
    folder = folder or MODELS
    row = {row["name"]: row for row in read_manifest(folder)}[name]
    path: Path = folder / row["file"]
    try:
        content: bytes = path.read_bytes()
    except OSError as error:
        raise MissingModel(f"the model file {path} is missing; {REMEDY}") from error
    if hashlib.sha256(content).hexdigest() != row["sha256"]:
        raise MissingModel(f"the model file {path} is not the one that was shipped; {REMEDY}")
    return content


def check_models(folder: Path | None = None) -> list[ModelStatus]:
    """The state of every shipped file; reads them all. Raises MissingModel only for the manifest itself."""
    folder = folder or MODELS
    return [
        ModelStatus(
            name=row["name"],
            version=row["version"],
            file=row["file"],
            bytes=row["bytes"],
            licence=row["licence"],
            state=_state(folder / row["file"], row["sha256"]),
        )
        for row in read_manifest(folder)
    ]


@cache
def read_manifest(folder: Path = MODELS) -> tuple[dict[str, Any], ...]:
    """The rows of `manifest.json`: name, role, version, file, sha256, bytes, licence, source, input, output."""
    path = folder / "manifest.json"
    try:
        return tuple(json.loads(path.read_text(encoding="utf-8"))["models"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MissingModel(f"the list of models {path} is missing or cannot be read; {REMEDY}") from error


def _state(path: Path, sha256: str) -> Literal["ok", "altered", "missing"]:
    try:
        content = path.read_bytes()
    except OSError:
        return "missing"
    return "ok" if hashlib.sha256(content).hexdigest() == sha256 else "altered"

"""The public API is written down: a change must be meant.

`python tests/test_api.py --write` writes tests/api_snapshot.txt again.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path

PACKAGES = (
    "headform",
    "headform.head",
    "headform.render",
    "headform.photo",
    "headform.fit",
    "headform.skin",
    "headform.avatar",
    "headform.measure",
)
SNAPSHOT = Path(__file__).with_name("api_snapshot.txt")


def describe_api() -> str:
    """One line per public name: `package.name(signature)`, and the public methods of public classes."""
    lines: list[str] = []
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in sorted(getattr(module, "__all__", ())):
            lines += _describe(f"{package}.{name}", getattr(module, name))
    return "\n".join(lines) + "\n"


def _describe(name: str, thing: object) -> list[str]:
    if inspect.isclass(thing):
        members = sorted(
            (key, value) for key, value in vars(thing).items() if not key.startswith("_") and _is_method(value)
        )
        return [f"{name}{_signature(thing)}", *(f"{name}.{key}{_member(value)}" for key, value in members)]
    if callable(thing):
        return [f"{name}{_signature(thing)}"]
    return [f"{name}: {type(thing).__name__}"]


def _is_method(value: object) -> bool:
    return inspect.isfunction(value) or isinstance(value, property | classmethod | staticmethod)


def _member(value: object) -> str:
    if isinstance(value, property):
        return ""
    inner = value.__func__ if isinstance(value, classmethod | staticmethod) else value
    return _signature(inner)


def _signature(thing: object) -> str:
    try:
        return str(inspect.signature(thing))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return "(…)"


def test_public_api_is_the_one_written_down() -> None:
    assert describe_api() == SNAPSHOT.read_text(encoding="utf-8"), (
        "the public API changed; if that is meant, run `python tests/test_api.py --write`"
    )


def test_every_listed_name_exists_once() -> None:
    for package in PACKAGES:
        module = importlib.import_module(package)
        names = list(getattr(module, "__all__", ()))
        assert len(names) == len(set(names)), package
        assert all(hasattr(module, name) for name in names), package


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        raise SystemExit("usage: python tests/test_api.py --write")
    SNAPSHOT.write_text(describe_api(), encoding="utf-8")

"""Metrics, protocols and reports. Importing this costs nothing; what is heavy is loaded by the first call."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headform.measure.run import measure_detection, measure_geometry, measure_landmarks

__all__ = ["measure_detection", "measure_geometry", "measure_landmarks"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.run"), name)

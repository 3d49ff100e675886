"""Metrics, protocols and reports. Importing this costs nothing; what is heavy is loaded by the first call."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headform.measure.portrait_report import measure_portraits
    from headform.measure.run import measure_detection, measure_geometry, measure_landmarks
    from headform.measure.secondview import measure_second_views

__all__ = ["measure_detection", "measure_geometry", "measure_landmarks", "measure_portraits", "measure_second_views"]

_HOMES = {
    "measure_detection": "run",
    "measure_geometry": "run",
    "measure_landmarks": "run",
    "measure_portraits": "portrait_report",
    "measure_second_views": "secondview",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

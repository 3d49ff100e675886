"""A few styles of known classes, as rows of a file of styles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from headform.hair.style import Style

ROWS: list[dict[str, Any]] = [
    {"name": "crew", "title": "Crew cut", "tags": ["neat"], "length": [0.035, 0.030, 0.010, 0.010], "count": 4000},
    {"name": "side-part", "title": "Side parting", "tags": ["neat", "parting"], "part": 0.03, "count": 4000},
    {
        "name": "long-waves", "title": "Long waves with a fringe", "tags": ["fringe", "evening"],
        "length": [0.06, 0.40, 0.38, 0.32], "part": 0.0, "curl": [0.009, 0.085, 0.2], "coil": 0.35, "count": 4000,
    },
    {
        "name": "long-beach", "title": "Beach hair", "tags": ["evening"],
        "length": [0.36, 0.40, 0.38, 0.32], "part": 0.02, "curl": [0.008, 0.08, 0.2], "coil": 0.5, "count": 4000,
    },
    {
        "name": "ponytail", "title": "High tail", "tags": ["sport"], "length": [0.26, 0.26, 0.26, 0.26],
        "ties": [{"at": [0, 0.115, -0.105]}], "count": 4000,
    },
]  # fmt: skip
STYLES = tuple(Style.from_row(row) for row in ROWS)


def written(folder: Path) -> Path:
    """A file of these styles."""
    path = folder / "styles.json"
    path.write_text(json.dumps(ROWS), encoding="utf-8")
    return path

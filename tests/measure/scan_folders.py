"""Small folders of scans for the tests: our own head as the scanned person."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from headform.head import load_default


@cache
def person(seed: int | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (V, 3) mm and triangles of the skin and eyes of a random head (None: the mean), and its seven points."""
    model = load_default()
    beta = None if seed is None else np.random.default_rng(seed).normal(size=model.identity_size)
    head = model.rest(beta)
    shown = [model.part_index(part) for part in ("skin", "eye_left", "eye_right")]
    triangles = model.triangles[np.isin(model.triangle_part, shown)]
    used, row = np.unique(triangles, return_inverse=True)
    seven = model.embeddings["now_7"].points(head).astype(float) * 1000
    return head[used].astype(float) * 1000, row.reshape(-1, 3), seven


def write_obj(path: Path, vertices: np.ndarray, triangles: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"v {x:.5f} {y:.5f} {z:.5f}" for x, y, z in vertices] + [f"f {a} {b} {c}" for a, b, c in triangles + 1]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_ply(path: Path, vertices: np.ndarray, triangles: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    head = (
        f"ply\nformat ascii 1.0\nelement vertex {len(vertices)}\nproperty float x\nproperty float y\nproperty float z\n"
        f"element face {len(triangles)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    rows = [" ".join(f"{x:.6f}" for x in v) for v in vertices] + [f"3 {a} {b} {c}" for a, b, c in triangles]
    path.write_text(head + "\n".join(rows) + "\n")
    return path


def write_seven(path: Path, seven: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".pp":
        points = [f'<point x="{x}" y="{y}" z="{z}" name="{i}" active="1"/>' for i, (x, y, z) in enumerate(seven)]
        path.write_text("<PickedPoints>\n" + "\n".join(points) + "\n</PickedPoints>\n")
    else:
        np.savetxt(path, seven)
    return path


def write_photo(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 64), (90, 90, 90)).save(path)
    return path

"""A head in the layout of a FLAME pickle, made from the default head, and pickled as the real files are."""

from __future__ import annotations

import pickle
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from headform.head.default import load_default


def flame_arrays(seed: int = 0) -> dict[str, Any]:
    """All keys of a FLAME file: the skin and the two eyeballs of the default head, cut into triangles."""
    model = load_default()
    chosen = np.isin(model.triangle_part, [model.part_index(p) for p in ("skin", "eye_left", "eye_right")])
    rows, faces = np.unique(model.triangles[chosen], return_inverse=True)
    elsewhere = np.array([0.0, 0.3, 0.1])
    template = model.rest()[rows].astype(np.float64) + elsewhere
    joints = model.joints + elsewhere
    count, draw = len(template), np.random.default_rng(seed)
    return {
        "v_template": template,
        "f": faces.reshape(-1, 3).astype(np.uint32),
        "shapedirs": draw.normal(0, 0.001, (count, 3, 400)),
        "posedirs": draw.normal(0, 0.0001, (count, 3, 36)),
        "J_regressor": _regressor(template, joints),
        "kintree_table": np.array([[2**32 - 1, 0, 1, 1, 1], [0, 1, 2, 3, 4]], np.uint32),
        "weights": model.weights[rows].astype(np.float64),
        "bs_style": "lbs",
        "bs_type": "lrotmin",
    }


def write_flame(path: Path, arrays: dict[str, Any], protocol: int = 2) -> Path:
    """Pickle with a chumpy object and SciPy's csc matrix, under their true names, without either package."""
    chumpy, sparse = _class("chumpy.ch", "Ch"), _class("scipy.sparse.csc", "csc_matrix")
    whole = dict(arrays)
    whole["shapedirs"] = _filled(chumpy, x=arrays["shapedirs"], _dirty_vars=set(), _itr=None)
    dense = np.asarray(arrays["J_regressor"])
    columns, rows = np.nonzero(dense.T)
    starts = np.concatenate([[0], np.cumsum(np.bincount(columns, minlength=dense.shape[1]))])
    whole["J_regressor"] = _filled(
        sparse,
        _shape=dense.shape,
        maxprint=50,
        indices=rows.astype(np.int32),
        indptr=starts.astype(np.int32),
        data=dense.T[columns, rows],
    )
    with _standing_in(chumpy, sparse):
        path.write_bytes(pickle.dumps(whole, protocol))
    return path


@contextmanager
def _standing_in(*kinds: type) -> Iterator[None]:
    """While this lasts, importing the modules that these classes name gives modules with these classes."""
    names = {".".join(kind.__module__.split(".")[:k]) for kind in kinds for k in (1, 2, 3)}
    kept = {name: sys.modules.get(name) for name in names}
    try:
        sys.modules.update({name: types.ModuleType(name) for name in names})
        for kind in kinds:
            setattr(sys.modules[kind.__module__], kind.__name__, kind)
        yield
    finally:
        for name in names:
            del sys.modules[name]
        sys.modules.update({name: module for name, module in kept.items() if module is not None})


def _regressor(template: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """(5, C) rows that sum to one and give exactly these joints, over a few vertices each."""
    found = np.zeros((5, len(template)))
    for row, joint in zip(found, joints, strict=True):
        near = np.argsort(np.linalg.norm(template - joint, axis=1))[::5][:40]
        system = np.vstack([template[near].T, np.ones(len(near))])
        row[near] = np.linalg.lstsq(system, np.append(joint, 1.0), rcond=None)[0]
    return found


def _class(module: str, name: str) -> type:
    return type(name, (), {"__module__": module})


def _filled(kind: type, **state: Any) -> Any:
    thing = kind()
    thing.__dict__.update(state)
    return thing

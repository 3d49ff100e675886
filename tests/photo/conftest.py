from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

SHARED = Path(__file__).parents[2].parent / "shared"


@pytest.fixture(scope="session")
def eval_folder() -> Path:
    """Photos of real people, which are not ours to ship."""
    folder = SHARED / "eval"
    if not folder.is_dir():
        pytest.skip("the evaluation photos are not on this machine")
    return folder


@pytest.fixture(scope="session")
def shared_weights() -> Path:
    folder = SHARED / "weights"
    if not folder.is_dir():
        pytest.skip("the float32 networks are not on this machine")
    return folder


@pytest.fixture(scope="session")
def read() -> Callable[[Path], NDArray[np.uint8]]:
    def read_picture(path: Path) -> NDArray[np.uint8]:
        with Image.open(path) as picture:
            return np.array(ImageOps.exif_transpose(picture).convert("RGB"))

    return read_picture

"""One of our own renders, and what is seen in it."""

from __future__ import annotations

import numpy as np
import pytest

from headform.head import load_default
from headform.learn.renders import FACE, Stage, plain_render
from headform.photo import Photo, Sighting, see
from headform.render import Camera

YAW = 0.25


@pytest.fixture(scope="session")
def truth() -> np.ndarray:
    """β of the rendered head."""
    beta = np.zeros(180, np.float32)
    beta[:10] = np.random.default_rng(8).normal(size=10)
    return beta


@pytest.fixture(scope="session")
def photo(truth: np.ndarray) -> Photo:
    model = load_default()
    stage = Stage.of(model, 1, 4)
    camera = Camera.portrait(YAW, 0.0, 480, field_of_view=0.32, target=FACE, distance=1.1)
    return Photo.of(plain_render(stage, np.random.default_rng(1), model.posed(truth), camera), "render")


@pytest.fixture(scope="session")
def sighting(photo: Photo) -> Sighting:
    return see(photo, 1)[0]

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from headform.head import HeadModel, load_default
from headform.skin.lids import lid_shade
from headform.skin.wardrobe import fine_mesh

Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_default()


def meridian(model: HeadModel, vertices: Floats, side: str) -> Floats:
    """(N, 3) points of the eyeball straight above and below its middle, from the top down."""
    mesh = fine_mesh(model)
    places = mesh.subdivision.refine(vertices)[np.unique(mesh.triangles[f"eye_{side}"])]
    middle = (places[:, 0].max() + places[:, 0].min()) / 2
    chosen = places[(np.abs(places[:, 0] - middle) < 0.001) & (places[:, 2] > places[:, 2].max() - 0.006)]
    return np.asarray(chosen[np.argsort(-chosen[:, 1])])


def test_deepest_under_the_upper_lid_and_none_in_the_middle(model: HeadModel) -> None:
    vertices = model.rest()
    for side in ("left", "right"):
        places = meridian(model, vertices, side)
        shade = lid_shade(model, vertices, side, places)
        half = len(places) // 2
        assert shade[:half].min() < shade[half:].min() - 0.1 < 0.8
        assert shade[half - 3 : half + 3].min() > 0.8
        assert shade.min() > 0 and shade.max() <= 1


def test_it_follows_the_lid_and_not_the_gaze(model: HeadModel) -> None:
    vertices = model.rest()
    places = meridian(model, vertices, "left")
    lower_lid = model.posed(psi=model.psi({"eyeBlinkLeft": 0.3}))
    heights = [places[lid_shade(model, v, "left", places).argmin(), 1] for v in (vertices, lower_lid)]
    assert heights[1] < heights[0] - 0.001
    theta = np.zeros((5, 3), np.float32)
    theta[3] = (0.0, 0.3, 0.0)
    turned = lid_shade(model, model.posed(theta=theta), "left", places)
    assert np.allclose(turned, lid_shade(model, vertices, "left", places), atol=0.02)


def test_a_head_without_landmarks_has_no_shade(model: HeadModel) -> None:
    bare = replace(model, embeddings={})
    assert (lid_shade(bare, model.rest(), "left", meridian(model, model.rest(), "left")) == 1).all()

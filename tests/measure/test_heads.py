"""From photos to what is measured, on portraits that we draw ourselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headform.errors import BadInput
from headform.head import load_default
from headform.measure.heads import face_triangles, head_maker, mean_head, point_maker, seven_of
from headform.measure.landmarks import Drawn, score_landmarks
from headform.photo import Photo
from headform.render import Camera, Material, Scene, Surface, render


@pytest.fixture(scope="module")
def portrait() -> tuple[np.ndarray, np.ndarray]:
    """(480, 480, 3) the mean head in clay, and its 68 points in pixels."""
    model = load_default()
    head = model.rest()
    camera = Camera.portrait(0.2, 0.0, 480)
    clay = Material((0.72, 0.60, 0.53), roughness=0.6)
    picture = render(Scene((Surface(head, face_triangles(model), clay),), background=(0.5, 0.5, 0.5)), camera)
    points, _ = camera.project(model.embeddings["ibug_68"].points(head))
    return np.ascontiguousarray(picture.rgb), points


def test_the_points_of_a_fit_lie_on_the_face(portrait, tmp_path: Path) -> None:
    pixels, points = portrait
    Image.fromarray(pixels).save(tmp_path / "a.png")
    score = score_landmarks(Drawn(tmp_path / "a.png", points, 11.0), point_maker())
    assert score.found
    assert score.errors[17:].mean() < 0.04
    assert score.errors[:17].mean() < 0.10


def test_the_head_of_a_photo_is_neutral_and_metric(portrait) -> None:
    head = head_maker()(Photo.of(portrait[0]))
    eyes = np.linalg.norm(head.seven[0] - head.seven[3])
    assert 0.07 < eyes < 0.12
    assert head.marks is not None
    assert np.linalg.norm(head.marks - portrait[1], axis=1).mean() < 10
    assert head.triangles.max() < len(head.vertices)


def test_the_mean_head_is_the_models_own() -> None:
    model = load_default()
    head = mean_head(model)
    assert np.array_equal(head.vertices.astype(np.float32), model.rest())
    assert np.allclose(head.seven, seven_of(model, model.rest()))
    shown = set(np.unique(model.triangle_part[: len(model.triangles)]))
    assert len(shown) > 3  # lashes, teeth, tongue …
    assert len(face_triangles(model)) < len(model.triangles)


def test_unknown_backends_are_refused() -> None:
    for make in (head_maker, point_maker):
        with pytest.raises(BadInput, match="no backend"):
            make("nonsense")


def test_a_photo_without_face_is_refused() -> None:
    with pytest.raises(BadInput, match="no face"):
        head_maker()(Photo.of(np.zeros((64, 64, 3), np.uint8)))

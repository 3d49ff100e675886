"""Renders are reproducible and varied, and what is said about them is true."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from headform.head import HeadModel, load_default
from headform.learn.renders import (
    FAR,
    NEAR,
    PITCH,
    SEEN,
    SIDE,
    YAW,
    Stage,
    plain_render,
    random_camera,
    random_expression,
    random_gaze,
    random_light,
    random_renders,
)
from headform.render import Camera


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_default()


@pytest.fixture(scope="module")
def stage(head: HeadModel) -> Stage:
    return Stage.of(head, 1, 5)


def test_a_render_depends_on_its_seed_alone(stage: Stage) -> None:
    first, again = (list(islice(random_renders(stage, 11), 2)) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.picture, other.picture)
        np.testing.assert_array_equal(one.beta, other.beta)
    assert (first[0].picture != first[1].picture).any()


def test_other_seeds_are_other_people_in_other_places(stage: Stage) -> None:
    one, other = (next(random_renders(stage, seed)) for seed in (11, 12))
    assert np.abs(one.beta - other.beta).max() > 1
    assert not np.allclose(one.camera.position, other.camera.position)
    assert (one.picture != other.picture).mean() > 0.5


def test_other_stages_paint_other_skins(head: HeadModel, stage: Stage) -> None:
    textures = [s.skins[0].materials["skin"].texture for s in (stage, Stage.of(head, 1, 6))]
    assert not np.array_equal(textures[0].texels.values, textures[1].texels.values)


def test_the_truth_is_what_is_drawn(stage: Stage, head: HeadModel) -> None:
    for made in islice(random_renders(stage, 13), 4):
        assert made.picture.shape == (SIDE, SIDE, 3)
        assert made.picture.dtype == np.uint8
        assert made.picture.std() > 5
        np.testing.assert_array_equal(made.vertices, head.posed(made.beta, made.psi, made.theta))
        marks, depth = made.camera.project(head.embeddings["ibug_68"].points(made.vertices))
        assert (depth > 0).all()
        assert ((marks > 0) & (marks < SIDE - 1)).mean() > 0.9  # the face is in the picture


def test_a_plain_render_shows_the_head_where_the_camera_says(stage: Stage, head: HeadModel) -> None:
    """The background of a plain render is one colour: all else is the head."""
    camera = Camera.portrait(0.4, 0.1, 160)
    picture = plain_render(stage, np.random.default_rng(1), head.rest(), camera)
    assert picture.shape == (160, 160, 3)
    drawn = (picture != picture[0, 0]).any(-1)
    flat, _ = camera.project(head.rest())
    inside = flat[((flat >= 0) & (flat <= 159)).all(1)]
    rows, columns = np.nonzero(drawn)
    assert columns.min() == pytest.approx(inside[:, 0].min(), abs=2)
    assert columns.max() == pytest.approx(inside[:, 0].max(), abs=2)
    assert rows.min() == pytest.approx(inside[:, 1].min(), abs=2)


def test_a_plain_render_is_reproducible(stage: Stage, head: HeadModel) -> None:
    camera = Camera.portrait(0, 0, 64)
    first, again, other = (plain_render(stage, np.random.default_rng(s), head.rest(), camera) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_expressions_are_possible_ones(head: HeadModel) -> None:
    rng = np.random.default_rng(2)
    drawn = np.array([random_expression(head, rng) for _ in range(300)])
    assert drawn.min() == 0
    assert drawn.max() <= 1
    for name in ("tongueOut", "eyeLookUpLeft", "mouthClose"):
        assert not drawn[:, head.expression_index(name)].any()
    at_rest = (drawn == 0).all(1).mean()
    assert 0.2 < at_rest < 0.55  # 0.35, and those without smile or jaw whose units were all skipped
    left, right = (drawn[:, head.expression_index(f"mouthSmile{side}")] > 0 for side in ("Left", "Right"))
    assert (left & right).sum() > 0.8 * (left | right).sum()


def test_eyes_look_together_and_the_head_keeps_still() -> None:
    rng = np.random.default_rng(3)
    drawn = np.array([random_gaze(rng) for _ in range(500)])
    assert not drawn[:, :3].any()
    np.testing.assert_array_equal(drawn[:, 3], drawn[:, 4])
    np.testing.assert_allclose(drawn[:, 3, :2].std(0), (0.1, 0.2), rtol=0.15)


def test_cameras_look_at_faces_from_the_front_half() -> None:
    rng = np.random.default_rng(4)
    face = np.array([0, 0, 0.055])
    for camera in (random_camera(rng) for _ in range(300)):
        assert (camera.width, camera.height) == (SIDE, SIDE)
        ahead = camera.position - face
        distance = np.linalg.norm(ahead)
        assert NEAR - 0.1 < distance < FAR + 0.1  # cameras look up to some centimetres past the face
        assert abs(np.arctan2(ahead[0], ahead[2])) < YAW + 0.15
        assert abs(np.arcsin(ahead[1] / distance)) < PITCH + 0.15
        across = SIDE * camera.to_camera(face)[2] / camera.matrix[0, 0]
        assert SEEN[0] * 0.85 < across < SEEN[1] * 1.15


def test_lights_are_neither_dark_nor_blinding() -> None:
    rng = np.random.default_rng(5)
    for light in (random_light(rng) for _ in range(200)):
        mean = light.coefficients[0].mean() * 0.2820948  # radiance from everywhere on average: Y00 = 1 / √4π
        assert 0.3 < mean < 1.35  # 0.5 to 1.3, less where a dim light is left dim
        assert len(light.lamps) < 4

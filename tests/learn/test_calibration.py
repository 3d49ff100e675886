"""Renders are reproducible, and calibration finds errors that were put in."""

from __future__ import annotations

import numpy as np

from headform.fit.errors import pose_terms, yaw_pitch
from headform.fit.solve import FLIP
from headform.head import load_default
from headform.head.skinning import rotation_matrices
from headform.learn.calibrate import Errors, fitted
from headform.learn.faces import faces
from headform.learn.renders import SIDE, Stage, random_renders


def test_a_seed_is_a_set_of_pictures() -> None:
    stage = Stage.of(load_default(), 2, 3)
    first, again, other = (next(random_renders(stage, seed)) for seed in (5, 5, 6))
    assert first.picture.shape == (SIDE, SIDE, 3) and first.picture.dtype == np.uint8
    np.testing.assert_array_equal(first.picture, again.picture)
    assert np.abs(first.picture.astype(int) - other.picture).mean() > 5
    face = next(faces(stage, 5))
    assert face.landmarks.points.shape == (478, 3) and face.identity.shape == (128,)


def test_bias_and_gain_that_were_put_in_are_found() -> None:
    rng = np.random.default_rng(1)
    count, points, modes = 3000, 3, 5
    turns = np.stack(
        [FLIP @ rotation_matrices(np.array([rng.normal(0, 0.2), rng.normal(0, 0.4), 0])) for _ in range(count)]
    )
    bias, gain = rng.normal(0, 0.02, (6, points, 3)), rng.normal(0, 0.02, (points, 3, modes))
    beta = rng.normal(size=(count, modes))
    terms = np.stack([pose_terms(*yaw_pitch(turn)) for turn in turns])
    error = np.einsum("nk,kpa->npa", terms, bias)
    error += np.einsum("nab,pbk,nk->npa", turns, gain, beta)
    error += rng.normal(0, 0.01, error.shape)
    found = fitted(Errors(error, np.ones((count, points)), turns, beta))
    np.testing.assert_allclose(found.gain, gain, atol=0.003)
    expected = np.stack([found.expected(turn, row)[0] for turn, row in zip(turns[:200], beta[:200], strict=True)])
    assert np.sqrt(((expected - error[:200]) ** 2).mean()) < 0.0115

from __future__ import annotations

import numpy as np

from headform.photo.affine import apply, best_similarity, invert, square_to_chip


def test_apply_follows_the_documented_example() -> None:
    assert apply([[2, 0, 1], [0, 2, 0]], [(3, 4)]).tolist() == [[7, 8]]


def test_invert_undoes() -> None:
    affine = [[1.5, -0.3, 7], [0.2, 0.9, -4]]
    points = np.array([(0, 0), (3, -2), (100, 50)])
    np.testing.assert_allclose(apply(invert(affine), apply(affine, points)), points, atol=1e-12)


def test_square_to_chip_puts_the_turned_square_upright() -> None:
    to_chip = square_to_chip((10, 20), side=8, angle=np.pi / 2, size=64)
    centre, along = apply(to_chip, [(10, 20), (10, 24)])  # half a side along (cos 90°, sin 90°) = (0, 1)
    np.testing.assert_allclose(centre, (32, 32), atol=1e-12)
    np.testing.assert_allclose(along, (64, 32), atol=1e-12)


def test_best_similarity_recovers_a_similarity() -> None:
    source = np.random.default_rng(1).normal(size=(7, 2))
    true = np.array([[0.8 * 3, -0.6 * 3, 5], [0.6 * 3, 0.8 * 3, -2]])  # scale 3, cos 0.8, sin 0.6
    np.testing.assert_allclose(best_similarity(source, apply(true, source)), true, atol=1e-12)


def test_best_similarity_is_the_least_squares_one() -> None:
    """Oracle: the linear system of the four unknowns a, b, x, y, solved by lstsq."""
    draw = np.random.default_rng(2)
    source, target = draw.normal(size=(5, 2)), draw.normal(size=(5, 2))
    x, y = source.T
    one, none = np.ones(5), np.zeros(5)
    rows = np.concatenate([np.stack([x, -y, one, none], 1), np.stack([y, x, none, one], 1)])
    a, b, right, down = np.linalg.lstsq(rows, target.T.ravel(), rcond=None)[0]
    np.testing.assert_allclose(best_similarity(source, target), [[a, -b, right], [b, a, down]], atol=1e-12)

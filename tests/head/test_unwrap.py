from __future__ import annotations

import numpy as np

from headform.head.unwrap import unwrap_eyeball, unwrap_globe


def _ring(count: int) -> tuple[np.ndarray, np.ndarray]:
    """A belt of squares about the y axis; vertex k of each rim stands at the angle 2π k / count from +Z."""
    angle = 2 * np.pi * np.arange(count) / count
    rims = [np.stack([np.sin(angle), np.full(count, y), np.cos(angle)], 1) for y in (-0.5, 0.5)]
    k, after = np.arange(count), (np.arange(count) + 1) % count
    return np.concatenate(rims).astype(np.float32), np.stack([k, after, after + count, k + count], 1).astype(np.int32)


def test_the_face_is_in_the_middle_and_the_left_to_the_right() -> None:
    vertices, faces = _ring(8)
    uv, rows = unwrap_globe(vertices, faces)
    np.testing.assert_allclose(uv[[0, 2, 6], 0], [0.5, 0.75, 0.25], atol=1e-6)  # +Z, +X, −X
    np.testing.assert_allclose(uv[0, 1], 0.5 - np.arctan(0.5) / np.pi, atol=1e-6)
    np.testing.assert_array_equal(rows[0], faces[0])


def test_no_face_lies_across_the_seam() -> None:
    vertices, faces = _ring(9)  # the face opposite +Z reaches over the seam
    uv, rows = unwrap_globe(vertices, faces)
    assert np.ptp(uv[faces][..., 0], axis=1).max() > 0.5
    assert np.ptp(uv[rows][..., 0], axis=1).max() < 0.2
    assert uv.min() >= 0
    assert uv.max() <= 1
    np.testing.assert_allclose(uv[rows][..., 1], uv[faces][..., 1])


def test_the_pupil_is_in_the_middle_of_an_eyeball() -> None:
    points = np.array([[0, 0, 1], [0, 0, -1], [1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]], np.float32)
    uv = unwrap_eyeball(points * 0.012 + np.float32([0.03, 0.04, 0.08]))
    np.testing.assert_allclose(uv[[0, 2, 3, 4, 5]], [[0.5, 0.5], [0.75, 0.5], [0.25, 0.5], [0.5, 0.75], [0.5, 0.25]],
                               atol=1e-4)  # fmt: skip
    np.testing.assert_allclose(np.linalg.norm(uv[1] - 0.5), 0.5, atol=1e-4)

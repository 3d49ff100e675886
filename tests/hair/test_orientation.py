"""Angles of drawn grain, which are known, and tangents of drawn strands."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from headform.hair.orientation import drawn_tangents, gabor_grain, grain, towards, unlike, vectors
from headform.render import Camera, Scene, Strands, render

Floats = NDArray[np.float32]
SIZE = 128
ROW, COLUMN = np.mgrid[:SIZE, :SIZE].astype(np.float64)
WHOLE = np.ones((SIZE, SIZE), np.float32)
MIDDLE = (slice(16, -16), slice(16, -16))


def stripes(degrees: float, wave: float = 5.0) -> Floats:
    """Strands of a few pixels that run along an angle."""
    across = -COLUMN * np.sin(np.radians(degrees)) + ROW * np.cos(np.radians(degrees))
    return (0.5 + 0.2 * np.sin(2 * np.pi * across / wave)).astype(np.float32)


@pytest.mark.parametrize("degrees", [0, 30, 60, 89, 91, 135, 179])
def test_stripes_run_along_their_angle(degrees: float) -> None:
    for method in (grain, gabor_grain):
        angle, sure = method(stripes(degrees), WHOLE)
        assert (angle >= 0).all() and (angle <= np.pi).all()
        assert np.degrees(unlike(angle, np.full_like(angle, np.radians(degrees)))[MIDDLE]).max() < 3
        assert sure[MIDDLE].min() > 0.5


def test_angles_about_the_seam_are_averaged_and_not_cancelled() -> None:
    swell = 2 * np.pi * COLUMN / 64
    waves = (0.5 + 0.2 * np.sin(2 * np.pi * (ROW - 3 * np.sin(swell)) / 5)).astype(np.float32)
    angle, _ = grain(waves, WHOLE)
    true = np.arctan(3 * 2 * np.pi / 64 * np.cos(swell))  # the slope of the crests, up to 16° to both sides of 0
    assert np.degrees(unlike(angle, true)[MIDDLE]).mean() < 2


def test_rings_turn_by_all_angles() -> None:
    x, y = COLUMN - 64, ROW + 30
    rings = (0.5 + 0.2 * np.sin(2 * np.pi * np.hypot(x, y) / 6)).astype(np.float32)
    angle, _ = grain(rings, WHOLE)
    true = (np.arctan2(y, x) + np.pi / 2) % np.pi
    assert np.degrees(unlike(angle, true)[MIDDLE]).mean() < 1.5


def test_the_silhouette_is_no_grain() -> None:
    hair = (COLUMN - ROW < 0).astype(np.float32)  # an edge at 45° through upright strands, before a white wall
    grey = np.where(hair > 0, 0.3 * stripes(90), 1.0).astype(np.float32)
    angle, sure = grain(grey, hair)
    rim = (hair > 0) & (COLUMN - ROW > -4)
    rim[:16], rim[-16:] = False, False
    assert np.degrees(unlike(angle, np.full_like(angle, np.pi / 2))[rim]).mean() < 12
    assert not sure[hair == 0].any()


def test_even_grey_and_faint_noise_are_not_sure() -> None:
    noise = np.random.default_rng(0).normal(0.5, 0.004, (SIZE, SIZE)).astype(np.float32)
    assert not grain(np.full((SIZE, SIZE), 0.4, np.float32), WHOLE)[1].any()
    assert grain(noise, WHOLE)[1].mean() < 0.1


def test_angles_between_lines() -> None:
    one, other = np.radians([0, 10, 170, 90]), np.radians([180, 170, 10, 0])
    np.testing.assert_allclose(np.degrees(unlike(one, other)), [0, 20, 20, 90], atol=1e-4)


def test_the_sense_goes_with_a_reference() -> None:
    angle = np.radians([[45.0, 45.0, 45.0]]).astype(np.float32)
    reference = np.array([[[1, 0.2], [-1, -0.2], [0, 0]]], np.float32)
    assert towards(angle, reference).tolist() == [[1, -1, 0]]
    np.testing.assert_allclose(vectors(angle)[0, 0], [0.5**0.5] * 2, rtol=1e-6)


def curtain(depth: float, way: tuple[float, float], count: int = 60) -> Floats:
    """(N, 2, 3) straight strands before the head, side by side, from the middle of the picture."""
    side = np.array([way[1], -way[0], 0]) * 0.05
    start = np.linspace(-1, 1, count)[:, None] * side + (0, 0.03, depth)
    return np.stack([start, start + np.array([*way, 0]) * 0.08], 1).astype(np.float32)


def test_the_strand_in_front_is_drawn_and_points_to_its_tip() -> None:
    camera = Camera.parallel(size=SIZE, extent=0.2)
    empty = np.full((SIZE, SIZE), np.inf, np.float32)
    down, aside = curtain(0.05, (0, -1)), curtain(0.10, (1, 0))
    tangents, depth = drawn_tangents(np.concatenate([aside, down]), camera, empty)
    np.testing.assert_allclose(tangents[64, 70], (1, 0), atol=1e-5)  # +X is to the right of the picture
    np.testing.assert_allclose(tangents[80, 60], (0, 1), atol=1e-5)  # hair that falls points down, to y > 0
    assert depth[64, 70] == pytest.approx(1.1, abs=1e-4) and depth[80, 60] == pytest.approx(1.15, abs=1e-4)
    assert not tangents[0].any() and np.isinf(depth[0]).all()
    hidden, _ = drawn_tangents(aside, camera, np.full_like(empty, 1.05))
    assert not hidden.any()


def test_strands_beside_or_behind_the_camera_are_left_out() -> None:
    camera = Camera.portrait(size=SIZE)
    empty = np.full((SIZE, SIZE), np.inf, np.float32)
    behind, beside = curtain(3.0, (0, -1)), curtain(0.0, (0, -1)) + np.float32(5)
    assert not drawn_tangents(np.concatenate([behind, beside]), camera, empty)[0].any()


def test_grain_of_rendered_strands_is_that_of_their_tangents() -> None:
    rng = np.random.default_rng(3)
    turn = np.linspace(0, np.pi / 2, 12)
    radius = rng.uniform(0.03, 0.09, (900, 1))
    arc = np.stack([radius * np.cos(turn) - 0.05, radius * np.sin(turn) - 0.02, 0 * radius + 0 * turn], -1)
    strands = (arc + rng.uniform(0, 0.004, (900, 1, 1)) * (0, 0, 1)).astype(np.float32)
    shades = rng.uniform(0.15, 0.5, (900, 1)).astype(np.float32).repeat(3, 1)
    camera = Camera.parallel(size=256, extent=0.2)
    picture = render(Scene(strands=(Strands(strands, shades, 5e-4),), background=(1, 1, 1)), camera)
    tangents, _ = drawn_tangents(strands, camera, picture.depth)
    angle, sure = grain(picture.rgb.mean(-1).astype(np.float32) / 255, picture.strands)
    both = (sure > 0.4) & tangents.any(-1)
    true = np.arctan2(tangents[..., 1], tangents[..., 0])
    assert both.sum() > 2000
    assert np.degrees(unlike(angle, true)[both]).mean() < 5

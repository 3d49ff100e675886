"""The albedo model and the tone scale."""

import numpy as np
import pytest

from headform.errors import BadInput
from headform.skin.albedo import (
    albedo_model,
    linear_from_lab,
    linear_from_srgb,
    random_tone,
    srgb_from_linear,
    tone_lab,
)


def test_a_fit_finds_the_coefficients_again() -> None:
    model = albedo_model()
    wanted = np.array([0.5, -1.0, 0.8, 0, 0.3, 0, 0, 0], np.float32)
    colours = np.exp(model.log_colours(wanted))
    half = np.zeros(len(colours), np.float32)  # a photo shows half of the head
    half[::2] = 1
    assert np.abs(model.fit(colours, half, prior=1e-6) - wanted).max() < 0.02
    assert np.abs(model.fit(colours, half, prior=1e6)).max() < 0.05  # the prior wins: the mean skin


def test_blend_is_within_the_samples() -> None:
    model = albedo_model()
    blended = model.blend(25, 1, (1, 0, 0))
    assert (blended <= model.samples.max(0)).all() and (blended >= model.samples.min(0)).all()


def test_source_skins_are_reproduced() -> None:
    model = albedo_model()
    assert len(model.samples) == 20
    assert np.isfinite(model.log_colours(model.samples[3])).all()
    with pytest.raises(BadInput):
        model.log_colours(np.zeros(50))


def test_tones_grow_darker_with_melanin_and_never_grey() -> None:
    scale = np.array([tone_lab(m) for m in np.linspace(0, 1, 11)])
    assert (np.diff(scale[:, 0]) < 0).all()
    assert np.hypot(scale[:, 1], scale[:, 2]).min() > 10  # chroma
    rgb = np.array([linear_from_lab(lab) for lab in scale])
    assert (rgb[:, 0] > rgb[:, 1]).all() and (rgb[:, 1] > rgb[:, 2]).all()


def test_random_tones_are_reproducible() -> None:
    first, second = (random_tone(np.random.default_rng(4), 0.5, (1, 1, 1)) for _ in range(2))
    assert first == second


def test_colour_conversions() -> None:
    white = linear_from_lab(np.array([100.0, 0, 0]))
    assert np.allclose(white, 1, atol=2e-3)  # D65 white of CIE L*a*b* is sRGB white
    levels = np.arange(256)
    assert np.abs(srgb_from_linear(linear_from_srgb(levels)) * 255 - levels).max() < 0.5

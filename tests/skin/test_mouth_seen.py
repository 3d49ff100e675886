"""Mouths with teeth of known tones are rendered and read back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from headform.head import HeadModel, load_default
from headform.photo import Photo, see
from headform.render import Camera, Scene, render, studio_light
from headform.skin.albedo import lab_from_linear, linear_from_srgb
from headform.skin.iris_fibres import Colour
from headform.skin.mouth import TEETH_TONE, paint_mouth
from headform.skin.mouth_seen import mouth_of, tooth_tone
from headform.skin.textures import Textures
from headform.skin.wardrobe import Wardrobe, surfaces

SMILE = {
    "mouthSmileLeft": 0.6,
    "mouthSmileRight": 0.6,
    "jawOpen": 0.2,
    "mouthUpperUpLeft": 0.4,
    "mouthUpperUpRight": 0.4,
}
YELLOW, WHITE = (205, 180, 130), (232, 226, 216)


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_default()


@pytest.fixture(scope="module")
def tone(model: HeadModel) -> Callable[..., Colour]:
    skin = Textures.of(1, 30, 0, (0, 0, 1), 256)

    def read(teeth: Colour, **units: float) -> Colour:
        worn = Wardrobe.wearing(replace(skin, mouth=paint_mouth(teeth_tone=teeth)))
        camera = Camera.look_at((0, 0, 1.1), (0, 0.01, 0.05), width=900, height=900, field_of_view=0.33)
        scene = Scene(surfaces(model, model.posed(psi=model.psi(units)), worn), background=(0.4, 0.45, 0.5))
        photo = Photo.of(render(scene, camera).rgb)
        return tooth_tone(photo.pixels, see(photo)[0], studio_light())

    return read


def lab(colour: Colour) -> NDArray[np.float64]:
    return lab_from_linear(linear_from_srgb(np.array(colour)))


def test_the_tone_of_a_smile_is_followed(tone: Callable[..., Colour]) -> None:
    yellow, white = lab(tone(YELLOW, **SMILE)), lab(tone(WHITE, **SMILE))
    assert yellow[2] > white[2] + 5
    for found, truth in ((yellow, YELLOW), (white, WHITE)):
        assert np.linalg.norm(found - lab(truth)) < np.linalg.norm(lab(TEETH_TONE) - lab(truth)) + 4


def test_closed_lips_say_nothing(tone: Callable[..., Colour]) -> None:
    assert tone(YELLOW) == TEETH_TONE


def test_gums_go_with_the_skin(model: HeadModel) -> None:
    camera = Camera.look_at((0, 0, 1.1), (0, 0.01, 0.05), width=600, height=600, field_of_view=0.33)
    sheets = []
    for seed, ancestry in ((1, (0, 0, 1)), (7, (1, 0, 0))):
        worn = Wardrobe.of(seed, 30, 0, ancestry, 256)
        photo = Photo.of(render(Scene(surfaces(model, model.rest(), worn), background=(0.4, 0.4, 0.4)), camera).rgb)
        sheets.append(mouth_of(photo.pixels, see(photo)[0], studio_light(), 256))
    pale, dark = (sheet[: len(sheet) // 5].mean() for sheet in sheets)
    assert dark < 0.95 * pale
    assert sheets[0].shape == (256, 256, 3) and sheets[0].dtype == np.uint8

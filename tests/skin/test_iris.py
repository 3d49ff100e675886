"""Eyes of known colours are rendered, photographed and read back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from headform.fit import fit_photo
from headform.head import HeadModel, load_default
from headform.photo import Photo, Sighting, see
from headform.render import Camera, Lamp, Light, Scene, render, studio_light
from headform.skin.albedo import lab_from_linear, linear_from_srgb
from headform.skin.eyes import IRIS_COLOURS, IRIS_SHEET, paint_eye
from headform.skin.iris import SCLERA_LIGHT, eyes_of
from headform.skin.iris_colours import likely_iris, named_means
from headform.skin.iris_fibres import IrisColour
from headform.skin.iris_seen import coloured_rings, look_at_eye
from headform.skin.textures import Textures
from headform.skin.wardrobe import Wardrobe, surfaces

SHARED = Path(__file__).parents[2].parent / "shared"
BETWEEN = IrisColour((138, 108, 70), (98, 108, 96), (150, 148, 120), (42, 46, 44), 0.9, (0, 0, 0))  # no named one
ONE_SIDED = Light.of((Lamp(np.array([0.8, 0.3, 0.5]), np.array([0.9, 0.85, 0.8])),), 0.25)
ABOVE = Light.of((Lamp(np.array([0.1, 0.9, 0.5]), np.array([0.9, 0.9, 1.0])),), 0.3)
PALE, DARK = ((0, 0, 1), 1), ((1, 0, 0), 7)

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Portrait:
    """A render, what is seen in it, and the true head and light."""

    photo: Photo
    sighting: Sighting
    vertices: NDArray[np.float32]
    light: Light


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_default()


@pytest.fixture(scope="module")
def portrait(model: HeadModel) -> Callable[..., Portrait]:
    skins = {who: Textures.of(seed, 30, 0, who, 256) for who, seed in (PALE, DARK)}

    def take(
        left: Bytes,
        right: Bytes | None = None,
        face: int = 400,
        light: Light | None = None,
        who: tuple[int, int, int] = PALE[0],
        **units: float,
    ) -> Portrait:
        """A portrait of a head with these eyes, about so many pixels from chin to forehead."""
        worn = Wardrobe.wearing(replace(skins[who], eye_left=left, eye_right=left if right is None else right))
        vertices = model.posed(psi=model.psi(units))
        shining = studio_light() if light is None else light
        camera = Camera.look_at(
            (0.1, 0.03, 1.1), (0, 0.01, 0.05), width=face * 3 // 2, height=face * 3 // 2, field_of_view=0.33
        )
        scene = Scene(surfaces(model, vertices, worn), light=shining, background=(0.4, 0.45, 0.5))
        photo = Photo.of(render(scene, camera).rgb)
        return Portrait(photo, see(photo)[0], vertices, shining)

    return take


def read(model: HeadModel, taken: Portrait, seed: int = 0) -> tuple[Bytes, Bytes]:
    return eyes_of(taken.photo.pixels, taken.sighting, model, taken.vertices, taken.light, seed=seed)


def ring(sheet: Bytes, low: float, high: float) -> NDArray[np.float64]:
    """(3,) mean linear colour between two radii of the iris."""
    size = len(sheet)
    row, column = np.mgrid[:size, :size] + 0.5 - size / 2
    away = np.hypot(row, column) / size / IRIS_SHEET
    return np.asarray(linear_from_srgb(sheet[(away >= low) & (away < high)]).mean(0))


def colour(sheet: Bytes) -> NDArray[np.float64]:
    """CIELAB of the coloured zone."""
    return lab_from_linear(ring(sheet, 0.5, 0.85))


def apart(one: Bytes, other: Bytes) -> float:
    return float(np.linalg.norm(colour(one) - colour(other)))


@pytest.mark.parametrize(
    ("iris", "face", "light"),
    [("blue", 300, None), ("hazel", 700, ABOVE), ("dark brown", 400, ONE_SIDED), (BETWEEN, 500, None)],
)
def test_colours_come_back_through_the_whole_fit(
    model: HeadModel, portrait: Callable[..., Portrait], iris: str | IrisColour, face: int, light: Light | None
) -> None:
    truth = paint_eye(iris, seed=3)
    taken = portrait(truth, face=face, light=light)
    fit = fit_photo(taken.photo, taken.sighting, model)
    found = eyes_of(taken.photo.pixels, taken.sighting, model, fit.posed(model), fit.light)
    for eye in found:
        assert eye.shape == (512, 512, 3) and eye.dtype == np.uint8
        assert apart(eye, truth) < 8  # half of what lies between neighbouring names


def test_one_sided_light_does_not_make_two_colours(model: HeadModel, portrait: Callable[..., Portrait]) -> None:
    left, right = read(model, portrait(paint_eye("green", seed=1), face=700, light=ONE_SIDED))
    assert apart(left, right) < 3


def test_two_colours_stay_two(model: HeadModel, portrait: Callable[..., Portrait]) -> None:
    blue, brown = paint_eye("blue", seed=1), paint_eye("brown", seed=1)
    left, right = read(model, portrait(blue, brown, face=900))
    assert apart(left, blue) < 10 and apart(right, brown) < 10


def test_closed_eyes_are_dark_where_the_skin_is(model: HeadModel, portrait: Callable[..., Portrait]) -> None:
    shut = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}
    left, right = read(model, portrait(paint_eye("blue"), who=DARK[0], **shut))
    assert apart(left, paint_eye("dark brown")) < 6
    assert apart(left, right) < 1


def test_pupils_keep_their_size(model: HeadModel, portrait: Callable[..., Portrait]) -> None:
    def dark_share(sheet: Bytes) -> float:
        middle = sheet[len(sheet) // 2].astype(float).mean(1)
        return float((middle < 25).sum() / len(sheet) / 2 / IRIS_SHEET)

    wide, narrow = (
        dark_share(read(model, portrait(paint_eye("blue-grey", seed=2, pupil=p), face=900))[0]) for p in (0.44, 0.24)
    )
    assert wide > narrow + 0.1
    assert wide == pytest.approx(0.44, abs=0.08) and narrow == pytest.approx(0.24, abs=0.08)


def test_a_dark_rim_is_followed_and_a_missing_one_too(model: HeadModel, portrait: Callable[..., Portrait]) -> None:
    named = IRIS_COLOURS["blue-grey"]
    ringed, plain = (replace(named, rim=rim) for rim in ((18, 24, 34), named.outer))
    contrast = []
    for iris in (ringed, plain):
        eye = read(model, portrait(paint_eye(iris, seed=2), face=900))[0]
        contrast.append(ring(eye, 0.88, 0.95).mean() / ring(eye, 0.6, 0.8).mean())
    assert contrast[0] < 0.8 * contrast[1]


def test_whites_are_white_but_not_paper(model: HeadModel, portrait: Callable[..., Portrait]) -> None:
    eye = read(model, portrait(paint_eye("brown")))[0]
    lightness = lab_from_linear(ring(eye, 1.15, 1.3))[0]
    assert SCLERA_LIGHT[0] - 8 < lightness < SCLERA_LIGHT[1]


def test_errors_of_landmarks_are_found(portrait: Callable[..., Portrait]) -> None:
    taken = portrait(paint_eye("brown"), face=600)
    landmarks = taken.sighting.landmarks
    true = look_at_eye(taken.photo.pixels, landmarks, "left")
    points = landmarks.points.copy()
    points[473:478, 0] += 0.15 * true.radius
    found = look_at_eye(taken.photo.pixels, replace(landmarks, points=points), "left")
    rings = coloured_rings()
    shown, again = ((e.colours[rings] * e.weights[rings, :, None]).sum((0, 1)) for e in (true, found))
    assert again / found.weights[rings].sum() == pytest.approx(shown / true.weights[rings].sum(), rel=0.15)


def test_glints_are_not_believed(portrait: Callable[..., Portrait]) -> None:
    taken = portrait(paint_eye("dark brown"), face=700)
    seen = look_at_eye(taken.photo.pixels, taken.sighting.landmarks, "left")
    bright = seen.colours[coloured_rings()].mean(-1)
    believed = seen.weights[coloured_rings()] > 0.3
    assert bright.max() > 4 * np.median(bright[believed])  # there is one
    assert bright[believed].max() < 4 * np.median(bright[believed])


def test_an_eye_at_the_edge_of_the_photo(model: HeadModel, portrait: Callable[..., Portrait]) -> None:
    taken = portrait(paint_eye("green"))
    at = round(float(taken.sighting.landmarks.points[473, 0]))
    left, right = eyes_of(taken.photo.pixels[:, : at - 3], taken.sighting, model, taken.vertices, taken.light, size=128)
    assert left.shape == right.shape == (128, 128, 3)
    assert apart(right, paint_eye("green")) < 15


def test_the_same_photo_gives_the_same_eyes(model: HeadModel, portrait: Callable[..., Portrait]) -> None:
    taken = portrait(paint_eye("amber"))
    first, again, other = read(model, taken), read(model, taken), read(model, taken, seed=1)
    assert np.array_equal(first[0], again[0]) and np.array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])


def test_doubt_moves_a_colour_to_what_irises_are() -> None:
    pink = np.array([50.0, 45.0, 0.0])
    sure, unsure = (likely_iris(pink, np.eye(3) * doubt**2, 0.1).lab for doubt in (0.1, 30))
    assert np.linalg.norm(sure - pink) < 0.5
    assert np.linalg.norm(named_means() - unsure, axis=1).min() < np.linalg.norm(named_means() - pink, axis=1).min() / 2


def test_without_an_eye_the_most_common_colour_is_taken() -> None:
    names = list(IRIS_COLOURS)
    for melanin, expected in ((0.9, "dark brown"), (0.0, "brown")):
        assert names[int(likely_iris(None, np.eye(3), melanin).shares.argmax())] == expected


def test_a_palette_is_painted_in_its_own_colour() -> None:
    wanted = np.array([38.0, 2.0, 16.0])
    likely = replace(likely_iris(wanted, np.eye(3) * 25, 0.2), lab=wanted)
    assert colour(paint_eye(likely.palette())) == pytest.approx(wanted, abs=4)


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("mica/connelly.jpg", ("green", "hazel", "amber")),
        ("deca/exp_4.jpg", ("grey", "blue-grey", "blue", "green")),
        ("ffhq_fht/00012.jpg", ("brown", "dark brown")),
        ("deca/exp_8.jpg", ("brown", "amber")),
        ("mica/lawrence.jpg", ("grey", "blue-grey", "blue", "green")),  # one eye in deep shade
        ("hairstep/97460f1480c7c477919a68ebb1a660ba.png", ("grey", "blue-grey", "blue", "green")),
    ],
)
def test_real_people(model: HeadModel, path: str, names: tuple[str, ...]) -> None:
    if not SHARED.is_dir():
        pytest.skip("the evaluation photos are not on this machine")
    photo = Photo.open(SHARED / "eval" / "photos" / path)
    sighting = see(photo)[0]
    fit = fit_photo(photo, sighting, model)
    for eye in eyes_of(photo.pixels, sighting, model, fit.posed(model), fit.light):
        nearest = min(IRIS_COLOURS, key=lambda name: apart(eye, paint_eye(name)))
        assert nearest in names

"""Heads of ours are rendered as photos, and their skins read back with the truth about shape, camera and light."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from known_person import CHIN, SIDE, SKIN_SIZE, Person, alike, known_person
from numpy.typing import NDArray

from headform.photo import Photo
from headform.photo.masks import Masks
from headform.skin.albedo import lab_from_linear, linear_from_srgb
from headform.skin.atlas import SKIN, skin_mesh
from headform.skin.likely import plain_skin
from headform.skin.paint import Skin
from headform.skin.portrait import prepare, skin_of, textures_of
from headform.skin.seen import look_at_skin
from headform.skin.sheets import zoomed

GREEN, FOREHEAD = (10, 230, 20), 337
JUST_SEEN, NOT_SEEN = 2.0, 4.0  # CIELAB: a person hardly sees the one; the other is another tone of the same skin
Bytes = NDArray[np.uint8]
Doubles = NDArray[np.float64]


@lru_cache(maxsize=8)
def read(person: Person, size: int = SKIN_SIZE) -> Skin:
    return skin_of(person.photo, person.sighting, person.fit, person.model, size)


def trust_in(person: Person, size: int = SKIN_SIZE) -> NDArray[np.float32]:
    return zoomed(look_at_skin(person.sighting, person.fit, person.model).trust, size)


def apart(one: Bytes, other: Bytes, where: NDArray[np.bool_]) -> Doubles:
    """(n,) CIELAB differences at every fourth texel of some."""
    lab = [lab_from_linear(linear_from_srgb(sheet[where][::4])) for sheet in (one, other)]
    return np.asarray(np.linalg.norm(lab[0] - lab[1], axis=-1))


def greenness(sheet: Bytes) -> Doubles:
    red, green, blue = np.moveaxis(sheet.astype(float), -1, 0)
    return np.asarray(green - (red + blue) / 2)


@pytest.mark.parametrize("yaw", [0.0, 60.0])
def test_what_is_seen_is_the_true_albedo(yaw: float) -> None:
    """With its light taken off: shade, colour of the light and the slant of both are gone."""
    person = known_person(yaw)
    trust = trust_in(person)
    off = apart(read(person).albedo, person.textures.albedo, trust > 0.95)
    assert (trust > 0.95).mean() > 0.2
    assert np.median(off) < 1.5 and np.percentile(off, 95) < 3.5
    assert np.median(apart(read(person).albedo, person.textures.albedo, trust > 0.5)) < 1.5


def test_what_is_not_seen_is_a_likely_tone() -> None:
    person = known_person()
    unseen = trust_in(person) < 0.05
    assert np.median(apart(read(person).albedo, person.textures.albedo, unseen)) < 2 * NOT_SEEN


def test_from_the_side_the_other_half_is_filled() -> None:
    """Freckles and all: the fine pattern of the half that is not seen is that of the other."""
    person = known_person(60.0, 0.3, symmetric=True)
    trust = trust_in(person)
    unseen = (trust[:, ::-1] > 0.95) & (trust < 0.05)
    assert unseen.mean() > 0.1
    found = read(person).albedo
    assert np.median(apart(found, person.textures.albedo, unseen)) < JUST_SEEN
    fine = [np.diff(sheet[..., 1].astype(float), axis=1)[unseen[:, 1:]] for sheet in (found, person.textures.albedo)]
    assert np.corrcoef(fine)[0, 1] > 0.6


@pytest.mark.parametrize("name", ["hair", "other"])
def test_what_is_before_the_skin_does_not_get_into_it(name: str) -> None:
    """A green bar over the forehead, and green all around the head: nothing of it is on the skin."""
    bare = known_person()
    points = bare.sighting.landmarks.points
    bar = np.zeros((SIDE, SIDE), bool)
    column, row = points[FOREHEAD, :2].astype(int)
    bar[row - 80 : row + 30, column - 15 : column + 15] = True
    bar |= bare.sighting.masks.background > 0.5
    covered = bare.painted_over(bar, GREEN, name)
    found = read(covered).albedo
    off_brows = zoomed(plain_skin(), SKIN_SIZE) > 0.9  # brows and the shaved scalp have the colour of the hair
    rise = (greenness(found) - greenness(read(bare).albedo))[off_brows & (trust_in(bare) > 0.5)]
    assert rise.max() < 0.15 * greenness(np.array(GREEN, np.uint8)) and np.percentile(rise, 99.5) < 5
    hidden = (trust_in(bare) > 0.95) & (trust_in(covered) < 0.05)
    assert hidden.mean() > 0.005
    assert np.median(apart(found, bare.textures.albedo, hidden)) < 2 * NOT_SEEN


def test_one_photo_gives_the_same_bytes() -> None:
    person = known_person()
    again = skin_of(person.photo, person.sighting, person.fit, person.model, SKIN_SIZE)
    for name in ("albedo", "normal", "roughness"):
        assert np.array_equal(getattr(again, name), getattr(read(person), name))


@pytest.mark.parametrize("size", [1024, 2048, 4096])
def test_sizes_show_the_same_skin(size: int) -> None:
    person = known_person()
    skin = read(person, size)
    assert skin.albedo.shape == skin.normal.shape == (size, size, 3) and skin.roughness.shape == (size, size)
    assert skin.albedo.dtype == skin.normal.dtype == skin.roughness.dtype == np.uint8
    block = size // SKIN_SIZE
    mean = skin.albedo.reshape(SKIN_SIZE, block, SKIN_SIZE, block, 3).mean((1, 3))
    off = np.abs(mean - read(person).albedo).mean(-1)
    assert off.mean() < 1.5 and np.percentile(off, 99.5) < 12


def test_normals_have_length_one_and_point_outwards() -> None:
    for size in (1024, 2048):
        vectors = (read(known_person(), size).normal.astype(float) - 128) / 127
        length = np.linalg.norm(vectors, axis=-1)
        assert np.percentile(np.abs(length - 1), 99.9) < 0.03
        assert np.abs(length - 1).max() < 0.1
        assert vectors[..., 2].min() > 0.2


def test_a_person_in_a_mirror_has_mirrored_skin() -> None:
    """The average head is its own mirror image, and so is its atlas."""
    one, other = known_person(30.0, 0.3, symmetric=True), known_person(-30.0, -0.3, symmetric=True)
    assert np.abs(one.photo.pixels.astype(int) - other.photo.pixels[:, ::-1]).mean() < 0.3
    trust = trust_in(one)
    assert np.percentile(np.abs(trust_in(other)[:, ::-1] - trust), 99) < 0.05
    off = np.abs(read(one).albedo.astype(int) - read(other).albedo[:, ::-1]).max(-1)
    assert off[trust > 0.95].mean() < 1 and np.percentile(off[trust > 0.95], 99) < 4


def test_no_seam_shows_where_the_borders_of_the_texture_meet() -> None:
    """Points of the skin that lie at two places of the texture, on the back and the crown, have one colour."""
    mesh = skin_mesh()
    albedo = read(known_person()).albedo.astype(float)
    outside = mesh.inside == SKIN
    flat, place = mesh.quads[outside].reshape(-1), mesh.uv[outside].reshape(-1, 2)
    order = np.argsort(flat, kind="stable")
    starts = np.searchsorted(flat[order], np.arange(len(mesh.points)))
    first = place[order][np.minimum(starts, len(order) - 1)][flat]
    twice = np.abs(first - place).max(1) > 0.01
    assert twice.sum() > 50
    colours = [_at(albedo, spot[twice]) for spot in (first, place)]
    off = np.abs(colours[0] - colours[1]).max(-1)
    assert np.median(off) < 5 and np.percentile(off, 95) < 12


def _at(sheet: Doubles, place: NDArray[np.float32]) -> Doubles:
    size = len(sheet)
    column, row = ((place * [1, -1] + [0, 1]) * size - 0.5).round().astype(int).clip(0, size - 1).T
    return np.asarray(sheet[row, column])


def test_everything_that_is_worn_is_made() -> None:
    person = known_person()
    prepare(person.model)
    worn = textures_of(person.photo, person.sighting, person.fit, person.model, SKIN_SIZE)
    assert worn is not None
    assert np.array_equal(worn.albedo, read(person).albedo)
    assert worn.lashes.shape[-1] == 4 and worn.eye_left.shape == worn.eye_right.shape == worn.mouth.shape


def test_another_head_wears_nothing_of_ours() -> None:
    person = known_person()
    other = replace(person.model, name="flame2023")
    prepare(other)
    assert textures_of(person.photo, person.sighting, person.fit, other, SKIN_SIZE) is None


def _all_hidden(person: Person) -> Person:
    return person.painted_over(np.ones((SIDE, SIDE), bool), (30, 20, 15), "other")


def _black(person: Person) -> Person:
    return replace(person, photo=Photo(np.zeros_like(person.photo.pixels), "black"))


def _white(person: Person) -> Person:
    return replace(person, photo=Photo(np.full_like(person.photo.pixels, 255), "white"))


def _cut(person: Person) -> Person:
    """The photo ends in the middle of the face."""
    high = int(person.sighting.landmarks.points[CHIN, 1]) - 60
    wide = SIDE // 2
    masks = {name: np.ascontiguousarray(getattr(person.sighting.masks, name)[:high, :wide]) for name in Masks.__slots__}
    photo = Photo(np.ascontiguousarray(person.photo.pixels[:high, :wide]), "cut")
    return replace(person, photo=photo, sighting=replace(person.sighting, masks=Masks(**masks)))


@pytest.mark.parametrize("change", [_all_hidden, _black, _white, _cut])
def test_hardly_anything_seen_still_gives_a_skin(change: object) -> None:
    assert callable(change)
    person = change(known_person())
    skin = skin_of(person.photo, person.sighting, person.fit, person.model, SKIN_SIZE)
    assert skin.albedo.shape == (SKIN_SIZE, SKIN_SIZE, 3)
    if change in (_all_hidden, _cut):
        assert greenness(skin.albedo).max() < 40
        red, green, blue = skin.albedo.reshape(-1, 3).mean(0)
        assert red > green > blue > 20


def test_the_half_that_a_cut_photo_shows_is_right() -> None:
    person = known_person(0.0, 0.3, symmetric=True)
    cut = _cut(person)
    trust = trust_in(cut)
    assert (trust > 0.95).mean() > 0.05
    assert np.median(apart(read(cut).albedo, alike(person.textures.albedo), trust > 0.95)) < 1.5

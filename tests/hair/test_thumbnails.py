"""Pictures of hairstyles: small, whole, with the head always at the same place."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from hanging_hair import hanging
from PIL import Image

from headform.errors import BadInput
from headform.hair import groom as grooms
from headform.hair import library, thumbnails
from headform.render import Scene, render


def pixels(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)


def test_a_thumbnail_is_a_small_webp_of_the_style() -> None:
    crew = thumbnails.thumbnail(library.groom("crew_cut"))
    with Image.open(io.BytesIO(crew)) as image:
        assert (image.format, image.size) == ("WEBP", (256, 256))
    assert len(crew) <= thumbnails.MOST_BYTES
    bald = thumbnails.thumbnail(grooms.none())
    difference = np.abs(pixels(crew) - pixels(bald)).sum(2)
    rows = np.flatnonzero((difference > 90).any(1))
    assert rows.min() < 80 and rows.max() < 200, "hair on the skull, and the face as it was"


def test_long_hair_does_not_make_the_head_smaller() -> None:
    with_long = pixels(thumbnails.thumbnail(hanging(40, 0.6)))
    bald = pixels(thumbnails.thumbnail(grooms.none()))
    face = slice(110, 150), slice(110, 150)
    assert np.abs(with_long[face] - bald[face]).mean() < 15


def test_skin_is_dark_under_hair() -> None:
    groom = library.groom("crew_cut")
    bare, under = thumbnails.worn(grooms.none()), thumbnails.worn(groom)
    changed = [one is not other for one, other in zip(bare, under, strict=True)]
    assert sum(changed) == 1
    camera = thumbnails.camera_for([], 0, 64)
    before, after = (render(Scene(surfaces), camera).rgb.astype(int).sum(2) for surfaces in (bare, under))
    darker = before - after
    crown = np.flatnonzero((before > 0).any(1))[0] + 4  # rows from the top of the head
    assert darker[crown].max() > 100
    assert np.abs(darker[40:]).max() < 10, "the neck as it was"
    assert thumbnails.worn(grooms.none()) is bare, "the bare head is left as it was"


def test_the_camera_of_a_sheet_holds_all_of_the_hair_to_the_chest() -> None:
    short, long = hanging(40, 0.05), hanging(40, 0.25)
    for yaw in (0.0, 90.0):
        camera = thumbnails.camera_for([short, long], yaw, 200)
        place, _ = camera.project(long.points.reshape(-1, 3))
        assert place.min() > 0 and place.max() < 200
    far = thumbnails.camera_for([hanging(40, 2.0)], 0, 200)
    assert far.matrix[1, 1] == pytest.approx(200 / (thumbnails.TALLEST * thumbnails.MARGIN) * 1.2, rel=1e-6)


def test_hair_of_any_colour_is_drawn_in_it() -> None:
    green = replace(library.groom("crew_cut", count=4000), colours=np.float32([0.1, 0.8, 0.1]))
    picture = thumbnails.drawn(green, 0, 64).astype(int)
    assert (picture[..., 1] - picture[..., 0]).max() > 30


def test_sheets_that_cannot_be_drawn_are_refused() -> None:
    with pytest.raises(BadInput, match="no hairstyle"):
        thumbnails.sheet([], [])
    with pytest.raises(BadInput, match="lower --size"):
        thumbnails.sheet([hanging()] * 30, ["x"] * 30, (0.0,), 2048)
    for size in (31, 2049):
        with pytest.raises(BadInput, match=f"{size} pixels"):
            thumbnails.drawn(hanging(), 0, size)


def test_every_thumbnail_that_ships_is_of_a_style_and_small() -> None:
    names = {entry.name for entry in library.shipped()}
    there = sorted(thumbnails.FOLDER.glob(f"*{thumbnails.ENDING}"))
    for path in there:
        assert path.stem in names
        assert path.stat().st_size <= thumbnails.MOST_BYTES
        assert thumbnails.path_of(path.stem) == path
    assert {path.stem for path in there} == names, "python assets/hair/thumbnails.py draws those that are missing"
    assert thumbnails.path_of("nothing") is None

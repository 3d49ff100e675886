"""Hair of an avatar against hair that is known, because we drew it."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_portraits import HIGH, WALL, WIDE, portrait_of, someone
from numpy.typing import NDArray
from PIL import Image
from scan_folders import write_photo

from headform.avatar.avatar import Avatar
from headform.avatar.views import dressed
from headform.errors import BadInput
from headform.hair.groom import Groom
from headform.measure.commands import add_measure
from headform.measure.hair import (
    HairLikeness,
    HairRow,
    compare_hair,
    find_masked,
    hair_report,
    measure_hair,
    overlap,
    read_mask,
    share_inside,
)
from headform.photo import Photo, Sighting, see
from headform.render import Scene, render

Floats = NDArray[np.float32]
LOW, TOP, HALF = 0.10, 0.17, 0.07  # metres: a board of strands from the forehead up, before the head


def wearing(groom: Groom | None) -> Avatar:
    return replace(someone(), hair=groom)


def board(upright: bool, across: tuple[float, float] = (-HALF, HALF)) -> Groom:
    """Straight strands side by side that fill a rectangle above the forehead, upright or level."""
    rng = np.random.default_rng(1)
    count = round(300 * (across[1] - across[0]) / (2 * HALF))
    if upright:
        x = np.linspace(*across, count)
        ends = [np.stack([x, np.full_like(x, y), np.full_like(x, 0.12)], 1) for y in (TOP, LOW)]
    else:
        y = np.linspace(LOW, TOP, count)
        ends = [np.stack([np.full_like(y, x), y, np.full_like(y, 0.12)], 1) for x in across]
    way = np.linspace(0, 1, 20)[None, :, None]
    points = ends[0][:, None] * (1 - way) + ends[1][:, None] * way
    shades = rng.uniform(0.1, 0.45, (count, 1)).repeat(3, 1)
    return Groom(points.astype(np.float32), shades.astype(np.float32), width=1e-3)


@cache
def picture(upright: bool = True) -> tuple[Photo, Floats]:
    """A photo of someone with a board of strands, and the mask of it."""
    avatar, groom = wearing(None), board(upright).moved(someone().neutral(), someone().posed())
    scene = Scene(dressed(avatar, avatar.posed()), (groom.strands(),), avatar.fit.light, WALL)
    drawn = render(scene, avatar.fit.camera)
    return Photo.of(np.ascontiguousarray(drawn.rgb), "drawn"), (drawn.strands >= 0.5).astype(np.float32)


@pytest.fixture(scope="module")
def seen() -> Sighting:
    (found,) = see(portrait_of(someone()), 1)
    return found


def measured(seen: Sighting, groom: Groom | None, **more: Any) -> HairLikeness:
    photo, mask = picture()
    return compare_hair(photo, seen, mask, wearing(groom), **more)[0]


def test_the_same_hair_is_alike_in_place_and_direction(seen: Sighting) -> None:
    found = measured(seen, board(True))
    assert found.iou > 0.97 and found.missed < 0.02 and found.extra < 0.02
    assert found.degrees is not None and found.degrees < 5
    assert found.inside is None


def test_no_hair_misses_all(seen: Sighting) -> None:
    for none in (None, Groom(np.zeros((0, 2, 3), np.float32))):
        found = measured(seen, none, strands=True)
        assert (found.iou, found.missed, found.extra) == (0, 1, 0)
        assert found.degrees is None and found.inside is None


def test_half_the_hair_and_twice_the_hair(seen: Sighting) -> None:
    half = measured(seen, board(True, (0, HALF)))
    assert half.iou == pytest.approx(0.5, abs=0.02) and half.missed == pytest.approx(0.5, abs=0.02)
    assert half.extra < 0.02
    wider = measured(seen, board(True, (-1.5 * HALF, 1.5 * HALF)))
    assert wider.iou == pytest.approx(2 / 3, abs=0.03) and wider.extra == pytest.approx(0.5, abs=0.04)
    assert wider.missed < 0.02


def test_strands_across_the_photos_are_ninety_degrees_off(seen: Sighting) -> None:
    found = measured(seen, board(False))
    assert found.degrees is not None and found.degrees > 85
    assert found.iou > 0.95


def test_hair_behind_the_head_is_not_seen(seen: Sighting) -> None:
    behind = replace(board(True, (-0.03, 0.03)), points=board(True, (-0.03, 0.03)).points - np.float32([0, 0.07, 0.16]))
    assert measured(seen, behind).extra < 0.02


def test_points_inside_the_head() -> None:
    avatar = wearing(None)
    out = board(True).points
    middle = np.broadcast_to(np.float32([0, 0.05, 0]), out.shape)
    assert share_inside(Groom(out), avatar) == 0
    assert share_inside(Groom(np.ascontiguousarray(middle)), avatar) == 1
    both = np.concatenate([out[:100], middle[:100]])
    assert share_inside(Groom(both), avatar) == pytest.approx(0.5)


def test_points_within_a_millimetre_count_as_on_the_skin() -> None:
    avatar = wearing(None)
    rest = avatar.neutral()
    top = rest[rest[:, 1].argmax()]
    strand = np.repeat(top[None], 3, 0)[None].repeat(2, 0)
    for depth, share in ((0.0005, 0.0), (0.003, 1.0)):
        sunk = strand.copy()
        sunk[:, 1:, 1] -= depth  # the root stays
        assert share_inside(Groom(sunk), avatar) == share


def test_union_and_intersection() -> None:
    one, other = np.zeros((2, 4, 4), bool)
    assert overlap(one, other) == 0
    one[:2], other[1:3] = True, True
    assert overlap(one, other) == pytest.approx(1 / 3)


def test_masks_of_another_size_are_scaled(tmp_path: Path) -> None:
    photo, mask = picture()
    small = Image.fromarray((mask * 255).astype(np.uint8)).resize((WIDE // 2, HIGH // 2))
    small.save(tmp_path / "m_mask.png")
    read = read_mask(tmp_path / "m_mask.png", photo)
    assert read.shape == mask.shape and set(np.unique(read)) == {0, 1}
    assert overlap(read > 0, mask > 0) > 0.95
    (tmp_path / "m_mask.png").write_bytes(b"no picture")
    with pytest.raises(BadInput, match="m_mask"):
        read_mask(tmp_path / "m_mask.png", photo)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    photo, mask = picture()
    for name in ("a", "b"):
        Image.fromarray(photo.pixels).save(tmp_path / f"{name}.png")
    Image.fromarray((mask * 255).astype(np.uint8)).save(tmp_path / "a_mask.png")
    write_photo(tmp_path / "wall.png")
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(tmp_path / "wall_mask.png")
    return tmp_path


def test_photos_without_masks_or_faces_are_in_no_mean(folder: Path) -> None:
    assert [path.name for path in find_masked(folder)] == ["a.png", "wall.png"]
    report = measure_hair(folder, lambda _: wearing(board(True)), strands=True)
    numbers = json.loads(report.json())
    assert numbers["measured"] == numbers["no_face"] == 1
    assert numbers["failed"] == [{"photo": "wall.png", "reason": "no face"}]
    (row,) = numbers["photos"]
    assert row["photo"] == "a.png" and row["iou"] > 0.9 and row["inside"] == 0
    assert numbers["summary"][1]["iou"] == row["iou"]
    assert report.html().count("data:image/") == 1


def test_the_worst_is_listed_first() -> None:
    rows = [HairRow(name, HairLikeness(iou, 0, 0, 1, None), 1.0) for name, iou in (("x", 0.8), ("y", 0.2))]
    numbers = json.loads(hair_report("t", rows).json())
    assert [row["photo"] for row in numbers["photos"]] == ["y", "x"]
    assert numbers["summary"][1]["iou"] == pytest.approx(0.5)
    assert "degrees" not in numbers["photos"][0]  # nobody has them


def test_folders_of_which_no_hair_can_be_measured_are_refused(tmp_path: Path) -> None:
    write_photo(tmp_path / "wall.png")
    with pytest.raises(BadInput, match="no photo with a mask"):
        measure_hair(tmp_path)
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(tmp_path / "wall_mask.png")
    with pytest.raises(BadInput, match="none of 1 photos"):
        measure_hair(tmp_path, lambda _: wearing(None))
    Image.fromarray(picture()[0].pixels).save(tmp_path / "wall.png")
    with pytest.raises(BadInput, match="holds no hair"):
        measure_hair(tmp_path, lambda _: wearing(None))


def test_the_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_measure(parser.add_subparsers(required=True))
    words = ["measure", "hair", str(folder), "--backend", "average", "--strands", "-o", str(folder / "r.html")]
    chosen = parser.parse_args(words)
    assert chosen.run(chosen) == 0
    out = capsys.readouterr().out
    assert "IoU" in out and "r.html" in out
    assert "a.png" in (folder / "r.html").read_text(encoding="utf-8")

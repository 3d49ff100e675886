from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.photo import FaceBox, find_faces, find_faces_quickly
from headform.photo.blazeface import overlap
from headform.photo.faces import Head, find_heads, fur_share, tiles, whole
from headform.photo.masks import CHIP, CLASSES, read_classes

Read = Callable[[Path], NDArray[np.uint8]]
Finder = Callable[[NDArray[np.uint8]], list[FaceBox]]
PORTRAITS = ("identity/face_recognition", "hair/celebamask_test", "emotion/fei_monk")  # one person in each photo
BADGE = "photos/deep3d/000037.jpg"  # on the man's cap, a shield like a face


@pytest.mark.parametrize("find", [find_faces, find_faces_quickly])
@pytest.mark.parametrize("shape", [(240, 320, 3), (31, 7, 3), (1, 1, 3)])
def test_noise_has_no_faces(find: Finder, shape: tuple[int, ...]) -> None:
    assert find(np.random.default_rng(3).integers(0, 256, shape, np.uint8)) == []


@pytest.mark.parametrize("find", [find_faces, find_faces_quickly])
def test_what_is_no_picture_is_refused(find: Finder) -> None:
    with pytest.raises(BadInput):
        find(np.zeros((8, 8), np.uint8))


def test_whole_is_the_smallest_square_around_the_picture() -> None:
    square = whole(np.zeros((100, 300, 3), np.uint8))
    assert (square.left, square.top, square.side) == (0, -100, 300)


def test_every_pixel_lies_well_inside_some_tile() -> None:
    """A face of up to half a tile is whole in at least one tile, wherever it is."""
    picture = np.zeros((200, 300, 3), np.uint8)
    squares = list(tiles(picture))
    for y in range(0, 200, 10):
        for x in range(0, 300, 10):
            room = max(min(x - t.left, t.left + t.side - x, y - t.top, t.top + t.side - y) for t in squares)
            assert room >= squares[0].side / 4


def test_recall_on_group_photos(eval_folder: Path, read: Read) -> None:
    truth = json.loads((eval_folder / "multiface/gt_boxes.json").read_text())
    found = wanted = 0
    for name, row in truth.items():
        picture = read(eval_folder / "multiface" / name)
        limit = [picture.shape[1], picture.shape[0]] * 2
        faces = find_faces(picture)
        areas = [float((face.box[2:] - face.box[:2]).prod()) for face in faces]
        assert areas == sorted(areas, reverse=True)
        boxes = np.array([face.box.clip(0, limit) for face in faces])
        expected = np.array(row["boxes_xyxy"])
        assert all(overlap(box, expected).max() > 0.5 for box in boxes), f"{name}: a face that is none"
        wanted += len(expected)
        found += sum(bool(overlap(box, boxes).max() >= 0.5) for box in expected)
    assert found >= 0.95 * wanted


def test_animals_and_lamps_are_no_faces(eval_folder: Path, read: Read) -> None:
    pictures = sorted((eval_folder / "negatives").rglob("*.jpg"))
    mistaken = [path.name for path in pictures if find_faces(read(path))]
    assert len(pictures) > 1
    assert mistaken == []


@pytest.mark.parametrize("folder", PORTRAITS)
def test_a_portrait_has_one_face(eval_folder: Path, read: Read, folder: str) -> None:
    """Its eyes, mouth and ears, which the detectors take for faces in the tiles, are none."""
    pictures = [
        path for path in sorted((eval_folder / folder).iterdir()) if path.suffix != ".csv" and "mask" not in path.name
    ]
    counts = {path.name: len(find_faces(read(path))) for path in pictures}
    assert len(counts) >= 7
    assert set(counts.values()) == {1}, counts


def test_a_badge_is_no_face(eval_folder: Path, read: Read) -> None:
    assert len(find_faces(read(eval_folder / BADGE))) == 1


def test_a_face_is_found_in_the_dark(eval_folder: Path, read: Read) -> None:
    """Skin is not recognised at an eighth of the light, and must not be asked for."""
    for path in sorted((eval_folder / "emotion/fei_monk").iterdir()):
        assert len(find_faces(read(path) // 8)) == 1, path.name


def test_heads_carry_what_was_seen_around_the_face(eval_folder: Path, read: Read) -> None:
    picture = read(eval_folder / BADGE)
    (head,) = find_heads(picture)
    classes, to_chip = read_classes(picture, head.face)
    np.testing.assert_allclose(head.classes, classes, atol=1e-6)
    np.testing.assert_array_equal(head.to_chip, to_chip)


def test_a_large_sure_face_ends_the_search(eval_folder: Path, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles cost three times as much as all the rest."""
    asked = []

    def no_tiles(picture: NDArray[np.uint8]) -> list[object]:
        asked.append(picture.shape)
        return []

    monkeypatch.setattr("headform.photo.faces.tiles", no_tiles)
    portrait = read(eval_folder / BADGE)
    assert len(find_faces(portrait)) == 1
    assert asked == []
    find_faces(np.pad(portrait, ((0, 2 * portrait.shape[0]), (0, 2 * portrait.shape[1]), (0, 0))))
    assert len(asked) == 1


@pytest.mark.parametrize(("around", "expected"), [("other", 1), ("clothes", 0), ("hair", 0), ("background", 0)])
def test_fur_is_other_around_the_lower_face(around: str, expected: float) -> None:
    """The head crop of 256 pixels is its own picture; the face, of skin, takes its middle; a hat is no fur."""
    classes = np.zeros((CHIP, CHIP, len(CLASSES)), np.float32)
    y, x = np.mgrid[:CHIP, :CHIP]
    face = np.hypot((x - 128) / 40, (y - 128) / 50) < 1
    classes[..., CLASSES.index(around)] = ~face & (y > 128)
    classes[..., CLASSES.index("face_skin")] = face
    classes[:129, :, CLASSES.index("other")] = ~face[:129]
    box = FaceBox(np.array([88.0, 78, 168, 178]), 1, np.zeros((6, 2)), "near")
    assert fur_share(Head(box, classes, np.eye(2, 3))) == pytest.approx(expected)

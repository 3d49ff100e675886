"""Recall and precision, counted by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headform.errors import BadInput
from headform.measure.detection import DetectionTotal, match_boxes, read_framed, score_detection
from headform.photo import FaceBox

TWO = [[0, 0, 10, 10], [20, 0, 30, 10]]


def face(box, score=0.9) -> FaceBox:
    return FaceBox(np.array(box, float), score, np.zeros((6, 2)), "near")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.jpg", "sub/b.jpg", "negatives/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (64, 48)).save(tmp_path / name)
    boxes = {"a.jpg": {"boxes_xyxy": TWO, "size": [64, 48]}, "sub/b.jpg": {"boxes_xyxy": []}}
    (tmp_path / "gt_boxes.json").write_text(json.dumps(boxes))
    return tmp_path


def test_a_box_is_matched_from_an_overlap_of_one_half() -> None:
    half = [[0, 0, 10, 5]]  # 50 of 100
    assert match_boxes(half, TWO).tolist() == [0]
    assert match_boxes([[0, 0, 10, 4.9]], TWO).tolist() == [-1]


def test_each_drawn_box_is_found_once() -> None:
    found = [[0, 0, 10, 10], [0, 0, 10, 9], [21, 0, 31, 10]]
    assert match_boxes(found, TWO).tolist() == [0, -1, 1]
    assert match_boxes([], TWO).tolist() == []
    assert match_boxes(found, []).tolist() == [-1, -1, -1]


def test_the_surest_chooses_first(folder: Path) -> None:
    framed = read_framed(folder)[0]
    score = score_detection(framed, lambda _: [face([0, 0, 10, 9], 0.6), face([0, 0, 10, 8], 0.8)])
    assert score.found[0].tolist() == [0, 0, 10, 8]
    assert score.match.tolist() == [0, -1]


def test_boxes_count_as_far_as_they_lie_in_the_picture(folder: Path) -> None:
    framed = read_framed(folder)[0]
    score = score_detection(framed, lambda _: [face([-20, 0, 10, 10])])  # a third of it is the drawn box
    assert score.match.tolist() == [0]
    assert score.found.tolist() == [[0, 0, 10, 10]]


def test_sums_by_hand(folder: Path) -> None:
    # a: one of two found and one false; b: nothing; c, a negative: one false
    says = {48 * 64: [face(TWO[0]), face([40, 20, 50, 30])]}
    framed = read_framed(folder)
    assert [f.name for f in framed] == ["a.jpg", "sub/b.jpg", "negatives/c.png"]
    answers = iter([says[48 * 64], [], [face([1, 1, 9, 9])]])
    scores = [score_detection(one, lambda _: next(answers)) for one in framed]
    assert [(s.hits, s.missed, s.false) for s in scores] == [(1, 1, 1), (0, 0, 0), (0, 0, 1)]
    total = DetectionTotal.of(scores)
    assert (total.photos, total.faces, total.recall) == (3, 2, 0.5)
    assert total.precision == pytest.approx(1 / 3)


def test_of_nothing_everything_is_right() -> None:
    total = DetectionTotal.of([])
    assert (total.recall, total.precision) == (1.0, 1.0)


def test_a_folder_above_and_a_folder_of_negatives(folder: Path) -> None:
    (folder / "sub" / "gt_boxes.json").write_text(json.dumps({"b.jpg": {"boxes_xyxy": TWO}}))
    assert len(read_framed(folder)) == 4
    assert [f.name for f in read_framed(folder / "negatives")] == ["negatives/c.png"]


@pytest.mark.parametrize("text", ["{", "[]", '{"a.jpg": {}}', '{"a.jpg": {"boxes_xyxy": [[1, 2]]}}'])
def test_a_broken_list_is_refused_by_name(folder: Path, text: str) -> None:
    (folder / "gt_boxes.json").write_text(text)
    with pytest.raises(BadInput, match="gt_boxes"):
        read_framed(folder)


def test_missing_photos_and_folders_are_named(folder: Path, tmp_path: Path) -> None:
    (folder / "gt_boxes.json").write_text('{"gone.jpg": {"boxes_xyxy": []}}')
    with pytest.raises(BadInput, match=r"first gone\.jpg"):
        read_framed(folder)
    with pytest.raises(BadInput, match="no folder"):
        read_framed(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="looked for"):
        read_framed(tmp_path / "empty")

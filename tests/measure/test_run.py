"""Whole measurements, with stand-ins for what is measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scan_folders import person, write_obj, write_photo, write_seven

from headform.errors import BadInput
from headform.head import load_default
from headform.measure.heads import MeasuredHead, mean_head
from headform.measure.run import measure_detection, measure_geometry, measure_landmarks
from headform.photo import FaceBox, Photo

NAME = "<b>Ada"


def true_head(photo: Photo) -> MeasuredHead:
    """The person of `person(7)`, 2 % too small, as a fit would see her."""
    vertices, triangles, seven = person(7)
    if photo.name == "bad":
        raise BadInput("no face was found in bad")
    return MeasuredHead(vertices * 0.98e-3, triangles, seven * 0.98e-3, np.array([[20.0, 20], [40, 40]]))


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    vertices, triangles, seven = person(7)
    write_obj(tmp_path / NAME / "mesh_mm.obj", vertices, triangles)
    write_seven(tmp_path / NAME / "landmarks7.txt", seven)
    for name in ("one", "bad"):
        write_photo(tmp_path / NAME / "photos" / f"{name}.png")
    return tmp_path


def test_geometry_of_a_head_that_is_right_but_for_its_size(scans: Path) -> None:
    heard: list[float] = []
    report = measure_geometry(scans, true_head, lambda _, share: heard.append(share), model=load_default())
    numbers = json.loads(report.json())
    ada = numbers["subjects"][0]
    assert ada["subject"] == NAME
    assert ada["fit_scaled_mean"] < 0.01
    assert ada["fit_metrical_mean"] > 0.3  # 2 % of a head of 10 cm: up to 2 mm at its sides
    assert ada["mean_head_scaled_mean"] > 0.5
    assert numbers["photos"][1]["factor"] == pytest.approx(1 / 0.98, rel=1e-4)
    assert numbers["photos"][0]["error"] == "no face was found in bad"
    assert numbers["photos"][0]["fit_scaled_mean"] is None
    assert numbers["failed"] == 1
    assert numbers["points"][-1]["fit_scaled_median"] == pytest.approx(ada["fit_scaled_median"])
    assert heard == sorted(heard) and heard[-1] == 1
    page = report.html()
    assert "&lt;b&gt;Ada" in page and NAME not in page
    assert page.count("data:image/") == 4  # landmarks on the photo, fit, mean head, scale


def test_the_mean_head_beside_itself_is_equal(scans: Path) -> None:
    model = load_default()
    (scans / NAME / "photos" / "bad.png").unlink()
    report = measure_geometry(scans, lambda _: mean_head(model), model=model)
    ada = json.loads(report.json())["subjects"][0]
    for what in ("metrical_median", "metrical_mean", "scaled_median", "scaled_mean"):
        assert ada[f"fit_{what}"] == ada[f"mean_head_{what}"] > 0


def test_without_any_head_there_are_no_means(scans: Path) -> None:
    (scans / NAME / "photos" / "one.png").unlink()
    numbers = json.loads(measure_geometry(scans, true_head, model=load_default()).json())
    assert numbers["subjects"][-1]["fit_scaled_mean"] is None


def drawn_folder(folder: Path) -> np.ndarray:
    truth = np.random.default_rng(2).uniform(10, 50, (68, 2))
    truth[0], truth[1] = (10, 10), (50, 50)  # a box of 40 × 40
    for name, yaw in (("a.jpg", 10.0), ("b.jpg", -70.0)):
        Image.new("RGB", (64, 64)).save(folder / name)
        row = {"pts68_3d": np.column_stack([truth, np.zeros(68)]).tolist(), "yaw_deg": yaw}
        gt = json.loads((folder / "gt.json").read_text()) if (folder / "gt.json").exists() else {}
        (folder / "gt.json").write_text(json.dumps(gt | {name: row}))
    return truth


def test_landmarks_shifted_by_three_and_four_pixels(tmp_path: Path) -> None:
    truth = drawn_folder(tmp_path)
    boxes: list[FaceBox] = []

    def shifted(photo: Photo, face: FaceBox) -> np.ndarray:
        boxes.append(face)
        return truth + np.array([3, 4])

    numbers = json.loads(measure_landmarks(tmp_path, shifted).json())
    everywhere = 100 * 5 / 40
    assert [row["mean"] for row in numbers["photos"]] == [everywhere] * 2
    assert [row["face"] for row in numbers["photos"]] == ["missed"] * 2  # black photos show no face
    assert np.allclose(boxes[0].box, (10, 10, 50, 50))
    assert [(row["bin"], row["photos"], row["jaw"]) for row in numbers["yaw"]] == [
        ("0–30°", 1, everywhere),
        ("60–90°", 1, everywhere),
        ("all", 2, everywhere),
    ]
    assert numbers["balanced"] == everywhere


def test_pts_files_count_from_one(tmp_path: Path) -> None:
    truth = np.random.default_rng(2).uniform(10, 50, (68, 2)).round(3)
    write_photo(tmp_path / "a.png")
    rows = "\n".join(f"{x} {y}" for x, y in truth + 1)
    (tmp_path / "a.pts").write_text(f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n")
    numbers = json.loads(measure_landmarks(tmp_path, lambda photo, face: truth).json())
    assert numbers["photos"][0]["mean"] == pytest.approx(0, abs=1e-6)
    assert numbers["photos"][0]["yaw"] is None


@pytest.mark.parametrize("text", ["{", '{"a.jpg": {}}', '{"a.jpg": {"pts68_3d": [1, 2]}}'])
def test_broken_points_are_refused_with_the_folder(tmp_path: Path, text: str) -> None:
    write_photo(tmp_path / "a.jpg")
    (tmp_path / "gt.json").write_text(text)
    with pytest.raises(BadInput, match="drawn points"):
        measure_landmarks(tmp_path, lambda photo, face: np.zeros((68, 2)))


def test_folders_without_points_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"\.pts"):
        measure_landmarks(tmp_path, lambda photo, face: np.zeros((68, 2)))
    with pytest.raises(BadInput, match="no folder"):
        measure_landmarks(tmp_path / "gone")


def test_detection_counts_and_shows_mistakes(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.png")
    write_photo(tmp_path / "negatives" / "n.png")
    (tmp_path / "gt_boxes.json").write_text(json.dumps({"a.png": {"boxes_xyxy": [[5, 5, 25, 25], [30, 30, 60, 60]]}}))
    found = FaceBox(np.array([5.0, 5, 25, 25]), 0.9, np.zeros((6, 2)), "near")
    report = measure_detection(tmp_path, lambda pixels: [found])
    numbers = json.loads(report.json())
    assert numbers["summary"][-1] == {
        "of": "all", "photos": 2, "faces": 2, "found": 1, "missed": 1, "false": 1, "recall": 0.5, "precision": 0.5,
    }  # fmt: skip
    assert report.html().count("data:image/") == 2
    assert json.loads(measure_detection(tmp_path, lambda pixels: []).json())["summary"][-1]["recall"] == 0

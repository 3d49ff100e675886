"""The view nobody gave: where the second camera stands, and that an avatar is seen by it as the person is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_portraits import from_the_side, moved, portrait_of, someone
from PIL import Image
from scan_folders import write_obj, write_photo
from test_portrait import made, run

from headform.errors import BadInput
from headform.head.skinning import rotation_matrices
from headform.measure.geometry import MM, Placing
from headform.measure.layouts import load_scan
from headform.measure.secondview import (
    camera_before,
    find_subjects,
    lay_on,
    measure_second_views,
    solve_camera,
)
from headform.render import Camera

EVAL = Path(__file__).parents[2].parent / "shared" / "eval"
TURN = rotation_matrices([0.2, -0.5, 0.1]).astype(float)


def camera(turn: np.ndarray = TURN, wide: int = 400, high: int = 480) -> Camera:
    matrix = np.array([[900.0, 0, (wide - 1) / 2], [0, 900.0, (high - 1) / 2], [0, 0, 1]])
    return Camera(matrix, turn @ np.diag([1.0, -1, -1]), np.array([0.02, -0.05, 0.9]), wide, high)


def test_the_camera_before_a_placed_head() -> None:
    points = np.random.default_rng(0).normal(0, 0.08, (50, 3))
    placing = Placing(1.3, rotation_matrices([0.4, 0.1, -0.3]).astype(float), np.array([12.0, -30.0, 45.0]))
    true, depth = camera().project(placing.apply(points * MM) / MM)
    found, near = camera_before(camera(), placing).project(points)
    assert np.allclose(found, true, atol=1e-6)
    assert np.allclose(near * 1.3, depth)


def test_a_camera_is_found_again_past_outliers() -> None:
    avatar = someone()
    points = avatar.model.embeddings["mediapipe_478"].points(avatar.posed()).astype(float)
    true = camera()
    pixels, depth = true.project(points)
    seen = np.column_stack([pixels, depth * 900 / 0.9 - 3])
    seen[::20, :2] += 25  # pixels: landmarks that are somewhere else
    found = solve_camera(points, seen, 900.0, 400, 480)
    assert np.abs(found.project(points)[0] - pixels).max() < 0.5
    assert np.allclose(found.position, true.position, atol=0.004)
    assert np.allclose(found.matrix, true.matrix)


def textured_scan(folder: Path) -> Path:
    """`someone` as a scanner sees her: skin and eyes in millimetres, turned and moved, with skin as a texture."""
    avatar = someone()
    model = avatar.model
    skin = model.triangle_part == model.part_index("skin")
    eyes = np.isin(model.triangle_part, [model.part_index("eye_left"), model.part_index("eye_right")])
    vertices = (avatar.neutral().astype(float) * MM) @ rotation_matrices([0.0, 0.3, 0.0]).astype(float).T + (5, 20, -40)
    path = write_obj(folder / "ada" / "mesh_mm.obj", vertices, model.triangles[skin | eyes])
    uv = np.concatenate([model.uv, [[0.001, 0.001]]])
    corners = [(t, u) for t, u in zip(model.triangles[skin], model.triangles_uv[skin], strict=True)]
    corners += [(t, np.full(3, len(uv) - 1)) for t in model.triangles[eyes]]
    lines = [line for line in path.read_text().splitlines() if line.startswith("v ")]
    lines += [f"vt {u:.6f} {v:.6f}" for u, v in uv]
    lines += ["f " + " ".join(f"{a + 1}/{b + 1}" for a, b in zip(t, u, strict=True)) for t, u in corners]
    path.write_text("\n".join(lines) + "\n")
    assert avatar.textures is not None
    Image.fromarray(avatar.textures.albedo).save(path.parent / "color.png")
    return path.parent


def test_the_true_head_lies_on_its_scan(tmp_path: Path) -> None:
    folder = textured_scan(tmp_path)
    (found,) = [take for name, take in find_subjects(tmp_path) if name == "ada"]
    _, scan = load_scan(found.args[0])  # type: ignore[attr-defined]
    avatar = replace(someone(), fit=replace(someone().fit, scale=0.9))
    placing = lay_on(scan, avatar)
    assert placing.factor == pytest.approx(1 / 0.9, abs=0.003)
    skin = np.unique(avatar.model.triangles[avatar.model.triangle_part == avatar.model.part_index("skin")])
    face = skin[avatar.neutral()[skin, 2] > 0.08]
    true = (someone().neutral().astype(float) * MM) @ rotation_matrices([0.0, 0.3, 0.0]).astype(float).T + (5, 20, -40)
    gap = np.linalg.norm(placing.apply(avatar.posed()[face].astype(float) * MM) - true[face], axis=1)
    assert gap.max() < 0.5  # millimetres
    assert folder.name == "ada"


def test_photos_of_the_same_moment(tmp_path: Path) -> None:
    avatar = someone()
    for number, degrees in ((0, 30.0), (1, 0.0)):
        photo = portrait_of(avatar, from_the_side(avatar, degrees))
        Image.fromarray(photo.pixels).save(tmp_path / f"ada_view{number}.png")
    write_photo(tmp_path / "bob_view1.png")  # no face, and no second view
    write_photo(tmp_path / "eve_view1.png")
    write_photo(tmp_path / "eve_view2.png")
    numbers = json.loads(measure_second_views(tmp_path, made(avatar)).json())
    assert [row["photo"] for row in numbers["given"]] == ["ada, given"]
    assert [row["photo"] for row in numbers["photos"]] == ["ada_view0"]
    assert [row["photo"] for row in numbers["failed"]] == ["eve"]
    given, side = numbers["given"][0], numbers["photos"][0]
    assert given["psnr"] > 40
    assert side["psnr"] > 27 and side["st_lpips"] < 0.05 and side["dfid"] < 0.3  # the camera was solved from landmarks
    assert numbers["summary"][-1]["psnr"] == side["psnr"]
    other = json.loads(measure_second_views(tmp_path, made(someone(6))).json())["photos"][0]
    assert other["psnr"] < side["psnr"] - 3 and other["dfid"] > side["dfid"] + 0.1


def test_one_view_that_shows_no_face_does_not_stop_the_others(tmp_path: Path) -> None:
    avatar = moved(someone(), right=0.01)
    for number, degrees in ((1, 0.0), (2, -25.0)):
        photo = portrait_of(avatar, from_the_side(avatar, degrees))
        Image.fromarray(photo.pixels).save(tmp_path / f"ada_view{number}.png")
    write_photo(tmp_path / "ada_view0.png")
    report = measure_second_views(tmp_path, made(avatar))
    numbers = json.loads(report.json())
    assert [row["photo"] for row in numbers["photos"]] == ["ada_view2"]
    assert [row["photo"] for row in numbers["failed"]] == ["ada_view0"]
    assert report.html().count("data:image/") == 2


def test_scans_without_skin_are_listed(tmp_path: Path) -> None:
    textured_scan(tmp_path)
    clay = tmp_path / "clay"
    clay.mkdir()
    (clay / "mesh_mm.obj").write_bytes((tmp_path / "ada" / "mesh_mm.obj").read_bytes())
    report = measure_second_views(tmp_path, made(someone()))
    numbers = json.loads(report.json())
    assert [row["photo"] for row in numbers["photos"]] == ["ada, +45°", "ada, -45°"]
    assert "no texture" in numbers["failed"][0]["reason"]
    assert min(row["psnr"] for row in numbers["photos"]) > 20  # eyes, light and the hair of the lids are not the scan's


def test_folders_without_second_views_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no folder"):
        run("secondview", tmp_path / "gone", "--json")
    write_photo(tmp_path / "ada_view1.png")
    with pytest.raises(BadInput, match="view1 is in front"):
        run("secondview", tmp_path, "--json")
    write_photo(tmp_path / "ada_view0.png")
    with pytest.raises(BadInput, match=r"no second view could be measured.*no face"):
        run("secondview", tmp_path, "--json")


def test_a_real_scan() -> None:
    folder = EVAL / "scans" / "lee_perry_smith"
    if not folder.is_dir():
        pytest.skip("the evaluation scans are not on this machine")
    for row in json.loads(measure_second_views(folder).json())["photos"]:
        assert row["dfid"] < 0.55 and row["st_lpips"] < 0.25

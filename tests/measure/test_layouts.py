"""Folders laid out as the public data sets are, with our own head as everybody."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scan_folders import person, write_obj, write_photo, write_ply, write_seven

from headform.errors import BadInput
from headform.measure.geometry import face_sphere
from headform.measure.layouts import LAYOUTS, find_cases, load_scan


def test_now(tmp_path: Path) -> None:
    vertices, triangles, seven = person()
    pictures = tmp_path / "NoW_Dataset" / "final_release_version" / "iphone_pictures"
    for subject in ("FaMoS_1", "FaMoS_2", "FaMoS_test"):
        for condition in ("multiview_neutral", "selfie"):
            for name in ("IMG_1.jpg", "IMG_2.jpg"):
                write_photo(pictures / subject / condition / name)
    for subject in ("FaMoS_1", "FaMoS_2"):
        write_obj(tmp_path / "scans" / subject / "scan.obj", vertices, triangles)
        write_seven(tmp_path / "scans_lmks_onlypp" / subject / "scan_picked_points.pp", seven)
    layout, cases = find_cases(tmp_path)
    assert layout == "NoW"
    assert [(c.subject, c.condition, len(c.photos)) for c in cases] == [
        (subject, condition, 2) for subject in ("FaMoS_1", "FaMoS_2") for condition in ("multiview_neutral", "selfie")
    ]
    _, scan = load_scan(cases[0].source)
    assert np.allclose(scan.seven, seven)
    centre, radius = face_sphere(seven)
    inside = np.linalg.norm(vertices - centre, axis=1) <= radius
    assert np.allclose(scan.points, vertices[inside], atol=1e-4)  # NoW measures from the scan's vertices
    assert scan.metric

    (tmp_path / "imagepathsvalidation.txt").write_text("x/FaMoS_2/selfie/IMG_2.jpg\n")
    _, listed = find_cases(tmp_path)
    assert [[p.name for p in c.photos] for c in listed] == [["IMG_2.jpg"]]


def test_realy(tmp_path: Path) -> None:
    vertices, triangles, seven = person()
    unit = 80.0
    keypoints = np.zeros((85, 3))
    keypoints[[36, 39, 42, 45, 33, 48, 54]] = seven / unit
    high = vertices[triangles].mean(1)[:, 1] > seven[4, 1]
    for region, rows in (("forehead", high), ("mouth", ~high), ("nose", ~high), ("cheek", high)):
        write_obj(tmp_path / "REALY_scan_region" / "2" / f"{region}.obj", vertices / unit, triangles[rows])
    write_obj(tmp_path / "REALY_HIFI3D_keypoints" / "2.obj", keypoints, np.zeros((0, 3), int))
    for kind in ("crop_image_frontal_512x512", "crop_image_multiview_512x512", "depth_frontal"):
        for name in ("2.png", "2_10.png", "20.png"):
            write_photo(tmp_path / "REALY_image" / kind / name)
    layout, cases = find_cases(tmp_path)
    assert layout == "REALY"
    assert [(c.condition, [p.stem for p in c.photos]) for c in cases] == [
        (f"crop_image_{kind}_512x512", ["2", "2_10"]) for kind in ("frontal", "multiview")
    ]
    _, scan = load_scan(cases[0].source)
    assert not scan.metric  # without its list of sizes
    (tmp_path / "metrical_scale.txt").write_text(f"1\n{unit}\n")
    _, scan = load_scan(find_cases(tmp_path)[1][0].source)
    assert scan.metric
    assert np.allclose(scan.seven, seven, atol=0.01)
    assert len(scan.points) == 5000
    assert np.ptp(scan.points, axis=0)[1] > 200  # of all regions, not cut once more


def test_facescape_models(tmp_path: Path) -> None:
    for name in ("10", "9"):
        write_obj(tmp_path / name / "models_reg" / "1_neutral.obj", *person()[:2])
        write_obj(tmp_path / name / "models_reg" / "2_smile.obj", *person()[:2])
    layout, cases = find_cases(tmp_path)
    assert layout == "FaceScape models"
    assert [(c.subject, c.photos) for c in cases] == [("9", ()), ("10", ())]


def test_facescape_views(tmp_path: Path) -> None:
    vertices, triangles, seven = person()
    scale, turn, move = 200.0, np.diag([1.0, -1, -1]), np.array([5.0, -7, 9])
    raw = (vertices - move) @ turn / scale  # so that R (scale · X) + t are millimetres
    write_ply(tmp_path / "mesh" / "122" / "1_neutral.ply", raw, triangles)
    params = {}
    for view, (yaw, valid) in enumerate(((0, True), (30, True), (90, True), (0, False))):
        write_photo(tmp_path / "img" / "122" / "1_neutral" / f"{view}.jpg")
        eye = np.array([np.sin(np.radians(yaw)), 0, np.cos(np.radians(yaw))]) * 1000
        place = (eye - move) @ turn / scale
        params |= {f"{view}_valid": valid, f"{view}_Rt": np.column_stack([np.eye(3), -place]).tolist()}
    (tmp_path / "img" / "122" / "1_neutral" / "params.json").write_text(json.dumps(params))
    layout, (case,) = find_cases(tmp_path)
    assert layout == "FaceScape views"
    assert [p.stem for p in case.photos] == ["0", "1", "2"]
    assert not case.source.metric
    motion = np.column_stack([turn, move]).tolist()
    (tmp_path / "Rt_scale_dict.json").write_text(json.dumps({"122": {"1": [scale, motion]}}))
    _, (case,) = find_cases(tmp_path)
    assert [p.stem for p in case.photos] == ["0", "1"]  # the one from the side is out
    _, scan = load_scan(case.source)
    assert scan.metric
    assert np.allclose(scan.vertices, vertices, atol=1e-3)
    assert np.linalg.norm(scan.seven - seven, axis=1).mean() < 5


def test_micc(tmp_path: Path) -> None:
    vertices, triangles, seven = person()
    for subject in ("subject_01", "subject_02"):
        obj = tmp_path / subject / "Model" / "frontal1" / "obj"
        write_obj(obj / "110920150452.obj", vertices, triangles)
        write_photo(obj / "110920150452.bmp")
        write_photo(tmp_path / subject / "Model" / "photo_of_model.jpg")
    write_seven(tmp_path / "subject_01" / "Model" / "frontal1" / "obj" / "landmarks7.txt", seven)
    write_photo(tmp_path / "subject_02" / "Videos" / "indoor" / "frame0001.jpg")
    layout, cases = find_cases(tmp_path)
    assert layout == "MICC"
    assert [(c.subject, c.condition, [p.name for p in c.photos]) for c in cases] == [
        ("subject_01", "rendered", []),
        ("subject_02", "indoor", ["frame0001.jpg"]),
    ]


def test_plain(tmp_path: Path) -> None:
    vertices, triangles, seven = person(5)
    write_obj(tmp_path / "a & b" / "mesh_mm.obj", vertices, triangles)
    write_seven(tmp_path / "a & b" / "landmarks7.txt", seven)
    write_obj(tmp_path / "with" / "mesh_mm.obj", vertices, triangles)
    write_photo(tmp_path / "with" / "photos" / "1.jpg")
    layout, cases = find_cases(tmp_path)
    assert layout == "plain"
    assert [(c.subject, c.condition, len(c.photos)) for c in cases] == [("a & b", "rendered", 0), ("with", "photos", 1)]
    mesh, scan = load_scan(cases[0].source)
    taken = [take() for _, take in cases[0].pictures(mesh, scan)]
    assert [photo.pixels.shape for photo in taken] == [(640, 640, 3)] * 3
    assert find_cases(tmp_path / "with")[1][0].subject == "with"


def test_landmarks_are_found_whichever_way_the_scan_faces(tmp_path: Path) -> None:
    vertices, triangles, seven = person()
    turn = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])  # it lies and faces along +X
    write_obj(tmp_path / "x" / "mesh_mm.obj", vertices @ turn.T + 300, triangles)
    _, scan = load_scan(find_cases(tmp_path)[1][0].source)
    off = np.linalg.norm(scan.seven - (seven @ turn.T + 300), axis=1)
    assert off.mean() < 4  # what landmarks of photos are off by, in millimetres
    assert off.max() < 10


def test_a_scan_in_another_unit_keeps_only_its_shape(tmp_path: Path) -> None:
    vertices, triangles, seven = person()
    for name, unit in (("metres", 0.001), ("giant", 2.0)):
        write_obj(tmp_path / name / "mesh_mm.obj", vertices * unit, triangles)
        write_seven(tmp_path / name / "landmarks7.txt", seven * unit)
    for case in find_cases(tmp_path)[1]:
        _, scan = load_scan(case.source)
        assert not scan.metric
        assert np.allclose(scan.seven, seven, atol=1)


def test_a_cloud_of_points_needs_landmarks(tmp_path: Path) -> None:
    vertices, _, seven = person()
    write_obj(tmp_path / "c" / "mesh_mm.obj", vertices, np.zeros((0, 3), int))
    case = find_cases(tmp_path)[1][0]
    with pytest.raises(BadInput, match="cloud of points"):
        load_scan(case.source)
    write_seven(tmp_path / "c" / "landmarks7.txt", seven)
    _, scan = load_scan(find_cases(tmp_path)[1][0].source)
    assert len(scan.points) > 1000


def test_a_folder_of_no_known_layout_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        find_cases(tmp_path)
    for name, (_, what) in LAYOUTS.items():
        assert name in str(caught.value)
        assert what in str(caught.value)
    with pytest.raises(BadInput, match="no folder"):
        find_cases(tmp_path / "gone")

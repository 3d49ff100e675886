"""Meshes and landmarks as scanners write them."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headform.errors import BadInput
from headform.measure.scanfile import read_scan_mesh, read_seven

SQUARE = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
SEVEN = np.arange(21.0).reshape(7, 3) ** 2


def test_an_obj_with_quads_uv_and_texture(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4), (10, 20, 30)).save(tmp_path / "skin of it.png")
    (tmp_path / "m.mtl").write_text("newmtl a\nKd 1 1 1\nmap_Kd skin of it.png\n")
    rows = [f"v {x} {y} {z} 0.5 0.5 0.5" for x, y, z in SQUARE] + [f"vt {x} {y}" for x, y, _ in SQUARE]
    (tmp_path / "a.obj").write_text("mtllib m.mtl\n" + "\n".join(rows) + "\nf 1/1 2/2 3/3 4/4\n")
    mesh = read_scan_mesh(tmp_path / "a.obj")
    assert np.array_equal(mesh.vertices, SQUARE)
    assert mesh.triangles.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert np.array_equal(mesh.triangles_uv, mesh.triangles)
    assert mesh.texture == tmp_path / "skin of it.png"


def test_triangles_and_clouds(tmp_path: Path) -> None:
    (tmp_path / "t.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1//1 2//2 3//3\n")
    assert read_scan_mesh(tmp_path / "t.obj").triangles.tolist() == [[0, 1, 2]]
    (tmp_path / "c.obj").write_text("v 0 0 0\nv 1 0 0\n")
    assert read_scan_mesh(tmp_path / "c.obj").triangles.shape == (0, 3)


@pytest.mark.parametrize("kind", ["ascii", "binary_little_endian", "binary_big_endian"])
def test_ply_of_each_kind(tmp_path: Path, kind: str) -> None:
    header = (
        f"ply\nformat {kind} 1.0\ncomment x\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n"
        "property uchar red\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n"
    )
    order = ">" if "big" in kind else "<"
    if kind == "ascii":
        body = "".join(f"{x} {y} {z} 7\n" for x, y, z in SQUARE).encode() + b"4 0 1 2 3\n"
    else:
        body = b"".join(struct.pack(order + "fffB", *row, 7) for row in SQUARE) + struct.pack(
            order + "B4i", 4, 0, 1, 2, 3
        )
    (tmp_path / "m.ply").write_bytes(header.encode() + body)
    mesh = read_scan_mesh(tmp_path / "m.ply")
    assert np.array_equal(mesh.vertices, SQUARE)
    assert mesh.triangles.tolist() == [[0, 1, 2], [0, 2, 3]]
    (tmp_path / "cut.ply").write_bytes(header.encode() + body[: len(body) // 2])
    with pytest.raises(BadInput, match=r"cut\.ply"):
        read_scan_mesh(tmp_path / "cut.ply")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "\n".join(" ".join(map(str, row)) for row in SEVEN)),
        ("b.txt", "# named\n" + "\n".join(f"p{i}, {a}, {b}, {c}" for i, (a, b, c) in enumerate(SEVEN))),
        ("a.json", str(SEVEN.tolist())),
        ("b.json", '{"landmarks7": ' + str(SEVEN.tolist()) + "}"),
        (
            "a.pp",
            "<!DOCTYPE PickedPoints>\n<PickedPoints>\n <DocumentData/>\n"
            + "".join(f' <point z="{c}" active="1" y="{b}" name="{i}" x="{a}"/>\n' for i, (a, b, c) in enumerate(SEVEN))
            + "</PickedPoints>",
        ),
    ],
)
def test_seven_landmarks_in_each_form(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert np.allclose(read_seven(tmp_path / name), SEVEN)


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.txt", "1 2 3\n"), ("b.txt", "one two three"), ("a.json", "{"), ("b.json", "{}"), ("a.pp", '<point x="1"/>')],
)
def test_other_landmarks_are_refused_by_name(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(BadInput, match=name):
        read_seven(tmp_path / name)
    with pytest.raises(BadInput, match="gone"):
        read_seven(tmp_path / "gone.txt")


def test_faces_that_name_no_vertex_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n")
    with pytest.raises(BadInput, match="name vertices"):
        read_scan_mesh(tmp_path / "t.obj")

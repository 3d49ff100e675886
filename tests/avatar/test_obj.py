from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from avatar_dressed import SIZE, dressed_avatar
from avatar_stand_in import known_avatar
from numpy.typing import NDArray
from PIL import Image

from headform.avatar.avatar import Avatar
from headform.avatar.formats import FORMATS
from headform.avatar.obj import obj
from headform.head.obj import read_obj

PICTURES = ("albedo", "normal", "roughness", "eye_left", "eye_right", "mouth", "lashes")


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return dressed_avatar()


@pytest.fixture(scope="module")
def files(avatar: Avatar) -> dict[str, bytes]:
    return FORMATS[".obj"].make(avatar)


def lines_of(content: bytes, word: str) -> list[list[str]]:
    return [line.split()[1:] for line in content.decode().splitlines() if line.split()[:1] == [word]]


def test_the_head_is_the_model_in_metres_with_its_quads(
    avatar: Avatar, files: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "head.obj").write_bytes(files["head.obj"])
    read, model = read_obj(tmp_path / "head.obj"), avatar.model
    np.testing.assert_allclose(read.vertices, avatar.neutral(), atol=6e-7)
    np.testing.assert_allclose(read.uv, model.uv, atol=6e-7)
    order = np.argsort(model.part, kind="stable")
    np.testing.assert_array_equal(read.quads, model.quads[order])
    np.testing.assert_array_equal(read.quads_uv, model.quads_uv[order])


def test_normals_have_the_numbers_of_their_vertices_and_point_outwards(avatar: Avatar, files: dict[str, bytes]) -> None:
    normals = np.array(lines_of(files["head.obj"], "vn"), float)
    assert len(normals) == avatar.model.vertex_count
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=2e-4)
    corners = [corner.split("/") for face in lines_of(files["head.obj"], "f") for corner in face]
    assert all(vertex == normal for vertex, _, normal in corners)
    rest = avatar.neutral()
    crown = rest[:, 1].argmax()
    assert normals[crown, 1] > 0.9


def test_triangles_stay_triangles() -> None:
    avatar = known_avatar()
    faces = lines_of(obj(avatar.model, avatar.neutral()), "f")
    triangles = int((avatar.model.quads[:, 3] == avatar.model.quads[:, 2]).sum())
    assert sum(len(face) == 3 for face in faces) == triangles > 0
    assert sum(len(face) == 4 for face in faces) == len(avatar.model.quads) - triangles


def test_every_material_and_picture_that_is_named_is_there(avatar: Avatar, files: dict[str, bytes]) -> None:
    assert lines_of(files["head.obj"], "mtllib") == [["head.mtl"]]
    assert [name for [name] in lines_of(files["head.obj"], "g")] == list(avatar.model.parts)
    made = {name for [name] in lines_of(files["head.mtl"], "newmtl")}
    assert {name for [name] in lines_of(files["head.obj"], "usemtl")} == made
    named = {words[-1] for word in ("map_Kd", "map_Bump", "norm", "map_Pr", "map_d") for words in _maps(files, word)}
    assert named == {f"{picture}.png" for picture in PICTURES}
    assert set(files) == {"head.obj", "head.mtl", *named}


def _maps(files: dict[str, bytes], word: str) -> list[list[str]]:
    found = lines_of(files["head.mtl"], word)
    assert found, word
    return found


@pytest.mark.parametrize("name", PICTURES)
def test_the_pictures_are_exact(avatar: Avatar, files: dict[str, bytes], name: str) -> None:
    np.testing.assert_array_equal(pixels_of(files[f"{name}.png"]), getattr(avatar.textures, name))


def test_another_head_in_the_same_folder_has_its_own_pictures(avatar: Avatar) -> None:
    files = FORMATS[".obj"].make(avatar, SIZE // 2, "me")
    assert set(files) == {"me.obj", "me.mtl", *(f"me_{picture}.png" for picture in PICTURES)}
    assert lines_of(files["me.obj"], "mtllib") == [["me.mtl"]]
    assert ["me_albedo.png"] in lines_of(files["me.mtl"], "map_Kd")
    assert pixels_of(files["me_albedo.png"]).shape == (SIZE // 2, SIZE // 2, 3)


def test_a_head_that_wears_nothing_names_no_pictures() -> None:
    files = FORMATS[".obj"].make(known_avatar())
    assert set(files) == {"head.obj", "head.mtl"}
    assert b"map_" not in files["head.mtl"]


def test_the_file_has_the_expression_that_the_avatar_shows(avatar: Avatar) -> None:
    shown = avatar.with_expression({"jawOpen": 1.0})
    places = np.array(lines_of(FORMATS[".obj"].make(shown)["head.obj"], "v"), float)
    np.testing.assert_allclose(places, shown.vertices(), atol=6e-7)
    assert np.abs(places - avatar.neutral()).max() > 0.005


def pixels_of(content: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(content)) as opened:
        assert opened.format == "PNG"
        return np.asarray(opened)

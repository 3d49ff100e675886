from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headform.avatar.avatar import Avatar, fingerprint
from headform.errors import BadInput
from headform.head import JOINTS
from headform.head.obj import read_obj
from headform.render import Camera
from headform.skin.textures import Textures


def test_the_parameters_alone_give_the_head_back(avatar: Avatar) -> None:
    read = json.loads(avatar.content(".json"))
    model = avatar.model
    offsets = np.array(read["offsets_mm"], np.float32) / 1000
    again = replace(
        model,
        template=(model.template + offsets) * read["scale"],
        identity=model.identity * read["scale"],
        expression=model.expression * read["scale"],
        joints=model.joints * read["scale"],
        joint_identity=model.joint_identity * read["scale"],
    )
    theta = [read["theta"][joint] for joint in JOINTS]
    posed = again.posed(read["beta"], read["psi"], theta)
    np.testing.assert_allclose(posed, avatar.posed(), atol=5e-6)
    camera = Camera(**{key: read["camera"][key] for key in read["camera"]})
    pixels, expected = camera.project(posed)[0], avatar.fit.camera.project(avatar.posed())[0]
    np.testing.assert_allclose(pixels, expected, atol=0.01)


def test_the_parameters_say_what_they_are_and_whence(avatar: Avatar) -> None:
    read = avatar.parameters()
    assert read["provenance"]["backend"] == "stand_in"
    assert read["provenance"]["seed"] == 3
    assert read["box"] == [60.0, 80.0, 260.0, 330.0]
    assert read["warnings"] == ["it is made up"]
    assert read["psi"]["jawOpen"] == pytest.approx(0.4)
    assert np.array(read["light"]["coefficients"]).shape == (9, 3)
    assert read["landmark_error"] == pytest.approx(0.021)
    assert set(read["conventions"]) >= {"beta", "psi", "theta", "camera", "light", "box", "offsets_mm", "expression"}
    assert read["format"] == 1 and read["expression"] == {}
    without = replace(avatar, box=None, fit=replace(avatar.fit, offsets=np.zeros_like(avatar.fit.offsets)))
    assert without.parameters()["offsets_mm"] == []
    assert without.parameters()["box"] is None


def test_a_photo_whose_name_is_no_unicode_is_written(avatar: Avatar) -> None:
    odd = replace(avatar, provenance=replace(avatar.provenance, photo="an\udcffna\n"))
    for ending in (".json", ".obj", ".glb"):
        odd.content(ending).decode("utf-8", "strict" if ending != ".glb" else "ignore")
    assert json.loads(odd.content(".json"))["provenance"]["photo"] == "an\udcffna\n"
    assert b"photo an_na_, face" in odd.content(".obj")


@pytest.mark.parametrize("ending", [".obj", ".glb", ".json", ".zip", ".png", ".OBJ"])
def test_save_chooses_by_ending(avatar: Avatar, tmp_path: Path, ending: str) -> None:
    avatar.save(tmp_path / f"me{ending}")
    files = avatar.files(ending, stem="me")
    main = next(iter(files))
    assert main == f"me{ending.lower()}"
    expected = files | {f"me{ending}": files[main]}
    if ending != main.removeprefix("me"):
        del expected[main]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == expected


def test_two_heads_saved_side_by_side_keep_what_is_theirs(avatar: Avatar, tmp_path: Path) -> None:
    """Every file that an .obj needs begins with its name, and is named in it."""
    dressed = replace(avatar, textures=Textures.of(1, 30, 0.5, (0, 0, 1), 64))
    dressed.save(tmp_path / "anna.obj")
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    dressed.save(tmp_path / "ben.obj")
    assert {name: (tmp_path / name).read_bytes() for name in first} == first
    assert {name.partition("anna")[0] for name in first} == {""}
    assert b"mtllib anna.mtl" in first["anna.obj"]
    for line in first["anna.mtl"].decode().splitlines():
        if line.startswith(("map_", "norm ")):
            assert line.split()[-1] in first


def test_save_makes_smaller_textures_where_asked(avatar: Avatar, tmp_path: Path) -> None:
    dressed = replace(avatar, textures=Textures.of(1, 30, 0.5, (0, 0, 1), 256))
    dressed.save(tmp_path / "me.zip", texture=128)
    with zipfile.ZipFile(tmp_path / "me.zip") as packed, Image.open(packed.open("albedo.png")) as albedo:
        assert albedo.size == (128, 128)


def test_what_cannot_be_written_leaves_nothing_behind(avatar: Avatar, tmp_path: Path) -> None:
    (tmp_path / "me.mtl").mkdir()
    with pytest.raises(IsADirectoryError):
        avatar.save(tmp_path / "me.obj")
    assert [path.name for path in tmp_path.iterdir()] == ["me.mtl"]


@pytest.mark.parametrize("name", ["head.fbx", "head"])
def test_save_refuses_other_endings(avatar: Avatar, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match=r"\.zip, \.glb, \.vrm"):
        avatar.save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_an_expression_changes_what_is_shown_and_not_who_it_is(avatar: Avatar) -> None:
    open_mouth = avatar.with_expression({"jawOpen": 0.5})
    model = avatar.model
    chin = model.embeddings["mediapipe_478"].points(open_mouth.vertices())[152]
    before = model.embeddings["mediapipe_478"].points(avatar.vertices())[152]
    assert chin[1] < before[1] - 0.005
    np.testing.assert_array_equal(open_mouth.neutral(), avatar.neutral())
    np.testing.assert_array_equal(open_mouth.posed(), avatar.posed())
    np.testing.assert_array_equal(avatar.vertices(), avatar.neutral())
    np.testing.assert_array_equal(open_mouth.with_expression().vertices(), avatar.neutral())
    assert open_mouth.parameters()["expression"] == {"jawOpen": 0.5}
    assert open_mouth.parameters()["psi"] == avatar.parameters()["psi"]


@pytest.mark.parametrize(
    ("units", "sentence"),
    [
        ({"jawOpenn": 0.5}, "no expression unit is called 'jawOpenn'; did you mean jawOpen"),
        ({"jawOpen": 1.2}, "jawOpen cannot be 1.2; give 0"),
        ({"jawOpen": -0.1}, "jawOpen cannot be -0.1"),
        ({"jawOpen": float("nan")}, "jawOpen cannot be nan"),
    ],
)
def test_expressions_that_cannot_be_are_refused(avatar: Avatar, units: dict[str, float], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        avatar.with_expression(units)
    with pytest.raises(BadInput, match=sentence):
        avatar.render(expression=units, size=16)


def test_a_picture_shows_the_expression(avatar: Avatar) -> None:
    rest, opened = avatar.render(size=64), avatar.render(size=64, expression={"jawOpen": 1.0})
    assert np.abs(rest.astype(int) - opened).max() > 60
    np.testing.assert_array_equal(avatar.with_expression({"jawOpen": 1.0}).render(size=64), opened)
    np.testing.assert_array_equal(avatar.with_expression({"jawOpen": 1.0}).render(size=64, expression={}), rest)


def test_the_obj_is_read_back_as_the_model(avatar: Avatar, tmp_path: Path) -> None:
    avatar.save(tmp_path / "head.obj")
    read, model = read_obj(tmp_path / "head.obj"), avatar.model
    np.testing.assert_allclose(read.vertices, avatar.neutral(), atol=6e-7)
    np.testing.assert_allclose(read.uv, model.uv, atol=6e-7)
    order = np.argsort(model.part, kind="stable")
    np.testing.assert_array_equal(read.quads, model.quads[order])
    np.testing.assert_array_equal(read.quads_uv, model.quads_uv[order])
    lines = (tmp_path / "head.obj").read_text().splitlines()
    assert [line[2:] for line in lines if line.startswith("g ")] == list(model.parts)


def test_a_fingerprint_belongs_to_one_head(avatar: Avatar) -> None:
    model = avatar.model
    assert fingerprint(model) == fingerprint(replace(model, name="copy"))
    assert fingerprint(model) != fingerprint(replace(model, template=model.template + np.float32(1e-4)))

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headform.avatar.avatar import Avatar, fingerprint
from headform.errors import BadInput
from headform.head import JOINTS
from headform.head.obj import read_obj
from headform.render import Camera


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
    assert set(read["conventions"]) >= {"beta", "psi", "theta", "camera", "light", "box", "offsets_mm"}
    without = replace(avatar, box=None, fit=replace(avatar.fit, offsets=np.zeros_like(avatar.fit.offsets)))
    assert without.parameters()["offsets_mm"] == []
    assert without.parameters()["box"] is None


def test_a_photo_whose_name_is_no_unicode_is_written(avatar: Avatar) -> None:
    odd = replace(avatar, provenance=replace(avatar.provenance, photo="an\udcffna\n"))
    for ending in (".json", ".obj", ".glb"):
        odd.content(ending).decode("utf-8", "strict" if ending != ".glb" else "ignore")
    assert json.loads(odd.content(".json"))["provenance"]["photo"] == "an\udcffna\n"
    assert b"photo an_na_, face" in odd.content(".obj")


@pytest.mark.parametrize("ending", [".obj", ".glb", ".json", ".OBJ"])
def test_save_chooses_by_ending(avatar: Avatar, tmp_path: Path, ending: str) -> None:
    avatar.save(tmp_path / f"head{ending}")
    assert (tmp_path / f"head{ending}").read_bytes() == avatar.content(ending.lower())


@pytest.mark.parametrize("name", ["head.fbx", "head"])
def test_save_refuses_other_endings(avatar: Avatar, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match=r"\.glb, \.obj, \.json"):
        avatar.save(tmp_path / name)
    assert not list(tmp_path.iterdir())


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
    assert [line[7:] for line in lines if line.startswith("usemtl ")] == list(model.parts)


def test_a_fingerprint_belongs_to_one_head(avatar: Avatar) -> None:
    model = avatar.model
    assert fingerprint(model) == fingerprint(replace(model, name="copy"))
    assert fingerprint(model) != fingerprint(replace(model, template=model.template + np.float32(1e-4)))

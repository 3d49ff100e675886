from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headform import cli
from headform.avatar.avatar import Avatar
from headform.avatar.framing import portrait
from headform.avatar.render_command import read_expression, read_yaws
from headform.avatar.restore import load


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, avatar: Avatar) -> None:
    monkeypatch.setenv("HEADFORM_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HEADFORM_DEBUG", raising=False)
    monkeypatch.chdir(tmp_path)
    avatar.save("me.json")


def drawn(*words: str) -> np.ndarray:
    assert cli.main(["render", "me.json", "--size", "48", *words, "-o", "me.png"]) == 0
    with Image.open("me.png") as picture:
        return np.asarray(picture)


def test_a_picture_is_written_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    picture = drawn("--yaw", "40", "--pitch", "-10", "--expression", "jawOpen=0.5", "mouthSmileLeft=1")
    assert capsys.readouterr().out == "wrote me.png (48 × 48 pixels)\n"
    shown = load("me.json").with_expression({"jawOpen": 0.5, "mouthSmileLeft": 1})
    np.testing.assert_array_equal(picture, shown.render(40, -10, 48))


def test_several_angles_make_a_strip() -> None:
    strip = drawn("--yaw", "-40,0,40")
    assert strip.shape == (48, 144, 4)
    views = [load("me.json").render(yaw, size=48) for yaw in (-40, 0, 40)]
    np.testing.assert_array_equal(strip, np.concatenate(views, 1))


def test_a_background_fills_what_is_clear() -> None:
    clear, filled = drawn(), drawn("--background", "10,200,30")
    assert clear.shape[2] == 4 and clear[0, 0, 3] == 0
    assert filled.shape[2] == 3 and filled[0, 0].tolist() == [10, 200, 30]
    np.testing.assert_array_equal(drawn("--background", "Transparent"), clear)


def test_posed_is_as_in_the_photo() -> None:
    avatar = load("me.json")
    np.testing.assert_array_equal(drawn("--posed"), portrait(avatar, size=48, vertices=avatar.posed()))
    assert not np.array_equal(drawn("--posed"), drawn())


def test_an_avatar_that_was_saved_with_an_expression_shows_it(avatar: Avatar) -> None:
    avatar.with_expression({"jawOpen": 1}).save("me.json")
    opened = drawn()
    np.testing.assert_array_equal(drawn("--expression", "jawOpen=1"), opened)
    closed = drawn("--expression", "jawOpen=0")
    np.testing.assert_array_equal(closed, dataclasses.replace(load("me.json"), expression={}).render(size=48))
    assert not np.array_equal(closed, opened)


def test_a_hairstyle_is_tried_on() -> None:
    tried = drawn("--hair", "chin_bob", "--hair-color", "auburn", "--hair-length", "0.8")
    shown = load("me.json")
    worn = shown.with_hair("chin_bob", "auburn", 0.8, seed=shown.provenance.seed)
    np.testing.assert_array_equal(tried, worn.render(size=48))
    assert not np.array_equal(tried, drawn()) and not np.array_equal(tried, drawn("--hair", "chin_bob"))
    np.testing.assert_array_equal(drawn("--hair", "none"), drawn())  # it had none


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["gone.zip", "--hair", "chin_bub"], "there is no hairstyle 'chin_bub'; did you mean chin_bob"),
        (["gone.zip", "--hair-color", "orburn"], "did you mean auburn"),
        (["gone.zip", "--hair-curl", "0"], "0 times the curl of hair cannot be; give 0.25 to 3"),
        (["me.json", "--hair-color", "red"], "nobody has looked for the hair of this avatar; name a hairstyle"),
        (["gone.zip"], "gone.zip: there is no such file"),
        (["me.json", "-o", "me.gif"], "me.gif is no picture name; end it with .png"),
        (["me.json", "--yaw", "left"], "--yaw left cannot be read; give degrees"),
        (["me.json", "--yaw", "1,,2"], "--yaw 1,,2 cannot be read"),
        (["me.json", "--yaw", "nan"], "a yaw of nan cannot be"),
        (["me.json", "--yaw", ",".join("1" * 37)], "37 views; 36 fit"),
        (["me.json", "--pitch", "90"], "a pitch of 90° cannot be"),
        (["me.json", "--size", "9"], "a picture of 9 pixels cannot be drawn"),
        (["me.json", "--background", "red"], "--background red cannot be read; give R,G,B"),
        (["me.json", "--background", "0,0"], "--background 0,0 cannot be read"),
        (["me.json", "--background", "0,0,256"], "--background 0,0,256 is no colour"),
        (["me.json", "--expression", "jawOpen"], "--expression jawOpen cannot be read; give UNIT=AMOUNT"),
        (["me.json", "--expression", "jawOpen=wide"], "--expression jawOpen=wide cannot be read"),
        (["me.json", "--expression", "=1"], "--expression =1 cannot be read"),
        (["me.json", "--expression", "jawOpne=1"], "did you mean jawOpen"),
        (["me.json", "--expression", "jawOpen=2"], "jawOpen cannot be 2; give 0 (rest) to 1 (full)"),
    ],
)
def test_bad_input_is_one_sentence_and_code_2(
    capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    before = sorted(Path().iterdir())
    assert cli.main(["render", *words]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("headform: ") and sentence in err and err.count("\n") == 1
    assert sorted(Path().iterdir()) == before


def test_words_become_angles_and_units() -> None:
    assert read_yaws("-40,0, 12.5") == [-40, 0, 12.5]
    assert read_expression(["jawOpen=0.5,mouthSmileLeft=1", "browInnerUp=.2"]) == {
        "jawOpen": 0.5,
        "mouthSmileLeft": 1.0,
        "browInnerUp": 0.2,
    }
    assert read_expression([]) == {}


def test_posed_and_another_expression_exclude_each_other() -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["render", "me.json", "--posed", "--expression", "jawOpen=1"])
    assert end.value.code == 2

"""What the network says becomes guides: strands from their roots in even steps, and nothing where nothing grows."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from headform.errors import BadInput, MissingModel
from headform.hair import network as hair_network
from headform.hair.groom import Groom
from headform.hair.network import HAIRY, MODELS, SIDE, decode, network_input

WAY = np.array([0.6, -0.8, 0.0])


class Answer:
    """Stands for a network: always the same strands, and keeps what it was asked."""

    def __init__(self, strands: np.ndarray, growth: np.ndarray) -> None:
        self.strands, self.growth = strands, growth

    def __call__(self, *values: np.ndarray) -> list[np.ndarray]:
        (self.asked,) = values
        return [self.strands[None].astype(np.float32), self.growth[None].astype(np.float32)]


@pytest.fixture
def answer() -> Answer:
    """Straight strands of 10 cm along WAY whose knots crowd at the root, 1 cm away from it, and curl out of range;
    hair grows in the lower half of the square."""
    along = np.linspace(0, 1, 100) ** 2 * 0.1
    strands = np.zeros((4, 100, 32, 32))
    strands[:3] = (WAY[:, None] * along + 0.0)[:, :, None, None]
    strands[:3, 0] = 0.01  # a first knot off the root
    strands[3] = 1.5
    growth = np.where(np.arange(32)[:, None] < 16, 2.0, -2.0) * np.ones(32)
    return Answer(strands, growth)


@pytest.fixture
def picture() -> np.ndarray:
    mask = np.zeros((SIDE, SIDE))
    mask[60:180, 60:180] = 1
    return mask


def test_strands_begin_at_the_root_in_even_steps(answer: Answer, picture: np.ndarray) -> None:
    guides, _ = decode(picture, picture, picture, answer)
    grown = guides[:16]
    assert not grown[:, :, 0, :3].any()
    steps = np.linalg.norm(np.diff(grown[..., :3], axis=2), axis=-1)
    np.testing.assert_allclose(steps, 0.1 / 99, rtol=2e-3)
    np.testing.assert_allclose(grown[:, :, -1, :3], np.broadcast_to(0.1 * WAY, (16, 32, 3)), atol=1e-6)
    assert (grown[..., 3] == 1).all()


def test_nothing_grows_where_it_is_unlikely(answer: Answer, picture: np.ndarray) -> None:
    guides, likelihood = decode(picture, picture, picture, answer)
    np.testing.assert_allclose(likelihood[:16], 1 / (1 + np.exp(-2)), rtol=1e-6)
    assert np.isnan(guides[16:]).all() and (likelihood[16:] < HAIRY).all()
    Groom(np.zeros((0, 2, 3), np.float32), guides=guides)  # is what a groom is grown from


def test_no_hair_in_the_picture_is_no_hair(answer: Answer) -> None:
    empty = np.zeros((SIDE, SIDE))
    guides, likelihood = decode(empty, empty, empty, answer)
    assert np.isnan(guides).all() and not likelihood.any()
    assert not hasattr(answer, "asked")


def test_the_network_is_asked_for_the_doubled_angle(answer: Answer, picture: np.ndarray) -> None:
    """An angle and the same turned by half a turn are the same line; soft masks count from one half."""
    angle = np.full((SIDE, SIDE), np.radians(30))
    decode(picture * 0.6, angle, 0.5 * np.ones((SIDE, SIDE)), answer)
    one = answer.asked
    np.testing.assert_allclose(one[0, :, 100, 100], (1, 0.25, 0.5 * np.sqrt(0.75)), rtol=1e-6)
    assert not one[0, :, 10, 10].any()
    decode(picture * 0.6, angle + np.pi, 0.5 * np.ones((SIDE, SIDE)), answer)
    np.testing.assert_allclose(answer.asked, one, atol=1e-5)


def test_a_strand_without_length_stays_at_its_root(answer: Answer, picture: np.ndarray) -> None:
    answer.strands[:] = 0
    guides, _ = decode(picture, picture, picture, answer)
    assert not guides[:16].any()


@pytest.mark.parametrize("name", ["mask", "angle", "confidence"])
def test_pictures_that_cannot_be_read_are_refused(answer: Answer, picture: np.ndarray, name: str) -> None:
    given = {"mask": picture, "angle": picture, "confidence": picture}
    with pytest.raises(BadInput, match=f"hair's {name} is \\(128, 128\\)"):
        decode(**{**given, name: picture[:128, :128]}, network=answer)
    with pytest.raises(BadInput, match=f"hair's {name} holds NaN"):
        decode(**{**given, name: np.where(picture > 0, np.nan, 0)}, network=answer)


def test_a_missing_network_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, picture: np.ndarray) -> None:
    monkeypatch.setattr(hair_network, "MODELS", tmp_path)
    monkeypatch.setattr(hair_network, "_loaded", [])
    with pytest.raises(MissingModel, match="install headform again"):
        decode(picture, picture, picture)


@pytest.mark.skipif(not (MODELS / "manifest.json").exists(), reason="no hair network is shipped yet")
def test_the_shipped_network_is_whole_and_answers(picture: np.ndarray) -> None:
    (row,) = json.loads((MODELS / "manifest.json").read_text(encoding="utf-8"))["models"]
    content = (MODELS / row["file"]).read_bytes()
    assert row["sha256"] == hashlib.sha256(content).hexdigest() and row["bytes"] == len(content) <= 25e6
    guides, likelihood = decode(picture, 0 * picture, picture)
    assert guides.shape == (32, 32, 100, 4) and likelihood.shape == (32, 32)
    grown = np.isfinite(guides).all((2, 3))
    assert grown.any() and np.abs(guides[grown]).max() < 1.5


def test_input_is_made_as_the_convention_says() -> None:
    hair = np.array([[True, False]])
    found = network_input(hair, np.array([[np.pi / 4, 0.0]]), np.ones((1, 2)))
    np.testing.assert_allclose(found, [[[1, 0]], [[0, 0]], [[1, 0]]], atol=1e-6)

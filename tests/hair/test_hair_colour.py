"""Hair colours: pigments and back, names, and grooms coloured anew."""

from __future__ import annotations

import numpy as np
import pytest

from headform.errors import BadInput
from headform.hair.colour import (
    EUMELANIN,
    PHEOMELANIN,
    ROOT_REACH,
    ROOT_SHADE,
    SCATTERING,
    SURFACE,
    WHITE,
    Recolour,
    melanin_of,
    named_colours,
    natural,
    parse_colour,
    recoloured,
    tones,
)
from headform.hair.groom import Groom
from headform.render.colour import to_linear

PATH = np.linspace(0, 0.2, 21)
POINTS = np.stack([0 * PATH, -PATH, 0 * PATH], -1)[None].repeat(400, 0).astype(np.float32)
POINTS[..., 0] += np.linspace(0, 0.1, 400)[:, None]


def varied(points: bool = True) -> Groom:
    """Brown hair, lighter to its tips and from strand to strand."""
    rng = np.random.default_rng(0)
    tone = np.exp(0.1 * rng.normal(size=(400, 1))) * (1 + 0.5 * PATH / PATH[-1] if points else 1)
    colours = np.array([0.16, 0.1, 0.07]) * tone[..., None] if points else np.array([0.16, 0.1, 0.07]) * tone
    return Groom(POINTS, colours.astype(np.float32), about={"name": "hanging"})


def test_the_model_of_scattering() -> None:
    # 5.969 − .215 · .3 + 2.532 · .3² − 10.73 · .3³ + 5.574 · .3⁴ + .245 · .3⁵
    np.testing.assert_allclose(SCATTERING, 5.8884, atol=1e-4)
    # keratin alone is white; what eumelanin adds follows from equation (9)
    np.testing.assert_allclose(natural(0), WHITE, atol=1e-4)
    clear = (np.log(to_linear(WHITE) - SURFACE) / SCATTERING) ** 2
    expected = np.exp(-SCATTERING * np.sqrt(clear + 0.4 * EUMELANIN)) + SURFACE
    np.testing.assert_allclose(to_linear(natural(0.4)), expected, rtol=1e-3)


def test_pigment_darkens_and_pheomelanin_reddens() -> None:
    shades = np.array([natural(amount) for amount in (0, 0.05, 0.2, 0.4, 1, 3, 8)])
    assert (np.diff(shades, axis=0) < 0).all()
    brown, red = natural(0.45), natural(0, 0.6)
    assert red[0] > red[2] * 2.5 and red[0] / red[2] > brown[0] / brown[2]
    half = to_linear(natural(1, grey=0.5))
    np.testing.assert_allclose(half, (to_linear(natural(1)) + to_linear(WHITE)) / 2, atol=1e-3)
    with pytest.raises(BadInput, match="below 0"):
        natural(-1)
    with pytest.raises(BadInput, match="grey"):
        natural(1, grey=2)


@pytest.mark.parametrize(("eumelanin", "pheomelanin"), [(0.0, 0.0), (0.05, 0.01), (0.4, 0.0), (0.9, 0.2), (0, 0.5)])
def test_pigments_are_read_off_a_natural_colour(eumelanin: float, pheomelanin: float) -> None:
    found = melanin_of(natural(eumelanin, pheomelanin))
    assert found[0] == pytest.approx(eumelanin, abs=0.01) and found[1] == pytest.approx(pheomelanin, abs=0.01)
    assert found[2] < 2e-3


def test_dyes_and_light_leave_a_residual() -> None:
    assert melanin_of((0.15, 0.3, 0.8))[2] > 0.4
    for natural_colour in ("black", "dark brown", "brown", "platinum"):
        assert melanin_of(named_colours()[natural_colour].colour)[2] < 0.08
    for black in ((0, 0, 0), (1, 1, 1)):
        assert np.isfinite(melanin_of(black)).all()


def test_absorption_is_ordered_as_published() -> None:
    for pigment in (EUMELANIN, PHEOMELANIN):
        assert (np.diff(pigment) > 0).all()  # blue is absorbed most: hair is never blue or green


def test_names_are_found_however_they_are_written() -> None:
    assert parse_colour("auburn").name == "auburn"
    assert parse_colour(" Salt-and-Pepper ").name == "salt and pepper"
    assert parse_colour("STRAWBERRY").name == "strawberry blond"
    assert parse_colour("blonde") == parse_colour("blond")
    assert parse_colour("gray").grey > 0.5
    assert parse_colour("#a52a2a").colour == pytest.approx((165 / 255, 42 / 255, 42 / 255))
    assert parse_colour("#A33").colour == pytest.approx((170 / 255, 51 / 255, 51 / 255))
    assert parse_colour("0.4, 0.2,0.1").colour == (0.4, 0.2, 0.1)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("aubrn", "did you mean auburn"),
        ("xyzzy", "there are black"),
        ("", "no hair colour"),
        ("#12", "no hair colour"),
        ("1,2", "three numbers"),
        ("1,0,red", "three numbers"),
        ("2,0,0", "from 0 to 1"),
        ("nan,0,0", "from 0 to 1"),
    ],
)
def test_what_is_no_colour_is_refused(text: str, match: str) -> None:
    with pytest.raises(BadInput, match=match):
        parse_colour(text)


def test_shares_outside_their_range_are_refused() -> None:
    for wrong in ({"grey": 1.5}, {"roots": -0.1}):
        with pytest.raises(BadInput, match="shares"):
            Recolour((0.5, 0.5, 0.5), **wrong)


def test_named_colours_are_what_they_are_called() -> None:
    light = {name: float(to_linear(row.colour) @ (0.2126, 0.7152, 0.0722)) for name, row in named_colours().items()}
    ladder = ["jet black", "black", "dark brown", "brown", "light brown", "dark blond", "blond", "light blond"]
    ladder += ["platinum", "white"]
    assert [light[name] for name in ladder] == sorted(light[name] for name in ladder)
    strongest = {"red": 0, "bright red": 0, "green": 1, "blue": 2, "navy": 2, "lime": 1, "copper": 0, "auburn": 0}
    for name, channel in strongest.items():
        assert int(np.argmax(named_colours()[name].colour)) == channel, name


@pytest.mark.parametrize("points", [True, False])
def test_variation_stays_and_the_whole_becomes_the_target(points: bool) -> None:
    groom, target = varied(points), Recolour((0.45, 0.2, 0.12))
    done = recoloured(groom, target)
    assert np.asarray(done.colours).shape == np.asarray(groom.colours).shape
    np.testing.assert_allclose(tones(done), tones(groom), atol=1e-3)
    middle = np.exp(np.log(to_linear(done.colours)).reshape(-1, 3).mean(0))
    np.testing.assert_allclose(middle, to_linear(target.colour), rtol=5e-3)
    assert done.about["name"] == "hanging" and done.about["colour"] == "#73331f"


def test_there_and_back_is_the_same_hair() -> None:
    brown, blond = parse_colour("brown"), parse_colour("dark blond")
    first = recoloured(varied(), brown)
    back = recoloured(recoloured(first, blond), brown)
    np.testing.assert_allclose(back.colours, first.colours, atol=1e-4)


def test_one_colour_for_all_becomes_another() -> None:
    plain = Groom(POINTS, (0.2, 0.1, 0.05))
    np.testing.assert_allclose(recoloured(plain, Recolour((0.6, 0.3, 0.2))).colours, [[0.6, 0.3, 0.2]] * 400, atol=1e-3)
    bald = Groom(np.zeros((0, 2, 3), np.float32))
    assert not len(recoloured(bald, parse_colour("blue")))


def test_so_many_hairs_turn_white() -> None:
    plain = Groom(POINTS, (0.1, 0.06, 0.04))
    done = recoloured(plain, Recolour((0.1, 0.06, 0.04), grey=0.4))
    light, dark, white = to_linear(done.colours), to_linear((0.1, 0.06, 0.04)), to_linear(WHITE)
    share = ((light - dark) / (white - dark)).mean()
    assert share == pytest.approx(0.4, abs=0.05)  # 400 strands of 4 hairs: three deviations are 0.037
    assert len(np.unique(light.round(4), axis=0)) > 2
    np.testing.assert_array_equal(done.colours, recoloured(plain, Recolour((0.1, 0.06, 0.04), grey=0.4)).colours)
    assert not np.array_equal(done.colours, recoloured(plain, Recolour((0.1, 0.06, 0.04), grey=0.4), seed=1).colours)
    whole = recoloured(plain, Recolour((0.1, 0.06, 0.04), grey=1.0))
    np.testing.assert_allclose(whole.colours, np.broadcast_to(WHITE, (400, 3)), atol=1e-3)


def test_roots_are_darker_by_as_much_as_asked() -> None:
    done = recoloured(Groom(POINTS, (0.2, 0.1, 0.05)), Recolour((0.7, 0.5, 0.3), roots=1.0))
    factor = to_linear(np.asarray(done.colours)[0]) / to_linear((0.7, 0.5, 0.3))
    assert factor.shape == (21, 3)
    np.testing.assert_allclose(factor[0], ROOT_SHADE, rtol=0.02)
    np.testing.assert_allclose(factor[-1], 1, atol=1e-3)
    expected = ROOT_SHADE ** np.exp(-((0.05 / ROOT_REACH) ** 2))  # the sixth point is 50 mm from the root
    np.testing.assert_allclose(factor[5], expected, rtol=0.02)

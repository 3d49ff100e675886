from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from avatar_hair import COLOUR, haired_avatar
from avatar_stand_in import known_avatar

from headform.avatar import try_on
from headform.avatar.avatar import Avatar
from headform.errors import BadInput
from headform.hair import library
from headform.hair.collider import distance
from headform.hair.groom import Groom
from headform.hair.tint import average

STYLE = "chin_bob"  # cut straight


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADFORM_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def haired() -> Avatar:
    """In hair that says it is its photo's."""
    avatar = haired_avatar()
    assert avatar.hair is not None
    return replace(avatar, hair=replace(avatar.hair, about={**avatar.hair.about, "source": "photo"}))


def worn(avatar: Avatar) -> Groom:
    assert avatar.hair is not None
    return avatar.hair


def check_on_head(avatar: Avatar, share: float = 0.001) -> None:
    """Each strand begins where it is bound, and at most this share of its points is inside the head."""
    hair = worn(avatar)
    assert hair.roots is not None
    np.testing.assert_allclose(hair.points[:, 0], hair.roots.points(avatar.neutral()), atol=1e-4)
    field = try_on.wearer(avatar).collider.bare
    inside = distance(field, hair.points[:, 1:].reshape(-1, 3)) < -1e-3
    assert inside.mean() <= share


def test_a_style_grows_on_this_persons_head(avatar: Avatar) -> None:
    tried = avatar.with_hair(STYLE)
    hair = worn(tried)
    assert avatar.hair is None and tried.fit is avatar.fit
    assert (hair.name, hair.about["source"]) == (STYLE, "library") and len(hair) > 5000
    check_on_head(tried)
    assert average(hair) == pytest.approx(library.style(STYLE).colour, abs=0.02)
    assert np.array_equal(worn(avatar.with_hair(STYLE)).points, hair.points)
    assert not np.array_equal(worn(avatar.with_hair(STYLE, seed=1)).points[:, 0][:500], hair.points[:500, 0])


def test_a_style_takes_the_colour_of_the_hair_that_is_there(haired: Avatar) -> None:
    assert average(worn(haired.with_hair(STYLE))) == pytest.approx(COLOUR, abs=0.03)
    red = worn(haired.with_hair(STYLE, colour="#c02010"))
    assert average(red) == pytest.approx((0xC0 / 255, 0x20 / 255, 0x10 / 255), abs=0.03)
    assert red.about["colour"] == "#c02010"


def test_own_hair_in_another_colour_keeps_its_strands(haired: Avatar) -> None:
    dyed = worn(haired.with_hair(colour="0.1,0.2,0.5"))
    assert dyed.points is worn(haired).points and dyed.name == "plain"
    assert average(dyed) == pytest.approx((0.1, 0.2, 0.5), abs=0.04)


def test_a_longer_bob_is_cut_as_straight_farther_down(avatar: Avatar) -> None:
    def lowest(length: float) -> float:
        hair = worn(avatar.with_hair(STYLE, length=length))
        return float(np.percentile(hair.points[:, :, 1].min(1), 10))

    cut = library.style(STYLE).cut
    assert cut is not None
    drop = 0.4 * (0.138 - cut[0]) * try_on.wearer(avatar).size  # 0.138 is the crown's height
    assert lowest(1.0) - lowest(1.4) == pytest.approx(drop, abs=0.03)


@pytest.mark.parametrize("times", [0.5, 2.0])
def test_length_is_that_of_the_strands(haired: Avatar, times: float) -> None:
    grown = np.median(worn(haired.with_hair("pixie", length=times)).lengths())
    assert grown == pytest.approx(times * np.median(worn(haired.with_hair("pixie")).lengths()), rel=0.1)
    own = haired.with_hair(length=times)
    assert np.median(worn(own).lengths()) == pytest.approx(times * np.median(worn(haired).lengths()), rel=0.05)
    assert worn(own).about["length"] == times and worn(own.with_hair(length=1.2)).about["length"] == 1.2 * times
    check_on_head(own)


def test_curl_widens_the_waves_of_a_style(avatar: Avatar) -> None:
    crow = {}
    for curl in (0.25, 1.0, 2.0):
        points = worn(avatar.with_hair("curly_bob", curl=curl)).points
        chord = np.linalg.norm(points[:, -1] - points[:, 0], axis=1)
        length = np.linalg.norm(np.diff(points, axis=1), axis=2).sum(1)
        crow[curl] = float(np.median(length / chord))
    assert crow[0.25] < 0.8 * crow[1.0] and crow[2.0] > 1.2 * crow[1.0]


def test_none_is_a_bald_head(haired: Avatar) -> None:
    for word in ("none", " None ", "bald"):
        bald = haired.with_hair(word, colour="red")
        assert len(worn(bald)) == 0 and bald.parameters()["hair"]["strands"] == 0
    assert not np.array_equal(bald.render(size=64), haired.render(size=64))
    assert len(worn(bald.with_hair(length=2))) == 0
    assert average(worn(bald.with_hair(STYLE))) == pytest.approx(library.style(STYLE).colour, abs=0.02)


def test_the_hair_of_another_person(haired: Avatar) -> None:
    theirs = worn(haired.with_hair("side_part"))
    tried = known_avatar(face=3).with_hair(theirs)
    check_on_head(tried)
    assert worn(tried).lengths() == pytest.approx(theirs.lengths(), rel=0.25)
    assert average(worn(tried)) == pytest.approx(average(theirs))
    assert np.abs(worn(tried).points[:, 0] - theirs.points[:, 0]).max() > 1e-3


def test_strands_from_elsewhere_are_laid_on_the_head(haired: Avatar) -> None:
    away = replace(worn(haired), points=worn(haired).points + np.float32(0.5), roots=None)
    check_on_head(haired.with_hair(away))


def test_strands_of_another_kind_of_head_are_refused(haired: Avatar) -> None:
    roots = worn(haired).roots
    assert roots is not None
    far = replace(roots, corners=roots.corners + 10**6)
    with pytest.raises(BadInput, match="has its roots on another head than 'headform'"):
        haired.with_hair(replace(worn(haired), roots=far))
    mixed = replace(roots, corners=roots.corners[::-1])
    with pytest.raises(BadInput, match="has its roots on another head than 'headform'"):
        haired.with_hair(replace(worn(haired), roots=mixed))


def test_a_style_of_the_persons_own(haired: Avatar) -> None:
    library.keep("mine", library.groom("pixie", count=2000), "Mine")
    tried = haired.with_hair("Mine", length=0.5)
    assert worn(tried).name == "mine" and average(worn(tried)) == pytest.approx(COLOUR, abs=0.03)
    check_on_head(tried)
    whole = haired.with_hair("mine")
    assert worn(tried).lengths() == pytest.approx(0.5 * worn(whole).lengths(), rel=0.1)


def test_the_photos_hair_is_gone_once_another_is_worn(avatar: Avatar, haired: Avatar) -> None:
    assert worn(haired.with_hair("photo", colour="black")).points is worn(haired).points
    with pytest.raises(BadInput, match=f"this avatar wears '{STYLE}', and the hair of its photo is gone"):
        haired.with_hair(STYLE).with_hair("photo")
    assert worn(haired.with_hair(STYLE).with_hair(colour="red")).name == STYLE
    with pytest.raises(BadInput, match="nobody has looked for the hair of this avatar"):
        avatar.with_hair(colour="red")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"what": "chin_bub"}, "there is no hairstyle 'chin_bub'; did you mean chin_bob"),
        ({"what": ""}, "there is no hairstyle ''"),
        ({"colour": "orburn"}, "did you mean auburn"),
        ({"length": 0.2}, "0.2 times the length of hair cannot be; give 0.25 to 3"),
        ({"length": float("nan")}, "nan times the length of hair cannot be"),
        ({"curl": 3.1}, "3.1 times the curl of hair cannot be; give 0.25 to 3"),
        ({"curl": -1}, "-1 times the curl of hair cannot be"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(haired: Avatar, asked: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        haired.with_hair(**asked)  # type: ignore[arg-type]
    assert sentence in str(refused.value)


def test_the_head_is_made_ready_once_for_each_person(haired: Avatar) -> None:
    first = try_on.wearer(haired)
    assert try_on.wearer(haired.with_hair("none").with_expression({"jawOpen": 1})) is first
    assert try_on.wearer(known_avatar(face=3)) is not first


def test_without_any_wish_there_is_no_hairdo() -> None:
    assert try_on.wished(None) is None
    only_colour = try_on.wished(None, "red")
    assert only_colour is not None and only_colour.what == "photo" and only_colour.from_photo
    style = try_on.wished("Chin Bob")
    assert style is not None and (style.what, style.from_photo, style.needs_photo) == (STYLE, False, True)
    dyed, bald = try_on.wished(STYLE, "red"), try_on.wished("none")
    assert dyed is not None and bald is not None and not dyed.needs_photo and not bald.needs_photo

"""Finding, growing, mixing and keeping hairstyles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from few_styles import ROWS, written
from hanging_hair import hanging

from headform.errors import BadInput
from headform.hair import library
from headform.hair.collider import distance
from headform.hair.groom import Groom
from headform.hair.grow import wearer_of
from headform.hair.kinds import kind_of_groom, kind_of_style
from headform.hair.shelf import Shelf
from headform.hair.style import Style
from headform.head import load_default


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "hair")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return written(tmp_path)


def found(words: str, shelf: Shelf, path: Path, **more: list[str]) -> list[str]:
    return [entry.name for entry in library.search(words, shelf=shelf, path=path, **more)]


# ── what ships ───────────────────────────────────────────────────────────────────────────────────


def test_names_that_ship_are_good_names_and_each_is_there_once() -> None:
    from headform.hair.shelf import check_name

    styles = library.styles()
    names = [style.name for style in styles]
    assert len(names) == len(set(names)) >= 12
    for name in names:
        assert check_name(name) == name


def test_the_class_that_a_style_states_has_the_texture_of_its_curl() -> None:
    for style in library.styles():
        words = kind_of_style(style).split()
        if len(words) == 2 and words[1] == "straight":
            amplitude, wavelength, _ = style.curl
            assert 2 * np.pi * amplitude / max(wavelength, 1e-4) < 1, style.name


# ── finding ──────────────────────────────────────────────────────────────────────────────────────


def test_all_names_are_listed_with_a_bald_head(shelf: Shelf, path: Path) -> None:
    assert library.names(shelf, path) == sorted(["bald", *(row["name"] for row in ROWS)])


def test_a_style_is_found_however_its_name_is_written(shelf: Shelf, path: Path) -> None:
    for name in ("long-waves", "Long-Waves", " LONG WAVES ", "long_waves"):
        entry = library.find(name, shelf, path)
        assert (entry.name, entry.kind, entry.own) == ("long-waves", "long wavy", False)
        assert entry.tags == ("fringe", "evening") and entry.licence == "Apache-2.0"
    assert library.find("none", shelf, path).name == "bald"
    assert library.find("pony-tail", shelf, path).name == "ponytail"


@pytest.mark.parametrize(
    "name, offered", [("ponytial", "ponytail"), ("long-wave", "long-waves"), ("crw", "crew"), ("beach", "long-beach")]
)
def test_a_name_that_is_not_there_is_refused_with_the_nearest(
    shelf: Shelf, path: Path, name: str, offered: str
) -> None:
    with pytest.raises(BadInput, match=f"did you mean .*{offered}"):
        library.find(name, shelf, path)


def test_a_name_like_no_other_is_refused_with_how_to_see_all(shelf: Shelf, path: Path) -> None:
    with pytest.raises(BadInput, match="there are 6, and `headform hair list`"):
        library.find("xyzzy", shelf, path)


def test_words_find_the_style_that_has_most_of_them(shelf: Shelf, path: Path) -> None:
    assert found("long wavy fringe", shelf, path) == ["long-waves"]
    assert found("evening", shelf, path) == ["long-beach", "long-waves"]
    assert found("long wavy unheard", shelf, path) == ["long-beach", "long-waves"], "what none has does not count"
    assert found("unheard", shelf, path) == []
    assert found("", shelf, path) == library.names(shelf, path)


def test_synonyms_beginnings_and_slips_find_too(shelf: Shelf, path: Path) -> None:
    assert found("bangs", shelf, path) == ["long-waves"]
    assert found("pony", shelf, path) == ["ponytail"]
    assert found("beech", shelf, path) == ["long-beach"]  # four of five letters
    library.keep("finger-waves", hanging(), shelf=shelf, path=path)
    assert found("fringe", shelf, path) == ["long-waves"], "a word that is known is no slip for another"


def test_the_name_counts_more_than_a_tag(shelf: Shelf, tmp_path: Path) -> None:
    path = written(tmp_path)
    library.keep("neat", hanging(), shelf=shelf, path=path)
    assert found("neat", shelf, path)[0] == "neat"
    assert set(found("neat", shelf, path)) == {"neat", "crew", "side-part"}


def test_tags_choose_and_classes_are_tags(shelf: Shelf, path: Path) -> None:
    assert found("", shelf, path, tags=["Neat"]) == ["crew", "side-part"]
    assert found("", shelf, path, tags=["neat", "parting"]) == ["side-part"]
    assert found("", shelf, path, tags=["long wavy"]) == ["long-beach", "long-waves"]
    assert found("", shelf, path, tags=["long", "fringe"]) == ["long-waves"]


def test_classes_hold_every_style_once(shelf: Shelf, path: Path) -> None:
    classes = library.classes(shelf, path)
    assert classes["gathered"] == ["ponytail"]
    assert sorted(name for names in classes.values() for name in names) == library.names(shelf, path)


# ── classes ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "groom, kind",
    [
        (hanging(length=0.05), "short straight"),
        (hanging(length=0.2), "medium straight"),
        (hanging(length=0.4), "long straight"),
        # helices: on a pitch p with radius r the hair is sqrt(1 + (2πr/p)²) times as long as its line
        (hanging(length=0.3, radius=0.009, pitch=0.085), "long wavy"),  # 1.20
        (hanging(length=0.12, radius=0.0075, pitch=0.03, knots=200), "medium curly"),  # 1.86
        (hanging(length=0.03, radius=0.0045, pitch=0.0085, knots=200), "medium coily"),  # 3.47: 10 cm of hair
        (Groom(np.zeros((0, 2, 3))), "bald"),
    ],
)
def test_the_class_of_strands_is_their_length_and_winding(groom: Groom, kind: str) -> None:
    assert kind_of_groom(groom) == kind


@pytest.mark.parametrize(
    "style, kind",
    [
        (Style("a", length=(0, 0, 0, 0)), "bald"),
        (Style("a", kind="faded"), "faded"),
        (Style("a", pattern="rope"), "locs"),
        (Style("a", rows=6), "braided"),
        (Style("a", fade=0.5), "faded"),
        (Style("a", length=(0.02, 0.3, 0.3, 0.3)), "long straight"),  # a fringe does not make hair short
        (Style("a", curl=(0.0045, 0.0085, 0), coil=1.0), "short coily"),
        (Style("a", curl=(0.009, 0.085, 0), coil=0.0), "short wavy"),  # a flat wave: 1 + .665² / 4 = 1.11
    ],
)
def test_the_class_of_a_style_is_that_of_its_numbers(style: Style, kind: str) -> None:
    assert kind_of_style(style) == kind


# ── strands ──────────────────────────────────────────────────────────────────────────────────────


def test_a_style_that_ships_grows_as_its_seed_says(shelf: Shelf, path: Path) -> None:
    one = library.groom("crew", count=800, seed=2, shelf=shelf, path=path)
    again = library.groom("crew", count=800, seed=2, shelf=shelf, path=path)
    other = library.groom("crew", count=800, seed=3, shelf=shelf, path=path)
    assert np.array_equal(one.points, again.points)
    assert one.points.shape != other.points.shape or not np.array_equal(one.points, other.points)
    assert 500 < len(one) < 1100
    assert one.name == "crew"
    assert 0.008 < float(np.median(one.lengths())) < 0.04


def test_hair_grows_on_the_head_that_is_given(shelf: Shelf, path: Path) -> None:
    head = load_default()
    larger = (head.rest() * 1.1).astype(np.float32)
    groom = library.groom("crew", count=800, vertices=larger, shelf=shelf, path=path)
    assert groom.roots is not None
    assert np.abs(groom.roots.points(larger) - groom.points[:, 0]).max() < 1e-5
    library.keep("mine", groom_on_mean := library.groom("crew", count=800, path=path), shelf=shelf, path=path)
    own = library.groom("mine", vertices=larger, shelf=shelf, path=path)
    assert len(own) == len(groom_on_mean)
    assert own.roots is not None
    assert np.abs(own.roots.points(larger) - own.points[:, 0]).max() < 1e-3


def test_a_bald_head_has_no_strands(shelf: Shelf, path: Path) -> None:
    assert len(library.groom("none", shelf=shelf, path=path)) == 0


def test_own_styles_come_back_as_they_were_or_thinner(shelf: Shelf, path: Path) -> None:
    library.keep("mine", hanging(12), shelf=shelf, path=path)
    assert len(library.groom("Mine", shelf=shelf, path=path)) == 12
    assert len(library.groom("mine", count=5, shelf=shelf, path=path)) == 5


def test_own_styles_do_not_fit_a_head_of_another_model(shelf: Shelf, path: Path) -> None:
    library.keep("mine", hanging(12), shelf=shelf, path=path)
    with pytest.raises(BadInput, match="not 'other'"):
        library.groom("mine", head=replace(load_default(), name="other"), shelf=shelf, path=path)


def test_a_mix_is_of_its_parents_and_its_seed(shelf: Shelf, path: Path) -> None:
    names = ["crew", "side-part"]
    groom = library.mixed(names, seed=4, count=800, shelf=shelf, path=path)
    assert np.array_equal(groom.points, library.mixed(names, 4, count=800, shelf=shelf, path=path).points)
    parents = [library.groom(name, count=800, shelf=shelf, path=path).lengths() for name in names]
    medians = sorted(float(np.median(each)) for each in parents)
    assert medians[0] < float(np.median(groom.lengths())) < medians[1]
    assert groom.about["source"] == "mix of crew, side-part"
    assert groom.about["tags"] == ["neat"], "what both have"
    assert groom.guides is not None and groom.roots is not None
    wearer = wearer_of(load_default())
    inside = distance(wearer.collider.bare, groom.points[:, 1:].reshape(-1, 3))
    assert float(inside.min()) > -0.001


def test_own_strands_without_guides_are_mixed_too(shelf: Shelf, path: Path) -> None:
    grown = library.groom("crew", count=6000, shelf=shelf, path=path)
    library.keep("mine", replace(grown, guides=None), shelf=shelf, path=path)
    mixed = library.mixed(["mine", "crew"], count=800, shelf=shelf, path=path)
    assert len(mixed) > 500
    assert float(np.median(mixed.lengths())) == pytest.approx(float(np.median(grown.lengths())), rel=0.35)


def test_what_cannot_be_mixed_by_name_is_refused(shelf: Shelf, path: Path) -> None:
    with pytest.raises(BadInput, match="name two or more"):
        library.mixed(["crew"], shelf=shelf, path=path)
    with pytest.raises(BadInput, match="'bald' has no hair to mix"):
        library.mixed(["crew", "none"], shelf=shelf, path=path)
    with pytest.raises(BadInput, match="did you mean crew"):
        library.mixed(["crew", "crow"], shelf=shelf, path=path)


# ── keeping ──────────────────────────────────────────────────────────────────────────────────────


def test_what_is_kept_says_what_it_is(shelf: Shelf, path: Path) -> None:
    entry = library.keep("Mine", hanging(9, 0.3), "Hanging", ["wet"], {"source": "a.data"}, shelf, path)
    assert (entry.name, entry.title, entry.kind, entry.tags) == ("mine", "Hanging", "long straight", ("wet",))
    assert entry.own and entry.licence == "CC0-1.0"
    assert entry.facts["strands"] == 9 and entry.facts["source"] == "a.data"
    assert entry.facts["length_median_m"] == pytest.approx(0.3, abs=1e-4)
    assert library.find("mine", shelf, path) == entry
    assert library.groom("mine", shelf=shelf, path=path).name == "mine"


@pytest.mark.parametrize("name", ["crew", "CREW", "side_part", "bald", "none"])
def test_names_that_ship_cannot_be_taken(shelf: Shelf, path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="ships with Headform and cannot be replaced"):
        library.keep(name, hanging(), shelf=shelf, path=path)
    assert shelf.entries() == []


def test_only_own_styles_are_tagged_and_deleted(shelf: Shelf, path: Path) -> None:
    library.keep("mine", hanging(), shelf=shelf, path=path)
    assert library.tag("mine", ["a"], shelf=shelf, path=path).tags == ("a",)
    for call in (library.tag, library.delete):
        with pytest.raises(BadInput, match="'crew' ships with Headform and cannot be"):
            call("crew", shelf=shelf, path=path)
    library.delete("mine", shelf, path)
    assert "mine" not in library.names(shelf, path)


def test_a_name_that_a_release_brings_later_stays_the_persons(shelf: Shelf, path: Path) -> None:
    shelf.add("crew", hanging(), "short straight", title="My crew")
    assert library.find("crew", shelf, path).title == "My crew"
    assert library.names(shelf, path).count("crew") == 1
    library.delete("crew", shelf, path)
    assert not library.find("crew", shelf, path).own


def test_hair_without_strands_is_not_kept(shelf: Shelf, path: Path) -> None:
    with pytest.raises(BadInput, match="no strand to keep"):
        library.keep("mine", Groom(np.zeros((0, 2, 3))), shelf=shelf, path=path)


# ── from elsewhere ───────────────────────────────────────────────────────────────────────────────


def test_foreign_hair_is_laid_on_the_scalp_and_out_of_the_head(path: Path) -> None:
    grown = library.groom("side-part", count=600, path=path)
    moved = replace(grown, points=grown.points * 1.15 + np.float32([0.3, 1.2, -0.2]), roots=None, guides=None)
    laid = library.fitted(moved)
    assert laid.roots is not None
    wearer = wearer_of(load_default())
    assert np.abs(laid.roots.points(wearer.vertices) - laid.points[:, 0]).max() < 1e-4
    assert np.linalg.norm(laid.points[:, 0] - grown.points[:, 0], axis=1).mean() < 0.012
    assert float(distance(wearer.collider.bare, laid.points[:, 1:].reshape(-1, 3)).min()) > -1e-4


def test_hair_that_is_bound_to_the_head_stays_as_it_is(path: Path) -> None:
    grown = library.groom("crew", count=300, path=path)
    assert library.fitted(grown) is grown

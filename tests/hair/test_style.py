"""Styles as rows of numbers."""

from __future__ import annotations

from dataclasses import fields

import pytest

from headform.errors import BadInput
from headform.hair.style import REGIONS, Style, Tie


def test_a_row_becomes_a_style_whose_lists_cannot_be_changed() -> None:
    row = {
        "name": "tail",
        "class": "gathered",
        "tags": ["long", "ponytail"],
        "length": [0.1, 0.2, 0.3, 0.4],
        "ties": [{"at": [0, 0.1, -0.1], "kind": "bun", "radius": 0.02}],
    }
    style = Style.from_row(row)
    assert style.kind == "gathered"
    assert style.tags == ("long", "ponytail")
    assert style.length == (0.1, 0.2, 0.3, 0.4)
    assert style.ties == (Tie(at=(0, 0.1, -0.1), kind="bun", radius=0.02),)
    hash(style)


def test_what_a_row_does_not_say_is_as_usual() -> None:
    assert Style.from_row({"name": "plain"}) == Style("plain")


def test_a_word_that_no_style_has_is_told_by_its_name() -> None:
    with pytest.raises(BadInput, match="lenght"):
        Style.from_row({"name": "typo", "lenght": [0.1, 0.1, 0.1, 0.1]})
    with pytest.raises(BadInput, match="name"):
        Style.from_row({"length": [0.1, 0.1, 0.1, 0.1]})


def test_bald_is_who_has_no_hair_anywhere() -> None:
    assert Style("bald", length=(0, 0, 0, 0)).bald
    assert not Style("wreath", length=(0, 0, 0.02, 0)).bald


def test_every_field_is_explained() -> None:
    told = Style.__doc__ or ""
    spoken = {"name", "title", "tags", "about", "licence"}  # these words say what they are
    assert [each.name for each in fields(Style) if each.name not in spoken and f"    {each.name} " not in told] == []


def test_regions_are_as_many_as_lengths_and_combs() -> None:
    assert len(Style("x").length) == len(Style("x").comb) == len(REGIONS)

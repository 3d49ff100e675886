"""The page and the numbers of a measurement."""

from __future__ import annotations

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headform.errors import BadInput
from headform.measure.drawing import COLOURS, boxes_over, error_colours, points_over, scale_bar
from headform.measure.report import Figure, Report, Table

EVIL = "<script>alert('x')</script>&\""


class Reader(HTMLParser):
    """Counts tags and keeps text and sources."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text, self.sources = "", list[str]()
        self.feed(page)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.text += data


def report() -> Report:
    table = Table(EVIL, ("name", EVIL), ((EVIL, 1.005), ("b", None), ("mean", float("nan"))), 1, 1, EVIL)
    picture = np.zeros((5, 7, 3), np.uint8)
    picture[..., 0] = 200
    return Report(
        EVIL, EVIL, (table,), (Figure(picture, EVIL, EVIL, "PNG"),), {"a": [1.23456, float("nan")], "b": {"c": None}}
    )


def test_the_page_needs_nothing_else_and_names_cannot_break_it() -> None:
    reader = Reader(report().html())
    assert reader.open == []
    assert "script" not in reader.tags and "link" not in reader.tags
    assert reader.text.count(EVIL) == 9  # title, heading, lead, table, note, column, cell, picture's group and caption
    assert all(source.startswith("data:image/") for source in reader.sources)
    assert "url(" not in report().html() and "http" not in report().html()


def test_the_pictures_are_in_it() -> None:
    source = Reader(report().html()).sources[0]
    image = Image.open(io.BytesIO(base64.b64decode(re.sub("^data:image/png;base64,", "", source))))
    assert image.size == (7, 5)
    assert image.getpixel((3, 3)) == (200, 0, 0)


def test_what_is_unknown_is_a_dash_and_null() -> None:
    page = report().html()
    assert page.count("<td>–</td>") == 2
    assert "<td>1.0</td>" in page
    numbers = json.loads(report().json())
    assert numbers["a"] == [1.2346, None]
    assert numbers["b"] == {"c": None}


def test_saved_by_its_ending(tmp_path: Path) -> None:
    report().save(tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    report().save(tmp_path / "r.json")
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["title"] == EVIL
    with pytest.raises(BadInput, match="no name for a report"):
        report().save(tmp_path / "r.pdf")


def test_colours_run_from_the_first_to_the_last() -> None:
    assert np.allclose(error_colours([0, 3, 99]), COLOURS[[0, -1, -1]])
    assert np.allclose(error_colours(1.5), COLOURS[2:4].mean(0))
    bar = scale_bar(200)
    assert bar.shape == (34, 200, 3)
    assert np.allclose(bar[3, 10] / 255, COLOURS[0], atol=0.01)
    assert np.allclose(bar[3, 189] / 255, COLOURS[-1], atol=0.01)


def test_points_and_boxes_are_where_they_belong() -> None:
    grey = np.full((100, 120, 3), 128, np.uint8)
    shown = points_over(grey, [[40, 40], [60, 60]], size=300)
    red = (shown == (255, 60, 60)).all(-1)
    assert 5 < red.sum() < 60
    scale = 300 / 40  # the points' 20 pixels and 10 of room on either side
    middle = (50 - 30 + 0.5) * scale - 0.5
    assert np.allclose(np.argwhere(red).mean(0), middle, atol=1)
    boxes = boxes_over(grey, [[10, 10, 50, 50], [60, 60, 90, 90]], [0, -1], [[12, 10, 50, 50]])
    assert tuple(boxes[30, 10]) == (70, 130, 255)
    assert tuple(boxes[75, 60]) == (255, 60, 60)

"""What a measurement leaves behind: one HTML file that needs nothing else, or the same numbers as JSON."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from headform import __version__
from headform.errors import BadInput
from headform.files import write_whole
from headform.measure.drawing import encoded
from headform.measure.scanfile import Bytes

Cell = str | int | float | None
ENDINGS = (".html", ".htm", ".json")

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#222;background:#fff;max-width:70rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin-bottom:.2rem}h2{font-size:1.15rem;margin-top:2rem}p{max-width:46rem}
table{border-collapse:collapse;margin:.5rem 0}th,td{padding:.2rem .7rem;border-bottom:1px solid #ddd;text-align:right}
th:first-child,td:first-child,td.text{text-align:left}thead th{border-bottom:2px solid #888;vertical-align:bottom}
tr.sum td{font-weight:600;border-top:2px solid #888}
.pictures{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0}figure img{display:block;max-width:100%}
figcaption{font-size:.85rem;color:#555;max-width:24rem}.wide{overflow-x:auto}
@media(prefers-color-scheme:dark){body{background:#1b1b1b;color:#ddd}th,td{border-color:#444}figcaption{color:#aaa}}
"""


@dataclass(frozen=True)
class Table:
    """Rows of text and numbers under the names of columns; the last `sums` rows are means or totals of the others.

    digits  behind the point, for numbers that are not whole
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    sums: int = 0
    digits: int = 2
    note: str = ""


@dataclass(frozen=True, eq=False)
class Figure:
    """An image (H, W, 3) uint8 with a caption; `group` is the heading it stands under."""

    pixels: Bytes
    caption: str
    group: str = ""
    kind: str = "JPEG"


@dataclass(frozen=True, eq=False)
class Report:
    """One measurement. `lead` says in words what was measured and how; `numbers` are all of them, for programs."""

    title: str
    lead: str
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...] = ()
    numbers: dict[str, Any] = field(default_factory=dict)

    def html(self) -> str:
        """The whole page: styles and pictures are in it, scripts are not needed."""
        tables = "\n".join(_table(table) for table in self.tables)
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{escape(self.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
            f"<h1>{escape(self.title)}</h1>\n<p>{escape(self.lead)}</p>\n{tables}\n{self._pictures()}\n"
            f"<p><small>Headform {escape(__version__)}</small></p>\n</body>\n</html>\n"
        )

    def json(self) -> str:
        """The numbers; what could not be measured is null."""
        whole = {"headform": __version__, "title": self.title, **self.numbers}
        return json.dumps(_plain(whole), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def save(self, path: Path) -> None:
        """Write the page (.html) or the numbers (.json), whole or not at all. Raises BadInput for another ending."""
        check_ending(path)
        text = self.json() if path.suffix.lower() == ".json" else self.html()
        with write_whole(path) as stream:
            stream.write(text.encode("utf-8", "replace"))

    def _pictures(self) -> str:
        groups: dict[str, list[str]] = {}
        for figure in self.figures:
            groups.setdefault(figure.group, []).append(_figure(figure))
        return "\n".join(
            (f"<h2>{escape(name)}</h2>\n" if name else "") + f'<div class="pictures">\n{"".join(items)}</div>'
            for name, items in groups.items()
        )


def check_ending(path: Path) -> None:
    """Raises BadInput unless a report can be written to a file of that name."""
    if path.suffix.lower() not in ENDINGS:
        raise BadInput(f"{path} is no name for a report; end it with {', '.join(ENDINGS)}")


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in table.columns)
    body = []
    for number, row in enumerate(table.rows):
        kind = ' class="sum"' if number >= len(table.rows) - table.sums else ""
        body.append(f"<tr{kind}>{''.join(_cell(cell, table.digits) for cell in row)}</tr>")
    note = f"<p>{escape(table.note)}</p>\n" if table.note else ""
    return (
        f'<h2>{escape(table.title)}</h2>\n{note}<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n'
        + "\n".join(body)
        + "\n</tbody>\n</table></div>"
    )


def _cell(value: Cell, digits: int) -> str:
    if isinstance(value, str):
        return f'<td class="text">{escape(value)}</td>'
    if value is None or not math.isfinite(value):
        return "<td>–</td>"
    return f"<td>{value}</td>" if isinstance(value, int) else f"<td>{value:.{digits}f}</td>"


def _figure(figure: Figure) -> str:
    data = base64.b64encode(encoded(figure.pixels, figure.kind)).decode("ascii")
    high, wide = figure.pixels.shape[:2]
    words = escape(figure.caption)
    source = f"data:image/{figure.kind.lower()};base64,{data}"
    image = f'<img src="{source}" width="{wide}" height="{high}" alt="{words}">'
    return f"<figure>{image}<figcaption>{words}</figcaption></figure>\n"


def _plain(value: Any) -> Any:
    """Rounded to a tenth of a micrometre, and null for what is no number."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value

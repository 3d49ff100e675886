"""Portraits and second views measured: the loop over a folder, the tables, and photo | avatar | difference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from headform.errors import BadInput, HeadformError
from headform.head import HeadModel
from headform.measure.portrait import AvatarMaker, Likeness, Pair, Row, avatar_maker, compare_photo, find_portraits
from headform.measure.report import Cell, Figure, Report, Table
from headform.measure.similarity import Bytes
from headform.photo import Photo
from headform.photo.affine import square_to_chip
from headform.photo.warp import warp

Progress = Callable[[str, float], None]

SIDE = 320  # pixels of each of the three pictures in a report
ROOM = 8  # pixels of the crop that they show around what counts
MOST_PICTURES = 200  # photos with pictures: more make the page heavy
LOUDER = 3  # how much the difference is strengthened to be seen
NUMBERS = {  # column: field of Likeness
    "PSNR": "psnr",
    "SSIM": "ssim",
    "ST-LPIPS": "st_lpips",
    "LPIPS": "lpips",
    "DFID": "dfid",
    "PSNR inside": "psnr_inside",
    "SSIM inside": "ssim_inside",
    "share": "share",
}
PORTRAIT = (
    "The avatar drawn with the photo's own camera in the light found there, against the photo, in the head crop of "
    "512² pixels. What counts: the photo's face{hair} and all that the avatar covers, be it background; but no "
    "clothes, glasses or hats{bald}, and nothing beyond the photo's border. Both pictures are black elsewhere. "
    "PSNR (dB), SSIM (Wang 2004, mean of R, G and B), ST-LPIPS, LPIPS and DFID are of the whole crop; 'inside' is the "
    "mean over what counts alone, 'share' how much of the crop that is. DFID is the distance of the descriptors of "
    "both faces, cut out of these same pictures by the photo's landmarks. LPIPS is measured where its package and "
    "backbone are installed."
)


def measure_portraits(
    folder: str | Path,
    backend: str | AvatarMaker | None = None,
    progress: Progress | None = None,
    *,
    hair: bool = True,
    model: HeadModel | None = None,
) -> Report:
    """Every photo in a folder and the folders in it; `backend` is a name or makes an avatar from a photo.

    Without `hair`, the photo's hair does not count. A photo that gives no avatar is listed and left out of the means.
    Raises BadInput if the folder holds no photos or none of them can be measured.
    """
    place = Path(folder)
    paths = find_portraits(place)
    make = backend if callable(backend) else avatar_maker(backend or "headform", model)
    tell = progress or _silence
    rows: list[Row] = []
    for number, path in enumerate(paths):
        name = path.relative_to(place).as_posix()
        tell(f"{name}: measuring", number / len(paths))
        rows.append(_measured(name, path, make, hair, shown=number < MOST_PICTURES))
    tell("done", 1.0)
    if not any(row.likeness for row in rows):
        raise BadInput(f"{place}: none of {len(rows)} photos could be measured; the first: {rows[0].error}")
    title = f"Portraits{'' if hair else ', without hair'}: {place.resolve().name}"
    return likeness_report("portrait", title, described(hair), rows)


def _measured(name: str, path: Path, make: AvatarMaker, hair: bool, shown: bool) -> Row:
    try:
        pair, seconds = compare_photo(Photo.open(path), make, hair=hair)
    except HeadformError as error:
        return Row(name, None, error=str(error))
    return Row(name, Likeness.of(pair), seconds, side_by_side(pair) if shown else None)


def described(hair: bool) -> str:
    """The protocol in words."""
    return PORTRAIT.format(hair=" and hair" if hair else "", bald="" if hair else ", no hair")


def likeness_report(kind: str, title: str, lead: str, rows: Sequence[Row], given: Sequence[Row] = ()) -> Report:
    """The tables: medians and means; each picture; those that gave none. The pictures as the rows have them.

    given  pictures that the avatars were made from: shown beside the others, in no mean
    """
    measured = [row for row in rows if row.likeness]
    columns = tuple(name for name, field in NUMBERS.items() if _known(measured, field))
    found = [_numbers(row, columns) for row in measured]
    summary = [
        (name, *(_over([row[k] for row in found], middle) for k in range(len(columns))))
        for name, middle in (("median", np.median), ("mean", np.mean))
    ]
    each = [(row.name, *_numbers(row, columns), row.seconds) for row in measured]
    before = [(row.name, *_numbers(row, columns), row.seconds) for row in given]
    failed = [(row.name, row.error) for row in rows if row.error]
    tables = [
        Table(f"All {len(measured)}", ("of", *columns), tuple(summary), 1, 3),
        Table("Each", ("photo", *columns, "seconds"), tuple(each), digits=3),
    ]
    if before:
        tables.append(Table("The given views, for comparison", ("photo", *columns, "seconds"), tuple(before), digits=3))
    if failed:
        tables.append(Table("Photos that could not be measured", ("photo", "reason"), tuple(failed)))
    figures = [
        Figure(row.shown, caption(row), f"Photo, avatar, and their difference times {LOUDER}")
        for row in (*given, *measured)
        if row.shown is not None
    ]
    numbers = {
        "kind": kind,
        "measured": len(measured),
        "failed": [{"photo": name, "reason": reason} for name, reason in failed],
        "summary": [_named(("of", *columns), row) for row in summary],
        "photos": [_named(("photo", *columns, "seconds"), row) for row in each],
        "given": [_named(("photo", *columns, "seconds"), row) for row in before],
    }
    return Report(title, lead, tuple(tables), tuple(figures), numbers)


def caption(row: Row) -> str:
    """The row's name and what matters of its numbers."""
    assert row.likeness is not None
    of = row.likeness
    return f"{row.name}: {of.psnr:.1f} dB, SSIM {of.ssim:.3f}, ST-LPIPS {of.st_lpips:.3f}, DFID {of.dfid:.2f}"


def side_by_side(pair: Pair, side: int = SIDE) -> Bytes:
    """(side, 3 side, 3) photo, avatar and their difference, strengthened, in the square around what counts."""
    rows, columns = np.nonzero(pair.region)
    middle = np.array([columns.min() + columns.max(), rows.min() + rows.max()]) / 2
    reach = max(np.ptp(columns), np.ptp(rows)) / 2 + ROOM
    to_window = square_to_chip(middle, 2 * reach, 0, side)
    gap = np.abs(pair.photo.astype(np.int16) - pair.avatar.astype(np.int16)) * LOUDER
    parts = (pair.photo, pair.avatar, gap.clip(0, 255).astype(np.uint8))
    shown = np.concatenate([warp(part, to_window, (side, side), outside=0) for part in parts], 1)
    return np.asarray(np.rint(shown).clip(0, 255), np.uint8)


def _known(rows: Iterable[Row], field: str) -> bool:
    return any(getattr(row.likeness, field) is not None for row in rows)


def _numbers(row: Row, columns: Iterable[str]) -> tuple[float | None, ...]:
    return tuple(getattr(row.likeness, NUMBERS[name]) for name in columns)


def _over(values: Sequence[float | None], middle: Callable[[list[float]], np.floating]) -> float | None:
    known = [value for value in values if value is not None]
    return float(middle(known)) if known else None


def _named(columns: Sequence[str], row: Sequence[Cell]) -> dict[str, Cell]:
    names = [name.lower().replace("-", "_").replace(" ", "_") for name in columns]
    return dict(zip(names, row, strict=True))


def _silence(_: str, __: float) -> None:
    """Nobody is watching."""

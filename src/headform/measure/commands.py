"""`headform measure`: how good the heads are, on scans and photos that you have."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headform.measure.report import Report

FINE = 0
WHAT = {
    "geometry": "heads against scans, after the NoW benchmark: NoW, REALY, FaceScape, MICC, or NAME/mesh_mm.obj",
    "landmarks": "68 points: AFLW2000-3D's gt.json, a gt.csv, or .pts files beside photos",
    "detection": "faces: gt_boxes.json, and photos without faces in negatives/",
    "portrait": "likeness of photo and avatar: a folder of portraits",
    "hair": "where hair is and which way it runs: NAME.jpg with NAME_mask.png, white where hair is",
    "secondview": "likeness where no photo was given: scans, NAME/mesh_mm.obj, or NAME_view0.jpg, view1 in front",
}


def add_measure(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `headform`."""
    add = commands.add_parser(
        "measure",
        help="measure heads, landmarks, detection, likeness or hair on a folder of scans or photos",
        epilog="Exit code 0: measured; 2: the folder cannot be used.",
    )
    kinds = add.add_subparsers(title="what", metavar="WHAT", required=True)
    for kind, text in WHAT.items():
        one = kinds.add_parser(kind, help=text)
        one.add_argument("folder", type=Path, metavar="DIR", help=text)
        where = f"the report, .html or .json ({_first(kind)})"
        one.add_argument("-o", "--output", type=Path, metavar="REPORT", help=where)
        one.add_argument("--json", action="store_true", help="print the numbers as JSON, for programs")
        if kind in ("portrait", "secondview"):
            one.add_argument(
                "--no-hair", dest="hair", action="store_false", help="the photo's hair does not count (it does)"
            )
        if kind == "hair":
            one.add_argument("--strands", action="store_true", help="also count points of strands inside the head")
        if kind != "detection":
            one.add_argument("--backend", default="headform", metavar="NAME", help="what reconstructs (headform)")
        one.set_defaults(run=measure, kind=kind)


def measure(chosen: argparse.Namespace) -> int:
    """Measure, write the report and say the sums. With --json alone, no file is written."""
    from headform.measure.report import check_ending

    path: Path | None = chosen.output or (None if chosen.json else Path(_first(chosen.kind)))
    if path is not None:
        check_ending(path)
    report = _report(chosen)
    if path is not None:
        report.save(path)
    if chosen.json:
        print(report.json(), end="")
        return FINE
    for line in sums(report):
        print(line)
    print(f"wrote {path}")
    return FINE


def sums(report: Report) -> list[str]:
    """The first table's last row, a line for each number."""
    table = report.tables[0]
    values = table.rows[-1][1:]
    width = max(len(column) for column in table.columns[1:])
    return [
        f"{column:<{width}}  " + (f"{value:.{table.digits}f}" if isinstance(value, float) else str(value))
        for column, value in zip(table.columns[1:], values, strict=True)
        if value is not None
    ]


def _report(chosen: argparse.Namespace) -> Report:
    from headform.measure import run

    if chosen.kind == "portrait":
        from headform.measure.portrait_report import measure_portraits

        return measure_portraits(chosen.folder, chosen.backend, _tell, hair=chosen.hair)
    if chosen.kind == "hair":
        from headform.measure.hair import measure_hair

        return measure_hair(chosen.folder, chosen.backend, _tell, strands=chosen.strands)
    if chosen.kind == "secondview":
        from headform.measure.secondview import measure_second_views

        return measure_second_views(chosen.folder, chosen.backend, _tell, hair=chosen.hair)
    if chosen.kind == "geometry":
        return run.measure_geometry(chosen.folder, chosen.backend, _tell)
    if chosen.kind == "landmarks":
        return run.measure_landmarks(chosen.folder, chosen.backend, _tell)
    return run.measure_detection(chosen.folder, None, _tell)


def _tell(stage: str, share: float) -> None:
    """One live line on a terminal."""
    if sys.stderr.isatty():
        end = "\r\x1b[2K" if share >= 1 else ""
        shown = "".join(letter if letter.isprintable() else "_" for letter in stage)
        print(f"\r\x1b[2K{100 * share:3.0f} % {shown}{end}", end="", file=sys.stderr, flush=True)


def _first(kind: str) -> str:
    return f"{kind}.html"

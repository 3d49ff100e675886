"""A folder in, a report out: geometry, landmarks, detection."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headform.errors import BadInput, HeadformError
from headform.head import HeadModel, current_model
from headform.measure.closest import MeshTree
from headform.measure.detection import DetectionScore, DetectionTotal, Detector, read_framed, score_detection
from headform.measure.drawing import boxes_over, error_picture, points_over, scale_bar
from headform.measure.geometry import MM, GeometryScore, Scan, score_geometry
from headform.measure.heads import HeadMaker, MeasuredHead, head_maker, mean_head, point_maker
from headform.measure.landmarks import GROUPS, LandmarkScore, Predictor, read_drawn, score_landmarks
from headform.measure.layouts import Case, find_cases, load_scan
from headform.measure.nme import MeanErrors, balanced, by_yaw
from headform.measure.report import Cell, Figure, Report, Table
from headform.measure.scanfile import ScanMesh
from headform.photo import Photo, find_faces

Progress = Callable[[str, float], None]

MOST_PICTURES = 40  # photos with pictures in a report: more make the page heavy
GEOMETRY = (
    "Distance of each point of the scan's face to the surface of the neutral head, in millimetres, after the "
    "protocol of the NoW benchmark: laid on by seven landmarks, then moved to where the surfaces are nearest. "
    "'Metrical' keeps the head's size, 'scaled' lets it grow or shrink. The mean head is the prior before the photo "
    "was seen."
)
LANDMARKS = (
    "Mean distance of 68 points to those drawn by people, in percent of the face's size, the root of the area of the "
    "drawn points' box. 'Missed' faces were not detected; their box was taken from the drawn points."
)
DETECTION = (
    "Faces that the detector found, against boxes drawn by people: a find counts if it overlaps a drawn box by half "
    "(intersection over union, within the picture), the surest first, each box once."
)


def _silence(_: str, __: float) -> None:
    """Nobody is watching."""


# ── geometry ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, eq=False)
class Both:
    """One head against one scan: with the head's own size, None where the scan's is unknown, and with a free one."""

    metrical: GeometryScore | None
    scaled: GeometryScore

    @classmethod
    def of(cls, head: MeasuredHead, scan: Scan) -> Both:
        scores = [
            score_geometry(head.vertices, head.triangles, head.seven, scan, scale=scale)
            if scale or scan.metric
            else None
            for scale in (False, True)
        ]
        assert scores[1] is not None
        return cls(scores[0], scores[1])


@dataclass(frozen=True, eq=False)
class GeometryRow:
    """One photo: the fitted head's errors beside the mean head's; `fit` is None where `error` says why."""

    case: Case
    picture: str
    fit: Both | None
    mean: Both
    seconds: float
    error: str = ""


def measure_geometry(
    folder: str | Path,
    backend: str | HeadMaker | None = None,
    progress: Progress | None = None,
    *,
    model: HeadModel | None = None,
) -> Report:
    """Scans and photos of a folder in one of the known layouts; `backend` is a name or makes a head from a photo.

    A photo that gives no head is listed and left out of the means. Raises BadInput if the folder is of no known
    layout or a scan cannot be read.
    """
    layout, cases = find_cases(Path(folder))
    prior = mean_head(model or current_model())
    make = backend if callable(backend) else head_maker(backend or "headform", model)
    tell = progress or _silence
    rows: list[GeometryRow] = []
    figures: list[Figure] = []
    loaded: tuple[Any, ScanMesh, Scan, Both] | None = None
    for number, case in enumerate(cases):
        tell(f"{case.subject}: reading the scan", number / len(cases))
        if loaded is None or loaded[0] != case.source:
            mesh, scan = load_scan(case.source)
            loaded = (case.source, mesh, scan, Both.of(prior, scan))
        _, mesh, scan, mean = loaded
        pictures = list(case.pictures(mesh, scan))
        for turn, (name, take) in enumerate(pictures):
            tell(f"{case.subject}, {name}: measuring", (number + turn / len(pictures)) / len(cases))
            row, photo, head = _measured(case, name, take, make, scan, mean)
            rows.append(row)
            if row.fit and photo and head and len({f.group for f in figures}) < MOST_PICTURES:
                figures += _geometry_figures(row, photo, head, prior, mesh, scan)
    tell("done", 1.0)
    return geometry_report(layout, rows, figures)


def _measured(
    case: Case, name: str, take: Callable[[], Photo], make: HeadMaker, scan: Scan, mean: Both
) -> tuple[GeometryRow, Photo | None, MeasuredHead | None]:
    try:
        photo = take()
        begin = time.perf_counter()
        head = make(photo)
        seconds = time.perf_counter() - begin
        return GeometryRow(case, name, Both.of(head, scan), mean, seconds), photo, head
    except HeadformError as error:
        return GeometryRow(case, name, None, mean, 0.0, str(error)), None, None


def _geometry_figures(
    row: GeometryRow, photo: Photo, head: MeasuredHead, prior: MeasuredHead, mesh: ScanMesh, scan: Scan
) -> list[Figure]:
    assert row.fit is not None
    group = f"{row.case.subject}, {row.case.condition}, {row.picture}"
    out = []
    if head.marks is not None:
        out.append(Figure(points_over(photo.pixels, head.marks), "the head's landmarks on the photo", group))
    for words, whose, score in (("fit", head, row.fit), ("mean head", prior, row.mean)):
        shown = score.metrical or score.scaled
        tree = MeshTree.of(whose.vertices * MM, whose.triangles)
        drawn = error_picture(mesh, scan, tree, shown.placing)
        if drawn is not None:
            kind = "metrical" if score.metrical else "scaled"
            out.append(Figure(drawn, f"{words}, {kind}: median {shown.median:.2f} mm", group))
    out.append(Figure(scale_bar(), "distance to the head", group, "PNG"))
    return out


def geometry_report(layout: str, rows: Sequence[GeometryRow], figures: Iterable[Figure] = ()) -> Report:
    """The tables: each photo; each subject; the mean over subjects; and, as NoW counts, over all points together."""
    columns = ("subject", "condition", "photo", *_columns(), "factor", "seconds")
    each = [
        (r.case.subject, r.case.condition, r.picture, *_numbers([r]), r.fit.scaled.factor if r.fit else None, r.seconds)
        for r in rows
    ]
    subjects = list(dict.fromkeys(r.case.subject for r in rows))
    people = [_numbers([r for r in rows if r.case.subject == name]) for name in subjects]
    conditions = list(dict.fromkeys(r.case.condition for r in rows))
    mean = tuple(_mean(column) for column in zip(*people, strict=True)) if people else ()
    summary = [(name, *numbers) for name, numbers in zip(subjects, people, strict=True)]
    summary += [("mean of all", *mean)]
    pooled = [(name, *_pooled([r for r in rows if r.case.condition == name])) for name in conditions]
    pooled += [("all", *_pooled(rows))]
    failed = [(r.case.subject, r.picture, r.error) for r in rows if r.error]
    tables = [
        Table("Subjects", ("subject", *_columns()), tuple(summary), 1, note="Means over each subject's photos."),
        Table("All points together, as NoW counts", ("condition", *_columns(pooled=True)), tuple(pooled), 1),
        Table("Photos", columns, tuple(each)),
    ]
    if failed:
        tables.append(Table("Photos without a head", ("subject", "photo", "reason"), tuple(failed)))
    numbers = {
        "kind": "geometry",
        "layout": layout,
        "unit": "mm",
        "subjects": [_named(("subject", *_columns()), row) for row in summary],
        "points": [_named(("condition", *_columns(pooled=True)), row) for row in pooled],
        "photos": [_named(columns, row) | {"error": r.error} for row, r in zip(each, rows, strict=True)],
        "failed": len(failed),
    }
    return Report(f"Geometry: {layout}", GEOMETRY, tuple(tables), tuple(figures), numbers)


WHAT = (("fit", "metrical"), ("mean head", "metrical"), ("fit", "scaled"), ("mean head", "scaled"))


def _columns(pooled: bool = False) -> tuple[str, ...]:
    measures = ("median", "mean", "std") if pooled else ("median", "mean")
    return tuple(f"{whose}, {size} {what}" for whose, size in WHAT for what in measures)


def _scores(rows: Sequence[GeometryRow], whose: str, size: str) -> list[GeometryScore]:
    """Of the photos that gave a head: fit and mean head are compared on the same ones."""
    both = [r.fit if whose == "fit" else r.mean for r in rows if r.fit]
    scores = [b.metrical if size == "metrical" else b.scaled for b in both if b]
    return [score for score in scores if score is not None]


def _numbers(rows: Sequence[GeometryRow]) -> tuple[Cell, ...]:
    out: list[Cell] = []
    for whose, size in WHAT:
        scores = _scores(rows, whose, size)
        out += [_mean([s.median for s in scores]), _mean([s.mean for s in scores])]
    return tuple(out)


def _pooled(rows: Sequence[GeometryRow]) -> tuple[Cell, ...]:
    out: list[Cell] = []
    for whose, size in WHAT:
        errors = [s.errors for s in _scores(rows, whose, size)]
        every = np.concatenate(errors) if errors else np.zeros(0)
        out += [float(f(every)) for f in (np.median, np.mean, np.std)] if len(every) else [None, None, None]
    return tuple(out)


def _mean(values: Iterable[Any]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _named(columns: Sequence[str], row: Sequence[Cell]) -> dict[str, Cell]:
    return {name.replace(", ", " ").replace(" ", "_"): value for name, value in zip(columns, row, strict=True)}


# ── landmarks ────────────────────────────────────────────────────────────────────────────────────


def measure_landmarks(
    folder: str | Path,
    backend: str | Predictor | None = None,
    progress: Progress | None = None,
    *,
    model: HeadModel | None = None,
) -> Report:
    """Photos with 68 drawn points; `backend` is a name or makes (68, 2) pixels from a photo and a face.

    Raises BadInput if the folder holds no such photos or they cannot be read.
    """
    place = Path(folder)
    if not place.is_dir():
        raise BadInput(f"{place} is no folder; give one with photos and gt.json, gt.csv or .pts files")
    try:
        drawn = read_drawn(place)
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise BadInput(f"{place}: its drawn points cannot be read ({error!r}); each photo needs 68 of them") from error
    predict = backend if callable(backend) else point_maker(backend or "headform", model)
    tell = progress or _silence
    scores: list[LandmarkScore] = []
    figures: list[Figure] = []
    failed: list[tuple[Cell, ...]] = []
    for number, one in enumerate(drawn):
        tell(f"{one.photo.name}: measuring", number / len(drawn))
        try:
            score = score_landmarks(one, predict)
        except HeadformError as error:
            failed.append((str(one.photo.relative_to(place)), str(error)))
            continue
        scores.append(score)
        if len(figures) < MOST_PICTURES:
            shown = points_over(Photo.open(one.photo).pixels, score.predicted, one.points)
            figures.append(Figure(shown, f"{one.photo.name}: {100 * score.mean:.2f} %", "Found in red, drawn in green"))
    tell("done", 1.0)
    if not scores:
        raise BadInput(f"{place}: none of {len(drawn)} photos could be measured; the first: {failed[0][1]}")
    return landmark_report(place, scores, failed, figures)


def landmark_report(
    folder: Path,
    scores: Sequence[LandmarkScore],
    failed: Sequence[tuple[Cell, ...]] = (),
    figures: Sequence[Figure] = (),
) -> Report:
    """The tables: bins of yaw, all, and each photo; in percent."""
    columns = ("photos", "missed", "mean", "median", *GROUPS)
    bins = [(name, *_percents(means)) for name, means in by_yaw(scores).items()]
    summary = [*bins, ("all", *_percents(MeanErrors.of(scores)))]
    each = [
        (
            str(s.drawn.photo.relative_to(folder)),
            float(s.drawn.yaw),
            "" if s.found else "missed",
            100 * s.mean,
            *(100 * float(s.errors[rows].mean()) for rows in GROUPS.values()),
        )
        for s in scores
    ]
    names = ("photo", "yaw", "face", "mean", *GROUPS)
    even = 100 * balanced(scores)
    note = f"Mean of the bins of known yaw, each counted alike: {even:.2f} %."
    tables = [Table("By yaw", ("|yaw|", *columns), tuple(summary), 1, note=note), Table("Photos", names, tuple(each))]
    if failed:
        tables.append(Table("Photos that could not be measured", ("photo", "reason"), tuple(failed)))
    numbers = {
        "kind": "landmarks",
        "unit": "percent of the root of the box",
        "balanced": even,
        "yaw": [_named(("bin", *columns), row) for row in summary],
        "photos": [_named(names, row) for row in each],
        "failed": [_named(("photo", "reason"), row) for row in failed],
    }
    return Report(f"Landmarks: {folder.resolve().name}", LANDMARKS, tuple(tables), tuple(figures), numbers)


def _percents(means: MeanErrors) -> tuple[Cell, ...]:
    groups = (100 * means.groups[name] for name in GROUPS)
    return (means.photos, means.missed, 100 * means.mean, 100 * means.median, *groups)


# ── detection ────────────────────────────────────────────────────────────────────────────────────


def measure_detection(folder: str | Path, detect: Detector | None = None, progress: Progress | None = None) -> Report:
    """Photos with drawn boxes, and photos without faces; `detect` makes boxes from pixels (`find_faces`).

    Raises BadInput if the folder holds neither or a photo cannot be read.
    """
    framed = read_framed(Path(folder))
    look = detect or find_faces
    tell = progress or _silence
    scores: list[DetectionScore] = []
    figures: list[Figure] = []
    for number, one in enumerate(framed):
        tell(f"{one.name}: measuring", number / len(framed))
        score = score_detection(one, look)
        scores.append(score)
        if (score.missed or score.false) and len(figures) < MOST_PICTURES:
            shown = boxes_over(Photo.open(one.photo).pixels, score.found, score.match, one.boxes)
            words = f"{one.name}: {score.missed} missed, {score.false} false"
            figures.append(Figure(shown, words, "Mistakes: drawn in green, found in blue, false in red"))
    tell("done", 1.0)
    return detection_report(Path(folder), scores, figures)


def detection_report(folder: Path, scores: Sequence[DetectionScore], figures: Sequence[Figure] = ()) -> Report:
    """The tables: photos with faces, photos without, all; and each photo."""
    kinds = {
        "photos with faces": [s for s in scores if len(s.framed.boxes)],
        "photos without faces": [s for s in scores if not len(s.framed.boxes)],
        "all": list(scores),
    }
    columns = ("photos", "faces", "found", "missed", "false", "recall", "precision")
    summary = [(name, *_total(DetectionTotal.of(rows))) for name, rows in kinds.items() if rows]
    names = ("photo", "faces", "found", "missed", "false")
    each = [(s.framed.name, len(s.framed.boxes), s.hits, s.missed, s.false) for s in scores]
    tables = (Table("Summary", ("of", *columns), tuple(summary), 1, 3), Table("Photos", names, tuple(each)))
    numbers = {
        "kind": "detection",
        "summary": [_named(("of", *columns), row) for row in summary],
        "photos": [_named(names, row) for row in each],
    }
    return Report(f"Detection: {folder.resolve().name}", DETECTION, tables, tuple(figures), numbers)


def _total(total: DetectionTotal) -> tuple[Cell, ...]:
    missed = total.faces - total.hits
    return (total.photos, total.faces, total.hits, missed, total.false, total.recall, total.precision)

"""How good the fit is, stage by stage, and what it costs.

    python bench/bench_fit.py --ict ict_head.npz [--scans SCANS] [--pairs PHOTO PHOTO ...] [--heads 20]

Geometry: heads of ICT-FaceKit (seed 7: none had a part in building the head, in calibrating or in training), each
drawn from the front and from 30° to both sides, in skins, light and lenses of their own (seed 977); the median
distance from the face of the scan to the neutral head, best similarity, mean over the pictures, in mm. The face is
NoW's sphere; in brackets the smaller region of the first prototype: within 95 mm of the nose tip, from 42 mm above
the eyes to 58 mm under the mouth. With --scans the same for scans with their own texture. Pairs are photos of one
person: the mean distance of the neutral faces along their normals, rigidly aligned.
Timings are medians after one call to warm up. Needs scipy (`pip install "headform[build]"`).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from ict_heads import pictures, scans

from headform.errors import BadInput
from headform.fit import HeadFit, fit_photo
from headform.fit.errors import PointErrors, shipped_errors
from headform.fit.fitter import DOUBT, TEMPER, described, mean_fit, placed_mean
from headform.fit.resemblance import shipped_resemblance
from headform.fit.solve import Evidence, solve, target_of
from headform.head import HeadModel, load_default
from headform.learn.renders import Stage
from headform.measure.geometry import Scan, sample_face, score_geometry
from headform.measure.heads import face_triangles, seven_of
from headform.measure.layouts import find_cases, load_scan
from headform.photo import Photo, Sighting, see
from headform.render.surface import vertex_normals

Fit = Callable[[Photo, Sighting, HeadModel], HeadFit]
Case = tuple[Scan, Scan, Photo, Sighting]

SKINS, SKIN_SEED, HEAD_SEED = 30, 977, 7


def landmarks_only(gain: bool) -> Fit:
    """Points with their measured bias and covariance, with or without what they do not see of the identity."""

    def fit(photo: Photo, sighting: Sighting, model: HeadModel) -> HeadFit:
        start, units = placed_mean(photo, sighting, model)
        errors = shipped_errors("landmarks")
        if not gain:
            errors = replace(errors, gain=np.zeros((*errors.gain.shape[:2], 0)))
        points = sighting.landmarks.points
        evidence = Evidence(points, np.ones(len(points)), errors, TEMPER)
        return described(photo, sighting, model, solve(target_of(model), evidence, units, start))

    return fit


def plain(photo: Photo, sighting: Sighting, model: HeadModel) -> HeadFit:
    """Points as they are found, each with the same error: no measured error model."""
    start, units = placed_mean(photo, sighting, model)
    points = sighting.landmarks.points
    nothing = PointErrors(
        np.zeros((6, 478, 3)), np.zeros((478, 3, 0)), np.zeros((1434, 1)), np.full(1, 1e-12), np.full(1434, 0.01**2)
    )
    evidence = Evidence(points, np.ones(len(points)), nothing, 25.0)
    return described(photo, sighting, model, solve(target_of(model), evidence, units, start))


def descriptor_only(photo: Photo, sighting: Sighting, model: HeadModel) -> HeadFit:
    """The shape that the identity descriptor alone tells."""
    start, _ = placed_mean(photo, sighting, model)
    curve, slope = shipped_resemblance().normal_equations(sighting.embedding, sighting.yaw, sighting.pitch, start.beta)
    beta = np.linalg.solve(curve / DOUBT + np.eye(len(slope)), -slope / DOUBT)
    return described(photo, sighting, model, replace(start, beta=beta))


STAGES: dict[str, Fit] = {
    "mean head": mean_fit,
    "points, plain": plain,
    "points, bias and covariance": landmarks_only(False),
    "points, and what they miss": landmarks_only(True),
    "descriptor alone": descriptor_only,
    "points and descriptor (shipped)": fit_photo,
}


def ict_cases(model: HeadModel, path: Path, count: int) -> list[Case]:
    stage = Stage.of(model, SKINS, SKIN_SEED)
    rows = model.embeddings["now_7"]
    out = []
    for number, scan in enumerate(scans(model, path, count, HEAD_SEED)):
        seven = rows.points(scan.worn) * 1e3
        vertices = scan.vertices * 1e3
        both = [
            Scan(scan.name, vertices, scan.triangles, seven, points)
            for points in (
                sample_face(vertices, scan.triangles, seven),
                prototype_face(vertices, scan.triangles, seven),
            )
        ]
        for picture in pictures(stage, scan, 7000 + number):
            photo = Photo.of(picture, scan.name)
            try:
                out.append((both[0], both[1], photo, see(photo, 1)[0]))
            except BadInput as error:
                print(f"left out: {error}")
    return out


def scan_cases(folder: Path) -> list[Case]:
    out = []
    for case in find_cases(folder)[1]:
        mesh, scan = load_scan(case.source)
        small = replace(scan, points=prototype_face(scan.vertices, scan.triangles, scan.seven))
        for _, take in case.pictures(mesh, scan):
            photo = take()
            out.append((scan, small, photo, see(photo, 1)[0]))
    return out


def prototype_face(vertices: Any, triangles: Any, seven: Any) -> Any:
    """(n, 3) the vertices of the prototype's face region that look forward."""
    nose = vertices[np.where(np.linalg.norm(vertices - seven[4], axis=1) < 40, vertices[:, 2], -np.inf).argmax()]
    normals = vertex_normals(vertices.astype(np.float32), triangles)
    kept = (
        (normals[:, 2] > 0.1)
        & (np.linalg.norm(vertices - nose, axis=1) < 95)
        & (vertices[:, 1] < seven[:4, 1].mean() + 42)
        & (vertices[:, 1] > seven[5:, 1].mean() - 58)
    )
    wide = sample_face(vertices, triangles, seven, 20000)  # only what is seen from outside
    near = np.linalg.norm(wide[None, ::20] - vertices[kept][:, None], axis=-1).min(1) < 6
    return vertices[kept][near]


def geometry(name: str, cases: list[Case], model: HeadModel) -> None:
    print(f"{name}, {len(cases)} pictures: median mm over NoW's face (over the prototype's), similarity")
    triangles = face_triangles(model)
    for label, fit in STAGES.items():
        wide, small = [], []
        for scan, inner, photo, sighting in cases:
            head = fit(photo, sighting, model).neutral(model)
            seven = seven_of(model, head)
            wide.append(score_geometry(head, triangles, seven, scan, scale=True).median)
            small.append(score_geometry(head, triangles, seven, inner, scale=True).median)
        print(f"  {label:34} {np.mean(wide):.3f}  ({np.mean(small):.3f})", flush=True)


def pairs(paths: list[Path], model: HeadModel) -> None:
    heads = []
    for path in paths:
        photo = Photo.open(path)
        heads.append(fit_photo(photo, see(photo, 1)[0], model).neutral(model))
    embedding = model.embeddings["mediapipe_478"]
    normals = embedding.points(vertex_normals(model.rest(), model.triangles))[:468]
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    print("two photos of one person: mm along the normals, mean over the face")
    for first in range(0, len(heads) - 1, 2):
        a, b = (embedding.points(head)[:468].astype(float) * 1e3 for head in heads[first : first + 2])
        u, _, vt = np.linalg.svd((b - b.mean(0)).T @ (a - a.mean(0)))
        turn = u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt
        gap = (a - a.mean(0)) @ turn.T - (b - b.mean(0))
        print(f"  {paths[first].name} {paths[first + 1].name}: {np.abs((gap * normals).sum(1)).mean():.2f}")


def timing(photo: Photo, model: HeadModel) -> None:
    sighting = see(photo, 1)[0]
    for name, call in (("see", lambda: see(photo, 1)), ("fit", lambda: fit_photo(photo, sighting, model))):
        call()
        times = []
        for _ in range(9):
            begin = time.perf_counter()
            call()
            times.append(time.perf_counter() - begin)
        size = "×".join(map(str, photo.pixels.shape[1::-1]))
        print(f"{name}: {1e3 * sorted(times)[4]:.0f} ms, warm, one face in {size}")


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--ict", type=Path)
    ask.add_argument("--scans", type=Path)
    ask.add_argument("--pairs", type=Path, nargs="*", default=[])
    ask.add_argument("--photo", type=Path, help="for the timings")
    ask.add_argument("--heads", type=int, default=20)
    given = ask.parse_args()
    model = load_default()
    if given.photo:
        timing(Photo.open(given.photo), model)
    if given.pairs:
        pairs(given.pairs, model)
    if given.scans:
        cases = scan_cases(given.scans)
        for name in sorted({case[0].name for case in cases}):
            geometry(name, [case for case in cases if case[0].name == name], model)
    if given.ict:
        geometry("ICT-FaceKit", ict_cases(model, given.ict, given.heads), model)


if __name__ == "__main__":
    main()

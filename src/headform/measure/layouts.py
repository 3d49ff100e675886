"""The folders in which scans and photos of people are kept: NoW, REALY, FaceScape, MICC, and a plain one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from headform.errors import BadInput
from headform.head.obj import read_obj_vertices
from headform.measure.geometry import (
    POINTS,
    SEED,
    Doubles,
    Placing,
    Scan,
    head_frame,
    sample_face,
    sample_surface,
    vertices_in_face,
)
from headform.measure.scanfile import ScanMesh, read_scan_mesh, read_seven
from headform.measure.scanview import VIEWS, find_seven, photograph
from headform.photo.picture import ENDINGS, Photo

NOW_IN_IBUG = [36, 39, 42, 45, 33, 48, 54]
REGIONS = ("nose", "mouth", "forehead", "cheek")
NEUTRAL = "1_neutral"  # FaceScape's first expression
SIDEMOST = 60.0  # degrees: FaceScape's cameras stand all around, farther round there is no face to see
LIKELY_SIZE = (150.0, 2000.0)  # mm of a scan's longest side: less or more is another unit
LIKELY_EYES = (60.0, 130.0)  # mm between the outer corners: 75 of a small child to 110
USUAL_EXTENT = 300.0  # mm that a scan of unknown unit is taken for until its face is found


class Region(Enum):
    """Which points of a scan are measured from."""

    EVEN = "even"  # evenly over the face that is seen from in front
    VERTICES = "vertices"  # the scan's own vertices in the face's sphere, as NoW does
    WHOLE = "whole"  # evenly over all of it: the scan is cut already


@dataclass(frozen=True)
class ScanSource:
    """Where a scan comes from: one or more meshes, its landmarks, and how to read them.

    seven   a .pp, .json or .txt of seven points, or an .obj whose first 68 vertices are iBUG's; None: to be found
    placing from the file's unit to millimetres, if it is known to be something else
    metric  whether its size is real
    """

    name: str
    meshes: tuple[Path, ...]
    seven: Path | None = None
    region: Region = Region.EVEN
    placing: Placing | None = None
    metric: bool = True


@dataclass(frozen=True)
class Case:
    """One person in one condition. Without photos, the scan itself is photographed."""

    subject: str
    condition: str
    source: ScanSource
    photos: tuple[Path, ...] = ()

    def pictures(self, mesh: ScanMesh, scan: Scan) -> Iterator[tuple[str, Callable[[], Photo]]]:
        """A name for each picture and how to get it; `mesh` and `scan` are what `load_scan` gave."""
        for path in self.photos:
            yield path.stem, lambda path=path: Photo.open(path)  # type: ignore[misc]
        if not self.photos:
            for yaw in VIEWS:
                yield f"{yaw:+.0f}°", lambda yaw=yaw: _portrait(mesh, scan, yaw)  # type: ignore[misc]


def _portrait(mesh: ScanMesh, scan: Scan, yaw: float) -> Photo:
    """A portrait of the scan. Its camera is kept a secret, as that of most photos is."""
    pixels, _ = photograph(mesh, scan.seven, yaw)
    return Photo.of(pixels, f"{scan.name} {yaw:+.0f}°")


def load_scan(source: ScanSource) -> tuple[ScanMesh, Scan]:
    """The mesh and what is measured on it, both in millimetres, or in units of a usual face if it is not metric.

    Raises BadInput if a file cannot be read or no landmarks are found.
    """
    mesh = _joined([read_scan_mesh(path) for path in source.meshes])
    seven = None if source.seven is None else _read_seven(source.seven)
    if source.placing is not None:
        mesh = replace(mesh, vertices=source.placing.apply(mesh.vertices))
        seven = None if seven is None else source.placing.apply(seven)
    extent = float(np.ptp(mesh.vertices, axis=0).max())
    if not extent > 0:
        raise BadInput(f"the scan {source.name} is a single point; check {source.meshes[0]}")
    metric = source.metric and LIKELY_SIZE[0] <= extent <= LIKELY_SIZE[1]
    if not metric:
        mesh, seven = _scaled(mesh, seven, USUAL_EXTENT / extent)
    found = find_seven(mesh, source.name) if seven is None else seven
    metric = metric and LIKELY_EYES[0] <= float(np.linalg.norm(found[0] - found[3])) <= LIKELY_EYES[1]
    if not metric:
        mesh, seven = _scaled(mesh, found, head_frame(found).factor)
        found = found if seven is None else seven
    return mesh, Scan(source.name, mesh.vertices, mesh.triangles, found, _points(mesh, found, source.region), metric)


def find_cases(folder: Path) -> tuple[str, list[Case]]:
    """The layout's name and its cases. Raises BadInput, with what was looked for, if the layout is none of ours."""
    if not folder.is_dir():
        raise BadInput(f"{folder} is no folder; give one with scans")
    for name, (find, _) in LAYOUTS.items():
        cases = find(folder)
        if cases:
            return name, cases
    looked = "; ".join(f"{name}: {what}" for name, (_, what) in LAYOUTS.items())
    raise BadInput(f"{folder} holds no scans in a known layout; looked for {looked}")


# ── the layouts ──────────────────────────────────────────────────────────────────────────────────


def find_now(folder: Path) -> list[Case]:
    """NoW (Sanyal et al. 2019), millimetres; one case for each subject and condition.

    Facts, from soubhiksanyal/now_evaluation: `scans/<subject>/*.obj`, `scans_lmks_onlypp/<subject>/*.pp` (MeshLab's
    picked points, seven, in our order), photos in `iphone_pictures/<subject>/<condition>/*`, conditions
    multiview_neutral, multiview_expressions, multiview_occlusions and selfie, and a list of the validation photos,
    `imagepathsvalidation.txt`, that is obeyed if it is there. Photos are looked for at `iphone_pictures` here or
    anywhere up to three folders down (`NoW_Dataset/final_release_version` in the download). Subjects without scan
    (the test set) are left out.
    """
    pictures = next(
        (p for up in ("", "*/", "*/*/", "*/*/*/") for p in sorted(folder.glob(up + "iphone_pictures"))), None
    )
    scans, marks = folder / "scans", folder / "scans_lmks_onlypp"
    if pictures is None or not scans.is_dir():
        return []
    allowed = _listed(folder / "imagepathsvalidation.txt")
    cases = []
    for subject in _folders(pictures):
        meshes = sorted((scans / subject.name).glob("*.obj"))
        if not meshes:
            continue
        points = next(iter(sorted((marks / subject.name).glob("*.pp"))), None)
        source = ScanSource(subject.name, (meshes[0],), points, Region.VERTICES)
        for condition in _folders(subject):
            photos = _photos(condition)
            if allowed is not None:
                photos = [p for p in photos if (subject.name, condition.name, p.name) in allowed]
            if photos:
                cases.append(Case(subject.name, condition.name, source, tuple(photos)))
    return cases


def find_realy(folder: Path) -> list[Case]:
    """REALY (Chai et al. 2022); one case for each subject and folder of photos.

    Facts, from czh-98/REALY: `REALY_scan_region/<id>/{nose,mouth,forehead,cheek}.obj`,
    `REALY_HIFI3D_keypoints/<id>.obj` with 85 vertices, `metrical_scale.txt` with millimetres per unit, row id − 1,
    photos `REALY_image/<kind>/<id>*.png`. Taken for granted, not stated there: the first 68 keypoints are iBUG's, in
    its order. Without `metrical_scale.txt` only errors with a free scale are given. This is NoW's distance on REALY's
    four regions at once, not REALY's own error, which aligns and deforms each region by itself.
    """
    regions, marks = folder / "REALY_scan_region", folder / "REALY_HIFI3D_keypoints"
    if not regions.is_dir():
        return []
    sizes = _first_file(folder, "metrical_scale.txt", "data/metrical_scale.txt")
    scales = None if sizes is None else _numbers(sizes)
    cases = []
    for subject in _folders(regions):
        meshes = tuple(p for p in (subject / f"{region}.obj" for region in REGIONS) if p.is_file())
        if not meshes:
            continue
        number = int(subject.name) if subject.name.isdigit() else 0
        known = scales is not None and 1 <= number <= len(scales)
        size = Placing(float(scales[number - 1]), np.eye(3), np.zeros(3)) if scales is not None and known else None
        source = ScanSource(
            f"subject {subject.name}", meshes, _file(marks / f"{subject.name}.obj"), Region.WHOLE, size, known
        )
        kinds = [k for k in (folder / "REALY_image", *_folders(folder / "REALY_image")) if "depth" not in k.name]
        for kind in kinds:
            photos = [p for p in _photos(kind) if p.stem.split("_")[0] == subject.name and "depth" not in p.stem]
            if photos:
                cases.append(Case(source.name, kind.name, source, tuple(photos)))
    return cases


def find_facescape_models(folder: Path) -> list[Case]:
    """FaceScape's topologically uniform models (Yang et al. 2020): `<id>/models_reg/1_neutral.obj`, millimetres.

    Facts, from zhuhao-nju/facescape and those who use it: the texture is `1_neutral.jpg` beside the mesh; only the
    neutral expression is measured. There are no photos: the textured model is photographed. The eyes of some
    textures are blotted out for privacy, which spoils their portraits.
    """
    meshes = sorted(folder.glob(f"*/models_reg/{NEUTRAL}.obj"), key=lambda p: _by_number(p.parts[-3]))
    return [Case(p.parts[-3], "rendered", ScanSource(p.parts[-3], (p,))) for p in meshes]


def find_facescape_views(folder: Path) -> list[Case]:
    """FaceScape's multi-view data: photos `<any>/<id>/1_neutral/<n>.jpg`, meshes `<any>/<id>/1_neutral.ply`.

    Facts, from zhuhao-nju/facescape: `params.json` beside the photos says with `<n>_valid` which to use and gives
    each camera, `<n>_Rt`, x = R X + t; the meshes have another scale and axes for each scan, and
    `Rt_scale_dict.json` of its toolkit takes them to the uniform models' millimetres: R (scale · X) + t. Lay that
    file into the folder, or into `predef`: without it the size is unknown, only errors with a free scale are given,
    and photos from behind count as missed. Lens distortion is no matter here.
    """
    table = _first_file(folder, "Rt_scale_dict.json", "predef/Rt_scale_dict.json")
    placings = {} if table is None else _json(table)
    meshes = {p.parent.name: p for up in ("", "*/") for p in sorted(folder.glob(f"{up}*/{NEUTRAL}.ply"))}
    cases = []
    for up in ("", "*/"):
        for params in sorted(folder.glob(f"{up}*/{NEUTRAL}/params.json"), key=lambda p: _by_number(p.parts[-3])):
            name = params.parts[-3]
            if name not in meshes:
                continue
            placing = _facescape_placing(placings, name)
            photos = [p for p in _photos(params.parent) if _is_frontal(_json(params), p.stem, placing)]
            if photos:
                source = ScanSource(name, (meshes[name],), None, Region.EVEN, placing, placing is not None)
                cases.append(Case(name, NEUTRAL, source, tuple(photos)))
    return cases


def find_micc(folder: Path) -> list[Case]:
    """MICC Florence 2D/3D (Bagdanov et al. 2011): `subject_<nn>/Model/frontal1/obj/*.obj`, else `frontal2`.

    Facts, from projects that read it: the folders above, the texture a .bmp beside the mesh, no landmarks. The
    unit is taken to be the scanner's, millimetres; a face of impossible size is measured with a free scale alone.
    The photos of the dataset are videos: lay frames of them anywhere in `subject_<nn>`, outside `Model`, each folder
    being a condition; without any, the textured scan is photographed.
    """
    cases = []
    for subject in sorted(folder.glob("subject_*")):
        meshes = [p for scan in ("frontal1", "frontal2") for p in sorted(subject.glob(f"Model/{scan}/obj/*.obj"))]
        if not meshes:
            continue
        source = ScanSource(subject.name, (meshes[0],), _landmarks_beside(meshes[0].parent))
        inside = [d for d in [subject, *sorted(p for p in subject.rglob("*") if p.is_dir())] if "Model" not in d.parts]
        framed = [(d, _photos(d)) for d in inside]
        found = [Case(subject.name, d.name, source, tuple(photos)) for d, photos in framed if photos]
        cases += found or [Case(subject.name, "rendered", source)]
    return cases


def find_plain(folder: Path) -> list[Case]:
    """Ours: `<name>/mesh_mm.obj` (or .ply), in millimetres; the folder itself may be the one person.

    Beside it may lie `landmarks7.txt` or `.json` (seven rows of x, y, z; they are found if missing), a texture that the
    .mtl names or that is called `color.jpg`, and photos in `photos/`; without photos, the scan is photographed.
    """
    cases = []
    for place in (folder, *_folders(folder)):
        mesh = _first_file(place, "mesh_mm.obj", "mesh_mm.ply")
        if mesh is not None:
            name = place.resolve().name
            photos = tuple(_photos(place / "photos"))
            source = ScanSource(name, (mesh,), _landmarks_beside(place))
            cases.append(Case(name, "photos" if photos else "rendered", source, photos))
    return cases


LAYOUTS: dict[str, tuple[Callable[[Path], list[Case]], str]] = {
    "NoW": (find_now, "scans/<subject>/*.obj and iphone_pictures/<subject>/<condition>/*.jpg"),
    "REALY": (find_realy, "REALY_scan_region/<id>/nose.obj and REALY_image/<kind>/<id>.png"),
    "FaceScape models": (find_facescape_models, "<id>/models_reg/1_neutral.obj"),
    "FaceScape views": (find_facescape_views, "<id>/1_neutral.ply and <id>/1_neutral/params.json"),
    "MICC": (find_micc, "subject_<nn>/Model/frontal1/obj/*.obj"),
    "plain": (find_plain, "<name>/mesh_mm.obj"),
}


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


def _points(mesh: ScanMesh, seven: Doubles, region: Region) -> Doubles:
    if region is Region.VERTICES:
        return vertices_in_face(mesh.vertices, seven)
    if region is Region.WHOLE and len(mesh.triangles):
        return sample_surface(mesh.vertices, mesh.triangles, POINTS, np.random.default_rng(SEED))
    return sample_face(mesh.vertices, mesh.triangles, seven)


def _read_seven(path: Path) -> Doubles:
    if path.suffix.lower() != ".obj":
        return read_seven(path)
    points = read_obj_vertices(path)
    if len(points) < 68:
        raise BadInput(f"{path} has {len(points)} keypoints; 68 or more are needed")
    return points[NOW_IN_IBUG]


def _scaled(mesh: ScanMesh, seven: Doubles | None, factor: float) -> tuple[ScanMesh, Doubles | None]:
    return replace(mesh, vertices=mesh.vertices * factor), None if seven is None else seven * factor


def _joined(meshes: list[ScanMesh]) -> ScanMesh:
    """Several meshes as one; only a single one keeps its texture."""
    if len(meshes) == 1:
        return meshes[0]
    first = np.cumsum([0, *(len(m.vertices) for m in meshes)])
    triangles = np.concatenate([m.triangles + at for m, at in zip(meshes, first, strict=False)]).astype(np.int32)
    vertices = np.concatenate([m.vertices for m in meshes])
    return ScanMesh(vertices, triangles, np.zeros((0, 2)), np.zeros((0, 3), np.int32))


def _facescape_placing(table: Any, name: str) -> Placing | None:
    try:
        scale, motion = table[name]["1"][:2]
        matrix = np.asarray(motion, np.float64)[:3]
        return Placing(float(scale), matrix[:, :3], matrix[:, 3])
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def _is_frontal(params: Any, view: str, placing: Placing | None) -> bool:
    """Whether a camera is valid and, if the axes are known, within SIDEMOST of where the face looks: +Z."""
    if not isinstance(params, dict) or not params.get(f"{view}_valid", True):
        return False
    motion = np.asarray(params.get(f"{view}_Rt", []), np.float64)
    if placing is None or motion.shape != (3, 4):
        return True
    eye = placing.apply(-motion[:, :3].T @ motion[:, 3])
    return bool(eye[2] > np.cos(np.radians(SIDEMOST)) * np.linalg.norm(eye))


def _landmarks_beside(folder: Path) -> Path | None:
    return _first_file(folder, "landmarks7.txt", "landmarks7.json", "landmarks7.pp")


def _first_file(folder: Path, *names: str) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _file(path: Path) -> Path | None:
    return path if path.is_file() else None


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and p.name[0] != ".") if folder.is_dir() else []


def _photos(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(
        (p for p in folder.iterdir() if p.suffix.lower() in ENDINGS and p.name[0] != "."),
        key=lambda p: _by_number(p.stem),
    )


def _by_number(name: str) -> tuple[float, str]:
    """A key that puts 2 before 10."""
    return (float(name) if name.isdigit() else float("inf"), name)


def _listed(path: Path) -> set[tuple[str, ...]] | None:
    """The last three parts of each path of a list, or None if there is no list."""
    if not path.is_file():
        return None
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return {tuple(line.strip().split("/")[-3:]) for line in lines if line.strip()}


def _numbers(path: Path) -> Doubles:
    try:
        return np.array(path.read_text(encoding="utf-8").split(), np.float64)
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} is no list of numbers: {error}") from error


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} is no JSON that can be read: {error}") from error

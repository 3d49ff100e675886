"""Times of the morphable head, and how well it covers scan-based heads.

    python bench/bench_head.py [--ict ict_head.npz]

Single heads are timed on one thread (medians, in one run); batches on all cores. Coverage needs ICT-FaceKit's
data and scipy (`pip install "headform[build]"`): it fits β alone, with no free-form step, to identities that had
no part in building the head (seed 7; the build drew with seed 2026).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

HEADS, FRESH_SEED, FACE_VERTICES = 20, 7, 6706  # ICT's narrow face is its first 6706 vertices
OUTER = 11248
ITERATIONS, RIDGE = 30, 1e-9  # m² per standard deviation: about 0.03 mm
LANDMARKS = Path(__file__).parents[1] / "assets/head/landmarks_68_ict.txt"


def median_ms(call: Callable[[], object], rounds: int = 60) -> float:
    for _ in range(5):
        call()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return sorted(times)[rounds // 2] * 1e3


def speed() -> None:
    import numpy as np

    from headform.head.default import load_default
    from headform.head.jacobian import TrackedPoints
    from headform.head.subdivision import subdivide

    head = load_default()
    rng = np.random.default_rng(0)
    beta = rng.normal(size=head.identity_size).astype(np.float32)
    psi = rng.uniform(0, 0.5, 52).astype(np.float32)
    theta = rng.normal(0, 0.1, (5, 3)).astype(np.float32)
    person, tracked = head.person(beta), TrackedPoints(head, head.embeddings["mediapipe_478"])
    fine = subdivide(head.quads, head.quads_uv, head.uv, head.vertex_count)
    vertices = head.rest()
    print(f"{head.vertex_count} vertices, {head.identity_size} identity modes, {os.cpu_count()} cores")
    print(f"β, ψ, θ → posed vertices      {median_ms(lambda: head.posed(beta, psi, theta)):7.2f} ms (≤ 2)")
    print(f"the same, β fixed             {median_ms(lambda: person.posed(psi, theta)):7.2f} ms (≤ 0.7)")
    print(f"478 points with Jacobians     {median_ms(lambda: tracked.jacobian(beta, psi, theta), 20):7.2f} ms")
    print(f"subdivision                   {median_ms(lambda: fine.refine(vertices)):7.2f} ms")


def batch_speed() -> None:
    import numpy as np

    from headform.head.default import load_default

    head, count = load_default(), 512
    rng = np.random.default_rng(0)
    beta = rng.normal(size=(count, head.identity_size)).astype(np.float32)
    psi = rng.uniform(0, 0.5, (count, 52)).astype(np.float32)
    theta = rng.normal(0, 0.1, (count, 5, 3)).astype(np.float32)
    rate = count / median_ms(lambda: head.posed(beta, psi, theta), 7) * 1e3
    print(f"batch of {count}                  {rate:7.0f} heads/s (≥ 2000)")


def coverage(path: Path) -> None:
    import numpy as np

    with np.load(path) as data:
        neutral, identity = data["neutral"][:OUTER], data["identity"][:, :OUTER].astype(np.float32)
        quads = data["quads"][(data["quads"] < OUTER).all(1) & (data["quads"] >= 0).all(1)]
    seen = seen_from_outside(neutral * 0.01, quads)
    rng = np.random.default_rng(FRESH_SEED)
    marks = np.loadtxt(LANDMARKS, dtype=int)
    rows = []
    for _ in range(HEADS):
        scan = (neutral + np.tensordot(rng.normal(size=len(identity)), identity, 1)) * 0.01
        rows.append([fit_error_mm(scan, marks, seen, fit) for fit in (False, True)])
    mean_head, fitted = np.array(rows).transpose(1, 0, 2)
    for name, errors in (("mean head", mean_head), ("fitted β", fitted)):
        mean, ninety, worst = errors[:, 0].mean(), errors[:, 1].mean(), errors[:, 0].max()
        print(f"coverage, {name:10} {mean:6.2f} mm mean, {ninety:.2f} at 90 %, {worst:.2f} worst head")


def seen_from_outside(scan, quads):  # type: ignore[no-untyped-def]
    """Rows of the narrow face that some camera in front sees: the insides of nostrils and lips are no evidence."""
    import numpy as np

    from headform.render import Camera, rasterise, visible

    seen = np.zeros(FACE_VERTICES, bool)
    triangles = _triangles(quads).astype(np.int32)
    for yaw in np.radians((-70, -35, 0, 35, 70)):
        for pitch in np.radians((-20, 0, 20)):
            camera = Camera.parallel(float(yaw), float(pitch), 1024)
            raster = rasterise(scan.astype(np.float32), triangles, camera)
            seen |= visible(scan[:FACE_VERTICES], raster, camera, 0.001)
    return np.flatnonzero(seen)


def fit_error_mm(scan, marks, seen, fit: bool) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    """Mean and 90th percentile distance of a scan's face to our surface, rigidly aligned, β fitted or zero."""
    import numpy as np
    from scipy.spatial import cKDTree

    from headform.head.default import load_default
    from headform.head.subdivision import subdivide
    from headform.render.surface import vertex_normals

    head = load_default()
    skin = head.part == 0
    once = subdivide(head.quads[skin], head.quads_uv[skin], head.uv, int(head.quads[skin].max()) + 1)
    twice = subdivide(once.quads, once.quads_uv, once.uv, len(once.starts) - 1)
    count = int(head.quads[skin].max()) + 1
    face = scan[seen]
    marks_ours = head.embeddings["ibug_68"]
    beta = np.zeros(head.identity_size)
    turn, move = _rigid(marks_ours.points(head.rest())[17:], scan[marks][17:])
    modes = head.identity[:, :count]
    for _ in range(ITERATIONS):
        shape = head.template[:count] + np.tensordot(beta, modes, 1)
        points = once.refine(shape.astype(np.float32))
        normals = vertex_normals(points, _triangles(once.quads))
        placed = points @ turn.T + move
        distance, row = cKDTree(placed).query(face)
        good = distance < np.quantile(distance, 0.97)
        turn_more, move_more = _rigid(placed[row[good]], face[good])
        turn, move = turn_more @ turn, turn_more @ move + move_more
        if not fit:
            continue
        used, normal = row[good], normals[row[good]]
        stencil = np.stack([once.refine(mode)[used] for mode in modes])
        along = np.einsum("knj,nj->nk", stencil, normal)
        gap = ((face[good] - move) @ turn - points[used] + np.tensordot(beta, stencil, 1)) * normal
        left = along.T @ along + RIDGE * len(used) * np.eye(len(beta))
        beta = np.linalg.solve(left, along.T @ gap.sum(1))
    dense = twice.refine(once.refine((head.template[:count] + np.tensordot(beta, modes, 1)).astype(np.float32)))
    distance = cKDTree(dense @ turn.T + move).query(face)[0] * 1e3
    return float(distance.mean()), float(np.quantile(distance, 0.9))


def _rigid(ours, theirs):  # type: ignore[no-untyped-def]
    import numpy as np

    u, _, vt = np.linalg.svd((ours - ours.mean(0)).T @ (theirs - theirs.mean(0)))
    turn = (u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt).T
    return turn, theirs.mean(0) - turn @ ours.mean(0)


def _triangles(quads):  # type: ignore[no-untyped-def]
    import numpy as np

    return np.ascontiguousarray(quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3))


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--ict", type=Path)
    ask.add_argument("--batch", action="store_true", help="only the batch, on all cores")
    given = ask.parse_args()
    if given.batch:
        batch_speed()
        return
    speed()

    free = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    subprocess.run([sys.executable, __file__, "--batch"], env=free, check=True)
    if given.ict:
        coverage(given.ict)


if __name__ == "__main__":
    if "--batch" not in sys.argv:
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
            os.environ[name] = "1"
    main()

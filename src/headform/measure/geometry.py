"""How far a head is from a scan of the person: the protocol of the NoW benchmark.

Sanyal et al. 2019, and soubhiksanyal/now_evaluation: the prediction is laid on the scan by seven landmarks, then moved
rigidly so that the scan's face is as near to it as can be; what is measured is the distance of each point of the
scan's face to the prediction's surface. NoW's two variants: with a free scale, and metrical, without.

Differences to NoW's own program: it minimises the distances of all points of the face, we those of at most 5,000 less
the farthest 5 %; scans other than NoW's are sampled evenly over their surface, and only where it can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.errors import BadInput
from headform.head import load_default
from headform.measure.closest import MeshTree
from headform.render import Camera, rasterise, visible

Doubles = NDArray[np.float64]
Ints = NDArray[np.int32]

MM = 1000.0  # millimetres in a metre
KEPT = 0.95  # share of the scan's points that pull: the rest is hair, collars and holes
MOST_STEPS = 60
TOUCHING = 1e-6  # mm: nearer than this the way from mesh to scan is the triangle's normal
DAMPING = 1e-4  # of the mean curvature: what the surface does not say, such as the turn of a sphere, stays
PULLING = 5000  # points of the scan that the search asks at most; the errors are those of all
STILL = 1e-5  # mm: the search ends when a step brings the root mean square distance down by less
POINTS, SEED = 5000, 0
RADIUS = 0.7  # of the sphere, in sums of eye and nose lengths (NoW's compute_mask: 1.4 / 2)
RAISED = 0.3  # its centre, from the base of the nose towards the bridge
VIEWS = (-40.0, 0.0, 40.0)  # degrees of yaw: what none of them sees is inside, or behind
HIDDEN = 0.0015  # metres behind what is seen


@dataclass(frozen=True, eq=False)
class Scan:
    """A person as measured, in millimetres, in the scanner's own axes.

    vertices   (V, 3)
    triangles  (T, 3), (0, 3) for a cloud of points
    seven      (7, 3) outer and inner corner of the right eye, inner and outer corner of the left, base of the nose,
               right and left corner of the mouth; right and left are the person's
    points     (n, 3) on the face: the distances are measured from here
    metric     whether a millimetre is one; if not, only errors with a free scale mean anything
    """

    name: str
    vertices: Doubles
    triangles: Ints
    seven: Doubles
    points: Doubles
    metric: bool = True


@dataclass(frozen=True, eq=False)
class Placing:
    """`placed = factor · rotation @ x + translation`, x and placed in the same unit."""

    factor: float
    rotation: Doubles
    translation: Doubles

    def apply(self, points: ArrayLike) -> Doubles:
        """(..., 3) points, placed."""
        return np.asarray(self.factor * (np.asarray(points, np.float64) @ self.rotation.T) + self.translation)

    def undo(self, points: ArrayLike) -> Doubles:
        """(..., 3) placed points, back."""
        return np.asarray((np.asarray(points, np.float64) - self.translation) @ self.rotation / self.factor)


@dataclass(frozen=True, eq=False)
class GeometryScore:
    """errors (n,) mm of the scan's points; `placing` takes the head, in mm, to the scan."""

    errors: Doubles
    placing: Placing

    @property
    def median(self) -> float:
        return float(np.median(self.errors))

    @property
    def mean(self) -> float:
        return float(self.errors.mean())

    @property
    def std(self) -> float:
        return float(self.errors.std())

    @property
    def factor(self) -> float:
        """Scan's size over the head's; 1 where the scale was not free."""
        return self.placing.factor


def score_geometry(
    vertices: ArrayLike, triangles: ArrayLike, seven: ArrayLike, scan: Scan, *, scale: bool
) -> GeometryScore:
    """Distances of a scan's face to a head's surface, after the best rigid motion, or similarity with `scale`.

    The head: vertices (V, 3) in metres, triangles (T, 3), its landmarks `seven` (7, 3) in metres in the order of
    the embedding `now_7`. Raises BadInput where shapes do not fit or the scan has no face points.
    """
    landmarks = _seven(seven, "the head") * MM
    target = _seven(scan.seven, f"the scan {scan.name}")
    if not len(scan.points):
        raise BadInput(f"the scan {scan.name} has no points in its face region; check its seven landmarks")
    tree = MeshTree.of(np.asarray(vertices, np.float64) * MM, triangles)
    placing = refine(tree, scan.points, align(landmarks, target, scale=scale), scale=scale)
    return GeometryScore(distances(tree, scan.points, placing), placing)


def align(source: Doubles, target: Doubles, *, scale: bool) -> Placing:
    """The motion of points (N, 3) that brings them nearest to others in the sense of least squares (Umeyama 1991)."""
    middle, goal = source.mean(0), target.mean(0)
    spread, wanted = source - middle, target - goal
    u, singular, vt = np.linalg.svd(wanted.T @ spread)
    mirror = np.array([1, 1, np.sign(np.linalg.det(u @ vt)) or 1.0])
    rotation = (u * mirror) @ vt
    factor = float((singular * mirror).sum() / (spread**2).sum()) if scale else 1.0
    return Placing(factor, rotation, goal - factor * rotation @ middle)


def refine(tree: MeshTree, points: Doubles, placing: Placing, *, scale: bool) -> Placing:
    """The placing at which the scan's points are nearest to the mesh, their farthest 5 % left out.

    Gauss–Newton on the distances; where such a step does not help, one of plain ICP, which cannot do harm. Ends
    where neither brings the root mean square distance down by STILL.
    """
    pulling = points[:: -(-len(points) // PULLING)]
    here = _pull(tree, pulling, placing)
    for _ in range(MOST_STEPS):
        for step in (_newton_step, _icp_step):
            trial = _pull(tree, pulling, step(here, scale))
            if trial.error < here.error - STILL:
                here = trial
                break
        else:
            break
    return here.placing


@dataclass(frozen=True, eq=False)
class _Pull:
    """Points of the scan (k, 3) that pull, and the mesh's points (k, 3) nearest to them, not placed; mm.

    normals (k, 3) the unit ways from the placed mesh to the scan; error: root mean square distance
    """

    placing: Placing
    points: Doubles
    found: Doubles
    normals: Doubles
    error: float


def _pull(tree: MeshTree, points: Doubles, placing: Placing) -> _Pull:
    closest = tree.closest(placing.undo(points))
    gap = closest.distance * placing.factor
    kept = gap <= np.quantile(gap, KEPT)
    asked, found, long = points[kept], closest.points[kept], gap[kept]
    way = asked - placing.apply(found)
    touching = long < TOUCHING
    way[touching] = tree.normals(closest.triangle[kept][touching]) @ placing.rotation.T
    normals = way / np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-12)
    return _Pull(placing, asked, found, normals, float(np.sqrt((long**2).mean())))


def _icp_step(pull: _Pull, scale: bool) -> Placing:
    return align(pull.found, pull.points, scale=scale)


def _newton_step(pull: _Pull, scale: bool) -> Placing:
    """Turn ω, move τ and growth σ that minimise Σ (n · (q − p − ω × p − τ − σ p))², p from the middle of all."""
    placed = pull.placing.apply(pull.found)
    middle = placed.mean(0)
    arm = placed - middle
    size = float(np.sqrt((arm**2).sum(1).mean())) or 1.0
    n = pull.normals
    columns = [np.cross(arm / size, n), n, (arm / size * n).sum(1, keepdims=True)][: 3 if scale else 2]
    matrix = np.concatenate(columns, 1)
    square = matrix.T @ matrix
    square += DAMPING * np.trace(square) / len(square) * np.eye(len(square))
    way = np.linalg.solve(square, matrix.T @ ((pull.points - placed) * n).sum(1))
    turn, move, grown = _rotation(way[:3] / size), way[3:6], 1 + (way[6] / size if scale else 0.0)
    if grown <= 0:
        return pull.placing
    old = pull.placing
    shift = middle + grown * turn @ (old.translation - middle) + move
    return Placing(float(old.factor * grown), turn @ old.rotation, shift)


def _rotation(axis_angle: Doubles) -> Doubles:
    """(3, 3) by Rodrigues' formula."""
    angle = float(np.linalg.norm(axis_angle))
    x, y, z = axis_angle / max(angle, 1e-300)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)


def distances(tree: MeshTree, points: ArrayLike, placing: Placing) -> Doubles:
    """(n,) of points of the scan to the placed mesh."""
    return np.asarray(tree.closest(placing.undo(points)).distance * placing.factor)


# ── the face region ──────────────────────────────────────────────────────────────────────────────


def face_sphere(seven: ArrayLike) -> tuple[Doubles, float]:
    """NoW's face: centre (3,) and radius of a sphere around a point a little above the base of the nose.

    The radius is 0.7 times the sum of the distance of the outer eye corners and that from the nose's base to its
    bridge, the middle between the inner eye corners.
    """
    outer_right, inner_right, inner_left, outer_left, base = np.asarray(seven, np.float64)[:5]
    bridge = (inner_right + inner_left) / 2
    size = np.linalg.norm(outer_right - outer_left) + np.linalg.norm(bridge - base)
    return base + RAISED * (bridge - base), float(RADIUS * size)


def vertices_in_face(vertices: Doubles, seven: ArrayLike) -> Doubles:
    """(n, 3) the scan's own vertices within the sphere: what NoW measures from."""
    centre, radius = face_sphere(seven)
    return np.asarray(vertices[np.linalg.norm(vertices - centre, axis=1) <= radius])


def sample_face(vertices: Doubles, triangles: Ints, seven: ArrayLike, count: int = POINTS, seed: int = SEED) -> Doubles:
    """(count, 3) points, even over what is seen of the scan's face from in front; of a cloud, its own points."""
    rng = np.random.default_rng(seed)
    if not len(triangles):
        inside = vertices_in_face(vertices, seven)
        return inside[np.sort(rng.permutation(len(inside))[:count])]
    centre, radius = face_sphere(seven)
    middles = vertices[triangles].mean(1)
    chosen = np.linalg.norm(middles - centre, axis=1) <= radius
    chosen[chosen] = seen_from_front(vertices, triangles, middles[chosen], seven)
    return sample_surface(vertices, triangles[chosen], count, rng)


def sample_surface(vertices: Doubles, triangles: Ints, count: int, rng: np.random.Generator) -> Doubles:
    """(count, 3) points, even over the area; none where there is none."""
    corners = vertices[triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    if not area.sum() > 0:
        return np.zeros((0, 3))
    row = rng.choice(len(triangles), count, p=area / area.sum())
    weights = rng.dirichlet((1.0, 1.0, 1.0), count)
    return np.asarray(np.einsum("nij,ni->nj", corners[row], weights))


def seen_from_front(vertices: Doubles, triangles: Ints, points: Doubles, seven: ArrayLike) -> NDArray[np.bool_]:
    """(N,) whether a camera in front of the face, or 40° to either side, sees each point of the scan."""
    frame = head_frame(seven)
    centre, radius = face_sphere(seven)
    target = frame.apply(centre) / MM
    placed, asked = frame.apply(vertices) / MM, frame.apply(points) / MM
    seen = np.zeros(len(points), bool)
    extent = 2.2 * frame.factor * radius / MM
    for yaw in np.radians(VIEWS):
        camera = Camera.parallel(float(yaw), 0.0, 800, extent=extent, target=target, distance=1.0)
        seen |= visible(asked, rasterise(placed, triangles, camera), camera, HIDDEN)
    return seen


def head_frame(seven: ArrayLike) -> Placing:
    """From a scan in millimetres to a head that looks along +Z, +Y up, of usual size, in millimetres."""
    model = load_default()
    usual = model.embeddings["now_7"].points(model.rest()).astype(np.float64) * MM
    return align(_seven(seven, "the scan"), usual, scale=True)


def _seven(points: ArrayLike, whose: str) -> Doubles:
    given = np.asarray(points, np.float64)
    if given.shape != (7, 3) or not np.isfinite(given).all():
        raise BadInput(f"the landmarks of {whose} must be (7, 3) finite numbers, not {given.shape}")
    if np.linalg.matrix_rank(given - given.mean(0), tol=1e-9 * max(1.0, float(np.abs(given).max()))) < 2:
        raise BadInput(f"the seven landmarks of {whose} lie on one line; they are no face")
    return given

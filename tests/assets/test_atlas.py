"""The head's texture atlas: its solver on a small dome, and the layout that the committed head carries."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="the build scripts need the extra `build`")

ROOT = Path(__file__).parents[2]
HEAD = ROOT / "src/headform/head/data/head.npz"
BUILD = str(ROOT / "assets/head")
sys.path.insert(0, BUILD)
try:
    import atlas as atlas_build
    import unwrap_solver as solver
finally:
    sys.path.remove(BUILD)

SIDE = 9


def dome() -> tuple[np.ndarray, np.ndarray]:
    """A square cap of a steep paraboloid, SIDE × SIDE vertices."""
    x, y = np.meshgrid(np.linspace(-1, 1, SIDE), np.linspace(-1, 1, SIDE))
    vertices = np.stack([x, y, -(x**2) - y**2], -1).reshape(-1, 3)
    first = (np.arange(SIDE - 1)[:, None] * SIDE + np.arange(SIDE - 1)).ravel()
    return vertices, np.stack([first, first + 1, first + SIDE + 1, first + SIDE], 1)


def on_circle() -> tuple[np.ndarray, np.ndarray, np.ndarray, solver.Placement]:
    """The dome after Tutte's embedding into the unit circle."""
    vertices, quads = dome()
    loop = solver.outline(quads)
    turn = np.linspace(0, 2 * np.pi, 3201)
    circle = np.stack([np.cos(turn), np.sin(turn)], 1)
    placement = solver.Placement(
        len(vertices), loop[:0], 0.0, loop, circle, np.arange(len(loop)) * 3200.0 / len(loop), loop[:1]
    )
    uv, fixed = np.zeros((len(vertices), 2)), np.zeros((len(vertices), 2), bool)
    uv[loop], fixed[loop] = placement.on(placement.along), True
    return vertices, quads, solver.tutte(quads, uv, fixed, lambda edges: np.ones(len(edges))), placement


def domain_of(vertices: np.ndarray, quads: np.ndarray) -> solver.Domain:
    one = np.ones(4 * len(quads))
    return solver.Domain.of(vertices, solver.corner_triangles(quads), one, one)


def corner_areas(uv: np.ndarray, quads: np.ndarray) -> np.ndarray:
    a, b, c = np.moveaxis(uv[solver.corner_triangles(quads)], 1, 0)
    return (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]


def test_a_flat_sheet_left_as_it_is_has_the_least_energy():
    vertices, quads = dome()
    flat = vertices * [1, 1, 0]
    domain, uv = domain_of(flat, quads), flat[:, :2]
    np.testing.assert_allclose(domain.energies(uv), 4)  # σ1 = σ2 = 1: 1 + 1 + 1 + 1
    np.testing.assert_allclose(domain.derivatives(uv)[0], 0, atol=1e-12)
    np.testing.assert_allclose(domain.energies(2 * uv), 2 * (4 + 1 / 4))
    assert np.isinf(domain.energies(uv * [-1, 1])).all()


def test_the_gradient_is_that_of_the_energy():
    vertices, quads, uv, _ = on_circle()
    domain = domain_of(vertices, quads)
    along = np.random.default_rng(3).normal(size=uv.shape)
    step = 1e-6
    slope = (domain.energy(uv + step * along) - domain.energy(uv - step * along)) / (2 * step)
    np.testing.assert_allclose(domain.derivatives(uv)[0] @ along.ravel(), slope, rtol=1e-5)


def test_tutte_folds_nothing_and_keeps_quads_convex_inside_a_circle():
    _, quads, uv, _ = on_circle()
    assert (corner_areas(uv, quads) > 0).all()


def test_newton_lowers_the_energy_without_folds_on_the_circle():
    vertices, quads, uv, placement = on_circle()
    domain = domain_of(vertices, quads)
    better = solver.minimise(domain, uv, placement, 50)
    assert domain.energy(better) < domain.energy(uv)
    assert (corner_areas(better, quads) > 0).all()
    np.testing.assert_allclose(np.linalg.norm(better[solver.outline(quads)], axis=1), 1, atol=1e-5)


def test_newton_refuses_to_start_from_folds():
    vertices, quads, uv, placement = on_circle()
    with pytest.raises(ValueError, match="folded"):
        solver.minimise(domain_of(vertices, quads), uv * [-1, 1], placement, 1)


def test_coverage_counts_an_overlap():
    square = np.array([[0.1, 0.1], [0.6, 0.1], [0.6, 0.6], [0.1, 0.6]])
    uv = np.concatenate([square, square + 0.25])
    count = solver.coverage(uv, np.arange(8).reshape(2, 4), 101)
    assert count.max() == 2
    assert solver.coverage(uv, np.arange(4).reshape(1, 4), 101).max() == 1


@pytest.fixture(scope="module")
def head() -> dict[str, np.ndarray]:
    if not HEAD.exists():
        pytest.skip("head.npz is not built yet: assets/head/build.py writes it")
    with np.load(HEAD) as data:
        chosen = data["part"] == list(data["parts"]).index("skin")
        return {
            "vertices": data["template"].astype(float),
            "quads": data["quads"][chosen].astype(int),
            "uv": data["uv"].astype(float),
            "quads_uv": data["quads_uv"][chosen].astype(int),
        }


def test_the_head_covers_no_texel_twice(head):
    assert solver.coverage(head["uv"], head["quads_uv"], 2048).max() == 1


def test_the_heads_quads_are_convex_and_turn_the_right_way(head):
    assert (corner_areas(head["uv"], head["quads_uv"]) > 0).all()


def test_the_face_takes_its_share_of_the_texture(head):
    island = main_island(head["quads_uv"])
    face = atlas_build.face_region(head["vertices"], head["quads"], np.where(island, atlas_build.HEAD, -1))
    assert solver.signed_areas(head["uv"], head["quads_uv"])[face].sum() >= 0.45


def main_island(quads_uv: np.ndarray) -> np.ndarray:
    """(Q,) whether a quad belongs to the largest piece of the layout."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = quads_uv.ravel(), np.roll(quads_uv, -1, 1).ravel()
    graph = coo_array((np.ones(quads_uv.size), ends), shape=(quads_uv.max() + 1,) * 2)
    piece = connected_components(graph, directed=False)[1][quads_uv[:, 0]]
    return piece == np.bincount(piece).argmax()

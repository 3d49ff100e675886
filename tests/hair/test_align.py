"""The thesis's equations against sums done by hand, and hair of one real head brought onto another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.hair import align as module
from headform.hair import files, library
from headform.hair.align import align, aligned, anchor_of_hair, anchor_of_head, bind, scale, translation, width
from headform.hair.collider import collider_of, distance, push_out
from headform.hair.dense import groom_of
from headform.hair.groom import Groom, none
from headform.hair.grow import wearer_of
from headform.hair.scalp import grid_places, reach_of, scalp_of
from headform.head import load_default
from headform.head.embedding import Embedding

Floats = NDArray[np.float32]


# ── equations by hand ────────────────────────────────────────────────────────────────────────────


def test_1_the_anchor_of_a_head() -> None:
    """Of 40 vertices 5 % are two: (1, 9, 2) and (3, 10, 6) give x (1 + 3) / 2 = 2, y 10, z (2 + 6) / 2 = 4."""
    vertices = np.zeros((40, 3))
    vertices[:, 1] = np.arange(40) / 10  # up to 3.9
    vertices[7], vertices[20] = (3, 10, 6), (1, 9, 2)
    np.testing.assert_allclose(anchor_of_head(vertices), [2, 10, 4])


def test_1_the_anchor_of_hair() -> None:
    """Strands of 40 points: 5 % are two, the root and the next. Of (0, 5, 0), (0, 7, 2) and (4, 6, 0), (4, 5, 2) the
    anchor is x (0 + 0 + 4 + 4) / 4 = 2, y 7, z (0 + 2 + 0 + 2) / 4 = 1; the other points lie at 99."""
    strands = np.full((2, 40, 3), 99.0)
    strands[0, :2], strands[1, :2] = [(0, 5, 0), (0, 7, 2)], [(4, 6, 0), (4, 5, 2)]
    np.testing.assert_allclose(anchor_of_hair(strands), [2, 7, 1])


def test_2_the_translation_points_from_the_hair_to_the_head() -> None:
    """(2, 10, 4) − (2, 7, 1) + (0, 0.5, 0) = (0, 3.5, 3)."""
    np.testing.assert_allclose(translation([2, 7, 1], [2, 10, 4], [0, 0.5, 0]), [0, 3.5, 3])


def test_3_widths_are_those_above_the_ears() -> None:
    """Roots from −0.08 to 0.07 within 9 cm of the top are 0.15 wide; the one 10 cm below it does not count.
    0.15 / 0.12 + 0.05 = 1.3."""
    roots = np.array([[-0.08, 0.02, 0], [0.07, 0.05, 0], [0, 0.1, 0], [0.3, 0, 0]])
    assert width(roots) == pytest.approx(0.15)
    assert scale(0.15, 0.12, 0.05) == pytest.approx(1.3)
    with pytest.raises(BadInput, match="without width"):
        scale(0.15, 0.0)


def test_4_hair_is_scaled_about_the_anchor() -> None:
    """With T = (0, 3.5, 3), A = (2, 10, 4) and S = 2: (2, 7, 1) + T = (2, 10.5, 4) goes to A + (0, 0.5, 0) / 2 =
    (2, 10.25, 4); (4, 6.5, 3) + T = (4, 10, 6) to A + (2, 0, 2) / 2 = (3, 10, 5). As printed, with T' = −T, the first
    would be (2, 3.5, −2) / 2 = (1, 1.75, −1): far below the head."""
    strands = np.array([[[2, 7, 1], [4, 6.5, 3]]])
    np.testing.assert_allclose(aligned(strands, [0, 3.5, 3], 2, [2, 10, 4]), [[[2, 10.25, 4], [3, 10, 5]]])


def test_the_equations_together_bring_anchor_onto_anchor() -> None:
    random = np.random.default_rng(0)
    hair, head = random.normal(size=(50, 20, 3)), random.normal(size=(400, 3))
    goal = anchor_of_head(head)
    moved = aligned(hair, translation(anchor_of_hair(hair), goal), 1.7, goal)
    np.testing.assert_allclose(anchor_of_hair(moved), goal, atol=1e-12)


# ── the nearest point ────────────────────────────────────────────────────────────────────────────


def test_roots_go_to_faces_edges_and_corners() -> None:
    """The triangle (0,0,0), (1,0,0), (0,1,0), in centimetres: over its inside the foot of the perpendicular; beside the
    long edge its middle; beyond a corner the corner."""
    triangle = np.array([[0, 0, 0], [0.01, 0, 0], [0, 0.01, 0]])
    roots = np.array([[0.002, 0.003, 0.01], [0.01, 0.01, 0.005], [-0.01, -0.01, 0]])
    tips = np.array([0, 0, 0.1])
    strands = np.stack([roots, roots + tips], 1).astype(np.float32)
    bound = bind(Groom(strands), [[0, 1, 2]], triangle)
    assert bound.roots is not None
    np.testing.assert_allclose(bound.roots.barycentric, [[0.5, 0.2, 0.3], [0, 0.5, 0.5], [1, 0, 0]], atol=1e-6)
    expected = np.array([[0.002, 0.003, 0], [0.005, 0.005, 0], [0, 0, 0]])
    np.testing.assert_allclose(bound.points[:, 0], expected, atol=1e-8)
    np.testing.assert_allclose(bound.points[:, 1], expected + tips, atol=1e-7)  # the strand goes with its root


def test_the_nearest_of_many_triangles_is_what_trying_all_points_finds() -> None:
    """Against the nearest of 66 points spread over each of 300 triangles, some of them without area."""
    random = np.random.default_rng(2)
    vertices = random.normal(0, 0.1, (120, 3))
    triangles = random.integers(0, 120, (300, 3))
    points = random.normal(0, 0.12, (80, 3))
    surface = module._Surface(vertices, triangles)
    found = np.linalg.norm(surface.points(surface.nearest(points)) - points, axis=1)
    shares = np.array([[a, b, 10 - a - b] for a in range(11) for b in range(11 - a)]) / 10
    spread = np.einsum("kc,tcx->tkx", shares, vertices[triangles]).reshape(-1, 3)
    tried = np.linalg.norm(points[:, None] - spread, axis=2).min(1)
    assert (found <= tried + 1e-7).all() and (tried - found).max() < 0.03 and np.median(tried - found) < 0.005


# ── a real head ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def places() -> NDArray[np.float64]:
    return grid_places()[reach_of(grid_places())[0] < 0.95]


def hair_of(vertices: Floats, roots: Embedding, points: int = 40) -> Floats:
    """Hair that stands 1 cm off the head and then falls by 20 cm, straight through it where the head is in the way."""
    start = roots.points(vertices)
    out = start - [0, 0.06, 0]
    out = out / np.linalg.norm(out, axis=1, keepdims=True)
    along = np.linspace(0, 0.2, points)[:, None]
    return (start[:, None] + 0.01 * out[:, None] * np.minimum(along / 0.02, 1) - [0, 1, 0] * along).astype(np.float32)


def test_hair_of_another_person_in_another_place_lands_on_the_scalp(places: NDArray[np.float64]) -> None:
    """The other head is a larger person's, elsewhere; where each root belongs is known, because both heads have it."""
    model = load_default()
    scalp = scalp_of(model)
    here = model.rest()
    there = model.rest(np.array([1.5, -1, 1, *[0] * (model.identity_size - 3)], np.float32))
    roots = scalp.roots(places)
    foreign = hair_of(there, roots) * np.float32(1.12) + np.array([0.3, -0.5, 0.2], np.float32)
    field = collider_of(scalp, here).bare
    whole = align(
        Groom(foreign, about={"name": "theirs"}),
        here,
        scalp.triangles,
        scalp=roots.points(here),
        push_out=lambda strands: push_out(field, strands, 0.001),
    )
    assert whole.roots is not None and whole.name == "theirs"
    np.testing.assert_allclose(whole.points[:, 0], whole.roots.points(here), atol=1e-6)
    off = np.linalg.norm(whole.points[:, 0] - roots.points(here), axis=1)
    assert np.median(off) < 0.004 and off.max() < 0.008  # metres; a strand of the grid is 5 mm from the next
    deep = distance(field, whole.points[:, 3:].reshape(-1, 3))
    assert deep.min() > -0.001
    before = distance(field, align(Groom(foreign), here, scalp.triangles).points.reshape(-1, 3))
    assert before.min() < -0.02  # without push_out the same hair goes through the head


def test_hair_of_the_same_head_comes_home(places: NDArray[np.float64]) -> None:
    model = load_default()
    scalp, vertices = scalp_of(model), model.rest()
    roots = scalp.roots(places)
    own = hair_of(vertices, roots)
    moved = own * np.float32(0.9) + np.array([-0.2, 0.4, 0.1], np.float32)
    back = align(Groom(moved), vertices, scalp.triangles, scalp=roots.points(vertices))
    assert np.linalg.norm(back.points - own, axis=2).max() < 0.004


@pytest.mark.parametrize("name", ["buzz", "lob", "very_long_straight", "quiff"])
def test_a_style_that_ships_comes_back_from_a_file_of_another_program(name: str) -> None:
    """In centimetres, moved, and without a word of what head it is from; the head it lands on is the one it left."""
    model = load_default()
    wearer = wearer_of(model)
    own = groom_of(library.style(name), wearer, count=500)
    assert own.roots is not None
    foreign = Groom(own.points + np.array([0.05, -0.2, 0.1], np.float32))
    read = files.from_bytes(files.to_bytes(replace(foreign, points=foreign.points * 100), ".data"), ".data", name)
    scalp = wearer.scalp.roots(grid_places()).points(wearer.vertices)
    back = align(read, wearer.vertices, wearer.scalp.triangles, scalp)
    off = np.linalg.norm(back.points[:, 0] - own.points[:, 0], axis=1)
    assert off.max() < 0.001


def test_a_mohawk_keeps_its_size(places: NDArray[np.float64]) -> None:
    """Its roots are 3 cm wide; taken for a head's width, that would make it five times as large."""
    model = load_default()
    scalp, vertices = scalp_of(model), model.rest()
    roots = scalp.roots(places[np.abs(places[:, 0] - 0.5) < 0.1])
    own = Groom(hair_of(vertices, roots))
    moved = replace(own, points=own.points + np.float32(0.3))
    back = align(moved, vertices, scalp.triangles, scalp=scalp.roots(places).points(vertices))
    np.testing.assert_allclose(back.lengths(), own.lengths(), rtol=1e-4)


def test_bound_hair_goes_with_the_head(places: NDArray[np.float64]) -> None:
    model = load_default()
    scalp, vertices = scalp_of(model), model.rest()
    bound = bind(Groom(hair_of(vertices, scalp.roots(places))), scalp.triangles, vertices)
    wider = vertices * np.array([1.1, 1, 1], np.float32)
    moved = bound.moved(vertices, wider)
    assert bound.roots is not None
    np.testing.assert_allclose(moved.points[:, 0], bound.points[:, 0] * [1.1, 1, 1], atol=1e-5)


def test_no_hair_stays_no_hair() -> None:
    vertices, triangles = np.eye(3) / 10, [[0, 1, 2]]
    bald = Groom(np.zeros((0, 5, 3), np.float32))
    for result in (align(bald, vertices, triangles), bind(none(), triangles, vertices)):
        assert len(result) == 0 and result.roots is not None


def test_hair_that_is_not_on_the_head_is_not_bound() -> None:
    strand = np.linspace([1, 1, 1], [1, 0.8, 1], 5)[None]
    with pytest.raises(BadInput, match="align it"):
        bind(Groom(strand.astype(np.float32), about={"name": "wig"}), [[0, 1, 2]], np.eye(3) / 10)
    with pytest.raises(BadInput, match="without triangles"):
        bind(Groom(strand.astype(np.float32)), np.zeros((0, 3)), np.eye(3))

"""The default head: its shape, its coefficients, its pose."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from headform.errors import BadInput, MissingModel
from headform.head.default import load_default, read_default, typical
from headform.head.model import JOINTS, HeadModel


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_default()


def edges_of(quads):
    for quad in quads:
        loop = list(dict.fromkeys(quad.tolist()))
        yield from (tuple(sorted(e)) for e in zip(loop, loop[1:] + loop[:1], strict=True))


def test_skin_is_one_manifold_with_one_border_at_the_collar(head):
    quads = head.quads[head.part == head.part_index("skin")]
    count = Counter(edges_of(quads))
    assert set(count.values()) == {1, 2}
    border = np.unique([e for e, n in count.items() if n == 1])
    assert len(border) == 42
    assert head.rest()[border, 1].max() < -0.08  # all of it below the chin


def test_metres_and_axes(head):
    rest = head.rest()
    skin = rest[head.part_vertices("skin")]
    assert 0.13 < np.ptp(skin[skin[:, 1] > 0], axis=0)[0] < 0.21  # breadth of a head, ears included
    left = rest[head.part_vertices("eye_left")].mean(0)
    right = rest[head.part_vertices("eye_right")].mean(0)
    assert 0.055 < left[0] - right[0] < 0.072  # between the pupils; the person's left is +X
    assert left[2] > 0.05  # looks along +Z


def test_mean_head_is_symmetric(head):
    skin = head.template[: len(head.extras["mirror"])]
    across = skin[head.extras["mirror"]] * [-1, 1, 1]
    assert np.abs(across - skin).max() < 2e-4


def test_coefficients_are_standard_deviations_in_order(head):
    size = np.linalg.norm(head.identity.reshape(head.identity_size, -1), axis=1)
    assert head.identity_size >= 150
    assert (np.diff(size) < 0.02 * size[0]).all()


def test_the_52_arkit_units(head):
    assert head.expression_size == 52
    assert {"jawOpen", "eyeBlinkLeft", "mouthSmileRight", "tongueOut", "cheekPuff"} <= set(head.expression_names)


def test_jaw_open_lowers_the_chin_and_the_lower_teeth_together(head):
    rest, moved = head.rest(), head.posed(None, {"jawOpen": 1.0}) - head.rest()
    lower, upper = head.part_vertices("teeth_lower"), head.part_vertices("teeth_upper")
    assert np.abs(moved[upper]).max() < 1e-6
    arm = rest[lower] - head.joints[JOINTS.index("jaw")]
    sine, cosine = np.sin(np.radians(24.4)), np.cos(np.radians(24.4))
    turned = np.stack([arm[:, 0], cosine * arm[:, 1] - sine * arm[:, 2], sine * arm[:, 1] + cosine * arm[:, 2]], 1)
    assert np.allclose(moved[lower], turned - arm, atol=2e-5)  # stiff: the joint alone moves them
    chin = np.argmin(np.where(head.rest()[:, 2] > 0.08, head.rest()[:, 1], 1))
    assert moved[chin, 1] < -0.015


def test_looking_left_turns_the_eyes_about_their_centres(head):
    rest, turned = head.rest(), head.posed(None, {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0})
    for side in ("left", "right"):
        rows = head.part_vertices(f"eye_{side}")
        centre = head.joints[JOINTS.index(f"eye_{side}")]
        before, after = rest[rows] - centre, turned[rows] - centre
        assert np.allclose(np.linalg.norm(before, axis=1), np.linalg.norm(after, axis=1), atol=1e-6)
        dome = head.part_vertices(f"cornea_{side}")
        apex = dome[np.argmax(rest[dome, 2])]
        assert turned[apex, 0] - rest[apex, 0] > 0.002  # towards the person's left, +X


def test_turning_the_global_joint_is_a_rigid_turn(head):
    theta = np.zeros((5, 3), np.float32)
    theta[0] = (0.2, -0.5, 0.1)
    rest, turned = head.rest(), head.posed(None, None, theta)
    some = np.arange(0, head.vertex_count, 97)
    apart = np.linalg.norm(rest[some][:, None] - rest[some][None], axis=-1)
    assert np.allclose(apart, np.linalg.norm(turned[some][:, None] - turned[some][None], axis=-1), atol=1e-5)


def test_a_batch_equals_its_members(head):
    rng = np.random.default_rng(1)
    beta = rng.normal(size=(5, head.identity_size)).astype(np.float32)
    psi = rng.uniform(0, 1, (5, 52)).astype(np.float32)
    theta = rng.normal(0, 0.2, (5, 5, 3)).astype(np.float32)
    batch = head.posed(beta, psi, theta)
    for one in range(5):
        assert np.allclose(batch[one], head.posed(beta[one], psi[one], theta[one]), atol=2e-6)
        assert np.allclose(batch[one], head.person(beta[one]).posed(psi[one], theta[one]), atol=2e-6)


def test_broadcasting_many_people_with_one_smile(head):
    assert head.posed(np.zeros((2, 3, 10)), {"jawOpen": 0.5}).shape == (2, 3, head.vertex_count, 3)


def test_embeddings_lie_where_their_names_say(head):
    rest = head.rest()
    dense = head.embeddings["mediapipe_478"].points(rest)
    assert dense.shape == (478, 3)
    assert np.argmax(dense[:468, 2]) in (1, 4)  # the tip of the nose is foremost
    for iris, side in ((468, "right"), (473, "left")):
        centre = head.joints[JOINTS.index(f"eye_{side}")]
        assert np.allclose(dense[iris, :2], centre[:2], atol=2e-4)
        assert np.allclose(np.linalg.norm(dense[iris + 1 : iris + 5, :2] - centre[:2], axis=1), 0.00585, atol=5e-4)
    sparse = head.embeddings["ibug_68"].points(rest)
    assert sparse[36, 0] < 0 < sparse[45, 0]  # point 36 is the person's right eye
    assert np.allclose(head.embeddings["now_7"].points(rest)[4], sparse[33])


def test_scalp_roots_cover_the_cranium_and_stay_off_ears_and_face(head):
    roots = head.embeddings["scalp"].points(head.rest())
    assert roots.shape == (1024, 3)
    assert roots[:, 1].max() > head.rest()[:, 1].max() - 0.004  # up to the crown
    face = (roots[:, 2] > 0.085) & (roots[:, 1] < 0.09)
    assert not face.any()
    mask = head.extras["scalp_mask"] / 255
    rest = head.rest()[: len(mask)]
    assert mask[np.argmax(rest[:, 1])] == 1
    assert mask[np.argmax(rest[:, 2])] == 0  # the nose


def test_children_are_smaller_than_adults(head):
    height = [np.ptp(head.rest(typical(head, age))[:, 1]) for age in (3, 10, 25)]
    assert height[0] < height[1] < height[2]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda h: h.posed([np.nan]), "NaN"),
        (lambda h: h.posed([1e6]), "units"),
        (lambda h: h.posed(np.zeros(999)), "999"),
        (lambda h: h.posed(None, {"jawOpne": 1}), "jawOpen"),
        (lambda h: h.posed(None, None, np.zeros(3)), "θ"),
        (lambda h: h.part_vertices("hat"), "hat"),
        (lambda h: typical(h, age=300), "300"),
        (lambda h: typical(h, ancestry=(1, 2)), "three"),
    ],
)
def test_bad_coefficients_are_refused_in_one_sentence(head, call, says):
    with pytest.raises(BadInput) as caught:
        call(head)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_altered_files_are_named(tmp_path):
    from headform.head.default import DATA

    with pytest.raises(MissingModel, match=r"head\.npz"):
        read_default(tmp_path / "head.npz")
    (tmp_path / "manifest.json").write_bytes((DATA / "manifest.json").read_bytes())
    altered = bytearray((DATA / "head.npz").read_bytes())
    altered[5000] ^= 1
    (tmp_path / "head.npz").write_bytes(altered)
    with pytest.raises(MissingModel, match="not the file that was shipped"):
        read_default(tmp_path / "head.npz")

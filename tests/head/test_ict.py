"""ICT-FaceKit's own files are 26,719 vertices large: these tests write a folder of that size with made-up heads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headform.errors import BadInput
from headform.head import ict
from headform.head.default import load_default
from headform.head.ict import arkit_name, is_ict, load_ict
from headform.head.model import HeadModel

EYES = np.array([[3.2, 3.6, 8.0], [-3.2, 3.6, 8.0]])  # centimetres
EYE_RADIUS = 1.65
LEFT, RIGHT = slice(21451, 23021), slice(23021, 24591)
THEIR_NAMES = [
    f"{stem}_{side}"
    for stem in (
        "PupilDilate", "browDown", "browInnerUp", "browOuterUp", "cheekPuff", "cheekRaiser", "cheekSquint",
        "eyeBlink", "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp", "eyeSquint", "eyeWide", "mouthDimple",
        "mouthFrown", "mouthLowerDown", "mouthPress", "mouthSmile", "mouthStretch", "mouthUpperUp", "noseSneer",
    )
    for side in "LR"
] + [
    "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthFunnel", "mouthLeft", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
]  # fmt: skip


@pytest.fixture(scope="module")
def arrays() -> dict[str, Any]:
    """The npz layout: a neutral head, two identity modes, 57 expressions of which each moves vertices its own way."""
    draw = np.random.default_rng(0)
    neutral = draw.uniform([-9, -16, -9], [9, 14, 10], (ict.VERTICES, 3))
    for rows, centre in ((LEFT, EYES[0]), (RIGHT, EYES[1])):
        away = draw.normal(size=(rows.stop - rows.start, 3))
        neutral[rows] = centre + EYE_RADIUS * away / np.linalg.norm(away, axis=1, keepdims=True)
    identity = np.zeros((2, ict.VERTICES, 3))
    identity[0, LEFT] = [0.3, 0.0, 0.0]
    identity[1, :14062] = [0.0, 0.0, 0.5]
    expression = np.zeros((57, ict.VERTICES, 3))
    for k in range(57):
        expression[k, 100 + k] = [0.1 * (k + 1), 0, 0]
    quads = np.array([[0, 1, 2, 3], [4, 5, 6, -1], [14062, 14063, 14064, 14065], [21451, 21452, 21453, -1],
                      [23021, 23022, 23023, 23024]])  # fmt: skip
    uv = np.array([[0.25, 0.5], [0.75, 0.5], [0.5, 0.9], [0.3, 0.2], [1.25, 0.5], [1.75, 0.5], [1.5, 0.9]])
    quads_uv = np.array([[0, 1, 2, 3], [4, 5, 6, -1], [0, 1, 2, 3], [0, 1, 2, -1], [0, 1, 2, 3]])
    return {
        "neutral": neutral.astype(np.float32),
        "identity": identity.astype(np.float16),
        "expression": expression.astype(np.float16),
        "expression_names": np.array(THEIR_NAMES),
        "quads": quads.astype(np.int32),
        "uv": uv.astype(np.float32),
        "quads_uv": quads_uv.astype(np.int32),
        "material": np.array(["M"] * 5),
    }


@pytest.fixture(scope="module")
def npz(arrays: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ict") / "ict_head.npz"
    np.savez(path, **arrays)
    return path


@pytest.fixture(scope="module")
def model(npz: Path) -> HeadModel:
    return load_ict(npz)


def test_there_are_57_names() -> None:
    assert len(set(THEIR_NAMES)) == 57


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("browDown_L", "browDownLeft"), ("browDown_R", "browDownRight"), ("browInnerUp_R", "browInnerUp"),
        ("cheekPuff_L", "cheekPuff"), ("jawOpen", "jawOpen"), ("PupilDilate_L", "pupilDilateLeft"),
    ],
)  # fmt: skip
def test_names(theirs: str, ours: str) -> None:
    assert arkit_name(theirs) == ours


def test_units(model: HeadModel) -> None:
    assert model.expression_names[:52] == load_default().expression_names
    assert set(model.expression_names[52:]) == {
        "pupilDilateLeft", "pupilDilateRight", "cheekRaiserLeft", "cheekRaiserRight",
    }  # fmt: skip
    smile = model.expression[model.expression_index("mouthSmileLeft")]
    k = THEIR_NAMES.index("mouthSmile_L")
    assert smile[100 + k, 0] == pytest.approx(0.001 * (k + 1), rel=1e-3)  # centimetres became metres
    assert np.count_nonzero(smile) == 1
    assert not model.expression[model.expression_index("tongueOut")].any()


@pytest.mark.parametrize("name", ["browInnerUp", "cheekPuff"])
def test_two_halves_are_summed(model: HeadModel, name: str) -> None:
    whole = model.expression[model.expression_index(name)]
    halves = [THEIR_NAMES.index(f"{name}_{side}") for side in "LR"]
    np.testing.assert_allclose(whole[[100 + k for k in halves], 0], [0.001 * (k + 1) for k in halves], rtol=1e-3)


def test_joints(model: HeadModel) -> None:
    default = load_default()
    scale = 0.064 / np.linalg.norm(default.joints[3] - default.joints[4])
    np.testing.assert_allclose(model.joints[1], 0, atol=1e-7)
    np.testing.assert_allclose(model.joints[3] - model.joints[4], [0.064, 0, 0], atol=1e-6)
    wanted = (default.joints[:3] - default.joints[3:].mean(0)) * scale
    np.testing.assert_allclose(model.joints[:3] - model.joints[3:].mean(0), wanted, atol=1e-6)
    away = np.linalg.norm(model.rest()[LEFT] - model.joints[3], axis=1)
    np.testing.assert_allclose(away, 0.01 * EYE_RADIUS, atol=1e-5)


def test_joints_follow_identity(model: HeadModel) -> None:
    np.testing.assert_allclose(model.joint_identity[0, 3], [0.003, 0, 0], atol=1e-6)
    np.testing.assert_allclose(model.joint_identity[0, [0, 1, 2, 4]], 0, atol=1e-9)
    np.testing.assert_allclose(model.joint_identity[1, :3], [[0, 0, 0.005]] * 3, atol=1e-6)
    np.testing.assert_allclose(model.joint_identity[1, 3:], 0, atol=1e-9)


def test_eyes_turn_and_the_jaw_does_not(model: HeadModel) -> None:
    turned = model.posed(None, {"eyeLookUpLeft": 1.0}) - model.rest()
    assert np.linalg.norm(turned[LEFT], axis=1).max() > 0.002
    assert not turned[RIGHT].any()
    assert not model.drive[:, :3].any()
    assert not model.weights[:, 2].any()
    np.testing.assert_allclose(model.weights.sum(1), 1, atol=1e-6)


def test_parts_and_triangles(model: HeadModel) -> None:
    assert [model.parts[p] for p in model.part] == ["skin", "skin", "gums_tongue", "eye_left", "eye_right"]
    np.testing.assert_array_equal(model.quads[1], [4, 5, 6, 6])
    assert len(model.triangles) == 8


def test_tiles_of_a_part_stand_side_by_side(model: HeadModel) -> None:
    places = model.uv[model.quads_uv]
    np.testing.assert_allclose(places[0, :, 0], [0.125, 0.375, 0.25, 0.15])  # the first of the skin's two tiles
    np.testing.assert_allclose(places[1, :3, 0], [0.625, 0.875, 0.75])  # the second
    np.testing.assert_allclose(places[4, :, 0], [0.25, 0.75, 0.5, 0.3])  # an eye has one tile
    np.testing.assert_allclose(places[0, :, 1], [0.5, 0.5, 0.9, 0.2])


# ── the folder ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def folder(arrays: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`FaceXModel` with the same heads as OBJ files; expressions are few, as each file has a megabyte."""
    folder = tmp_path_factory.mktemp("kit") / "FaceXModel"
    folder.mkdir()
    neutral = arrays["neutral"].astype(np.float64)
    lines = [f"vt {u:.6f} {v:.6f}" for u, v in arrays["uv"]] + ["usemtl M_Face"]
    for quad, quad_uv in zip(arrays["quads"], arrays["quads_uv"], strict=True):
        corners = [f"{v + 1}/{t + 1}" for v, t in zip(quad, quad_uv, strict=True) if v >= 0]
        lines.append("f " + " ".join(corners))
    (folder / ict.NEUTRAL).write_text(_places(neutral) + "\n".join(lines) + "\n")
    for k in range(2):
        (folder / f"identity{k:03d}.obj").write_text(_places(neutral + arrays["identity"][k]))
    for name in ("browDown_L", "cheekPuff_L"):
        moved = neutral + arrays["expression"][THEIR_NAMES.index(name)]
        (folder / f"{name}.obj").write_text(_places(moved))
    return folder


def _places(vertices: np.ndarray) -> str:
    return "".join(f"v {x:.6f} {y:.6f} {z:.6f}\n" for x, y, z in vertices)


def test_a_folder_says_the_same_as_the_npz(folder: Path, npz: Path) -> None:
    one, other = ict._read_folder(folder.parent), ict._read_npz(npz)
    np.testing.assert_allclose(one.neutral, other.neutral, atol=1e-7)
    np.testing.assert_allclose(one.identity, other.identity, atol=2e-8)
    for name in ("browDown_L", "cheekPuff_L"):
        np.testing.assert_allclose(one.expression[name], other.expression[name], atol=2e-8)
    np.testing.assert_array_equal(one.quads, other.quads)
    np.testing.assert_array_equal(one.quads_uv, other.quads_uv)
    np.testing.assert_allclose(one.uv, other.uv)


def test_a_folder_without_all_expressions(folder: Path) -> None:
    with pytest.raises(BadInput, match="has no expression browDownRight"):
        load_ict(folder)


def test_a_damaged_obj(folder: Path, tmp_path: Path) -> None:
    (tmp_path / ict.NEUTRAL).write_bytes((folder / ict.NEUTRAL).read_bytes())
    (tmp_path / "identity000.obj").write_text("v 1 2 three\n")
    with pytest.raises(BadInput, match=r"identity000\.obj has a vertex that is not numbers"):
        load_ict(tmp_path)
    (tmp_path / "identity000.obj").write_text("v 1 2 3\n")
    with pytest.raises(BadInput, match=r"identity000\.obj is not ICT-FaceKit's: it has 1 vertices"):
        load_ict(tmp_path)
    (tmp_path / ict.NEUTRAL).write_text("v 0 0 0\nf 1/1 2/2\n")
    with pytest.raises(BadInput, match="line 2"):
        load_ict(tmp_path)


def test_what_is_ict_and_what_is_not(folder: Path, npz: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", a=np.zeros(2))
    (tmp_path / "text.npz").write_text("hello")
    assert [is_ict(p) for p in (folder, folder.parent, npz)] == [True] * 3
    for path in (tmp_path, tmp_path / "other.npz", tmp_path / "text.npz", tmp_path / "gone"):
        assert not is_ict(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"uv": None}, "it has no uv"),
        ({"neutral": np.zeros((10, 3), np.float32)}, "10 vertices, not 26719"),
        ({"identity": np.zeros((2, 10, 3))}, "identity has shape"),
        ({"quads": np.full((5, 4), 30000)}, "vertices that are not there"),
        ({"neutral": np.full((ict.VERTICES, 3), np.nan, np.float32)}, "NaN"),
        ({"expression_names": np.array(["a"])}, "cannot be read"),
    ],
)
def test_wrong_contents(tmp_path: Path, arrays: dict[str, Any], change: dict[str, Any], message: str) -> None:
    np.savez(tmp_path / "a.npz", **{k: v for k, v in (arrays | change).items() if v is not None})
    with pytest.raises(BadInput, match=message):
        load_ict(tmp_path / "a.npz")


def test_a_truncated_npz(tmp_path: Path, npz: Path) -> None:
    (tmp_path / "a.npz").write_bytes(npz.read_bytes()[:100_000])
    with pytest.raises(BadInput, match="cut short"):
        load_ict(tmp_path / "a.npz")

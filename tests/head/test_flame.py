from __future__ import annotations

import os
import pickle
import pickletools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flame_file import flame_arrays, write_flame

from headform.errors import BadInput
from headform.head.default import load_default
from headform.head.flame import load_flame
from headform.head.model import HeadModel
from headform.head.pickles import read_arrays
from headform.head.skinning import rotation_matrices


@pytest.fixture(scope="module")
def arrays() -> dict[str, Any]:
    return flame_arrays()


@pytest.fixture(scope="module")
def model(arrays: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> HeadModel:
    return load_flame(write_flame(tmp_path_factory.mktemp("flame") / "flame2023_Open.pkl", arrays))


def test_arrays_come_back_from_chumpy_and_sparse_objects(arrays: dict[str, Any], tmp_path: Path) -> None:
    for protocol in (2, 4):
        found = read_arrays(write_flame(tmp_path / "flame.pkl", arrays, protocol))
        np.testing.assert_array_equal(found["shapedirs"], arrays["shapedirs"])
        np.testing.assert_allclose(found["J_regressor"], arrays["J_regressor"])
        np.testing.assert_array_equal(found["f"], arrays["f"])
        assert found["bs_type"] == "lrotmin"


def test_arrays_in_fortran_order_and_big_endian(tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    column_first = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    big = np.arange(4, dtype=">i4")
    path.write_bytes(pickle.dumps({"a": column_first, "b": big, "c": np.float64(2.5)}, 2))
    found = read_arrays(path)
    np.testing.assert_array_equal(found["a"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(found["b"], [0, 1, 2, 3])
    assert found["c"] == 2.5


def test_sizes_and_names(model: HeadModel) -> None:
    assert model.identity_size == 300
    assert model.expression_size == 152
    assert model.expression_names[:52] == load_default().expression_names
    assert (model.expression_names[52], model.expression_names[-1]) == ("flame000", "flame099")
    assert model.parts == ("skin", "eye_left", "eye_right")
    assert model.part.shape == (len(model.quads),)


def test_origin_is_the_neck_joint(model: HeadModel) -> None:
    np.testing.assert_allclose(model.joints[1], 0, atol=1e-7)
    default = load_default()
    np.testing.assert_allclose(model.joints, default.joints - default.joints[1], atol=1e-6)


def test_posed_mesh_is_the_published_formula(model: HeadModel, arrays: dict[str, Any]) -> None:
    """An independent reading of Li et al. 2017, eq. 2–5, in float64."""
    draw = np.random.default_rng(1)
    for _ in range(2):
        beta, native, theta = draw.normal(size=300), draw.normal(size=100), draw.normal(0, 0.3, (5, 3))
        psi = np.concatenate([np.zeros(52), native])
        expected = _flame_formula(arrays, beta, native, theta)
        np.testing.assert_allclose(model.posed(beta, psi, theta), expected, atol=2e-6)


def _flame_formula(arrays: dict[str, Any], beta: np.ndarray, native: np.ndarray, theta: np.ndarray) -> np.ndarray:
    origin = arrays["J_regressor"] @ arrays["v_template"]
    shaped = arrays["v_template"] + arrays["shapedirs"][..., :300] @ beta
    joints = arrays["J_regressor"] @ shaped - origin[1]
    rotations = rotation_matrices(theta).astype(np.float64)
    feature = (rotations[1:] - np.eye(3)).ravel()
    points = shaped + arrays["shapedirs"][..., 300:] @ native + arrays["posedirs"] @ feature - origin[1]
    parents, world = (-1, 0, 1, 1, 1), []
    for joint, parent in enumerate(parents):
        local = np.eye(4)
        local[:3, :3] = rotations[joint]
        local[:3, 3] = joints[joint] - (joints[parent] if parent >= 0 else 0)
        world.append(local if parent < 0 else world[parent] @ local)
    out = np.zeros_like(points)
    for joint in range(5):
        moved = (points - joints[joint]) @ world[joint][:3, :3].T + world[joint][:3, 3]
        out += arrays["weights"][:, joint, None] * moved
    return out


def test_joints_follow_identity_by_the_regressor(model: HeadModel, arrays: dict[str, Any]) -> None:
    beta = np.random.default_rng(2).normal(size=300)
    moved = arrays["J_regressor"] @ (arrays["shapedirs"][..., :300] @ beta)
    np.testing.assert_allclose(model.joints_of(beta) - model.joints, moved, atol=1e-6)


def test_units_carried_to_the_same_head_stay_what_they_were(model: HeadModel) -> None:
    default = load_default()
    skin = default.part_vertices("skin")
    mine = model.part_vertices("skin")
    for name in ("mouthSmileLeft", "browInnerUp", "mouthPucker", "eyeBlinkRight"):
        original = default.expression[default.expression_names.index(name)][skin].astype(float)
        carried = model.expression[model.expression_names.index(name)][mine].astype(float)
        assert original.shape == carried.shape
        likeness = (original * carried).sum() / np.linalg.norm(original) / np.linalg.norm(carried)
        assert likeness > 0.97, name


def test_units_turn_the_joints_they_turn_in_the_default_head(model: HeadModel) -> None:
    np.testing.assert_array_equal(model.drive[:52], load_default().drive)
    assert not model.drive[52:].any()
    eyes = model.part_vertices("eye_left")
    moved = model.posed(None, {"eyeLookOutLeft": 1.0})[eyes] - model.rest()[eyes]
    front = np.argmax(model.rest()[eyes][:, 2])
    assert moved[front, 0] > 0.001  # the person's left is +X


def test_texture_coordinates(model: HeadModel) -> None:
    assert model.uv.min() >= 0
    assert model.uv.max() <= 1
    span = np.ptp(model.uv[model.quads_uv[model.part == 0]][..., 0], axis=1)
    assert (span > 0.5).mean() < 0.01  # only faces at the poles may be wide
    middle = model.uv[model.quads_uv[model.part == 1]].mean((0, 1))
    np.testing.assert_allclose(middle, 0.5, atol=0.05)


# ── files that must be refused ───────────────────────────────────────────────────────────────────


class _Touch:
    """Asks the reader of the pickle to make a file."""

    def __init__(self, path: Path, call: Any) -> None:
        self.path, self.call = path, call

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call, (f"touch {self.path}",) if self.call is os.system else (str(self.path), os.O_CREAT)


@pytest.mark.parametrize("call", [os.system, os.open])
def test_a_hostile_pickle_is_refused_and_not_run(tmp_path: Path, call: Any) -> None:
    made, path = tmp_path / "made", tmp_path / "hostile.pkl"
    path.write_bytes(pickle.dumps({"v_template": _Touch(made, call)}, 2))
    pickle.loads(path.read_bytes())  # the ordinary reader runs it: the attack is real
    assert made.exists()
    made.unlink()
    with pytest.raises(BadInput, match=rf"refused: it asks to run '(posix|nt)\.{call.__name__}'"):
        load_flame(path)
    assert not made.exists()


@pytest.mark.parametrize(
    "name",
    [
        b"builtins\neval", b"numpy\nload", b"numpy.core.multiarray\nfromfile", b"scipy.sparse\nload_npz",
        b"chumpy\nos.system", b"functools\npartial", b"builtins\ngetattr",
    ],
)  # fmt: skip
def test_other_names_are_refused(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / "hostile.pkl"
    path.write_bytes(b"\x80\x02c" + name + b"\n.")
    with pytest.raises(BadInput, match="refused") as caught:
        read_arrays(path)
    assert name.split(b"\n")[1].decode() in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nested_names_of_protocol_4_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "hostile.pkl"
    path.write_bytes(b"\x80\x04\x8c\x06chumpy\x8c\x09os.system\x93\x8c\x04true\x85R.")
    assert "STACK_GLOBAL" in [op.name for op, _, _ in pickletools.genops(path.read_bytes())]
    with pytest.raises(BadInput, match=r"chumpy\.os\.system"):
        read_arrays(path)


def test_a_chumpy_object_that_holds_itself(tmp_path: Path) -> None:
    path = tmp_path / "loop.pkl"
    path.write_bytes(b"\x80\x02}U\x01acchumpy.ch\nCh\n)\x81q\x00}U\x01xh\x00sbs.")
    assert read_arrays(path).keys() == {"a"}


def test_object_arrays_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "objects.pkl"
    path.write_bytes(pickle.dumps({"v_template": np.array([None, 1], object)}, 2))
    with pytest.raises(BadInput, match="not a pickle of arrays"):
        load_flame(path)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_file(tmp_path: Path, arrays: dict[str, Any], share: float) -> None:
    path = write_flame(tmp_path / "flame.pkl", arrays)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(BadInput, match="cut short"):
        load_flame(path)


def test_noise_and_absence(tmp_path: Path) -> None:
    path = tmp_path / "noise.pkl"
    for seed in range(50):
        path.write_bytes(np.random.default_rng(seed).bytes(200))
        with pytest.raises(BadInput):
            load_flame(path)
    with pytest.raises(BadInput, match=r"gone\.pkl cannot be read"):
        load_flame(tmp_path / "gone.pkl")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"posedirs": None}, "has no posedirs"),
        ({"v_template": np.zeros((10, 2))}, "v_template has shape"),
        ({"weights": np.zeros((3, 5))}, "weights has shape"),
        ({"kintree_table": np.zeros((2, 24), int)}, "kintree_table has shape"),
        ({"kintree_table": np.array([[-1, 0, 1, 2, 3], [0, 1, 2, 3, 4]])}, "do not hang together"),
        ({"f": np.array([[0, 1, 10**6]])}, "vertices that are not there"),
        ({"bs_type": "lrotmin", "v_template": "text"}, "v_template is not an array"),
    ],
)
def test_wrong_contents(tmp_path: Path, arrays: dict[str, Any], change: dict[str, Any], message: str) -> None:
    changed = {k: v for k, v in {**arrays, **change}.items() if v is not None}
    with pytest.raises(BadInput, match=message):
        load_flame(write_flame(tmp_path / "flame.pkl", changed))


@pytest.mark.parametrize("key", ["v_template", "shapedirs", "posedirs", "weights"])
def test_nan_is_found(tmp_path: Path, arrays: dict[str, Any], key: str) -> None:
    spoiled = arrays[key].copy()
    spoiled.flat[7] = np.nan
    with pytest.raises(BadInput, match=f"{key} contains NaN"):
        load_flame(write_flame(tmp_path / "flame.pkl", {**arrays, key: spoiled}))


def test_weights_and_units_are_checked(tmp_path: Path, arrays: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="do not sum to one"):
        load_flame(write_flame(tmp_path / "a.pkl", {**arrays, "weights": arrays["weights"] * 0.9}))
    with pytest.raises(BadInput, match="metres"):
        load_flame(write_flame(tmp_path / "a.pkl", {**arrays, "v_template": arrays["v_template"] * 1000}))

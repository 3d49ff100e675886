from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from avatar_dressed import ask, dressed_avatar
from avatar_stand_in import known_avatar
from test_glb import Glb

from headform.avatar.avatar import Avatar
from headform.avatar.vrm import EYES_REACH, presets, vrm

REQUIRED = {"hips", "spine", "head"} | {
    f"{side}{bone}"
    for side in ("left", "right")
    for bone in ("UpperLeg", "LowerLeg", "Foot", "UpperArm", "LowerArm", "Hand")
}
PARENTS = {  # of those that we have, as humanoid.md lays down
    "spine": "hips",
    "chest": "spine",
    "neck": "chest",
    "head": "neck",
    "jaw": "head",
    "leftEye": "head",
    "leftUpperLeg": "hips",
    "leftLowerLeg": "leftUpperLeg",
    "leftFoot": "leftLowerLeg",
    "leftUpperArm": "chest",
    "leftLowerArm": "leftUpperArm",
    "leftHand": "leftLowerArm",
}
EMOTIONS = {"neutral", "happy", "angry", "sad", "relaxed", "surprised"}
MOUTHS = {"aa", "ih", "ou", "ee", "oh"}
LIDS, LOOKS = {"blink", "blinkLeft", "blinkRight"}, {"lookUp", "lookDown", "lookLeft", "lookRight"}
PRESETS = EMOTIONS | MOUTHS | LIDS | LOOKS


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return dressed_avatar()


@pytest.fixture(scope="module")
def content(avatar: Avatar) -> bytes:
    return vrm(avatar)


@pytest.fixture(scope="module")
def read(content: bytes) -> Glb:
    return Glb.read(content)


@pytest.fixture(scope="module")
def told(read: Glb) -> dict[str, Any]:
    assert "VRMC_vrm" in read.document["extensionsUsed"]
    found: dict[str, Any] = read.document["extensions"]["VRMC_vrm"]
    return found


def places(document: dict[str, Any]) -> list[np.ndarray[Any, np.dtype[np.float64]]]:
    nodes = document["nodes"]
    parent = {child: number for number, node in enumerate(nodes) for child in node.get("children", [])}

    def world(number: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        own = np.array(nodes[number].get("translation", (0.0, 0.0, 0.0)))
        return own + world(parent[number]) if number in parent else own

    return [world(number) for number in range(len(nodes))]


def test_the_body_has_its_bones_in_their_order(read: Glb, told: dict[str, Any]) -> None:
    assert told["specVersion"] == "1.0"
    bones = {name: bone["node"] for name, bone in told["humanoid"]["humanBones"].items()}
    assert bones.keys() >= REQUIRED
    assert len(set(bones.values())) == len(bones)
    both = PARENTS | {
        bone.replace("left", "right"): parent.replace("left", "right") for bone, parent in PARENTS.items()
    }
    assert both.keys() | {"hips"} == bones.keys()
    for bone, parent in both.items():
        assert bones[bone] in read.document["nodes"][bones[parent]]["children"], bone
    assert read.document["scenes"][0]["nodes"] == [0, bones["hips"]]


def test_it_stands_upright_on_the_floor_with_arms_spread(read: Glb, told: dict[str, Any]) -> None:
    where = places(read.document)
    at = {name: where[bone["node"]] for name, bone in told["humanoid"]["humanBones"].items()}
    for lower, upper in (("leftFoot", "leftLowerLeg"), ("hips", "spine"), ("spine", "chest"), ("chest", "neck")):
        assert at[lower][1] < at[upper][1]
    assert 0.03 < at["leftFoot"][1] < 0.15 and 1.3 < at["leftEye"][1] < 1.8
    assert at["leftHand"][0] > at["leftLowerArm"][0] > at["leftUpperArm"][0] > 0.1  # facing +Z, the left is +X
    assert at["leftHand"][1] == pytest.approx(at["leftUpperArm"][1])
    middle = at["neck"][0]
    assert at["rightHand"][0] - middle == pytest.approx(middle - at["leftHand"][0])


def test_the_head_is_lifted_onto_its_neck_and_nothing_else(avatar: Avatar, read: Glb, told: dict[str, Any]) -> None:
    """The skin's joints stand where they were bound: no vertex moves."""
    skin = read.document["skins"][0]
    bound = -read.values(skin["inverseBindMatrices"]).reshape(-1, 4, 4)[:, 3, :3]
    where = places(read.document)
    np.testing.assert_allclose([where[joint] for joint in skin["joints"]], bound, atol=1e-6)
    joints = avatar.fit.personal(avatar.model).joints_of(avatar.fit.beta)
    lift = bound - joints
    np.testing.assert_allclose(lift, np.broadcast_to((0, lift[0, 1], 0), lift.shape), atol=1e-6)
    skin_places = read.values(read.document["meshes"][0]["primitives"][0]["attributes"]["POSITION"])
    rest = avatar.neutral()[avatar.model.part_vertices("skin")]
    np.testing.assert_allclose(skin_places.min(0), rest.min(0) + lift[0], atol=1e-6)


def test_the_presets_are_all_there_and_made_of_units_that_exist(avatar: Avatar, told: dict[str, Any]) -> None:
    names = avatar.model.expression_names
    assert set(told["expressions"]["preset"]) == set(presets()) == PRESETS
    assert tuple(told["expressions"]["custom"]) == names
    for preset, units in presets().items():
        binds = told["expressions"]["preset"][preset]["morphTargetBinds"]
        assert {names[bind["index"]]: bind["weight"] for bind in binds} == units
        assert all(bind["node"] == 0 and 0 < bind["weight"] <= 1 for bind in binds)
        assert bool(binds) == (preset != "neutral")
    for name, custom in told["expressions"]["custom"].items():
        assert custom["morphTargetBinds"] == [{"node": 0, "index": names.index(name), "weight": 1.0}]


@pytest.mark.parametrize("preset", sorted(EMOTIONS | MOUTHS | {"blink", "lookUp", "lookDown"}))
def test_faces_on_both_sides_are_the_same(preset: str) -> None:
    units = presets()[preset]
    for name, amount in units.items():
        other = name.replace("Left", "\0").replace("Right", "Left").replace("\0", "Right")
        assert units.get(other) == amount, name


def test_looking_left_turns_each_eye_to_the_persons_left(avatar: Avatar) -> None:
    theta = {name: avatar.model.drive[avatar.model.expression_index(name)] for name in presets()["lookLeft"]}
    turned = sum(theta.values())
    assert (turned[3:, 1] > 0.1).all()  # about +Y, from +Z towards +X


def test_nobody_may_do_more_with_a_persons_face_than_they_say(read: Glb, told: dict[str, Any]) -> None:
    meta = told["meta"]
    assert meta["name"] and meta["authors"] and meta["licenseUrl"] == "https://vrm.dev/licenses/1.0/"
    assert meta["avatarPermission"] == "onlyAuthor" and meta["commercialUsage"] == "personalNonProfit"
    assert not any(meta[key] for key in meta if key.startswith("allow"))
    assert read.document["images"][meta["thumbnailImage"]]["name"] == "thumbnail"


def test_a_head_that_wears_nothing_is_written_too() -> None:
    read = Glb.read(vrm(known_avatar()))
    assert "thumbnailImage" not in read.document["extensions"]["VRMC_vrm"]["meta"]


def test_the_validator_has_nothing_against_it(content: bytes, tmp_path: Path) -> None:
    found = ask("validate", content, tmp_path)
    assert (found["errors"], found["warnings"]) == (0, 0), found["messages"]


def test_three_vrm_opens_it_shows_expressions_and_looks_left(avatar: Avatar, content: bytes, tmp_path: Path) -> None:
    found = ask("vrm", content, tmp_path, "aa=1", "blinkLeft=1")
    assert found["version"] == "1" and set(found["presets"]) == PRESETS
    assert tuple(found["custom"]) == avatar.model.expression_names
    lift = found["bones"]["neck"][1] - float(avatar.fit.personal(avatar.model).joints_of(avatar.fit.beta)[0, 1])
    person = avatar.fit.personal(avatar.model).person(avatar.fit.beta)
    teeth = avatar.model.part_vertices("teeth_upper", "teeth_lower")
    moved = sum(amount * (person.posed({unit: 1.0}) - avatar.neutral()) for unit, amount in presets()["aa"].items())
    lowest = (avatar.neutral() + moved)[teeth, 1].min() + lift
    assert found["moved"]["teeth"][0][1] == pytest.approx(lowest, abs=2e-4)
    assert found["moved"]["teeth"][0][1] < found["rest"]["teeth"][0][1] - 0.003
    eyes = np.mean([found["bones"]["leftEye"], found["bones"]["rightEye"]], axis=0)
    np.testing.assert_allclose(found["from"], eyes, atol=1e-5)
    assert found["look"]["yaw"] == pytest.approx(45, abs=1)
    assert found["look"]["eye"] == pytest.approx(np.radians(EYES_REACH), abs=1e-3)

"""Strand files there and back, and files of other programs made here byte by byte from their formats' descriptions."""

from __future__ import annotations

import struct
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from headform.errors import BadInput, MissingExtra
from headform.hair import files, library
from headform.hair.dense import groom_of
from headform.hair.files.npz import STEP
from headform.hair.groom import HAIR_WIDTH, Groom, none
from headform.hair.grow import wearer_of
from headform.head import load_default
from headform.head.embedding import Embedding

needs_usd = pytest.mark.skipif(find_spec("pxr") is None, reason='needs usd-core: pip install "headform[usd]"')
USD = (".usda", ".usdc", ".usdz")
FOREIGN = (".data", ".hair", ".obj")
ENDINGS = [".npz", *FOREIGN, *(pytest.param(ending, marks=needs_usd) for ending in USD)]
# metres that a coordinate may be off: half a step, half of the sixth decimal; and float32's own 6e-8 of a metre
PRECISION = {".npz": STEP / 2 + 6e-8, ".obj": 0.5e-6 + 6e-8}


def wavy(strands: int = 60, points: int = 40, seed: int = 3) -> NDArray[np.float32]:
    """Waves that hang from the upper and hinder part of a ball of 9 cm, like hair: Y up, face towards +Z."""
    random = np.random.default_rng(seed)
    out = random.normal((0, 1.0, -0.6), 1, (strands * 6, 3))
    out = out[(out[:, 1] > 0) & (out[:, 2] < 0.8 * out[:, 1])][:strands]
    assert len(out) == strands
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    along = np.linspace(0, 0.25, points)[:, None]
    fall = out[:, None] * (0.09 + 0.04 * (1 - np.exp(-along / 0.04))) + [0, 0.1, 0]
    fall = fall - along * [0, 1, 0] + 0.004 * np.sin(along * 90 + random.uniform(0, 6, (strands, 1, 1)))
    return (fall - (fall[:, :1] - (out[:, None] * 0.09 + [0, 0.1, 0]))).astype(np.float32)


def whole() -> Groom:
    """A groom with everything that one can have."""
    points, random = wavy(), np.random.default_rng(4)
    roots = Embedding(
        random.integers(0, 5000, (60, 3)).astype(np.int32), random.dirichlet([1, 1, 1], 60).astype(np.float32)
    )
    guides = np.full((32, 32, 100, 4), np.nan, np.float32)
    guides[3:20, 5:30] = np.concatenate(
        [np.cumsum(random.normal(0, 0.002, (17, 25, 100, 3)), 2), random.random((17, 25, 100, 1))], 3
    )
    guides[3:20, 5:30, 0, :3] = 0
    about = {"name": "wavy", "tags": ["long", "café"], "seed": 7, "head": "headform", "licence": "CC0-1.0"}
    return Groom(points, random.random(points.shape, np.float32), 2.5e-4, roots, guides, about)


@pytest.mark.parametrize("ending", ENDINGS)
def test_strands_come_back(ending: str, tmp_path: Path) -> None:
    groom = whole()
    files.write(tmp_path / f"wavy{ending}", groom)
    back = files.read(tmp_path / f"wavy{ending}")
    assert back.points.shape == groom.points.shape
    assert np.abs(back.points - groom.points).max() <= PRECISION.get(ending, 0)
    assert back.name == "wavy"


@pytest.mark.parametrize("ending", [e for e in ENDINGS if e != ".data"])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_colours_and_width_come_back(ending: str, dims: int) -> None:
    shades = np.random.default_rng(0).random((60, 40, 3), np.float32)[(0,) * (3 - dims) if dims == 1 else ...]
    shades = shades[:, 0] if dims == 2 else shades
    back = files.from_bytes(files.to_bytes(Groom(wavy(), shades, 3e-4), ending), ending, "wavy")
    expected = Groom(wavy(), shades).point_colours()
    np.testing.assert_allclose(back.point_colours(), expected, atol=0.5 / 255 + 1e-6)
    assert back.width == pytest.approx(3e-4, rel=1e-6)


def test_our_own_file_keeps_everything() -> None:
    groom = whole()
    content = files.to_bytes(groom, ".npz")
    back = files.from_bytes(content, "npz", "wavy")
    assert back.about == groom.about and back.roots is not None and back.guides is not None and groom.roots is not None
    np.testing.assert_array_equal(back.roots.corners, groom.roots.corners)
    np.testing.assert_array_equal(back.roots.barycentric, groom.roots.barycentric)
    np.testing.assert_array_equal(np.isnan(back.guides), np.isnan(groom.guides))
    grown = np.isfinite(groom.guides[:, :, 0, 0])
    assert np.abs(back.guides[grown][..., :3] - groom.guides[grown][..., :3]).max() <= STEP / 2 + 6e-8
    np.testing.assert_allclose(back.guides[grown][..., 3], groom.guides[grown][..., 3], atol=0.5 / 255 + 1e-6)
    assert (back.guides[grown][:, 0, :3] == 0).all()  # the first knot is the root itself
    assert content == files.to_bytes(groom, ".npz")
    again = files.from_bytes(files.to_bytes(back, ".npz"), ".npz", "wavy")
    np.testing.assert_array_equal(again.points, back.points)  # what was rounded once stays
    np.testing.assert_array_equal(again.colours, back.colours)


def test_our_own_file_is_a_third_of_the_plain_numbers(real: list[Groom]) -> None:
    for groom in real:
        bare = Groom(groom.points)
        directory = 2000  # bytes of the zip's own names and headers, at most
        assert len(files.to_bytes(bare, ".npz")) < groom.points.nbytes / 3 + directory, groom.name


def test_steps_too_long_for_16_bits_are_kept() -> None:
    """A step of 1.4 m is 70 000 of 20 µm, beyond ±32767."""
    points = np.array([[[0, 0, 0], [0, 1.4, 0], [0.3, 0, 0]]], np.float32)
    back = files.from_bytes(files.to_bytes(Groom(points), ".npz"), ".npz", "long")
    np.testing.assert_allclose(back.points, points, atol=STEP / 2 + 1e-7)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("bald", [none(), Groom(np.zeros((0, 9, 3), np.float32), np.zeros((0, 3), np.float32))])
def test_no_hair_comes_back_as_no_hair(ending: str, bald: Groom, tmp_path: Path) -> None:
    files.write(tmp_path / f"none{ending}", bald)
    assert len(files.read(tmp_path / f"none{ending}")) == 0


# ── files of other programs, made from the formats' descriptions ─────────────────────────────────


def usc(strands: list[Any]) -> bytes:
    return struct.pack("<i", len(strands)) + b"".join(
        struct.pack("<i", len(one)) + np.asarray(one, "<f4").tobytes() for one in strands
    )


def yuksel(strands: list[Any], bits: int = 2, **given: Any) -> bytes:
    """A HAIR file; `given` holds thickness, transparency, colours by point, and the defaults of the header."""
    flat = np.concatenate(strands)
    header = struct.pack(
        "<4sIIII5f88s",
        b"HAIR",
        len(strands),
        len(flat),
        bits,
        given.get("segments", 0),
        given.get("thick", 1.0),
        0.5,
        *given.get("colour", (0.1, 0.2, 0.3)),
        b"made by hand",
    )
    body = np.array([len(one) - 1 for one in strands], "<u2").tobytes() if bits & 1 else b""
    body += flat.astype("<f4").tobytes() if bits & 2 else b""
    for bit, name in ((4, "thickness"), (8, "transparency"), (16, "colours")):
        body += np.asarray(given[name], "<f4").tobytes() if bits & bit else b""
    return header + body


def test_usc_strands_of_one_point_are_roots_without_hair() -> None:
    strands = wavy(30, 100)
    data = usc([strands[0], [[0.1, 0.2, 0.3]], *strands[1:], [[0, 0, 0]]])
    back = files.from_bytes(data, ".data", "strands00001.data")
    np.testing.assert_array_equal(back.points, strands)
    assert back.about["unit"] == "metres" and back.name == "strands00001"
    assert len(files.from_bytes(usc([[[0, 0, 0]]] * 7), ".data", "bald")) == 0


def test_strands_of_differing_counts_become_even() -> None:
    """The strand of three points is an L with arms of 0.1 and 0.2 m; at five points of even steps of 0.075 m they lie
    at 0, 0.075 on the first arm and 0.15, 0.225, 0.3 along, that is 0.05, 0.125 and 0.2 up the second."""
    straight = np.linspace([0, 0, 0], [0, -0.2, 0], 5)
    bent = np.array([[0, 0, 0], [0.1, 0, 0], [0.1, 0.2, 0]])
    back = files.from_bytes(usc([straight, bent]), ".data", "two")
    np.testing.assert_allclose(back.points[0], straight, atol=1e-7)
    expected = [[0, 0, 0], [0.075, 0, 0], [0.1, 0.05, 0], [0.1, 0.125, 0], [0.1, 0.2, 0]]
    np.testing.assert_allclose(back.points[1], expected, atol=1e-7)


def test_strands_of_many_points_get_a_hundred() -> None:
    strand = np.linspace([0, 0, 0], [0, -0.99, 0], 991)
    back = files.from_bytes(usc([strand, strand[:500]]), ".data", "fine")
    assert back.points.shape == (2, 100, 3)
    np.testing.assert_allclose(back.points[0, :, 1], -0.01 * np.arange(100), atol=1e-6)


@pytest.mark.parametrize(
    ("unit", "scale"), [("metres", 1), ("centimetres", 100), ("millimetres", 1000), ("inches", 1 / 0.0254)]
)
@pytest.mark.parametrize("ending", [".data", ".hair", ".obj"])
def test_units_are_understood(unit: str, scale: float, ending: str) -> None:
    strands = wavy()
    text = "".join(f"v {x} {y} {z}\n" for x, y, z in (strands * scale).reshape(-1, 3))
    text += "".join("l " + " ".join(str(40 * s + k + 1) for k in range(40)) + "\n" for s in range(60))
    data = {
        ".data": usc(list(strands * scale)),
        ".hair": yuksel(list(strands * scale), segments=39),
        ".obj": text.encode(),
    }
    back = files.from_bytes(data[ending], ending, "head")
    assert back.about["unit"] == unit
    np.testing.assert_allclose(back.points, strands, atol=1e-6)


@pytest.fixture(scope="module")
def real() -> list[Groom]:
    """Styles that ship: very short, of usual length, very long, and one that covers the top alone."""
    wearer = wearer_of(load_default())
    return [groom_of(library.style(name), wearer, count=400) for name in ("buzz", "lob", "very_long_straight", "quiff")]


@pytest.mark.parametrize(
    ("unit", "scale"), [("metres", 1), ("centimetres", 100), ("millimetres", 1000), ("inches", 1 / 0.0254)]
)
def test_units_and_axes_of_real_hair_are_understood(unit: str, scale: float, real: list[Groom]) -> None:
    """Our y is the file's z, and our front its −y, as in Blender: (x, y, z) is written as (x, −z, y)."""
    for groom in real:
        lying = groom.points[:, :, [0, 2, 1]] * np.array([1, -1, 1]) * scale
        data = yuksel(list(lying), segments=groom.points.shape[1] - 1)
        back = files.from_bytes(data, ".hair", groom.name)
        assert back.about["unit"] == unit and back.about["up"] == "z, face to -y", groom.name
        np.testing.assert_allclose(back.points, groom.points, atol=1e-6)


@pytest.mark.parametrize(
    ("up", "into"),
    [("z, face to -y", [[1, 0, 0], [0, 0, -1], [0, 1, 0]]), ("z, face to +y", [[-1, 0, 0], [0, 0, 1], [0, 1, 0]])],
)
def test_yuksel_hair_that_stands_on_z_is_set_upright(up: str, into: list[list[int]]) -> None:
    """`into` takes our axes to the file's: our up (0, 1, 0) becomes (0, 0, 1), our front (0, 0, 1) becomes ∓y."""
    turn = np.array(into)
    assert (turn @ [0, 1, 0] == [0, 0, 1]).all() and np.linalg.det(turn) == pytest.approx(1)
    assert (turn @ [0, 0, 1])[1] == (-1 if up.endswith("-y") else 1)
    back = files.from_bytes(yuksel(list(wavy() @ turn.T), segments=39), ".hair", "head")
    assert back.about["up"] == up
    np.testing.assert_allclose(back.points, wavy(), atol=1e-6)


def test_every_array_of_a_hair_file_is_found() -> None:
    """In centimetres: thickness 0.02 at the roots and 0.005 after them is 0.2 mm wide; colours follow transparency."""
    strands = [strand[: 40 - 2 * (k % 3)] * 100 for k, strand in enumerate(wavy())]
    total = sum(map(len, strands))
    thickness = np.concatenate([[0.02] + [0.005] * (len(one) - 1) for one in strands])
    colours = np.tile([0.25, 0.5, 0.75], (total, 1))
    back = files.from_bytes(
        yuksel(strands, 31, thickness=thickness, transparency=np.full(total, 0.3), colours=colours), ".hair", "all"
    )
    assert len(back) == 60 and back.width == pytest.approx(2e-4)
    np.testing.assert_allclose(back.point_colours()[::7, ::5], np.broadcast_to([0.25, 0.5, 0.75], (9, 8, 3)), atol=1e-6)
    plain = files.from_bytes(yuksel(strands, 3), ".hair", "plain")
    np.testing.assert_allclose(plain.colours, [0.1, 0.2, 0.3], atol=1e-7)
    assert plain.width == HAIR_WIDTH  # the header's 1.0 would be a centimetre


def test_obj_lines_in_every_way_that_programs_write_them() -> None:
    places = np.array([[0, 0, 0], [0, 0.1, 0], [0, 0.2, 0], [0.1, 0, 0], [0.1, 0.1, 0], [0.1, 0.2, 0]])
    vertices = "".join(f"v {x} {y} {z}\n" for x, y, z in places)
    for lines in (
        "l 1 2 3\nl 4 5 6\n",
        "l 1/1 2/2 3/3\nl 4/4 5/5 6/6\n",
        "l 1 2\nl 2 3\nl 4 5\nl 5 6\n",
        "l -6 -5 -4\nl -3 -2 -1\n",
        "l 1 2 \\\n 3\r\n\tl 4 5 6",
    ):
        back = files.from_bytes(f"# other\no hair\n{vertices}vt 0 0\n{lines}".encode(), ".obj", "six")
        np.testing.assert_allclose(back.points, places.reshape(2, 3, 3), atol=1e-7)
    weighted = vertices.replace("\n", " 1.0\n") + "l 1 2 3\nl 4 5 6\n"  # a fourth number: OBJ's weight
    remarked = vertices.replace("\n", " # a knot\n") + "l 1 2 3\nl 4 5 6\n"
    for other in (weighted, remarked):
        np.testing.assert_allclose(files.from_bytes(other.encode(), ".obj", "six").points, places.reshape(2, 3, 3))
    early = f"{vertices}l -6 -5 -4\nv 0 0.2 0.1\nl -4 -3 -2\n"  # counted back from where the line stands
    np.testing.assert_allclose(files.from_bytes(early.encode(), ".obj", "six").points, places.reshape(2, 3, 3))


@needs_usd
@pytest.mark.parametrize("ending", USD)
def test_usd_itself_has_nothing_against_it(ending: str, tmp_path: Path) -> None:
    validation = pytest.importorskip("pxr.UsdValidation", reason="needs a usd-core that can validate")
    from pxr import Usd, UsdGeom

    files.write(tmp_path / f"hair{ending}", whole())
    stage = Usd.Stage.Open(str(tmp_path / f"hair{ending}"))
    every = validation.ValidationRegistry().GetOrLoadAllValidators()
    found = [error.GetMessage() for error in validation.ValidationContext(every).Validate(stage)]
    assert len(every) > 10 and not found
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1 and UsdGeom.GetStageUpAxis(stage) == "Y"


@needs_usd
def test_a_usd_scene_of_another_program_comes_as_it_stands(tmp_path: Path) -> None:
    """Centimetres, Z up, moved 10 up and doubled: (1, 2, 3) becomes 2·(1, 2, 3) + (0, 0, 10) = (2, 4, 16), which is
    (0.02, 0.16, -0.04) m in our axes. Linear 0.5 is sRGB 1.055·0.5^(1/2.4) − 0.055 = 0.7354."""
    curves = """
        def BasisCurves "{name}" {{
            uniform token type = "{type}"
            int[] curveVertexCounts = [{counts}]
            point3f[] points = [{points}]
            float[] widths = [0.01] (interpolation = "constant")
            color3f[] primvars:displayColor = [(0.5, 0.5, 0.5)]
        }}"""
    line = curves.format(name="a", type="linear", counts="2, 3", points="(1,2,3),(1,2,9),(0,0,0),(0,0,9),(5,0,9)")
    bezier = curves.format(name="b", type="cubic", counts="4", points="(1,2,3),(9,9,9),(-9,-9,-9),(1,2,9)")
    text = f"""#usda 1.0
(
    metersPerUnit = 0.01
    upAxis = "Z"
)
def Xform "World" {{
    double3 xformOp:translate = (0, 0, 10)
    float3 xformOp:scale = (2, 2, 2)
    uniform token[] xformOpOrder = ["xformOp:translate", "xformOp:scale"]
    {line}{bezier}
}}
"""
    (tmp_path / "scene.usda").write_text(text)
    back = files.read(tmp_path / "scene.usda")
    assert len(back) == 3 and back.about["unit"] == "centimetres" and back.width == pytest.approx(2e-4)
    np.testing.assert_allclose(back.points[0][[0, -1]], [[0.02, 0.16, -0.04], [0.02, 0.28, -0.04]], atol=1e-7)
    np.testing.assert_allclose(back.points[2], back.points[0], atol=1e-7)
    np.testing.assert_allclose(back.point_colours(), 0.7354, atol=1e-4)


# ── names ────────────────────────────────────────────────────────────────────────────────────────


def test_an_ending_that_is_no_strand_file_is_told_what_there_is() -> None:
    with pytest.raises(BadInput, match=r"did you mean .*\.usdc"):
        files.read(Path("hair.usd"))
    with pytest.raises(BadInput, match=r"hair is kept as \.npz, \.data"):
        files.to_bytes(none(), ".mp3")


def test_usd_without_its_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"headform\[usd\]"):
        files.to_bytes(none(), ".usdc")


def test_nothing_stands_at_the_path_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="JSON"):
        files.write(tmp_path / "hair.npz", Groom(wavy(), about={"name": object()}))
    assert not list(tmp_path.iterdir())


def test_what_our_own_file_cannot_keep_is_refused_when_it_is_written() -> None:
    holes = np.full((32, 32, 100, 4), np.nan, np.float32)
    holes[3, 4, :50] = 0.0
    with pytest.raises(BadInput, match="numbers and NaN"):
        files.to_bytes(Groom(wavy(), guides=holes), ".npz")
    with pytest.raises(BadInput, match="farther than 10 m"):
        files.to_bytes(Groom(wavy() + np.float32(11)), ".npz")
    with pytest.raises(BadInput, match="JSON"):
        files.to_bytes(Groom(wavy(), about={"age": float("nan")}), ".npz")


def test_our_own_file_opens_with_numpy_alone(tmp_path: Path) -> None:
    """As the module's text describes it: steps of 20 µm in two bytes, the sign in the last bit, summed twice."""
    files.write(tmp_path / "hair.npz", whole())
    assert zipfile.is_zipfile(tmp_path / "hair.npz")
    with np.load(tmp_path / "hair.npz", allow_pickle=False) as arrays:
        low, high = arrays["bends"].astype(np.int64)
    unsigned = low + 256 * high
    bends = np.where(unsigned % 2, -(unsigned + 1) // 2, unsigned // 2)
    first, ways = bends[:, :1], np.cumsum(bends[:, 1:], axis=1)
    places = np.concatenate([first, first + np.cumsum(ways, axis=1)], 1) * 2e-5
    np.testing.assert_allclose(places, whole().points, atol=1.1e-5)

"""Strand files as someone hostile, or unlucky, would have them: one sentence each, and never more memory than the file
is worth."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headform.errors import BadInput
from headform.hair import files
from headform.hair.files import npz
from headform.hair.groom import Groom
from headform.head.embedding import Embedding

needs_usd = pytest.mark.skipif(find_spec("pxr") is None, reason='needs usd-core: pip install "headform[usd]"')
ENDINGS = [
    ".npz",
    ".data",
    ".hair",
    ".obj",
    pytest.param(".usda", marks=needs_usd),
    pytest.param(".usdc", marks=needs_usd),
    pytest.param(".usdz", marks=needs_usd),
]
FIRST = np.linspace([0, 0, 0], [0.02, -0.3, 0.01], 12)
MIB = 1 << 20


def small() -> Groom:
    """Twenty strands with roots, guides and colours."""
    random = np.random.default_rng(1)
    points = (FIRST + random.normal(0, 0.05, (20, 1, 3))).astype(np.float32)
    guides = np.full((32, 32, 100, 4), np.nan, np.float32)
    guides[4:6, 7] = 0.01
    roots = Embedding(np.ones((20, 3), np.int32), np.full((20, 3), 1 / 3, np.float32))
    return Groom(points, random.random((20, 12, 3), np.float32), 2e-4, roots, guides, {"name": "small"})


@pytest.fixture(scope="module")
def kept() -> dict[str, bytes]:
    with_usd = find_spec("pxr") is not None
    return {each: files.to_bytes(small(), each) for each in files.FORMATS if with_usd or not each.startswith(".usd")}


def refused(data: bytes, ending: str, sentence: str = "theirs") -> str:
    with pytest.raises(BadInput, match=sentence) as caught:
        files.from_bytes(data, ending, "theirs")
    said = str(caught.value)
    assert said.startswith("theirs") or "in theirs" in said, said
    assert said.isprintable() and len(said) < 300
    return said


def usc(*strands: Any, count: int | None = None) -> bytes:
    body = b"".join(struct.pack("<i", len(one)) + np.asarray(one, "<f4").tobytes() for one in strands)
    return struct.pack("<i", len(strands) if count is None else count) + body


def header(strands: int, points: int, bits: int = 2, segments: int = 11) -> bytes:
    return struct.pack("<4sIIII5f88s", b"HAIR", strands, points, bits, segments, 1, 0, 0, 0, 0, b"")


def repacked(data: bytes, **changed: bytes | None) -> bytes:
    """An npz with entries changed, added, or left out."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = {name[:-4]: archive.read(name) for name in archive.namelist()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (entries | changed).items():
            if content is not None:
                archive.writestr(f"{name}.npy", content)
    return out.getvalue()


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.ascontiguousarray(array), (1, 0), allow_pickle=True)
    return stream.getvalue()


def letters(text: str) -> bytes:
    return npy(np.frombuffer(text.encode(), np.uint8))


# ── every format ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_cut_short_is_refused_wherever_it_ends(ending: str, kept: dict[str, bytes]) -> None:
    data = kept[ending]
    for share in (0.0, 0.001, 0.1, 0.5, 0.9, 0.999):
        refused(data[: int(share * len(data))], ending)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_of_another_kind_is_refused(ending: str, kept: dict[str, bytes]) -> None:
    for data in (b"", b"\0" * 300, b"HAIR" * 40, b"PK\x03\x04" + b"\0" * 200, b"#usda 1.0\n(", bytes(range(256)) * 8):
        refused(data, ending)
    for other in kept:
        if other != ending and not (other.startswith(".usd") and ending.startswith(".usd")):
            refused(kept[other], ending)


@pytest.mark.parametrize("ending", ENDINGS)
def test_changed_bytes_give_hair_or_one_sentence(ending: str, kept: dict[str, bytes]) -> None:
    """Bytes changed, left out, doubled and exchanged, always the same."""
    random, data = np.random.default_rng(5), kept[ending]
    read = 0
    for _ in range(3 if ending.startswith(".usd") else 150):  # USD itself answers for the rest
        try:
            groom = files.from_bytes(mutated(data, random), ending, "theirs")
        except BadInput as error:
            assert str(error).isprintable() and "\n" not in str(error)
            continue
        read += 1
        assert np.isfinite(groom.points).all() and groom.points.shape[1] <= 100
    assert ending != ".obj" or read  # some changes do no harm


def mutated(data: bytes, random: np.random.Generator) -> bytes:
    """One to eight changes, a part of them near the beginning, where the counts stand."""
    out = bytearray(data)
    for _ in range(random.integers(1, 9)):
        at = int(random.integers(len(out) if random.random() < 0.5 else min(len(out), 160)))
        kind = random.integers(5)
        if kind == 0:
            out[at] = int(random.integers(256))
        elif kind == 1:
            out[at : at + 4] = struct.pack("<i", int(random.choice([0, -1, 1, 2**31 - 1, 65536, 10**6])))
        elif kind == 2:
            del out[at : at + int(random.integers(1, 30))]
        elif kind == 3:
            out[at:at] = out[at : at + int(random.integers(1, 30))]
        else:
            out[at : at + 4] = struct.pack("<f", float(random.choice([np.nan, np.inf, -1e30, 1e30])))
    return bytes(out)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_refused(value: float) -> None:
    bad = FIRST.copy()
    bad[5, 1] = value
    refused(usc(FIRST, bad), ".data", "NaN or infinity")
    refused(header(1, 12) + bad.astype("<f4").tobytes(), ".hair", "NaN or infinity")
    text = "".join(f"v {x} {y} {z}\n" for x, y, z in bad) + "l 1 2 3 4 5 6\n"
    refused(text.encode(), ".obj", "NaN or infinity")
    if find_spec("pxr"):
        points = ",".join(f"({x},{y},{z})" for x, y, z in bad)
        refused(curves("12", points).encode(), ".usda", "NaN or infinity")


def curves(counts: str, points: str, extra: str = "") -> str:
    return f"""#usda 1.0
({extra}
    metersPerUnit = 1
)
def BasisCurves "hair" {{
    uniform token type = "linear"
    int[] curveVertexCounts = [{counts}]
    point3f[] points = [{points}]
}}
"""


@pytest.mark.parametrize("size", [2.5, 3.5, 0.003, 1e5])
def test_hair_that_fits_no_head_in_any_unit_is_refused(size: float) -> None:
    """2.5 and 3.5 are too large in metres and 6 and 9 cm in inches; 1e5 would be 100 m in millimetres."""
    refused(usc(np.linspace([0, 0, 0], [0, size, 0], 9)), ".data", "scale it to metres")


def test_hair_far_from_everything_is_refused() -> None:
    refused(usc(FIRST + 1e7), ".data", "origin")
    refused(usc(FIRST, FIRST * 1e38), ".data", "origin")


def test_strands_of_which_there_are_too_many_are_refused_unread() -> None:
    refused(usc(FIRST, count=1_000_001), ".data", "1000001 strands, and at most 1000000")
    refused(header(1_000_001, 12_000_012), ".hair", "at most 1000000")
    bends = npy(np.zeros((2, 1_000_001, 2, 3), np.uint8))
    refused(repacked(files.to_bytes(small(), ".npz"), bends=bends), ".npz", "at most 1000000")


@pytest.mark.parametrize(
    ("data", "ending"),
    [
        (usc(FIRST, count=1_000_000), ".data"),
        (struct.pack("<ii", 1, 2**31 - 1) + FIRST.astype("<f4").tobytes(), ".data"),
        (header(1_000_000, 2**32 - 1, 31), ".hair"),
        (header(1, 12, 31) + b"\0" * 144, ".hair"),
        (header(10**6, 12, 2, 2**32 - 1) + b"\0" * 144, ".hair"),
    ],
)
def test_counts_that_the_file_cannot_hold_take_no_memory(data: bytes, ending: str) -> None:
    tracemalloc.start()
    refused(data, ending)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20 * MIB


# ── USC ──────────────────────────────────────────────────────────────────────────────────────────


def test_counts_that_do_not_fit_a_usc_file_are_refused() -> None:
    refused(usc(count=5), ".data", "promises 5 strands")
    refused(usc(FIRST, FIRST, count=1), ".data", "goes on")
    refused(usc(FIRST, np.zeros((0, 3))), ".data", "strand 1")
    refused(struct.pack("<i", -4), ".data", "promises -4")
    refused(struct.pack("<iii", 1, -1, 0), ".data", "strand 0")


# ── HAIR ─────────────────────────────────────────────────────────────────────────────────────────


def test_headers_of_hair_files_that_lie_are_refused() -> None:
    body = FIRST.astype("<f4").tobytes()
    refused(header(1, 12, 0), ".hair", "without points")
    refused(header(1, 12, 2 | 32) + body, ".hair", "unknown")
    refused(header(1, 12) + body + b"\0", ".hair", "promises 1 strands of 12 points")
    refused(header(2, 12) + body, ".hair", "12 points for strands of 24")
    refused(header(1, 12, 2, 2**32 - 1) + body, ".hair", "for strands of")
    refused(header(7, 0), ".hair", "for strands of")
    refused(b"HAIR", ".hair", "does not begin")


# ── OBJ ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("v 0 0 0\nv 0 1 0\nf 1 2 2\n", "has no lines"),
        ("# Headform strands: metres, Y up, width 1\nv 0 0 0\n# end of the strands", "has no lines"),
        ("# Headform strands: metres, Y up, width 1\n", "cut short"),
        ("v 0 0 0\nv 0 1 0\nl 1 3\n", "vertices that it has not"),
        ("v 0 0 0\nv 0 1 0\nl 0 1\n", "vertices that it has not"),
        ("v 0 0 0\nv 0 1 0\nl -3 -1\n", "vertices that it has not"),
        ("v 0 0 0\nv 0 1 0\nl 1 99999999999999999999\n", "name no vertices"),
        ("v 0 0 0\nv 0 1 0\nl 1 2.5\n", "name no vertices"),
        ("v 0 0 0\nv 0 1 0\nl 1 " + "9" * 6000 + "\n", "name no vertices"),
        ("v 0 0 0\nv 0 one 0\nl 1 2\n", "no numbers"),
        ("v 0 0 0\nv 0 1\nl 1 2\n", "no numbers"),
        ("l 1 2\n", "vertices that it has not"),
    ],
)
def test_obj_files_that_hold_no_strands_are_refused(text: str, sentence: str) -> None:
    refused(text.encode(), ".obj", sentence)


# ── our own ──────────────────────────────────────────────────────────────────────────────────────


def changed(key: str, value: Any) -> Callable[[bytes], bytes]:
    return lambda data: repacked(data, **{key: value})


FORMAT = {"format": "headform-hair", "version": 1, "step": 2e-5}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (changed("format", None), "no hair that Headform wrote"),
        (changed("format", letters("[]")), "no hair that Headform wrote"),
        (changed("format", letters(json.dumps(FORMAT | {"version": 9}))), "format 9, and this Headform reads format 1"),
        (changed("format", letters(json.dumps(FORMAT | {"version": "x" * 900}))), "update it"),
        (changed("bends", None), "altered"),
        (changed("bends", npy(np.zeros((2, 20, 12, 3), np.float32))), "another form"),
        (changed("bends", npy(np.zeros((3, 20, 12, 3), np.uint8))), "another form"),
        (changed("bends", npy(np.zeros((2, 20, 1, 3), np.uint8))), "another form"),
        (changed("bends", npy(np.full((4, 20, 12, 3), 255, np.uint8))), "farther than 10 m"),
        (changed("bends", npy(np.zeros((2, 21, 12, 3), np.uint8))), "altered|colours|roots"),
        (changed("bends", npy(np.array([None, {}]))), "another form"),
        (changed("bends", npy(np.zeros((2, 20, 12, 3), np.uint8))[:-1]), "another size"),
        (changed("bends", npy(np.zeros((2, 20, 12, 3), np.uint8)) + b"\0"), "another size"),
        (changed("colours", npy(np.full((3,), np.nan, np.float32))), "colours"),
        (changed("colours", npy(np.full((20, 3), 1e9, np.float32))), "colours"),
        (changed("width", npy(np.array([np.nan], np.float32))), "width"),
        (changed("width", npy(np.zeros(0, np.float32))), "altered"),
        (changed("about", letters('{"a": NaN}')), "holds NaN"),
        (changed("about", letters("[" * 100_000)), "altered"),
        (changed("about", npy(np.array([255, 254], np.uint8))), "altered"),
        (changed("about", letters("7")), "no table"),
        (changed("corners", npy(np.full((20, 3), -1, np.int32))), "no triangle"),
        (changed("corners", npy(np.zeros((19, 3), np.int32))), "roots do not fit"),
        (changed("barycentric", npy(np.full((20, 3), np.nan, np.float32))), "no triangle"),
        (changed("barycentric", npy(np.full((20, 3), 0.9, np.float32))), "no triangle"),
        (changed("barycentric", None), "altered"),
        (changed("grown", npy(np.ones((32, 32), np.uint8))), "guides have another form"),
        (changed("grown", npy(np.ones((5, 5), np.uint8))), "guides have another form"),
        (changed("guides", npy(np.zeros((2, 2, 50, 3), np.uint8))), "guides have another form"),
        (changed("curliness", None), "altered"),
    ],
)
def test_our_own_files_altered_are_refused(change: Callable[[bytes], bytes], sentence: str) -> None:
    refused(change(files.to_bytes(small(), ".npz")), ".npz", sentence)


def test_headers_in_our_own_file_that_promise_more_than_there_is_take_no_memory(kept: dict[str, bytes]) -> None:
    """A header of an array of 10^12 numbers before 16 bytes, which numpy itself would make room for."""
    head = b"{'descr': '<i4', 'fortran_order': False, 'shape': (1000000000, 1000, 3), }\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + b"\0" * 16
    tracemalloc.start()
    refused(repacked(kept[".npz"], bends=content), ".npz", "another size")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20 * MIB


def test_a_zip_bomb_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two entries of 48 MiB of zeros, together 0.1 MB in the file, where 64 MiB are allowed."""
    monkeypatch.setattr(npz, "MOST_UNPACKED", 64 * MIB)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in ("bends", "guides"):
            with archive.open(f"{name}.npy", "w") as stream:
                for _ in range(6):
                    stream.write(bytes(8 * MIB))
    assert len(out.getvalue()) < MIB
    tracemalloc.start()
    refused(out.getvalue(), ".npz", "unpacks to more than 64 MiB")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20 * MIB


def test_an_entry_that_is_longer_than_it_says_is_refused(kept: dict[str, bytes]) -> None:
    """The directory of the zip says 200 bytes where 20 000 are packed."""
    data = bytearray(repacked(kept[".npz"], about=letters(json.dumps({"name": "x" * 20_000}))))
    size = struct.pack("<I", len(letters(json.dumps({"name": "x" * 20_000}))))
    assert data.count(size) >= 1
    refused(bytes(data.replace(size, struct.pack("<I", 200))), ".npz")


def test_nothing_in_our_own_file_runs_when_it_is_read(kept: dict[str, bytes]) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (warnings.warn, ("it ran",))

    trap = np.array([Trap()], object)
    refused(repacked(kept[".npz"], bends=npy(trap)), ".npz")
    assert len(files.from_bytes(repacked(kept[".npz"], other=npy(trap)), ".npz", "theirs")) == 20


# ── USD ──────────────────────────────────────────────────────────────────────────────────────────


@needs_usd
def test_usd_files_that_hold_no_strands_are_refused() -> None:
    refused(b'#usda 1.0\ndef Mesh "m" {}\n', ".usda", "no curves")
    refused(curves("2, 3", "(0,0,0),(0,1,0)").encode(), ".usda", "do not fit")
    refused(curves("-2, 4", "(0,0,0),(0,1,0)").encode(), ".usda", "do not fit")
    refused(curves("3", "").encode(), ".usda", "do not fit")
    refused(curves("1000000000", "(0,0,0)").encode(), ".usda", "do not fit")


@needs_usd
def test_a_usd_file_that_ends_the_reading_process_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kept: dict[str, bytes]
) -> None:
    """As USD does on some damaged files: here the program that reads them ends itself at once."""
    from headform.hair.files import usd_scene

    (tmp_path / "ends.py").write_text("import os\nos.abort()\n")
    monkeypatch.setattr(usd_scene, "__file__", str(tmp_path / "ends.py"))
    refused(kept[".usdc"], ".usdc", "cut short or damaged")


@needs_usd
def test_a_usd_file_cannot_make_us_read_other_files(tmp_path: Path) -> None:
    (tmp_path / "other.usda").write_text(curves("2", "(0,0,0),(0,0.5,0)"))
    text = curves("2", "(0,0,0),(0,1,0)", f"\n    subLayers = [@{tmp_path}/other.usda@]")
    refused(text.encode(), ".usda", "other files")


# ── sizes ────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    for ending, form in files.FORMATS.items():
        path = tmp_path / f"large{ending}"
        with path.open("wb") as stream:
            stream.truncate(form.most + MIB)  # a hole: it takes no room
        with pytest.raises(BadInput, match=r"large\.\w+ has \d+ MiB, and"):
            files.read(path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(BadInput, match="is no file"):
        files.read(tmp_path / "folder.npz")
    with pytest.raises(FileNotFoundError):
        files.read(tmp_path / "absent.npz")


def test_strands_that_would_not_fit_are_refused() -> None:
    """600 000 strands of two points and one of a hundred would be sixty million points."""
    strands = np.zeros(600_000, np.dtype([("count", "<i4"), ("points", "<f4", (2, 3))]))
    strands["count"], strands["points"][:, 1, 1] = 2, 0.2
    long = struct.pack("<i", 100) + np.linspace([0, 0, 0], [0, 1, 0], 100).astype("<f4").tobytes()
    refused(struct.pack("<i", 600_001) + strands.tobytes() + long, ".data", "more than fit")

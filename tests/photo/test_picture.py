"""Every kind of file a person may give: real small files, encoded here."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps, PngImagePlugin

from headform.errors import BadInput, MissingExtra
from headform.photo import Photo
from headform.photo.picture import MOST_BYTES, count_scans

HIGH, WIDE = 48, 64
ORIENTATION, FOCAL_35, FOCAL_WIDE, FOCAL_HIGH, EXIF_BLOCK = 0x0112, 0xA405, 0xA002, 0xA003, 0x8769
LOSSLESS: dict[str, dict[str, Any]] = {
    "PNG": {},
    "WEBP": {"lossless": True, "exact": True},
}


def scene(high: int = HIGH, wide: int = WIDE) -> NDArray[np.uint8]:
    """Smooth colours that differ in every corner, so that also lossy files keep them."""
    y, x = np.mgrid[:high, :wide]
    return np.stack([x * 200 // wide + 20, y * 200 // high + 30, 220 - (x + y) * 150 // (high + wide)], -1).astype(
        np.uint8
    )


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_header(wide: int, high: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0))


def exif_with(focal: int | None = None, size: tuple[int, int] | None = None, orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    block = exif.get_ifd(EXIF_BLOCK)
    if focal is not None:
        block[FOCAL_35] = focal
    if size is not None:
        block[FOCAL_WIDE], block[FOCAL_HIGH] = size
    return exif


@pytest.mark.parametrize("kind", sorted(LOSSLESS))
def test_lossless_files_give_their_pixels(kind: str) -> None:
    photo = Photo.of(encoded(Image.fromarray(scene()), kind, **LOSSLESS[kind]))
    assert photo.pixels.dtype == np.uint8 and photo.pixels.flags.c_contiguous
    np.testing.assert_array_equal(photo.pixels, scene())


@pytest.mark.parametrize(("kind", "options"), [("JPEG", {"quality": 95}), ("AVIF", {"quality": 95}), ("WEBP", {})])
def test_lossy_files_give_nearly_their_pixels(kind: str, options: dict[str, Any]) -> None:
    photo = Photo.of(encoded(Image.fromarray(scene()), kind, **options))
    assert np.abs(photo.pixels.astype(int) - scene()).mean() < 3


@pytest.mark.parametrize("progressive", [False, True])
def test_jpegs_may_be_progressive(progressive: bool) -> None:
    photo = Photo.of(encoded(Image.fromarray(scene()), "JPEG", quality=95, progressive=progressive))
    assert np.abs(photo.pixels.astype(int) - scene()).mean() < 3


def test_grey_is_grey() -> None:
    grey = scene()[..., 0]
    photo = Photo.of(encoded(Image.fromarray(grey), "PNG"))
    np.testing.assert_array_equal(photo.pixels, np.repeat(grey[..., None], 3, -1))


def test_black_and_white() -> None:
    dark = scene()[..., 0] < 120
    photo = Photo.of(encoded(Image.fromarray(dark), "PNG"))
    np.testing.assert_array_equal(photo.pixels[..., 0], np.where(dark, 255, 0))


@pytest.mark.parametrize("top", [65535, 255])
def test_sixteen_bits_are_scaled_whatever_the_brightest_is(top: int) -> None:
    """Also a night of no more than 255 of 65535 stays a night."""
    values = np.linspace(0, top, HIGH * WIDE).reshape(HIGH, WIDE).round().astype(np.uint16)
    photo = Photo.of(encoded(Image.fromarray(values), "PNG"))
    np.testing.assert_array_equal(photo.pixels[..., 1], np.rint(values / 65535 * 255))


def test_sixteen_bits_of_colour() -> None:
    """Written by hand, as Pillow writes no such file: each value twice, so that its upper byte is the scene's."""
    rows = b"".join(b"\0" + np.repeat(row.ravel(), 2).tobytes() for row in scene())
    header = struct.pack(">IIBBBBB", WIDE, HIGH, 16, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    np.testing.assert_array_equal(Photo.of(content).pixels, scene())


def test_a_palette_is_resolved() -> None:
    painted = Image.fromarray(scene()).quantize(16)
    photo = Photo.of(encoded(painted, "PNG"))
    np.testing.assert_array_equal(photo.pixels, np.asarray(painted.convert("RGB")))


def test_a_palette_with_a_clear_colour_lies_over_white() -> None:
    painted = Image.fromarray(np.repeat([[0, 1]], HIGH, 0).repeat(WIDE // 2, 1).astype(np.uint8), "P")
    painted.putpalette([10, 20, 30, 200, 100, 50])
    photo = Photo.of(encoded(painted, "PNG", transparency=0))
    assert photo.pixels[0, 0].tolist() == [255] * 3
    assert photo.pixels[0, -1].tolist() == [200, 100, 50]


@pytest.mark.parametrize("kind", sorted(LOSSLESS))
def test_alpha_lies_over_white(kind: str) -> None:
    """Equation of the over operator: alpha · colour + (1 - alpha) · 255."""
    alpha = np.linspace(0, 255, WIDE).round()[None].repeat(HIGH, 0)
    layered = np.dstack([scene(), alpha.astype(np.uint8)])
    photo = Photo.of(encoded(Image.fromarray(layered), kind, **LOSSLESS[kind]))
    share = alpha[..., None] / 255
    assert np.abs(photo.pixels - (share * scene() + (1 - share) * 255)).max() <= 1


def test_grey_with_alpha_lies_over_white() -> None:
    layered = np.dstack([scene()[..., 0], np.zeros((HIGH, WIDE), np.uint8)])
    assert Photo.of(encoded(Image.fromarray(layered), "PNG")).pixels.min() == 255


def test_a_clear_colour_of_an_rgb_file_lies_over_white() -> None:
    flat = np.full((HIGH, WIDE, 3), (1, 2, 3), np.uint8)
    assert Photo.of(encoded(Image.fromarray(flat), "PNG", transparency=(1, 2, 3))).pixels.min() == 255


def test_printers_colours_become_screen_colours() -> None:
    """No ink is white, all black is black, cyan ink takes the red away."""
    inks = np.zeros((HIGH, WIDE, 4), np.uint8)
    inks[:, 16:40, 0] = 255
    inks[:, 40:, 3] = 255
    photo = Photo.of(encoded(Image.fromarray(inks, "CMYK"), "JPEG", quality=95))
    assert photo.pixels[24, 4].min() > 245
    assert photo.pixels[24, 60].max() < 10
    red, green, blue = photo.pixels[24, 28]
    assert red < 10 and min(green, blue) > 245


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_photo_is_upright(orientation: int) -> None:
    """Oracle: Pillow's own transposition."""
    content = encoded(Image.fromarray(scene()), "PNG", exif=exif_with(orientation=orientation))
    with Image.open(io.BytesIO(content)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(Photo.of(content).pixels, expected)


def test_six_is_a_quarter_turn_clockwise() -> None:
    content = encoded(Image.fromarray(scene()), "PNG", exif=exif_with(orientation=6))
    pixels = Photo.of(content).pixels
    assert pixels.shape == (WIDE, HIGH, 3)
    assert pixels[0, -1].tolist() == scene()[0, 0].tolist()


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_every_format_is_turned(kind: str) -> None:
    content = encoded(Image.fromarray(scene()), kind, quality=95, exif=exif_with(orientation=8))
    pixels = Photo.of(content).pixels
    assert pixels.shape == (WIDE, HIGH, 3)
    assert np.abs(pixels[-1, 0].astype(int) - scene()[0, 0]).max() < 20


def test_nonsense_in_exif_does_not_matter() -> None:
    whole = encoded(Image.fromarray(scene()), "JPEG", quality=95)
    for block in (
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0garbage",
        b"Exif\0\0",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff",
    ):
        segment = b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block
        photo = Photo.of(whole[:2] + segment + whole[2:])
        assert photo.focal is None
        assert np.abs(photo.pixels.astype(int) - scene()).mean() < 3


def test_focal_length_in_pixels() -> None:
    """A 35 mm film frame has a diagonal of 43.27 mm; 48 by 64 pixels one of 80."""
    content = encoded(Image.fromarray(scene()), "JPEG", exif=exif_with(50))
    assert Photo.of(content).focal == pytest.approx(50 / 43.27 * 80)


@pytest.mark.parametrize(
    ("size", "kept"),
    [((WIDE, HIGH), True), ((4000, 3000), True), ((3000, 4000), True), ((4000, 2250), False), ((0, 0), True)],
)
def test_the_focal_length_of_a_cropped_photo_is_unknown(size: tuple[int, int], kept: bool) -> None:
    content = encoded(Image.fromarray(scene()), "JPEG", exif=exif_with(50, size))
    assert (Photo.of(content).focal is not None) == kept


@pytest.mark.parametrize("focal", [0, 3, 60_000])
def test_a_focal_length_that_no_lens_has_is_unknown(focal: int) -> None:
    assert Photo.of(encoded(Image.fromarray(scene()), "JPEG", exif=exif_with(focal))).focal is None


@pytest.mark.parametrize("kind", ["WEBP", "PNG", "AVIF"])
def test_an_animation_gives_its_first_frame(kind: str) -> None:
    frames = [Image.fromarray(np.full((HIGH, WIDE, 3), value, np.uint8)) for value in (200, 100, 0)]
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    assert abs(int(Photo.of(content).pixels.mean()) - 200) <= 2


def test_a_jpeg_of_many_pictures_gives_its_first() -> None:
    frames = [Image.fromarray(np.full((HIGH, WIDE, 3), value, np.uint8)) for value in (200, 100)]
    content = encoded(frames[0], "MPO", save_all=True, append_images=frames[1:])
    assert abs(int(Photo.of(content).pixels.mean()) - 200) <= 2


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "PPM", "ICO", "TGA", "EPS", "PDF"])
def test_other_formats_are_refused(kind: str) -> None:
    with pytest.raises(BadInput, match=r"me\.xyz is no picture that can be read; give a JPEG, PNG, WebP or AVIF"):
        Photo.of(encoded(Image.fromarray(scene()), kind), called="me.xyz")


def test_heic_asks_for_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    with pytest.raises(MissingExtra, match=r"me\.heic is a HEIC photo; `pip install pillow-heif`"):
        Photo.of(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64), called="me.heic")


@pytest.mark.parametrize("side", [60_000, 12_000, 25_000])
def test_a_huge_png_is_refused_by_its_header(side: int) -> None:
    """Nothing follows the header: it was refused before anything was decoded. No warning of Pillow leaks."""
    with pytest.raises(BadInput, match=r"me\.png has .*photos of up to \d+ megapixels"):
        Photo.of(png_header(side, side) + chunk(b"IDAT", b""), called="me.png")


def test_a_long_strip_is_refused() -> None:
    with pytest.raises(BadInput, match="30000 × 40 pixels"):
        Photo.of(encoded(Image.new("L", (30_000, 40)), "PNG"))


@pytest.mark.parametrize("size", [(31, 200), (200, 31), (1, 1)])
def test_a_tiny_photo_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(BadInput, match=rf"has only {size[0]} × {size[1]} pixels"):
        Photo.of(encoded(Image.new("RGB", size), "PNG"))
    with pytest.raises(BadInput, match="has only"):
        Photo.of(np.zeros((size[1], size[0], 3), np.uint8))


def test_a_bomb_in_a_text_chunk_is_refused() -> None:
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200_000_000), 9))
    content = png_header(WIDE, HIGH) + text + chunk(b"IEND", b"")
    assert len(content) < 300_000
    with pytest.raises(BadInput, match="damaged"):
        Photo.of(content)


def test_many_small_bombs_in_text_chunks_are_refused() -> None:
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(1_000_000), 9))
    with pytest.raises(BadInput, match="damaged"):
        Photo.of(png_header(WIDE, HIGH) + text * 200 + chunk(b"IEND", b""))


def test_a_text_chunk_after_the_pixels_may_be_a_bomb_too() -> None:
    whole = encoded(Image.fromarray(scene()), "PNG")
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200_000_000), 9))
    with pytest.raises(BadInput, match="damaged"):
        Photo.of(whole[:-12] + text + whole[-12:])


def test_ordinary_text_does_not_matter() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "taken by the sea", zip=True)
    np.testing.assert_array_equal(Photo.of(encoded(Image.fromarray(scene()), "PNG", pnginfo=info)).pixels, scene())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_file_cut_short_is_refused(kind: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (HIGH * 2, WIDE * 2, 3), np.uint8)
    content = encoded(Image.fromarray(noise), kind)
    with pytest.raises(BadInput, match=r"me\.jpg is (damaged|no picture)"):
        Photo.of(content[: int(len(content) * share)], called="me.jpg")


def test_the_passes_of_a_jpeg_are_counted() -> None:
    """libjpeg's standard script for colour has ten; a plain file one. A small picture inside does not count."""
    flat = Image.fromarray(scene())
    assert count_scans(encoded(flat, "JPEG")) == 1
    progressive = encoded(flat, "JPEG", progressive=True)
    assert count_scans(progressive) == 10
    segment = b"\xff\xe1" + struct.pack(">H", len(progressive) + 2) + progressive
    assert count_scans(progressive[:2] + segment + progressive[2:] + progressive) == 10


def test_a_jpeg_of_too_many_passes_is_refused() -> None:
    """The last pass once more, a thousand times: valid for libjpeg, and slow."""
    whole = encoded(Image.fromarray(scene()), "JPEG", progressive=True)
    last = whole[whole.rindex(b"\xff\xda") : -2]
    with pytest.raises(BadInput, match="JPEG of more than 64 passes"):
        Photo.of(whole[:-2] + last * 1000 + whole[-2:])


def test_too_many_bytes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "me.jpg"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)  # a file with a hole takes no room on the disk
    with pytest.raises(BadInput, match=r"me\.jpg has 100 MB"):
        Photo.open(path)
    with pytest.raises(BadInput, match="MB"):
        Photo.of(bytes(MOST_BYTES + 1))


def test_a_file_is_opened_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "me.at.the.sea.png"
    Image.fromarray(scene()).save(path)
    for given in (path, str(path)):
        photo = Photo.open(given)
        assert photo.name == "me.at.the.sea" and photo.focal is None
        np.testing.assert_array_equal(photo.pixels, scene())


def test_the_ending_does_not_decide(tmp_path: Path) -> None:
    path = tmp_path / "me.jpg"
    Image.fromarray(scene()).save(path, "PNG")
    np.testing.assert_array_equal(Photo.open(path).pixels, scene())


def test_a_text_is_no_photo(tmp_path: Path) -> None:
    path = tmp_path / "me.jpg"
    path.write_text("I am a photo, honestly." * 40)
    with pytest.raises(BadInput, match=r"me\.jpg is no picture that can be read; give a JPEG"):
        Photo.open(path)


def test_an_empty_file_is_no_photo(tmp_path: Path) -> None:
    (tmp_path / "me.jpg").touch()
    with pytest.raises(BadInput, match=r"me\.jpg is empty"):
        Photo.open(tmp_path / "me.jpg")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"me\.jpg: there is no such file"):
        Photo.open(tmp_path / "me.jpg")


def test_a_file_within_a_file(tmp_path: Path) -> None:
    (tmp_path / "me").touch()
    with pytest.raises(BadInput, match=r"me\.jpg cannot be read"):
        Photo.open(tmp_path / "me" / "me.jpg")


@pytest.mark.parametrize("name", ["me\0.jpg", "m" * 5000])
def test_a_name_that_no_file_can_have(name: str) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        Photo.open(name)


def test_a_folder_is_no_photo(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is a folder; give a photo"):
        Photo.open(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "me.jpg")
    with pytest.raises(BadInput, match=r"me\.jpg is no ordinary file"):
        Photo.open(tmp_path / "me.jpg")


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "me.jpg"
    Image.fromarray(scene()).save(path)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(BadInput, match=r"me\.jpg cannot be read: Permission denied"):
        Photo.open(path)


@pytest.mark.parametrize(
    "wrong", [np.zeros((64, 64), np.uint8), np.zeros((64, 64, 3)), np.zeros((64, 64, 4), np.uint8)]
)
def test_other_arrays_are_refused(wrong: NDArray[np.uint8]) -> None:
    with pytest.raises(BadInput, match="a picture must be RGB uint8"):
        Photo.of(wrong)


def test_a_path_given_as_content_is_refused() -> None:
    with pytest.raises(BadInput, match=r"not str.*Photo\.open"):
        Photo.of("me.jpg")  # type: ignore[arg-type]


def test_pixels_are_taken_as_they_are() -> None:
    photo = Photo.of(scene()[:, ::-1], name="me")
    np.testing.assert_array_equal(photo.pixels, scene()[:, ::-1])
    assert photo.name == "me" and photo.pixels.flags.c_contiguous

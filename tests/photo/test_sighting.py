"""What is seen of our own renders, whose pose is known, and of photos spoiled on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from headform.errors import BadInput
from headform.head import load_default
from headform.head.default import typical
from headform.photo import Photo, Sighting, see
from headform.photo.sighting import canonical_points, head_pose, look_closely, sharpness_of
from headform.render import Camera, Scene, Surface, render
from headform.skin.wardrobe import Wardrobe, surfaces

Picture = NDArray[np.uint8]
Read = Callable[[Path], Picture]
PORTRAIT = "hair/celebamask_test"
SIDE = 384
PAPER = (0.7, 0.75, 0.8)


@cache
def person() -> tuple[Surface, ...]:
    head = load_default()
    looks = (30.0, 0.8, (0.1, 0.2, 0.7))
    return surfaces(head, head.posed(typical(head, *looks)), Wardrobe.of(5, *looks, size=512))


@cache
def drawn(yaw: int = 0, pitch: int = 0) -> Picture:
    """A render from a camera that is so many degrees to the person's left and above."""
    camera = Camera.portrait(np.radians(yaw), np.radians(pitch), SIDE)
    return np.ascontiguousarray(render(Scene(person(), background=PAPER), camera, supersample=2).rgba[..., :3])


def seen(pixels: Picture) -> Sighting:
    return see(Photo.of(pixels))[0]


def blurred(pixels: Picture, sigma: float) -> Picture:
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(sigma)))


def resized(pixels: Picture, side: int) -> Picture:
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.LANCZOS))


def portrait(eval_folder: Path, read: Read) -> Picture:
    return read(sorted((eval_folder / PORTRAIT).glob("*.jpg"))[0])


@pytest.mark.parametrize("yaw", [-0.7, 0, 0.9])
@pytest.mark.parametrize("pitch", [-0.4, 0, 0.3])
@pytest.mark.parametrize("roll", [-1.2, 0, 0.5])
def test_pose_of_turned_points(yaw: float, pitch: float, roll: float) -> None:
    """First to the person's left about the neck, then up, then the picture is turned clockwise."""
    x, y, z = canonical_points().T
    x, z = x * np.cos(yaw) + z * np.sin(yaw), z * np.cos(yaw) - x * np.sin(yaw)
    y, z = y * np.cos(pitch) + z * np.sin(pitch), z * np.cos(pitch) - y * np.sin(pitch)
    x, y = x * np.cos(roll) + y * np.sin(roll), y * np.cos(roll) - x * np.sin(roll)
    found = head_pose(300 + 40 * np.stack([x, -y, -z], 1))
    ahead = np.array([np.sin(yaw), np.cos(yaw) * np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    if roll == 0:
        np.testing.assert_allclose(found[0], np.arcsin(ahead[0]), atol=1e-6)
        np.testing.assert_allclose(found[1], pitch, atol=1e-6)
    if yaw == 0:
        np.testing.assert_allclose(found[2] if pitch == 0 else roll, roll, atol=1e-6)
    if (yaw, pitch) == (0, 0):
        np.testing.assert_allclose(found, (0, 0, roll), atol=1e-6)


@pytest.mark.parametrize("yaw", [-40, -20, 20, 40])
def test_yaw_of_renders(yaw: int) -> None:
    """A camera at the person's left sees a face that looks to the person's right."""
    found = np.degrees(seen(drawn(yaw)).yaw - seen(drawn()).yaw)
    assert found == pytest.approx(-yaw, abs=8)


@pytest.mark.parametrize("pitch", [-20, 20])
def test_pitch_of_renders(pitch: int) -> None:
    """A camera above sees a face that looks down."""
    found = np.degrees(seen(drawn(0, pitch)).pitch - seen(drawn()).pitch)
    assert found == pytest.approx(-pitch, abs=8)


def test_a_frontal_render_looks_ahead() -> None:
    sighting = seen(drawn())
    assert abs(sighting.yaw) < np.radians(3) and abs(sighting.roll) < np.radians(3)
    assert abs(sighting.pitch) < np.radians(10)


@pytest.mark.parametrize("degrees", [-25, 25])
def test_roll_of_renders(degrees: int) -> None:
    """Clockwise in the picture is towards the person's left shoulder; Pillow turns the other way."""
    turned = np.asarray(Image.fromarray(drawn()).rotate(-degrees, fillcolor=(180, 190, 205)))
    assert np.degrees(seen(turned).roll) == pytest.approx(degrees, abs=3)


def test_everything_is_there() -> None:
    sighting = seen(drawn())
    assert sighting.embedding.shape == (128,)
    assert sighting.landmarks.points.shape == (478, 3)
    assert sighting.masks.hair.shape == (SIDE, SIDE)
    nose = tuple(sighting.landmarks.points[4, 1::-1].round().astype(int))
    assert sighting.masks.face_skin[nose] > 0.5
    assert 0 <= sighting.sharpness <= 1
    with pytest.raises(FrozenInstanceError):
        sighting.yaw = 0  # type: ignore[misc]


def test_faces_come_largest_first_and_can_be_chosen() -> None:
    sheet = np.full((SIDE, 2 * SIDE, 3), 190, np.uint8)
    sheet[:, SIDE:] = drawn()
    sheet[80 : 80 + 250, 60 : 60 + 250] = resized(drawn(), 250)
    photo = Photo.of(sheet, "two")
    large, small = see(photo)
    assert large.face.box[0] > SIDE > small.face.box[2]
    (second,) = see(photo, 2)
    np.testing.assert_array_equal(second.embedding, small.embedding)
    with pytest.raises(BadInput, match="there is no face number 3 in two; there are 2 faces"):
        see(photo, 3)
    with pytest.raises(BadInput, match="there is no face number 0 in two"):
        see(photo, 0)


def test_one_face_is_not_two() -> None:
    with pytest.raises(BadInput, match="there is no face number 2 in me; there is one face"):
        see(Photo.of(drawn(), "me"), 2)


def test_no_face_is_said() -> None:
    with pytest.raises(BadInput, match="no face was found in wall; give a photo"):
        see(Photo.of(np.full((200, 200, 3), 128, np.uint8), "wall"))


def test_sharpness_of_portraits_and_of_blurred_ones(eval_folder: Path, read: Read) -> None:
    """At 256 pixels, over the face: three pixels of blur leave nothing fine; each step of blur costs."""
    for path in sorted((eval_folder / PORTRAIT).glob("*.jpg"))[:4]:
        pixels = read(path)
        points = seen(pixels).landmarks.points
        span = (points.max(0) - points.min(0))[:2].max()
        side = round(256 / span * pixels.shape[0])
        small, scaled = resized(pixels, side), points * (side / pixels.shape[0])
        values = [sharpness_of(blurred(small, sigma), scaled) for sigma in (0, 0.7, 1.2, 2, 3, 5, 8)]
        assert values[0] > 0.75, path.name
        assert max(values[4:]) < 0.1, path.name
        assert values == sorted(values, reverse=True), path.name


def test_a_face_outside_the_photo_is_not_sharp() -> None:
    assert sharpness_of(drawn(), np.full((478, 3), 9000.0)) == 0
    assert sharpness_of(drawn(), np.full((478, 3), 100.0)) == 0


def test_a_good_photo_has_no_warnings(eval_folder: Path, read: Read) -> None:
    assert seen(portrait(eval_folder, read)).warnings == ()


def test_a_small_face_is_told(eval_folder: Path, read: Read) -> None:
    assert any("pixels across" in told for told in seen(resized(portrait(eval_folder, read), 96)).warnings)


def test_a_blurred_face_is_told(eval_folder: Path, read: Read) -> None:
    small = resized(portrait(eval_folder, read), 512)
    assert any("out of focus" in told for told in seen(blurred(small, 5)).warnings)


@pytest.mark.parametrize(("yaw", "side"), [(-60, "left"), (60, "right")])
def test_a_turned_head_is_told_and_which_side_is_unseen(yaw: int, side: str) -> None:
    """A camera at the person's left, 60°, sees nothing of the right cheek."""
    told = [text for text in seen(drawn(yaw)).warnings if "turned" in text]
    assert len(told) == 1 and f"its {side} side is a guess" in told[0]


def test_a_cut_face_is_told() -> None:
    pixels = drawn()
    points = seen(pixels).landmarks.points
    cut = int(0.75 * points[:, 0].min() + 0.25 * points[:, 0].max())
    assert any("cut by the border" in told for told in seen(np.ascontiguousarray(pixels[:, cut:])).warnings)
    assert not any("cut by the border" in told for told in seen(pixels).warnings)


def test_a_covered_face_is_told(eval_folder: Path, read: Read) -> None:
    """A blue cloth over nose and mouth."""
    pixels = portrait(eval_folder, read).copy()
    points = seen(pixels).landmarks.points
    left, right = points[[234, 454], 0].astype(int)
    top, bottom = points[[5, 152], 1].astype(int)
    pixels[top : bottom + 20, left:right] = (70, 110, 190)
    sightings = see(Photo.of(pixels))
    assert any("is covered by hair or things" in told for told in sightings[0].warnings)


def cartoon() -> Picture:
    image = Image.new("RGB", (512, 512), (200, 220, 240))
    pen = ImageDraw.Draw(image)
    pen.ellipse((136, 80, 376, 330), fill=(80, 50, 20))
    pen.rectangle((220, 330, 292, 420), fill=(240, 200, 170))
    pen.ellipse((156, 120, 356, 390), fill=(240, 200, 170))
    for x in (210, 302):
        pen.ellipse((x - 28, 215, x + 28, 255), fill="white")
        pen.ellipse((x - 13, 222, x + 13, 248), fill=(60, 40, 20))
        pen.line((x - 30, 200, x + 30, 198), fill=(80, 50, 20), width=8)
    pen.line((256, 240, 246, 290, 262, 294), fill=(170, 110, 80), width=4)
    pen.arc((206, 290, 306, 350), 10, 170, fill=(180, 40, 50), width=8)
    return np.asarray(image)


def test_a_drawn_face_is_told() -> None:
    """The finder takes it for a person's; the network of the masks does not."""
    assert any("hardly any skin" in told for told in seen(cartoon()).warnings)
    assert not any("hardly any skin" in told for told in seen(drawn()).warnings)


def test_a_face_found_before_is_looked_at_the_same_way() -> None:
    photo = Photo.of(drawn())
    (sighting,) = see(photo)
    again = look_closely(photo, sighting.face)
    np.testing.assert_allclose(again.masks.hair, sighting.masks.hair, atol=1e-6)
    assert again.warnings == sighting.warnings

"""The likeness of photo and avatar: what counts, and what becomes of it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_portraits import moved, portrait_of, someone
from PIL import Image
from scan_folders import write_photo

from headform.avatar.avatar import Avatar
from headform.errors import BadInput
from headform.measure.commands import add_measure
from headform.measure.portrait import (
    Likeness,
    Pair,
    before_black,
    compare_photo,
    counted,
    find_portraits,
    pair_of,
)
from headform.measure.portrait_report import SIDE, measure_portraits, side_by_side
from headform.photo import Masks, Photo, Sighting, see
from headform.photo.crop import Crop, head_crop
from headform.render.colour import to_srgb

EVAL = Path(__file__).parents[2].parent / "shared" / "eval"
WHOLE = Crop(0, 0, 8, 8)


@pytest.fixture(scope="module")
def seen() -> Sighting:
    (found,) = see(portrait_of(someone()), 1)
    return found


def made(avatar: Avatar) -> Callable[[Photo], Avatar]:
    return lambda _: avatar


def stripes(seen: Sighting, *names: str) -> Sighting:
    """A sighting whose masks are rows, one after the other, in a picture of 8 × 8; the rest is background."""
    planes = {name: np.zeros((8, 8), np.float32) for name in ("hair", "face_skin", "body_skin", "clothes", "other")}
    for row, name in enumerate(names):
        planes[name][row] = 0.9
    return replace(seen, masks=Masks(**planes, background=1 - sum(planes.values())))


def test_face_and_avatar_count_clothes_things_and_hair_do_not(seen: Sighting) -> None:
    masks = stripes(seen, "face_skin", "hair", "clothes", "other", "body_skin")
    alpha = np.zeros((8, 8), np.uint8)
    alpha[:, 4:] = 255  # over everything on the right, background in rows 5 to 7 too
    region = counted(masks, WHOLE, alpha, hair=False)
    left, right = region[:, 0].tolist(), region[:, 7].tolist()
    assert left == [True, False, False, False, False, False, False, False]
    assert right == [True, False, False, False, True, True, True, True]
    with_hair = counted(masks, WHOLE, alpha)
    assert with_hair[:, 0].tolist() == [True, True, False, False, False, False, False, False]
    assert with_hair[:, 7].tolist() == [True, True, False, False, True, True, True, True]


def test_hair_among_clothes_does_not_count_though_neither_is_sure(seen: Sighting) -> None:
    masks = stripes(seen).masks
    mixed = replace(masks, hair=masks.hair + np.float32(0.3), clothes=masks.clothes + np.float32(0.3))
    whole = np.full((8, 8), 255, np.uint8)
    assert not counted(replace(seen, masks=mixed), WHOLE, whole, hair=False).any()
    assert counted(replace(seen, masks=mixed), WHOLE, whole).all()


def test_what_lies_beyond_the_photo_does_not_count(seen: Sighting) -> None:
    region = counted(stripes(seen), Crop(-4, 0, 8, 8), np.full((8, 8), 255, np.uint8))
    assert not region[:, :4].any()
    assert region[:, 4:].all()


def test_alpha_is_mixed_with_black_in_linear_light() -> None:
    drawn = np.full((1, 2, 4), 255, np.uint8)
    drawn[0, 1, 3] = 51  # a fifth
    shown = before_black(drawn)
    assert shown[0, 0].tolist() == [255, 255, 255]
    assert shown[0, 1].tolist() == [round(255 * float(to_srgb(0.2)))] * 3


def test_both_pictures_are_black_where_nothing_counts(seen: Sighting) -> None:
    photo = portrait_of(someone())
    drawn = np.full((512, 512, 4), 200, np.uint8)
    drawn[:, 256:, 3] = 0
    pair = pair_of(photo, seen, head_crop(seen.face.box), drawn)
    assert not pair.photo[~pair.region].any() and not pair.avatar[~pair.region].any()
    bare = pair.region.copy()
    bare[:, :256] = False
    assert bare.any() and not pair.avatar[bare].any() and pair.photo[bare].any()  # face that the avatar leaves bare
    with pytest.raises(BadInput, match="hidden"):
        pair_of(photo, stripes(seen), WHOLE, np.zeros((8, 8, 4), np.uint8))


def test_a_perfect_avatar_is_alike_and_a_shifted_or_other_one_less() -> None:
    photo = portrait_of(someone())
    scores = [
        Likeness.of(compare_photo(photo, made(avatar))[0])
        for avatar in (someone(), moved(someone(), right=0.004), someone(6))
    ]
    perfect, _, other = scores
    assert perfect.psnr > 40 and perfect.ssim > 0.995 and perfect.st_lpips < 0.005 and perfect.dfid < 0.1
    assert perfect.psnr_inside < perfect.psnr and perfect.ssim_inside > 0.97
    for name, better in (
        ("psnr", 1),
        ("ssim", 1),
        ("psnr_inside", 1),
        ("ssim_inside", 1),
        ("st_lpips", -1),
        ("dfid", -1),
    ):
        order = [better * getattr(score, name) for score in scores]
        assert order == sorted(order, reverse=True), name
    assert other.dfid > 0.35


def test_whole_and_inside_are_of_the_same_errors() -> None:
    photo = portrait_of(someone())
    pair, _ = compare_photo(photo, made(moved(someone(), right=0.01)))
    found = Likeness.of(pair)
    assert found.share == pair.region.mean()
    assert found.psnr == pytest.approx(found.psnr_inside - 10 * np.log10(found.share))  # black only dilutes
    assert found.dfid == Likeness.of(replace(pair, points=pair.points.copy())).dfid


def test_the_picture_shows_photo_avatar_and_difference_around_what_counts() -> None:
    region = np.zeros((512, 512), bool)
    region[100:200, 300:400] = True
    photo, avatar = np.zeros((2, 512, 512, 3), np.uint8)
    photo[region], avatar[region] = (90, 60, 30), (80, 60, 40)
    shown = side_by_side(Pair(photo, avatar, region, np.zeros((478, 2))))
    assert shown.shape == (SIDE, 3 * SIDE, 3)
    middle = SIDE // 2
    assert shown[middle, middle].tolist() == [90, 60, 30]
    assert shown[middle, SIDE + middle].tolist() == [80, 60, 40]
    assert shown[middle, 2 * SIDE + middle].tolist() == [30, 0, 30]
    assert shown[middle, :SIDE].any(-1).mean() == pytest.approx(100 / 116, abs=0.02)  # 8 pixels of room on each side


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "<i>").mkdir()
    Image.fromarray(portrait_of(someone()).pixels).save(tmp_path / "<i>" / "one.png")
    write_photo(tmp_path / "bad.png")
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("no photo")
    write_photo(tmp_path / ".hidden" / "two.png")
    return tmp_path


def test_a_folder_goes_on_past_bad_photos_and_lists_them(folder: Path) -> None:
    heard: list[float] = []
    report = measure_portraits(folder, made(someone()), lambda _, share: heard.append(share))
    numbers = json.loads(report.json())
    assert [row["photo"] for row in numbers["photos"]] == ["<i>/one.png"]
    assert [row["photo"] for row in numbers["failed"]] == ["bad.png", "broken.jpg"]
    assert "no face" in numbers["failed"][0]["reason"]
    assert [row["of"] for row in numbers["summary"]] == ["median", "mean"]
    assert numbers["summary"][1]["psnr"] == numbers["photos"][0]["psnr"] > 40
    assert numbers["photos"][0]["seconds"] >= 0
    assert heard == sorted(heard) and heard[-1] == 1
    page = report.html()
    assert page.count("data:image/") == 1
    assert "&lt;i&gt;/one.png" in page and "<i>/one" not in page
    assert "no hair" not in page and "no hair" in measure_portraits(folder, made(someone()), hair=False).html()


def test_means_and_medians_are_of_the_photos(folder: Path) -> None:
    Image.fromarray(portrait_of(someone(6)).pixels).save(folder / "six.png")
    Image.fromarray(portrait_of(someone(6)).pixels).save(folder / "again.png")
    numbers = json.loads(measure_portraits(folder, made(someone())).json())
    values = [row["dfid"] for row in numbers["photos"]]
    assert len(values) == 3
    median, mean = numbers["summary"]
    assert mean["dfid"] == pytest.approx(np.mean(values), abs=2e-4)
    assert median["dfid"] == pytest.approx(np.median(values), abs=2e-4)
    assert median["dfid"] != pytest.approx(mean["dfid"], abs=1e-3)


def test_folders_of_which_nothing_can_be_measured_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no folder"):
        find_portraits(tmp_path / "gone")
    with pytest.raises(BadInput, match="looked for"):
        find_portraits(tmp_path)
    write_photo(tmp_path / "bad.png")
    with pytest.raises(BadInput, match="none of 1 photos"):
        measure_portraits(tmp_path, made(someone()))


def run(*words: object) -> int:
    parser = argparse.ArgumentParser()
    add_measure(parser.add_subparsers(required=True))
    chosen = parser.parse_args(["measure", *map(str, words)])
    return int(chosen.run(chosen))


def test_the_command_measures_with_a_backend_by_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("portrait", folder, "--backend", "average", "--no-hair", "-o", folder / "r.json") == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("ST-LPIPS ") for line in lines)
    assert lines[-1] == f"wrote {folder / 'r.json'}"
    assert json.loads((folder / "r.json").read_text(encoding="utf-8"))["title"].startswith("Portraits, without hair")
    with pytest.raises(BadInput, match="no backend"):
        run("portrait", folder, "--backend", "nonsense")


def test_a_real_portrait(tmp_path: Path) -> None:
    source = EVAL / "photos" / "mica" / "justin.jpg"
    if not source.is_file():
        pytest.skip("the evaluation photos are not on this machine")
    (tmp_path / "one.jpg").symlink_to(source)
    report = measure_portraits(tmp_path)
    (row,) = json.loads(report.json())["photos"]
    assert row["psnr"] > 27 and row["ssim"] > 0.9 and row["st_lpips"] < 0.1
    assert row["dfid"] < 0.5  # the same person, by the descriptor's own measure

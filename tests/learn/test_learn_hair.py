"""Hair is drawn as cameras see it, its faults are those of photos, and the network learns from it and goes on."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from hair_stand_in import RADIUS, BallSource, ball_ground

from headform.errors import BadInput
from headform.hair.groom import GRID, KNOTS
from headform.hair.network import SIDE, network_input
from headform.learn.hair_data import (
    HELD_OUT,
    Basis,
    HairData,
    Plan,
    draw_styles,
    find_basis,
    read_basis,
    read_data,
    style_seed,
    write_data,
)
from headform.learn.hair_noise import clean, spoiled
from headform.learn.hair_views import ANGLES, Ground, View, head_depth, mirror_cells, random_camera, view_of
from headform.render import Camera

PLAN = Plan(styles=44, views=3, seed=4)  # 3 files; styles 0, 20 and 40 are held out


@pytest.fixture(scope="module")
def ground() -> Ground:
    return ball_ground()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hair")
    assert list(write_data(path, PLAN, BallSource, workers=1))[-1] == (3, 3)
    return path


@pytest.fixture(scope="module")
def data(folder: Path) -> HairData:
    return read_data(folder)


# ── what cameras see ─────────────────────────────────────────────────────────────────────────────


def front(size: int = SIDE) -> Camera:
    return Camera.portrait(0, 0, size, target=(0, 0, 0), distance=1.0, field_of_view=0.4)


def bundle(way: tuple[float, float, float], depth: float) -> np.ndarray:
    """(441, 12, 3) parallel strands of 6 cm through a square at z = depth."""
    x, y = (one.ravel() for one in np.meshgrid(np.linspace(-0.03, 0.03, 21), np.linspace(-0.03, 0.03, 21)))
    along = np.linspace(-0.03, 0.03, 12)[None, :, None] * np.array(way) / np.linalg.norm(way)
    return (np.stack([x, y, np.full(x.shape, depth)], 1)[:, None] + along).astype(np.float32)


@pytest.mark.parametrize("degrees", [0, 30, 90, 135])
def test_the_angle_of_strands_is_that_of_the_picture(ground: Ground, degrees: int) -> None:
    """y points down in pictures, so that a strand up and to the right of the picture has a negative angle."""
    way = (np.cos(np.radians(degrees)), -np.sin(np.radians(degrees)), 0.0)
    view = view_of(bundle(way, 0.15), ground, front())
    middle = view.angle[56:72, 56:72] * (180 / ANGLES)
    assert view.hair[112:144, 112:144].all()
    off = (middle - degrees + 90) % 180 - 90
    assert np.abs(off).max() < 2  # 0.7° a step, and perspective


def test_both_ways_along_a_strand_look_the_same(ground: Ground) -> None:
    strands = bundle((1, 2, 0), 0.15)
    one, other = view_of(strands, ground, front()), view_of(strands[:, ::-1].copy(), ground, front())
    assert (one.hair == other.hair).mean() > 0.995
    both = (one.hair & other.hair)[::2, ::2]
    off = (one.angle.astype(int) - other.angle + 128)[both] % ANGLES - 128
    assert np.abs(off).mean() < 2


def test_the_head_hides_what_is_behind_it(ground: Ground) -> None:
    assert not view_of(bundle((1, 0, 0), -0.15), ground, front()).hair.any()
    assert view_of(bundle((1, 0, 0), 0.15), ground, front()).hair.any()


def test_nearer_strands_are_seen(ground: Ground) -> None:
    view = view_of(np.concatenate([bundle((1, 0, 0), 0.13), bundle((0, 1, 0), 0.16)]), ground, front())
    off = (view.angle[56:72, 56:72] * (180 / ANGLES) - 90 + 90) % 180 - 90
    assert np.abs(off).max() < 2


def test_depth_is_that_of_the_ball(ground: Ground) -> None:
    """The ball's nearest point is its radius nearer than its centre at 1 m; its outline is at asin(radius)."""
    depth = head_depth(ground, front())
    assert depth[127, 127] == pytest.approx(1 - RADIUS, abs=0.003)
    focal = SIDE / 2 / np.tan(0.2)
    edge = focal * np.tan(np.arcsin(RADIUS))
    assert np.isfinite(depth[128]).sum() == pytest.approx(2 * edge, abs=4)


def test_no_hair_is_an_empty_picture(ground: Ground) -> None:
    view = view_of(np.zeros((0, 2, 3), np.float32), ground, front())
    assert not view.hair.any() and not view.angle.any()


def test_cameras_show_the_face_as_the_crop_does(ground: Ground) -> None:
    """The crop is 2.6 face boxes wide; boxes are off by 3 % and 6 %, here up to four times that."""
    rng = np.random.default_rng(0)
    for _ in range(40):
        pixels, _ = random_camera(ground, rng).project(ground.face)
        low, high = pixels.min(0), pixels.max(0)
        assert (high - low).max() == pytest.approx(SIDE / 2.6, rel=0.25)
        assert np.abs((low + high) / 2 - (SIDE - 1) / 2).max() < 4 * 0.03 * SIDE / 2.6 * 1.3


def test_the_mirror_of_the_scalp_is_its_other_half(ground: Ground) -> None:
    mirror = mirror_cells(ground.roots).reshape(GRID, GRID)
    np.testing.assert_array_equal(mirror, np.arange(GRID * GRID).reshape(GRID, GRID)[:, ::-1])


# ── faults ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def view(ground: Ground) -> View:
    source = BallSource()
    return view_of(source.grown(3).strands, ground, front())


def test_a_clean_view_is_its_mask_and_doubled_angle(view: View) -> None:
    found = clean(view.hair, view.angle)
    np.testing.assert_array_equal(found[0] > 0, view.hair)
    np.testing.assert_allclose(np.hypot(found[1], found[2]), view.hair, atol=1e-6)
    upright = network_input(np.ones((2, 2), bool), np.full((2, 2), np.pi / 2), np.full((2, 2), 0.5))
    np.testing.assert_allclose(upright[:, 0, 0], (1, -0.5, 0), atol=1e-6)


def test_faults_are_those_of_their_seed(view: View) -> None:
    one = spoiled(view.hair, view.angle, np.random.default_rng(5))
    np.testing.assert_array_equal(one, spoiled(view.hair, view.angle, np.random.default_rng(5)))
    assert (one != spoiled(view.hair, view.angle, np.random.default_rng(6))).any()


def test_faults_leave_most_of_the_truth(view: View) -> None:
    """Over many draws: masks overlap, angles err by tens of degrees at most, and some of them are unknown."""
    rng = np.random.default_rng(0)
    truth = clean(view.hair, view.angle)
    overlap, right, known = [], [], []
    for _ in range(60):
        found = spoiled(view.hair, view.angle, rng)
        assert np.isfinite(found).all() and set(np.unique(found[0])) <= {0.0, 1.0}
        assert not found[1:][:, found[0] == 0].any()
        length = np.hypot(found[1], found[2])
        assert length.max() <= 1 + 1e-5
        both = (found[0] * truth[0] > 0) & (length > 0.1)
        overlap.append((found[0] * truth[0]).sum() / np.maximum(found[0], truth[0]).sum())
        right.append(((found[1:] * truth[1:]).sum(0) / np.maximum(length, 1e-6))[both].mean() if both.any() else 0.0)
        known.append(both.sum() / max((found[0] * truth[0]).sum(), 1))
    assert np.median(overlap) > 0.7 and min(overlap) < 0.6
    assert np.median(right) > 0.6
    assert min(known) < 0.7 < max(known)


# ── data ─────────────────────────────────────────────────────────────────────────────────────────


def test_strands_are_sums_of_curves(data: HairData) -> None:
    """Straight strands are multiples of three curves at most, so that nothing is lost."""
    strands = BallSource().guides(style_seed(PLAN.seed, 7))
    strands = strands[np.isfinite(strands).all((2, 3))]
    again = data.basis.decode(*data.basis.encode(strands))
    np.testing.assert_allclose(again, strands, atol=1e-4)


def test_mirrored_strands_have_the_same_coefficients_but_for_signs(data: HairData) -> None:
    rng = np.random.default_rng(1)
    strands = np.zeros((5, KNOTS, 4), np.float32)
    strands[..., :3] = rng.normal(size=(5, 1, 3)) * np.linspace(0, 0.1, KNOTS)[:, None]
    mirrored = strands * np.array([-1, 1, 1, 1], np.float32)
    one, other = data.basis.encode(strands)[0], data.basis.encode(mirrored)[0]
    np.testing.assert_allclose(other, one * data.basis.signs, atol=1e-3)


def test_coefficients_have_unit_mean_square() -> None:
    source = BallSource()
    basis = find_basis(source, 0, 30)
    strands = [source.guides(style_seed(0, number)) for number in range(30)]
    rows = np.concatenate([one[np.isfinite(one).all((2, 3))] for one in strands])
    # The moment is over strands and mirror images: with signs of ±1 their squares are the same.
    size = np.square(basis.encode(rows)[0]).mean(0)
    np.testing.assert_allclose(size[np.abs(basis.curves).max((1, 2)) > 1e-3], 1, atol=0.02)


def test_what_is_written_is_what_was_drawn(folder: Path, data: HairData) -> None:
    assert len(data.hair) == 44 * 3 and len(data.number) == 44
    second = draw_styles(BallSource(), read_basis(folder), PLAN, 1)
    rows = np.flatnonzero((data.number[data.style] >= 20) & (data.number[data.style] < 40))
    np.testing.assert_array_equal(data.hair[rows], second["hair"])
    np.testing.assert_array_equal(data.angle[rows], second["angle"])
    guides = BallSource().guides(style_seed(PLAN.seed, 23))
    style = int(np.flatnonzero(data.number == 23)[0])
    np.testing.assert_array_equal(data.grows[style], np.isfinite(guides).all((2, 3)).ravel())
    again = data.basis.decode(data.coefficients[style], data.curl[style])[data.grows[style]]
    np.testing.assert_allclose(again, guides.reshape(-1, KNOTS, 4)[data.grows[style]], atol=2e-3)


def test_every_twentieth_style_is_held_out(data: HairData) -> None:
    assert set(data.number[data.style[data.held_out]]) == {0, HELD_OUT, 2 * HELD_OUT}


def test_a_stopped_run_goes_on(folder: Path, tmp_path: Path) -> None:
    progress = write_data(tmp_path, PLAN, BallSource, workers=1)
    next(progress), next(progress)
    progress.close()
    assert len(list(tmp_path.glob("styles_*.npz"))) == 1
    assert list(write_data(tmp_path, PLAN, BallSource, workers=1)) == [(1, 3), (2, 3), (3, 3)]
    for path in folder.glob("styles_*.npz"):
        with np.load(path) as one, np.load(tmp_path / path.name) as other:
            for key in one.files:
                np.testing.assert_array_equal(one[key], other[key])


def test_other_data_in_the_folder_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds other data"):
        next(write_data(folder, Plan(44, 3, 5), BallSource))
    with pytest.raises(BadInput, match="holds no hair data"):
        read_data(tmp_path)
    with pytest.raises(BadInput, match="at least 1 style"):
        Plan(0, 3, 5)


# ── training ─────────────────────────────────────────────────────────────────────────────────────


def test_the_sparse_volume_is_the_whole_one_at_its_knots(data: HairData) -> None:
    """Composed into one convolution, the fixed matrix and the last convolution give what they give one by one."""
    torch = pytest.importorskip("torch", reason="training needs PyTorch")
    from headform.learn.hair_network import build

    torch.manual_seed(0)
    network = build(data.basis)
    with torch.no_grad():
        network.smoothing.weight += 0.05 * torch.randn(network.smoothing.weight.shape)
        network.smoothing.bias += 0.01 * torch.randn(4)
        numbers, curl = torch.randn(2, 48, 1024), torch.randn(2, 4, 1024)
        knots = torch.tensor([0, 1, 42, 99])
        whole = network.smoothing(network.volume(numbers, curl))[:, :, knots]
        np.testing.assert_allclose(network.sparse(numbers, curl, knots), whole, atol=1e-4)


def test_the_loss_of_the_truth_is_nothing(data: HairData) -> None:
    """Truth, mirrored or not, against itself: no place, bend or curl is wrong; and mirrored twice it is the same."""
    torch = pytest.importorskip("torch", reason="training needs PyTorch")
    from headform.learn.hair_train import Losses

    losses = Losses(data)
    rows = np.array([4, 50])
    plain, turned = losses.truth(rows, np.zeros(2, bool)), losses.truth(rows, np.ones(2, bool))
    flipped = turned.strands.flip(-1) * torch.tensor([-1.0, 1, 1, 1])[:, None, None, None]
    np.testing.assert_allclose(flipped, plain.strands, atol=1e-4)
    np.testing.assert_array_equal(turned.grows.flip(-1), plain.grows)


def test_distance_is_that_of_the_ball(data: HairData) -> None:
    """Knots of a strand straight out of the ball are as far from it as they are from their root."""
    torch = pytest.importorskip("torch", reason="training needs PyTorch")
    from headform.learn.hair_train import Losses

    out = np.transpose(data.ground.roots / RADIUS, (2, 0, 1))[None, :, None]
    steps = np.array([-0.02, 0.0, 0.03], np.float32)[None, None, :, None, None]
    found = Losses(data)._distance(torch.from_numpy(np.ascontiguousarray(out * steps, np.float32)))
    np.testing.assert_allclose(found, np.broadcast_to(steps[:, 0], found.shape), atol=2e-3)


def test_training_stopped_and_gone_on_is_training_without_a_stop(data: HairData, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="training needs PyTorch")
    from headform.learn.hair_train import Run, Settings, network_of

    settings = Settings(epochs=1, batch=24, seed=1)  # 41 styles of 3 views: 5 batches
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir(), parts.mkdir()
    lines: list[str] = []
    assert Run(data, whole, settings).train(lines.append)
    assert not Run(data, parts, settings).train(lines.append, stop_after=2)
    again = Run(data, parts, settings)
    again.resume()
    assert again.state.step == 2 and again.train(lines.append)
    one, other = (network_of(path / "checkpoint.pt").state_dict() for path in (whole, parts))
    for key, value in one.items():
        assert torch.equal(value, other[key]), key
    assert len(lines) == 2 and '"held_out_mm"' in lines[0]
    with pytest.raises(BadInput, match="same batch and seed"):
        Run(data, parts, Settings(1, 24, 2)).resume()


def test_training_makes_it_better(data: HairData, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="training needs PyTorch")
    from headform.learn.hair_train import Run, Settings

    run = Run(data, tmp_path, Settings(epochs=3, batch=16, seed=0))
    before = run.check()
    run.train(lambda _: None)
    after = run.check()
    assert after["mm"] < 0.8 * before["mm"] and after["growth"] < before["growth"]


def test_minutes_end_a_run(data: HairData, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="training needs PyTorch")
    from headform.learn.hair_train import Run, Settings

    run = Run(data, tmp_path, Settings(epochs=1000, batch=32, seed=0, minutes=0.01))
    assert run.train(lambda _: None)
    assert run.state.epoch <= 3 and (tmp_path / "checkpoint.pt").exists()


def test_the_rate_rises_and_falls() -> None:
    pytest.importorskip("torch", reason="training needs PyTorch")
    from headform.learn.hair_train import LAST_RATE, WARM_UP, rate_at

    assert rate_at(0) < 0.1 and rate_at(WARM_UP) == pytest.approx(1) and rate_at(1) == pytest.approx(LAST_RATE)
    assert rate_at((1 + WARM_UP) / 2) == pytest.approx((1 + LAST_RATE) / 2)


def test_the_exported_network_answers_like_the_trained_one(data: HairData, tmp_path: Path) -> None:
    """Half precision keeps 11 bits: 0.05 % of strands of a tenth of a metre, many times over."""
    torch = pytest.importorskip("torch", reason="training needs PyTorch")
    pytest.importorskip("onnx", reason="writing networks needs onnx")
    from headform.learn.hair_network import build, export
    from headform.photo.onnx import OnnxNetwork

    torch.manual_seed(0)
    network = build(data.basis)
    path = tmp_path / "hair.onnx"
    assert export(network, path) < 2e-3
    assert path.stat().st_size < 25e6
    evidence = clean(data.mask(5), data.angle[5])[None]
    strands, growth = OnnxNetwork(path.read_bytes())(evidence)
    assert strands.shape == (1, 4, KNOTS, GRID, GRID) and growth.shape == (1, GRID, GRID)


def test_a_checkpoint_that_is_none_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="training needs PyTorch")
    from headform.learn.hair_train import read_checkpoint

    (tmp_path / "a.pt").write_bytes(b"no checkpoint")
    for name in ("a.pt", "missing.pt"):
        with pytest.raises(BadInput, match="is no checkpoint"):
            read_checkpoint(tmp_path / name)


def test_the_basis_is_frozen_into_the_network(data: HairData) -> None:
    pytest.importorskip("torch", reason="training needs PyTorch")
    from headform.learn.hair_network import build

    network = build(data.basis)
    assert isinstance(data.basis, Basis)
    assert "curves" in dict(network.named_buffers()) and "curves" not in dict(network.named_parameters())

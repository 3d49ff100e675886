"""Each number against its definition, written out another way."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from drawn_portraits import moved, portrait_of, someone
from scipy import ndimage

from headform.errors import BadInput
from headform.measure import similarity
from headform.measure.similarity import identity_distance, lpips, psnr, ssim, ssim_map, st_lpips


def noise(seed: int, high: int = 40, wide: int = 50) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (high, wide, 3), dtype=np.uint8)


def blurred_noise(seed: int, size: int = 128) -> np.ndarray:
    """Something like a picture: spots of some pixels."""
    rough = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(size, size, 3)), (4, 4, 0))
    return (128 + 60 * rough / rough.std()).clip(0, 255).astype(np.uint8)


def test_psnr_of_a_gap_of_ten_levels() -> None:
    a = np.full((8, 8, 3), 100, np.uint8)
    b = a + np.uint8(10)
    assert psnr(a, b) == pytest.approx(20 * np.log10(25.5))
    half = np.zeros((8, 8), bool)
    half[:, :4] = True
    b[:, 4:] = 0
    assert psnr(a, b, half) == pytest.approx(20 * np.log10(25.5))
    assert psnr(a, b) == pytest.approx(10 * np.log10(255**2 / ((10**2 + 100**2) / 2)))
    assert psnr(a, a) == np.inf


def test_ssim_is_that_of_wang() -> None:
    a = noise(1)
    b = (0.7 * a + 0.3 * noise(2)).astype(np.uint8)

    def smooth(x: np.ndarray) -> np.ndarray:  # mode "reflect" of scipy repeats the border's pixel, as ours
        return ndimage.gaussian_filter(x, (1.5, 1.5, 0), mode="reflect", radius=(5, 5, 0))

    x, y = a.astype(float), b.astype(float)
    mx, my = smooth(x), smooth(y)
    vx, vy, shared = smooth(x * x) - mx**2, smooth(y * y) - my**2, smooth(x * y) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    true = ((2 * mx * my + c1) * (2 * shared + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))).mean(-1)
    assert np.allclose(ssim_map(a, b), true, atol=1e-5)
    assert ssim(a, b) == pytest.approx(true.mean(), abs=1e-5)
    region = np.zeros(true.shape, bool)
    region[3:9, 20:] = True
    assert ssim(a, b, region) == pytest.approx(true[region].mean(), abs=1e-5)


def test_ssim_of_plain_pictures_is_their_levels() -> None:
    a, b = np.full((20, 20, 3), 100, np.uint8), np.full((20, 20, 3), 150, np.uint8)
    c1 = (0.01 * 255) ** 2
    assert np.allclose(ssim_map(a, b), (2 * 100 * 150 + c1) / (100**2 + 150**2 + c1), atol=1e-4)
    assert np.allclose(ssim_map(a, a), 1, atol=1e-5)


def test_st_lpips_forgives_a_shift_but_not_a_blur() -> None:
    a = blurred_noise(3)
    shifted, blurred = np.roll(a, 1, 1), ndimage.gaussian_filter(a, (8, 8, 0))
    assert st_lpips(a, a) == pytest.approx(0, abs=1e-6)
    near = st_lpips(a, shifted)
    assert 0 < near < 0.05
    assert st_lpips(a, blurred) > 5 * near


def test_the_same_face_is_no_distance_and_another_one_is_far() -> None:
    first = someone(5)
    one, other = portrait_of(first).pixels, portrait_of(someone(6)).pixels
    points = first.landmarks
    assert identity_distance(one, one, points) == 0
    assert identity_distance(one, portrait_of(moved(first, right=0.002)).pixels, points) < 0.25
    assert identity_distance(one, other, points) > 0.35


def test_lpips_is_asked_only_where_it_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    a = noise(1)
    cache = tmp_path / "checkpoints"
    cache.mkdir()
    asked: list[np.ndarray] = []

    class Network:
        def __init__(self, net: str, verbose: bool) -> None:
            assert net == "alex"

        def eval(self) -> Network:
            return self

        def __call__(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
            asked.extend((x, y))
            return np.float32(0.25)

    class NoGradient:
        def __enter__(self) -> None: ...
        def __exit__(self, *_: object) -> None: ...

    def install(name: str, **content: object) -> None:
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None)
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, module)

    install("lpips", LPIPS=Network)
    hub = SimpleNamespace(get_dir=lambda: str(tmp_path))
    install("torch", hub=hub, no_grad=NoGradient, from_numpy=lambda x: x)
    similarity._lpips_network.cache_clear()
    try:
        assert lpips(a, a) is None  # the backbone is missing: nothing is downloaded
        similarity._lpips_network.cache_clear()
        (cache / "alexnet-owt-7be5be79.pth").touch()
        assert lpips(a, 255 - a) == 0.25
    finally:
        similarity._lpips_network.cache_clear()
    assert asked[0].shape == (1, 3, 40, 50)
    assert np.allclose(asked[0][0, 2, 7, 9], a[7, 9, 2] / 127.5 - 1)
    assert np.allclose(asked[0], -asked[1], atol=1e-6)


def test_pictures_that_do_not_fit_are_refused() -> None:
    a = noise(1)
    with pytest.raises(BadInput, match="equally large"):
        psnr(a, a[:-1])
    with pytest.raises(BadInput, match="uint8"):
        ssim(a, a.astype(float))
    with pytest.raises(BadInput, match="hold a pixel"):
        psnr(a, a, np.zeros(a.shape[:2], bool))

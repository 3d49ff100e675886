"""How alike two pictures are: PSNR, SSIM, ST-LPIPS, LPIPS where it is installed, and the distance of two faces."""

from __future__ import annotations

import warnings
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.errors import BadInput
from headform.photo.identity import distance, identity_of
from headform.photo.onnx import onnx_network

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Region = NDArray[np.bool_]

PEAK = 255.0
REACH, SPREAD = 5, 1.5  # pixels: Wang et al.'s window of 11 × 11 and its standard deviation
STEADY_MEAN, STEADY_VARIANCE = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2  # their C1 and C2
BACKBONE = "alexnet-owt-*.pth"  # what torch keeps of the network that LPIPS asks


def psnr(a: Bytes, b: Bytes, region: Region | None = None) -> float:
    """Peak signal to noise in dB of pictures (H, W, 3), over a region (H, W) or all; infinite where they are equal."""
    _check(a, b, region)
    gap = a.astype(np.float64) - b.astype(np.float64)
    error = float((gap**2).mean() if region is None else (gap[region] ** 2).mean())
    return 10 * float(np.log10(PEAK**2 / error)) if error > 0 else float("inf")


def ssim(a: Bytes, b: Bytes, region: Region | None = None) -> float:
    """Mean of `ssim_map` over a region (H, W) or all."""
    _check(a, b, region)
    found = ssim_map(a, b)
    return float((found if region is None else found[region]).mean(dtype=np.float64))


def ssim_map(a: Bytes, b: Bytes) -> Floats:
    """(H, W) structural similarity of pictures (H, W, 3), −1 to 1.

    Wang et al. 2004, equation (13), with their Gaussian window and constants, in each of R, G and B, and then the
    mean of the three. Beyond the border the picture goes on mirrored.
    """
    x, y = a.astype(np.float32), b.astype(np.float32)
    mean_x, mean_y = _blurred(x), _blurred(y)
    # of the differences to the means' square: rounding in float32 is 1e-2 of 255², far below C2 = 58.5
    var_x, var_y = _blurred(x * x) - mean_x * mean_x, _blurred(y * y) - mean_y * mean_y
    shared = _blurred(x * y) - mean_x * mean_y
    level = (2 * mean_x * mean_y + STEADY_MEAN) / (mean_x * mean_x + mean_y * mean_y + STEADY_MEAN)
    found = level * (2 * shared + STEADY_VARIANCE) / (var_x + var_y + STEADY_VARIANCE)
    return np.asarray(found.mean(-1), np.float32)


def st_lpips(a: Bytes, b: Bytes) -> float:
    """Perceived difference of pictures (H, W, 3), 0 for equal ones; tolerant of small shifts (Ghildyal & Liu 2022)."""
    _check(a, b)
    (found,) = onnx_network("likeness")(_as_input(a), _as_input(b))
    return float(found.reshape(-1)[0])


def lpips(a: Bytes, b: Bytes) -> float | None:
    """Zhang et al.'s perceived difference (2018, AlexNet, version 0.1); None where it is not installed.

    Asks the package `lpips` only if its backbone already lies in torch's cache: nothing is ever downloaded.
    """
    _check(a, b)
    network = _lpips_network()
    if network is None:
        return None
    torch = import_module("torch")
    with torch.no_grad():
        return float(network(torch.from_numpy(_as_input(a)), torch.from_numpy(_as_input(b))).item())


def identity_distance(a: Bytes, b: Bytes, points: ArrayLike) -> float:
    """DFID: the distance of the two faces' descriptors, both cut out by the same landmarks (478, 2 or more)."""
    _check(a, b)
    return distance(identity_of(a, points), identity_of(b, points))


def _blurred(planes: Floats) -> Floats:
    """(H, W, C) under the Gaussian window, one axis after the other."""
    steps = np.arange(-REACH, REACH + 1)
    weights = np.exp(-(steps**2) / (2 * SPREAD**2))
    weights = (weights / weights.sum()).astype(np.float32)
    high, wide = planes.shape[:2]
    tall = np.pad(planes, ((REACH, REACH), (0, 0), (0, 0)), "symmetric")
    down = sum(weight * tall[k : k + high] for k, weight in enumerate(weights))
    broad = np.pad(np.asarray(down), ((0, 0), (REACH, REACH), (0, 0)), "symmetric")
    return np.asarray(sum(weight * broad[:, k : k + wide] for k, weight in enumerate(weights)), np.float32)


def _as_input(picture: Bytes) -> Floats:
    """(1, 3, H, W) from −1 to 1."""
    return np.ascontiguousarray((picture.astype(np.float32) / np.float32(127.5) - 1).transpose(2, 0, 1)[None])


@cache
def _lpips_network() -> Any:
    """The network of the package `lpips`, or None where the package, torch or the backbone's file is missing."""
    if find_spec("lpips") is None or find_spec("torch") is None:
        return None
    torch = import_module("torch")
    if not any(Path(torch.hub.get_dir(), "checkpoints").glob(BACKBONE)):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it calls torchvision in a way that is about to go
        return import_module("lpips").LPIPS(net="alex", verbose=False).eval()


def _check(a: Bytes, b: Bytes, region: Region | None = None) -> None:
    for picture in (a, b):
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            raise BadInput(f"pictures to compare must be uint8 (H, W, 3), not {picture.dtype} {picture.shape}")
    if a.shape != b.shape:
        raise BadInput(
            f"pictures of {a.shape[:2]} and {b.shape[:2]} pixels cannot be compared; make them equally large"
        )
    if region is not None and (region.shape != a.shape[:2] or not region.any()):
        raise BadInput(f"the region {region.shape} must be as large as the pictures and hold a pixel")

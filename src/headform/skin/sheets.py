"""Between the coarse sheet, a square of texels, and the points of the skin mesh."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from PIL import Image

from headform.skin.atlas import atlas, skin_mesh
from headform.skin.filters import blurred

Floats = NDArray[np.float32]

BROAD = 6.0  # texels: wider blurs are made on a sheet of a quarter the size


def mean_at_points(sheet: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """(S, 3) weighted mean of a sheet (N, N, 3) around each point of the mesh, and (S,) its weight, up to 1."""
    at = atlas(len(sheet))
    total = np.zeros((len(skin_mesh().points), 4), np.float32)
    _gather(at.corners, at.shares, weight.reshape(-1)[at.texel], sheet.reshape(-1, 3)[at.texel], total)
    mean = np.asarray(total[:, :3] / np.maximum(total[:, 3:], 1e-6), np.float32)
    return mean, np.asarray(np.minimum(total[:, 3] / 2, 1), np.float32)


def as_sheet(values: Floats, size: int) -> Floats:
    """(size, size, D) the sheet of values (S, D) at the points of the mesh."""
    at = atlas(size)
    return np.asarray(at.image(at.spread(values)), np.float32)


def around(sheet: Floats, weight: Floats, deviation: float) -> Floats:
    """(N, N, 3) the weighted mean of a sheet around each texel; 0 far from every weight (N, N)."""
    packed = np.concatenate([sheet * weight[..., None], weight[..., None]], -1)
    if deviation < BROAD:
        packed = blurred(packed, deviation)
        return np.asarray(packed[..., :3] / np.maximum(packed[..., 3:], 1e-5), np.float32)
    side = len(sheet) // 4
    small = blurred(packed.reshape(side, 4, side, 4, 4).mean((1, 3)), deviation / 4)
    mean = np.asarray(small[..., :3] / np.maximum(small[..., 3:], 1e-5), np.float32)
    return np.stack([zoomed(mean[..., channel], len(sheet)) for channel in range(3)], -1)


def zoomed(sheet: Floats, size: int) -> Floats:
    """(size, size) a sheet at another size."""
    picture = Image.fromarray(np.ascontiguousarray(sheet, np.float32))
    return np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR), np.float32)


@njit(cache=True, nogil=True)
def _gather(corners: NDArray[np.int32], shares: Floats, weight: Floats, values: Floats, total: Floats) -> None:
    for n in range(len(corners)):
        if weight[n] > 0:
            for k in range(3):
                share = shares[n, k] * weight[n]
                total[corners[n, k], 3] += share
                for d in range(3):
                    total[corners[n, k], d] += share * values[n, d]

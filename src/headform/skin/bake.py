"""The loops that bring a photo into the texture, at full size."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.skin.albedo import linear_from_srgb

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Shorts = NDArray[np.int16]

DARK = 0.0015  # linear; what is darker is noise
LOG_LINEAR = np.log(np.maximum(linear_from_srgb(np.arange(1024) / 1023 * 255), DARK)).astype(np.float32)
STEPS = 4096
DEEPEST = -7.0  # log of the darkest colour in the table
SRGB_OF_LOG = np.exp(np.linspace(DEEPEST, 0, STEPS))
SRGB_OF_LOG = np.where(SRGB_OF_LOG <= 0.0031308, 12.92 * SRGB_OF_LOG, 1.055 * SRGB_OF_LOG ** (1 / 2.4) - 0.055).astype(
    np.float32
)
UNIT = np.float32(3500)  # steps in one log unit: skin within ±9 of white
STEP = np.float32(1) / UNIT
FAINT = 1 / 256  # trust below which a texel is not looked up
TEXEL_SLACK = 1e-6


def photo_in_texture(
    corners: NDArray[np.float64],
    points: NDArray[np.int32],
    pixel: NDArray[np.float64],
    log_shade: Floats,
    trust: Floats,
    picture: Bytes,
    size: int,
) -> Shorts:
    """(N, N, 3) log reflectance in STEPs: what the photo shows at each trusted texel, less the log of its shade; or 0.

    corners (T, 3, 2) pixels of the sheet, points (T, 3) rows of pixel (S, 2), in those of `picture` (H, W, 3) uint8,
    and of log_shade (S, 3); trust (M, M) is the coarse sheet.
    """
    found = np.zeros((size, size, 3), np.int16)

    def draw(first: int, past: int) -> None:
        _photo_in_texture(corners[first:past], points[first:past], pixel, log_shade, trust, picture, found)

    _in_halves(draw, len(points))
    return found


def joined(found: Shorts, trust: Floats, excess: Floats, base: Floats, plain: Floats) -> Bytes:
    """(N, N, 3) the skin's sRGB colours.

    Where the photo is trusted, found (N, N, 3) less its excess; else what it shows on the other side of the face, as
    far as it is trusted there, laid on the plain skin here; else base. trust (M, M), excess, base and plain
    (M, M, 3) are coarse sheets.
    """
    out = np.empty(found.shape, np.uint8)
    _in_halves(lambda first, past: _joined(found, trust, excess, base, plain, first, past, out), len(out))
    return out


def brightness(found: Shorts, size: int) -> Floats:
    """(size, size) the luminance of log reflectances, the mean of as many texels (N, N, 3) as each covers."""
    out = np.empty((size, size), np.float32)
    _in_halves(lambda first, past: _brightness(found, first, past, out), size)
    return out


def _in_halves(work: Callable[[int, int], None], count: int) -> None:
    """The first and the second half at the same time: the loops run outside the interpreter's lock."""
    with ThreadPoolExecutor(1) as other:
        second = other.submit(work, count // 2, count)
        work(0, count // 2)
        second.result()


@njit(cache=True, nogil=True)
def _photo_in_texture(
    corners: Any, points: Any, pixel: Any, log_shade: Any, trust: Any, picture: Any, found: Any
) -> None:
    size = len(found)
    for t in range(len(corners)):
        ax, ay, bx, by = corners[t, 0, 0], corners[t, 0, 1], corners[t, 1, 0], corners[t, 1, 1]
        cx, cy = corners[t, 2, 0], corners[t, 2, 1]
        area = (by - cy) * (ax - cx) + (cx - bx) * (ay - cy)
        if abs(area) < 1e-12:
            continue
        i, j, k = points[t, 0], points[t, 1], points[t, 2]
        for y in range(max(0, int(np.ceil(min(ay, by, cy)))), min(size - 1, int(max(ay, by, cy))) + 1):
            for x in range(max(0, int(np.ceil(min(ax, bx, cx)))), min(size - 1, int(max(ax, bx, cx))) + 1):
                a = ((by - cy) * (x - cx) + (cx - bx) * (y - cy)) / area
                b = ((cy - ay) * (x - cx) + (ax - cx) * (y - cy)) / area
                c = 1 - a - b
                if a < -TEXEL_SLACK or b < -TEXEL_SLACK or c < -TEXEL_SLACK:
                    continue
                if coarse(trust, size, x, y) < FAINT:
                    continue
                column = a * pixel[i, 0] + b * pixel[j, 0] + c * pixel[k, 0]
                row = a * pixel[i, 1] + b * pixel[j, 1] + c * pixel[k, 1]
                red, green, blue = _smoothly(picture, column, row)
                red = _log(red) - (a * log_shade[i, 0] + b * log_shade[j, 0] + c * log_shade[k, 0])
                green = _log(green) - (a * log_shade[i, 1] + b * log_shade[j, 1] + c * log_shade[k, 1])
                blue = _log(blue) - (a * log_shade[i, 2] + b * log_shade[j, 2] + c * log_shade[k, 2])
                found[y, x, 0] = np.int16(red * UNIT)
                found[y, x, 1] = np.int16(green * UNIT)
                found[y, x, 2] = np.int16(blue * UNIT)


@njit(cache=True, nogil=True)
def _joined(found: Any, trust: Any, excess: Any, base: Any, plain: Any, first: int, past: int, out: Any) -> None:
    size = len(out)
    for y in range(first, past):
        for x in range(size):
            own = coarse(trust, size, x, y)
            if own < FAINT:
                own = np.float32(0)
            other = np.float32(0)
            if own < 1 - FAINT:
                other = coarse(trust, size, size - 1 - x, y)
                other = other * other if other > FAINT else np.float32(0)  # dirt must not come twice
            for d in range(3):
                value = np.float32(0)
                if own < 1 - FAINT:
                    value = coarse(base[:, :, d], size, x, y)
                    if other > 0:
                        here, there = coarse(plain[:, :, d], size, x, y), coarse(plain[:, :, d], size, size - 1 - x, y)
                        there += coarse(excess[:, :, d], size, size - 1 - x, y)
                        value += other * (here + found[y, size - 1 - x, d] * STEP - there - value)
                if own > 0:
                    value += own * (found[y, x, d] * STEP - coarse(excess[:, :, d], size, x, y) - value)
                at = min(max((value - DEEPEST) / -DEEPEST * (STEPS - 1), np.float32(0)), np.float32(STEPS - 1.01))
                low = int(at)
                srgb = SRGB_OF_LOG[low] + (SRGB_OF_LOG[low + 1] - SRGB_OF_LOG[low]) * (at - low)
                out[y, x, d] = np.uint8(srgb * 255 + 0.5)


@njit(cache=True, nogil=True)
def _brightness(found: Any, first: int, past: int, out: Any) -> None:
    block = len(found) // len(out)
    share = STEP / np.float32(block * block)
    for y in range(first, past):
        for x in range(len(out)):
            total = np.float32(0)
            for v in range(y * block, (y + 1) * block):
                for u in range(x * block, (x + 1) * block):
                    total += np.float32(0.3) * found[v, u, 0] + np.float32(0.6) * found[v, u, 1]
                    total += np.float32(0.1) * found[v, u, 2]
            out[y, x] = total * share


@njit(cache=True, nogil=True, inline="always")
def coarse(sheet: Any, size: Any, x: Any, y: Any) -> Any:
    """The value of a coarse sheet (M, M) at a texel of one with `size`² of them."""
    scale = len(sheet) / size
    cx = min(max((x + 0.5) * scale - 0.5, 0.0), len(sheet) - 1.0)
    cy = min(max((y + 0.5) * scale - 0.5, 0.0), len(sheet) - 1.0)
    x0 = min(int(cx), len(sheet) - 2)
    y0 = min(int(cy), len(sheet) - 2)
    fx, fy = np.float32(cx - x0), np.float32(cy - y0)
    top = sheet[y0, x0] + fx * (sheet[y0, x0 + 1] - sheet[y0, x0])
    bottom = sheet[y0 + 1, x0] + fx * (sheet[y0 + 1, x0 + 1] - sheet[y0 + 1, x0])
    return top + fy * (bottom - top)


@njit(cache=True, nogil=True, inline="always")
def _log(srgb: Any) -> Any:
    """Log of the linear colour of an sRGB value 0–255."""
    at = min(max(srgb * np.float32(1023 / 255), np.float32(0)), np.float32(1022.99))
    low = int(at)
    return LOG_LINEAR[low] + (LOG_LINEAR[low + 1] - LOG_LINEAR[low]) * (at - low)


@njit(cache=True, nogil=True, inline="always")
def _cubic(t: Any) -> Any:
    """Catmull–Rom weights of four neighbours for a place t ∈ [0, 1) after the second."""
    return (
        t * (t * (np.float32(1) - np.float32(0.5) * t) - np.float32(0.5)),
        np.float32(1) + t * t * (np.float32(1.5) * t - np.float32(2.5)),
        t * (np.float32(0.5) + t * (np.float32(2) - np.float32(1.5) * t)),
        t * t * (np.float32(0.5) * t - np.float32(0.5)),
    )


@njit(cache=True, nogil=True, inline="always")
def _smoothly(picture: Any, column: float, row: float) -> Any:
    """The sRGB colour of a picture (H, W, 3) at a place between its pixels; its border goes on outside."""
    high, wide = picture.shape[:2]
    column = min(max(column, 0.0), wide - 1.0)
    row = min(max(row, 0.0), high - 1.0)
    x0, y0 = int(column), int(row)
    across, down = _cubic(np.float32(column - x0)), _cubic(np.float32(row - y0))
    red = green = blue = np.float32(0)
    for m in range(4):
        y = min(max(y0 + m - 1, 0), high - 1)
        r = g = b = np.float32(0)
        for n in range(4):
            x = min(max(x0 + n - 1, 0), wide - 1)
            r += across[n] * picture[y, x, 0]
            g += across[n] * picture[y, x, 1]
            b += across[n] * picture[y, x, 2]
        red += down[m] * r
        green += down[m] * g
        blue += down[m] * b
    return red, green, blue

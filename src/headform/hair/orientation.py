"""Which way hair runs in a picture: from the photo's grain, and drawn from a groom.

Convention: image axes, x right and y down; an angle is that of the strand, radians from x towards y. A strand's line
has no sense, so its angle is known modulo π, and angles are averaged as doubled angles, which have no seam.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.render import Camera
from headform.render.strands import IN_SKIN
from headform.skin.filters import blurred

Floats = NDArray[np.float32]
Region = NDArray[np.bool_]

# Pixels of a crop of 256²; larger crops scale them
REFERENCE = 256
NEIGHBOURHOOD = 5.0  # over which contrast is made even: a lock or two; wider, highlights across the hair count as grain
# Width of the grain that is looked for. On 20 photos 98 % of what is clear is then within 15° of a Gabor bank's angle,
# with a neighbourhood of 8 and coarser grain of 0.8 and 1.6 together 88 %.
FINEST = 0.6
WINDOW = 2.5  # over which gradients are gathered
CALM = 1.5  # over which angles are smoothed
FAINT = 0.012  # contrast, 0–1 grey, that noise of a photo has: below it there is no grain to see
SURE_CONTRAST = 0.03  # from which grain is sure
MAIN, SIDE = 10 / 16, 3 / 16  # of the masks of Scharr 2000 that turn with the picture
GABOR_ANGLES = 32
GABOR_WAVES = (4.0, 6.0, 9.0)  # wavelengths of the bank
GABOR_ROUND = 0.45  # deviation along the wave over its length, and across over along


def evened(grey: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Grey (S, S), 0–1, with equal mean and contrast all over the hair, and the contrast it had there.

    Means are of what has `weight` (S, S), 0–1, alone, and what has none becomes 0: so the silhouette, where grey
    jumps from hair to wall, is no grain.
    """
    reach = NEIGHBOURHOOD * len(grey) / REFERENCE
    known = blurred(weight, reach) + np.float32(1e-4)
    away = weight * (grey - blurred(weight * grey, reach) / known)
    contrast = np.sqrt(blurred(weight * away * away, reach) / known)
    return np.asarray(away / (contrast + np.float32(FAINT)), np.float32), contrast


def grain(grey: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Angle (S, S), 0 … π, of the strands in a grey picture (S, S), 0–1, and how sure it is (S, S), 0–1.

    By the structure tensor. `weight` (S, S), 0–1, is where hair is; elsewhere nothing is sure.
    """
    even, contrast = evened(grey, weight)
    unit = len(grey) / REFERENCE
    down, across = _gradients(blurred(even, FINEST * unit))
    # a gradient (gx, gy) doubled in angle is (gx² − gy², 2 gx gy); its length is that of gx² + gy²
    products = np.stack([across * across - down * down, 2 * across * down, across * across + down * down], -1)
    gathered = blurred(products, WINDOW * unit)
    coherent = gathered[..., :2] / (gathered[..., 2:] + np.float32(1e-3))
    return _settled(-coherent, contrast, weight)  # strands run across the gradient: half a turn of the doubled angle


def gabor_grain(grey: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """As `grain`, by a bank of Gabor filters at 32 angles: a little calmer and twelve times slower, its measure."""
    even, contrast = evened(grey, weight)
    unit = len(grey) / REFERENCE
    angles = np.pi * np.arange(GABOR_ANGLES) / GABOR_ANGLES
    spectrum = np.fft.rfft2(even)
    energy = np.zeros((GABOR_ANGLES, *grey.shape), np.float32)
    for wave in GABOR_WAVES:
        for n, angle in enumerate(angles):
            both = np.fft.irfft2(spectrum * _gabor(angle, wave * unit, grey.shape), s=grey.shape)
            energy[n] += (both**2).sum(0) / wave**2
    total = energy.sum(0) + np.float32(1e-9)
    double = np.einsum("nyx,nc->yxc", energy, np.stack([np.cos(2 * angles), np.sin(2 * angles)], -1))
    return _settled(np.asarray(double / total[..., None], np.float32), contrast, weight)


@njit(cache=True, nogil=True)
def _gradients(sheet: Any) -> Any:
    """(H, W) down and across, by Scharr's masks: the angle of a plain central difference is some degrees off."""
    high, wide = sheet.shape
    down, across = np.zeros_like(sheet), np.zeros_like(sheet)
    for y in range(1, high - 1):
        for x in range(1, wide - 1):
            one = sheet[y + 1, x + 1] - sheet[y - 1, x - 1]
            other = sheet[y + 1, x - 1] - sheet[y - 1, x + 1]
            down[y, x] = (SIDE * (one + other) + MAIN * (sheet[y + 1, x] - sheet[y - 1, x])) / 2
            across[y, x] = (SIDE * (one - other) + MAIN * (sheet[y, x + 1] - sheet[y, x - 1])) / 2
    return down, across


def _gabor(angle: float, wave: float, shape: tuple[int, ...]) -> NDArray[np.complex128]:
    """(2, H, W/2 + 1) the spectra of an even and an odd wave whose crests run along the angle.

    A pair of bells in the spectrum; without its mean, so that brightness alone gives nothing.
    """
    v, u = np.meshgrid(np.fft.fftfreq(shape[0]), np.fft.rfftfreq(shape[1]), indexing="ij")
    across, along = -u * np.sin(angle) + v * np.cos(angle), u * np.cos(angle) + v * np.sin(angle)
    narrow, wide = 1 / (2 * np.pi * GABOR_ROUND * wave), 1 / (2 * np.pi * wave)
    side = np.exp(-0.5 * ((across - 1 / wave) / narrow) ** 2 - 0.5 * (along / wide) ** 2)
    other = np.exp(-0.5 * ((across + 1 / wave) / narrow) ** 2 - 0.5 * (along / wide) ** 2)
    even, odd = side + other, 1j * (side - other)
    even[0, 0] = odd[0, 0] = 0
    return np.stack([even, odd])


def _settled(double: Floats, contrast: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Angle and certainty from doubled angles (S, S, 2) as long as they are coherent, smoothed among equals."""
    clear = np.clip((contrast - FAINT) / (SURE_CONTRAST - FAINT), 0, 1) * weight
    spread = CALM * len(double) / REFERENCE
    calm = blurred(double * clear[..., None], spread)
    share = blurred(clear, spread) + np.float32(1e-4)
    angle = 0.5 * np.arctan2(calm[..., 1], calm[..., 0]) % np.pi
    sure = np.hypot(calm[..., 0], calm[..., 1]) / share * np.minimum(share * 2, 1) * weight
    return np.asarray(angle, np.float32), np.clip(sure, 0, 1).astype(np.float32)


def unlike(one: NDArray[Any], other: NDArray[Any]) -> Floats:
    """0 … π/2: the angle between lines at two angles."""
    return np.asarray(np.abs((one - other + np.pi / 2) % np.pi - np.pi / 2), np.float32)


def vectors(angle: NDArray[Any]) -> Floats:
    """(..., 2) unit vectors, x right and y down."""
    return np.stack([np.cos(angle), np.sin(angle)], -1).astype(np.float32)


def towards(angle: Floats, reference: Floats) -> Floats:
    """(S, S) 1 or −1: the sense of lines (S, S) that goes with a reference (S, S, 2), such as `drawn_tangents`.

    0 where the reference is 0: there nothing is known.
    """
    along = (vectors(angle) * reference).sum(-1)
    known = (reference != 0).any(-1)
    return np.where(known, np.where(along < 0, -1, 1), 0).astype(np.float32)


def drawn_tangents(points: Floats, camera: Camera, depth: Floats) -> tuple[Floats, Floats]:
    """Tangents (S, S, 2), root to tip, of the strand in front at each pixel of a camera, and its depth (S, S).

    points  (N, P, 3) strands, root first
    depth   (S, S) metres to what may hide them, such as `render`'s; inf where nothing is

    Tangents are unit vectors, (0, 0) and depth inf where no strand is seen. Each strand is a line of one pixel.
    """
    count, length = points.shape[:2]
    pixels, away = camera.project(points.reshape(-1, 3))
    knots = np.column_stack([pixels, away]).reshape(count, length, 3)
    tangents = np.zeros((*depth.shape, 2), np.float32)
    nearest = np.full(depth.shape, np.inf, np.float32)
    _walk(knots, np.ascontiguousarray(depth, np.float32), IN_SKIN, tangents, nearest)
    return tangents, nearest


@njit(cache=True, error_model="numpy", nogil=True)
def _walk(knots: Any, depth: Any, margin: float, tangents: Any, nearest: Any) -> None:
    """Each segment in steps of at most a pixel, with a depth buffer."""
    high, wide = depth.shape
    for s in range(knots.shape[0]):
        for p in range(knots.shape[1] - 1):
            x, y, z = knots[s, p, 0], knots[s, p, 1], knots[s, p, 2]
            dx, dy, dz = knots[s, p + 1, 0] - x, knots[s, p + 1, 1] - y, knots[s, p + 1, 2] - z
            run = np.hypot(dx, dy)
            if not (run > 1e-6 and z > 0 and z + dz > 0):  # also where a point has no pixel
                continue
            if max(x, x + dx) < -0.5 or max(y, y + dy) < -0.5 or min(x, x + dx) > wide or min(y, y + dy) > high:
                continue
            steps = int(np.ceil(max(abs(dx), abs(dy))))
            for n in range(steps + 1):
                part = n / steps
                column, row = int(np.rint(x + part * dx)), int(np.rint(y + part * dy))
                if not (0 <= row < high and 0 <= column < wide):
                    continue
                at = z + part * dz
                if at < nearest[row, column] and at <= depth[row, column] + margin:
                    nearest[row, column] = at
                    tangents[row, column, 0], tangents[row, column, 1] = dx / run, dy / run

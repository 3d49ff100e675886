"""Noise over points in space: the same at both sides of a texture seam, and never stretched.

The loops keep to 32-bit numbers and no branches, so that the compiler works on eight points at once.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

X_STEP, Y_STEP, Z_STEP = np.uint32(0x8DA6B343), np.uint32(0xD8163841), np.uint32(0xCB1AB31F)
MIX = np.uint32(0x2C1B3C6D)
MIX_AGAIN = np.uint32(0x297A2D39)
BITS = np.uint32(1023)
UNIT = np.float32(1 / 1024)
GAIN = np.float32(1.57)  # brings one layer of `clouds` to a standard deviation of about 0.3


@numba.njit(cache=True, inline="always")
def _mixed(h: np.uint32) -> np.uint32:
    h = np.uint32((h ^ (h >> np.uint32(15))) * MIX)
    h = np.uint32((h ^ (h >> np.uint32(12))) * MIX_AGAIN)
    return np.uint32(h ^ (h >> np.uint32(15)))


@numba.njit(cache=True, inline="always")
def _place(x: np.float32, y: np.float32, z: np.float32, seed: np.uint32) -> np.uint32:
    """A number for the cube at whole coordinates; numba widens every sum, hence the cuts back to 32 bits."""
    h = np.uint32(np.uint32(np.int32(x)) * X_STEP) + np.uint32(np.uint32(np.int32(y)) * Y_STEP)
    return np.uint32(np.uint32(h) + np.uint32(np.uint32(np.int32(z)) * Z_STEP) + seed)


@numba.njit(cache=True, inline="always")
def _slope(h: np.uint32, x: np.float32, y: np.float32, z: np.float32) -> np.float32:
    """Dot product with a gradient made of the bits of h, each component in [−1, 1)."""
    h = _mixed(np.uint32(h))
    two, one = np.float32(2) * UNIT, np.float32(1)
    return (
        (np.float32(np.int32(h & BITS)) * two - one) * x
        + (np.float32(np.int32((h >> np.uint32(10)) & BITS)) * two - one) * y
        + (np.float32(np.int32((h >> np.uint32(20)) & BITS)) * two - one) * z
    )


@numba.njit(cache=True, inline="always")
def _ease(x: np.float32) -> np.float32:
    return x * x * x * (x * (x * np.float32(6) - np.float32(15)) + np.float32(10))


@numba.njit(cache=True, fastmath=True)
def _add_layer(
    x: Floats, y: Floats, z: Floats, scale: np.float32, strength: np.float32, seed: np.uint32, out: Floats
) -> None:
    """Adds gradient noise (Perlin 2002, with free gradients) to `out`."""
    one = np.float32(1)
    for n in range(len(x)):
        px, py, pz = x[n] * scale, y[n] * scale, z[n] * scale
        fx, fy, fz = np.floor(px), np.floor(py), np.floor(pz)
        h = _place(fx, fy, fz, seed)
        ax, ay, az = px - fx, py - fy, pz - fz
        bx, by, bz = ax - one, ay - one, az - one
        u, v, w = _ease(ax), _ease(ay), _ease(az)
        c00 = _slope(h, ax, ay, az)
        c00 += u * (_slope(h + X_STEP, bx, ay, az) - c00)
        c10 = _slope(h + Y_STEP, ax, by, az)
        c10 += u * (_slope(h + X_STEP + Y_STEP, bx, by, az) - c10)
        c01 = _slope(h + Z_STEP, ax, ay, bz)
        c01 += u * (_slope(h + X_STEP + Z_STEP, bx, ay, bz) - c01)
        c11 = _slope(h + Y_STEP + Z_STEP, ax, by, bz)
        c11 += u * (_slope(h + X_STEP + Y_STEP + Z_STEP, bx, by, bz) - c11)
        c00 += v * (c10 - c00)
        c01 += v * (c11 - c01)
        out[n] += strength * (c00 + w * (c01 - c00))


def clouds(points: Floats, period: float, seed: int, octaves: int = 1, fall: float = 0.5) -> Floats:
    """(N,) fractal noise at points (N, 3), standard deviation about 0.3: `octaves` layers, the first with
    this period in the unit of the points, each next one half as long and `fall` times as strong.
    """
    x, y, z = (np.ascontiguousarray(points[:, k], np.float32) for k in range(3))
    made = np.zeros(len(points), np.float32)
    strengths = fall ** np.arange(octaves)
    strengths *= GAIN / np.linalg.norm(strengths)
    for octave in range(octaves):
        layer = np.uint32((seed * 2654435761 + octave * 40503) % (1 << 32))
        _add_layer(x, y, z, np.float32(2**octave / period), np.float32(strengths[octave]), layer, made)
    return made


def cells(points: Floats, spacing: float, seed: int) -> tuple[Floats, Floats, Floats]:
    """Scattered seeds, one in every cube of edge `spacing`: for points (N, 3) the distance to the nearest and
    to the second nearest seed, in spacings, and the nearest one's own random number in [0, 1).

    Only the eight cubes around a point are looked at: distances beyond half a spacing are approximate.
    """
    x, y, z = (np.ascontiguousarray(points[:, k], np.float32) for k in range(3))
    near, next_near, lot = (np.empty(len(points), np.float32) for _ in range(3))
    _find_cells(x, y, z, np.float32(1 / spacing), np.uint32(seed * 2654435761 % (1 << 32)), near, next_near, lot)
    return near, next_near, lot


@numba.njit(cache=True, fastmath=True)
def _find_cells(
    x: Floats,
    y: Floats,
    z: Floats,
    scale: np.float32,
    seed: np.uint32,
    near: Floats,
    next_near: Floats,
    lot: Floats,
) -> None:
    half = np.float32(0.5)
    for n in range(len(x)):
        px, py, pz = x[n] * scale, y[n] * scale, z[n] * scale
        fx, fy, fz = np.floor(px - half), np.floor(py - half), np.floor(pz - half)
        corner = _place(fx, fy, fz, seed)
        first, second, chosen = np.float32(9), np.float32(9), np.uint32(0)
        for a in range(2):
            for b in range(2):
                for c in range(2):
                    h = _mixed(np.uint32(corner + a * X_STEP + b * Y_STEP + c * Z_STEP))
                    dx = px - fx - np.float32(a) - np.float32(np.int32(h & BITS)) * UNIT
                    dy = py - fy - np.float32(b) - np.float32(np.int32((h >> np.uint32(10)) & BITS)) * UNIT
                    dz = pz - fz - np.float32(c) - np.float32(np.int32((h >> np.uint32(20)) & BITS)) * UNIT
                    far = dx * dx + dy * dy + dz * dz
                    second = min(second, max(first, far))
                    chosen = h if far < first else chosen
                    first = min(first, far)
        near[n], next_near[n] = np.sqrt(first), np.sqrt(second)
        lot[n] = np.float32(np.int32(_mixed(np.uint32(chosen + MIX)) >> np.uint32(8))) / np.float32(1 << 24)

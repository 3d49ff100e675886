"""Where hair grows: a 32×32 grid of roots and a soft mask, about a pole tilted back, inside a drawn hairline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from makehuman import Array
from scipy.interpolate import PchipInterpolator

HERE = Path(__file__).parent
GRID = 32
CENTRE = np.array([0.0, 0.055, 0.0])  # metres from the head joint, inside the skull
TILT = np.radians(25)  # the pole leans back, which makes the scalp a nearly round disc
SIDE, POLE, FRONT = np.array([[1, 0, 0], [0, np.cos(TILT), -np.sin(TILT)], [0, np.sin(TILT), np.cos(TILT)]])
SOFT = 0.12  # the mask fades over this share of the polar radius, across the hairline


@dataclass(frozen=True)
class Scalp:
    """corners (1024, 3) skin rows and barycentric (1024, 3) of the roots, row-major over the grid;
    mask (S,) 1 well inside the hairline, 0 outside."""

    corners: np.ndarray
    barycentric: Array
    mask: Array


def build_scalp(skin: Array, triangles: np.ndarray) -> Scalp:
    """skin (S, 3); triangles (T, 3) of the outer skin only."""
    line = hairline()
    steps = (np.arange(GRID) + 0.5) / GRID
    u, v = np.meshgrid(steps, steps)
    radius, azimuth = square_to_disc(u.ravel(), v.ravel())
    azimuth = np.arctan2(np.cos(azimuth), np.sin(azimuth))
    corners, barycentric = first_exit(direction(radius * line(np.abs(azimuth)), azimuth), skin, triangles)
    return Scalp(corners, barycentric, _mask(skin, triangles, line))


def hairline() -> PchipInterpolator:
    """Polar angle of the hairline over |azimuth|, from hand-placed points on half a mean head."""
    points = np.loadtxt(HERE / "hairline.csv", delimiter=",", skiprows=1) - CENTRE
    polar, azimuth = angles(points)
    order = np.argsort(azimuth)
    return PchipInterpolator(azimuth[order], polar[order])


def angles(points: Array) -> tuple[Array, Array]:
    """Polar angle from the pole and azimuth from the front, of points relative to the centre."""
    polar = np.arccos(points @ POLE / np.linalg.norm(points, axis=1))
    return polar, np.arctan2(points @ SIDE, points @ FRONT)


def direction(polar: Array, azimuth: Array) -> Array:
    ring = np.sin(azimuth)[:, None] * SIDE + np.cos(azimuth)[:, None] * FRONT
    return np.sin(polar)[:, None] * ring + np.cos(polar)[:, None] * POLE


def square_to_disc(u: Array, v: Array) -> tuple[Array, Array]:
    """Polar radius and angle on the unit disc (Shirley & Chiu 1997): area-preserving, no bunching."""
    a, b = 2 * u - 1, 2 * v - 1
    wide = np.abs(a) > np.abs(b)
    radius = np.where(wide, a, b)
    angle = np.where(
        wide, np.pi / 4 * b / np.where(wide, a, 1), np.pi / 2 - np.pi / 4 * a / np.where(~wide & (b != 0), b, 1)
    )
    return np.abs(radius), np.where(radius < 0, angle + np.pi, angle)


def first_exit(
    rays: Array, skin: Array, triangles: np.ndarray, centre: Array = CENTRE, least: float = 0.03
) -> tuple[np.ndarray, Array]:
    """Where rays from a centre leave a surface (Möller–Trumbore). From the skull the first hit is under the ear,
    not on it; hits nearer than `least` metres do not count."""
    origin, edge_1, edge_2 = (
        skin[triangles[:, 0]],
        skin[triangles[:, 1]] - skin[triangles[:, 0]],
        skin[triangles[:, 2]] - skin[triangles[:, 0]],
    )
    arm = centre - origin
    across = np.cross(arm, edge_1)
    corners = np.empty((len(rays), 3), np.int64)
    barycentric = np.empty((len(rays), 3))
    for row, ray in enumerate(rays):
        side = np.cross(ray, edge_2)
        scale = (edge_1 * side).sum(1)
        scale = np.where(np.abs(scale) < 1e-14, np.inf, scale)
        u, v = (arm * side).sum(1) / scale, across @ ray / scale
        far = (edge_2 * across).sum(1) / scale
        hit = (u > -1e-6) & (v > -1e-6) & (u + v < 1 + 1e-6) & (far > least)
        nearest = np.flatnonzero(hit)[np.argmin(far[hit])]
        corners[row] = triangles[nearest]
        barycentric[row] = np.clip([1 - u[nearest] - v[nearest], u[nearest], v[nearest]], 0, 1)
    return corners, barycentric / barycentric.sum(1, keepdims=True)


def _mask(skin: Array, triangles: np.ndarray, line: PchipInterpolator) -> Array:
    polar, azimuth = angles(skin - CENTRE)
    reach = polar / line(np.abs(azimuth))
    soft = np.clip((1 + SOFT / 2 - reach) / SOFT, 0, 1)
    soft = soft * soft * (3 - 2 * soft)
    outer = np.zeros(len(skin), bool)
    outer[triangles] = True
    return soft * (outer & ~_on_ear(skin))


def _on_ear(skin: Array) -> Array:
    """Skin that stands off the side of the skull, and is no scalp although it is high enough."""
    x, y, z = np.abs(skin[:, 0]), skin[:, 1], skin[:, 2]
    return (x > 0.0715) & (y < 0.062) & (y > -0.03) & (z < 0.03) & (z > -0.05)

"""Hair whose every number is known: strands that leave the scalp of the default head and lie down along it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headform.hair.groom import Groom
from headform.head import load_default
from headform.head.embedding import Embedding
from headform.render.surface import vertex_normals

CENTRE = np.array([0.0, 0.06, -0.005])  # metres: of the skull
LOWEST, HAIRLINE = 0.045, 0.055  # metres: roots are above the ears, and behind the hairline
COLOUR = (0.35, 0.2, 0.1)


def plain_groom(count: int = 4000, length: float = 0.06, knots: int = 24, seed: int = 1, lift: float = 0.0) -> Groom:
    """Straight hair that falls along skull and neck, `lift` metres above where it would lie."""
    roots, points = roots_of(count, seed)
    step = length / (knots - 1)
    out = np.empty((len(points), knots, 3))
    out[:, 0] = points
    for knot in range(1, knots):
        away = out[:, knot - 1] - CENTRE
        away[:, 1] = np.maximum(away[:, 1], 0)  # below the middle of the skull hair hangs
        normal = away / np.linalg.norm(away, axis=1, keepdims=True)
        down = np.array([0.0, -1.0, -0.35]) + 0.4 * normal * (knot < 4)
        along = down - (down * normal).sum(1, keepdims=True) * normal * (knot >= 4)
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        out[:, knot] = out[:, knot - 1] + step * along
    out += lift * (points - CENTRE)[:, None] / np.linalg.norm(points - CENTRE, axis=1)[:, None, None]
    return Groom(out.astype(np.float32), COLOUR, roots=roots, about={"name": "plain"})


def wavy_lock(waves: int, amplitude: float, count: int = 200, length: float = 0.2, knots: int = 100) -> Groom:
    """A lock behind the head that swings from side to side so many times on its way down, all strands together."""
    rng = np.random.default_rng(0)
    way = np.linspace(0, 1, knots)
    root = np.array([0.0, 0.05, -0.13]) + 0.0005 * rng.normal(size=(count, 3))
    points = np.repeat(root[:, None], knots, 1)
    points[..., 0] += amplitude * np.sin(2 * np.pi * waves * way)
    points[..., 1] -= length * way
    return Groom(points.astype(np.float32), COLOUR)


def roots_of(count: int, seed: int) -> tuple[Embedding, NDArray[np.float64]]:
    """Roots spread evenly over the scalp of the mean head, and where they are."""
    model, rng = load_default(), np.random.default_rng(seed)
    rest = model.rest()
    normals = vertex_normals(rest, model.triangles)
    skin = model.triangles[model.triangle_part == model.part_index("skin")]
    middle, facing = rest[skin].mean(1), normals[skin].mean(1)
    on_top = (middle[:, 1] > LOWEST) & (middle[:, 2] < HAIRLINE) & (np.abs(middle[:, 0]) < 0.085)
    on_top &= ((middle - CENTRE) * facing).sum(1) > 0
    on_top &= np.linalg.norm(middle - CENTRE, axis=1) > 0.06  # no inside of ears or mouth
    skin = skin[on_top]
    edges = rest[skin][:, 1:] - rest[skin][:, :1]
    area = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1)
    chosen = rng.choice(len(skin), count, p=area / area.sum())
    shares = rng.dirichlet((1, 1, 1), count).astype(np.float32)
    roots = Embedding(skin[chosen].astype(np.int32), shares)
    return roots, roots.points(rest).astype(np.float64)

"""The dressed stand-in with plain hair: strands that leave its scalp and fall along it."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from avatar_dressed import dressed_avatar

from headform.avatar.avatar import Avatar
from headform.hair.groom import Groom
from headform.head.embedding import Embedding
from headform.render.surface import vertex_normals

LENGTH, KNOTS = 0.12, 30
COLOUR = (0.35, 0.2, 0.1)


@lru_cache(maxsize=1)
def haired_avatar() -> Avatar:
    bald = dressed_avatar()
    return replace(bald, hair=some_hair(bald))


def some_hair(avatar: Avatar, count: int = 4000) -> Groom:
    """Strands from the top of the head, a little of two colours."""
    rng, model, rest = np.random.default_rng(2), avatar.model, avatar.neutral()
    skin = model.triangles[model.triangle_part == model.part_index("skin")]
    normals = vertex_normals(rest, model.triangles)
    on_top = (rest[skin][..., 1].mean(1) > 0.09) & (normals[skin][..., 1].mean(1) > 0.1)
    skin = skin[on_top & (rest[skin][..., 2].mean(1) < 0.06)]
    chosen, shares = rng.integers(0, len(skin), count), rng.dirichlet((1, 1, 1), count).astype(np.float32)
    roots = Embedding(skin[chosen].astype(np.int32), shares)
    way = np.linspace(0, LENGTH, KNOTS)[:, None]
    out = roots.points(normals)[:, None] * np.minimum(way, 0.02) + np.array([0, -1.0, -0.4]) * np.maximum(way - 0.02, 0)
    points = (roots.points(rest)[:, None] + out).astype(np.float32)
    colours = np.array(COLOUR) * rng.uniform(0.8, 1.2, (count, 1))
    return Groom(points, colours.astype(np.float32), roots=roots, about={"name": "plain", "tags": ["test"], "seed": 2})

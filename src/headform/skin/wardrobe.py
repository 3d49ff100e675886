"""A head dressed to be drawn: textures as materials, the close-up mesh cut into its parts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.head.model import HeadModel
from headform.head.subdivision import Subdivision, subdivide
from headform.render import Drawn, Material, Surface, Texture
from headform.render.occlusion import ambient_occlusion
from headform.skin.lids import lid_shade
from headform.skin.textures import Textures

Floats = NDArray[np.float32]

TEXTURE = 1024
MOUTH_PARTS = ("teeth_upper", "teeth_lower", "gums_upper", "gums_lower", "tongue")
TEETH = ("teeth_upper", "teeth_lower")
GLEAM = 0.55  # exponent: wet enamel and the lips behind it pass light on, more than the dark between parted lips says
CLEAR = ("cornea_left", "cornea_right", "lashes")  # these throw no shade


@dataclass(frozen=True, eq=False)
class Wardrobe:
    """The textures one person wears, as materials by part."""

    materials: dict[str, Material]

    @classmethod
    def of(cls, seed: int, age: float, sex: float, ancestry: ArrayLike, size: int = TEXTURE) -> Wardrobe:
        """A random person's."""
        return cls.wearing(Textures.of(seed, age, sex, ancestry, size))

    @classmethod
    def wearing(cls, textures: Textures) -> Wardrobe:
        """The materials of these textures."""
        cornea = Material((1, 1, 1), roughness=0.15, specular=0.6)
        wet = Material((1, 1, 1), Texture.colour(textures.mouth), roughness=0.28, subsurface=0.3)
        materials = {
            "skin": Material(
                (1, 1, 1),
                Texture.colour(textures.albedo),
                relief=Texture.normals(textures.normal),
                roughness=float(np.median(textures.roughness)) / 255,
                specular=0.42,
                subsurface=0.5,
            ),
            "cornea_left": cornea,
            "cornea_right": cornea,
            "lashes": Material((1, 1, 1), Texture.colour(textures.lashes), roughness=0.7, specular=0.1),
        }
        for part, sheet in (("eye_left", textures.eye_left), ("eye_right", textures.eye_right)):
            materials[part] = Material((1, 1, 1), Texture.colour(sheet), roughness=0.35, specular=0.3)
        materials |= dict.fromkeys(MOUTH_PARTS, wet)
        return cls(materials)


@dataclass(frozen=True, eq=False)
class FineMesh:
    """The head at close-up level, cut into its parts once."""

    subdivision: Subdivision
    triangles: dict[str, NDArray[np.int32]]
    triangles_uv: dict[str, NDArray[np.int32]]

    @property
    def blockers(self) -> NDArray[np.int32]:
        """Triangles of what is not clear."""
        return np.concatenate([t for part, t in self.triangles.items() if part not in CLEAR])


@lru_cache(maxsize=2)
def fine_mesh(model: HeadModel) -> FineMesh:
    fine = subdivide(model.quads, model.quads_uv, model.uv, model.vertex_count)
    part = model.part[fine.face]
    halves = [[0, 1, 2], [0, 2, 3]]
    triangles, triangles_uv = {}, {}
    for index, name in enumerate(model.parts):
        triangles[name] = fine.quads[part == index][:, halves].reshape(-1, 3)
        triangles_uv[name] = fine.quads_uv[part == index][:, halves].reshape(-1, 3)
    return FineMesh(fine, triangles, triangles_uv)


def openness(model: HeadModel, vertices: Floats) -> Floats:
    """(N,) 0–1: the share of light from all around that reaches each point of the close-up mesh of a head (V, 3).

    Worked out on the head's own mesh and refined like its places: a quarter of the work, and smoother.
    """
    clear = [model.part_index(part) for part in CLEAR if part in model.parts]
    blockers = model.triangles[~np.isin(model.triangle_part, clear)]
    light = ambient_occlusion(vertices, model.triangles, blockers=blockers)
    mesh = fine_mesh(model)
    fine = mesh.subdivision.refine(vertices)
    seen = mesh.subdivision.refine(light[:, None])[:, 0].copy()
    for side in ("left", "right"):
        for part in (f"eye_{side}", f"cornea_{side}"):
            if part in mesh.triangles:
                rows = np.unique(mesh.triangles[part])
                seen[rows] *= lid_shade(model, vertices, side, fine[rows])
    for part in TEETH:
        if part in mesh.triangles:
            rows = np.unique(mesh.triangles[part])
            seen[rows] **= GLEAM
    return seen


def surfaces(model: HeadModel, vertices: Floats, wardrobe: Wardrobe) -> tuple[Surface, ...]:
    """A posed head (V, 3), subdivided and dressed, ready to be drawn."""
    mesh = fine_mesh(model)
    fine = mesh.subdivision.refine(vertices)
    light = openness(model, vertices)
    drawn = []
    for part, triangles in mesh.triangles.items():
        rows, local = np.unique(triangles, return_inverse=True)
        kind = Drawn.OPAQUE
        if part in CLEAR:
            kind = Drawn.CARDS if part == "lashes" else Drawn.GLOSS
        drawn.append(
            Surface(
                fine[rows],
                local.reshape(-1, 3).astype(np.int32),
                wardrobe.materials[part],
                mesh.subdivision.uv,
                mesh.triangles_uv[part],
                occlusion=light[rows],
                drawn=kind,
            )
        )
    return tuple(drawn)

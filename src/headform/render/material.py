"""What a surface is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.render.texture import Texture


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """How a surface answers light.

    colour      sRGB 0–1; multiplies the texture
    texture     colours over UV; its alpha counts on surfaces drawn as cards
    relief      normal map over UV (OpenGL)
    relief_strength  slope of the normal map, 1 as painted
    roughness   0.03 (wet) to 1 (chalk), GGX α = roughness²
    specular    0 none, 0.5 skin and most else (4 % at normal incidence), 1 twice that
    subsurface  0 none to 1 wax: light bleeds into the shade, red the farthest; about 0.5 for skin
    unlit       the colour is shown as it is
    two_sided   the back is drawn too
    opacity     0–1, on surfaces drawn as cards
    """

    colour: tuple[float, float, float] = (0.8, 0.8, 0.8)
    texture: Texture | None = None
    relief: Texture | None = None
    relief_strength: float = 1.0
    roughness: float = 0.5
    specular: float = 0.5
    subsurface: float = 0.0
    unlit: bool = False
    two_sided: bool = True
    opacity: float = 1.0

    def __post_init__(self) -> None:
        for name in ("roughness", "specular", "subsurface", "opacity"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadInput(f"a material's {name} is {getattr(self, name)}; give 0 to 1")
        if len(self.colour) != 3 or not np.isfinite(self.colour).all():
            raise BadInput(f"a material's colour is {self.colour}; give three numbers 0–1")


SCATTER = np.array([0.55, 0.28, 0.16])  # radians that red, green and blue light spreads over a head of wax


def softened_bands(subsurface: float) -> NDArray[np.float64]:
    """(9, 3) factors of the harmonics when light is blurred over the normals: exp(−l (l + 1) σ² / 2)."""
    degree = np.repeat([0.0, 1.0, 2.0], [1, 3, 5])[:, None]
    return np.asarray(np.exp(-degree * (degree + 1) / 2 * (SCATTER * subsurface) ** 2))

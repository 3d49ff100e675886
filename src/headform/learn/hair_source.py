"""Where training hair comes from: endless styles, each a tensor of guides, and the head they grow on."""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from headform.hair.groom import GRID
from headform.head import load_default
from headform.learn.hair_views import Ground, mirror_cells

Floats = NDArray[np.float32]


class Source(Protocol):
    """Styles to learn from."""

    @property
    def ground(self) -> Ground:
        """The head all of them grow on."""

    def guides(self, seed: int) -> Floats:
        """(32, 32, 100, 4) a style: offsets from the roots in metres and curliness; NaN where nothing grows."""


class GrownHair:
    """Headform's own styles, varied and mixed, on the mean head."""

    @cached_property
    def ground(self) -> Ground:
        from headform.hair.collider import collider_of
        from headform.hair.scalp import grid_places, scalp_of

        model = load_default()
        rest = model.rest()
        scalp = scalp_of(model)
        roots = scalp.roots(grid_places()).points(rest).reshape(GRID, GRID, 3)
        bare, whole = collider_of(scalp, rest)
        face = model.embeddings["mediapipe_478"].points(rest)
        return Ground(roots, face, whole.origin, whole.cell, whole.distance, bare.distance, mirror_cells(roots))

    def guides(self, seed: int) -> Floats:
        """A style of a random class; see `headform.hair.mix`."""
        from headform.hair.mix import guides_for_training

        return guides_for_training(seed)[0]

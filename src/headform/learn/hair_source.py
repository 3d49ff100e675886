"""Where training hair comes from: endless styles, each as guides and as strands, and the head they grow on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from headform.hair.dense import dense
from headform.hair.groom import GRID
from headform.hair.grow import Wearer, guides_of, wearer_of
from headform.hair.mix import guides_for_training, training_style
from headform.hair.scalp import grid_places
from headform.hair.style import Style
from headform.head import load_default
from headform.learn.hair_views import Ground, mirror_cells

Floats = NDArray[np.float32]

STRANDS = 5000  # drawn of each style: with a brush of three pixels they close the scalp


@dataclass(frozen=True, slots=True, eq=False)
class Grown:
    """One hairstyle.

    guides   (32, 32, 100, 4) offsets from the roots in metres, and curliness 0–1; NaN where nothing grows
    strands  (S, P, 3) the same hair to be drawn, in locks and curled; S may be 0
    """

    guides: Floats
    strands: Floats


class Source(Protocol):
    """Styles to learn from."""

    @property
    def ground(self) -> Ground:
        """The head all of them grow on."""

    def guides(self, seed: int) -> Floats:
        """The guides of a style alone."""

    def grown(self, seed: int) -> Grown:
        """A style; the same for the same seed."""


class Library:
    """Headform's own styles, varied and mixed, on the mean head.

    styles  what they are varied from; those that ship unless given
    """

    def __init__(self, styles: tuple[Style, ...] | None = None) -> None:
        self.styles = styles

    @cached_property
    def wearer(self) -> Wearer:
        return wearer_of(load_default())

    @cached_property
    def ground(self) -> Ground:
        model, wearer = load_default(), self.wearer
        roots = wearer.scalp.roots(grid_places()).points(wearer.vertices).reshape(GRID, GRID, 3)
        bare, whole = wearer.collider
        face = model.embeddings["mediapipe_478"].points(wearer.vertices)
        return Ground(roots, face, whole.origin, whole.cell, whole.distance, bare.distance, mirror_cells(roots))

    def guides(self, seed: int) -> Floats:
        return guides_for_training(seed, self.styles, lambda style, other: guides_of(style, self.wearer, other))[0]

    def grown(self, seed: int) -> Grown:
        guides = self.guides(seed)
        # A mix of styles has the locks and curls of the first: those are no part of the guides.
        style = training_style(seed, self.styles)
        return Grown(guides, dense(guides, style, self.wearer, seed, STRANDS).points)

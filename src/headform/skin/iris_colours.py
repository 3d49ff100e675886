"""Which colours irises have: a prior that makes a colour out of a few dark or noisy pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from headform.render.colour import to_srgb
from headform.skin.albedo import lab_from_linear, linear_from_lab, linear_from_srgb
from headform.skin.eyes import ANCESTRIES, IRIS_COLOURS
from headform.skin.iris_fibres import Colour, IrisColour, coloured, fibres, ring_radii

Doubles = NDArray[np.float64]

SPREAD = np.array([6.0, 4.0, 6.0])  # CIELAB about each named colour
ZONE = (0.45, 0.9)  # radii in which an iris shows its colour
RIM_FOLLOWS = 0.6  # exponent: the limbal ring is dark in all eyes
COMMON = 0.6  # exponent of how common a colour is: eyes that are seen outvote statistics
PALE, DARK = 0.25, 0.6  # melanin of skins that go with Europe's irises and with the rest's


@dataclass(frozen=True, eq=False)
class Likely:
    """An iris's colour after all that is known.

    lab    (3,) mean of its coloured zone
    shares (named colours,) how much it is of each, in the order of IRIS_COLOURS
    """

    lab: Doubles
    shares: Doubles

    def palette(self) -> IrisColour:
        """The named colours mixed as they are likely, moved to the mean that was found."""
        named, means = list(IRIS_COLOURS.values()), named_means()
        mean = np.exp(self.shares @ np.log(linear_from_lab(means)))
        factor = linear_from_lab(self.lab) / mean
        contrast = float(self.shares @ np.array([c.contrast for c in named]))
        inner, outer, fibre = (
            _srgb(_mixed(colours, self.shares) * factor)
            for colours in ([c.inner for c in named], [c.outer for c in named], [c.fibre for c in named])
        )
        rim = _srgb(_mixed([c.rim for c in named], self.shares) * factor**RIM_FOLLOWS)
        return IrisColour(inner, outer, fibre, rim, contrast, (0.0, 0.0, 0.0))


def likely_iris(found: Doubles | None, doubt: Doubles, melanin: float) -> Likely:
    """The colour behind a measured one, CIELAB (3,) with covariance `doubt` (3, 3), or behind none, for a skin with
    this melanin."""
    means, share = named_means(), _commonness(melanin)
    if found is None:
        best = int(share.argmax())
        return Likely(means[best], np.eye(len(share))[best])
    spread = np.diag(SPREAD**2)
    whole = np.linalg.inv(spread + doubt)
    off = found - means
    unlikely = 0.5 * np.einsum("ki,ij,kj->k", off, whole, off)
    shares = share**COMMON * np.exp(unlikely.min() - unlikely)
    shares /= shares.sum()
    return Likely(shares @ (means + off @ (spread @ whole).T), shares)


@lru_cache(maxsize=1)
def named_means() -> Doubles:
    """(named colours, 3) CIELAB of the coloured zone of each iris of IRIS_COLOURS as it is painted."""
    zone = (ring_radii() > ZONE[0]) & (ring_radii() < ZONE[1])
    weight = ring_radii()[zone]
    means = []
    for colour in IRIS_COLOURS.values():
        linear = linear_from_srgb(coloured(colour, fibres(0))[zone]).mean(1)
        means.append(lab_from_linear(weight @ linear / weight.sum()))
    return np.array(means, np.float64)


def _commonness(melanin: float) -> Doubles:
    shares = np.array([colour.share for colour in IRIS_COLOURS.values()])
    dark = float(np.clip((melanin - PALE) / (DARK - PALE), 0, 1))
    pale_column = shares[:, ANCESTRIES.index("caucasian")]
    return np.asarray(dark * shares[:, :2].mean(1) + (1 - dark) * pale_column)


def _mixed(colours: list[Colour], shares: Doubles) -> Doubles:
    linear = linear_from_srgb(np.array(colours, np.float64))
    return np.asarray(np.exp(shares @ np.log(np.maximum(linear, 1e-4))))


def _srgb(linear: Doubles) -> Colour:
    red, green, blue = (int(v) for v in np.rint(255 * to_srgb(linear)))
    return red, green, blue

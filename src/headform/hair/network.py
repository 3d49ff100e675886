"""A first guess of the whole head's hair from one picture, by a network after HairNet (Zhou et al. 2018).

Convention: pictures are the head's crop (`headform.photo.crop.head_crop`), 256 × 256, x right and y down; the angle of
a strand is measured from x towards y, and its two ends are not told apart. What comes out is the guide tensor of a
`Groom`, on the mean head.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from headform.errors import BadInput
from headform.hair.groom import GRID, KNOTS
from headform.photo.onnx import OnnxNetwork
from headform.photo.shipped import read_model

Floats = NDArray[np.float32]

MODELS = Path(__file__).parent / "models"
NAME = "hair"  # in the manifest
SIDE = 256  # pixels of the crop
HAIRY = 0.5  # likelihood from which a cell grows hair, and a pixel of a soft mask is hair
CHANNELS = 4  # of a knot: x, y, z and curliness

_loaded: list[OnnxNetwork] = []


def decode(
    mask: ArrayLike, angle: ArrayLike, confidence: ArrayLike, network: OnnxNetwork | None = None
) -> tuple[Floats, Floats]:
    """Guides (32, 32, 100, 4), NaN where nothing grows, and the likelihood (32, 32), 0–1, that hair grows there.

    mask        (256, 256) bool or 0–1, what is hair
    angle       (256, 256) radians, the line of the strands; any value where it is unknown
    confidence  (256, 256) 0–1, how sure the angle is; 0 where it is unknown
    network     the shipped one unless given

    Knots are even steps along each strand, the first (0, 0, 0). A picture without hair gives no guides. Raises BadInput
    for pictures of another size or that are not finite, MissingModel if the shipped network is missing or altered.
    """
    evidence = network_input(
        _checked("mask", mask) >= HAIRY, _checked("angle", angle), _checked("confidence", confidence)
    )
    if not evidence[0].any():
        return np.full((GRID, GRID, KNOTS, CHANNELS), np.nan, np.float32), np.zeros((GRID, GRID), np.float32)
    strands, growth = (network or shipped_network())(evidence[None])
    likelihood = np.asarray(1 / (1 + np.exp(-growth[0])), np.float32)
    guides = np.full((GRID, GRID, KNOTS, CHANNELS), np.nan, np.float32)
    _laid(np.ascontiguousarray(strands[0].transpose(2, 3, 1, 0)), likelihood >= HAIRY, guides)
    return guides, likelihood


def network_input(hair: NDArray[np.bool_], angle: NDArray[Any], confidence: NDArray[Any]) -> Floats:
    """(3, 256, 256) what the network reads: hair 0 or 1, and cosine and sine of twice the angle times confidence.

    The doubled angle is that of an undirected line: which end is the root cannot be seen, and what cannot be seen is
    better left to the network than guessed for it.
    """
    mask = np.asarray(hair, np.float32)
    sure = mask * confidence
    return np.stack([mask, np.cos(2 * angle) * sure, np.sin(2 * angle) * sure]).astype(np.float32)


def shipped_network() -> OnnxNetwork:
    """The network that comes with headform, loaded at the first call. Raises MissingModel."""
    if not _loaded:
        _loaded.append(OnnxNetwork(read_model(NAME, MODELS)))
    return _loaded[0]


def _checked(name: str, given: ArrayLike) -> Floats:
    picture = np.asarray(given, np.float32)
    if picture.shape != (SIDE, SIDE):
        raise BadInput(f"the hair's {name} is {picture.shape}, not ({SIDE}, {SIDE}); cut it from the head's crop")
    if not np.isfinite(picture).all():
        raise BadInput(f"the hair's {name} holds NaN or infinity; where it is unknown give 0")
    return picture


@njit(cache=True, error_model="numpy", nogil=True)
def _laid(strands: Any, grows: Any, guides: Any) -> None:
    """Strands (32, 32, 100, 4) into guides where hair grows: from the root on, in even steps, curliness 0–1."""
    knots = strands.shape[2]
    way = np.empty(knots, np.float32)
    for i in range(strands.shape[0]):
        for j in range(strands.shape[1]):
            if not grows[i, j]:
                continue
            strand, guide = strands[i, j], guides[i, j]
            for axis in range(3):
                strand[0, axis] = 0.0
            way[0] = 0.0
            for k in range(1, knots):
                x, y, z = (
                    strand[k, 0] - strand[k - 1, 0],
                    strand[k, 1] - strand[k - 1, 1],
                    strand[k, 2] - strand[k - 1, 2],
                )
                way[k] = way[k - 1] + np.sqrt(x * x + y * y + z * z)
            before = 0
            for k in range(knots):
                goal = way[knots - 1] * np.float32(k / (knots - 1))
                while before < knots - 2 and way[before + 1] < goal:
                    before += 1
                step = way[before + 1] - way[before]
                share = min(max((goal - way[before]) / step, 0.0), 1.0) if step > 0 else 0.0
                for axis in range(3):
                    guide[k, axis] = strand[before, axis] + share * (strand[before + 1, axis] - strand[before, axis])
                guide[k, 3] = min(max(strand[k, 3], 0.0), 1.0)

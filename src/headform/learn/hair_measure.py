"""How good the hair network is on styles it has not learnt from, beside the nearest style that it has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.hair.groom import GRID, KNOTS
from headform.hair.network import SIDE, decode
from headform.learn.hair_data import HairData, read_data
from headform.learn.hair_noise import clean, spoiled
from headform.photo.onnx import OnnxNetwork

Floats = NDArray[np.float32]

COARSE = 32  # squares along the side of what views are compared by
LIKE = 0.35  # weight of orientation beside the overlap of masks
LIBRARY_VIEWS = 12_000  # views that are searched, at most
METHODS = ("network", "nearest style", "mean style")


def measured(folder: Path, network: Path, views: int) -> dict[str, dict[str, float]]:
    """For each of METHODS, over held-out views with the faults of photos:

    mm       mean distance of knots of the strands that truly grow, millimetres
    worst    its 90th percentile over the views
    degrees  mean angle between the steps of these strands: which way the hair runs, wherever it is
    overlap  of the cells that grow with those that should, as intersection over union

    Raises BadInput for a folder without held-out styles, or a file that is no network.
    """
    data = read_data(folder)
    kept = np.flatnonzero(data.held_out)
    if not len(kept):
        raise BadInput(f"{folder} holds no held-out styles; draw more of them")
    chosen = kept[np.unique(np.linspace(0, len(kept) - 1, min(views, len(kept))).astype(int))]
    guesser = _opened(network)
    library = Library(data)
    mean = _mean_style(data)
    found: dict[str, list[NDArray[np.float64]]] = {method: [] for method in METHODS}
    for row in chosen.tolist():
        evidence = spoiled(data.mask(row), data.angle[row], np.random.default_rng([1, row]))
        truth = style_guides(data, int(data.style[row]))
        if not np.isfinite(truth).any():
            continue
        length = np.hypot(evidence[1], evidence[2])
        guess, _ = decode(evidence[0], np.arctan2(evidence[2], evidence[1]) / 2, np.minimum(length, 1), guesser)
        for method, guides in zip(METHODS, (guess, style_guides(data, library.nearest(evidence)), mean), strict=True):
            found[method].append(compared(guides, truth))
    return {method: _summed(rows) for method, rows in found.items()}


def table(found: dict[str, dict[str, float]]) -> str:
    """The measures as a small table for people."""
    columns = list(next(iter(found.values())))
    lines = [" " * 14 + "".join(f"{column:>10}" for column in columns)]
    return "\n".join(
        [*lines, *(f"{method:<14}" + "".join(f"{row[c]:>10.2f}" for c in columns) for method, row in found.items())]
    )


def style_guides(data: HairData, style: int) -> Floats:
    """(32, 32, 100, 4) the guides of a style in memory, as far as its coefficients tell."""
    guides = data.basis.decode(data.coefficients[style], data.curl[style])
    guides[~data.grows[style]] = np.nan
    return guides.reshape(GRID, GRID, KNOTS, 4)


def compared(guides: Floats, truth: Floats) -> NDArray[np.float64]:
    """(millimetres, degrees, overlap) of guides against the truth, both (32, 32, 100, 4).

    A strand that is missing lies, for its millimetres, at its root; it has no degrees.
    """
    grown = np.asarray(np.isfinite(guides).all((2, 3)), np.bool_)
    growing = np.asarray(np.isfinite(truth).all((2, 3)), np.bool_)
    strands, goal = np.nan_to_num(guides[growing][..., :3]), truth[growing][..., :3]
    far = np.linalg.norm(strands - goal, axis=2).mean()
    both = grown[growing]
    steps = [np.diff(one[both][:, ::9], axis=1) for one in (strands, goal)]
    sizes = np.linalg.norm(steps[0], axis=2) * np.linalg.norm(steps[1], axis=2)
    cosine = (steps[0] * steps[1]).sum(2) / np.maximum(sizes, 1e-12)
    angle = np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean() if both.any() else np.nan
    return np.array([1000 * far, angle, (grown & growing).sum() / max((grown | growing).sum(), 1)])


class Library:
    """Views of the styles that are learnt from, to find the one that looks most like a picture."""

    def __init__(self, data: HairData) -> None:
        rows = np.flatnonzero(~data.held_out)
        if not len(rows):
            raise BadInput("all styles are held out; draw more of them")
        rows = rows[:: -(-len(rows) // LIBRARY_VIEWS)]
        self.styles = data.style[rows]
        self.looks = np.stack([coarse(clean(data.mask(row), data.angle[row])) for row in rows.tolist()])
        self.sizes = np.square(self.looks[:, 0]).sum(1)

    def nearest(self, evidence: Floats) -> int:
        """The style of the view with the greatest overlap of masks and likeness of orientation."""
        look = coarse(evidence)
        shared = self.looks[:, 0] @ look[0]
        overlap = shared / np.maximum(self.sizes + np.square(look[0]).sum() - shared, 1e-6)
        like = np.einsum("vcp,cp->v", self.looks[:, 1:], look[1:]) / np.maximum(shared, 1e-6)
        return int(self.styles[np.argmax(overlap + LIKE * like)])


def coarse(evidence: Floats) -> Floats:
    """(3, 1024) means of evidence (3, 256, 256) over squares."""
    step = SIDE // COARSE
    return np.asarray(evidence.reshape(3, COARSE, step, COARSE, step).mean((2, 4)).reshape(3, -1), np.float32)


def _mean_style(data: HairData) -> Floats:
    """(32, 32, 100, 4) for each cell the mean strand of all styles that are learnt from and grow there."""
    styles = np.unique(data.style[~data.held_out])
    grows = data.grows[styles]
    count = np.maximum(grows.sum(0), 1)[:, None]
    straight = data.coefficients[styles].astype(np.float32).sum(0) / count  # what does not grow is 0
    curl = data.curl[styles].astype(np.float32).sum(0) / count
    guides = data.basis.decode(straight, curl)
    guides[grows.mean(0) < 0.5] = np.nan
    return guides.reshape(GRID, GRID, KNOTS, 4)


def _summed(rows: list[NDArray[np.float64]]) -> dict[str, float]:
    if not rows:
        raise BadInput("none of the held-out styles has hair; draw more of them")
    far, angle, overlap = np.stack(rows).T
    return {
        "mm": float(far.mean()),
        "worst": float(np.percentile(far, 90)),
        "degrees": float(np.nanmean(angle)),
        "overlap": float(overlap.mean()),
    }


def _opened(path: Path) -> OnnxNetwork:
    try:
        return OnnxNetwork(path.read_bytes())
    except FileNotFoundError:
        raise
    except Exception as error:  # ONNX Runtime has a family of its own for files that are none
        raise BadInput(f"{path} is no network; write one: headform learn hair export CHECKPOINT -o {path}") from error

"""Which of many hairstyles is most like a photo's hair, seen from the photo's camera."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.hair import scalp as chart
from headform.hair.evidence import HairEvidence
from headform.hair.groom import GRID, KNOTS
from headform.hair.grow import Wearer, curliness, guides_of, wearer_of
from headform.hair.plane import nearest_in
from headform.hair.sight import Sight
from headform.hair.style import Style
from headform.head import HeadModel
from headform.skin.filters import blurred

Floats = NDArray[np.float32]

EVERY, COARSE = 2, 25  # guides are compared in steps across the scalp, and by so many knots
SMALL = 64  # pixels along the side of the picture in which styles are compared
STEPS = 3  # parts of the way between two knots at which hair is put down
WIDE = 1  # pixels around them that it covers: guides are a few millimetres apart
BEHIND = 0.006  # metres that hair may be behind the head's surface and still be seen

# weights against the overlap of 0–1; hair over bare skin speaks strongest against a style
ORIENTATION, ON_FACE, UNRULY = 0.35, 1.5, 0.9
# Hair that is plaited, shaved at the sides, cropped or half gone is rare. From the front tied hair looks like short
# hair and is much rarer, unless hair stands off as a knot does; two knots are rare all the same
RARE, TIED, KNOTTED = 0.25, 0.4, 0.05
FAR_OFF, KNOT = 0.035, 0.08  # metres from the head where only tied hair or an afro is; share of the hair that says so
UNUSUAL = {"mohawk", "flat-top", "spiky", "twists"}  # tags of hair that is rare too
FAR_BACK, WIDE_CROWN = 0.9, 0.03  # of a receding hairline, and metres of bare crown, from which few hairs are left
CROPPED = 0.012  # metres: hair so short is another kind of evidence
NEIGHBOURS = 4.0  # pixels of 256 over which straight hair agrees about its way
CALM, WILD = 0.07, 0.42  # disorder of straight hair, and what coils add: Figaro's straight hair has 0.1, kinky 0.4


@dataclass(frozen=True, slots=True)
class Likeness:
    """overlap: intersection over union of the hair's places; agreement: −1 … 1, mean cosine of twice the angle between
    the strands; on_face: hair over bare skin, as a share of the hair."""

    overlap: float
    agreement: float
    on_face: float

    @property
    def score(self) -> float:
        return self.overlap + ORIENTATION * self.agreement - ON_FACE * self.on_face


@dataclass(frozen=True, eq=False)
class Shapes:
    """Guides of many styles on the mean head, thinned for comparison: offsets (N, G, COARSE, 3), NaN where nothing
    grows. wild (N,) how disordered each would look; rare (N,) by `rarity`."""

    styles: tuple[Style, ...]
    offsets: Floats
    wild: Floats
    rare: Floats


def shapes_of(styles: Sequence[Style], guides: Iterable[Floats]) -> Shapes:
    """Of styles and their guides on the mean head, of which only what is compared is kept: all are 150 MB."""
    offsets = np.stack([thinned(each) for each in guides])
    wild = np.array([CALM + WILD * curliness(style) for style in styles], np.float32)
    rare = [rarity(style) for style in styles]
    return Shapes(tuple(styles), offsets, wild, np.array(rare, np.float32))


def rarity(style: Style) -> float:
    """How much more like the photo hair of this kind must be than that which most people wear."""
    if style.ties:
        return TIED + RARE * (len(style.ties) > 1)
    unlike_most = style.pattern != "free" or style.strip or style.side or style.rows or max(style.length) < CROPPED
    unlike_most = unlike_most or style.recede > FAR_BACK or style.crown > WIDE_CROWN
    return RARE if unlike_most or UNUSUAL & set(style.tags) else 0.0


@lru_cache(maxsize=1)
def library_shapes(model: HeadModel) -> Shapes:
    """The shipped styles that have hair, grown on the mean head."""
    from headform.hair.library import styles

    wearer = wearer_of(model)
    worn = [style for style in styles() if not style.bald]
    return shapes_of(worn, (guides_of(style, wearer) for style in worn))


def thinned(guides: Floats) -> Floats:
    """(G, COARSE, 3) some of the guides (32, 32, 100, 4), at some knots."""
    knots = np.rint(np.linspace(0, KNOTS - 1, COARSE)).astype(int)
    return np.ascontiguousarray(guides[::EVERY, ::EVERY, knots, :3].reshape(-1, COARSE, 3))


def ranked(shapes: Shapes, sight: Sight, evidence: HairEvidence, wearer: Wearer) -> tuple[list[int], list[Likeness]]:
    """The styles from the most to the least like, and how alike each is."""
    found = likenesses(shapes.offsets, sight, wearer)
    wild = disorder(evidence)
    rare = np.where(shapes.rare == np.float32(TIED), KNOTTED, shapes.rare) if stands_off(sight) > KNOT else shapes.rare
    scores = np.array([each.score for each in found]) - rare - UNRULY * np.abs(shapes.wild - wild)
    return np.argsort(-scores, kind="stable").tolist(), found


def stands_off(sight: Sight) -> float:
    """The share of the hair that is seen far from the head and above its middle: where knots are tied."""
    head = np.isfinite(sight.head)
    if not (head.any() and sight.hair.any()):
        return 0.0
    row, column = np.indices(head.shape)
    near = nearest_in(head)
    away = np.hypot(near[..., 0] - row, near[..., 1] - column) * _metres(sight)
    above = row < np.nonzero(head)[0].mean()
    return float((sight.hair & above & (away > FAR_OFF)).sum() / sight.hair.sum())


def _metres(sight: Sight) -> float:
    """Metres for one pixel where the head is."""
    focal = float(np.sqrt(abs(np.linalg.det(sight.camera.matrix[:2, :2]))))
    return 1 / focal if sight.camera.orthographic else float(np.median(sight.head[np.isfinite(sight.head)])) / focal


def disorder(evidence: HairEvidence) -> float:
    """0 straight – 0.5 kinky: how little neighbouring hair of a photo agrees about its way."""
    spread = NEIGHBOURS * len(evidence.hair) / 256
    sure = evidence.confidence * evidence.hair
    doubled = np.stack([np.cos(2 * evidence.angle), np.sin(2 * evidence.angle)], -1) * sure[..., None]
    around, total = blurred(doubled, spread), blurred(sure, spread) + np.float32(1e-4)
    agree = np.hypot(around[..., 0], around[..., 1]) / total
    return float(1 - agree[evidence.hair].mean()) if evidence.hair.any() else 0.0


def likenesses(offsets: Floats, sight: Sight, wearer: Wearer) -> list[Likeness]:
    """Of hair (N, G, COARSE, 3), offsets from every EVERY-th root, to the photo's."""
    step = len(sight.hair) // SMALL
    places = chart.grid_places().reshape(GRID, GRID, 2)[::EVERY, ::EVERY].reshape(-1, 2)
    root = wearer.scalp.roots(places).points(wearer.vertices)
    camera = sight.camera
    cover = np.zeros((len(offsets), SMALL, SMALL), np.uint8)
    way = np.zeros((len(offsets), SMALL, SMALL, 2), np.float32)
    _put_down(
        offsets, root, np.float32(wearer.size), camera.matrix, camera.rotation, camera.translation,
        camera.orthographic, sight.head, step, cover, way,
    )  # fmt: skip
    hair, known = _reduced(sight.hair, step) > 0.5, _reduced(sight.known, step) > 0.5
    flow = np.stack([_reduced(sight.flow[..., k], step) for k in (0, 1)], -1)
    skin = _reduced(sight.skin, step) > 0.5
    hair &= known
    drawn = (cover > 0) & known
    both = drawn & hair
    sure = np.hypot(flow[..., 0], flow[..., 1]) * both
    doubled = flow[..., 0] ** 2 - flow[..., 1] ** 2, 2 * flow[..., 0] * flow[..., 1]
    length = np.hypot(way[..., 0], way[..., 1]) * np.hypot(*doubled) + 1e-9
    alike = (way[..., 0] * doubled[0] + way[..., 1] * doubled[1]) / length

    def total(values: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(values.sum((1, 2)), np.float64)

    overlap = total(both) / np.maximum(total(drawn | hair), 1)
    agreement = total(alike * sure) / np.maximum(total(sure), 1e-6)
    on_face = total(drawn & skin) / max(float(hair.sum()), 1.0)
    return [Likeness(*row) for row in zip(overlap.tolist(), agreement.tolist(), on_face.tolist(), strict=True)]


def _reduced(sheet: NDArray[Any], step: int) -> Floats:
    side = len(sheet) // step
    return np.asarray(sheet[: side * step, : side * step].reshape(side, step, side, step).mean((1, 3)), np.float32)


@njit(cache=True, error_model="numpy", nogil=True)
def _put_down(
    offsets: Any,
    root: Any,
    scale: Any,
    matrix: Any,
    rotation: Any,
    translation: Any,
    orthographic: bool,
    head: Any,
    step: int,
    cover: Any,
    way: Any,
) -> None:
    """Mark the pixels near each strand that the camera sees, and sum its doubled directions there."""
    side = cover.shape[1]
    high, wide = head.shape
    for s in range(offsets.shape[0]):
        for n in range(offsets.shape[1]):
            if np.isnan(offsets[s, n, 0, 0]):
                continue
            x0, y0, z0 = 0.0, 0.0, 0.0
            for k in range(offsets.shape[2]):
                px = root[n, 0] + scale * offsets[s, n, k, 0]
                py = root[n, 1] + scale * offsets[s, n, k, 1]
                pz = root[n, 2] + scale * offsets[s, n, k, 2]
                x = rotation[0, 0] * px + rotation[0, 1] * py + rotation[0, 2] * pz + translation[0]
                y = rotation[1, 0] * px + rotation[1, 1] * py + rotation[1, 2] * pz + translation[1]
                z = rotation[2, 0] * px + rotation[2, 1] * py + rotation[2, 2] * pz + translation[2]
                share = 1.0 if orthographic else 1.0 / max(z, 1e-3)
                column = (matrix[0, 0] * x + matrix[0, 1] * y) * share + matrix[0, 2]
                row = (matrix[1, 0] * x + matrix[1, 1] * y) * share + matrix[1, 2]
                if k > 0:
                    dx, dy = column - x0, row - y0
                    for part in range(STEPS):
                        f = part / STEPS
                        i, j = int(y0 + f * dy), int(x0 + f * dx)
                        if not (0 <= i < high and 0 <= j < wide) or z0 + f * (z - z0) > head[i, j] + BEHIND:
                            continue
                        a, b = i // step, j // step
                        if a >= side or b >= side:
                            continue
                        way[s, a, b, 0] += dx * dx - dy * dy
                        way[s, a, b, 1] += 2 * dx * dy
                        cover[s, a, b] = 1
                        cover[s, max(a - WIDE, 0), b] = 1
                        cover[s, min(a + WIDE, side - 1), b] = 1
                        cover[s, a, max(b - WIDE, 0)] = 1
                        cover[s, a, min(b + WIDE, side - 1)] = 1
                x0, y0, z0 = column, row, z

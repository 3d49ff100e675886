"""What a photo shows of an eye: the iris on a dial, without lids, lashes and glints, and the white beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headform.photo.landmarks import FaceLandmarks, landmark_table, outline
from headform.render.colour import LINEAR
from headform.skin.filters import highest
from headform.skin.iris_fibres import REACH, step

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bytes = NDArray[np.uint8]

RINGS, TURNS = 42, 128  # of the dial that is read: as fine as photos are, coarser than the painted one
FINEST = 36.0  # pixels of an iris's radius: larger ones are averaged down to this first
ROOM = 4.5  # iris radii around an eye that are cut out
UPPER = 8  # so many of an outline's edges are the upper lid's
RIGHT_CORNER, LEFT_CORNER = 33, 263  # the line between them is level
TURNED = 0.88  # flatter irises than this are seen from the side
SHIFTS, GROWTH = np.linspace(-0.2, 0.2, 5), np.linspace(0.86, 1.14, 5)  # iris radii: how far landmarks err
RIM_TURNS = 16  # places on the rim at which it is looked for
RIM = (0.86, 1.14)  # radii between which an eye turns from iris to white
DOUBT_RIM, SURE_RIM = 0.04, 0.16  # contrasts at the rim between which an iris comes to be believed
LASHES, LID = 0.36, 0.16  # iris radii below the upper lid, and above the lower, that are not believed
UPPER_HALF = 0.4  # how far the half that lies in the upper lid's shade is believed
USUAL = 0.6  # quantile of brightness that is the iris's own: less is in the shade of lids and lashes
GLINT = 1.9  # times the iris's usual brightness: what is brighter is a reflection
WHITE = (1.25, 2.4)  # iris radii between which the white is looked for
LEAST_WHITE = 6.0  # pixels
COLOURED = (0.45, 0.9)  # radii between which an iris shows its colour
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


@dataclass(frozen=True, eq=False)
class EyeSeen:
    """One eye in a photo. Its dial is that of the painted eye: turns run from the temple's side over the top.

    colours  (RINGS, TURNS, 3) linear, lit as in the photo; rings as far as REACH iris radii
    weights  (RINGS, TURNS) 0 … 1: how far a place is believed to show the iris
    radius   of the iris, pixels of the photo
    count    pixels of the iris's coloured part that are seen
    white    (3,) linear colour of the white beside it, lit as in the photo; None where none is seen
    """

    colours: Floats
    weights: Floats
    radius: float
    count: float
    white: Doubles | None


def look_at_eye(pixels: Bytes, landmarks: FaceLandmarks, side: str) -> EyeSeen:
    """The eye of this side, `left` or `right` as the person says, in a photo's pixels (H, W, 3)."""
    lid_points, middle = outline(f"{side}_eye"), landmark_table()["irises"][side]
    points = landmarks.points[:, :2]
    window = _Window.around(pixels, points[middle], _radii(points, middle))
    axes = _axes(points, middle, side)
    lids = np.linalg.solve(axes.T, (points[lid_points] - points[middle]).T).T
    moved, grown, sure = _rim(window, points[middle], axes, lids)
    lids, centre, axes = (lids - moved) / grown, points[middle] + moved @ axes, axes * grown
    at = dial_points(RINGS, TURNS, 0, REACH)
    colours = window.colours(centre + at @ axes).reshape(RINGS, TURNS, 3)
    free = sure * _open(at, lids).reshape(RINGS, TURNS)
    weights = free * _no_glint(colours, free)
    area = abs(float(np.linalg.det(axes)))
    count = float((weights * _cell_areas())[coloured_rings()].sum() * area)
    return EyeSeen(colours, weights, float(np.sqrt(area)), count, _white(window, centre, axes, lids))


def ring_middles() -> Floats:
    """(RINGS,) radius of each ring that is read."""
    return np.asarray((np.arange(RINGS) + 0.5) * (REACH / RINGS), np.float32)


def coloured_rings() -> NDArray[np.bool_]:
    """(RINGS,) which rings show the iris's colour, whatever the pupil."""
    return np.asarray((ring_middles() > COLOURED[0]) & (ring_middles() < COLOURED[1]))


def dial_points(rings: int, turns: int, start: float, end: float) -> Doubles:
    """(rings · turns, 2) places between two radii, x to the temple and y up, in iris radii."""
    radius = start + (np.arange(rings) + 0.5) * ((end - start) / rings)
    turn = np.arange(turns) * (2 * np.pi / turns)
    points = radius[:, None, None] * np.stack([np.cos(turn), np.sin(turn)], -1)
    return np.asarray(points.reshape(-1, 2))


@dataclass(frozen=True, eq=False)
class _Window:
    """A part of a photo in linear colours, averaged over blocks of pixels."""

    picture: Floats
    corner: Doubles
    block: int

    @classmethod
    def around(cls, pixels: Bytes, centre: Doubles, radii: Doubles) -> _Window:
        high, wide = pixels.shape[:2]
        block = max(1, round(float(radii.max()) / FINEST))
        reach = ROOM * radii.max() + 2
        low = np.clip(np.floor(centre - reach), 0, (wide - block, high - block)).astype(int)
        past = np.clip(np.ceil(centre + reach), low + block, (wide, high)).astype(int)
        part = LINEAR[pixels[low[1] : past[1], low[0] : past[0]]]
        rows, columns = part.shape[0] // block, part.shape[1] // block
        part = part[: rows * block, : columns * block].reshape(rows, block, columns, block, 3).mean((1, 3))
        return cls(np.ascontiguousarray(part, np.float32), low.astype(np.float64), block)

    def colours(self, places: Doubles) -> Floats:
        """(N, 3) at places (N, 2) in pixels of the photo; the border goes on outside."""
        x, y = ((places - self.corner) - (self.block - 1) / 2).T / self.block
        high, wide = self.picture.shape[:2]
        x, y = np.clip(x, 0, wide - 1.001), np.clip(y, 0, high - 1.001)
        i, j = y.astype(int), x.astype(int)
        k, m = np.minimum(i + 1, high - 1), np.minimum(j + 1, wide - 1)
        a, b = (y - i)[:, None].astype(np.float32), (x - j)[:, None].astype(np.float32)
        near = self.picture[i, j] * (1 - b) + self.picture[i, m] * b
        return np.asarray(near * (1 - a) + (self.picture[k, j] * (1 - b) + self.picture[k, m] * b) * a)


def _radii(points: Doubles, middle: int) -> Doubles:
    """(2,) half width and half height of an iris from the four landmarks on its rim."""
    rim = points[middle + 1 : middle + 5]
    across, along = float(np.linalg.norm(rim[0] - rim[2])) / 2, float(np.linalg.norm(rim[1] - rim[3])) / 2
    flat = min(1.0, across / max(along, 1e-6))
    flat = flat if flat < TURNED else 1.0
    size = max((across / flat + along) / 2, 1.0)
    return np.array([size * flat, size])


def _axes(points: Doubles, middle: int, side: str) -> Doubles:
    """(2, 2) one iris radius towards the temple and one upwards, in pixels of the photo."""
    level = points[LEFT_CORNER] - points[RIGHT_CORNER]
    level /= max(float(np.linalg.norm(level)), 1e-6)
    upwards = np.array([level[1], -level[0]])
    outwards = level if side == "left" else -level
    return np.asarray(_radii(points, middle)[:, None] * np.stack([outwards, upwards]))


def _rim(window: _Window, centre: Doubles, axes: Doubles, lids: Doubles) -> tuple[Doubles, float, float]:
    """How far the iris lies from where the landmarks say, in radii, how much larger it is, and how sure it is one.

    It is where a circle's outside is brightest against its inside (Daugman 1993), on the parts that lids leave open.
    """
    turn = np.arange(RIM_TURNS) * (2 * np.pi / RIM_TURNS)
    ring = np.stack([np.cos(turn), np.sin(turn)], -1)
    x, y, grown = (a.ravel() for a in np.meshgrid(SHIFTS, SHIFTS, GROWTH, indexing="ij"))
    moved = np.stack([x, y], -1)
    inside, outside = (moved[:, None] + (grown * share)[:, None, None] * ring for share in RIM)
    trust = (_open(outside.reshape(-1, 2), lids)).reshape(len(x), len(turn))
    bright = [
        np.sqrt(window.colours(centre + place.reshape(-1, 2) @ axes) @ LUMINANCE).reshape(trust.shape)
        for place in (inside, outside)
    ]
    total = trust.sum(1) + 1e-3
    contrast = (trust * (bright[1] - bright[0])).sum(1) / ((trust * (bright[1] + bright[0])).sum(1) + 1e-3)
    contrast *= np.sqrt(np.minimum(total / 3, 1))
    score = contrast - 0.9 * (x**2 + y**2) - 1.2 * np.log(grown) ** 2
    best = int(score.argmax())
    sure = float(step(DOUBT_RIM, SURE_RIM, contrast[best]))
    if sure == 0:
        return np.zeros(2), 1.0, sure
    return moved[best], float(grown[best]), sure


def _open(at: Doubles, lids: Doubles) -> Floats:
    """(N,) 0 … 1 how surely places (N, 2) in iris radii lie free of lids (M, 2) and their lashes."""
    ahead = np.roll(lids, -1, 0)
    edge = ahead - lids
    way = at[:, None] - lids
    along = np.clip((way * edge).sum(-1) / np.maximum((edge**2).sum(-1), 1e-9), 0, 1)
    away = np.linalg.norm(way - along[..., None] * edge, axis=-1)
    crosses = (lids[:, 1] > at[:, 1:]) != (ahead[:, 1] > at[:, 1:])
    rise = np.where(np.abs(edge[:, 1]) < 1e-9, 1e-9, edge[:, 1])
    left_of = at[:, :1] < lids[:, 0] + edge[:, 0] * (at[:, 1:] - lids[:, 1]) / rise
    within = (crosses & left_of).sum(1) % 2 == 1
    upper, lower = away[:, :UPPER].min(1), away[:, UPPER:].min(1)
    return np.asarray(within * step(0.4 * LASHES, LASHES, upper) * step(0.2 * LID, LID, lower), np.float32)


def _no_glint(colours: Floats, free: Floats) -> Floats:
    """(RINGS, TURNS) 0 … 1: no reflection there, and less belief in the upper lid's shade."""
    rings = coloured_rings()
    bright = colours @ LUMINANCE
    upper = dial_points(RINGS, TURNS, 0, REACH)[:, 1].reshape(RINGS, TURNS)
    shade = 1 - (1 - UPPER_HALF) * step(-0.3, 0.3, upper)
    usual = weighted_quantile(bright[rings], (free * shade)[rings], USUAL)
    shining = bright > GLINT * usual + 0.004
    shining[ring_middles() > 0.97] = False
    cells = max(1, RINGS // 14)
    wide = np.concatenate([shining[:, -6:], shining, shining[:, :6]], 1)
    wide = (highest(wide, cells) > 0)[:, 6:-6]
    return np.asarray(~wide * shade, np.float32)


def _white(window: _Window, centre: Doubles, axes: Doubles, lids: Doubles) -> Doubles | None:
    """(3,) linear colour of the eye's white where it is brightest, but for its glints."""
    rings, turns = 16, 64
    at = dial_points(rings, turns, *WHITE)
    radius = np.linalg.norm(at, axis=1)
    free = _open(at, lids) * radius
    pixels = free.sum() * abs(np.linalg.det(axes)) * (WHITE[1] - WHITE[0]) / rings * 2 * np.pi / turns
    if pixels < LEAST_WHITE:
        return None
    colours = window.colours(centre + at @ axes)
    bright = colours @ LUMINANCE
    low, high = (weighted_quantile(bright, free, share) for share in (0.55, 0.92))
    chosen = free * (bright >= low) * (bright <= high)
    return np.asarray((colours * chosen[:, None]).sum(0) / max(float(chosen.sum()), 1e-9), np.float64)


def weighted_quantile(values: Floats, weights: Floats, share: float) -> float:
    """The value below which this share of the weights lies; 0 where there is no weight."""
    values, weights = values.ravel(), weights.ravel()
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    if total[-1] <= 0:
        return 0.0
    return float(values[order][np.searchsorted(total, share * total[-1])])


def _cell_areas() -> Floats:
    """(RINGS, 1) area of the cells of the dial, in squares of the iris's radius."""
    return np.asarray(ring_middles() * (REACH / RINGS) * (2 * np.pi / TURNS), np.float32)[:, None]

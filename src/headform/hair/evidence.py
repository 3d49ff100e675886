"""What a photo says of the hair: where it is, which way it runs, and whether there is any to see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.hair.orientation import REFERENCE, gabor_grain, grain, towards, vectors
from headform.photo import Masks, Photo, Sighting
from headform.photo.crop import Crop, head_crop
from headform.render import Camera, rasterise
from headform.render.surface import vertex_normals
from headform.skin.filters import blurred, highest

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Region = NDArray[np.bool_]
Kind = Literal["hair", "bald", "shaved", "covered", "unseen"]

SURE = 0.5  # probability from which a pixel belongs
SPECK = 0.03  # of the largest piece: smaller pieces are eyebrows, beards' shadows and mistakes
GREY = np.array([0.299, 0.587, 0.114], np.float32) / np.float32(255)
WITHIN = 0.999  # share of a pixel of the crop that is within the photo
FOREHEAD, CHIN, TEMPLES = 10, 152, [127, 356]  # landmarks
CROWN = 0.45  # of the face's height from chin to forehead: how far above the forehead's top the crown lies
ABOUT_HEAD = 0.75  # of the face's height about the middle between the temples: pieces of hair beyond it are others'
FALLING = 1.2  # how much hair falls, against growing away from the crown, a face's height away from it
AT_HAIRLINE, RIM = 0.11, 0.02  # heights of the face: from the scalp's points to its hairline; half the rim's width
DEEP, INWARD = 0.97, 0.05  # share of hair about a pixel, away from the rim; heights of the face to look inwards
FROM_HAIRLINE, SURE_RIM = 0.12, 0.02  # heights of the face that a bare hairline acts over; share of rim that is enough
VOTES, WIDE_VOTES, NEAR_VOTES = 3, 6.0, 3.0  # rounds of agreement with neighbours so many pixels of 256 away
PRIOR = 0.25  # weight of the first guess in them
BEHIND = 0.004  # metres that a vertex may lie behind the surface drawn at its pixel
LEAST_SEEN = 0.3  # share of the scalp within the photo: with less, all of a hairstyle is a guess
LITTLE = 0.25  # share of the scalp that is hair: two bald men have 0.04 and 0.14, the thinnest hair of others 0.37
CROPPED = 0.065  # heights of the face, 12 mm: the fitted skull is not surer, and cropped hair has no shape of its own
MOST_CROPPED = 0.24  # heights of the face squared: cropped hair has up to 0.23, curls and side partings 0.27 and more
RAYS = range(-75, 76, 15)  # degrees from straight up
RAY_WIDTH = np.radians(8)
LEAST_RAYS = 4


@dataclass(frozen=True, eq=False)
class HairEvidence:
    """The hair of one face, in the head crop of size S.

    crop        where in the photo
    picture     (S, S, 3) what it shows
    soft        (S, S) 0–1, probability of hair
    hair        (S, S) hair: the main pieces of it
    skin        (S, S) 0–1, probability of the face's skin
    inside      (S, S) within the photo: beyond it nothing is known
    angle       (S, S) radians 0 … π of the strands, from x (right) towards y (down)
    confidence  (S, S) 0–1, how clear the angle is; 0 outside hair
    sign        (S, S) 1 or −1: times the angle's unit vector, the way from root to tip, as first guessed
    kind        what is on the scalp: hair | bald | shaved (stubble, a few millimetres) | covered (a hat, hood or
                scarf) | unseen (out of the picture)
    """

    crop: Crop
    picture: Bytes
    soft: Floats
    hair: Region
    skin: Floats
    inside: Region
    angle: Floats
    confidence: Floats
    sign: Floats
    kind: Kind = "hair"

    @property
    def direction(self) -> Floats:
        """(S, S, 2) unit vectors root to tip, as first guessed."""
        return vectors(self.angle) * self.sign[..., None]

    def signed_by(self, reference: Floats) -> Floats:
        """(S, S, 2) unit vectors root to tip, by a drawn groom's (S, S, 2) where it is, else as first guessed."""
        sign = towards(self.angle, reference)
        return vectors(self.angle) * np.where(sign == 0, self.sign, sign)[..., None]


def gather(
    photo: Photo, sighting: Sighting, size: int = 256, scalp: Doubles | None = None, *, bank: bool = False
) -> HairEvidence:
    """The evidence of one face in its head crop of size².

    scalp  (N, 2) pixels of the photo where the fitted head's scalp is seen (`scalp_seen`), to judge what is on it;
           without it, hair anywhere is hair and none is bald
    bank   angles by a Gabor bank: a little smoother, three times slower in all
    """
    crop = head_crop(sighting.face.box, size)
    picture = crop.cut(photo.pixels)
    masks = sighting.masks
    inside = crop.cut_mask(np.ones_like(masks.hair)) >= WITHIN
    soft = crop.cut_mask(masks.hair) * inside
    points = crop.place(sighting.landmarks.points[:, :2])
    hair = own_pieces(soft >= SURE, points)
    grey = np.asarray(picture.astype(np.float32) @ GREY, np.float32)
    angle, confidence = (gabor_grain if bank else grain)(grey, soft * widened(hair))
    skin = crop.cut_mask(masks.face_skin)
    bare = None if scalp is None else rising(angle, confidence, hair, skin, crop.place(scalp), points)
    sign = first_senses(angle, confidence, hair, points, bare)
    if scalp is None:
        kind: Kind = "hair" if hair.any() else "bald"
    else:
        kind = kind_of(on_scalp(masks, scalp), thickness(hair, inside, crop.place(scalp), points))
    return HairEvidence(crop, picture, soft, hair, skin, inside, angle, confidence, sign, kind)


def scalp_seen(vertices: Floats, triangles: NDArray[np.int32], scalp: Region, camera: Camera) -> Doubles:
    """(N, 2) pixels of the vertices (V, 3) in `scalp` (V,) that a camera sees, the head's own triangles (T, 3) hiding
    what is behind them. Pixels may lie beyond the camera's picture: there the scalp is out of the photo."""
    pixels, depth = camera.project(vertices[scalp])
    column, row = np.rint(np.nan_to_num(pixels, nan=-1)).astype(int).T
    front = np.einsum("ij,ij->i", vertex_normals(vertices, triangles)[scalp], _toward(camera, vertices[scalp])) > 0
    shown = (column >= 0) & (row >= 0) & (column < camera.width) & (row < camera.height)
    buffer = rasterise(vertices, triangles, camera).depth
    front[shown] &= depth[shown] < buffer[row[shown], column[shown]] + BEHIND
    return np.asarray(pixels[front & (depth > 0)])


def _toward(camera: Camera, points: Floats) -> Doubles:
    """(N, 3) from points towards a camera, of any length."""
    if camera.orthographic:
        return np.broadcast_to(-camera.rotation[2], points.shape)
    return np.asarray(camera.position - points)


def on_scalp(masks: Masks, scalp: Doubles) -> dict[str, float]:
    """Shares of the scalp's points (N, 2), pixels of the photo: `seen` within the photo, and of these those that are
    `hair`, `skin`, `things` (clothes and other)."""
    high, wide = masks.hair.shape
    column, row = np.rint(scalp).astype(int).T
    shown = (column >= 0) & (row >= 0) & (column < wide) & (row < high)
    if not shown.any():
        return {"seen": 0.0, "hair": 0.0, "skin": 0.0, "things": 0.0}
    row, column = row[shown], column[shown]

    def share(mask: Floats) -> float:
        return float((mask >= SURE).mean())

    return {
        "seen": float(shown.mean()),
        "hair": share(masks.hair[row, column]),
        "skin": share(masks.face_skin[row, column] + masks.body_skin[row, column]),
        "things": share(masks.clothes[row, column] + masks.other[row, column]),
    }


def kind_of(shares: dict[str, float], thick: float | None) -> Kind:
    """What is on the scalp, by the shares of `on_scalp` and the `thickness`."""
    if shares["seen"] < LEAST_SEEN:
        return "unseen"
    if shares["hair"] < LITTLE:
        if shares["things"] >= SURE:
            return "covered"
        return "bald" if shares["skin"] >= SURE else "unseen"
    return "shaved" if thick is not None and thick < CROPPED else "hair"


def thickness(hair: Region, inside: Region, scalp: Doubles, points: Doubles) -> float | None:
    """How far hair stands out over the scalp's outline, in heights of the face from chin to forehead: the median of
    rays from between the temples. None where hair cannot be so short: much of it lies below or before the scalp; or
    where too few rays are within the photo.

    scalp (N, 2) and points (478, 2), landmarks, are in the crop's pixels.
    """
    up = points[FOREHEAD] - points[CHIN]
    height = float(np.linalg.norm(up))
    middle = points[TEMPLES].mean(0)
    if hair.sum() > MOST_CROPPED * height**2:
        return None
    row, column = np.nonzero(hair)
    round_scalp, out_scalp = _rays(scalp, middle, up)
    round_hair, out_hair = _rays(np.column_stack([column, row]), middle, up)
    found = []
    for ray in np.radians(RAYS):
        base = out_scalp[np.abs(round_scalp - ray) < RAY_WIDTH]
        tips = out_hair[np.abs(round_hair - ray) < RAY_WIDTH]
        if not len(base):
            continue
        cos, sin = np.cos(ray), np.sin(ray)
        way = np.array([up[0] * cos - up[1] * sin, up[0] * sin + up[1] * cos]) / height
        x, y = np.rint(middle + way * (base.max() + CROPPED * height)).astype(int)
        if 0 <= y < len(inside) and 0 <= x < len(inside) and inside[y, x]:
            found.append((np.quantile(tips, 0.97) if len(tips) else 0.0) - base.max())
    return float(np.median(found)) / height if len(found) >= LEAST_RAYS else None


def _rays(pixels: NDArray[Any], middle: Doubles, up: Doubles) -> tuple[Doubles, Doubles]:
    """(N,) angles about a middle from its up direction, clockwise in the picture, and (N,) distances from it."""
    arm = pixels - middle
    around = np.arctan2(up[0] * arm[:, 1] - up[1] * arm[:, 0], arm @ up)
    return around, np.linalg.norm(arm, axis=1)


def own_pieces(region: Region, points: Doubles) -> Region:
    """The pieces of hair (S, S) that are this person's, whose landmarks are (478, 2): none of those smaller than a
    share of the largest, and none that stays away from the head, for that is a neighbour's."""
    label, sizes = _pieces(np.ascontiguousarray(region))
    if len(sizes) < 2:
        return region.copy()
    row, column = np.mgrid[: len(region), : len(region)]
    middle = points[TEMPLES].mean(0)
    reach = ABOUT_HEAD * np.linalg.norm(points[FOREHEAD] - points[CHIN])
    near = np.zeros(len(sizes), bool)
    near[np.unique(label[np.hypot(column - middle[0], row - middle[1]) < reach])] = True
    near[0] = False
    keep = near & (sizes >= SPECK * sizes[near].max(initial=0))
    return np.asarray(keep[label])


def widened(region: Region) -> Region:
    """A region and the pixels about it."""
    return np.asarray(blurred(region, 1.0) > 0)


def first_senses(
    angle: Floats, confidence: Floats, hair: Region, points: Doubles, bare: Floats | None = None
) -> Floats:
    """(S, S) 1 or −1: the likely way from root to tip along the angles (S, S), from the face's landmarks (478, 2).

    Hair grows away from the crown and, the farther from it the more, falls; and away from a forehead that is bare,
    if `rising` says where (S, S, 2). Where that is across the strands it says little, so each pixel then goes with its
    neighbours, round by round.
    """
    size = len(angle)
    guess = fall(size, points)
    if bare is not None:
        guess = guess * (1 - np.hypot(bare[..., 0], bare[..., 1]))[..., None] + bare
    lines = vectors(angle)
    along = _dot(lines, guess)
    weight = confidence * hair
    sign = _senses(along)
    trust = weight * np.abs(along)  # of the guess: none across the strands
    for reach in WIDE_VOTES, NEAR_VOTES:
        spread = reach * size / REFERENCE
        bias = PRIOR * along * blurred(weight, spread)
        for _ in range(VOTES):
            around = blurred(lines * (sign * trust)[..., None], spread)
            sign = _senses(_dot(lines, around) + bias)
            trust = weight
    return sign


def rising(angle: Floats, confidence: Floats, hair: Region, skin: Floats, scalp: Doubles, points: Doubles) -> Floats:
    """(S, S, 2) vectors of length 0–1 away from the hairline, where skin is bare up to it: there hair has its roots.
    Where hair meets skin far below the scalp, its points (N, 2), it is a fringe and has its tips there; and where its
    angles (S, S) go along the hairline, it is combed aside and this says nothing."""
    height = float(np.linalg.norm(points[FOREHEAD] - points[CHIN]))
    size = len(hair)
    spot = np.zeros((size, size), np.float32)
    column, row = np.rint(scalp).astype(int).T
    shown = (column >= 0) & (row >= 0) & (column < size) & (row < size)
    spot[row[shown], column[shown]] = 1
    close = highest(spot, max(1, round(AT_HAIRLINE * height)))
    soft, bare = blurred(hair, RIM * height), blurred(skin, RIM * height)
    down, across = np.gradient(soft - bare)
    steep = np.hypot(across, down) + np.float32(1e-6)
    normal = np.stack([across / steep, down / steep], -1)
    # at the rim itself the step from hair to skin is taken for grain: angles come from a little farther in
    deep = confidence * (soft > DEEP)
    doubled = np.stack([np.cos(2 * angle), np.sin(2 * angle)], -1) * deep[..., None]
    inner = blurred(doubled, INWARD * height)
    inner /= np.hypot(inner[..., 0], inner[..., 1])[..., None] + np.float32(1e-3)
    twice = np.stack([normal[..., 0] ** 2 - normal[..., 1] ** 2, 2 * normal[..., 0] * normal[..., 1]], -1)
    upright = np.clip(_dot(inner, twice), 0, 1)  # 1 across the hairline, 0 from 45° to it
    rim = 4 * soft * bare * close * upright
    push = normal * rim[..., None]
    wide, share = blurred(push, FROM_HAIRLINE * height), blurred(rim, FROM_HAIRLINE * height)
    firm = 1 - np.exp(-share / SURE_RIM)
    return np.asarray(wide / (share + np.float32(1e-4))[..., None] * firm[..., None], np.float32)


def fall(size: int, points: Doubles) -> Floats:
    """(S, S, 2) unit vectors: the way that loose hair takes from the crown of a face with landmarks (478, 2)."""
    forehead, chin = points[FOREHEAD], points[CHIN]
    up = forehead - chin
    height = max(float(np.linalg.norm(up)), 1.0)
    crown = forehead + CROWN * up
    row, column = np.mgrid[:size, :size].astype(np.float32)
    x, y = (column - np.float32(crown[0])) / height, (row - np.float32(crown[1])) / height
    far = np.hypot(x, y) + np.float32(1e-6)
    drop = FALLING * np.minimum(far, 1)
    x, y = x / far - drop * np.float32(up[0] / height), y / far - drop * np.float32(up[1] / height)
    long = np.hypot(x, y) + np.float32(1e-6)
    return np.stack([x / long, y / long], -1).astype(np.float32)


def _dot(one: Floats, other: Floats) -> Floats:
    return np.asarray(one[..., 0] * other[..., 0] + one[..., 1] * other[..., 1])


def _senses(along: Floats) -> Floats:
    return np.where(along < 0, np.float32(-1), np.float32(1))


@njit(cache=True, nogil=True)
def _pieces(region: Any) -> Any:
    """Labels (H, W), 0 outside, and the pixels of each."""
    high, wide = region.shape
    label = np.zeros((high, wide), np.int32)
    stack = np.empty(high * wide, np.int32)
    sizes = [high * wide]
    for start in range(high * wide):
        if not region[start // wide, start % wide] or label[start // wide, start % wide]:
            continue
        number = len(sizes)
        top, count = 1, 0
        stack[0] = start
        label[start // wide, start % wide] = number
        while top:
            top -= 1
            y, x = stack[top] // wide, stack[top] % wide
            count += 1
            for yy, xx in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if 0 <= yy < high and 0 <= xx < wide and region[yy, xx] and not label[yy, xx]:
                    label[yy, xx] = number
                    stack[top] = yy * wide + xx
                    top += 1
        sizes.append(count)
    return label, np.array(sizes)

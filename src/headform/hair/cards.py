"""Hair as alpha cards for programs in real time: ribbons along bundles of strands, with a picture of those strands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.hair.card_lines import KNOTS, Bundles, bundles_of, outwards, typical_length, unit_rows
from headform.hair.card_texture import STRIPS, CardPicture, Frames, paint_strips
from headform.hair.groom import Groom
from headform.render import Drawn, Material, Strands, Surface, Texture
from headform.render.haze import haze_of, light_through

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

MOST_TRIANGLES = 40_000
USUAL_CARDS, MOST_CARDS = 1600, 4500
SIDES = 4  # triangles of a segment: two to be seen from before, two from behind
SEGMENT = 0.026  # metres of hair that bend as one piece
LEAST_SEGMENTS, MOST_SEGMENTS = 2, 8
CROWDING = 1.4  # exponent: segments are shorter near the root, where hair bends round the skull
SHADING = 0.03  # metres: shorter hair hides less of the sky than the cells in which it is counted say
CROPPED = 0.015  # metres: of shorter hair single strands are seen, not locks
LAYERS = 16.0  # cards one over the other, for short hair; long hair lies on itself anyway
SCALP_AREA = 0.06  # m²
NARROW, WIDE = 0.0055, 0.009  # metres across a card of straight hair
WIDEST = 0.026  # of a card whose strands curl out of its line
SPREADS = 2.6  # root mean square distances of a bundle's strands that a card is wide
STRAY = 0.5  # of the width of others: a strand by itself is no lock
LIFT = 0.0012  # metres outwards, so that a ribbon's edges stay out of the skull
ROLL = np.radians(20.0)  # how far cards turn about their lines by chance: flat shingles would show their edges
STEEP = 0.3  # where hair stands off the skull, this much of a card's turn is chance
ROOT_WIDTH, TIP_WIDTH = 0.8, 0.5  # of the width in the middle
CURLED_TIP = 0.95  # the same of hair that curls: locks do not end in points
STRAIGHT, CURLED = 0.003, 0.007  # metres of spread: of locks that end in points, and of those that do not
OWN_NORMAL = 0.25  # share of the ribbon's own normal; the rest is the skull's, so that light lies softly on all
DARKEST = 0.32  # of the light is left in the deepest hair
SHADOW_WIDTH = 7.5  # metres that the strands of a whole head are wide to light, side by side
GAIN = 1.9  # of the linear colour: what the picture, whose strands are light and dark, takes away, and some gleam
TONES = 0.10  # how far cards differ in brightness
ROUGHNESS = 0.55
SPECULAR = 0.0  # ribbons have the skull's normals, and their highlights at its rim would be those of a wet ball


@dataclass(frozen=True, slots=True, eq=False)
class Cards:
    """Ribbons of hair on a head at rest, metres; V is 0 where there is no hair. The innermost come first, which is
    the order for programs that do not sort what is half clear.

    vertices   (V, 3); the two sides of a ribbon by turns, root first
    normals    (V, 3) unit, mostly those of the skull below
    tangents   (V, 4) unit, along the strand, which is +u; the fourth is the side (±1) of +v
    uv         (V, 2) root to tip, and across one of the picture's strips; origin bottom-left
    triangles  (T, 3) of both sides, each to be seen from one: where a program turns normals over to draw the back of a
               surface, hair that is seen edge-on would be lit from within
    colours    (V, 3) sRGB 0–1: the hair's colour, darker deep in it; multiplies the picture
    picture    strands to put on them
    """

    vertices: Floats
    normals: Floats
    tangents: Floats
    uv: Floats
    triangles: Ints
    colours: Floats
    picture: CardPicture

    def __len__(self) -> int:
        return len(self.vertices)

    def front(self) -> Ints:
        """(T / 2, 3) the triangles of one side, for programs that draw both."""
        return self.triangles.reshape(-1, SIDES // 2, 3)[::2].reshape(-1, 3)

    def surface(self) -> Surface:
        """What the renderer draws."""
        material = Material(
            (1.0, 1.0, 1.0),
            Texture.colour(self.picture.colour),
            relief=Texture.normals(self.picture.normal),
            two_sided=False,
            roughness=ROUGHNESS,
            specular=SPECULAR,
        )
        return Surface(
            self.vertices,
            self.triangles,
            material,
            self.uv,
            normals=self.normals,
            colours=self.colours,
            drawn=Drawn.CARDS,
        )


def cards_of(groom: Groom, seed: int = 0) -> Cards:
    """Cards that look like a groom, at most 40,000 triangles; none for a groom without hair or with stubble only."""
    length = typical_length(groom)
    segments = int(np.clip(np.ceil(length / SEGMENT) + 1, LEAST_SEGMENTS, MOST_SEGMENTS))
    bundles = bundles_of(groom, _count(length, segments), seed)
    rng = np.random.default_rng(seed)
    frames = _frames(bundles, rng)
    picture = paint_strips(groom, bundles, frames, seed)
    light = 1 - min(length / SHADING, 1) * (1 - _open_sky(groom, bundles, frames.places))
    order = np.argsort(_height(frames.places), kind="stable")
    strip = _strips(bundles, length, rng)
    return _ribbons(frames, bundles, light, strip, order, segments, rng, picture)


def _count(length: float, segments: int) -> int:
    """How many cards hair of this length needs; short ones cover less of the scalp."""
    cover = int(LAYERS * SCALP_AREA / (max(length, 0.002) * WIDE))
    return min(max(USUAL_CARDS, cover), MOST_CARDS, MOST_TRIANGLES // (SIDES * segments))


def _frames(bundles: Bundles, rng: np.random.Generator) -> Frames:
    """Where cards run, and which way they lie: across the skull's normal, but for some chance."""
    along = unit_rows(np.gradient(bundles.centres, axis=1)) if len(bundles.centres) else bundles.centres
    out = outwards(bundles.centres)
    chance = unit_rows(rng.normal(size=(len(out), 1, 3)))
    across = np.cross(along, out + STEEP * chance)
    across = unit_rows(across)
    for knot in range(1, KNOTS):  # a ribbon does not turn over where hair points straight out of the skull
        flipped = (across[:, knot] * across[:, knot - 1]).sum(1) < 0
        across[flipped, knot] *= -1
    across = np.asarray((across + np.roll(across, 1, 1) * _inner(1) + np.roll(across, -1, 1) * _inner(-1)), np.float32)
    across = unit_rows(across - (across * along).sum(2, keepdims=True) * along)
    up = np.cross(across, along)
    roll = np.clip(rng.normal(0, ROLL / 2, (len(out), 1, 1)), -ROLL, ROLL).astype(np.float32)
    across = np.asarray(np.cos(roll) * across + np.sin(roll) * up, np.float32)
    straight = rng.uniform(NARROW, WIDE, len(out))
    width = np.clip(np.maximum(straight, SPREADS * bundles.spread), 0, WIDEST)
    width[np.bincount(bundles.bundle, minlength=len(out)) == 1] *= STRAY
    return Frames(bundles.centres + LIFT * out, along, across, out, width.astype(np.float32))


def _inner(step: int) -> Floats:
    """(KNOTS, 1) one, but zero at the end where a neighbour would be that of the other end."""
    weight = np.ones((KNOTS, 1), np.float32)
    weight[0 if step > 0 else -1] = 0
    return weight


def _open_sky(groom: Groom, bundles: Bundles, places: Floats) -> Floats:
    """(M, KNOTS) 0–1: how much of the sky reaches each knot through the hair around it."""
    if not len(places):
        return np.ones(places.shape[:2], np.float32)
    sample = groom.points[bundles.strands][:, :: max(1, groom.points.shape[1] // KNOTS)]
    shadow = SHADOW_WIDTH / len(sample)
    haze = haze_of((Strands(sample, shadow=shadow),), np.zeros((0, 3)))
    if haze is None:
        return np.ones(places.shape[:2], np.float32)
    return light_through(haze, np.ascontiguousarray(places.reshape(-1, 3)))[:, -1].reshape(places.shape[:2])


def _height(places: Floats) -> Floats:
    """(M,) how far out each card is, on the whole."""
    middle = places[:, KNOTS // 2] if len(places) else places.reshape(0, 3)
    return np.asarray((middle * outwards(middle)).sum(1), np.float32)


def _strips(bundles: Bundles, length: float, rng: np.random.Generator) -> Ints:
    """(M,) which strip of the picture each card shows: dense ones where many strands are, wispy ones for strays, and
    for cropped hair, whose cards would be flakes."""
    count = len(bundles.centres)
    members = np.bincount(bundles.bundle, minlength=count)
    rank = np.argsort(np.argsort(-members, kind="stable"), kind="stable") / max(count, 1)
    wanted = np.clip(rank + rng.normal(0, 0.15, count), 0, 0.999)
    if length < CROPPED:
        wanted = 0.5 + wanted / 2
    return (wanted * STRIPS).astype(np.int32)


def _ribbons(
    frames: Frames,
    bundles: Bundles,
    light: Floats,
    strip: Ints,
    order: NDArray[Any],
    segments: int,
    rng: np.random.Generator,
    picture: CardPicture,
) -> Cards:
    """The mesh of the cards in this order."""
    rows = (np.linspace(0, 1, segments + 1) ** CROWDING * (KNOTS - 1)).round().astype(int)
    part = (rows / (KNOTS - 1)).astype(np.float32)
    count = len(order)

    def kept(values: Floats) -> Floats:
        return np.asarray(values[order][:, rows], np.float32)

    across, along, out = kept(frames.across), kept(frames.along), kept(frames.out)
    curled = np.clip((bundles.spread[order] - STRAIGHT) / (CURLED - STRAIGHT), 0, 1)
    half = (frames.width[order][:, None] * _profile(part, curled))[..., None] / 2
    places = kept(frames.places)
    sides = np.stack([places - half * across, places + half * across], 2)
    own = np.cross(along, across)
    own *= np.where((own * out).sum(2, keepdims=True) < 0, -1, 1)
    normals = unit_rows((1 - OWN_NORMAL) * out + OWN_NORMAL * own)
    tangents = unit_rows(along - (along * normals).sum(2, keepdims=True) * normals)
    mirrored = rng.random(count) < 0.5
    uv = _coordinates(part, strip[order], mirrored)
    tone = (1 + TONES * rng.uniform(-1, 1, (count, 1, 1))) * (DARKEST + (1 - DARKEST) * kept(light)[..., None])
    colours = np.clip(kept(bundles.colours) * (GAIN * tone) ** (1 / 2.2), 0, 1)  # the light is linear, colours are sRGB
    # +v lies to the first side of a mirrored card
    handed = np.where(mirrored, -1.0, 1.0)[:, None] * np.sign((np.cross(normals, tangents) * across).sum(2) + 1e-9)
    turned = np.concatenate([tangents, handed[..., None]], 2)

    def both(values: NDArray[Any]) -> Floats:
        return np.repeat(values.reshape(-1, values.shape[-1]), 2, 0).astype(np.float32)

    return Cards(
        sides.reshape(-1, 3).astype(np.float32),
        both(normals),
        both(turned),
        uv.reshape(-1, 2),
        _triangles(count, segments),
        both(colours),
        picture,
    )


def _profile(part: Floats, curled: Floats) -> Floats:
    """(M, N) of the full width, at shares (N,) of the length, for cards that are curled so much (M,), 0–1."""
    root = np.minimum(1, ROOT_WIDTH + 2 * part)
    tip = TIP_WIDTH + (CURLED_TIP - TIP_WIDTH) * curled[:, None]
    return np.asarray(root * (1 - (1 - tip) * part**3), np.float32)


def _coordinates(part: Floats, strip: Ints, mirrored: NDArray[np.bool_]) -> Floats:
    """(M, N, 2, 2) texture coordinates."""
    out = np.zeros((len(strip), len(part), 2, 2), np.float32)
    out[..., 0] = part[:, None]
    near = np.where(mirrored, 1.0, 0.0)
    out[..., 0, 1] = ((strip + near) / STRIPS)[:, None]
    out[..., 1, 1] = ((strip + 1 - near) / STRIPS)[:, None]
    return out


def _triangles(count: int, segments: int) -> Ints:
    """(SIDES · count · segments, 3)"""
    first = (np.arange(count)[:, None] * (segments + 1) + np.arange(segments)).astype(np.int32)[..., None] * 2
    faces = first[..., None, :] + np.array([[0, 2, 1], [1, 2, 3], [1, 2, 0], [3, 2, 1]], np.int32)
    return np.ascontiguousarray(faces.reshape(-1, 3).astype(np.int32))

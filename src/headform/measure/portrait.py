"""How like the photo an avatar is, from the photo's own camera and in the light that was found there.

The protocol, for the largest face of each photo, in the square head crop of 512² pixels:

- What counts: the photo's face and hair (face skin and hair together ≥ 0.5) and all that the avatar covers (alpha ≥
  0.5): its own face, hair, ears and neck, but also background, hands or shoulders that it covers where it should not.
  Both pictures are black outside.
- What does not: clothes, glasses, hats and such, which an avatar does not claim to have (their probabilities together
  ≥ 0.5), and what lies beyond the photo's border. Without hair, the photo's hair does not count either.
- Face that the avatar leaves bare is compared with black; avatar before background with that background.

'Whole crop' is the mean over the crop with its black surroundings, as tables of other methods have it: these dilute
the errors, the more the less of the crop counts. 'Inside' is over what counts alone. DFID compares descriptors of
these same pictures, both cut out by the photo's landmarks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headform.avatar.avatar import Avatar
from headform.avatar.backends import backend as backend_named
from headform.avatar.views import input_view
from headform.errors import BadInput
from headform.head import HeadModel
from headform.measure.similarity import Bytes, Region, identity_distance, lpips, psnr, ssim, st_lpips
from headform.photo import Photo, Sighting, see
from headform.photo.crop import Crop, head_crop
from headform.photo.picture import ENDINGS
from headform.render.colour import LINEAR, SRGB, STEPS

AvatarMaker = Callable[[Photo], Avatar]

SURE = 0.5  # probability in a mask, and alpha, from which a pixel belongs


@dataclass(frozen=True, eq=False)
class Pair:
    """What is compared: photo and avatar (H, W, 3), both black outside region (H, W); points (478, 2) of the face."""

    photo: Bytes
    avatar: Bytes
    region: Region
    points: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Likeness:
    """The numbers of one pair. psnr, in dB, and ssim are better the larger, st_lpips, lpips and dfid the smaller.

    lpips  None where it is not installed; `_inside`: over what counts alone; share: of the crop that counts
    """

    psnr: float
    ssim: float
    st_lpips: float
    lpips: float | None
    dfid: float
    psnr_inside: float
    ssim_inside: float
    share: float

    @classmethod
    def of(cls, pair: Pair) -> Likeness:
        photo, avatar, region = pair.photo, pair.avatar, pair.region
        return cls(
            psnr(photo, avatar),
            ssim(photo, avatar),
            st_lpips(photo, avatar),
            lpips(photo, avatar),
            identity_distance(photo, avatar, pair.points),
            psnr(photo, avatar, region),
            ssim(photo, avatar, region),
            float(region.mean()),
        )


@dataclass(frozen=True, eq=False)
class Row:
    """One picture by name: its likeness, None where `error` says why; seconds that the reconstruction took.

    shown  (h, w, 3) photo, avatar and difference, or None
    """

    name: str
    likeness: Likeness | None
    seconds: float | None = None
    shown: Bytes | None = None
    error: str = ""


def find_portraits(folder: Path) -> list[Path]:
    """The photos in a folder and the folders in it, by name. Raises BadInput where there are none."""
    if not folder.is_dir():
        raise BadInput(f"{folder} is no folder; give one with photos")
    inside = (path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)
    found = sorted(path for path in inside if not any(part.startswith(".") for part in path.relative_to(folder).parts))
    if not found:
        raise BadInput(f"{folder} holds no photo; looked for {', '.join(ENDINGS)}, also in the folders in it")
    return found


def compare_photo(photo: Photo, make: AvatarMaker, *, hair: bool = True) -> tuple[Pair, float]:
    """Photo and avatar, and the seconds that the avatar took. Raises BadInput for a photo that cannot be used."""
    (sighting,) = see(photo, 1)
    begin = time.perf_counter()
    avatar = make(photo)
    seconds = time.perf_counter() - begin
    crop = head_crop(sighting.face.box)
    return pair_of(photo, sighting, crop, input_view(avatar, crop), hair=hair), seconds


def pair_of(photo: Photo, sighting: Sighting, crop: Crop, drawn: Bytes, *, hair: bool = True) -> Pair:
    """What is compared of a photo and an avatar drawn into the same crop, (size, size, 4) with straight alpha."""
    region = counted(sighting, crop, drawn[..., 3], hair=hair)
    if not region.any():
        raise BadInput(f"nothing of the face in {photo.name} can be compared; it is hidden, or beyond the border")
    shown = region[..., None]
    cut = np.where(shown, crop.cut(photo.pixels), np.uint8(0))
    seen = np.where(shown, before_black(drawn), np.uint8(0))
    return Pair(cut, seen, region, crop.place(sighting.landmarks.points[:, :2]))


def counted(sighting: Sighting, crop: Crop, alpha: Bytes, *, hair: bool = True) -> Region:
    """(size, size) what counts, by the protocol above; alpha (size, size) is the avatar's."""
    masks = sighting.masks

    def sure(mask: NDArray[np.float32]) -> Region:
        return np.asarray(crop.cut_mask(mask) >= SURE)

    person, unclaimed = masks.face_skin, masks.clothes + masks.other
    if hair:
        person = person + masks.hair
    else:
        unclaimed = unclaimed + masks.hair
    seen = sure(np.ones_like(masks.hair))
    return np.asarray((sure(person) | (alpha >= SURE * 255)) & seen & ~sure(unclaimed))


def before_black(drawn: Bytes) -> Bytes:
    """(H, W, 3) a picture with straight alpha (H, W, 4) before black, mixed in linear light."""
    light = LINEAR[drawn[..., :3]] * (drawn[..., 3:] / np.float32(255))
    return np.asarray(SRGB[np.rint(light * STEPS).astype(np.int32)])


def avatar_maker(name: str = "headform", model: HeadModel | None = None) -> AvatarMaker:
    """The avatar of the largest face, by a backend of `headform.avatar`. Raises BadInput if there is none so called."""
    maker = backend_named(name, model)
    return lambda photo: maker.reconstruct(photo, 1)[0]

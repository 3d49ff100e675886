"""Another hairstyle on a person's head, or their own hair longer, shorter, curlier, or in another colour."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from headform.errors import BadInput
from headform.fit import Floats, HeadFit
from headform.hair import library
from headform.hair.collider import push_out
from headform.hair.colour import Recolour, parse_colour, recoloured
from headform.hair.dense import SKIN_GAP, groom_of
from headform.hair.groom import Groom, rigid
from headform.hair.groom import none as no_hair
from headform.hair.grow import Wearer, wearer_of
from headform.hair.kinds import BALD
from headform.hair.reshape import reshaped, restyled
from headform.hair.scalp import grid_places, polar, reach_of, scalp_of
from headform.hair.tint import average
from headform.head import HeadModel, load_default

if TYPE_CHECKING:
    from headform.avatar.avatar import Avatar

OWN, PHOTO, NONE = "own", "photo", "none"
LEAST, MOST = 0.25, 3.0  # times as long, or as curly
JUDGED = 2000  # strands that say what colour hair has
OFF_HEAD = 0.03  # metres that roots may be from where they shall grow, once they have moved with the head as a whole
# of the way from crown to hairline: so far from where it shall be, a root is on no scalp; and per cent of roots
ELSEWHERE, NEARLY_ALL = 0.2, 90

_wearers: WeakKeyDictionary[HeadFit, tuple[HeadModel, Wearer]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True, eq=False)
class Hairdo:
    """What hair a head shall have.

    what    'own' hair, that it has; the 'photo's; 'none'; the name of a style that ships or is the person's own; or
            strands
    colour  a name, #rrggbb, or three sRGB numbers 0–1 with commas; None for the colour of the hair it has, or where it
            has none, of the style
    length  times as long, 0.25 to 3
    curl    times as curly, 0.25 to 3

    Raises BadInput for a style or a colour that there is not, with the nearest names, and for other numbers.
    """

    what: str | Groom = OWN
    colour: str | None = None
    length: float = 1.0
    curl: float = 1.0

    def __post_init__(self) -> None:
        for name, times in (("length", self.length), ("curl", self.curl)):
            if not LEAST <= times <= MOST:
                raise BadInput(f"{times:g} times the {name} of hair cannot be; give {LEAST:g} to {MOST:g}")
        if self.colour is not None:
            parse_colour(self.colour)
        if isinstance(self.what, str):
            word = self.what.strip().lower()
            found = word if word in (OWN, PHOTO, NONE) else library.find(self.what).name
            object.__setattr__(self, "what", NONE if found == BALD else found)

    @property
    def from_photo(self) -> bool:
        """Whether the strands themselves are those that the head has."""
        return self.what in (OWN, PHOTO) if isinstance(self.what, str) else False

    @property
    def needs_photo(self) -> bool:
        """Whether the hair in the photo matters, be it for its colour alone."""
        return self.from_photo or (isinstance(self.what, str) and self.what != NONE and self.colour is None)


def wished(
    what: str | Groom | None, colour: str | None = None, length: float = 1.0, curl: float = 1.0, usual: str = PHOTO
) -> Hairdo | None:
    """The hair that is asked for, `usual` if only its looks are; None if nothing is. Raises BadInput as `Hairdo`."""
    if what is None and colour is None and length == curl == 1:
        return None
    return Hairdo(usual if what is None else what, colour, length, curl)


def tried_on(avatar: Avatar, hairdo: Hairdo, seed: int = 0) -> Avatar:
    """The same head with other hair. Raises BadInput where the avatar has not the hair that is asked for, or where
    strands do not fit its head."""
    groom = _strands(avatar, hairdo, seed)
    if not len(groom):
        return replace(avatar, hair=groom)
    colour = _colour(avatar, hairdo)
    if colour is not None:
        groom = recoloured(groom, colour, seed)
    times = {"length": hairdo.length, "curl": hairdo.curl}
    changed = {name: times[name] * float(groom.about.get(name, 1)) for name in times if times[name] != 1}
    return replace(avatar, hair=replace(groom, about={**groom.about, **changed}))


def wearer(avatar: Avatar) -> Wearer:
    """The avatar's neutral head, made ready for hair; made once for each person. Raises BadInput without a scalp."""
    model, made = _wearers.get(avatar.fit, (None, None))
    if made is None or model is not avatar.model:
        if not has_scalp(avatar.model):
            raise BadInput(f"{no_scalp(avatar.model)}; use another: headform model use {load_default().name}")
        made = wearer_of(avatar.model, avatar.neutral())
        _wearers[avatar.fit] = avatar.model, made
    return made


def has_scalp(model: HeadModel) -> bool:
    """Whether there is skin wherever hair grows; the mask of a face has little of it."""
    surface, places = scalp_of(model), grid_places()
    reach, _, _ = polar(surface.roots(places).points(surface.home))
    return float(np.percentile(np.abs(reach - reach_of(places)[0]), NEARLY_ALL)) < ELSEWHERE


def no_scalp(model: HeadModel) -> str:
    """What is told of a head that has none."""
    return f"the head {model.name!r} has no whole scalp for hair to grow on"


def _strands(avatar: Avatar, hairdo: Hairdo, seed: int) -> Groom:
    what, length, curl = hairdo.what, hairdo.length, hairdo.curl
    if not isinstance(what, str):
        return reshaped(_on_head(what, avatar), wearer(avatar), length, curl)
    if what == NONE:
        return no_hair()
    if what in (OWN, PHOTO):
        own = _own(avatar, what)
        return own if length == curl == 1 else reshaped(own, wearer(avatar), length, curl)
    if library.find(what).own:
        kept = library.groom(what, avatar.model, seed=seed)
        return reshaped(_on_head(kept, avatar), wearer(avatar), length, curl)
    made = groom_of(restyled(library.style(what), length, curl), wearer(avatar), seed)
    return replace(made, about={**made.about, "source": "library"})


def _own(avatar: Avatar, what: str) -> Groom:
    own = avatar.hair
    if own is None:
        raise BadInput(
            "nobody has looked for the hair of this avatar; name a hairstyle, or make it from its photo anew"
        )
    if what == PHOTO and own.about.get("source", PHOTO) != PHOTO:
        raise BadInput(
            f"this avatar wears {own.name!r}, and the hair of its photo is gone; take the avatar as it was before"
        )
    return own


def _colour(avatar: Avatar, hairdo: Hairdo) -> Recolour | None:
    """What colour to give; None where the strands keep theirs."""
    if hairdo.colour is not None:
        return parse_colour(hairdo.colour)
    own = avatar.hair
    if hairdo.from_photo or not isinstance(hairdo.what, str) or own is None or not len(own):
        return None
    return Recolour(average(own.thinned(JUDGED)), name=str(own.about.get("colour", "")))


def _on_head(groom: Groom, avatar: Avatar) -> Groom:
    """Strands of another head of this model, or from elsewhere, on this head."""
    if not len(groom):
        return groom
    model = avatar.model
    if groom.roots is None:
        if model.name != load_default().name:
            raise BadInput(
                f"strands that are bound to no head fit the default one, not {model.name!r}; add their roots"
            )
        groom = library.fitted(groom)
    assert groom.roots is not None
    rest: Floats = avatar.neutral()
    if groom.roots.corners.max() >= len(rest):
        raise BadInput(f"{groom.name!r} has its roots on another head than {model.name!r}; take off its roots")
    goal = groom.roots.points(rest)
    turned = _with_head(groom, goal)
    if float(np.median(np.linalg.norm(turned.points[:, 0] - goal, axis=1))) > OFF_HEAD:
        raise BadInput(f"{groom.name!r} has its roots on another head than {model.name!r}; take off its roots")
    placed = turned.points + (goal - turned.points[:, 0])[:, None]
    return replace(turned, points=push_out(wearer(avatar).collider.bare, placed, SKIN_GAP))


def _with_head(groom: Groom, goal: Floats) -> Groom:
    """Strands turned and moved as a whole until their roots are nearest to their goals (S, 3)."""
    turn, shift = rigid(groom.points[:, 0], goal)
    return replace(groom, points=np.asarray(groom.points @ turn.T + shift, np.float32))

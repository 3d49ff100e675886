"""An avatar back from its file: `avatar.zip`, that zip unpacked, a .glb or .vrm that Headform wrote, or params.json."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.avatar.avatar import FORMAT, Avatar, Provenance, check_expression, fingerprint
from headform.avatar.stored import read_stored
from headform.errors import BadInput
from headform.fit import HeadFit
from headform.hair.groom import Groom
from headform.head import JOINTS, HeadModel, current_model, load_default
from headform.head.default import NAME
from headform.render import Camera, Lamp, Light
from headform.skin.textures import Textures

Doubles = NDArray[np.float64]

ANEW = "make it anew from the photo"
LARGEST, SMALLEST, FARTHEST = 100.0, 0.01, 10.0  # factors of a head's size, and metres that offsets can move it
ABSURD = 1e9  # pixels, millimetres or standard deviations
STRAIGHT = 1e-3  # how far a rotation may be from one
MOST_LETTERS = 80  # of a file's words in a message
MOST_LAMPS, MOST_LANDMARKS = 64, 10_000


def load(path: str | Path, model: HeadModel | None = None) -> Avatar:
    """The avatar in a file or folder that Headform wrote, with `model` where its head is not the one in use.

    Its vertices agree with those that were written to a hundredth of a millimetre. Raises BadInput where the path
    holds no avatar, one of another format, or one of a head that is not here.
    """
    path = Path(path)
    stored = read_stored(path)
    avatar = restored(stored.parameters, stored.textures, model, str(path))
    return avatar if stored.hair is None else replace(avatar, hair=_fitting(stored.hair, avatar.model, str(path)))


def _fitting(hair: Groom, model: HeadModel, called: str) -> Groom:
    """The hair, if its roots are on triangles that the head has."""
    roots = hair.roots
    if roots is not None and len(roots) and not 0 <= roots.corners.min() <= roots.corners.max() < model.vertex_count:
        raise BadInput(f"the hair of {called} has its roots on another head than {model.name!r}; {ANEW}")
    return hair


def restored(
    values: dict[str, Any], textures: Textures | None = None, model: HeadModel | None = None, called: str = "it"
) -> Avatar:
    """The avatar that `Avatar.parameters` described; `called` names it in messages."""
    check_format(values, called)
    try:
        head = _head_of(values, model, called)
        return _avatar(values, textures, head)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise BadInput(f"{called} holds damaged parameters ({type(error).__name__}: {reason}); {ANEW}") from error


def check_format(values: dict[str, Any], called: str) -> None:
    """Raises BadInput unless the parameters are of the format that this Headform writes."""
    found, maker = values.get("format"), _on_a_line(values.get("headform"))
    if type(found) is int and found == FORMAT:
        return
    if type(found) is int and found > FORMAT:
        raise BadInput(
            f"{called} is of format {found}, written by Headform {maker}; this one reads {FORMAT}: update Headform"
        )
    raise BadInput(f"{called} was written by an earlier Headform ({maker}) in a form no longer read; {ANEW}")


def _head_of(values: dict[str, Any], model: HeadModel | None, called: str) -> HeadModel:
    name = _on_a_line(values["head"]["name"])
    head = model if model is not None else load_default() if name == NAME else current_model()
    if head.name != name:
        raise BadInput(f"{called} is of the head {name!r}, which is not in use; first: headform model use {name}")
    made = values["provenance"]["models"].get(f"head {name}", "")
    if made.startswith("sha256 ") and made != f"sha256 {fingerprint(head)}":
        maker = _on_a_line(values["provenance"]["version"])
        raise BadInput(f"{called} was made by Headform {maker} with another version of the head {name!r}; {ANEW}")
    return head


def _avatar(values: dict[str, Any], textures: Textures | None, head: HeadModel) -> Avatar:
    made = Provenance(**values["provenance"])
    words = (made.photo, made.backend, made.version, *made.models, *made.models.values())
    if not all(isinstance(word, str) for word in words) or type(made.face) is not int or type(made.seed) is not int:
        raise ValueError("its provenance is not in words and whole numbers")
    expression = {str(name): float(amount) for name, amount in values["expression"].items()}
    check_expression(expression, head)
    box = values["box"]
    return Avatar(
        head,
        _fit(values, head),
        made,
        _finite(values["landmarks"], "landmarks")[:MOST_LANDMARKS].reshape(-1, 2).astype(np.float32),
        tuple(str(sentence) for sentence in values["warnings"]),
        None if box is None else _finite(box, "box").reshape(4),
        textures,
        expression,
    )


def _fit(values: dict[str, Any], head: HeadModel) -> HeadFit:
    camera, light, moved = values["camera"], values["light"], values["offsets_mm"]
    offsets = np.zeros_like(head.template)
    if moved:
        offsets = (_finite(moved, "offsets") / 1000).astype(np.float32).reshape(head.template.shape)
        if np.abs(offsets).max() > FARTHEST:
            raise ValueError(f"its offsets reach {np.abs(offsets).max():.3g} metres")
    beta = _finite(values["beta"], "beta")
    if beta.ndim != 1:
        raise ValueError("its beta is no row of numbers")
    scale = float(_finite(values["scale"], "scale"))
    if not SMALLEST <= scale <= LARGEST:
        raise ValueError(f"its scale is {scale:g}")
    lamps = tuple(Lamp(lamp["direction"], lamp["intensity"]) for lamp in light["lamps"][:MOST_LAMPS])
    return HeadFit(
        head.beta(beta),
        head.psi(values["psi"]),
        head.theta([values["theta"][joint] for joint in JOINTS]),
        _camera(camera),
        Light(np.asarray(light["coefficients"], np.float64), lamps),
        offsets,
        float(_finite(values["landmark_error"], "landmark_error")),
        scale,
    )


def _camera(values: dict[str, Any]) -> Camera:
    """Raises ValueError where the picture has half pixels or the rotation is none."""
    made = Camera(**values)
    if type(made.width) is not int or type(made.height) is not int or type(made.orthographic) is not bool:
        raise ValueError("its camera's width and height are no whole numbers")
    if np.abs(made.rotation @ made.rotation.T - np.eye(3)).max() > STRAIGHT:
        raise ValueError("its camera's rotation is none")
    return made


def _finite(values: Any, name: str) -> Doubles:
    """An array of numbers; ValueError where one of them is NaN or beyond all measure."""
    numbers = np.asarray(values, np.float64)
    if not (np.abs(numbers) <= ABSURD).all():
        raise ValueError(f"its {name} hold NaN, infinity or what no head has")
    return numbers


def _on_a_line(word: object) -> str:
    """What a file says, safe to be printed: it may hold line ends, or commands to the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(word))[:MOST_LETTERS]

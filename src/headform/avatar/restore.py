"""An avatar back from its file: `avatar.zip`, that zip unpacked, a .glb or .vrm that Headform wrote, or params.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from headform.avatar.avatar import FORMAT, Avatar, Provenance, check_expression, fingerprint
from headform.avatar.stored import read_stored
from headform.errors import BadInput
from headform.fit import HeadFit
from headform.head import JOINTS, HeadModel, current_model, load_default
from headform.head.default import NAME
from headform.render import Camera, Lamp, Light
from headform.skin.textures import Textures

ANEW = "make it anew from the photo"


def load(path: str | Path, model: HeadModel | None = None) -> Avatar:
    """The avatar in a file or folder that Headform wrote, with `model` where its head is not the one in use.

    Its vertices agree with those that were written to a hundredth of a millimetre. Raises BadInput where the path
    holds no avatar, one of another format, or one of a head that is not here.
    """
    path = Path(path)
    stored = read_stored(path)
    return restored(stored.parameters, stored.textures, model, str(path))


def restored(
    values: dict[str, Any], textures: Textures | None = None, model: HeadModel | None = None, called: str = "it"
) -> Avatar:
    """The avatar that `Avatar.parameters` described; `called` names it in messages."""
    check_format(values, called)
    try:
        head = _head_of(values, model, called)
        return _avatar(values, textures, head)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise BadInput(f"{called} holds damaged parameters ({type(error).__name__}: {error}); {ANEW}") from error


def check_format(values: dict[str, Any], called: str) -> None:
    """Raises BadInput unless the parameters are of the format that this Headform writes."""
    found, maker = values.get("format"), values.get("headform")
    if found == FORMAT and isinstance(found, int):
        return
    if isinstance(found, int) and found > FORMAT:
        raise BadInput(
            f"{called} is of format {found}, written by Headform {maker}; this one reads {FORMAT}: update Headform"
        )
    raise BadInput(f"{called} was written by an earlier Headform ({maker}) in a form no longer read; {ANEW}")


def _head_of(values: dict[str, Any], model: HeadModel | None, called: str) -> HeadModel:
    name = values["head"]["name"]
    head = model if model is not None else load_default() if name == NAME else current_model()
    if head.name != name:
        raise BadInput(f"{called} is of the head {name!r}, which is not in use; first: headform model use {name}")
    made = values["provenance"]["models"].get(f"head {name}", "")
    if made.startswith("sha256 ") and made != f"sha256 {fingerprint(head)}":
        maker = values["provenance"]["version"]
        raise BadInput(f"{called} was made by Headform {maker} with another version of the head {name!r}; {ANEW}")
    return head


def _avatar(values: dict[str, Any], textures: Textures | None, head: HeadModel) -> Avatar:
    made = values["provenance"]
    expression = {str(name): float(amount) for name, amount in values["expression"].items()}
    check_expression(expression, head)
    box = values["box"]
    return Avatar(
        head,
        _fit(values, head),
        Provenance(**made),
        np.asarray(values["landmarks"], np.float32).reshape(-1, 2),
        tuple(str(sentence) for sentence in values["warnings"]),
        None if box is None else np.asarray(box, np.float64).reshape(4),
        textures,
        expression,
    )


def _fit(values: dict[str, Any], head: HeadModel) -> HeadFit:
    camera, light, moved = values["camera"], values["light"], values["offsets_mm"]
    offsets = np.zeros_like(head.template)
    if moved:
        offsets = (np.asarray(moved, np.float64) / 1000).astype(np.float32).reshape(head.template.shape)
    lamps = tuple(Lamp(lamp["direction"], lamp["intensity"]) for lamp in light["lamps"])
    return HeadFit(
        head.beta(values["beta"]),
        head.psi(values["psi"]),
        head.theta([values["theta"][joint] for joint in JOINTS]),
        Camera(**camera),
        Light(np.asarray(light["coefficients"], np.float64), lamps),
        offsets,
        float(values["landmark_error"]),
        float(values["scale"]),
    )

"""One person's head from one photo: what it looks like, what it can show, and how it leaves as a file."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform import __version__
from headform.avatar import formats
from headform.errors import BadInput
from headform.files import write_whole
from headform.fit import Floats, HeadFit
from headform.hair.groom import Groom
from headform.head import JOINTS, HeadModel
from headform.render import Light
from headform.skin.textures import Textures

Bytes = NDArray[np.uint8]
Doubles = NDArray[np.float64]

FORMAT = 1  # of `parameters`: another number where an earlier Headform could not read them
NUMBERS = re.compile(r"\[[^\[\]{}\"]*\]")  # a row of plain numbers
CONVENTIONS = {
    "lengths": "metres, where no other unit is in the name",
    "axes": "right-handed, +Y up, the face looks along +Z, origin at the head joint; left and right are the person's",
    "beta": "identity, standard deviations of the head's modes, N(0, 1)",
    "psi": "expression units by their ARKit names, 0 rest to 1 full",
    "theta": "axis-angle of each joint, radians; global turns the whole head",
    "camera": "OpenCV: x = matrix (rotation X + translation), pixel centres at integers, origin top-left; "
    "where orthographic, the matrix holds pixels per metre and x is not divided by depth",
    "light": "spherical harmonics in world axes, order 1, y, z, x, xy, yz, 3z² − 1, xz, x² − y²; linear RGB",
    "box": "left, top, right, bottom of the face, pixels",
    "landmark_error": "root mean square, share of the face's size",
    "landmarks": "pixels of the photo",
    "hair": "sRGB, mean of the strands; null where nobody has looked for hair, 0 strands where there is none",
    "expression": "what the head shows when it is drawn or written; psi is the photo's",
    "scale": "factor of the whole head: a photo shows shape, the prior knows size",
    "offsets_mm": "what each control vertex of the neutral head moves beyond beta; empty where none does",
}


@dataclass(frozen=True)
class Provenance:
    """Where an avatar comes from: `photo` by name, `face` by size (1 is the largest), and what made it.

    models  the head and the networks that were used: name -> version and sha256
    seed    of everything random in it
    """

    photo: str
    face: int
    backend: str
    models: dict[str, str] = field(default_factory=dict)
    version: str = __version__
    seed: int = 0

    def in_words(self) -> str:
        """One line."""
        photo = "".join(letter if letter.isprintable() else "_" for letter in self.photo)
        return f"Headform {self.version}, backend {self.backend}, seed {self.seed}; photo {photo}, face {self.face}"


@dataclass(frozen=True, eq=False)
class Avatar:
    """A head model with what was found for one person; `warnings` say what is less sure.

    landmarks   (n, 2) pixels of the photo that the head was laid on
    box         (4,) left, top, right, bottom of the face that was found, pixels
    textures    what it wears; none on a head with another atlas than the default's
    expression  what it shows, unit by unit; nothing at rest. What the photo shows is in `fit`
    hair        strands on the neutral head, metres; None where nobody has looked for any. Expressions leave it still
    """

    model: HeadModel
    fit: HeadFit
    provenance: Provenance
    landmarks: Floats
    warnings: tuple[str, ...] = ()
    box: Doubles | None = None
    textures: Textures | None = None
    expression: Mapping[str, float] = field(default_factory=dict)
    hair: Groom | None = None

    def neutral(self) -> Floats:
        """(V, 3) metres: the head at rest."""
        return self.fit.neutral(self.model)

    def posed(self) -> Floats:
        """(V, 3) metres: the head as in the photo."""
        return self.fit.posed(self.model)

    def vertices(self) -> Floats:
        """(V, 3) metres: the head looking ahead, with the expression it shows."""
        if not self.expression:
            return self.neutral()
        return self.fit.personal(self.model).posed(self.fit.beta, dict(self.expression))

    def with_expression(self, units: Mapping[str, float] | None = None) -> Avatar:
        """The same head showing `{"jawOpen": 0.5, …}`, at rest without units.

        Raises BadInput for a unit that the head has not, or an amount outside 0 … 1.
        """
        shown = {name: float(amount) for name, amount in (units or {}).items()}
        check_expression(shown, self.model)
        return replace(self, expression=shown)

    def with_hair(
        self,
        what: str | Groom = "own",
        colour: str | None = None,
        length: float = 1.0,
        curl: float = 1.0,
        seed: int = 0,
    ) -> Avatar:
        """The same head with other hair: `avatar.with_hair("chin_bob", colour="auburn")`.

        what    a style by its name (`headform hair list`), or strands; 'own' hair, that the head has; the 'photo's,
                which is the same unless another has been tried on; 'none'
        colour  a name, #rrggbb, or three sRGB numbers 0–1 with commas. Without it strands that are given keep theirs,
                and a style takes the colour of the hair that the head has, or its own where there is none
        length  times as long, 0.25–3. A style is grown anew, and cut so many times as far down; other hair is cut at
                the same share of every strand, or grows on from its tips, downwards, in the waves it has
        curl    times as wide, 0.25–3, are its waves, coils and frizz. Straight hair stays straight
        seed    of the style's strands; strands that are there keep their places

        Raises BadInput for a style or a colour that there is not, with the nearest names, and where strands do not fit
        this head.
        """
        from headform.avatar.try_on import Hairdo, tried_on

        return tried_on(self, Hairdo(what, colour, length, curl), seed)

    def render(
        self,
        yaw: float = 0.0,
        pitch: float = 0.0,
        size: int = 512,
        expression: Mapping[str, float] | None = None,
        light: Light | None = None,
        background: ArrayLike | None = None,
    ) -> Bytes:
        """(size, size, 4) a portrait in sRGB with straight alpha, in `light` or a studio's.

        Convention: degrees. yaw > 0 takes the camera to the person's left, pitch > 0 up. `expression` is shown
        instead of the avatar's own; `background` is sRGB, three numbers 0–1, transparent without.
        """
        from headform.avatar.framing import portrait

        showing = self if expression is None else self.with_expression(expression)
        return portrait(showing, yaw, pitch, size, light=light, background=background)

    def save(self, path: str | Path, texture: int | None = None) -> None:
        """Write `path` by its ending, .glb, .vrm, .usdz, .obj, .zip …: `headform.avatar.formats` has them all.

        `texture` is the side of the skin's pictures in pixels; without it they stay as they are. Materials and
        pictures that an .obj names are written beside it. Whole or not at all. Raises BadInput for another ending,
        MissingExtra where a package is needed, OSError where nothing can be written.
        """
        path = Path(path)
        files = self.files(path.suffix, texture, path.stem)
        main, *beside = files
        with ExitStack() as written:
            for name in (*beside, main):
                target = path if name == main else path.with_name(name)
                written.enter_context(write_whole(target)).write(files[name])

    def content(self, ending: str, texture: int | None = None) -> bytes:
        """The bytes of a file with that ending, without what stands beside it."""
        return next(iter(self.files(ending, texture).values()))

    def files(self, ending: str, texture: int | None = None, stem: str | None = None) -> dict[str, bytes]:
        """The files of a format by name, the main one, `stem` and the ending, first."""
        (chosen,) = formats.check([ending])
        return chosen.make(self, texture, stem)

    def parameters(self) -> dict[str, Any]:
        """Everything that was found, as plain numbers with names; `conventions` says what each is measured in."""
        fit, model, camera = self.fit, self.model, self.fit.camera
        return {
            "format": FORMAT,
            "headform": self.provenance.version,
            "provenance": asdict(self.provenance),
            "head": {"name": model.name, "source": model.source, "licence": model.licence},
            "conventions": CONVENTIONS,
            "beta": _rounded(fit.beta),
            "psi": dict(zip(model.expression_names, _rounded(fit.psi), strict=True)),
            "theta": dict(zip(JOINTS, _rounded(fit.theta), strict=True)),
            "camera": {
                "matrix": _rounded(camera.matrix),
                "rotation": _rounded(camera.rotation, 9),
                "translation": _rounded(camera.translation),
                "width": int(camera.width),
                "height": int(camera.height),
                "orthographic": bool(camera.orthographic),
            },
            "light": {
                "coefficients": _rounded(fit.light.coefficients),
                "lamps": [
                    {"direction": _rounded(lamp.direction), "intensity": _rounded(lamp.intensity)}
                    for lamp in fit.light.lamps
                ],
            },
            "scale": round(float(fit.scale), 6),
            "offsets_mm": _rounded(np.asarray(fit.offsets, np.float64) * 1000, 3) if fit.offsets.any() else [],
            "landmark_error": round(float(fit.error), 6),
            "expression": dict(self.expression),
            "hair": _hair_in_words(self.hair),
            "landmarks": _rounded(self.landmarks, 2),
            "box": None if self.box is None else _rounded(self.box, 2),
            "warnings": list(self.warnings),
        }


def check_expression(units: Mapping[str, float], model: HeadModel) -> None:
    """Raises BadInput for a unit that the head has not, with the nearest names, or an amount outside 0 … 1."""
    for name, amount in units.items():
        model.expression_index(name)
        if not 0 <= amount <= 1:
            raise BadInput(f"{name} cannot be {amount:g}; give 0 (rest) to 1 (full)")


def json_bytes(values: dict[str, Any]) -> bytes:
    """A JSON file that a person can read: a row of numbers stays on one line."""
    lines = json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False)
    rows = NUMBERS.sub(lambda row: " ".join(row[0].split()), lines)
    return (rows + "\n").encode("utf-8", "backslashreplace")  # file names need not be UTF-8


def fingerprint(model: HeadModel) -> str:
    """sha256 of what makes the head that head, whichever file it came from."""
    digest = hashlib.sha256()
    for array in (model.template, model.identity, model.expression, model.drive, model.weights, model.quads):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _hair_in_words(hair: Groom | None) -> dict[str, Any] | None:
    """What it is; the strands themselves are too many to be written here."""
    if hair is None:
        return None
    colour = hair.point_colours().mean((0, 1)) if len(hair) else np.zeros(3)
    about = {key: value for key, value in hair.about.items() if _plain(value)}
    return {"name": hair.name, "strands": len(hair), "colour": _rounded(colour, 3), "about": about}


def _plain(value: object) -> bool:
    """Whether JSON can hold it."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def _rounded(values: ArrayLike, digits: int = 6) -> list[Any]:
    """Nested lists with six decimals: micrometres, and no noise of the last bits; + 0.0 drops the sign of zero."""
    listed: list[Any] = (np.round(np.asarray(values, np.float64), digits) + 0.0).tolist()
    return listed

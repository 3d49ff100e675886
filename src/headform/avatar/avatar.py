"""One person's head from one photo, and how it leaves as a file."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform import __version__
from headform.errors import BadInput
from headform.files import write_whole
from headform.fit import Floats, HeadFit
from headform.head import JOINTS, HeadModel
from headform.skin.textures import Textures

Doubles = NDArray[np.float64]

FORMATS = (".glb", ".obj", ".json")
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

    landmarks (n, 2) are the pixels of the photo that the head was laid on; box (4,) left, top, right, bottom of the
    face that was found, in pixels; textures are what it wears, none on a head with another atlas than the default's.
    """

    model: HeadModel
    fit: HeadFit
    provenance: Provenance
    landmarks: Floats
    warnings: tuple[str, ...] = ()
    box: Doubles | None = None
    textures: Textures | None = None

    def neutral(self) -> Floats:
        """(V, 3) metres: the head at rest."""
        return self.fit.neutral(self.model)

    def posed(self) -> Floats:
        """(V, 3) metres: the head as in the photo."""
        return self.fit.posed(self.model)

    def save(self, path: str | Path) -> None:
        """Write `path` by its ending: .glb (rigged, 52 units), .obj (the neutral head) or .json (the parameters).

        Whole or not at all. Raises BadInput for another ending, OSError where it cannot be written.
        """
        path = Path(path)
        content = self.content(path.suffix.lower())
        with write_whole(path) as stream:
            stream.write(content)

    def content(self, ending: str) -> bytes:
        """The bytes of a file with that ending."""
        if ending == ".glb":
            from headform.avatar.glb import glb

            return glb(self)
        if ending == ".obj":
            from headform.avatar.obj import obj

            return obj(self.model, self.neutral(), self.provenance.in_words())
        if ending == ".json":
            return json_bytes(self.parameters())
        raise BadInput(f"{ending or 'a name without ending'} is no format an avatar has; use {', '.join(FORMATS)}")

    def parameters(self) -> dict[str, Any]:
        """Everything that was found, as plain numbers with names; `conventions` says what each is measured in."""
        fit, model, camera = self.fit, self.model, self.fit.camera
        return {
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
            "box": None if self.box is None else _rounded(self.box, 2),
            "warnings": list(self.warnings),
        }


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


def _rounded(values: ArrayLike, digits: int = 6) -> list[Any]:
    """Nested lists with six decimals: micrometres, and no noise of the last bits; + 0.0 drops the sign of zero."""
    listed: list[Any] = (np.round(np.asarray(values, np.float64), digits) + 0.0).tolist()
    return listed

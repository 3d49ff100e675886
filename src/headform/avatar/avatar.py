"""One person's head from one photo, and how it leaves as a file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headform import __version__
from headform.errors import BadInput
from headform.files import write_whole
from headform.fit import Floats, HeadFit
from headform.head import JOINTS, HeadModel

FORMATS = (".glb", ".obj", ".json")


@dataclass(frozen=True)
class Provenance:
    """Where an avatar comes from: `photo` by name, `face` by size (1 is the largest), and what made it."""

    photo: str
    face: int
    backend: str
    models: dict[str, str] = field(default_factory=dict)
    version: str = __version__
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Avatar:
    """A head model with what was found for one person; `warnings` say what is less sure.

    landmarks (n, 2) are the pixels of the photo that the head was laid on.
    """

    model: HeadModel
    fit: HeadFit
    provenance: Provenance
    landmarks: Floats
    warnings: tuple[str, ...] = ()

    def neutral(self) -> Floats:
        """(V, 3) metres: the head at rest."""
        return self.fit.neutral(self.model)

    def posed(self) -> Floats:
        """(V, 3) metres: the head as in the photo."""
        return self.fit.posed(self.model)

    def save(self, path: str | Path) -> None:
        """Write `path` by its ending: .glb (rigged, 52 units), .obj (the neutral head) or .json (the parameters)."""
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

            return obj(self.model, self.neutral())
        if ending == ".json":
            return (json.dumps(self.parameters(), indent=1, ensure_ascii=False) + "\n").encode()
        raise BadInput(f"{ending or 'a name without ending'} is no format an avatar has; use {', '.join(FORMATS)}")

    def parameters(self) -> dict[str, Any]:
        """Everything that was found, as plain numbers with names."""
        fit, model, camera = self.fit, self.model, self.fit.camera
        return {
            "headform": self.provenance.version,
            "backend": self.provenance.backend,
            "model": model.name,
            "models": self.provenance.models,
            "seed": self.provenance.seed,
            "photo": self.provenance.photo,
            "face": self.provenance.face,
            "units": "metres, radians; +Y up, the face looks along +Z; camera: x = K (R X + t), OpenCV axes",
            "beta": _rounded(fit.beta),
            "psi": dict(zip(model.expression_names, _rounded(fit.psi), strict=True)),
            "theta": dict(zip(JOINTS, _rounded(fit.theta), strict=True)),
            "camera": {
                "matrix": _rounded(camera.matrix),
                "rotation": _rounded(camera.rotation),
                "translation": _rounded(camera.translation),
                "width": camera.width,
                "height": camera.height,
            },
            "light": _rounded(fit.light.coefficients),
            "free_form_mm": round(float((fit.offsets**2).sum(-1).max() ** 0.5) * 1e3, 3),
            "landmark_error": round(fit.error, 5),
            "warnings": list(self.warnings),
        }


def _rounded(values: Any) -> Any:
    """Nested lists with six decimals: micrometres, and no noise of the last bits."""
    import numpy as np

    return np.round(np.asarray(values, np.float64), 6).tolist()

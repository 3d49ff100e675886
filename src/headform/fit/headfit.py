"""What the fit finds: whose head, how turned, with which expression, from where seen, in what light."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headform.head import HeadModel
from headform.render import Camera, Light

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HeadFit:
    """One head as one photo shows it.

    Convention: the camera stands in front, its axes turned by half a turn about x from the world's, and holds
    the distance in its translation; the turn of the head is θ's `global` joint; the neck is straight.

    beta     (K,) identity, standard deviations
    psi      (E,) expression units, 0 … 1
    theta    (5, 3) axis-angle in radians, in the order of JOINTS
    camera   of the whole photo, in its pixels
    light    on the head in the photo, in world axes
    offsets  (C, 3) metres: what the neutral head needs beyond β, zero where nothing was seen
    scale    how much larger the head is than β says: a photo shows shape, the prior alone knows size
    error    root mean square distance of the landmarks to the head's points, share of the face's size
    """

    beta: Floats
    psi: Floats
    theta: Floats
    camera: Camera
    light: Light
    offsets: Floats
    error: float
    scale: float = 1.0

    def personal(self, model: HeadModel) -> HeadModel:
        """The model in this person's size, with the offsets in its template: pose it with `beta`, any ψ and any θ."""
        size = np.float32(self.scale)
        if size == 1 and not self.offsets.any():
            return model
        return replace(
            model,
            template=(model.template + self.offsets) * size,
            identity=model.identity * size,
            expression=model.expression * size,
            joints=model.joints * size,
            joint_identity=model.joint_identity * size,
            correctives=None if model.correctives is None else model.correctives * size,
        )

    def neutral(self, model: HeadModel) -> Floats:
        """(V, 3) the person's head at rest, looking ahead."""
        return self.personal(model).rest(self.beta)

    def posed(self, model: HeadModel) -> Floats:
        """(V, 3) the head as in the photo: project it with `camera`."""
        return self.personal(model).posed(self.beta, self.psi, self.theta)

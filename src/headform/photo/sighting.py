"""One face in one photo, with everything that is seen of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headform.photo.blazeface import FaceBox
from headform.photo.landmarks import FaceLandmarks
from headform.photo.masks import Masks

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Sighting:
    """What is seen of one face.

    face        box, keypoints and score
    landmarks   478 points, expression scores
    masks       hair, skin, clothes: soft, over the whole photo, edges refined
    embedding   (128,) who it is: `identity.distance` compares two
    sharpness   0 … 1: how much of the finest detail that the face's pixels could carry is there
    yaw, pitch, roll  radians. yaw > 0: the face looks to the person's left; pitch > 0: up; roll > 0: the head leans
                to the person's left shoulder
    warnings    sentences: what will suffer and why
    """

    face: FaceBox
    landmarks: FaceLandmarks
    masks: Masks
    embedding: Floats
    sharpness: float
    yaw: float
    pitch: float
    roll: float
    warnings: tuple[str, ...] = ()

"""One face of one photo becomes a head."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from headform.fit.errors import shipped_errors, upright, yaw_pitch
from headform.fit.headfit import Floats, HeadFit
from headform.fit.light import estimate_light
from headform.fit.outline import bend_to_outline
from headform.fit.resemblance import Resemblance, shipped_resemblance
from headform.fit.solve import FLIP, Evidence, State, Target, face_size, first_guess, solve, target_of
from headform.fit.units import UnitPrior
from headform.head import HeadModel
from headform.photo.landmarks import outline
from headform.photo.picture import Photo
from headform.photo.sighting import Sighting
from headform.render import Camera
from headform.render.camera import Doubles

USUAL_DISTANCE = 1.0  # metres between camera and face where the photo does not say
PLAUSIBLE = (0.2, 8.0)  # metres: an EXIF focal length that puts the face elsewhere belongs to a cropped photo
HALF_TURN = -0.99  # cosine
SIZE_DOUBT = 4.0  # factor of the descriptor's covariance when it tells the size
CLOSE, CLOSE_DEEP = (
    0.012,
    0.04,
)  # of the face's size: how near expression and pose bring the points to where they were seen
FIRM = 6.0  # how much closer than others expression brings the points along lids and lips to where they are seen
# units of faces at rest: medians over 50 photos of people who mostly look calm, blinks rounded down
RESTING = dict.fromkeys(("eyeSquintLeft", "eyeSquintRight"), 0.2) | dict.fromkeys(
    ("browDownLeft", "browDownRight"), 0.15
)
RESTING |= dict.fromkeys(("eyeBlinkLeft", "eyeBlinkRight"), 0.06)
UPPER_LIP, LOWER_LIP, LIP_CORNERS, MEETING = 13, 14, (78, 308), 0.03  # landmarks; share of the mouth's width
TEMPER, DOUBT = 6.0, 1.0  # factors of the errors' covariance: points lie, descriptors much less


def fit_photo(photo: Photo, sighting: Sighting, model: HeadModel) -> HeadFit:
    """The most probable head, expression, pose, camera and light behind what is seen of one face."""
    start, units = placed_mean(photo, sighting, model)
    points, resemblance = sighting.landmarks.points, shipped_resemblance()
    evidence = Evidence(
        points,
        np.ones(len(points)),
        shipped_errors("landmarks"),
        TEMPER,
        sighting.embedding,
        resemblance,
        DOUBT,
    )
    state = solve(target_of(model), evidence, units, start)
    plain = replace(
        evidence, weight=_expressive(len(points)), errors=evidence.errors.independent(CLOSE, CLOSE_DEEP), temper=1.0
    )
    state = solve(target_of(model), plain, units, state, identity=False)
    state = replace(state, psi=sealed(model, state.psi, points))
    size = likely_size(target_of(model), resemblance, sighting.embedding, state.turn)
    return bend_to_outline(sighting, described(photo, sighting, model, state, size), model)


def sealed(model: HeadModel, psi: Doubles, points: Doubles) -> Doubles:
    """ψ (E,) with lips that meet where they are seen to meet: points alone leave a line of teeth between them."""
    gap = np.linalg.norm(points[UPPER_LIP, :2] - points[LOWER_LIP, :2])
    wide = np.linalg.norm(points[LIP_CORNERS[0], :2] - points[LIP_CORNERS[1], :2])
    names = list(model.expression_names)
    if gap > MEETING * wide or not {"jawOpen", "mouthClose"} <= set(names):
        return psi
    out = psi.copy()
    out[names.index("mouthClose")] = max(out[names.index("mouthClose")], out[names.index("jawOpen")])
    return out


@lru_cache(maxsize=1)
def _expressive(count: int) -> Doubles:
    """(n,) weights by which expression follows the points: lids and lips are what people look at."""
    weights = np.ones(count)
    for opening in ("right_eye", "left_eye", "inner_lips"):
        weights[outline(opening)] = FIRM
    return weights


def mean_fit(photo: Photo, sighting: Sighting, model: HeadModel) -> HeadFit:
    """The mean head without expression where the face is: the baseline of every measure."""
    start, _ = placed_mean(photo, sighting, model)
    return described(photo, sighting, model, replace(start, psi=np.zeros_like(start.psi)))


def placed_mean(photo: Photo, sighting: Sighting, model: HeadModel) -> tuple[State, UnitPrior]:
    """The mean head laid over the landmarks, with EXIF's focal length where it is plausible."""
    high, wide = photo.pixels.shape[:2]
    units = UnitPrior.of(model, sighting.landmarks.scores)
    centre = np.array([(wide - 1) / 2, (high - 1) / 2])
    points, target = sighting.landmarks.points, target_of(model)
    start = first_guess(target, points, units.mean.copy(), photo.focal, USUAL_DISTANCE, centre)
    if not PLAUSIBLE[0] < start.move[2] < PLAUSIBLE[1]:
        start = first_guess(target, points, units.mean.copy(), None, USUAL_DISTANCE, centre)
    return start, units


def likely_size(target: Target, resemblance: Resemblance, descriptor: Floats, turn: Doubles) -> float:
    """How large the head is against the mean head, from descriptor (128,), turn (3, 3) and the prior alone.

    A photo does not show how large a head is, but whether it is a child's or a man's. The points' say in it would be
    noise: they move the mode of size to explain shape.
    """
    modes = target.model.identity_size
    curve, slope = resemblance.normal_equations(descriptor, *yaw_pitch(upright(turn)[0]), np.zeros(modes))
    beta = np.linalg.solve(curve / SIZE_DOUBT + np.eye(modes), -slope / SIZE_DOUBT)
    return relative_size(target, np.asarray(beta, np.float64))


def relative_size(target: Target, beta: Doubles) -> float:
    """The spread of an identity's points over that of the mean head's."""
    points = target.tracked.points(beta)
    return float(np.linalg.norm(points - points.mean(0)) / np.linalg.norm(target.mean - target.mean.mean(0)))


def described(photo: Photo, sighting: Sighting, model: HeadModel, state: State, size: float = 1.0) -> HeadFit:
    """The solver's answer in HeadFit's terms, with the light; `size` against the mean head's."""
    high, wide = photo.pixels.shape[:2]
    points, target = sighting.landmarks.points, target_of(model)
    camera, theta = seen_from(state, model, wide, high)
    scale = size / relative_size(target, state.beta)
    resting, psi = rest_and_expression(model, state.psi)
    found = state.project(target.tracked.points(state.beta, state.psi, state.theta()))
    error = np.sqrt(((found - points)[:, :2] ** 2).sum(1).mean()) / face_size(points)
    return HeadFit(
        model.beta(state.beta),
        model.psi(psi),
        model.theta(theta),
        replace(camera, translation=camera.translation * scale),
        estimate_light(
            photo.pixels,
            sighting.masks.face_skin + sighting.masks.body_skin,
            camera,
            model,
            model.posed(state.beta, state.psi, theta),
        ),
        resting,
        float(error),
        scale,
    )


def rest_and_expression(model: HeadModel, psi: Doubles) -> tuple[Floats, Doubles]:
    """Offsets (C, 3) of the person's resting face, and what of ψ (E,) is expression beyond it.

    A face at rest is not the model's: its lids hang a little, its brows lie lower. The head as in the photo stays.
    """
    names = list(model.expression_names)
    resting = np.zeros_like(psi)
    for name, amount in RESTING.items():
        if name in names:
            resting[names.index(name)] = min(amount, psi[names.index(name)])
    return np.tensordot(resting, model.expression, 1).astype(np.float32), psi - resting


def seen_from(state: State, model: HeadModel, wide: int, high: int) -> tuple[Camera, Doubles]:
    """The camera and θ of HeadFit's convention: the turn goes into the global joint, which stands still."""
    theta = state.theta()
    theta[0] = axis_angle(FLIP @ state.turn)
    joint = model.joints_of(state.beta)[0].astype(np.float64)
    move = state.move + state.turn @ joint - FLIP @ joint
    matrix = np.array([[state.focal, 0, state.centre[0]], [0, state.focal, state.centre[1]], [0, 0, 1]])
    return Camera(matrix, FLIP, move, wide, high), theta


def axis_angle(rotation: Doubles) -> Doubles:
    """(3,) radians along the axis of a rotation (3, 3)."""
    cosine = np.clip((np.trace(rotation) - 1) / 2, -1, 1)
    angle = float(np.arccos(cosine))
    axis = np.array([rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]])
    if cosine < HALF_TURN:  # the difference fades: the axis is in what is symmetric
        square = (rotation + rotation.T) / 2 - cosine * np.eye(3)
        column = square[:, int(np.diag(square).argmax())]
        axis = column * (-1 if column @ axis < 0 else 1)
    length = float(np.linalg.norm(axis))
    return np.asarray(axis / length * angle) if length > 1e-9 else np.zeros(3)

"""Pictures of the morphable head: a sheet of random people, a sheet of all expression units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.head.default import load_default, typical
from headform.head.gaze import aim_eyes
from headform.head.model import HeadModel
from headform.render import Camera, Scene, contact_sheet, render
from headform.skin.wardrobe import Wardrobe, surfaces

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

VARIETY, CHILD_VARIETY = 0.7, 0.45  # standard deviations about the typical person of an age, sex and ancestry
LIMIT = 2.2  # no coefficient is drawn farther out than this
TURN = np.radians(40)
PAPER = (232, 233, 235)
FACE_FIELD = 0.155  # radians: only the face is in view
FACE_TARGET = (0.0, -0.002, 0.06)
CELL = 0.86  # width of a portrait over its height
TOGETHER = {"mouthClose": {"jawOpen": 1.0, "mouthClose": 1.0}}  # ARKit's meaning: closes the lips of an open jaw


@dataclass(frozen=True)
class Person:
    """Who someone in the sheet is."""

    seed: int
    age: float
    sex: float
    ancestry: tuple[float, float, float]
    beta: Floats


def draw_person(model: HeadModel, seed: int) -> Person:
    """A random person, children included."""
    rng = np.random.default_rng(seed)
    age = float(rng.uniform(6, 16) if rng.random() < 0.15 else rng.uniform(18, 78))
    sex = float(np.clip(rng.integers(2) + rng.normal(0, 0.08), 0, 1))
    mix = rng.dirichlet([0.35] * 3)
    variety = CHILD_VARIETY if age < 16 else VARIETY
    spread = np.clip(rng.normal(0, variety, model.identity_size), -LIMIT, LIMIT)
    beta = typical(model, age, sex, mix) + spread.astype(np.float32)
    return Person(seed, age, sex, (float(mix[0]), float(mix[1]), float(mix[2])), beta)


def people(count: int = 12, seed: int = 0, size: int = 384) -> Bytes:
    """(H, W, 3) a sheet of random people, each from the front and from 40° to the side."""
    if not 1 <= count <= 200:
        raise BadInput(f"a sheet of {count} people cannot be drawn; give 1 to 200")
    _check_size(size)
    model = load_default()
    pictures = []
    for one in range(count):
        person = draw_person(model, seed * 1000 + one)
        wardrobe = Wardrobe.of(person.seed, person.age, person.sex, person.ancestry)
        for yaw in (0.0, TURN):
            camera = _portrait(model, person.beta, yaw, size)
            theta = aim_eyes(model, person.beta, camera.position)
            scene = Scene(surfaces(model, model.posed(person.beta, None, theta), wardrobe), background=_paper())
            pictures.append(render(scene, camera, supersample=2))
    return contact_sheet(pictures, columns=min(count, 3) * 2, margin=4, paper=PAPER)


def units(size: int = 256) -> Bytes:
    """(H, W, 3) a sheet of every expression unit at 1, from the front, with its name."""
    _check_size(size)
    model = load_default()
    beta = typical(model, 28, 0.35, (0.1, 0.3, 0.6))
    wardrobe = Wardrobe.of(3, 28, 0.35, (0.1, 0.3, 0.6))
    camera = Camera.portrait(0.0, 0.0, size, field_of_view=FACE_FIELD, target=FACE_TARGET)
    pictures, captions = [], []
    for name in model.expression_names:
        amounts = TOGETHER.get(name, {name: 1.0})
        scene = Scene(surfaces(model, model.posed(beta, amounts), wardrobe), background=_paper())
        pictures.append(render(scene, camera, supersample=2))
        captions.append(" with ".join(sorted(amounts, key=lambda n: n != name)))
    return contact_sheet(pictures, columns=9, captions=captions, margin=4, paper=PAPER)


def _portrait(model: HeadModel, beta: Floats, yaw: float, size: int) -> Camera:
    """A camera on the middle of this head, so near that it fills the picture, whatever its size."""
    rest = model.rest(beta)[model.part_vertices("skin")]
    low, high = rest.min(0), rest.max(0)
    middle = np.array([0.0, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2])
    field = 2 * np.arctan(float(high[1] - low[1]) * 0.54 / 1.2)
    return Camera.portrait(yaw, 0.0, (round(CELL * size), size), field_of_view=field, target=middle)


def _paper() -> tuple[float, float, float]:
    return (PAPER[0] / 255, PAPER[1] / 255, PAPER[2] / 255)


def _check_size(size: int) -> None:
    if not 32 <= size <= 2048:
        raise BadInput(f"pictures of {size} pixels cannot be drawn; give --size 32 to 2048")

"""Pictures of the morphable head: a sheet of random people, a sheet of all expression units."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.errors import BadInput
from headform.head.default import load_default, typical
from headform.head.gaze import aim_eyes
from headform.head.model import HeadModel
from headform.head.subdivision import Subdivision, subdivide
from headform.render import Camera, Drawn, Material, Scene, Surface, Texture, contact_sheet, render
from headform.render.occlusion import ambient_occlusion
from headform.skin.eyes import draw_iris_colour, paint_eye
from headform.skin.lashes import paint_lashes
from headform.skin.mouth import paint_mouth
from headform.skin.paint import paint

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
TEXTURE = 1024
MOUTH_PARTS = ("teeth_upper", "teeth_lower", "gums_upper", "gums_lower", "tongue")
CLEAR = ("cornea_left", "cornea_right", "lashes")  # these throw no shade


@dataclass(frozen=True, eq=False)
class Wardrobe:
    """The textures one person wears, as materials by part."""

    materials: dict[str, Material]

    @classmethod
    def of(cls, seed: int, age: float, sex: float, ancestry: ArrayLike, size: int = TEXTURE) -> Wardrobe:
        shares = np.asarray(ancestry, float)
        skin = paint(seed, age, sex, ancestry, size, scalp_shadow=0.35)
        iris = draw_iris_colour((float(shares[0]), float(shares[1]), float(shares[2])), seed)
        eye = Material((1, 1, 1), Texture.colour(paint_eye(iris, 512, seed)), roughness=0.35, specular=0.3)
        mouth = Texture.colour(paint_mouth(512, seed))
        cornea = Material((1, 1, 1), roughness=0.06, specular=0.6)
        wet = Material((1, 1, 1), mouth, roughness=0.28, subsurface=0.3)
        materials = {
            "skin": Material(
                (1, 1, 1),
                Texture.colour(skin.albedo),
                relief=Texture.normals(skin.normal),
                roughness=float(np.median(skin.roughness)) / 255,
                specular=0.42,
                subsurface=0.5,
            ),
            "eye_left": eye,
            "eye_right": eye,
            "cornea_left": cornea,
            "cornea_right": cornea,
            "lashes": Material((1, 1, 1), Texture.colour(paint_lashes(seed=seed)), roughness=0.7, specular=0.1),
        }
        materials |= dict.fromkeys(MOUTH_PARTS, wet)
        return cls(materials)


@dataclass(frozen=True, eq=False)
class FineMesh:
    """The head at close-up level, cut into its parts once."""

    subdivision: Subdivision
    triangles: dict[str, NDArray[np.int32]]
    triangles_uv: dict[str, NDArray[np.int32]]

    @property
    def blockers(self) -> NDArray[np.int32]:
        return np.concatenate([t for part, t in self.triangles.items() if part not in CLEAR])


@lru_cache(maxsize=2)
def fine_mesh(model: HeadModel) -> FineMesh:
    fine = subdivide(model.quads, model.quads_uv, model.uv, model.vertex_count)
    part = model.part[fine.face]
    halves = [[0, 1, 2], [0, 2, 3]]
    triangles, triangles_uv = {}, {}
    for index, name in enumerate(model.parts):
        triangles[name] = fine.quads[part == index][:, halves].reshape(-1, 3)
        triangles_uv[name] = fine.quads_uv[part == index][:, halves].reshape(-1, 3)
    return FineMesh(fine, triangles, triangles_uv)


def surfaces(model: HeadModel, vertices: Floats, wardrobe: Wardrobe) -> tuple[Surface, ...]:
    """A posed head (V, 3), subdivided and dressed, ready to be drawn."""
    mesh = fine_mesh(model)
    fine = mesh.subdivision.refine(vertices)
    light = ambient_occlusion(fine, np.concatenate(list(mesh.triangles.values())), blockers=mesh.blockers)
    drawn = []
    for part, triangles in mesh.triangles.items():
        rows, local = np.unique(triangles, return_inverse=True)
        kind = Drawn.OPAQUE
        if part in CLEAR:
            kind = Drawn.CARDS if part == "lashes" else Drawn.GLOSS
        drawn.append(
            Surface(
                fine[rows],
                local.reshape(-1, 3).astype(np.int32),
                wardrobe.materials[part],
                mesh.subdivision.uv,
                mesh.triangles_uv[part],
                occlusion=light[rows],
                drawn=kind,
            )
        )
    return tuple(drawn)


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

"""Pictures of random heads with all that is true about them: what calibration and training learn from.

Everything is drawn from one seed: who it is, expression, gaze, pose, lens, light, skin, hair, glasses, background,
blur and noise. Nothing here comes from a photo.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from headform.head import HeadModel
from headform.render import Camera, Drawn, Lamp, Light, Material, Scene, Surface, render
from headform.render.occlusion import ambient_occlusion
from headform.render.surface import vertex_normals
from headform.skin.wardrobe import CLEAR, Wardrobe

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bytes = NDArray[np.uint8]

SIDE = 320  # pixels of a picture
CLOTHES_SIZE = 512  # pixels of a painted skin: 0.5 mm on the face
YAW, PITCH, ROLL = np.radians((75, 30, 20))
NEAR, FAR = 0.4, 2.5  # metres between camera and face
FACE = (0.0, 0.0, 0.055)  # metres: about the middle of a face
SEEN = (0.27, 0.42)  # metres across the picture, at the face
MOUTH, OPEN_MOUTH = ("teeth", "gums", "tongue"), 0.45  # what an open mouth lets in; the mean head's is closed
PAIRED = 0.75  # how often a unit with a left and a right works on both sides alike


@dataclass(frozen=True, eq=False)
class Render:
    """One picture of a head and the truth about it.

    picture   (H, W, 3) sRGB
    vertices  (V, 3) posed, in the world of `camera`
    """

    picture: Bytes
    camera: Camera
    beta: Floats
    psi: Floats
    theta: Floats
    vertices: Floats


@dataclass(frozen=True, eq=False)
class Stage:
    """A head model with painted skins to wear, cut into its parts once."""

    model: HeadModel
    skins: tuple[Wardrobe, ...]

    @classmethod
    def of(cls, model: HeadModel, skins: int, seed: int) -> Stage:
        """`skins` painted skins of all ages and ancestries; other seeds paint others."""
        rng = np.random.default_rng(seed)
        painted = []
        for _ in range(skins):
            age = float(rng.uniform(6, 80))
            mix = rng.dirichlet([0.4] * 3)
            painted.append(Wardrobe.of(int(rng.integers(1 << 30)), age, float(rng.integers(2)), mix, CLOTHES_SIZE))
        return cls(model, tuple(painted))

    @cached_property
    def occlusion(self) -> Floats:
        """(V,) what each vertex of the mean head sees of its surroundings; close enough for all heads."""
        model = self.model
        throws = np.isin(model.triangle_part, [model.parts.index(p) for p in model.parts if p not in CLEAR])
        rest = model.rest()
        seen = ambient_occlusion(rest, model.triangles, blockers=model.triangles[throws])
        mouth = model.part_vertices(*(p for p in model.parts if p.split("_")[0] in MOUTH))
        seen[mouth] = np.maximum(seen[mouth], OPEN_MOUTH)
        return seen

    def surfaces(self, vertices: Floats, wardrobe: Wardrobe) -> list[Surface]:
        """A posed head (V, 3) in its clothes, without subdivision."""
        model = self.model
        kinds = {"lashes": Drawn.CARDS, "cornea_left": Drawn.GLOSS, "cornea_right": Drawn.GLOSS}
        out = []
        for index, part in enumerate(model.parts):
            mine = model.triangle_part == index
            rows, local = np.unique(model.triangles[mine], return_inverse=True)
            out.append(
                Surface(
                    vertices[rows],
                    local.reshape(-1, 3).astype(np.int32),
                    wardrobe.materials[part],
                    model.uv,
                    model.triangles_uv[mine],
                    occlusion=self.occlusion[rows],
                    drawn=kinds.get(part, Drawn.OPAQUE),
                )
            )
        return out


def random_renders(stage: Stage, seed: int) -> Iterator[Render]:
    """Endless varied pictures; the n-th depends on the seed alone."""
    rng = np.random.default_rng(seed)
    model = stage.model
    while True:
        beta = rng.normal(0, rng.uniform(0.8, 1.1), model.identity_size).astype(np.float32)
        psi = random_expression(model, rng)
        theta = random_gaze(rng)
        vertices = model.posed(beta, psi, theta)
        camera = random_camera(rng)
        yield dressed_render(stage, rng, beta, psi, theta, vertices, camera)


def dressed_render(
    stage: Stage,
    rng: np.random.Generator,
    beta: Floats,
    psi: Floats,
    theta: Floats,
    vertices: Floats,
    camera: Camera,
) -> Render:
    """A posed head in a random skin, hair, light and place, as a random camera takes it."""
    model = stage.model
    surfaces = stage.surfaces(vertices, stage.skins[rng.integers(len(stage.skins))])
    if rng.random() < 0.7:
        surfaces.append(_cap_of_hair(model, vertices, rng))
    scene = Scene(tuple(surfaces), light=random_light(rng), background=_background(rng, camera.width, camera.height))
    picture = render(scene, camera, supersample=2).rgb
    if rng.random() < 0.1:
        picture = _with_glasses(picture, model, vertices, camera, rng)
    return Render(_as_photographed(picture, rng), camera, beta, psi, theta, vertices)


def plain_render(stage: Stage, rng: np.random.Generator, vertices: Floats, camera: Camera) -> Bytes:
    """(H, W, 3) a posed bald head in a random skin and light, nothing else varied: what measures are taken on."""
    surfaces = stage.surfaces(vertices, stage.skins[rng.integers(len(stage.skins))])
    shade = tuple(float(v) for v in rng.uniform(0.2, 0.9, 3))
    return render(Scene(tuple(surfaces), light=random_light(rng), background=shade), camera, supersample=2).rgb


def random_expression(model: HeadModel, rng: np.random.Generator) -> Floats:
    """(E,) rest, a few random units, or a broad smile or open mouth; sides mostly alike."""
    psi = np.zeros(model.expression_size, np.float32)
    if rng.random() < 0.35:
        return psi
    names = model.expression_names
    strength = rng.uniform(0.1, 0.9)
    for name in rng.choice(names, rng.integers(1, 7), replace=False):
        if name.startswith("eyeLook") or name in ("tongueOut", "mouthClose"):
            continue
        amount = rng.random() * strength
        psi[names.index(name)] = amount
        other = name.replace("Left", "Right") if "Left" in name else name.replace("Right", "Left")
        if other in names and rng.random() < PAIRED:
            psi[names.index(other)] = amount * rng.uniform(0.8, 1.2)
    if rng.random() < 0.35:
        for side in ("Left", "Right"):
            psi[names.index(f"mouthSmile{side}")] = strength * rng.uniform(0.7, 1.0)
            psi[names.index(f"cheekSquint{side}")] = strength * rng.uniform(0.2, 0.8)
    if rng.random() < 0.3:
        psi[names.index("jawOpen")] = rng.uniform(0.05, 0.7)
    return np.clip(psi, 0, 1)


def random_gaze(rng: np.random.Generator) -> Floats:
    """(5, 3) a pose in which only the eyes are turned, together."""
    theta = np.zeros((5, 3), np.float32)
    theta[3:, :2] = rng.normal(0, [0.1, 0.2])
    return theta


def random_camera(rng: np.random.Generator) -> Camera:
    """A portrait camera: most look at the face from the front half, phones from near, long lenses from far."""
    turned = rng.random()
    yaw = rng.normal(0, 0.15) if turned < 0.45 else rng.normal(0, 0.5) if turned < 0.85 else rng.uniform(-1, 1) * YAW
    yaw, pitch = float(np.clip(yaw, -YAW, YAW)), np.clip(rng.normal(0, 0.16), -PITCH, PITCH)
    distance = float(np.exp(rng.uniform(np.log(NEAR), np.log(FAR))))
    across = rng.uniform(*SEEN)
    target = np.asarray(FACE) + rng.normal(0, 0.012, 3)
    eye = target + distance * np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    roll = np.clip(rng.normal(0, 0.12), -ROLL, ROLL)
    right = np.array([np.cos(yaw), 0, -np.sin(yaw)])
    up = np.cos(roll) * np.array([0, 1, 0]) + np.sin(roll) * right
    return Camera.look_at(
        eye, target, up=up, width=SIDE, height=SIDE, field_of_view=2 * np.arctan(across / 2 / distance)
    )


def random_light(rng: np.random.Generator) -> Light:
    """Some lamps and light from everywhere, warm or cold, from flat to harsh."""
    lamps = []
    for _ in range(rng.integers(0, 4)):
        way = rng.normal(size=3) + np.array([0, 0.5, 1.0])
        lamps.append(Lamp(way, rng.uniform(0.1, 0.9) * _tint(rng)))
    sky = Light.of(lamps, rng.uniform(0.15, 0.8) * _tint(rng))
    extra = rng.normal(0, 0.12, (9, 1)) * _tint(rng)
    extra[0] = 0
    bright = sky.coefficients[0].mean() * 0.28
    return Light(sky.coefficients + extra * bright, sky.lamps).scaled(rng.uniform(0.5, 1.3) / max(bright, 0.2))


def _tint(rng: np.random.Generator) -> Doubles:
    warmth = rng.normal(0, 0.12)
    return np.array([1 + warmth, 1.0, 1 - warmth]).clip(0.4, 1.6)


def _cap_of_hair(model: HeadModel, vertices: Floats, rng: np.random.Generator) -> Surface:
    """A shell over the scalp: no hairstyle, but an outline, a hairline and hidden ears and foreheads."""
    skin = model.part_vertices("skin")
    rest = model.template[skin]
    line = rng.uniform(0.05, 0.095)  # metres above the head joint where the forehead's hairline runs
    side = rng.uniform(-0.08, 0.05)  # how far down the sides it reaches
    slope = np.clip((0.055 - rest[:, 2]) / 0.045, 0, 1)
    edge = line * (1 - slope) + side * slope + 0.006 * np.sin(rest[:, 0] * rng.uniform(50, 250) + rng.uniform(0, 6))
    grown = (rest[:, 1] > edge) & ((np.abs(rest[:, 0]) > 0.055) | (rest[:, 2] < 0) | (rest[:, 1] > line))
    kept = (model.triangle_part == model.parts.index("skin")) & grown[np.minimum(model.triangles, len(skin) - 1)].all(1)
    normals = vertex_normals(vertices, model.triangles)[skin]
    waves = sum(np.sin(rest @ rng.normal(0, 60, 3) + rng.uniform(0, 6)) for _ in range(4))
    depth = (rng.uniform(0.004, 0.04) + 0.003 * waves) * np.clip((rest[:, 1] - edge) / 0.02 + 0.15, 0, 1)
    moved = vertices[skin] + normals * np.maximum(depth, 0.001)[:, None]
    colour = np.clip(np.array([0.35, 0.25, 0.18]) * rng.uniform(0.15, 2.3) + rng.normal(0, 0.03, 3), 0.02, 0.95)
    streaks = np.sin(np.arctan2(rest[:, 0], rest[:, 2]) * rng.uniform(20, 80)) * 0.25 + rng.normal(0, 0.12, len(rest))
    colours = np.clip(1 + streaks, 0.3, 1.6)[:, None] * colour
    rows, local = np.unique(model.triangles[kept], return_inverse=True)
    material = Material((1, 1, 1), roughness=0.6, specular=0.4)
    return Surface(moved[rows], local.reshape(-1, 3).astype(np.int32), material, colours=np.clip(colours[rows], 0, 1))


def _with_glasses(
    picture: Bytes, model: HeadModel, vertices: Floats, camera: Camera, rng: np.random.Generator
) -> Bytes:
    """Frames of glasses drawn where they would sit."""
    places = model.embeddings["ibug_68"].points(vertices)
    right, left = places[36:42].mean(0), places[42:48].mean(0)
    across = (left - right) / np.linalg.norm(left - right)
    ahead = np.cross(across, (0, 1, 0))
    ahead /= np.linalg.norm(ahead)
    up = np.cross(ahead, across)
    half_width, half_height = rng.uniform(0.020, 0.030), rng.uniform(0.014, 0.026)
    square = rng.uniform(2, 5)
    turn = np.linspace(0, 2 * np.pi, 48)
    loop = np.stack([np.cos(turn), np.sin(turn)], 1)
    loop = np.sign(loop) * np.abs(loop) ** (2 / square) * (half_width, half_height)
    lines = []
    for middle, outwards in ((right, -1), (left, 1)):
        place = middle + 0.016 * ahead + outwards * 0.003 * across
        lines.append(place + loop[:, :1] * across + loop[:, 1:] * up)
        hinge = place + outwards * half_width * across + 0.3 * half_height * up
        lines.append(np.stack([hinge, hinge - 0.03 * ahead + outwards * 0.006 * across]))
    lines.append(np.stack([lines[0][0], lines[2][24]]))
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    shade = tuple(int(v) for v in rng.integers(10, 120, 3))
    for line in lines:
        flat, _ = camera.project(line)
        draw.line([(float(x), float(y)) for x, y in flat], fill=shade, width=int(rng.integers(1, 5)))
    return np.asarray(image)


def _background(rng: np.random.Generator, wide: int, high: int) -> Bytes:
    """Blurred coloured patches from even to busy."""
    cells = int(rng.integers(1, 12))
    patches = rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
    if rng.random() < 0.3:
        patches = np.clip(patches.mean((0, 1)) + rng.normal(0, 15, patches.shape), 0, 255).astype(np.uint8)
    kind = Image.Resampling.BICUBIC if rng.random() < 0.7 else Image.Resampling.NEAREST
    return np.asarray(Image.fromarray(patches).resize((wide, high), kind))


def _as_photographed(picture: Bytes, rng: np.random.Generator) -> Bytes:
    """Tone, colour, blur, noise and the odd thing in front of the face."""
    image = Image.fromarray(picture)
    if rng.random() < 0.05:
        draw = ImageDraw.Draw(image)
        x, y = rng.uniform(0, image.width, 2)
        size = rng.uniform(15, 70, 2)
        shade = tuple(int(v) for v in rng.integers(0, 256, 3))
        draw.ellipse([x - size[0], y - size[1], x + size[0], y + size[1]], fill=shade)
    if rng.random() < 0.5:
        image = image.filter(ImageFilter.GaussianBlur(float(rng.exponential(0.8))))
    if rng.random() < 0.25:
        part = rng.uniform(0.3, 0.8)
        small = image.resize((int(image.width * part), int(image.height * part)), Image.Resampling.BILINEAR)
        image = small.resize(image.size, Image.Resampling.BICUBIC)
    values = np.asarray(image, np.float32) / 255
    values = np.clip(values * rng.uniform(0.75, 1.25) * (1 + rng.normal(0, 0.05, 3)), 0, 1) ** rng.uniform(0.75, 1.35)
    if rng.random() < 0.1:
        values = values.mean(-1, keepdims=True).repeat(3, -1)
    values = values + rng.normal(0, rng.exponential(0.012), values.shape)
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)

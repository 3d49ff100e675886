"""A scene and its picture: the one call that draws everything."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.errors import BadInput
from headform.render.camera import Camera
from headform.render.clipping import Prepared, prepared
from headform.render.fragment import alphas, shade
from headform.render.haze import Haze, haze_of, light_through
from headform.render.layers import Fragments, Layers, add_rest, gather_layers, no_layers
from headform.render.light import Light, studio_light
from headform.render.picture import Picture, background_image, name_triangles, nearest_samples, resolve
from headform.render.raster import Raster, rasterise_prepared
from headform.render.shade import Shader, lit_by, shader
from headform.render.strand_shade import shade_strands
from headform.render.strands import Strands, draw_strands
from headform.render.surface import Drawn, Surface

EVERY_PIXEL = np.zeros(0, np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What is to be drawn.

    background  None for a transparent picture; else sRGB, three numbers 0–1 or a uint8 image of the
    picture's size
    shadows     hair drawn as strands darkens what is under it
    """

    surfaces: tuple[Surface, ...] = ()
    strands: tuple[Strands, ...] = ()
    light: Light = field(default_factory=studio_light)
    background: ArrayLike | None = None
    shadows: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Surfaces as one mesh. index: their places in the scene; first: where the triangles of each begin."""

    index: list[int]
    first: list[int]
    mesh: Prepared
    faces: NDArray[np.int32]
    culled: NDArray[np.uint8]
    shaders: list[Shader]


def render(scene: Scene, camera: Camera, supersample: int = 2) -> Picture:
    """Draw a scene with supersample² samples in each pixel; the same input gives the same bytes."""
    if supersample not in range(1, 9):
        raise BadInput(f"supersample is {supersample}; give a whole number from 1 to 8")
    behind = background_image(scene.background, camera.height, camera.width)
    fine = camera.scaled(supersample)
    haze = _haze(scene) if scene.shadows else None
    solid = _batch(scene, fine, (Drawn.OPAQUE,), haze)
    clear = _batch(scene, fine, (Drawn.CARDS, Drawn.GLOSS), haze)
    raster = rasterise_prepared(solid.mesh, solid.faces, solid.culled, fine.height, fine.width)
    samples = np.zeros((raster.triangle.size, 4), np.float32)
    for each in solid.shaders:
        barycentric = raster.barycentric.reshape(-1, 3)
        shade(each, EVERY_PIXEL, raster.triangle.reshape(-1), barycentric, samples)
    layers = _layers(clear, raster)
    cover = samples[:0, 0]
    if scene.strands or len(layers.depth):
        in_front = np.zeros((len(samples), 5), np.float32)
        used = np.zeros(len(samples), np.int64)
        groups = [(each, shade_strands(each, scene.light, fine, haze)) for each in scene.strands]
        if groups:
            draw_strands(groups, fine, raster.depth, layers, in_front, used)
            cover = in_front[:, 4]
        add_rest(layers, used, in_front, samples)
    return _picture(solid, raster, samples, cover, camera, supersample, behind)


def _haze(scene: Scene) -> Haze | None:
    directions = lit_by(scene.light, 0.0).directions
    return haze_of(scene.strands, directions, [surface.vertices for surface in scene.surfaces])


def _batch(scene: Scene, camera: Camera, kinds: tuple[Drawn, ...], haze: Haze | None) -> _Batch:
    index = [i for i, surface in enumerate(scene.surfaces) if surface.drawn in kinds]
    chosen = [scene.surfaces[i] for i in index]
    vertex = np.cumsum([0, *(len(s.vertices) for s in chosen)]).tolist()
    first = np.cumsum([0, *(len(s.triangles) for s in chosen)]).tolist()
    vertices = np.concatenate([np.zeros((0, 3), np.float32), *(s.vertices for s in chosen)])
    moved = [s.triangles + at for s, at in zip(chosen, vertex, strict=False)]
    faces = np.concatenate([np.zeros((0, 3), np.int32), *moved]).astype(np.int32)
    one_sided = [np.full(len(s.triangles), not s.material.two_sided, np.uint8) for s in chosen]
    culled = np.concatenate([np.zeros(0, np.uint8), *one_sided])
    mesh, faces = prepared(vertices, faces, camera)
    shaders = []
    for n, surface in enumerate(chosen):
        arriving = None if haze is None else light_through(haze, surface.vertices)
        shaders.append(shader(surface, mesh, vertex[n], first[n], scene.light, camera, arriving))
    return _Batch(index, first, mesh, faces, culled, shaders)


def _layers(batch: _Batch, raster: Raster) -> Layers:
    if not len(batch.faces):
        return no_layers(raster.triangle.size)

    def find_alphas(fragments: Fragments) -> NDArray[np.float32]:
        out = np.zeros(len(fragments[0]), np.float32)
        for each in batch.shaders:
            alphas(each, fragments[1], fragments[2], out)
        return out

    def find_colours(fragments: Fragments) -> NDArray[np.float32]:
        out = np.zeros((len(fragments[0]), 4), np.float32)
        for each in batch.shaders:
            shade(each, *fragments, out)
        return out

    return gather_layers(batch.mesh, batch.faces, batch.culled, raster.depth, find_alphas, find_colours)


def _picture(
    solid: _Batch,
    raster: Raster,
    samples: NDArray[np.float32],
    strands: NDArray[np.float32],
    camera: Camera,
    supersample: int,
    behind: NDArray[np.float32],
) -> Picture:
    shape = (camera.height, camera.width)
    rgba = np.empty((*shape, 4), np.uint8)
    resolve(samples.reshape(*raster.triangle.shape, 4), behind, supersample, rgba)
    depth, number = raster.depth, raster.triangle
    if supersample > 1:
        depth, number = np.empty(shape, np.float32), np.empty(shape, np.int32)
        nearest_samples(raster.depth, raster.triangle, supersample, depth, number)
    surface, triangle = np.empty(shape, np.int32), np.empty(shape, np.int32)
    name_triangles(number, np.array(solid.first), np.array([*solid.index, -1]), surface, triangle)
    cover = np.zeros(shape, np.float32)
    if len(strands):
        cover = strands.reshape(camera.height, supersample, camera.width, supersample).mean((1, 3))
    return Picture(rgba, depth, surface, triangle, cover)

"""Surfaces made ready for the kernels that colour them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headform.render.camera import Camera
from headform.render.clipping import ON_GRID, Prepared
from headform.render.colour import to_linear
from headform.render.light import BASIS, COSINE, Light
from headform.render.material import Material, softened_bands
from headform.render.surface import Drawn, Surface, tangents, vertex_normals
from headform.render.texture import NO_TEXTURE, Texels

Array = NDArray[Any]

NORMAL_REFLECTANCE = 0.08  # at specular = 1; skin has 0.028–0.04, most dielectrics 0.04
SMOOTHEST = 0.03  # roughness; below it a highlight is smaller than a pixel


class Shape(NamedTuple):
    """Arrays of one surface as the kernels read them; length 0 stands for absent.

    shadow: (V, L) how much of each lamp arrives; turn: (T,) −1 where the normal is to be turned to the
    viewer; level, relief_level: (T,) which level of the texture has one texel per pixel
    """

    triangles: Array
    triangles_uv: Array
    uv: Array
    normals: Array
    tangents: Array
    occlusion: Array
    colours: Array
    shadow: Array
    turn: Array
    level: Array
    relief_level: Array


class Finish(NamedTuple):
    """Numbers of a material. colour: (3,) linear; reflectance: at normal incidence; alpha: GGX α."""

    colour: Array
    reflectance: float
    alpha: float
    relief: float
    subsurface: float
    opacity: float
    unlit: bool
    gloss: bool
    opaque: bool


class Lit(NamedTuple):
    """soft: (9, 3) coefficients of a polynomial in the normal; lamps: (L, 3) directions and intensities."""

    soft: Array
    directions: Array
    intensities: Array


class Sight(NamedTuple):
    """rays: (3, 3), `rays @ (x, y, 1)` runs from the eye through a pixel; width: of the picture."""

    rays: Array
    width: int


class Shader(NamedTuple):
    """A surface in a picture, ready to be shaded. first: the number of its first triangle in the picture."""

    first: int
    shape: Shape
    texture: Texels
    relief: Texels
    finish: Finish
    lit: Lit
    sight: Sight


def shader(
    surface: Surface,
    mesh: Prepared,
    first_vertex: int,
    first_triangle: int,
    light: Light,
    camera: Camera,
    shadow: NDArray[np.float32] | None = None,
) -> Shader:
    """A surface whose vertices and triangles begin at these numbers in `mesh`.

    shadow: (V, L) 0–1, how much of each lamp arrives at each vertex.
    """
    material = surface.material
    texture = NO_TEXTURE if material.texture is None else material.texture.texels
    relief = NO_TEXTURE if material.relief is None else material.relief.texels
    shape = _shape(surface, mesh, first_vertex, texture, relief, shadow)
    lit = lit_by(light, material.subsurface)
    sight = Sight(ray_matrix(camera), camera.width)
    return Shader(first_triangle, shape, texture, relief, _finish(material, surface.drawn), lit, sight)


def ray_matrix(camera: Camera) -> Array:
    """(3, 3) matrix that makes of a pixel (x, y, 1) the direction, in the world, in which it looks."""
    if camera.orthographic:
        return np.stack([np.zeros(3), np.zeros(3), camera.rotation[2]], 1)
    return np.ascontiguousarray(camera.rotation.T @ np.linalg.inv(camera.matrix))


def lit_by(light: Light, subsurface: float) -> Lit:
    """A light in the form the kernels read."""
    bands = (COSINE * BASIS)[:, None] * softened_bands(subsurface) * light.coefficients
    directions = np.array([lamp.direction for lamp in light.lamps]).reshape(-1, 3)
    return Lit(bands, directions, np.array([lamp.intensity for lamp in light.lamps]).reshape(-1, 3))


def _finish(material: Material, drawn: Drawn) -> Finish:
    return Finish(
        to_linear(material.colour).astype(np.float64),
        NORMAL_REFLECTANCE * material.specular,
        max(material.roughness, SMOOTHEST) ** 2,
        material.relief_strength,
        material.subsurface,
        material.opacity if drawn is Drawn.CARDS else 1.0,
        material.unlit,
        drawn is Drawn.GLOSS,
        drawn is Drawn.OPAQUE,
    )


def _shape(
    surface: Surface,
    mesh: Prepared,
    first_vertex: int,
    texture: Texels,
    relief: Texels,
    shadow: NDArray[np.float32] | None,
) -> Shape:
    triangles, none = surface.triangles, np.zeros((0, 3), np.float32)
    given = surface.normals
    normals = vertex_normals(surface.vertices, triangles) if given is None else given
    uv = np.zeros((0, 2), np.float32) if surface.uv is None else surface.uv
    triangles_uv = triangles if surface.triangles_uv is None else surface.triangles_uv
    bent = tangents(surface, normals) if len(relief.values) else np.zeros((0, 4), np.float32)
    turn = np.ones(len(triangles), np.int8)
    level = np.zeros(len(triangles), np.float32)
    relief_level = np.zeros(len(triangles), np.float32)
    may_turn = given is None and surface.material.two_sided
    _measure(mesh, first_vertex, triangles, uv, triangles_uv, texture, may_turn, turn, level)
    if len(relief.values):
        _measure(mesh, first_vertex, triangles, uv, triangles_uv, relief, False, turn, relief_level)
    return Shape(
        triangles,
        triangles_uv,
        uv,
        normals,
        bent,
        np.zeros(0, np.float32) if surface.occlusion is None else surface.occlusion,
        none if surface.colours is None else to_linear(surface.colours),
        none if shadow is None else shadow,
        turn,
        level,
        relief_level,
    )


@njit(cache=True, error_model="numpy", nogil=True)
def _measure(
    mesh: Any,
    first: int,
    triangles: Any,
    uv: Any,
    triangles_uv: Any,
    texels: Any,
    may_turn: bool,
    turn: Any,
    level: Any,
) -> None:
    """Which triangles show their back, and how many texels each has per pixel, as a level of the chain."""
    textured = len(texels.values) > 0
    size = float(texels.width[0] * texels.height[0]) if textured else 0.0
    for t in range(len(triangles)):
        i, j, k = first + triangles[t, 0], first + triangles[t, 1], first + triangles[t, 2]
        p, q, r = mesh.homogeneous[i], mesh.homogeneous[j], mesh.homogeneous[k]
        if may_turn:
            volume = p[0] * (q[1] * r[2] - q[2] * r[1]) - p[1] * (q[0] * r[2] - q[2] * r[0])
            volume += p[2] * (q[0] * r[1] - q[1] * r[0])
            if volume > 0:
                turn[t] = -1
        if textured and mesh.easy[i] and mesh.easy[j] and mesh.easy[k]:
            g, h, o = mesh.grid[i], mesh.grid[j], mesh.grid[k]
            area = abs((h[0] - g[0]) * (o[1] - g[1]) - (o[0] - g[0]) * (h[1] - g[1])) / float(ON_GRID**2)
            a, b, c = uv[triangles_uv[t, 0]], uv[triangles_uv[t, 1]], uv[triangles_uv[t, 2]]
            texel = abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) * size
            if texel > area and area > 0:
                level[t] = 0.5 * np.log2(texel / area)

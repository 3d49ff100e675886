"""The kernels that colour fragments: texture, relief, soft light and highlights of one surface at a time.

The arrays are taken out of their tuples once, before the loop: an array that comes out of a tuple is
counted, and at every pixel that would cost more than the shading.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from headform.render.texture import sample

BLEED = (0.8, 0.4, 0.15)  # how much of the relief red, green and blue light lose at subsurface 1
STEEPEST = 0.05  # normal maps are kept from pointing into the surface


@njit(cache=True, error_model="numpy", nogil=True)
def shade(shader: Any, pixels: Any, seen: Any, barycentric: Any, out: Any) -> None:
    """Write premultiplied linear RGBA of those fragments that are the shader's surface into out (N, 4).

    pixels: (N,) where they are, or of length 0 for every pixel in order; seen: (N,) triangle, numbered as in
    the picture; barycentric: (N, 3).
    """
    first, shape, texture, relief, finish, lit, sight = shader
    triangles, triangles_uv, uv, normals, tangents, occlusion, colours = shape[:7]
    shadow, turn, level, relief_level = shape[7:]
    values, starts, widths, heights = texture
    r_values, r_starts, r_widths, r_heights = relief
    soft, directions, intensities = lit
    base, rays, every = finish.colour, sight.rays, len(pixels) == 0
    for n in range(len(seen)):
        t = seen[n] - first
        if t < 0 or t >= len(triangles):
            continue
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        p, q, s = triangles_uv[t, 0], triangles_uv[t, 1], triangles_uv[t, 2]
        a, b, c = barycentric[n, 0], barycentric[n, 1], barycentric[n, 2]
        red, green, blue, alpha = base[0], base[1], base[2], finish.opacity
        if len(values) or len(r_values):
            u = a * uv[p, 0] + b * uv[q, 0] + c * uv[s, 0]
            v = a * uv[p, 1] + b * uv[q, 1] + c * uv[s, 1]
        else:
            u = v = np.float32(0)
        if len(values):
            tr, tg, tb, ta = sample(values, starts, widths, heights, u, v, level[t])
            red, green, blue, alpha = red * tr, green * tg, blue * tb, alpha * ta
        if len(colours):
            tr, tg, tb = blend(colours, i, j, k, a, b, c)
            red, green, blue = red * tr, green * tg, blue * tb
        if finish.opaque:
            alpha = 1.0
        if finish.unlit:
            out[n, 0], out[n, 1], out[n, 2], out[n, 3] = red * alpha, green * alpha, blue * alpha, alpha
            continue
        px, py, pz = blend(normals, i, j, k, a, b, c)
        px, py, pz = unit(turn[t] * px, turn[t] * py, turn[t] * pz)
        x, y, z = px, py, pz
        if len(r_values):
            right, up, height, _ = sample(r_values, r_starts, r_widths, r_heights, u, v, relief_level[t])
            along = blend(tangents, p, q, s, a, b, c)
            side = tangents[p, 3] * turn[t]
            right, up = finish.relief * right, finish.relief * up
            x, y, z = _bent(px, py, pz, along, side, right, up, height)
        sky = a * occlusion[i] + b * occlusion[j] + c * occlusion[k] if len(occlusion) else 1.0
        if finish.gloss:
            red = green = blue = 0.0
        else:
            lean = finish.subsurface if len(r_values) else 0.0
            sr, sg, sb = _soft(soft, x, y, z, px - x, py - y, pz - z, lean)
            if len(shadow):
                hr, hg, hb = _hidden(shadow, directions, intensities, i, j, k, a, b, c, x, y, z)
                sr, sg, sb = sr - hr, sg - hg, sb - hb
            red, green, blue = red * max(sr, 0.0) * sky, green * max(sg, 0.0) * sky, blue * max(sb, 0.0) * sky
        if finish.reflectance > 0:
            at = n if every else pixels[n]
            column, row = at % sight.width, at // sight.width
            vx, vy, vz = unit(
                -(rays[0, 0] * column + rays[0, 1] * row + rays[0, 2]),
                -(rays[1, 0] * column + rays[1, 1] * row + rays[1, 2]),
                -(rays[2, 0] * column + rays[2, 1] * row + rays[2, 2]),
            )
            for lamp in range(len(directions)):
                lx, ly, lz = directions[lamp, 0], directions[lamp, 1], directions[lamp, 2]
                shine = _highlight(x, y, z, vx, vy, vz, lx, ly, lz, finish.alpha, finish.reflectance)
                shine *= sky * sky
                if len(shadow):
                    shine *= a * shadow[i, lamp] + b * shadow[j, lamp] + c * shadow[k, lamp]
                red += shine * intensities[lamp, 0]
                green += shine * intensities[lamp, 1]
                blue += shine * intensities[lamp, 2]
        out[n, 0], out[n, 1], out[n, 2] = red * alpha, green * alpha, blue * alpha
        out[n, 3] = 0.0 if finish.gloss else alpha


@njit(cache=True, error_model="numpy", nogil=True)
def alphas(shader: Any, seen: Any, barycentric: Any, out: Any) -> None:
    """Write the alpha of the shader's fragments into out (N,); −1 where they are gloss."""
    first, shape, texture, _, finish, _, _ = shader
    triangles, triangles_uv, uv, level = shape.triangles, shape.triangles_uv, shape.uv, shape.level
    values, starts, widths, heights = texture
    for n in range(len(seen)):
        t = seen[n] - first
        if t < 0 or t >= len(triangles):
            continue
        out[n] = finish.opacity
        if finish.gloss:
            out[n] = -1.0
        elif len(values):
            p, q, s = triangles_uv[t, 0], triangles_uv[t, 1], triangles_uv[t, 2]
            a, b, c = barycentric[n, 0], barycentric[n, 1], barycentric[n, 2]
            u = a * uv[p, 0] + b * uv[q, 0] + c * uv[s, 0]
            v = a * uv[p, 1] + b * uv[q, 1] + c * uv[s, 1]
            out[n] *= sample(values, starts, widths, heights, u, v, level[t])[3]


@njit(cache=True, error_model="numpy", nogil=True)
def blend(values: Any, i: int, j: int, k: int, a: float, b: float, c: float) -> Any:
    """The first three columns of rows i, j, k, weighted with a, b, c."""
    return (
        a * values[i, 0] + b * values[j, 0] + c * values[k, 0],
        a * values[i, 1] + b * values[j, 1] + c * values[k, 1],
        a * values[i, 2] + b * values[j, 2] + c * values[k, 2],
    )


@njit(cache=True, error_model="numpy", nogil=True)
def unit(x: float, y: float, z: float) -> Any:
    """The vector at length 1; (0, 0, 1) for none."""
    length = np.sqrt(x * x + y * y + z * z)
    if length > 0:
        scale = 1 / length
        return x * scale, y * scale, z * scale
    return 0.0 * x, 0.0 * y, 0.0 * z + 1


@njit(cache=True, error_model="numpy", nogil=True)
def soft_light(soft: Any, channel: int, x: float, y: float, z: float) -> Any:
    """Irradiance / π of one channel on a surface with this normal."""
    return (
        soft[0, channel]
        + soft[1, channel] * y
        + soft[2, channel] * z
        + soft[3, channel] * x
        + soft[4, channel] * x * y
        + soft[5, channel] * y * z
        + soft[6, channel] * (3 * z * z - 1)
        + soft[7, channel] * x * z
        + soft[8, channel] * (x * x - y * y)
    )


@njit(cache=True, error_model="numpy", nogil=True)
def _soft(soft: Any, x: float, y: float, z: float, dx: float, dy: float, dz: float, lean: float) -> Any:
    """Soft light of each channel. Skin blurs the relief (−dx, −dy, −dz), most of all for red."""
    if lean == 0:
        return soft_light(soft, 0, x, y, z), soft_light(soft, 1, x, y, z), soft_light(soft, 2, x, y, z)
    r, g, b = BLEED[0] * lean, BLEED[1] * lean, BLEED[2] * lean
    return (
        soft_light(soft, 0, x + r * dx, y + r * dy, z + r * dz),
        soft_light(soft, 1, x + g * dx, y + g * dy, z + g * dz),
        soft_light(soft, 2, x + b * dx, y + b * dy, z + b * dz),
    )


@njit(cache=True, error_model="numpy", nogil=True)
def _hidden(
    shadow: Any, directions: Any, intensities: Any,
    i: int, j: int, k: int, a: float, b: float, c: float, x: float, y: float, z: float,
) -> Any:  # fmt: skip
    """What the lamps would add to the soft light, were nothing between: their lobes in three bands."""
    r = g = blue = 0.0
    for lamp in range(len(directions)):
        lost = 1 - (a * shadow[i, lamp] + b * shadow[j, lamp] + c * shadow[k, lamp])
        cosine = x * directions[lamp, 0] + y * directions[lamp, 1] + z * directions[lamp, 2]
        lost *= 0.09375 + 0.5 * cosine + 0.46875 * cosine * cosine
        r += lost * intensities[lamp, 0]
        g += lost * intensities[lamp, 1]
        blue += lost * intensities[lamp, 2]
    return r, g, blue


@njit(cache=True, error_model="numpy", nogil=True)
def _bent(nx: float, ny: float, nz: float, along: Any, side: float, right: float, up: float, height: float) -> Any:
    """The normal bent by the map: right along the tangent (larger u), up along the bitangent (larger v)."""
    if right == 0 and up == 0:
        return nx, ny, nz
    lean = along[0] * nx + along[1] * ny + along[2] * nz
    x, y, z = unit(along[0] - lean * nx, along[1] - lean * ny, along[2] - lean * nz)
    height, up = max(height, STEEPEST), up * side
    return unit(
        right * x + up * (ny * z - nz * y) + height * nx,
        right * y + up * (nz * x - nx * z) + height * ny,
        right * z + up * (nx * y - ny * x) + height * nz,
    )


@njit(cache=True, error_model="numpy", nogil=True)
def _highlight(
    nx: float, ny: float, nz: float, vx: float, vy: float, vz: float, lx: float, ly: float, lz: float,
    alpha: float, reflectance: float,
) -> Any:  # fmt: skip
    """GGX with Schlick's Fresnel and Hammon's (2017) Smith term: radiance for a lamp of intensity 1.

    The lobe's 1/π has met the π that turns a lamp's intensity into irradiance.
    """
    nl = nx * lx + ny * ly + nz * lz
    if nl <= 0:
        return 0.0
    hx, hy, hz = unit(lx + vx, ly + vy, lz + vz)
    nv = max(nx * vx + ny * vy + nz * vz, 1e-3)
    nh, miss = nx * hx + ny * hy + nz * hz, 1 - max(vx * hx + vy * hy + vz * hz, 0.0)
    a2 = alpha * alpha
    spread = nh * nh * (a2 - 1) + 1
    smith = 2 * nl * nv * (1 - alpha) + (nl + nv) * alpha
    square = miss * miss
    fresnel = reflectance + (1 - reflectance) * square * square * miss
    return 0.5 * a2 * fresnel * nl / (spread * spread * smith)

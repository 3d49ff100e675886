"""What pulls at a hair as it grows, step by step: its comb, its weight, the skull, shoulders, a tie."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from headform.hair.collider import look_up

CLOSE = 0.0012  # metres above the skin that the innermost layer lies
BEHIND_EAR = 0.0015  # metres inside the closed ear: a root that lies so deep grows behind it
TAIL, BUN, BRAID = 0, 1, 2
KINDS = {"tail": TAIL, "bun": BUN, "braid": BRAID}

TIGHT = 0.010  # metres over which hair turns on its way to a tie, and at the tie itself a third of it
COMBED_TO_TIE = 0.05  # metres from a parting over which hair goes aside before it goes to the tie
LEAVES = 0.035  # metres over which a tail goes the way of its tie before it hangs
FANS = 0.05  # metres beyond the tie at which a tail fans out most
FREE_OF_NECK, NECK = 0.02, 0.05  # metres below the ears' level, and over how many, hair no longer keeps to its layer
DRAPE_FROM, DRAPE_OVER = (
    -0.035,
    0.09,
)  # metres of y from where hair makes for its side of the shoulders, and over how many
DRAPE_SOFT = 0.035  # metres before its side that it slows down
STEEP = 0.3  # of the gradient upwards: such ground is a shoulder, and hair on it slides


@njit(cache=True, error_model="numpy", nogil=True)
def grow(
    root: Any, normal: Any, way: Any, length: Any, lift: Any, gap: Any, drape: Any, aside: Any, tie: Any, ties: Any,
    wild: Any, manner: Any, bare: Any, whole: Any, out: Any, bound_at: Any,
) -> None:  # fmt: skip
    """Each guide (N, 100, 3) step by step, under the sum of what its style pulls with.

    aside (N,) how strongly tied hair first goes the way of its comb, away from a parting
    drape (N,) metres of z where hair on the shoulders comes to lie, 0 for hair that does not reach them
    bound_at (N,) becomes the length of each guide to its tie, metres; its whole length if it does not get there
    """
    stiff, weight, settle, hold, cling, ramp = manner
    knots = out.shape[1]
    for n in range(len(root)):
        px, py, pz = root[n, 0], root[n, 1], root[n, 2]
        nx, ny, nz = normal[n, 0], normal[n, 1], normal[n, 2]
        row = tie[n]
        cx, cy, cz = way[n, 0], way[n, 1], way[n, 2]
        if row >= 0:
            tx, ty, tz = unit(ties[row, 0] - px, ties[row, 1] - py, ties[row, 2] - pz)
            cx, cy, cz = tx + aside[n] * cx, ty + aside[n] * cy, tz + aside[n] * cz
        cx, cy, cz = along(cx, cy, cz, nx, ny, nz)
        up = lift[n]
        dx, dy, dz = unit(up * nx + (1 - up) * cx, up * ny + (1 - up) * cy, up * nz + (1 - up) * cz)
        step = length[n] / (knots - 1)
        behind = look_up(whole, px, py, pz)[0] < -BEHIND_EAR
        past = -1.0  # metres beyond the tie
        bound_at[n] = length[n]
        out[n, 0, 0], out[n, 0, 1], out[n, 0, 2] = px, py, pz
        for k in range(1, knots):
            s = k * step
            d, gx, gy, gz = look_up(bare if behind else whole, px, py, pz)
            gx, gy, gz = unit(gx, gy, gz)
            layer = gap[n] * min(1.0, s / ramp + 0.05)
            turn = stiff
            if row < 0:
                fx, fy, fz = _free(
                    px, py, pz, gx, gy, gz, d, s, layer, way[n, 0], way[n, 1], way[n, 2], weight, settle, hold, cling
                )
            elif past < 0:
                fx, fy, fz, far = _to_tie(px, py, pz, gx, gy, gz, ties[row], wild[n])
                layer, turn = 0.5 * gap[n] * min(1.0, s / ramp + 0.05), TIGHT if far > 2 * TIGHT else TIGHT / 3
                if aside[n] > 0:
                    still = aside[n] * np.exp(-s / COMBED_TO_TIE)
                    ax, ay, az = along(way[n, 0], way[n, 1], way[n, 2], gx, gy, gz)
                    fx, fy, fz = fx + still * ax, fy + still * ay, fz + still * az
                if far < max(1.5 * step + 0.001, ties[row, 6] * (0.5 if ties[row, 7] == BUN else 0.3)):
                    past, bound_at[n] = 0.0, s
            else:
                past += step
                turn = 2 * TIGHT
                if ties[row, 7] == BUN:
                    layer = CLOSE
                    fx, fy, fz = _in_bun(px, py, pz, ties[row], wild[n])
                else:
                    layer = CLOSE + 0.3 * gap[n]
                    fx, fy, fz = _in_tail(ties[row], wild[n], past, weight)
            if drape[n] != 0 and (row < 0 or past >= 0) and py < DRAPE_FROM:
                fx, fz = _aside(py, pz, gy, d - layer, drape[n], fx, fz)
            strong = np.sqrt(fx * fx + fy * fy + fz * fz)
            keep = np.exp(-step / turn)
            new = (1 - keep) * min(1.0, strong * 3) / (strong + 1e-9)
            dx, dy, dz = unit(keep * dx + new * fx, keep * dy + new * fy, keep * dz + new * fz)
            qx, qy, qz = px + step * dx, py + step * dy, pz + step * dz
            d, gx, gy, gz = look_up(bare if behind else whole, qx, qy, qz)
            if d < layer:
                if gy > STEEP and qy < DRAPE_FROM:
                    gx *= 0.2  # or hair would slide off the side of the shoulder
                gx, gy, gz = unit(gx, gy, gz)
                out_of = min(layer - d, 0.9 * step)
                dx, dy, dz = unit(qx + out_of * gx - px, qy + out_of * gy - py, qz + out_of * gz - pz)
                qx, qy, qz = px + step * dx, py + step * dy, pz + step * dz
            px, py, pz = qx, qy, qz
            out[n, k, 0], out[n, k, 1], out[n, k, 2] = px, py, pz


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _free(
    px: float, py: float, pz: float, gx: float, gy: float, gz: float, d: float, s: float, layer: float,
    wx: float, wy: float, wz: float, weight: float, settle: float, hold: float, cling: float,
) -> Any:  # fmt: skip
    """The comb, which is forgotten along the hair, the weight, and the layer above the skull that combed hair keeps."""
    last = np.exp(-s / hold)
    dot = (wx * gx + wy * gy + wz * gz) * np.exp(-max(d, 0.0) / 0.03)
    cx, cy, cz = unit(wx - gx * dot, wy - gy * dot, wz - gz * dot)
    fx, fy, fz = last * cx, last * cy - weight * s / (s + settle), last * cz
    near = cling * min(max((d - layer) / 0.012, 0.0), 1.5) * min(max((py + FREE_OF_NECK) / NECK, 0.0), 1.0)
    near *= min(1.0, s / 0.015)
    return fx - gx * near, fy - gy * near, fz - gz * near


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _aside(py: float, pz: float, gy: float, above: float, goal: float, fx: float, fz: float) -> Any:
    """The force in x and z on hair that makes for the chest or the back, and slides there off the shoulders."""
    side = 1.0 if goal > 0 else -1.0
    still = min(max((goal - pz) * side / DRAPE_SOFT, 0.0), 1.0)
    fz += side * still * min((DRAPE_FROM - py) / DRAPE_OVER, 1.0)
    if gy > STEEP and above < 0.01:
        fz += side * 1.2
        fx *= 0.1
    return fx, fz


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _to_tie(px: float, py: float, pz: float, gx: float, gy: float, gz: float, tie: Any, wild: Any) -> Any:
    """The way over the head to this hair's place in a tie, and the distance to it in metres."""
    reach = 0.0 if tie[7] == BUN else 0.45 * tie[6]
    dot = wild[0] * tie[3] + wild[1] * tie[4] + wild[2] * tie[5]
    tx = tie[0] + reach * (wild[0] - dot * tie[3]) - px
    ty = tie[1] + reach * (wild[1] - dot * tie[4]) - py
    tz = tie[2] + reach * (wild[2] - dot * tie[5]) - pz
    far = np.sqrt(tx * tx + ty * ty + tz * tz) + 1e-9
    fx, fy, fz = tx / far, ty / far, tz / far
    inward = min(0.0, fx * gx + fy * gy + fz * gz) if far > 0.03 else 0.0
    if tie[7] == BUN:  # hair enters a knot from the side it comes from
        far = max(far - 0.75 * tie[6], 0.0)
    return fx - gx * inward, fy - gy * inward, fz - gz * inward, far


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _in_bun(px: float, py: float, pz: float, tie: Any, wild: Any) -> Any:
    """Around the middle of the knot, about an axis of its own near that of the knot."""
    tx, ty, tz = tie[0] - px, tie[1] - py, tie[2] - pz
    far = np.sqrt(tx * tx + ty * ty + tz * tz)
    ax, ay, az = unit(tie[3] + 0.8 * wild[0], tie[4] + 0.8 * wild[1], tie[5] + 0.8 * wild[2])
    ox, oy, oz = unit(ay * -tz - az * -ty, az * -tx - ax * -tz, ax * -ty - ay * -tx)
    pull = (tie[6] * (0.75 + 0.3 * wild[1]) - far) * 120 / max(far, 1e-4)
    return ox - tx * pull, oy - ty * pull, oz - tz * pull


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _in_tail(tie: Any, wild: Any, past: float, weight: float) -> Any:
    """First the way of the tie, then down, fanning out a little; a plait does not fan."""
    leave = np.exp(-past / LEAVES)
    fan = tie[8] * min(past / FANS, 1.0) * np.exp(-past / 0.10)
    if tie[7] == BRAID:
        fan = 0.0
    down = weight * (1 - leave)
    return tie[3] * leave + fan * wild[0], tie[4] * leave - down + fan * wild[1], tie[5] * leave + fan * wild[2]


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def unit(x: float, y: float, z: float) -> Any:
    length = np.sqrt(x * x + y * y + z * z) + 1e-12
    return x / length, y / length, z / length


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def along(x: float, y: float, z: float, nx: float, ny: float, nz: float) -> Any:
    """A way laid onto the surface with this normal."""
    dot = x * nx + y * ny + z * nz
    return unit(x - nx * dot, y - ny * dot, z - nz * dot)


@njit(cache=True, error_model="numpy", nogil=True)
def trim(points: Any, cut: Any, level: float) -> None:
    """End each strand (N, 100, 3) where it first passes below its cut or above a level, metres of y; its knots are
    spread evenly over what is left. cut (N, 2): at the front (z 0.09) and the back (z −0.09); −inf for none."""
    knots = points.shape[1]
    line = np.empty((knots, 3))
    for n in range(len(points)):
        end = knots - 1.0
        for k in range(1, knots):
            front = min(max((points[n, k, 2] + 0.09) / 0.18, 0.0), 1.0)
            over = np.inf
            if cut[n, 0] > -np.inf and k > 3:
                over = points[n, k, 1] - (cut[n, 1] + front * (cut[n, 0] - cut[n, 1]))
            over = min(over, level - points[n, k, 1])
            if over < 0:
                step = max(abs(points[n, k, 1] - points[n, k - 1, 1]), 1e-9)
                end = max(k - min(-over / step, 1.0), 0.5)
                break
        if end >= knots - 1:
            continue
        for k in range(knots):
            line[k] = points[n, k]
        for k in range(knots):
            at = k * end / (knots - 1)
            i = min(int(at), knots - 2)
            for axis in range(3):
                points[n, k, axis] = line[i, axis] + (at - i) * (line[i + 1, axis] - line[i, axis])

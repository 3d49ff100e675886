"""Wavefront OBJ of a head: places in metres, texture coordinates, quads, one group for each part."""

from __future__ import annotations

import io

import numpy as np

from headform.fit import Floats
from headform.head import HeadModel


def obj(model: HeadModel, vertices: Floats, about: str = "") -> bytes:
    """The file for vertices (V, 3), six decimals; vertex numbers are the model's. `about` becomes a remark."""
    out = io.StringIO()
    out.write(f"# {about or 'Headform'}\n# metres, +Y up, the face looks along +Z\n")
    if model.licence:
        out.write(f"# head {model.name}: {model.licence}\n")
    out.write("o head\n")
    places = (np.round(vertices.astype(np.float64), 6) + 0.0).tolist()
    out.writelines(f"v {x:.6f} {y:.6f} {z:.6f}\n" for x, y, z in places)
    out.writelines(f"vt {u:.6f} {v:.6f}\n" for u, v in model.uv.tolist())
    for index, part in enumerate(model.parts):
        mine = model.part == index
        if not mine.any():
            continue
        out.write(f"g {part}\nusemtl {part}\ns 1\n")
        for corners, corners_uv in zip(
            (model.quads[mine] + 1).tolist(), (model.quads_uv[mine] + 1).tolist(), strict=True
        ):
            count = 3 if corners[3] == corners[2] else 4
            face = " ".join(f"{v}/{t}" for v, t in zip(corners[:count], corners_uv[:count], strict=True))
            out.write(f"f {face}\n")
    return out.getvalue().encode()

"""Wavefront OBJ of a head: places in metres, texture coordinates, normals, quads, one group for each part; and the
materials and pictures that go with it."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np

from headform.avatar import hair, pictures
from headform.avatar.avatar import Avatar
from headform.avatar.looks import HAIR, LOOKS, SKIN
from headform.avatar.mesh import look_names, look_of, smooth_normals
from headform.fit import Floats
from headform.hair.cards import Cards
from headform.head import HeadModel
from headform.render.colour import to_srgb

Called = Callable[[str], str]  # a picture's file by its name in `Textures`

USUAL_STEM = "head"
WITH_HAIR = {name: f"{name}_hair" for name in hair.BARE}  # pictures in the shade of the hair beside those without
CORNER = "%d/%d/%d"  # vertex, texture coordinate, normal
TRIANGLE, QUAD = (f"f {' '.join([CORNER] * count)}\n" for count in (3, 4))


def files(avatar: Avatar, texture: int | None, stem: str) -> dict[str, bytes]:
    """The head with what it shows, its materials and its pictures.

    The pictures of `head.obj` have plain names, albedo.png; those of another begin with its name, me_albedo.png,
    because several heads may lie in one folder.
    """
    before = "" if stem == USUAL_STEM else f"{stem}_"
    textures, painted = pictures.worn(avatar, texture), hair.worn(avatar, texture)
    exact = {} if textures is None else dict(pictures.exact(textures))
    instead = {}
    if painted is not None and painted is not textures:
        instead = WITH_HAIR
        small = pictures.compact(painted)  # as in a .glb: nobody paints on these
        exact |= {name: small[field] for field, name in WITH_HAIR.items()}
    cards = hair.cards(avatar)
    if cards is not None:
        exact |= {hair.PICTURE: hair.coloured_picture(cards), hair.RELIEF: hair.relief_picture(cards)}
    named = {name: f"{before}{name}{pictures.kind(content)[0]}" for name, content in exact.items()}
    about = avatar.provenance.in_words()
    head = obj(avatar.model, avatar.vertices(), about, f"{stem}.mtl", cards)
    materials = mtl(avatar, about, lambda name: named[instead.get(name, name)])
    return {f"{stem}.obj": head, f"{stem}.mtl": materials} | {named[name]: exact[name] for name in exact}


def obj(model: HeadModel, vertices: Floats, about: str = "", materials: str = "", cards: Cards | None = None) -> bytes:
    """The file for vertices (V, 3), six decimals; vertex numbers are the model's, and normals have the same.

    `about` becomes a remark, `materials` is the file that says how each part looks; `cards` of hair are a second
    object after the head.
    """
    out = io.StringIO()
    out.write(f"# {about or 'Headform'}\n# metres, +Y up, the face looks along +Z\n")
    if model.licence:
        out.write(f"# head {model.name}: {model.licence}\n")
    if materials:
        out.write(f"mtllib {materials}\n")
    out.write("o head\n")
    _write_rows(out, "v", vertices, 6)
    _write_rows(out, "vt", model.uv, 6)
    _write_rows(out, "vn", smooth_normals(model, vertices), 4)
    for index, part in enumerate(model.parts):
        mine = model.part == index
        if not mine.any():
            continue
        out.write(f"g {part}\nusemtl {look_of(part) if materials else part}\ns 1\n")
        corners = np.stack([model.quads[mine], model.quads_uv[mine], model.quads[mine]], -1) + 1
        three = model.quads[mine, 3] == model.quads[mine, 2]
        for row, short in zip(corners.reshape(-1, 12).tolist(), three.tolist(), strict=True):
            out.write(TRIANGLE % tuple(row[:9]) if short else QUAD % tuple(row))
    if cards is not None:
        _write_hair(out, cards, (len(vertices), len(model.uv)))
    return out.getvalue().encode()


def _write_hair(out: io.StringIO, cards: Cards, before: tuple[int, int]) -> None:
    """A second object; `before` it are so many vertices, with their normals, and texture coordinates.

    Programs that read OBJ draw both sides of a face, so that one side of each card is written.
    """
    out.write("o hair\n")
    _write_rows(out, "v", cards.vertices, 6)
    _write_rows(out, "vt", cards.uv, 6)
    _write_rows(out, "vn", cards.normals, 4)
    out.write(f"g hair\nusemtl {hair.PICTURE}\ns 1\n")
    first, first_uv = before
    corners = cards.front().astype(np.int64)[..., None] + np.array([first, first_uv, first]) + 1
    out.write(TRIANGLE * len(corners) % tuple(corners.ravel().tolist()))


def _write_rows(out: io.StringIO, word: str, rows: Floats, digits: int) -> None:
    """Lines of numbers; + 0.0 drops the sign of zero."""
    line = " ".join([word, *[f"%.{digits}f"] * rows.shape[1]]) + "\n"
    rounded = np.round(rows.astype(np.float64), digits) + 0.0
    out.write(line * len(rows) % tuple(rounded.ravel().tolist()))


def mtl(avatar: Avatar, about: str, called: Called) -> bytes:
    """The materials; `called` gives each picture's file."""
    dressed = avatar.textures is not None
    out = [f"# {about}"]
    for name in look_names(avatar.model, True):
        look = LOOKS[name]
        worn = dressed and look.picture is not None
        red, green, blue = (1.0, 1.0, 1.0) if worn else to_srgb(np.array(look.colour)).tolist()
        out += ["", f"newmtl {name}", f"Kd {red:.3f} {green:.3f} {blue:.3f}", "Ks 0.04 0.04 0.04", "illum 2"]
        out += [f"Ns {_exponent(look.roughness):.0f}", f"Pr {look.roughness:.2f}", f"d {look.opacity:.2f}"]
        if worn:
            out.append(f"map_Kd {called(str(look.picture))}")
        if worn and name == SKIN:
            out += [f"map_Bump -bm 1 {called('normal')}", f"norm {called('normal')}", f"map_Pr {called('roughness')}"]
        if worn and name == "lashes":
            out.append(f"map_d {called('lashes')}")
    if hair.cards(avatar) is not None:
        out += ["", f"newmtl {hair.PICTURE}", "Kd 1.000 1.000 1.000", "Ks 0.02 0.02 0.02", "illum 2"]
        out += [f"Ns {_exponent(HAIR.roughness):.0f}", f"Pr {HAIR.roughness:.2f}", f"map_Kd {called(hair.PICTURE)}"]
        out += [f"map_d {called(hair.PICTURE)}", f"norm {called(hair.RELIEF)}"]
    return ("\n".join(out) + "\n").encode()


def _exponent(roughness: float) -> float:
    """Blinn's exponent of a perceptual roughness: 2 / α² − 2, α = roughness²."""
    return min(2 / roughness**4 - 2, 1000.0)

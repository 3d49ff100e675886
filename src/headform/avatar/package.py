"""Everything of an avatar in one zip, the same bytes for the same avatar; and the files that need no more than that."""

from __future__ import annotations

import io
import zipfile
from concurrent.futures import ThreadPoolExecutor

from headform.avatar import hair, obj, pictures
from headform.avatar.avatar import Avatar, json_bytes
from headform.avatar.glb import glb
from headform.avatar.licence import licence_note

LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first moment a zip can name
READABLE = 0o644 << 16  # rights of the unpacked files
AS_IT_IS = (".png", ".jpg", ".glb", ".npz")  # nothing is gained by packing these: pictures are packed already
QUICK = 1


def files(avatar: Avatar, texture: int | None, stem: str) -> dict[str, bytes]:
    """The avatar as one file of the format table."""
    return {f"{stem}.zip": zip_bytes(avatar, texture)}


def json_files(avatar: Avatar, texture: int | None, stem: str) -> dict[str, bytes]:
    """The parameters as one file of the format table; they hold no texture."""
    return {f"{stem}.json": json_bytes(avatar.parameters())}


def png_files(avatar: Avatar, texture: int | None, stem: str) -> dict[str, bytes]:
    """The preview as one file of the format table."""
    return {f"{stem}.png": pictures.preview(avatar)}


def zip_bytes(avatar: Avatar, texture: int | None = None) -> bytes:
    """avatar.zip: the head as OBJ with its pictures, as GLB, its parameters, a preview and the licence; its hair as
    strands."""
    with ThreadPoolExecutor(1) as pool:
        drawn = pool.submit(pictures.preview, avatar)  # meanwhile pictures are encoded
        inside = obj.files(avatar, texture, "head") | {
            "avatar.glb": glb(avatar, texture),
            "params.json": json_bytes(avatar.parameters()),
            "preview.png": drawn.result(),
            "LICENCE.txt": licence_note(avatar).encode("utf-8", "backslashreplace"),
        }
    if avatar.hair is not None:
        inside |= {hair.KEPT: hair.kept(avatar.hair), hair.STRANDS: hair.strands(avatar.hair)}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        for name, content in inside.items():
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.external_attr = READABLE
            entry.create_system = 3  # the same on every system
            how = zipfile.ZIP_STORED if name.endswith(AS_IT_IS) else zipfile.ZIP_DEFLATED
            packed.writestr(entry, content, how, QUICK)
    return stream.getvalue()

"""What a person may do with an avatar's files."""

from __future__ import annotations

from headform.avatar.avatar import Avatar
from headform.head.default import NAME

ORIGIN = (
    "The head, its expressions and everything painted that is not from the photo come from MakeHuman and Headform and "
    "are in the public domain (CC0 1.0, https://creativecommons.org/publicdomain/zero/1.0/). How faces differ was "
    "learned from ICT-FaceKit (MIT License, University of Southern California)."
)
OTHER_ORIGIN = "The head {name} comes under its own licence, which travels with it: {licence}."
PERSON = (
    "What the photo shows of the person, their likeness and the colours of their skin and eyes, belongs to those who "
    "hold the rights in the photo and in the likeness. Ask them before you publish, sell or animate it."
)


def licence_note(avatar: Avatar) -> str:
    """LICENCE.txt: a few sentences a person can read."""
    name, version = avatar.provenance.photo, avatar.provenance.version
    shown = "".join(letter if letter.isprintable() else "_" for letter in name)
    return "\n".join(
        [
            f"An avatar made from the photo {shown} by Headform {version}",
            "",
            _origin(avatar),
            "",
            PERSON,
            "",
            "Headform itself is under the Apache License 2.0. It asks nothing for what is made with it.",
            "",
        ]
    )


def copyright_line(avatar: Avatar) -> str:
    """The same in one line, for formats that have room for one."""
    head = avatar.model.licence or "under its own licence"
    return f"Head {avatar.model.name}: {head}. The likeness belongs to those who hold the rights in the photo."


def _origin(avatar: Avatar) -> str:
    model = avatar.model
    if model.name == NAME:
        return ORIGIN
    return OTHER_ORIGIN.format(name=model.name, licence=model.licence or "see where you got it")

"""`headform hair`: the hairstyles there are, and the person's own. Heavy imports wait until they are needed."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headform.errors import BadInput

if TYPE_CHECKING:
    from headform.hair.groom import Groom
    from headform.hair.library import Entry

FINE = 0
SHEET = Path("hair.png")
SIZE = 384
PICTURES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
AVATARS = (".zip", ".glb")
MOST_VIEWS = 12
MOST_SEED = 2**32 - 1
ANGLES = re.compile(r"-[\d.][\d.,-]*")


def add_hair(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `headform`."""
    hair = commands.add_parser("hair", help="hairstyles: find, draw, mix, and keep your own")
    actions = hair.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_list(actions)
    _add_show(actions)
    _add_render(actions)
    _add_add(actions)
    _add_mix(actions)
    _add_tag(actions)
    _add_delete(actions)


# ── what each does ───────────────────────────────────────────────────────────────────────────────


def list_styles(chosen: argparse.Namespace) -> int:
    """`list`: the styles that fit, best first. --json: an array of objects with the keys of `described`."""
    from headform.hair import library

    found = library.search(chosen.words, chosen.tag)
    if chosen.json:
        print(json.dumps([described(entry) for entry in found], ensure_ascii=False))
        return FINE
    if not found:
        print("no hairstyle fits; `headform hair list` shows all")
    for entry in found:
        mark = "*" if entry.own else " "
        print(f"{mark} {entry.name:<24} {entry.kind:<16} {entry.title}" + _in_brackets(entry.tags))
    return FINE


def show_style(chosen: argparse.Namespace) -> int:
    """`show`: all about one style. --json: an object with the keys of `described` and those of `measured`."""
    from headform.hair import library

    entry = library.find(chosen.name)
    facts = {**described(entry), **measured(entry, library.groom(entry.name))}
    if chosen.json:
        print(json.dumps(facts, ensure_ascii=False))
        return FINE
    print(f"{entry.name}: {entry.title}")
    print(f"  class     {entry.kind}")
    print(f"  tags      {', '.join(entry.tags) or 'none'}")
    print(f"  strands   {facts['strands']}")
    if facts["strands"]:
        median, longest = 100 * facts["length_median_m"], 100 * facts["length_longest_m"]
        print(f"  length    median {median:.1f} cm, longest {longest:.1f} cm")
    print(f"  source    {facts['source']}")
    print(f"  licence   {entry.licence}")
    if facts["file"]:
        print(f"  file      {facts['file']}, added {facts['added']}")
    return FINE


def render_styles(chosen: argparse.Namespace) -> int:
    """`render`: a page of styles on the default head."""
    kind = PICTURES.get(chosen.output.suffix.lower())
    if kind is None:
        raise BadInput(f"{chosen.output} is no picture name; end it with {', '.join(PICTURES)}")
    yaws, seed = read_yaws(chosen.yaw), read_seed(chosen.seed)

    from PIL import Image

    from headform.files import write_whole
    from headform.hair import library, thumbnails

    thumbnails.check_size(chosen.size)
    found = [library.find(name) for name in chosen.names]
    grooms = [_coloured(library.groom(entry.name, seed=seed), chosen.color) for entry in found]
    pixels = thumbnails.sheet(grooms, [entry.title for entry in found], yaws, chosen.size)
    with write_whole(chosen.output) as stream:
        Image.fromarray(pixels).save(stream, kind)
    print(f"wrote {chosen.output} ({pixels.shape[1]} × {pixels.shape[0]} pixels)")
    return FINE


def add_style(chosen: argparse.Namespace) -> int:
    """`add`: keep the hair of a strand file or of an avatar. --json: the keys of `described`."""
    from headform.hair import library

    name = chosen.name if chosen.name is not None else _name_after(chosen.path)
    library.check_free(name)
    groom = read_hair(chosen.path)
    entry = library.keep(name, groom, chosen.title, _tags(chosen.tags), {"source": chosen.path.name})
    return _tell(entry, chosen.json, f"added {entry.name} ({entry.kind}, {len(groom)} strands)")


def mix_styles(chosen: argparse.Namespace) -> int:
    """`mix`: a new style out of two or more, to keep (--name) or as a file (-o). --json: the keys of `described`."""
    if chosen.name is None and chosen.output is None:
        raise BadInput("a mix has to go somewhere; give --name to keep it, or -o mixed.npz to write it")
    seed = read_seed(chosen.seed)

    from headform.hair import library

    if chosen.name is not None:
        library.check_free(chosen.name)
    if chosen.output is not None:
        from headform.hair import files

        if chosen.output.suffix.lower() not in files.FORMATS:
            raise BadInput(f"{chosen.output} is no strand file; end it with {', '.join(files.FORMATS)}")
        files.FORMATS[chosen.output.suffix.lower()].check()
    groom = library.mixed(chosen.names, seed)
    if chosen.output is not None:
        files.write(chosen.output, groom)
        if chosen.name is None:
            print(json.dumps({"file": str(chosen.output)}) if chosen.json else f"wrote {chosen.output}")
            return FINE
    title = chosen.title or " and ".join(library.find(name).title for name in chosen.names)
    entry = library.keep(chosen.name, groom, title, _tags(chosen.tags), groom.about)
    return _tell(entry, chosen.json, f"added {entry.name} ({entry.kind}, {len(groom)} strands)")


def tag_style(chosen: argparse.Namespace) -> int:
    """`tag`: give tags to one of the person's styles, or take them. --json: the keys of `described`."""
    from headform.hair import library

    entry = library.tag(chosen.name, chosen.tags, _tags(chosen.remove))
    return _tell(entry, chosen.json, f"{entry.name}: {', '.join(entry.tags) or 'no tags'}")


def delete_style(chosen: argparse.Namespace) -> int:
    """`delete`: forget one of the person's styles and its strands. --json: {"deleted": NAME}."""
    from headform.hair import library

    name = library.delete(chosen.name).name
    print(json.dumps({"deleted": name}) if chosen.json else f"deleted {name}")
    return FINE


# ── words ────────────────────────────────────────────────────────────────────────────────────────


def described(entry: Entry) -> dict[str, Any]:
    """What programs are told of a style: name, title, class, tags, own (the person added it), licence, source (of what
    it was made), file and added (of the person's own; else null)."""
    return {
        "name": entry.name,
        "title": entry.title,
        "class": entry.kind,
        "tags": list(entry.tags),
        "own": entry.own,
        "licence": entry.licence,
        "source": str(entry.facts.get("source", "unknown")),
        "file": entry.facts.get("file"),
        "added": entry.facts.get("added"),
    }


def measured(entry: Entry, groom: Groom) -> Mapping[str, Any]:
    """What programs are told besides, by `show`: strands, length_median_m and length_longest_m (null without hair), and
    thumbnail (the path of a small picture, or null)."""
    from headform.hair.library import measures
    from headform.hair.thumbnails import path_of

    picture = None if entry.own else path_of(entry.name)
    return {**measures(groom), "thumbnail": None if picture is None else str(picture)}


def read_hair(path: Path) -> Groom:
    """The hair in a strand file, laid on the default head, or that of an avatar. Raises BadInput if there is none."""
    from headform.hair import library

    if not path.exists():
        raise BadInput(f"{path} is not there; give a strand file or an avatar")
    if path.is_dir() or path.suffix.lower() in AVATARS:
        from headform.avatar.restore import load

        avatar = load(path)
        if avatar.hair is None or not len(avatar.hair):
            raise BadInput(f"the head in {path} has no hair; give an avatar with hair, or a strand file")
        return library.taken_off(avatar.hair, avatar.model, avatar.neutral())
    from headform.hair import files

    return library.fitted(files.read(path))


def read_yaws(words: str) -> list[float]:
    """Degrees from `0,90,180`."""
    try:
        yaws = [float(word) for word in words.split(",")]
    except ValueError:
        yaws = []
    if not yaws or not all(abs(yaw) <= 3600 for yaw in yaws):  # NaN and infinity are refused too
        raise BadInput(f"--yaw {words} cannot be read; give degrees, several with commas: --yaw 0,90,180")
    if len(yaws) > MOST_VIEWS:
        raise BadInput(f"--yaw asks for {len(yaws)} views; give at most {MOST_VIEWS}")
    return yaws


def read_seed(seed: int) -> int:
    """The seed itself. Raises BadInput if it cannot be one."""
    if not 0 <= seed <= MOST_SEED:
        raise BadInput(f"--seed {seed} cannot be; give 0 to {MOST_SEED}")
    return seed


def _coloured(groom: Groom, words: str | None) -> Groom:
    if words is None or not len(groom):
        return groom
    from headform.hair.colour import parse_colour, recoloured

    return recoloured(groom, parse_colour(words))


def _tell(entry: Entry, as_json: bool, sentence: str) -> int:
    print(json.dumps(described(entry), ensure_ascii=False) if as_json else sentence)
    return FINE


def _tags(words: str) -> list[str]:
    return [word.strip() for word in words.split(",") if word.strip()]


def _in_brackets(words: Iterable[str]) -> str:
    listed = ", ".join(words)
    return f" ({listed})" if listed else ""


def _name_after(path: Path) -> str:
    words = path.resolve().name if path.is_dir() else path.stem
    return re.sub(r"[^a-z0-9_-]+", "-", words.lower()).strip("-_")[:40]


# ── the parser ───────────────────────────────────────────────────────────────────────────────────

Actions = argparse._SubParsersAction  # what add_subparsers gives back


def _add_list(actions: Actions[argparse.ArgumentParser]) -> None:
    add = actions.add_parser("list", help="the styles there are, or those that fit; * marks your own")
    add.add_argument("words", nargs="*", metavar="WORD", help="what to look for: long wavy fringe")
    add.add_argument("--tag", action="append", default=[], metavar="TAG", help="only with this tag; may be repeated")
    _finish(add, list_styles)


def _add_show(actions: Actions[argparse.ArgumentParser]) -> None:
    add = actions.add_parser("show", help="all about one style")
    add.add_argument("name", metavar="NAME")
    _finish(add, show_style)


def _add_render(actions: Actions[argparse.ArgumentParser]) -> None:
    add = actions.add_parser("render", help="draw styles on the default head, on one page")
    add.add_argument("names", nargs="+", metavar="NAME")
    add.add_argument("--yaw", default="25", metavar="DEG", help="to the person's left; several: --yaw 0,90,180 (25)")
    add.add_argument(
        "--size", type=int, default=SIZE, metavar="PX", help=f"pixels along the side of a picture ({SIZE})"
    )
    add.add_argument(
        "--color", "--colour", metavar="COLOUR", help="a name such as auburn, or #a52a2a (the style's own)"
    )
    add.add_argument("--seed", type=int, default=0, metavar="S", help="other strands for another seed (0)")
    add.add_argument("-o", "--output", type=Path, default=SHEET, metavar="PATH", help=f"({SHEET})")
    add._negative_number_matcher = ANGLES  # of -90,0,90 argparse would think that it is an option
    add.set_defaults(run=render_styles)


def _add_add(actions: Actions[argparse.ArgumentParser]) -> None:
    add = actions.add_parser("add", help="keep the hair of a strand file or of an avatar as a style of your own")
    add.add_argument("path", type=Path, metavar="PATH", help="strands (.npz .data .hair .obj .usd), or an avatar")
    add.add_argument("--name", help="what to call it (the name of the file or folder)")
    _finish_new(add, add_style)


def _add_mix(actions: Actions[argparse.ArgumentParser]) -> None:
    add = actions.add_parser("mix", help="make a new style out of two or more")
    add.add_argument("names", nargs="+", metavar="NAME", help="two or more styles")
    add.add_argument("--seed", type=int, default=0, metavar="S", help="another mix for another seed (0)")
    add.add_argument("--name", help="keep it as a style of your own with this name")
    add.add_argument("-o", "--output", type=Path, metavar="PATH", help="write it as a strand file")
    _finish_new(add, mix_styles)


def _add_tag(actions: Actions[argparse.ArgumentParser]) -> None:
    add = actions.add_parser("tag", help="give tags to a style of your own, or take them")
    add.add_argument("name", metavar="NAME")
    add.add_argument("tags", nargs="*", metavar="TAG", help="tags to give")
    add.add_argument("--remove", default="", metavar="TAGS", help="tags to take, with commas")
    _finish(add, tag_style)


def _add_delete(actions: Actions[argparse.ArgumentParser]) -> None:
    add = actions.add_parser("delete", help="forget a style of your own, and its strands")
    add.add_argument("name", metavar="NAME")
    _finish(add, delete_style)


def _finish_new(add: argparse.ArgumentParser, run: Any) -> None:
    add.add_argument("--title", default="", metavar="WORDS", help="a few words for lists")
    add.add_argument("--tags", default="", metavar="TAGS", help="with commas")
    _finish(add, run)


def _finish(add: argparse.ArgumentParser, run: Any) -> None:
    add.add_argument("--json", action="store_true", help="as JSON, for programs")
    add.set_defaults(run=run)

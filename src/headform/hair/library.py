"""The hairstyles there are: those that ship with Headform, and those that a person has added (see `shelf`)."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headform.errors import BadInput
from headform.hair.shelf import Shelf, Shelved, check_name

if TYPE_CHECKING:
    from headform.hair.groom import Groom
    from headform.head.model import HeadModel

DATA = Path(__file__).parent / "data"
STYLES = DATA / "styles.json"
SYNONYMS = DATA / "synonyms.json"
NONE = "none"  # a head without hair: a style that is always there
LICENCE = "Apache-2.0"
STRANDS = 20_000
EXACT, BEGINNING, SIMILAR = 3.0, 2.0, 1.0  # what a word that is found counts: itself, its beginning, nearly it
IN_NAME = 1.5  # times as much in the name or the class as in title and tags
LEAST_BEGINNING = 3  # letters
NEARLY = 0.8  # of difflib's ratio, for words: one letter of five is wrong
NEAREST, NEAR = 3, 0.5  # names that an error offers, and how like the one that was asked for
SHORT, MEDIUM = 0.08, 0.25  # metres: longer than that is medium, and long
WINDOW = 0.06  # metres of a strand over which its waves are judged: a wave, and little of the head's own roundness
STRAIGHT, WAVY, CURLY = (
    1.05,
    1.35,
    2.2,
)  # hair on the way over the way as the crow flies; a helix of 9 mm on 85 has 1.2,
#                                          one of 7.5 on 30 has 1.9, one of 4.5 on 8.5 has 3.5
TEXTURES = ("straight", "wavy", "curly", "coily")


@dataclass(frozen=True, slots=True)
class Entry:
    """One hairstyle.

    kind   its class: short, medium or long with straight, wavy, curly or coily; or gathered, braided, faded …
    own    the person has added it
    facts  plain values about it: source, strands, lengths in metres, as far as they are known
    """

    name: str
    title: str
    kind: str
    tags: tuple[str, ...]
    own: bool = False
    licence: str = LICENCE
    facts: Mapping[str, Any] = field(default_factory=dict)


def names(shelf: Shelf | None = None, path: Path = STYLES) -> list[str]:
    """The names of all styles, sorted."""
    return [entry.name for entry in entries(shelf, path)]


def entries(shelf: Shelf | None = None, path: Path = STYLES) -> list[Entry]:
    """All styles by name: those that ship, in the file `path`, and the person's own on a shelf.

    If a later release ships a name that the person has given already, the person's style keeps it.
    """
    found = {entry.name: entry for entry in shipped(path)}
    found.update((each.name, _of_shelf(each)) for each in (shelf or Shelf()).entries())
    return [found[name] for name in sorted(found)]


def find(name: str, shelf: Shelf | None = None, path: Path = STYLES) -> Entry:
    """The style of this name, large or small letters. Raises BadInput with the nearest names if there is none."""
    found = {entry.name: entry for entry in entries(shelf, path)}
    wanted = name.strip().lower()
    if wanted not in found:
        raise BadInput(f"there is no hairstyle {name!r}; {_offer(wanted, list(found))}")
    return found[wanted]


def search(
    words: str | Iterable[str] = (),
    tags: Iterable[str] = (),
    shelf: Shelf | None = None,
    path: Path = STYLES,
) -> list[Entry]:
    """The styles that have all of the tags (or are of a class of that name) and fit the words best, best first.

    A word may be in the name, the class, the title or a tag; a synonym counts as the word, its beginning and a slip of
    a letter count less. Only styles with as many of the words as the best one has are given. Without words: by name.
    """
    asked = _words(words if isinstance(words, str) else " ".join(words))
    wanted = {" ".join(tag.lower().split()) for tag in tags}
    there = [entry for entry in entries(shelf, path) if wanted <= {*entry.tags, entry.kind, *entry.kind.split()}]
    if not asked:
        return there
    scored = [(entry, [_score(entry, word) for word in asked]) for entry in there]
    most = max((sum(score > 0 for score in scores) for _, scores in scored), default=0)
    fit = [(entry, sum(scores)) for entry, scores in scored if most and sum(score > 0 for score in scores) == most]
    return [entry for entry, _ in sorted(fit, key=lambda pair: (-pair[1], pair[0].name))]


def classes(shelf: Shelf | None = None, path: Path = STYLES) -> dict[str, list[str]]:
    """The classes, and the names of the styles of each."""
    found: dict[str, list[str]] = {}
    for entry in entries(shelf, path):
        found.setdefault(entry.kind, []).append(entry.name)
    return dict(sorted(found.items()))


def groom(
    name: str,
    head: HeadModel | None = None,
    count: int = STRANDS,
    seed: int = 0,
    shelf: Shelf | None = None,
) -> Groom:
    """The strands of a style on a head at rest (the default head if none is given), `count` of them at most.

    Styles that ship are grown: another seed gives other strands of the same cut. A person's own are as they were added;
    the seed chooses which to leave out. Raises BadInput if there is none of this name, or if its file is gone.
    """
    from headform.hair import groom as grooms

    entry = find(name, shelf)
    if entry.name == NONE:
        return grooms.none()
    if entry.own:
        return _on_head((shelf or Shelf()).groom(entry.name), head).thinned(count, seed)
    found = _grown(entry.name, head, count, seed)
    about = {"name": entry.name, "tags": list(entry.tags), "seed": seed, "licence": entry.licence, **found.about}
    return replace(found, about=about)


def keep(
    name: str,
    groom: Groom,
    title: str = "",
    tags: Iterable[str] = (),
    facts: Mapping[str, Any] | None = None,
    shelf: Shelf | None = None,
    path: Path = STYLES,
) -> Entry:
    """Add a groom to the person's own styles. Raises BadInput for a name that cannot be or is taken, or no strand."""
    chosen = check_name(name)
    if chosen in {entry.name for entry in shipped(path)}:
        raise BadInput(f"{chosen!r} ships with Headform and cannot be replaced; choose another name")
    if not len(groom):
        raise BadInput(f"there is no strand to keep as {chosen!r}; a head without hair is always there as {NONE!r}")
    lengths = groom.lengths()
    told = {
        **{key: groom.about[key] for key in ("source", "licence", "seed", "unit") if key in groom.about},
        **(facts or {}),
        "strands": len(groom),
        "length_median_m": round(float(sorted(lengths)[len(lengths) // 2]), 4),
        "length_longest_m": round(float(lengths.max()), 4),
    }
    labels = [*tags, *(str(tag) for tag in groom.about.get("tags", ()))]
    named = replace(groom, about={**groom.about, "name": chosen})
    return _of_shelf((shelf or Shelf()).add(chosen, named, kind_of(groom), title, labels, told))


def kind_of(groom: Groom) -> str:
    """The class of a groom from its strands: `medium wavy` and the like. Length is the median strand's."""
    import numpy as np

    points = np.asarray(groom.points, np.float64)
    step = np.linalg.norm(np.diff(points, axis=1), axis=2)
    way = np.concatenate([np.zeros((len(points), 1)), np.cumsum(step, 1)], 1)
    median = float(np.median(way[:, -1])) if len(points) else 0.0
    size = "short" if median < SHORT else "medium" if median < MEDIUM else "long"
    ratios = []
    for strand, reach in zip(points[:: max(len(points) // 500, 1)], way[:: max(len(points) // 500, 1)], strict=True):
        marks = np.linspace(0, reach[-1], max(round(reach[-1] / WINDOW), 1) + 1)
        places = np.stack([np.interp(marks, reach, strand[:, axis]) for axis in range(3)], 1)
        crow = np.linalg.norm(np.diff(places, axis=0), axis=1).sum()
        ratios.append(reach[-1] / max(crow, 1e-6))
    texture = TEXTURES[int(np.searchsorted((STRAIGHT, WAVY, CURLY), np.median(ratios)))] if ratios else TEXTURES[0]
    return f"{size} {texture}"


@lru_cache(maxsize=4)
def shipped(path: Path = STYLES) -> tuple[Entry, ...]:
    """The styles that come with Headform, and the head without hair."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    bald = Entry(NONE, "No hair", "none", ("bald",))
    return (bald, *(_of_row(row) for row in rows))


def _of_row(row: Mapping[str, Any]) -> Entry:
    return Entry(row["name"], row["title"], row["class"], tuple(row.get("tags", ())), facts={"source": "Headform"})


def _of_shelf(shelved: Shelved) -> Entry:
    licence = str(shelved.facts.get("licence", "unknown"))
    facts = {**shelved.facts, "file": str(shelved.file), "added": shelved.added}
    return Entry(shelved.name, shelved.title, shelved.kind, shelved.tags, True, licence, facts)


def _grown(name: str, head: HeadModel | None, count: int, seed: int) -> Groom:
    """The one place where a name becomes strands."""
    from headform.hair import grow

    return grow.groom_of(name, head, seed=seed, count=count)


def _on_head(own: Groom, head: HeadModel | None) -> Groom:
    """A groom of the default head on another head at rest: it goes with its roots."""
    if head is None or own.roots is None:
        return own
    from headform.head import load_default

    default = load_default()
    if head is default or head.vertex_count != default.vertex_count:
        return own
    return own.moved(default.rest(), head.rest())


# ── words ────────────────────────────────────────────────────────────────────────────────────────


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", text.lower()))


def _score(entry: Entry, word: str) -> float:
    """How well a word fits a style; 0 if it does not."""
    near = max(_fit(word, other) for other in _words(f"{entry.name} {entry.kind}"))
    far = max((_fit(word, other) for other in _words(" ".join([entry.title, *entry.tags]))), default=0.0)
    return max(near * IN_NAME, far)


def _fit(asked: str, other: str) -> float:
    if asked == other or other in _synonyms().get(asked, ()):
        return EXACT
    if min(len(asked), len(other)) >= LEAST_BEGINNING and (other.startswith(asked) or asked.startswith(other)):
        return BEGINNING
    return SIMILAR if difflib.SequenceMatcher(None, asked, other).ratio() >= NEARLY else 0.0


@lru_cache(maxsize=1)
def _synonyms() -> Mapping[str, frozenset[str]]:
    groups: Sequence[Sequence[str]] = json.loads(SYNONYMS.read_text(encoding="utf-8"))
    return {word: frozenset(group) for group in groups for word in group}


def _offer(wanted: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(wanted, known, NEAREST, NEAR)
    inside = [name for name in known if len(wanted) >= LEAST_BEGINNING and wanted in name and name not in near]
    offered = [*near, *inside][:NEAREST]
    if offered:
        return f"did you mean {' or '.join(offered)}?"
    return f"there are {len(known)}, and `headform hair list` shows them"

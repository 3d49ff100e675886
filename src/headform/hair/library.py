"""The hairstyles there are: those that ship with Headform, and those that a person has added (see `shelf`)."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.hair import mix
from headform.hair.align import align
from headform.hair.collider import push_out
from headform.hair.dense import SKIN_GAP, dense, groom_of
from headform.hair.groom import Groom
from headform.hair.groom import none as no_hair
from headform.hair.grow import Wearer, guides_of, wearer_of
from headform.hair.kinds import BALD, kind_of_groom, kind_of_style
from headform.hair.scalp import grid_places
from headform.hair.shelf import Shelf, Shelved, check_name
from headform.hair.style import Style
from headform.head import load_default
from headform.head.model import HeadModel

Floats = NDArray[np.float32]

DATA = Path(__file__).parent / "data"
STYLES = DATA / "styles.json"
SYNONYMS = DATA / "synonyms.json"
EXACT, BEGINNING, SIMILAR = 3.0, 2.0, 1.0  # what a word that is found counts: itself, its beginning, nearly it
IN_NAME = 1.5  # times as much in the name or the class as in title and tags
LEAST_BEGINNING = 3  # letters
SCALP_PLACES = 160  # along a side of the scalp's square: finer than its triangles
AT_ROOT = 0.002  # metres that a strand may begin beside its root; kept strands are rounded
NEARLY = 0.8  # of difflib's ratio, for words: one letter of five is wrong
NEAREST, NEAR = 3, 0.5  # names that an error offers, and how like the one that was asked for


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
    licence: str = "unknown"
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
    wanted = _same(name, found)
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
    scores = np.array([[_score(entry, word) for word in sorted(asked)] for entry in there]).reshape(len(there), -1)
    found_whole = (scores >= BEGINNING).any(0)
    scores[:, found_whole] *= scores[:, found_whole] >= BEGINNING  # a word that is known is no slip for another
    matched = (scores > 0).sum(1)
    most = matched.max(initial=1)
    fit = [(entry, total) for entry, n, total in zip(there, matched, scores.sum(1), strict=True) if n == most]
    return [entry for entry, _ in sorted(fit, key=lambda pair: (-pair[1], pair[0].name))]


def classes(shelf: Shelf | None = None, path: Path = STYLES) -> dict[str, list[str]]:
    """The classes, and the names of the styles of each."""
    found: dict[str, list[str]] = {}
    for entry in entries(shelf, path):
        found.setdefault(entry.kind, []).append(entry.name)
    return dict(sorted(found.items()))


def style(name: str, path: Path = STYLES) -> Style:
    """The parameters of a style that ships. Raises BadInput with the nearest names if there is none."""
    found = {each.name: each for each in styles(path)}
    wanted = _same(name, found)
    if wanted not in found:
        raise BadInput(f"no style that ships with Headform is called {name!r}; {_offer(wanted, list(found))}")
    return found[wanted]


def groom(
    name: str,
    head: HeadModel | None = None,
    count: int | None = None,
    seed: int = 0,
    vertices: Floats | None = None,
    shelf: Shelf | None = None,
    path: Path = STYLES,
) -> Groom:
    """The strands of a style on a head at rest: the default one or another, the mean or with `vertices` (V, 3).

    Styles that ship are grown there, `count` strands or as many as the style asks for; another seed gives other strands
    of the same cut. A person's own are as they were added, `count` of them at most; the seed chooses which to leave
    out. Raises BadInput if there is none of this name, or if its file is gone.
    """
    entry = find(name, shelf, path)
    if entry.name == BALD:
        return no_hair()
    if entry.own:
        own = _on_head((shelf or Shelf()).groom(entry.name), head, vertices)
        return own if count is None else own.thinned(count, seed)
    return groom_of(style(entry.name, path), _wearer(head, vertices), seed, count)


def mixed(
    names: Sequence[str],
    seed: int = 0,
    shares: Sequence[float] | None = None,
    head: HeadModel | None = None,
    count: int | None = None,
    vertices: Floats | None = None,
    shelf: Shelf | None = None,
    path: Path = STYLES,
) -> Groom:
    """A new hairstyle out of two or more, strand by strand: each has patches of the scalp, about as large as its share.

    How strands curl and hold together is the mean of the styles. Raises BadInput for fewer than two, for a name that is
    not there, and for one without hair.
    """
    found = [find(name, shelf, path) for name in names]
    if len(found) < 2:
        raise BadInput("one hairstyle cannot be mixed; name two or more")
    wearer = _wearer(head, vertices)
    parents, guides = [], []
    for entry in found:
        if entry.kind == BALD:
            raise BadInput(f"{entry.name!r} has no hair to mix; choose another")
        if entry.own:
            own = _on_head((shelf or Shelf()).groom(entry.name), head, vertices)
            guides.append(own.guides if own.guides is not None else mix.guides_of_strands(own, _roots(wearer)))
            tone = np.asarray(own.colours, np.float64).reshape(-1, 3).mean(0)
            parents.append(Style(entry.name, colour=(float(tone[0]), float(tone[1]), float(tone[2]))))
        else:
            parents.append(style(entry.name, path))
            guides.append(guides_of(parents[-1], wearer, seed))
    given = [1.0] * len(found) if shares is None else shares
    tensor = mix.mixed(guides, seed, given, wearer)
    joined = replace(mix.between(parents, given), name="mix", tags=_common([entry.tags for entry in found]))
    out = dense(tensor, joined, wearer, seed, count)
    licences = sorted({entry.licence for entry in found})
    source = "mix of " + ", ".join(entry.name for entry in found)
    return replace(out, about={**out.about, "source": source, "licence": "; ".join(licences), "seed": seed})


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
    chosen = check_free(name, shelf, path)
    if not len(groom):
        raise BadInput(f"there is no strand to keep as {chosen!r}; a head without hair is always there as {BALD!r}")
    told = {key: groom.about[key] for key in ("source", "licence", "seed", "unit") if key in groom.about}
    told |= {**(facts or {}), **measures(groom)}
    labels = [*tags, *(str(tag) for tag in groom.about.get("tags", ()))]
    named = replace(groom, about={**groom.about, "name": chosen})
    return _of_shelf((shelf or Shelf()).add(chosen, named, kind_of_groom(groom), title, labels, told))


def check_free(name: str, shelf: Shelf | None = None, path: Path = STYLES) -> str:
    """The name as it is kept. Raises BadInput if it is taken or cannot be one."""
    chosen = check_name(name)
    there = {entry.name for entry in shipped(path)}
    if _same(chosen, there) in there:
        raise BadInput(f"{chosen!r} ships with Headform and cannot be replaced; choose another name")
    if chosen in {entry.name for entry in (shelf or Shelf()).entries()}:
        raise BadInput(f"there is a hairstyle called {chosen!r} already; choose another name, or delete it first")
    return chosen


def tag(
    name: str, add: Iterable[str] = (), remove: Iterable[str] = (), shelf: Shelf | None = None, path: Path = STYLES
) -> Entry:
    """Give tags to a person's own style, and take tags from it. Raises BadInput for a style that ships."""
    entry = _own(find(name, shelf, path), "tagged")
    return _of_shelf((shelf or Shelf()).tag(entry.name, add, remove))


def delete(name: str, shelf: Shelf | None = None, path: Path = STYLES) -> Entry:
    """Forget a person's own style, and its strands. Raises BadInput for a style that ships."""
    entry = _own(find(name, shelf, path), "deleted")
    (shelf or Shelf()).delete(entry.name)
    return entry


def _own(entry: Entry, what: str) -> Entry:
    if not entry.own:
        raise BadInput(f"{entry.name!r} ships with Headform and cannot be {what}; only your own styles can")
    return entry


def fitted(groom: Groom) -> Groom:
    """A groom laid on the mean default head: as it is if it is bound to it, else aligned by its roots, bound to the
    scalp and pushed out of the head. Raises BadInput where it is no hair for a head."""
    wearer = wearer_of(load_default())
    if groom.roots is not None and _bound(groom, wearer):
        return groom
    places = np.stack(np.meshgrid(*[np.linspace(0, 1, SCALP_PLACES)] * 2), -1).reshape(-1, 2)
    scalp = np.unique(wearer.scalp.roots(places).corners, axis=0)
    points = wearer.scalp.roots(grid_places()).points(wearer.vertices)
    return align(groom, wearer.vertices, scalp, points, lambda hair: push_out(wearer.collider.bare, hair, SKIN_GAP))


def taken_off(groom: Groom, head: HeadModel, vertices: Floats) -> Groom:
    """The hair of a head with vertices (V, 3) at rest, laid on the mean default head. Raises BadInput as `fitted`."""
    default = load_default()
    if head.name != default.name:
        return fitted(replace(groom, roots=None, guides=None))
    return _moved(groom, vertices, wearer_of(default))


def _moved(groom: Groom, vertices: Floats, wearer: Wearer) -> Groom:
    """A groom of a head with vertices (V, 3) on another of the same model: with their roots, and out of the head."""
    moved = groom.moved(vertices, wearer.vertices)
    return replace(moved, points=push_out(wearer.collider.bare, moved.points, SKIN_GAP)) if len(moved) else moved


def _bound(groom: Groom, wearer: Wearer) -> bool:
    """Whether the roots are on this head."""
    assert groom.roots is not None
    if not len(groom):
        return True
    if groom.roots.corners.max() >= len(wearer.vertices):
        return False
    away = groom.roots.points(wearer.vertices) - groom.points[:, 0]
    return float(np.linalg.norm(away, axis=1).max()) < AT_ROOT


def measures(groom: Groom) -> dict[str, Any]:
    """strands, and length_median_m and length_longest_m in metres; None without hair."""
    lengths = groom.lengths()
    return {
        "strands": len(groom),
        "length_median_m": round(float(np.median(lengths)), 4) if len(groom) else None,
        "length_longest_m": round(float(lengths.max()), 4) if len(groom) else None,
    }


@lru_cache(maxsize=4)
def styles(path: Path = STYLES) -> tuple[Style, ...]:
    """The styles that ship with Headform, as parameters."""
    return tuple(Style.from_row(row) for row in json.loads(path.read_text(encoding="utf-8")))


@lru_cache(maxsize=4)
def shipped(path: Path = STYLES) -> tuple[Entry, ...]:
    """The styles that ship with Headform, and the head without hair."""
    nothing = Entry(BALD, "Bald", BALD, ("bald",), False, "Apache-2.0", {"source": "Headform"})
    return (nothing, *(_of_style(each) for each in styles(path) if each.name != BALD))


def _of_style(style: Style) -> Entry:
    facts = {"source": "Headform", **({"about": style.about} if style.about else {})}
    title = style.title or style.name.replace("_", " ").replace("-", " ").capitalize()
    return Entry(style.name, title, kind_of_style(style), style.tags, False, style.licence, facts)


def _of_shelf(shelved: Shelved) -> Entry:
    licence = str(shelved.facts.get("licence", "unknown"))
    facts = {**shelved.facts, "file": str(shelved.file), "added": shelved.added}
    return Entry(shelved.name, shelved.title, shelved.kind, shelved.tags, True, licence, facts)


def _common(tags: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The tags that all have."""
    return tuple(tag for tag in tags[0] if all(tag in others for others in tags[1:]))


# ── growing: the one place where styles become strands ───────────────────────────────────────────


def _wearer(head: HeadModel | None, vertices: Floats | None) -> Wearer:
    return wearer_of(load_default() if head is None else head, vertices)


def _roots(wearer: Wearer) -> Floats:
    return wearer.scalp.roots(grid_places()).points(wearer.vertices)


def _on_head(own: Groom, head: HeadModel | None, vertices: Floats | None) -> Groom:
    """A groom of the mean default head on this one. Raises BadInput for a head of another model."""
    default = load_default()
    if head is not None and head.name != default.name:
        raise BadInput(
            f"your own hairstyles fit the default head, not {head.name!r}; use `headform model use {default.name}`"
        )
    return own if vertices is None else _moved(own, default.rest(), _wearer(head, vertices))


# ── words ────────────────────────────────────────────────────────────────────────────────────────


def _same(name: str, known: Container[str]) -> str:
    """The known name that differs at most in the size of letters and in what joins words: a space, - or _."""
    wanted = name.strip().lower()
    if wanted in known:
        return wanted
    if wanted == "none":
        return BALD
    spelt = [re.sub(r"[ _-]+", joint, wanted) for joint in ("_", "-", "")]
    return next((each for each in spelt if each in known), wanted)


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

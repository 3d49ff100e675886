"""The hairstyles that a person has added: strands in files of their own, and an SQLite index of them.

They live in the folder `hair` of what `head.registry.home()` names. The index alone says what is there: a file is
written whole before its row, and a row goes before its file, so whatever is interrupted leaves at most a file without
a row. Several processes may use one shelf at the same time.
"""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from headform.errors import BadInput
from headform.files import write_whole
from headform.hair.groom import Groom
from headform.head.registry import home

GOOD_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
GOOD_TAG = re.compile(r"[a-z0-9][a-z0-9 _-]{0,39}")
MOST_TAGS = 32
LONGEST_TITLE = 80
VERSION = 1  # of the index, in SQLite's user_version; a file that says more is not touched
PATIENCE = 20.0  # seconds to wait for another process that writes
INDEX = "index.sqlite"
TABLES = """
CREATE TABLE styles (
    name TEXT PRIMARY KEY NOT NULL,
    title TEXT NOT NULL,
    kind TEXT NOT NULL,
    file TEXT NOT NULL,
    added TEXT NOT NULL,
    facts TEXT NOT NULL
);
CREATE TABLE tags (
    name TEXT NOT NULL REFERENCES styles(name) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (name, tag)
);
"""


@dataclass(frozen=True, slots=True)
class Shelved:
    """One style on the shelf.

    kind   its class: short, medium or long; straight, wavy, curly or coily
    file   its strands
    added  when, UTC, ISO 8601
    facts  plain values: strands, lengths in metres, source, licence
    """

    name: str
    title: str
    kind: str
    tags: tuple[str, ...]
    file: Path
    added: str
    facts: Mapping[str, Any]


class Shelf:
    """The styles in one folder; the person's own if none is given. The folder is made by the first `add`."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or home() / "hair"

    @property
    def index(self) -> Path:
        """The SQLite file."""
        return self.folder / INDEX

    def entries(self) -> list[Shelved]:
        """All of them, by name."""
        if not self.index.is_file():
            return []
        with self._open() as index:
            tags = _tags_of_all(index)
            rows = index.execute("SELECT name, title, kind, file, added, facts FROM styles ORDER BY name").fetchall()
        return [self._shelved(row, tags.get(row[0], ())) for row in rows]

    def entry(self, name: str) -> Shelved:
        """One of them. Raises BadInput if there is none of this name."""
        wanted = name.strip().lower()
        for entry in self.entries():
            if entry.name == wanted:
                return entry
        raise _unknown(name)

    def groom(self, name: str) -> Groom:
        """The strands of one of them. Raises BadInput if there is none of this name, or if its file is gone."""
        from headform.hair import files

        entry = self.entry(name)
        if not entry.file.is_file():
            raise BadInput(
                f"the strands of {entry.name!r} are gone: {entry.file} is not there; put the file back, or forget the "
                f"style with `headform hair delete {entry.name}` and add it again"
            )
        return files.read(entry.file)

    def add(
        self,
        name: str,
        groom: Groom,
        kind: str,
        title: str = "",
        tags: Iterable[str] = (),
        facts: Mapping[str, Any] | None = None,
    ) -> Shelved:
        """Keep a groom. Raises BadInput if the name is taken, or if it or a tag cannot be one."""
        from headform.hair import files

        chosen, labels = check_name(name), check_tags(tags)
        heading = " ".join(title.split())[:LONGEST_TITLE] or chosen.replace("-", " ").replace("_", " ").capitalize()
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._open() as index:  # soon, so that a long write is not for nothing; the insertion decides
            if index.execute("SELECT 1 FROM styles WHERE name = ?", (chosen,)).fetchone():
                raise _taken(chosen)
        path = self.folder / f"{chosen}-{secrets.token_hex(4)}.npz"  # never a name that another process writes too
        with write_whole(path) as stream:
            stream.write(files.to_bytes(groom, ".npz"))
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        row = (chosen, heading, kind, path.name, now, json.dumps(dict(facts or {})))
        try:
            with self._open(writing=True) as index:
                index.execute("INSERT INTO styles VALUES (?, ?, ?, ?, ?, ?)", row)
                index.executemany("INSERT INTO tags VALUES (?, ?)", [(chosen, label) for label in labels])
        except sqlite3.IntegrityError:
            path.unlink(missing_ok=True)
            raise _taken(chosen) from None
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return self._shelved(row, labels)

    def tag(self, name: str, add: Iterable[str] = (), remove: Iterable[str] = ()) -> Shelved:
        """Give tags to a style, and take tags from it. Raises BadInput for a style that is not there, a tag that cannot
        be one, or too many."""
        given, taken = check_tags(add), check_tags(remove)
        chosen = self.entry(name).name
        with self._open(writing=True) as index:
            if not index.execute("SELECT 1 FROM styles WHERE name = ?", (chosen,)).fetchone():
                raise _unknown(name)
            index.executemany("DELETE FROM tags WHERE name = ? AND tag = ?", [(chosen, tag) for tag in taken])
            index.executemany("INSERT OR IGNORE INTO tags VALUES (?, ?)", [(chosen, tag) for tag in given])
            (count,) = index.execute("SELECT count(*) FROM tags WHERE name = ?", (chosen,)).fetchone()
            if count > MOST_TAGS:
                raise BadInput(f"{chosen!r} would have {count} tags; take some away, {MOST_TAGS} fit")
        return self.entry(chosen)

    def delete(self, name: str) -> Shelved:
        """Forget a style and delete its strands. Raises BadInput if there is none of this name."""
        entry = self.entry(name)
        with self._open(writing=True) as index:
            if not index.execute("DELETE FROM styles WHERE name = ?", (entry.name,)).rowcount:
                raise _unknown(name)
        entry.file.unlink(missing_ok=True)
        return entry

    def _shelved(self, row: tuple[Any, ...], tags: Iterable[str]) -> Shelved:
        name, title, kind, file, added, facts = row
        # only the last part of the path: an index from elsewhere must not make us read or delete other files
        path = self.folder / Path(file).name
        try:
            known = json.loads(facts)
        except ValueError as error:
            raise self._damaged(error) from error
        return Shelved(name, title, kind, tuple(tags), path, added, known)

    def _damaged(self, error: Exception) -> BadInput:
        return BadInput(
            f"the index of your hairstyles, {self.index}, is damaged: {error}; put a copy back, or move it away and "
            "add the .npz files beside it again"
        )

    @contextmanager
    def _open(self, writing: bool = False) -> Iterator[sqlite3.Connection]:
        """The index, in one transaction that counts as a whole or, after an error, not at all."""
        try:
            with closing(sqlite3.connect(self.index, timeout=PATIENCE, isolation_level=None)) as index:
                self._prepare(index)
                index.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
                try:
                    yield index
                except BaseException:
                    index.execute("ROLLBACK")
                    raise
                index.execute("COMMIT")
        except sqlite3.IntegrityError:
            raise
        except sqlite3.OperationalError as error:
            raise BadInput(
                f"the index of your hairstyles, {self.index}, cannot be used: {error}; make sure that the folder can "
                "be written and that no other program holds the file"
            ) from error
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error

    def _prepare(self, index: sqlite3.Connection) -> None:
        (version,) = index.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise BadInput(
                f"the index of your hairstyles, {self.index}, was made by a newer Headform (version {version} of the "
                f"index, this one knows {VERSION}); update Headform, or set HEADFORM_HOME to another folder"
            )
        if version == 0:
            index.execute("BEGIN IMMEDIATE")
            (version,) = index.execute("PRAGMA user_version").fetchone()  # another process may have been quicker
            if version == 0:
                for statement in filter(str.strip, TABLES.split(";")):
                    index.execute(statement)
                index.execute(f"PRAGMA user_version = {VERSION}")
            index.execute("COMMIT")
        index.execute("PRAGMA foreign_keys = ON")


def check_name(name: str) -> str:
    """A style's name as it is kept: small letters. Raises BadInput if it cannot be one."""
    chosen = name.strip().lower()
    if not GOOD_NAME.fullmatch(chosen):
        raise BadInput(
            f"{name!r} cannot be a hairstyle's name; use letters a to z, digits, - and _, up to 40, for example my-bob"
        )
    return chosen


def check_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags as they are kept: small letters, each once, sorted. Raises BadInput if one cannot be a tag."""
    chosen = sorted({" ".join(tag.lower().split()) for tag in tags} - {""})
    for tag in chosen:
        if not GOOD_TAG.fullmatch(tag):
            raise BadInput(f"{tag!r} cannot be a tag; use letters a to z, digits, spaces, - and _, up to 40")
    if len(chosen) > MOST_TAGS:
        raise BadInput(f"{len(chosen)} tags are too many; give at most {MOST_TAGS}")
    return tuple(chosen)


def _tags_of_all(index: sqlite3.Connection) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for name, tag in index.execute("SELECT name, tag FROM tags ORDER BY tag"):
        found.setdefault(name, []).append(tag)
    return {name: tuple(tags) for name, tags in found.items()}


def _unknown(name: str) -> BadInput:
    return BadInput(f"there is no hairstyle {name!r} among your own; `headform hair list` shows what there is")


def _taken(name: str) -> BadInput:
    return BadInput(f"there is a hairstyle called {name!r} already; choose another name, or delete it first")

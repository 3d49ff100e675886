"""What a person sees while photos become heads, and what a program reads."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any

BAR = 16  # characters
SPINNER, TICK = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", 0.1  # seconds from one to the next
FEW_FILES = 6  # have room in a line with their sizes
UP_AND_CLEAR, CLEAR = "\x1b[1A\x1b[2K", "\r\x1b[2K"


@dataclass(frozen=True, slots=True)
class Face:
    """One face that was written: files with their bytes, `seconds` since its photo was begun."""

    photo: Path
    number: int
    folder: Path
    files: Mapping[str, int]
    seconds: float
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one photo: faces that were written, and the error that ended it, if one did."""

    photo: Path
    faces: tuple[Face, ...]
    error: Exception | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Step:
    """Where a photo is: `share`, 0 … 1, of its work is done; it was begun at `begin`, a count of seconds."""

    stage: str
    share: float
    begin: float


class Show:
    """On a terminal a live line for each photo under way; elsewhere a plain line for each that is done, on stderr.

    As JSON: one line for each face, or for a photo that failed, on stdout, and nothing else. Several threads may tell
    it things.
    """

    def __init__(self, count: int, as_json: bool) -> None:
        self.count, self.as_json = count, as_json
        self.live = not as_json and sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._lock, self._begin, self._done = Lock(), time.perf_counter(), 0
        self._under_way: dict[Path, Step] = {}
        self._drawn = 0
        self._over = Event()
        self._clock = Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Show:
        if self.live:
            self._clock.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self.live:
            self._clock.join()
        with self._lock:
            self._under_way.clear()
            self._draw()

    def stage(self, photo: Path, stage: str, share: float) -> None:
        """A photo has come to a stage; `share`, 0 … 1, of its work is done."""
        if not self.live:
            return
        with self._lock:
            now = time.perf_counter()
            before = self._under_way.get(photo)
            self._under_way[photo] = Step(stage, share, now if before is None else before.begin)
            self._draw()

    def add(self, face: Face) -> None:
        """A face has been written."""
        if self.as_json:
            self._print_row(
                {
                    "photo": str(face.photo),
                    "face": face.number,
                    "folder": str(face.folder),
                    "files": list(face.files),
                    "seconds": round(face.seconds, 3),
                    "warnings": list(face.warnings),
                    "error": None,
                }
            )

    def finish(self, outcome: Outcome) -> None:
        """A photo is done, well or badly."""
        if self.as_json:
            if outcome.error is not None:
                self._print_row(
                    {
                        "photo": str(outcome.photo),
                        "face": None,
                        "folder": None,
                        "files": [],
                        "seconds": round(outcome.seconds, 3),
                        "warnings": [],
                        "error": str(outcome.error),
                    }
                )
            return
        with self._lock:
            self._under_way.pop(outcome.photo, None)
            self._done += 1
            if outcome.error is None or self.count > 1:  # the error of a photo alone is told by the command line
                self._draw([*self._words(outcome)])
            else:
                self._draw()

    def sum_up(self, outcomes: Sequence[Outcome]) -> None:
        """The last lines of a batch: how many, how long, and every photo that gave no head, with its sentence."""
        if self.count == 1 or self.as_json:
            return
        failed = [outcome for outcome in outcomes if outcome.error is not None]
        heads = sum(len(outcome.faces) for outcome in outcomes)
        lines = [f"{_count(heads, 'head')} from {self.count} photos in {time.perf_counter() - self._begin:.1f} s"]
        if failed:
            lines.append(f"{_count(len(failed), 'photo')} failed:")
            lines += [f"  {_fault(outcome)}" for outcome in failed]
        _tell(lines)

    def _words(self, outcome: Outcome) -> list[str]:
        at = f"[{self._done}/{self.count}] " if self.count > 1 else ""
        if outcome.error is not None:
            return [f"{at}✗ {_fault(outcome)}"]
        where = ", ".join(str(face.folder) for face in outcome.faces)
        faces = f", {len(outcome.faces)} faces" if len(outcome.faces) > 1 else ""
        lines = [f"{at}✓ {outcome.photo.name}{faces} → {where}  {outcome.seconds:.1f} s"]
        for face in outcome.faces:
            whose = f"face {face.number}: " if len(outcome.faces) > 1 else ""
            if self.count == 1:
                lines.append(f"  {whose}{_listed(face.files)}")
            lines += [f"  note: {whose}{sentence}" for sentence in face.warnings]
        return lines

    def _draw(self, lasting: Sequence[str] = ()) -> None:
        """Lines that stay, above the live lines, which are drawn anew."""
        if not self.live:
            if lasting:
                _tell(lasting)
            return
        wide = shutil.get_terminal_size().columns
        now = time.perf_counter()
        live = [_cut(_bar(photo, step, now), wide - 1) for photo, step in self._under_way.items()]
        text = UP_AND_CLEAR * self._drawn + CLEAR + "".join(f"{line}\n" for line in [*map(_printable, lasting), *live])
        self._drawn = len(live)
        print(text, end="", file=sys.stderr, flush=True)

    def _tick(self) -> None:
        """The lines move while a stage goes on: whoever looks sees that it is alive."""
        while not self._over.wait(TICK):
            with self._lock:
                self._draw()

    def _print_row(self, row: dict[str, Any]) -> None:
        with self._lock:
            print(json.dumps(row), flush=True)


def _tell(lines: Sequence[str]) -> None:
    """Lines on stderr, where there is one: without it `print` would take stdout."""
    if sys.stderr is not None:
        print("\n".join(map(_printable, lines)), file=sys.stderr, flush=True)


def _fault(outcome: Outcome) -> str:
    """What went wrong, with the photo's path: of many, a name alone may not say which."""
    sentence = str(outcome.error)
    return sentence if str(outcome.photo) in sentence else f"{outcome.photo}: {sentence}"


def _printable(line: str) -> str:
    """A file's name may hold line ends, or commands to the terminal."""
    return "".join("?" if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter for letter in line)


def _bar(photo: Path, step: Step, now: float) -> str:
    filled = round(BAR * min(max(step.share, 0.0), 1.0))
    taken = now - step.begin
    spinner = SPINNER[int(taken / TICK) % len(SPINNER)]
    return f"{spinner} {'█' * filled}{'░' * (BAR - filled)} {step.stage:<8} {taken:4.1f} s  {photo.name}"


def _listed(files: Mapping[str, int]) -> str:
    """Names and sizes, of many files only how many and how much."""
    if len(files) > FEW_FILES:
        return f"{len(files)} files, {_megabytes(sum(files.values()))}"
    return ", ".join(f"{name} {_megabytes(size)}" for name, size in files.items())


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.0f} kB"


def _cut(line: str, wide: int) -> str:
    """As much of a line as fits into so many columns: Chinese letters take two, control characters do not pass."""
    kept, used = "", 0
    for letter in line:
        used += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if used > wide:
            return kept
        kept += letter if letter.isprintable() else "?"
    return kept


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")

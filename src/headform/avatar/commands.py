"""`headform reconstruct`: photos in, a folder for each face out."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from headform.errors import BadInput, HeadformError

if TYPE_CHECKING:
    from headform.avatar.backends import Reconstructor

FINE, REFUSED = 0, 2
FIRST_FOLDER = Path("avatars")
JOBS = 2
BAR = 16  # characters


def add_reconstruct(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `headform`."""
    add = commands.add_parser(
        "reconstruct",
        help="make a 3D head of every face in photos",
        epilog="Exit code 0: every photo gave a head; 2: at least one could not be used, and is listed.",
    )
    add.add_argument("photos", nargs="+", type=Path, metavar="PHOTO", help="photos, or folders of photos")
    add.add_argument("-o", "--output", type=Path, default=FIRST_FOLDER, metavar="DIR", help=f"({FIRST_FOLDER})")
    add.add_argument("--backend", default="headform", metavar="NAME", help="what reconstructs (headform)")
    add.add_argument("--face", type=int, metavar="N", help="only the N-th face, 1 is the largest (all)")
    add.add_argument("--jobs", type=int, default=JOBS, metavar="N", help=f"photos at the same time ({JOBS})")
    add.add_argument("--json", action="store_true", help="one JSON object for each face, for programs")
    add.set_defaults(run=reconstruct)


@dataclass
class Outcome:
    """What became of one photo."""

    photo: Path
    folders: list[Path] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    error: str = ""


def reconstruct(chosen: argparse.Namespace) -> int:
    if chosen.face is not None and chosen.face < 1:
        raise BadInput(f"--face {chosen.face} is no face; 1 is the largest")
    if not 1 <= chosen.jobs <= 64:
        raise BadInput(f"--jobs {chosen.jobs}: give 1 to 64")
    photos = find_photos(chosen.photos)

    from headform.avatar.backends import backend
    from headform.avatar.folder import folder_names

    maker = backend(chosen.backend)
    show = Show(len(photos), chosen.json)
    places = [chosen.output / name for name in folder_names(photos)]

    def work(job: tuple[Path, Path]) -> Outcome:
        return _one(maker, job[0], job[1], chosen.face, show)

    jobs = list(zip(photos, places, strict=True))
    if len(jobs) == 1:
        outcomes = [work(jobs[0])]
    else:
        pool = ThreadPoolExecutor(min(chosen.jobs, len(jobs)))
        try:
            outcomes = list(pool.map(work, jobs))
        except KeyboardInterrupt:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
        pool.shutdown()
    return show.end(outcomes)


def find_photos(given: Iterable[Path]) -> list[Path]:
    """The photos themselves, and those that lie in the folders, by name. Raises BadInput where there is none."""
    from headform.photo.picture import ENDINGS

    out: list[Path] = []
    for path in given:
        if not path.is_dir():
            out.append(path)
            continue
        inside = sorted(p for p in path.iterdir() if p.suffix.lower() in ENDINGS and not p.name.startswith("."))
        if not inside:
            raise BadInput(f"{path} holds no photo; photos end with {', '.join(ENDINGS)}")
        out += inside
    return out


def _one(maker: Reconstructor, path: Path, base: Path, face: int | None, show: Show) -> Outcome:
    """One photo to its folders. What is wrong with it becomes the outcome's error, not an exception."""
    from headform.avatar.folder import contents, face_folder, write_folder
    from headform.photo import Photo

    outcome, begin = Outcome(path), time.perf_counter()
    show.stage(path, "opening", 0.0)
    try:
        photo = Photo.open(path)
        avatars = maker.reconstruct(photo, face, lambda stage, share: show.stage(path, stage, 0.8 * share))
        for row, avatar in enumerate(avatars):
            show.stage(path, "writing", 0.8 + 0.2 * row / len(avatars))
            folder = face_folder(base, avatar.provenance.face if face is None else 1)
            files = contents(photo, avatar)
            write_folder(folder, files)
            outcome.folders.append(folder)
            outcome.warnings += avatar.warnings
            seconds = round(time.perf_counter() - begin, 3)
            number = avatar.provenance.face
            show.face(
                {
                    "photo": str(path),
                    "face": number,
                    "folder": str(folder),
                    "files": sorted(files),
                    "seconds": seconds,
                    "warnings": list(avatar.warnings),
                }
            )
    except HeadformError as error:
        outcome.error = str(error)
    except OSError as error:
        outcome.error = f"{error.filename or base}: {error.strerror or error}"
    except MemoryError:
        outcome.error = f"{path}: there is not enough memory for this photo; make it smaller"
    show.photo(outcome, time.perf_counter() - begin)
    return outcome


class Show:
    """What a person sees while it works: one live line on a terminal, plain lines elsewhere; JSON for programs."""

    def __init__(self, count: int, as_json: bool) -> None:
        self.count, self.as_json = count, as_json
        self.live = sys.stderr.isatty() and not as_json
        self._lock, self._shares, self._done = Lock(), dict[Path, float](), 0
        self._begin = time.perf_counter()

    def stage(self, path: Path, stage: str, share: float) -> None:
        """A photo has come so far."""
        if not self.live:
            return
        with self._lock:
            self._shares[path] = share
            whole = (self._done + sum(self._shares.values())) / self.count
            filled = round(BAR * min(whole, 1))
            bar = "█" * filled + "░" * (BAR - filled)
            print(f"\r\x1b[2K{bar} {path.name}: {stage}", end="", file=sys.stderr, flush=True)

    def face(self, row: dict[str, Any]) -> None:
        if self.as_json:
            with self._lock:
                print(json.dumps(row, ensure_ascii=False), flush=True)

    def photo(self, outcome: Outcome, seconds: float) -> None:
        """A photo is finished, well or badly."""
        with self._lock:
            self._shares.pop(outcome.photo, None)
            self._done += 1
            if self.as_json:
                if outcome.error:
                    row = {"photo": str(outcome.photo), "error": outcome.error}
                    print(json.dumps(row, ensure_ascii=False), flush=True)
                return
            if self.live:
                print("\r\x1b[2K", end="", file=sys.stderr)
            if outcome.error:
                print(f"✗ {outcome.error}", file=sys.stderr, flush=True)
                return
            faces = f"{len(outcome.folders)} faces → " if len(outcome.folders) > 1 else "→ "
            where = ", ".join(str(folder) for folder in outcome.folders)
            print(f"✓ {outcome.photo.name} {faces}{where}  ({seconds:.1f} s)", file=sys.stderr, flush=True)
            for sentence in dict.fromkeys(outcome.warnings):
                print(f"  note: {sentence}", file=sys.stderr, flush=True)

    def end(self, outcomes: list[Outcome]) -> int:
        """The last lines, and the exit code."""
        failed = [outcome for outcome in outcomes if outcome.error]
        if self.count > 1 and not self.as_json:
            heads = sum(len(outcome.folders) for outcome in outcomes)
            seconds = time.perf_counter() - self._begin
            print(f"{heads} heads of {self.count} photos in {seconds:.1f} s", file=sys.stderr)
            if failed:
                print(f"{len(failed)} could not be used:", file=sys.stderr)
                for outcome in failed:
                    print(f"  {outcome.error}", file=sys.stderr)
        return REFUSED if failed else FINE

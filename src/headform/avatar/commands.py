"""`headform reconstruct`: photos in, a folder for each face out. Heavy imports wait until they are needed."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from headform.avatar import formats
from headform.errors import BadInput, HeadformError

if TYPE_CHECKING:
    from headform.avatar.backends import Reconstructor
    from headform.avatar.formats import Format
    from headform.avatar.progress import Face, Outcome, Show

FINE, REFUSED = 0, 2
FIRST_FOLDER = Path("avatars")
FIRST_FORMATS = "zip,glb"
TEXTURE = 2048
JOBS, MOST_JOBS = 2, 64
SEEN = 0.65  # of the work on a photo: what remains is writing


def add_reconstruct(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `headform`."""
    add = commands.add_parser(
        "reconstruct",
        help="make a 3D head of every face in photos",
        description="Make a 3D head of every face in photos: avatar.zip and avatar.glb, params.json and preview.png in "
        "a folder named for the photo, further faces in NAME-2, NAME-3 …",
        epilog="Exit code 0: every photo gave a head; 2: at least one did not, and is listed at the end; "
        "130: interrupted. An earlier folder is replaced only if Headform wrote all that is in it.",
    )
    add.add_argument("photos", nargs="+", type=Path, metavar="PHOTO", help="photos, or folders of photos")
    add.add_argument("-o", "--output", type=Path, default=FIRST_FOLDER, metavar="DIR", help=f"({FIRST_FOLDER})")
    add.add_argument(
        "--texture", type=int, default=TEXTURE, metavar="N", help=f"pixels of the skin: 1024, 2048 or 4096 ({TEXTURE})"
    )
    add.add_argument(
        "--format",
        default=FIRST_FORMATS,
        metavar="LIST",
        help=f"of zip, glb, vrm, usdz, usdc, usda, obj, with commas ({FIRST_FORMATS})",
    )
    add.add_argument("--backend", default="headform", metavar="NAME", help="headform, or average, the baseline")
    add_hair_options(add, "photo, none, or the name of a hairstyle: headform hair list (photo)")
    add.add_argument("--face", type=int, metavar="N", help="only the N-th face, 1 is the largest (all)")
    add.add_argument("--jobs", type=int, default=JOBS, metavar="N", help=f"photos at the same time ({JOBS})")
    add.add_argument(
        "--debug",
        action="store_true",
        help="also crop.png, input_view.png, overlay.png, posed.obj: is it like the photo?",
    )
    add.add_argument("--json", action="store_true", help="one line of JSON for each face, for programs")
    add.set_defaults(run=reconstruct)


def reconstruct(chosen: argparse.Namespace) -> int:
    """Run the command; one photo that cannot be used raises its error, of many each is told."""
    if chosen.face is not None and chosen.face < 1:
        raise BadInput(f"--face {chosen.face} is no face; 1 is the largest")
    if not 1 <= chosen.jobs <= MOST_JOBS:
        raise BadInput(f"--jobs {chosen.jobs} cannot be; give 1 to {MOST_JOBS}")
    made = formats.check(chosen.format.split(","))
    check_output(chosen.output)
    photos = find_photos(chosen.photos)

    from headform.avatar.backends import backend
    from headform.avatar.folder import folder_names
    from headform.avatar.progress import Show
    from headform.avatar.try_on import wished

    hairdo = wished(chosen.hair, chosen.hair_color, chosen.hair_length, chosen.hair_curl)
    maker = backend(chosen.backend, texture=chosen.texture, hairdo=hairdo)
    show = Show(len(photos), chosen.json)
    batch = Batch(maker, chosen.face, show, made, chosen.debug)
    jobs = list(zip(photos, [chosen.output / name for name in folder_names(photos)], strict=True))
    with batch.show:
        outcomes = [batch.work(*jobs[0])] if len(jobs) == 1 else batch.run(jobs, chosen.jobs)
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    if failed and len(jobs) == 1:
        assert failed[0].error is not None
        raise failed[0].error
    batch.show.sum_up(outcomes)
    return REFUSED if failed else FINE


def add_hair_options(add: argparse.ArgumentParser, about: str) -> None:
    """--hair, described by `about`, and what else may be said of it."""
    add.add_argument("--hair", metavar="NAME", help=about)
    add.add_argument(
        "--hair-color", "--hair-colour", metavar="COLOUR", help="a name such as auburn, or #a52a2a (as it is)"
    )
    add.add_argument("--hair-length", type=float, default=1.0, metavar="F", help="times as long, 0.25 to 3 (1)")
    add.add_argument("--hair-curl", type=float, default=1.0, metavar="F", help="times as curly, 0.25 to 3 (1)")


def check_output(folder: Path) -> None:
    """Raises BadInput where it is plain before any work that nothing can be written below `folder`."""
    there = next((path for path in (folder, *folder.parents) if os.path.lexists(path)), Path())
    if not there.is_dir():
        raise BadInput(f"{there} is no folder; choose another with -o")
    if not os.access(there, os.W_OK | os.X_OK):
        raise BadInput(f"{there} is a folder in which nothing may be written; choose another with -o")


def find_photos(given: Iterable[Path]) -> list[Path]:
    """The photos themselves, and those that lie in the folders, by name; each once.

    Hidden files, and folders in folders, are passed over; whether a photo can be read shows when it is opened. Raises
    BadInput for a folder without a photo, or that cannot be read.
    """
    from headform.photo.picture import ENDINGS

    found: dict[str, Path] = {}
    for path in given:
        inside = [path]
        if os.path.isdir(path):  # noqa: PTH112 - Path's own raises where a path is too long or locked
            try:
                inside = sorted(p for p in path.iterdir() if _is_photo(p, ENDINGS))
            except OSError as error:
                raise BadInput(f"{path} cannot be read: {error.strerror}; give a folder that can") from error
            if not inside:
                raise BadInput(f"{path} holds no photo; photos end with {', '.join(ENDINGS)}")
        for photo in inside:
            found.setdefault(os.path.realpath(photo), photo)
    return list(found.values())


class Batch:
    """Photos on their way through one reconstructor; several threads work on one batch.

    Threads, not processes: the networks, the fit's matrices and the rasteriser run outside the interpreter's lock,
    and one copy of the models is enough.
    """

    def __init__(
        self, maker: Reconstructor, face: int | None, show: Show, made: Sequence[Format], debug: bool = False
    ) -> None:
        self.maker, self.face, self.show, self.formats, self.debug = maker, face, show, made, debug
        self.alone = show.count == 1
        self._stop = Event()

    def run(self, jobs: list[tuple[Path, Path]], workers: int) -> list[Outcome]:
        """The outcomes of photos and the folders they go to, in order. Interrupted, no new photo is begun."""
        pool = ThreadPoolExecutor(min(workers, len(jobs)))
        try:
            return list(pool.map(lambda job: self.work(*job), jobs))
        finally:
            self._stop.set()
            pool.shutdown(wait=True, cancel_futures=True)

    def work(self, path: Path, base: Path) -> Outcome:
        """One photo to its folders. What is wrong with it becomes the outcome's error."""
        from headform.avatar.progress import Outcome

        begin = time.perf_counter()
        faces: list[Face] = []
        error: Exception | None = None
        try:
            self._make(path, base, faces, begin)
        except (Interrupted, BrokenPipeError):
            raise
        except HeadformError as found:
            error = found
        except OSError as found:
            error = BadInput(f"{found.filename or path}: {found.strerror or found}")
        except MemoryError:
            error = BadInput(f"{path} needs more memory than there is; make the photo smaller or lower --jobs")
        except Exception as found:
            if self.alone or os.environ.get("HEADFORM_DEBUG") == "1":
                raise
            error = BadInput(f"{path}: unexpected {type(found).__name__}: {found}; HEADFORM_DEBUG=1 shows where")
        outcome = Outcome(path, tuple(faces), error, time.perf_counter() - begin)
        self.show.finish(outcome)
        return outcome

    def _make(self, path: Path, base: Path, faces: list[Face], begin: float) -> None:
        from headform.avatar.folder import check_replaceable, contents, face_folder
        from headform.avatar.progress import Face
        from headform.photo import Photo

        self._tell(path, "opening", 0.0)
        check_replaceable(face_folder(base, self.face or 1))
        photo = Photo.open(path)
        avatars = self.maker.reconstruct(photo, self.face, lambda stage, share: self._tell(path, stage, SEEN * share))
        for row, avatar in enumerate(avatars):
            self._tell(path, "writing", SEEN + (1 - SEEN) * row / len(avatars))
            number = avatar.provenance.face
            folder = face_folder(base, number)
            files = contents(photo, avatar, self.formats, self.debug)
            _write(folder, files)
            seconds = time.perf_counter() - begin
            sizes = {name: len(content) for name, content in files.items()}
            faces.append(Face(path, number, folder, sizes, seconds, avatar.warnings))
            self.show.add(faces[-1])

    def _tell(self, path: Path, stage: str, share: float) -> None:
        if self._stop.is_set():
            raise Interrupted
        self.show.stage(path, stage, share)


class Interrupted(Exception):
    """The batch has ended while this photo was under way."""


def _write(folder: Path, files: dict[str, bytes]) -> None:
    from headform.avatar.folder import write_folder

    try:
        write_folder(folder, files)
    except OSError as error:
        reason = error.strerror or str(error)
        raise BadInput(f"{folder} cannot be written: {reason}; make room or choose another folder with -o") from error


def _is_photo(path: Path, endings: tuple[str, ...]) -> bool:
    named = path.suffix.lower() in endings and not path.name.startswith(".")
    return named and os.path.isfile(path)  # noqa: PTH113 - as above

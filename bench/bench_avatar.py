"""What a photo costs until it is an avatar.zip, stage by stage.

    python bench/bench_avatar.py PHOTO [PHOTO ...] [--texture 2048] [--rounds 5] [--cold 3]

First the command itself in processes of its own: the median time, and the largest memory of one of them. Then each
photo goes through `rounds` times in one process after one call to warm up: medians over all calls, in milliseconds,
without what a stage hands on to another of the table; what goes on in a second thread meanwhile counts for itself, and
waiting for it for the stage that waits.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

STAGES = {  # where the functions of each are called by name; those that are not there are passed over
    "open": ["headform.photo.picture:Photo.open"],
    "look": ["headform.avatar.backends:heads_of", "headform.avatar.backends:look_at"],
    "fit": ["headform.avatar.backends:fit_photo"],
    "light": ["headform.fit.fitter:estimate_light"],
    "skin": ["headform.avatar.backends:textures_of"],
    "eyes and mouth": [
        f"headform.skin.portrait:{name}" for name in ("eyes_of", "mouth_of", "paint_eye", "paint_mouth", "paint_lashes")
    ],
    "hair": ["headform.avatar.backends:hair_of"],
    "cards": ["headform.avatar.hair:cards_of", "headform.avatar.hair:scalp_paint"],
    "strand files": ["headform.avatar.hair:kept", "headform.avatar.hair:kept_coarsely", "headform.hair.files:to_bytes"],
    "preview": ["headform.avatar.pictures:preview"],
    "encode": ["headform.avatar.pictures:exact", "headform.avatar.pictures:compact"],
    "glb": ["headform.avatar.package:glb"],
    "obj": ["headform.avatar.obj:files"],
    "zip": ["headform.avatar.package:zip_bytes"],
}


class Stopwatch:
    """Seconds of each stage, without those of the stages within it in the same thread.

    beside  those of other threads, which no whole contains
    """

    def __init__(self) -> None:
        self.taken: dict[str, float] = defaultdict(float)
        self.beside = 0.0
        self._main = threading.get_ident()
        self._threads: dict[int, list[float]] = defaultdict(list)

    def watched(self, stage: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Any:
            within = self._threads[threading.get_ident()]
            within.append(0.0)
            start = time.perf_counter()
            try:
                return call(*given, **named)
            finally:
                whole = time.perf_counter() - start
                own = whole - within.pop()
                self.taken[stage] += own
                if within:
                    within[-1] += whole
                if threading.get_ident() != self._main:
                    self.beside += own

        return timed


@contextmanager
def watching(watch: Stopwatch) -> Iterator[None]:
    """The functions of all stages are timed."""
    before = []
    for stage, places in STAGES.items():
        for place in places:
            module, _, path = place.partition(":")
            *owners, name = path.split(".")
            owner: Any = import_module(module)
            for each in owners:
                owner = getattr(owner, each)
            if hasattr(owner, name):
                before.append((owner, name, owner.__dict__[name]))
                setattr(owner, name, watch.watched(stage, getattr(owner, name)))
    try:
        yield
    finally:
        for owner, name, original in reversed(before):
            setattr(owner, name, original)


def time_stages(photos: list[Path], texture: int, rounds: int) -> None:
    from headform.avatar.backends import backend
    from headform.photo import Photo

    maker = backend(texture=texture)
    rows: list[dict[str, float]] = []
    sizes = []
    for photo in photos:
        for turn in range(rounds + 1):
            watch = Stopwatch()
            with watching(watch):
                start = time.perf_counter()
                content = maker.reconstruct(Photo.open(photo), 1)[0].content(".zip")
                whole = time.perf_counter() - start
            if turn:
                rest = whole - sum(watch.taken.values()) + watch.beside
                rows.append({name: watch.taken[name] for name in STAGES} | {"the rest": rest, "photo → zip": whole})
        sizes.append(len(content))
    for stage in rows[0]:
        values = [row[stage] for row in rows]
        print(f"{stage:24} {median(values) * 1e3:8.0f} ms   {min(values) * 1e3:6.0f} – {max(values) * 1e3:.0f}")
    print(f"{'avatar.zip':24} {median(sizes) / 1e6:8.1f} MB")


def time_command(photo: Path, texture: int, rounds: int) -> None:
    """The whole command in a process of its own. It comes first: Linux counts a parent's memory as its child's."""
    taken = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as out:
            words = [sys.executable, "-m", "headform", "reconstruct", str(photo), "--face", "1"]
            start = time.perf_counter()
            subprocess.run([*words, "--texture", str(texture), "-o", out], check=True, capture_output=True)
            taken.append(time.perf_counter() - start)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    print(
        f"{'headform reconstruct':24} {median(taken) * 1e3:8.0f} ms   {min(taken) * 1e3:6.0f} – {max(taken) * 1e3:.0f}"
    )
    print(f"{'its memory':24} {memory:8.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    parser.add_argument("--texture", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cold", type=int, default=3)
    chosen = parser.parse_args()
    if chosen.cold:
        time_command(chosen.photos[0], chosen.texture, chosen.cold)
    time_stages(chosen.photos, chosen.texture, chosen.rounds)


if __name__ == "__main__":
    main()

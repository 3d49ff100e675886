"""What hair costs: found in photos, stage by stage, and tried on.

    python bench/bench_hair.py PHOTO [PHOTO ...] [--styles long_wavy,afro,bob_fringe,crew_cut] [--rounds 5]

Medians in milliseconds over all photos, or styles, and rounds, in one warm process and one thread; their range after
them. The last lines are for the network alone, and for the share of strand points that lie inside the head.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from headform.avatar import Avatar
from headform.avatar.backends import backend
from headform.avatar.views import with_glints
from headform.fit import fit_photo
from headform.hair import portrait
from headform.hair.network import decode
from headform.measure.hair import share_inside
from headform.photo import Photo, see

STAGES = ("look", "sight_of", "wearer_of", "chosen", "dense", "settled", "followed", "coloured")


def timed(taken: dict[str, list[float]], name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def run(*given: Any, **named: Any) -> Any:
        start = time.perf_counter()
        try:
            return call(*given, **named)
        finally:
            taken[name].append(time.perf_counter() - start)

    return run


def time_photos(photos: list[Path], rounds: int) -> None:
    """Every stage of hair, of faces that are found and fitted before."""
    taken: dict[str, list[float]] = defaultdict(list)
    plain = {name: getattr(portrait, name) for name in STAGES}
    found = timed(taken, "hair of a photo", portrait.hair_of)
    for path in photos:
        photo = Photo.open(path)
        (sighting,) = see(photo, 1)
        model = backend().model  # type: ignore[attr-defined]
        fit = fit_photo(photo, sighting, model)
        light = with_glints(fit.light)
        portrait.hair_of(photo, sighting, fit, model, light)
        for name in STAGES:
            setattr(portrait, name, timed(taken, name, plain[name]))
        for _ in range(rounds):
            found(photo, sighting, fit, model, light)
        for name in STAGES:
            setattr(portrait, name, plain[name])
        evidence = portrait.look(photo, sighting, fit, model)
        decoded = timed(taken, "network", decode)
        for _ in range(rounds):
            decoded(evidence.hair, evidence.angle, evidence.confidence)
    tell(taken)


def time_styles(photo: Path, styles: list[str], rounds: int) -> None:
    """Trying on styles of the library."""
    (avatar,) = backend(texture=1024).reconstruct(Photo.open(photo), 1)
    taken: dict[str, list[float]] = defaultdict(list)
    for style in styles:
        worn: Avatar = avatar.with_hair(style)
        for _ in range(rounds):
            timed(taken, f"try on {style}", avatar.with_hair)(style)
        print(f"{'inside the head, ' + style:32} {share_inside(worn.hair, worn) if worn.hair else 0:8.3%}")
    tell(taken)
    if avatar.hair is not None and len(avatar.hair):
        print(f"{'inside the head, from the photo':32} {share_inside(avatar.hair, avatar):8.3%}")


def tell(taken: dict[str, list[float]]) -> None:
    for name, seconds in taken.items():
        low, high = min(seconds) * 1e3, max(seconds) * 1e3
        print(f"{name:32} {median(seconds) * 1e3:8.0f} ms   {low:6.0f} – {high:.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    parser.add_argument("--styles", default="long_wavy,afro,bob_fringe,crew_cut")
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    time_photos(chosen.photos, chosen.rounds)
    time_styles(chosen.photos[0], chosen.styles.split(","), chosen.rounds)


if __name__ == "__main__":
    main()

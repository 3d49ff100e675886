"""Makes src/headform/skin/data/relief.png: pores and the fine net between them, the shape that all skin has.

    python assets/skin/relief.py [--out FOLDER]

Painted by headform.skin.relief for a young person, whose skin has no lines: lines are a photo's to show. It lies in the
head's atlas, so it is made again when the atlas changes. 8 bits hold heights from LOWEST to HIGHEST of
headform.skin.creases.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from headform.skin.atlas import atlas
from headform.skin.creases import HIGHEST, LOWEST, SIZE
from headform.skin.regions import regions
from headform.skin.relief import height
from headform.skin.traits import attributes, draw_traits

ROOT = Path(__file__).parents[2]
AGE, SEED = 18.0, 0


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes the relief that all skin has.")
    parser.add_argument("--out", type=Path, default=ROOT / "src/headform/skin/data")
    path: Path = parser.parse_args().out / "relief.png"
    who, at = attributes(AGE, 0.5, (1, 1, 1)), atlas(SIZE)
    raised, _ = height(at, regions(SIZE), who, draw_traits(SEED, who), SEED)
    share = (at.image(raised) - LOWEST) / (HIGHEST - LOWEST)
    Image.fromarray(np.rint(share.clip(0, 1) * 255).astype(np.uint8)).save(path, optimize=True)
    print(f"{path.name} {path.stat().st_size} bytes, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()

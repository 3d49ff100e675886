"""Puts a trained hair network into the package, with the manifest that says what it is.

    python assets/hair/ship_network.py hair.onnx --version 1

writes `src/headform/hair/models/hair.onnx` and `manifest.json` beside it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

from headform.files import write_whole

MODELS = Path(__file__).parents[2] / "src" / "headform" / "hair" / "models"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", type=Path, help="what `headform learn hair export` wrote")
    parser.add_argument("--version", required=True, help="of these weights")
    chosen = parser.parse_args()
    content = chosen.network.read_bytes()
    row = {
        "name": "hair",
        "role": "a first guess of a head's strand hair from one picture",
        "version": chosen.version,
        "file": "hair.onnx",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "licence": "Apache-2.0",
        "source": {"made_by": "headform learn hair", "learnt_from": "styles that Headform grows itself; no photos"},
        "weights": "float16",
        "input": "1×3×256×256 head crop: hair 0 or 1; cosine and sine of twice the strands' angle times confidence",
        "output": "1×4×100×32×32 offsets x, y, z from each root in metres and curliness; 1×32×32 logits of growth",
    }
    MODELS.mkdir(exist_ok=True)
    for name, data in (
        ("hair.onnx", content),
        ("manifest.json", json.dumps({"models": [row]}, indent=2).encode() + b"\n"),
    ):
        with write_whole(MODELS / name) as stream:
            stream.write(data)
    print(f"wrote {MODELS / 'hair.onnx'} ({len(content) / 1e6:.1f} MB) and its manifest")


if __name__ == "__main__":
    main()

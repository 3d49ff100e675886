"""The stand-in's head with painted skin, and other programs that read its files."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from avatar_stand_in import known_avatar

from headform.avatar.avatar import Avatar
from headform.skin.textures import Textures

NODE = Path(__file__).parent / "node"
SIZE = 256


@lru_cache(maxsize=1)
def some_textures() -> Textures:
    """Painted, and each picture another one, so that none is taken for another."""
    made = Textures.of(3, 45.0, 0.3, (0.6, 0.2, 0.2), SIZE)
    return replace(made, eye_right=np.ascontiguousarray(made.eye_left[:, ::-1]))


def dressed_avatar() -> Avatar:
    return replace(known_avatar(), textures=some_textures())


def ask(program: str, content: bytes, folder: Path, *settings: str) -> dict[str, Any]:
    """What gltf-validator, three.js or three-vrm find in a file; skips the test where they are not installed."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    if not (NODE / "node_modules" / "three").is_dir():
        pytest.skip("needs three.js, three-vrm and gltf-validator: npm install --prefix tests/avatar/node")
    path = folder / "avatar.bin"
    path.write_bytes(content)
    told = subprocess.run(
        [node, str(NODE / "ask.mjs"), program, str(path), *settings], capture_output=True, text=True, timeout=120
    )
    assert told.returncode == 0, told.stderr
    found: dict[str, Any] = json.loads(told.stdout)
    return found

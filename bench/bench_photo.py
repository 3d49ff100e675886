"""What the perception networks cost: `python bench/bench_photo.py [PHOTO]`. One thread; medians in milliseconds.

Without a photo the picture is noise, which costs a network as much as a face, but has no face to find.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from headform.photo import (
    FaceBox,
    check_models,
    find_faces,
    find_faces_quickly,
    find_landmarks,
    find_masks,
    identity_of,
)
from headform.photo.affine import square_to_chip
from headform.photo.litert import tflite_network
from headform.photo.onnx import onnx_network
from headform.photo.warp import warp

TFLITE = {
    "near_detector": (1, 128, 128, 3),
    "far_detector": (1, 192, 192, 3),
    "landmarks": (1, 256, 256, 3),
    "expression": (1, 146, 2),
    "segments": (1, 256, 256, 3),
    "emotion": (1, 64, 64, 1),
}
ONNX = {
    "identity": ((1, 3, 150, 150),),
    "likeness": ((1, 3, 256, 256),) * 2,
    "age": ((1, 3, 64, 64),),
    "gender": ((1, 3, 32, 32),),
}


def median_ms(call: Callable[[], object], rounds: int = 30) -> float:
    for _ in range(3):
        call()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return sorted(times)[rounds // 2] * 1e3


def show(what: str, call: Callable[[], object], rounds: int = 30) -> None:
    print(f"{what:44} {median_ms(call, rounds):8.2f} ms")


def main() -> None:
    draw = np.random.default_rng(0)
    start = time.perf_counter()
    size = sum(status.bytes for status in check_models())
    print(
        f"{'all files read and checked, ' + format(size / 1e6, '.1f') + ' MB':44} "
        f"{(time.perf_counter() - start) * 1e3:8.2f} ms"
    )
    for name, shape in TFLITE.items():
        given = draw.uniform(0, 1, shape).astype(np.float32)
        show(name, lambda name=name, given=given: tflite_network(name)(given))  # type: ignore[misc]
    for name, shapes in ONNX.items():
        inputs = [draw.uniform(0, 1, shape).astype(np.float32) for shape in shapes]
        show(name, lambda name=name, inputs=inputs: onnx_network(name)(*inputs))  # type: ignore[misc]
    if len(sys.argv) > 1:
        with Image.open(Path(sys.argv[1])) as photo:
            picture = np.array(ImageOps.exif_transpose(photo).convert("RGB"))
    else:
        picture = draw.integers(0, 256, (1200, 1600, 3), np.uint8)
    print(f"picture of {picture.shape[1]} × {picture.shape[0]}")
    to_chip = square_to_chip((800, 600), 400, 0.2, 256)
    show("warp, 400 pixels to a chip of 256", lambda: warp(picture, to_chip, (256, 256)))
    show("find_faces_quickly", lambda: find_faces_quickly(picture))
    show("find_faces", lambda: find_faces(picture), rounds=5)
    faces = find_faces(picture)
    face = faces[0] if faces else FaceBox(np.array([700.0, 500, 900, 700]), 1, np.array([[750.0, 560], [850, 560]]), "")
    points = find_landmarks(picture, face).points
    show("find_landmarks", lambda: find_landmarks(picture, face))
    show("find_masks", lambda: find_masks(picture, face), rounds=10)
    show("identity_of", lambda: identity_of(picture, points))


if __name__ == "__main__":
    main()

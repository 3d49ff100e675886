"""ST-LPIPS from its published weights: a blurred AlexNet looks at two pictures, without torch.

    python assets/models/likeness.py alex_shift_tolerant.pth OUT.onnx

The distance sums, over five depths of the network, the mean over the picture of the weighted squared difference of
features of unit length (LPIPS, equation 1). The shift-tolerant variant blurs before it halves, and halves after the
first convolution instead of in it. The file is float32; halve.py makes it smaller.
"""

from __future__ import annotations

import io
import pickle
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
from drawing import Drawing
from numpy.typing import NDArray

Tensors = dict[str, NDArray[np.float32]]
HEADERS = 3  # pickles before the tensors: a magic number, a version, the sizes of the writer's integers
TINY = 1e-10  # keeps a feature of length zero from dividing by zero
BLUR = np.outer([1, 2, 1], [1, 2, 1]) / 16
BLUR_MARGIN = 2  # pixels of reflection around what is blurred
CONVOLUTIONS = ("slice1.0", "slice2.5", "slice3.9", "slice4.11", "slice5.13")  # in the order of depth
PADS = (2, 2, 1, 1, 1)
POOLED_BEFORE = ("slice2.5", "slice3.9")


def build_likeness(weights: bytes) -> bytes:
    """The `.onnx` file: two inputs 1×3×h×w, RGB −1 … 1; output 1×1×1×1, 0 for the same picture."""
    tensors = read_tensors(weights)
    draw = Drawing()
    kept = {name: draw.keep(tensor) for name, tensor in tensors.items() if not name.endswith(".filt")}
    for channels in (64, 192):
        kept[f"blur {channels}"] = draw.keep(np.tile(BLUR, (channels, 1, 1, 1)))
    kept["margin"] = draw.keep([0, 0, BLUR_MARGIN, BLUR_MARGIN] * 2, np.int64)
    kept["along channels"] = draw.keep([1], np.int64)
    pairs = zip(see(draw, kept, "a"), see(draw, kept, "b"), strict=True)
    parts = [compare(draw, a, b, kept[f"lin{depth}.model.1.weight"]) for depth, (a, b) in enumerate(pairs)]
    draw.add("Sum", *parts)
    size: list[int | str] = [1, 3, "h", "w"]
    return draw.finish("likeness", [("a", size), ("b", size)], [("d", [1, 1, 1, 1])])


def see(draw: Drawing, kept: dict[str, str], picture: str) -> list[str]:
    """The five features of a picture, each with length 1 at every pixel."""
    centred = draw.add("Sub", picture, kept["scaling_layer.shift"])
    value = draw.add("Div", centred, kept["scaling_layer.scale"])
    features = []
    for name, pad in zip(CONVOLUTIONS, PADS, strict=True):
        if name in POOLED_BEFORE:
            pooled = draw.add("MaxPool", value, kernel_shape=[3, 3], strides=[1, 1])
            value = blur(draw, kept, pooled, channels=64 if name == "slice2.5" else 192)
        value = draw.add("Conv", value, kept[f"net.{name}.weight"], kept[f"net.{name}.bias"], pads=[pad] * 4)
        if name == "slice1.0":
            value = blur(draw, kept, value, channels=64)
        value = draw.add("Relu", value)
        squares = draw.add("ReduceSum", draw.add("Mul", value, value), kept["along channels"])
        length = draw.add("Add", draw.add("Sqrt", squares), draw.keep(TINY))
        features.append(draw.add("Div", value, length))
    return features


def blur(draw: Drawing, kept: dict[str, str], value: str, channels: int) -> str:
    """Every second pixel, blurred first, so that a small shift of the picture changes little."""
    wide = draw.add("Pad", value, kept["margin"], mode="reflect")
    return draw.add("Conv", wide, kept[f"blur {channels}"], group=channels, strides=[2, 2])


def compare(draw: Drawing, one: str, other: str, weights: str) -> str:
    """The mean over the picture of the weighted squared difference, 1×1×1×1."""
    difference = draw.add("Sub", one, other)
    squares = draw.add("Mul", difference, difference)
    return draw.add("ReduceMean", draw.add("Conv", squares, weights), axes=[2, 3])


def read_tensors(weights: bytes) -> Tensors:
    """The tensors by name from a file of torch's old format.

    That is a row of pickles, the last but one of which names the tensors and their storages and the last the order of
    the storages, and then every storage as its count (int64) and its float32 numbers.
    """
    stream = io.BytesIO(weights)
    for _ in range(HEADERS):
        TensorUnpickler(stream).load()
    described = TensorUnpickler(stream).load()
    storages = {}
    for key in TensorUnpickler(stream).load():
        count = int.from_bytes(stream.read(8), "little")
        storages[key] = np.frombuffer(stream.read(4 * count), np.float32)
    return {name: storages[key].reshape(shape) for name, (key, shape) in described.items()}


class TensorUnpickler(pickle.Unpickler):
    """Reads names and shapes of float32 tensors; anything else in the pickle is refused."""

    def find_class(self, module: str, name: str) -> Any:
        known = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _describe,
            ("torch", "FloatStorage"): "float32",
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"the weights want {module}.{name}")
        return known[module, name]

    def persistent_load(self, row: Any) -> str:
        """A storage is ('storage', its kind, its key, the device, its size, None)."""
        return str(row[2])


def _describe(key: str, start: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> tuple[Any, ...]:
    """Key and shape of a tensor that fills its storage row by row, which all of ST-LPIPS do."""
    packed = tuple(int(np.prod(shape[axis + 1 :])) for axis in range(len(shape)))
    if start or strides != packed:
        raise ValueError("a tensor is a part of its storage")
    return key, shape


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:3])
    target.write_bytes(build_likeness(source.read_bytes()))

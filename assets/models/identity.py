"""The identity network from face-api's weights: dlib's ResNet with 29 convolutions, without torch.

    python assets/models/identity.py MANIFEST.json WEIGHTS.bin OUT.onnx

Most published weights are bytes, with a scale and a minimum for each tensor. The network keeps them as bytes, so the
file is as small as the original and every number is exactly the published one.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from drawing import Drawing
from numpy.typing import NDArray

SIDE = 150  # pixels of the input
MEAN = (122.782, 117.001, 104.298)  # of dlib's training pictures, RGB
HEIGHT_WIDTH_IN_OUT = (3, 2, 0, 1)  # TensorFlow's order of a filter to ONNX's
RESIDUALS = {32: 3, 64: 3, 128: 2, 256: 2}  # plain blocks for each number of channels


@dataclass(frozen=True, slots=True)
class Quantised:
    """A tensor of the package: `steps` times `scale` plus `least`; eight are published as plain float32."""

    steps: NDArray[np.uint8 | np.float32]
    scale: float
    least: float

    @property
    def numbers(self) -> NDArray[np.float32]:
        return self.steps.astype(np.float32) * np.float32(self.scale) + np.float32(self.least)


@dataclass(frozen=True, slots=True)
class Picture:
    """A value on its way through the network: its name, its channels and its side in pixels."""

    name: str
    channels: int
    side: int


def build_identity(manifest: bytes, weights: bytes) -> bytes:
    """The `.onnx` file: input n×3×150×150, RGB 0 … 255; output n×128."""
    net = ResNet(read_tensors(manifest, weights))
    draw = net.draw
    centred = draw.add("Sub", "rgb", draw.keep(np.reshape(MEAN, (1, 3, 1, 1))))
    picture = Picture(draw.add("Div", centred, draw.keep(256)), 3, SIDE)
    picture = net.rectify(net.convolve(picture, "conv32_down", stride=2))
    pooled = draw.add("MaxPool", picture.name, kernel_shape=[3, 3], strides=[2, 2])
    picture = Picture(pooled, picture.channels, (picture.side - 3) // 2 + 1)
    for channels, count in RESIDUALS.items():
        if channels > 32:
            picture = net.shrink(picture, f"conv{channels}_down")
        for number in range(1, count + 1):
            picture = net.refine(picture, f"conv{channels}_{number}")
    picture = net.shrink(picture, "conv256_down_out")
    mean = draw.add("ReduceMean", picture.name, axes=[2, 3], keepdims=0)
    draw.add("MatMul", mean, net.keep(net.tensors["fc"]))
    return draw.finish("identity", [("rgb", ["n", 3, SIDE, SIDE])], [("desc", ["n", 128])])


def read_tensors(manifest: bytes, weights: bytes) -> dict[str, Quantised]:
    """The tensors by name; they lie in the file one after another in the manifest's order."""
    tensors, start = {}, 0
    for row in (row for group in json.loads(manifest) for row in group["weights"]):
        how = row.get("quantization", {"dtype": row["dtype"], "scale": 1, "min": 0})
        steps = np.frombuffer(weights, np.dtype(how["dtype"]), int(np.prod(row["shape"])), start)
        tensors[row["name"]] = Quantised(steps.reshape(row["shape"]), how["scale"], how["min"])
        start += steps.nbytes
    if start != len(weights):
        raise ValueError(f"the weights have {len(weights)} bytes, the manifest describes {start}")
    return tensors


class ResNet:
    """The blocks of dlib's network, drawn with the package's tensors."""

    def __init__(self, tensors: dict[str, Quantised]) -> None:
        self.tensors = tensors
        self.draw = Drawing()

    def keep(self, tensor: Quantised) -> str:
        """A tensor of weights, in the file as it is in the package."""
        if tensor.steps.dtype != np.uint8:
            return self.draw.keep(tensor.numbers)
        return self.draw.keep_bytes(tensor.steps.astype(np.uint8), tensor.scale, tensor.least)

    def convolve(self, picture: Picture, name: str, stride: int = 1) -> Picture:
        """Convolution, then dlib's affine layer. At stride 1 the size stays, else nothing is padded."""
        filters = self.tensors[f"{name}/conv/filters"]
        steps = np.ascontiguousarray(filters.steps.transpose(HEIGHT_WIDTH_IN_OUT))
        size = steps.shape[2]
        pad = (size - 1) // 2 if stride == 1 else 0
        kept = self.keep(replace(filters, steps=steps))
        bias = self.draw.keep(self.tensors[f"{name}/conv/bias"].numbers)
        value = self.draw.add("Conv", picture.name, kept, bias, strides=[stride] * 2, pads=[pad] * 4)
        for operator, kind in (("Mul", "weights"), ("Add", "biases")):
            vector = self.tensors[f"{name}/scale/{kind}"].numbers.reshape(1, -1, 1, 1)
            value = self.draw.add(operator, value, self.draw.keep(vector))
        return Picture(value, steps.shape[0], (picture.side + 2 * pad - size) // stride + 1)

    def rectify(self, picture: Picture) -> Picture:
        return Picture(self.draw.add("Relu", picture.name), picture.channels, picture.side)

    def refine(self, picture: Picture, name: str) -> Picture:
        """A residual block that keeps the size."""
        change = self.convolve(self.rectify(self.convolve(picture, f"{name}/conv1")), f"{name}/conv2")
        return self.rectify(Picture(self.draw.add("Add", change.name, picture.name), change.channels, change.side))

    def shrink(self, picture: Picture, name: str) -> Picture:
        """A residual block that halves the size; the shorter of its two ways is filled up with zeros."""
        inner = self.rectify(self.convolve(picture, f"{name}/conv1", stride=2))
        change = self.convolve(inner, f"{name}/conv2")
        halved = self.draw.add("AveragePool", picture.name, kernel_shape=[2, 2], strides=[2, 2])
        side = picture.side // 2
        shortcut = self.fill(halved, channels=change.channels - picture.channels, pixels=0)
        filled = self.fill(change.name, channels=0, pixels=side - change.side)
        return self.rectify(Picture(self.draw.add("Add", filled, shortcut), change.channels, side))

    def fill(self, value: str, channels: int, pixels: int) -> str:
        """With so many channels of zeros, and pixels at the right and at the bottom, more."""
        if not channels and not pixels:
            return value
        return self.draw.add("Pad", value, self.draw.keep([0, 0, 0, 0, 0, channels, pixels, pixels], np.int64))


if __name__ == "__main__":
    manifest, weights, target = map(Path, sys.argv[1:4])
    target.write_bytes(build_identity(manifest.read_bytes(), weights.read_bytes()))

"""Stores the large float32 weights of an ONNX network as float16; sums are still done in float32.

    python assets/models/halve.py IN.onnx OUT.onnx

Every weight tensor becomes a float16 initialiser followed by a Cast, which onnxruntime folds when it loads
the file: half the bytes on disk, the same speed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SMALLEST = 1024  # numbers; biases and shape constants are not worth a Cast


def halve(content: bytes) -> bytes:
    """The network with its large weights in float16. Twice the same input gives twice the same bytes."""
    model = onnx.load_from_string(content)
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        weights = numpy_helper.to_array(tensor)
        if weights.dtype != np.float32 or weights.size < SMALLEST:
            continue
        full, half = tensor.name, f"{tensor.name}.half"
        tensor.CopyFrom(numpy_helper.from_array(weights.astype(np.float16), half))
        casts.append(helper.make_node("Cast", [half], [full], name=f"{full}.cast", to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    for port in [port for port in graph.input if port.name in {cast.output[0] for cast in casts}]:
        graph.input.remove(port)
    onnx.checker.check_model(model)
    smaller: bytes = model.SerializeToString(deterministic=True)
    return smaller


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:3])
    target.write_bytes(halve(source.read_bytes()))

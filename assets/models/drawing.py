"""Draws an ONNX network node by node: what the two networks that come as bare weights are made with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8  # the oldest that has the opset, so that older runtimes read the file too
Port = tuple[str, Sequence[int | str]]  # name and shape; a word is a size that may vary


class Drawing:
    """A graph that grows; every method returns the name of the value it makes."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[onnx.TensorProto] = []

    def add(self, operator: str, *values: str, **settings: Any) -> str:
        """The result of an operator on values."""
        name = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, values, [name], name=name, **settings))
        return name

    def keep(self, numbers: ArrayLike, dtype: type[np.generic] = np.float32) -> str:
        """Numbers that are stored in the file."""
        name = f"tensor_{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.asarray(numbers, dtype), name))
        return name

    def keep_bytes(self, steps: NDArray[np.uint8], scale: float, least: float) -> str:
        """Numbers `steps · scale + least`, stored as bytes; the runtime works them out when it loads the file."""
        counted = self.add("Cast", self.keep(steps, np.uint8), to=TensorProto.FLOAT)
        return self.add("Add", self.add("Mul", counted, self.keep(scale)), self.keep(least))

    def finish(self, name: str, inputs: Sequence[Port], outputs: Sequence[Port]) -> bytes:
        """The checked network. Twice the same drawing gives twice the same bytes."""
        for value, (port, _) in zip(self.nodes[-len(outputs) :], outputs, strict=True):
            value.output[0] = port
        given, made = (
            [helper.make_tensor_value_info(port, TensorProto.FLOAT, shape) for port, shape in side]
            for side in (inputs, outputs)
        )
        graph = helper.make_graph(self.nodes, name, given, made, initializer=self.tensors)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="headform"
        )
        onnx.checker.check_model(model, full_check=True)
        content: bytes = model.SerializeToString(deterministic=True)
        return content

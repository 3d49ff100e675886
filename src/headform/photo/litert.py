"""Runs the shipped `.tflite` networks with LiteRT: one thread each, loaded at the first call, shared."""

from __future__ import annotations

from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.photo.shipped import read_model

Floats = NDArray[np.float32]

_networks: dict[str, TfliteNetwork] = {}
_loading = Lock()


class TfliteNetwork:
    """A network with one input. Calls from several threads wait for each other."""

    def __init__(self, content: bytes) -> None:
        """`content` is the bytes of a `.tflite` file."""
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter: Any = Interpreter(model_content=content, num_threads=1)
        self._interpreter.allocate_tensors()
        (given,) = self._interpreter.get_input_details()
        self._input = given["index"]
        self._outputs = [row["index"] for row in self._interpreter.get_output_details()]
        self._busy = Lock()

    def __call__(self, values: Floats) -> list[Floats]:
        """All outputs for one input of the network's own shape."""
        with self._busy:
            self._interpreter.set_tensor(self._input, np.ascontiguousarray(values, np.float32))
            self._interpreter.invoke()
            return [self._interpreter.get_tensor(index) for index in self._outputs]


def tflite_network(name: str) -> TfliteNetwork:
    """The shipped network of that name in the manifest. Raises MissingModel."""
    with _loading:
        if name not in _networks:
            _networks[name] = TfliteNetwork(read_model(name))
        return _networks[name]

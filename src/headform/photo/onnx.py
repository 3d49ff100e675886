"""Runs the shipped `.onnx` networks with ONNX Runtime: one thread each, loaded at the first call, shared."""

from __future__ import annotations

from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.photo.shipped import read_model

Floats = NDArray[np.float32]
ERRORS_ONLY = 3  # ONNX Runtime's log level: it otherwise reports on devices that are not there

_networks: dict[str, OnnxNetwork] = {}
_loading = Lock()


class OnnxNetwork:
    """A network with one or more inputs, given in the file's order. Safe to call from several threads."""

    def __init__(self, content: bytes) -> None:
        """`content` is the bytes of an `.onnx` file."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = ERRORS_ONLY
        self._session: Any = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self._inputs = [port.name for port in self._session.get_inputs()]

    def __call__(self, *values: Floats) -> list[Floats]:
        """All outputs for one array per input."""
        given = [np.ascontiguousarray(value, np.float32) for value in values]
        outputs: list[Floats] = self._session.run(None, dict(zip(self._inputs, given, strict=True)))
        return outputs


def onnx_network(name: str) -> OnnxNetwork:
    """The shipped network of that name in the manifest. Raises MissingModel."""
    with _loading:
        if name not in _networks:
            _networks[name] = OnnxNetwork(read_model(name))
        return _networks[name]

"""Runs the shipped `.tflite` networks with LiteRT: loaded at the first call, shared."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headform.photo.shipped import read_model

Floats = NDArray[np.float32]

THREADS = {"segments": 2}  # of one call; the other networks are too small to gain from a second one
STDERR = 2
GREETING = re.compile(rb"INFO: Created TensorFlow Lite XNNPACK delegate for CPU\.\r?\n")

_networks: dict[str, TfliteNetwork] = {}
_loading = Lock()


class TfliteNetwork:
    """A network with one input. Calls from several threads wait for each other."""

    def __init__(self, content: bytes, threads: int = 1) -> None:
        """`content` is the bytes of a `.tflite` file."""
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter: Any = Interpreter(model_content=content, num_threads=threads)
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
            content = read_model(name)
            with without_greeting():
                _networks[name] = TfliteNetwork(content, THREADS.get(name, 1))
        return _networks[name]


@contextmanager
def without_greeting() -> Iterator[None]:
    """Keeps one line of LiteRT's off stderr, which it writes below Python; what else is written comes afterwards.

    For one thread at a time. Where stderr is closed or nothing can be kept aside, the line comes through.
    """
    try:
        aside = TemporaryFile()  # noqa: SIM115 - a pipe could fill up and block
    except OSError:
        yield
        return
    with aside:
        try:
            stderr = os.dup(STDERR)
        except OSError:
            yield
            return
        os.dup2(aside.fileno(), STDERR)
        try:
            yield
        finally:
            os.dup2(stderr, STDERR)
            os.close(stderr)
            aside.seek(0)
            _write_all(STDERR, GREETING.sub(b"", aside.read()))


def _write_all(handle: int, content: bytes) -> None:
    while content:
        content = content[os.write(handle, content) :]

"""The two runners, and that nothing is loaded before it is needed."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from headform import photo
from headform.photo.litert import tflite_network
from headform.photo.onnx import onnx_network

HEAVY = ("ai_edge_litert", "onnxruntime", "numba", "numpy", "PIL")


def test_importing_the_folder_loads_nothing_heavy() -> None:
    script = f"import sys, headform.photo; print([m for m in {HEAVY} if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_every_public_name_exists() -> None:
    assert all(getattr(photo, name) is not None for name in photo.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        _ = photo.nothing


def test_a_network_is_loaded_once() -> None:
    assert tflite_network("emotion") is tflite_network("emotion")
    assert onnx_network("gender") is onnx_network("gender")


def test_threads_do_not_mix_their_pictures() -> None:
    pictures = np.random.default_rng(0).uniform(-1, 1, (16, 1, 64, 64, 1)).astype(np.float32)
    alone = [tflite_network("emotion")(picture)[0] for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda picture: tflite_network("emotion")(picture)[0], pictures))
    np.testing.assert_array_equal(alone, together)
    np.testing.assert_allclose(np.sum(alone, axis=-1), 1, atol=1e-5)


def test_onnx_networks_want_all_their_inputs() -> None:
    with pytest.raises(ValueError, match="zip"):
        onnx_network("likeness")(np.zeros((1, 3, 64, 64), np.float32))

"""The two runners, and that nothing is loaded before it is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from headform import photo
from headform.photo.litert import tflite_network, without_greeting
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


def test_litert_does_not_greet_but_errors_are_heard() -> None:
    script = (
        "import os; from headform.photo.litert import tflite_network, without_greeting\n"
        "tflite_network('emotion')\n"
        "with without_greeting():\n"
        "    os.write(2, b'first\\nINFO: Created TensorFlow Lite XNNPACK delegate for CPU.\\nERROR: broken')\n"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (answer.stdout, answer.stderr) == ("", "first\nERROR: broken")


def test_what_was_said_before_an_error_is_heard(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="no network"), without_greeting():
        os.write(2, b"why\n")
        raise ValueError("no network")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "why\nafter\n"


@pytest.mark.skipif(sys.platform == "win32", reason="closes a file descriptor of the shell's")
def test_networks_load_without_stderr() -> None:
    script = "import os; os.close(2); from headform.photo.litert import tflite_network; tflite_network('emotion')"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


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

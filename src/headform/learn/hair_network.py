"""The network that guesses a head's hair from one picture, after HairNet (Zhou et al. 2018): its shape and its file.

In:  (N, 3, 256, 256) hair 0 or 1; cosine and sine of twice the strand's angle times confidence (`hair_noise`).
Out: (N, 4, 100, 32, 32) offsets x, y, z from each root in metres and curliness, over knots, rows and columns of the
     scalp; (N, 32, 32) the logit that hair grows there.

A residual encoder with batch norm looks at the whole picture; the decoder has few numbers for each strand (`Basis`),
which become knots by a fixed matrix; a last small convolution over knots, rows and columns makes neighbours agree.
"""

from __future__ import annotations

import io
import warnings
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headform.errors import BadInput, MissingExtra
from headform.files import write_whole
from headform.hair.groom import GRID, KNOTS
from headform.hair.network import SIDE
from headform.learn.hair_data import CURLS, CURVES, Basis

if TYPE_CHECKING:
    from torch import Tensor, nn

WIDTHS = (24, 40, 80, 160, 224)  # channels at 64², 32², 16², 8² and 4²
LATENT = 512  # what is known of the whole hairstyle
SEED_SIDE, SEED_WIDTH = 4, 160  # the decoder's first picture of the scalp
RISING = (128, 80, 48)  # channels at 8², 16² and 32²
STEM, STRIDE = 7, 4  # of the first convolution: 256² costs what 64² costs
SMOOTHING, AROUND = (5, 3, 3), (2, 1, 1)  # knots, rows and columns of the last convolution, and what it reaches
OPSET = 17
SMALL = 256  # numbers: constants below this stay as they are in the file
AGREE = 2e-3  # metres, and logits: rounding weights to half precision may move the answer by so much
INPUT, OUTPUTS = "evidence", ("strands", "growth")


def torch_or_advice() -> Any:
    """The torch package. Raises MissingExtra if it is not installed."""
    try:
        import torch
    except ImportError as error:
        raise MissingExtra('training needs PyTorch: pip install "headform[learn]"') from error
    return torch


def build(basis: Basis) -> nn.Module:
    """A new network, its weights from torch's own random state."""
    torch_or_advice()
    import torch
    from torch import nn

    class Residual(nn.Module):
        """Two convolutions beside a straight way; He et al. 2016."""

        def __init__(self, before: int, after: int, stride: int = 1) -> None:
            super().__init__()
            self.first = nn.Conv2d(before, after, 3, stride, 1, bias=False)
            self.first_norm = nn.BatchNorm2d(after)
            self.second = nn.Conv2d(after, after, 3, 1, 1, bias=False)
            self.second_norm = nn.BatchNorm2d(after)
            plain = before == after and stride == 1
            self.straight = nn.Identity() if plain else nn.Conv2d(before, after, 1, stride)

        def forward(self, given: Tensor) -> Tensor:
            inner = torch.relu(self.first_norm(self.first(given)))
            return torch.relu(self.second_norm(self.second(inner)) + self.straight(given))

    class HairNetwork(nn.Module):
        curves: Tensor
        curls: Tensor

        def __init__(self) -> None:
            super().__init__()
            stem = nn.Conv2d(3, WIDTHS[0], STEM, STRIDE, STEM // 2, bias=False)
            downs = [Residual(a, b, 2) for a, b in pairwise(WIDTHS)]
            self.encoder = nn.Sequential(stem, nn.BatchNorm2d(WIDTHS[0]), nn.ReLU(), *downs, nn.Flatten())
            self.latent = nn.Linear(WIDTHS[-1] * SEED_SIDE**2, LATENT)
            self.seed = nn.Linear(LATENT, SEED_WIDTH * SEED_SIDE**2)
            ups: list[nn.Module] = []
            for before, after in pairwise((SEED_WIDTH, *RISING)):
                ups += [nn.Upsample(scale_factor=2), Residual(before, after)]
            self.decoder = nn.Sequential(*ups)
            self.numbers = nn.Conv2d(RISING[-1], CURVES + CURLS + 1, 1)
            self.smoothing = nn.Conv3d(4, 4, SMOOTHING, padding=AROUND)
            with torch.no_grad():
                self.smoothing.weight.zero_()
                self.smoothing.bias.zero_()  # type: ignore[union-attr]
                for channel in range(4):
                    self.smoothing.weight[channel, channel, *AROUND] = 1
            flat = np.ascontiguousarray(basis.curves.transpose(2, 1, 0).reshape(3 * KNOTS, CURVES))
            self.register_buffer("curves", torch.from_numpy(flat))
            self.register_buffer("curls", torch.from_numpy(np.ascontiguousarray(basis.curls.T)))

        def features(self, evidence: Tensor) -> Tensor:
            """(N, C, 32, 32) what is known of each cell of the scalp."""
            whole = torch.relu(self.latent(self.encoder(evidence)))
            start = torch.relu(self.seed(whole)).reshape(-1, SEED_WIDTH, SEED_SIDE, SEED_SIDE)
            return self.decoder(start)  # type: ignore[no-any-return]

        def code(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            """(N, 48, 1024) coefficients, (N, 4, 1024) curls and (N, 1024) logits of growth."""
            found = self.numbers(features).flatten(2)
            return found[:, :CURVES], found[:, CURVES : CURVES + CURLS], found[:, -1]

        def volume(self, coefficients: Tensor, curl: Tensor) -> Tensor:
            """(N, 4, 100, 32, 32) strands before they are smoothed."""
            offsets = torch.matmul(self.curves, coefficients).reshape(-1, 3, KNOTS, GRID, GRID)
            curliness = torch.matmul(self.curls, curl).reshape(-1, 1, KNOTS, GRID, GRID)
            return torch.cat([offsets, curliness], 1)

        def sparse(self, coefficients: Tensor, curl: Tensor, knots: Tensor) -> Tensor:
            """(N, 4, K, 32, 32) what `smoothing` makes of `volume`, at some knots only.

            Both are linear, so that here they are one convolution over rows and columns: of a volume of 100 knots,
            most of which nobody looks at, nothing is computed.
            """
            reach = AROUND[0]
            rows = (knots[:, None] + torch.arange(-reach, reach + 1)).flatten()
            inside = ((rows >= 0) & (rows < KNOTS)).float()[:, None]
            rows = rows.clamp(0, KNOTS - 1)
            matrix = torch.zeros(4, len(rows), CURVES + CURLS)
            matrix[:3, :, :CURVES] = self.curves.reshape(3, KNOTS, CURVES)[:, rows] * inside
            matrix[3, :, CURVES:] = self.curls[rows] * inside
            weight = torch.einsum(
                "odlrc,dklm->okmrc", self.smoothing.weight, matrix.reshape(4, len(knots), SMOOTHING[0], -1)
            )
            bias = self.smoothing.bias.repeat_interleave(len(knots))  # type: ignore[union-attr]
            numbers = torch.cat([coefficients, curl], 1).reshape(-1, CURVES + CURLS, GRID, GRID)
            found = nn.functional.conv2d(numbers, weight.flatten(0, 1), bias, padding=1)
            return found.reshape(-1, 4, len(knots), GRID, GRID)

        def forward(self, evidence: Tensor) -> tuple[Tensor, Tensor]:
            coefficients, curl, growth = self.code(self.features(evidence))
            return self.smoothing(self.volume(coefficients, curl)), growth.reshape(-1, GRID, GRID)

    return HairNetwork()


def export(network: nn.Module, path: Path) -> float:
    """Write a network as `.onnx` with its weights in half precision, and say by how much the file's answers differ.

    Returns the largest difference over random pictures, in metres (curliness and growth count as metres too). Raises
    BadInput if it is more than AGREE: then the network has not learnt anything usable, or overflowed.
    """
    torch = torch_or_advice()
    network = network.eval()
    stream = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter that torch recommends instead needs two more packages for the same graph.
        warnings.simplefilter("ignore")
        example = torch.zeros(1, 3, SIDE, SIDE)
        names = {"input_names": [INPUT], "output_names": list(OUTPUTS)}
        torch.onnx.export(network, (example,), stream, dynamo=False, opset_version=OPSET, **names)
    content = _halved(stream.getvalue())
    gap = _disagreement(network, content)
    if not gap <= AGREE:
        raise BadInput(f"the exported network answers {gap:.2g} m away from the trained one; train it again, longer")
    with write_whole(path) as file:
        file.write(content)
    return gap


def _halved(content: bytes) -> bytes:
    """An ONNX file whose large weights are float16, cast to float32 where they are used."""
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as error:
        raise MissingExtra('writing a network needs the package onnx: pip install "headform[learn]"') from error
    model = onnx.load_from_string(content)
    graph, casts = model.graph, []
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < SMALL or np.abs(values).max() > np.finfo(np.float16).max:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}_half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _disagreement(network: nn.Module, content: bytes) -> float:
    import torch

    from headform.photo.onnx import OnnxNetwork

    runtime = OnnxNetwork(content)
    rng = np.random.default_rng(0)
    worst = 0.0
    for _ in range(3):
        mask = (rng.random((1, 1, 16, 16)) < 0.4).repeat(SIDE // 16, 2).repeat(SIDE // 16, 3)
        evidence = np.concatenate([mask, mask * rng.uniform(-1, 1, (1, 2, SIDE, SIDE))], 1).astype(np.float32)
        with torch.no_grad():
            strands, growth = network(torch.from_numpy(evidence))
        found, logits = runtime(evidence)
        # A logit of 5 or 6 is the same answer: what counts is the likelihood.
        odds = torch.sigmoid(growth).numpy() - 1 / (1 + np.exp(-logits))
        worst = max(worst, float(np.abs(strands.numpy() - found).max()), float(np.abs(odds).max()))
    return worst

"""Trains the hair network on a folder of drawn hair; a run that was stopped goes on exactly where it was."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headform.errors import BadInput
from headform.files import write_whole
from headform.hair.groom import GRID, KNOTS
from headform.learn.hair_data import Basis, HairData
from headform.learn.hair_network import build, torch_or_advice
from headform.learn.hair_noise import spoiled

if TYPE_CHECKING:
    from torch import Tensor, nn

Floats = NDArray[np.float32]

EVERY = 5  # knots: losses are about every fifth, the tip included
CHECKED = 2  # of those: about every second one is tested against the head
RATE, DECAY = 2e-3, 1e-2  # of AdamW
WARM_UP = 0.02  # share of the training until the full rate is reached
LAST_RATE = 0.01  # share of the rate that is left at the end
STEEPEST = 1.0  # norm of a gradient
METRE = 100.0  # losses of places are about centimetres, so that they weigh as much as the others
SHARP = 1e-3  # metres: errors below this count by their square
BEND, INSIDE, CURL, GROWTH = 10.0, 30.0, 0.1, 0.3  # weights of the losses beside that of places
SKIN = 0.001  # metres: hair keeps so far from the skin
NEAR_ROOT = 2  # of the checked knots: hair starts at the skin and may be nearer
SAVED = 300.0  # seconds between checkpoints
CHECK_VIEWS = 2000  # held-out views that are looked at after each epoch, at most
CHECKPOINT, LOG = "checkpoint.pt", "log.jsonl"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a training run was asked for. minutes: the rate falls with the time rather than with the epochs."""

    epochs: int = 30
    batch: int = 32
    seed: int = 0
    minutes: float | None = None

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 2 or self.seed < 0 or (self.minutes is not None and self.minutes <= 0):
            raise BadInput(
                f"{self.epochs} epochs of batches of {self.batch} from seed {self.seed} cannot be trained; give at "
                "least 1 epoch, 2 pictures in a batch, a seed of 0 or more, and minutes above 0"
            )


@dataclass(slots=True)
class State:
    """Where a run stands.

    step     batches of this epoch that are done
    seconds  spent training so far; began: when this epoch began
    sums     of the losses over this epoch
    """

    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    began: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What the losses compare with, for a batch of N: at 20 knots, and where hair grows."""

    strands: Tensor  # (N, 4, 20, 32, 32)
    coefficients: Tensor  # (N, 48, 1024)
    curl: Tensor  # (N, 4, 1024)
    grows: Tensor  # (N, 32, 32)


class Run:
    """A network in training, with all that is needed to go on."""

    def __init__(self, data: HairData, out: Path, settings: Settings, threads: int = 1) -> None:
        self.torch = torch_or_advice()
        self.torch.set_num_threads(threads)
        self.data, self.out, self.settings = data, out, settings
        self.torch.manual_seed(settings.seed)
        self.network = build(data.basis)
        for part in self.network.modules():
            if isinstance(part, self.torch.nn.Conv2d):  # a quarter faster on processors
                part.to(memory_format=self.torch.channels_last)
        self.optimizer = self.torch.optim.AdamW(self.network.parameters(), RATE, weight_decay=DECAY)
        self.state = State()
        self.learnt = np.flatnonzero(~data.held_out)
        self.kept = np.flatnonzero(data.held_out)
        if len(self.learnt) < settings.batch:
            raise BadInput(f"{len(self.learnt)} pictures are fewer than a batch of {settings.batch}; draw more styles")
        self.losses = Losses(data)

    @property
    def steps(self) -> int:
        """Batches of an epoch; what is left over waits for another order."""
        return len(self.learnt) // self.settings.batch

    @property
    def progress(self) -> float:
        """How much of the run is done, 0–1."""
        by_steps = (self.state.epoch + self.state.step / self.steps) / self.settings.epochs
        if self.settings.minutes is None:
            return by_steps
        return max(by_steps, self.state.seconds / 60 / self.settings.minutes)

    # ── going on ─────────────────────────────────────────────────────────────────────────────────

    def save(self) -> None:
        """Write the checkpoint whole."""
        content = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "state": asdict(self.state),
            "settings": asdict(self.settings),
        }
        with write_whole(self.out / CHECKPOINT) as stream:
            self.torch.save(content, stream)

    def resume(self) -> None:
        """Go on from the checkpoint. Raises BadInput if there is none, or its batches and seed are others."""
        content = read_checkpoint(self.out / CHECKPOINT)
        mine, its = asdict(self.settings), content["settings"]
        if any(mine[key] != its[key] for key in ("batch", "seed")):
            raise BadInput(f"{self.out} was trained with {its}; go on with the same batch and seed")
        self.network.load_state_dict(content["network"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.state = State(**content["state"])

    # ── training ─────────────────────────────────────────────────────────────────────────────────

    def train(self, tell: Callable[[str], None] = print, stop_after: int | None = None) -> bool:
        """Train until the epochs or minutes are over; True then. False after `stop_after` batches."""
        done = 0
        saved = time.monotonic()
        while self.progress < 1 and self.state.epoch < self.settings.epochs:
            begun = time.monotonic()
            for evidence, rows in self._batches():
                self._step(evidence, rows)
                now = time.monotonic()
                self.state.seconds += now - begun
                begun = now
                done += 1
                if done == stop_after:
                    self.save()
                    return False
                if now - saved > SAVED:
                    self.save()
                    saved = now
                if self.progress >= 1:
                    break
            tell(self._epoch_ends())
            saved = time.monotonic()
        return True

    def _batches(self) -> Iterator[tuple[Tensor, NDArray[np.int64]]]:
        """The rest of this epoch: (N, 3, 256, 256) evidence and the views' rows, prepared while the last is learnt."""
        size, seed, epoch = self.settings.batch, self.settings.seed, self.state.epoch
        order = np.random.default_rng([seed, epoch]).permutation(self.learnt)

        def prepared(step: int) -> tuple[Tensor, NDArray[np.int64], NDArray[np.bool_]]:
            rows = order[step * size : (step + 1) * size]
            rng = np.random.default_rng([seed, epoch, step])
            turned = rng.random(len(rows)) < 0.5
            return self.torch.from_numpy(evidence_of(self.data, rows, turned, rng)), rows, turned

        with ThreadPoolExecutor(1) as ahead:
            first = self.state.step
            waiting = ahead.submit(prepared, first)
            for step in range(first, self.steps):
                evidence, rows, turned = waiting.result()
                if step + 1 < self.steps:
                    waiting = ahead.submit(prepared, step + 1)
                self.turned = turned
                yield evidence, rows

    def _step(self, evidence: Tensor, rows: NDArray[np.int64]) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = RATE * rate_at(self.progress)
        self.network.train()
        truth = self.losses.truth(rows, self.turned)
        terms = self.losses.terms(self.network, evidence, truth)
        loss = self.losses.weighted(terms)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.torch.nn.utils.clip_grad_norm_(self.network.parameters(), STEEPEST)
        self.optimizer.step()
        self.state.step += 1
        for key, value in {**terms, "loss": loss}.items():
            self.state.sums[key] = self.state.sums.get(key, 0.0) + float(value.detach())

    def _epoch_ends(self) -> str:
        """Measure, write the log and the checkpoint; the log's line."""
        steps = max(self.state.step, 1)
        line: dict[str, Any] = {"epoch": self.state.epoch + 1, "seconds": round(self.state.seconds, 1)}
        line["images_per_second"] = round(
            self.settings.batch * self.state.step / max(self.state.seconds - self.state.began, 1e-9), 1
        )
        line["rate"] = RATE * rate_at(self.progress)
        line |= {f"train_{key}": round(total / steps, 5) for key, total in self.state.sums.items()}
        line |= {f"held_out_{key}": round(value, 5) for key, value in self.check().items()}
        text = json.dumps(line)
        self.state = State(self.state.epoch + 1, 0, self.state.seconds, self.state.seconds)
        with (self.out / LOG).open("a") as stream:
            stream.write(text + "\n")
        self.save()
        return text

    def check(self) -> dict[str, float]:
        """Held-out losses; `mm` is the mean distance of knots of strands that grow. Empty without held-out styles."""
        if not len(self.kept):
            return {}
        chosen = self.kept[:: max(-(-len(self.kept) // CHECK_VIEWS), 1)]
        self.network.eval()
        sums: dict[str, float] = {}
        for start in range(0, len(chosen), self.settings.batch):
            rows = chosen[start : start + self.settings.batch]
            still = np.zeros(len(rows), np.bool_)
            rng = np.random.default_rng([0, start])
            with self.torch.no_grad():
                evidence = self.torch.from_numpy(evidence_of(self.data, rows, still, rng))
                terms = self.losses.terms(self.network, evidence, self.losses.truth(rows, still))
            for key, value in {**terms, "loss": self.losses.weighted(terms)}.items():
                sums[key] = sums.get(key, 0.0) + float(value) * len(rows)
        return {key: total / len(chosen) for key, total in sums.items()}


class Losses:
    """What a guess is worth: places, bends, knots inside the head, curliness and growth (Zhou et al. 2018, eq. 1–4)."""

    def __init__(self, data: HairData) -> None:
        import torch

        self.data = data
        self.half_precision = bool(torch.cpu.get_capabilities().get("avx512_bf16", False))
        ground = data.ground
        knots = np.arange(EVERY - 1, KNOTS, EVERY)
        self.curves = torch.from_numpy(
            data.basis.curves[:, knots].transpose(2, 1, 0).reshape(-1, len(data.basis.curves))
        )
        self.curls = torch.from_numpy(np.ascontiguousarray(data.basis.curls[:, knots].T))
        self.knots, self.seen = len(knots), torch.from_numpy(knots)
        self.signs = torch.from_numpy(data.basis.signs)[:, None]
        self.roots = torch.from_numpy(np.ascontiguousarray(ground.roots.transpose(2, 0, 1)))[None, :, None]
        # grid_sample wants the last axis of the field first, and places from -1 to 1.
        self.field = torch.from_numpy(np.ascontiguousarray(ground.bare, np.float32))[None, None]
        size = (np.array(ground.bare.shape) - 1) * ground.cell
        self.middle = torch.tensor(ground.origin + size / 2, dtype=torch.float32)
        self.half = torch.tensor(size / 2, dtype=torch.float32)

    def truth(self, rows: NDArray[np.int64], turned: NDArray[np.bool_]) -> Truth:
        """The true strands of views; mirrored where `turned`."""
        import torch

        style = self.data.style[rows]
        coefficients = torch.from_numpy(self.data.coefficients[style].astype(np.float32)).transpose(1, 2)
        curl = torch.from_numpy(self.data.curl[style].astype(np.float32)).transpose(1, 2)
        grows = torch.from_numpy(self.data.grows[style].astype(np.float32))
        other = torch.from_numpy(turned)[:, None, None]
        mirror = torch.from_numpy(self.data.ground.mirror)
        coefficients = torch.where(other, coefficients[:, :, mirror] * self.signs, coefficients).contiguous()
        curl = torch.where(other, curl[:, :, mirror], curl)
        grows = torch.where(other[:, 0], grows[:, mirror], grows)
        offsets = torch.matmul(self.curves, coefficients).reshape(-1, 3, self.knots, GRID, GRID)
        curliness = torch.matmul(self.curls, curl).reshape(-1, 1, self.knots, GRID, GRID)
        return Truth(torch.cat([offsets, curliness], 1), coefficients, curl, grows.reshape(-1, GRID, GRID))

    def terms(self, network: nn.Module, evidence: Tensor, truth: Truth) -> dict[str, Tensor]:
        """Each loss as a mean over growing strands; `mm` is for people."""
        import torch

        model: Any = network
        # Places need more digits than features: 1 mm of a strand of 40 cm is below what half precision resolves.
        with torch.autocast("cpu", torch.bfloat16, enabled=self.half_precision):
            features = model.features(evidence)
        coefficients, curl, growth = model.code(features.float())
        strands = model.sparse(coefficients, curl, self.seen)
        grows = truth.grows[:, None]
        share = grows / grows.sum().clamp(min=1)
        gap = strands[:, :3] - truth.strands[:, :3]
        far = gap.square().sum(1).add(SHARP**2).sqrt() - SHARP
        bend = gap[:, :, 2:] - 2 * gap[:, :, 1:-1] + gap[:, :, :-2]
        bent = bend.square().sum(1).add(SHARP**2).sqrt() - SHARP
        deep = torch.relu(SKIN - self._distance(strands[:, :3, NEAR_ROOT * CHECKED + 1 :: CHECKED]))
        curled = (strands[:, 3] - truth.strands[:, 3]).abs()
        return {
            "place": (far.mean(1, keepdim=True) * share).sum(),
            "bend": (bent.mean(1, keepdim=True) * share).sum(),
            "inside": (deep.mean(1, keepdim=True) * share).sum(),
            "curl": (curled.mean(1, keepdim=True) * share).sum(),
            "growth": torch.nn.functional.binary_cross_entropy_with_logits(growth.reshape(-1, GRID, GRID), truth.grows),
            "mm": (gap.detach().square().sum(1).sqrt().mean(1, keepdim=True) * share).sum() * 1000,
        }

    @staticmethod
    def weighted(terms: dict[str, Tensor]) -> Tensor:
        places = terms["place"] + BEND * terms["bend"] + INSIDE * terms["inside"]
        return METRE * places + CURL * terms["curl"] + GROWTH * terms["growth"]

    def _distance(self, offsets: Tensor) -> Tensor:
        """(N, K, 32, 32) signed distance to the head of offsets (N, 3, K, 32, 32); a trilinear look."""
        import torch

        places = (offsets + self.roots).permute(0, 2, 3, 4, 1)
        places = (places - self.middle) / self.half
        flat = places.flip(-1).reshape(1, 1, 1, -1, 3)
        found = torch.nn.functional.grid_sample(self.field, flat, padding_mode="border", align_corners=True)
        return found.reshape(places.shape[:-1])


def evidence_of(data: HairData, rows: NDArray[np.int64], turned: NDArray[np.bool_], rng: np.random.Generator) -> Floats:
    """(N, 3, 256, 256) views with the faults of photos, mirrored where `turned`."""
    out = np.stack([spoiled(data.mask(row), data.angle[row], rng) for row in rows])
    out[turned] = out[turned][..., ::-1]
    out[turned, 2] *= -1  # the angle t becomes π - t
    return out


def rate_at(progress: float) -> float:
    """Share of the learning rate: it rises, then falls along a cosine (Loshchilov and Hutter 2017)."""
    if progress < WARM_UP:
        return (progress + 0.05 * WARM_UP) / (1.05 * WARM_UP)
    fall = 0.5 + 0.5 * math.cos(math.pi * min((progress - WARM_UP) / (1 - WARM_UP), 1.0))
    return LAST_RATE + (1 - LAST_RATE) * fall


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint's parts. Raises BadInput if the file is missing or is none."""
    torch = torch_or_advice()
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return {key: content[key] for key in ("network", "optimizer", "state", "settings")}
    except (OSError, KeyError, RuntimeError, ValueError, EOFError, UnpicklingError) as error:
        raise BadInput(f"{path} is no checkpoint of a hair network; train one: headform learn hair train") from error


def network_of(checkpoint: Path) -> nn.Module:
    """The network of a checkpoint, ready to be used; its basis is among the weights, so that no data are needed."""
    weights = read_checkpoint(checkpoint)["network"]
    curves = weights["curves"].numpy().reshape(3, KNOTS, -1).transpose(2, 1, 0)
    network = build(Basis(curves, weights["curls"].numpy().T, np.ones(len(curves), np.float32)))
    network.load_state_dict(weights)
    return network.eval()

"""Trains the network that sees Headform's own points in a face's chip, and exports it.

    python -m headform.learn.faces FACES --seed 11 --count 8000
    python -m headform.learn.points FACES -o src/headform/photo/models/points.onnx

The network corrects what a linear map says from the 478 found landmarks: it sees the chip and the landmarks, and
gives every point in three dimensions with how far it may be off.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from headform.fit.points import own_points
from headform.head import HeadModel, TrackedPoints, load_default
from headform.learn.calibrate import true_state
from headform.photo.affine import apply
from headform.photo.points import CHIP, SEEN, STORED

Floats = NDArray[np.float32]

VALIDATION = 1000  # faces, the last of all shards
RIDGE = 0.3
WIDTHS = (24, 48, 96, 160, 256)
FEATURES = 384
SHIFT, ZOOM, TURN = 0.05, 0.08, 0.14  # of the half chip, of one, radians
LEAST_SPREAD = 0.004  # of the half chip
WARM = 200  # steps


@dataclass(frozen=True, eq=False)
class Faces:
    """chips (N, 3, 208, 208) uint8; found (N, 478, 3) and truth (N, P, 3) in units of half the chip about its
    middle, depth about the mean of the found points' places; nearness (N,) 1 / metres."""

    chips: Tensor
    found: Tensor
    truth: Tensor
    nearness: Tensor


def load_faces(folder: Path, model: HeadModel) -> Faces:
    tracked = TrackedPoints(model, own_points(model))
    chips, found, truth, near = [], [], [], []
    for path in sorted(folder.glob("faces_*.npz")):
        with np.load(path) as shard:
            data = {k: shard[k] for k in shard}
        chips.append(np.ascontiguousarray(data.pop("chip").transpose(0, 3, 1, 2)))
        for face in range(len(data["beta"])):
            one = {k: v[face] for k, v in data.items()}
            state = true_state(one)
            true = state.project(tracked.points(one["beta"], one["psi"], one["theta"]))
            found.append(in_chip(one["points"], one["to_chip"]))
            truth.append(in_chip(true, one["to_chip"]))
            near.append(1 / state.move[2])
    return Faces(
        torch.from_numpy(np.concatenate(chips)),
        torch.tensor(np.stack(found)),
        torch.tensor(np.stack(truth)),
        torch.tensor(np.array(near, np.float32)),
    )


def in_chip(points: NDArray[np.floating], to_chip: NDArray[np.float64]) -> Floats:
    """(n, 3) pixels as the network counts them: from the middle of the chip, in halves of its side."""
    scale = float(np.hypot(*to_chip[:, 0]))
    flat = (apply(to_chip, points[:, :2]) - STORED / 2) / (SEEN / 2)
    depth = points[:, 2] * scale / (SEEN / 2)
    return np.column_stack([flat, depth - depth[:478].mean()]).astype(np.float32)


class PointNet(nn.Module):
    """Convolutions over the chip, joined with the landmarks, on top of a fixed linear map."""

    def __init__(self, points: int, linear: Tensor) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        last = 3
        for index, width in enumerate(WIDTHS):
            layers += block(last, width, 2)
            if index:
                layers += block(width, width, 1)
            last = width
        layers += [nn.Conv2d(last, 64, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
        self.see = nn.Sequential(*layers)
        cells = (CHIP // 2 ** len(WIDTHS)) ** 2
        self.shape = nn.Linear(478 * 3, 128)
        self.join = nn.Sequential(nn.Linear(64 * cells + 128, FEATURES), nn.ReLU(), nn.Dropout(0.1))
        self.points = nn.Linear(FEATURES, points * 3)
        self.spread = nn.Linear(FEATURES, points * 2)
        self.nearness = nn.Linear(FEATURES, 2)
        self.register_buffer("linear", linear)
        for head in (self.points, self.spread, self.nearness):
            nn.init.normal_(head.weight, std=1e-3)
            nn.init.zeros_(head.bias)
        nn.init.constant_(self.spread.bias, -3.5)

    def forward(self, chip: Tensor, found: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Points (B, P, 3), log spread (B, P, 2) across and in depth, nearness and its log spread (B, 2)."""
        flat = found.flatten(1)
        base = torch.cat([flat, torch.ones_like(flat[:, :1])], 1) @ self.linear
        seen = self.see(chip).flatten(1)
        joined = self.join(torch.cat([seen, self.shape(flat).relu()], 1))
        points = base + self.points(joined)
        return points.view(len(chip), -1, 3), self.spread(joined).view(len(chip), -1, 2), self.nearness(joined)


def block(before: int, after: int, stride: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]


def linear_map(faces: Faces, count: int) -> Tensor:
    """(478·3 + 1, P·3) ridge regression from found landmarks to true points."""
    found = faces.found[:count].flatten(1).double()
    rows = torch.cat([found, torch.ones(len(found), 1, dtype=torch.float64)], 1)
    normal = rows.T @ rows + RIDGE * torch.eye(rows.shape[1], dtype=torch.float64)
    return torch.linalg.solve(normal, rows.T @ faces.truth[:count].flatten(1).double()).float()


def shaken(faces: Faces, rows: Tensor, mirror: tuple[Tensor, Tensor], rng: torch.Generator) -> tuple[Tensor, ...]:
    """A batch with chips shifted, turned, zoomed, mirrored, recoloured and partly covered; truth moved along."""
    count = len(rows)
    chips, found, truth = faces.chips[rows].float() / 255, faces.found[rows], faces.truth[rows]
    angle = torch.randn(count, generator=rng) * TURN / 2
    zoom = 1 + torch.randn(count, generator=rng) * ZOOM / 2
    shift = torch.randn(count, 2, generator=rng) * SHIFT
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(-1, 2, 2)
    to_source = turn * zoom[:, None, None]  # chip seen by the network → stored chip
    chips = sampled(chips, to_source, shift)
    back = torch.linalg.inv(to_source)
    truth, found = (moved(points, back, shift, zoom) for points in (truth, found))
    flip = torch.rand(count, generator=rng) < 0.5
    chips[flip] = chips[flip].flip(-1)
    truth[flip], found[flip] = mirrored(truth[flip], mirror[0]), mirrored(found[flip], mirror[1])
    found = found + torch.randn(found.shape, generator=rng) * 0.003
    return recoloured(chips, rng), found, truth, faces.nearness[rows]


def sampled(chips: Tensor, to_source: Tensor, shift: Tensor) -> Tensor:
    """The network's view (B, 3, CHIP, CHIP) of stored chips."""
    part = SEEN / STORED
    theta = torch.cat([to_source * part, shift[:, :, None] * part], 2)
    grid = F.affine_grid(theta, [len(chips), 3, CHIP, CHIP], align_corners=False)
    return F.grid_sample(chips, grid, padding_mode="border", align_corners=False)


def moved(points: Tensor, back: Tensor, shift: Tensor, zoom: Tensor) -> Tensor:
    flat = torch.einsum("bij,bnj->bni", back, points[..., :2] - shift[:, None])
    return torch.cat([flat, points[..., 2:] / zoom[:, None, None]], 2)


def mirrored(points: Tensor, mirror: Tensor) -> Tensor:
    return points[:, mirror] * torch.tensor([-1.0, 1.0, 1.0])


def recoloured(chips: Tensor, rng: torch.Generator) -> Tensor:
    count = len(chips)
    gain = 1 + torch.randn(count, 3, 1, 1, generator=rng) * 0.08 + torch.randn(count, 1, 1, 1, generator=rng) * 0.15
    bent = (chips * gain).clamp(0.001, 1) ** torch.exp(torch.randn(count, 1, 1, 1, generator=rng) * 0.2)
    for row in range(count):
        if torch.rand((), generator=rng) < 0.3:
            high, wide = (torch.rand(2, generator=rng) * CHIP * 0.35 + 4).int().tolist()
            top, left = (torch.rand(2, generator=rng) * CHIP * 0.8).int().tolist()
            bent[row, :, top : top + high, left : left + wide] = torch.rand(3, 1, 1, generator=rng)
    return bent + torch.randn(bent.shape, generator=rng) * 0.015


def loss_of(out: tuple[Tensor, Tensor, Tensor], truth: Tensor, nearness: Tensor) -> Tensor:
    """Negative log likelihood of Laplace errors."""
    points, spread, near = (part.float() for part in out)
    across = torch.linalg.norm(points[..., :2] - truth[..., :2] + 1e-6, dim=-1)
    deep = (points[..., 2] - truth[..., 2]).abs()
    wide, long = spread[..., 0].clamp(-6, 0), spread[..., 1].clamp(-6, 0)
    total = across / wide.exp() + 2 * wide + deep / long.exp() + long
    off = (near[:, 0] - nearness).abs()
    slack = near[:, 1].clamp(-4, 2)
    return total.mean() + 0.05 * (off / slack.exp() + slack).mean()


@torch.no_grad()
def errors(net: PointNet, faces: Faces, rows: Tensor) -> tuple[float, float, float]:
    """Mean distances, per cent of the half chip, across and in depth, and of the linear map alone."""
    net.eval()
    across, deep, plain = [], [], []
    still = torch.eye(2)[None]
    for part in rows.split(128):
        chips = sampled(faces.chips[part].float() / 255, still.expand(len(part), 2, 2), torch.zeros(len(part), 2))
        found, truth = faces.found[part], faces.truth[part]
        points = net(chips, found)[0]
        flat = found.flatten(1)
        base = (torch.cat([flat, torch.ones_like(flat[:, :1])], 1) @ net.linear).view(points.shape)
        across.append(torch.linalg.norm((points - truth)[..., :2], dim=-1).mean(1))
        deep.append((points - truth)[..., 2].abs().mean(1))
        plain.append(torch.linalg.norm((base - truth)[..., :2], dim=-1).mean(1))
    net.train()
    return tuple(100 * float(torch.cat(one).mean()) for one in (across, deep, plain))  # type: ignore[return-value]


def train(faces: Faces, model: HeadModel, epochs: int, batch: int, rate: float, seed: int, minutes: float) -> PointNet:
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    count = len(faces.truth) - VALIDATION
    net = PointNet(faces.truth.shape[1], linear_map(faces, count)).to(memory_format=torch.channels_last)
    mirror = tuple(torch.from_numpy(m) for m in own_points_mirror(model))
    optimiser = torch.optim.AdamW(net.parameters(), rate, weight_decay=1e-2)
    per_epoch = count // batch
    total = epochs * per_epoch
    begin = time.time()
    step = 0
    while step < total:
        order = torch.randperm(count, generator=rng)
        summed = 0.0
        for rows in order.split(batch)[:per_epoch]:
            done = max(step / total, (time.time() - begin) / (60 * minutes))
            if done >= 1:
                break
            for group in optimiser.param_groups:
                group["lr"] = rate * min(1, (step + 1) / WARM) * (0.5 + 0.5 * np.cos(np.pi * done))
            chips, found, truth, nearness = shaken(faces, rows, mirror, rng)  # type: ignore[arg-type]
            with torch.autocast("cpu", dtype=torch.bfloat16):
                seen = net(chips.contiguous(memory_format=torch.channels_last), found)
            loss = loss_of(seen, truth, nearness)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optimiser.step()
            summed += float(loss.detach())
            step += 1
        across, deep, plain = errors(net, faces, torch.arange(count, count + VALIDATION))
        print(
            f"{(time.time() - begin) / 60:5.1f} min  step {step:6}  loss {summed / per_epoch:7.3f}  "
            f"across {across:.2f} %  depth {deep:.2f} %  (linear {plain:.2f} %)",
            flush=True,
        )
        if done >= 1:
            break
    return net


def own_points_mirror(model: HeadModel) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For every own point, and for every landmark, the row of the one opposite."""
    out = []
    for embedding in (own_points(model), model.embeddings["mediapipe_478"]):
        places = embedding.points(model.rest()).astype(np.float64)
        apart = np.linalg.norm(places[:, None] - places[None] * (-1, 1, 1), axis=-1)
        out.append(apart.argmin(1))
    return out[0], out[1]


class Exported(nn.Module):
    """The network as it is shipped: bytes in, points in units of half the chip out."""

    def __init__(self, net: PointNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, chip: Tensor, found: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        points, spread, near = self.net(chip.permute(0, 3, 1, 2) / 255, found)
        return points, spread.clamp(-6, 0).exp(), torch.cat([near[:, :1], near[:, 1:].exp()], 1)


def export(net: PointNet, path: Path) -> None:
    """One ONNX file, weights in half precision."""
    import onnx
    from onnxconverter_common import float16

    net.eval().to(memory_format=torch.contiguous_format)
    example = (torch.zeros(1, CHIP, CHIP, 3), torch.zeros(1, 478, 3))
    draft = path.with_suffix(".draft.onnx")
    torch.onnx.export(
        Exported(net),
        example,
        str(draft),
        input_names=["chip", "found"],
        output_names=["points", "spread", "nearness"],
        opset_version=17,
        dynamo=False,
    )
    whole = onnx.load(str(draft))
    draft.unlink()
    onnx.save(float16.convert_float_to_float16(whole, keep_io_types=True), str(path))


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("faces", type=Path)
    ask.add_argument("-o", "--output", type=Path, required=True)
    ask.add_argument("--epochs", type=int, default=24)
    ask.add_argument("--batch", type=int, default=64)
    ask.add_argument("--rate", type=float, default=1.5e-3)
    ask.add_argument("--minutes", type=float, default=30.0, help="the schedule ends by then")
    ask.add_argument("--seed", type=int, default=1)
    given = ask.parse_args()
    model = load_default()
    faces = load_faces(given.faces, model)
    print(f"{len(faces.truth)} faces, {faces.truth.shape[1]} points", flush=True)
    net = train(faces, model, given.epochs, given.batch, given.rate, given.seed, given.minutes)
    torch.save(net.state_dict(), given.output.with_suffix(".pt"))
    export(net, given.output)
    print(f"wrote {given.output}")


if __name__ == "__main__":
    main()

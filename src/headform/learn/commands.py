"""`headform learn hair`: draw training hair, train the network that guesses hair, write it, measure it."""

from __future__ import annotations

import argparse
from pathlib import Path

from headform.errors import BadInput

FINE = 0


def add_learn(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `headform`."""
    learn = commands.add_parser("learn", help="train the networks that headform ships (needs PyTorch)")
    what = learn.add_subparsers(title="what", metavar="WHAT", required=True)
    hair = what.add_parser("hair", help="the network that guesses a head's hair from a photo")
    steps = hair.add_subparsers(title="steps, in this order", metavar="STEP", required=True)
    _add_data(steps)
    _add_train(steps)
    export = steps.add_parser("export", help="write the trained network as .onnx, and check that it agrees")
    export.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="checkpoint.pt of a training run")
    export.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.onnx", help="where to write")
    export.set_defaults(run=write_network)
    evaluate = steps.add_parser("evaluate", help="held-out styles: the network beside the nearest style")
    evaluate.add_argument("data", type=Path, metavar="DATA", help="folder of `learn hair data`")
    evaluate.add_argument("network", type=Path, metavar="NET.onnx", help="an exported network")
    evaluate.add_argument("--views", type=int, default=300, metavar="N", help="how many pictures to look at (300)")
    evaluate.add_argument("--json", action="store_true", help="as JSON, for programs")
    evaluate.set_defaults(run=evaluate_network)


def _add_data(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    data = steps.add_parser("data", help="grow random styles and draw views of them; goes on where it was stopped")
    data.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder for the data")
    data.add_argument("--styles", type=int, default=2000, metavar="N", help="how many styles (2000)")
    data.add_argument("--views", type=int, default=15, metavar="N", help="pictures of each (15)")
    data.add_argument("--seed", type=int, default=0, metavar="S", help="other styles for another seed (0)")
    data.add_argument("--workers", type=int, default=2, metavar="N", help="processes (2)")
    data.set_defaults(run=draw_data)


def _add_train(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    train = steps.add_parser("train", help="train; a checkpoint after every epoch and every five minutes")
    train.add_argument("data", type=Path, metavar="DATA", help="folder of `learn hair data`")
    train.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="checkpoint, log and hair.onnx")
    train.add_argument("--epochs", type=int, default=30, metavar="N", help="times that all pictures are seen (30)")
    train.add_argument("--batch", type=int, default=32, metavar="N", help="pictures at a time (32)")
    train.add_argument("--threads", type=int, default=1, metavar="N", help="of PyTorch (1); one more draws the faults")
    train.add_argument("--seed", type=int, default=0, metavar="S", help="another seed, another network (0)")
    train.add_argument("--minutes", type=float, metavar="M", help="be done after so long, even before all epochs")
    train.add_argument("--resume", action="store_true", help="go on from the folder's checkpoint")
    train.set_defaults(run=train_network)


def draw_data(chosen: argparse.Namespace) -> int:
    """Write the data, telling how far it is."""
    from headform.learn.hair_data import Plan, write_data
    from headform.learn.hair_source import Library

    if chosen.workers < 1:
        raise BadInput(f"--workers {chosen.workers} draws nothing; give 1 or more")
    plan = Plan(chosen.styles, chosen.views, chosen.seed)
    for done, all_files in write_data(chosen.output, plan, Library, chosen.workers):
        print(f"{done} of {all_files} files", flush=True)
    return FINE


def train_network(chosen: argparse.Namespace) -> int:
    """Train and export."""
    from headform.learn.hair_data import read_data
    from headform.learn.hair_network import export, torch_or_advice
    from headform.learn.hair_train import CHECKPOINT, Run, Settings, network_of

    torch_or_advice()
    if chosen.threads < 1:
        raise BadInput(f"--threads {chosen.threads} computes nothing; give 1 or more")
    settings = Settings(chosen.epochs, chosen.batch, chosen.seed, chosen.minutes)
    chosen.output.mkdir(parents=True, exist_ok=True)
    if not chosen.resume and (chosen.output / CHECKPOINT).exists():
        raise BadInput(f"{chosen.output} holds a training run; add --resume to go on, or choose another folder")
    run = Run(read_data(chosen.data), chosen.output, settings, chosen.threads)
    if chosen.resume:
        run.resume()
    run.train(lambda line: print(line, flush=True))
    path = chosen.output / "hair.onnx"
    gap = export(network_of(chosen.output / CHECKPOINT), path)
    print(f"wrote {path} ({path.stat().st_size / 1e6:.1f} MB; agrees within {1000 * gap:.2f} mm)")
    return FINE


def write_network(chosen: argparse.Namespace) -> int:
    """Export a checkpoint."""
    from headform.learn.hair_network import export
    from headform.learn.hair_train import network_of

    gap = export(network_of(chosen.checkpoint), chosen.output)
    print(f"wrote {chosen.output} ({chosen.output.stat().st_size / 1e6:.1f} MB; agrees within {1000 * gap:.2f} mm)")
    return FINE


def evaluate_network(chosen: argparse.Namespace) -> int:
    """Print the table."""
    import json

    from headform.learn.hair_measure import measured, table

    if chosen.views < 1:
        raise BadInput(f"--views {chosen.views} measures nothing; give 1 or more")
    found = measured(chosen.data, chosen.network, chosen.views)
    print(json.dumps(found) if chosen.json else table(found))
    return FINE

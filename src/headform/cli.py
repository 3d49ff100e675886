"""The command line: `headform reconstruct`, `render`, `show`, `model` … Heavy imports wait until they are needed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from headform import __version__
from headform.avatar.commands import add_reconstruct
from headform.avatar.hair_command import add_hair
from headform.avatar.render_command import add_render
from headform.errors import BadInput, HeadformError
from headform.learn.commands import add_learn
from headform.measure.commands import add_measure

FINE, UNEXPECTED, REFUSED, INTERRUPTED = 0, 1, 2, 130
PICTURES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
FIRST_PICTURE = "headform.png"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 fine; 1 something unexpected, or `doctor` found a fault; 2 the input cannot be used; 130 interrupted.
    HEADFORM_DEBUG=1 lets the traceback through.
    """
    try:
        chosen = _parser().parse_args(arguments)
        return int(chosen.run(chosen))
    except HeadformError as error:
        return _complain(str(error), REFUSED)
    except BrokenPipeError:
        return _hang_up()
    except OSError as error:
        return _complain(_describe(error), REFUSED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if os.environ.get("HEADFORM_DEBUG") == "1":
            raise
        return _complain(
            f"unexpected {type(error).__name__}: {error}; HEADFORM_DEBUG=1 shows where it happened",
            UNEXPECTED,
        )


# ── commands ─────────────────────────────────────────────────────────────────────────────────────


def _show(chosen: argparse.Namespace) -> int:
    path = chosen.output or Path(FIRST_PICTURE)
    kind = _picture_kind(path)
    if chosen.size is not None and chosen.size < 1:
        raise BadInput(f"--size {chosen.size} is no picture size; give pixels, for example --size 384")
    if chosen.seed < 0:
        raise BadInput(f"--seed {chosen.seed} is negative; give 0 or more")
    from PIL import Image

    from headform import show
    from headform.files import write_whole

    size = {} if chosen.size is None else {"size": chosen.size}
    if chosen.expressions:
        pixels = show.units(**size)
    else:
        pixels = show.people(1 if chosen.random is None else chosen.random, chosen.seed, **size)
    with write_whole(path) as stream:
        Image.fromarray(pixels).save(stream, kind)
    print(f"wrote {path} ({pixels.shape[1]} × {pixels.shape[0]} pixels)")
    return FINE


def _model_add(chosen: argparse.Namespace) -> int:
    from headform.head import registry

    name = registry.add(chosen.path, chosen.name)
    print(f"added {name}; `headform model use {name}` makes it the head that is used")
    return FINE


def _model_list(chosen: argparse.Namespace) -> int:
    from headform.head import registry

    for entry in registry.entries():
        mark = "*" if entry.current else " "
        print(f"{mark} {entry.name:<20} {entry.about}")
    return FINE


def _model_use(chosen: argparse.Namespace) -> int:
    from headform.head import registry

    registry.use(chosen.name)
    print(f"{chosen.name} is now the head that is used")
    return FINE


def _model_remove(chosen: argparse.Namespace) -> int:
    from headform.head import registry

    registry.remove(chosen.name)
    print(f"removed {chosen.name}")
    return FINE


def _doctor(chosen: argparse.Namespace) -> int:
    from headform import doctor

    report = doctor.examine()
    print(report.as_json() if chosen.json else report.as_text())
    return FINE if report.healthy else UNEXPECTED


# ── words ────────────────────────────────────────────────────────────────────────────────────────


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("headform", description="One portrait photo in, a living 3D head out.")
    parser.add_argument("--version", action="version", version=f"headform {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_reconstruct(commands)
    add_render(commands)
    add_hair(commands)
    add_measure(commands)
    add_learn(commands)
    _add_show(commands)
    _add_model(commands)
    doctor = commands.add_parser("doctor", help="say what is installed and whether it is whole")
    doctor.add_argument("--json", action="store_true", help="as JSON, for programs")
    doctor.set_defaults(run=_doctor)
    return parser


def _add_show(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    show = commands.add_parser("show", help="draw the head: one person, many people or all expressions")
    what = show.add_mutually_exclusive_group()
    what.add_argument("--random", type=int, metavar="N", help="a sheet of N random people")
    what.add_argument("--expressions", action="store_true", help="a sheet of all expression units")
    show.add_argument("--seed", type=int, default=0, metavar="S", help="other people for another seed (0)")
    show.add_argument("--size", type=int, metavar="PX", help="pixels along the side of one picture")
    show.add_argument("-o", "--output", type=Path, metavar="PATH", help=f"where to write ({FIRST_PICTURE})")
    show.set_defaults(run=_show)


def _add_model(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    model = commands.add_parser("model", help="use another head: FLAME 2023 or ICT-FaceKit")
    actions = model.add_subparsers(title="actions", metavar="ACTION", required=True)
    add = actions.add_parser("add", help="convert a FLAME pickle or an ICT-FaceKit folder and keep it")
    add.add_argument("path", type=Path, metavar="PATH")
    add.add_argument("--name", help="what to call it (the name of the file or folder)")
    add.set_defaults(run=_model_add)
    actions.add_parser("list", help="the heads there are; * marks the one in use").set_defaults(run=_model_list)
    for action, run, text in (
        ("use", _model_use, "make a head the one that is used"),
        ("remove", _model_remove, "delete a head that was added"),
    ):
        one = actions.add_parser(action, help=text)
        one.add_argument("name", metavar="NAME")
        one.set_defaults(run=run)


def _picture_kind(path: Path) -> str:
    if path.suffix.lower() not in PICTURES:
        raise BadInput(f"{path} is no picture name; end it with {', '.join(PICTURES)}")
    return PICTURES[path.suffix.lower()]


def _describe(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename else reason


def _complain(sentence: str, code: int) -> int:
    print(f"headform: {sentence}", file=sys.stderr)
    return code


def _hang_up() -> int:
    """The reader of the output has gone (`headform doctor | head -1`): end in silence."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return UNEXPECTED

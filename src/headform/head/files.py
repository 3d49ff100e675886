"""A head as one file: Headform's own npz, which holds numbers and text and nothing that runs."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from headform.errors import BadInput, MissingModel
from headform.files import write_whole
from headform.head.embedding import Embedding
from headform.head.model import Follow, HeadModel

FORMAT = "headform-head"
FORMAT_VERSION = 1
HALVED = ("identity", "expression", "correctives")  # stored as float16: steps below 1 µm at a face's size
PLAIN = ("template", "drive", "joints", "joint_identity", "weights", "uv")
WHOLE = ("quads", "quads_uv", "part")
TEXTS = ("name", "source", "licence")
NAMES = ("expression_names", "parts")
BROKEN = (ValueError, EOFError, KeyError, NotImplementedError, zipfile.BadZipFile, zlib.error)
FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # the date in every file, so that the same head gives the same bytes


def save_head(model: HeadModel, path: Path) -> None:
    """Write a head whole or not at all; the same head always gives the same bytes. Raises OSError."""
    with write_whole(path) as stream:
        write_head(model, stream)


def write_head(model: HeadModel, stream: IO[bytes]) -> None:
    """Write a head to a binary stream."""
    arrays = {"format": np.array(FORMAT), "format_version": np.array(FORMAT_VERSION)}
    arrays |= {key: np.array(getattr(model, key)) for key in TEXTS}
    arrays |= {key: np.array(getattr(model, key), np.str_) for key in NAMES}
    arrays |= {key: np.asarray(getattr(model, key), np.float32) for key in PLAIN}
    arrays |= {key: np.asarray(getattr(model, key), np.int32) for key in WHOLE}
    for key in HALVED:
        if getattr(model, key) is not None:
            arrays[key] = np.asarray(getattr(model, key), np.float16)
    if model.follow is not None:
        arrays |= {"follow.controls": model.follow.controls, "follow.weights": model.follow.weights}
    for name, embedding in model.embeddings.items():
        arrays[f"embedding.{name}.corners"] = embedding.corners
        arrays[f"embedding.{name}.barycentric"] = embedding.barycentric
    arrays |= {f"extra.{name}": value for name, value in model.extras.items()}
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, value in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(value, order="C"), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{key}.npy", FIRST_DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content.getvalue())


def load_head(path: Path) -> HeadModel:
    """The head in a file that `save_head` wrote.

    Raises MissingModel if the file is not there, cut short or altered; BadInput if it is not a head or was
    written by another version of Headform.
    """
    arrays = _read(path)
    _check_format(arrays, path)
    try:
        model = _assemble(arrays)
    except (KeyError, ValueError, TypeError) as error:
        raise MissingModel(f"{path} lacks a part of the head ({error}); add the model again") from error
    _check_sizes(model, path)
    return model


def describe_head(path: Path) -> str:
    """One line about a head file, without reading its large arrays. Raises as `load_head` does."""
    small = _read(path, ("format", "format_version", "source", "joint_identity", "expression_names"))
    _check_format(small, path)
    modes, units = len(small["joint_identity"]), len(small["expression_names"])
    return f"{small['source']}: {modes} identity modes, {units} expression units"


def is_head_file(path: Path) -> bool:
    """Whether a file calls itself a Headform head, of whichever version."""
    try:
        with open_npz(path) as data:
            return "format" in data.files and str(data["format"]) == FORMAT
    except (OSError, BadInput, *BROKEN):
        return False


@contextmanager
def open_npz(path: Path) -> Iterator[NpzFile]:
    """The arrays in an npz file, which is closed whatever happens. Raises OSError, BadInput or one of BROKEN."""
    with path.open("rb") as stream:
        data = np.load(stream, allow_pickle=False)
        if not isinstance(data, NpzFile):
            raise BadInput(f"{path} is one array, not a head that Headform wrote")
        with data:
            yield data


def _read(path: Path, only: tuple[str, ...] | None = None) -> dict[str, NDArray[Any]]:
    try:
        with open_npz(path) as data:
            return {name: data[name] for name in data.files if only is None or name in only}
    except FileNotFoundError as error:
        raise MissingModel(f"{path} is not there; add the model again with `headform model add`") from error
    except BROKEN as error:
        raise MissingModel(f"{path} is cut short or altered; add the model again") from error


def _check_format(arrays: dict[str, NDArray[Any]], path: Path) -> None:
    if str(arrays.get("format")) != FORMAT:
        raise BadInput(f"{path} is not a head that Headform wrote")
    version = int(arrays.get("format_version", -1))
    if version != FORMAT_VERSION:
        raise BadInput(
            f"{path} was written in format {version}, and this Headform reads format {FORMAT_VERSION}; "
            "remove the model and add it again from its original file"
        )


def _assemble(arrays: dict[str, NDArray[Any]]) -> HeadModel:
    fields: dict[str, Any] = {key: str(arrays[key]) for key in TEXTS}
    fields |= {key: tuple(str(one) for one in arrays[key]) for key in NAMES}
    fields |= {key: arrays[key].astype(np.float32) for key in PLAIN}
    fields |= {key: arrays[key].astype(np.int32) for key in WHOLE}
    fields |= {key: arrays[key].astype(np.float32) for key in HALVED if key in arrays}
    if "follow.controls" in arrays:
        fields["follow"] = Follow(arrays["follow.controls"], arrays["follow.weights"])
    points = sorted({key.split(".")[1] for key in arrays if key.startswith("embedding.")})
    fields["embeddings"] = {
        name: Embedding(arrays[f"embedding.{name}.corners"], arrays[f"embedding.{name}.barycentric"]) for name in points
    }
    fields["extras"] = {key[len("extra.") :]: arrays[key] for key in arrays if key.startswith("extra.")}
    return HeadModel(**fields)


def _check_sizes(model: HeadModel, path: Path) -> None:
    controls, vertices = len(model.template), len(model.weights)
    wanted = {
        "identity": (model.identity_size, controls, 3),
        "expression": (len(model.expression_names), controls, 3),
        "drive": (len(model.expression_names), 5, 3),
        "joints": (5, 3),
        "joint_identity": (model.identity_size, 5, 3),
        "weights": (vertices, 5),
        "quads": (len(model.part), 4),
        "quads_uv": (len(model.part), 4),
    }
    for key, shape in wanted.items():
        if getattr(model, key).shape != shape:
            raise MissingModel(f"{path} was altered: its {key} does not fit the rest; add the model again")
    if not 0 <= model.quads.min(initial=0) <= model.quads.max(initial=0) < vertices:
        raise MissingModel(f"{path} was altered: its faces name vertices that are not there")

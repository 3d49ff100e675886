"""Skin tone: colours of plain skin over the head, learned from CC0 skins, and where a person's tone lies."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headform.errors import BadInput
from headform.skin.atlas import Floats

ANCESTRIES = ("african", "asian", "caucasian")
NEAR_AGE = 18.0  # years: how far apart in age two skins still have much in common
SEX_WEIGHT = 0.6  # how much a skin of the other sex counts less
WHITE = np.array([0.95047, 1.0, 1.08883])  # D65
TO_XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])  # fmt: skip  # noqa: E501


@dataclass(frozen=True, eq=False)
class AlbedoModel:
    """Logarithm of the linear RGB reflectance at the S points of the skin mesh: mean (S, 3) plus modes
    (K, S, 3), each as large as one standard deviation. `samples` (N, K) are the coefficients of the N source
    skins, `labels` (N, 5) their age in years, sex (0 female, 1 male), and african, asian, caucasian.
    """

    mean: Floats
    modes: Floats
    samples: Floats
    labels: Floats

    def log_colours(self, coefficients: ArrayLike) -> Floats:
        """(S, 3) log linear reflectance for coefficients (≤ K,)."""
        c = np.asarray(coefficients, np.float32)
        if c.ndim != 1 or len(c) > len(self.modes):
            raise BadInput(f"albedo coefficients of shape {c.shape}: give a list of up to {len(self.modes)}")
        return np.asarray(self.mean + np.tensordot(c, self.modes[: len(c)], 1), np.float32)

    def blend(self, age: float, sex: float, ancestry: ArrayLike) -> Floats:
        """(K,) coefficients of the typical skin for these attributes: a weighted mean of the source skins."""
        shares = ancestry_shares(ancestry)
        near = np.exp(-(((self.labels[:, 0] - np.clip(age, 25, 70)) / NEAR_AGE) ** 2))
        alike = 1 - SEX_WEIGHT * np.abs(self.labels[:, 1] - sex)
        weight = near * alike * (self.labels[:, 2:] @ shares)
        return np.asarray(weight @ self.samples / weight.sum(), np.float32)

    def fit(self, colours: ArrayLike, weights: ArrayLike, prior: float = 1.0) -> Floats:
        """(K,) coefficients that best explain linear colours (S, 3), trusted by weights (S,).

        `prior` is how strongly coefficients are held near 0, the mean skin.
        """
        seen, w = np.asarray(colours, np.float64), np.asarray(weights, np.float64)
        wanted = (np.log(np.maximum(seen, 1e-3)) - self.mean) * w[:, None]
        basis = (self.modes * w[:, None]).reshape(len(self.modes), -1).astype(np.float64)
        scale = prior * max(float((w**2).sum()), 1e-9) * 1e-3
        normal = basis @ basis.T + scale * np.eye(len(basis))
        return np.asarray(np.linalg.solve(normal, basis @ wanted.ravel()), np.float32)


@lru_cache
def albedo_model() -> AlbedoModel:
    """The albedo model that ships with the package."""
    with as_file(files("headform.skin") / "data" / "albedo.npz") as path, np.load(path) as kept:
        return AlbedoModel(kept["mean"], kept["modes"].astype(np.float32), kept["coefficients"], kept["labels"])


@dataclass(frozen=True)
class Tone:
    """The overall colour of a skin. melanin 0 very light – 1 very dark; lab (3,) its CIE L*a*b* (D65)."""

    melanin: float
    lab: tuple[float, float, float]

    @property
    def linear(self) -> Floats:
        """(3,) linear RGB reflectance."""
        return linear_from_lab(np.array(self.lab))


def random_tone(rng: np.random.Generator, sex: float, ancestry: ArrayLike) -> Tone:
    """A tone that people of this ancestry have."""
    shares = ancestry_shares(ancestry)
    row = {k: float(shares @ column(table_rows("ancestry"), k)) for k in table_rows("ancestry")[0] if k != "ancestry"}
    drawn = row["melanin"] + row["melanin_spread"] * float(np.clip(rng.normal(), -1.8, 1.8)) + 0.03 * (sex - 0.5)
    lab = tone_lab(drawn) + [row["lightness"], row["redness"], row["yellowness"]] * np.array(1 - 0.6 * drawn)
    lab += rng.normal(0, [0.8, 0.9, 0.9]) * (1 - 0.5 * drawn)
    return Tone(float(np.clip(drawn, 0, 1)), (float(lab[0]), float(lab[1]), float(lab[2])))


def tone_lab(melanin: float) -> NDArray[np.float64]:
    """(3,) L*, a*, b* on the curve that human skin follows from very light (0) to very dark (1)."""
    rows = table_rows("tones")
    knots = column(rows, "melanin")
    at = float(np.clip(melanin, 0, 1))
    return np.array([np.interp(at, knots, column(rows, k)) for k in ("lightness", "redness", "yellowness")])


def ancestry_shares(ancestry: ArrayLike) -> NDArray[np.float64]:
    """(3,) weights over ANCESTRIES, summing to one."""
    shares = np.asarray(ancestry, float)
    if shares.shape != (3,) or not np.isfinite(shares).all() or (shares < 0).any() or shares.sum() <= 0:
        raise BadInput(f"ancestry {ancestry!r}: give three weights ≥ 0, not all zero, for {', '.join(ANCESTRIES)}")
    return np.asarray(shares / shares.sum())


@lru_cache
def table_rows(name: str) -> list[dict[str, str]]:
    """The rows of a CSV table of this folder: `tones`, `ancestry`, `hair_colours`."""
    text = (files("headform.skin") / "data" / f"{name}.csv").read_text()
    return list(csv.DictReader(text.splitlines()))


def column(rows: list[dict[str, str]], name: str) -> NDArray[np.float64]:
    return np.array([float(row[name]) for row in rows])


def linear_from_srgb(srgb: NDArray[Any]) -> NDArray[np.float64]:
    """uint8 sRGB to linear light in [0, 1]."""
    c = np.asarray(srgb, np.float64) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


@lru_cache
def _srgb_table() -> NDArray[np.float32]:
    linear = np.linspace(0, 1, 4096)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055).astype(np.float32)


def srgb_from_linear(linear: NDArray[Any]) -> Floats:
    """Linear light to sRGB in [0, 1], by table."""
    at = np.clip(np.asarray(linear, np.float32), 0, 1) * np.float32(4095)
    low = np.minimum(at.astype(np.int32), 4094)
    table = _srgb_table()
    return np.asarray(table[low] + (table[low + 1] - table[low]) * (at - low), np.float32)


def linear_from_lab(lab: NDArray[Any]) -> Floats:
    """CIE L*a*b* (D65) to linear sRGB primaries, (..., 3)."""
    fy = (lab[..., 0] + 16) / 116
    f = np.stack([fy + lab[..., 1] / 500, fy, fy - lab[..., 2] / 200], -1)
    xyz = WHITE * np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    return np.asarray(np.clip(xyz @ np.linalg.inv(TO_XYZ).T, 0.003, 1), np.float32)


def lab_from_linear(linear: ArrayLike) -> NDArray[np.float64]:
    """Linear sRGB primaries to CIE L*a*b* (D65), (..., 3)."""
    share = np.maximum(np.asarray(linear, np.float64) @ TO_XYZ.T, 0) / WHITE
    f = np.where(share > (6 / 29) ** 3, np.cbrt(share), share / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)

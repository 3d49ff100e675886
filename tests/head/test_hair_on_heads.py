"""Hair on heads that are not the default one: it grows, or is refused in a sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from flame_file import flame_arrays, write_flame

from headform.avatar.avatar import Avatar, Provenance
from headform.errors import BadInput
from headform.fit import HeadFit
from headform.hair import library
from headform.head import HeadModel, load_default
from headform.head.flame import load_flame
from headform.render import Camera, studio_light

STYLE = "pixie"


@pytest.fixture(scope="module")
def flame(tmp_path_factory: pytest.TempPathFactory) -> HeadModel:
    return load_flame(write_flame(tmp_path_factory.mktemp("flame") / "f.pkl", flame_arrays()))


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADFORM_HOME", str(tmp_path / "home"))


def at_rest(model: HeadModel) -> Avatar:
    """A mean head that nobody has fitted."""
    camera, offsets = Camera.portrait(0.0, 0.0, 64), np.zeros_like(model.template)
    fit = HeadFit(
        model.beta(), model.psi({}), np.zeros((5, 3), np.float32), camera, studio_light(), offsets, 0.0
    )  # fmt: skip
    return Avatar(model, fit, Provenance("nobody", 1, "none"), np.zeros((0, 2), np.float32))


def test_a_style_grows_on_flame(flame: HeadModel) -> None:
    bald = at_rest(flame)
    avatar = bald.with_hair(STYLE, "auburn", 0.8, 1.2)
    hair = avatar.hair
    assert hair is not None and hair.roots is not None and len(hair) > 5000
    rest = avatar.neutral()
    np.testing.assert_allclose(hair.points[:, 0], hair.roots.points(rest), atol=1e-4)
    usual = at_rest(load_default()).with_hair(STYLE, "auburn", 0.8).hair
    assert usual is not None
    assert np.median(hair.lengths()) == pytest.approx(np.median(usual.lengths()), rel=0.2)
    shorter = avatar.with_hair(length=0.5).hair
    assert shorter is not None
    assert np.median(shorter.lengths()) == pytest.approx(0.5 * np.median(hair.lengths()), rel=0.05)
    assert not np.array_equal(avatar.render(size=64), bald.render(size=64))


def test_it_grows_at_the_same_place_of_the_head(flame: HeadModel) -> None:
    """FLAME's origin is another joint: what is at the same height from the eyes is the same."""

    def lowest(model: HeadModel) -> float:
        hair = at_rest(model).with_hair(STYLE).hair
        assert hair is not None
        return float(np.percentile(hair.points[:, 0, 1], 1) - model.joints[3, 1])

    assert lowest(flame) == pytest.approx(lowest(load_default()), abs=0.005)


def test_styles_of_the_person_fit_the_default_head_alone(flame: HeadModel) -> None:
    library.keep("mine", library.groom(STYLE, count=500), "Mine")
    with pytest.raises(BadInput, match="your own hairstyles fit the default head, not 'flame'"):
        at_rest(flame).with_hair("mine")


def test_strands_without_roots_fit_the_default_head_alone(flame: HeadModel) -> None:
    away = replace(library.groom(STYLE, count=500), roots=None)
    with pytest.raises(BadInput, match="bound to no head fit the default one, not 'flame'"):
        at_rest(flame).with_hair(away)


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_a_head_without_a_scalp_is_refused(tmp_path: Path, share: float) -> None:
    """Only the lower part of a face: there is no place where hair could grow."""
    arrays = flame_arrays()
    height = arrays["v_template"][arrays["f"]][..., 1].max(1)
    arrays["f"] = arrays["f"][height < np.quantile(height, share)]
    mask = load_flame(write_flame(tmp_path / "mask.pkl", arrays))
    with pytest.raises(BadInput, match="the head 'flame' has no whole scalp for hair to grow on"):
        at_rest(mask).with_hair(STYLE)
    assert at_rest(mask).with_hair("none").hair is not None

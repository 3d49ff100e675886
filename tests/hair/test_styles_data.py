"""The styles that ship: each row loads, says the truth about itself, and grows hair that keeps out of the head."""

from __future__ import annotations

import json
import re
from importlib.resources import files

import numpy as np
import pytest
from scipy.spatial import cKDTree

from headform.hair.dense import dense
from headform.hair.grow import guides_of, wearer_of
from headform.hair.kinds import BALD
from headform.hair.style import Style
from headform.head import load_default

ROWS = json.loads((files("headform.hair") / "data" / "styles.json").read_text(encoding="utf-8"))
STYLES = [Style.from_row(row) for row in ROWS]
SIZES, TEXTURES = ("short", "medium", "long"), ("straight", "wavy", "curly", "coily")
TAGS = {
    *SIZES, *TEXTURES, "afro", "asymmetric", "bald", "bob", "bowl", "braids", "bun", "buzz", "cornrows", "crew",
    "curtain", "fade", "flat-top", "fringe", "half-up", "layers", "locs", "mohawk", "mullet", "parting", "perm",
    "pompadour", "ponytail", "quiff", "receding", "ringlets", "shag", "shaved", "side-swept", "slick", "spiky",
    "thinning", "twists", "undercut", "vintage",
}  # fmt: skip
KINDS = {BALD, "braided", "faded", "gathered", "locs", *(f"{size} {texture}" for size in SIZES for texture in TEXTURES)}
FEW = 1200  # strands: what lies in the head lies there in a sample
IN_HEAD = 0.002  # of a style's points may
DEEP = 0.001  # metres below the skin: what is nearer lies on it
NECK = -0.085  # metres of y: below, the mesh ends, and has no inside
SAMPLES = 200_000  # points on the skin, about half a millimetre apart


@pytest.fixture(scope="module")
def wearer():
    return wearer_of(load_default())


@pytest.fixture(scope="module")
def skin(wearer):
    """A tree of points all over the mesh itself, and the normals there."""
    random = np.random.default_rng(0)
    corners = wearer.vertices[wearer.scalp.triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    chosen = random.choice(len(corners), SAMPLES, p=area / area.sum())
    weight = random.dirichlet(np.ones(3), SAMPLES)
    normals = np.einsum("tcx,tc->tx", wearer.normals[wearer.scalp.triangles[chosen]], weight)
    return cKDTree(np.einsum("tcx,tc->tx", corners[chosen], weight)), normals


def test_there_are_enough_and_no_name_is_given_twice() -> None:
    names = [style.name for style in STYLES]
    assert len(names) >= 66
    assert len(set(names)) == len(names)
    assert len({style.title for style in STYLES}) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z_]{0,39}", name) for name in names)


def test_every_size_of_every_texture_is_there() -> None:
    kinds = {style.kind for style in STYLES}
    assert kinds == KINDS


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_a_row_says_the_truth_about_itself(style: Style) -> None:
    tags = set(style.tags)
    assert tags <= TAGS
    assert len(tags & set(SIZES)) == 1
    assert style.bald or len(tags & set(TEXTURES)) == 1
    assert style.title
    assert style.about.endswith(".")
    assert ("fade" in tags) == (style.fade > 0)
    assert not style.ties or tags & {"ponytail", "bun", "braids", "half-up"}
    assert "receding" not in tags or style.recede > 0
    assert "parting" not in tags or style.part is not None
    assert all(0 <= length < 0.8 for length in style.length)
    assert all(0 < channel < 1 for channel in style.colour)


@pytest.mark.parametrize("style", [style for style in STYLES if not style.bald], ids=lambda style: style.name)
def test_hair_stays_out_of_the_head(style: Style, wearer, skin) -> None:
    """Against the mesh, ears and all, not against the grid of distances by which hair is pushed out."""
    groom = dense(guides_of(style, wearer, 3), style, wearer, 3, FEW)
    assert len(groom) > 0.1 * FEW
    points = groom.points[:, 1:].reshape(-1, 3)[::5]
    points = points[points[:, 1] > NECK]
    tree, normals = skin
    _, near = tree.query(points, workers=1)
    height = ((points - tree.data[near]) * normals[near]).sum(1)
    assert (height < -DEEP).mean() < IN_HEAD


@pytest.mark.parametrize("style", [s for s in STYLES if not {"fringe", "curtain"} & set(s.tags)], ids=lambda s: s.name)
def test_only_a_fringe_hides_the_face(style: Style, wearer) -> None:
    """Few strands without one come in front of eyes and nose."""
    if style.bald:
        return
    points = dense(guides_of(style, wearer, 1), style, wearer, 1, FEW).points
    x, y, z = np.moveaxis(points, 2, 0)
    face = (np.abs(x) < 0.035) & (y < 0.05) & (y > -0.05) & (z > 0.08)
    assert face.any(1).mean() < 0.01

"""Where a photo shows the skin, and in which light."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from known_person import CHIN, SIDE, known_person, soft_light

from headform.render import Light, Material, Scene, Surface, render
from headform.render.colour import LINEAR
from headform.render.surface import vertex_normals
from headform.skin.atlas import SKIN, atlas, skin_mesh
from headform.skin.regions import regions
from headform.skin.seen import COARSE, SUBSURFACE, Seen, look_at_skin, shade_of
from headform.skin.sheets import mean_at_points
from headform.skin.wardrobe import fine_mesh

FOREHEAD, CHEEK, LOWER_LIP, CHIN_FRONT, CORNERS = 337, 425, 17, 199, (61, 291)  # landmarks


def seen_from(yaw: float) -> Seen:
    person = known_person(yaw)
    return look_at_skin(person.sighting, person.fit, person.model)


def trusted_points(seen: Seen) -> np.ndarray:
    """(S,) trust around each point of the skin mesh."""
    sheet = np.repeat(seen.trust[..., None], 3, -1)
    return mean_at_points(np.ascontiguousarray(sheet), np.ones_like(seen.trust))[0][:, 0]


def test_the_front_is_trusted_and_the_back_is_not() -> None:
    seen, at = seen_from(0), atlas(COARSE)
    assert seen.trust.shape == seen.body.shape == (COARSE, COARSE)
    assert seen.trust.min() >= 0 and seen.trust.max() <= 1
    trust = seen.trust.reshape(-1)[at.texel]
    assert trust[at.position[:, 2] < -0.05].max() == 0
    middle = (at.position[:, 2] > 0.1) & (at.inside == SKIN) & (regions(COARSE).lips > 3) & (regions(COARSE).eye > 6)
    assert np.median(trust[middle]) > 0.9


def test_no_colour_is_taken_from_eyes_and_open_mouths() -> None:
    seen, at = seen_from(0), atlas(COARSE)
    trust = seen.trust.reshape(-1)[at.texel]
    assert trust[at.inside != SKIN].max() < 0.1


def test_from_the_side_one_half_is_seen() -> None:
    left, right = trusted_points(seen_from(60)), trusted_points(seen_from(-60))
    across = skin_mesh().points[:, 0]
    assert left[across < -0.045].max() < 0.05 and right[across > 0.045].max() < 0.05
    assert np.percentile(left[across > 0.03], 90) > 0.9 and np.percentile(right[across < -0.03], 90) > 0.9


def test_pixels_are_where_the_camera_sees_the_points() -> None:
    person = known_person()
    mesh = fine_mesh(person.model)
    fine = mesh.subdivision.refine(person.fit.posed(person.model))
    expected = {tuple(np.round(p, 2)) for p in person.fit.camera.project(fine)[0].tolist()}
    found = seen_from(0).pixel
    assert found.shape == (len(skin_mesh().points), 2)
    assert all(tuple(np.round(p, 2)) in expected for p in found[::97].tolist())


def test_hair_before_the_forehead_is_not_trusted_nor_its_rim() -> None:
    person = known_person()
    column, row = person.sighting.landmarks.points[FOREHEAD, :2].astype(int)
    patch = np.zeros((SIDE, SIDE), bool)
    patch[row - 30 : row + 30, column - 30 : column + 30] = True
    seen = look_at_skin(person.painted_over(patch, (0, 0, 0), "hair").sighting, person.fit, person.model)
    trust = trusted_points(seen)
    near = (np.abs(seen.pixel - [column, row]).max(1) < 34) & (skin_mesh().points[:, 2] > 0.05)
    assert near.sum() > 20 and trust[near].max() < 0.3
    assert trust[near & (np.abs(seen.pixel - [column, row]).max(1) < 24)].max() < 0.05


def test_a_beard_is_skin_and_a_strand_before_the_cheek_is_not() -> None:
    person = known_person()
    points = person.sighting.landmarks.points[:, :2].astype(int)
    chin, cheek = points[CHIN_FRONT], points[CHEEK]
    strand, beard, mask = (np.zeros((SIDE, SIDE), bool) for _ in range(3))
    strand[:, cheek[0] - 8 : cheek[0] + 8] = True
    beard[points[LOWER_LIP, 1] : points[CHIN, 1] + 4, points[CORNERS[0], 0] : points[CORNERS[1], 0]] = True
    mask |= beard
    for here, name, spot, least, most in (
        (strand, "hair", cheek, 0.0, 0.1),
        (beard, "hair", chin, 0.5, 1.0),
        (mask, "other", chin, 0.0, 0.1),
    ):
        seen = look_at_skin(person.painted_over(here, (0, 0, 0), name).sighting, person.fit, person.model)
        near = (np.abs(seen.pixel - spot).max(1) < 6) & (skin_mesh().points[:, 2] > 0.05)
        assert near.any() and least <= trusted_points(seen)[near].max() <= most


def test_the_shade_is_what_the_renderer_makes_of_white_skin() -> None:
    """A head of white skin without shine is drawn; at what is seen from the front its colours are the shade."""
    person = known_person()
    mesh = fine_mesh(person.model)
    fine = mesh.subdivision.refine(person.fit.posed(person.model))
    white = Material((1, 1, 1), roughness=1.0, specular=0.0, subsurface=SUBSURFACE)
    dim = Light(person.fit.light.coefficients * 0.5)
    skin = Surface(fine, mesh.triangles["skin"], white)
    drawn = LINEAR[render(Scene((skin,), light=dim, background=(0, 0, 0)), person.fit.camera, 2).rgb]
    fit = replace(person.fit, light=dim)
    seen = look_at_skin(person.sighting, fit, person.model)
    trust = trusted_points(seen)
    forehead = (trust > 0.99) & (skin_mesh().points[:, 1] > 0.08)  # nothing hides it from the light
    assert forehead.sum() > 50
    column, row = seen.pixel[forehead].round().astype(int).T
    np.testing.assert_allclose(seen.shade[forehead], drawn[row, column], rtol=0.06)


def test_shade_follows_light_and_is_never_too_dark() -> None:
    normals = np.zeros((len(skin_mesh().points), 3), np.float32)
    normals[:, 2] = 1
    normals[::2, 2] = -1
    open_to_light = np.ones(len(normals), np.float32)
    light = soft_light()
    shade = shade_of(light, normals, open_to_light)
    assert (shade[1] > shade[0]).all() and shade.min() > 0
    np.testing.assert_allclose(shade_of(Light(2 * light.coefficients), normals, open_to_light), 2 * shade, rtol=1e-4)
    dark = shade_of(light, normals, np.full_like(open_to_light, 1e-3))
    assert np.isfinite(np.log(dark)).all()
    assert shade_of(Light(np.zeros((9, 3))), normals, open_to_light).min() > 0


def test_normals_of_the_person_face_the_camera() -> None:
    """The close-up mesh is wound outwards, or all shade would be that of the back."""
    person = known_person()
    mesh = fine_mesh(person.model)
    fine = mesh.subdivision.refine(person.fit.posed(person.model))
    normals = vertex_normals(fine, np.concatenate(list(mesh.triangles.values())))
    assert normals[fine[:, 2].argmax(), 2] > 0.5

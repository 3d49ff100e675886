from __future__ import annotations

import weakref

import numpy as np
import pytest

from headform import show
from headform.avatar import backend, backends, reconstruct, reconstruct_all
from headform.avatar.backends import BACKENDS
from headform.errors import BadInput
from headform.hair import library
from headform.hair.colour import parse_colour, recoloured
from headform.hair.kinds import kind_of_groom
from headform.hair.tint import average
from headform.head import load_default
from headform.photo import Photo, Sighting
from headform.photo.faces import Head
from headform.photo.sighting import look_at
from headform.render import Camera, Scene, render
from headform.skin.wardrobe import Wardrobe, surfaces

HAIR = "#b04020"


@pytest.fixture(scope="module")
def portrait() -> Photo:
    """A face of our own with hair, so that nobody's photo is needed."""
    head = load_default()
    person = show.draw_person(head, 11)
    wardrobe = Wardrobe.of(person.seed, person.age, person.sex, person.ancestry, size=512)
    camera = Camera.portrait(0.3, 0.0, 448, field_of_view=0.34)
    rest = head.rest(person.beta)
    hair = recoloured(library.groom("lob", vertices=rest), parse_colour(HAIR))
    scene = Scene(surfaces(head, rest, wardrobe), (hair.strands(),), background=(0.5, 0.55, 0.6))
    return Photo.of(np.ascontiguousarray(render(scene, camera).rgb), "ours")


@pytest.mark.parametrize("name", BACKENDS)
def test_each_backend_lays_a_head_on_the_face(portrait: Photo, name: str) -> None:
    told: list[tuple[str, float]] = []
    made = backend(name, texture=1024)
    assert made.name == name
    avatars = made.reconstruct(portrait, progress=lambda stage, share: told.append((stage, share)))
    assert len(avatars) == 1
    avatar = avatars[0]
    assert (avatar.provenance.photo, avatar.provenance.face, avatar.provenance.backend) == ("ours", 1, name)
    assert "sha256" in avatar.provenance.models["landmarks"]
    points = avatar.model.embeddings["mediapipe_478"].points(avatar.posed())
    placed = avatar.fit.camera.project(points)[0]
    face = np.ptp(avatar.landmarks[:468], axis=0).max()
    assert np.median(np.linalg.norm(placed - avatar.landmarks, axis=1)) < 0.06 * face
    left, top, right, bottom = avatar.box if avatar.box is not None else np.zeros(4)
    assert left < avatar.landmarks[1, 0] < right and top < avatar.landmarks[1, 1] < bottom
    shares = [share for _, share in told]
    assert told[0][0] == "looking" and shares == sorted(shares) and shares[-1] == 1.0
    stages = list(dict.fromkeys(stage for stage, _ in told))
    assert stages == ["looking", "fitting", "skin", "hair", "done"]
    assert avatar.textures is not None and avatar.textures.albedo.shape == (1024, 1024, 3)
    assert avatar.hair is not None and len(avatar.hair) > 1000 and avatar.hair.about["source"] == "photo"
    assert kind_of_groom(avatar.hair).split()[0] in ("medium", "long")


def test_hair_is_what_is_asked_for(portrait: Photo) -> None:
    told: list[str] = []
    plain = reconstruct(portrait, texture=None, progress=lambda stage, share: told.append(stage))
    assert plain.hair is None and "hair" not in told  # shape alone is quick
    bald = reconstruct(portrait, texture=None, hair="none")
    assert bald.hair is not None and not len(bald.hair)
    (styled,) = reconstruct_all(portrait, texture=None, hair="pixie", hair_length=0.5)
    shown = styled.with_hair("pixie", "black", 0.5).hair
    assert styled.hair is not None and shown is not None and styled.hair.about["length"] == 0.5
    np.testing.assert_array_equal(styled.hair.points, shown.points)
    red, _, blue = average(styled.hair)
    assert red > 2 * blue  # as in the photo, and not the style's blond


def test_a_head_without_a_scalp_is_made_and_the_lack_of_hair_is_told(
    portrait: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "has_scalp", lambda model: False)
    made = reconstruct(portrait, texture=None, hair="photo")
    assert made.hair is None and made.warnings[-1] == "the head 'headform' has no whole scalp for hair to grow on"


def test_hair_that_there_is_not_is_refused_before_the_photo_is_opened() -> None:
    with pytest.raises(BadInput, match="there is no hairstyle 'chin_bub'; did you mean chin_bob"):
        reconstruct("gone.jpg", hair="chin_bub")
    with pytest.raises(BadInput, match="did you mean auburn"):
        reconstruct_all("gone.jpg", hair_colour="orburn")
    with pytest.raises(BadInput, match="9 times the length of hair cannot be"):
        reconstruct("gone.jpg", hair_length=9)


def test_a_head_that_cannot_be_made_ready_fails_where_it_is_used() -> None:
    from headform.avatar.backends import _begun

    def fails(model: object) -> None:
        raise RuntimeError

    _begun(fails, load_default(), True).join()  # a traceback of the thread would be a warning, and so an error


def test_only_one_face_at_a_time_is_held(portrait: Photo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Masks of a large photo take hundreds of megabytes: those of a face go before the next ones come."""
    held: list[weakref.ref[Sighting]] = []

    def look_once(photo: Photo, head: Head) -> Sighting:
        assert not any(earlier() for earlier in held)
        sighting = look_at(photo, head)
        held.append(weakref.ref(sighting))
        return sighting

    monkeypatch.setattr(backends, "look_at", look_once)
    two = Photo.of(np.concatenate([portrait.pixels, portrait.pixels], 1), "two")
    assert [avatar.provenance.face for avatar in backend("average", texture=None).reconstruct(two)] == [1, 2]
    assert len(held) == 2


def test_the_default_is_nearer_than_the_average(portrait: Photo) -> None:
    found, mean = (reconstruct(portrait, method=method, texture=None) for method in ("headform", "average"))
    assert found.textures is None
    assert found.fit.error < 0.8 * mean.fit.error
    assert not mean.fit.beta.any() and not mean.fit.psi.any()


def test_a_photo_without_a_face_is_refused() -> None:
    with pytest.raises(BadInput, match="no face was found in blank"):
        reconstruct(Photo.of(np.full((64, 64, 3), 128, np.uint8), "blank"))


def test_one_face_is_the_largest_or_the_one_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BACKENDS, "stand_in", "avatar_stand_in:StandIn")
    grey = np.full((80, 64, 3), 120, np.uint8)
    grey[0, 0, 0] = 3
    group = Photo.of(grey, "group")
    assert reconstruct(group, method="stand_in").provenance.face == 1
    assert reconstruct(group, method="stand_in", face=3).provenance.face == 3
    assert [each.provenance.face for each in reconstruct_all(group, method="stand_in")] == [1, 2, 3]
    with pytest.raises(BadInput, match="face 0 is no face"):
        reconstruct(group, method="stand_in", face=0)


@pytest.mark.parametrize("size", [0, 512, 2000, 8192])
def test_a_texture_size_that_cannot_be_names_those_that_can(size: int) -> None:
    with pytest.raises(BadInput, match=f"a texture of {size} pixels cannot be made; give 1024, 2048 or 4096"):
        reconstruct("gone.jpg", texture=size)


@pytest.mark.parametrize(
    ("name", "hint"), [("avrage", "did you mean average?"), ("deca", "there are headform, average")]
)
def test_an_unknown_backend_names_those_there_are(name: str, hint: str) -> None:
    with pytest.raises(BadInput, match=hint.replace("?", r"\?")):
        backend(name)


def test_a_head_without_landmarks_is_refused() -> None:
    from dataclasses import replace

    with pytest.raises(BadInput, match="does not know where the 478 points"):
        backend("headform", replace(load_default(), name="bare", embeddings={}))

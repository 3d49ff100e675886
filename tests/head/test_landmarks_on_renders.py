"""MediaPipe's own network, looking at a picture of our head, finds its points where the head says they are."""

from __future__ import annotations

import numpy as np
import pytest

from headform.head import load_default
from headform.photo.faces import find_faces
from headform.photo.landmarks import find_landmarks
from headform.render import Camera, Scene, render
from headform.skin.wardrobe import Wardrobe, surfaces

MILLIMETRES = 1.2 * 0.3 / 512 * 1e3  # of a pixel, at the face


@pytest.mark.parametrize("yaw", [0.0, 0.35])
def test_mediapipe_points_lie_where_it_sees_them(yaw):
    head = load_default()
    vertices = head.rest()
    wardrobe = Wardrobe.of(1, 35, 0.9, (0, 0, 1))
    camera = Camera.portrait(yaw, 0.0, 512, field_of_view=0.3)
    scene = Scene(surfaces(head, vertices, wardrobe), background=(0.5, 0.55, 0.6))
    picture = np.ascontiguousarray(render(scene, camera).rgb)
    faces = find_faces(picture)
    assert len(faces) == 1
    seen = find_landmarks(picture, faces[0]).points[:, :2]
    expected, _ = camera.project(head.embeddings["mediapipe_478"].points(vertices))
    apart = np.linalg.norm(seen - expected, axis=1) * MILLIMETRES
    assert np.median(apart) < 2.5
    for one, other in ((468, 473), (33, 263), (61, 291)):  # irises, outer corners of eyes, corners of the mouth
        assert apart[[one, other]].max() < 4

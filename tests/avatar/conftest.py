from __future__ import annotations

import numpy as np
import pytest
from avatar_stand_in import known_avatar

from headform.avatar.avatar import Avatar
from headform.photo import Photo


@pytest.fixture(scope="session")
def avatar() -> Avatar:
    return known_avatar()


@pytest.fixture(scope="session")
def photo() -> Photo:
    return Photo.of(np.full((400, 320, 3), 120, np.uint8), "anna")

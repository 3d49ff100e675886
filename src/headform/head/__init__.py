"""The morphable head: template, identity, expression and joints become a mesh."""

from headform.head.default import AGE_KNOTS, ANCESTRIES, load_default, typical
from headform.head.embedding import Embedding
from headform.head.gaze import aim_eyes
from headform.head.jacobian import Jacobian, TrackedPoints
from headform.head.model import JOINTS, Follow, HeadModel
from headform.head.skinning import Person
from headform.head.subdivision import Subdivision, subdivide

__all__ = [
    "AGE_KNOTS",
    "ANCESTRIES",
    "JOINTS",
    "Embedding",
    "Follow",
    "HeadModel",
    "Jacobian",
    "Person",
    "Subdivision",
    "TrackedPoints",
    "aim_eyes",
    "load_default",
    "subdivide",
    "typical",
]

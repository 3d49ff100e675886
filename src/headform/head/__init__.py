"""The morphable head: template, identity, expression and joints become a mesh."""

from headform.head.default import AGE_KNOTS, ANCESTRIES, load_default, typical
from headform.head.embedding import Embedding
from headform.head.files import load_head, save_head
from headform.head.flame import load_flame
from headform.head.gaze import aim_eyes
from headform.head.ict import load_ict
from headform.head.jacobian import Jacobian, TrackedPoints
from headform.head.model import JOINTS, Follow, HeadModel
from headform.head.registry import current_model
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
    "current_model",
    "load_default",
    "load_flame",
    "load_head",
    "load_ict",
    "save_head",
    "subdivide",
    "typical",
]

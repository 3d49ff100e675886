"""What the head wears on its surface: skin colour, fine relief, shine."""

from headform.skin.paint import Skin, paint, paint_traits
from headform.skin.traits import Attributes, Traits, attributes, draw_traits

__all__ = ["Attributes", "Skin", "Traits", "attributes", "draw_traits", "paint", "paint_traits"]

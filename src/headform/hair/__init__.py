"""Strand hair: grooms, the scalp they grow on, styles, hair from a photo, alignment, colour, cards, files."""

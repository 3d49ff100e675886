"""One portrait photo in, a living 3D head out."""

__version__ = "0.1.0"

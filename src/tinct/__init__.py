"""tinct colorizes black-and-white photographs: by itself, from a reference photograph, from points and strokes of color."""

__version__ = "0.1.0"

"""Photographs: read with all that must be kept, handed out by rows, written whole or not at all."""

from tinct.photo.formats import default_output
from tinct.photo.photo import DEFAULT_MAX_PIXELS, Photo
from tinct.photo.provenance import Provenance

__all__ = ["DEFAULT_MAX_PIXELS", "Photo", "Provenance", "default_output"]

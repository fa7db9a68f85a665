"""Photographs: reading with all metadata that a result keeps, access by rows, and writing whole or not at all."""

from tinct.photo.formats import default_output
from tinct.photo.photo import DEFAULT_MAX_PIXELS, Photo
from tinct.photo.provenance import Provenance

__all__ = ["DEFAULT_MAX_PIXELS", "Photo", "Provenance", "default_output"]

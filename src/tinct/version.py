"""The version of tinct; it stands here alone, and packaging reads it here."""

__version__ = "0.1.0"

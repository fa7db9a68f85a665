"""The version of tinct, stated here alone; packaging reads it here."""

__version__ = "0.1.0"

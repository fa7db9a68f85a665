"""Colorizing: from a photograph, hints and references to a colored photograph; projects and albums that repeat this."""

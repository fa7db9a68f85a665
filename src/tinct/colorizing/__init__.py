"""The path from a photograph, hints and references to a colored photograph; albums and projects of such paths."""

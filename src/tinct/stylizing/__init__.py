"""Photorealistic stylization: a color photograph takes on the look of another."""

"""Color: spaces, gamut, bins, differences and palettes, as numpy functions with engine and torch twins."""

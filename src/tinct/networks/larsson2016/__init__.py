"""Larsson, Maire, Shakhnarovich, Learning Representations for Automatic Colorization, ECCV 2016."""

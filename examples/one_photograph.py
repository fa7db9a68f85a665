"""Colorize one photograph: `python examples/one_photograph.py scan.jpg` writes scan.color.png beside it."""

import sys
from pathlib import Path

import tinct

source = Path(sys.argv[1])
target = source.with_name(f"{source.stem}.color.png")

photo = tinct.colorize(source)
photo.write(target)
print(f"{target}: {photo.width} x {photo.height} pixels, by {photo.provenance.method}")

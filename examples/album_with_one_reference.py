"""Colorize a folder with one reference: `python examples/album_with_one_reference.py album/ summer.jpg colored/`.

One `Colorizer` is kept for the whole album: the reference is read once.
"""

import sys
from pathlib import Path

import tinct

album, reference, out = map(Path, sys.argv[1:])
out.mkdir(parents=True, exist_ok=True)

colorizer = tinct.Colorizer(reference=reference)
for source in sorted(album.iterdir()):
    try:
        colorizer.set_photo(source)
        colorizer.render().write(out / f"{source.stem}.color.png")
    except tinct.TinctError as error:  # one photograph that cannot be read does not stop the album
        print(f"{source.name}: {error}", file=sys.stderr)
    else:
        print(out / f"{source.stem}.color.png")

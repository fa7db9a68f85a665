"""Correct a photograph by hints: `python examples/hints_by_code.py scan.jpg` writes scan.hints.png.

Positions are pixels of the photograph, x to the right and y down. The photograph is encoded once; every hint after
that costs a small part of the first answer.
"""

import sys
from pathlib import Path

import tinct

source = Path(sys.argv[1])
colorizer = tinct.Colorizer(source)
width, height = colorizer.photo.width, colorizer.photo.height

# A stroke of sky along the upper edge, and a gray point where no color is wanted.
colorizer.add_hint(tinct.Stroke(((0.1 * width, 4), (0.9 * width, 4)), "#a8c8e8", width=8))
number = colorizer.add_hint(tinct.Hint(width / 2, height - 5, "#808080"))
colorizer.remove_hint(number)  # taken back, as if it had never been there

# The place where one more hint would help most, and the likeliest color there.
for place in colorizer.where_next(1):
    likeliest = colorizer.suggest(place.x, place.y)[0]
    print(f"at {place.x:.0f}, {place.y:.0f}: {likeliest.color}, probability {likeliest.probability:.2f}")
    colorizer.add_hint((place.x, place.y, likeliest.color))

colorizer.render().write(source.with_name(f"{source.stem}.hints.png"))

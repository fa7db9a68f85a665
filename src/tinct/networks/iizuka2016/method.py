"""Iizuka 2016 as a method."""

from __future__ import annotations

from tinct.methods.automatic import Automatic

SOURCE = "Iizuka, Simo-Serra, Ishikawa, Let there be Color!, SIGGRAPH, 2016"

IIZUKA2016 = Automatic(
    name="iizuka2016",
    summary="by itself: global and local features fused, with a scene branch",
    source=SOURCE,
)

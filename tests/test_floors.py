"""The floors of the house: a module imports from its own room and from rooms below, wherever the import stands."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import tinct
from tools.import_circles import circles, imported, modules

SOURCE = Path(tinct.__file__).parent

FLOORS = """
address_space | allocation | errors | files unfinished | lazy | networks.card | streams | threads | version
color | options | tables | weights
inference | photo
color.lab_openvino | decoder_messages | hints
methods.*
networks
methods methods.selection
colorizing | explaining | stylizing
retrieval
archive
training networks.*.training networks.*_training networks.*.encoder_weights networks.*.coarse_pairs networks.*.released
demo | evaluation | web
cli
__main__ |
"""
"""The rooms from the ground up, those of one floor apart from each other; the longest name that fits a module counts.
The last room is `tinct` itself, whose names are imported when they are used."""

ROOMS = [
    (height, room.split()) for height, line in enumerate(FLOORS.split("\n")[1:-1]) for room in line.split("|")
]


def room_of(module: str) -> tuple[int, list[str]]:
    """The floor of a module and its room."""
    inside = module.removeprefix("tinct").removeprefix(".")
    fits = [
        (len(name), height, room)
        for height, room in ROOMS
        for name in room or [""]
        if fnmatch(inside, name) or (name and fnmatch(inside, f"{name}.*"))
    ]
    assert fits, f"{module} is in no room; name it in FLOORS."
    return max(fits)[1:]


def test_a_module_imports_from_its_own_room_and_from_those_below():
    known = modules(SOURCE)
    upwards = [
        f"{module} imports {other}"
        for module, file in known.items()
        for other in imported(file, known)
        if room_of(module)[1] != room_of(other)[1] and room_of(module)[0] <= room_of(other)[0]
    ]
    assert upwards == []


def test_there_are_no_circles_of_imports():
    assert circles(SOURCE) == []

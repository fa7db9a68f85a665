"""A minute of damaged and odd files: each is read or refused by name, in bounded time and memory. Hours: make fuzz."""

from __future__ import annotations

import os

from fuzz_campaign import run


def test_no_input_stops_the_process_or_raises_anything_unnamed() -> None:
    """The inputs are the same each time, so that a failure can be had again; TINCT_FUZZ_SECONDS ends them sooner."""
    table = run(1, inputs=6000, seconds=float(os.environ.get("TINCT_FUZZ_SECONDS", "60")))
    assert not table.faults, "\n".join(table.faults[:20])
    assert table.taken > table.inputs / 10
    assert table.refused > table.inputs / 10

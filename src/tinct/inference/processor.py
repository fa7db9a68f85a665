"""What this machine's processor computes fast in."""

from __future__ import annotations

from functools import cache
from itertools import takewhile
from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")
"""Where Linux tells a line "name : value" of each processor's properties, and an empty line behind each processor."""


@cache
def is_intel_without_amx() -> bool:
    """True on a processor of Intel's that is known to have no AMX, or to hide it, as in some virtual machines.

    Where the system does not tell (no Linux), it is False.
    """
    told = _first_processor()
    return told.get("vendor_id") == "GenuineIntel" and "amx_bf16" not in told.get("flags", "").split()


def _first_processor() -> dict[str, str]:
    """The properties of the first processor, by the names that Linux gives them; none where there is no such file."""
    try:
        with CPU_INFO.open(encoding="utf-8", errors="replace") as lines:
            pairs = [line.partition(":") for line in takewhile(str.strip, lines)]
    except OSError:
        return {}
    return {name.strip(): value.strip() for name, _, value in pairs}

"""Lazy properties: computed once, and for different instances at the same time."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tinct.lazy import lazy


@dataclass(frozen=True)
class Counted:
    """Counts how often its value is computed, and waits for others that compute theirs."""

    met: threading.Barrier = field(default_factory=lambda: threading.Barrier(1))
    times: list[int] = field(default_factory=list)

    @lazy
    def value(self) -> int:
        """A number."""
        self.met.wait(10)
        self.times.append(1)
        return 7


def test_the_value_is_computed_once_and_not_before_it_is_asked_for() -> None:
    one = Counted()
    assert one.times == []
    assert one.value == one.value == 7
    assert one.times == [1]
    assert Counted.value.__doc__ == "A number."


def test_two_instances_compute_at_the_same_time() -> None:
    met = threading.Barrier(2)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(Counted(met).value)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == [7, 7]

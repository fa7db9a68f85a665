"""The networks that stay compiled in memory, one set for the process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from tinct.inference.interface import Network

COMPILED_NETWORKS = 16
"""How many networks stay compiled; the longest unused is dropped first."""


class CompiledNetworks:
    """At most `limit` networks, each compiled once even when several threads ask.

    Who asks for a network that is there does not wait for another one that is being compiled. Networks are compiled one
    after another: OpenVINO sets the process's locale to C while it compiles and back to what it was before, and two
    that compile at once leave it at C, with which Python reads text as ASCII.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._compiling = threading.Lock()
        self._networks: OrderedDict[Hashable, Network] = OrderedDict()

    def get(self, key: Hashable, compile_network: Callable[[], Network]) -> Network:
        """The network of a key, which `compile_network` makes where it is not there."""
        if found := self._found(key):
            return found
        with self._compiling:
            if found := self._found(key):
                return found
            made = compile_network()
            with self._lock:
                self._networks[key] = made
                while len(self._networks) > self.limit:
                    self._networks.popitem(last=False)
            return made

    def _found(self, key: Hashable) -> Network | None:
        """The network if it is there, which then counts as used last."""
        with self._lock:
            if key in self._networks:
                self._networks.move_to_end(key)
            return self._networks.get(key)

    def clear(self) -> None:
        """Drop all networks from memory."""
        with self._lock:
            self._networks.clear()


compiled_networks = CompiledNetworks(COMPILED_NETWORKS)
"""The networks of this process."""

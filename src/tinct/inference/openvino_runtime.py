"""OpenVINO's runtime without OpenVINO's model converter, which reports to another host.

No other module of tinct imports OpenVINO.

`import openvino` also imports the converter, whose import sends an event to Google Analytics and leaves files in the
user's home folder. The runtime needs no converter: this module makes the converter unavailable while OpenVINO is
imported; the converter can be imported by itself afterwards.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tinct.errors import MissingExtraError

CONVERTER = "openvino.tools.ovc"
"""The module of OpenVINO that imports the telemetry."""


@contextmanager
def _unavailable(module: str) -> Iterator[None]:
    """Let imports of a module fail that is not imported yet."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]


with _unavailable(CONVERTER):
    try:
        import openvino
        from openvino import opset13
    except ImportError as error:
        raise MissingExtraError(
            f"OpenVINO cannot be imported ({error}); networks run on it: pip install openvino."
        ) from None

__all__ = ["openvino", "opset13"]

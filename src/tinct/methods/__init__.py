"""The methods behind one protocol: a name leads to a class, and the class is imported when it is first asked for."""

from __future__ import annotations

from importlib import import_module

from tinct.errors import MethodError
from tinct.methods.protocol import DistributionMethod, EditableMethod, Method, Prediction, Reference

__all__ = [
    "METHODS",
    "DistributionMethod",
    "EditableMethod",
    "Method",
    "Prediction",
    "Reference",
    "get_method",
]

METHODS: dict[str, str] = {
    "tinct": "tinct.methods.learned:Tinct",
    "reinhard": "tinct.methods.statistics:Reinhard",
    "histogram": "tinct.methods.statistics:HistogramMatching",
    "welsh": "tinct.methods.welsh:Welsh",
    "gupta": "tinct.methods.superpixels:Gupta",
    "pierre": "tinct.methods.variational:Pierre",
    "levin": "tinct.methods.scribbles:Levin",
}


def get_method(name: str) -> Method:
    """Look a method up by its name.

    Raises:
        MethodError: if no method has that name.
    """
    try:
        module, cls = METHODS[name].split(":")
    except KeyError:
        raise MethodError(f"no method is called {name!r}; choose one of {', '.join(METHODS)}.") from None
    method: Method = getattr(import_module(module), cls)()
    return method

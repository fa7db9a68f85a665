"""The methods behind one protocol: a name leads to a class or a literal, imported when it is first asked for."""

from __future__ import annotations

from importlib import import_module

from tinct.errors import MethodError
from tinct.methods.method import DistributionMethod, EditableMethod, Method, Prediction, Reference

__all__ = [
    "METHODS",
    "DistributionMethod",
    "EditableMethod",
    "Method",
    "Prediction",
    "Reference",
    "get_method",
    "missing_weights",
    "uses_references",
]

METHODS: dict[str, str] = {
    "tinct": "tinct.networks.tinct.method:Tinct",
    "reinhard": "tinct.methods.classical.color_statistics:Reinhard",
    "histogram": "tinct.methods.classical.color_statistics:HistogramMatching",
    "welsh": "tinct.methods.classical.welsh:Welsh",
    "gupta": "tinct.methods.classical.gupta:Gupta",
    "pierre": "tinct.methods.classical.pierre:Pierre",
    "levin": "tinct.methods.classical.levin:Levin",
    "zhang2016": "tinct.networks.zhang2016.method:ZHANG2016",
    "zhang2016-mode": "tinct.networks.zhang2016.method:ZHANG2016_MODE",
    "zhang2016-l2": "tinct.networks.zhang2016.method:ZHANG2016_L2",
    "zhang2016-five-blocks": "tinct.networks.zhang2016.method:ZHANG2016_FIVE_BLOCKS",
    "zhang2016-four-blocks": "tinct.networks.zhang2016.method:ZHANG2016_FOUR_BLOCKS",
    "zhang2017": "tinct.networks.zhang2017.method:ZHANG2017",
    "zhang2017-global": "tinct.networks.zhang2017.method:ZHANG2017_GLOBAL",
    "scunet": "tinct.networks.scunet.method:SCUNET",
    "scunet-classregsoft": "tinct.networks.scunet.method:SCUNET_CLASSREGSOFT",
    "scunet-regsoft": "tinct.networks.scunet.method:SCUNET_REGSOFT",
    "iizuka2016": "tinct.networks.iizuka2016.method:IIZUKA2016",
    "larsson2016": "tinct.networks.larsson2016.method:LARSSON2016",
    "xu2020": "tinct.networks.xu2020.method:XU2020",
    "xu2020-wct": "tinct.networks.xu2020.method:XU2020_WCT",
    "xu2020-encoder-adain": "tinct.networks.xu2020.method:XU2020_ENCODER_ADAIN",
    "xu2020-decoder-adain": "tinct.networks.xu2020.method:XU2020_DECODER_ADAIN",
    "xu2020-lite": "tinct.networks.xu2020.method:XU2020_LITE",
}


def get_method(name: str) -> Method:
    """Look a method up by its name.

    Raises:
        MethodError: if no method has that name.
    """
    try:
        module, attribute = METHODS[name].split(":")
    except KeyError:
        raise MethodError(f"no method is called {name!r}; choose one of {', '.join(METHODS)}.") from None
    found = getattr(import_module(module), attribute)
    method: Method = found() if isinstance(found, type) else found
    return method


def uses_references(method: Method) -> bool:
    """Whether a reference changes what a method answers; of one that does not say, unless it lives by hints alone."""
    return bool(getattr(method, "uses_references", method.needs_reference or not method.needs_hints))


def missing_weights(method: Method) -> list[str]:
    """Exported files that a method needs and that are not installed, by their names in the manifest; usually none."""
    from tinct.weights import installed

    return [name for name in getattr(method, "weights", ()) if not installed(name)]

"""Provenance: the record of a result's making, in EXIF tags and an XMP packet, beside the source's own metadata."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape

from tinct.photo import xmp
from tinct.photo.xmp import Corrections
from tinct.photo.xmp_layout import PREFIXES, Layout, read_layout
from tinct.version import __version__

_DIGITAL_SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_SOURCE_TYPE = "iptcExt:DigitalSourceType"

Properties = Callable[[frozenset[str], str], list[str]]
"""A function that gives further properties of a packet, as XMP elements, from the names that are set and the prefix of
RDF."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a photograph was colorized.

    Attributes:
        method: the method's name.
        weights_sha256: the hash of the network's weights, 64 hexadecimal digits; None for methods without.
    """

    method: str
    weights_sha256: str | None = None

    @property
    def software(self) -> str:
        """The program and its version, for the EXIF tag Software."""
        return f"tinct {__version__}"

    @property
    def sentence(self) -> str:
        """The provenance as one sentence for people, in plain ASCII."""
        weights = f", weights sha256 {self.weights_sha256}" if self.weights_sha256 else ""
        text = f"colorized by tinct {__version__}, method {self.method}{weights}"
        return text.encode("ascii", "replace").decode()

    @property
    def source_type(self) -> str:
        """IPTC's digital source type of the result: colors that a network inferred are composite."""
        kind = "compositeWithTrainedAlgorithmicMedia" if self.weights_sha256 else "algorithmicallyEnhanced"
        return _DIGITAL_SOURCE + kind


def new_packet(provenance: Provenance | None, more: Properties | None = None, extended: str = "") -> bytes:
    """A new XMP packet.

    Args:
        provenance: the record; None for a photograph that was not colorized.
        more: properties beside the provenance.
        extended: the hash of the extension that holds the rest (XMP part 3, 1.1.3.1); "" for none.
    """
    empty = Layout(b"<rdf:RDF>")
    body = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f"{_description(empty, provenance, more, 'rdf', extended)}</rdf:RDF></x:xmpmeta>"
    )
    return f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{body}<?xpacket end="w"?>'.encode()


def updated_packet(
    packet: bytes,
    provenance: Provenance | None,
    corrections: Corrections,
    more: Properties | None = None,
    exchanged: Iterable[tuple[str, str]] = (),
) -> bytes:
    """A source's packet brought up to date for the result: provenance recorded, stale properties corrected.

    All else stays byte for byte; an older record of tinct is replaced. A digital source type that others set describes
    the gray photograph, and moves to the parent.

    Args:
        packet: the source's XMP.
        provenance: the record; None for a photograph that was not colorized.
        corrections: as `xmp.edited` takes them.
        more: properties beside the provenance.
        exchanged: pairs of properties that take each other's value; one without the other is removed.
    Raises:
        XmpError: if the packet is damaged, too large, or has a document type.
    """
    layout = read_layout(packet)
    values = {one: layout.value(other) or None for pair in exchanged for one, other in (pair, pair[::-1])}
    corrections = corrections | values
    if provenance is None:
        return xmp.edited(layout, corrections, "", lambda _: _description(layout, None, more, layout.prefix))
    return xmp.edited(
        layout,
        corrections | {_SOURCE_TYPE: None},
        f" [{provenance.sentence}]",
        lambda _: _description(layout, provenance, more, layout.prefix),
    )


def _description(
    layout: Layout, provenance: Provenance | None, more: Properties | None, prefix: str, extended: str = ""
) -> str:
    """An rdf:Description about the same resource; empty where there is nothing to say."""
    names = layout.names
    lines = [] if provenance is None else _record(layout, provenance, names, prefix)
    added = more(names, prefix) if more is not None else []
    lines += added if provenance is None else _said_of(added, provenance, names, prefix)
    if extended:
        lines.append(f"<xmpNote:HasExtendedXMP>{extended}</xmpNote:HasExtendedXMP>")
    if not lines:
        return ""
    used = {name: uri for name, uri in PREFIXES.items() if any(f"<{name}:" in line for line in lines)}
    spaces = "".join(f' xmlns:{name}="{uri}"' for name, uri in (used | layout.declared).items())
    about = escape(layout.about)
    return f'<{prefix}:Description {prefix}:about="{about}"{spaces}>{"".join(lines)}</{prefix}:Description>'


def _said_of(lines: list[str], provenance: Provenance, names: frozenset[str], prefix: str) -> list[str]:
    """The properties with the provenance in dc:description: appended to it, or alone where there is none."""
    close, suffix = f"</{prefix}:li>", f" [{escape(provenance.sentence)}]"
    said = [each.replace(close, suffix + close, 1) if each.startswith("<dc:desc") else each for each in lines]
    missing = said == lines and "dc:description" not in names
    return [*said, _alternative("dc:description", provenance.sentence, prefix)] if missing else said


def _record(layout: Layout, provenance: Provenance, names: frozenset[str], prefix: str) -> list[str]:
    lines = [
        f"<tinct:Version>{escape(__version__)}</tinct:Version>",
        f"<tinct:Method>{escape(provenance.method)}</tinct:Method>",
        f"<tinct:Process>{escape(provenance.sentence)}</tinct:Process>",
    ]
    if provenance.weights_sha256:
        sha256 = escape(provenance.weights_sha256)
        lines.append(f"<tinct:WeightsSHA256>{sha256}</tinct:WeightsSHA256>")
        lines.append("<iptcExt:AISystemUsed>tinct</iptcExt:AISystemUsed>")
        version = f"{escape(__version__)}, {escape(provenance.method)} weights sha256 {sha256}"
        lines.append(f"<iptcExt:AISystemVersionUsed>{version}</iptcExt:AISystemVersionUsed>")
    if "xmp:CreatorTool" not in names:
        lines.append(f"<xmp:CreatorTool>{escape(provenance.software)}</xmp:CreatorTool>")
    lines.append(f"<{_SOURCE_TYPE}>{provenance.source_type}</{_SOURCE_TYPE}>")
    return lines + _parent(layout, names, prefix)


def _parent(layout: Layout, names: frozenset[str], prefix: str) -> list[str]:
    """What the gray photograph's digital source type was: in DerivedFrom, or among ingredients if that is taken."""
    kind = layout.value(_SOURCE_TYPE) or next(iter(layout.parent_types), "")
    if not kind:
        return []
    said = f"<{_SOURCE_TYPE}>{escape(kind)}</{_SOURCE_TYPE}>"
    if "xmpMM:DerivedFrom" not in names:
        return [f'<xmpMM:DerivedFrom {prefix}:parseType="Resource">{said}</xmpMM:DerivedFrom>']
    if "xmpMM:Ingredients" not in names:
        item = f'<{prefix}:li {prefix}:parseType="Resource">{said}</{prefix}:li>'
        return [f"<xmpMM:Ingredients><{prefix}:Bag>{item}</{prefix}:Bag></xmpMM:Ingredients>"]
    return [f"<tinct:SourceDigitalSourceType>{escape(kind)}</tinct:SourceDigitalSourceType>"]


def _alternative(name: str, text: str, prefix: str) -> str:
    item = f'<{prefix}:li xml:lang="x-default">{escape(text)}</{prefix}:li>'
    return f"<{name}><{prefix}:Alt>{item}</{prefix}:Alt></{name}>"

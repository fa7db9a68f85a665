"""The layout of XMP packets (ISO 16684-1): the places of their parts.

expat reads a packet once, in linear time, and gives the place of each element. No backtracking pattern is matched
against a packet's bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.parsers import expat

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
"""The namespace of RDF."""

TINCT = "https://tinct.readthedocs.io/ns/1.0/"
"""The namespace of tinct's own properties."""

PREFIXES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "crs": "http://ns.adobe.com/camera-raw-settings/1.0/",
    "iptcExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "tinct": TINCT,
}
"""Namespaces by the prefixes that tinct writes."""

CORRECTED_PREFIXES = {
    "hdrgm": "http://ns.adobe.com/hdr-gain-map/1.0/",
    "HDRGainMap": "http://ns.apple.com/HDRGainMap/1.0/",
    "GCamera": "http://ns.google.com/photos/1.0/camera/",
    "Container": "http://ns.google.com/photos/1.0/container/",
    "GDepth": "http://ns.google.com/photos/1.0/depthmap/",
    "GImage": "http://ns.google.com/photos/1.0/image/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "MP": "http://ns.microsoft.com/photo/1.2/",
}
"""Namespaces of properties that are taken out of a source's packet."""

_SHORT = {uri: prefix for prefix, uri in (PREFIXES | CORRECTED_PREFIXES).items()}

LARGEST = 16 << 20
"""Bytes of the largest packet that is read; Photoshop's lists of ancestors make the largest."""
_MOST_EVENTS = 400_000
"""Elements, attributes, namespaces and texts that are counted, a fifth of a second's work."""

_MOST_PARTS = 10_000
"""Descriptions, properties and alternatives whose places are kept; cameras and editors write some hundreds."""

_DEEPEST = 500
"""Levels of elements; editors nest about ten."""

_RDF_ELEMENT, _DESCRIPTION, _ITEM = (f"{RDF} {name}" for name in ("RDF", "Description", "li"))
_DC_DESCRIPTION = f"{PREFIXES['dc']} description"
_SOURCE_TYPE = f"{PREFIXES['iptcExt']} DigitalSourceType"

_QUOTE_OR_END = re.compile(rb"[\"'>]")


class XmpError(ValueError):
    """A packet is not well-formed, has entities, or is too large or too deep."""


@dataclass(slots=True)
class Element:
    """An element of a packet.

    Attributes:
        name: "uri local", as expat gives it.
        start, end_of_tag: the first byte of the start tag, and the one after its last.
        inner_end, end: the first byte of the end tag, and the one after its last.
        attributes: values by name, as "uri local".
        prefixes: namespaces by prefix that the element declares.
        inside_description: True for an rdf:Description right under RDF.
        text: the text right in the element, at most 64 KiB.
    """

    name: str
    start: int
    end_of_tag: int
    attributes: dict[str, str]
    prefixes: dict[str, str]
    inside_description: bool
    end: int = 0
    inner_end: int = 0
    text: str = ""


@dataclass(slots=True)
class Layout:
    """The places of a packet's parts.

    Attributes:
        data: the packet as UTF-8, without padding around it.
        rdf: its RDF element.
        descriptions: its rdf:Description elements right under RDF.
        properties: the elements right under these, in their order, as (description's number, element).
        alternatives: rdf:li elements of dc:description.
        parent_types: digital source types of the parents that earlier results named.
    """

    data: bytes
    rdf: Element | None = None
    descriptions: list[Element] = field(default_factory=list)
    properties: list[tuple[int, Element]] = field(default_factory=list)
    alternatives: list[Element] = field(default_factory=list)
    parent_types: list[str] = field(default_factory=list)

    @property
    def prefix(self) -> str:
        """The packet's prefix of RDF, or "rdf" where RDF is the default namespace."""
        assert self.rdf is not None
        return tag_name(self.data, self.rdf).rpartition(b":")[0].decode("utf-8", "replace") or "rdf"

    @property
    def declared(self) -> dict[str, str]:
        """The namespaces by prefix that a new description must declare: RDF's, if the packet has no prefix for it."""
        known = self.rdf is None or b":" in tag_name(self.data, self.rdf)
        return {} if known else {"rdf": RDF}

    @property
    def about(self) -> str:
        """The subject (rdf:about) of the first description; empty for the file itself."""
        return next((d.attributes.get(f"{RDF} about", "") for d in self.descriptions), "")

    @property
    def names(self) -> frozenset[str]:
        """The names of the properties that programs other than tinct have set, as "dc:title"."""
        own = self.own_descriptions()
        elements = [short(element.name) for number, element in self.properties if number not in own]
        given = [d.attributes for number, d in enumerate(self.descriptions) if number not in own]
        return frozenset(elements + [short(name) for attributes in given for name in attributes])

    def value(self, name: str) -> str:
        """The value of a simple property that programs other than tinct have set; empty if it is not set.

        The value may stand in an attribute, a text or a resource.
        """
        own = self.own_descriptions()
        for number, element in enumerate(self.descriptions):
            for key, value in element.attributes.items():
                if short(key) == name and number not in own:
                    return value
        for number, element in self.properties:
            if short(element.name) == name and number not in own:
                return element.text.strip() or element.attributes.get(f"{RDF} resource", "")
        return ""

    def own_descriptions(self) -> set[int]:
        """Numbers of the descriptions that tinct wrote: those whose first property is tinct's."""
        first: dict[int, Element] = {}
        for number, element in self.properties:
            first.setdefault(number, element)
        return {number for number, element in first.items() if element.name.startswith(TINCT)}


def short(name: str) -> str:
    """A name "uri local", as expat gives it, as "prefix:local" if tinct knows the namespace; other names unchanged."""
    uri, _, local = name.rpartition(" ")
    return f"{_SHORT[uri]}:{local}" if uri in _SHORT else name


def read_layout(packet: bytes) -> Layout:
    """Find the parts of a packet.

    Raises:
        XmpError: if the packet is not well-formed, has a document type, has no RDF, or is too large.
    """
    if len(packet) > LARGEST:
        raise XmpError(f"it has {len(packet) >> 20} MiB")
    data = _as_utf8(packet)
    layout = _Reader(data).layout
    if layout.rdf is None:
        raise XmpError("it has no RDF")
    return layout


def check_well_formed(data: bytes) -> None:
    """See that XML as UTF-8 is well-formed, in a twentieth of the time that `read_layout` takes.

    Raises:
        XmpError: if the XML is not well-formed.
    """
    try:
        expat.ParserCreate("utf-8", " ").Parse(data, True)
    except expat.ExpatError as error:
        raise XmpError(f"it is not well-formed ({error})") from None


def _as_utf8(packet: bytes) -> bytes:
    for mark, name in ((b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"),
                       (b"\xfe\xff", "utf-16"), (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be")):  # fmt: skip
        if packet.startswith(mark):
            try:
                packet = packet[: len(packet) // 4 * 4].decode(name).encode()
            except (UnicodeDecodeError, UnicodeEncodeError):
                raise XmpError("its letters cannot be read") from None
            break
    return packet.strip(b"\0 \r\n\t").removeprefix(b"\xef\xbb\xbf")


class _Reader:
    """Collects a packet's layout from expat's events."""

    def __init__(self, data: bytes) -> None:
        self.layout = Layout(data)
        self._open: list[Element | None] = []  # None for those whose place nobody asks for
        self._prefixes: dict[str, str] = {}
        self._left, self._parts = _MOST_EVENTS, _MOST_PARTS
        self._depth = 0
        parser = expat.ParserCreate("utf-8", " ")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartNamespaceDeclHandler = self._declared
        parser.StartDoctypeDeclHandler = self._refused
        parser.buffer_text = True
        self._parser = parser
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            raise XmpError(f"it is not well-formed ({error})") from None

    def _refused(self, *_: object) -> None:
        raise XmpError("it has a document type")

    def _count(self, events: int = 1) -> None:
        self._left -= events
        if self._left < 0:
            raise XmpError("it has too many elements")

    def _declared(self, prefix: str | None, uri: str) -> None:
        self._count(1 + len(self._prefixes) // 16)
        if len(self._prefixes) < 200 and self._prefixes.get(prefix or "") != uri:
            self._prefixes = {**self._prefixes, prefix or "": uri}

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count(1 + len(attributes))
        depth = len(self._open)
        if depth >= _DEEPEST:
            raise XmpError(f"its elements are nested more than {_DEEPEST} deep")
        group = self._group(name, depth)
        if group is None:
            self._open.append(None)
            return
        self._parts -= 1
        if self._parts < 0:
            raise XmpError("it has too many properties")
        start = self._parser.CurrentByteIndex
        element = Element(name, start, _tag_end(self.layout.data, start), attributes, self._prefixes, False)
        self._open.append(element)
        if group == "rdf":
            self.layout.rdf, self._depth = element, depth
        elif group == "description":
            self.layout.descriptions.append(element)
            element.inside_description = True
        elif group == "property":
            self.layout.properties.append((len(self.layout.descriptions) - 1, element))
        elif group == "alternative":
            self.layout.alternatives.append(element)

    def _group(self, name: str, depth: int) -> str | None:
        """What an element is that begins now; None if its place is not needed."""
        rdf = self.layout.rdf
        if rdf is None:
            return "rdf" if name == _RDF_ELEMENT else None
        if rdf.end:
            return None
        level = depth - self._depth
        if level == 1:
            return "description" if name == _DESCRIPTION else None
        if level == 2:
            return "property" if self._open[-1] is not None else None
        if name == _ITEM:
            above = self._open[self._depth + 2]
            return "alternative" if above is not None and above.name == _DC_DESCRIPTION else None
        return "type" if name == _SOURCE_TYPE else None

    def _text(self, text: str) -> None:
        self._count()
        element = self._open[-1] if self._open else None
        if element is not None and len(element.text) < 1 << 16:
            element.text += text

    def _end(self, name: str) -> None:
        element = self._open.pop()
        if element is None:
            return
        place = self._parser.CurrentByteIndex
        element.inner_end = place
        closed_itself = self.layout.data.endswith(b"/>", element.start, element.end_of_tag)
        element.end = element.end_of_tag if closed_itself else self.layout.data.find(b">", place) + 1
        if name == _SOURCE_TYPE and len(self._open) > self._depth + 2:
            self.layout.parent_types.append(
                element.text.strip() or element.attributes.get(f"{RDF} resource", "")
            )


def _tag_end(data: bytes, start: int) -> int:
    """The byte after a start tag's end; a > between quotes does not end it."""
    place = start
    while found := _QUOTE_OR_END.search(data, place):
        if found.group() == b">":
            return found.end()
        place = data.find(found.group(), found.end()) + 1
        if place == 0:
            break
    return len(data)


def tag_name(data: bytes, element: Element) -> bytes:
    """An element's name as it is written, with or without a prefix and its colon."""
    end = element.start + 1
    while data[end] not in b" \t\r\n/>":
        end += 1
    return data[element.start + 1 : end]

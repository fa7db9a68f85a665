"""XMP packets (ISO 16684-1), edited in place: what is not said anew stays byte for byte.

expat reads a packet once, in linear time, and says where each element lies; the edits are cuts and insertions at
those places. No pattern with a way back ever sees a packet's bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
TINCT = "https://tinct.readthedocs.io/ns/1.0/"
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

_SHORT = {uri: prefix for prefix, uri in PREFIXES.items()}

LARGEST = 16 << 20
"""Bytes of a packet that is read; Photoshop's lists of ancestors make the largest."""
_MOST_EVENTS = 400_000
"""Elements, namespaces and texts that are looked at, a second's work."""

_QUOTE_OR_END = re.compile(rb"[\"'>]")
_APPENDED = b" [colorized by tinct"


class XmpError(ValueError):
    """A packet is not well-formed, has entities, or is too large."""


@dataclass(slots=True)
class _Element:
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
    """Where the parts of a packet lie.

    Attributes:
        data: the packet as UTF-8, without padding around it.
        rdf: its RDF element.
        descriptions: its rdf:Description elements right under RDF.
        properties: the elements right under these, in their order, as (description's number, element).
        alternatives: rdf:li elements of dc:description.
        parent_types: digital source types of the parents that earlier results named.
    """

    data: bytes
    rdf: _Element | None = None
    descriptions: list[_Element] = field(default_factory=list)
    properties: list[tuple[int, _Element]] = field(default_factory=list)
    alternatives: list[_Element] = field(default_factory=list)
    parent_types: list[str] = field(default_factory=list)

    @property
    def prefix(self) -> str:
        """The prefix that the packet has for RDF, or the usual one where RDF is the default namespace."""
        assert self.rdf is not None
        return _tag_name(self.data, self.rdf).rpartition(b":")[0].decode("utf-8", "replace") or "rdf"

    @property
    def declared(self) -> dict[str, str]:
        """What a new description must declare for that prefix."""
        known = self.rdf is None or b":" in _tag_name(self.data, self.rdf)
        return {} if known else {"rdf": RDF}

    @property
    def about(self) -> str:
        """What the first description is about; empty for the file itself."""
        return next((d.attributes.get(f"{RDF} about", "") for d in self.descriptions), "")

    @property
    def names(self) -> frozenset[str]:
        """The properties that others than tinct have set, as "dc:title"."""
        own = self.own_descriptions()
        elements = [short(element.name) for number, element in self.properties if number not in own]
        given = [d.attributes for number, d in enumerate(self.descriptions) if number not in own]
        return frozenset(elements + [short(name) for attributes in given for name in attributes])

    def value(self, name: str) -> str:
        """A simple property's value as others set it: an attribute, a text or a resource; empty if it is not set."""
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
        """Numbers of the descriptions that tinct wrote: their first property is tinct's."""
        first: dict[int, _Element] = {}
        for number, element in self.properties:
            first.setdefault(number, element)
        return {number for number, element in first.items() if element.name.startswith(TINCT)}


def short(name: str) -> str:
    """ "uri local", as expat says it, to "prefix:local" of the namespaces that tinct knows; others as they are."""
    uri, _, local = name.rpartition(" ")
    return f"{_SHORT[uri]}:{local}" if uri in _SHORT else name


def read_layout(packet: bytes) -> Layout:
    """Find the parts of a packet.

    Raises:
        XmpError: if it is not well-formed, has a document type, has no RDF, or is too large.
    """
    if len(packet) > LARGEST:
        raise XmpError(f"it has {len(packet) >> 20} MiB")
    data = _as_utf8(packet)
    layout = _Reader(data).layout
    if layout.rdf is None:
        raise XmpError("it has no RDF")
    return layout


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
        self._open: list[_Element] = []
        self._prefixes: dict[str, str] = {}
        self._left = _MOST_EVENTS
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

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise XmpError("it has too many elements")

    def _declared(self, prefix: str | None, uri: str) -> None:
        self._count()
        self._prefixes = (
            {**self._prefixes, prefix or "": uri} if len(self._prefixes) < 200 else self._prefixes
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count()
        start, depth = self._parser.CurrentByteIndex, len(self._open)
        within = self.layout.rdf is not None and self.layout.rdf.end == 0
        element = _Element(name, start, _tag_end(self.layout.data, start), attributes, self._prefixes, False)
        if self.layout.rdf is None and name == f"{RDF} RDF":
            self.layout.rdf, self._depth = element, depth
        elif within and depth == self._depth + 1 and name == f"{RDF} Description":
            self.layout.descriptions.append(element)
            element.inside_description = True
        elif within and depth == self._depth + 2 and self._open[-1].inside_description:
            self.layout.properties.append((len(self.layout.descriptions) - 1, element))
        elif within and name == f"{RDF} li" and self._property() == "dc:description":
            self.layout.alternatives.append(element)
        self._open.append(element)

    def _property(self) -> str:
        return short(self._open[self._depth + 2].name) if len(self._open) > self._depth + 2 else ""

    def _text(self, text: str) -> None:
        self._count()
        if self._open and len(self._open[-1].text) < 1 << 16:
            self._open[-1].text += text

    def _end(self, name: str) -> None:
        element = self._open.pop()
        place = self._parser.CurrentByteIndex
        element.inner_end = place
        closed_itself = self.layout.data.endswith(b"/>", element.start, element.end_of_tag)
        element.end = element.end_of_tag if closed_itself else self.layout.data.find(b">", place) + 1
        if short(name) == "iptcExt:DigitalSourceType" and len(self._open) > getattr(self, "_depth", 0) + 2:
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


Edit = tuple[int, int, bytes]
Corrections = dict[str, str | None]


def edited(
    layout: Layout, corrections: Corrections, suffix: str, description: Callable[[Layout], str]
) -> bytes:
    """The packet with other values of some properties, and one more description at the end of its RDF.

    Args:
        corrections: new values by name ("tiff:Orientation"), None to take a property out; those that are not set
            stay so.
        suffix: what is appended to dc:description where there is one; an older one of tinct's goes.
        description: makes the new rdf:Description.
    Raises:
        XmpError: if the result would not be well-formed.
    """
    own = layout.own_descriptions()
    edits: list[Edit] = [
        (d.start, d.end, b"") for number, d in enumerate(layout.descriptions) if number in own
    ]
    for number, element in layout.properties:
        if number not in own:
            edits += _property_edits(layout.data, element, corrections)
    for number, element in enumerate(layout.descriptions):
        if number not in own:
            edits += _attribute_edits(layout.data, element, corrections, suffix)
    edits += _appended(layout, suffix) if suffix else []
    edits.append(_insertion(layout, description(layout).encode()))
    merged = _applied(layout.data, edits)
    read_layout(merged)
    return merged


def _property_edits(data: bytes, element: _Element, corrections: Corrections) -> list[Edit]:
    name = short(element.name)
    if element.name.startswith(TINCT):
        return [(element.start, element.end, b"")]
    if name not in corrections:
        return []
    value = corrections[name]
    if value is None or element.end == element.end_of_tag:
        return [(element.start, element.end, b"")]
    return [(element.end_of_tag, element.inner_end, escape(value).encode())]


def _attribute_edits(data: bytes, element: _Element, corrections: Corrections, suffix: str) -> list[Edit]:
    if not any(short(key) in corrections or short(key) == "dc:description" for key in element.attributes):
        return []
    edits = []
    for name, start, end, value in _attributes(data, element):
        if name == "dc:description" and suffix:
            text = _without_suffix(value) + escape(suffix, {'"': "&quot;", "'": "&apos;"}).encode()
            edits.append((end - 1 - len(value), end - 1, text))
        elif name in corrections:
            new = corrections[name]
            text = b"" if new is None else escape(new, {'"': "&quot;"}).encode()
            edits.append((start, end, b"") if new is None else (end - 1 - len(value), end - 1, text))
    return edits


def _attributes(data: bytes, element: _Element) -> list[tuple[str, int, int, bytes]]:
    """A start tag's attributes: name, where they begin with the space before them and end, the bytes of the value."""
    found: list[tuple[str, int, int, bytes]] = []
    place = _skipped(data, element.start + 1, element.end_of_tag, blank=False)
    while True:
        start, place = place, _skipped(data, place, element.end_of_tag, blank=True)
        equals = data.find(b"=", place, element.end_of_tag)
        if equals < 0:
            return found
        quote = _skipped(data, equals + 1, element.end_of_tag, blank=True)
        close = data.find(data[quote : quote + 1], quote + 1, element.end_of_tag)
        if close < 0:
            return found
        prefix, _, local = data[place:equals].strip().decode("utf-8", "replace").rpartition(":")
        name = short(f"{element.prefixes.get(prefix, '')} {local}")
        found.append((name, start, close + 1, data[quote + 1 : close]))
        place = close + 1


def _skipped(data: bytes, place: int, end: int, *, blank: bool) -> int:
    while place < end and (data[place] in b" \t\r\n") == blank:
        place += 1
    return place


def _appended(layout: Layout, suffix: str) -> list[Edit]:
    """Edits of dc:description's default text, or of its first."""
    language = "http://www.w3.org/XML/1998/namespace lang"
    items = [item for item in layout.alternatives if item.end != item.end_of_tag]
    default = [item for item in items if item.attributes.get(language) == "x-default"]
    chosen = (default or items)[:1]
    return [
        (item.end_of_tag, item.inner_end, _without_suffix(layout.data[item.end_of_tag : item.inner_end])
         + escape(suffix).encode())
        for item in chosen
    ]  # fmt: skip


def _without_suffix(text: bytes) -> bytes:
    place = text.rfind(_APPENDED)
    return text[:place] if place >= 0 and text.endswith(b"]") else text


def _insertion(layout: Layout, addition: bytes) -> Edit:
    rdf = layout.rdf
    assert rdf is not None
    if rdf.end != rdf.end_of_tag:
        return rdf.inner_end, rdf.inner_end, addition
    tag = layout.data[rdf.start : rdf.end_of_tag].rstrip(b">").rstrip(b"/").rstrip()
    return rdf.start, rdf.end, tag + b">" + addition + b"</" + _tag_name(layout.data, rdf) + b">"


def _tag_name(data: bytes, element: _Element) -> bytes:
    """An element's name as it is written; a tag without a prefix gives one without a colon."""
    end = element.start + 1
    while data[end] not in b" \t\r\n/>":
        end += 1
    return data[element.start + 1 : end]


def _applied(data: bytes, edits: list[Edit]) -> bytes:
    pieces, place = [], 0
    for start, end, text in sorted(edits, key=lambda edit: edit[:2]):
        if start < place:  # inside of what is cut already
            continue
        pieces += [data[place:start], text]
        place = end
    return b"".join([*pieces, data[place:]])


def joined(packet: bytes, extension: bytes) -> bytes:
    """A packet with the descriptions of its extension (XMP part 3, 1.1.3.1) at the end of its RDF.

    Raises:
        XmpError: if one of them is not well-formed.
    """
    layout, more = read_layout(packet), read_layout(extension)
    inner = more.rdf.inner_end if more.rdf is not None else 0
    body = more.data[more.rdf.end_of_tag : inner] if more.rdf is not None else b""
    marks: Corrections = {"xmpNote:HasExtendedXMP": None}
    edits = [e for d in layout.descriptions for e in _attribute_edits(layout.data, d, marks, "")]
    edits += [(p.start, p.end, b"") for _, p in layout.properties if short(p.name) in marks]
    merged = _applied(layout.data, [*edits, _insertion(layout, body)])
    read_layout(merged)
    return merged

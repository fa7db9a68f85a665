"""XMP packets (ISO 16684-1), edited in place: properties that are not changed stay byte for byte.

The edits are cuts and insertions at the places that `xmp_layout` finds.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from tinct.photo.xmp_layout import TINCT, Element, Layout, check_well_formed, read_layout, short, tag_name

_APPENDED = b" [colorized by tinct"

Edit = tuple[int, int, bytes]
Corrections = dict[str, str | None]


def edited(
    layout: Layout, corrections: Corrections, suffix: str, description: Callable[[Layout], str]
) -> bytes:
    """The packet with other values of some properties, and one more description at the end of its RDF.

    Args:
        layout: of the packet.
        corrections: new values by name ("tiff:Orientation"), None to remove a property; properties that the packet
            does not have are not added.
        suffix: appended to dc:description where the packet has one, in place of tinct's older one.
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
    check_well_formed(merged)
    return merged


def _property_edits(data: bytes, element: Element, corrections: Corrections) -> list[Edit]:
    name = short(element.name)
    if element.name.startswith(TINCT):
        return [(element.start, element.end, b"")]
    if name not in corrections:
        return []
    value = corrections[name]
    if value is None or element.end == element.end_of_tag:
        return [(element.start, element.end, b"")]
    return [(element.end_of_tag, element.inner_end, escape(value).encode())]


def _attribute_edits(data: bytes, element: Element, corrections: Corrections, suffix: str) -> list[Edit]:
    if not any(short(key) in corrections or short(key) == "dc:description" for key in element.attributes):
        return []
    edits = []
    for name, start, end, value in _attributes(data, element):
        if name == "dc:description" and suffix:
            text = _without_suffix(value) + escape(suffix).encode()
            edits.append((end - 1 - len(value), end - 1, text))
        elif name in corrections:
            new = corrections[name]
            text = b"" if new is None else escape(new).encode()
            edits.append((start, end, b"") if new is None else (end - 1 - len(value), end - 1, text))
    return edits


def _attributes(data: bytes, element: Element) -> list[tuple[str, int, int, bytes]]:
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
    return rdf.start, rdf.end, tag + b">" + addition + b"</" + tag_name(layout.data, rdf) + b">"


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
        XmpError: if the packet or the extension is not well-formed.
    """
    layout, more = read_layout(packet), read_layout(extension)
    inner = more.rdf.inner_end if more.rdf is not None else 0
    body = more.data[more.rdf.end_of_tag : inner] if more.rdf is not None else b""
    marks: Corrections = {"xmpNote:HasExtendedXMP": None}
    edits = [e for d in layout.descriptions for e in _attribute_edits(layout.data, d, marks, "")]
    edits += [(p.start, p.end, b"") for _, p in layout.properties if short(p.name) in marks]
    merged = _applied(layout.data, [*edits, _insertion(layout, body)])
    check_well_formed(merged)
    return merged

"""What a result says of its own making: EXIF tags and an XMP packet, beside whatever the source said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape, unescape

import tinct

_TINCT_NAMESPACE = "https://tinct.readthedocs.io/ns/1.0/"
_DIGITAL_SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_OWN_DESCRIPTION = re.compile(
    rb"\s*<(\w+):Description[^>]*" + re.escape(_TINCT_NAMESPACE.encode()) + rb".*?</\1:Description>",
    re.DOTALL,
)


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
        """The program and its version, for EXIF Software."""
        return f"tinct {tinct.__version__}"

    @property
    def sentence(self) -> str:
        """One sentence for people, in plain ASCII."""
        weights = f", weights sha256 {self.weights_sha256}" if self.weights_sha256 else ""
        text = f"colorized by tinct {tinct.__version__}, method {self.method}{weights}"
        return text.encode("ascii", "replace").decode()


def merge_xmp(packet: bytes | None, provenance: Provenance) -> bytes:
    """Record the provenance in an XMP packet (ISO 16684-1).

    What the packet says already stays as it stands, byte for byte; an older record of tinct is replaced.

    Args:
        packet: the source's XMP, UTF-8; None, or one that is not well-formed, is replaced by a new one.
        provenance: what to record.
    """
    if packet is not None:
        merged = _inserted(packet, provenance)
        if merged is not None:
            return merged
    body = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f"{_description(provenance, b'')}</rdf:RDF></x:xmpmeta>"
    )
    return f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{body}<?xpacket end="w"?>'.encode()


def _inserted(packet: bytes, provenance: Provenance) -> bytes | None:
    """The packet with one more description at the end of its RDF, or None if that cannot be done."""
    packet = _OWN_DESCRIPTION.sub(b"", packet.strip(b"\0 \r\n\t"))
    opening = re.search(rb"<(\w+):RDF\b[^>]*?(/?)>", packet)
    if opening is None or b"<!DOCTYPE" in packet or b"<!ENTITY" in packet:
        return None
    prefix = opening.group(1)
    addition = _description(provenance, packet, prefix.decode()).encode()
    if opening.group(2):
        start = packet[opening.start() : opening.end() - 2].rstrip() + b">"
        merged = (
            packet[: opening.start()] + start + addition + b"</" + prefix + b":RDF>" + packet[opening.end() :]
        )
    else:
        end = packet.rfind(b"</" + prefix + b":RDF")
        merged = packet[:end] + addition + packet[end:] if end >= 0 else b""
    return merged if _well_formed(merged) else None


def _well_formed(packet: bytes) -> bool:
    from xml.etree import ElementTree

    try:
        ElementTree.fromstring(
            re.sub(rb"<\?xpacket.*?\?>", b"", packet, flags=re.DOTALL).lstrip(b"\xef\xbb\xbf")
        )
    except (ElementTree.ParseError, ValueError, LookupError):
        return False
    return True


def _description(provenance: Provenance, existing: bytes, prefix: str = "rdf") -> str:
    """An rdf:Description about the same resource, with the properties that nobody has set yet."""
    about = re.search(rb":about\s*=\s*([\"'])(.*?)\1", existing)
    subject = unescape(about.group(2).decode("utf-8", "replace")) if about else ""
    lines = [
        f"<tinct:Version>{escape(tinct.__version__)}</tinct:Version>",
        f"<tinct:Method>{escape(provenance.method)}</tinct:Method>",
        f"<tinct:Process>{escape(provenance.sentence)}</tinct:Process>",
    ]
    if provenance.weights_sha256:
        lines.append(f"<tinct:WeightsSHA256>{escape(provenance.weights_sha256)}</tinct:WeightsSHA256>")
    if b"CreatorTool" not in existing:
        lines.append(f"<xmp:CreatorTool>{escape(provenance.software)}</xmp:CreatorTool>")
    if b"dc:description" not in existing:
        lines.append(
            f'<dc:description><{prefix}:Alt><{prefix}:li xml:lang="x-default">{escape(provenance.sentence)}'
            f"</{prefix}:li></{prefix}:Alt></dc:description>"
        )
    if b"DigitalSourceType" not in existing:
        kind = (
            "compositeWithTrainedAlgorithmicMedia" if provenance.weights_sha256 else "algorithmicallyEnhanced"
        )
        lines.append(f"<iptcExt:DigitalSourceType>{_DIGITAL_SOURCE}{kind}</iptcExt:DigitalSourceType>")
    return (
        f'<{prefix}:Description {prefix}:about="{escape(subject)}" xmlns:tinct="{_TINCT_NAMESPACE}"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:iptcExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
        + "".join(lines)
        + f"</{prefix}:Description>"
    )

"""IIIF Presentation 3 manifests whose canvas offers a choice: the original photograph first, the colorized one second.

Source: IIIF Presentation API 3.0, section 3.1; cookbook recipe 0033, "Representing multiple choices of images".
"""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, urlsplit

from tinct.archive.entry import Entry
from tinct.archive.storage import linked_uri

CONTEXT = "http://iiif.io/api/presentation/3/context.json"
"""The JSON-LD context of IIIF Presentation 3."""

STATEMENT = "Colorized by software: the colors are inferred, not recorded."
"""The required statement of a colorized picture."""


def iiif_manifest(entry: Entry, base: str, original: str, colorized: str) -> str:
    """The IIIF manifest of one photograph, as JSON.

    Args:
        entry: of the ledger, for the size, the method and its weights.
        base: URI under which the manifest will be published, without its file name.
        original, colorized: URIs of the two pictures, or local paths.
    """
    name = quote(PurePosixPath(entry.output).stem)
    canvas = f"{base.rstrip('/')}/{name}/canvas"
    own = entry.width, entry.height
    of_result = (entry.output_width, entry.output_height) if entry.output_width else own
    pictures = [_image(original, own, "original"), _image(colorized, of_result, "colorized")]
    annotation = {
        "id": f"{canvas}/annotation",
        "type": "Annotation",
        "motivation": "painting",
        "body": {"type": "Choice", "items": pictures},
        "target": canvas,
    }
    page = {"id": f"{canvas}/page", "type": "AnnotationPage", "items": [annotation]}
    size = {"height": entry.height, "width": entry.width}
    content: dict[str, Any] = {
        "@context": CONTEXT,
        "id": f"{base.rstrip('/')}/{name}.json",
        "type": "Manifest",
        "label": {"none": [PurePosixPath(entry.uri).name]},
        "summary": {"en": [STATEMENT]},
        "metadata": [
            {
                "label": {"en": ["Colorized by"]},
                "value": {"none": [f"tinct {entry.version}, {entry.method}"]},
            },
            {"label": {"en": ["SHA-256 of the original"]}, "value": {"none": [entry.sha256_in]}},
        ],
        "items": [{"id": canvas, "type": "Canvas", **size, "items": [page]}],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _image(uri: str, size: tuple[int, int], label: str) -> dict[str, Any]:
    """A picture of a choice, of this width and height in pixels."""
    kinds = {".jpg": "jpeg", ".jpeg": "jpeg", ".tif": "tiff", ".tiff": "tiff"}
    link = linked_uri(uri)
    suffix = PurePosixPath(urlsplit(link).path).suffix.lower()
    kind = f"image/{kinds.get(suffix, suffix[1:] or 'png')}"
    width, height = size
    return {
        "id": link,
        "type": "Image",
        "format": kind,
        "label": {"en": [label]},
        "height": height,
        "width": width,
    }

"""IIIF Presentation 3 manifests whose canvas offers a choice: the original photograph first, the colorized one second.

Source: IIIF Presentation API 3.0, section 3.1; cookbook recipe 0033, "Representing multiple choices of images".
"""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from tinct.archive.entry import Entry

CONTEXT = "http://iiif.io/api/presentation/3/context.json"
"""The JSON-LD context of IIIF Presentation 3."""

STATEMENT = "Colorized by software: the colors are inferred, not recorded."
"""The required statement of a colorized picture."""


def iiif_manifest(entry: Entry, base: str, original: str, colorized: str) -> str:
    """The IIIF manifest of one photograph, as JSON.

    Args:
        entry: of the ledger, for the size, the method and its weights.
        base: URI under which the manifest will be published, without its file name.
        original, colorized: URIs of the two pictures.
    """
    name = quote(PurePosixPath(entry.output).stem)
    canvas = f"{base.rstrip('/')}/{name}/canvas"
    pictures = [_image(original, entry, "original"), _image(colorized, entry, "colorized")]
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


def _image(uri: str, entry: Entry, label: str) -> dict[str, Any]:
    kinds = {".jpg": "jpeg", ".jpeg": "jpeg", ".tif": "tiff", ".tiff": "tiff"}
    suffix = PurePosixPath(uri).suffix.lower()
    kind = f"image/{kinds.get(suffix, suffix[1:] or 'png')}"
    size = {"height": entry.height, "width": entry.width}
    return {"id": uri, "type": "Image", "format": kind, "label": {"en": [label]}, **size}

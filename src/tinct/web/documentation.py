"""The description of the REST interface: a plain page made from the OpenAPI document, with examples that run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Any

EXAMPLE, ID_VARIABLE = "x-example", "x-example-keeps"
"""Keys of OpenAPI's extensions: a route's example command, and the shell variable that holds the id it answers with."""

_INTRODUCTION = """
<p>JSON goes in and comes out where nothing else is description; errors are <code>{"error": "one line"}</code> with a
status that fits: 401 no token, 403 another site's page, 404 no such session, 413 too large, 422 not understood,
429 busy (<code>Retry-After</code> says for how long). The same as data: <a href="/openapi.json">openapi.json</a>.</p>
<p>The examples want <code>SERVER</code> (as <code>http://127.0.0.1:8322</code>), a photograph as
<code>photo.png</code> and a color photograph as <code>reference.png</code>; where a token is set, add
<code>-H "Authorization: Bearer $TOKEN"</code>.</p>
"""


def example(command: str, id_variable: str | None = None) -> dict[str, Any]:
    """A command that shows a route, as an extension of the OpenAPI document.

    Args:
        command: for a shell; $SERVER is the address, $ID a session's id.
        id_variable: the shell variable that takes the response's `id`.
    """
    return {EXAMPLE: command} | ({ID_VARIABLE: id_variable} if id_variable else {})


def form(**fields: str) -> dict[str, Any]:
    """The OpenAPI description of a form.

    Args:
        fields: "file", "files: ..." or "text: ..." for each field.
    """
    properties = {name: _field(description) for name, description in fields.items()}
    required = [name for name, description in fields.items() if description == "file"]
    schema = {"type": "object", "properties": properties, "required": required}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


def binary(description: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI description of a response that is a picture."""
    return {
        200: {
            "description": description,
            "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
        }
    }


def html(document: dict[str, Any]) -> str:
    """The page as HTML.

    Args:
        document: the application's OpenAPI document.
    """
    routes = "".join(_route(method, path, description) for method, path, description in operations(document))
    title = f"tinct {document['info']['version']}: REST interface"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/docs.css"></head>'
        f"<body><main><h1>{escape(title)}</h1>{_INTRODUCTION}{routes}</main></body></html>"
    )


STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 1rem; }
h2 { font: 600 1rem ui-monospace, monospace; margin: 2rem 0 .25rem; overflow-wrap: anywhere; }
pre { background: #8882; border-radius: 6px; padding: .75rem; white-space: pre-wrap; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; }
dt { font-family: ui-monospace, monospace; } dd { margin: 0; }
"""
"""The page's style sheet."""


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(method, path, description) of every route, in the order in which the routes were added."""
    for path, methods in document["paths"].items():
        for method, description in methods.items():
            yield method.upper(), path, description


def _field(description: str) -> dict[str, Any]:
    kind, _, meaning = description.partition(": ")
    file: dict[str, Any] = {"type": "string", "format": "binary"}
    shape = {"file": file, "files": {"type": "array", "items": file}, "text": {"type": "string"}}[kind]
    return shape | ({"description": meaning} if meaning else {})


def _route(method: str, path: str, description: dict[str, Any]) -> str:
    parts = [
        f"<h2>{method} {escape(path)}</h2><p>{_prose(description.get('description', ''))}</p>",
        _fields(description),
    ]
    if EXAMPLE in description:
        parts.append(f"<pre><code>{escape(description[EXAMPLE])}</code></pre>")
    return "".join(parts)


def _prose(text: str) -> str:
    """Text with what stands in backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if k % 2 else part for k, part in enumerate(parts))


def _fields(description: dict[str, Any]) -> str:
    content = description.get("requestBody", {}).get("content", {}).get("multipart/form-data", {})
    properties = content.get("schema", {}).get("properties", {})
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(its.get('description') or json.dumps(its['type']).strip(chr(34)))}</dd>"
        for name, its in properties.items()
    )
    return f"<dl>{rows}</dl>" if rows else ""

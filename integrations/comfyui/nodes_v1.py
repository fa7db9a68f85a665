"""The nodes for ComfyUI before its schema: classes with INPUT_TYPES, and the mappings that ComfyUI reads."""

from __future__ import annotations

from typing import Any

from .nodes import CATEGORY, NODES, Node, Port

_KINDS = {"COLOR": "STRING"}
"""What this interface has in place of a kind that it lacks."""


def _input(port: Port) -> tuple[Any, dict[str, Any]]:
    settings = dict(port.settings)
    kind = settings.pop("options", None) or _KINDS.get(port.kind, port.kind)
    return kind, {"tooltip": port.tooltip, **settings}


def _node_class(node: Node) -> type:
    def input_types(cls: type) -> dict[str, dict[str, Any]]:
        return {
            "required": {port.name: _input(port) for port in node.inputs if not port.optional},
            "optional": {port.name: _input(port) for port in node.inputs if port.optional},
        }

    def run(self: Any, **given: Any) -> tuple[Any, ...]:
        return node.run(**given)

    attributes = {
        "INPUT_TYPES": classmethod(input_types),
        "RETURN_TYPES": tuple(port.kind for port in node.outputs),
        "RETURN_NAMES": tuple(port.name for port in node.outputs),
        "OUTPUT_TOOLTIPS": tuple(port.tooltip for port in node.outputs),
        "FUNCTION": "run",
        "CATEGORY": CATEGORY,
        "DESCRIPTION": node.description,
        "run": run,
    }
    return type(node.node_id, (), attributes)


NODE_CLASS_MAPPINGS = {node.node_id: _node_class(node) for node in NODES}
NODE_DISPLAY_NAME_MAPPINGS = {node.node_id: node.display_name for node in NODES}

"""The nodes for ComfyUI's schema, V3."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import ComfyExtension, io

from .nodes import CATEGORY, HINTS, NODES, Node, Port

_TYPES = {
    "IMAGE": io.Image,
    "MASK": io.Mask,
    "FLOAT": io.Float,
    "INT": io.Int,
    "STRING": io.String,
    "COMBO": io.Combo,
    "COLOR": getattr(io, "Color", io.String),  # ComfyUI before its color picker: a text
    HINTS: io.Custom(HINTS),
}


def _input(port: Port) -> Any:
    return _TYPES[port.kind].Input(port.name, optional=port.optional, tooltip=port.tooltip, **port.settings)


def _schema(node: Node) -> Any:
    return io.Schema(
        node_id=node.node_id,
        display_name=node.display_name,
        category=CATEGORY,
        description=node.description,
        inputs=[_input(port) for port in node.inputs],
        outputs=[_TYPES[p.kind].Output(display_name=p.name, tooltip=p.tooltip) for p in node.outputs],
    )


def _node_class(node: Node) -> type[io.ComfyNode]:
    class TinctNode(io.ComfyNode):
        @classmethod
        def define_schema(cls) -> Any:
            return _schema(node)

        @classmethod
        def execute(cls, **given: Any) -> Any:
            return io.NodeOutput(*node.run(**given))

    TinctNode.__name__ = TinctNode.__qualname__ = node.node_id
    return TinctNode


class TinctExtension(ComfyExtension):
    """The pack as ComfyUI asks for it."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [_node_class(node) for node in NODES]


async def comfy_entrypoint() -> TinctExtension:
    """What ComfyUI calls when it loads the pack."""
    return TinctExtension()

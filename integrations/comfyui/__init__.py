"""ComfyUI nodes that colorize: by ComfyUI's schema (V3) where it is there, by mappings of classes (V1) elsewhere."""

from __future__ import annotations

try:
    from .nodes_v3 import comfy_entrypoint

    __all__ = ["comfy_entrypoint"]
except ImportError as missing:
    if not (missing.name or "").startswith("comfy_api"):
        raise
    from .nodes_v1 import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS

    __all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]

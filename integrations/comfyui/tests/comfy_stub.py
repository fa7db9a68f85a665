"""ComfyUI's node interface as far as the pack uses it, with the signatures of comfy_api.latest; no ComfyUI is needed.

A stand-in for tests: it takes the arguments that ComfyUI takes and no others, loads a pack from its folder as
ComfyUI does, and checks a schema as ComfyUI's loader does. It does not schedule workflows.
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any


class Input:
    """An input without a widget."""

    def __init__(
        self,
        id: str,
        display_name: str | None = None,
        optional: bool = False,
        tooltip: str | None = None,
        lazy: bool | None = None,
        extra_dict: dict[str, Any] | None = None,
        raw_link: bool | None = None,
    ) -> None:
        self.id, self.optional, self.tooltip, self.default = id, optional, tooltip, None


class Output:
    """An output."""

    def __init__(
        self,
        id: str | None = None,
        display_name: str | None = None,
        tooltip: str | None = None,
        is_output_list: bool = False,
    ) -> None:
        self.id, self.display_name, self.tooltip = id, display_name, tooltip


class NumberInput(Input):
    """A number's widget."""

    def __init__(
        self, id: str, *, default: Any = None, min: Any = None, max: Any = None, step: Any = None, **rest: Any
    ) -> None:
        super().__init__(id, **rest)
        self.default, self.min, self.max, self.step = default, min, max, step


class TextInput(Input):
    """A text's widget, or a color's."""

    def __init__(self, id: str, *, default: str | None = None, **rest: Any) -> None:
        super().__init__(id, **rest)
        self.default = default


class ChoiceInput(Input):
    """A list's widget."""

    def __init__(self, id: str, options: list[str], *, default: str | None = None, **rest: Any) -> None:
        super().__init__(id, **rest)
        self.options, self.default = options, default


def comfy_type(name: str, kind: type[Input] = Input) -> type:
    """A type of values, with its own classes of inputs and outputs."""
    bases = {"io_type": name}
    inner = type("Input", (kind,), bases), type("Output", (Output,), bases)
    return type(name, (), {**bases, "Input": inner[0], "Output": inner[1]})


@dataclass
class Schema:
    """A node as it describes itself."""

    node_id: str
    display_name: str | None = None
    category: str = "sd"
    inputs: list[Any] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)
    hidden: list[Any] = field(default_factory=list)
    description: str = ""
    is_input_list: bool = False
    is_output_node: bool = False

    def validate(self) -> None:
        """Raises ValueError where two inputs share an id."""
        ids = [each.id for each in self.inputs]
        if len(set(ids)) != len(ids):
            raise ValueError(f"{self.node_id}: input ids are not unique: {ids}")


class ComfyNode:
    """The base of nodes."""


class ComfyExtension:
    """The base of packs."""


class NodeOutput:
    """What a node gives: a value for each output."""

    def __init__(
        self, *args: Any, ui: Any = None, expand: Any = None, block_execution: str | None = None
    ) -> None:
        self.args = args


def modules() -> dict[str, ModuleType]:
    """The modules that stand in for comfy_api."""
    io = SimpleNamespace(
        Image=comfy_type("IMAGE"),
        Mask=comfy_type("MASK"),
        Float=comfy_type("FLOAT", NumberInput),
        Int=comfy_type("INT", NumberInput),
        String=comfy_type("STRING", TextInput),
        Color=comfy_type("COLOR", TextInput),
        Combo=comfy_type("COMBO", ChoiceInput),
        Custom=comfy_type,
        Schema=Schema,
        ComfyNode=ComfyNode,
        NodeOutput=NodeOutput,
    )
    latest = ModuleType("comfy_api.latest")
    latest.io, latest.ComfyExtension = io, ComfyExtension  # type: ignore[attr-defined]
    package = ModuleType("comfy_api")
    package.latest = latest  # type: ignore[attr-defined]
    return {"comfy_api": package, "comfy_api.latest": latest}


@contextmanager
def loaded_pack(folder: Path, schema: bool) -> Iterator[ModuleType]:
    """The pack's package, loaded from its folder under a name of the loader's; with or without comfy_api."""
    stand_ins: dict[str, Any] = modules() if schema else {"comfy_api": None, "comfy_api.latest": None}
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "comfy_api"}
    sys.modules.update(stand_ins)
    name = f"custom_nodes_{'v3' if schema else 'v1'}"
    place = folder / "__init__.py"
    spec = importlib.util.spec_from_file_location(name, place, submodule_search_locations=[str(folder)])
    assert spec is not None
    assert spec.loader is not None
    pack = importlib.util.module_from_spec(spec)
    sys.modules[name] = pack
    try:
        spec.loader.exec_module(pack)
        yield pack
    finally:
        for each in [m for m in sys.modules if m.split(".")[0] in (name, "comfy_api")]:
            del sys.modules[each]
        sys.modules.update(before)


def nodes_of(pack: ModuleType) -> dict[str, Any]:
    """The node classes by their id, asked for as ComfyUI asks; schemas are checked."""
    extension = asyncio.run(pack.comfy_entrypoint())
    assert isinstance(extension, ComfyExtension)
    found = {}
    for node in asyncio.run(extension.get_node_list()):
        assert issubclass(node, ComfyNode)
        schema = node.define_schema()
        schema.validate()
        found[schema.node_id] = node
    return found


def run(node: Any, **linked: Any) -> tuple[Any, ...]:
    """Run a node with what is linked to it; its widgets have their defaults."""
    schema = node.define_schema()
    given = {each.id: each.default for each in schema.inputs if each.default is not None} | linked
    missing = [each.id for each in schema.inputs if not each.optional and each.id not in given]
    assert not missing, f"required inputs are missing: {missing}"
    values = node.execute(**given).args
    assert len(values) == len(schema.outputs)
    return values

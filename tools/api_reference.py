"""The reference of the Python interface, written from the public names: `python -m tools.api_reference FILE`."""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

import tinct
from tools import command

_INTRODUCTION = """# The Python interface

Written from the docstrings by `make docs`; do not edit it here.

These are the public names: they keep their meaning between versions, and a change is in the changelog. Everything else
may be imported by those who read the source, and may change. Arrays are numpy, height x width x channel; colors are
sRGB or CIE L*a*b* (D65).
"""

_LISTS, _PARAGRAPHS = ("Args", "Attributes", "Raises"), ("Returns", "Yields", "Source")
"""The sections of a docstring: those of names with their meanings, and those of prose."""


def markdown() -> str:
    """The page: every public name with its signature and its docstring."""
    names = sorted((name for name in tinct.__all__ if name != "__version__"), key=str.lower)
    contents = " · ".join(f"[`{name}`](#tinct{name.lower()})" for name in names)
    return "\n".join([_INTRODUCTION, contents + "\n", *(_entry(name) for name in names)])


def _entry(name: str) -> str:
    """The section of one public name."""
    thing = getattr(tinct, name)
    parts = [f"## tinct.{name}\n"]
    if inspect.isclass(thing):
        parts += [_signature(name, thing), _prose(thing), *_members(name, thing)]
    elif callable(thing):
        parts += [_signature(name, thing), _prose(thing)]
    else:
        parts += [f"The methods by their names: {', '.join(f'`{key}`' for key in sorted(thing))}.\n"]
    return "\n".join(parts)


def _members(name: str, kind: type) -> Iterator[str]:
    """The public methods and properties that a class defines itself, in the source's order."""
    fields = {field.name for field in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else set()
    for key, member in vars(kind).items():
        if key.startswith("_") or key in fields or not _is_documented(member):
            continue
        if isinstance(member, property):
            yield f"### {name}.{key}\n\n{_prose(member)}"
        else:
            function = getattr(kind, key)
            yield f"### {name}.{key}\n\n{_signature(key, function)}\n{_prose(function)}"


def _is_documented(member: Any) -> bool:
    wrapped = getattr(member, "__func__", member)
    return isinstance(member, property) or inspect.isfunction(wrapped)


def _signature(name: str, thing: Any) -> str:
    """A call as Python writes it, a parameter a line when it is long; nothing for errors."""
    if inspect.isclass(thing) and issubclass(thing, Exception):
        return ""
    found = inspect.signature(thing)
    kept = [_unquoted(each) for key, each in found.parameters.items() if key not in ("self", "cls")]
    returned = inspect.Signature.empty if inspect.isclass(thing) else _Plain(found.return_annotation)
    text = f"{name}{found.replace(parameters=kept, return_annotation=returned)}"
    if len(text) > 100:
        head, _, tail = text.rpartition(")")
        parameters = re.split(r", (?=\*|\w+:)", head.removeprefix(f"{name}("))
        text = f"{name}(\n" + "".join(f"    {each},\n" for each in parameters) + f"){tail}"
    return f"```python\n{text}\n```\n"


class _Plain(str):
    """An annotation that shows without quotes."""

    def __repr__(self) -> str:
        return str(self)


def _unquoted(parameter: inspect.Parameter) -> inspect.Parameter:
    known = parameter.annotation
    return parameter.replace(annotation=_Plain(known)) if isinstance(known, str) else parameter


def _prose(thing: Any) -> str:
    """A docstring as Markdown: sections of names become lists, others paragraphs."""
    title, out = "", []
    for line in (inspect.getdoc(thing) or "").splitlines():
        if found := re.fullmatch(rf"({'|'.join((*_LISTS, *_PARAGRAPHS))}):(.*)", line):
            title = found[1]
            out += ["", f"**{title}:**{found[2]}", *([""] if title in _LISTS else [])]
        elif title in _LISTS and re.match(r"    \S", line):
            out.append(_item(line.strip()))
        else:
            title = title if line.startswith(" ") or not line else ""
            out.append("  " * (title in _LISTS) + line.strip() if title else line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).strip() + "\n"


def _item(line: str) -> str:
    """One line of a list: in "name: meaning" the name is set as code."""
    name, colon, meaning = line.partition(": ")
    names = ", ".join(f"`{each}`" for each in name.split(", "))
    return f"- {names}: {meaning}" if colon else f"- {line}"


def write(file: Annotated[Path, typer.Argument(metavar="FILE", help="The page to write.")]) -> None:
    """Write the reference of the Python interface from the docstrings of the public names."""
    file.write_text(markdown(), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(command.run("api_reference", write))

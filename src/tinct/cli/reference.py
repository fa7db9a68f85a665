"""The reference of the command line, generated from the application: `python -m tinct.cli.reference FILE`."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

import typer

_INTRODUCTION = """# The command line

Written from the program by `make docs`; do not edit it here.

What goes wrong is one line on standard error and exit code 2: what was met, what was wanted, what to do. A stopped run
exits with 130. Where nobody reads standard output any more (`tinct ... | head`), a command ends after the photograph in
hand, without an error line, with 141, as shells report SIGPIPE; a batch that is started again goes on.
"""


def markdown() -> str:
    """The page docs/cli.md: every command with its arguments, options and examples."""
    from tinct.cli import build_app

    group: Any = typer.main.get_command(build_app())
    verbs = [_verb(name, command) for name, command in group.commands.items() if not command.hidden]
    return "\n".join([_INTRODUCTION, *verbs])


def _verb(name: str, command: Any) -> str:
    """One verb; a group of verbs lists each of its own."""
    if getattr(command, "commands", None):
        inner = [_verb(f"{name} {sub}", each) for sub, each in command.commands.items()]
        return "\n".join([f"## tinct {name}\n\n{_prose(command.help)}\n", *inner])
    parts = [f"## tinct {name}\n", f"{_prose(command.help)}\n"]
    rows = [_row(parameter) for parameter in command.params if not getattr(parameter, "hidden", False)]
    if rows:
        parts.append("\n".join(["| argument | meaning | default |", "|---|---|---|", *rows]) + "\n")
    if command.epilog:
        parts.append(f"```text\n{_prose(command.epilog)}\n```\n")
    return "\n".join(parts)


def _row(parameter: Any) -> str:
    names = ", ".join(f"`{option}`" for option in parameter.opts if option.startswith("-"))
    metavar = parameter.metavar or ""
    is_flag = getattr(parameter, "is_flag", False)
    if not names:
        names = f"`{metavar or parameter.name}`"
    elif metavar and not is_flag:
        names += f" `{metavar}`"
    default = parameter.default
    shown = f"`{default}`" if isinstance(default, str | int | float | Path) and not is_flag else ""
    if parameter.required:
        shown = "required"
    return f"| {names} | {_cell(parameter.help)} | {shown} |"


def _cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


def _prose(text: str | None) -> str:
    return inspect.cleandoc(text or "").replace("\b\n", "").strip()


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(markdown(), encoding="utf-8")

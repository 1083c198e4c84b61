"""Writes docs/commands.md from the commands themselves: `.venv/bin/python -m tools.commands_page`."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from groundswell.cli.main import COMMANDS, load
from groundswell.data.files import write_text

PAGE = Path(__file__).parent.parent / "docs" / "commands.md"

HEAD = """# Commands

Written from the commands' own help by `make docs`.

Every command takes `--json` (one object on stdout; messages go to stderr). `--config run.toml` reads the flags'
names from a file, and flags win; the resolved configuration is written beside the output. `NO_COLOR` is honoured.

Exit codes: 0 fine, 1 failure, 2 usage, 3 data problem, 4 did not converge (results are written and flagged),
130 interrupted. With `--json` an error is an object `{"error": ..., "exit_code": ...}`.
"""


def render() -> str:
    """The whole page."""
    parts = [HEAD]
    for name in COMMANDS:
        command = load(name)
        inner = getattr(command, "commands", None)
        if inner:
            parts += [_section([name, sub], found) for sub, found in inner.items()]
        else:
            parts.append(_section([name], command))
    return "\n".join(parts)


def _section(path: list[str], command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    usage = " ".join(["groundswell", *path, *(_called(p) for p in arguments), *(["[OPTIONS]"] if options else [])])
    rows = [f"- `{_called(p)}`: {_line(p.help)}" for p in arguments]
    rows += [f"- `{' / '.join((*p.opts, *p.secondary_opts))}`: {_line(p.help)}" for p in options]
    return (
        f"## {' '.join(path)}\n\n```text\n{usage}\n```\n\n{inspect.cleandoc(command.help or '')}\n\n"
        + "\n".join(rows)
        + "\n"
    )


def _called(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    return name if argument.required else f"[{name}]"


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


if __name__ == "__main__":
    write_text(PAGE, render())

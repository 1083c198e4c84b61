"""`groundswell`: the commands by name; only the module of the command that was asked for is imported.

Exit codes: 0 fine, 1 failure, 2 usage, 3 data problem, 4 did not converge, 130 interrupted.
An error is a message on stderr, never a traceback; with --json it is one object on stdout.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from groundswell import __version__
from groundswell.errors import GroundswellError, NotConverged

INTERRUPTED = 130
TRACEBACK = "GROUNDSWELL_TRACEBACK"
"""Set in the environment, an unforeseen error shows its traceback."""


class Entry(NamedTuple):
    """Where a command lives (a function, or a typer app of subcommands) and its line of help."""

    module: str
    attribute: str
    help: str


COMMANDS = {
    "study": Entry("study", "app", "Run a whole study, or start your own: run, new."),
    "power": Entry("power", "power", "What to go and count: how often accounts can be told apart."),
    "data": Entry("data", "app", "Say what a file holds, or convert it: check, convert."),
    "simulate": Entry("simulate", "simulate", "Draw a history from a model; write it as tables."),
    "fit": Entry("fit", "fit", "Fit a model to events: likelihood or posterior."),
    "compare": Entry("compare", "compare", "Rank models on held-out days, beside baselines."),
    "coordination": Entry("coordination", "coordination", "Called, or spread? With the error rates of the answer."),
    "forecast": Entry("forecast", "forecast", "Forecast the days ahead as draws."),
    "score": Entry("forecast", "score", "Score forecasts against what happened."),
    "nowcast": Entry("nowcast", "nowcast", "What a list that grows does not have yet."),
    "sweep": Entry("sweep", "app", "A model at many parameter values: run, status, table."),
    "reproduce": Entry("reproduce", "reproduce", "Recompute published numbers: expected, got."),
    "report": Entry("report", "report", "Write a study's report again from its results."),
    "models": Entry("models", "app", "The models and their parameters: list, show, new."),
    "doctor": Entry("doctor", "doctor", "What this machine has: versions, caches, data."),
}


class LazyGroup(TyperGroup):
    """A group whose help is static and whose commands are imported when they are run."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = {name: TyperCommand(name, help=entry.help) for name, entry in COMMANDS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Put the real command in place of its line of help, then go on as usual."""
        if args and args[0] in COMMANDS:
            self.commands[args[0]] = load(args[0])
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Keep Ctrl-C out of typer's hands, which would end without a word."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise Interrupted("interrupted; every file that was written is whole.") from error


class Interrupted(GroundswellError):
    """The user pressed Ctrl-C."""

    exit_code = INTERRUPTED


def load(name: str) -> Any:
    """The command `name`, with its module imported."""
    entry = COMMANDS[name]
    found = getattr(import_module(f"groundswell.cli.{entry.module}"), entry.attribute)
    if not isinstance(found, typer.Typer):
        function, found = found, typer.Typer(add_completion=False, rich_markup_mode=None)
        found.command(name, help=function.__doc__ or entry.help)(function)
    command = typer.main.get_command(found)
    command.name = name
    return command


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"groundswell {__version__}")
        raise typer.Exit


app = typer.Typer(cls=LazyGroup, add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@app.callback(epilog="Exit codes: 0 fine, 1 failure, 2 usage, 3 data problem, 4 did not converge.")
def groundswell(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """How protest spreads under repression, and what partial and partisan records can tell of it."""


def main(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    as_json = "--json" in arguments
    before, warnings.showwarning = warnings.showwarning, _one_line
    try:
        code = typer.main.get_command(app).main(list(arguments), prog_name="groundswell", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return _refuse("interrupted before the work began.", INTERRUPTED, as_json)
    except NotConverged as error:  # the result, flagged, stands on stdout by now
        return _refuse(str(error), error.exit_code, as_json=False)
    except GroundswellError as error:
        return _refuse(str(error), error.exit_code, as_json)
    except typer.TyperException as error:
        return _refuse(_with_hint(error), error.exit_code, as_json)
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        return _refuse(_fault(error), GroundswellError.exit_code, as_json)
    finally:
        warnings.showwarning = before


def run() -> None:
    """The console script."""
    sys.exit(main(sys.argv[1:]))


def _refuse(message: str, exit_code: int, as_json: bool) -> int:
    if as_json:
        typer.echo(json.dumps({"error": message, "exit_code": exit_code}, ensure_ascii=False))
    elif message:
        typer.echo(message, err=True)
    return exit_code


def _fault(error: Exception) -> str:
    where = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"unforeseen {type(error).__name__} in {Path(where.filename).name}, line {where.lineno}: {error}. This is a "
        f"fault of groundswell, not of yours. Please report it with its traceback; {TRACEBACK}=1 before the command "
        "shows it."
    )


def _with_hint(error: typer.TyperException) -> str:
    message = error.format_message()
    context = getattr(error, "ctx", None)
    if context is None or "Usage:" in message:
        return message
    return f"{message}\nTry '{context.command_path} --help'."


def _one_line(message: Warning | str, *_: Any, **__: Any) -> None:
    typer.echo("warning: " + " ".join(str(message).split()), err=True)


if __name__ == "__main__":
    run()

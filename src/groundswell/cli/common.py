"""What every command shares: option types, configurations, and how a result is shown.

A configuration is a pydantic model with one field per flag. `resolve` reads the values of
`--config run.toml` and lets flags win; `save` writes what was resolved beside the output.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import pydantic
import typer

from groundswell.data.files import write_text
from groundswell.errors import DataError, UsageError, nearest
from groundswell.params import flat

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout; messages go to stderr.")]
Seed = Annotated[int | None, typer.Option("--seed", help="Whole number; the same seed gives the same result.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder for the output; made if need be.")]
Config = Annotated[Path | None, typer.Option("--config", help="TOML file with the same names as the flags.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A parameter by its dotted name; may be repeated."),
]
Without = Annotated[
    list[str] | None, typer.Option("--without", metavar="PART", help="A component to leave out; may be repeated.")
]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="FIELD=COLUMN",
        help="Which column holds what, as in start=Datum; in known formats keep=Riots,Battles chooses kinds of event; "
        "may be repeated.",
    ),
]


Parameters = Annotated[dict[str, float], pydantic.BeforeValidator(flat)]
"""Values of parameters by their dotted names, in a configuration."""


class Configuration(pydantic.BaseModel):
    """Base of every command's configuration: frozen, and a wrong name is an error."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    seed: Annotated[int, pydantic.Field(ge=0)] = 1


C = TypeVar("C", bound=Configuration)


def resolve(kind: type[C], config: Path | None, /, **flags: Any) -> C:
    """The configuration from the file and the flags; a flag that is not None wins.

    DataError for a file that is missing or no TOML, UsageError for a wrong name or value.
    """
    given = _read_toml(config) if config is not None else {}
    given |= {name: value for name, value in flags.items() if value is not None}
    try:
        return kind(**given)
    except pydantic.ValidationError as error:
        where = f"{config}: " if config is not None else ""
        raise UsageError(where + "; ".join(_in_words(e, kind) for e in error.errors()) + ".") from error


def save(configuration: Configuration, folder: Path, name: str = "configuration.toml") -> Path:
    """Write the resolved configuration as TOML, so that `--config` repeats the run."""
    import tomli_w

    plain = configuration.model_dump(mode="json", exclude_none=True)
    write_text(folder / name, tomli_w.dumps(plain))
    return folder / name


def assignments(given: list[str] | None) -> dict[str, float] | None:
    """{"between.offspring": .3} from ["between.offspring=.3"]; None stays None."""
    if not given:
        return None
    found: dict[str, float] = {}
    for text in given:
        name, equals, value = text.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            equals = ""
        if not equals:
            raise UsageError(f'--set "{text}" is no assignment of a number; write it as between.offspring=0.3.')
    return found


def assigned(given: list[str] | None) -> dict[str, float | bool | str] | None:
    """As `assignments`, but a value may also be true, false or a text: {"ratio": "raw"}; None stays None."""
    if not given:
        return None
    found: dict[str, float | bool | str] = {}
    for text in given:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise UsageError(f'--set "{text}" is no assignment; write it as between.offspring=0.3.')
        try:
            found[name] = float(value)
        except ValueError:
            found[name] = {"true": True, "false": False}.get(value, value)
    return found


def pairs(given: list[str] | None) -> dict[str, str] | None:
    """{"start": "Datum"} from ["start=Datum"]; None stays None."""
    found: dict[str, str] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise UsageError(f'"{text}" is no assignment; write it as start=Datum.')
        found[name.strip()] = value.strip()
    return found or None


def show(result: Mapping[str, Any], words: str, *, as_json: bool) -> None:
    """Print one result: a JSON object, or the words for people. NaN becomes null."""
    typer.echo(json.dumps(_finite(result), ensure_ascii=False, default=str) if as_json else words)


def say(words: str) -> None:
    """A line for people while work goes on; on stderr, so that stdout holds the result alone."""
    typer.echo(words, err=True)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}. Give --config the path of a TOML file.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text in UTF-8; --config reads a TOML file.") from error
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{path} is no TOML: {error}.") from error


def _in_words(error: Any, kind: type[Configuration]) -> str:
    name = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        return f'"{name}" is no setting here.' + nearest(name, kind.model_fields).rstrip(".")
    if error["type"] == "missing":
        return f"{name} is missing; give it as a flag or in the file"
    return f"{name} is {error['input']!r}: {error['msg'][:1].lower()}{error['msg'][1:]}"


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and value - value != 0 else value

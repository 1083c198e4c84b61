"""One self-contained HTML page: a summary, then sections of words, a picture and its table.

No network, no script: it opens from disk, prints, and reads from right to left where the language does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from groundswell.data.files import write_text
from groundswell.data.table import Table, show
from groundswell.report.language import Speaker


@dataclass(frozen=True)
class Picture:
    """An inline SVG, a caption, and what a reader who cannot see it needs to know."""

    svg: str
    caption: str
    alt: str


@dataclass(frozen=True)
class Twin:
    """A table beside a picture (folded away) or on its own (open)."""

    table: Table
    title: str
    folded: bool = True


@dataclass(frozen=True)
class Section:
    """A heading, paragraphs, pictures, tables and notes; `missing` says what was not run and how to run it."""

    key: str
    title: str
    words: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    tables: Sequence[Twin] = ()
    notes: Sequence[str] = ()
    missing: str = ""


@dataclass(frozen=True)
class Page:
    """A whole report.

    answers : (question, answer) pairs of the summary; an answer may have several lines. flags : why the run is below
    its limits. banner : what a reader has to know before anything else.
    """

    title: str
    subtitle: str
    answers: Sequence[tuple[str, str | Sequence[str]]]
    sections: Sequence[Section]
    flags: Sequence[str] = ()
    footer: Sequence[str] = field(default_factory=tuple)
    banner: str = ""


def render(page: Page, speaker: Speaker) -> str:
    """The page as HTML text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("groundswell.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = cell
    environment.globals |= {"is_number": _is_number, "numeric": _numeric}
    return environment.get_template("page.html").render(
        page=page, say=speaker.say, language=speaker.language, direction=speaker.direction
    )


def write_page(page: Page, speaker: Speaker, path: Path) -> Path:
    """Render and write the page, whole or not at all."""
    write_text(path, render(page, speaker))
    return path


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numeric(table: Table) -> list[bool]:
    """Whether each column holds numbers, which stand at the right as their dashes for nothing do."""
    known = [[value for value in values if value is not None] for values in table.columns.values()]
    return [bool(values) and all(map(_is_number, values)) for values in known]


def cell(value: object) -> str:
    """A value in a table; a dash for nothing."""
    return "–" if value is None else show(value, 3)

"""Docs that cannot lie: their code runs, their commands exist, and nothing public is left out."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import groundswell.models
from groundswell.cli import main as cli
from groundswell.models.library import LIBRARY
from groundswell.params import leaves
from groundswell.studies.published.base import reference_data

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NEEDS_DATA = "# needs reference data"
NAMED = "^(?P<fence>```+)(?P<language>[a-z]+)[^\n]*\n(?P<code>.*?)^(?P=fence)\\s*$"

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


class Block(NamedTuple):
    """A fenced block: its language, its text, the line of the page on which the text begins."""

    language: str
    code: str
    line: int


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in re.finditer(NAMED, text, re.MULTILINE | re.DOTALL):
        yield Block(match["language"], match["code"], text[: match.start("code")].count("\n"))


@every_page
def test_the_pythons_of_a_page_run(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order and in one namespace, from the repository's root."""
    found = [block for block in blocks(page) if block.language == "python"]
    if not found:
        return
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    namespace: dict[str, Any] = {"__name__": "__docs__"}
    left_out = 0
    for block in found:
        if block.code.startswith(NEEDS_DATA) and reference_data() is None:
            if os.environ.get("CI") == "true":
                pytest.fail(f"{page.name}, line {block.line}: reference data absent in CI")
            left_out += 1
            continue
        exec(compile("\n" * block.line + block.code, str(page), "exec"), namespace)
    if left_out:
        pytest.skip(f"reference data absent: {left_out} of {len(found)} blocks were not run")


@every_page
def test_the_commands_of_a_page_exist(page: Path) -> None:
    """Every `groundswell ...` in a shell block: the command, and each of its flags."""
    for block in blocks(page):
        if block.language not in ("bash", "sh", "shell", "console"):
            continue
        for text in block.code.replace("\\\n", " ").splitlines():
            words = shlex.split(text.removeprefix("$ "), comments=True)
            if words and Path(words[0]).name == "groundswell":
                assert unknown(words[1:]) == [], f"{page.name}: {text}"


def unknown(words: list[str]) -> list[str]:
    """What of a command line no command knows."""
    if not words or words[0] not in cli.COMMANDS:
        return [] if words and words[0] in ("--help", "--version") else words[:1]
    command, rest = cli.load(words[0]), words[1:]
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        if rest[0] not in command.commands:
            return rest[:1]
        command, rest = command.commands[rest[0]], rest[1:]
    flags = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    return [word for word in rest if word.startswith("-") and word.partition("=")[0] not in flags]


def test_the_check_of_commands_sees_what_is_wrong() -> None:
    assert unknown(["simulate", "mobilisation", "--seed", "1", "--set", "keep=.5"]) == []
    assert unknown(["simulat"]) == ["simulat"]
    assert unknown(["models", "lst"]) == ["lst"]
    assert unknown(["models", "list", "--jsn"]) == ["--jsn"]
    assert unknown(["--help"]) == []


@every_page
def test_links_within_the_docs_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_page_of_commands_is_what_the_commands_say() -> None:
    from tools.commands_page import PAGE, render

    assert PAGE.read_text(encoding="utf-8") == render(), "run: make docs"


def test_the_page_of_quantities_is_what_the_quantities_say() -> None:
    from groundswell.data.quantities import QUANTITIES
    from tools.quantities_page import EXAMPLES, PAGE, render

    assert PAGE.read_text(encoding="utf-8") == render(), "run: make docs"
    assert set(EXAMPLES) == set(QUANTITIES)


def existing(name: str) -> Any:
    entry = LIBRARY[name]
    if not (Path(groundswell.models.__file__).parent / entry.level / f"{entry.module}.py").exists():
        pytest.skip(f"{name} is not written yet")
    return entry.load()


@pytest.mark.parametrize("name", LIBRARY)
def test_every_model_has_a_page_with_its_paper_and_every_parameter(name: str) -> None:
    kind = existing(name)
    page = (ROOT / "docs" / "models" / f"{name}.md").read_text(encoding="utf-8")
    for year in re.findall(r"\b(?:19|20)\d\d\b", kind.paper):
        assert year in page, f"the paper: {kind.paper}"
    model, _ = kind.example()
    for leaf in leaves(model):
        for part in leaf.name.split("."):
            assert re.search(rf"\b{re.escape(part)}\b", page), f"{leaf.name} is not named"
        assert leaf.unit in page, f"the unit of {leaf.name}: {leaf.unit}"


def test_every_page_is_reached_from_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in PAGES[1:]:
        name = page.relative_to(ROOT / "docs").as_posix()
        assert name == "index.md" or name.startswith("decisions/") or f"({name})" in index, f"{name} is not in index.md"

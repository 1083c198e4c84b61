"""The teacher's page: each command runs, and prints the lines that the page shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest

from groundswell.cli import main as cli

PAGE = Path(__file__).parent.parent / "docs" / "teaching.md"


class Experiment(NamedTuple):
    """Commands of one block, and the lines that they print between them."""

    title: str
    commands: list[str]
    lines: list[str]


def experiments() -> list[Experiment]:
    """Every bash block that is followed by a block of text, under its heading."""
    text = PAGE.read_text(encoding="utf-8")
    found = []
    for match in re.finditer(r"```bash\n([^`]*)```\n\n```text\n([^`]*)```", text):
        title = re.findall(r"^## (.*)$", text[: match.start()], re.MULTILINE)[-1]
        found.append(Experiment(title, match[1].splitlines(), match[2].splitlines()))
    return found


def plain(line: str) -> str:
    """Columns are as wide as their table needs."""
    return " ".join(line.split())


def missing(shown: list[str], printed: list[str]) -> list[str]:
    """Lines that are not printed in this order."""
    rest = iter(printed)
    return [line for line in shown if plain(line) not in rest]


@pytest.mark.parametrize("experiment", experiments(), ids=lambda e: f"{e.title}: {e.commands[0][20:60]}")
def test_an_experiment_goes_as_the_page_says(
    experiment: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    printed: list[str] = []
    for command in experiment.commands:
        program, *arguments = shlex.split(command)
        assert program == "groundswell"
        code = cli.main([*arguments, *(["--animation", "none"] if "--show" in arguments else [])])
        captured = capsys.readouterr()
        assert code == 0, captured.err
        printed += map(plain, captured.out.splitlines())
    assert missing(experiment.lines, printed) == [], "\n".join(printed)
    pages = {line for line in printed if line.endswith("replay.html")}
    assert len(pages) == sum("--show" in command for command in experiment.commands), "one page overwrites another"


def test_there_are_six_experiments_each_with_a_picture_and_a_question() -> None:
    text = PAGE.read_text(encoding="utf-8")
    parts = re.split(r"^## (\d)\. .*$", text, flags=re.MULTILINE)
    assert parts[1::2] == list("123456")
    for body in parts[2::2]:
        assert "**Look for**" in body
        assert "**Ask**" in body
        assert re.search(r"!\[[^]]{20,}\]\(images/teaching-[a-z-]+\.svg\)", body), "a picture with words for it"
        assert "```text" in body


def test_the_check_of_lines_can_fail() -> None:
    assert missing(["a  b", "d"], ["a b", "c", "d"]) == []
    assert missing(["d", "a b"], ["a b", "c", "d"]) == ["a b"]
    assert missing(["a c"], ["a b"]) == ["a c"]

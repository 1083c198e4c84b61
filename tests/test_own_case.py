"""docs/own-case.md, as a newcomer would follow it: its files written, its commands run, its quotations looked for."""

import json
import re
import shlex
from pathlib import Path

import pytest

from groundswell.cli.main import main

PAGE = (Path(__file__).parent.parent / "docs" / "own-case.md").read_text(encoding="utf-8")


def fenced(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def followed(tmp_path_factory) -> tuple[Path, str]:
    """The folder after every command of the page, and all that was printed; anchors beyond the first are not run."""
    folder = tmp_path_factory.mktemp("own-case")
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("typer.echo", lambda text="", **_: said.append(str(text)))
        for name, text in zip(re.findall(r"<!-- file: (.*) -->", PAGE), fenced("csv"), strict=True):
            (folder / name).write_text(text, encoding="utf-8")
        for line in "".join(fenced("bash")).splitlines():
            command, *rest = shlex.split(line)
            assert command == "groundswell"
            if rest[:2] == ["study", "run"] and "--anchor" in rest:
                continue
            short = ["--effective", "10", "--processes", "1"] if rest[:2] == ["study", "run"] else []
            assert main([*rest, *short]) == (4 if short else 0), line
    return folder, "\n".join(said)


def test_what_the_page_quotes_is_what_the_commands_say(followed):
    _, said = followed
    for line in "".join(fenced("text")).splitlines():
        assert line in said


def test_the_level_and_the_leans_are_told_for_every_claim(followed):
    folder, _ = followed
    result = json.loads((folder / "out/hong-kong/result.json").read_text())
    assert result["case"]["anchor"] == "researchers"
    assert len(result["claims"]) == 11
    assert {row["stance"] for row in result["lean"]} >= {"police", "organisers"}
    lean = {row["stance"]: row["factor"][2] for row in result["lean"]}
    assert lean["organisers"] > 1.5 * lean["police"]
    assert (folder / "out/hong-kong/report.html").is_file()

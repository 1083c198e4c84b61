"""What docs/study-iran-2017.md prints, against runs: evidences without a mechanism, medians, checks of claims."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from math import hypot
from pathlib import Path
from typing import Any

import pytest

from groundswell.infer.target import Target
from groundswell.infer.tempered import TemperedSMC
from groundswell.infer.workers import kept_alive
from groundswell.studies import run as runs
from groundswell.studies.case import Case
from groundswell.studies.conditioning import nearby
from groundswell.studies.run import Effort, evidence_of_components, folder_of, run_study

PAGE = (Path(__file__).parent.parent / "docs" / "study-iran-2017.md").read_text(encoding="utf-8")

NAMES = {
    "cities": "cities", "arrests": "arrests", "participations by 4 January": "participants",
    "joins per arrest": "joining",
}  # fmt: skip
"""Of the answers: on the page, and in a result."""


def rows(of: str) -> Iterator[list[str]]:
    """Cells of the page's table with this first column head."""
    table = PAGE.split(f"| {of} |", 1)[1].split("\n\n", 1)[0]
    for line in table.splitlines()[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def number(words: str) -> float:
    return float(words.replace(",", ""))


def printed_components() -> dict[str, tuple[float, float, str]]:
    """Log Bayes factor, its Monte Carlo error and the verdict, by what is left out."""
    return {name: (number(value), number(error), verdict.split(":")[0])
            for name, value, error, verdict in rows("left out")}  # fmt: skip


def test_accounts_without_a_mechanism_are_weighed_by_the_claims(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Contagion between cities cannot be told from its absence; the call has e times its odds or more.

    Whether it is needed is a verdict of three replicates: the test of the page below has it.
    """
    monkeypatch.setattr(runs, "COMPONENTS", ("between", "call"))
    monkeypatch.setattr(runs, "REPLICATES", 2)
    folder = folder_of("iran-2017")
    case = Case.read(folder / "study.toml")
    built = case.build(folder)
    result: dict[str, Any] = {"reasons": []}
    with kept_alive(2, Target.__module__):
        part = replace(Effort().part, effective=40.0)
        sampler = part.method(2)
        assert isinstance(sampler, TemperedSMC)
        method = replace(sampler, start=nearby(built, 1, 2))
        evidence_of_components(result, case, folder, built, tmp_path, 1, method)
    found = {row["left_out"]: row for row in result["components"]}
    assert set(found) == {"between", "call"}
    assert result["reasons"] == []
    assert found["between"]["verdict"] == "cannot tell"
    printed = printed_components()
    for name, row in found.items():
        assert len(row["replicates"]) == 2
        # two evidences of 40 draws on either side: a log Bayes factor known to .2 or so
        assert row["log_bayes_factor"] == pytest.approx(printed[name][0], abs=0.6)
    assert found["call"]["log_bayes_factor"] > found["between"]["log_bayes_factor"] + 1.0
    # what is done is not done again
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}
    assert len(stamps) == 6
    evidence_of_components({"reasons": []}, case, folder, built, tmp_path, 1, method)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()} == stamps


@pytest.mark.slow
def test_the_page_prints_what_a_full_run_finds(tmp_path: Path) -> None:
    """Ten minutes or more on two cores."""
    result = run_study("iran-2017", tmp_path, seed=1, processes=2, full=True)
    printed = printed_components()
    assert {row["left_out"] for row in result["components"]} == set(printed)
    for row in result["components"]:
        value, error, verdict = printed[row["left_out"]]
        assert row["log_bayes_factor"] == pytest.approx(value, abs=3 * hypot(error, row["monte_carlo_error"]))
        assert row["verdict"] == verdict
    answers = {name: answer["quantiles"][1] for name, answer in result["look"]["answers"].items()}
    medians = {head.rsplit(", ", 1)[0]: number(head.rsplit(", ", 1)[1]) for head, *_ in rows("answer")}
    assert set(medians) == set(NAMES)
    for name, value in medians.items():
        # the same draws, unless another machine rounds otherwise; then other draws of the same posterior
        assert answers[NAMES[name]] == pytest.approx(value, rel=0.05), name
    words = PAGE.split("Of 23 claims three have a two-sided p below .1", 1)[1].split("\n\n", 1)[0]
    low = {name for name, row in result["look"]["checks"].items() if row["p"] < 0.1}
    assert low == set(re.findall(r"\bt\d\d\b", words.split("t08")[0]))

"""The report on what to count: how often accounts can be told apart, what each addition would change, limits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from groundswell.data.table import Table
from groundswell.evaluate.ranking import Finding
from groundswell.report.figures import telling as figures
from groundswell.report.language import Speaker, number, percent
from groundswell.report.page import Page, Picture, Section, Twin, write_page
from groundswell.report.svg import svg
from groundswell.report.words import in_words
from groundswell.studies.power import tables

TENTH = 0.1
"""The least part by which an addition must narrow a number to be named."""


def write_report(result: Mapping[str, Any], folder: Path, language: str = "en") -> Path:
    """Write report.html into the folder, self-contained, and return its path."""
    speaker = Speaker(language)
    return write_page(page(result, speaker), speaker, folder / "report.html")


def page(result: Mapping[str, Any], speaker: Speaker) -> Page:
    """The report as a page."""
    say = speaker.say
    groups = {"now": now(result), "next": (best(result),), "numbers": narrowed(result)}
    return Page(
        title=say("power-title", title=result["title"]),
        subtitle=say(
            "power-subtitle", records=result["records"], claims=result["claims"], parameters=result["parameters"]
        ),
        answers=[(say(f"power-question-{name}"), in_words(found, speaker)) for name, found in groups.items()],
        sections=[
            _pairs(result, speaker),
            Section(
                "answers", say("power-section-answers"), [say("power-words-answers")],
                tables=[Twin(_left(result, speaker), say("power-table-answers"), folded=False)],
            ),
            _trust(result, speaker),
            Section("limits", say("power-section-limits"), in_words(limits(result), speaker)),
        ],
        footer=[say("power-footer", seed=result["seed"])],
    )  # fmt: skip


def now(result: Mapping[str, Any]) -> tuple[Finding, ...]:
    """How often the record as it is tells each pair apart, the best told first."""
    first = result["designs"][0]["design"]
    mine = [row for row in result["pairs"] if row["design"] == first]
    return tuple(
        Finding(
            "power-now",
            {"left_out": _mechanism(row["left_out"]), "right": percent(row["right"]), "wrong": percent(row["wrong"]),
             "cannot": percent(row["cannot_tell"]), "bits": percent(max(row["bits"], 0.0))},
        )
        for row in sorted(mine, key=lambda row: -row["bits"])
    )  # fmt: skip


def _mechanism(name: str) -> Finding:
    """What a mechanism is called."""
    return Finding(f"mechanism-name-{name}")


def best(result: Mapping[str, Any]) -> Finding:
    """What to count next, or that nothing tried helps."""
    tried, found = len(result["designs"]) - 1, result["best"]
    if not tried:
        return Finding("power-nothing-tried")
    if found is None:
        return Finding("power-none", {"count": tried})
    counts = next(row["counts"] for row in result["designs"] if row["design"] == found["design"])
    mine = [row for row in result["pairs"] if row["design"] == found["design"]]
    most = max(mine, key=lambda row: row["gain"])
    first = result["designs"][0]["design"]
    before = next(r for r in result["pairs"] if r["design"] == first and r["left_out"] == most["left_out"])
    return Finding(
        "power-best",
        {"count": tried, "counts": counts, "gain": number(found["gain"]), "error": number(found["gain_error"], 1),
         "most": _mechanism(most["left_out"]), "before": percent(before["right"]), "after": percent(most["right"])},
    )  # fmt: skip


def narrowed(result: Mapping[str, Any]) -> tuple[Finding, ...]:
    """For each number, the addition that narrows it most, if it does so by a tenth."""
    first = result["designs"][0]["design"]
    counts = {row["design"]: row["counts"] for row in result["designs"]}
    found = []
    for name in dict.fromkeys(row["answer"] for row in result["answers"]):
        rows = {row["design"]: row for row in result["answers"] if row["answer"] == name}
        title = name.replace("_", " ")
        least = min(rows.values(), key=lambda row: row["sd"])
        if least["sd"] < (1 - TENTH) * rows[first]["sd"]:
            factors = {key: number(float(np.exp(row["sd"]))) for key, row in (("factor", least), ("now", rows[first]))}
            found.append(Finding("power-narrows", {"answer": title, "counts": counts[least["design"]], **factors}))
        elif len(rows) > 1:
            found.append(Finding("power-narrows-none", {"answer": title}))
    return tuple(found)


def limits(result: Mapping[str, Any]) -> tuple[Finding, ...]:
    """What this cannot tell."""
    exploded = float(np.mean(list(result["exploded"].values())))
    keys = ["classifier", result["parameters"], "reporting"]
    found = [Finding(f"power-limit-{key}") for key in keys]
    if result["counts"]:
        found.append(Finding("power-limit-counts", {"count": result["counts"]}))
    return (*found, Finding("power-limit-exploded", {"share": percent(exploded)}))


def _left(result: Mapping[str, Any], speaker: Speaker) -> Table:
    """The typical error of each number under each design, as factors."""
    say, rows = speaker.say, result["answers"]
    return Table(
        {
            say("power-column-number"): [row["answer"].replace("_", " ") for row in rows],
            say("power-column-counted"): [row["design"] for row in rows],
            say("power-column-factor"): [number(float(np.exp(row["sd"])), 3) for row in rows],
            say("power-column-give"): [number(float(np.exp(row["sd"]) * row["sd_error"]), 1) for row in rows],
            say("power-column-before"): [number(float(np.exp(row["before"])), 3) for row in rows],
        }
    )


def _pairs(result: Mapping[str, Any], speaker: Speaker) -> Section:
    say, every = speaker.say, tables(result)
    order = [row["design"] for row in result["designs"]]
    drawn = figures.designs(result["pairs"], order, words=speaker)
    caption = say("power-caption-designs")
    return Section(
        "pairs", say("power-section-pairs"), [say("power-words-pairs", threshold=number(result["threshold"]))],
        [Picture(svg(drawn, "designs"), caption, caption)],
        [
            Twin(every["designs"], say("power-table-designs"), folded=False),
            Twin(every["pairs"], say("power-table-pairs")),
        ],
    )  # fmt: skip


def _trust(result: Mapping[str, Any], speaker: Speaker) -> Section:
    say = speaker.say
    drawn = figures.reliability(result["reliability"], words=speaker)
    caption = say("power-caption-reliability")
    return Section(
        "trust", say("power-section-trust"), [say("power-words-trust")],
        [Picture(svg(drawn, "reliability"), caption, caption)],
        [Twin(tables(result)["reliability"], say("coordination-table-reliability"))],
    )  # fmt: skip

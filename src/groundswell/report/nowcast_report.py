"""The report of a growing list: what it held, the nowcasts, by region and place, scores, delays, limits."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from groundswell.data.table import Table
from groundswell.report.figures import nowcast as figures
from groundswell.report.language import Speaker, number
from groundswell.report.page import Page, Picture, Section, Twin, write_page
from groundswell.report.shared import folded
from groundswell.report.svg import svg
from groundswell.report.words import in_words
from groundswell.studies import growing_tables
from groundswell.studies.growing_list import GrowingList, Made

MOST_REGIONS = 25
"""Regions in the picture, those with most expected first; the table has all."""
MOST_PLACES = 30


def write_report(case: GrowingList, folder: Path, language: str = "en") -> Path:
    """Write report.html into the folder, self-contained, and return its path."""
    speaker = Speaker(language)
    return write_page(page(case, speaker), speaker, folder / "report.html")


def page(case: GrowingList, speaker: Speaker) -> Page:
    """The report as a page."""
    say, dates = speaker.say, case.vintages.dates
    tables = growing_tables.tables(case)
    fits = [one.nowcast.fit for one in case.made]
    last = case.made[-1]
    sections = [_data(tables, speaker), _nowcasts(case, tables, speaker)]
    if len(last.nowcast.regions) > 1:
        sections.append(_regions(last, tables, speaker))
    if "by_place" in tables:
        sections.append(_places(last, tables, speaker))
    if "scores" in tables:
        sections.append(_scores(case, tables, speaker))
    sections += [
        _delays(case, tables, speaker),
        Section("limits", say("nowcast-section-limits"), in_words(growing_tables.limits(case), speaker)),
        _left_out(case, tables, speaker),
    ]
    return Page(
        title=say("nowcast-title"),
        subtitle=say(
            "nowcast-subtitle", file=case.vintages.name, count=len(dates), start=str(dates[0]), end=str(dates[-1])
        ),
        answers=_answers(case, speaker),
        sections=sections,
        flags=[
            f"{one.when}: {one.nowcast.fit.status}"
            for one, fit in zip(case.made, fits, strict=True)
            if not fit.converged
        ],
        footer=[say("nowcast-footer", seed=case.plan.seed)],
    )


def _answers(case: GrowingList, speaker: Speaker) -> list[tuple[str, str]]:
    findings = growing_tables.findings(case)
    groups = {
        "listed": ("nowcast-listed",),
        "unlisted": ("nowcast-unlisted",),
        "scores": ("nowcast-lower", "nowcast-not-lower", "nowcast-one-list"),
    }
    out = []
    for name, starts in groups.items():
        if mine := [finding for finding in findings if finding.key.startswith(starts)]:
            out.append((speaker.say(f"nowcast-question-{name}"), " ".join(dict.fromkeys(in_words(mine, speaker)))))
    return out


def _data(tables: dict[str, Table], speaker: Speaker) -> Section:
    say = speaker.say
    return Section(
        "data", say("nowcast-section-data"), [say("nowcast-words-data")],
        tables=[Twin(tables["vintages"], say("nowcast-table-vintages"), folded=False)],
    )  # fmt: skip


def _nowcasts(case: GrowingList, tables: dict[str, Table], speaker: Speaker) -> Section:
    say = speaker.say
    panels = []
    for one in case.made:
        table = growing_tables.by_day(one)
        bands = {str(level / 100): table[f"all {level} %"] for level in (5, 25, 50, 75, 95)}
        later = None
        if one.added is not None:
            later = [a + b for a, b in zip(table["listed"], table["added"], strict=True)]
        title = say("nowcast-seen-on", vintage=str(one.when))
        dates = one.nowcast.setting.window.dates()
        panels.append({"title": title, "dates": dates, "listed": table["listed"], "bands": bands, "later": later})
    said = " ".join(
        in_words([f for f in growing_tables.findings(case) if f.key.startswith("nowcast-unlisted")], speaker)
    )
    scored = any(one.added is not None for one in case.made)
    caption = say("nowcast-caption-fan-scored" if scored else "nowcast-caption-fan")
    return Section(
        "nowcast", say("nowcast-section-nowcast"),
        [say("nowcast-words-scored" if scored else "nowcast-words-unscored")],
        [Picture(svg(figures.fans(panels, words=speaker), "nowcast"), caption, said)],
        [_twin(tables["by_day"], "by_day", speaker)],
    )  # fmt: skip


def _regions(one: Made, tables: dict[str, Table], speaker: Speaker) -> Section:
    say = speaker.say
    later = None if one.added is None else one.added.counts.sum(axis=1).tolist()
    rows: list[dict[str, Any]] = []
    for i, row in enumerate(one.nowcast.by_region().rows()):
        quantiles = [row[f"unlisted {level} %"] for level in (5, 25, 50, 75, 95)]
        mean = row["unlisted mean"]
        rows.append({"region": row["region"], "quantiles": quantiles, "later": later and later[i], "mean": mean})
    rows.sort(key=lambda row: -row["mean"])
    drawn = svg(figures.regions(rows[:MOST_REGIONS], words=speaker), "regions")
    caption = say("nowcast-caption-regions", vintage=str(one.when), shown=min(MOST_REGIONS, len(rows)), count=len(rows))
    first = ", ".join(f"{row['region']} {number(row['mean'])}" for row in rows[:3])
    return Section(
        "regions", say("nowcast-section-regions"), [],
        [Picture(drawn, caption, say("nowcast-alt-regions", regions=first))],
        [_twin(tables["by_region"], "by_region", speaker)],
    )  # fmt: skip


def _places(one: Made, tables: dict[str, Table], speaker: Speaker) -> Section:
    say = speaker.say
    table = one.nowcast.by_place()
    shown = Table({name: list(values[:MOST_PLACES]) for name, values in table.columns.items()})
    title = say("nowcast-table-places", vintage=str(one.when), shown=len(shown), count=len(table), file="by_place.csv")
    return Section(
        "places",
        say("nowcast-section-places"),
        [say("nowcast-words-places")],
        tables=[Twin(shown, title, folded=False)],
    )


def _scores(case: GrowingList, tables: dict[str, Table], speaker: Speaker) -> Section:
    from babel.dates import format_date

    later = next(str(one.later) for one in case.made if one.later is not None)
    columns = dict(tables["scores"].columns)
    days = [date.fromisoformat(text) for text in columns["vintage"]]
    columns["vintage"] = [format_date(day, "d\u00a0MMM", locale=speaker.language) for day in days]  # no break in a date
    return Section(
        "scores", speaker.say("nowcast-section-scores"), [speaker.say("nowcast-words-scores", later=later)],
        tables=[Twin(Table(columns), speaker.say("nowcast-table-scores"), folded=False)],
    )  # fmt: skip


def _delays(case: GrowingList, tables: dict[str, Table], speaker: Speaker) -> Section:
    say = speaker.say

    def bands(table: Table, name: str) -> dict[str, list[float]]:
        return {
            level: list(table[f"{name} {label}"])
            for level, label in (("0.05", "5 %"), ("0.5", "50 %"), ("0.95", "95 %"))
        }

    panels = []
    for one in case.made:
        table = growing_tables.delay(one.nowcast)
        shares = {"days": list(table["delay"]), "prior": bands(table, "prior"), "nowcast": bands(table, "nowcast")}
        panels.append({"title": say("nowcast-seen-on", vintage=str(one.when)), **shares})
    drawn = figures.delays(panels, words=speaker)
    caption = say("nowcast-caption-delays")
    return Section(
        "delays", say("nowcast-section-delays"), [say("nowcast-words-delays")],
        [Picture(svg(drawn, "delays"), caption, caption)],
        [_twin(tables["delay"], "delay", speaker), _twin(tables["parameters"], "parameters", speaker)],
    )  # fmt: skip


def _left_out(case: GrowingList, tables: dict[str, Table], speaker: Speaker) -> Section:
    twins = [_twin(tables[name], name, speaker) for name in ("left_out", "assumed") if len(tables[name])]
    words = [] if twins else [speaker.say("nowcast-nothing-left-out")]
    return Section("left-out", speaker.say("nowcast-section-left-out"), words, tables=twins, notes=case.vintages.notes)


def _twin(table: Table, name: str, speaker: Speaker) -> Twin:
    """A folded table, cut where it is long, with the place of the rest."""
    title = speaker.say(f"nowcast-table-{name.replace('_', '-')}")
    return folded(table, title, f"{name}.csv", speaker)

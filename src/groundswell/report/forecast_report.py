"""The report of a forecast: what is expected, where, what changed since last time, and how far to trust it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from groundswell.data.table import Table
from groundswell.evaluate.forecast import Forecast
from groundswell.evaluate.scores import quantiles
from groundswell.report.figures import comparison, forecasts, maps
from groundswell.report.language import Speaker, number, percent, span
from groundswell.report.page import Page, Picture, Section, Twin, write_page
from groundswell.report.shared import folded, outlines
from groundswell.report.svg import svg
from groundswell.report.words import in_words
from groundswell.studies.monthly import Monthly

SHOWN = 6
"""Places with a fan of their own."""

ROWS = 15
"""Places in the open table; the rest is folded away."""

OF_MANY = ("parameters", "AIC", "AIC of")
"""Columns of the scores that tell nothing where one model stands among baselines."""

LINES = 12
"""Places in the picture of what moved."""

RECENT = 26
"""Steps of the record that are shown before a forecast, at least three times the steps ahead."""


def write_report(case: Monthly, folder: Path, language: str = "en") -> Path:
    """Write report.html into the folder, self-contained, and return its path."""
    speaker = Speaker(language)
    return write_page(page(case, speaker), speaker, folder / "report.html")


def page(case: Monthly, speaker: Speaker) -> Page:
    """The report as a page."""
    say, window, findings = speaker.say, case.setting.window, case.findings
    steps = case.plan.ahead or 1
    first = window.date(window.days)
    last = first + timedelta(days=steps * window.step - 1)
    fitted = case.fitted
    flags = [] if fitted is None or fitted.converged else [fitted.status]
    flags += [say("forecast-not-back", reason=case.comparison.failed[case.name])] if _absent(case) else []
    return Page(
        title=say("forecast-title", first=str(first), last=str(last)),
        subtitle=say(
            "forecast-subtitle", file=Path(case.read.name).name, model=case.name, origin=str(window.end),
            draws=case.plan.draws,
        ),
        answers=[
            (say(f"forecast-question-{name}"), " ".join(in_words(findings[name], speaker)))
            for name in ("next", "since", "past", "calibration", "data")
        ],
        sections=[
            _total(case, speaker),
            *_places(case, speaker),
            _since(case, speaker),
            _past(case, speaker),
            *_calibration(case, speaker),
            _model(case, speaker),
            Section("limits", say("forecast-section-limits"), in_words(case.limits, speaker)),
            _left_out(case, speaker),
        ],
        flags=flags,
        footer=[say("compare-footer", seed=case.plan.seed)],
    )  # fmt: skip


def _absent(case: Monthly) -> bool:
    return case.name in case.comparison.failed


def _bands(draws: np.ndarray) -> dict[str, list[float]]:
    """Quantiles by level of (K, S) draws."""
    values = quantiles(draws, forecasts.LEVELS).T.tolist()
    return {f"{level:g}": each for level, each in zip(forecasts.LEVELS, values, strict=True)}


def _window(case: Monthly) -> tuple[list[date], list[date], int]:
    """Shown dates of the record, target dates, and the first shown step."""
    window, steps = case.setting.window, case.plan.ahead or 1
    start = max(0, window.periods - max(RECENT, 3 * steps))
    targets = [window.date(window.days + window.step * k) for k in range(steps)]
    return window.dates()[start:], targets, start


def _total(case: Monthly, speaker: Speaker) -> Section:
    say, totals = speaker.say, case.totals
    dates, targets, start = _window(case)
    earlier = None
    if case.since is not None:
        before = case.since.earlier
        (cube,) = before.draws.draws.values()
        when = [before.origin + timedelta(days=1 + before.draws.days * k) for k in range(cube.shape[2])]
        if when[0] >= dates[0]:
            earlier = when, _bands(cube.sum(axis=1).T)
    drawn = forecasts.outlook(
        dates, case.history["events"].sum(axis=0)[start:], (targets, _bands(totals.draws)),
        days=case.setting.window.step, last=earlier, words=speaker,
    )  # fmt: skip
    caption = say("forecast-caption-total" if earlier is None else "forecast-caption-total-last")
    alt = " ".join(in_words(case.findings["next"][:1], speaker))
    several = len(case.made.places) > 1
    return Section(
        "total", say("forecast-section-total") if several else case.made.places.name[0], [say("forecast-words-total")],
        [Picture(svg(drawn, "total"), caption, alt)],
        [
            Twin(_by_date(totals, speaker), say("forecast-table-total"), folded=False),
            folded(_newest_first(case.recorded()), say("forecast-table-recorded"), "recorded.csv", speaker),
        ],
    )  # fmt: skip


def _newest_first(table: Table) -> Table:
    return Table({name: list(reversed(values)) for name, values in table.columns.items()})


def _by_date(made: Forecast, speaker: Speaker) -> Table:
    """A forecast by target date, in few columns."""
    say, rows = speaker.say, made.summary().rows()
    found = [
        {
            say("column-from"): row["date"],
            say("column-expected"): row["mean"],
            say("column-middle-half"): span(row["q25"], row["q75"]),
            say("column-nine-tenths"): span(row["q5"], row["q95"]),
            say("column-any"): percent(row["active"]),
        }
        for row in rows
    ]
    return Table.from_rows(found)


def _places(case: Monthly, speaker: Speaker) -> list[Section]:
    """Fans of the places with the most expected events, the map and the table; nothing where there is one place."""
    if len(case.made.places) == 1:
        return []
    say, table, paths = speaker.say, case.places(), case.cubes()
    dates, targets, start = _window(case)
    names = list(table["place"][:SHOWN])
    shown = {}
    for name in names:
        place = case.made.places.name.index(name)
        ahead = paths[:, place]
        shown[name] = case.history["events"][place, start:], _bands(ahead.T), ahead.mean(axis=0).tolist()
    drawn = forecasts.outlooks(dates, shown, targets, days=case.setting.window.step, words=speaker)
    alt = say("forecast-alt-places", rows=_listing(table, "expected"))
    pictures = [Picture(svg(drawn, "places"), say("forecast-caption-places", count=len(names)), alt)]
    places = case.made.places
    if places.latitude is not None and places.longitude is not None:
        share = (paths.sum(axis=2) > 0).mean(axis=0)
        chart = maps.country_map(
            outlines(places), places.longitude.tolist(), places.latitude.tolist(), share, names=places.name,
            population=places.population.tolist(), label=say("figure-any-event"), percent=True, highest=1.0,
        )  # fmt: skip
        alt = say("forecast-alt-map", rows=_listing(Table.from_rows(_likeliest(table)), "active", share=True))
        pictures.append(Picture(svg(chart, "map"), say("forecast-caption-map"), alt))
    columns = {
        say("column-place"): table["place"],
        say("column-expected"): table["expected"],
        say("column-nine-tenths"): [span(a, b) for a, b in zip(table["q5"], table["q95"], strict=True)],
        say("column-any-next"): [percent(share) for share in table["active next step"]],
        say("column-any"): [percent(share) for share in table["active"]],
        say("column-recorded-before"): list(table.columns.values())[-1],
    }
    title = say("forecast-table-places")
    tables = [Twin(Table({name: values[:ROWS] for name, values in columns.items()}), title, folded=False)]
    if len(table) > ROWS:
        rest = Table({name: values[ROWS:] for name, values in columns.items()})
        tables.append(folded(rest, say("forecast-table-places-rest"), "places.csv", speaker))
    words = [say("forecast-words-places")]
    return [Section("places", say("forecast-section-places"), words, pictures, tables)]


def _likeliest(table: Table) -> list[dict[str, Any]]:
    return sorted(table.rows(), key=lambda row: -row["active"])


def _listing(table: Table, column: str, share: bool = False) -> str:
    """The first places with a figure each, for those who cannot see the picture."""
    rows = list(table.rows())[:SHOWN]
    return "; ".join(f"{row['place']} {percent(row[column]) if share else number(row[column])}" for row in rows)


def _since(case: Monthly, speaker: Speaker) -> Section:
    say, title = speaker.say, speaker.say("forecast-section-since")
    changed = case.since
    if changed is None:
        return Section("since", title, in_words(case.findings["since"], speaker))
    rows = [row for row in changed.moved.rows() if row["change"] != 0][:LINES]
    pictures, tables = [], []
    if rows and len(changed.moved) > 1:
        drawn = forecasts.moved(rows, words=speaker)
        told = "; ".join(f"{r['place']} {number(r['expected before'])} → {number(r['expected now'])}" for r in rows[:6])
        alt = say("forecast-alt-moved", rows=told)
        pictures.append(Picture(svg(drawn, "moved"), say("forecast-caption-moved"), alt))
    if rows:
        tables.append(folded(_moved(changed.moved, speaker), say("forecast-table-moved"), "moved.csv", speaker))
    notes = []
    if changed.scored is not None:
        tables.append(Twin(_held(changed.held, speaker), say("forecast-table-held"), folded=False))
        tables.append(Twin(changed.scored.ranking.scores, say("forecast-table-last-scores")))
        notes = in_words(changed.scored.findings, speaker)
    return Section("since", title, [" ".join(in_words(changed.findings, speaker))], pictures, tables, notes)


def _moved(table: Table, speaker: Speaker) -> Table:
    say = speaker.say
    return Table(
        {
            say("column-place"): table["place"],
            say("column-before"): table["expected before"],
            say("column-now"): table["expected now"],
            say("column-change"): table["change"],
            say("column-noise"): table["noise"],
            say("column-any-before"): [percent(share) for share in table["active before"]],
            say("column-any-now"): [percent(share) for share in table["active now"]],
        }
    )


def _held(table: Table, speaker: Speaker) -> Table:
    say = speaker.say
    return Table(
        {
            say("column-from"): table["date"],
            say("column-expected"): table["mean"],
            say("column-nine-tenths"): [span(a, b) for a, b in zip(table["q5"], table["q95"], strict=True)],
            say("column-recorded"): table["recorded"],
        }
    )


def _past(case: Monthly, speaker: Speaker) -> Section:
    say, made, skill = speaker.say, case.comparison, case.ranking.skill
    reference = str(case.plan.reference)
    values = {row["model"]: (row["CRPS skill"], row["CRPS low"], row["CRPS high"]) for row in skill.rows()}
    drawn = comparison.skill(values, reference, [case.name], words=speaker)
    caption = say("compare-caption-skill", reference=reference)
    pictures = [Picture(svg(drawn, "skill"), caption, caption)]
    scores = {name: column for name, column in case.ranking.scores.columns.items() if name not in OF_MANY}
    tables = [
        Twin(Table(scores), say("compare-table-scores"), folded=False),
        Twin(skill, say("compare-table-skill", reference=reference)),
    ]
    if not _absent(case):
        back = case.back()
        bands = {level: back[f"q{100 * float(level):g}"] for level in _bands(np.zeros((1, 1)))}
        first = [date.fromisoformat(day) for day in back["date"]]
        drawn = forecasts.past(first, bands, back["recorded"], words=speaker)
        inside = sum(a <= y <= b for a, y, b in zip(back["q5"], back["recorded"], back["q95"], strict=True))
        alt = say("forecast-alt-past", inside=inside, count=len(back))
        pictures.insert(0, Picture(svg(drawn, "past"), say("forecast-caption-past", steps=made.steps), alt))
        tables.append(folded(back, say("forecast-table-past"), "past_outlooks.csv", speaker))
    values = {"origins": len(made.origins), "steps": made.steps, "draws": made.draws}
    doubt = [f for f in case.findings["past"] if f.key.startswith("compare-intervals")]
    words = [say("forecast-words-past", **values), *in_words(doubt, speaker)]
    return Section("past", say("forecast-section-past"), words, pictures, tables)


def _calibration(case: Monthly, speaker: Speaker) -> list[Section]:
    if not case.pit:
        return []
    say = speaker.say
    titles = {name: say(f"figure-of-{name}") if len(case.pit) > 1 else case.made.places.name[0] for name in case.pit}
    pits = {titles[name]: table for name, table in case.pit.items()}
    covers = {titles[name]: table for name, table in case.coverage.items()}
    said = in_words(case.findings["calibration"], speaker)
    pictures = [
        Picture(svg(forecasts.pit(pits, words=speaker), "pit"), say("forecast-caption-pit"), " ".join(said)),
        Picture(svg(forecasts.coverage(covers, words=speaker), "coverage"), say("forecast-caption-coverage"), said[0]),
    ]
    tables = [Twin(_named(pits, speaker), say("forecast-table-pit"))]
    tables.append(Twin(_named(covers, speaker), say("forecast-table-coverage")))
    words = [say("forecast-words-pit"), say("forecast-words-coverage")]
    return [Section("calibration", say("forecast-section-calibration"), words, pictures, tables, said)]


def _named(tables: Mapping[str, Table], speaker: Speaker) -> Table:
    """Tables of the same columns one under the other, each row with what it is of."""
    rows: list[dict[str, Any]] = []
    for title, table in tables.items():
        rows += [{speaker.say("column-of"): title, **row} for row in table.rows()]
    return Table.from_rows(rows)


def _model(case: Monthly, speaker: Speaker) -> Section:
    say, tables = speaker.say, []
    if case.fitted is not None:
        tables.append(Twin(case.fitted.summary(), say("compare-table-parameters")))
    mine, others = [], []
    for row in case.notes().rows():
        (mine if row["model"] == case.name else others).append(row)
    if others:
        tables.append(Twin(Table.from_rows(others), say("compare-table-notes")))
    words = say("forecast-words-model" if case.fitted is not None else "forecast-words-model-as-is", model=case.name)
    notes = [row["note"] for row in mine]
    return Section("model", say("forecast-section-model"), [words], tables=tables, notes=notes)


def _left_out(case: Monthly, speaker: Speaker) -> Section:
    say = speaker.say
    tables: list[Twin] = []
    for table, key, file in ((case.left_out, "left-out", "left_out"), (case.read.left_out, "unread", "unread_rows")):
        if len(table):
            tables.append(folded(table, say(f"compare-table-{key}"), f"{file}.csv", speaker))
    words: Sequence[str] = [] if tables else [say("compare-nothing-left-out")]
    return Section("left-out", say("compare-section-left-out"), words, tables=tables, notes=case.read.notes)

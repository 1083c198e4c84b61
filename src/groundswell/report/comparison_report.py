"""The report of a comparison: map, timeline, scores, mechanisms, components, forecasts, limits, what was left out."""

from __future__ import annotations

from pathlib import Path

from groundswell.data.table import Table
from groundswell.evaluate.by_mechanism import SMALL
from groundswell.evaluate.scores import quantiles
from groundswell.report.figures import comparison as figures
from groundswell.report.language import Speaker
from groundswell.report.page import Page, Picture, Section, Twin, write_page
from groundswell.report.shared import folded, outlines
from groundswell.report.svg import svg
from groundswell.report.words import in_words
from groundswell.studies.event_comparison import EventComparison

TESTED = ("mechanism-", "places-", "compare-pairs")
"""How the keys of what is said of mechanisms begin."""

FANS = 40
"""Fans in the picture of forecasts; with more origins an even choice is drawn."""


def write_report(case: EventComparison, folder: Path, language: str = "en") -> Path:
    """Write report.html into the folder, self-contained, and return its path."""
    speaker = Speaker(language)
    return write_page(page(case, speaker), speaker, folder / "report.html")


def page(case: EventComparison, speaker: Speaker) -> Page:
    """The report as a page."""
    say = speaker.say
    window = case.setting.window
    fits = case.comparison.fits.values()
    return Page(
        title=say("compare-title", count=len(case.comparison.names)),
        subtitle=say("compare-subtitle", file=Path(case.read.name).name, start=str(window.start), end=str(window.end)),
        answers=_answers(case, speaker),
        sections=[
            _data(case, speaker),
            _scores(case, speaker),
            _mechanisms(case, speaker),
            *_components(case, speaker),
            _forecasts(case, speaker),
            Section("limits", say("compare-section-limits"), in_words(case.limits, speaker)),
            _left_out(case, speaker),
        ],
        flags=[] if any(fitted.converged for fitted in fits) else [fitted.status for fitted in fits],
        footer=[say("compare-footer", seed=case.plan.seed)],
    )


def _answers(case: EventComparison, speaker: Speaker) -> list[tuple[str, str]]:
    questions = {
        "data": ("compare-data", "forecast-until-event", "forecast-until-given"),
        "best": ("compare-best", "compare-best-apart", "compare-best-tied", "compare-none-apart"),
        "reference": ("compare-none-better", "compare-better", "compare-level", "compare-worse"),
        "mechanisms": TESTED,
    }
    found: list[tuple[str, str]] = []
    for name, keys in questions.items():
        mine = [f for f in case.findings if (f.key.startswith(keys) if keys is TESTED else f.key in keys)]
        if mine:
            found.append((speaker.say(f"compare-question-{name}"), " ".join(in_words(mine, speaker))))
    return found


def _data(case: EventComparison, speaker: Speaker) -> Section:
    say, places, window = speaker.say, case.setting.places, case.setting.window
    dates = window.dates()
    words = in_words(case.data, speaker)
    alt = words[0]
    drawn = figures.record(dates, case.history["events"].sum(axis=0), dates[case.comparison.origins[0]], words=speaker)
    line = svg(drawn, "record")
    pictures = [Picture(line, say("compare-caption-timeline"), alt)]
    if places.latitude is not None and places.longitude is not None:
        total = case.history["events"].sum(axis=1)
        drawn = figures.places_map(outlines(places), places.longitude, places.latitude, total, places.name)
        pictures.insert(0, Picture(svg(drawn, "map"), say("compare-caption-map"), alt))
    tables = case.tables()
    return Section(
        "data", say("compare-section-data"), words, pictures,
        [_twin(tables["places"], "places", speaker), _twin(tables["components"], "components", speaker)],
    )  # fmt: skip


def _scores(case: EventComparison, speaker: Speaker) -> Section:
    say, skill, comparison = speaker.say, case.ranking.skill, case.comparison
    reference = case.plan.reference or ""
    values = {row["model"]: (row["CRPS skill"], row["CRPS low"], row["CRPS high"]) for row in skill.rows()}
    drawn = figures.skill(values, reference, list(comparison.fits), words=speaker)
    words = say("compare-words-scores", origins=len(comparison.origins), steps=comparison.steps, draws=comparison.draws)
    caption = say("compare-caption-skill", reference=reference)
    tables = case.tables()
    return Section(
        "scores",
        say("compare-section-scores"),
        [
            words,
            *in_words([f for f in case.findings if f.key in ("compare-intervals", "compare-too-few-dates")], speaker),
        ],
        [Picture(svg(drawn, "skill"), caption, caption)],
        [
            Twin(case.ranking.scores, say("compare-table-scores"), folded=False),
            Twin(skill, say("compare-table-skill", reference=reference)),
            _twin(tables["parameters"], "parameters", speaker),
            _twin(tables["notes"], "notes", speaker),
        ],
    )


def _mechanisms(case: EventComparison, speaker: Speaker) -> Section:
    table = case.ranking.mechanisms
    said = in_words([f for f in case.findings if f.key.startswith(TESTED)], speaker)
    return Section(
        "mechanisms",
        speaker.say("compare-section-mechanisms"),
        [speaker.say("compare-words-mechanisms", nats=f"{SMALL:g}")],
        tables=[Twin(table, speaker.say("compare-table-mechanisms"), folded=False)] if len(table) else [],
        notes=said,
    )


def _components(case: EventComparison, speaker: Speaker) -> list[Section]:
    model, table = case.components()
    if not model:
        return []
    say = speaker.say
    shares = {name: values for name, values in table.columns.items() if name not in ("date", "observed")}
    drawn = figures.parts(case.setting.window.dates(), shares, table["observed"], words=speaker)
    caption = say("compare-caption-components")
    return [
        Section(
            "components",
            say("compare-section-components"),
            [say("compare-words-components", model=model)],
            [Picture(svg(drawn, "components"), caption, caption)],
            [_twin(table, "components", speaker)],
        )
    ]


def _forecasts(case: EventComparison, speaker: Speaker) -> Section:
    say, best = speaker.say, case.ranking.best
    made = case.comparison.totals[best]
    apart = made[:: max(1, -(-len(made) // FANS))]
    dates = case.setting.window.dates()
    fans: list[figures.Fan] = []
    for forecast in apart:
        levels = quantiles(forecast.draws, figures.BAND_LEVELS).T.tolist()
        bands = dict(zip(figures.BAND_LEVELS, levels, strict=True))
        fans.append(([dates[t] for t in forecast.time.tolist()], bands))
    first = case.comparison.origins[0]
    observed = case.history["events"].sum(axis=0)[first:]
    drawn = figures.rolling_fans(dates[first:], observed, fans, words=speaker)
    rows = [row for row in case.comparison.fan().rows() if row["model"] == best]
    caption = say("compare-caption-fan")
    return Section(
        "forecasts", say("compare-section-forecasts"), [say("compare-words-forecasts", model=best)],
        [Picture(svg(drawn, "fans"), caption, caption)], [_twin(Table.from_rows(rows), "forecasts", speaker)],
    )  # fmt: skip


def _left_out(case: EventComparison, speaker: Speaker) -> Section:
    tables: list[Twin] = []
    if len(case.left_out):
        tables.append(_twin(case.left_out, "left_out", speaker, key="left-out"))
    if len(case.read.left_out):
        tables.append(_twin(case.read.left_out, "unread_rows", speaker, key="unread"))
    words = [] if tables else [speaker.say("compare-nothing-left-out")]
    return Section("left-out", speaker.say("compare-section-left-out"), words, tables=tables, notes=case.read.notes)


def _twin(table: Table, name: str, speaker: Speaker, key: str = "") -> Twin:
    return folded(table, speaker.say(f"compare-table-{key or name}"), f"{name}.csv", speaker)

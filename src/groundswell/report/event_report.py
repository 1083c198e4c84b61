"""The report of a fit of single events: what sets off what, when, where, how late and far; what it cannot tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from groundswell.report.figures import events as figures
from groundswell.report.figures import maps, point_process
from groundswell.report.figures.checks import autocorrelation
from groundswell.report.figures.forecasts import pit
from groundswell.report.language import Speaker, percent
from groundswell.report.page import Page, Picture, Section, Twin, write_page
from groundswell.report.shared import folded, outlines
from groundswell.report.svg import svg
from groundswell.report.words import in_words
from groundswell.studies.event_causes import Causes
from groundswell.studies.event_checks import Checks
from groundswell.studies.event_fit import EventFit

TESTED = (
    "test_times", "test_counts", "test_points", "ripley", "counts_in_band", "waits_in_band", "counts_pit",
    "counts_autocorrelation",
)  # fmt: skip
"""Tables of the checks, in order."""

SHOWN = 6
"""Places named for those who cannot see the picture."""


def write_report(case: EventFit, folder: Path, language: str = "en") -> Path:
    """Write report.html into the folder, self-contained, and return its path."""
    speaker = Speaker(language)
    return write_page(page(case, speaker), speaker, folder / "report.html")


def page(case: EventFit, speaker: Speaker) -> Page:
    """The report as a page."""
    say, window = speaker.say, case.setting.window
    answers = [
        (say(f"events-question-{name}"), " ".join(in_words(found, speaker)))
        for name, found in case.findings.items() if found
    ]  # fmt: skip
    sections: list[Section] = []
    if case.causes is not None:
        sections.append(_over_time(case.causes, speaker))
        sections.append(_map(case, case.causes, speaker))
    if case.triggers:
        sections.append(_kernels(case, speaker))
    if case.causes is not None and case.triggers:
        sections.append(_clusters(case.causes, speaker))
    if case.moving is not None or case.weighed is not None:
        sections.append(_background(case, speaker))
    if case.checks is not None:
        sections.append(_checks(case.checks, speaker))
    sections += [
        _model(case, speaker),
        Section("limits", say("events-section-limits"), in_words(case.limits, speaker)),
        _left_out(case, speaker),
    ]
    return Page(
        title=say("events-title", model=type(case.fitted.model).__name__, events=len(case.history.events or ())),
        subtitle=say("events-subtitle", file=Path(case.read.name).name, start=str(window.start), end=str(window.end)),
        answers=answers,
        sections=sections,
        flags=[] if case.fitted.converged else [case.fitted.status],
        footer=[say("compare-footer", seed=case.seed)],
    )


def _over_time(causes: Causes, speaker: Speaker) -> Section:
    say, table = speaker.say, causes.over_time()
    known = [row for row in table.rows() if row["share"] is not None]
    alt = say("events-alt-time", first=percent(known[0]["share"]), last=percent(known[-1]["share"]))
    drawn = svg(figures.over_time(table, words=speaker), "time")
    return Section(
        "time", say("events-section-time"), [say("events-words-time")],
        [Picture(drawn, say("events-caption-time"), alt)],
        [folded(table, say("events-table-time"), "over_time.csv", speaker)],
    )  # fmt: skip


def _map(case: EventFit, causes: Causes, speaker: Speaker) -> Section:
    """The plane with its events, or places as circles, or a table where places have no positions."""
    say, events, places = speaker.say, causes.events, case.setting.places
    table = causes.by_place()
    tables = [folded(table, say("events-table-places"), "by_place.csv", speaker)] if len(places) > 1 else []
    if case.setting.region is not None and events.x_km is not None and events.y_km is not None:
        x, y = np.asarray(events.x_km, dtype=float), np.asarray(events.y_km, dtype=float)
        drawn = svg(figures.plane_maps(case.setting.region, x, y, causes.triggered, words=speaker), "plane")
        caption = say("events-caption-plane")
        words = [say("events-words-map")]
        return Section("map", say("events-section-map"), words, [Picture(drawn, caption, caption)], tables)
    pictures = []
    if places.latitude is not None and places.longitude is not None and len(table):
        rows = [places.index(name) for name in table["place"]]
        named = places.subset(rows)
        assert named.latitude is not None
        assert named.longitude is not None
        chart = maps.country_map(
            outlines(named), named.longitude.tolist(), named.latitude.tolist(), list(table["share"]), names=named.name,
            population=list(table["events"]), label=say("figure-share-triggered"), percent=True, highest=1.0,
        )  # fmt: skip
        told = "; ".join(f"{row['place']} {percent(row['share'])}" for row in list(table.rows())[:SHOWN])
        pictures.append(Picture(svg(chart, "map"), say("events-caption-places"), say("events-alt-places", rows=told)))
    return Section("map", say("events-section-places"), [say("events-words-places")], pictures, tables)


def _kernels(case: EventFit, speaker: Speaker) -> Section:
    say = speaker.say
    shown = {name: table for name, table in case.curves.items() if len(table)}
    said = in_words(case.findings["kernels"], speaker)
    if not shown:
        return Section("kernels", say("events-section-kernels"), said)
    drawn = svg(figures.curves(*case.curves.values(), words=speaker), "kernels")
    tables = [folded(table, say(f"events-table-{name}"), f"{name}.csv", speaker) for name, table in shown.items()]
    caption = say("events-caption-kernels")
    words = [say("events-words-kernels")]
    return Section("kernels", say("events-section-kernels"), words, [Picture(drawn, caption, " ".join(said))], tables)


def _clusters(causes: Causes, speaker: Speaker) -> Section:
    say, table = speaker.say, causes.clusters()
    caption = say("events-caption-clusters")
    return Section(
        "clusters", say("events-section-clusters"), [say("events-words-clusters", draws=len(causes.sizes))],
        [Picture(svg(figures.clusters(table, words=speaker), "clusters"), caption, caption)],
        [folded(table, say("events-table-clusters"), "clusters.csv", speaker)],
    )  # fmt: skip


def _background(case: EventFit, speaker: Speaker) -> Section:
    say, moving, weighed = speaker.say, case.moving, None if case.weighed is None else case.weighed.found
    tables: list[Twin] = []
    pictures: list[Picture] = []
    if moving is not None:
        tables.append(Twin(moving.table, say("events-table-backgrounds"), folded=False))
        if moving.fitted is not None:
            tables.append(Twin(moving.fitted.summary(), say("events-table-parameters")))
    words = in_words(case.findings["background"], speaker)
    if weighed is not None:
        drawn = svg(point_process.weights(weighed, words=speaker), "contagion")
        pictures.append(Picture(drawn, say("events-caption-contagion"), words[-1]))
        tables.append(Twin(weighed.table, say("events-table-contagion"), folded=False))
        tables.append(Twin(weighed.moving, say("events-table-contagion-by-movement")))
    notes = [] if weighed is None else list(weighed.notes)
    return Section("background", say("events-section-background"), words, pictures, tables, notes)


def _checks(checks: Checks, speaker: Speaker) -> Section:
    say, tables = speaker.say, checks.tables()
    said = in_words(checks.findings, speaker)
    words = [say("events-words-checks" if checks.counts is None else "events-words-checks-counts"), *said]
    parts = [part for part in (checks.times, checks.counts, checks.points) if part is not None]
    notes = [note for part in parts for note in part.notes]
    pictures = []

    def draw(name: str, axes: Any, alt: str = "") -> None:
        caption = say(f"events-caption-{name}")
        pictures.append(Picture(svg(axes, name), caption, alt or caption))

    if checks.times is not None:
        drawn = figures.residuals(tables["counts_in_band"], tables["waits_in_band"], words=speaker)
        draw("residuals", drawn, " ".join(said))
    if checks.counts is not None:
        draw("pit", pit({"": checks.counts.histogram}, words=speaker), " ".join(said))
        if len(checks.counts.autocorrelation):
            draw("autocorrelation", autocorrelation(checks.counts.autocorrelation, words=speaker))
    if "ripley" in tables:
        draw("ripley", point_process.ripley(tables["ripley"], words=speaker))
    twins = []
    for name in (name for name in TESTED if len(tables.get(name, ()))):
        label = say(f"events-table-{name.replace('_', '-')}")
        open_ = name.startswith("test_")
        twins.append(
            Twin(tables[name], label, folded=False) if open_ else folded(tables[name], label, f"{name}.csv", speaker)
        )
    return Section("checks", say("events-section-checks"), words, pictures, twins, notes)


def _model(case: EventFit, speaker: Speaker) -> Section:
    say = speaker.say
    return Section(
        "model", say("events-section-model"), [say("events-words-model", status=case.fitted.status)],
        tables=[Twin(case.fitted.summary(), say("events-table-parameters"), folded=False)],
        notes=[*case.fitted.notes, *case.remarks],
    )  # fmt: skip


def _left_out(case: EventFit, speaker: Speaker) -> Section:
    say = speaker.say
    tables: list[Any] = []
    if len(case.left_out):
        tables.append(folded(case.left_out, say("compare-table-left-out"), "left_out.csv", speaker))
    words = [] if tables else [say("compare-nothing-left-out")]
    return Section("left-out", say("events-section-left-out"), words, tables=tables, notes=case.read.notes)

"""The report on called or spread: the answer with its error rates, calibration, what it rests on, limits."""

from __future__ import annotations

from pathlib import Path

from groundswell.evaluate.coordination import CANNOT_TELL
from groundswell.report.figures import comparison as comparison_figures
from groundswell.report.figures import telling as figures
from groundswell.report.language import Speaker, percent
from groundswell.report.page import Page, Picture, Section, Twin, write_page
from groundswell.report.shared import folded
from groundswell.report.svg import svg
from groundswell.report.words import in_words
from groundswell.studies.coordination import NAMES, CoordinationCase


def write_report(case: CoordinationCase, folder: Path, language: str = "en") -> Path:
    """Write report.html into the folder, self-contained, and return its path."""
    speaker = Speaker(language)
    return write_page(page(case, speaker), speaker, folder / "report.html")


def page(case: CoordinationCase, speaker: Speaker) -> Page:
    """The report as a page."""
    say, window = speaker.say, case.setting.window
    told = [finding for finding in case.answer if finding.key == "coordination-bits"]
    answer = [finding for finding in case.answer if finding not in told]
    groups = {"data": case.data, "answer": answer, "trust": told}
    return Page(
        title=say("coordination-title"),
        subtitle=say(
            "coordination-subtitle", file=Path(case.read.name).name, start=str(window.start), end=str(window.end)
        ),
        answers=[
            (say(f"coordination-question-{name}"), " ".join(in_words(found, speaker))) for name, found in groups.items()
        ],
        sections=[
            _chances(case, speaker),
            _errors(case, speaker),
            _measures(case, speaker),
            Section("limits", say("coordination-section-limits"), in_words(case.limits, speaker)),
            _left_out(case, speaker),
        ],
        flags=[f"{NAMES[fit.name]}: the fit did not converge" for fit in case.found.fits if not fit.converged],
        footer=[say("coordination-footer", seed=case.plan.seed)],
    )


def _chances(case: CoordinationCase, speaker: Speaker) -> Section:
    say, found, tables = speaker.say, case.found, case.tables()
    dates = case.setting.window.dates()
    days = comparison_figures.record(dates, case.cells.events.sum(axis=1), dates[0], words=speaker)
    drawn = figures.chances({NAMES[n]: p for n, p in found.probability.items()}, level=found.level, words=speaker)
    pictures = [(days, "days"), (drawn, "chances")]
    return Section(
        "chances", say("coordination-section-chances"),
        [say("coordination-words-chances", records=case.plan.records)],
        [
            Picture(svg(axes, name), say(f"coordination-caption-{name}"), say(f"coordination-caption-{name}"))
            for axes, name in pictures
        ],
        [
            Twin(tables["probabilities"], say("coordination-table-probabilities")),
            folded(tables["days"], say("coordination-table-days"), "days.csv", speaker),
        ],
    )  # fmt: skip


def _errors(case: CoordinationCase, speaker: Speaker) -> Section:
    say, found, tables = speaker.say, case.found, case.tables()
    columns = [*found.names, CANNOT_TELL]
    drawn = figures.verdicts(list(found.confusion.rows()), columns, NAMES, words=speaker)
    calibration = figures.reliability(found.reliability, words=speaker)
    return Section(
        "errors", say("coordination-section-errors"),
        [
            say("coordination-words-errors", level=percent(found.level)),
            say("coordination-words-reliability"),
        ],
        [
            Picture(svg(drawn, "errors"), say("coordination-caption-errors"), say("coordination-caption-errors")),
            Picture(svg(calibration, "reliability"), say("coordination-caption-reliability"),
                    say("coordination-caption-reliability")),
        ],
        [Twin(tables[name], say(f"coordination-table-{name}")) for name in ("confusion", "reliability")],
    )  # fmt: skip


def _measures(case: CoordinationCase, speaker: Speaker) -> Section:
    say, tables = speaker.say, case.tables()
    return Section(
        "measures", say("coordination-section-measures"), [say("coordination-words-measures")],
        tables=[
            Twin(tables["measures"], say("coordination-table-measures"), folded=False),
            Twin(tables["parameters"], say("coordination-table-parameters")),
        ],
    )  # fmt: skip


def _left_out(case: CoordinationCase, speaker: Speaker) -> Section:
    tables: list[Twin] = []
    if len(case.left_out):
        tables.append(folded(case.left_out, speaker.say("compare-table-left-out"), "left_out.csv", speaker))
    if len(case.read.left_out):
        tables.append(folded(case.read.left_out, speaker.say("compare-table-unread"), "unread_rows.csv", speaker))
    words = [] if tables else [speaker.say("compare-nothing-left-out")]
    title = speaker.say("coordination-section-left-out")
    return Section("left-out", title, words, tables=tables, notes=case.read.notes)

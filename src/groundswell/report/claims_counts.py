"""What the report of a study of claims says of a source's own counts, weighed beside the claims."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groundswell.data.table import Table
from groundswell.report.claims_one_by_one import SURPRISING, small
from groundswell.report.language import Speaker, number, percent, span
from groundswell.report.page import Picture, Section, Twin
from groundswell.report.svg import svg
from groundswell.report.words import listed


def answer(result: Mapping[str, Any], speaker: Speaker) -> str:
    """Whether the counts look like what the model would have been listed as."""
    found = result["counts"]
    hard = [row for row in found["rows"] if row["p"] < SURPRISING]
    first = found["rows"][0]
    said = speaker.say(
        "claims-say-counts", events=round(first["listed"]), low=number(first["predicted"][0]),
        middle=number(first["predicted"][2]), high=number(first["predicted"][-1]), share=percent(found["detection"]),
    )  # fmt: skip
    if not hard:
        return f"{said} {speaker.say('claims-counts-agree', count=len(found['rows']))}"
    names = [
        speaker.say(
            "claims-counts-apart-one", what=_what(row, speaker), listed=round(row["listed"]),
            low=number(row["predicted"][0]), high=number(row["predicted"][-1]),
        )
        for row in hard
    ]  # fmt: skip
    return f"{said} {speaker.say('claims-counts-apart', rows=listed(names, speaker))}"


def counts(result: Mapping[str, Any], speaker: Speaker) -> Section:
    """What the source listed by day, beside what it would have listed of histories drawn anew."""
    from groundswell.report.figures.claims import listed_on_fan

    say, found = speaker.say, result["counts"]
    by_day, rows = found["by_day"], found["rows"]
    words = [
        say(
            "claims-words-counts", file=found["file"], events=round(found["events"]), active=found["active_places"],
            places=found["places"], of=found["of_places"], days=f"{found['place_days']:,}",
            share=percent(found["detection"]),
        ),
        say("claims-words-counts-check"),
        answer(result, speaker),
    ]  # fmt: skip
    axes = listed_on_fan(
        result["dates"], by_day["posterior"], by_day["listed"], title=say("figure-listed"), words=speaker
    )
    alt = say("claims-alt-counts", events=round(sum(by_day["listed"])), days=sum(1 for v in by_day["listed"] if v))
    checks = Table(
        {
            say("column-counted"): [_what(row, speaker) for row in rows],
            say("column-listed"): [round(row["listed"]) for row in rows],
            say("column-predicted"): [span(row["predicted"][0], row["predicted"][-1]) for row in rows],
            say("column-prior-range"): [span(row["predicted_before"][0], row["predicted_before"][-1]) for row in rows],
            "p": [small(row["p"]) for row in rows],
        }
    )
    days = Table(
        {
            say("column-date"): list(result["dates"]),
            say("column-looked"): by_day["looked"],
            say("column-listed"): [round(v) for v in by_day["listed"]],
            say("column-predicted"): [
                span(a, b) for a, b in zip(by_day["posterior"]["0.05"], by_day["posterior"]["0.95"], strict=True)
            ],
        }
    )
    notes = []
    if exploded := found["exploded_after"]:
        notes.append(say("claims-counts-exploded", count=exploded))
    return Section(
        "counts", say("claims-section-counts"), words,
        [Picture(svg(axes, "counts"), say("claims-caption-counts"), alt)],
        [Twin(checks, say("claims-table-counts"), folded=False), Twin(days, say("claims-table-counts-days"))], notes,
    )  # fmt: skip


def _what(row: Mapping[str, Any], speaker: Speaker) -> str:
    return speaker.say(f"claims-counted-{row['what'].replace(' ', '-')}")

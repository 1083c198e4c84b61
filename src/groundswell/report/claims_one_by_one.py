"""The sections of the report of a study of claims that show the claims one by one, weighed or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from groundswell.data.table import Table
from groundswell.report.language import Speaker, span
from groundswell.report.page import Picture, Section, Twin
from groundswell.report.svg import svg
from groundswell.report.words import listed

SURPRISING = 0.05
"""A claim whose rank lies within this of 0 or 1 is named as hard to reconcile."""


def stances(result: Mapping[str, Any]) -> list[str]:
    """Every side that says anything, in order, so that colours are the same in all pictures."""
    return sorted({claim["stance"] for claim in (*result["claims"], *result["unweighed"])})


def each(result: Mapping[str, Any], speaker: Speaker) -> Section:
    """Every weighed claim beside the model's interval for it."""
    from groundswell.report.figures.claims import said_and_expected

    say, claims = speaker.say, result["claims"]
    axes = said_and_expected(claims, words=speaker, stances=stances(result))
    hard = [c for c in claims if not SURPRISING < c["rank"] < 1 - SURPRISING]
    words = [say("claims-words-each"), *result["doubts"]]
    if hard:
        named = [say("claims-surprising-one", id=c["id"], said=c["said"], speaker=c["speaker"]) for c in hard]
        words.append(say("claims-surprising", rows=listed(named, speaker)))
    table = Table(
        {
            say("column-claim"): [c["id"] for c in claims],
            say("column-said"): [c["said"] for c in claims],
            say("column-about"): [_about(c) for c in claims],
            say("column-predicted"): [span(c["predicted"][0], c["predicted"][-1]) for c in claims],
            say("column-happened"): [span(c["happened"][0], c["happened"][-1]) for c in claims],
            say("column-rank"): [round(c["rank"], 2) for c in claims],
            **_sources(claims, speaker),
        }
    )
    picture = Picture(svg(axes, "each"), say("claims-caption-each"), say("claims-alt-each", count=len(claims)))
    twin = Twin(table, say("claims-table-each"), folded=False)
    return Section("each", say("claims-section-each"), words, [picture], [twin])


def listed_claims(result: Mapping[str, Any], speaker: Speaker) -> Section:
    """The claims that were not weighed, with the reason."""
    say, rows = speaker.say, result["unweighed"]
    title = say("claims-section-listed")
    if not rows:
        return Section("listed", title, [say("claims-none-listed")])
    table = Table(
        {
            say("column-claim"): [c["id"] for c in rows],
            say("column-said"): [c["said"] for c in rows],
            say("column-about"): [_about(c) for c in rows],
            say("column-reason"): [c["reason"] for c in rows],
            **_sources(rows, speaker),
        }
    )
    return Section(
        "listed", title, [say("claims-words-listed")], [], [Twin(table, say("claims-table-listed"), folded=False)]
    )


def _sources(claims: Sequence[Mapping[str, Any]], speaker: Speaker) -> dict[str, list[Any]]:
    """Side, speaker with outlet and date, and document: every figure with who said it."""
    return {
        speaker.say("column-side"): [c["stance"].replace("_", " ") for c in claims],
        speaker.say("column-told-by"): [f"{c['speaker']}; {c['outlet']}; {_unbroken(c['stated_on'])}" for c in claims],
        speaker.say("column-read-in"): [c["document"] for c in claims],
    }


def _about(claim: Mapping[str, Any]) -> str:
    window = claim["start"] if claim["start"] == claim["end"] else f"{claim['start']} – {claim['end']}"
    return f"{claim['quantity'].replace('_', ' ')}, {claim['place']}, {_unbroken(window)}"


def _unbroken(dates: str) -> str:
    """ISO dates that a narrow column does not break."""
    return dates.replace("-", "\u2011")

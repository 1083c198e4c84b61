"""The sections of the report of a study of claims that show the claims one by one, weighed or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from groundswell.data.table import Table
from groundswell.report.language import Speaker, span
from groundswell.report.page import Picture, Section, Twin
from groundswell.report.svg import svg
from groundswell.report.words import listed

SURPRISING = 0.1
"""A claim whose p-value, given the others, is below this is named as hard to reconcile."""


def stances(result: Mapping[str, Any]) -> list[str]:
    """Every side that says anything, in order, so that colours are the same in all pictures."""
    return sorted({claim["stance"] for claim in (*result["claims"], *result["unweighed"])})


def each(result: Mapping[str, Any], speaker: Speaker) -> Section:
    """Every weighed claim beside the model's interval for it."""
    from groundswell.report.figures.claims import said_and_expected

    say, checks = speaker.say, result["look"]["checks"]
    claims = [claim | {"check": checks.get(claim["id"])} for claim in result["claims"]]
    shown = [c | {"predicted": c["check"]["predicted"] if c["check"] else c["predicted"]} for c in claims]
    axes = said_and_expected(shown, words=speaker, stances=stances(result))
    checked = [c for c in claims if c["check"]]
    hard = [c for c in checked if c["check"]["p"] < SURPRISING]
    words = [say("claims-words-each"), *result["doubts"]]
    if hard:
        named = [say("claims-surprising-one", id=c["id"], said=c["said"], speaker=c["speaker"]) for c in hard]
        words.append(say("claims-surprising", rows=listed(named, speaker)))
    words.append(say("claims-small-p", below=len(hard), count=len(checked)))
    notes = []
    if doubtful := [c["id"] for c in checked if not c["check"]["reliable"]]:
        notes.append(say("claims-doubtful-p", ids=listed(doubtful, speaker)))
    if together := sorted({tuple(c["check"]["left_out"]) for c in checked if len(c["check"]["left_out"]) > 1}):
        notes.append(say("claims-left-together", rows="; ".join(listed(ids, speaker) for ids in together)))
    table = Table(
        {
            say("column-claim"): [c["id"] for c in claims],
            say("column-said"): [c["said"] for c in claims],
            say("column-about"): [_about(c) for c in claims],
            say("column-without-it"): [
                span(c["check"]["predicted"][0], c["check"]["predicted"][-1]) if c["check"] else None for c in claims
            ],
            say("column-p"): [small(c["check"]["p"]) if c["check"] else None for c in claims],
            say("column-happened"): [span(c["happened"][0], c["happened"][-1]) for c in claims],
            **_sources(claims, speaker),
        }
    )
    picture = Picture(svg(axes, "each"), say("claims-caption-each"), say("claims-alt-each", count=len(claims)))
    twin = Twin(table, say("claims-table-each"), folded=False)
    return Section("each", say("claims-section-each"), words, [picture], [twin], notes)


def small(p: float) -> str:
    """A p-value with two decimals: draws tell no more."""
    return "< 0.01" if p < 0.01 else f"{p:.2f}"


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

"""The sections of the report of a study of claims on how figures come about: what is expected, and who repeats whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from groundswell.data.table import Table
from groundswell.report.claims_one_by_one import stances
from groundswell.report.language import Speaker
from groundswell.report.page import Picture, Section, Twin
from groundswell.report.svg import svg


def expected(result: Mapping[str, Any], speaker: Speaker) -> Section:
    """By what factor a figure may differ from what happened, before any claim is weighed."""
    from groundswell.report.figures.reporting import expected_factors

    say, rows = speaker.say, result["expected"]
    axes = expected_factors(Table.from_rows(rows), words=speaker, stances=stances(result))
    table = Table(
        {
            say("column-side"): [row["stance"].replace("_", " ") for row in rows],
            say("column-class"): [row["class"] for row in rows],
            say("column-qualifier"): [row["qualifier"].replace("_", " ") for row in rows],
            say("column-claims"): [row["claims"] for row in rows],
            say("column-middle"): [f"×{row['middle']:.2f}" for row in rows],
            say("column-range"): [f"×{row['low']:.2g} – ×{row['high']:.2g}" for row in rows],
        }
    )
    picture = Picture(
        svg(axes, "expected"), say("claims-caption-expected"), say("claims-alt-expected", count=len(rows))
    )
    return Section(
        "expected", say("claims-section-expected"), [say("claims-words-expected")], [picture],
        [Twin(table, say("claims-table-expected"))],
    )  # fmt: skip


def provenance(result: Mapping[str, Any], speaker: Speaker) -> Section:
    """The claims under their origins, in the order in which they were said; alone where nothing shares an origin."""
    say = speaker.say
    several = {origin for origin, count in Counter(row["origin"] for row in result["provenance"]).items() if count > 1}
    rows = [row for row in result["provenance"] if row["origin"] in several]
    title = say("claims-section-provenance")
    if not rows:
        return Section("provenance", title, [say("claims-no-provenance")])
    table = Table(
        {
            say("column-origin"): [row["origin"] for row in rows],
            say("column-claim"): [row["id"] for row in rows],
            say("column-said"): [f"{row['said']}, {row['quantity'].replace('_', ' ')}" for row in rows],
            say("column-speaker"): [row["speaker"] for row in rows],
            say("column-outlet"): [row["outlet"] for row in rows],
            say("column-stated-on"): [row["stated_on"] for row in rows],
            say("column-counts-with"): ["" if row["counts with"] == row["id"] else row["counts with"] for row in rows],
            say("column-shares-with"): [
                "" if row["shares error with"] in (row["id"], row["counts with"]) else row["shares error with"]
                for row in rows
            ],
        }
    )
    words = [say("claims-words-provenance", origins=len(several))]
    return Section("provenance", title, words, [], [Twin(table, say("claims-table-provenance"), folded=False)])

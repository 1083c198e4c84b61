"""The report of a study of claims, made from its result alone, so that it can be written again at any time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from groundswell.data.files import write_text
from groundswell.report import claims_answers as answers
from groundswell.report import claims_counts
from groundswell.report import claims_heard as heard
from groundswell.report import claims_one_by_one as one_by_one
from groundswell.report import claims_rests_on as rests_on
from groundswell.report import claims_sections as sections
from groundswell.report.language import Speaker
from groundswell.report.page import Page, write_page


def write_report(result: Mapping[str, Any], folder: Path, language: str = "en") -> Path:
    """Write report.html and figures/*.svg into the folder; return the page's path."""
    speaker = Speaker(language)
    made = page(result, speaker)
    for section in made.sections:
        for k, picture in enumerate(section.pictures):
            write_text(folder / "figures" / f"{section.key}-{k + 1}.svg", picture.svg)
    return write_page(made, speaker, folder / "report.html")


def page(result: Mapping[str, Any], speaker: Speaker) -> Page:
    """The report as a page."""
    case, say = result["case"], speaker.say
    return Page(
        title=case["title"],
        subtitle=say(
            "claims-subtitle",
            weighed=len(result["claims"]),
            listed=len(result["unweighed"]),
            anchor=case["anchor"].replace("_", " "),
        ),
        answers=[
            (say("claims-ask-cities"), answers.cities(result, speaker)),
            (say("claims-ask-lean"), answers.lean(result, speaker)),
            (say("claims-ask-rests-on"), rests_on.rests_on(result, speaker)),
            *([(say("claims-ask-counts"), claims_counts.answer(result, speaker))] if result["counts"] else []),
            (say("claims-ask-mechanisms"), answers.mechanisms(result, speaker)),
            *([(say("claims-ask-joining"), answers.joining(result, speaker))] if result["joining"] else []),
        ],
        sections=[
            sections.cities(result, speaker),
            sections.arrests(result, speaker),
            *([claims_counts.counts(result, speaker)] if result["counts"] else []),
            sections.lean(result, speaker),
            rests_on.anchors(result, speaker),
            rests_on.influence(result, speaker),
            one_by_one.each(result, speaker),
            rests_on.judgements(result, speaker),
            sections.mechanisms(result, speaker),
            *([sections.joining(result, speaker)] if result["joining"] else []),
            rests_on.persons(result, speaker),
            sections.places(result, speaker),
            one_by_one.listed_claims(result, speaker),
            heard.provenance(result, speaker),
            heard.expected(result, speaker),
            sections.method(result, speaker),
        ],
        flags=result["reasons"],
        footer=[say("claims-footer", version=result["version"], seed=result["seed"], digest=result["digest"][:16])],
    )

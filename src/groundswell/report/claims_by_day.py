"""The sections of the report of a study of claims that go day by day: fans with the claims on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from groundswell.data.table import Table
from groundswell.report.claims_one_by_one import stances
from groundswell.report.language import Speaker, number, span
from groundswell.report.page import Picture, Section, Twin
from groundswell.report.svg import svg
from groundswell.report.words import window


@dataclass(frozen=True)
class Fan:
    """A daily path, the quantity whose claims lie on it, and how it is drawn."""

    path: str
    quantity: str
    caption: str
    single_days: bool = False
    log: bool = False


FANS = {
    "cities": (
        Fan("cities_so_far", "cities_with_protest", "claims-caption-so-far"),
        Fan("cities_active", "cities_with_protest", "claims-caption-active", single_days=True),
    ),
    "arrests": (
        Fan("arrests_so_far", "arrests", "claims-caption-arrests"),
        Fan("participants_so_far", "participants", "claims-caption-participants", log=True),
    ),
}


def sections(result: Mapping[str, Any], speaker: Speaker) -> list[Section]:
    """Cities, then arrests and participation by day: the fans on which a claim lies, and no section without one."""
    made = []
    for key, fans in FANS.items():
        drawn = [(fan, claims) for fan in fans if (claims := nationwide(result, fan))]
        if drawn:
            pictures = [_picture(result, speaker, fan, claims) for fan, claims in drawn]
            twin = _twin(result, speaker, [fan.path for fan, _ in drawn])
            words = [speaker.say(f"claims-words-{key}")]
            made.append(Section(key, speaker.say(f"claims-section-{key}"), words, pictures, [twin]))
    return made


def nationwide(result: Mapping[str, Any], fan: Fan) -> list[Mapping[str, Any]]:
    """Claims on the whole country that a daily (or a cumulative) path answers."""
    places, dates = result["places"], result["dates"]
    narrower: set[str] = set()
    for key in ("place", "region"):
        names = {place[key] for place in places}
        narrower |= names if len(names) > 1 else set()
    kept = []
    for claim in result["claims"]:
        if claim["quantity"] != fan.quantity or claim["place"] in narrower or claim["end"] > dates[-1]:
            continue
        if (claim["start"] == claim["end"]) == fan.single_days and (fan.single_days or claim["start"] == dates[0]):
            kept.append(claim)
    return kept


def _picture(result: Mapping[str, Any], speaker: Speaker, fan: Fan, claims: Sequence[Mapping[str, Any]]) -> Picture:
    from groundswell.report.figures.claims import claims_on_fan

    bands = result["paths"][fan.path]
    last = max(claim["end"] for claim in claims)
    axes = claims_on_fan(
        result["dates"], bands["posterior"], claims, prior=bands["prior"], log=fan.log, words=speaker,
        stances=stances(result), title=speaker.say(f"figure-{fan.path.replace('_', '-')}"), until=last,
    )  # fmt: skip
    on = {level: values[result["dates"].index(last)] for level, values in bands["posterior"].items()}
    alt = speaker.say(
        "claims-alt-fan", end=window(last, last, speaker), middle=number(on["0.5"]), low=number(on["0.05"]),
        high=number(on["0.95"]),
    )  # fmt: skip
    return Picture(svg(axes, fan.path.replace("_", "")), speaker.say(fan.caption), alt)


def _twin(result: Mapping[str, Any], speaker: Speaker, names: Sequence[str]) -> Twin:
    say = speaker.say
    columns: dict[str, list[Any]] = {say("column-date"): list(result["dates"])}
    for name in names:
        what = say(f"figure-{name.replace('_', '-')}")
        for side, prefix in (("posterior", ""), ("prior", "prior-")):
            bands = result["paths"][name][side]
            columns[f"{what}, {say(f'column-{prefix}middle')}"] = [number(v) for v in bands["0.5"]]
            columns[f"{what}, {say(f'column-{prefix}range')}"] = [
                span(a, b) for a, b in zip(bands["0.05"], bands["0.95"], strict=True)
            ]
    return Twin(Table(columns), say("claims-table-paths"))

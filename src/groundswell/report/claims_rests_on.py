"""The sections of the report of a study of claims that say what its answers rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from groundswell.data.quantities import quantity
from groundswell.data.table import Table
from groundswell.report.language import Speaker, number, percent, span
from groundswell.report.page import Picture, Section, Twin
from groundswell.report.svg import svg
from groundswell.report.words import listed, parameter_name, window
from groundswell.studies.answers import KINDS, lean_of
from groundswell.studies.moved import own_priors

MATTERS = 0.25
"""An answer is moved if it goes by more than this: posterior sds for claims and priors, 90 % intervals for anchors."""
CLEAR = 3.0
"""Errors beyond which a prior moves an answer: of a hundred moves, five are beyond two by chance."""
LEAST = 0.05
"""Standard deviations that a bar must reach to be seen."""
SHOWN = 8
"""Bars of each panel of the tornado."""


def answer_name(name: str, result: Mapping[str, Any], speaker: Speaker) -> str:
    """An answer in words, with its place and days unless those are all of the study."""
    if lean := lean_of(name):
        return speaker.say("claims-answer-lean", stance=lean[0].replace("_", " "), kind=lean[1])
    if name == "joining":
        return speaker.say("claims-answer-joining")
    row, dates = result["look"]["asked"][name], result["dates"]
    if (row["start"], row["end"]) == (dates[0], dates[-1]) and name in KINDS:
        return speaker.say(f"claims-answer-{name}")
    days = window(row["start"], row["end"], speaker)
    return speaker.say("claims-answer-window", what=row["quantity"].replace("_", " "), place=row["place"], days=days)


def of_history(result: Mapping[str, Any]) -> list[str]:
    """The answers about what happened that this study has, in the order in which it was asked for."""
    look = result["look"]

    def order(name: str) -> tuple:
        row = look["asked"][name]
        return KINDS.index(quantity(row["quantity"]).kind), row["start"], row["end"], row["place"]

    return sorted((name for name in look["asked"] if name in look["answers"]), key=order)


def influence(result: Mapping[str, Any], speaker: Speaker) -> Section:
    """Every claim, speaker, origin and side left out in turn."""
    from groundswell.report.figures.rests_on import left_out

    say, look = speaker.say, result["look"]
    rows = _ordered(look["influence"])
    names = {name: answer_name(name, result, speaker) for name in [*of_history(result), *_leans(look["answers"])]}
    shown = [{**row, "label": _label(row, result), "heading": say(f"claims-without-{row['kind']}")} for row in rows]
    words = [say("claims-words-influence"), *(_driver(name, result, speaker) for name in of_history(result))]
    if doubtful := [_short(row) for row in rows if not row["reliable"]]:
        key = "claims-doubtful-full" if result["components"] is not None else "claims-doubtful"
        words.append(say(key, rows=listed(doubtful, speaker)))
    columns: dict[str, list[Any]] = {
        say("column-left-out"): [f"{row['heading']}: {row['label']}" for row in shown],
        say("column-claims"): [", ".join(row["claims"]) for row in rows],
        say("column-log-predictive"): [round(row["log_predictive"], 1) for row in rows],
    }
    for name, title in names.items():
        columns[title] = [_told(row, row["answers"].get(name), speaker) for row in rows]
    columns |= {
        say("column-pareto"): [None if row["pareto_k"] is None else round(row["pareto_k"], 2) for row in rows],
        say("column-worth"): [round(row["worth"]) for row in rows],
        say("column-by"): [say(f"claims-by-{row['by']}") for row in rows],
    }
    alt = say("claims-alt-influence", rows=" ".join(_driver(name, result, speaker) for name in of_history(result)))
    axes = left_out(shown, names, words=speaker)
    picture = Picture(svg(axes, "influence"), say("claims-caption-influence"), alt)
    return Section(
        "influence", say("claims-section-influence"), words, [picture],
        [Twin(Table(columns), say("claims-table-influence"))],
    )  # fmt: skip


def driver(name: str, result: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The claim without which an answer moves furthest, beyond noise and MATTERS; None if no claim moves it so.

    Nor in an approximate run where its weights cannot be relied on.
    """
    rows = [row for row in result["look"]["influence"] if row["kind"] == "claim"]
    moved = [row for row in rows if _sure(row["answers"].get(name), MATTERS)]
    furthest = max(moved, key=lambda row: abs(row["answers"][name]["shift"]), default=None)
    doubtful = furthest is not None and not furthest["reliable"] and result["size"]["approximate"]
    return None if doubtful else furthest


def rests_on(result: Mapping[str, Any], speaker: Speaker) -> list[str]:
    """The short answer: on which claim each number rests."""
    return [_driver(name, result, speaker) for name in of_history(result) if name != "joining"]


def judgements(result: Mapping[str, Any], speaker: Speaker) -> Section:
    """Every prior and judgement moved in turn."""
    from groundswell.report.figures.rests_on import moved_priors

    say, look = speaker.say, result["look"]
    panels = [panel for name in of_history(result) if (panel := _panel(name, result, speaker))["rows"]]
    words = [say("claims-words-judgements"), *(_moved_most(name, result, speaker) for name in of_history(result))]
    rows = sorted(look["judgements"], key=lambda row: -max(_reach(row, name) for name in of_history(result)))
    columns: dict[str, list[Any]] = {
        say("column-prior"): [_prior(row, speaker) for row in rows],
        say("column-moved-to"): [" | ".join(way["to"] for way in row["ways"]) for row in rows],
    }
    for name in of_history(result):
        columns[answer_name(name, result, speaker)] = [
            " | ".join(_moved_to(way, name, speaker) for way in row["ways"]) for row in rows
        ]
    columns[say("column-pareto")] = [
        " | ".join("–" if way["pareto_k"] is None else f"{way['pareto_k']:.2f}" for way in row["ways"]) for row in rows
    ]
    told = " ".join(_moved_most(name, result, speaker) for name in of_history(result))
    pictures = []
    if panels:
        drawn = svg(moved_priors(panels, words=speaker)[0, 0], "judgements")
        pictures.append(Picture(drawn, say("claims-caption-judgements"), say("claims-alt-judgements", rows=told)))
    tables = [Twin(Table(columns), say("claims-table-judgements"))]
    if stated := own_priors(result):
        words.append(
            say(
                "claims-own-priors",
                names=listed([parameter_name(row["parameter"], speaker) for row in stated], speaker),
            )
        )
        tables.insert(0, Twin(_stated(stated, speaker), say("claims-table-priors"), folded=False))
    return Section("judgements", say("claims-section-judgements"), words, pictures, tables)


def _stated(rows: Sequence[Mapping[str, Any]], speaker: Speaker) -> Table:
    """The priors that the study moved, as declared and as it states them."""
    say = speaker.say

    def told(prior: Sequence[float | None]) -> str | None:
        low, middle, high = prior
        return None if low is None or middle is None or high is None else f"{number(middle)} ({span(low, high)})"

    return Table(
        {
            say("column-parameter"): [parameter_name(row["parameter"], speaker) for row in rows],
            say("column-parameter-name"): [row["parameter"] for row in rows],
            say("column-unit"): [row["unit"] for row in rows],
            say("column-declared"): [told(row["declared"]) for row in rows],
            say("column-declared-sd"): [row["declared_sd"] for row in rows],
            say("column-own-prior"): [told(row["prior"]) for row in rows],
            say("column-own-sd"): [row["prior_sd"] for row in rows],
        }
    )


def anchors(result: Mapping[str, Any], speaker: Speaker) -> Section:
    """The main answers under every anchor, or how to run them."""
    say, under = speaker.say, result.get("anchors")
    title, words = say("claims-section-anchors"), [say("claims-words-anchors")]
    if not under:
        return Section("anchors", title, words, missing=say("claims-not-run-anchors"))
    from groundswell.report.figures.rests_on import by_anchor

    panels = []
    for name, quantiles in _ends(result).items():
        middles = [middle for _, middle, _ in quantiles.values()]
        widths = [np.log((high + 0.5) / (low + 0.5)) for low, _, high in quantiles.values()]
        matters = np.log((max(middles) + 0.5) / (min(middles) + 0.5)) > MATTERS * max(widths)
        key = "claims-anchor-matters" if matters else "claims-anchor-idle"
        words.append(
            say(key, answer=answer_name(name, result, speaker), low=number(min(middles)), high=number(max(middles)))
        )
        verdict = say("figure-anchor-matters" if matters else "figure-anchor-idle")
        drawn = {anchor: [_drawn(v, name) for v in found] for anchor, found in quantiles.items()}
        panels.append({"title": answer_name(name, result, speaker), "quantiles": drawn, "verdict": verdict})
    joined = {name: one["joining"]["ratio_hidden"]["probability"] for name, one in under.items() if one["joining"]}
    if joined:
        low, high = min(joined.values()), max(joined.values())
        key = "claims-anchor-joining-matters" if high - low > 0.1 else "claims-anchor-joining-idle"
        words.append(say(key, low=percent(low), high=percent(high)))
    told: dict[str, list[str]] = {}
    for name, quantiles in _ends(result).items():
        told[answer_name(name, result, speaker)] = [f"{number(q[1])} ({span(q[0], q[2])})" for q in quantiles.values()]
    if joined:
        told[say("column-joins-outpace")] = [percent(joined[name]) if name in joined else "–" for name in under]
    for cell in sorted({(row["stance"], row["kind"]) for one in under.values() for row in one["lean"]}):
        told[answer_name(": ".join(cell), result, speaker)] = [
            next((number(r["factor"][2]) for r in one["lean"] if (r["stance"], r["kind"]) == cell), "1")
            for one in under.values()
        ]
    columns: dict[str, list[Any]] = {say("column-answer"): list(told)}
    columns |= {name.replace("_", " "): [row[k] for row in told.values()] for k, name in enumerate(under)}
    notes = [
        f"{name.replace('_', ' ')}: {reason}" for name, one in under.items() for reason in one["quality"]["reasons"]
    ]
    verdicts = "; ".join(f"{panel['title']}: {panel['verdict']}" for panel in panels)
    picture = Picture(
        svg(by_anchor(panels, list(under), words=speaker)[0, 0], "anchors"), say("claims-caption-anchors"),
        say("claims-alt-anchors", rows=verdicts),
    )  # fmt: skip
    return Section(
        "anchors", title, words, [picture], [Twin(Table(columns), say("claims-table-anchors"), folded=False)], notes
    )


def persons(result: Mapping[str, Any], speaker: Speaker) -> Section:
    """The account of cities told of persons, or how to run it."""
    say, found = speaker.say, result.get("persons")
    title, words = say("claims-section-persons"), [say("claims-words-persons")]
    if not found:
        return Section("persons", title, words, missing=say("claims-not-run"))
    far = found["moved_most"]
    values = {
        "worth": number(found["effective"]),
        "draws": found["draws"],
        "parameter": parameter_name(far["parameter"], speaker),
    }
    moved = found["effective"] < found["draws"] / 2 or abs(far["sds"]) > MATTERS
    key = "claims-persons-differ" if moved else "claims-persons-agree"
    words.append(say(key, sds=number(abs(far["sds"])), **values))

    def cell(row: Mapping[str, Any], side: str) -> str | None:
        scale = percent if row["quantity"].startswith("largest share") else number
        return None if row[side] is None else " / ".join(scale(v) for v in row[side])

    table = Table(
        {
            say("column-quantity"): [say(f"claims-{row['quantity'].replace(' ', '-')}") for row in found["rows"]],
            say("column-of-cities"): [cell(row, "cities") for row in found["rows"]],
            say("column-of-persons"): [cell(row, "persons") for row in found["rows"]],
        }
    )
    return Section("persons", title, words, [], [Twin(table, say("claims-table-persons"), folded=False)])


def _ends(result: Mapping[str, Any]) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Answer to anchor to its quantiles, over the claimed window."""
    found: dict[str, dict[str, tuple[float, float, float]]] = {}
    for name in of_history(result):
        if name == "joining":
            continue
        asked = result["look"]["asked"][name]
        for anchor, one in result["anchors"].items():
            claim = next(claim for claim in one["claims"] if all(claim[key] == asked[key] for key in asked))
            low, _, middle, _, high = claim["happened"]
            found.setdefault(name, {})[anchor] = low, middle, high
    return found


def _ordered(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Kind by kind, those that move any answer most first."""
    kinds = ("claim", "speaker", "origin", "side")

    def most(row: Mapping[str, Any]) -> float:
        return max((abs(a["shift"]) for a in row["answers"].values() if _sure(a, 0.0)), default=0.0)

    return sorted(rows, key=lambda row: (kinds.index(row["kind"]), -most(row)))


def _leans(answers: Mapping[str, Any]) -> list[str]:
    return [name for name in answers if lean_of(name)]


def _label(row: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    if row["kind"] != "claim":
        name = row["name"].replace("_", " ")
        return name if len(name) <= 40 else name[:40].rsplit(" ", 1)[0] + "…"
    claim = next(claim for claim in result["claims"] if claim["id"] == row["name"])
    everywhere = max((c["place"] for c in result["claims"]), key=[c["place"] for c in result["claims"]].count)
    where = "" if claim["place"] == everywhere else f", {claim['place']}"
    return f"{row['name']}  {claim['said']}, {claim['quantity'].replace('_', ' ')}{where}"


def _short(row: Mapping[str, Any]) -> str:
    return row["name"].replace("_", " ")


def _sure(answer: Mapping[str, Any] | None, least: float, errors: float = 2.0) -> bool:
    return answer is not None and "shift" in answer and abs(answer["shift"]) > max(least, errors * answer["error"])


def _told(row: Mapping[str, Any], answer: Mapping[str, Any] | None, speaker: Speaker) -> str | None:
    if answer is None:
        return None
    if not row["reliable"]:
        return _way(answer, speaker)
    return f"{number(answer['quantiles'][1])} ({answer.get('shift', 0.0):+.2f})"


def _way(answer: Mapping[str, Any], speaker: Speaker) -> str | None:
    """Only whether an answer goes up or down; nothing where it stays within noise."""
    if not _sure(answer, 0.0):
        return None
    return speaker.say("claims-higher" if answer["shift"] > 0 else "claims-lower")


def _driver(name: str, result: Mapping[str, Any], speaker: Speaker) -> str:
    row, title = driver(name, result), answer_name(name, result, speaker)
    if row is None:
        doubt = any(row["kind"] == "claim" and not row["reliable"] for row in result["look"]["influence"])
        key = "claims-driver-unknown" if doubt and result["size"]["approximate"] else "claims-no-driver"
        return speaker.say(key, answer=title)
    claim = next(claim for claim in result["claims"] if claim["id"] == row["name"])
    answer = row["answers"][name]
    return speaker.say(
        "claims-driver" if row["reliable"] else "claims-driver-doubtful", answer=title, id=row["name"],
        said=claim["said"], speaker=claim["speaker"], without=number(answer["quantiles"][1]),
        middle=number(_middle(name, result)), way="up" if answer["shift"] > 0 else "down",
    )  # fmt: skip


def _moving(row: Mapping[str, Any], speaker: Speaker) -> str:
    return speaker.say(f"claims-moving-{row['what']}", name=parameter_name(row["name"], speaker))


def _middle(name: str, result: Mapping[str, Any]) -> float:
    """The middle of an answer as the table of claims has it."""
    asked = result["look"]["asked"][name]
    claim = next(claim for claim in result["claims"] if all(claim[key] == asked[key] for key in asked))
    return claim["happened"][2]


def _prior(row: Mapping[str, Any], speaker: Speaker) -> str:
    return speaker.say(f"claims-prior-{row['what']}", name=parameter_name(row["name"], speaker))


def _moved_to(way: Mapping[str, Any], name: str, speaker: Speaker) -> str:
    answer = way["answers"].get(name)
    if answer is None:
        return "–"
    return number(answer["quantiles"][1]) if way["reliable"] else _way(answer, speaker) or "·"


def _reach(row: Mapping[str, Any], name: str) -> float:
    """How far an answer goes, beyond noise, when a prior is moved either way."""
    found = (way["answers"].get(name) for way in row["ways"])
    return max((abs(answer["shift"]) for answer in found if answer and _sure(answer, LEAST, CLEAR)), default=0.0)


def _ranked(name: str, look: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The priors and judgements that move an answer beyond noise, the furthest first."""
    rows = [row for row in look["judgements"] if _reach(row, name) > 0]
    return sorted(rows, key=lambda row: -_reach(row, name))


def _panel(name: str, result: Mapping[str, Any], speaker: Speaker) -> dict[str, Any]:
    look = result["look"]
    low, middle, high = (_drawn(v, name) for v in look["answers"][name]["quantiles"])
    return {
        "title": answer_name(name, result, speaker), "low": low, "middle": middle, "high": high,
        "rows": [
            {
                "label": _prior(row, speaker),
                "values": [_drawn(way["answers"][name]["quantiles"][1], name) for way in row["ways"]],
                "ways": [way["to"].replace("-", "−") for way in row["ways"]],
                "reliable": [way["reliable"] for way in row["ways"]],
            }
            for row in _ranked(name, look)[:SHOWN]
        ],
    }  # fmt: skip


def _drawn(value: float, name: str) -> float:
    """What stands for a count of 0 on an axis of logs."""
    return value if name == "joining" else max(value, 0.5)


def _moved_most(name: str, result: Mapping[str, Any], speaker: Speaker) -> str:
    look, title = result["look"], answer_name(name, result, speaker)
    ranked = _ranked(name, look)
    if result["size"]["approximate"]:
        ranked = [row for row in ranked if all(way["reliable"] for way in row["ways"])]
    if not ranked:
        return speaker.say("claims-moved-none", answer=title)
    row = ranked[0]
    if not all(way["reliable"] for way in row["ways"]):
        return speaker.say("claims-moved-most-doubtful", answer=title, prior=_moving(row, speaker))
    few = sum(_reach(other, name) > MATTERS for other in look["judgements"])
    values = sorted(way["answers"][name]["quantiles"][1] for way in row["ways"])
    return speaker.say(
        "claims-moved-most", answer=title, prior=_moving(row, speaker), low=number(values[0]), high=number(values[1]),
        few=few, all=len(look["judgements"]),
    )  # fmt: skip

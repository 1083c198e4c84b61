"""The sections of the report of a study of claims that say what its answers rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from groundswell.data.table import Table
from groundswell.report.language import Speaker, number, percent, span
from groundswell.report.page import Picture, Section, Twin
from groundswell.report.svg import svg
from groundswell.report.words import listed
from groundswell.studies.moved import own_priors

MATTERS = 0.25
"""An answer is moved if it goes by more than this: posterior sds for claims and priors, 90 % intervals for anchors."""
SHOWN = 8
"""Bars of each panel of the tornado."""
HISTORY = ("cities", "arrests", "participants", "joining")
"""Answers about what happened; the others are leans."""


def answer_name(name: str, speaker: Speaker) -> str:
    """An answer in words."""
    if name in HISTORY:
        return speaker.say(f"claims-answer-{name}")
    stance, _, kind = name.partition(": ")
    return speaker.say("claims-answer-lean", stance=stance.replace("_", " "), kind=kind)


def of_history(result: Mapping[str, Any]) -> list[str]:
    """The answers about what happened that this study has."""
    return [name for name in HISTORY if name in result["look"]["answers"]]


def influence(result: Mapping[str, Any], speaker: Speaker) -> Section:
    """Every claim, speaker, origin and side left out in turn."""
    from groundswell.report.figures.rests_on import left_out

    say, look = speaker.say, result["look"]
    rows = _ordered(look["influence"])
    names = {name: answer_name(name, speaker) for name in [*of_history(result), *_leans(look["answers"])]}
    shown = [{**row, "label": _label(row, result), "heading": say(f"claims-without-{row['kind']}")} for row in rows]
    words = [say("claims-words-influence"), *(_driver(name, result, speaker) for name in of_history(result))]
    if doubtful := [_short(row) for row in rows if not row["reliable"]]:
        key = "claims-doubtful-full" if result.get("anchors") else "claims-doubtful"
        words.append(say(key, rows=listed(doubtful, speaker)))
    columns: dict[str, list[Any]] = {
        say("column-left-out"): [f"{row['heading']}: {row['label']}" for row in shown],
        say("column-claims"): [", ".join(row["claims"]) for row in rows],
        say("column-log-predictive"): [round(row["log_predictive"], 1) for row in rows],
    }
    for name, title in names.items():
        columns[title] = [_told(row["answers"].get(name)) for row in rows]
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
    """The claim without which an answer moves furthest, beyond noise and MATTERS; None if no claim moves it so."""
    rows = [row for row in result["look"]["influence"] if row["kind"] == "claim"]
    moved = [row for row in rows if _sure(row["answers"].get(name), MATTERS)]
    return max(moved, key=lambda row: abs(row["answers"][name]["shift"]), default=None)


def rests_on(result: Mapping[str, Any], speaker: Speaker) -> str:
    """The short answer: on which claim the number of cities and that of arrests rest."""
    return " ".join(_driver(name, result, speaker) for name in ("cities", "arrests"))


def judgements(result: Mapping[str, Any], speaker: Speaker) -> Section:
    """Every prior and judgement moved in turn."""
    from groundswell.report.figures.rests_on import moved_priors

    say, look = speaker.say, result["look"]
    panels = [_panel(name, look, speaker) for name in of_history(result)]
    words = [say("claims-words-judgements"), *(_moved_most(name, look, speaker) for name in of_history(result))]
    rows = sorted(look["judgements"], key=lambda row: -max(_reach(row, name) for name in of_history(result)))
    columns: dict[str, list[Any]] = {
        say("column-prior"): [_prior(row, speaker) for row in rows],
        say("column-moved-to"): [" | ".join(way["to"] for way in row["ways"]) for row in rows],
    }
    for name in of_history(result):
        columns[answer_name(name, speaker)] = [
            " | ".join(number(_middle(way, name, look)) for way in row["ways"]) for row in rows
        ]
    columns[say("column-pareto")] = [
        " | ".join("–" if way["pareto_k"] is None else f"{way['pareto_k']:.2f}" for way in row["ways"]) for row in rows
    ]
    told = " ".join(_moved_most(name, look, speaker) for name in of_history(result))
    picture = Picture(
        svg(moved_priors(panels, words=speaker)[0, 0], "judgements"), say("claims-caption-judgements"),
        say("claims-alt-judgements", rows=told),
    )  # fmt: skip
    tables = [Twin(Table(columns), say("claims-table-judgements"))]
    if stated := own_priors(result):
        words.append(say("claims-own-priors", names=listed([row["parameter"] for row in stated], speaker)))
        tables.insert(0, Twin(_stated(stated, speaker), say("claims-table-priors"), folded=False))
    return Section("judgements", say("claims-section-judgements"), words, [picture], tables)


def _stated(rows: Sequence[Mapping[str, Any]], speaker: Speaker) -> Table:
    """The priors that the study moved, as declared and as it states them."""
    say = speaker.say

    def told(prior: Sequence[float | None]) -> str | None:
        low, middle, high = prior
        return None if low is None or middle is None or high is None else f"{number(middle)} ({span(low, high)})"

    return Table(
        {
            say("column-parameter"): [row["parameter"] for row in rows],
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
        return Section("anchors", title, words, missing=say("claims-not-run"))
    from groundswell.report.figures.rests_on import by_anchor

    panels = []
    for name, quantiles in _ends(under).items():
        middles = [middle for _, middle, _ in quantiles.values()]
        widths = [np.log((high + 0.5) / (low + 0.5)) for low, _, high in quantiles.values()]
        matters = np.log((max(middles) + 0.5) / (min(middles) + 0.5)) > MATTERS * max(widths)
        key = "claims-anchor-matters" if matters else "claims-anchor-idle"
        words.append(say(key, answer=answer_name(name, speaker), low=number(min(middles)), high=number(max(middles))))
        verdict = say("figure-anchor-matters" if matters else "figure-anchor-idle")
        drawn = {anchor: [_drawn(v, name) for v in found] for anchor, found in quantiles.items()}
        panels.append({"title": answer_name(name, speaker), "quantiles": drawn, "verdict": verdict})
    joined = {name: one["joining"]["ratio_hidden"]["probability"] for name, one in under.items() if one["joining"]}
    if joined:
        low, high = min(joined.values()), max(joined.values())
        key = "claims-anchor-joining-matters" if high - low > 0.1 else "claims-anchor-joining-idle"
        words.append(say(key, low=percent(low), high=percent(high)))
    columns: dict[str, list[Any]] = {say("column-anchor"): [name.replace("_", " ") for name in under]}
    for name, quantiles in _ends(under).items():
        head = answer_name(name, speaker)
        columns[f"{head}, {say('column-middle')}"] = [number(q[1]) for q in quantiles.values()]
        columns[f"{head}, {say('column-range')}"] = [span(q[0], q[2]) for q in quantiles.values()]
    if joined:
        columns[say("column-joins-outpace")] = [percent(p) for p in joined.values()]
    for row in sorted({(row["stance"], row["kind"]) for one in under.values() for row in one["lean"]}):
        columns[f"{row[0].replace('_', ' ')}, {row[1]}"] = [
            next((number(r["factor"][2]) for r in one["lean"] if (r["stance"], r["kind"]) == row), "1")
            for one in under.values()
        ]
    notes = [
        f"{name.replace('_', ' ')}: {reason}" for name, one in under.items() for reason in one["quality"]["reasons"]
    ]
    told = "; ".join(f"{panel['title']}: {panel['verdict']}" for panel in panels)
    picture = Picture(
        svg(by_anchor(panels, list(under), words=speaker)[0, 0], "anchors"), say("claims-caption-anchors"),
        say("claims-alt-anchors", rows=told),
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
    values = {"worth": number(found["effective"]), "draws": found["draws"], "parameter": far["parameter"]}
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


def _ends(under: Mapping[str, Any]) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Answer to anchor to its quantiles on the last day."""
    paths = {"cities": "cities_so_far", "arrests": "arrests_so_far", "participants": "participants_so_far"}
    return {
        name: {
            anchor: tuple(one["paths"][path]["posterior"][level][-1] for level in ("0.05", "0.5", "0.95"))
            for anchor, one in under.items()
        }
        for name, path in paths.items()
    }  # type: ignore[return-value]


def _ordered(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Kind by kind, those that move any answer most first."""
    kinds = ("claim", "speaker", "origin", "side")

    def most(row: Mapping[str, Any]) -> float:
        return max((abs(a["shift"]) for a in row["answers"].values() if _sure(a, 0.0)), default=0.0)

    return sorted(rows, key=lambda row: (kinds.index(row["kind"]), -most(row)))


def _leans(answers: Mapping[str, Any]) -> list[str]:
    return [name for name in answers if name not in HISTORY]


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


def _sure(answer: Mapping[str, Any] | None, least: float) -> bool:
    return answer is not None and "shift" in answer and abs(answer["shift"]) > max(least, 2 * answer["error"])


def _told(answer: Mapping[str, Any] | None) -> str | None:
    return None if answer is None else f"{number(answer['quantiles'][1])} ({answer.get('shift', 0.0):+.2f})"


def _driver(name: str, result: Mapping[str, Any], speaker: Speaker) -> str:
    row, title = driver(name, result), answer_name(name, speaker)
    if row is None:
        return speaker.say("claims-no-driver", answer=title)
    claim = next(claim for claim in result["claims"] if claim["id"] == row["name"])
    return speaker.say(
        "claims-driver" if row["reliable"] else "claims-driver-doubtful", answer=title, id=row["name"],
        said=claim["said"], speaker=claim["speaker"], without=number(_middle(row, name, result["look"])),
        middle=number(result["look"]["answers"][name]["quantiles"][1]),
        sds=number(abs(row["answers"][name]["shift"])),
    )  # fmt: skip


def _prior(row: Mapping[str, Any], speaker: Speaker) -> str:
    name = row["name"].removeprefix("process.").removeprefix("reporting.")
    return speaker.say(f"claims-prior-{row['what']}", name=name)


def _middle(way: Mapping[str, Any], name: str, look: Mapping[str, Any]) -> float:
    """The middle of an answer, moved by as much as its mean: a median of whole numbers would jump."""
    base = look["answers"][name]
    return float(base["quantiles"][1] * np.exp(way["answers"][name]["mean"] - base["mean"]))


def _reach(row: Mapping[str, Any], name: str) -> float:
    return max(abs(way["answers"][name]["shift"]) for way in row["ways"] if name in way["answers"])


def _panel(name: str, look: Mapping[str, Any], speaker: Speaker) -> dict[str, Any]:
    rows = sorted(look["judgements"], key=lambda row: -_reach(row, name))[:SHOWN]
    low, middle, high = (_drawn(v, name) for v in look["answers"][name]["quantiles"])
    return {
        "title": answer_name(name, speaker), "low": low, "middle": middle, "high": high,
        "rows": [
            {
                "label": _prior(row, speaker),
                "values": [_drawn(_middle(way, name, look), name) for way in row["ways"]],
                "ways": [way["to"].replace("-", "−") for way in row["ways"]],
                "reliable": [way["reliable"] for way in row["ways"]],
            }
            for row in rows
        ],
    }  # fmt: skip


def _drawn(value: float, name: str) -> float:
    """What stands for a count of 0 on an axis of logs."""
    return value if name == "joining" else max(value, 0.5)


def _moved_most(name: str, look: Mapping[str, Any], speaker: Speaker) -> str:
    row = max(look["judgements"], key=lambda row: _reach(row, name))
    few = sum(_reach(other, name) > MATTERS for other in look["judgements"])
    values = sorted(_middle(way, name, look) for way in row["ways"])
    return speaker.say(
        "claims-moved-most", answer=answer_name(name, speaker), prior=_prior(row, speaker),
        low=number(values[0]), high=number(values[1]), few=few, all=len(look["judgements"]),
    )  # fmt: skip

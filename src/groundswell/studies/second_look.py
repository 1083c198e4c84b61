"""A second look at a result: what it rests on, claim by claim and judgement by judgement.

By weights on the draws of the fit, which costs little; in a full run what weights cannot tell is fitted anew, part by
part, so that it can be resumed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.data.table import Table
from groundswell.infer.base import Fit
from groundswell.models.reporting.integration import integrable
from groundswell.params import Prior, leaves
from groundswell.studies.answers import shifted
from groundswell.studies.case import Built
from groundswell.studies.influence import LeftOut, check_rows, influence_row, readings, to_fit_anew, to_leave_out
from groundswell.studies.judgements import (
    Moved,
    by_ratio,
    detection_moves,
    parameter_moves,
    reporting_moves,
    standard,
    under_prior,
    way_row,
)
from groundswell.studies.reweighing import Reading, Reread, reread


def second_look(
    built: Built, found: Fit, posterior: Sequence[Mapping[str, Any]], *, seed: int, processes: int
) -> dict[str, Any]:
    """ "answers" of the fit; "influence", rows of what is left out; "checks" by claim; "judgements" moved."""
    left_out = to_leave_out(built)
    moves = _reporting(built, found.details["integrated"])
    asked = [*readings(built, left_out), *(reading for _, pair in moves for reading in pair)]
    base, told = reread(built, found, posterior, asked, seed=seed, processes=processes)
    influence, checks = [], {}
    for one, other in zip(left_out, told, strict=False):
        influence.append(influence_row(one, other, base))
        checks |= check_rows(built.claims.weighed, one, other, base)
    rest = told[len(left_out) :]
    judgements = [
        _judgement(moved, [way_row(to, other, base) for to, other in zip(moved.ways, pair, strict=True)])
        for moved, pair in zip((moved for moved, _ in moves), zip(rest[::2], rest[1::2], strict=True), strict=True)
    ]
    z = standard(found)
    for moved, ways in parameter_moves(found.details["leaves"], found.details["integrated"]):
        pair = [under_prior(base, z[moved.name], way) for way in ways]
        rows = [way_row(to, other, base) for to, other in zip(moved.ways, pair, strict=True)]
        judgements.append(_judgement(moved, rows))
    if built.counts is not None and built.counts.detection < 1:
        _, first = np.unique(found.details["index"], return_index=True)
        unseen = np.array([posterior[i]["unseen"] for i in first])
        seen = float(built.counts.history["events"][built.counts.looked].sum())
        moved, ratios = detection_moves(built.counts.detection, seen, unseen)
        rows = [way_row(to, by_ratio(base, ratio), base) for to, ratio in zip(moved.ways, ratios, strict=True)]
        judgements.append(_judgement(moved, rows))
    return {"answers": base.told(), "influence": influence, "checks": checks, "judgements": judgements}


@dataclass(frozen=True)
class Anew:
    """A part of a second look that has to be fitted: the reading, and what puts it in its place.

    number : names its randomness, the same whatever else has to be fitted.
    """

    name: str
    number: int
    reading: Reading
    row: Callable[[Reread], dict[str, Any]]
    put: Callable[[dict[str, Any]], None]


def to_fit(built: Built, look: dict[str, Any]) -> list[Anew]:
    """The parts of `second_look` that weights cannot tell, and the foremost claims; `put` changes `look` in place."""
    left_out = to_leave_out(built)
    asked = readings(built, left_out)
    parts = [_left_out(built, look, i, left_out[i], asked[i]) for i in to_fit_anew(look["influence"])]
    for at, (moved, pair) in enumerate(_reporting(built, _integrated(built))):
        for side, reading in enumerate(pair):
            if not reading.priors and not look["judgements"][at]["ways"][side]["reliable"]:
                parts.append(_moved(look, at, side, moved, reading))
    return parts


def _left_out(built: Built, look: dict[str, Any], i: int, one: LeftOut, reading: Reading) -> Anew:
    def row(found: Reread) -> dict[str, Any]:
        return {"row": influence_row(one, found, None), "checks": check_rows(built.claims.weighed, one, found, None)}

    def put(made: dict[str, Any]) -> None:
        look["influence"][i] = made["row"] | {"answers": shifted(made["row"]["answers"], look["answers"])}
        look["checks"] |= made["checks"]

    return Anew(f"without {one.kind} {i}", i, reading, row, put)


def _moved(look: dict[str, Any], at: int, side: int, moved: Moved, reading: Reading) -> Anew:
    def put(made: dict[str, Any]) -> None:
        look["judgements"][at]["ways"][side] = made | {"answers": shifted(made["answers"], look["answers"])}

    return Anew(
        f"judgement {moved.name.rpartition('.')[2]} {side + 1}", -1 - 2 * at - side,
        reading, lambda found: way_row(moved.ways[side], found, None), put,
    )  # fmt: skip


def second_tables(look: Mapping[str, Any]) -> dict[str, Table]:
    """Everything of a second look, flat: a row for each thing left out or moved and each answer."""
    left_out, moved = [], []
    for row in look["influence"]:
        head = {name: row[name] for name in ("kind", "name", "log_predictive", *HOW)}
        left_out += [
            head | {"claims": " ".join(row["claims"]), "answer": name} | _quantiles(answer)
            for name, answer in row["answers"].items()
        ]
    for row in look["judgements"]:
        for way in row["ways"]:
            head = {"name": row["name"], "what": row["what"], "to": way["to"], **{name: way[name] for name in HOW}}
            moved += [head | {"answer": name} | _quantiles(answer) for name, answer in way["answers"].items()]
    checks = [
        {"id": name, "p": row["p"], "rank": row["rank"], "left_out": " ".join(row["left_out"])}
        | dict(zip(("5 %", "25 %", "50 %", "75 %", "95 %"), row["predicted"], strict=True))
        | {name: row[name] for name in ("log_predictive", *HOW)}
        for name, row in sorted(look["checks"].items())
    ]
    return {
        "influence": Table.from_rows(left_out), "checks": Table.from_rows(checks), "judgements": Table.from_rows(moved)
    }  # fmt: skip


HOW = ("by", "pareto_k", "worth", "reliable")


def _quantiles(answer: Mapping[str, Any]) -> dict[str, Any]:
    low, middle, high = answer["quantiles"]
    known = {name: answer.get(name) for name in ("shift", "error")}
    return {"5 %": low, "50 %": middle, "95 %": high, "P(above 1)": answer["above"], **known}


def _judgement(moved: Moved, ways: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": moved.name, "what": moved.what, "ways": ways}


def _reporting(built: Built, names: Sequence[str]) -> list[tuple[Moved, list[Reading]]]:
    priors: dict[str, Prior] = {
        leaf.name: leaf.prior for leaf in leaves(built.account.reporting) if leaf.prior is not None
    }
    return list(reporting_moves(built.account.reporting, names, priors))


def _integrated(built: Built) -> list[str]:
    """Leans and speakers' effects, without those that the case holds fixed, as a fit integrates them out."""
    return [name for name in integrable(built.account.reporting) if f"reporting.{name}" not in built.held]

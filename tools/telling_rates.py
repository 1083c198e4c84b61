"""How often `coordination` is right and wrong about records whose truth is known: the table of docs/coordination.md.

`.venv/bin/python -m tools.telling_rates --records 20` takes about 25 minutes on two cores; `--write FILE` keeps a row
for each record as CSV. The truths are drawn from the mobilisation model, whose means the explanations have too, in code
of their own; its calls are strong or none, its shock is a walk that comes back to no level.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from groundswell.data.places import Places
from groundswell.data.setting import Setting, call_matrix
from groundswell.data.table import Table
from groundswell.data.window import Window
from groundswell.errors import NotConverged
from groundswell.evaluate.coordination import CANNOT_TELL, coordination
from groundswell.evaluate.explanations import Cells
from groundswell.infer.model_choice import wilson
from groundswell.models.cities import mobilisation as mob
from groundswell.models.triggering import Exponential
from groundswell.params import Effects
from groundswell.rng import generator, keyed

CALL_DAYS = (6, 13, 20, 30, 38, 47, 55)
"""Days of the calls, those that the window has. Three Sundays in a row are not yet a rhythm of the week."""


def country(places: int = 40, days: int = 60) -> Setting:
    """Made-up towns of 10,000 to a million in a square of some 900 km."""
    rng = generator(5)
    return Setting(
        Places(
            tuple(f"p{i}" for i in range(places)), np.exp(rng.normal(11.5, 1, places)),
            35 + rng.uniform(-4, 4, places), 51 + rng.uniform(-5, 5, places),
        ),
        Window(date(2024, 1, 1), days),
    )  # fmt: skip


def process(**parts: object) -> mob.Mobilisation:
    """Mobilisation with momentum in the same place, and what is given."""
    none = dict.fromkeys(("groups", "organised", "media", "between", "call", "deterrence", "backlash"))
    usual = {"within": mob.Within(0.2), "overdispersion": 0.5, "background": mob.Background(0.05)}
    return mob.Mobilisation(**(none | usual | parts))  # type: ignore[arg-type]


TRUTHS = {
    "separate": process(),
    "weekday": process(pulse=mob.CalendarPulse(weekday=Effects(thu=0.5, fri=2.0))),
    "called": process(call=mob.Call(40.0, 0.1), overdispersion=0.3, background=mob.Background(0.03)),
    "shock": process(pulse=mob.RandomPulse(0.3), within=mob.Within(0.05)),
    "spread": process(between=mob.Between(0.85, Exponential(40.0)), background=mob.Background(0.015)),
    "media": process(media=mob.Media(0.7), background=mob.Background(0.03)),
}
"""What makes the records, by the name of the explanation that would be right."""


def drawn(truth: str, seed: int, setting: Setting) -> Cells:
    """One record of this truth."""
    where = setting
    if truth == "called":
        dates = setting.window.dates()
        called = [(dates[day], None) for day in CALL_DAYS if day < len(dates)]
        where = replace(setting, calls=call_matrix(setting.places, setting.window, called))
    return Cells.of(where, TRUTHS[truth].simulate(where, rng=keyed(seed, 1)))


def told(truth: str, seed: int, setting: Setting, records: int, processes: int = 1) -> dict[str, Any]:
    """What is said of one record: a row."""
    cells = drawn(truth, seed, setting)
    row = {"truth": truth, "seed": seed, "events": int(cells.events[1:].sum())}
    try:
        found = coordination(cells, records=records, seed=seed, processes=processes)
    except NotConverged:
        return row | {"verdict": CANNOT_TELL, "likeliest": "none", "of the truth": 0.0, "left": True,
                      "stated": None, "why not": "no answer"}  # fmt: skip
    return row | {
        "verdict": found.verdict, "likeliest": found.leading, "of the truth": found.probability.get(truth, 0.0),
        "left": truth in found.left, "stated": None if found.wrong is None else found.wrong[0],
        "why not": ", ".join(found.reasons),
    }  # fmt: skip


def rates(rows: Sequence[dict[str, Any]]) -> Table:
    """A row a truth, and one of all: how many verdicts, how many of them wrong and how many were stated to be so."""
    out = []
    for truth in (*TRUTHS, "all"):
        mine = [row for row in rows if truth in ("all", row["truth"])]
        if not mine:
            continue
        verdicts = [row for row in mine if row["verdict"] != CANNOT_TELL]
        wrong = sum(row["verdict"] != row["truth"] for row in verdicts)
        why = Counter(reason for row in mine for reason in row["why not"].split(", ") if reason)
        aside = Counter(row["likeliest"] for row in mine if row["likeliest"] != row["truth"])
        out.append({
            "truth": truth, "records": len(mine), "median events": float(np.median([row["events"] for row in mine])),
            "verdicts": len(verdicts), "wrong": wrong,
            "wrong as stated": sum(row["stated"] for row in verdicts),
            "wrong at most (95 %)": wilson(wrong / len(verdicts), len(verdicts))[1] if verdicts else None,
            "likeliest": len(mine) - aside.total(), "ruled out": sum(not row["left"] for row in mine),
            "mean probability": float(np.mean([row["of the truth"] for row in mine])),
            "no verdict, why": " ".join(f"{n} {name}" for name, n in why.most_common()),
            "likeliest else": " ".join(f"{n} {name}" for name, n in aside.most_common()),
        })  # fmt: skip
    return Table.from_rows(out)


def main() -> None:
    """Print the table; a line a record on the way."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--records", type=int, default=20, help="of each truth")
    ask.add_argument("--simulated", type=int, default=100, help="records of each explanation that an answer rests on")
    ask.add_argument("--truths", nargs="+", default=list(TRUTHS), choices=list(TRUTHS))
    ask.add_argument("--write", type=Path, help="a row for each record, as CSV")
    given = ask.parse_args()
    setting, rows = country(), []
    for seed in range(1, given.records + 1):
        for truth in given.truths:
            rows.append(told(truth, seed, setting, given.simulated, os.cpu_count() or 1))
            print(*rows[-1].values(), sep="  ", flush=True)
            if given.write:
                Table.from_rows(rows).write(given.write)
    print(rates(rows))


if __name__ == "__main__":
    main()

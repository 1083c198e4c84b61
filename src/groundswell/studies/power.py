"""What should I go and count? How often records like yours could tell two accounts apart, and what would add to it.

Histories are drawn from the whole account and from the account without a mechanism, parameters and all, and the
speakers of the record make the same claims of them, with new figures. A classifier (`infer.model_choice`) learns to
name the account from the figures; its log odds on records that it was not taught by stand for the log Bayes factor,
which would take an hour of filters for a hundred records. A design (`studies.designs`) adds questions to the record,
and the same histories answer them, so that designs are compared on the same luck.

Without an earlier result parameters come from their priors, and the records are of any wave that these priors hold
possible: larger and smaller ones than the user's. With one they come from its posterior, each by itself: the question
is then what a record of another wave like this one would tell. The analyst is taken to know as much beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell import __version__
from groundswell.data.history import History
from groundswell.data.quantities import quantity
from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.errors import DataError, UsageError, nearest
from groundswell.infer.adjustment import ridge
from groundswell.infer.base import Progress, silent
from groundswell.infer.model_choice import held_out, information, reliability
from groundswell.infer.workers import Workers
from groundswell.models.base import Account
from groundswell.models.reporting.grouping import ClaimGroup
from groundswell.models.reporting.sorting import sort_claims
from groundswell.params import Leaf, leaves, replacing
from groundswell.rng import keyed
from groundswell.studies.answers import asked_windows, lean_cells
from groundswell.studies.case import COMPONENTS, Built
from groundswell.studies.counts import Counts, listed
from groundswell.studies.designs import Design
from groundswell.studies.run import DECISIVE

WHOLE = "all"
"""The name of the account with every mechanism of the case."""

BEYOND = 2.0
"""Monte Carlo errors by which a gain must exceed 0 before it is called one."""


@dataclass(frozen=True)
class Source:
    """Where parameters come from: middle and spread of each on its free coordinate, in the prior's own terms.

    moved : name -> (shift, ratio); the mean lies `shift` prior sd from the prior's, the sd is `ratio` prior sd.
    """

    moved: Mapping[str, tuple[float, float]]
    words: str = "prior"

    @classmethod
    def of(cls, result: Mapping[str, Any]) -> Source:
        """The posterior of an earlier run (`read_result`): each parameter by itself, ties between them lost."""
        rows = result["parameters"]
        return cls({row["parameter"]: (row["shift"], row["sd_ratio"]) for row in rows}, "posterior")

    def draw(self, free: Sequence[Leaf], rng: np.random.Generator) -> dict[str, float]:
        """One value of each parameter."""
        z = rng.standard_normal(len(free))
        values = {}
        for leaf, one in zip(free, z, strict=True):
            shift, ratio = self.moved.get(leaf.name, (0.0, 1.0))
            values[leaf.name] = leaf.from_free(leaf.center + leaf.sd * (shift + ratio * one))
        return values


class Drawn:
    """One record of one account, in one process: log figures of every question, and what an answer would be.

    asked : the quantities that are answers, by name. cells : the leans that are. Behind the figures stand the
    `features` of what a source of `counts` would have listed.
    """

    def __init__(
        self, accounts: Mapping[str, Account], setting: Setting, questions: Record, held: frozenset[str],
        source: Source, asked: Mapping[str, ClaimGroup], cells: Sequence[tuple[str, str, int]],
        counts: Counts | None = None,
    ) -> None:  # fmt: skip
        self.accounts, self.setting, self.questions, self.source = accounts, setting, questions, source
        self.asked, self.cells, self.counts = asked, cells, counts
        self.free = {
            name: [leaf for leaf in leaves(account) if leaf.prior is not None and leaf.name not in held]
            for name, account in accounts.items()
        }

    def __call__(self, name: str, key: tuple[int, ...]) -> tuple[np.ndarray, dict[str, float]] | None:
        """(C,) log figures and the answers by name; None where the draw exploded."""
        rng = keyed(*key)
        account = replacing(self.accounts[name], self.source.draw(self.free[name], rng))
        history = account.process.simulate(self.setting, rng=rng)
        if history.exploded:
            return None
        said = account.reporting.report(self.setting, history, self.questions, rng=rng)
        answers = self._answers(account, history) if name == WHOLE else {}
        figures = [_log_figure(claim.quantity, claim.value) for claim in said]
        if self.counts is not None:
            summed = self.counts.summed(listed(history, self.counts, rng))
            figures += np.log(np.array(list(summed.values())) + 0.5).tolist()
        return np.array(figures), answers

    def _answers(self, account: Account, history: History) -> dict[str, float]:
        """Logs of what happened in the windows that the record asks for, and how each side's figures lean."""
        answers = {
            name: float(np.log(group.value(self.setting, history) + group.half)) for name, group in self.asked.items()
        }
        lean, more = account.reporting.bias, account.reporting.bias_by_kind
        return answers | {
            f"lean of {stance}, {kind}": direction * (lean[stance] + more[f"{stance}:{kind}"])
            for stance, kind, direction in self.cells
        }


def _log_figure(name: str, value: float) -> float:
    return float(np.log(value + (0.0 if quantity(name).functional == "ratio" else 0.5)))


@dataclass(frozen=True, eq=False)
class Records:
    """Simulated records by account: figures in log; answers (N,) of the whole one; shares that exploded.

    figures : (N, C), a column for each of `ids`, then those of a source's own counts, which every record has.
    """

    ids: tuple[str, ...]
    figures: Mapping[str, np.ndarray]
    answers: Mapping[str, np.ndarray]
    exploded: Mapping[str, float]

    def of(self, account: str, base: Sequence[str], design: Design) -> np.ndarray:
        """(N, C') the figures of the record and one design's."""
        asked = {*base, *(claim.id for claim in design.claims)}
        figures = self.figures[account]
        chosen = [i for i, name in enumerate(self.ids) if name in asked]
        return figures[:, [*chosen, *range(len(self.ids), figures.shape[1])]]


def simulated(
    built: Built, designs: Sequence[Design], components: Sequence[str], *, records: int, seed: int, processes: int,
    source: Source, progress: Progress = silent,
) -> Records:  # fmt: skip
    """So many records of the whole account and of each without a mechanism. Cost: 10 ms a record of 50 claims."""
    base = built.claims.weighed
    questions = Record((*base, *(claim for design in designs for claim in design.claims)))
    if out := [*(found := sort_claims(questions, built.setting)).unspoken, *found.setting]:
        raise DataError(f"the question {out[0].claim.id} cannot be asked of this model: {out[0].reason}.")
    accounts = {WHOLE: built.case.account(questions)}
    accounts |= {name: built.case.without(name).account(questions) for name in components}
    held = built.held
    figures: dict[str, np.ndarray] = {}
    answers: dict[str, np.ndarray] = {}
    exploded: dict[str, float] = {}
    groups = built.account.reporting.prepare(base)
    told = {"joining": "joins per arrest"}
    asked = {told.get(name, name): groups[at] for name, at in asked_windows(built).items()}
    arguments = (
        accounts, built.setting, questions, frozenset(held), source, asked, lean_cells(built), built.counts,
    )  # fmt: skip
    with Workers((Drawn, arguments), processes) as workers:
        for number, name in enumerate(accounts):
            made = []
            for i, one in enumerate(workers.each([(name, (seed, number, i)) for i in range(records)])):
                progress((number + i / records) / len(accounts), f"records of {name}")
                made.append(one)
            kept = [one for one in made if one is not None]
            exploded[name] = 1 - len(kept) / records
            if len(kept) < 20:
                raise DataError(
                    f"only {len(kept)} of {records} draws of the account {name} did not explode; check the priors of "
                    "the offspring terms, or ask for more --records."
                )
            figures[name] = np.array([one[0] for one in kept])
            if name == WHOLE:
                answers = {key: np.array([one[1][key] for one in kept]) for key in kept[0][1]}
    return Records(tuple(claim.id for claim in questions), figures, answers, exploded)


def power(
    built: Built, designs: Sequence[Design], *, components: Sequence[str] = (), records: int = 600, seed: int = 1,
    processes: int = 1, source: Source | None = None, progress: Progress = silent,
) -> dict[str, Any]:  # fmt: skip
    """How often the whole account and the one without each of `components` (all of the case) could be told apart.

    The first design is what the others are compared with, best the record as it is (`designs.chosen`). A plain
    dictionary without clock or path: "pairs", a row an account and design, shares of records with their errors; a share
    is "right" if the log odds are beyond `studies.run.DECISIVE` on the right side, the two accounts being equally
    likely. "bits" is what a record tells of the question, of 1 at most. "answers": how closely a design pins a number,
    as the sd of what is left against the prior's. "best": the design that adds most to all pairs together, or None.
    """
    if built.case.picked:
        raise UsageError(
            "power simulates records of places that the histories make active, and study.toml says picked = true: the "
            "places are given, whatever happens. Run it with picked = false: who picks his cities learns less."
        )
    present = [name for name in COMPONENTS if name not in built.case.leave_out]
    for name in components:
        if name not in present:
            raise UsageError(f'"{name}" is no mechanism of this case: {", ".join(present)}.' + nearest(name, present))
    wanted = tuple(dict.fromkeys(components)) or tuple(present)
    source = source or Source({})
    drawn = simulated(
        built, designs, wanted, records=records, seed=seed, processes=processes, source=source,
        progress=lambda share, words: progress(0.85 * share, words),
    )  # fmt: skip
    base = [claim.id for claim in built.claims.weighed]
    rows: list[dict[str, Any]] = []
    statements: list[tuple[np.ndarray, np.ndarray]] = []
    losses: dict[tuple[str, str], np.ndarray] = {}
    for number, name in enumerate(wanted):
        for step, design in enumerate(designs):
            share = (number + step / len(designs)) / len(wanted)
            progress(0.85 + 0.15 * share, f"telling {name} apart: {design.name}")
            pair = [drawn.of(account, base, design) for account in (WHOLE, name)]
            truth = np.repeat([0, 1], [len(one) for one in pair])
            # the same folds for every design: their losses are then of the same records
            logs, _ = held_out(np.vstack(pair), truth, rng=keyed(seed, 100, number))
            statements.append((logs, truth))
            losses[name, design.name] = _bits(logs, truth)
            rows.append(_told(name, design.name, logs, truth) | _gain(losses, name, designs[0].name, design.name))
    return {
        "version": __version__,
        "title": built.case.title,
        "anchor": built.case.anchor,
        "seed": seed,
        "records": records,
        "parameters": source.words,
        "threshold": DECISIVE,
        "claims": len(base),
        "counts": 0 if built.counts is None else len(built.counts.summed(built.counts.history["events"])),
        "designs": [{"design": d.name, "counts": d.doc, "figures": len(d.claims)} for d in designs],
        "pairs": rows,
        "best": _best(losses, wanted, designs),
        "answers": [row for design in designs for row in _answers(drawn, base, design, keyed(seed, 101))],
        "reliability": reliability(
            np.concatenate([logs for logs, _ in statements]), np.concatenate([truth for _, truth in statements])
        ),
        "exploded": dict(drawn.exploded),
    }


def _told(name: str, design: str, logs: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    odds = logs[:, 0] - logs[:, 1]  # for the whole account
    row: dict[str, Any] = {"left_out": name, "design": design}
    right, wrong, errors = [], [], []
    for kind, side, label in ((0, odds, "with"), (1, -odds, "without")):
        mine = side[truth == kind]
        right.append(float((mine > DECISIVE).mean()))
        wrong.append(float((mine < -DECISIVE).mean()))
        errors.append(len(mine))
        row |= {f"right_{label}": right[-1], f"wrong_{label}": wrong[-1]}
    bits, error = information(logs, truth)

    def spread(shares: Sequence[float]) -> float:
        return float(np.sqrt(sum(p * (1 - p) / n for p, n in zip(shares, errors, strict=True))) / 2)

    row |= {"right": float(np.mean(right)), "right_error": spread(right)}
    row |= {"wrong": float(np.mean(wrong)), "wrong_error": spread(wrong)}
    row["cannot_tell"] = 1 - row["right"] - row["wrong"]
    return row | {"bits": bits, "bits_error": error}


def _bits(logs: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(N,) log loss of each record in bits, so weighted that both accounts count the same."""
    count = np.bincount(truth)
    return -logs[np.arange(len(truth)), truth] / np.log(2) * len(truth) / (2 * count[truth])


def _gain(losses: Mapping[tuple[str, str], np.ndarray], name: str, first: str, design: str) -> dict[str, float]:
    apart = losses[name, first] - losses[name, design]
    return {"gain": float(apart.mean()), "gain_error": float(apart.std(ddof=1) / np.sqrt(len(apart)))}


def _best(
    losses: Mapping[tuple[str, str], np.ndarray], wanted: Sequence[str], designs: Sequence[Design]
) -> dict[str, Any] | None:
    """The design that adds most bits over all pairs, if it adds any beyond its error; None if none does."""
    found = []
    for design in designs[1:]:
        each = [_gain(losses, name, designs[0].name, design.name) for name in wanted]
        gain = sum(one["gain"] for one in each)
        # the whole account's records are in every pair, so that their errors may all point one way
        error = sum(one["gain_error"] for one in each)
        found.append({"design": design.name, "gain": gain, "gain_error": error})
    found = [one for one in found if one["gain"] > BEYOND * one["gain_error"]]
    return max(found, key=lambda one: one["gain"]) if found else None


def _answers(drawn: Records, base: Sequence[str], design: Design, rng: np.random.Generator) -> list[dict[str, Any]]:
    """How closely the figures pin each answer: sd left over by a ridge regression on them, on records not fitted to."""
    figures = drawn.of(WHOLE, base, design)
    middle, spread = figures.mean(axis=0), figures.std(axis=0)
    x = (figures - middle) / np.where(spread > 0, spread, np.inf)
    x = np.hstack([x, x**2 - 1])
    fold = rng.permutation(len(x)) % 5
    rows = []
    for name, target in drawn.answers.items():
        left = np.empty(len(x))
        for k in range(5):
            taught, other = fold != k, fold == k
            weights = np.full(int(taught.sum()), 1 / taught.sum())
            centre, mean = weights @ x[taught], target[taught].mean()
            slope = ridge(x[taught] - centre, target[taught][:, None], weights)
            left[other] = target[other] - mean - ((x[other] - centre) @ slope)[:, 0]
        sd = float(np.sqrt((left**2).mean()))
        error = float((left**2).std(ddof=1) / np.sqrt(len(left)) / (2 * sd)) if sd > 0 else 0.0
        rows.append(
            {"answer": name, "design": design.name, "sd": sd, "sd_error": error, "before": float(target.std(ddof=1))}
        )
    return rows


def tables(result: Mapping[str, Any]) -> dict[str, Table]:
    """The tables of a result by name."""
    return {name: Table.from_rows(result[name]) for name in ("pairs", "designs", "answers", "reliability")}

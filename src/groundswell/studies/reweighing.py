"""Other readings of the claims, without drawing again: some left out, or under other judgements of how people report.

A draw of a fit is a parameter value and a history given the claims. Another reading changes nothing that comes before
the claims, so under it the draw weighs by

    p(claims, read otherwise | its quantities) / p(claims | its quantities)

with leans and speakers' effects integrated out on both sides (`models.reporting.integration`) and drawn anew. So a lean
follows at once when a claim is left out, and only what the claims say of the history itself is left to the weights.
Their tail is smoothed, and tells whether they can be relied on (`infer.pareto`); where not, `refit` fits anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from groundswell.data.record import Claim, Record
from groundswell.infer.base import Fit, Progress, fit, silent
from groundswell.infer.pareto import smoothed
from groundswell.infer.workers import Workers
from groundswell.models.reporting.claims import ClaimGroups, Reporting
from groundswell.models.reporting.grouping import ClaimGroup
from groundswell.models.reporting.integration import Integration
from groundswell.params import Leaf, Prior
from groundswell.rng import keyed
from groundswell.studies.answers import Answers, answers_of
from groundswell.studies.case import Built
from groundswell.studies.replay import posterior_histories

DRAWS = 32
"""Of leans and speakers' effects, over which the probability of the claims along one history is averaged."""


@dataclass(frozen=True)
class Reading:
    """Another way to read the claims.

    without : ids left out. ask : ids of claims whose speakers are asked again, under this reading, what they would have
    said. changes : fields of the reporting model. priors : of leans and speakers' effects, by name.
    """

    without: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)
    priors: Mapping[str, Prior] = field(default_factory=dict)

    def kept(self, record: Record) -> Record:
        """The claims that are left."""
        return Record(tuple(claim for claim in record if claim.id not in self.without))


@dataclass(frozen=True)
class Reread:
    """What a reading comes to. log_ratio : of the evidence of the claims read so, over that of the claims as they are.

    said : id to (M,) values, of those asked. pareto_k : shape of the weights' tail. anew : by a fit of its own, with
    the limits that it missed as reasons.
    """

    answers: Answers
    log_ratio: float
    said: Mapping[str, np.ndarray]
    pareto_k: float | None = None
    anew: bool = False
    reasons: tuple[str, ...] = ()

    @property
    def worth(self) -> float:
        """Draws that the weights are worth."""
        return float(1 / (self.answers.weights**2).sum())


class Reader:
    """The claims along one draw under every reading; built once in every process."""

    def __init__(
        self, reporting: Reporting, record: Record, readings: Sequence[Reading], free: Sequence[Leaf],
        names: Sequence[str],
    ) -> None:  # fmt: skip
        self.readings = readings
        # leans and speakers' effects stay at their priors' medians, about which they are integrated out
        effects = {f"reporting.{name}" for name in names}
        self.columns = [
            (k, leaf) for k, leaf in enumerate(free) if leaf.name.startswith("reporting.") and leaf.name not in effects
        ]
        self.reporting = Integration(reporting.prepare(record), reporting, names).middle(reporting)
        place = {_key(group): i for i, group in enumerate(reporting.prepare(record))}
        self.prepared: list[tuple[ClaimGroups, list[int], Integration]] = []
        self.asked: list[tuple[Record, ClaimGroups, list[int]]] = []
        for reading in readings:
            other = replace(reporting, **reading.changes)
            groups = other.prepare(reading.kept(record))
            made = Integration(groups, other, names, DRAWS, reading.priors)
            self.prepared.append((groups, [place[_key(group)] for group in groups], made))
            asked = Record(tuple(claim for claim in record if claim.id in reading.ask))
            again = other.prepare(asked)
            self.asked.append((asked, again, [place[_key(group)] for group in again]))

    def __call__(
        self, z: np.ndarray, heard: np.ndarray, told: np.ndarray, key: tuple[int, ...]
    ) -> list[tuple[float, np.ndarray, list]]:
        """For each reading the log probability of its claims, effects (U,) given them, and what the asked would say.

        heard : the quantities of which the claims speak, given them. told : the same as sources would know it anew.
        They differ where a source lists places.
        """
        values = {leaf.name.removeprefix("reporting."): leaf.from_free(z[k]) for k, leaf in self.columns}
        base = self.reporting.replacing(values)
        return [self._read(at, base, heard, told, key) for at in range(len(self.readings))]

    def _read(self, at: int, base: Reporting, heard: np.ndarray, told: np.ndarray, key: tuple[int, ...]) -> tuple:
        (groups, places, made), changes = self.prepared[at], self.readings[at].changes
        model = replace(base, **changes) if changes else base
        belief = made.begin(groups.bind(model), 1)
        belief.absorb_all(heard[None, places])
        # the same randomness for every reading: what two of them share is not left to chance
        rng = keyed(*key)
        lacking, effects = belief.settle(rng=rng)
        asked, again, those = self.asked[at]
        said: list[float] = []
        if asked.claims:
            model = model.replacing(dict(zip(made.names, effects[0].tolist(), strict=True)))
            said = [claim.value for claim in model.say(again, told[those].tolist(), asked, rng=rng)]
        return float(belief.logs[0] + lacking[0]), effects[0], said


def reread(
    built: Built, found: Fit, posterior: Sequence[Mapping[str, Any]], readings: Sequence[Reading], *, seed: int,
    processes: int,
) -> tuple[Answers, list[Reread]]:  # fmt: skip
    """Every reading by weights on the draws of one fit, after the answers of that fit itself.

    posterior : the fit's histories, in order. Cost: about a millisecond a draw and reading.
    """
    details = found.details
    reporting, record, names = built.account.reporting, built.claims.weighed, details["integrated"]
    _, first, times = np.unique(details["index"], return_index=True, return_counts=True)
    drawn = [posterior[i] for i in first]
    arguments = (reporting, record, [Reading(), *readings], details["leaves"], names)
    tasks = [(details["free"][i], posterior[i]["heard"], posterior[i]["told"], (seed, 11, int(i))) for i in first]
    with Workers((Reader, arguments), processes) as workers:
        rows = workers.map(tasks)
    logs = np.array([[log for log, _, _ in row] for row in rows])
    share = times / times.sum()

    def under(at: int, weights: np.ndarray) -> Answers:
        effects = np.array([row[at][1] for row in rows])
        return answers_of(built, drawn, dict(zip(names, effects.T, strict=True)), weights)

    told = []
    for at, reading in enumerate(readings, start=1):
        log_ratio, weights, k = weighed_anew(share, logs[:, at] - logs[:, 0])
        said = np.array([row[at][2] for row in rows])
        asked = [claim.id for claim in record if claim.id in reading.ask]
        told.append(Reread(under(at, weights), log_ratio, dict(zip(asked, said.T, strict=True)), k))
    return under(0, share), told


def weighed_anew(share: np.ndarray, ratio: np.ndarray) -> tuple[float, np.ndarray, float | None]:
    """Log of the mean ratio, the draws' weights under the other reading, (M,), and the shape k of the ratios' tail.

    share : (M,) weights of the draws as they are. ratio : (M,), in logs. k is None where the tail is too short.
    """
    logs, k = smoothed(ratio)
    logs = logs + np.log(share)
    total = float(np.logaddexp.reduce(logs))
    return total, np.exp(logs - total), k if np.isfinite(k) else None


def refit(
    built: Built,
    reading: Reading,
    method: Any,
    *,
    log_evidence: float,
    rng: np.random.Generator,
    processes: int,
    progress: Progress = silent,
) -> Reread:
    """One reading by a fit of its own; a reading's own priors of effects cannot be fitted.

    method : any that gives what `TemperedSMC` gives. log_evidence : of the claims as they are.
    """
    record = built.claims.weighed
    account = replace(built.account, reporting=replace(built.account.reporting, **reading.changes))
    kept = reading.kept(record)
    observed = built.observed(kept)
    found = fit(account, built.setting, observed, method, rng=rng, fixed=built.held, progress=progress)
    posterior = posterior_histories(account, built.setting, observed, found, processes, watched=record)
    _, first, times = np.unique(found.details["index"], return_index=True, return_counts=True)
    drawn = [posterior[i] for i in first]
    assert found.draws is not None
    columns = {name: found.draws[first, k] for k, name in enumerate(found.names)}
    effects = {name: columns[f"reporting.{name}"] for name in found.details["integrated"]}
    said = np.array([draw["said"] for draw in drawn])
    asked = {claim.id: said[:, k] for k, claim in enumerate(record) if claim.id in reading.ask}
    return Reread(
        answers_of(built, drawn, effects, times / times.sum()),
        found.log_density - log_evidence,
        asked,
        anew=True,
        reasons=() if found.converged else (found.status,),
    )


def groups_of(built: Built) -> list[tuple[str, ...]]:
    """Ids of the weighed claims that one origin makes of one quantity: they share an error, and so go together."""
    return [
        tuple(sorted([*(claim.id for claim in group.claims), *group.repeats]))
        for group in built.account.reporting.prepare(built.claims.weighed)
    ]


def _key(group: ClaimGroup) -> tuple:
    claim: Claim = group.claims[0]
    return group.quantity.name, group.place, group.start, group.end, group.origin or claim.id

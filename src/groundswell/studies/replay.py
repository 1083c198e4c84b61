"""Histories drawn again for the draws of a fit, reduced to what a report shows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from groundswell.data.evidence import Evidence
from groundswell.data.history import History
from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.infer.base import Fit
from groundswell.infer.particle import ParticleFilter
from groundswell.infer.tempered import replay_key
from groundswell.infer.workers import Workers
from groundswell.models.base import Account
from groundswell.params import Leaf, leaves, replacing
from groundswell.rng import keyed

PATHS = ("cities_active", "cities_so_far", "arrests_so_far", "participants_so_far", "events")


class Replay:
    """One draw's history, from the filter that weighed it or from the prior, as small arrays."""

    def __init__(
        self, account: Account, setting: Setting, observed: Record | Evidence, method: ParticleFilter,
        free: Sequence[Leaf], integrated: Sequence[str] = (), watched: Record | None = None,
    ) -> None:  # fmt: skip
        self.account, self.setting, self.method, self.free = account, setting, method, free
        record = observed.record if isinstance(observed, Evidence) else observed
        self.record = record if watched is None else watched
        self.counts = observed.counts if isinstance(observed, Evidence) else None
        self.plan = method.plan(account, setting, observed, integrated)
        self.groups = account.reporting.prepare(self.record)
        # where no claim speaks of the time after the window, the filter does not run the groups on
        ends = [setting.window.day(group.end) for group in self.groups]
        later = watched is not None and not self.plan.later
        self.unknown = np.array([later and end >= setting.window.days for end in ends], dtype=bool)
        lost = [group for group, gone in zip(self.groups, self.unknown, strict=True) if gone]
        self.silent = {name for group in lost for name in (*(claim.id for claim in group.claims), *group.repeats)}

    def __call__(self, z: np.ndarray, key: tuple[int, ...], conditioned: bool, said: tuple[int, ...]) -> dict[str, Any]:
        """`key` names the filter's (or the prior draw's) randomness, `said` that of the claims drawn anew."""
        account, history = self.drawn(z, key, conditioned)
        out = reduced(self.setting, history)
        out["hidden"] = np.array([group.value(self.setting, history) for group in self.groups])
        out["hidden"][self.unknown] = np.nan
        bound = self.groups.bind(account.reporting)
        out["logs"] = np.array([one.log_density(self.setting, history) for one in bound])
        if not history.exploded:
            rng, reporting = keyed(*said), account.reporting
            told = [reporting.told(group, self.setting, history, rng=rng) for group in self.groups]
            known = np.where(self.unknown, 1.0, told).tolist()
            claims = reporting.say(self.groups, known, self.record, rng=rng)
            out["said"] = np.array([np.nan if claim.id in self.silent else claim.value for claim in claims])
            if conditioned:
                out["told"] = np.where(self.unknown, np.nan, told)
                out["heard"] = np.array([one.heard(self.setting, history, rng=rng) for one in bound])
                out["heard"][self.unknown] = np.nan
                if self.counts is not None and self.counts.weighed is not None:
                    missed = (history["events"] - self.counts["events"])[:, 1:]
                    out["unseen"] = float(missed[self.counts.weighed[:, 1:]].sum())
        return out

    def drawn(self, z: np.ndarray, key: tuple[int, ...], conditioned: bool = True) -> tuple[Account, History]:
        """The account at free coordinates z, and its history given the claims or, not `conditioned`, of the prior."""
        account = replacing(self.account, {leaf.name: leaf.from_free(x) for leaf, x in zip(self.free, z, strict=True)})
        if not conditioned:
            return account, account.process.simulate(self.setting, rng=keyed(*key))
        history = self.method.run(self.plan, account, rng=keyed(*key), trace=True).history
        assert history is not None
        return account, history


def reduced(setting: Setting, history: History) -> dict[str, Any]:
    """Daily paths (T,), places active by day as bits, groups formed and broken up after the window."""
    active = history["events"] > 0
    seen = np.maximum.accumulate(active, axis=1)
    return {
        "exploded": history.exploded,
        "cities_active": active.sum(axis=0),
        "cities_so_far": seen.sum(axis=0),
        "arrests_so_far": history["arrests"].sum(axis=0).cumsum(),
        "participants_so_far": history["participants"].sum(axis=0).cumsum(),
        "events": history["events"].sum(axis=0),
        "seen": np.packbits(seen, axis=1),
        "seen_shape": seen.shape,
        "groups": history["groups"].sum(axis=0),
    }


def posterior_histories(
    built_account: Account,
    setting: Setting,
    observed: Record | Evidence,
    fit: Fit,
    processes: int,
    watched: Record | None = None,
) -> list[dict[str, Any]]:
    """The reduced history of every draw of a TemperedSMC fit, in order; a draw that stands there twice, twice.

    Each comes from the very filter run that weighed its draw, so history and parameters belong together. watched : the
    claims whose quantities and figures are told, other than those that were weighed.
    """
    details, root = fit.details, fit.details["root"]
    _, first, which = np.unique(details["index"], return_index=True, return_inverse=True)
    tasks = [(details["free"][i], replay_key(root, details["seeds"][i]), True, (root, 3, int(i))) for i in first]
    arguments = (built_account, setting, observed, fit.method.filter, details["leaves"], details["integrated"], watched)
    with Workers((Replay, arguments), processes) as workers:
        found = workers.map(tasks)
    return [found[i] for i in which]


def prior_histories(
    built_account: Account,
    setting: Setting,
    record: Record,
    draws: int,
    seed: int,
    processes: int,
    fixed: Collection[str] = (),
) -> list[dict[str, Any]]:
    """The same for draws from the prior, `fixed` names held; exploded draws are flagged and have no claims."""
    free = [leaf for leaf in leaves(built_account) if leaf.prior is not None and leaf.name not in fixed]
    rng = keyed(seed, 3)
    center = np.array([leaf.center for leaf in free])
    sd = np.array([leaf.sd for leaf in free])
    z = center + sd * rng.standard_normal((draws, len(free)))
    tasks = [(z[i], (seed, 4, i), False, (seed, 5, i)) for i in range(draws)]
    with Workers((Replay, (built_account, setting, record, ParticleFilter(), free)), processes) as workers:
        return workers.map(tasks)


def quantiles(paths: Sequence[Mapping[str, Any]], name: str) -> dict[str, list[float]]:
    """Quantiles by day of one path over the draws that did not explode."""
    stack = np.array([draw[name] for draw in paths if not draw["exploded"]], dtype=float)
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    found = np.quantile(stack, levels, axis=0)
    return {f"{level:g}": [float(v) for v in row] for level, row in zip(levels, found, strict=True)}


def seen_by_day(paths: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """(P, T) share of draws in which a place had an event by the end of a day."""
    total: np.ndarray | None = None
    count = 0
    for draw in paths:
        if draw["exploded"]:
            continue
        seen = np.unpackbits(draw["seen"], axis=1)[:, : draw["seen_shape"][1]].astype(float)
        total = seen if total is None else total + seen
        count += 1
    assert total is not None
    return total / count

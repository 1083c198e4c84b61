"""nowcast(model, setting, listings): how many places have had their first event but are not on the list yet.

The model is fitted to the vintages that there are and to nothing later; first events that the last of
them does not have are then drawn, jointly over days and regions. The rules that a nowcast has to beat,
and scores on a later vintage, are in `nowcast_scores`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.data.listings import Listings
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.errors import DataError, UsageError
from groundswell.evaluate.scores import quantiles
from groundswell.infer.base import Fit, Progress, fit, silent
from groundswell.infer.hamiltonian import Hamiltonian
from groundswell.models.reporting.growing import GrowingRecord

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, eq=False)
class Nowcast:
    """S joint draws of what the last vintage does not have.

    regions : R names. unlisted : (S, R, T) first events by day not yet listed. listed : (S, R, T) those
    listed, entries without a day put on one. chance : (P,) probability that a place has had its first
    event and is not listed; 0 for listed places; None in the open form, which knows no single places.
    listed_by : only what will be listed by this day is in `unlisted` and `chance`; None, all.
    """

    setting: Setting
    listings: Listings
    fit: Fit
    regions: tuple[str, ...]
    unlisted: np.ndarray
    listed: np.ndarray
    chance: np.ndarray | None
    listed_by: int | None = None

    def by_day(self) -> Table:
        """By day, counted from the first: listed entries, and quantiles of unlisted and of all first events."""
        unlisted = self.unlisted.sum(axis=1).cumsum(axis=1).T
        listed = self.listed.sum(axis=1).cumsum(axis=1).T
        dates = [day.isoformat() for day in self.setting.window.dates()]
        return Table(
            {"date": dates, "listed": quantiles(listed, [0.5])[:, 0].tolist()}
            | _columns(unlisted, "unlisted")
            | _columns(unlisted + listed, "all")
        )

    def by_region(self) -> Table:
        """By region, all days together: listed entries and quantiles of the unlisted."""
        listed = self.listed[0].sum(axis=1).astype(int).tolist()
        columns = _columns(self.unlisted.sum(axis=2).T, "unlisted")
        return Table({"region": list(self.regions), "listed": listed} | columns)

    def by_place(self) -> Table:
        """Places without an entry, most probable first; UsageError in the open form."""
        if self.chance is None:
            raise UsageError("the open form knows regions only; give a universe of places for chances by place.")
        places = self.setting.places
        order = np.argsort(-self.chance, kind="stable")
        rows = order[self.listings.waiting(len(places))[order]].tolist()
        return Table(
            {
                "place": [places.name[i] for i in rows],
                "region": [places.region[i] for i in rows],
                "population": places.population[rows].tolist(),
                "probability": self.chance[rows].tolist(),
            }
        )


def nowcast(
    setting: Setting,
    listings: Listings,
    *,
    closed: bool,
    rng: np.random.Generator,
    model: GrowingRecord | None = None,
    method: Any = None,
    fixed: Mapping[str, float] | None = None,
    draws: int = 1000,
    listed_by: int | None = None,
    progress: Progress = silent,
) -> Nowcast:
    """Fit the list that grows and draw what its last vintage does not have.

    closed : whether the setting's places are a universe with one first event each at most, or regions in
    which any number of places may have theirs. model : default `GrowingRecord.for_setting`. method :
    a method that returns draws; default Hamiltonian(). With one vintage the delay is at its prior, but for
    what the shape of the days tells: the result then borrows from that prior, and should be shown so.
    Cost: some 8,000 evaluations of the likelihood; seconds for regions, half a minute for 2,000 places.
    """
    listings.check(setting)
    model = model or GrowingRecord.for_setting(setting, closed=closed)
    if model.process.closed != closed:
        raise UsageError(f"closed is {closed}, but the model's process has closed={model.process.closed}.")
    if closed and len(np.unique(listings.unit)) < len(listings):
        raise DataError("in a closed universe a place has one entry at most; merge the entries of a place.")
    fit_rng, draw_rng = rng.spawn(2)
    found = fit(model, setting, listings, method or Hamiltonian(), rng=fit_rng, fixed=fixed, progress=progress)
    if found.draws is None:
        raise UsageError("a nowcast needs draws of the parameters; use Hamiltonian or another method that makes them.")
    regions, at = _regions(setting)
    days, count = setting.window.days, len(setting.places)
    unseen, dated = model.unseen(setting, listings, listed_by), model.days(setting, listings)
    unlisted = np.zeros((draws, len(regions), days), dtype=np.int32)
    listed = np.zeros_like(unlisted)
    chance = np.zeros(count)
    for s, row in enumerate(np.linspace(0, len(found.draws) - 1, draws).round().astype(int)):
        expected = unseen(found.draws[row])
        if closed:
            chance += expected.sum(axis=1) / draws
            reached = np.cumsum(expected, axis=1)
            day = (draw_rng.random((count, 1)) >= reached).sum(axis=1)
            np.add.at(unlisted[s], (at[day < days], day[day < days]), 1)
        else:
            np.add.at(unlisted[s], at, draw_rng.poisson(expected))
        np.add.at(listed[s], (at[listings.unit], dated(found.draws[row], draw_rng)), 1)
    return Nowcast(setting, listings, found, regions, unlisted, listed, chance if closed else None, listed_by)


def _regions(setting: Setting) -> tuple[tuple[str, ...], np.ndarray]:
    """R names in the order in which they come, and the region of each place."""
    regions = tuple(dict.fromkeys(setting.places.region))
    index = {name: i for i, name in enumerate(regions)}
    return regions, np.array([index[name] for name in setting.places.region])


def _columns(draws: np.ndarray, name: str) -> dict[str, list[float]]:
    """Mean and quantiles of (N, S) draws as columns."""
    columns = {f"{name} mean": draws.mean(axis=1).tolist()}
    for level, values in zip(LEVELS, quantiles(draws, LEVELS).T, strict=True):
        columns[f"{name} {100 * level:g} %"] = values.tolist()
    return columns

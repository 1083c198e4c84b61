"""A nowcast against a later vintage, beside the two rules that it has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.data.listings import Listings
from groundswell.data.table import Table
from groundswell.errors import UsageError
from groundswell.evaluate.nowcast import Nowcast
from groundswell.evaluate.scores import brier, crps, interval_covers, weighted_interval

MODEL, LISTED, BEFORE = "nowcast", "listed is all", "grows as before"
"""The forecasters: the model, the list as it stands, and the list divided by the completeness of earlier vintages."""


TRUTHS = 200
"""Draws of the nowcast that take the place of what came, evenly spaced, to see how often a rule would win."""


@dataclass(frozen=True, eq=False)
class Added:
    """What a later vintage has that the last one did not: (R, T) counts by region and day of the first event, up to
    the last vintage. place : (P,) bool, whether a place is among them; None where single places are not known."""

    counts: np.ndarray
    place: np.ndarray | None = None


def completeness(listings: Listings, days: int) -> np.ndarray:
    """(T,) by age k: of the entries of now with a day at least k before an earlier vintage, the share that it had.

    Pooled over all earlier vintages, over ages that they span; longer ages take the longest known one's share, and
    all are 1 with a single vintage, which says nothing of it. 0 where an earlier vintage had none of them.
    """
    ages = np.arange(days)
    had, has = np.zeros(days), np.zeros(days)
    for j, seen_on in enumerate(listings.vintages[:-1]):
        inside = (listings.day[:, None] >= 0) & (listings.day[:, None] <= seen_on - ages)
        has += inside.sum(axis=0)
        had += (inside & (listings.first_seen <= j)[:, None]).sum(axis=0)
    share = np.divide(had, has, out=np.ones(days), where=has > 0)
    known = np.flatnonzero(has > 0)
    if len(known):
        share[known[-1] + 1 :] = share[known[-1]]
    return share


def grown_as_before(made: Nowcast) -> np.ndarray:
    """(R, T) unlisted first events up to each day if the list is as complete as it was at that age.

    The entries with a day, scaled up to all entries, over `completeness` at the age of the day. Where an earlier
    vintage had none, the rule knows no answer; the next older age's share is used.
    """
    listings, days = made.listings, made.setting.window.days
    share = completeness(listings, days)
    for k in range(days - 2, -1, -1):
        if share[k] == 0:
            share[k] = share[k + 1]
    share[share == 0] = 1.0
    region = {name: i for i, name in enumerate(made.regions)}
    at = np.array([region[made.setting.places.region[i]] for i in listings.unit], dtype=np.int64)
    told = listings.day >= 0
    counts = np.zeros((len(region), days))
    np.add.at(counts, (at[told], listings.day[told]), len(told) / max(int(told.sum()), 1))
    return counts.cumsum(axis=1) * (1 / share[::-1] - 1)


def score(made: Nowcast, added: Added) -> Table:
    """A row for each target and forecaster: what came, mean CRPS, weighted interval score, coverage, Brier score.

    Targets: first events up to each day, all regions together (T cells); by region up to the last day (R
    cells); whether a place without an entry is added (closed universe only). All scores are losses. A rule
    that gives one number is a single draw, so its CRPS is the absolute error. The days are sums of the same
    places and stand or fall together: coverage over them is no trial repeated T times. "would win": were the
    nowcast right, the share of its own draws on which the rule would have the lower CRPS; not for places, of
    which the nowcast holds no joint draws.
    """
    if added.counts.shape != made.unlisted.shape[1:]:
        raise UsageError(
            f"the later counts have shape {added.counts.shape}; expected (R, T) = {made.unlisted.shape[1:]}, the "
            "nowcast's regions and days."
        )
    totals = {MODEL: made.unlisted.cumsum(axis=2), LISTED: np.zeros((1, *added.counts.shape))}
    if len(made.listings.vintages) > 1:
        totals[BEFORE] = grown_as_before(made)[None]
    came = added.counts.cumsum(axis=1)
    rows: list[dict[str, Any]] = []
    for target, pick in (("by day", lambda x: x.sum(axis=1)), ("by region", lambda x: x[:, :, -1])):
        happened, ours = pick(came[None])[0], pick(totals[MODEL]).T
        for name, draws in totals.items():
            drawn = pick(draws).T
            several = drawn.shape[1] > 1
            rows.append(
                {
                    "target": target,
                    "forecaster": name,
                    "cells": len(happened),
                    "mean added": float(happened.mean()),
                    "mean expected": float(drawn.mean()),
                    "CRPS": float(crps(drawn, happened).mean()),
                    "interval score": float(weighted_interval(drawn, happened).mean()),
                    "covered 80 %": float(interval_covers(drawn, happened, 0.8).mean()) if several else None,
                    "covered 90 %": float(interval_covers(drawn, happened, 0.9).mean()) if several else None,
                    "Brier": None,
                    "would win": None if name == MODEL else _would_win(ours, drawn),
                }
            )
    if made.chance is not None and added.place is not None:
        waiting = made.listings.waiting(len(made.chance))
        happened = added.place[waiting]
        chances = {MODEL: made.chance[waiting], LISTED: np.zeros(len(happened))}
        if BEFORE in totals:
            everywhere = float(totals[BEFORE][0, :, -1].sum()) / max(len(happened), 1)
            chances[BEFORE] = np.full(len(happened), min(everywhere, 1.0))
        for name, chance in chances.items():
            rows.append(
                {
                    "target": "places",
                    "forecaster": name,
                    "cells": len(happened),
                    "mean added": float(happened.mean()),
                    "mean expected": float(chance.mean()),
                    "Brier": float(brier(chance, happened).mean()),
                }
            )
    return Table.from_rows(rows, tuple(rows[0]))


def _would_win(ours: np.ndarray, rule: np.ndarray) -> float:
    """Share of draws (cells, S) that the rule's single draw (cells, 1) foretells better than all of them do."""
    picked = np.linspace(0, ours.shape[1] - 1, min(TRUTHS, ours.shape[1])).round().astype(int)
    truths = ours[:, picked].astype(float).T
    return float(np.mean([crps(rule, truth).mean() < crps(ours, truth).mean() for truth in truths]))

"""Totals over places and days of simulated histories, many at once and without keeping the histories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from groundswell.data.setting import Setting
from groundswell.models.day_by_day import Counters, Total


def simulated_totals(
    model: Any, setting: Setting, totals: Sequence[Total], histories: int, *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """(S, K) totals of a day-by-day model, the steps after the daily window with them; (S,) whether it exploded."""
    count, periods = setting.shape
    columns = list(model.columns)
    counters = _counters(totals, columns, count).fresh(histories)
    state = model.start(setting, rng=rng, histories=histories)
    state.warns = any(total.series == "warned" for total in totals)
    model.advance(state, 0, periods, counters, rng=rng)
    found = counters.totals
    later = [k for k, total in enumerate(totals) if total.last >= setting.window.days]
    if later:
        weights = model.later_weights(state)
        marks = np.array([np.isin(np.arange(count), totals[k].where) for k in later]).T
        unit = np.arange(count) if weights is not None else np.unique(marks, axis=0, return_inverse=True)[1].reshape(-1)
        groups = state.groups @ (unit[:, None] == np.arange(unit.max() + 1)).astype(float)
        steps = model.run_later(groups, setting.later_edges, rng=rng, weights=weights)
        begin, end = np.array(setting.later_edges[:-1]), np.array(setting.later_edges[1:])
        for k in later:
            total = totals[k]
            mine, inside = np.unique(unit[total.where]), (begin <= total.last) & (end > total.first)
            column = columns.index(total.series) - (len(columns) - steps.shape[3])
            found[:, k] += steps[:, mine][:, :, inside, column].sum(axis=(1, 2))
    return found, state.exploded


def _counters(totals: Sequence[Total], columns: Sequence[str], places: int) -> Counters:
    size = len(totals)
    member = np.zeros((size, places), dtype=np.bool_)
    for k, total in enumerate(totals):
        member[k, total.where] = True
    counted = np.array([total.distinct for total in totals], dtype=np.bool_)
    return Counters(
        np.array([columns.index(total.series) for total in totals], dtype=np.int64),
        np.array([total.first for total in totals], dtype=np.int64),
        np.array([total.last for total in totals], dtype=np.int64),
        member, np.where(counted, np.cumsum(counted) - 1, -1), np.zeros((0, size)),
        np.zeros((0, int(counted.sum()), places), dtype=np.bool_),
    )  # fmt: skip

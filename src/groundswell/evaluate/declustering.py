"""Stochastic declustering: who may have set off whom, drawn as forests, and what share needed no parent.

Zhuang, Ogata and Vere-Jones (2002), Journal of the American Statistical Association 97, 369-380: each event takes a
parent at random, with the probabilities that the model gives its possible parents (`Branching`), independently of the
others. One forest is one way in which the events may have come about; what is the same in most forests is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from groundswell.data.history import Events, History
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.errors import DataError, UsageError
from groundswell.evaluate.replicas import model_of
from groundswell.infer.base import Fit
from groundswell.infer.plausible import plausible_models
from groundswell.models.base import require
from groundswell.models.events.branching import Branching

BACKGROUND = -1
"""Stands as the parent of an event that needed none."""

BEFORE = -2
"""Stands as the parent of an event set off by one before the window."""


@dataclass(frozen=True, eq=False)
class Forest:
    """One draw of all parents.

    parent : (E,) rows of the events' parents, BACKGROUND or BEFORE; a parent is always an earlier event.
    """

    parent: np.ndarray

    @cached_property
    def root(self) -> np.ndarray:
        """(E,) row of the first event of each event's cluster, that of an event without a parent being its own."""
        root = np.arange(len(self.parent))
        for event in np.flatnonzero(self.parent >= 0):  # parents come before their offspring
            root[event] = root[self.parent[event]]
        return root

    @cached_property
    def generation(self) -> np.ndarray:
        """(E,) 0 for an event without a parent in the window, 1 for its offspring, 2 for theirs."""
        generation = np.zeros(len(self.parent), dtype=int)
        for event in np.flatnonzero(self.parent >= 0):
            generation[event] = generation[self.parent[event]] + 1
        return generation

    @property
    def sizes(self) -> np.ndarray:
        """(C,) events of each cluster, itself included, in order of the clusters' first events."""
        return np.bincount(self.root, minlength=len(self.parent))[np.unique(self.root)]


@dataclass(frozen=True, eq=False)
class Declustering:
    """A history's events with S forests.

    branching : at the estimate. forests : each drawn at parameters of its own where `doubt` is True. notes : sentences
    that a reader must see.
    """

    setting: Setting
    events: Events
    branching: Branching
    forests: tuple[Forest, ...]
    doubt: bool
    notes: tuple[str, ...]

    @property
    def probabilities(self) -> Table:
        """One row an event: date, place, and the probability of having needed no parent, of one before the window and
        of one in it, with its likeliest parent (a row of this table, from 0) and that one's probability.
        """
        parts, events = self.branching, self.events
        likeliest: list[int | None] = [None] * len(events)
        best = np.zeros(len(events))
        for later, earlier, share in zip(parts.later, parts.earlier, parts.parent_probability, strict=True):
            if share > best[later]:
                best[later], likeliest[later] = share, int(earlier)
        before = parts.from_before / parts.rate
        return Table(
            {
                "date": [self.setting.window.date(day).isoformat() for day in events.time_days],
                "place": [self.setting.places.name[place] for place in events.place],
                "no parent": parts.background_probability.tolist(),
                "before the window": before.tolist(),
                "in the window": (1 - parts.background_probability - before).tolist(),
                "likeliest parent": likeliest,
                "its probability": [float(b) if b > 0 else None for b in best],
            }
        )

    def shares(self, by: str = "all", *, steps: int = 1, level: float = 0.9) -> Table:
        """Share of events without a parent, overall, by "place" or by "time" (bins of so many of the window's steps).

        events, background (expected number at the estimate), share, low, high: the interval is that of the forests'
        shares. Bins without an event have no share.
        """
        labels, group = self._groups(by, steps)
        count = np.bincount(group, minlength=len(labels))
        expected = np.bincount(group, self.branching.background_probability, len(labels))
        drawn = np.stack(
            [np.bincount(group, forest.parent == BACKGROUND, len(labels)) for forest in self.forests]
        ) / np.maximum(count, 1)
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
        some = count > 0
        return Table(
            {
                {"all": "events of", "place": "place", "time": "from"}[by]: labels,
                "events": count.tolist(),
                "background": expected.tolist(),
                "share": [float(e / n) if n else None for e, n in zip(expected, count, strict=True)],
                "low": [float(v) if s else None for v, s in zip(low, some, strict=True)],
                "high": [float(v) if s else None for v, s in zip(high, some, strict=True)],
            }
        )

    def cluster_sizes(self, level: float = 0.9) -> Table:
        """Clusters by their number of events: size, clusters (mean over the forests), low and high.

        Of what the window holds: clusters that began before it, or were going on at its end, are cut.
        """
        return self._counted("size", [forest.sizes for forest in self.forests], 1, level)

    def generations(self, level: float = 0.9) -> Table:
        """Events by generation: generation (0: no parent in the window), events (mean), low and high."""
        return self._counted("generation", [forest.generation for forest in self.forests], 0, level)

    def largest(self, count: int = 5) -> Table:
        """The clusters that are largest on average, by their first event: date, place, how often the event had no
        parent, and the mean size of its cluster in the forests in which it had none.
        """
        first = np.stack([forest.parent < 0 for forest in self.forests])
        size = np.stack([np.bincount(forest.root, minlength=len(self.events)) for forest in self.forests])
        expected = (first * size).mean(axis=0)
        order = np.argsort(-expected, kind="stable")[:count]
        order = order[expected[order] > 0]  # others never begin a cluster
        often = first.mean(axis=0)
        return Table(
            {
                "date": [self.setting.window.date(float(self.events.time_days[i])).isoformat() for i in order],
                "place": [self.setting.places.name[self.events.place[i]] for i in order],
                "row": order.tolist(),
                "no parent": often[order].tolist(),
                "mean size": [float(expected[i] / often[i]) for i in order],
            }
        )

    def over_time(self, days: np.ndarray, *, neighbours: int = 5, least_days: float = 1.0) -> np.ndarray:
        """(K,) events a day that need no parent, all places together, at times (K,): kernels weighted by probability.

        Each event's normal kernel is as wide as it is to the `neighbours`-th nearest in time, at least `least_days`,
        and is put back inside where it would reach beyond the window, so that the integral is the expected number.
        DataError for no more events than neighbours. Cost O(E K).
        """
        from scipy.spatial import KDTree
        from scipy.special import ndtr

        times, weight = self.events.time_days, self.branching.background_probability
        if len(times) <= neighbours or neighbours < 1 or least_days <= 0:
            raise DataError(
                f"a background over time was asked for from {len(times)} events, neighbours {neighbours} and "
                f"least_days {least_days:g}; expected more events than neighbours, 1 neighbour or more and a width "
                "above 0."
            )
        apart = KDTree(times[:, None]).query(times[:, None], k=neighbours + 1)[0][:, neighbours]
        width = np.maximum(apart, least_days)
        inside = ndtr((self.setting.window.days - times) / width) - ndtr(-times / width)
        away = (np.asarray(days, dtype=float)[:, None] - times) / width
        return np.exp(-0.5 * away**2) @ (weight / (inside * width * np.sqrt(2 * np.pi)))

    def over_plane(
        self, x_km: np.ndarray, y_km: np.ndarray, *, neighbours: int = 5, least_km: float = 5.0
    ) -> np.ndarray:
        """(K,) events per km^2 and day that need no parent, averaged over the window: a `KernelBackground`'s density.

        Kernels are not cut at the border, so that the density falls within a width of it.
        """
        from groundswell.models.events.kernel_background import KernelBackground

        events, weight = self.events, self.branching.background_probability
        if events.x_km is None or events.y_km is None:
            raise DataError("a background over the plane needs Events.x_km and y_km; over places, `shares('place')`.")
        spread = KernelBackground.around(events.x_km, events.y_km, weight, neighbours=neighbours, least_km=least_km)
        return spread.density(x_km, y_km) * weight.sum() / self.setting.window.days

    def _groups(self, by: str, steps: int) -> tuple[list[str], np.ndarray]:
        window = self.setting.window
        if by == "all":
            return ["all places"], np.zeros(len(self.events), dtype=int)
        if by == "place":
            return list(self.setting.places.name), self.events.place
        if by != "time" or steps < 1:
            raise UsageError(f'shares were asked for by "{by}" and {steps} steps; expected all, place or time, and 1+.')
        bins = -(-window.periods // steps)
        step = np.minimum((self.events.time_days // window.step).astype(int), window.periods - 1)
        return [day.isoformat() for day in window.dates()[::steps]][:bins], step // steps

    def _counted(self, name: str, values: list[np.ndarray], least: int, level: float) -> Table:
        most = max(int(one.max(initial=least)) for one in values)
        counts = np.stack([np.bincount(one, minlength=most + 1)[least:] for one in values])
        low, high = np.quantile(counts, [(1 - level) / 2, (1 + level) / 2], axis=0)
        what = {"size": "clusters", "generation": "events"}[name]
        columns = {what: counts.mean(axis=0).tolist(), "low": low.tolist(), "high": high.tolist()}
        return Table({name: list(range(least, most + 1)), **columns})


def declustered(
    fitted: Fit | Any,
    setting: Setting,
    history: History,
    *,
    rng: np.random.Generator,
    draws: int = 200,
    doubt: bool | None = None,
) -> Declustering:
    """Draw forests of a history under a model.

    doubt : each forest at parameters drawn from the fit (`plausible_models`), so that intervals know how unsure these
    are; None, where a Fit with a covariance or draws is given. Cost: a branching, or one a forest with `doubt`.
    """
    model = model_of(fitted)
    require(model, "branching", "declustered")
    if history.events is None or not len(history.events):
        raise DataError("declustering needs single events (History.events), and this history has none.")
    if draws < 1:
        raise UsageError(f"{draws} forests tell nothing; give 1 or more, some hundred for intervals.")
    known = isinstance(fitted, Fit) and (fitted.draws is not None or fitted.covariance is not None)
    doubt = known if doubt is None else doubt
    if doubt and not known:
        raise UsageError(
            "doubt=True draws parameters, and needs a Fit with a covariance or draws; a model has neither."
        )
    own = model.branching(setting, history)
    notes = [
        "That a model takes one event for the likely parent of another does not show that it caused it: events that "
        "anything makes follow each other nearby look the same."
    ]
    if doubt:
        models, still = plausible_models(fitted, draws, rng=rng)
        parts = (one.branching(setting, history) for one in models)
        if still:
            notes.append(f"{', '.join(still)}: not determined by the data, and held at the estimate in all forests.")
    else:
        parts = (own for _ in range(draws))
        notes.append("Parameters are taken as known: intervals are of chance alone.")
    forests = tuple(drawn_forest(one, rng) for one in parts)
    return Declustering(setting, history.events, own, forests, doubt, tuple(notes))


def drawn_forest(branching: Branching, rng: np.random.Generator) -> Forest:
    """Parents at random, each event's independently of the others', by inverting one uniform an event."""
    count = len(branching.background)
    left = rng.random(count) * branching.rate - branching.background
    parent = np.where((left < 0) | (branching.from_before == 0), BACKGROUND, BEFORE)
    left -= branching.from_before
    first = np.searchsorted(branching.later, np.arange(count + 1))
    asks = np.flatnonzero((left >= 0) & (first[1:] > first[:-1]))
    reached = np.concatenate([[0.0], np.cumsum(branching.triggered)])
    pair = np.searchsorted(reached, reached[first[asks]] + left[asks], side="right") - 1
    parent[asks] = branching.earlier[np.clip(pair, first[asks], first[asks + 1] - 1)]  # a running sum rounds
    return Forest(parent)

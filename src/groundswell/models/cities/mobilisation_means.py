"""What the mobilisation model leads to expect of totals over places and days, without a draw, and the gradient.

A mean field: every place meets the mean of what all others do. What a mean alone would get wrong is whether a place
has had an event at all, so a place is either quiet so far or not, with a rate for each, and the chance of staying quiet
is followed from day to day (`_mobilisation_mean_loops`). Left out are correlations between places, and how far an
active place's own momentum and arrests vary; docs/inference.md says by how much that puts means off.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from groundswell.data.setting import Setting
from groundswell.models.base import require
from groundswell.models.cities import _mobilisation_mean_loops as loops
from groundswell.models.cities._mobilisation_likelihood_loops import fading
from groundswell.models.cities.mechanisms import CalendarPulse
from groundswell.models.cities.mobilisation import Mobilisation
from groundswell.models.cities.mobilisation_mean_groups import GroupsCourse
from groundswell.models.cities.mobilisation_state import geometry_of
from groundswell.models.day_by_day import MeanField, Pull, Total
from groundswell.params import from_vector, leaves, names

MOST_EVENTS = 64
"""Events of a place in a window up to which the chance that none of them led to an arrest is told apart."""


def mean_field(model: Mobilisation, setting: Setting, totals: Sequence[Total]) -> MeanField:
    """See `Mobilisation.mean_field`."""
    require(model, "mean_field", "mean_field")
    model.given_events(setting)  # says what the setting lacks
    order = names(model)

    def at(vector: np.ndarray) -> tuple[np.ndarray, Pull]:
        course = _Course(from_vector(model, vector), setting)
        read = [course.read(total) for total in totals]

        def pull(slopes: np.ndarray) -> np.ndarray:
            into = _Slopes.none(course.base.shape)
            for (_, back), slope in zip(read, slopes, strict=True):
                back(float(slope), into)
            found = course.gradient(into)
            return np.array([found.get(name, 0.0) for name in order])

        return np.array([value for value, _ in read]), pull

    return at


class _Slopes(NamedTuple):
    """Slopes of some number in what the course is made of, and in parameters by name.

    events, stirred : (T, P). quiet : (T + 1, P). share : (P,).
    """

    events: np.ndarray
    quiet: np.ndarray
    stirred: np.ndarray
    share: np.ndarray
    named: dict[str, float]

    @classmethod
    def none(cls, shape: tuple[int, ...]) -> _Slopes:
        return cls(np.zeros(shape), np.zeros((shape[0] + 1, shape[1])), np.zeros(shape), np.zeros(shape[1]), {})

    def add(self, slope: float, found: Mapping[str, float]) -> None:
        for name, value in found.items():
            self.named[name] = self.named.get(name, 0.0) + slope * value


Read = tuple[float, Callable[[float, _Slopes], None]]
"""A total's expected value, and what adds its slopes, times a factor, to others."""


class _Course:
    """The means of every place and day at one value of the parameters, and what they were made of."""

    def __init__(self, model: Mobilisation, setting: Setting) -> None:
        self.model, self.setting = model, setting
        geometry = self.geometry = geometry_of(setting)
        self.share = model.shares(setting)
        calls = np.zeros(setting.shape) if setting.calls is None else setting.calls
        self.called = fading(np.ascontiguousarray(calls.T), model.call.memory if model.call else 0.0)
        self.groups = None if model.groups is None else GroupsCourse(model.groups, setting, self.share)
        base = model.given_events(setting)
        if model.organised is not None and self.groups is not None:
            base = base + model.organised.rate * self.groups.acting * (1 + model.organised.call_gain * self.called[0])
        self.base = np.ascontiguousarray(base)
        self.terms = model.pulse.terms(setting) if isinstance(model.pulse, CalendarPulse) else {}
        self.pulse = np.ones(len(base))
        if isinstance(model.pulse, CalendarPulse):
            self.pulse = np.exp(model.pulse.log_level(self.terms))
        self.offspring = [part.offspring if part else 0.0 for part in (model.within, model.between, model.media)]
        within, between, media = ((1 - model.keep) * number for number in self.offspring)
        self.coefficients = loops.Coefficients(
            model.keep, within, between, media,
            model.deterrence.strength if model.deterrence else 0.0,
            model.backlash.strength if model.backlash else 0.0,
            model.arrests.memory, model.arrests.per_event, model.overdispersion,
        )  # fmt: skip
        count = len(self.share)
        self.weights = np.zeros((count, count))
        if model.between is not None:
            reach, lookup = model.between.reach, geometry.lookup(model.between.reach)
            self.receiving = model.shares(setting, reach.exponent(model.scale))
            self.weights, self.row_total = loops.rows(
                lookup.index, lookup.part, reach.value(lookup.nodes), self.receiving
            )
        self.first = geometry.first.astype(float)
        self.given = (self.base, self.share, self.weights, self.pulse, geometry.per_100k, self.first, self.coefficients)
        self.course = loops.ahead(*self.given)

    def read(self, total: Total) -> Read:
        """The expected total; a place that is counted once counts by its chance."""
        if self.groups is not None and total.series in self.groups.columns:
            value, found, in_share = self.groups.read(total)

            def back(slope: float, into: _Slopes) -> None:
                into.add(slope, found)
                into.share[:] += slope * in_share

            return value, back
        if not total.distinct:
            return self._sum(total)
        return self._some_events(total) if total.series == "events" else self._some_arrests(total)

    def _sum(self, total: Total) -> Read:
        model, crowds = self.model, self.model.crowds
        size = math.exp(crowds.spread**2 / 2)
        factor, found = {
            "events": (1.0, {}),
            "arrests": (model.arrests.per_event, {"arrests.per_event": 1.0}),
            "participants": (
                crowds.median * size, {"crowds.median": size, "crowds.spread": crowds.median * size * crowds.spread}
            ),
            "warned": (
                model.warnings_per_arrest * model.arrests.per_event,
                {"warnings_per_arrest": model.arrests.per_event, "arrests.per_event": model.warnings_per_arrest},
            ),
        }[total.series]  # fmt: skip
        days = slice(total.first, total.last + 1)
        events = float(self.course.events[days, total.where].sum())

        def back(slope: float, into: _Slopes) -> None:
            into.events[days, total.where] += slope * factor
            into.add(slope * events, found)

        return factor * events, back

    def _some_events(self, total: Total) -> Read:
        none, back_none = self._none(total)
        given = self._given(total)

        def back(slope: float, into: _Slopes) -> None:
            back_none(-slope * (1 - given), into)

        return float((given + (1 - given) * (1 - none)).sum()), back

    def _some_arrests(self, total: Total) -> Read:
        """Where there are events their number is taken as geometric, with the mean that it has."""
        arrests, where = self.model.arrests, total.where
        none, back_none = self._none(total)
        days = slice(max(total.first, 1), total.last + 1)
        some = np.maximum(1 - none, 1e-300)
        events = np.maximum(self.course.events[days, where].sum(axis=0), some)
        more = 1 - some / events
        chance, in_mean, in_psi = no_arrest(
            arrests.per_event, arrests.overdispersion, max(min(days.stop, len(self.base)) - days.start, 1)
        )
        powers = more[:, None] ** np.arange(MOST_EVENTS)
        law = np.append(powers[:, :-1] - powers[:, 1:], powers[:, -1:], axis=1)
        spared = law @ chance
        in_more = powers[:, :-1] @ (np.arange(1, MOST_EVENTS) * np.diff(chance))
        given = self._given(total)
        start = 1 - given * (1 - chance[0])
        left = none + some * spared

        def back(slope: float, into: _Slopes) -> None:
            worth = -slope * start
            back_none(worth * (1 - spared + some * in_more / events), into)
            into.events[days, where] += worth * some * in_more * some / events**2
            for name, per in (("per_event", in_mean), ("overdispersion", in_psi)):
                into.add(1.0, {f"arrests.{name}": float((worth * some) @ (law @ per))})
                into.add(-slope, {f"arrests.{name}": float((left * given).sum()) * per[0]})

        return float((1 - start * left).sum()), back

    def _given(self, total: Total) -> np.ndarray:
        """(n,) 1 where the first day, which is given, puts an event into the total's window."""
        return self.first[total.where] if total.first == 0 else np.zeros(len(total.where))

    def _none(self, total: Total) -> tuple[np.ndarray, Callable[[np.ndarray, _Slopes], None]]:
        """(n,) chance that a place has no event on the total's days after the first, and what adds its slopes."""
        course, where, psi = self.course, total.where, self.coefficients.psi
        end = min(total.last + 1, len(course.events))
        begin = min(max(total.first, 1), end)
        mean = course.stirred[begin:end, where]
        grown = np.log1p(psi * mean)
        quieter = grown / psi if psi >= 1e-9 else mean
        still = np.exp(-quieter.sum(axis=0))
        before = course.quiet[begin, where]

        def back(slope: np.ndarray, into: _Slopes) -> None:
            into.quiet[end, where] += slope
            into.quiet[begin, where] -= slope * still
            through = slope * (1 - before) * still
            into.stirred[begin:end, where] -= through / (1 + psi * mean)
            if psi >= 1e-9:
                bent = (grown / psi - mean / (1 + psi * mean)) / psi
                into.add(1.0, {"overdispersion": float(through @ bent.sum(axis=0))})

        return course.quiet[end, where] + (1 - before) * still, back

    def gradient(self, into: _Slopes) -> dict[str, float]:
        """Slopes by name of all parameters, from those in events, quiet places and rates."""
        model, geometry = self.model, self.geometry
        in_base, in_share, in_weights, in_pulse, c = loops.back(
            *self.given, self.course, into.events, into.quiet, into.stirred
        )
        c = loops.Coefficients(*c)
        found = dict(into.named)

        def add(name: str, value: Any) -> None:
            found[name] = found.get(name, 0.0) + float(value)

        add("keep", c.keep - np.dot((c.within, c.between, c.media), self.offspring))
        add("overdispersion", c.psi)
        add("arrests.memory", c.memory)
        add("arrests.per_event", c.per_event)
        for at, name in enumerate(("within", "between", "media"), start=1):
            if getattr(model, name) is not None:
                add(f"{name}.offspring", (1 - model.keep) * c[at])
        for at, name in enumerate(("deterrence", "backlash"), start=4):
            if getattr(model, name) is not None:
                add(f"{name}.strength", c[at])
        for name, term in self.terms.items():
            add(f"pulse.{name}", (in_pulse * self.pulse) @ term)
        in_share = in_share + into.share + self._from_given(in_base, add)
        if model.between is not None:
            self._from_weights(in_weights, add)
        if model.organised is not None:
            in_share = in_share + self._from_acting(in_base, add)
        mean_log = float(self.share @ geometry.log_population)
        add("scale", (in_share * self.share) @ (geometry.log_population - mean_log))
        return found

    def _from_given(self, in_base: np.ndarray, add: Callable[[str, Any], None]) -> np.ndarray:
        """Of what does not depend on the past; slopes (P,) in the shares come back."""
        model, setting, logs = self.model, self.setting, self.geometry.log_population
        raised = np.exp(model.scale * logs)[None] * in_base
        for name, value in model.background.effects.items():
            raised = raised * np.exp(value * setting.covariates[name].T)
        add("background.rate", raised.sum())
        add("scale", model.background.rate * (raised.sum(axis=0) @ logs))
        for name in model.background.effects:
            add(f"background.effects.{name}", model.background.rate * (raised * setting.covariates[name].T).sum())
        in_share = np.zeros_like(self.share)
        memory, slope = self.called
        if model.call is not None:
            received = (in_base * memory).sum(axis=0)
            add("call.rate", self.share @ received)
            add("call.memory", model.call.rate * (self.share @ (in_base * slope).sum(axis=0)))
            in_share += model.call.rate * received
        if model.abroad is not None and setting.abroad is not None:
            received = setting.abroad @ in_base
            add("abroad.rate", self.share @ received)
            in_share += model.abroad.rate * received
        return in_share

    def _from_weights(self, in_weights: np.ndarray, add: Callable[[str, Any], None]) -> None:
        between = self.model.between
        assert between is not None
        reach, lookup = between.reach, self.geometry.lookup(between.reach)
        in_value, in_log = loops.rows_back(
            lookup.index, lookup.part, self.receiving, self.weights, self.row_total, in_weights, len(lookup.nodes)
        )
        slopes = np.nan_to_num(reach.gradient(lookup.nodes), posinf=0.0, neginf=0.0)
        for leaf, slope in zip(leaves(reach), slopes, strict=True):
            add(f"between.reach.{leaf.name}", slope @ in_value)
        own = f"between.reach.{reach.own_exponent}" if reach.own_exponent is not None else "scale"
        add(own, in_log @ self.geometry.log_population)

    def _from_acting(self, in_base: np.ndarray, add: Callable[[str, Any], None]) -> np.ndarray:
        """Of events by organised groups; slopes (P,) in the shares come back."""
        organised, groups, (memory, slope) = self.model.organised, self.groups, self.called
        assert organised is not None
        assert groups is not None
        gain = 1 + organised.call_gain * memory
        add("organised.rate", (in_base * gain * groups.acting).sum())
        add("organised.call_gain", organised.rate * (in_base * memory * groups.acting).sum())
        if self.model.call is not None:
            add("call.memory", organised.rate * organised.call_gain * (in_base * slope * groups.acting).sum())
        found, in_share = groups.pull(organised.rate * in_base * gain)
        for name, value in found.items():
            add(name, value)
        return in_share


def no_arrest(mean: float, psi: float, days: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(MOST_EVENTS,) chance that 1, 2, ... events lead to no arrest, and its slopes in the mean of one and in psi.

    The arrests of one day vary together: of y events that fall anywhere in a window of so many days, a share of
    1 / days + (1 - 1 / days) / y on the same one, so that their arrests together vary by that share of psi.
    """
    counts = np.arange(1.0, MOST_EVENTS + 1)
    persons, share = mean * counts, 1 / days + (1 - 1 / days) / counts
    spread = np.maximum(psi * share, 1e-9)
    grown, wide = np.log1p(spread * persons), 1 + spread * persons
    chance = np.exp(-grown / spread)
    return chance, -chance * counts / wide, chance * (grown / spread - persons / wide) / spread * share

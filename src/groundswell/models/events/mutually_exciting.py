"""Several kinds of events that excite each other, with the matrix of who triggers whom (multivariate Hawkes process).

    lambda_k(t) = background_k + sum_{i: t_i < t} offspring[kind_i > k] g(t - t_i)

g (delay) integrates to 1 over time, so offspring[q > k] is the expected number of events of kind k that one event of
kind q sets off directly. None of them is bounded by 1, nor is their matrix: whether it all grows is the question.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import product
from typing import ClassVar

import numpy as np

from groundswell.data.history import Events, History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, ParameterError, nearest
from groundswell.models.base import Likelihood, Model
from groundswell.models.cities.scattered import same_frame
from groundswell.models.delays import ExponentialDelay
from groundswell.models.events import generations
from groundswell.models.events.branching import Branching
from groundswell.models.events.kinds import check_kind, kinds_of, one_place, with_kinds
from groundswell.models.events.mutually_exciting_density import Layout, MutualDensity, joined
from groundswell.models.events.ties import warn_of_ties
from groundswell.params import Component, Effects, Prior, param, vector

TAKEN = ("events", "arrests", "participants", "warned")
"""Names of a history's other series; a kind of such a name would be read as one of them."""


@dataclass(frozen=True)
class DelayBySender(Component):
    """g(u) = decay_q exp(-decay_q u), for the offspring of each kind q of events a decay of its own."""

    decay: Effects = param(
        "1/day", low=0, prior=Prior(0.7, 0.6), default=Effects(), doc="how fast an event of the kind stops triggering"
    )


@dataclass(frozen=True)
class MutuallyExciting(Model):
    """Events of K kinds in one place, in continuous time; each kind may set off each.

    kinds : their names, in the order of the numbers in Events.kind. A simulated History counts each kind in a series
    of its name, and all of them in "events".
    background : by kind; a kind left out has none. offspring : by "sender > receiver"; a pair left out is no part of
    the model, which is how to say that repression triggers no protest. `among` has them all, `without` leaves some out.
    delay : one for all, or `DelayBySender`. before : events before the window (times below 0), which excite but are
    not themselves weighed. max_events : a simulation that passes it is refused.

    Read with care: that one kind tends to follow another is no proof that it causes it. What moves both and is not in
    the model (a season, an election, the news) shows as triggering, in both directions.
    """

    title: ClassVar[str] = "Several kinds of events that excite each other (multivariate Hawkes process)"
    paper: ClassVar[str] = (
        "Hawkes (1971), Spectra of some self-exciting and mutually exciting point processes, Biometrika 58(1), 83-90"
    )

    kinds: tuple[str, ...]
    background: Effects = param(
        "events/day",
        low=0,
        prior=Prior(0.5, 1.2),
        default=Effects(),
        doc="events of the kind a day that need no parent",
    )
    offspring: Effects = param(
        "1",
        low=0,
        prior=Prior(0.1, 1.0),
        default=Effects(),
        doc="expected direct offspring, of the second kind, of one event of the first",
    )
    delay: ExponentialDelay | DelayBySender = field(default_factory=ExponentialDelay)
    before: Events | None = None
    max_events: int = 100_000

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_kinds(self.kinds)
        for label in self.background:
            self._known("background", label, self.kinds)
        for label in self.offspring:
            self._known("offspring", label, [f"{q} > {k}" for q, k in product(self.kinds, repeat=2)])
        sending = _senders(self.offspring)
        if isinstance(self.delay, DelayBySender) and set(self.delay.decay) != sending:
            raise ParameterError(
                f"DelayBySender has a decay for {', '.join(self.delay.decay) or 'no kind'}, and the kinds with "
                f"offspring are {', '.join(sorted(sending)) or 'none'}; expected one for each of them and for no "
                "other, since a decay without offspring cannot be learnt."
            )
        if self.before is not None:
            check_kind("MutuallyExciting.before", self.before, self.kinds)
            if len(self.before) and self.before.time_days[-1] >= 0:
                raise DataError(
                    f"MutuallyExciting.before holds an event at day {self.before.time_days[-1]:g}; expected times "
                    "below 0, before the window. Events inside the window belong to the History."
                )

    @classmethod
    def among(cls, *kinds: str, by_sender: bool = False) -> MutuallyExciting:
        """Every kind with a background, each triggering each: K + K^2 parameters and one decay, or K (`by_sender`).

        The offspring start at .1, or lower where there are so many kinds that it would all grow.
        """
        start, pace = min(0.1, 0.5 / max(len(kinds), 1)), ExponentialDelay()
        return cls(
            kinds,
            Effects(dict.fromkeys(kinds, 0.5)),
            Effects({f"{q} > {k}": start for q, k in product(kinds, repeat=2)}),
            DelayBySender(Effects(dict.fromkeys(kinds, pace.decay))) if by_sender else pace,
        )

    @classmethod
    def example(cls) -> tuple[MutuallyExciting, Setting]:
        """Protest, repression and attacks over 90 days; repression comes of protest, and attacks of repression."""
        model = cls(
            ("protest", "repression", "attack"),
            Effects(protest=0.6, repression=0.1, attack=0.2),
            Effects({"protest > protest": 0.4, "protest > repression": 0.3, "repression > protest": 0.2,
                     "repression > attack": 0.3, "attack > repression": 0.5}),
            DelayBySender(Effects(protest=1.2, repression=0.3, attack=0.6)),
        )  # fmt: skip
        return model, Setting(Places.single(), Window(date(2024, 1, 1), 90))

    def without(self, *labels: str) -> MutuallyExciting:
        """The model in which these do not trigger: labels as "repression > protest".

        With `DelayBySender` a kind that triggers nothing any more loses its decay too. To ask whether the pair is
        needed, fit both models and compare: `infer.ratio.likelihood_ratio`.
        """
        for label in labels:
            self._known("without", label, self.offspring)
        kept, delay = {label: n for label, n in self.offspring.items() if label not in labels}, self.delay
        if isinstance(delay, DelayBySender):
            sending = _senders(kept)
            delay = DelayBySender(Effects({kind: pace for kind, pace in delay.decay.items() if kind in sending}))
        return replace(self, offspring=Effects(kept), delay=delay)

    def likelihood(self, setting: Setting, history: History) -> Likelihood:
        """The exact log density of the window's events with their kinds, and its gradient in every parameter.

        Sum of log intensity at each event, of its kind, minus the integrated intensities of all kinds over the
        window; triggering that falls after the window's end is left out of the integral. Tied events, of whatever
        kinds, do not trigger each other and are met with a warning. An event where the intensity is 0 gives -inf.

        DataError for events without kinds and for a setting of several places. Cost O(E K): 45 ms for a million
        events of 3 kinds.
        """
        return self._density(setting, history)

    def complete_likelihood(self, setting: Setting, history: History) -> MutualDensity:
        """A `CompleteLikelihood`: its sums over pairs are read off the likelihood's own recursion, O(E K)."""
        return self._density(setting, history)

    def _density(self, setting: Setting, history: History) -> MutualDensity:
        times, kind, first = joined(self.before, self.checked(setting, history))
        warn_of_ties(times, np.zeros(len(times)))
        return MutualDensity(self, times, kind, first, float(setting.window.days))

    def intensity(self, setting: Setting, history: History) -> np.ndarray:
        """(1, T) integrated intensity of all kinds by step, given at each moment the events so far.

        `intensity_by_kind` tells them apart: a wrong direction of triggering shows there, and hardly in the sum.
        """
        return self.intensity_by_kind(setting, history).sum(axis=0, keepdims=True)

    def intensity_by_kind(self, setting: Setting, history: History) -> np.ndarray:
        """(K, T) integrated intensity of each kind by step; its events minus it average 0 in every step."""
        edges = np.arange(setting.window.periods + 1.0) * setting.window.step
        return np.diff(self.compensator_by_kind(setting, history, edges), axis=1)

    def compensator(self, setting: Setting, history: History, days: np.ndarray) -> np.ndarray:
        """(D,) expected events of all kinds from the window's start to each of `days`, given the events so far."""
        return self.compensator_by_kind(setting, history, days).sum(axis=0)

    def compensator_by_kind(self, setting: Setting, history: History, days: np.ndarray) -> np.ndarray:
        """(K, D) the same by kind: at the events of its kind each row makes a unit Poisson process of its own."""
        background, offspring, _ = self.arrays
        days, events = np.asarray(days, dtype=float), self.checked(setting, history)
        times, kind, first = joined(self.before, events)
        still = self._excitations(times, kind, np.append(0.0, days))
        seen = np.stack([np.searchsorted(times[first:][kind[first:] == q], days) for q in range(len(self.kinds))])
        return background[:, None] * days + offspring.T @ (seen + still[:, :1] - still[:, 1:])

    def rate_at(self, setting: Setting, history: History, points: Events) -> np.ndarray:
        """(D,) events a day of each point's own kind, just before it: of the events strictly earlier."""
        times, kind, _ = joined(self.before, self.checked(setting, history))
        check_kind("rate_at", points, self.kinds)
        return self.arrays[0][kinds_of(points)] + self._raised(times, kind, points)

    def branching(self, setting: Setting, history: History) -> Branching:
        """Each event's intensity, of its own kind, by what it comes from.

        Parents that together make less than 1e-17 of it are left out: some 40 mean delays back, unless nothing else
        is there. Cost O(K) a pair.
        """
        from groundswell.models.events._mutually_exciting_loops import pairs

        background, offspring, decay = self.arrays
        events = self.checked(setting, history)
        kind = kinds_of(events)
        from_before = np.zeros(len(events))
        if self.before is not None:
            from_before = self._raised(self.before.time_days, kinds_of(self.before), events)
        rate = background[kind] + self._raised(*joined(self.before, events)[:2], events)
        found = pairs(events.time_days, kind, offspring, decay, rate)
        return Branching(background[kind], from_before, *found)

    def _raised(self, times: np.ndarray, kind: np.ndarray, points: Events) -> np.ndarray:
        """(D,) what the events strictly before each point add to the intensity of its kind."""
        _, offspring, decay = self.arrays
        sent = decay[:, None] * self._excitations(times, kind, points.time_days)
        return np.einsum("qd,qd->d", offspring[:, kinds_of(points)], sent)

    def _excitations(self, times: np.ndarray, kind: np.ndarray, at: np.ndarray) -> np.ndarray:
        """(K, D) what events of each kind, strictly before each of `at`, still have to trigger, in offspring of 1."""
        from groundswell.models.events._mutually_exciting_loops import excitations

        order = np.argsort(at, kind="stable")
        out = np.empty((len(self.kinds), len(at)))
        out[:, order] = excitations(times, kind, self.arrays[2], at[order]).T
        return out

    def simulate(self, setting: Setting, *, rng: np.random.Generator, given: History | None = None) -> History:
        """Draw the window's events one after the other, exactly; after `given` if there is one.

        `given` covers the first steps of the window: its events are kept and excite what follows. The history counts
        all events in "events" and each kind in a series of its name. Cost O(E K). UsageError when max_events is passed.
        """
        from groundswell.models.events.mutually_exciting_draws import drawn

        return with_kinds(drawn(self, setting, rng, given), self.kinds)

    def paths(
        self, setting: Setting, history: History, *, draws: int, rng: np.random.Generator, series: str = "events"
    ) -> np.ndarray:
        """(S, 1, D) counts of the D steps after `history`, of all events or of the kind that `series` names."""
        from groundswell.models.events.mutually_exciting_draws import paths

        return paths(self, setting, history, draws, rng, series)

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """background (K,), offspring (K, K) with a row for each sender, decay (K,) by sender."""
        return Layout(self).arrays(vector(self))

    def spectral_radius(self) -> float:
        """The factor by which a generation of events outnumbers the one before, in the long run; above 1 they grow."""
        return generations.spectral_radius(self.arrays[1])

    def descendants(self) -> np.ndarray:
        """(K, K) events of a kind (column) that one of another (row) leads to, directly or through others."""
        return generations.descendants(self.arrays[1])

    def stationary_rates(self) -> np.ndarray:
        """(K,) events of each kind a day in the long run; infinite for a kind that growing ones lead to."""
        background, offspring, _ = self.arrays
        starts = background > 0
        return background + background[starts] @ generations.descendants(offspring)[starts]

    def remarks(self, setting: Setting, history: History | None = None) -> tuple[str, ...]:
        """That events grow, where the spectral radius is above 1."""
        if (radius := self.spectral_radius()) <= 1:
            return ()
        return (
            f"The spectral radius of the offspring is {radius:.3g}: each generation of events is larger than the one "
            "before, so events grow, and forecasts beyond a few mean delays may explode.",
        )

    def checked(self, setting: Setting, history: History, *, shorter: bool = False) -> Events:
        """The events, once they are seen to be what this model can read; `shorter`: of the window's first steps."""
        one_place(setting)
        same_frame(setting, history)
        theirs, ours = history.window.periods, setting.window.periods
        if theirs > ours or (theirs < ours and not shorter):
            raise DataError(
                f"the history has {theirs} steps and the setting {ours}; expected "
                + ("no more. " if shorter else "the same. ") + "`during(periods)` cuts either."
            )  # fmt: skip
        if history.events is None:
            raise DataError(
                "this history has counts but no single events, and MutuallyExciting weighs events one by one. "
                "Give History.events, with their kinds."
            )
        check_kind("History.events", history.events, self.kinds)
        return history.events

    def _known(self, where: str, label: str, known: Iterable[str]) -> None:
        """ParameterError for a label that is none of those known."""
        known = list(known)
        if label not in known:
            raise ParameterError(
                f'MutuallyExciting.{where} names "{label}"; expected one of: {", ".join(known) or "none"}.'
                + nearest(label, known)
            )


def _senders(offspring: Iterable[str]) -> set[str]:
    """The kinds that trigger anything, by the labels of offspring."""
    return {label.split(" > ")[0] for label in offspring}


def _check_kinds(kinds: tuple[str, ...]) -> None:
    """ParameterError unless these are distinct names that labels and series can be made of."""
    if not kinds or len(set(kinds)) < len(kinds):
        raise ParameterError(f"MutuallyExciting.kinds is {kinds}; expected one name or more, each once.")
    for name in kinds:
        if not isinstance(name, str) or name != name.strip() or not name or ">" in name or name in TAKEN:
            raise ParameterError(
                f"MutuallyExciting.kinds holds {name!r}; expected a text without >, which stands between sender and "
                f"receiver, and none of {', '.join(TAKEN)}, which are other series of a history."
            )

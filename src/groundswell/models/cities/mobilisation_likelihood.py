"""How likely place-day counts are under the mobilisation model without groups, with the gradient.

Given the counts of the days before, the mean of every place-day is a number, so the density is exact:

    log p = sum over t >= 1 of log NB(Y_pt; mu_pt, psi) + sum over Y_pt > 0 of log NB(A_pt; per_event Y_pt, psi_A)

Day 0's events are conditioned on, its arrests are not. Participants and warnings are not weighed. With groups
the mean depends on their hidden number, and this density does not exist in closed form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.errors import DataError
from groundswell.models.base import Likelihood, require
from groundswell.models.cities import _mobilisation_likelihood_loops as loops
from groundswell.models.cities.counts import log_mass
from groundswell.models.cities.mobilisation import Backlash, CalendarPulse, Deterrence, Mobilisation
from groundswell.models.cities.scattered import Counted, counts_of
from groundswell.models.triggering import weights_gradient
from groundswell.params import from_vector, leaves, names


@dataclass(frozen=True, eq=False)
class Observed:
    """What setting and history fix for every parameter value; arrays run (T, P).

    arrests : None where the history has none. stock : arrests per 100,000 by place, late by the days that deterrence
    waits beyond one. country : the same for the country, (T, 1), by those of backlash. senders : (Q,) the places ever
    active. apart : (Q, P) how far places are from them, as the reach reads it. calendar : terms of the pulse by name.
    """

    setting: Setting
    events: np.ndarray
    arrests: np.ndarray | None
    stock: np.ndarray
    country: np.ndarray
    active: loops.Active
    senders: np.ndarray
    apart: np.ndarray
    log_population: np.ndarray
    calendar: dict[str, np.ndarray]


def observe(model: Mobilisation, setting: Setting, history: History) -> Observed:
    """Check a history against the setting and the model, and prepare it; DataError says what is wrong."""
    _check_days(setting, history)
    model.given_events(setting)  # says what the setting lacks
    events = np.ascontiguousarray(counts_of(setting, history).T)
    arrests = np.ascontiguousarray(history.counts("arrests").T) if "arrests" in history.series else None
    if arrests is None and (model.deterrence is not None or model.backlash is not None):
        raise DataError(
            "this history has no arrests, on which deterrence and backlash act. Give a series of arrests by place and "
            "day, or leave both components out: Mobilisation(deterrence=None, backlash=None, ...)."
        )
    if arrests is not None and ((arrests > 0) & (events == 0)).any():
        day, place = (int(i[0]) for i in np.nonzero((arrests > 0) & (events == 0)))
        raise DataError(
            f'"{setting.places.name[place]}" has {arrests[day, place]:g} arrests and no event on '
            f"{setting.window.date(day)}; in this model people are arrested at events. Move such arrests to the day "
            "of their event, or leave them out and say so."
        )
    per_100k = setting.places.population / 100_000
    taken = arrests if arrests is not None else np.zeros_like(events)
    apart = np.zeros((len(per_100k),) * 2) if model.between is None else model.between.reach.apart(setting)
    day, place = np.nonzero(events)
    senders, sender = np.unique(place, return_inverse=True)
    first = np.searchsorted(day, np.arange(len(events) + 1))
    return Observed(
        setting, events, arrests,
        _late(taken / per_100k, model.deterrence),
        _late(taken.sum(axis=1, keepdims=True) / per_100k.sum(), model.backlash),
        loops.Active(first, place, events[day, place], sender.reshape(-1)),
        senders,
        apart[senders],
        np.log(per_100k),
        model.pulse.terms(setting) if isinstance(model.pulse, CalendarPulse) else {},
    )  # fmt: skip


def _late(given: np.ndarray, part: Deterrence | Backlash | None) -> np.ndarray:
    """(T, ...) later by the part's lag beyond one day: a stock of what came late is the earlier day's stock."""
    late = 0 if part is None else min(part.lag_days - 1, len(given))
    return np.concatenate([np.zeros_like(given[:late]), given[: len(given) - late]])


class Means(NamedTuple):
    """The means of all days at one parameter value, and what they are made of; (T, P) unless said.

    events = (given + (1 - keep) X of the day before) * factor, X what is `pushed`. weights : (Q, P). raised :
    background over its rate, (1, P) without effects. called : K; hurt, alarm : the stocks of arrests by place
    and (T, 1) of the country; each with its slope in its memory. Day 0 has no mean: NaN.
    """

    events: np.ndarray
    factor: np.ndarray
    pushed: np.ndarray
    weights: np.ndarray
    share: np.ndarray
    raised: np.ndarray
    called: tuple[np.ndarray, np.ndarray]
    hurt: tuple[np.ndarray, np.ndarray]
    alarm: tuple[np.ndarray, np.ndarray]


def means(model: Mobilisation, observed: Observed, groups: np.ndarray | None = None) -> Means:
    """Expected events given the past; groups : (T, P) organised groups at each day's start, where there are any."""
    setting = observed.setting
    share = model.shares(setting)
    called = _called(model, setting)
    logs = (model.scale * observed.log_population)[None]
    for name, value in model.background.effects.items():
        logs = logs + value * setting.covariates[name].T
    raised = np.exp(logs)
    given = model.background.rate * raised
    if model.call is not None:
        given = given + model.call.rate * share * called[0]
    if model.abroad is not None and setting.abroad is not None:
        given = given + model.abroad.rate * np.outer(setting.abroad, share)
    if groups is not None and model.organised is not None and model.groups is not None:
        acting = model.organised.rate / max(model.groups.initial, 1.0) * groups
        given = given + acting * (1 + model.organised.call_gain * called[0])
    weights = _weights(model, observed)
    within, between, media = (
        0.0 if part is None else part.offspring for part in (model.within, model.between, model.media)
    )
    pushed = loops.push(observed.active, model.keep, within, between, media, share, weights)
    hurt = loops.fading(observed.stock, model.arrests.memory)
    alarm = loops.fading(observed.country, model.arrests.memory)
    given = np.broadcast_to(given, observed.events.shape)
    log_factor = np.zeros((len(given) - 1, 1))
    if model.deterrence is not None:
        log_factor = log_factor - model.deterrence.strength * np.log1p(hurt[0][:-1])
    if model.backlash is not None:
        log_factor = log_factor + model.backlash.strength * np.log1p(alarm[0][:-1])
    if isinstance(model.pulse, CalendarPulse):
        log_factor = log_factor + model.pulse.log_level(observed.calendar)[1:, None]
    factor, events = np.full_like(given, np.nan), np.full_like(given, np.nan)
    factor[1:] = np.exp(log_factor)
    events[1:] = (given[1:] + (1 - model.keep) * pushed[:-1]) * factor[1:]
    return Means(events, factor, pushed, weights, share, raised, called, hurt, alarm)


def intensity(model: Mobilisation, setting: Setting, history: History) -> np.ndarray:
    """See `Mobilisation.intensity`."""
    require(model, "intensity", "intensity")
    observed = observe(model, setting, history)
    if model.organised is None:
        return means(model, observed).events.T
    if "groups" not in history.series:
        raise DataError(
            "this history has no groups, which act in this model. Give a series of organised groups by place and day, "
            "or leave them out: groups=None, organised=None."
        )
    return means(model, observed, np.asarray(history["groups"], dtype=float).T).events.T


def likelihood(model: Mobilisation, setting: Setting, history: History) -> Likelihood:
    """See `Mobilisation.likelihood`."""
    require(model, "likelihood", "likelihood")
    observed = observe(model, setting, history)
    order = names(model)
    kept = np.ones_like(observed.events, dtype=bool) if history.weighed is None else history.weighed.T
    # a count of 0 with mean 0 has log density 0: so drops out what is not weighed
    events = Counted.of(observed.events[1:] * kept[1:])
    seized = (observed.events > 0) & kept
    arrests = None if observed.arrests is None else Counted.of(observed.arrests[seized][None])
    at_events = observed.events[seized][None]

    def value_and_gradient(vector: np.ndarray) -> tuple[float, np.ndarray]:
        at = from_vector(model, vector)
        now = means(at, observed)
        value, slope, psi_slope = events.weigh(now.events[1:] * kept[1:], at.overdispersion)
        slope *= kept[1:]
        found = {"overdispersion": psi_slope}
        if arrests is not None:
            more, arrest_slope, found["arrests.overdispersion"] = arrests.weigh(
                at.arrests.per_event * at_events, at.arrests.overdispersion
            )
            value += more
            found["arrests.per_event"] = float((arrest_slope * at_events).sum())
        if not np.isfinite(value):
            return -np.inf, np.zeros(len(order))
        found |= _gradient(at, observed, now, slope)
        return value, np.array([found.get(name, 0.0) for name in order])

    return value_and_gradient


def pointwise(model: Mobilisation, setting: Setting, history: History) -> np.ndarray:
    """See `Mobilisation.pointwise`."""
    require(model, "pointwise", "pointwise")
    observed = observe(model, setting, history)
    terms = np.full_like(observed.events, np.nan)
    terms[1:] = log_mass(observed.events[1:], means(model, observed).events[1:], model.overdispersion)
    if observed.arrests is not None:
        expected = model.arrests.per_event * observed.events
        taken = log_mass(observed.arrests, expected, model.arrests.overdispersion)
        terms[0] = 0.0  # the events of day 0 are given, its arrests are not
        terms = np.where(observed.events > 0, terms + taken, terms)
        terms[0, observed.events[0] == 0] = np.nan
    return terms.T


def _called(model: Mobilisation, setting: Setting) -> tuple[np.ndarray, np.ndarray]:
    """(T, P) K, the fading memory of calls, and its slope in that memory; without calls, zeros."""
    calls = np.zeros(setting.shape) if setting.calls is None else setting.calls
    memory = 0.0 if model.call is None else model.call.memory
    return loops.fading(np.ascontiguousarray(calls.T), memory)


def _weights(model: Mobilisation, observed: Observed) -> np.ndarray:
    """(Q, P) rows of w_qp for the senders; in logs, so that a reach below every distance still sends to the nearest."""
    if model.between is None:
        return np.zeros((len(observed.senders), len(observed.log_population)))
    reach = model.between.reach
    logs = reach.log_value(observed.apart) + reach.exponent(model.scale) * observed.log_population
    logs[np.arange(len(logs)), observed.senders] = -np.inf
    top = logs.max(axis=1, keepdims=True, initial=-1e300)
    raw = np.exp(logs - top)
    total = raw.sum(axis=1, keepdims=True)
    return raw / np.where(total > 0, total, 1)


def _gradient(model: Mobilisation, observed: Observed, now: Means, slope: np.ndarray) -> dict[str, float]:
    """Derivatives by name of what enters the means, from the slope (T - 1, P) of the log density in each mean."""
    setting, share, keep = observed.setting, now.share, model.keep
    in_sum = slope * now.factor[1:]
    in_log = slope * now.events[1:]
    at_home, by_sender, by_receiver, faded = loops.pull(
        observed.active, keep, now.pushed, np.ascontiguousarray(in_sum), len(observed.senders)
    )
    in_share = np.zeros_like(share)
    raised = in_sum * now.raised[-len(in_sum) :]  # its last T - 1 days, or the one row that stands for all
    found = {"background.rate": float(raised.sum())}
    in_scale = model.background.rate * float(raised.sum(axis=0) @ observed.log_population)
    for name in model.background.effects:
        lifted = raised * setting.covariates[name].T[1:]
        found[f"background.effects.{name}"] = model.background.rate * float(lifted.sum())
    # what fades: (1 - keep) (within + between + media)
    found["keep"] = (1 - keep) * faded - float((in_sum * now.pushed[:-1]).sum())
    if model.within is not None:
        found["within.offspring"] = (1 - keep) * at_home
    if model.media is not None:
        found["media.offspring"] = (1 - keep) * float(share @ by_receiver)
        in_share += (1 - keep) * model.media.offspring * by_receiver
    if model.between is not None:
        found["between.offspring"] = (1 - keep) * float((now.weights * by_sender).sum())
        reach = model.between.reach
        for leaf, log_slope in zip(leaves(reach), reach.log_gradient(observed.apart), strict=True):
            turned = float((by_sender * weights_gradient(now.weights, log_slope)).sum())
            found[f"between.reach.{leaf.name}"] = (1 - keep) * model.between.offspring * turned
        turned = float((by_sender * weights_gradient(now.weights, observed.log_population)).sum())
        turned *= (1 - keep) * model.between.offspring
        if reach.own_exponent is None:
            in_scale += turned
        else:
            found[f"between.reach.{reach.own_exponent}"] += turned
    if model.call is not None:
        memory, memory_slope = now.called
        called = (in_sum * memory[1:]).sum(axis=0)
        found["call.rate"] = float(share @ called)
        found["call.memory"] = model.call.rate * float(share @ (in_sum * memory_slope[1:]).sum(axis=0))
        in_share += model.call.rate * called
    if model.abroad is not None and setting.abroad is not None:
        received = setting.abroad[1:] @ in_sum
        found["abroad.rate"] = float(share @ received)
        in_share += model.abroad.rate * received
    mean_log = float(share @ observed.log_population)
    found["scale"] = in_scale + float((in_share * share) @ (observed.log_population - mean_log))
    return found | _gradient_of_factors(model, observed, now, in_log)


def _gradient_of_factors(model: Mobilisation, observed: Observed, now: Means, in_log: np.ndarray) -> dict[str, float]:
    """Derivatives of what multiplies the means: pulse, deterrence, backlash and the memory of arrests."""
    found = {"arrests.memory": 0.0}
    by_day = in_log.sum(axis=1, keepdims=True)
    if model.deterrence is not None:
        stock, slope = now.hurt[0][:-1], now.hurt[1][:-1]
        found["deterrence.strength"] = -float((in_log * np.log1p(stock)).sum())
        found["arrests.memory"] -= model.deterrence.strength * float((in_log * slope / (1 + stock)).sum())
    if model.backlash is not None:
        stock, slope = now.alarm[0][:-1], now.alarm[1][:-1]
        found["backlash.strength"] = float((by_day * np.log1p(stock)).sum())
        found["arrests.memory"] += model.backlash.strength * float((by_day * slope / (1 + stock)).sum())
    if isinstance(model.pulse, CalendarPulse):
        found |= {f"pulse.{name}": float(by_day[:, 0] @ term[1:]) for name, term in observed.calendar.items()}
    return found


def _check_days(setting: Setting, history: History) -> None:
    if setting.window.step != 1:
        raise DataError(
            f"Mobilisation goes day by day and was given steps of {setting.window.step} days; its rates and memories "
            "are daily. Use a window with daily steps, or EndemicEpidemic for counts by week."
        )
    if setting.window.periods < 2:
        raise DataError("Mobilisation conditions on the first day; its density needs at least two days.")

"""The mobilisation model as its equations read: plain numpy, a day after a day, a place after a place.

`histories` draws many runs side by side (S, P, T); `log_density` weighs one history cell by cell.
"""

import math

import numpy as np
from scipy.stats import nbinom, poisson

from groundswell.models.triggering import Gravity, NearAndEverywhere, NeighbourhoodOrder, PowerLaw


def log_negative_binomial(y, mean, psi):
    if mean == 0:
        return 0.0 if y == 0 else -math.inf
    return poisson.logpmf(y, mean) if psi == 0 else nbinom.logpmf(y, 1 / psi, 1 / (1 + psi * mean))


def draw_negative_binomial(rng, mean, psi):
    mean = np.maximum(mean, 1e-300)
    return rng.poisson(mean) if psi == 0 else rng.negative_binomial(1 / psi, 1 / (1 + psi * mean))


def per_100k(setting):
    return setting.places.population / 100_000


def shares(model, setting):
    raised = per_100k(setting) ** model.scale
    return raised / raised.sum()


def steps_from(adjacency, first):
    """Shortest paths from one place, by walking outwards; infinity where none leads."""
    steps, reached = {first: 0}, [first]
    for q in reached:
        for p in np.flatnonzero(adjacency[q]):
            if p not in steps:
                steps[p] = steps[q] + 1
                reached.append(p)
    return [steps.get(p, math.inf) for p in range(len(adjacency))]


def unnormalised_weight(model, setting, q, p):
    """What p receives from q, before the row is divided by its sum."""
    reach = model.between.reach
    people = per_100k(setting)[p]
    if isinstance(reach, NeighbourhoodOrder):
        order = steps_from(setting.network.adjacency, q)[p]
        return 0.0 if order == math.inf else people**model.scale * order**-reach.decay
    distance = setting.places.distance_km[q, p]
    if isinstance(reach, Gravity):
        return people**reach.population * max(distance, 1.0) ** -reach.decay
    if isinstance(reach, PowerLaw):
        return people**model.scale * (1 + distance / reach.scale_km) ** -reach.decay
    near = math.exp(-distance / reach.scale_km)
    if isinstance(reach, NearAndEverywhere):
        return people**model.scale * (reach.everywhere + (1 - reach.everywhere) * near)
    return people**model.scale * near


def reach_weights(model, setting):
    """w[q][p]: of what an event in q triggers elsewhere, the share that p receives."""
    count = len(setting.places)
    w = np.zeros((count, count))
    if model.between is None:
        return w
    for q in range(count):
        for p in range(count):
            if p != q:
                w[q, p] = unnormalised_weight(model, setting, q, p)
        if w[q].sum() > 0:
            w[q] /= w[q].sum()
    return w


def log_pulse(model, setting):
    days = np.arange(setting.window.periods)
    if model.pulse is None:
        return np.zeros(len(days))
    labels = [date.strftime("%a").lower() for date in setting.window.dates()]
    weekday = model.pulse.weekday
    mean_of_a_week = sum(weekday.values()) / 7
    level = np.array([model.pulse.trend * t + weekday.get(labels[t], 0.0) - mean_of_a_week for t in days])
    for label, value in model.pulse.dates.items():
        for t, date in enumerate(setting.window.dates()):
            on = setting.covariates[label][0, t] if label in setting.covariates else float(str(date) == label)
            level[t] += value * on
    return level


def of_day(stock, t):
    """A stock by day, at the end of day t; nothing before the first day."""
    return stock[t] if t >= 0 else 0.0 * stock[0]


def stocks(model, arrests, people):
    """H of the places and of the country at the end of each day: [day][..., place], [day][...]; arrests (..., P, T)."""
    hurt, alarm = [], []
    for t in range(arrests.shape[-1]):
        today = arrests[..., t]
        before = (hurt[-1], alarm[-1]) if t > 0 else (0.0, 0.0)
        hurt.append(model.arrests.memory * before[0] + today / people)
        alarm.append(model.arrests.memory * before[1] + today.sum(axis=-1) / people.sum())
    return hurt, alarm


def calls(model, setting):
    """K (P, T)."""
    out = np.zeros(setting.shape)
    if setting.calls is None:
        return out
    memory = model.call.memory if model.call is not None else 0.0
    for t in range(setting.window.periods):
        out[:, t] = setting.calls[:, t] + (memory * out[:, t - 1] if t > 0 else 0)
    return out


def lag(part):
    return 1 if part is None else part.lag_days


def expected(model, setting, p, t, momentum, hurt, alarm, groups, called, w, pulse):
    """mu_pt from the memories of the day before; momentum (..., P), groups (...), and from the stocks of all days."""
    hurt = of_day(hurt, t - lag(model.deterrence))[..., p]
    alarm = of_day(alarm, t - lag(model.backlash))
    share = shares(model, setting)[p]
    covariates = sum(value * setting.covariates[name][p, t] for name, value in model.background.effects.items())
    total = model.background.rate * per_100k(setting)[p] ** model.scale * math.exp(covariates)
    if model.within is not None:
        total = total + (1 - model.keep) * model.within.offspring * momentum[..., p]
    if model.between is not None:
        for q in range(len(setting.places)):
            total = total + (1 - model.keep) * model.between.offspring * w[q, p] * momentum[..., q]
    if model.media is not None:
        total = total + (1 - model.keep) * model.media.offspring * share * momentum.sum(axis=-1)
    if model.organised is not None:
        one = model.organised.rate / max(model.groups.initial, 1)
        total = total + one * groups * (1 + model.organised.call_gain * called[p, t])
    if model.call is not None:
        total = total + model.call.rate * share * called[p, t]
    if model.abroad is not None:
        total = total + model.abroad.rate * share * setting.abroad[t]
    total = total * math.exp(pulse[t])
    if model.deterrence is not None:
        total = total * np.exp(-model.deterrence.strength * np.log(1 + hurt))
    if model.backlash is not None:
        total = total * np.exp(model.backlash.strength * np.log(1 + alarm))
    return total


def crowd(rng, model, events):
    total = np.zeros(events.shape)
    for k in range(int(events.max())):
        one = model.crowds.median * np.exp(model.crowds.spread * rng.standard_normal(events.shape))
        total += np.where(k < events, one, 0)
    return total


def histories(model, setting, runs, rng):
    """{series: (S, P, T)} of independent runs."""
    count, days = setting.shape
    people, w = per_100k(setting), reach_weights(model, setting)
    pulse, called = log_pulse(model, setting), calls(model, setting)
    names = ("events", "arrests", "participants", "warned", "formed", "broken_up", "members_arrested",
             "members_warned", "groups")  # fmt: skip
    out = {name: np.zeros((runs, count, days)) for name in names}
    momentum = np.zeros((runs, count))
    there = model.groups
    groups = rng.poisson(there.initial * shares(model, setting), (runs, count)) if there else np.zeros((runs, count))
    first = [setting.places.index(name) for name in setting.active_on_day0]
    for t in range(days):
        out["groups"][:, :, t] = groups
        before, grown = momentum.copy(), groups.copy()
        hurt, alarm = stocks(model, out["arrests"][:, :, : max(t, 1)], people)
        for p in range(count):
            if t == 0:
                y = np.full(runs, 1 if p in first else 0)
            else:
                mean = expected(model, setting, p, t, before, hurt, alarm, groups[:, p], called, w, pulse)
                y = draw_negative_binomial(rng, mean * np.ones(runs), model.overdispersion)
            a = draw_negative_binomial(rng, model.arrests.per_event * y, model.arrests.overdispersion)
            a = np.where(y > 0, a, 0)
            out["events"][:, p, t], out["arrests"][:, p, t] = y, a
            out["participants"][:, p, t] = crowd(rng, model, y)
            out["warned"][:, p, t] = rng.poisson(model.warnings_per_arrest * a)
            momentum[:, p] = model.keep * before[:, p] + y
            if there is None:
                continue
            rate = there.recruitment / 365 * groups[:, p] * (1 + there.momentum_recruitment * momentum[:, p])
            r = rng.poisson(rate + there.contact / 365 * (groups @ w[:, p]))
            b = rng.binomial(groups[:, p], 1 - np.exp(-there.breakup / 365 * (1 + there.exposure * y)))
            out["formed"][:, p, t], out["broken_up"][:, p, t] = r, b
            out["members_arrested"][:, p, t] = there.members * b
            out["members_warned"][:, p, t] = rng.poisson(there.warned_per_member_arrested * there.members * b)
            grown[:, p] += r - b
        groups = grown
    return out


def log_density(model, setting, history):
    """Of the events of day 1 on given day 0, and of all arrests given events, cell by cell."""
    count, days = setting.shape
    people, w = per_100k(setting), reach_weights(model, setting)
    pulse, called = log_pulse(model, setting), calls(model, setting)
    events = history["events"]
    arrests = history.series.get("arrests")
    hurt, alarm = stocks(model, arrests if arrests is not None else np.zeros((count, days)), people)
    momentum = np.zeros(count)
    total = 0.0
    for t in range(days):
        for p in range(count):
            if t > 0:
                mean = expected(model, setting, p, t, momentum, hurt, alarm, 0.0, called, w, pulse)
                total += log_negative_binomial(events[p, t], mean, model.overdispersion)
            if arrests is not None and events[p, t] > 0:
                mean = model.arrests.per_event * events[p, t]
                total += log_negative_binomial(arrests[p, t], mean, model.arrests.overdispersion)
        momentum = model.keep * momentum + events[:, t]
    return total

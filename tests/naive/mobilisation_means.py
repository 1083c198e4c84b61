"""The mobilisation model's mean field as it reads: a place and a day at a time, quiet places and others apart."""

import math

import numpy as np
from naive.mobilisation import calls, log_pulse, per_100k, reach_weights, shares


def none_of(mean, psi):
    return math.exp(-mean) if psi == 0 else (1 + psi * mean) ** (-1 / psi)


def course(model, setting):
    """{name: (P, T)} of events, calm and stirred rates; quiet (P, T + 1)."""
    count, days = setting.shape
    people, w, share = per_100k(setting), reach_weights(model, setting), shares(model, setting)
    called, pulse = calls(model, setting), np.exp(log_pulse(model, setting))
    first = [setting.places.index(name) for name in setting.active_on_day0]
    offspring = [
        part.offspring * (1 - model.keep) if part else 0 for part in (model.within, model.between, model.media)
    ]
    within, between, media = offspring
    deterrence = model.deterrence.strength if model.deterrence else 0
    backlash = model.backlash.strength if model.backlash else 0
    out = {name: np.zeros((count, days)) for name in ("events", "calm", "stirred")}
    quiet = np.ones((count, days + 1))
    momentum, hurt = np.zeros(count), np.zeros(count)
    alone, alone_hurt = np.zeros(count), np.zeros(count)  # memories of places without an event since the first day
    groups = model.groups.initial * share if model.groups else np.zeros(count)
    for t in range(days):
        today = np.zeros(count)
        for p in range(count):
            if t == 0:
                today[p] = 1.0 if p in first else 0.0
                continue
            effects = math.exp(sum(v * setting.covariates[k][p, t] for k, v in model.background.effects.items()))
            level = model.background.rate * people[p] ** model.scale * effects
            level += sum(between * w[q, p] * momentum[q] for q in range(count)) + media * share[p] * momentum.sum()
            if model.call:
                level += model.call.rate * share[p] * called[p, t]
            if model.abroad:
                level += model.abroad.rate * share[p] * setting.abroad[t]
            if model.organised:
                one = model.organised.rate / max(model.groups.initial, 1)
                level += one * groups[p] * (1 + model.organised.call_gain * called[p, t])
            alarm = sum(hurt * people) / sum(people)
            factor = pulse[t] * (1 + alarm) ** backlash
            q = quiet[p, t]
            calm = (level + within * alone[p]) * factor * (1 + alone_hurt[p]) ** -deterrence
            stirred = calm
            if 1 - q > 1e-9:
                own, held = ((a - q * b) / (1 - q) for a, b in ((momentum[p], alone[p]), (hurt[p], alone_hurt[p])))
                stirred = (level + within * own) * factor * (1 + held) ** -deterrence
            today[p] = q * calm + (1 - q) * stirred
            quiet[p, t + 1] = q * none_of(calm, model.overdispersion)
            out["calm"][p, t], out["stirred"][p, t] = calm, stirred
        out["events"][:, t] = today
        momentum = model.keep * momentum + today
        hurt = model.arrests.memory * hurt + model.arrests.per_event * today / people
        given = today if t == 0 else 0 * today
        alone = model.keep * alone + given
        alone_hurt = model.arrests.memory * alone_hurt + model.arrests.per_event * given / people
        if model.groups:
            groups = groups * (model.groups.recruitment / 365 + math.exp(-model.groups.breakup / 365))
    return out | {"quiet": quiet}


def none(model, setting, made, p, first, last):
    """Chance of no event at a place on the days after the first."""
    begin = max(first, 1)
    still = math.prod(none_of(made["stirred"][p, t], model.overdispersion) for t in range(begin, last + 1))
    return made["quiet"][p, last + 1] + (1 - made["quiet"][p, begin]) * still


def total(model, setting, made, asked):
    """The expected total: events, arrests, participants, or places with an event."""
    if not asked.distinct:
        events = sum(made["events"][p, t] for p in asked.where for t in range(asked.first, asked.last + 1))
        size = {
            "events": 1.0,
            "arrests": model.arrests.per_event,
            "participants": model.crowds.median * math.exp(model.crowds.spread**2 / 2),
            "warned": model.arrests.per_event * model.warnings_per_arrest,
        }
        return events * size[asked.series]
    found = 0.0
    for p in asked.where:
        given = asked.first == 0 and setting.places.name[p] in setting.active_on_day0
        chance = none(model, setting, made, p, asked.first, asked.last)
        if asked.series == "arrests":
            begin = max(asked.first, 1)
            some, days = 1 - chance, asked.last + 1 - begin
            mean = made["events"][p, begin : asked.last + 1].sum() / some if some > 0 else 1.0
            stop = max(1 / mean, 1e-9)
            for y in range(1, 400):
                psi = model.arrests.overdispersion * (1 / days + (1 - 1 / days) / y)
                chance += some * stop * (1 - stop) ** (y - 1) * (1 + psi * model.arrests.per_event * y) ** (-1 / psi)
            if given:
                psi = model.arrests.overdispersion
                chance *= (1 + psi * model.arrests.per_event) ** (-1 / psi)
            found += 1 - chance
        else:
            found += 1.0 if given else 1 - chance
    return found

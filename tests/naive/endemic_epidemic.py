"""The endemic-epidemic model written out cell by cell, as in the papers; slow and obvious."""

from __future__ import annotations

import math

import numpy as np


def column(label, period, setting, place, step):
    if label == "trend":
        return float(step)
    if label.startswith("sin"):
        return math.sin(2 * math.pi * int(label[3:]) * step / period)
    if label.startswith("cos"):
        return math.cos(2 * math.pi * int(label[3:]) * step / period)
    if label.startswith("log("):
        return math.log(column(label[4:-1], period, setting, place, step))
    if label == "population_share" and label not in setting.covariates:
        return setting.places.population[place] / sum(setting.places.population)
    return setting.covariates[label][place, step]


def rate(part, setting, place, step):
    power = part.intercept
    for label, coefficient in part.effects.items():
        power += coefficient * column(label, part.period, setting, place, step)
    if part.random is not None:
        power += part.random.by_place[setting.places.name[place]]
    offset = 1.0 if part.offset is None else column(part.offset, part.period, setting, place, step)
    return offset * math.exp(power)


def orders(adjacency):
    """Neighbourhood orders by widening rings."""
    count = len(adjacency)
    order = [[math.inf] * count for _ in range(count)]
    for start in range(count):
        order[start][start] = 0
        ring, distance = [start], 0
        while ring:
            distance += 1
            found = []
            for place in ring:
                for other in range(count):
                    if adjacency[place][other] and order[start][other] == math.inf:
                        order[start][other] = distance
                        found.append(other)
            ring = found
    return order


def weight(weights, setting, sender, receiver, order_of):
    """Not yet normalised."""
    kind = type(weights).__name__
    if kind == "Given":
        return weights.weight[sender][receiver]
    if sender == receiver:
        return 0.0
    if kind == "Everywhere":
        return 1.0
    if kind == "Gravity":
        people = setting.places.population
        distance = setting.places.distance_km[sender, receiver]
        return (people[receiver] / (sum(people) / len(people))) ** weights.population * (
            1 + distance / weights.scale_km
        ) ** -weights.decay
    if kind == "DistancePowerLaw":
        distance = setting.places.distance_km[sender, receiver]
        return (1 + distance / weights.scale_km) ** -weights.decay
    order = order_of[sender][receiver]
    if order == math.inf:
        return 0.0
    if kind == "FirstOrder":
        return 1.0 if order == 1 else 0.0
    if kind == "PowerLaw":
        return order**-weights.decay if weights.furthest is None or order <= weights.furthest else 0.0
    if order == 1:
        return 1.0
    return math.exp(weights.log_weight[str(order)]) if str(order) in weights.log_weight else 0.0


def matrix(weights, setting):
    count = len(setting.places)
    order_of = None if setting.network is None else orders(setting.network.adjacency)
    raw = [[weight(weights, setting, j, i, order_of) for i in range(count)] for j in range(count)]
    if weights.normalised:
        raw = [[w / sum(row) if sum(row) > 0 else 0.0 for w in row] for row in raw]
    return raw


def lag_weight(lags, lag):
    if lags is None:
        return 1.0 if lag == 1 else 0.0
    if type(lags).__name__ == "GeometricLags":
        every = [lags.persistence**power for power in range(lags.steps)]
    else:
        every = [1.0, *(math.exp(value) for value in lags.log_weight.values())]
    return every[lag - 1] / sum(every) if lag <= len(every) else 0.0


def mean(model, setting, counts, place, step, weights):
    expected = rate(model.endemic, setting, place, step)
    for lag in range(1, step + 1):
        before = counts[:, step - lag]
        if model.within is not None and (own := lag_weight(model.within.lags, lag)) > 0:
            expected += rate(model.within, setting, place, step) * own * before[place]
        if model.between is not None and (own := lag_weight(model.between.lags, lag)) > 0:
            received = sum(weights[sender][place] * before[sender] for sender in range(len(counts)))
            expected += rate(model.between, setting, place, step) * own * received
    return expected


def dispersion(model, setting, place):
    if model.overdispersion is None:
        return 0.0
    if type(model.overdispersion).__name__ == "OverdispersionByPlace":
        return model.overdispersion.by_place[setting.places.name[place]]
    return model.overdispersion.psi


def conditioned(model):
    if model.conditioned is not None:
        return model.conditioned
    longest = 1
    for part in (model.within, model.between):
        if part is not None and part.lags is not None:
            longest = max(longest, max(lag for lag in range(1, 50) if lag_weight(part.lags, lag) > 0))
    return longest


def log_probability(count, expected, psi):
    if psi == 0:
        return count * math.log(expected) - expected - math.lgamma(count + 1)
    size = 1 / psi
    return (
        math.lgamma(count + size)
        - math.lgamma(size)
        - math.lgamma(count + 1)
        + size * math.log(size / (size + expected))
        + count * math.log(expected / (size + expected))
    )


def log_density(model, setting, history):
    counts = history["events"]
    weights = None if model.between is None else matrix(model.between.weights, setting)
    total = 0.0
    for place in range(setting.shape[0]):
        psi = dispersion(model, setting, place)
        for step in range(conditioned(model), setting.shape[1]):
            total += log_probability(counts[place, step], mean(model, setting, counts, place, step, weights), psi)
    return total


def simulate(model, setting, rng):
    places, steps = setting.shape
    weights = None if model.between is None else matrix(model.between.weights, setting)
    psi = [dispersion(model, setting, place) for place in range(places)]
    counts = np.zeros((places, steps))
    for step in range(steps):
        means = [mean(model, setting, counts, place, step, weights) for place in range(places)]
        if all(psi):
            means = [rng.gamma(1 / p, p * expected) for p, expected in zip(psi, means, strict=True)]
        counts[:, step] = [rng.poisson(expected) for expected in means]
    return counts

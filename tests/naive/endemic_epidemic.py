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


def mean(model, setting, counts, place, step, weights):
    expected = rate(model.endemic, setting, place, step)
    if step == 0:
        return expected
    if model.within is not None:
        expected += rate(model.within, setting, place, step) * counts[place, step - 1]
    if model.between is not None:
        received = sum(weights[sender][place] * counts[sender, step - 1] for sender in range(len(counts)))
        expected += rate(model.between, setting, place, step) * received
    return expected


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
    psi = 0.0 if model.overdispersion is None else model.overdispersion.psi
    total = 0.0
    for place in range(setting.shape[0]):
        for step in range(1, setting.shape[1]):
            total += log_probability(counts[place, step], mean(model, setting, counts, place, step, weights), psi)
    return total


def simulate(model, setting, rng):
    places, steps = setting.shape
    weights = None if model.between is None else matrix(model.between.weights, setting)
    psi = 0.0 if model.overdispersion is None else model.overdispersion.psi
    counts = np.zeros((places, steps))
    for step in range(steps):
        means = [mean(model, setting, counts, place, step, weights) for place in range(places)]
        if psi > 0:
            means = [rng.gamma(1 / psi, psi * expected) for expected in means]
        counts[:, step] = [rng.poisson(expected) for expected in means]
    return counts

"""Slow twins of the self-exciting process: every pair of events is visited, nothing is carried along."""

import math
from itertools import pairwise

import numpy as np


def log_density(times, place, days, background, offspring, decay):
    """Value and its derivatives in background, offspring and decay, straight from the definitions; O(E^2).

    offspring[q][p]: what one event at q triggers at p. Events at times below 0 only excite.
    """
    kinds = len(background)
    value, d_decay = 0.0, 0.0
    d_background = np.zeros(kinds)
    d_offspring = np.zeros((kinds, kinds))
    for i, (t, p) in enumerate(zip(times, place, strict=True)):
        if t < 0:
            continue
        rate, slope = background[p], 0.0
        sent = np.zeros(kinds)
        for j in range(i):
            lag = t - times[j]
            if lag > 0:
                q, g = place[j], decay * math.exp(-decay * lag)
                rate += offspring[q][p] * g
                sent[q] += g
                slope += offspring[q][p] * (1 - decay * lag) * math.exp(-decay * lag)
        value += math.log(rate) if rate > 0 else -math.inf
        if rate > 0:
            d_background[p] += 1 / rate
            d_offspring[:, p] += sent / rate
            d_decay += slope / rate
    for p in range(kinds):
        value -= background[p] * days
        d_background[p] -= days
    for t, q in zip(times, place, strict=True):
        begin, end = max(0.0, -t), days - t
        share = math.exp(-decay * begin) - math.exp(-decay * end)
        for p in range(kinds):
            value -= offspring[q][p] * share
            d_offspring[q, p] -= share
            d_decay -= offspring[q][p] * (end * math.exp(-decay * end) - begin * math.exp(-decay * begin))
    return value, d_background, d_offspring, d_decay


def integrated_intensity(times, place, edges, background, offspring, decay):
    """(P, T) integral of each place's intensity between consecutive edges, event by event."""
    out = np.zeros((len(background), len(edges) - 1))
    for k, (start, end) in enumerate(pairwise(edges)):
        for p in range(len(background)):
            out[p, k] = background[p] * (end - start)
            for t, q in zip(times, place, strict=True):
                if t < end:
                    begin = max(start, t)
                    out[p, k] += offspring[q][p] * (math.exp(-decay * (begin - t)) - math.exp(-decay * (end - t)))
    return out


def simulate(rng, times, place, start, end, background, shares, offspring, weights, decay):
    """The events of (start, end) after the given ones, with the draws of the compiled simulator in its order."""
    times, place = list(times), list(place)
    kinds, now, drawn = len(shares), start, []
    while True:
        left = [0.0] * kinds
        for t, q in zip(times, place, strict=True):
            left[q] += math.exp(-decay * (now - t))
        coming = sum(offspring[q] * left[q] for q in range(kinds))
        variate = rng.exponential()
        wait = variate / background if background > 0 else math.inf
        variate = rng.exponential()
        other = -math.log(1 - variate / coming) / decay if variate < coming else math.inf
        now += min(wait, other)
        if now >= end:
            return drawn
        if other < wait:
            target, sender, reached = rng.random() * coming, 0, offspring[0] * left[0]
            while reached <= target and sender < kinds - 1:
                sender += 1
                reached += offspring[sender] * left[sender]
            row = weights[sender]
        else:
            row = shares
        u, p, reached = rng.random(), 0, row[0]
        while reached <= u and p < kinds - 1:
            p += 1
            reached += row[p]
        times.append(now)
        place.append(p)
        drawn.append((now, p))

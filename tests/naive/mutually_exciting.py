"""Slow twins of mutually exciting events: every pair of events is visited, nothing is carried along.

offspring[q][k]: what one event of kind q triggers of kind k. decay[q] is that of the sender. Events at times below 0
only excite.
"""

import math


def rate(when, of_kind, times, kind, background, offspring, decay):
    """The intensity of a kind at a moment, from the events strictly before it."""
    total = background[of_kind]
    for t, q in zip(times, kind, strict=True):
        if t < when:
            total += offspring[q][of_kind] * decay[q] * math.exp(-decay[q] * (when - t))
    return total


def integral(when, of_kind, times, kind, background, offspring, decay):
    """The intensity of a kind integrated from 0 to a moment, event by event."""
    total = background[of_kind] * when
    for t, q in zip(times, kind, strict=True):
        if t < when:
            total += offspring[q][of_kind] * (math.exp(-decay[q] * max(0.0, -t)) - math.exp(-decay[q] * (when - t)))
    return total


def log_density(times, kind, days, background, offspring, decay):
    """Sum of log intensities of the events from time 0 on, less all integrals; O(E^2)."""
    law = times, kind, background, offspring, decay
    value = -sum(integral(days, k, *law) for k in range(len(background)))
    for t, k in zip(times, kind, strict=True):
        if t >= 0:
            at = rate(t, k, *law)
            value += math.log(at) if at > 0 else -math.inf
    return value


def parents(times, kind, background, offspring, decay):
    """For each event from time 0 on: its background, what earlier events add (row -> amount; those before 0 too)."""
    out = []
    for i, (t, k) in enumerate(zip(times, kind, strict=True)):
        if t >= 0:
            added = {
                j: offspring[kind[j]][k] * decay[kind[j]] * math.exp(-decay[kind[j]] * (t - times[j]))
                for j in range(i)
                if times[j] < t
            }
            out.append((background[k], added))
    return out


def simulate(rng, times, kind, start, end, background, offspring, decay):
    """The events of (start, end) after the given ones, with the draws of the compiled simulator in its order."""
    times, kind, kinds = list(times), list(kind), range(len(background))
    now, drawn = start, []
    while True:
        variate = rng.exponential()
        wait, row = (variate / sum(background) if sum(background) > 0 else math.inf), background
        for q in kinds:
            left = sum(math.exp(-decay[q] * (now - t)) for t, one in zip(times, kind, strict=True) if one == q)
            coming = sum(offspring[q]) * left
            variate = rng.exponential()
            if variate < coming:
                other = -math.log(1 - variate / coming) / decay[q]
                if other < wait:
                    wait, row = other, offspring[q]
        now += wait
        if now >= end:
            return drawn
        target, k, reached = rng.random() * sum(row), 0, row[0]
        while reached <= target and k < len(background) - 1:
            k += 1
            reached += row[k]
        times.append(now)
        kind.append(k)
        drawn.append((now, k))

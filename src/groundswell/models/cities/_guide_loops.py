"""Place-days whose events and arrests are drawn towards what claims say of them, compiled.

What is still to come in a claim's window is told by one number, the events expected of it: `guide.table` holds a row
of weights for each of a few such numbers, and a history is weighed between the two rows that are nearest to its own.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from groundswell.models.cities._count_loops import tilted_events

RARE = 1e-2
"""Chance of more events than are weighed one by one; beyond, a draw is corrected by its exact weight."""
FEW = 1e-3
"""The same of arrests: beyond, they are left out of the weights by which events are drawn, which is taken back."""
LEAST = 0.02
"""Events expected on the days that are left, at least: what a mean of 0 rules out today may come tomorrow."""


@njit(cache=True)
def _weight_at(weight, persons, scale):
    """The weight at `persons` of a table made for `scale` times as many; linear between its entries."""
    at = (persons + 0.5) * scale - 0.5
    if at <= 0.0:
        return weight[0]
    i = int(at)
    if i >= len(weight) - 1:
        return weight[-1]
    return weight[i] + (at - i) * (weight[i + 1] - weight[i])


@njit(cache=True)
def _between(coming, expected):
    """The row below `expected` and how far it lies towards the next."""
    last = len(coming) - 1
    j = 0
    while j < last and coming[j + 1] <= expected:
        j += 1
    return (j, 0.0) if j == last else (j, (expected - coming[j]) / (coming[j + 1] - coming[j]))


@njit(cache=True)
def _rows(guide, k, mean):
    """Rows of place k's weights between which a history lies that expects `mean` events a day, and how far."""
    left = guide.days_left[k]
    j, part = _between(guide.coming, max(left * mean, LEAST) if left > 0 else 0.0)
    wide = guide.wide[k]
    begin = guide.first[k] + j * wide
    after = begin + wide if part > 0.0 else begin
    return guide.table[begin : begin + wide], guide.table[after : after + wide], part


@njit(cache=True)
def standing(guide, k, h, mean, persons):
    """The weight of so many arrests noted so far, if `mean` events a day are expected on the days that are left."""
    low, high, part = _rows(guide, k, mean)
    scale = guide.scale[k, h]
    return (1.0 - part) * _weight_at(low, persons, scale) + part * _weight_at(high, persons, scale)


@njit(cache=True)
def _fill(guide, k, h, mean, filled, wanted, work):
    """Fill work[a] with the weight that would stand after a arrests today, for a from `filled` to before `wanted`."""
    low, high, part = _rows(guide, k, mean)
    scale, offset = guide.scale[k, h], guide.offset[k, h]
    if part == 0.0:
        for a in range(filled, wanted):
            work[a] = _weight_at(low, offset + a, scale)
    else:
        for a in range(filled, wanted):
            work[a] = (1.0 - part) * _weight_at(low, offset + a, scale) + part * _weight_at(high, offset + a, scale)
    return max(filled, wanted)


@njit(cache=True, nogil=True)
def arrests_law(mean, psi, out):
    """Fill out[a] with P(A = a), negative binomial, as far as it matters; how many are filled."""
    share = psi * mean / (1.0 + psi * mean)
    log_term = -mean if psi < 1e-9 else -math.log1p(psi * mean) / psi
    term = math.exp(log_term) if log_term > -700.0 else 0.0
    for a in range(len(out)):
        out[a] = term
        factor = mean / (a + 1) if psi < 1e-9 else (a + 1.0 / psi) / (a + 1) * share
        if term > 0.0:
            term *= factor
            if term < 1e-12 and factor < 1.0:
                return a + 1
        else:
            log_term += math.log(factor)
            term = math.exp(log_term) if log_term > -700.0 else 0.0
    return len(out)


@njit(cache=True, nogil=True)
def arrests_laws(mean_per_event, psi, laws, near, reach):
    """`arrests_law` of y = 0, 1, ... events into the rows of laws (Y + 1, A + 1).

    reach, near (Y + 1,) : how far each row goes, and up to where all but FEW of it lies.
    """
    laws[:] = 0.0
    laws[0, 0], near[0], reach[0] = 1.0, 1, 1
    for y in range(1, len(laws)):
        reach[y] = arrests_law(mean_per_event * y, psi, laws[y])
        beyond, a = 1.0, 0
        while beyond > FEW and a < reach[y]:
            beyond -= laws[y, a]
            a += 1
        near[y] = a


@njit(cache=True, fastmath={"reassoc", "contract"})
def weighed(law, weight, reach):
    """The sum of law times weight up to `reach`."""
    total = 0.0
    for a in range(reach):
        total += law[a] * weight[a]
    return total


@njit(cache=True)
def _most_events(mu, psi, log_g, limit):
    """Events that are weighed one by one: up to the limit where a crowd asks for many, else until more are rare."""
    for y in range(len(log_g)):
        if log_g[y] != 0.0:
            return limit
    term = math.exp(-mu) if psi < 1e-9 else math.exp(-math.log1p(psi * mu) / psi)
    share = 0.0 if psi < 1e-9 else psi * mu / (1.0 + psi * mu)
    beyond, y = 1.0 - term, 0
    while beyond > RARE and y < limit:
        term *= mu / (y + 1) if psi < 1e-9 else (y + 1.0 / psi) / (y + 1) * share
        beyond -= term
        y += 1
    return y


@njit(cache=True)
def guided_events(rng, seen, rest, psi, mu, guide, k, h, work, tilt, weights):
    """Events of guided place k: how many, the log weight of having drawn them so, and how much of `work` is filled.

    seen : known already. rest : mean of the others. mu : of all of them. Where arrests are weighed, counts are drawn
    by what they make probable; that is owed until `guided_arrests`.
    """
    log_g = guide.log_g[k]
    last, filled = len(log_g) - 1, 0
    if guide.first[k] < 0:
        most = max(last - seen, 0)
        for more in range(most + 1):
            tilt[more] = log_g[min(seen + more, last)]
    else:
        most = _most_events(rest, psi, log_g, max(len(guide.laws) - 1 - seen, 0))
        filled = _fill(guide, k, h, mu, 0, guide.near[min(seen + most, len(guide.laws) - 1)], work)
        for more in range(most + 1):
            y = min(seen + more, len(guide.laws) - 1)
            total = weighed(guide.laws[y], work, guide.near[y])
            tilt[more] = (math.log(total) if total > 0.0 else -np.inf) + log_g[min(y, last)]
    more, log_total = tilted_events(rng, rest, psi, tilt[: most + 1], weights)
    return seen + more, log_total - (tilt[min(more, most)] if log_total > -np.inf else 0.0), filled


@njit(cache=True)
def guided_arrests(rng, count, mu, rates, guide, k, h, filled, work, law):
    """Arrests at `count` events of guided place k, drawn towards the claims, and the log weight of that."""
    if count == 0:
        return 0, 0.0
    if count < len(guide.laws):
        law, reach = guide.laws[count], guide.reach[count]
    else:
        reach = arrests_law(rates.arrests_per_event * count, rates.arrests_overdispersion, law)
    _fill(guide, k, h, mu, filled, reach, work)
    total = weighed(law, work, reach)
    if total <= 0.0:
        return 0, -np.inf
    target = rng.random() * total
    for a in range(reach):
        target -= law[a] * work[a]
        if target < 0.0:
            return a, math.log(total) - math.log(work[a])
    a = reach - 1  # rounding has left nothing
    while law[a] * work[a] <= 0.0:
        a -= 1
    return a, math.log(total) - math.log(work[a])

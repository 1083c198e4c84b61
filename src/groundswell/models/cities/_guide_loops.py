"""Place-days whose events and arrests are drawn towards what claims say of them, compiled.

What is still to come in a claim's window is told by one number, the events expected of it: `guide.table` holds a row
of weights for each of a few such numbers, and a history is weighed between the two rows that are nearest to its own.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from groundswell.models._elementary_loops import weighed
from groundswell.models.cities._count_loops import tilted_events

RARE = 1e-2
"""Chance of more events than are weighed one by one; beyond, a draw is corrected by its exact weight."""
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
def fill(guide, k, h, mean, work):
    """Fill work[b] with the weight that would stand after as many arrests today as block b has in its middle.

    mean : of the place's events a day.
    """
    low, high, part = _rows(guide, k, mean)
    scale, offset = guide.scale[k, h], guide.offset[k, h]
    for b in range(len(work)):
        persons = offset + 0.5 * (guide.edge[b] + guide.edge[b + 1] - 1)
        work[b] = _weight_at(low, persons, scale)
        if part > 0.0:
            work[b] += part * (_weight_at(high, persons, scale) - work[b])


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


@njit(cache=True)
def _by_block(law, edge, mass):
    """Fill mass[b] with the probability of block b, of edge[b] arrests and more up to before edge[b + 1]."""
    for b in range(len(mass)):
        mass[b] = 0.0
        for a in range(edge[b], edge[b + 1]):
            mass[b] += law[a]


@njit(cache=True, nogil=True)
def arrests_laws(mean_per_event, psi, edge, laws, mass):
    """`arrests_law` of y = 0, 1, ... events into the rows of laws (Y + 1, A + 1), and of mass (Y + 1, B) by block."""
    laws[:] = 0.0
    laws[0, 0] = 1.0
    for y in range(len(laws)):
        if y > 0:
            arrests_law(mean_per_event * y, psi, laws[y])
        _by_block(laws[y], edge, mass[y])


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
def guided_events(rng, seen, rest, psi, guide, k, work, tilt, weights):
    """Events of guided place k: how many, and the log weight of having drawn them so.

    seen : known already. rest : mean of the others. work : what `fill` has made of it. Where arrests are weighed,
    counts are drawn by what they make probable; that is owed until `guided_arrests`.
    """
    log_g = guide.log_g[k]
    last = len(log_g) - 1
    if guide.first[k] < 0:
        most = max(last - seen, 0)
        for more in range(most + 1):
            tilt[more] = log_g[min(seen + more, last)]
    else:
        most = _most_events(rest, psi, log_g, max(len(guide.laws) - 1 - seen, 0))
        for more in range(most + 1):
            y = min(seen + more, len(guide.laws) - 1)
            total = weighed(guide.mass[y], work)
            tilt[more] = (math.log(total) if total > 0.0 else -np.inf) + log_g[min(y, last)]
    more, log_total = tilted_events(rng, rest, psi, tilt[: most + 1], weights)
    return seen + more, log_total - (tilt[min(more, most)] if log_total > -np.inf else 0.0)


@njit(cache=True)
def guided_arrests(rng, count, rates, guide, work, law, mass):
    """Arrests at `count` events of a guided place, drawn towards the claims, and the log weight of that.

    By block, of which all arrests have the weight of its middle, and inside it by their law. work : what `fill` has
    made of the place. law, mass : room for those of more events than are tabulated.
    """
    if count == 0:
        return 0, 0.0
    if count < len(guide.laws):
        law, mass = guide.laws[count], guide.mass[count]
    else:
        law[:] = 0.0
        arrests_law(rates.arrests_per_event * count, rates.arrests_overdispersion, law)
        _by_block(law, guide.edge, mass)
    total = weighed(mass, work)
    if total <= 0.0:
        return 0, -np.inf
    b, target = 0, rng.random() * total
    while b < len(mass) - 1 and target >= mass[b] * work[b]:
        target -= mass[b] * work[b]
        b += 1
    while mass[b] * work[b] <= 0.0:  # rounding has left nothing, here and below
        b -= 1
    a, last, target = guide.edge[b], guide.edge[b + 1] - 1, target / work[b]
    while a < last and target >= law[a]:
        target -= law[a]
        a += 1
    while law[a] <= 0.0:
        a -= 1
    return a, math.log(total) - math.log(work[b])

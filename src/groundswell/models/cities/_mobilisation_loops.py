"""One day of the mobilisation model for many histories at once, compiled.

Events are drawn by superposition: expected events add up over the places, and unit exponential gaps on that sum
mark the candidates. A negative binomial count is positive with a probability of at most 1 - exp(-mu), so only
candidates need further work, and hundreds of quiet places cost one pass of additions.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from groundswell.models.cities._group_loops import groups_day, make_row


@njit(cache=True)
def _some_events(rng, mu, psi, likely):
    """A negative binomial count given that it is above 0, as is `likely`: by inversion, or gamma-Poisson if large."""
    if mu > 30.0:
        while True:
            count = rng.poisson(mu if psi < 1e-9 else psi * mu * rng.standard_gamma(1.0 / psi))
            if count > 0:
                return count
    shape, share = (0.0, 0.0) if psi < 1e-9 else (1.0 / psi, psi * mu / (1.0 + psi * mu))
    term = (1.0 - likely) * (mu if psi < 1e-9 else shape * share)
    target = rng.random() * likely
    count = 1
    while target > term and term > 0.0 and count < 100_000:
        target -= term
        term *= mu / (count + 1) if psi < 1e-9 else (count + shape) / (count + 1) * share
        count += 1
    return count


@njit(cache=True)
def _active_probability(mu, psi):
    """P(Y > 0), accurate at tiny means."""
    return -math.expm1(-mu) if psi < 1e-9 else -math.expm1(-math.log1p(psi * mu) / psi)


@njit(cache=True)
def _count(rng, mean, psi):
    """A negative binomial count with variance mean + psi mean^2: by inversion or, if large, gamma-Poisson."""
    if mean <= 0.0:
        return 0
    if mean > 30.0 or psi < 1e-9:
        return rng.poisson(mean if psi < 1e-9 else psi * mean * rng.standard_gamma(1.0 / psi))
    shape, share = 1.0 / psi, psi * mean / (1.0 + psi * mean)
    term = math.exp(-math.log1p(psi * mean) / psi)
    target = rng.random()
    count = 0
    while target > term and term > 0.0 and count < 100_000:
        target -= term
        count += 1
        term *= (count - 1 + shape) / count * share
    return count


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
def _weigh_arrests(mean, psi, weight, scale, offset, out):
    """Fill out[a] with P(A = a) times the weight of offset + a as far as it matters; the sum, and how many."""
    share = psi * mean / (1.0 + psi * mean)
    log_term = -mean if psi < 1e-9 else -math.log1p(psi * mean) / psi
    term = math.exp(log_term) if log_term > -700.0 else 0.0
    total = 0.0
    filled = 0
    for a in range(len(out)):
        out[a] = term * _weight_at(weight, offset + a, scale)
        total += out[a]
        filled = a + 1
        factor = mean / (a + 1) if psi < 1e-9 else (a + 1.0 / psi) / (a + 1) * share
        if term > 0.0:
            term *= factor
            if term < 1e-12 and factor < 1.0:
                break
        else:
            log_term += math.log(factor)
            term = math.exp(log_term) if log_term > -700.0 else 0.0
    return total, filled


@njit(cache=True, nogil=True)
def arrests_given_events(mean_per_event, psi, weight, most):
    """sum over a of P(A = a | Y = y) weight[a], for y in 0..most; (most + 1,)."""
    work = np.empty(len(weight))
    out = np.empty(most + 1)
    out[0] = weight[0]
    for y in range(1, most + 1):
        out[y] = _weigh_arrests(mean_per_event * y, psi, weight, 1.0, 0, work)[0]
    return out


@njit(cache=True)
def _tilted_events(rng, mu, psi, log_g):
    """A count drawn from P(y) g(y) and the log of its normaliser; g stays at its last value beyond the table."""
    most = len(log_g) - 1
    top = -np.inf
    for y in range(most + 1):
        top = max(top, log_g[y])
    if top == -np.inf:
        return 0, -np.inf
    term = math.exp(-mu) if psi < 1e-9 else math.exp(-math.log1p(psi * mu) / psi)
    share = 0.0 if psi < 1e-9 else psi * mu / (1.0 + psi * mu)
    total, mass = 0.0, 0.0
    weights = np.empty(most + 2)
    for y in range(most + 1):
        weights[y] = term * math.exp(log_g[y] - top)
        total += weights[y]
        mass += term
        term *= mu / (y + 1) if psi < 1e-9 else (y + 1.0 / psi) / (y + 1) * share
    # what lies beyond the table: the rest of 1 or, where that would be mostly rounding, the sum of its terms
    beyond, count = 1.0 - mass, most + 1
    if beyond < 1e-6:
        beyond, later = 0.0, term
        while later > 1e-14 * beyond and count < 10_000:
            beyond += later
            later *= mu / (count + 1) if psi < 1e-9 else (count + 1.0 / psi) / (count + 1) * share
            count += 1
    last = math.exp(log_g[most] - top)
    weights[most + 1] = beyond * last
    total += weights[most + 1]
    if total <= 0.0:
        return 0, -np.inf
    target = rng.random() * total
    for y in range(most + 1):
        target -= weights[y]
        if target < 0.0:
            return y, math.log(total) + top
    count = most + 1
    if term > 0.0:
        while target > term * last and term > 0.0 and count < 100_000:
            target -= term * last
            term *= mu / (count + 1) if psi < 1e-9 else (count + 1.0 / psi) / (count + 1) * share
            count += 1
    else:  # so large a mean that the table's terms are 0 to the machine: nearly every draw lies beyond it
        count = 0
        while count <= most:
            count = _count(rng, mu, psi)
    return count, math.log(total) + top


@njit(cache=True)
def _given_seen(rng, seen, mu, psi, detection):
    """A count given how many of it were seen, each with probability `detection`, and the log probability of those.

    Of a gamma mean of shape 1 / psi what was seen leaves one of shape 1 / psi + seen for the rest.
    """
    if mu <= 0.0:
        return seen, 0.0 if seen == 0 else -np.inf
    mean = detection * mu
    if psi < 1e-9:
        log_seen = seen * math.log(mean) - mean - math.lgamma(seen + 1.0)
        return seen + _count(rng, (1.0 - detection) * mu, psi), log_seen
    shape = 1.0 / psi
    log_seen = math.lgamma(seen + shape) - math.lgamma(shape) - math.lgamma(seen + 1.0)
    log_seen += seen * math.log(psi * mean / (1.0 + psi * mean)) - shape * math.log1p(psi * mean)
    unseen = (shape + seen) * (1.0 - detection) / (shape / mu + detection)
    return seen + _count(rng, unseen, 1.0 / (shape + seen)), log_seen


@njit(cache=True, nogil=True)
def step_day(
    rng, day, rates, given, share, calls, pulse, per_100k, reach_index, reach_part, reach_value, reach_weight,
    reach_row, reach_ready, drive, momentum_total, momentum, hurt, hurt_day, hurt_total, groups, groups_total, exploded,
    noted_count, noted_place, noted, guided, guide_place, guide_log_g, guide_arrests, guide_before, guide_scale,
    guide_offset, known, detection, on_first_day, warns, log_weight,
):  # fmt: skip
    """Make day `day` of every history in place; log_weight (S,) receives the weight of what was guided.

    Left to `Mobilisation.step`: arrests that act late, and groups in contact, which few models have.
    warns : whether persons warned are drawn too.

    given : (P,) expected events that do not depend on the past. share : (P,) of the country's nationwide events.
    drive : (S, P) within and between together, for they fade alike. guided : (P,) whether a place is in the guide.
    guide_place : (G,) places whose counts (and arrests) are drawn from their tilted distributions.
    known : (P,) events seen today, each with probability `detection`; -1 where nobody looked. The first day's are all.
    """
    histories, places = drive.shape
    hits = np.empty(places, np.int64)
    expected = np.empty(places)
    boost = rates.organised * (1.0 + rates.organised_call * calls)
    work = np.empty(2 * guide_arrests.shape[1])
    flat = np.zeros(2)
    fading = rates.crackdown_memory ** np.arange(day + 1.0)
    for h in range(histories):
        log_weight[h] = 0.0
        noted_count[h] = 0
        if exploded[h]:
            continue
        factor = pulse[h] * math.exp(rates.backlash * math.log1p(hurt_total[h]))
        media = rates.media * momentum_total[h]
        found = 0
        mine, armed = drive[h], groups[h]
        if day > 0:
            for p in range(places):
                expected[p] = (given[p] + mine[p] + share[p] * media + boost[p] * armed[p]) * factor
                mine[p] *= rates.keep
            for k in range(len(guide_place)):
                hits[found] = guide_place[k]
                found += 1
            for p in range(places):
                if known[p] >= 0 and not guided[p]:
                    hits[found] = p
                    found += 1
            passed = 0.0
            gap = -math.log1p(-rng.random())
            for p in range(places):
                passed += expected[p]
                if passed > gap:
                    gap = passed - math.log1p(-rng.random())
                    if not guided[p] and known[p] < 0:
                        hits[found] = p
                        found += 1
        else:
            for k in range(len(guide_place)):
                hits[found] = guide_place[k]
                found += 1
            for p in range(places):
                if (known[p] > 0 or (on_first_day[p] and known[p] < 0)) and not guided[p]:
                    hits[found] = p
                    found += 1
        momentum_total[h] *= rates.keep
        hurt_total[h] *= rates.crackdown_memory
        if rates.momentum_recruitment > 0.0:
            for p in range(places):
                momentum[h, p] *= rates.keep
        events_today = 0.0
        notes = 0
        for i in range(found):
            p = hits[i]
            guide = i if i < len(guide_place) else -1
            if day == 0:
                count = known[p] if known[p] >= 0 else 1 if on_first_day[p] else 0
                if guide >= 0 and guide_log_g[guide, min(count, guide_log_g.shape[1] - 1)] == -np.inf:
                    log_weight[h] = -np.inf
            else:
                bound = expected[p]
                mu = bound
                if hurt[h, p] > 0.0:
                    sore = hurt[h, p] * fading[int(day - 1 - hurt_day[h, p])]
                    mu *= math.exp(-rates.deterrence * math.log1p(sore))
                if known[p] >= 0:
                    count, log_seen = _given_seen(rng, known[p], mu, rates.overdispersion, detection)
                    log_weight[h] += log_seen
                elif guide >= 0:
                    # the tilt was made for a window without arrests so far; after some it is left out
                    tilt = flat if guide_offset[guide, h] > 0.0 else guide_log_g[guide]
                    count, log_total = _tilted_events(rng, mu, rates.overdispersion, tilt)
                    log_weight[h] += log_total - (tilt[min(count, len(tilt) - 1)] if log_total > -np.inf else 0.0)
                else:
                    likely = _active_probability(mu, rates.overdispersion)
                    if rng.random() * -math.expm1(-bound) >= likely:
                        continue
                    count = _some_events(rng, mu, rates.overdispersion, likely)
            arrests = 0
            if guide >= 0 and guide_arrests[guide, 0] >= 0.0:
                offset, scale = guide_offset[guide, h], guide_scale[guide, h]
                weight = _weight_at(guide_arrests[guide], offset, scale)
                if count > 0:
                    weight, filled = _weigh_arrests(
                        rates.arrests_per_event * count,
                        rates.arrests_overdispersion,
                        guide_arrests[guide],
                        scale,
                        offset,
                        work,
                    )
                    target = rng.random() * weight
                    arrests = filled - 1
                    for a in range(filled):
                        target -= work[a]
                        if target < 0.0:
                            arrests = a
                            break
                weight /= _weight_at(guide_before[guide], offset, scale)
                log_weight[h] += math.log(weight) if weight > 0.0 else -np.inf
            elif count > 0:
                arrests = _count(rng, rates.arrests_per_event * count, rates.arrests_overdispersion)
            if count == 0:
                continue
            people = 0.0
            for _ in range(min(count, 1000)):
                people += math.exp(rates.participants + rates.participants_spread * rng.standard_normal())
            if count > 1000:
                people *= count / 1000.0
            noted_place[h, notes] = p
            for column in range(noted.shape[2]):
                noted[h, notes, column] = 0.0
            noted[h, notes, 0] = count
            noted[h, notes, 1] = arrests
            noted[h, notes, 2] = people
            if warns and arrests > 0:
                noted[h, notes, 3] = rng.poisson(rates.warnings_per_arrest * arrests)
            notes += 1
            events_today += count
        if events_today > rates.cap:
            exploded[h] = True
        # what today's events leave for tomorrow
        for i in range(notes):
            p = noted_place[h, i]
            count = noted[h, i, 0]
            momentum_total[h] += count
            if rates.momentum_recruitment > 0.0:
                momentum[h, p] += count
            mine[p] += rates.within * count
            if rates.between > 0.0:
                if not reach_ready[p]:
                    make_row(p, reach_index, reach_part, reach_value, reach_weight, reach_row, reach_ready)
                _add(mine, reach_row[p], rates.between * count)
            if noted[h, i, 1] > 0.0 and not rates.late:
                hurt[h, p] = hurt[h, p] * fading[int(day - hurt_day[h, p])] + noted[h, i, 1] / per_100k[p]
                hurt_day[h, p] = day
                hurt_total[h] += noted[h, i, 1] / rates.population
        if groups_total[h] > 0.0 and rates.contact == 0.0:
            notes = groups_day(rng, h, rates, groups, groups_total, momentum, noted_place, noted, notes)
        noted_count[h] = notes


@njit(cache=True, nogil=True)
def step_days(
    rng, begin, end, rates, given, share, calls, pulse, per_100k, reach_index, reach_part, reach_value, reach_weight,
    reach_row, reach_ready, drive, momentum_total, momentum, hurt, hurt_day, hurt_total, groups, groups_total, exploded,
    noted_count, noted_place, noted, unguided, unknown, on_first_day, warns, column, first, last, member, distinct,
    totals, seen,
):  # fmt: skip
    """Make the days from `begin` to before `end` without a guide, each noted in the totals of the counters.

    given, calls : (T, P). pulse : (T, S). The counters are those of `tally`.
    """
    none, nowhere = np.zeros((0, 1)), np.zeros(0, np.int64)
    log_weight = np.empty(len(drive))
    for day in range(begin, end):
        step_day(
            rng, day, rates, given[day], share, calls[day], pulse[day], per_100k, reach_index, reach_part, reach_value,
            reach_weight, reach_row, reach_ready, drive, momentum_total, momentum, hurt, hurt_day, hurt_total, groups,
            groups_total, exploded, noted_count, noted_place, noted, unguided, nowhere, none, none, none, none, none,
            unknown, 1.0, on_first_day, warns, log_weight,
        )  # fmt: skip
        tally(day, noted_count, noted_place, noted, column, first, last, member, distinct, totals, seen)


@njit(cache=True, nogil=True)
def tally(day, noted_count, noted_place, noted, column, first, last, member, distinct, totals, seen):
    """Add today's notes to the totals (S, C) of the counters whose days hold `day`.

    A counter sums column[c] over member places (C, P), or, where distinct[c] >= 0, counts the member
    places in which it was above 0 at least once, remembered in seen (S, D, P).
    """
    for c in range(len(column)):
        if day < first[c] or day > last[c]:
            continue
        for h in range(len(noted_count)):
            for i in range(noted_count[h]):
                value = noted[h, i, column[c]]
                place = noted_place[h, i]
                if value <= 0.0 or not member[c, place]:
                    continue
                if distinct[c] < 0:
                    totals[h, c] += value
                elif not seen[h, distinct[c], place]:
                    seen[h, distinct[c], place] = True
                    totals[h, c] += 1.0


@njit(cache=True)
def _add(to, row, times):
    """to += times row; a loop over whole rows, so that it is done several places at a time."""
    for q in range(len(to)):
        to[q] += times * row[q]

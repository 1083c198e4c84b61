"""One day of the mobilisation model for many histories at once, compiled.

Events are drawn by superposition: expected events add up over the places, and unit exponential gaps on that sum
mark the candidates. A negative binomial count is positive with a probability of at most 1 - exp(-mu), so only
candidates need further work, and hundreds of quiet places cost one pass of additions.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from groundswell.models._elementary_loops import LN2, log2
from groundswell.models.cities._count_loops import (
    active_probability,
    draw_count,
    draw_count_from,
    given_seen,
    none_probability,
    some_events,
)
from groundswell.models.cities._group_loops import groups_day, make_row
from groundswell.models.cities._guide_loops import fill, guided_arrests, guided_events, standing

FEW = 16
"""Events of a place on a day below which the probability of no arrest is worked out once for all histories."""


@njit(cache=True, nogil=True)
def step_day(
    rng, day, rates, given, share, calls, pulse, per_100k, reach_index, reach_part, reach_value, reach_weight,
    reach_row, reach_ready, drive, momentum_total, momentum, hurt, hurt_day, hurt_total, groups, groups_total, exploded,
    noted_count, noted_place, noted, guide, on_first_day, warns, log_weight,
):  # fmt: skip
    """Make day `day` of every history in place; log_weight (S,) receives the weight of what was guided.

    Left to `Mobilisation.step`: arrests that act late, and groups in contact, which few models have.
    warns : whether persons warned are drawn too.

    given : (P,) expected events that do not depend on the past. share : (P,) of the country's nationwide events.
    drive : (S, P) within and between together, for they fade alike. guide : a `mobilisation_state.Guided`, of places
    whose events (and arrests) are drawn from their tilted distributions, or were seen; its `stands` are changed.
    """
    histories, places = drive.shape
    hits = np.empty(places, np.int64)
    expected = np.empty(places)
    boost = rates.organised * (1.0 + rates.organised_call * calls)
    law, mass, work = np.empty(guide.laws.shape[1]), np.empty(guide.mass.shape[1]), np.empty(guide.mass.shape[1])
    most = max(guide.laws.shape[0], guide.log_g.shape[1])
    tilt, weights = np.empty(most), np.empty(most + 1)
    watched = len(guide.known) > 0 and guide.known.max() >= 0
    guides = len(guide.place)
    made = np.empty(guides)
    fading = rates.crackdown_memory ** np.arange(day + 1.0)
    spared = np.empty(FEW)
    for count in range(FEW):
        spared[count] = none_probability(rates.arrests_per_event * count, rates.arrests_overdispersion)
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
            for k in range(guides):
                hits[found] = guide.place[k]
                found += 1
            if watched:
                for p in range(places):
                    if guide.known[p] >= 0 and not guide.marks[p]:
                        hits[found] = p
                        found += 1
            passed = 0.0
            gap = -LN2 * log2(1.0 - rng.random())
            for p in range(places):
                passed += expected[p]
                if passed > gap:
                    gap = passed - LN2 * log2(1.0 - rng.random())
                    if not guide.marks[p] and guide.known[p] < 0:
                        hits[found] = p
                        found += 1
        else:
            for k in range(guides):
                hits[found] = guide.place[k]
                found += 1
            for p in range(places):
                if (guide.known[p] > 0 or (on_first_day[p] and guide.known[p] < 0)) and not guide.marks[p]:
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
            mu, weighs = 0.0, i < guides and guide.first[i] >= 0
            if day == 0:
                count = guide.known[p] if guide.known[p] >= 0 else 1 if on_first_day[p] else 0
                if i < guides:
                    mu = (given[p] + rates.within * count + boost[p] * armed[p]) * factor
                    if guide.log_g[i, min(count, guide.log_g.shape[1] - 1)] == -np.inf:
                        log_weight[h] = -np.inf
                if weighs:
                    fill(guide, i, h, mu, work)
            else:
                bound = expected[p]
                mu = bound
                if hurt[h, p] > 0.0:
                    sore = hurt[h, p] * fading[int(day - 1 - hurt_day[h, p])]
                    mu *= math.exp(-rates.deterrence * math.log1p(sore))
                if weighs:
                    fill(guide, i, h, mu, work)
                psi, seen = rates.overdispersion, max(guide.known[p], 0)
                rest = mu
                if guide.known[p] >= 0:
                    log_drawn, rest, psi = given_seen(seen, mu, psi, guide.detection)
                    log_weight[h] += log_drawn
                if i < guides and (rest > 0.0 or guide.known[p] < 0):
                    count, log_drawn = guided_events(rng, seen, rest, psi, guide, i, work, tilt, weights)
                    log_weight[h] += log_drawn
                    if guide.given[i]:
                        log_weight[h] -= math.log(active_probability(mu, rates.overdispersion)) if mu > 0.0 else np.inf
                elif guide.known[p] >= 0:
                    count = seen + draw_count(rng, rest, psi)
                else:
                    likely, lot = active_probability(mu, rates.overdispersion), rng.random()
                    # 1 - exp(-bound) is below bound, so most need no exponential
                    if lot * bound >= likely and lot * -math.expm1(-bound) >= likely:
                        continue
                    count = some_events(rng, mu, rates.overdispersion, likely)
            arrests = 0
            if weighs:
                arrests, log_drawn = guided_arrests(rng, count, rates, guide, work, law, mass)
                log_weight[h] += log_drawn
                made[i] = arrests
            elif count > 0:
                mean, scatter = rates.arrests_per_event * count, rates.arrests_overdispersion
                none = spared[count] if count < FEW else none_probability(mean, scatter)
                arrests = draw_count_from(rng, mean, scatter, none)
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
        if guides > 0:
            media = rates.media * momentum_total[h]
            factor = pulse[h] * math.exp(rates.backlash * math.log1p(hurt_total[h]))
        for k in range(guides):
            if guide.first[k] >= 0:
                p = guide.place[k]
                mu = (given[p] + mine[p] + share[p] * media + boost[p] * armed[p]) * factor
                if hurt[h, p] > 0.0:
                    mu *= math.exp(-rates.deterrence * math.log1p(hurt[h, p] * fading[int(day - hurt_day[h, p])]))
                now = standing(guide, k, h, mu, guide.offset[k, h] + made[k])
                before = guide.stands[k, h]
                log_weight[h] += math.log(now / before) if now > 0.0 and before > 0.0 else -np.inf
                guide.stands[k, h] = now
        if groups_total[h] > 0.0 and rates.contact == 0.0:
            notes = groups_day(rng, h, rates, groups, groups_total, momentum, noted_place, noted, notes)
        noted_count[h] = notes


@njit(cache=True, nogil=True)
def step_days(
    rng, begin, end, rates, given, share, calls, pulse, per_100k, reach_index, reach_part, reach_value, reach_weight,
    reach_row, reach_ready, drive, momentum_total, momentum, hurt, hurt_day, hurt_total, groups, groups_total, exploded,
    noted_count, noted_place, noted, unguided, on_first_day, warns, column, first, last, member, distinct, totals, seen,
):  # fmt: skip
    """Make the days from `begin` to before `end` without a guide, each noted in the totals of the counters.

    given, calls : (T, P). pulse : (T, S). The counters are those of `tally`.
    """
    log_weight = np.empty(len(drive))
    for day in range(begin, end):
        step_day(
            rng, day, rates, given[day], share, calls[day], pulse[day], per_100k, reach_index, reach_part, reach_value,
            reach_weight, reach_row, reach_ready, drive, momentum_total, momentum, hurt, hurt_day, hurt_total, groups,
            groups_total, exploded, noted_count, noted_place, noted, unguided, on_first_day, warns, log_weight,
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

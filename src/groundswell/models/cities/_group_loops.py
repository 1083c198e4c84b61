"""Organised groups before the first day, on a day, and after the daily window, compiled.

The rows of w_qp stand here too: groups in contact need them, and so does the day, which imports this file.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

MANY = 10.0
"""Groups expected of a place from which on their number is drawn at once, and not one after the other."""


@njit(cache=True, nogil=True)
def start_groups(rng, mean, share, groups, groups_total):
    """Poisson numbers of groups by place, for every history.

    Where few are expected, by unit exponential gaps on the sum of the means over places, as events are in
    `_mobilisation_loops`: hundreds of places without a group cost one pass of additions.
    """
    histories, places = groups.shape
    for h in range(histories):
        total, passed, gap = 0.0, 0.0, -math.log1p(-rng.random())
        for p in range(places):
            expected, count = mean * share[p], 0
            if expected > MANY:
                count = rng.poisson(expected)
            else:
                passed += expected
                while passed > gap:
                    gap -= math.log1p(-rng.random())
                    count += 1
            groups[h, p] = count
            total += count
        groups_total[h] = total


@njit(cache=True, nogil=True)
def place_groups(rng, counts, where, share, groups, groups_total):
    """Put counts[h] groups into the places `where` of every history, each by the places' shares, for those there."""
    whole = 0.0
    for p in where:
        whole += share[p]
    for h in range(len(counts)):
        left, rest = counts[h], whole
        for p in where:
            here = left if share[p] >= rest else rng.binomial(left, share[p] / rest)
            groups_total[h] += here - groups[h, p]
            groups[h, p] = here
            left -= here
            rest -= share[p]
        groups[h, where[-1]] += left  # rounding has left some
        groups_total[h] += left


@njit(cache=True, nogil=True)
def of_one(recruited, broken, inside, formed):
    """Mean and variance of the groups broken up (or `formed`) in the steps `inside`, (K,), of one and all it recruits.

    recruited, broken : (K,) a group's expected recruits in a step, and its probability to be broken up.
    """
    alive, of_alive, both, total, of_total = 1.0, 0.0, 0.0, 0.0, 0.0
    for k in range(len(inside)):
        q, r = broken[k], recruited[k]
        growth, ended, begun = 1.0 - q + r, q * (1.0 - q) * alive, r * alive
        rate, own, change = (r, begun, begun) if formed else (q, ended, -ended)
        total += rate * alive * inside[k]
        of_total += (2.0 * rate * both + rate * rate * of_alive + own) * inside[k]
        both = growth * both + (rate * growth * of_alive + change) * inside[k]
        of_alive = growth * growth * of_alive + ended + begun
        alive *= growth
    return total, of_total


@njit(cache=True)
def make_row(sender, index, part, value, weight, rows, ready):
    """w_qp of one sender over its receivers: weight times reach, summing to 1, 0 to itself."""
    row, at, between = rows[sender], index[sender], part[sender]
    for q in range(len(row)):
        i = at[q]
        row[q] = weight[q] * (value[i] + between[q] * (value[i + 1] - value[i]))
    row[sender] = 0.0
    total = 0.0
    for q in range(len(row)):
        total += row[q]
    scale = 1.0 / total if total > 0.0 else 0.0
    for q in range(len(row)):
        row[q] *= scale
    ready[sender] = True


@njit(cache=True)
def _note(place, noted_place, noted, h, notes):
    """The row of `place` among today's notes, made if need be; and how many rows there are then."""
    for i in range(notes):
        if noted_place[h, i] == place:
            return i, notes
    noted_place[h, notes] = place
    for column in range(noted.shape[2]):
        noted[h, notes, column] = 0.0
    return notes, notes + 1


@njit(cache=True, nogil=True)
def groups_today(
    rng, rates, exploded, groups, groups_total, momentum, index, part, value, weight, rows, ready, noted_count,
    noted_place, noted,
):  # fmt: skip
    """Groups formed and broken up, in contact or not, on a day whose events are noted already."""
    for h in range(len(noted_count)):
        if groups_total[h] > 0.0 and not exploded[h]:
            notes = noted_count[h]
            if rates.contact > 0.0:
                notes = _contact(
                    rng, h, rates, groups, groups_total, index, part, value, weight, rows, ready, noted_place, noted,
                    notes,
                )  # fmt: skip
            noted_count[h] = groups_day(rng, h, rates, groups, groups_total, momentum, noted_place, noted, notes)


@njit(cache=True)
def _contact(
    rng, h, rates, groups, groups_total, index, part, value, weight, rows, ready, noted_place, noted, notes
):  # fmt: skip
    """Groups formed today by contact with those of other places; before `groups_day`, which counts them in.

    Drawn for the country, then each sender by its groups and each receiver by w_qp.
    """
    for _ in range(rng.poisson(rates.contact * groups_total[h])):
        sender = _pick(rng, groups, h, groups_total[h])
        if not ready[sender]:
            make_row(sender, index, part, value, weight, rows, ready)
        p = _receiver(rng, rows[sender])
        if p >= 0:
            i, notes = _note(p, noted_place, noted, h, notes)
            noted[h, i, 4] += 1.0
    return notes


@njit(cache=True)
def _receiver(rng, row):
    """A place by its weight in a row that sums to 1; -1 from a sender that has no receiver."""
    target = rng.random()
    last = -1
    for p in range(len(row)):
        if row[p] > 0.0:
            last = p
            target -= row[p]
            if target < 0.0:
                return p
    return last


@njit(cache=True)
def groups_day(rng, h, rates, groups, groups_total, momentum, noted_place, noted, notes):
    """Groups formed and broken up today; rates act on the groups at the day's start.

    A group is broken up if it is hit at least once, hits arriving at rate breakup (1 + exposure Y):
    that is the binomial of the model. Hits are drawn for the country and then placed.
    """
    places, before, rows_with_events = groups.shape[1], groups_total[h], notes
    formed = rng.poisson(rates.recruitment * before)
    for _ in range(formed):
        p = _pick(rng, groups, h, before)
        i, notes = _note(p, noted_place, noted, h, notes)
        noted[h, i, 4] += 1.0
    if rates.momentum_recruitment > 0.0:
        for p in range(places):
            if groups[h, p] > 0.0 and momentum[h, p] > 0.0:
                more = rng.poisson(rates.recruitment * rates.momentum_recruitment * groups[h, p] * momentum[h, p])
                if more > 0:
                    i, notes = _note(p, noted_place, noted, h, notes)
                    noted[h, i, 4] += more
    hits = rng.poisson(rates.breakup * before)
    for _ in range(hits):
        p = _pick(rng, groups, h, before)
        i, notes = _note(p, noted_place, noted, h, notes)
        if rng.random() * groups[h, p] >= noted[h, i, 5]:
            noted[h, i, 5] += 1.0
    if rates.exposure > 0.0:
        for i in range(rows_with_events):
            p = noted_place[h, i]
            if groups[h, p] > 0.0 and noted[h, i, 0] > 0.0:
                for _ in range(rng.poisson(rates.breakup * rates.exposure * noted[h, i, 0] * groups[h, p])):
                    if rng.random() * groups[h, p] >= noted[h, i, 5]:
                        noted[h, i, 5] += 1.0
    for i in range(notes):
        change = noted[h, i, 4] - noted[h, i, 5]
        groups[h, noted_place[h, i]] += change
        groups_total[h] += change
        if noted[h, i, 5] > 0.0:
            arrested = rates.members * noted[h, i, 5]
            noted[h, i, 6] = arrested
            noted[h, i, 7] = rng.poisson(rates.warned_per_member * arrested)
    return notes


@njit(cache=True)
def _pick(rng, groups, h, total):
    """A place, with probability proportional to its groups."""
    target = rng.random() * total
    mine = groups[h]
    for p in range(len(mine)):
        target -= mine[p]
        if target < 0.0:
            return p
    for p in range(len(mine) - 1, -1, -1):  # rounding has left nothing: the last that has any
        if mine[p] > 0.0:
            return p
    return 0


@njit(cache=True, nogil=True)
def later_groups(rng, groups, step_days, recruitment, breakup, members, warned_per_member):
    """Groups after the window, in steps of given days: the day's rule with its rates times the step.

    groups : (S, U) at the window's end, by unit; units may lump places, since all rates are equal there and
    sums of such branching processes are one. Returns formed, broken_up, members_arrested, members_warned,
    each in the columns of (S, U, K, 4).
    """
    histories, units = groups.shape
    steps = len(step_days)
    out = np.zeros((histories, units, steps, 4))
    for h in range(histories):
        for u in range(units):
            alive = groups[h, u]
            for k in range(steps):
                if alive > 0.0:
                    broken = 0.0
                    for _ in range(rng.poisson(breakup * step_days[k] * alive)):
                        if rng.random() * alive >= broken:
                            broken += 1.0
                    formed = rng.poisson(recruitment * step_days[k] * alive)
                    alive += formed - broken
                    out[h, u, k, 0] = formed
                    out[h, u, k, 1] = broken
                arrested = members * out[h, u, k, 1]
                out[h, u, k, 2] = arrested
                out[h, u, k, 3] = rng.poisson(warned_per_member * arrested) if arrested > 0.0 else 0
    return out


@njit(cache=True, nogil=True)
def later_groups_in_contact(rng, groups, step_days, recruitment, breakup, members, warned_per_member, contact, weights):
    """`later_groups` where those of one place add to those of others by weights (U, U), so that units are places.

    Drawn for the country and then placed, as on a day.
    """
    histories, units = groups.shape
    steps = len(step_days)
    out = np.zeros((histories, units, steps, 4))
    for h in range(histories):
        alive = groups[h : h + 1].copy()
        for k in range(steps):
            total, days = alive.sum(), step_days[k]
            for _ in range(rng.poisson(recruitment * days * total)):
                out[h, _pick(rng, alive, 0, total), k, 0] += 1.0
            for _ in range(rng.poisson(contact * days * total)):
                u = _receiver(rng, weights[_pick(rng, alive, 0, total)])
                if u >= 0:
                    out[h, u, k, 0] += 1.0
            for _ in range(rng.poisson(breakup * days * total)):
                u = _pick(rng, alive, 0, total)
                if rng.random() * alive[0, u] >= out[h, u, k, 1]:
                    out[h, u, k, 1] += 1.0
            for u in range(units):
                alive[0, u] += out[h, u, k, 0] - out[h, u, k, 1]
                if out[h, u, k, 1] > 0.0:
                    arrested = members * out[h, u, k, 1]
                    out[h, u, k, 2] = arrested
                    out[h, u, k, 3] = rng.poisson(warned_per_member * arrested)
    return out

"""One day of persons, ties and groups in cities, compiled: events and arrests, then recruiting and break-up.

Who acts is found by asking: a number is drawn for the city (Poisson, so that it is the sum of what each person or group
would have drawn alone), each of it falls on a person or seat at random, and comes to nothing if that person
cannot act. So a day costs what happens in it, and not what the country holds.

A function takes cities from `begin` to before `end`. Cities share nothing, and every draw is keyed, so that cities may
be done in any order and by several threads.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from groundswell.models.agents._keyed_counts_loops import normal, poisson, shared_luck
from groundswell.models.agents._keyed_loops import draw, unit

JAILED, MEMBER, WARNED, ARRESTED, RECRUITED, TOOK_PART, OUT = 1, 2, 4, 8, 16, 32, 64
"""Bits of a person. WARNED, ARRESTED, RECRUITED, TOOK_PART once for all; OUT, at an event, within a day only."""
ALL = 255

(
    LUCK, SPONTANEOUS, ORGANISED, EVENT, GROUP_EVENT, SIZE, ASKED, KNOWN, WHICH_TIE, GROUP, SEAT, ARREST_LUCK, ARRESTS,
    CHOSEN, TERM, STAYS, WARNINGS, ATTEMPTS, ATTEMPT, CONTACTS, CONTACT, RECEIVER, ARRIVAL, HITS, HIT, MEMBERS_WARNED,
    WARNED_BY, TIE, FIRST_GROUPS, FIRST_GROUP,
) = range(30)  # fmt: skip
"""Purposes of draws."""

NOTED = (
    "events", "arrests", "participants", "warned", "formed", "broken_up", "members_arrested", "members_warned",
    "joined",
)  # fmt: skip
"""Rows of what is noted of a day in each city, (9, P)."""

VACANT, NO_SEAT = -1, -2

ENOUGH = 40.0
"""Times that everyone is asked or hit on average, beyond which more of it changes nothing: exp(-40) are left."""
LONG, MANY = 1e9, 1e9
"""Days that never end, persons that no city has."""


class Rules(NamedTuple):
    """The scalar parameters in the units of the loop, per day and per event."""

    ties: int  # of a person; 0 if anyone in the city may be asked
    random: float
    turnout: float
    warned_stay: float  # chance that a person warned before stays away
    arrested_stay: float
    longest: float  # jail term, days
    crowd: float  # log of the median
    spread: float
    arrests_per_event: float
    arrests_overdispersion: float
    warnings_per_arrest: float
    recruitment: float
    momentum_recruitment: float
    contact: float
    breakup: float
    exposure: float
    members: float
    warned_per_member: float


@njit(cache=True)
def tie(ties_key, first, size, person, which, random):
    """The person, counted within the city, at the other end of one of a person's ties."""
    u = unit(ties_key, first + person, TIE, which)
    if u < random:
        return int(u / random * size)
    person += (which // 2 + 1) * (1 - 2 * (which % 2))
    return person - size if person >= size else person + size if person < 0 else person


@njit(cache=True)
def _stays_away(flags, key, who, rules):
    """Whether a person who was warned or arrested before keeps away from everything today."""
    chance = rules.arrested_stay if flags & ARRESTED else rules.warned_stay if flags & WARNED else 0.0
    return chance > 0.0 and unit(key, who, STAYS, 0) < chance


@njit(cache=True)
def comes(persons, key, who, rules):
    """Whether a person who is asked can come to an event; marks it."""
    flags = persons[who]
    if flags & (JAILED | OUT) or _stays_away(flags, key, who, rules):
        return False
    persons[who] = flags | OUT | TOOK_PART
    return True


@njit(cache=True)
def _jail(persons, key, who, rules):
    """Jail a person; how many days lie between today and release."""
    persons[who] |= JAILED | ARRESTED
    return math.ceil(unit(key, who, TERM, 0) * min(rules.longest, LONG))


@njit(cache=True)
def roomy(values, count):
    """The same array with room for more, if it is full."""
    if count < len(values):
        return values
    larger = np.empty(2 * len(values) + 64, values.dtype)
    larger[:count] = values
    return larger


@njit(cache=True, nogil=True)
def numbers(key, spontaneous, by_group, groups, psi, most, out):
    """Events that persons and groups would start today, (P, 2) into out, and their sum; at most about `most`.

    spontaneous : (P,) expected events if everyone is free. by_group : (P,) of one group.
    """
    total = 0
    for p in range(len(spontaneous)):
        luck = shared_luck(key, p, LUCK, psi) if spontaneous[p] > 0.0 or by_group[p] * groups[p] > 0.0 else 0.0
        out[p, 0] = poisson(key, p, SPONTANEOUS, min(luck * spontaneous[p], most))
        out[p, 1] = poisson(key, p, ORGANISED, min(luck * by_group[p] * groups[p], most))
        total += out[p, 0] + out[p, 1]
    return total


@njit(cache=True, inline="always")
def whom(here, j, turnout, ties_key, base, size, came, before, out, rules):
    """The person asked j-th to an event: with chance `turnout` one of the ties of all who came, else anyone.

    Inlined, and `roomy` is called only where it must: a call that takes or gives an array costs a third of an ask.
    """
    u = unit(here, j, ASKED, 0)
    if u >= turnout:
        return int((u - turnout) / (1.0 - turnout) * size)
    if out == before:
        return int(u / turnout * size)
    at = u / turnout * (out - before)
    return tie(ties_key, base, size, came[before + int(at)], int((at - int(at)) * rules.ties), rules.random)


@njit(cache=True)
def punish(key, p, day, persons, base, came, out, arrests, warned, rules, jailed, until, held):
    """Jail and warn so many of those who came today, at random, and send all home; the lists of persons jailed."""
    for i in range(arrests + warned):
        j = i + int(unit(key, p, CHOSEN, i) * (out - i))
        came[i], came[j] = came[j], came[i]
        who = base + came[i]
        if i < arrests:
            jailed, until = roomy(jailed, held), roomy(until, held)
            jailed[held], until[held] = who, day + _jail(persons, key, who, rules)
            held += 1
        else:
            persons[who] |= WARNED
    for i in range(out):
        persons[base + came[i]] &= ALL - OUT
    return jailed, until, held


@njit(cache=True, nogil=True)
def protest(begin, end, key, ties_key, day, persons, first, seats, group_first, asked, rules, noted):
    """Events of the day, who comes, who is arrested, who is warned; returns (J,) persons jailed, and their last days.

    asked : (P, 2) events that persons and groups would start. noted : (9, P), filled in its first four rows.
    """
    came = np.empty(1024, np.int32)
    turnout = rules.turnout if rules.ties > 0 else 0.0
    jailed, until, held = np.empty(64, np.int64), np.empty(64, np.int64), 0
    for p in range(begin, end):
        base, size = first[p], first[p + 1] - first[p]
        out, events = 0, 0
        for e in range(asked[p, 0] + asked[p, 1]):
            by_group = e >= asked[p, 0]
            here = draw(key, p, GROUP_EVENT, e - asked[p, 0]) if by_group else draw(key, p, EVENT, e)
            before = out
            if by_group:
                group = group_first[p] + int(unit(here, 0, GROUP, 0) * (group_first[p + 1] - group_first[p]))
                starter = _seated(here, seats[group])
            else:
                starter = int(unit(here, 0, ASKED, 0) * size)
            if starter < 0 or not comes(persons, key, base + starter, rules):
                continue
            came = roomy(came, out)
            came[out] = starter
            out += 1
            events += 1
            if by_group:
                for member in seats[group]:
                    if member >= 0 and comes(persons, key, base + member, rules):
                        came = roomy(came, out)
                        came[out] = member
                        out += 1
            people = math.exp(rules.crowd + rules.spread * normal(here, 0, SIZE, 0))
            for j in range(out - before, int(min(people + 0.5, ENOUGH * size))):
                person = whom(here, j, turnout, ties_key, base, size, came, before, out, rules)
                if comes(persons, key, base + person, rules):
                    if out == len(came):
                        came = roomy(came, out)
                    came[out] = person
                    out += 1
        arrests = 0
        if events > 0:
            luck = shared_luck(key, p, ARREST_LUCK, rules.arrests_overdispersion)
            arrests = min(poisson(key, p, ARRESTS, min(luck * rules.arrests_per_event * events, MANY)), out)
        warned = min(poisson(key, p, WARNINGS, min(rules.warnings_per_arrest * arrests, MANY)), out - arrests)
        jailed, until, held = punish(key, p, day, persons, base, came, out, arrests, warned, rules, jailed, until, held)
        noted[0, p], noted[1, p], noted[2, p], noted[3, p] = events, arrests, out, warned
    return jailed[:held], until[:held]


@njit(cache=True)
def _seated(key, seats):
    """Who sits on a random one of a group's seats; below 0 if it is vacant."""
    count = 0
    for member in seats:
        count += member != NO_SEAT
    return seats[int(unit(key, 0, SEAT, 0) * count)]


@njit(cache=True)
def _fill(key, ties_key, today, persons, base, size, recruiter, rules, seats):
    """Fill a new group's seats under its key, each by asking one person; how many joined.

    recruiter : whose ties are asked; below 0, anyone in the city.
    """
    whole = math.floor(rules.members)
    wanted = int(whole) + (unit(key, 0, SIZE, 0) < rules.members - whole)
    turn = int(unit(key, 0, WHICH_TIE, 0) * rules.ties)
    joined = 0
    for s in range(len(seats)):
        seats[s] = VACANT if s < wanted else NO_SEAT
        if s >= wanted:
            continue
        if recruiter >= 0 and rules.ties > 0:
            person = tie(ties_key, base, size, recruiter, (turn + s) % rules.ties, rules.random)
        else:
            person = int(unit(key, s, ASKED, 0) * size)
        flags = persons[base + person]
        if flags & (JAILED | RECRUITED) or _stays_away(flags, today, base + person, rules):
            continue
        persons[base + person] = flags | MEMBER | RECRUITED
        seats[s] = person
        joined += 1
    return joined


@njit(cache=True, nogil=True)
def first_groups(begin, end, key, ties_key, persons, first, mean, rules, width):
    """(G, W) seats and (G,) cities of the groups before the first day; mean : (P,) of their Poisson numbers.

    The first person asked is anyone, the others are ties of that person's, if they joined.
    """
    total = 0
    for p in range(begin, end):
        total += poisson(key, p, FIRST_GROUPS, mean[p])
    seats, city, count = np.empty((total, width), np.int32), np.empty(total, np.int32), 0
    for p in range(begin, end):
        base, size = first[p], first[p + 1] - first[p]
        for i in range(poisson(key, p, FIRST_GROUPS, mean[p])):
            here = draw(key, p, FIRST_GROUP, i)
            founder = int(unit(here, 0, KNOWN, 0) * size)
            if _fill(here, ties_key, key, persons, base, size, founder, rules, seats[count]) > 0:
                city[count] = p
                count += 1
    return seats[:count], city[:count]


@njit(cache=True, nogil=True)
def contacts(key, persons, first, seats, group_first, weights, rules, arriving):
    """Into arriving (P,): groups that try to form today in each city by contact with those of others."""
    arriving[:] = 0
    for q in range(len(arriving)):
        groups = group_first[q + 1] - group_first[q]
        for i in range(poisson(key, q, CONTACTS, min(rules.contact * groups, MANY))):
            here = draw(key, q, CONTACT, i)
            recruiter = _seated(here, seats[group_first[q] + int(unit(here, 0, GROUP, 0) * groups)])
            if recruiter < 0:
                continue
            who = first[q] + recruiter
            if persons[who] & JAILED or _stays_away(persons[who], key, who, rules):
                continue
            target = unit(here, 0, RECEIVER, 0)
            for p in range(len(arriving)):
                target -= weights[q, p]
                if target < 0.0:
                    arriving[p] += 1
                    break


@njit(cache=True, nogil=True)
def organise(
    begin, end, key, ties_key, day, persons, first, seats, group_first, momentum, arriving, rules, noted, broken
):  # fmt: skip
    """Groups formed and broken up; returns (K, W) new seats, (K,) their cities, (J,) persons jailed, their last days.

    Rates act on the groups at the day's start. noted : its last five rows are filled. broken : (G,) is marked.
    """
    width = seats.shape[1]
    total = 0
    attempts = np.empty(end - begin, np.int64)
    for p in range(begin, end):
        rate = rules.recruitment * (1.0 + rules.momentum_recruitment * momentum[p])
        most = ENOUGH * (first[p + 1] - first[p])
        attempts[p - begin] = poisson(key, p, ATTEMPTS, min(rate * (group_first[p + 1] - group_first[p]), most))
        total += attempts[p - begin] + arriving[p]
    new, city, count = np.empty((total, width), np.int32), np.empty(total, np.int32), 0
    jailed, until, held = np.empty(64, np.int64), np.empty(64, np.int64), 0
    for p in range(begin, end):
        base, size = first[p], first[p + 1] - first[p]
        groups, formed, joined = group_first[p + 1] - group_first[p], 0, 0
        for i in range(attempts[p - begin] + arriving[p]):
            own = i < attempts[p - begin]
            here = draw(key, p, ATTEMPT, i) if own else draw(key, p, ARRIVAL, i - attempts[p - begin])
            recruiter = VACANT
            if own:
                recruiter = _seated(here, seats[group_first[p] + int(unit(here, 0, GROUP, 0) * groups)])
                if recruiter < 0:
                    continue
                flags = persons[base + recruiter]
                if flags & JAILED or _stays_away(flags, key, base + recruiter, rules):
                    continue
            won = _fill(here, ties_key, key, persons, base, size, recruiter, rules, new[count])
            if won > 0:
                city[count] = p
                count += 1
                formed += 1
                joined += won
        ended, start = 0, held
        rate = min(rules.breakup * (1.0 + rules.exposure * noted[0, p]), ENOUGH)
        for i in range(poisson(key, p, HITS, rate * groups)):
            group = group_first[p] + int(unit(key, p, HIT, i) * groups)
            if broken[group]:
                continue
            broken[group] = True
            ended += 1
            for member in seats[group]:
                if member < 0:
                    continue
                who = base + member
                persons[who] &= ALL - MEMBER
                if not persons[who] & JAILED:
                    jailed, until = roomy(jailed, held), roomy(until, held)
                    jailed[held], until[held] = who, day + _jail(persons, key, who, rules)
                    held += 1
        warned = 0
        if held > start:
            for i in range(poisson(key, p, MEMBERS_WARNED, min(rules.warned_per_member * (held - start), MANY))):
                here = draw(key, p, WARNED_BY, i)
                person = int(unit(here, 0, ASKED, 0) * size)
                if rules.ties > 0:
                    known = jailed[start + int(unit(here, 0, KNOWN, 0) * (held - start))] - base
                    which = int(unit(here, 0, WHICH_TIE, 0) * rules.ties)
                    person = tie(ties_key, base, size, known, which, rules.random)
                if not persons[base + person] & JAILED:
                    persons[base + person] |= WARNED
                    warned += 1
        noted[4, p], noted[5, p], noted[6, p], noted[7, p], noted[8, p] = formed, ended, held - start, warned, joined
    return new[:count], city[:count], jailed[:held], until[:held]


@njit(cache=True, nogil=True)
def absent(persons, first, warned_stay, arrested_stay, out):
    """Into out (P,): the expected share of each city's persons who cannot come to an event, jailed or staying away."""
    for p in range(len(out)):
        missing = 0.0
        for who in range(first[p], first[p + 1]):
            flags = persons[who]
            if flags & (JAILED | ARRESTED | WARNED):
                missing += 1.0 if flags & JAILED else arrested_stay if flags & ARRESTED else warned_stay
        out[p] = missing / (first[p + 1] - first[p])


@njit(cache=True, nogil=True)
def release(persons, first, jailed, until, day, jailed_by_city):
    """Free those whose last day is over, in place; how many stay at the front of jailed and until, in order."""
    kept = 0
    for i in range(len(jailed)):
        if until[i] >= day:
            jailed[kept], until[kept] = jailed[i], until[i]
            kept += 1
        else:
            persons[jailed[i]] &= ALL - JAILED
            jailed_by_city[np.searchsorted(first, jailed[i], side="right") - 1] -= 1
    return kept


@njit(cache=True, nogil=True)
def received(weights, momentum, out):
    """Into out (P,): sum over senders q of w_qp M_q, always in the same order."""
    out[:] = 0.0
    for q in range(len(momentum)):
        if momentum[q] > 0.0:
            for p in range(len(out)):
                out[p] += weights[q, p] * momentum[q]

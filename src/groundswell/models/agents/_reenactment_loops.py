"""Persons for a day whose numbers are given: who came, who was arrested, who was warned, compiled.

For going on from a record: it says how many, and the persons are drawn by the rules of a day that is drawn.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from groundswell.models.agents._keyed_counts_loops import normal, poisson
from groundswell.models.agents._keyed_loops import draw
from groundswell.models.agents._recruitment_loops import (
    ENOUGH,
    EVENT,
    MANY,
    SIZE,
    WARNINGS,
    comes,
    punish,
    roomy,
    whom,
)


@njit(cache=True, nogil=True)
def reenact(begin, end, key, ties_key, day, persons, first, events, arrests, participants, warned, rules, noted):
    """What `protest` does, with so many events and arrests; returns (J,) persons jailed, and their last days.

    participants, warned : (P,) as given, or drawn where they are below 0. If a city has not so many persons who can
    come, the rest stay without a person; what is noted is what was given. Those whom ties do not bring are anyone, and
    so are those arrested beyond the participants, or without an event.
    """
    came = np.empty(1024, np.int32)
    turnout = rules.turnout if rules.ties > 0 else 0.0
    jailed, until, held = np.empty(64, np.int64), np.empty(64, np.int64), 0
    for p in range(begin, end):
        if events[p] == 0 and arrests[p] == 0:
            continue
        base, size, out = first[p], first[p + 1] - first[p], 0
        for e in range(events[p] + 1):
            here, before = draw(key, p, EVENT, e), out
            people = math.exp(rules.crowd + rules.spread * normal(here, 0, SIZE, 0))
            wanted = out + max(1, int(min(people + 0.5, ENOUGH * size)))
            if participants[p] >= 0:
                wanted = int(participants[p] * (e + 1) / events[p])
            if e == events[p]:  # after the last event: more were arrested than came
                wanted = arrests[p]
            for j in range(int(ENOUGH * size)):
                if out >= wanted:
                    break
                along = turnout if j < wanted - before else 0.0
                person = whom(here, j, along, ties_key, base, size, came, before, out, rules)
                if comes(persons, key, base + person, rules):
                    came = roomy(came, out)
                    came[out] = person
                    out += 1
        taken = min(arrests[p], out)
        told = warned[p] if warned[p] >= 0 else poisson(key, p, WARNINGS, min(rules.warnings_per_arrest * taken, MANY))
        jailed, until, held = punish(
            key, p, day, persons, base, came, out, taken, min(told, out - taken), rules, jailed, until, held
        )
        noted[0, p], noted[1, p] = events[p], arrests[p]
        noted[2, p] = participants[p] if participants[p] >= 0 else out if events[p] > 0 else 0
        noted[3, p] = warned[p] if warned[p] >= 0 else min(told, out - taken)
    return jailed[:held], until[:held]

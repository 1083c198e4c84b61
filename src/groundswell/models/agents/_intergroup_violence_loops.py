"""Compiled loops of violence between two groups: one person after another in a keyed random order.

Every random number is `draw(step key, person, purpose, k)` of `_keyed_loops.py`. Persons come and go, so a row of the
arrays is not a person: `number` is, and no number is given twice. `around` is offsets on a torus or one list of nodes
on a network, as in `_civil_violence_loops.py`.
"""

from __future__ import annotations

import math
from collections import namedtuple

import numpy as np
from numba import njit

from groundswell.models._compiling import BORROWS
from groundswell.models.agents._civil_violence_loops import how_many, in_view, outlook_of
from groundswell.models.agents._keyed_loops import draw, step_key, unit

ORDER, MOVE, SUSPECT, TERM, RETURN, VICTIM, BIRTH, CRADLE, LIFE_SPAN, HARDSHIP, RISK_AVERSION, PLACE = range(12)
"""Purposes of draws."""

FIRST, SECOND, OFFICER = range(3)
CELL, GROUP, IS_ACTIVE, JAIL, AGE, LIFE = range(6)
GONE = -2
"""The cell of who died this step; -1 is off the grid."""

RAW, FLOOR, ROUND = range(3)

Rules = namedtuple(
    "Rules",
    "rows columns legitimacy threshold arrest_constant max_jail_term birth_probability max_age ratio own_group "
    "off_grid inherits",
)
"""Numbers and choices of a model as the loops want them."""

IN_FIRST, IN_SECOND, ACTIVE, JAILED, KILLED_FIRST, KILLED_SECOND, BORN, DIED, ARRESTS = range(9)
"""Columns of the totals of a step."""


@njit(**BORROWS)
def _empty(cells, around, rules, key, number, purpose, cell):
    """A random empty cell around `cell`, each equally likely; -1 where there is none."""
    found, lowest = -1, np.uint64(0)
    outlook = outlook_of(around, rules, cell)
    for i in range(how_many(around, outlook)):
        here = in_view(around, rules, outlook, i)
        if cells[here] < 0:
            ticket = draw(key, number, purpose, i)
            if found < 0 or ticket < lowest:
                found, lowest = here, ticket
    return found


@njit(**BORROWS)
def _one_of(persons, number, cells, around, rules, key, row, purpose, active, group):
    """The row of a random free person in view, of the group or (-1) of any, active or of whatever mind; -1 if none."""
    found, lowest = -1, np.uint64(0)
    outlook = outlook_of(around, rules, persons[row, CELL])
    for i in range(how_many(around, outlook)):
        other = cells[in_view(around, rules, outlook, i)]
        if other < 0 or persons[other, GROUP] == OFFICER or persons[other, JAIL] > 0:
            continue
        if (persons[other, IS_ACTIVE] or not active) and (group < 0 or persons[other, GROUP] == group):
            ticket = draw(key, number[row], purpose, number[other])
            if found < 0 or ticket < lowest:
                found, lowest = other, ticket
    return found


@njit(**BORROWS)
def _decides(persons, traits, cells, around, rules, row):
    """Whether a person would be active, from the officers and the active persons in view."""
    officers, actives = 0, 1
    outlook = outlook_of(around, rules, persons[row, CELL])
    for i in range(how_many(around, outlook)):
        other = cells[in_view(around, rules, outlook, i)]
        if other < 0 or other == row:
            continue
        if persons[other, GROUP] == OFFICER:
            officers += 1
        elif persons[other, IS_ACTIVE] and (not rules.own_group or persons[other, GROUP] == persons[row, GROUP]):
            actives += 1
    ratio = officers / actives
    if rules.ratio == FLOOR:
        ratio = math.floor(ratio)
    elif rules.ratio == ROUND:
        ratio = np.rint(ratio)
    grievance = traits[row, 0] * (1.0 - rules.legitimacy)
    return grievance - traits[row, 1] * (1.0 - math.exp(-rules.arrest_constant * ratio)) > rules.threshold


@njit(**BORROWS)
def _bear(persons, traits, number, cells, beside, rules, key, row, count, newest):
    """A child of the person in `row` on an empty cell beside it, in row `count`; whether there was such a cell."""
    cell = _empty(cells, beside, rules, key, number[row], CRADLE, persons[row, CELL])
    if cell < 0:
        return False
    persons[count, CELL], persons[count, GROUP] = cell, persons[row, GROUP]
    persons[count, IS_ACTIVE] = persons[count, JAIL] = persons[count, AGE] = 0
    persons[count, LIFE] = life_span(key, newest, rules.max_age)
    number[count], cells[cell] = newest, count
    traits[count, 0] = traits[row, 0] if rules.inherits else unit(key, newest, HARDSHIP, 0)
    traits[count, 1] = traits[row, 1] if rules.inherits else unit(key, newest, RISK_AVERSION, 0)
    return True


@njit(**BORROWS)
def life_span(key, number, max_age):
    """Whole steps that a person lives, 1 to max_age, each equally likely."""
    return 1 + int(unit(key, number, LIFE_SPAN, 0) * max_age)


@njit(**BORROWS)
def _serve(persons, number, cells, rules, key, row):
    """One step of a jail term. Who was taken off the grid returns to a random empty cell, once there is one."""
    persons[row, JAIL] -= 1
    if persons[row, JAIL] > 0 or persons[row, CELL] >= 0:
        return
    empty = 0
    for cell in range(len(cells)):
        empty += cells[cell] < 0
    if empty == 0:
        persons[row, JAIL] = 1
        return
    wanted = int(unit(key, number[row], RETURN, 0) * empty)
    for cell in range(len(cells)):
        if cells[cell] < 0:
            if wanted == 0:
                persons[row, CELL], cells[cell] = cell, row
                return
            wanted -= 1


@njit(**BORROWS)
def _turn(persons, traits, number, cells, around, beside, rules, key, row, count, newest, totals):
    """All that a free person or an officer does in a step; whether a child was born, which then has row `count`."""
    here = persons[row, CELL]
    to = _empty(cells, around, rules, key, number[row], MOVE, here)
    if to >= 0:
        cells[here], cells[to], persons[row, CELL] = -1, row, to
    if persons[row, GROUP] == OFFICER:
        suspect = _one_of(persons, number, cells, around, rules, key, row, SUSPECT, True, -1)
        if suspect >= 0:
            persons[suspect, IS_ACTIVE] = 0
            persons[suspect, JAIL] = int(unit(key, number[row], TERM, 0) * (rules.max_jail_term + 1.0))
            if rules.off_grid and persons[suspect, JAIL] > 0:
                cells[persons[suspect, CELL]], persons[suspect, CELL] = -1, -1
            totals[ARRESTS] += 1
        return False
    persons[row, IS_ACTIVE] = _decides(persons, traits, cells, around, rules, row)
    if persons[row, IS_ACTIVE]:
        other = SECOND if persons[row, GROUP] == FIRST else FIRST
        victim = _one_of(persons, number, cells, around, rules, key, row, VICTIM, False, other)
        if victim >= 0:
            cells[persons[victim, CELL]], persons[victim, CELL] = -1, GONE
            totals[KILLED_FIRST if other == FIRST else KILLED_SECOND] += 1
    if unit(key, number[row], BIRTH, 0) < rules.birth_probability:
        return _bear(persons, traits, number, cells, beside, rules, key, row, count, newest)
    return False


@njit(cache=True)
def advance(persons, traits, number, newest, around, beside, rules, key, first, totals):
    """Take len(totals) steps from step `first`; totals (T, 9) in the columns above. Returns who is there then.

    persons (N, 6), traits (N, 2) hardship and risk aversion, number (N,) ; newest : the next number to be given.
    """
    cells = np.full(rules.rows * rules.columns, -1, np.int32)
    for t in range(len(totals)):
        now, count = step_key(key, first + t), len(persons)
        room = count + len(cells)  # a birth needs an empty cell, and the dead leave some: at most this many rows
        wider = np.empty((room, persons.shape[1]), persons.dtype)
        both, numbers = np.empty((room, 2)), np.empty(room, number.dtype)
        wider[:count], both[:count], numbers[:count] = persons, traits, number
        cells[:] = -1
        turn = np.empty(count, np.uint64)
        for row in range(count):
            turn[row] = draw(now, number[row], ORDER, 0)
            if wider[row, CELL] >= 0:
                cells[wider[row, CELL]] = row
        before = count
        for row in np.argsort(turn, kind="mergesort"):
            if wider[row, CELL] == GONE or wider[row, JAIL] > 0:
                continue
            if _turn(wider, both, numbers, cells, around, beside, rules, now, row, count, newest, totals[t]):
                count, newest = count + 1, newest + 1
        totals[t, BORN] = count - before
        there = np.zeros(count, np.bool_)
        for row in range(count):
            if wider[row, CELL] == GONE:
                continue
            if wider[row, JAIL] > 0:
                _serve(wider, numbers, cells, rules, now, row)
            if wider[row, GROUP] == OFFICER:
                there[row] = True
                continue
            if row < before:
                wider[row, AGE] += 1
            if wider[row, AGE] >= wider[row, LIFE]:
                if wider[row, CELL] >= 0:
                    cells[wider[row, CELL]] = -1
                totals[t, DIED] += 1
                continue
            there[row] = True
            totals[t, wider[row, GROUP]] += 1
            totals[t, ACTIVE] += wider[row, IS_ACTIVE]
            totals[t, JAILED] += wider[row, JAIL] > 0
        rows = np.flatnonzero(there)
        persons, traits, number = wider[rows], both[rows], numbers[rows]
    return persons, traits, number, newest

"""Compiled loops of civil violence in tiles: what happens inside a tile touches nothing that another may touch.

Agents act as in `_civil_violence_loops.py`, with the same draws but for where they look for an empty cell. A cell holds
the word of the agent there: its number, flags, and how much risk it dares; so a turn reads and writes what lies near on
the grid, and nothing by agent, which would cost a cache miss each time. Of several agents in one cell the others follow
in a list, which is rare. All of a turn stays within 3 v cells of where it began: an agent moves up to v, arrests up to
v further, and what changes there is seen from v further still.
"""

from __future__ import annotations

from collections import namedtuple

import numpy as np
from numba import njit

from groundswell.models._compiling import BORROWS
from groundswell.models.agents._civil_violence_loops import (
    KEEPS_CELL,
    MOVE,
    OFF_GRID,
    ORDER,
    RETURN,
    SUSPECT,
    TERM,
    TRIES,
    arrest_probability,
    beside,
)
from groundswell.models.agents._keyed_loops import in_order, own_draw, own_key, own_unit
from groundswell.models.agents._word_loops import (
    ACTIVE,
    DARES,
    JAILED,
    MORE,
    NOBODY,
    SIGN,
    WHO,
    arrive,
    following_word,
    gather,
    rewrite,
    waiting,
    walk,
    word_of,
)

JAIL, HOME = range(2)
"""Rows of `agents`: steps left in jail, and the cell of those in no list."""

HALF, LOWER = np.uint64(32), np.uint64((1 << 32) - 1)
"""A draw in two halves."""

OFFICERS, ACTIVES = range(2)
"""Rows of `seen`: how many of them are in view of each cell."""

NOW_ACTIVE, NOW_JAILED, ARRESTS, OVERFLOW = range(4)
"""Columns of a tally: changes in a tile; counts of who is seen that outgrew their numbers."""

Torus = namedtuple("Torus", "rows columns reach")
"""A grid and how far one sees on it, apart from Rules, since every number handed to a function costs time."""


@njit(cache=True, inline="always")
def _blocked(first, following, rules, cell):
    """Whether no one may move there; jailed agents in a list block it under keeps_cell alone."""
    word = first[cell]
    while word & (JAILED | SIGN) == JAILED and rules.jailed != KEEPS_CELL:
        word = following_word(following, word)
    return word >= 0


@njit(cache=True, inline="always")
def _inside(row, column, torus):
    """Whether all that is seen from there lies on this side of the grid's seams."""
    return torus.reach <= row < torus.rows - torus.reach and torus.reach <= column < torus.columns - torus.reach


@njit(**BORROWS)
def _spread(seen, cell, amount, around, runs, torus):
    """Add 1 or -1 wherever a cell can be seen from; returns whether a count outgrew its numbers."""
    row, column = cell // torus.columns, cell % torus.columns
    overflow = False
    if _inside(row, column, torus):
        for i in range(len(runs)):
            begin, length = np.uintp(cell + runs[i, 0]), np.uintp(runs[i, 1])
            if amount > 0:
                for j in range(length):
                    seen[begin + j] += np.uint8(1)
                    overflow |= seen[begin + j] == np.uint8(0)
            else:
                for j in range(length):
                    seen[begin + j] -= np.uint8(1)
        return overflow
    for i in range(len(around)):
        there = beside(row, column, around, i, torus)
        if amount > 0:
            seen[there] += np.uint8(1)
            overflow |= seen[there] == np.uint8(0)
        else:
            seen[there] -= np.uint8(1)
    return overflow


@njit(**BORROWS)
def _shift(seen, old, new, around, runs, torus):
    """Who was seen from around one cell is seen from around another; returns whether a count outgrew its numbers."""
    _spread(seen, old, -1, around, runs, torus)
    return _spread(seen, new, 1, around, runs, torus)


@njit(**BORROWS)
def _search(first, following, around, torus, rules, own, cell):
    """A random empty cell in vision, by counting them; one's own where there is none."""
    row, column, empty = cell // torus.columns, cell % torus.columns, 0
    for i in range(len(around)):
        empty += not _blocked(first, following, rules, beside(row, column, around, i, torus))
    wanted = int(own_unit(own, MOVE, TRIES) * empty)
    for i in range(len(around)):
        target = beside(row, column, around, i, torus)
        if not _blocked(first, following, rules, target):
            if wanted == 0:
                return target
            wanted -= 1
    return cell


@njit(cache=True, inline="always")
def _aim(first, following, around, torus, rules, own, cell):
    """A random empty cell in vision; one's own where there is none.

    Two tries at a time, from the halves of one draw, the upper first: whether a cell is empty cannot be foretold, and
    a wrong guess of the processor costs more than to look at a cell that may not be needed. Halves of 32 bits favour
    no cell by more than one in ten million.
    """
    row, column = cell // torus.columns, cell % torus.columns
    inside, many = _inside(row, column, torus), np.uint64(len(around))
    for k in range(TRIES // 2):
        bits = own_draw(own, MOVE, k)
        i = np.intp(((bits >> HALF) * many) >> HALF)
        j = np.intp(((bits & LOWER) * many) >> HALF)
        one = cell + around[i, 2] if inside else beside(row, column, around, i, torus)
        two = cell + around[j, 2] if inside else beside(row, column, around, j, torus)
        blocked = _blocked(first, following, rules, one)
        if not (blocked & _blocked(first, following, rules, two)):
            return two if blocked else one
    return _search(first, following, around, torus, rules, own, cell)


@njit(cache=True, inline="always")
def _decides(officers_seen, actives_seen, hardship, aversion, level, rules, word, cell):
    """Whether a citizen acts: whether it dares the level of what it sees, computed afresh beyond the table."""
    dares = (word >> DARES) & 0xFFFF
    if dares == 0:
        return False  # not even with no officer in view
    officers, actives = np.int64(officers_seen[cell]), np.int64(actives_seen[cell]) + 1
    if word & ACTIVE and not rules.again_if_active:
        actives -= 1
    if officers < len(level) and actives < len(level):
        return np.int64(level[officers, actives]) < dares
    agent = word & WHO
    risk = aversion[agent] * arrest_probability(officers, actives, rules)
    return hardship[agent] * rules.illegitimacy - risk > rules.threshold


@njit(cache=True, nogil=True)
def tabulate(officers, actives, rules):
    """Arrest probabilities for as many pairs of counts."""
    out = np.empty(len(officers))
    for i in range(len(out)):
        out[i] = arrest_probability(officers[i], actives[i], rules)
    return out


@njit(**BORROWS)
def _daring(agent, hardship, aversion, risks, rules):
    """How many of the levels of risk, which rise, a citizen dares."""
    low, high = 0, len(risks)
    while low < high:
        middle = (low + high) // 2
        if hardship[agent] * rules.illegitimacy - aversion[agent] * risks[middle] > rules.threshold:
            low = middle + 1
        else:
            high = middle
    return low


@njit(**BORROWS)
def _suspect(first, following, suspects, around, torus, own, cell):
    """(word, cell) of one of the active agents in vision, each equally likely: the smallest of one draw for each."""
    row, column = cell // torus.columns, cell % torus.columns
    inside = _inside(row, column, torus)
    suspect, where, lowest = np.int64(NOBODY), cell, np.uint64(0)
    for i in range(len(around)):
        target = cell + around[i, 2] if inside else beside(row, column, around, i, torus)
        word = first[target]
        while word >= 0 and word & (ACTIVE | MORE):
            if word & ACTIVE:
                ticket = own_draw(own, SUSPECT, word & WHO)
                if suspect < 0 or ticket < lowest:
                    suspect, where, lowest = word, target, ticket
                suspects -= 1
            word = following_word(following, word)
        if suspects == 0:
            break
    return suspect, where


@njit(**BORROWS)
def _enforce(first, following, agents, officers_seen, actives_seen, around, runs, torus, rules, own, word, cell, tally):
    """Arrest one active agent in vision; returns the officer's cell."""
    suspects = np.int64(actives_seen[cell])
    if suspects == 0:
        return cell
    suspect, where = _suspect(first, following, suspects, around, torus, own, cell)
    agent = suspect & WHO
    term = int(own_unit(own, TERM, 0) * (rules.max_jail_term + rules.up_to_max))
    _spread(actives_seen, where, -1, around, runs, torus)
    tally[ARRESTS] += 1
    tally[NOW_ACTIVE] -= 1
    changed = suspect ^ ACTIVE
    if term > 0:
        tally[NOW_JAILED] += 1
        agents[JAIL, agent] = term
        agents[HOME, agent] = NOBODY if rules.jailed == OFF_GRID else where
        changed = (
            changed | JAILED if rules.own_turn or rules.jailed == KEEPS_CELL else following_word(following, suspect)
        )
    rewrite(first, following, where, agent, changed)
    if not rules.officer_moves or where == cell:
        return cell
    walk(first, following, word_of(first, following, cell, word & WHO), cell, where)
    tally[OVERFLOW] += _shift(officers_seen, cell, where, around, runs, torus)
    return where


@njit(**BORROWS)
def _turns(
    first, following, agents, officers_seen, actives_seen, hardship, aversion, level, around, runs, torus, rules, turn,
    order, cell_of, agent_of, keys, tally,
):  # fmt: skip
    """Give those listed of a tile their turns."""
    citizens = len(hardship)
    for n in order:
        cell, agent, own = np.int64(cell_of[n]), np.int64(agent_of[n]), keys[n]
        word = word_of(first, following, cell, agent)
        if word < 0:
            continue  # arrested, and in no list since, before its turn came
        if word & JAILED:
            if rules.own_turn:
                agents[JAIL, agent] -= 1
                if agents[JAIL, agent] == 0:
                    rewrite(first, following, cell, agent, word ^ JAILED)
                    tally[NOW_JAILED] -= 1
            continue
        for part in range(2):
            if part == rules.act_first:
                target = _aim(first, following, around, torus, rules, own, cell)
                if target == cell:
                    continue
                walk(first, following, word, cell, target)
                if agent >= citizens:
                    tally[OVERFLOW] += _shift(officers_seen, cell, target, around, runs, torus)
                elif word & ACTIVE:
                    tally[OVERFLOW] += _shift(actives_seen, cell, target, around, runs, torus)
                cell = target
            elif agent >= citizens:
                cell = _enforce(
                    first, following, agents, officers_seen, actives_seen, around, runs, torus, rules, own, word, cell,
                    tally,
                )  # fmt: skip
                word = word_of(first, following, cell, agent)
            elif _decides(officers_seen, actives_seen, hardship, aversion, level, rules, word, cell) != (
                word & ACTIVE != 0
            ):
                word = word_of(first, following, cell, agent) ^ ACTIVE
                rewrite(first, following, cell, agent, word)
                amount = 1 if word & ACTIVE else -1
                tally[NOW_ACTIVE] += amount
                tally[OVERFLOW] += _spread(actives_seen, cell, amount, around, runs, torus)


@njit(cache=True, nogil=True)
def act(
    first, following, agents, seen, hardship, aversion, level, around, runs, torus, rules, now, turn, tiles, tallies
):
    """Give everyone in these tiles its turn; tiles (n, 4): top, left, height, width; tallies (n, 4)."""
    for t in range(len(tiles)):
        count = waiting(first, following, torus, turn, tiles[t])
        cell_of, agent_of = np.empty(count + 1, np.int32), np.empty(count + 1, np.int32)
        gather(first, following, torus, turn, tiles[t], cell_of, agent_of)
        keys, priority = np.empty(count, np.uint64), np.empty(count, np.uint64)
        for n in range(count):
            keys[n] = own_key(now, agent_of[n])
            priority[n] = own_draw(keys[n], ORDER, 0)
        _turns(
            first, following, agents, seen[OFFICERS], seen[ACTIVES], hardship, aversion, level, around, runs, torus,
            rules, turn, in_order(priority), cell_of, agent_of, keys, tallies[t],
        )  # fmt: skip


@njit(cache=True, nogil=True)
def end_terms(first, following, agents, hardship, aversion, risks, rules, now, turn):
    """One step of every jail term, where terms run down at the end of the step; returns how many are freed."""
    freed = 0
    for agent in range(len(hardship)):
        left = agents[JAIL, agent]
        agents[JAIL, agent] = left - (left > 0)
        if left != 1:
            continue
        freed += 1
        cell = np.int64(agents[HOME, agent])
        if rules.jailed == KEEPS_CELL:
            rewrite(first, following, cell, agent, word_of(first, following, cell, agent) ^ JAILED)
            continue
        if rules.jailed == OFF_GRID:
            # Ends: while this agent is off the grid, at least one cell is empty.
            own, k = own_key(now, agent), 0
            cell = int(own_unit(own, RETURN, k) * len(first))
            while first[cell] >= 0:
                k += 1
                cell = int(own_unit(own, RETURN, k) * len(first))
        arrive(first, following, cell, agent | turn | _daring(agent, hardship, aversion, risks, rules) << DARES)
    return freed


@njit(cache=True, nogil=True)
def fill(first, following, agents, seen, active, hardship, aversion, risks, around, runs, torus, rules, turn):
    """Lists and counts that follow from agents[HOME], agents[JAIL] and `active`; returns counts that outgrew theirs."""
    first[:] = NOBODY
    citizens, officers_seen, actives_seen, overflow = len(hardship), seen[OFFICERS], seen[ACTIVES], 0
    for agent in range(len(active)):
        cell, jailed = np.int64(agents[HOME, agent]), agents[JAIL, agent] > 0
        if cell < 0 or (jailed and not (rules.own_turn or rules.jailed == KEEPS_CELL)):
            continue
        word = agent | turn | (ACTIVE if active[agent] else 0) | (JAILED if jailed else 0)
        if agent < citizens:
            word |= _daring(agent, hardship, aversion, risks, rules) << DARES
        arrive(first, following, cell, word)
        if agent >= citizens:
            overflow += _spread(officers_seen, cell, 1, around, runs, torus)
        elif active[agent]:
            overflow += _spread(actives_seen, cell, 1, around, runs, torus)
    return overflow


@njit(cache=True, nogil=True)
def read_out(first, following, agents, active):
    """Where everyone in a list is now, into agents[HOME], and who is active."""
    active[:] = False
    for cell in range(len(first)):
        word = first[cell]
        while word >= 0:
            agents[HOME, word & WHO] = cell
            active[word & WHO] = word & ACTIVE != 0
            word = following_word(following, word)

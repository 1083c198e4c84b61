"""Compiled loops of civil violence: one agent after another in a keyed random order.

Every random number is `draw(step key, agent, purpose, k)` of `_keyed_loops.py`.

Two planes hold, for every cell, how many officers and how many active agents are within vision of
it; they change only around an agent that moves or changes its mind, so a decision costs O(1).

`around` says what is in view. On a torus it is (K, 2), how far (down, right) each cell lies. On a network, whose
nodes are the cells, it is one list (N + 1 + V,): where each node's part begins, where the last one's ends, and then
the parts, who is in view of each node. Numba compiles one version for each of the two.
"""

from __future__ import annotations

import math
from collections import namedtuple

import numpy as np
from numba import njit

from groundswell.models._compiling import BORROWS
from groundswell.models.agents._keyed_loops import draw, keyed_order, step_key, unit

ORDER, MOVE, SUSPECT, TERM, RETURN, PLACE, HARDSHIP, RISK_AVERSION, TILES, POST = range(10)

RAW, FLOOR, ROUND = range(3)
OFF_GRID, SHARES_CELL, KEEPS_CELL = range(3)

TRIES = 32
"""Cells tried blindly before the empty ones are counted; either way each is equally likely."""

Rules = namedtuple(
    "Rules",
    "rows columns illegitimacy threshold arrest_constant max_jail_term ratio again_if_active jailed officer_moves "
    "up_to_max act_first own_turn persons anywhere",
)
"""Numbers and choices of a model as the loops want them; the last two of a network alone."""

CELL, JAIL, IS_ACTIVE, FOLLOWING = range(4)
RESIDENTS, HEAD, OFFICERS_SEEN, ACTIVES_SEEN = range(4)
GRIEVANCE, AVERSION = range(2)


@njit(cache=True, inline="always")
def beside(row, column, around, i, rules):
    """The i-th cell around (row, column) on the torus; no further than once around it."""
    down, right = row + around[i, 0], column + around[i, 1]
    if down < 0:
        down += rules.rows
    elif down >= rules.rows:
        down -= rules.rows
    if right < 0:
        right += rules.columns
    elif right >= rules.columns:
        right -= rules.columns
    return down * rules.columns + right


@njit(**BORROWS)
def outlook_of(around, rules, cell):
    """Where a cell stands: row and column on a torus; from where to where its part of the list goes on a network."""
    if around.ndim == 2:
        return cell // rules.columns, cell % rules.columns
    return np.int64(around[cell]), np.int64(around[cell + 1])


@njit(**BORROWS)
def how_many(around, outlook):
    """How many cells are in view, one's own included."""
    if around.ndim == 2:
        return len(around)
    return outlook[1] - outlook[0]


@njit(**BORROWS)
def in_view(around, rules, outlook, i):
    """The i-th of them."""
    if around.ndim == 2:
        return beside(outlook[0], outlook[1], around, i, rules)
    return np.int64(around[outlook[0] + i])


@njit(**BORROWS)
def _spread(cells, around, rules, plane, cell, amount):
    """Add to a plane wherever `cell` can be seen from: neighbourhoods are symmetric."""
    outlook = outlook_of(around, rules, cell)
    for i in range(how_many(around, outlook)):
        cells[in_view(around, rules, outlook, i), plane] += amount


@njit(**BORROWS)
def _enter(agents, cells, agent, cell):
    agents[agent, CELL] = cell
    agents[agent, FOLLOWING] = cells[cell, HEAD]
    cells[cell, HEAD] = agent


@njit(**BORROWS)
def _leave(agents, cells, agent):
    cell = agents[agent, CELL]
    if cells[cell, HEAD] == agent:
        cells[cell, HEAD] = agents[agent, FOLLOWING]
        return
    other = cells[cell, HEAD]
    while agents[other, FOLLOWING] != agent:
        other = agents[other, FOLLOWING]
    agents[other, FOLLOWING] = agents[agent, FOLLOWING]


@njit(**BORROWS)
def _relocate(agents, cells, traits, around, rules, agent, cell):
    """Move a free agent, with what others see of it."""
    old = agents[agent, CELL]
    _leave(agents, cells, agent)
    _enter(agents, cells, agent, cell)
    cells[old, RESIDENTS] -= 1
    cells[cell, RESIDENTS] += 1
    if agent >= len(traits):
        _spread(cells, around, rules, OFFICERS_SEEN, old, -1)
        _spread(cells, around, rules, OFFICERS_SEEN, cell, 1)
    elif agents[agent, IS_ACTIVE]:
        _spread(cells, around, rules, ACTIVES_SEEN, old, -1)
        _spread(cells, around, rules, ACTIVES_SEEN, cell, 1)


@njit(**BORROWS)
def _move(agents, cells, traits, around, rules, key, agent):
    """To a random cell in vision that is empty; stay where there is none.

    Where nodes are persons, these stay, and officers look for one beside whom no officer stands, in vision or anywhere.
    """
    if rules.persons and agent < len(traits):
        return
    anywhere = rules.anywhere and agent >= len(traits)
    outlook = outlook_of(around, rules, agents[agent, CELL])
    size = len(cells) if anywhere else how_many(around, outlook)
    for k in range(TRIES):
        i = int(unit(key, agent, MOVE, k) * size)
        target = i if anywhere else in_view(around, rules, outlook, i)
        if cells[target, RESIDENTS] == 0:
            _relocate(agents, cells, traits, around, rules, agent, target)
            return
    empty = 0
    for i in range(size):
        target = i if anywhere else in_view(around, rules, outlook, i)
        empty += cells[target, RESIDENTS] == 0
    if empty == 0:
        return
    wanted = int(unit(key, agent, MOVE, TRIES) * empty)
    for i in range(size):
        target = i if anywhere else in_view(around, rules, outlook, i)
        if cells[target, RESIDENTS] == 0:
            if wanted == 0:
                _relocate(agents, cells, traits, around, rules, agent, target)
                return
            wanted -= 1


@njit(**BORROWS)
def arrest_probability(officers, actives, rules):
    """What a citizen expects who sees so many officers and, oneself counted, active agents."""
    ratio = officers / actives
    if rules.ratio == FLOOR:
        ratio = math.floor(ratio)
    elif rules.ratio == ROUND:
        ratio = np.rint(ratio)
    return 1.0 - math.exp(-rules.arrest_constant * ratio)


@njit(**BORROWS)
def _decide(agents, cells, traits, around, rules, agent):
    cell = agents[agent, CELL]
    actives = cells[cell, ACTIVES_SEEN] + 1
    if agents[agent, IS_ACTIVE] and not rules.again_if_active:
        actives -= 1
    net_risk = traits[agent, AVERSION] * arrest_probability(cells[cell, OFFICERS_SEEN], actives, rules)
    now = traits[agent, GRIEVANCE] - net_risk > rules.threshold
    if now != agents[agent, IS_ACTIVE]:
        agents[agent, IS_ACTIVE] = now
        _spread(cells, around, rules, ACTIVES_SEEN, cell, 1 if now else -1)


@njit(**BORROWS)
def _enforce(agents, cells, traits, around, rules, key, officer):
    """Arrest one active agent in vision, each equally likely; returns the number arrested."""
    cell = agents[officer, CELL]
    if cells[cell, ACTIVES_SEEN] == 0:
        return 0
    outlook = outlook_of(around, rules, cell)
    # The smallest of one draw per suspect: the same whoever is looked at first.
    suspect, lowest = -1, np.uint64(0)
    for i in range(how_many(around, outlook)):
        agent = cells[in_view(around, rules, outlook, i), HEAD]
        while agent >= 0:
            if agents[agent, IS_ACTIVE]:
                ticket = draw(key, officer, SUSPECT, agent)
                if suspect < 0 or ticket < lowest:
                    suspect, lowest = agent, ticket
            agent = agents[agent, FOLLOWING]
    where = agents[suspect, CELL]
    agents[suspect, IS_ACTIVE] = False
    _spread(cells, around, rules, ACTIVES_SEEN, where, -1)
    term = int(unit(key, officer, TERM, 0) * (rules.max_jail_term + rules.up_to_max))
    agents[suspect, JAIL] = term
    if term > 0 and rules.jailed != KEEPS_CELL:
        cells[where, RESIDENTS] -= 1
        if rules.jailed == OFF_GRID:
            _leave(agents, cells, suspect)
            agents[suspect, CELL] = -1
    if rules.officer_moves and where != cell:
        _relocate(agents, cells, traits, around, rules, officer, where)
    return 1


@njit(**BORROWS)
def _serve(agents, cells, rules, key, agent):
    """One step of a jail term; at its end the agent is free again."""
    agents[agent, JAIL] -= 1
    if agents[agent, JAIL] > 0 or rules.jailed == KEEPS_CELL:
        return
    if rules.jailed == OFF_GRID:
        # Ends: while this agent is off the grid, at least one cell is empty.
        k = 0
        cell = int(unit(key, agent, RETURN, k) * len(cells))
        while cells[cell, RESIDENTS] != 0:
            k += 1
            cell = int(unit(key, agent, RETURN, k) * len(cells))
        _enter(agents, cells, agent, cell)
    cells[agents[agent, CELL], RESIDENTS] += 1


@njit(**BORROWS)
def _fill(agents, cells, traits, around, rules):
    """The lists and planes that follow from where the agents are."""
    cells[:, HEAD] = -1
    for agent in range(len(agents)):
        cell = agents[agent, CELL]
        if cell < 0:
            continue
        _enter(agents, cells, agent, cell)
        blocks = agents[agent, JAIL] == 0 or rules.jailed == KEEPS_CELL
        cells[cell, RESIDENTS] += blocks and not (rules.persons and agent < len(traits))
        if agent >= len(traits):
            _spread(cells, around, rules, OFFICERS_SEEN, cell, 1)
        elif agents[agent, IS_ACTIVE]:
            _spread(cells, around, rules, ACTIVES_SEEN, cell, 1)


@njit(cache=True, nogil=True)
def advance(agents, cells, traits, around, rules, key, first, totals):
    """Take len(totals) steps from step `first` in place; totals (T, 3) gets active, jailed, arrests."""
    _fill(agents, cells, traits, around, rules)
    citizens = len(traits)
    for t in range(len(totals)):
        now = step_key(key, first + t)
        arrests = 0
        for agent in keyed_order(now, len(agents), ORDER):
            if agents[agent, JAIL] > 0:
                if rules.own_turn:
                    _serve(agents, cells, rules, now, agent)
                continue
            if agents[agent, CELL] < 0:
                continue  # an officer who has been withdrawn
            if not rules.act_first:
                _move(agents, cells, traits, around, rules, now, agent)
            if agent < citizens:
                _decide(agents, cells, traits, around, rules, agent)
            else:
                arrests += _enforce(agents, cells, traits, around, rules, now, agent)
            if rules.act_first:
                _move(agents, cells, traits, around, rules, now, agent)
        active = jailed = 0
        for agent in range(citizens):
            if agents[agent, JAIL] > 0 and not rules.own_turn:
                _serve(agents, cells, rules, now, agent)
            active += agents[agent, IS_ACTIVE]
            jailed += agents[agent, JAIL] > 0
        totals[t, 0], totals[t, 1], totals[t, 2] = active, jailed, arrests

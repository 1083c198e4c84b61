"""The likelihood of a list that grows, place by place and day by day: every way in which an entry can come about."""

from __future__ import annotations

import math
from collections.abc import Sequence


def not_listed(delay: int, same_day: float, daily: float, late: float, late_daily: float, own: float) -> float:
    """Probability of not being on the list `delay` days after the first event, by walking through the days."""

    def moved(chance: float) -> float:
        odds = chance / (1 - chance) * math.exp(own)
        return odds / (1 + odds)

    if delay < 0:
        return 1.0
    soon = 1 - moved(same_day)
    tardy = 1.0
    for _ in range(delay):
        soon *= 1 - moved(daily)
        tardy *= 1 - late_daily
    return (1 - late) * soon + late * tardy


def first_event(level: Sequence[float], own: float, closed: bool) -> list[float]:
    """Probability (closed) or expected number (open) of a first event on each day."""
    out, none_yet = [], 1.0
    for mean in level:
        here = mean * math.exp(own)
        if closed:
            out.append(none_yet * (1 - math.exp(-here)))
            none_yet *= math.exp(-here)
        else:
            out.append(here)
    return out


def log_density(
    vintages: Sequence[int],
    entries: Sequence[tuple[int, int, int]],
    firsts: Sequence[Sequence[float]],
    waits: Sequence[Sequence[float]],
    closed: bool,
) -> float:
    """entries : (unit, first seen, day or -1). firsts : by unit and day. waits : by unit, not listed by delay."""

    def wait(unit: int, delay: int) -> float:
        return 1.0 if delay < 0 else waits[unit][delay]

    total = 0.0
    for unit, seen, stated in entries:
        chance = 0.0
        for day in range(vintages[seen] + 1):
            if stated not in (-1, day):
                continue
            before = wait(unit, vintages[seen - 1] - day) if seen else 1.0
            chance += firsts[unit][day] * (before - wait(unit, vintages[seen] - day))
        total += math.log(chance)
    listed = {unit for unit, _, _ in entries}
    for unit in range(len(firsts)):
        by_now = sum(p * (1 - wait(unit, vintages[-1] - day)) for day, p in enumerate(firsts[unit]))
        if not closed:
            total -= by_now
        elif unit not in listed:
            total += math.log(1 - by_now)
    return total


def unseen(
    vintages: Sequence[int], first: Sequence[float], waits: Sequence[float], listed_by: int | None, closed: bool
) -> list[float]:
    """By day, a first event that the last vintage does not have; closed: given that the place has no entry."""
    last = vintages[-1]
    here = [p * waits[last - day] for day, p in enumerate(first)]
    none = 1 - sum(first) if closed else 0.0
    total = none + sum(here) if closed else 1.0
    if listed_by is not None:
        here = [p * (waits[last - day] - waits[listed_by - day]) for day, p in enumerate(first)]
    return [value / total for value in here]

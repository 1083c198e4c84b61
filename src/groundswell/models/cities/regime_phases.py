"""The exact phase diagram of the regimes: where every share of participants ends, for any rates and thresholds.

With c* = growth / (growth + decay), alpha the visibility and beta the policing threshold, inside the unit square:

    alpha < beta < c*     0 up to alpha, 1 above: what is seen grows
    alpha < c* < beta     0 up to alpha, c* in between, 1 from beta on: unrest can last
    c* < alpha < beta     0 below beta, 1 from beta on: only what outgrows the policing stays
    beta <= alpha         0 below beta, 1 above alpha, and every share in between stays as it is

With c* exactly on a threshold it is approached for ever from the side of the middle. No threshold attracts from
both sides (what falls to alpha falls on, what rises to beta rises on), so nothing slides along one, and
everything follows from the flow on the pieces.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from groundswell.errors import ParameterError

Kind = Literal["stable", "unstable", "neutral", "tangency"]


@dataclass(frozen=True)
class Basin:
    """The shares from low to high, ends included as said, that end at `end`; None if each stays where it is.

    kind : of what they end at. "stable": what comes near, returns. "unstable": an equilibrium that nothing else
    reaches. "neutral": a continuum of equilibria. "tangency": c* lies exactly on a threshold, which is then
    approached for ever from one side though it is no equilibrium.
    """

    low: float
    high: float
    low_included: bool
    high_included: bool
    end: float | None
    kind: Kind


def end_of(share: float, growth: float, decay: float, visibility: float, policing: float) -> float:
    """Where r goes from `share` as time runs on: the limit of the flow, exact.

    ParameterError for a share or threshold outside [0, 1] or a negative rate.
    """
    _check(share, growth, decay, visibility, policing)
    r = share
    while True:
        rise, rate = _rates(r, growth, decay, visibility, policing)
        if rate == 0:
            return r
        rest = rise / rate
        if visibility < r < policing and rest < visibility:
            r = visibility
        elif visibility < r < policing and rest > policing:
            r = policing
        else:
            return rest


def basins(growth: float, decay: float, visibility: float, policing: float) -> tuple[Basin, ...]:
    """The unit interval from 0 to 1, cut into what ends where; together they are the whole of it.

    growth, decay : c1, c2, 1/day, 0 or more. visibility, policing : alpha, beta, in [0, 1].
    """
    _check(0.0, growth, decay, visibility, policing)
    given = growth, decay, visibility, policing
    cuts = sorted({0.0, visibility, policing, 1.0})
    pieces: list[tuple[float, float]] = [(0.0, 0.0)]
    for low, high in pairwise(cuts):
        pieces += [(low, high), (high, high)]
    found: list[list[tuple[float, float]]] = []
    ends: list[float | None] = []
    for low, high in pieces:
        middle = (low + high) / 2
        end = None if _rates(middle, *given)[1] == 0 else end_of(middle, *given)
        if ends and ends[-1] == end:
            found[-1].append((low, high))
        else:
            found.append([(low, high)])
            ends.append(end)
    made = []
    for parts, end in zip(found, ends, strict=True):
        (low, low_next), (high_before, high) = parts[0], parts[-1]
        ends_in = low == low_next, high_before == high
        made.append(Basin(low, high, *ends_in, end, _kind(low, high, *ends_in, end, given)))
    return tuple(made)


def _kind(
    low: float, high: float, low_in: bool, high_in: bool, end: float | None, given: tuple[float, float, float, float]
) -> Kind:
    if end is None:
        return "unstable" if low == high else "neutral"
    rise, rate = _rates(end, *given)
    if rate == 0 or abs(rise - rate * end) > 1e-12 * rate:
        return "tangency"
    inside = (low < end or (low_in and end == 0)) and (end < high or (high_in and end == 1))
    return "stable" if inside and low < high else "unstable"


def _rates(r: float, growth: float, decay: float, visibility: float, policing: float) -> tuple[float, float]:
    """A and B of r' = A - B r at r."""
    rise = growth if r > visibility else 0.0
    return rise, rise + (decay if r < policing else 0.0)


def _check(share: float, growth: float, decay: float, visibility: float, policing: float) -> None:
    if not (0 <= growth < float("inf") and 0 <= decay < float("inf")):
        raise ParameterError(f"growth is {growth} and decay {decay}; expected finite rates of 0 or more, per day.")
    for name, value in (("share", share), ("visibility threshold", visibility), ("policing threshold", policing)):
        if not 0 <= value <= 1:
            raise ParameterError(f"the {name} is {value}; expected a share of the population, from 0 to 1.")

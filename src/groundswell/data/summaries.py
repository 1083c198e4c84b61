"""Summaries: a history as a few named numbers, for sweeps and for inference by simulation.

A summary is written as people say it: a function, a series and, where the function asks for one, a number:
"total events", "peak active", "at active 12", "outbursts active 50"; "log" before it takes log(1 + value).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from groundswell.data.history import History
from groundswell.errors import UsageError, nearest


class Function(NamedTuple):
    """What a summary computes from a series (P, T), and from a number where it `asks` for one."""

    compute: Callable[[np.ndarray, float], float]
    doc: str
    asks: str = ""


def outbursts(values: np.ndarray, above: float) -> np.ndarray:
    """Steps at which `values` (T,) first exceeds `above`; one under way at the first step has no start."""
    high = np.asarray(values) > above
    return np.flatnonzero(high[1:] & ~high[:-1]) + 1


def _everywhere(compute: Callable[[np.ndarray, float], float]) -> Callable[[np.ndarray, float], float]:
    """Of the sum over places (T,)."""
    return lambda series, number: compute(series.sum(axis=0), number)


def _duration(values: np.ndarray, above: float) -> float:
    steps = np.flatnonzero(values > above)
    return float(steps[-1] - steps[0] + 1) if steps.size else 0.0


def _waiting(values: np.ndarray, above: float) -> float:
    starts = outbursts(values, above)
    return float(np.diff(starts).mean()) if len(starts) > 1 else math.nan


def _lag1(values: np.ndarray, _: float) -> float:
    apart = values - values.mean()
    spread = float(apart @ apart)
    return float(apart[1:] @ apart[:-1]) / spread if spread > 0 else 0.0


def _at(values: np.ndarray, step: float) -> float:
    if not (step == int(step) and 0 <= step < len(values)):
        raise UsageError(f'a summary "at ... {step:g}" asks for a step of 0 to {len(values) - 1}, counted from 0.')
    return float(values[int(step)])


FUNCTIONS: Mapping[str, Function] = {
    "total": Function(_everywhere(lambda v, _: float(v.sum())), "sum over places and steps"),
    "mean": Function(_everywhere(lambda v, _: float(v.mean())), "mean of the steps, all places together"),
    "sd": Function(_everywhere(lambda v, _: float(v.std())), "standard deviation over the steps"),
    "peak": Function(_everywhere(lambda v, _: float(v.max())), "largest step"),
    "peak_step": Function(_everywhere(lambda v, _: float(v.argmax())), "which step that is, counted from 0"),
    "last": Function(_everywhere(lambda v, _: float(v[-1])), "last step"),
    "at": Function(_everywhere(_at), "a step, counted from 0", "step"),
    "places": Function(lambda s, _: float((s > 0).any(axis=1).sum()), "places that were above 0 on any step"),
    "places_share": Function(lambda s, _: float((s > 0).any(axis=1).mean()), "the same as a share of all places"),
    "steps_above": Function(_everywhere(lambda v, level: float((v > level).sum())), "steps above a level", "level"),
    "duration": Function(_everywhere(_duration), "steps from the first above a level to the last", "level"),
    "outbursts": Function(
        _everywhere(lambda v, level: float(len(outbursts(v, level)))), "how often it rises above a level", "level"
    ),
    "waiting": Function(
        _everywhere(_waiting), "mean steps from one such rise to the next; missing below two rises", "level"
    ),
    "lag1": Function(_everywhere(_lag1), "correlation of a step with the next; 0 for a constant"),
}
"""Every function by name; but for places, of the sum over places at each step."""


@dataclass(frozen=True)
class Summary:
    """One number of a history. `parse` reads it from words, `str` writes it."""

    function: str
    series: str
    number: float = 0.0
    log: bool = False

    @classmethod
    def parse(cls, text: str) -> Summary:
        """From "[log] FUNCTION SERIES [NUMBER]"; UsageError says what is wrong with it."""
        words = text.split()
        log = words[:1] == ["log"]
        name, *rest = words[log:] or [""]
        if name not in FUNCTIONS:
            raise UsageError(
                f'summary "{text}": no function is called "{name}".' + nearest(name, FUNCTIONS)
                + f" Known: {', '.join(FUNCTIONS)}."
            )  # fmt: skip
        asks = FUNCTIONS[name].asks
        try:
            number = float(rest[1]) if asks else 0.0
        except (IndexError, ValueError):
            number = math.nan
        if len(rest) != (2 if asks else 1) or not math.isfinite(number):
            raise UsageError(
                f'summary "{text}": expected "{name} SERIES{" " + asks.upper() if asks else ""}", as in '
                f'"{name} events{" 10" if asks else ""}"' + ("" if asks else "; it takes no number") + "."
            )
        return cls(name, rest[0], number, log)

    def __str__(self) -> str:
        number = f" {self.number:g}" if FUNCTIONS[self.function].asks else ""
        return f"{'log ' * self.log}{self.function} {self.series}{number}"

    def of(self, history: History) -> float:
        """The number; NaN where it is missing. DataError if the history lacks the series."""
        value = FUNCTIONS[self.function].compute(np.asarray(history[self.series], dtype=float), self.number)
        return math.copysign(math.log1p(abs(value)), value) if self.log else value


class Summaries(tuple[Summary, ...]):
    """Summaries in order, from their words: `Summaries("total events", "peak events")`."""

    __slots__ = ()

    def __new__(cls, *stated: str | Summary) -> Summaries:
        """UsageError for words that are wrong, none or stated twice."""
        read = [Summary.parse(one) if isinstance(one, str) else one for one in stated]
        twice = [str(one) for one in read if read.count(one) > 1]
        if not read or twice:
            raise UsageError(f'summary "{twice[0]}" is stated twice.' if twice else "no summary is stated.")
        return super().__new__(cls, read)

    def __getnewargs__(self) -> tuple[Summary, ...]:
        return tuple(self)

    def __repr__(self) -> str:
        return f"Summaries({', '.join(map(repr, self.names))})"

    @property
    def names(self) -> tuple[str, ...]:
        """As they are written."""
        return tuple(map(str, self))

    def of(self, history: History) -> np.ndarray:
        """(K,) the numbers; NaN where one is missing."""
        return np.array([one.of(history) for one in self])


def usual(model: object, histories: Sequence[History]) -> Summaries:
    """What the model states (`Model.summaries`), else size, peak, course and extent of every series observed."""
    stated = getattr(model, "summaries", ())
    if stated:
        return Summaries(*stated)
    series = [name for name in histories[0].series if all(name in history.series for history in histories)]
    words = [f"{function} {name}" for name in series for function in ("log total", "log peak", "lag1")]
    words += [f"places {name}" for name in series if len(histories[0].places) > 1]
    return Summaries(*words)

"""Several kinds of events that excite each other, with the whole matrix of who triggers whom (multivariate Hawkes).

A function, not yet a model: K^2 free offspring need a prior that shrinks them before a fit means much.
"""

from __future__ import annotations

import numpy as np

from groundswell.data.history import Events
from groundswell.errors import DataError
from groundswell.models.events._self_exciting_recursion import OnCities


def mutually_exciting(
    time_days: np.ndarray,
    kind: np.ndarray,
    days: float,
    background: np.ndarray,
    offspring: np.ndarray,
    decay: float,
    *,
    threads: int = 1,
) -> tuple[float, np.ndarray, np.ndarray, float]:
    """Log density on [0, days] of K kinds of events with a given matrix of offspring, and its gradient.

    lambda_k(t) = background_k + sum_{i: t_i < t} offspring[kind_i, k] decay exp(-decay (t - t_i)).
    offspring : (K, K), row the triggering kind, column the triggered one. Papers and packages that
    write "effect of j on i" as a_ij mean its transpose. Rows need not sum to 1.

    time_days : (E,) rising. kind : (E,) in [0, K). background : (K,). Cost O(E K).
    Returns the value and its derivatives in background (K,), offspring (K, K) and decay.
    """
    events = Events(time_days, kind)  # sorted, finite, of one length
    times, kinds, count = events.time_days, events.place, len(background)
    if np.shape(offspring) != (count, count) or (len(times) and not 0 <= kinds.min() <= kinds.max() < count):
        raise DataError(
            f"mutually_exciting was given {count} backgrounds, offspring of shape {np.shape(offspring)} and kinds up "
            f"to {kinds.max(initial=-1)}; expected (K,), (K, K) and kinds in [0, K)."
        )
    if len(times) and times[-1] > days:
        raise DataError(f"mutually_exciting was given an event at day {times[-1]:g}, after the end at day {days:g}.")
    evaluate = OnCities(times, kinds, int(np.searchsorted(times, 0.0)), len(background), float(days), threads)
    return evaluate(np.asarray(background, dtype=float), np.asarray(offspring, dtype=float), decay)

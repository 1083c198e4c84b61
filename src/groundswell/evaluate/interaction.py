"""Are events that are near each other in space also near in time, beyond what places and days alone would make?

Times are permuted over positions: every place keeps its number of events, every day its own, and all that ties the two
is broken. Knox (1964), Applied Statistics 13, 25-29, counts pairs that are near and soon; over a grid of limits the
counts are the space-time K function of Diggle, Chetwynd, Häggkvist and Morris (1995), Statistical Methods in Medical
Research 4, 124-136, but for constants. `triggering_test` permutes for a fitted model instead: Meyer, Warnke, Rössler
and Held (2016), Spatial and Spatio-temporal Epidemiology 17, 15-25 (`epitest` in R's surveillance).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from groundswell.data.history import Events, History, from_events
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.errors import DataError, GroundswellError, UsageError
from groundswell.evaluate.replicas import at_least_as_extreme
from groundswell.infer.base import Fit, Method, Progress, fit, silent
from groundswell.params import names

NOT_EVIDENCE = (
    "Times were permuted over positions, so how many events each place had and how many each day had is kept: a wave "
    "that reaches all places alike makes no small p-value. Anything that moves in space and time together does, "
    "contagion or not: a cause at work in one region for a while (a strike, a local holiday, weather, a change in what "
    "is recorded there) ties near events together as one event that sets off another would."
)
"""What a small p-value is no evidence for."""


TIED = 1e-6
"""Gains in log density that differ by less are the same: searches end so near to a maximum."""


@dataclass(frozen=True, eq=False)
class Interaction:
    """Pairs that are near and soon, beside permuted times.

    table : km, days (limits), pairs, expected (the mean over all permutations), ratio, standardised, p value; one row a
    pair of limits. sum_p_value : of the sum of the standardised excesses, the test of Diggle et al.;
    largest_p_value : of the largest, which allows for having looked at all limits. notes : what must be read with it.
    """

    table: Table
    sum_p_value: float
    largest_p_value: float
    permutations: int
    notes: tuple[str, ...]

    def __str__(self) -> str:
        overall = (
            f"all limits together: p = {self.sum_p_value:.3g} (sum), {self.largest_p_value:.3g} (largest); "
            f"{self.permutations} permutations."
        )
        return "\n".join([str(self.table), overall, *self.notes])


def space_time_interaction(
    setting: Setting,
    history: History | Events,
    *,
    distances_km: Sequence[float],
    days: Sequence[float],
    permutations: int = 999,
    rng: np.random.Generator,
    plane: bool | None = None,
) -> Interaction:
    """Count pairs of events within each distance and each lag, and permute times over positions.

    distances_km, days : rising limits; a pair at the limit counts as within. A distance of 0 is "in the same place".
    Choose them before looking at the table: of many single p-values some are small, and the two over all limits allow
    for that. plane : distances between Events.x_km and y_km; False, between the setting's places; None, as known.

    Exact, whatever the numbers by place and by day, if neither depends on the other. Where places came into the
    record at different dates they do: permute within each period then. With days only known, pairs of one day have lag
    0. Cost: permutations x pairs within the largest distance; over places all pairs of events are held for a moment,
    which takes 2 GB for 10,000 events.
    """
    from groundswell.evaluate._interaction_loops import close_in_time

    events = history.events if isinstance(history, History) else history
    if events is None or len(events) < 3:
        raise DataError(f"space-time interaction needs 3 single events or more; given {len(events or ())}.")
    near, soon = _limits(distances_km, "distances_km"), _limits(days, "days")
    if permutations < 1:
        raise UsageError(f"{permutations} permutations make no p-value; give 99 or more.")
    first, second, km = _pairs(setting, events, near[-1], plane)
    band = np.searchsorted(near, km)

    def pairs(times: np.ndarray) -> np.ndarray:
        counts = close_in_time(first, second, band, len(near), times, soon)
        return counts.cumsum(axis=0).cumsum(axis=1)

    times = events.time_days
    counts = np.stack([pairs(times), *(pairs(rng.permutation(times)) for _ in range(permutations))]).astype(float)
    count, rising = len(times), np.sort(times)
    apart = count * (count - 1) / 2
    soon_at_all = np.array(
        [(np.searchsorted(rising, rising + lag, "right") - np.arange(count) - 1).sum() for lag in soon]
    )
    near_at_all = np.cumsum(np.bincount(band, minlength=len(near)))
    expected = near_at_all[:, None] * soon_at_all / apart
    sd = counts.std(axis=0)
    excess = np.divide(counts - expected, sd, out=np.zeros_like(counts), where=sd > 0)
    rows = [
        {
            "km": float(near[k]),
            "days": float(soon[n]),
            "pairs": int(counts[0, k, n]),
            "expected": float(expected[k, n]),
            "ratio": float(counts[0, k, n] / expected[k, n]) if expected[k, n] > 0 else None,
            "standardised": float(excess[0, k, n]),
            "p value": at_least_as_extreme(counts[0, k, n], counts[1:, k, n]),
        }
        for k in range(len(near))
        for n in range(len(soon))
    ]
    together, largest = excess.sum(axis=(1, 2)), excess.max(axis=(1, 2))
    return Interaction(
        Table.from_rows(rows), at_least_as_extreme(together[0] - 1e-9, together[1:]),
        at_least_as_extreme(largest[0] - 1e-9, largest[1:]), permutations, (NOT_EVIDENCE,),
    )  # fmt: skip


def permuted(history: History, *, rng: np.random.Generator) -> History:
    """The same history with its times permuted over all else that an event is: place, position, kind, size, marks."""
    events = history.events
    if events is None:
        raise DataError("permuting times needs History.events, single events; this history has counts.")
    order = rng.permutation(len(events))
    known = {name: getattr(events, name) for name in ("place", "size", "arrests", "x_km", "y_km", "kind")}
    moved = replace(
        events,
        marks={name: np.asarray(mark)[order] for name, mark in events.marks.items()},
        **{name: np.asarray(column)[order] for name, column in known.items() if column is not None},
    )
    made = from_events(history.places, history.window, moved)
    return replace(made, weighed=history.weighed)


@dataclass(frozen=True, eq=False)
class TriggeringTest:
    """How much better a model with triggering fits than one without, beside permuted times.

    gain : log density with less without, each at its own maximum. permuted : (S,) the gains with permuted times.
    p_value : Monte Carlo. fitted, null : the two fits to the record itself.
    """

    gain: float
    permuted: np.ndarray
    p_value: float
    fitted: Fit
    null: Fit
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(
            [
                f"gain in log density {self.gain:.4g}; with permuted times {np.median(self.permuted):.4g} in the "
                f"median, {self.permuted.max():.4g} at most ({len(self.permuted)} permutations): "
                f"p = {self.p_value:.3g}.",
                *self.notes,
            ]
        )


def triggering_test(
    model: Any,
    null: Any,
    setting: Setting,
    history: History,
    method: Method,
    *,
    permutations: int = 99,
    rng: np.random.Generator,
    fixed: Mapping[str, float] | None = None,
    progress: Progress = silent,
) -> TriggeringTest:
    """Test triggering by the gain in log density of a model over one without, times permuted over positions.

    null : a model without triggering (SpaceTime with offspring=None), or the names and values that take it out of
    `model`, such as {"branching_ratio": 0, "delay.decay": 1, "reach.scale_km": 50}: what no longer matters is best held
    too. Chi-squared tables do not hold for the gain, since under `null` the branching ratio is on its boundary and the
    kernels mean nothing. Records in which a fit finds no triggering have a gain of 0 and tie, p-values then lie above
    uniform ones. fixed : held in both fits.

    Exact if, without triggering, the rate is a product of one of place and one of time. A background with covariates
    that vary over both is not, and the test then asks whether triggering does better than it with the ties cut. All
    fits start at the model's own values; one that fails with permuted times is left out and counted.
    Cost: 2 (permutations + 1) fits.
    """
    held = dict(fixed or {})
    bare, bare_held = (model, held | dict(null)) if isinstance(null, Mapping) else (null, held)
    if not isinstance(null, Mapping):
        known = set(names(null))
        bare_held = {name: value for name, value in held.items() if name in known}

    def both(one: History, draws: np.random.Generator) -> tuple[Fit, Fit]:
        full = fit(model, setting, one, method, rng=draws, fixed=held)
        return full, fit(bare, setting, one, method, rng=draws, fixed=bare_held)

    own, *children = rng.spawn(1 + permutations)
    full, without = both(history, own)
    gain = full.log_density - without.log_density
    gains, lost, unsure = [], [], 0
    for k, child in enumerate(children):
        progress(k / permutations, f"permutation {k + 1} of {permutations}")
        try:
            theirs = both(permuted(history, rng=child), child)
        except GroundswellError as error:
            lost.append(str(error))
            continue
        unsure += not all(one.converged for one in theirs)
        gains.append(theirs[0].log_density - theirs[1].log_density)
    progress(1.0, "done")
    if not gains:
        raise DataError(
            f"no fit to permuted times succeeded, so there is nothing to compare with. The first: {lost[0]}"
        )
    notes = [NOT_EVIDENCE]
    if not (full.converged and without.converged):
        notes.append("A fit to the record itself did not converge, so that its gain is not the largest possible.")
    if lost or unsure:
        notes.append(
            f"Of {permutations} permutations {len(lost)} could not be fitted and are left out; {unsure} did not "
            "converge."
        )
    return TriggeringTest(
        gain, np.array(gains), at_least_as_extreme(gain - TIED, np.array(gains)), full, without, tuple(notes)
    )


def _limits(given: Sequence[float], what: str) -> np.ndarray:
    limits = np.asarray(given, dtype=float)
    if limits.ndim != 1 or not len(limits) or not (limits >= 0).all() or (np.diff(limits) <= 0).any():
        raise UsageError(f"{what} is {list(given)}; expected one or more limits of 0 or more, rising.")
    return limits


def _pairs(
    setting: Setting, events: Events, furthest: float, plane: bool | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both events of every pair within reach, and how far apart they are."""
    if plane is None:
        plane = events.x_km is not None
    if plane:
        if events.x_km is None or events.y_km is None:
            raise DataError("plane=True needs Events.x_km and y_km, positions on a plane map in km.")
        from scipy.spatial import KDTree

        at = np.stack([np.asarray(events.x_km, float), np.asarray(events.y_km, float)], axis=1)
        found = KDTree(at).query_pairs(furthest * (1 + 1e-12), output_type="ndarray")
        first, second = found[:, 0], found[:, 1]
        km = np.minimum(np.hypot(*(at[first] - at[second]).T), furthest)
        return first, second, km
    places = setting.places
    if places.latitude is None:
        if furthest > 0:
            raise DataError(
                "these places have no positions, so only pairs in the same place can be counted: distances_km=[0]."
            )
        between = np.where(np.eye(len(places), dtype=bool), 0.0, np.inf)
    else:
        between = places.distance_km
    first, second = np.triu_indices(len(events), 1)
    km = between[events.place[first], events.place[second]]
    near = km <= furthest
    return first[near], second[near], km[near]

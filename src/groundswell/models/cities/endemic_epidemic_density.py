"""How likely counts are under the endemic-epidemic model, with gradient and curvature; exact.

What setting and history fix is computed once; what depends on the parameters of weights and lags is kept
for as long as these stay the same, which is most steps of a search.
"""

from __future__ import annotations

from math import lgamma
from typing import NamedTuple

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.errors import DataError
from groundswell.models.cities import _endemic_epidemic_loops as loops
from groundswell.models.cities.endemic_epidemic import Between, EndemicEpidemic, Within
from groundswell.models.cities.scattered import OverdispersionByPlace, counts_of
from groundswell.models.cities.weights import Terms, weighed
from groundswell.params import leaves, names


class Arrow(NamedTuple):
    """Minus the second derivatives of a log density whose parameters by place meet those of no other place.

    shared (K, K). cross (Q, K, P) and own (Q, Q, P): a place's Q parameters with the shared ones and among
    themselves. shared_at (K,), own_at (Q, P): their places in the vector.
    """

    shared: np.ndarray
    cross: np.ndarray
    own: np.ndarray
    shared_at: np.ndarray
    own_at: np.ndarray

    def dense(self, size: int) -> np.ndarray:
        """(all, all), `size` parameters in all: 0 for places that have no part in these data."""
        out = np.zeros((size, size))
        out[np.ix_(self.shared_at, self.shared_at)] = self.shared
        for q, at in enumerate(self.own_at):
            out[np.ix_(self.shared_at, at)] = self.cross[q]
            out[np.ix_(at, self.shared_at)] = self.cross[q].T
            for other, where in enumerate(self.own_at):
                out[at, where] = self.own[q, other]
        return out


class CountDensity:
    """The log density of a history as a function of the parameter vector: call it for value and gradient.

    observations : how many counts have a density, P (T - conditioned).
    """

    def __init__(self, model: EndemicEpidemic, setting: Setting, history: History) -> None:
        counts = counts_of(setting, history)
        first = model.conditioned_steps
        if setting.window.periods <= first:
            raise DataError(
                f"the window has {setting.window.periods} steps and the first {first} are conditioned on (as many as "
                "there are lags), so none has a density. Give a longer window or fewer lags."
            )
        order = leaves(model)
        at = {leaf.name: k for k, leaf in enumerate(order)}
        # a count of 0 with mean 0 has log density 0 and no slope: so drops out what is not weighed
        kept = None if history.weighed is None else history.weighed[:, first:]
        now = counts[:, first:] if kept is None else counts[:, first:] * kept
        self._drive = _Drive(model, setting, counts, first, at, kept)
        self._design = _design(model, setting, now, first, at, self._drive.free_of)
        self.observations = now.size if kept is None else int(kept.sum())
        self._last: tuple[bytes, int, tuple[np.ndarray, ...]] = (b"", -1, ())
        own = [row for row in self._design.random_at if row[0] >= 0]
        if self._design.by_place:
            own.append(self._design.dispersion_at)
        self._own_at = np.array(own, dtype=np.int64).reshape(len(own), len(setting.places))
        # of other places too, which a model of several windows may know
        by_place = [k for k, leaf in enumerate(order) if ".by_place." in leaf.name] if own else []
        self._shared_at = np.setdiff1d(np.arange(len(at)), by_place)
        self._check_reach(setting, now, first, np.array([leaf.value for leaf in order]))

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient (all,). Cost O(P T), and O(N P) more where weights or lags changed, N the counts."""
        return loops.value_and_gradient(x, self._design, *self._driven(x, 1)[:2])

    def stride(self, move: np.ndarray) -> float:
        """The most by which a step (all,) on free coordinates changes the logarithm of a rate, or another parameter."""
        design, other = self._design, np.abs(move)
        furthest = 0.0
        for c, intercept in enumerate(design.intercept_at):
            kinds = (
                (design.time_x, design.time_of),
                (design.place_x, design.place_of),
                (design.cell_x, design.cell_of),
            )
            low = high = float(move[intercept])
            for columns, of in kinds:
                mine = of[:, 0] == c
                changed = np.tensordot(move[of[mine, 1]], columns[mine], 1)
                low, high = low + float(changed.min()), high + float(changed.max())
                other[of[mine, 1]] = 0.0
            other[intercept] = 0.0
            furthest = max(furthest, -low, high)
        return max(furthest, float(other.max(initial=0.0)))

    def arrow(self, x: np.ndarray) -> Arrow:
        """The observed information. Cost O(K^2 P T), K the parameters that all places share."""
        full, cross, own = loops.curvature(x, self._design, *self._driven(x, 2))
        at = self._shared_at
        return Arrow(full[np.ix_(at, at)], cross[:, at], own, at, self._own_at)

    def information(self, x: np.ndarray) -> np.ndarray:
        """(all, all) observed information."""
        if not len(self._own_at):
            return loops.curvature(x, self._design, *self._driven(x, 2))[0]
        return self.arrow(x).dense(len(x))

    def _driven(self, x: np.ndarray, derivatives: int) -> tuple[np.ndarray, ...]:
        key = x[self._design.free_of[:, 1]].tobytes()
        if self._last[0] != key or self._last[1] < derivatives:
            self._last = key, derivatives, self._drive(x, derivatives)
        return self._last[2]

    def _check_reach(self, setting: Setting, now: np.ndarray, first: int, x: np.ndarray) -> None:
        reachable = (self._driven(x, 1)[0] > 0).any(axis=0).T
        if (bad := (now > 0) & ~reachable).any():
            i, t = (int(index[0]) for index in np.nonzero(bad))
            raise DataError(
                f'"{setting.places.name[i]}" has {now[i, t]:g} events at step {t + first}, where every part of the '
                "mean is 0 (offset 0 and no earlier events that reach it). Give a positive offset or drop the place."
            )


class _Drive:
    """What the rates multiply, (C, T, P), with its derivatives in the parameters of weights and lags."""

    def __init__(
        self,
        model: EndemicEpidemic,
        setting: Setting,
        counts: np.ndarray,
        first: int,
        at: dict[str, int],
        kept: np.ndarray | None,
    ) -> None:
        self._first, self._before = first, np.ascontiguousarray(counts.T)
        self._step, self._place = np.nonzero(self._before)
        self._count = self._before[self._step, self._place]
        mask = 1.0 if kept is None else kept
        self._factors = [np.ascontiguousarray((part.factor(setting)[:, first:] * mask).T) for _, part in model.parts()]
        self._parts: list[tuple[int, Within | Between, Terms | None, list[int], list[int]]] = []
        for c, (name, part) in enumerate(model.parts()):
            if not isinstance(part, Within | Between):
                continue
            weights, lags = getattr(part, "weights", None), part.lags
            self._parts.append(
                (
                    c,
                    part,
                    None if weights is None else weights.terms(setting),
                    [] if weights is None else [at[f"{name}.weights.{own}"] for own in names(weights)],
                    [] if lags is None else [at[f"{name}.lags.{own}"] for own in names(lags)],
                )
            )
        self.free_of = [(c, k) for c, _, _, weight_at, lag_at in self._parts for k in (*weight_at, *lag_at)]
        self._still: dict[int, np.ndarray] = {}
        # filled anew at every call; what no parameter moves stays
        self._drive = np.array(self._factors)
        self._slopes = np.zeros((len(self.free_of), *self._factors[0].shape))

    def __call__(self, x: np.ndarray, derivatives: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Drive (C, T, P), slopes (F, T, P) and, with two derivatives, bends (F, F, T, P)."""
        free, shape = len(self.free_of), self._factors[0].shape
        drive, slopes = self._drive, self._slopes
        bends = np.zeros((free, free, *shape) if derivatives > 1 else (0, 0, *shape))
        begin = 0
        for c, part, terms, weight_at, lag_at in self._parts:
            far, near = len(weight_at), len(lag_at)
            ahead = derivatives if far else 0
            sent = self._sent(c, part, terms, x[weight_at], ahead)
            lag = (np.ones(1), np.zeros((0, 1)), np.zeros((0, 0, 1)))
            if part.lags is not None:
                lag = part.lags.terms(x[lag_at])
            factor = self._factors[c]
            np.multiply(factor, self._lagged(sent[0], lag[0]), out=drive[c])
            for k in range(far):
                np.multiply(factor, self._lagged(sent[1 + k], lag[0]), out=slopes[begin + k])
            for k in range(near):
                np.multiply(factor, self._lagged(sent[0], lag[1][k]), out=slopes[begin + far + k])
            if derivatives > 1:
                row = 1 + far
                for k in range(far):
                    for m in range(k + 1):
                        bent = factor * self._lagged(sent[row], lag[0])
                        bends[begin + k, begin + m] = bends[begin + m, begin + k] = bent
                        row += 1
                    for m in range(near):
                        bent = factor * self._lagged(sent[1 + k], lag[1][m])
                        bends[begin + k, begin + far + m] = bends[begin + far + m, begin + k] = bent
                for k in range(near):
                    for m in range(near):
                        bends[begin + far + k, begin + far + m] = factor * self._lagged(sent[0], lag[2][k, m])
            begin += far + near
        return drive, slopes, bends

    def _sent(
        self, c: int, part: Within | Between, terms: Terms | None, theta: np.ndarray, derivatives: int
    ) -> np.ndarray:
        """(M, T, P): a place's own counts, or the weighted counts of the others with their derivatives."""
        if terms is None:
            return self._before[None]
        if not len(theta) and c in self._still:
            return self._still[c]
        weights = weighed(terms, theta, part.weights.normalised, derivatives)  # type: ignore[union-attr]
        if len(self._count) > DENSE * self._before.size:
            sent = self._before @ weights
        else:
            sent = loops.received(weights, self._step, self._place, self._count, len(self._before))
        if not len(theta):
            self._still[c] = sent
        return sent

    def _lagged(self, series: np.ndarray, lag_weights: np.ndarray) -> np.ndarray:
        """(T - first, P) sum over lags l of weight x the series l steps before."""
        first, steps = self._first, len(series)
        out = series[first - 1 : steps - 1]
        if len(lag_weights) > 1 or lag_weights[0] != 1.0:
            out = lag_weights[0] * out
        for back in range(2, len(lag_weights) + 1):
            out += lag_weights[back - 1] * series[first - back : steps - back]
        return out


DENSE = 0.3
"""Beyond this share of place-steps with events a full matrix product is quicker than going through them."""


def _design(
    model: EndemicEpidemic,
    setting: Setting,
    now: np.ndarray,
    first: int,
    at: dict[str, int],
    free_of: list[tuple[int, int]],
) -> loops.Design:
    places = len(now)
    columns, random_at = [], np.full((len(model.parts()), places), -1, dtype=np.int64)
    for c, (name, part) in enumerate(model.parts()):
        columns += [
            (c, at[f"{name}.effects.{label}"], column[:, first:])
            for label, column in zip(part.effects, part.columns(setting), strict=True)
        ]
        if part.random is not None:
            part.random.of(setting.places.name)
            random_at[c] = [at[f"{name}.random.by_place.{place}"] for place in setting.places.name]
    over_time = [entry for entry in columns if np.ptp(entry[2], axis=0).max() == 0]
    over_places = [e for e in columns if np.ptp(e[2], axis=1).max() == 0 and not any(e is o for o in over_time)]
    over_cells = [e for e in columns if not any(e is o for o in over_time + over_places)]
    dispersion_at, dispersion_of = _dispersion(model, setting, at)
    return loops.Design(
        counts=np.ascontiguousarray(now.T),
        intercept_at=np.array([at[f"{name}.intercept"] for name, _ in model.parts()]),
        random_at=random_at,
        time_x=_stacked([x[0] for _, _, x in over_time], now.shape[1:]),
        time_of=_pairs(over_time),
        place_x=_stacked([x[:, 0] for _, _, x in over_places], now.shape[:1]),
        place_of=_pairs(over_places),
        cell_x=_stacked([x.T for _, _, x in over_cells], now.T.shape),
        cell_of=_pairs(over_cells),
        free_of=np.array(free_of, dtype=np.int64).reshape(-1, 2),
        dispersion_at=dispersion_at,
        dispersion_of=dispersion_of,
        by_place=isinstance(model.overdispersion, OverdispersionByPlace),
        exceeding=_exceeding(now, dispersion_of, max(1, len(dispersion_at))),
        log_factorials=sum(lgamma(y + 1) for y in now[now > 1]),
    )


def _dispersion(model: EndemicEpidemic, setting: Setting, at: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Where the overdispersions stand in the vector, and which of them is each place's."""
    names_ = setting.places.name
    one = np.zeros(len(names_), dtype=np.int64)
    if model.overdispersion is None:
        return one[:0], one
    model.overdispersion.of(names_)
    if "overdispersion.psi" in at:
        return one[:1] + at["overdispersion.psi"], one
    where = np.array([at[f"overdispersion.by_place.{name}"] for name in names_], dtype=np.int64)
    return where, np.arange(len(names_))


def _exceeding(counts: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """(G, max y): how many counts of a group are above k = 0, 1, ..."""
    highest = int(counts.max(initial=0))
    out = np.zeros((groups, highest))
    for g in range(groups):
        frequency = np.bincount(counts[group == g].astype(np.int64).ravel(), minlength=highest + 1)
        out[g] = (frequency.sum() - np.cumsum(frequency))[:-1]
    return out


def _stacked(rows: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    return np.ascontiguousarray(np.stack(rows)) if rows else np.zeros((0, *shape))


def _pairs(columns: list[tuple[int, int, np.ndarray]]) -> np.ndarray:
    return np.array([(c, k) for c, k, _ in columns], dtype=np.int64).reshape(-1, 2)

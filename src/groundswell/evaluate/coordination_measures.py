"""What tells calls, shocks, weekdays, news and contagion apart in daily counts: up to eighteen numbers of a record.

They are the same function of a simulated record as of the user's own. Densities at values fitted to the user's record
would not be: they flatter it, since every explanation was bent to it, and to none of the simulated ones.

Two weighted regressions of the counts of a day on what went before: on the place's share, its own momentum, the
momentum near it and that of the whole country; and the same with a level for every day of its own, in which what is
nationwide cancels and what is near does not. Days that all places share are then in what the first leaves over. Days
are compared with those of the same weekday, before and after the first regression.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from groundswell.evaluate.explanations import Cells, faded, scattered

REACHES_KM = (30.0, 120.0)
"""Over which the momentum of near places falls by e: two, since the true reach is not known."""

KEEP, SCALE = 0.5, 0.7
"""Of the momentum that the regressions use: the middles of the explanations' priors."""

NEAR_SHARE = 0.1
"""Share of the pairs of places that count as near, the nearest ones."""

SOON = 3
"""Days after an event within which another counts as following it."""

RIDGE = 1e-3
"""Keeps the regressions apart where two columns are all but one; as a share of each column's own square."""


class Measures:
    """The measures of records over these places and days; `names` says which, in order."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        raised = np.exp(SCALE * cells.log_population)
        self.shares = raised / raised.sum()
        self.weights: list[np.ndarray] = []
        self.near: np.ndarray | None = None
        if cells.km is not None and len(cells.km) > 2:
            apart = cells.km + np.diag(np.full(len(cells.km), np.inf))
            for reach in REACHES_KM:
                weight = raised * np.exp(-(apart - apart.min(axis=1, keepdims=True)) / reach)
                self.weights.append(weight / weight.sum(axis=1, keepdims=True))
            limit = np.quantile(cells.km[np.triu_indices(len(cells.km), 1)], NEAR_SHARE)
            self.near = (apart <= limit).astype(float)
        self.names: tuple[str, ...] = (
            "days unequal", "day like the last", "day like the second last", "largest day",
            "own momentum", "nationwide momentum",
            "days left unequal", "days left like the last", "largest day left", "days left lopsided", "rises lopsided",
        )  # fmt: skip
        self.weekday = np.eye(7)[cells.weekday[1:]] if len(cells.weekdays) else None
        if self.weekday is not None:
            self.names += ("weekdays unequal", "weekdays left unequal", "days of a weekday unequal")
        if self.near is not None:
            self.names += tuple(f"near momentum, {reach:g} km" for reach in REACHES_KM)
            self.names += ("near on the same day", "near within days")

    def __call__(self, events: np.ndarray) -> np.ndarray:
        """(F,) for counts (T, P)."""
        days = events[1:].sum(axis=1)
        found = [_unequal(days, days.mean()), _alike(days, 1), _alike(days, 2), days.max() / max(days.sum(), 1.0)]
        before = faded(events, KEEP)[:-1]
        columns = [np.broadcast_to(self.shares, before.shape), before]
        columns += [self.shares * before.sum(axis=1, keepdims=True)]
        around = [faded(scattered(events, weight), KEEP)[:-1] for weight in self.weights]
        slopes, left = self._regression(events[1:], columns)
        scale = np.sqrt(np.maximum(days - left, 0.1))
        rest = left / scale
        found += [slopes[1], slopes[2], _unequal(rest, 1.0), _alike(rest, 1), rest.max() / max(float(rest.std()), 1e-9)]
        found += [_lopsided(rest), _lopsided(np.diff(np.log(days + 0.5)))]
        if self.weekday is not None:
            rhythm = self._by_weekday(days)
            found += [_apart(days, rhythm), _apart(rest, self._by_weekday(rest)), _unequal(days - rhythm, days.mean())]
        for one in around:
            found.append(self._regression(events[1:], [*columns[:2], one], by_day=True)[0][2])
        return np.array([*map(float, found), *self._pairs(events)])

    def _regression(
        self, counts: np.ndarray, columns: Sequence[np.ndarray], by_day: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """(t values of the columns, what is left of each day's total); weights are those of counts by share.

        by_day : with a level of its own for every day, in proportion to the shares.
        """
        open_ = np.ones(counts.shape)
        if self.cells.once:  # a place that has had its day is out of the game
            open_ = (np.cumsum(np.vstack([self.cells.events[:1], counts]), axis=0)[:-1] == 0).astype(float)
        root = open_ / np.sqrt(self.shares)
        y, x = counts * root, [column * root for column in columns]
        if by_day:
            level = self.shares * root
            square = np.maximum((level**2).sum(axis=1, keepdims=True), 1e-12)
            y, *x = (one - level * ((one * level).sum(axis=1, keepdims=True) / square) for one in (y, *x))
        flat = np.array([one.ravel() for one in x])
        square = flat @ flat.T
        square += np.diag(RIDGE * np.diag(square) + 1e-9)
        inverse = np.linalg.inv(square)
        slopes = inverse @ (flat @ y.ravel())
        rest = y.ravel() - slopes @ flat
        error = np.sqrt(np.maximum(np.diag(inverse) * float((rest**2).mean()), 1e-12))
        fitted = sum(slope * column for slope, column in zip(slopes, columns, strict=True)) * open_
        return np.clip(slopes / error, -50, 50), counts.sum(axis=1) - fitted.sum(axis=1)

    def _by_weekday(self, values: np.ndarray) -> np.ndarray:
        """(T - 1,) the mean over all days of each day's weekday."""
        assert self.weekday is not None
        return np.asarray(self.weekday @ (self.weekday.T @ values / np.maximum(self.weekday.sum(axis=0), 1)))

    def _pairs(self, events: np.ndarray) -> list[float]:
        """Log of near pairs on one day, and within `SOON` days after, over what the margins alone make of them."""
        if self.near is None:
            return []
        beside = scattered(events, self.near)
        place, day = events.sum(axis=0), events.sum(axis=1)
        near = float(place @ scattered(place[None], self.near)[0]) / max(float(place.sum()), 1.0) ** 2
        lagged = sum(float((events[lag:] * beside[:-lag]).sum()) for lag in range(1, SOON + 1))
        soon = sum(float(day[lag:] @ day[:-lag]) for lag in range(1, SOON + 1))
        pairs = ((float((events * beside).sum()), float(day @ day)), (lagged, soon))
        return [float(np.log((seen + 1) / (near * made + 1))) for seen, made in pairs]


def _unequal(values: np.ndarray, level: float) -> float:
    """Log of the variance over the level: 0 for Poisson counts."""
    return float(np.log((values.var() + 0.1) / (abs(level) + 0.1)))


def _apart(values: np.ndarray, rhythm: np.ndarray) -> float:
    """Log of the variance between weekdays over that within them."""
    return float(np.log((rhythm.var() + 0.01) / ((values - rhythm).var() + 0.01)))


def _alike(values: np.ndarray, lag: int) -> float:
    """Correlation of a day with the one so many before."""
    apart = values - values.mean()
    whole = float((apart**2).sum())
    return float((apart[lag:] * apart[:-lag]).sum()) / whole if whole > 0 and len(values) > lag else 0.0


def _lopsided(values: np.ndarray) -> float:
    """Skewness: above 0 where a few are far above the others, as days of a call are."""
    apart = values - values.mean()
    return float((apart**3).mean()) / max(float(apart.std()), 1e-9) ** 3

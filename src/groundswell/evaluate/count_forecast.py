"""Forecasts of single counts, exact or as draws, with the same three verbs: what calibration asks of a forecast.

pit(observed) -> (low, high), the probability below the observed count and up to it; intervals(levels), the central
intervals; promised(observed, levels), the probability that the forecast gives to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from groundswell.errors import UsageError
from groundswell.evaluate import scores

TAIL = 1e-14
"""Probability left out beyond the last count of a table of an exact forecast."""

TABLE = 500_000
"""Numbers in a table at a time; a single forecast may pass it."""


def _ranked(log_p: np.ndarray) -> np.ndarray:
    """(n, K) ranked probability score of each count: squared probability up to it, and beyond from it on."""
    p = np.exp(log_p)
    upto = np.cumsum(p, axis=1)
    beyond = np.cumsum(p[:, ::-1], axis=1)[:, ::-1] - p  # P(Y > k) without the cancellation of 1 - upto
    left = np.cumsum(upto**2, axis=1) - upto**2
    right = np.cumsum((beyond**2)[:, ::-1], axis=1)[:, ::-1]
    return left + right


SCORES = ("logs", "rps", "dss", "ses")
TABLED: dict[str, Callable[[np.ndarray], np.ndarray]] = {"logs": np.negative, "rps": _ranked}
"""From (n, K) log probabilities of 0 .. K - 1 to the score of each of these counts."""


class CountForecast(Protocol):
    """N forecasts of one count each; they need not be independent of each other."""

    def pit(self, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """P(Y < y) and P(Y <= y) of the observed y, each in the shape of the forecast."""
        ...

    def intervals(self, levels: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
        """Ends of the central intervals, a last axis for the levels."""
        ...

    def promised(self, observed: np.ndarray, levels: Sequence[float]) -> np.ndarray:
        """Probability that the forecast gives to its intervals; of counts it is more than the level."""
        ...


@dataclass(frozen=True, eq=False)
class NegativeBinomial:
    """Exact forecasts Y ~ negative binomial with variance mean (1 + overdispersion mean); 0 is Poisson.

    mean : of any shape, say (P, T) one-step forecasts of a model's `intensity`; above 0, since a count
    that is certain has no Dawid-Sebastiani score. overdispersion : a number, or an array that
    broadcasts to the shape of the mean, say (P, 1) for one value a place.

    Every figure is a sum over the table log p(k) = log p(0) + sum over j < k of log((1 + psi j) mean /
    ((1 + psi mean) (j + 1))), up to where TAIL is left, which is exact for every psi down to 0; the usual
    formula by gamma functions loses all digits there. Cost O(N K), K the last count of the table.
    """

    mean: np.ndarray
    overdispersion: np.ndarray | float = 0.0

    def __post_init__(self) -> None:
        mean = np.asarray(self.mean, dtype=np.float64)
        psi = np.asarray(self.overdispersion, dtype=np.float64)
        try:
            psi = np.broadcast_to(psi, mean.shape)
        except ValueError as error:
            raise UsageError(
                f"overdispersion has shape {psi.shape}, the mean {mean.shape}; expected one number, or a shape that "
                "broadcasts to the mean's."
            ) from error
        if not (np.isfinite(mean).all() and (mean > 0).all() and np.isfinite(psi).all() and (psi >= 0).all()):
            raise UsageError(
                "a mean is not above 0 or an overdispersion is below 0 (or one is no number); such a cell has no count "
                "forecast, so leave it out."
            )
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "overdispersion", psi)

    @property
    def variance(self) -> np.ndarray:
        """mean (1 + overdispersion mean)."""
        return self.mean * (1 + self.overdispersion * self.mean)

    def scores(self, observed: np.ndarray, names: Sequence[str] = SCORES) -> dict[str, np.ndarray]:
        """Logarithmic, ranked probability, Dawid-Sebastiani and squared error score, in the mean's shape; losses.

        dss = log variance + (y - mean)^2 / variance; rps = sum over k >= 0 of (P(Y <= k) - 1[y <= k])^2.
        Paper: Czado, Gneiting and Held 2009, section 3. The squared error asks for the mean alone.
        """
        _known(names, SCORES)
        y = self.counts(observed)
        error = (y - self.mean) ** 2
        found = {"ses": error, "dss": np.log(self.variance) + error / self.variance}
        if tabled := [name for name in names if name in TABLED]:
            flat = {name: np.empty(y.size) for name in tabled}
            for at, log_p in self._tables(y):
                for name, values in flat.items():
                    values[at] = TABLED[name](log_p)[np.arange(len(at)), y.ravel()[at]]
            found |= {name: values.reshape(y.shape) for name, values in flat.items()}
        return {name: found[name] for name in names}

    def expected_scores(self, score: str) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance of "logs", "rps" or "dss" if the count does come from the forecast, in the mean's shape.

        Paper: Wei and Held 2014; for dss in closed form, E = 1 + log variance, V = 2 + 6 psi + 1 / variance.
        """
        _known([score], ("dss", *TABLED))
        if score == "dss":
            return 1 + np.log(self.variance), 2 + 6 * np.asarray(self.overdispersion) + 1 / self.variance
        mean, variance = np.empty(self.mean.size), np.empty(self.mean.size)
        for at, log_p in self._tables():
            p, losses = np.exp(log_p), TABLED[score](log_p)
            mean[at] = (p * losses).sum(axis=1)
            variance[at] = (p * (losses - mean[at][:, None]) ** 2).sum(axis=1)
        return mean.reshape(self.mean.shape), variance.reshape(self.mean.shape)

    def pit(self, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """P(Y < y) and P(Y <= y), each in the mean's shape."""
        y = self.counts(observed)
        low, high = np.zeros(y.size), np.empty(y.size)
        for at, log_p in self._tables(y):
            cumulated, mine, rows = np.cumsum(np.exp(log_p), axis=1), y.ravel()[at], np.arange(len(at))
            high[at] = np.minimum(cumulated[rows, mine], 1)
            low[at] = np.where(mine > 0, np.minimum(cumulated[rows, mine - 1], 1), 0)
        return low.reshape(y.shape), high.reshape(y.shape)

    def quantiles(self, probabilities: Sequence[float]) -> np.ndarray:
        """(..., K) the smallest counts with at least these probabilities, below 1, at or below them."""
        out = np.empty((self.mean.size, len(probabilities)))
        for at, log_p in self._tables():
            cumulated = np.cumsum(np.exp(log_p), axis=1)
            for k, probability in enumerate(probabilities):
                out[at, k] = (cumulated < probability - 1e-12).sum(axis=1)
        return out.reshape(*self.mean.shape, len(probabilities))

    def intervals(self, levels: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
        """(..., L) ends of the central intervals."""
        return _central(self.quantiles, levels)

    def promised(self, observed: np.ndarray, levels: Sequence[float]) -> np.ndarray:
        """(..., L) probability of the central intervals, whatever was observed."""
        low, high = self.intervals(levels)
        inside = [self.pit(high[..., k])[1] - self.pit(low[..., k])[0] for k in range(len(levels))]
        return np.stack(inside, axis=-1)

    def draws(self, size: int, *, rng: np.random.Generator) -> np.ndarray:
        """(..., S) independent draws."""
        mean, psi = self.mean[..., None], np.asarray(self.overdispersion)[..., None]
        shape = (*self.mean.shape, size)
        some = psi > 0
        factor = np.where(some, rng.gamma(1 / np.where(some, psi, 1.0), 1.0, shape) * psi, 1.0)
        return rng.poisson(mean * factor).astype(float)

    def counts(self, observed: np.ndarray) -> np.ndarray:
        """The observed counts as whole numbers; UsageError for another shape or what is no count."""
        y = np.asarray(observed, dtype=np.float64)
        if y.shape != self.mean.shape or not np.isfinite(y).all() or (y < 0).any() or (y != np.floor(y)).any():
            raise UsageError(
                f"observations have shape {y.shape}, the mean {self.mean.shape}; expected one count, 0 or more and "
                "whole, for each forecast."
            )
        return y.astype(np.int64)

    def _tables(self, reach: np.ndarray | None = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(cells, (n, K) log p of 0 .. K - 1), cells of similar reach together; all cells once."""
        mean, psi = self.mean.ravel(), np.asarray(self.overdispersion).ravel()
        upto = np.maximum(_last(mean, psi), 0 if reach is None else reach.ravel()) + 1
        order = np.argsort(upto, kind="stable")
        start = 0
        while start < len(order):
            # the widest table that a batch of this many of the next cells would need decides how many they are
            sizes = upto[order[start:]]
            many = max(1, int((sizes * np.arange(1, len(sizes) + 1) <= TABLE).sum()))
            at = order[start : start + many]
            start += many
            k = np.arange(int(upto[at[-1]]) - 1)
            m, s = mean[at][:, None], psi[at][:, None]
            ratio = np.log(m) - np.log1p(s * m) + np.log1p(s * k) - np.log1p(k)
            none = -np.where(s > 0, np.log1p(s * m) / np.where(s > 0, s, 1.0), m)
            yield at, np.concatenate([none, none + np.cumsum(ratio, axis=1)], axis=1)


@dataclass(frozen=True, eq=False)
class Drawn:
    """Forecasts as draws, (N, S).

    The observed count is taken as one more draw, so that the probability integral transform of a calibrated
    forecast is uniform at any S, and a count that no draw shows has a place: with b draws below y and e equal
    to it, low = b / (S + 1) and high = (b + e + 1) / (S + 1).
    """

    draws: np.ndarray

    def pit(self, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shares below the observed count and up to it, itself included, (N,) each."""
        x, y = scores.checked(self.draws, observed)
        below, upto = (x < y[:, None]).sum(axis=1), (x <= y[:, None]).sum(axis=1)
        return below / (x.shape[1] + 1), (upto + 1) / (x.shape[1] + 1)

    def intervals(self, levels: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
        """(N, L) ends of the central intervals, which are draws; see `scores.quantiles`."""
        return _central(lambda probabilities: scores.quantiles(self.draws, probabilities), levels)

    def promised(self, observed: np.ndarray, levels: Sequence[float]) -> np.ndarray:
        """(N, L) how probable it was that the observed count falls inside, were it one more draw.

        Each of the S + 1 counts in turn is taken for the observed one: it lies in the interval of the other S if
        it lies between the (low + 1)-th and the high-th of all, low and high being the ranks of the ends. The
        share of draws inside their own interval is larger, by about 1 / S.
        """
        x, y = scores.checked(self.draws, observed)
        size, every = x.shape[1], np.sort(np.column_stack([x, y]), axis=1)
        low, high = _central(lambda probabilities: scores.ranks(probabilities, size), levels)
        inside = [
            np.searchsorted(row, row[high - 1], "right") - np.searchsorted(row, row[low], "left") for row in every
        ]
        return np.stack(inside) / (size + 1)


def _central(
    quantiles: Callable[[Sequence[float]], np.ndarray], levels: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """The quantiles at both ends of the central intervals, levels on the last axis."""
    both = np.asarray(levels, dtype=float)
    edges = quantiles([*((1 - both) / 2), *((1 + both) / 2)])
    return edges[..., : len(both)], edges[..., len(both) :]


def _last(mean: np.ndarray, psi: np.ndarray) -> np.ndarray:
    """Counts with less than TAIL beyond them."""
    from scipy.stats import nbinom, poisson

    # below this overdispersion scipy's probability 1 / (1 + psi mean) has too few digits, and the two agree
    some = psi * np.maximum(mean, 1) > 1e-6
    shape = np.where(some, psi, 1.0)
    last = np.where(some, nbinom.isf(TAIL, 1 / shape, 1 / (1 + shape * mean)), poisson.isf(TAIL, mean))
    return last.astype(np.int64) + 2


def _known(names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise UsageError(f'no score is called "{name}" here; known: {", ".join(known)}.')
